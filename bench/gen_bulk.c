/*
 * bulk: a few hundred long transfers, forty at once, in bursts as fast links have them: FTP, HTTP, SMB2, SSH.
 * A small capture has smaller files, so that it has all of that too.
 */
#include "gen.h"

enum { SLOTS = 40, BURST = 16, FEWEST = 100, AVERAGE = 7000000 /* bytes a transfer, with headers */ };

/* A transfer under way: its conversation, and FTP's data connection beside it. */
struct bulk {
	struct talk talk, data;
	bool has_data;
};

static void bulk_begin(struct gen *g, struct bulk *b, uint32_t unit);
static bool bulk_step(struct gen *g, struct bulk *b);

int
gen_bulk(struct gen *g)
{
	static struct bulk slots[SLOTS];
	uint64_t limit = (uint64_t)(2.05e9 * g->scale), average = limit / FEWEST < AVERAGE ? limit / FEWEST : AVERAGE;
	uint32_t count = g->at_once > 0 && g->at_once < SLOTS ? g->at_once : SLOTS, unit = (uint32_t)(average * 5 / 28) + 1000;

	for (uint32_t i = 0; i < count; i++)
		bulk_begin(g, &slots[i], unit);
	while (count > 0) {
		uint32_t slot = random_below(g, count), burst = random_between(g, 1, BURST);
		while (burst-- > 0) {
			if (bulk_step(g, &slots[slot])) {
				g->time += 4 + random_below(g, 12);
				continue;
			}
			if (g->bytes + count * average / 2 < limit)
				bulk_begin(g, &slots[slot], unit);
			else
				slots[slot] = slots[--count];
			break;
		}
	}
	return 0;
}

/* unit: what the smallest file has at the least; the largest has sixteen times as much. */
static void
bulk_begin(struct gen *g, struct bulk *b, uint32_t unit)
{
	static const uint8_t kinds[20] = {PLOT_FTP_STOR, PLOT_FTP_STOR, PLOT_FTP_STOR, PLOT_FTP_STOR, PLOT_FTP_STOR, PLOT_FTP_RETR,
	        PLOT_FTP_RETR, PLOT_FTP_RETR, PLOT_HTTP_PUT, PLOT_HTTP_PUT, PLOT_HTTP_PUT, PLOT_HTTP_PUT, PLOT_HTTP_GET, PLOT_HTTP_GET,
	        PLOT_HTTP_GET, PLOT_HTTP_GET, PLOT_SMB2, PLOT_SMB2, PLOT_SMB2, PLOT_SSH};
	static const uint8_t paths[20] = {PATH_LOSES, PATH_LOSES, PATH_UNSEEN, PATH_UNSEEN}; /* 0.25 % lost, 0.25 % unseen */

	enum plot_id plot = kinds[random_below(g, sizeof kinds)];
	talk_begin(g, &b->talk, plot);
	uint32_t octave = random_below(g, 4);
	b->talk.size = random_between(g, unit << octave, (2 * unit) << octave);
	b->talk.path = paths[random_below(g, sizeof paths)];
	if (b->talk.path == PATH_CLEAN)
		b->talk.path = PATH_REORDERS;
	b->has_data = plot == PLOT_FTP_STOR || plot == PLOT_FTP_RETR;
	if (!b->has_data)
		return;
	b->data = b->talk;
	b->data.plot = plot == PLOT_FTP_STOR ? PLOT_FTP_DATA_UP : PLOT_FTP_DATA_DOWN;
	b->data.port[0] = (uint16_t)(b->talk.port[0] + 1);
	b->data.port[1] = ftp_data_port(&b->talk);
	b->data.seq[0] = random_below(g, UINT32_MAX);
	b->data.seq[1] = random_below(g, UINT32_MAX);
}

static bool
bulk_step(struct gen *g, struct bulk *b)
{
	if (b->has_data && b->talk.turn >= FTP_TURN_OPEN && b->data.state < TALK_SAY)
		return talk_step(g, &b->data) != PACE_OVER;
	if (b->has_data && b->talk.turn >= FTP_TURN_CLOSE) {
		if (talk_step(g, &b->data) != PACE_OVER)
			return true;
		b->has_data = false;
	}
	return talk_step(g, &b->talk) != PACE_OVER;
}
