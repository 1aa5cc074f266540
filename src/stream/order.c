#include "config.h"

/*
 * Pieces of a direction become bytes in order: delivered straight from the packet where they are
 * next, which is nearly always. What is not goes to disorder.c. Callbacks may ignore the direction,
 * which empties what is held; every loop here and there asks again after each of them.
 */
#include "stream/internal.h"

static void cut_behind_fin(struct stream *s, const struct direction *d, struct piece *piece);

void
order_gap(struct stream *s, struct direction *d, uint64_t len, int64_t time)
{
	d->next += len;
	if (len == 0 || d->ignored)
		return;
	stream_count(s, COUNT_STREAM_GAPS, 1);
	stream_count(s, COUNT_STREAM_GAP_BYTES, len);
	s->pool->ops.gap(s->ctx, direction_side(s, d), len, time);
}

inline void
order_give(struct stream *s, struct direction *d, const struct piece *piece, int64_t time)
{
	const uint32_t cut = piece->cut;
	d->next += piece->len;
	if (piece->len > 0 && !d->ignored)
		s->pool->ops.data(s->ctx, direction_side(s, d), piece->bytes, piece->len, time);
	if (cut > 0)
		order_gap(s, d, cut, time);
}

void
order_drain(struct stream *s, struct direction *d, int64_t time)
{
	const struct held *h;
	while ((h = direction_first_held(d)) != NULL && h->offset == d->next)
		disorder_give_first(s, d, time);
	if (d->fin && d->next >= direction_fin_at(d) && d->state != DIRECTION_ENDED) {
		d->state = DIRECTION_ENDED;
		disorder_forget(s, d);
		s->pool->ops.end(s->ctx, direction_side(s, d), false, time);
	}
}

inline void
order_next(struct stream *s, struct direction *d, struct piece *piece, int64_t time)
{
	if (d->disorder != NULL)
		disorder_weave(s, d, piece, time);
	order_give(s, d, piece, time);
	if (d->disorder != NULL || d->fin)
		order_drain(s, d, time);
}

static void
cut_behind_fin(struct stream *s, const struct direction *d, struct piece *piece)
{
	const uint64_t end = piece_end(piece), fin_at = direction_fin_at(d);
	if (end <= fin_at)
		return;
	const uint64_t keep = piece->offset < fin_at ? fin_at : piece->offset;
	stream_count(s, COUNT_STREAM_AFTER_END, end - keep);
	piece_end_at(piece, keep);
}

void
order_take(struct stream *s, struct direction *d, struct piece *piece, int64_t time)
{
	if (d->fin)
		cut_behind_fin(s, d, piece);
	const uint64_t end = piece_end(piece);
	if (end > d->high && !direction_is_far(d, piece->offset))
		d->high = end;
	if (piece->cut > 0)
		stream_count(s, COUNT_STREAM_CUT, piece->cut);
	if (d->ignored) {
		d->next = end > d->next ? end : d->next;
		return;
	}
	if (piece->offset < d->next) {
		const uint64_t to = end < d->next ? end : d->next;
		stream_count(s, COUNT_STREAM_RETRANSMITTED, to - piece->offset);
		piece_skip(piece, to);
	}
	if (piece->offset == end)
		return;
	if (piece->offset > d->next || d->state == DIRECTION_SYN)
		disorder_hold(s, d, piece, time);
	else
		order_next(s, d, piece, time);
}
