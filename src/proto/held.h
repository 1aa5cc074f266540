/*
 * What a conversation said before its protocol is known: the first bytes each
 * way, and in which order bytes, gaps and ends arrived, so that all of it can
 * be told again to the protocol that is chosen.
 */
#ifndef WAYBILL_PROTO_HELD_H
#define WAYBILL_PROTO_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "proto/proto.h"

struct held;

enum held_kind {
	HELD_BYTES,
	HELD_GAP, /* bytes that were not seen */
	HELD_END, /* this side sends nothing more */
};

/* One thing that arrived. */
struct held_run {
	enum held_kind kind;
	enum side from;
	const uint8_t *bytes; /* HELD_BYTES: owned by struct held */
	uint64_t len;
	int64_t time; /* packet time, ns */
};

/* NULL: out of memory. */
struct held *held_create(void);
void held_destroy(struct held *h); /* takes NULL */

/*
 * Keeps a copy of the bytes: how many of them, which is fewer than len when the
 * limit (PROBE_BYTES_MAX a side, and a number of runs) or memory is reached.
 */
size_t held_bytes(struct held *h, enum side from, const uint8_t *bytes, size_t len, int64_t time);

/* 0, or -1 when there is no room for another run. */
int held_gap(struct held *h, enum side from, uint64_t len, int64_t time);
int held_end(struct held *h, enum side from, int64_t time);

/* Nothing was kept yet. */
bool held_empty(const struct held *h);

/* Fills bytes and len of both sides: what came before the side's first gap. */
void held_probe(const struct held *h, struct probe *out);

/* The run with this index in order of arrival, from 0; false behind the last. */
bool held_run(const struct held *h, size_t index, struct held_run *out);

#endif
