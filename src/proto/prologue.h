/*
 * What a conversation said before its protocol is known: the first bytes each
 * way, and in which order bytes, gaps and ends arrived, so that all of it can
 * be told again to the protocol that is chosen.
 */
#ifndef WAYBILL_PROTO_PROLOGUE_H
#define WAYBILL_PROTO_PROLOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "proto/proto.h"

struct prologue;

enum prologue_kind {
	PROLOGUE_BYTES,
	PROLOGUE_GAP, /* bytes that were not seen */
	PROLOGUE_END, /* this side sends nothing more */
};

/* One thing that arrived. */
struct prologue_run {
	enum prologue_kind kind;
	enum side from;
	const uint8_t *bytes; /* PROLOGUE_BYTES: owned by struct prologue */
	uint64_t len;
	int64_t time; /* packet time, ns */
};

/* datagrams: each bytes of it is one, and stays so. NULL: out of memory. */
struct prologue *prologue_create(bool datagrams);
void prologue_destroy(struct prologue *p); /* takes NULL */

/*
 * Keeps a copy of the bytes: how many of them, which is fewer than len when the
 * limit (PROBE_BYTES_MAX a side, and a number of runs) or memory is reached.
 */
size_t prologue_bytes(struct prologue *p, enum side from, const uint8_t *bytes, size_t len, int64_t time);

/* 0, or -1 when there is no room for another run. */
int prologue_gap(struct prologue *p, enum side from, uint64_t len, int64_t time);
int prologue_end(struct prologue *p, enum side from, int64_t time);

/* Nothing was kept yet. */
bool prologue_empty(const struct prologue *p);

/* Fills bytes and len of both sides: what came before the side's first gap. */
void prologue_probe(const struct prologue *p, struct probe *out);

/* The run with this index in order of arrival, from 0; false behind the last. */
bool prologue_run(const struct prologue *p, size_t index, struct prologue_run *out);

#endif
