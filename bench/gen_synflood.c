/*
 * synflood: SYNs from addresses all over the world that were never there, to three servers; and in the
 * midst of it one upload to a listed address, which nobody may miss.
 */
#include <string.h>

#include "gen.h"

enum { SYNS = 10000000, UPLOAD_PACKETS = 1080, UPLOAD_SIZE = 1000000 };

static void syn(struct gen *g);
static uint32_t stranger(struct gen *g);

int
gen_synflood(struct gen *g)
{
	uint64_t syns = (uint64_t)(SYNS * g->scale), gap = syns / UPLOAD_PACKETS + 1;
	struct talk upload;
	talk_begin(g, &upload, PLOT_HTTP_PUT);
	upload.host[1] = g->listed;
	upload.v6 = false;
	upload.size = UPLOAD_SIZE;

	bool over = false;
	for (uint64_t i = 0; i < syns || !over; i++) {
		if (i % gap == 0 || i >= syns)
			over = over || talk_step(g, &upload) == PACE_OVER;
		if (i < syns)
			syn(g);
		g->time += 2 + random_below(g, 7); /* 200,000 in a second */
	}
	return 0;
}

static void
syn(struct gen *g)
{
	static const uint8_t options[12] = {2, 4, 1460 >> 8, 1460 & 255};
	static const uint16_t ports[4] = {80, 443, 22, 21};
	struct address from = address_of(stranger(g), false), to = address_of(0xc6130001u + random_below(g, 3), false);
	struct tcp tcp = {.from_port = (uint16_t)random_between(g, 1024, 65535), .to_port = ports[random_below(g, 4)],
	        .seq = random_below(g, UINT32_MAX), .flags = TCP_SYN, .options = options, .options_len = random_below(g, 2) * 4};
	packet_tcp(g, &from, &to, &tcp, NULL, 0);
}

/* A unicast address, and none of the listed network: a flood's forged sources may not raise the alert. */
static uint32_t
stranger(struct gen *g)
{
	for (;;) {
		uint32_t host = random_between(g, 0x01000000u, 0xdfffffffu);
		if (host >> 10 != g->listed >> 10 && host >> 24 != 127)
			return host;
	}
}
