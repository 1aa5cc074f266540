/*
 * Conversations out of fuzz input, over the real transfer stage. The input is a row of steps: a byte that
 * says which flow (2 bits), which side, and what (3 bits): 0 to 1 bytes, behind a length byte; 2 so many zeros, by a length
 * of two bytes; 3 what is sealed as a QUIC Initial packet (UDP), 4 is bytes as well, both behind a length of two; 5 a hole, of a
 * length byte; 6 the side's end; 7 the flow's, with the top bit a reset.
 */
#ifndef TESTS_FUZZ_PROTO_FUZZ_H
#define TESTS_FUZZ_PROTO_FUZZ_H

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "proto/proto.h"
#include "quic_seal.h"
#include "transfer/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_FLOWS = 4, QUIC_SEALED_MAX = 4096 };

struct fuzz_flow {
	struct session *session;
	struct conversation *conversation;
	struct session_ends ends;
	bool done;
};

struct fuzz {
	struct transfer_tracker *tracker;
	struct conversations *conversations;
	struct fuzz_flow flow[FUZZ_FLOWS];
	size_t began, ended;
	int64_t now;
	uint32_t number; /* of the next QUIC packet */
	uint8_t transport;
};

static inline void
fuzz_began(void *ctx, const struct transfer_record *r)
{
	struct fuzz *f = ctx;
	(void)r;
	f->began++;
}

static inline void
fuzz_grew(void *ctx, const struct transfer_record *r)
{
	(void)ctx;
	(void)r;
}

static inline void
fuzz_ended(void *ctx, const struct transfer_record *r)
{
	struct fuzz *f = ctx;
	(void)r;
	f->ended++;
}

static inline void
fuzz_describe(void *ctx, void *flow, struct flow_record *out)
{
	(void)ctx;
	(void)flow;
	(void)out;
}

static inline void
fuzz_ends(void *ctx, void *flow, struct session_ends *out)
{
	(void)ctx;
	*out = ((const struct fuzz_flow *)flow)->ends;
}

/* Flow 0 goes from 192.0.2.10:40000 to 198.51.100.20:port; the others go to ports from 30001 on. */
static inline void
fuzz_open(struct fuzz *f, size_t n, uint16_t port)
{
	static const uint8_t client[4] = {192, 0, 2, 10}, server[4] = {198, 51, 100, 20};
	f->flow[n].ends = (struct session_ends){.addr = {addr_from_v4(client), addr_from_v4(server)},
	        .port = {(uint16_t)(40000 + n), n == 0 ? port : (uint16_t)(30000 + n)},
	        .transport = f->transport};
	f->flow[n].done = false;
	f->flow[n].session = session_open(f->tracker, &f->flow[n], false, f->now);
	if (f->flow[n].session == NULL)
		abort();
	f->flow[n].conversation = conversation_open(f->conversations, f->flow[n].session,
	        f->transport != IPPROTO_TCP || (n == 0 && port == 0));
	if (f->flow[n].conversation == NULL)
		abort();
}

static inline void
fuzz_close(struct fuzz *f, size_t n, bool reset)
{
	if (f->flow[n].session == NULL)
		return;
	session_time(f->flow[n].session, f->now);
	conversation_close(f->flow[n].conversation, reset);
	session_close(f->flow[n].session, reset, f->now);
	f->flow[n].session = NULL;
}

static inline void
fuzz_resolved(void *ctx, const struct resolution *r)
{
	(void)ctx;
	if (r->len > NAME_MAX_LEN || memchr(r->name, '\0', r->len) != NULL)
		abort();
}

/* Bytes in a copy of their very size, so that a read beyond them is seen; datagrams are looked at without a session first. */
static inline void
fuzz_bytes(struct fuzz *f, struct fuzz_flow *flow, enum side from, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	if (copy != NULL && len > 0 && !flow->done) {
		struct glance glance = {.tracker = f->tracker, .ends = flow->ends, .from = from, .time = f->now,
		        .bytes = copy, .len = len};
		unsigned known;
		memcpy(copy, bytes, len);
		if (f->transport != IPPROTO_TCP && conversation_wanted(f->conversations, &glance, &known))
			(void)conversation_glance(&glance, known);
		flow->done = conversation_data(flow->conversation, from, copy, len) == VERDICT_DONE;
	}
	free(copy);
}

static inline void
fuzz_give(struct fuzz *f, struct fuzz_flow *flow, enum side from, unsigned kind, struct reader *r)
{
	static uint8_t sealed[QUIC_SEALED_MAX + SEAL_MORE];
	static const uint8_t zeros[UINT16_MAX];
	size_t len = kind < 2 ? reader_u8(r) : reader_be16(r);
	if (kind == 2) {
		fuzz_bytes(f, flow, from, zeros, len);
		return;
	}
	len = len < r->left ? len : r->left;
	const uint8_t *bytes = reader_take(r, len);
	if (kind == 3 && f->transport == IPPROTO_UDP && len > 0 && len < QUIC_SEALED_MAX)
		fuzz_bytes(f, flow, from, sealed, quic_seal(from == SIDE_SOURCE, f->number++, bytes, len, sealed));
	else
		fuzz_bytes(f, flow, from, bytes, len);
}

static inline void
fuzz_step(struct fuzz *f, struct reader *r, uint16_t port)
{
	uint8_t what = reader_u8(r);
	size_t n = what & 3;
	enum side from = (what & 4) != 0 ? SIDE_DESTINATION : SIDE_SOURCE;
	struct fuzz_flow *flow = &f->flow[n];

	f->now += CLOCK_MILLISECOND;
	if (flow->session == NULL)
		fuzz_open(f, n, port);
	session_time(flow->session, f->now);
	switch (what >> 3 & 7) {
	case 5:
		if (!flow->done)
			(void)conversation_gap(flow->conversation, from, reader_u8(r));
		break;
	case 6:
		conversation_end(flow->conversation, from, (what & 0x80) != 0);
		break;
	case 7:
		fuzz_close(f, n, (what & 0x80) != 0);
		break;
	default:
		fuzz_give(f, flow, from, what >> 3 & 7, r);
	}
}

static inline int
fuzz_run(const uint8_t *data, size_t size, uint8_t transport, uint16_t port)
{
	static const struct transfer_limits limits = {.memory = 1 << 20, .no_hash = true, .no_magic = true};
	static const struct transfer_ops ops = {.began = fuzz_began, .grew = fuzz_grew, .ended = fuzz_ended,
	        .flow = fuzz_describe, .ends = fuzz_ends, .resolved = fuzz_resolved};
	struct fuzz f = {.now = CLOCK_SECOND, .transport = transport};
	struct reader r = reader_init(data, size);

	f.tracker = transfer_tracker_create(&limits, &ops, &f);
	f.conversations = conversations_create();
	if (f.tracker == NULL)
		abort();
	while (r.left > 0)
		fuzz_step(&f, &r, port);
	for (size_t n = 0; n < FUZZ_FLOWS; n++)
		fuzz_close(&f, n, false);
	transfer_tracker_flush(f.tracker, f.now);
	if (f.began != f.ended) /* all that was begun to be told is told to have ended */
		abort();
	transfer_tracker_destroy(f.tracker);
	conversations_destroy(f.conversations);
	return 0;
}

#endif
