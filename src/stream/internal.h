/* A stream from inside: two directions, each with its place in the sequence space. */
#ifndef WAYBILL_STREAM_INTERNAL_H
#define WAYBILL_STREAM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"
#include "stream/held.h"
#include "stream/stream.h"

/* What is known of where a direction begins. */
enum direction_state {
	DIRECTION_NEW,     /* nothing */
	DIRECTION_GUESSED, /* only that the peer acknowledged so far; base is that */
	DIRECTION_SYN,     /* SYN seen, not yet borne out: data with it is held */
	DIRECTION_OPEN,
	DIRECTION_ENDED,   /* FIN and all before it were delivered */
};

/*
 * Offsets count from the first byte behind the SYN, 64 bits wide. next <= offset of all that is
 * held, and next < that once the direction is open. What is doubted may lie anywhere.
 */
struct direction {
	enum direction_state state;
	bool ignored;
	bool has_other; /* other_base is set */
	bool fin;       /* fin_at is set */
	bool reset;     /* RST seen, and nothing behind it */
	bool acked_any; /* the peer's ACKs are in the capture */
	uint32_t base;       /* sequence number of offset 0 */
	uint32_t other_base; /* the same by another SYN that came before */
	uint64_t next;       /* first byte not delivered, nor told as a gap */
	uint64_t high;       /* end of the highest byte seen */
	uint64_t acked;      /* the peer has all before it */
	uint64_t fin_at;     /* end of the stream */
	uint64_t missing;
	bool waiting;        /* for bytes that the peer is known to have: */
	int64_t wait_since;  /* packet time */
	uint64_t wait_next;  /* next at that time */
	uint64_t wait_for;   /* up to this offset */
	bool has_far_ack;
	uint64_t far_ack;    /* acknowledged, but too far ahead to be believed alone */
	size_t held_bytes;   /* memory of all that is held */
	struct held_list *held;    /* NULL until one is needed */
	struct held_list *doubted; /* segments with a bad checksum, likewise */
};

struct stream {
	struct stream_pool *pool;
	void *ctx;
	struct direction side[2];
};

enum stream_counter {
	COUNT_STREAM_HELD,
	COUNT_STREAM_RETRANSMITTED,
	COUNT_STREAM_CONFLICT,
	COUNT_STREAM_GAPS,
	COUNT_STREAM_GAP_BYTES,
	COUNT_STREAM_CUT,
	COUNT_STREAM_DOUBTED,
	COUNT_STREAM_WINDOW,
	COUNT_STREAM_AFTER_END,
	COUNT_STREAM_NO_ACK,
	COUNT_STREAM_RST,
	COUNT_STREAM_SYN_DATA,
	COUNT_STREAM_URGENT,
	COUNT_STREAM_MEMORY,
	COUNT_STREAM_OPEN,
	STREAM_COUNTERS,
};

struct stream_pool {
	struct stream_ops ops;
	size_t memory, per_stream; /* limits */
	size_t used;               /* bytes held in all streams */
	uint64_t random;           /* xorshift state, seeded per start */
	struct coverage_counter counters[STREAM_COUNTERS];
};

/*
 * The largest window is 1 GB (RFC 7323 section 2.3), but none of that size is in use. What lies
 * further ahead than this is believed only where data and ACK agree: then more than that was
 * not captured.
 */
enum { STREAM_WINDOW = 64 * 1024 * 1024 };

/* Bytes of one segment, not yet placed. */
struct piece {
	uint64_t offset;
	const uint8_t *bytes;
	uint32_t len; /* bytes that are there */
	uint32_t cut; /* bytes behind them that the capture cut off */
};

static inline bool
direction_is_far(const struct direction *d, uint64_t offset)
{
	const uint64_t edge = d->acked > d->next ? d->acked : d->next;
	return offset > edge + STREAM_WINDOW;
}

static inline void
stream_count(struct stream *s, enum stream_counter c, uint64_t n)
{
	s->pool->counters[c].count += n;
}

/* order.c: bytes into order */
/* Delivers or holds a piece of the direction; what is known already is passed over. */
void order_take(struct stream *s, enum side from, struct piece piece, int64_t time);
/* Keeps a piece whose checksum is wrong, for where the peer acknowledges it all the same. */
void order_doubt(struct stream *s, enum side from, struct piece piece);
/* Delivers what is held at next, and the end when it is reached. */
void order_drain(struct stream *s, enum side from, int64_t time);
/* Gives up holes that the peer has acknowledged, when waiting for them has lost its sense. */
void order_check(struct stream *s, enum side from, int64_t time);
/* Delivers all that is held around its holes, and tells what is missing behind it. */
void order_finish(struct stream *s, enum side from, int64_t time);
/* The peer is known to have all up to offset: what is doubted fills it, the rest is a gap. */
void order_skip(struct stream *s, enum side from, uint64_t offset, int64_t time);
/* Drops all that is held. */
void order_forget(struct stream *s, enum side from);

#endif
