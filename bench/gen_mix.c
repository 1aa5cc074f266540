/*
 * mix: what an office's uplink carries, a thousand conversations at once: copies of the sample captures'
 * real sessions (FTP, HTTP, SSH) among composed ones (DNS, TLS, QUIC's shape, HTTP interfaces, unknown).
 */
#include <stdio.h>
#include <stdlib.h>

#include "gen.h"

enum { AT_ONCE = 1000, AVERAGE = 30000 /* bytes a conversation, about */ };

/* A conversation under way: a composed one, or a copy of a seed. */
struct lane {
	int64_t due;
	struct seed_talk *seed;
	struct talk talk;
};

/* Lanes, the one that is due first on top (a binary heap). */
struct mix {
	struct gen *g;
	struct seeds *seeds;
	struct lane *lanes;
	uint32_t count;
};

static int lane_begin(struct mix *m, struct lane *lane);
static bool lane_step(struct gen *g, struct lane *lane);
static void sink(struct mix *m, uint32_t at);
static uint32_t delay(struct gen *g, enum pace pace);

int
gen_mix(struct gen *g)
{
	uint64_t limit = (uint64_t)(1.06e9 * g->scale), most = limit / AVERAGE / 6 + 1;
	struct mix m = {.g = g, .count = g->at_once > 0 ? g->at_once : AT_ONCE};
	int result = -1;
	if (m.count > most)
		m.count = (uint32_t)most;
	uint64_t tail = (uint64_t)m.count * AVERAGE; /* what those under way will still send */
	m.lanes = calloc(m.count, sizeof *m.lanes);
	m.seeds = seeds_load(g->seeds);
	if (m.lanes == NULL)
		goto out;

	int64_t start = g->time;
	for (uint32_t i = m.count; i-- > 0;) {
		g->time = start + random_below(g, 5000000);
		if (lane_begin(&m, &m.lanes[i]) != 0)
			goto out;
	}
	for (uint32_t i = m.count; i-- > 0;)
		sink(&m, i);
	while (m.count > 0) {
		struct lane *lane = &m.lanes[0];
		g->time = lane->due > g->time || g->packets == 0 ? lane->due : g->time;
		if (!lane_step(g, lane)) {
			if (g->bytes + tail < limit) {
				if (lane_begin(&m, lane) != 0)
					goto out;
			} else {
				m.lanes[0] = m.lanes[--m.count];
			}
		}
		sink(&m, 0);
	}
	result = 0;
out:
	if (result != 0)
		perror("generate");
	for (uint32_t i = 0; m.lanes != NULL && i < m.count; i++)
		seed_free(m.lanes[i].seed);
	free(m.lanes);
	seeds_free(m.seeds);
	return result;
}

/* Of a hundred: 45 DNS, 26 TLS, 10 HTTP interfaces, 6 in QUIC's shape, 5 unknown, 8 copies of seeds. */
static int
lane_begin(struct mix *m, struct lane *lane)
{
	struct gen *g = m->g;
	uint32_t luck = random_below(g, 100);
	lane->due = g->time + random_below(g, 400000);
	if (luck >= 92) {
		g->time = lane->due;
		lane->seed = seed_begin(g, m->seeds, random_below(g, g->listed_in) == 0);
		return lane->seed == NULL ? -1 : 0;
	}
	enum plot_id plot = luck < 45 ? PLOT_DNS : luck < 71 ? PLOT_TLS : luck < 81 ? PLOT_API : luck < 87 ? PLOT_QUIC : PLOT_UNKNOWN;
	struct talk *t = &lane->talk;
	talk_begin(g, t, plot);
	t->host[0] = 0xc6120000u + random_below(g, 500);
	if (t->host[1] != g->listed)
		t->host[1] = 0xc6130000u + random_below(g, 5000);
	t->plain = t->salt % 3 == 0;
	t->size = plot == PLOT_UNKNOWN ? 400 : 1000u << random_below(g, 7);
	t->exchanges = plot == PLOT_DNS ? 1 : (uint8_t)random_between(g, 1, plot == PLOT_UNKNOWN ? 60 : 6);
	if (plot == PLOT_QUIC) {
		t->exchanges = 1;
		t->size = t->size * 3;
	}
	return 0;
}

/* Writes the packet that is due; false: there was none any more. */
static bool
lane_step(struct gen *g, struct lane *lane)
{
	if (lane->seed != NULL) {
		if (seed_due(lane->seed) < 0) {
			seed_free(lane->seed);
			lane->seed = NULL;
			return false;
		}
		seed_step(g, lane->seed);
		int64_t due = seed_due(lane->seed);
		lane->due = due < 0 ? g->time : due;
		return true;
	}
	enum pace pace = talk_step(g, &lane->talk);
	lane->due = g->time + delay(g, pace);
	return pace != PACE_OVER;
}

static void
sink(struct mix *m, uint32_t at)
{
	for (;;) {
		uint32_t least = at, left = 2 * at + 1;
		for (uint32_t child = left; child <= left + 1 && child < m->count; child++)
			if (m->lanes[child].due < m->lanes[least].due)
				least = child;
		if (least == at)
			return;
		struct lane lane = m->lanes[at];
		m->lanes[at] = m->lanes[least];
		m->lanes[least] = lane;
		at = least;
	}
}

/* Microseconds to the next packet: of the same burst, of the other end, of the next exchange. */
static uint32_t
delay(struct gen *g, enum pace pace)
{
	switch (pace) {
	case PACE_SEGMENT: return random_between(g, 30, 300);
	case PACE_TURN: return random_between(g, 4000, 60000);
	case PACE_THINK: return random_between(g, 50000, 1500000);
	default: return 0;
	}
}
