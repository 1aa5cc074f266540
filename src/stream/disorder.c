#include "config.h"

/*
 * What is out of order: segments are held until the bytes before them come, or until it is clear
 * that they will not; segments with a bad checksum are kept beside them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream/internal.h"

enum {
	/*
	 * An ACK can be captured before the data it acknowledges (several queues or taps). So a
	 * hole below it is still waited for: so long, or until so much behind it is held. More
	 * would not help: the direction itself would have to be that much out of order in the
	 * capture. And where a capture loses segments, all behind each hole is copied for nothing.
	 */
	HOLE_HELD = 256 * 1024,
};
static const int64_t hole_time = 2 * CLOCK_SECOND;
/* Without any ACK in the capture only time tells; retransmissions rarely take longer (RFC 6298). */
static const int64_t hole_time_blind = 30 * CLOCK_SECOND;

static uint64_t begin_or(const struct held *h, uint64_t offset);
static struct held *first_doubted(const struct direction *d);
static struct held *take_held(struct stream *s, struct disorder *x, struct held_list *list);
static void forget(struct stream *s, struct disorder *x, struct held_list *list);
static void believe(struct stream *s, struct direction *d, uint64_t to, int64_t time);
static void skip(struct stream *s, struct direction *d, uint64_t offset, int64_t time);
static void compare(struct stream *s, const struct held *h, const struct piece *piece);
static uint64_t random_next(struct stream_pool *pool);
static bool fits(const struct stream *s, const struct direction *d, uint32_t len);
static void hold(struct stream *s, struct disorder *x, struct held_list *list, struct piece *piece);
static void hold_part(struct stream *s, struct disorder *x, struct held_list *list,
        const struct piece *piece, uint64_t to);
static bool make_room(struct stream *s, struct direction *d, struct piece *piece, int64_t time);
static bool near_held(const struct direction *d, uint64_t offset);
static bool near_far_ack(const struct direction *d, uint64_t offset);

/* Where h begins, if there is one and before offset; else offset. */
static uint64_t
begin_or(const struct held *h, uint64_t offset)
{
	return h != NULL && h->offset < offset ? h->offset : offset;
}

static struct held *
first_doubted(const struct direction *d)
{
	return d->disorder != NULL ? d->disorder->doubted.first[0] : NULL;
}

static struct held *
take_held(struct stream *s, struct disorder *x, struct held_list *list)
{
	struct held *h = held_take(list);
	x->held_bytes -= held_cost(h->len);
	s->pool->used -= held_cost(h->len);
	return h;
}

static void
forget(struct stream *s, struct disorder *x, struct held_list *list)
{
	while (list->first[0] != NULL)
		free(take_held(s, x, list));
}

void
disorder_forget(struct stream *s, struct direction *d)
{
	struct disorder *x = d->disorder;
	if (x == NULL)
		return;
	forget(s, x, &x->held);
	forget(s, x, &x->doubted);
}

struct disorder *
disorder_of(struct stream *s, struct direction *d)
{
	if (d->disorder != NULL)
		return d->disorder;
	struct disorder *x = malloc(sizeof *x);
	if (x == NULL) {
		stream_count(s, COUNT_STREAM_MEMORY, 1);
		return NULL;
	}
	*x = (struct disorder){.fin_at = direction_fin_at(d)};
	return d->disorder = x;
}

void
disorder_settle(struct stream *s, struct direction *d)
{
	struct disorder *x = d->disorder;
	while (x->doubted.first[0] != NULL && held_end(x->doubted.first[0]) <= d->next)
		free(take_held(s, x, &x->doubted)); /* it came once more, and well */
	const bool ended = d->state == DIRECTION_ENDED;
	if (x->held.first[0] != NULL || x->doubted.first[0] != NULL || x->has_far_ack ||
	        (x->waiting && !ended) || (x->has_other && d->state == DIRECTION_SYN) ||
	        (d->fin && !(ended && x->fin_at == d->next)))
		return;
	free(d->disorder);
	d->disorder = NULL;
}

void
disorder_give_first(struct stream *s, struct direction *d, int64_t time)
{
	struct disorder *x = d->disorder;
	struct held *h = take_held(s, x, &x->held);
	order_give(s, d, &(struct piece){h->offset, held_bytes(h), h->len, h->cut}, time);
	free(h);
}

/* Delivers what is doubted at next, as long as it goes on and to lies ahead. */
static void
believe(struct stream *s, struct direction *d, uint64_t to, int64_t time)
{
	struct held *h;
	while ((h = first_doubted(d)) != NULL && h->offset <= d->next && d->next < to &&
	        d->state != DIRECTION_ENDED) {
		h = take_held(s, d->disorder, &d->disorder->doubted);
		struct piece piece = {h->offset, held_bytes(h), h->len, h->cut};
		if (piece_end(&piece) > d->next) {
			piece_skip(&piece, d->next);
			order_next(s, d, &piece, time);
		}
		free(h);
	}
}

/* The peer is known to have all up to offset: what is doubted fills it, the rest is a gap. */
static void
skip(struct stream *s, struct direction *d, uint64_t offset, int64_t time)
{
	believe(s, d, offset, time);
	while (d->next < offset && d->state != DIRECTION_ENDED) {
		const uint64_t to = begin_or(first_doubted(d), offset);
		order_gap(s, d, to - d->next, time);
		believe(s, d, offset, time);
	}
	order_drain(s, d, time);
}

/* Counts bytes of piece that differ from those held at the same place; both overlap. */
static void
compare(struct stream *s, const struct held *h, const struct piece *piece)
{
	const uint64_t from = h->offset > piece->offset ? h->offset : piece->offset;
	const uint64_t h_end = h->offset + h->len, p_end = piece->offset + piece->len;
	const uint64_t to = h_end < p_end ? h_end : p_end;
	if (from >= to)
		return;
	const uint8_t *a = held_bytes(h) + (from - h->offset);
	const uint8_t *b = piece->bytes + (from - piece->offset);
	if (memcmp(a, b, to - from) == 0)
		return;
	uint64_t different = 0;
	for (uint64_t i = 0; i < to - from; i++)
		different += a[i] != b[i];
	stream_count(s, COUNT_STREAM_CONFLICT, different);
}

void
disorder_weave(struct stream *s, struct direction *d, struct piece *piece, int64_t time)
{
	const uint64_t end = piece_end(piece);
	const struct held *h;
	while ((h = direction_first_held(d)) != NULL && h->offset < end && d->next < end) {
		if (h->offset <= d->next) {
			const uint64_t to = held_end(h) < end ? held_end(h) : end;
			compare(s, h, piece);
			stream_count(s, COUNT_STREAM_RETRANSMITTED, to - d->next);
			piece_skip(piece, to);
			disorder_give_first(s, d, time);
			continue;
		}
		struct piece part = *piece;
		piece_end_at(&part, h->offset);
		piece_skip(piece, h->offset);
		order_give(s, d, &part, time);
	}
}

static uint64_t
random_next(struct stream_pool *pool)
{
	uint64_t x = pool->random;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return pool->random = x;
}

static bool
fits(const struct stream *s, const struct direction *d, uint32_t len)
{
	const size_t cost = held_cost(len);
	const size_t held = d->disorder != NULL ? d->disorder->held_bytes : 0;
	return s->pool->used + cost <= s->pool->memory && held + cost <= s->pool->per_stream;
}

/* Holds the part of piece before offset to. */
static void
hold_part(struct stream *s, struct disorder *x, struct held_list *list, const struct piece *piece,
        uint64_t to)
{
	struct piece part = *piece;
	piece_end_at(&part, to);
	if (held_insert(list, part.offset, part.bytes, part.len, part.cut, random_next(s->pool)) ==
	        NULL) {
		stream_count(s, COUNT_STREAM_MEMORY, 1);
		return; /* a hole stays where it would have been */
	}
	x->held_bytes += held_cost(part.len);
	s->pool->used += held_cost(part.len);
	stream_count(s, COUNT_STREAM_HELD, 1);
}

/* Keeps a copy of those bytes of piece that are not held yet: the first copy of a byte wins. */
static void
hold(struct stream *s, struct disorder *x, struct held_list *list, struct piece *piece)
{
	const uint64_t end = piece_end(piece);
	const struct held *h = held_seek(list, piece->offset);
	while (piece->offset < end) {
		uint64_t to = end;
		if (h != NULL && h->offset <= piece->offset) {
			compare(s, h, piece);
			to = held_end(h) < end ? held_end(h) : end;
			stream_count(s, COUNT_STREAM_RETRANSMITTED, to - piece->offset);
			h = h->next[0];
		} else {
			if (h != NULL && h->offset < end)
				to = h->offset;
			hold_part(s, x, list, piece, to);
		}
		piece_skip(piece, to);
	}
}

void
disorder_doubt(struct stream *s, struct direction *d, struct piece *piece)
{
	stream_count(s, COUNT_STREAM_DOUBTED, 1);
	if (d->ignored || d->state != DIRECTION_OPEN || piece_end(piece) <= d->next ||
	        direction_is_far(d, piece->offset) || !fits(s, d, piece->len))
		return;
	struct disorder *x = disorder_of(s, d);
	if (x != NULL)
		hold(s, x, &x->doubted, piece);
}

/*
 * Without room the holes before the piece are given up, one after the other; but nothing is
 * given up for bytes that are too far ahead. False: the piece is done with.
 */
static bool
make_room(struct stream *s, struct direction *d, struct piece *piece, int64_t time)
{
	const uint64_t end = piece_end(piece);
	while (piece->offset > d->next && !fits(s, d, piece->len)) {
		const struct held *h = direction_first_held(d);
		stream_count(s, COUNT_STREAM_MEMORY, 1);
		if (direction_is_far(d, piece->offset))
			return false;
		if (d->disorder != NULL)
			forget(s, d->disorder, &d->disorder->doubted);
		if (h != NULL && direction_is_far(d, h->offset))
			forget(s, d->disorder, &d->disorder->held);
		else
			skip(s, d, begin_or(h, piece->offset), time);
		if (d->next >= end || d->ignored)
			return false;
		if (piece->offset < d->next)
			piece_skip(piece, d->next);
	}
	return true;
}

void
disorder_hold(struct stream *s, struct direction *d, struct piece *piece, int64_t time)
{
	const bool open = d->state != DIRECTION_SYN; /* else until the peer took data with the SYN */
	if (open ? !make_room(s, d, piece, time) : !fits(s, d, piece->len))
		return;
	if (open && piece->offset == d->next) {
		order_next(s, d, piece, time);
		return;
	}
	struct disorder *x = disorder_of(s, d);
	if (x != NULL)
		hold(s, x, &x->held, piece);
}

/* Is a byte held that lies in one window with offset? */
static bool
near_held(const struct direction *d, uint64_t offset)
{
	if (d->disorder == NULL)
		return false;
	const struct held *h = held_seek(&d->disorder->held, offset - STREAM_WINDOW);
	return h != NULL && h->offset < offset + STREAM_WINDOW;
}

static bool
near_far_ack(const struct direction *d, uint64_t offset)
{
	const struct disorder *x = d->disorder;
	return x != NULL && x->has_far_ack && offset + STREAM_WINDOW > x->far_ack &&
	       offset < x->far_ack + STREAM_WINDOW;
}

bool
disorder_far_ack(struct stream *s, struct direction *d, uint64_t offset)
{
	if (near_held(d, offset) || (d->state == DIRECTION_GUESSED && near_far_ack(d, offset)))
		return true;
	struct disorder *x = disorder_of(s, d);
	if (x != NULL) {
		x->has_far_ack = true;
		x->far_ack = offset;
	}
	stream_count(s, COUNT_STREAM_WINDOW, 1);
	return false;
}

void
disorder_far_data(struct direction *d, uint64_t offset)
{
	if (near_far_ack(d, offset)) {
		d->acked = d->disorder->far_ack;
		d->disorder->has_far_ack = false;
	}
}

void
disorder_check(struct stream *s, struct direction *d, int64_t time)
{
	const struct held *h = direction_first_held(d);
	uint64_t known = d->acked; /* that the peer has these bytes */
	if (!d->acked_any && h != NULL)
		known = h->offset;
	if (d->fin && known > direction_fin_at(d))
		known = direction_fin_at(d);
	if (d->acked_any && !d->ignored)
		believe(s, d, known, time);
	const bool ahead = known > d->next && !d->ignored && d->state != DIRECTION_SYN;
	struct disorder *x = ahead ? disorder_of(s, d) : d->disorder;
	if (x == NULL)
		return;
	if (!ahead) {
		x->waiting = false;
		return;
	}
	if (!x->waiting || x->wait_next != d->next) {
		x->waiting = true;
		x->wait_since = time;
		x->wait_next = d->next;
		x->wait_for = known;
		return;
	}
	const int64_t patience = d->acked_any ? hole_time : hole_time_blind;
	const int64_t waited = (int64_t)((uint64_t)time - (uint64_t)x->wait_since);
	if (waited < patience && (x->held_bytes < HOLE_HELD || !d->acked_any))
		return;
	x->waiting = false;
	while (d->next < x->wait_for && d->state != DIRECTION_ENDED && !d->ignored) {
		h = direction_first_held(d);
		skip(s, d, begin_or(h, x->wait_for), time);
	}
}

void
disorder_finish(struct stream *s, struct direction *d, int64_t time)
{
	const struct held *h;
	order_drain(s, d, time);
	while ((h = direction_first_held(d)) != NULL && !(d->acked_any && direction_is_far(d, h->offset)))
		skip(s, d, h->offset, time);
	if (d->state == DIRECTION_ENDED || d->ignored)
		return;
	believe(s, d, d->acked_any ? d->acked : UINT64_MAX, time);
	if (d->fin && !direction_is_far(d, direction_fin_at(d)))
		skip(s, d, direction_fin_at(d), time);
	else if (d->acked > d->next + 1) /* one more than was seen is a FIN that was not */
		skip(s, d, d->acked, time);
}
