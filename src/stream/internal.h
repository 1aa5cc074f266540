/* A stream from inside: two directions, each with its place in the sequence space. */
#ifndef WAYBILL_STREAM_INTERNAL_H
#define WAYBILL_STREAM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"
#include "base/slab.h"
#include "stream/held.h"
#include "stream/stream.h"

/* What is known of where a direction begins. */
enum direction_state {
	DIRECTION_NEW,     /* nothing */
	DIRECTION_SYN,     /* SYN seen, not yet borne out: data with it is held */
	DIRECTION_GUESSED, /* only that the peer acknowledged so far; base is that */
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
 * by disorder_settle(), and at no other time: loops hold on to it while callbacks run.
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
	struct slab streams;
	struct coverage_counter counters[STREAM_COUNTERS];
};

/*
 * The largest window is 1 GB (RFC 7323 section 2.3), but none of that size is in use. What lies
 * further ahead than this is believed only where data and ACK agree: then more than that was
 * not captured.
 */
enum { STREAM_WINDOW = 64 * 1024 * 1024 };

/* Whose direction it is. */
static inline enum side
direction_side(const struct stream *s, const struct direction *d)
{
	return d == &s->side[SIDE_SOURCE] ? SIDE_SOURCE : SIDE_DESTINATION;
}

/* Bytes of one segment, not yet placed. */
struct piece {
	uint64_t offset;
	const uint8_t *bytes;
	uint32_t len; /* bytes that are there */
	uint32_t cut; /* bytes behind them that the capture cut off */
};

static inline uint64_t
piece_end(const struct piece *piece)
{
	return piece->offset + piece->len + piece->cut;
}

/* Drops what lies before offset to, which is not behind its end. */
static inline void
piece_skip(struct piece *piece, uint64_t to)
{
	const uint32_t n = (uint32_t)(to - piece->offset);
	const uint32_t there = n < piece->len ? n : piece->len;
	piece->offset = to;
	if (there > 0)
		piece->bytes += there;
	piece->len -= there;
	piece->cut -= n - there;
}

/* Drops what lies behind offset end, which lies in it. */
static inline void
piece_end_at(struct piece *piece, uint64_t end)
{
	const uint32_t n = (uint32_t)(end - piece->offset);
	const uint32_t there = n < piece->len ? n : piece->len;
	piece->len = there;
	piece->cut = n - there;
}

static inline bool
direction_is_far(const struct direction *d, uint64_t offset)
{
	const uint64_t edge = d->acked > d->next ? d->acked : d->next;
	return offset > edge + STREAM_WINDOW;
}

static inline const struct held *
direction_first_held(const struct direction *d)
{
	return d->disorder != NULL ? d->disorder->held.first[0] : NULL;
}

/*
 * The offset of a sequence number, which counts modulo 2^32 (RFC 9293 section 3.4): not more than a
 * window behind next, since nobody sends older bytes, and so up to nearly 4 GB ahead of it.
 */
static inline int64_t
direction_offset(const struct direction *d, uint32_t sequence)
{
	const uint32_t ahead = sequence - (d->base + (uint32_t)d->next);
	return (int64_t)d->next + (uint32_t)(ahead + STREAM_WINDOW) - STREAM_WINDOW;
}

/* Nothing to look after: disorder_check() and disorder_finish() would do nothing. */
static inline bool
direction_is_calm(const struct direction *d)
{
	return d->disorder == NULL && d->acked <= d->next;
}

/* Where the stream ends, when fin is set: a calm direction has ended there. */
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

/* begin.c: where a direction begins */
/* From a SYN, or the first segment that its side sends. */
void begin_segment(struct stream *s, struct direction *d, const struct packet *p);
/* From p, sent by its peer, whose ACK tells. False: it tells nothing. */
bool begin_acknowledged(struct stream *s, struct direction *d, const struct packet *p);

/* order.c: bytes into order. A piece that is handed in is used up. */
/* Delivers or holds a piece of the direction; what is known already is passed over. */
void order_take(struct stream *s, struct direction *d, struct piece *piece, int64_t time);
/* Delivers a piece that begins at next, and what was held behind it. */
void order_next(struct stream *s, struct direction *d, struct piece *piece, int64_t time);
/* Delivers what is held at next, and the end when it is reached. */
void order_drain(struct stream *s, struct direction *d, int64_t time);
/* The bytes at next, and a gap behind them; either can be empty. */
void order_give(struct stream *s, struct direction *d, const struct piece *piece, int64_t time);
void order_gap(struct stream *s, struct direction *d, uint64_t len, int64_t time);

/* disorder.c: what waits for bytes before it, and how long */
/* The direction's disorder, made where there is none. NULL: out of memory (counted). */
struct disorder *disorder_of(struct stream *s, struct direction *d);
/* The disorder goes when it is over. Nothing of order.c or disorder.c may be running. */
void disorder_settle(struct stream *s, struct direction *d);
/* Holds a piece that is not next, or gives up holes where there is no room for it. */
void disorder_hold(struct stream *s, struct direction *d, struct piece *piece, int64_t time);
/* Keeps a piece whose checksum is wrong, for where the peer acknowledges it all the same. */
void disorder_doubt(struct stream *s, struct direction *d, struct piece *piece);
/* Delivers a piece that begins at next around what is held; the rest of it has nothing in its way. */
void disorder_weave(struct stream *s, struct direction *d, struct piece *piece, int64_t time);
/* Delivers the first one held, which is next. */
void disorder_give_first(struct stream *s, struct direction *d, int64_t time);
/* Gives up holes that the peer has acknowledged, when waiting for them has lost its sense. */
void disorder_check(struct stream *s, struct direction *d, int64_t time);
/* Delivers all that is held around its holes, and tells what is missing behind it. */
void disorder_finish(struct stream *s, struct direction *d, int64_t time);
/* Drops all that is held. */
void disorder_forget(struct stream *s, struct direction *d);
/* Is an ACK that is too far ahead to be believed alone borne out? If not, it is remembered. */
bool disorder_far_ack(struct stream *s, struct direction *d, uint64_t offset);
/* Data came at offset, far ahead: an ACK near to it that was remembered counts now. */
void disorder_far_data(struct direction *d, uint64_t offset);

#endif
