/*
 * Turns a side's bytes, however the packets cut them, into steps: a protocol's step function is given
 * what is there and takes a whole item of it, or says that the item is not whole yet. Only such a beginning is
 * kept.
 */
#ifndef WAYBILL_PROTO_FEED_H
#define WAYBILL_PROTO_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

enum { FEED_MAX = 16384 }; /* bytes that an item may have, and are kept of it */

#define STEP_MORE ((size_t)0)       /* the item is not whole */
#define STEP_LOST ((size_t)SIZE_MAX) /* nothing more of this side can be followed */
#define STEP_STOP ((size_t)SIZE_MAX - 1) /* these bytes are not this protocol's any more: see feed_bytes */

/* Takes an item from the front of len > 0 bytes: how many bytes it has, at most len; never 0 but for STEP_MORE. */
typedef size_t (*feed_step)(void *ctx, enum side from, const uint8_t *bytes, size_t len);

struct feed { /* one side's; embedded; all zero is the initial state */
	uint8_t *held; /* the beginning of an item */
	size_t len, size;
};

enum feed_result {
	FEED_MORE,
	FEED_LOST, /* the step said so, an item was too long, or no memory */
	FEED_STOP,
};

/* *unused: how many of the last bytes were not taken, with FEED_STOP; may be NULL. */
enum feed_result feed_bytes(struct feed *f, feed_step step, void *ctx, enum side from, const uint8_t *bytes, size_t len,
        size_t *unused);
/* Bytes are missing: the item at hand is lost. */
void feed_gap(struct feed *f);
void feed_clear(struct feed *f);
/* No item has begun. */
bool feed_at_start(const struct feed *f);

/* Bytes of the line in front with its LF, or 0 where it is not whole; *text is it without CR LF. */
size_t feed_line(const uint8_t *bytes, size_t len, size_t *text);

#endif
