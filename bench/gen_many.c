/* many: short flows of ten packets, a million at once. files: small HTTP files, one connection each for ten. */
#include <stdio.h>
#include <stdlib.h>

#include "gen.h"

enum { FLOW_PACKETS = 10, MANY_FLOWS = 2000000, MANY_AT_ONCE = 1000000, ROUND_SECONDS = 60 };
enum { FILES_FLOWS = 40000, FILES_AT_ONCE = 1000, FILES_EACH = 10 };

static void many_begin(struct gen *g, struct talk *t);

/*
 * Goes round the conversations under way and writes a packet of each, a round a minute, so that those that
 * ended but not yet timed out are few beside those under way. They begin staggered: every round
 * begins a tenth of them and, from the tenth on, ends as many.
 */
int
gen_many(struct gen *g)
{
	uint64_t flows = (uint64_t)(MANY_FLOWS * g->scale);
	uint64_t at_once = g->at_once > 0 ? g->at_once : (uint64_t)(MANY_AT_ONCE * g->scale);
	if (at_once < FLOW_PACKETS)
		at_once = FLOW_PACKETS;
	if (flows < at_once)
		flows = at_once;
	struct talk *talks = calloc(at_once, sizeof *talks);
	if (talks == NULL) {
		perror("generate");
		return -1;
	}
	uint64_t begun = 0, ended = 0, start = (uint64_t)g->time;
	for (uint64_t round = 0; ended < flows; round++) {
		for (uint64_t i = 0; i < at_once; i++) {
			if (round < FLOW_PACKETS && i % FLOW_PACKETS > round)
				continue;
			bool idle = talks[i].exchanges == 0;
			g->time = (int64_t)(start + round * ROUND_SECONDS * 1000000 + i * ROUND_SECONDS * 1000000 / at_once);
			if (!idle && talk_step(g, &talks[i]) != PACE_OVER)
				continue;
			ended += !idle;
			talks[i].exchanges = 0;
			if (begun == flows)
				continue;
			many_begin(g, &talks[i]);
			begun++;
			talk_step(g, &talks[i]);
		}
	}
	free(talks);
	return 0;
}

/* Of a hundred: 45 DNS, 5 in QUIC's shape, 30 TLS resumed, 12 HTTP interfaces, 8 unknown. */
static void
many_begin(struct gen *g, struct talk *t)
{
	uint32_t luck = random_below(g, 100);
	enum plot_id plot = luck < 45   ? PLOT_DNS
	                    : luck < 50 ? PLOT_QUIC
	                    : luck < 80 ? PLOT_TLS_RESUMED
	                    : luck < 92 ? PLOT_API
	                                : PLOT_UNKNOWN;
	talk_begin(g, t, plot);
	t->size = 400;
	t->exchanges = plots[plot].udp ? FLOW_PACKETS / 2 : 1;
	t->plain = t->salt % 3 == 0;
}

/* Small files, so that what one costs can be told apart from what its packets cost. */
int
gen_files(struct gen *g)
{
	uint64_t flows = (uint64_t)(FILES_FLOWS * g->scale), begun = 0;
	uint32_t count = g->at_once > 0 ? g->at_once : FILES_AT_ONCE;
	if (count > flows / 4 + 1)
		count = (uint32_t)(flows / 4 + 1);
	struct talk *talks = calloc(count, sizeof *talks);
	if (talks == NULL) {
		perror("generate");
		return -1;
	}
	for (uint32_t i = 0; count > 0; i = i + 1 < count ? i + 1 : 0) {
		while (i < count && (talks[i].exchanges == 0 || talk_step(g, &talks[i]) == PACE_OVER)) {
			if (begun == flows) {
				talks[i] = talks[--count];
				continue;
			}
			talk_begin(g, &talks[i], PLOT_SMALL_FILES);
			talks[i].exchanges = FILES_EACH;
			begun++;
		}
		g->time += 50;
	}
	free(talks);
	return 0;
}
