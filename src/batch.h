/*
 * Packets on their way from the decode stage to the flow stage, with what finds their flows: as many as
 * came out of one reading of the capture. The memory that the packets of a batch will touch is fetched
 * side by side, and a batch is what passes from thread to thread.
 */
#ifndef WAYBILL_BATCH_H
#define WAYBILL_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/frame.h"
#include "base/packet.h"
#include "base/record.h"
#include "flow/flow.h"

enum { BATCH_FRAMES = 128 }; /* at most; tunnels give more packets than frames */

struct batch {
	struct packet *packets;     /* payloads are borrowed of the frames, or lie in arena */
	struct flow_lookup *lookups;
	size_t count, room;
	uint64_t frames, bytes;     /* bytes: on the wire */
	int64_t start, end;         /* earliest and latest time of a frame; frames 0: not set */
	int64_t idle;               /* frames 0: no frame will be older than this, as far as can be known; 0: nothing is */
	int64_t now;                /* interfaces: the time when it was taken, by the clock of the frames; else 0 */
	unsigned waiting;           /* interfaces: percent of the kernel's ring that was full by then, as far as can be told; else 0 */
	const struct coverage_counter *counts; /* the decode stage's after this batch, in arena, where they were asked for; or NULL */
	size_t count_count;
	uint64_t duplicates[DUPLICATE_KINDS]; /* frames that were copies of others, from the first batch on */
	uint64_t lost;              /* packets that had no place, for want of memory */
	struct arena arena;         /* what a packet holds that no frame does: datagrams put together */
};

/* NULL: out of memory. */
struct batch *batch_create(void);
void batch_destroy(struct batch *b); /* takes NULL */

void batch_reset(struct batch *b);
void batch_frame(struct batch *b, const struct frame *f); /* counts it */

/* Adds p, which came out of f, and how its flow is found in the table with that key. */
void batch_packet(struct batch *b, const struct hash_fixed_key *key, const struct frame *f, const struct packet *p);

#endif
