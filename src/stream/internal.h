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
 * Offsets count from the first byte behind the SYN, 64 bits wide. A calm direction is all here: its
 * bytes come in order and its peer acknowledges what was seen.
 */
struct direction {
	enum direction_state state : 8;
	bool ignored : 1;
	bool fin : 1;       /* the end is known: direction_fin_at() */
	bool reset : 1;     /* RST seen, and nothing behind it */
	bool acked_any : 1; /* the peer's ACKs are in the capture */
	uint32_t base;      /* sequence number of offset 0 */
	uint64_t next;      /* first byte not delivered, nor told as a gap */
	uint64_t high;      /* end of the highest byte seen */
	uint64_t acked;     /* the peer has all before it */
	struct disorder *disorder; /* NULL: calm */
};

/*
 * What a direction needs only while something is out of the ordinary. It goes when that is over,
 * by order_settle(), and at no other time: loops hold on to it while callbacks run.
 * next <= offset of all that is held, and next < that once the direction is open. What is
 * doubted may lie anywhere.
 */
struct disorder {
	bool waiting;        /* for bytes that the peer is known to have: */
	bool has_far_ack;
	bool has_other;      /* other_base is set; only before the direction is open */
	uint32_t other_base; /* base by another SYN that came before */
	int64_t wait_since;  /* packet time */
	uint64_t wait_next;  /* next at that time */
	uint64_t wait_for;   /* up to this offset */
	uint64_t far_ack;    /* acknowledged, but too far ahead to be believed alone */
	uint64_t fin_at;     /* end of the stream, when fin is set */
	size_t held_bytes;   /* memory of all that is held */
	struct held_list held;
	struct held_list doubted; /* segments with a bad checksum */
};

struct stream {
	struct stream_pool *pool;
	void *ctx; /* of one that is free: the next that is */
	struct direction side[2];
};

_Static_assert(sizeof(struct stream) <= 96, "there are as many as connections");

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
	struct stream *free;       /* streams that were closed */
	struct stream_slab *slabs; /* the newest first; only that one has streams never used */
	size_t fresh;              /* so many */
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

/* Nothing to look after: order_check() would do nothing. */
static inline bool
direction_is_calm(const struct direction *d)
{
	return d->disorder == NULL && d->acked <= d->next;
}

/* Where the stream ends, when fin is set: in a calm direction all before it was delivered. */
static inline uint64_t
direction_fin_at(const struct direction *d)
{
	return d->disorder != NULL ? d->disorder->fin_at : d->next;
}

static inline void
stream_count(struct stream *s, enum stream_counter c, uint64_t n)
{
	s->pool->counters[c].count += n;
}

/* pool.c: where streams live */
/* A stream of zeros but for its pool. NULL: out of memory (counted). */
struct stream *stream_pool_take(struct stream_pool *p);
void stream_pool_give(struct stream_pool *p, struct stream *s);

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
/* The direction's disorder, made where there is none. NULL: out of memory (counted). */
struct disorder *order_disorder(struct stream *s, struct direction *d);
/* The direction's disorder goes when it is over. No other function of order.c may be running. */
void order_settle(struct direction *d);

#endif
