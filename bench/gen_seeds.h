/* What a sample capture holds, between gen_seeds.c that reads it and gen_copy.c that copies it. */
#ifndef WAYBILL_BENCH_GEN_SEEDS_H
#define WAYBILL_BENCH_GEN_SEEDS_H

#include "gen.h"

enum { SEED_FLOWS_MAX = 32, SEED_PACKET_MAX = 2048, SEED_TEXT_MAX = 46, SEEDS_MAX = 64 };

/* A place in a packet where a payload names a host. */
struct mention {
	uint16_t at;
	uint8_t host;
	char separator; /* '.' or ',' (FTP) */
};

struct seed_packet {
	int64_t offset; /* from the conversation's first packet, microseconds */
	uint8_t *ip;
	uint16_t len, l4;
	uint8_t from, flow, proto;
	struct mention mentions[2];
	uint8_t mention_count;
};

/* What two hosts said in one file. */
struct seed {
	struct address host[2]; /* the first one began */
	char text[2][SEED_TEXT_MAX];
	int64_t start;
	struct {
		uint8_t initiator;
		uint16_t port[2]; /* of the hosts */
	} flows[SEED_FLOWS_MAX];
	uint8_t flow_count;
	struct seed_packet *packets;
	size_t count, room;
	bool both;
};

struct seeds {
	struct seed seed[SEEDS_MAX];
	size_t count;
};

/* An address's text with ',' for '.', as FTP writes it. out: SEED_TEXT_MAX bytes. */
void seed_commas(char *out, const char *text);

#endif
