#include "config.h"

/*
 * One TCP connection: what each side sends, what its peer has acknowledged, how it ends. Where
 * a direction begins is in begin.c; bytes are put in order by order.c. What options would tell
 * (window scale, timestamps) is not used.
 */
#include <stdlib.h>

#include "stream/internal.h"

static void take_segment(struct stream *s, struct direction *d, struct direction *other,
        const struct packet *p);
static void acknowledge(struct stream *s, struct direction *d, const struct packet *p);
static void advance_acked(struct stream *s, struct direction *d, uint64_t offset);
static void take_rst(struct stream *s, struct direction *d, const struct packet *p);
static void take_data(struct stream *s, struct direction *d, const struct packet *p);
static void take_fin(struct stream *s, struct direction *d, uint64_t at, int64_t time);
static void place(struct stream *s, struct direction *d, int64_t offset, const struct packet *p);

struct stream *
stream_open(struct stream_pool *p, void *ctx)
{
	struct stream *s = stream_pool_take(p);
	if (s != NULL)
		s->ctx = ctx;
	return s;
}

void
stream_close(struct stream *s, int64_t time)
{
	if (s == NULL)
		return;
	for (struct direction *d = s->side; d < s->side + 2; d++) {
		if (!direction_is_calm(d))
			disorder_finish(s, d, time);
		if (d->reset && d->state != DIRECTION_ENDED) {
			d->state = DIRECTION_ENDED;
			s->pool->ops.end(s->ctx, direction_side(s, d), true, time);
		}
		disorder_forget(s, d);
		free(d->disorder);
		d->disorder = NULL; /* what the other side tells can still make the owner ignore this one */
	}
	stream_pool_give(s->pool, s);
}

void
stream_ignore(struct stream *s, enum side from)
{
	disorder_forget(s, &s->side[from]);
	s->side[from].ignored = true;
}

/*
 * The peer has all before offset. That can be further than any window where the capture has
 * lost much: then data there, or of a direction that is not captured at all a second ACK, must
 * bear it out.
 */
static void
advance_acked(struct stream *s, struct direction *d, uint64_t offset)
{
	if (direction_is_far(d, offset) && !disorder_far_ack(s, d, offset))
		return;
	d->acked = offset;
	if (d->disorder != NULL)
		d->disorder->has_far_ack = false;
}

/* p's sender tells what it has of the other direction. */
static void
acknowledge(struct stream *s, struct direction *d, const struct packet *p)
{
	if (d->state < DIRECTION_GUESSED && !begin_acknowledged(s, d, p))
		return;
	d->acked_any = true;
	const int64_t offset = direction_offset(d, p->tcp_ack);
	if (offset > (int64_t)d->acked)
		advance_acked(s, d, (uint64_t)offset);
	else if (d->acked > d->high) /* of what was not seen, only the latest word counts */
		d->acked = offset > (int64_t)d->next ? (uint64_t)offset : d->next;
	if (d->acked > d->next && d->state != DIRECTION_ENDED)
		disorder_check(s, d, p->time);
}

/*
 * A host takes a reset at exactly the next number (RFC 5961 section 3.2); what that is for it can
 * be what was seen highest or what was acknowledged, when data is missing here. The end is not
 * told before the stream is closed: forged resets are common, and what comes after one shows it.
 */
static void
take_rst(struct stream *s, struct direction *d, const struct packet *p)
{
	if (d->state == DIRECTION_OPEN) {
		const int64_t offset = direction_offset(d, p->tcp_seq);
		if (offset < 0 || ((uint64_t)offset != d->next && (uint64_t)offset != d->high &&
		                          (uint64_t)offset != d->acked)) {
			stream_count(s, COUNT_STREAM_RST, 1);
			return;
		}
	}
	d->reset = true;
}

static void
take_fin(struct stream *s, struct direction *d, uint64_t at, int64_t time)
{
	if ((d->fin && !direction_is_far(d, direction_fin_at(d))) || at < d->high || at < d->next)
		return; /* sent again, or with data behind it */
	if (d->ignored)
		d->next = at; /* holes do not matter any more */
	if (at > d->next && disorder_of(s, d) == NULL)
		return; /* as if it had not been captured */
	if (d->disorder != NULL)
		d->disorder->fin_at = at;
	d->fin = true;
	order_drain(s, d, time);
}

static void
take_data(struct stream *s, struct direction *d, const struct packet *p)
{
	const uint32_t sequence = p->tcp_flags & TCP_SYN ? p->tcp_seq + 1 : p->tcp_seq;
	const bool fin = (p->tcp_flags & (TCP_FIN | TCP_SYN)) == TCP_FIN;
	if (p->payload_len == 0 && !fin)
		return; /* a SYN with a FIN ends nothing */
	const int64_t offset = direction_offset(d, sequence);
	const int64_t end = offset + p->payload_len;
	if (p->payload_len <= 1 && !fin && offset == (int64_t)d->next - 1)
		return; /* a keep-alive (RFC 9293 section 3.8.4); its byte is no data */
	if (offset > 0 && direction_is_far(d, (uint64_t)offset)) {
		stream_count(s, COUNT_STREAM_WINDOW, 1);
		disorder_far_data(d, (uint64_t)offset);
	} else {
		d->reset = false; /* it went on: that reset was not taken */
	}
	if (p->payload_len > 0)
		place(s, d, offset, p);
	if (fin && end >= 0 && d->state == DIRECTION_OPEN)
		take_fin(s, d, (uint64_t)end, p->time);
}

/* What p brings goes to its place, without that which lies before the stream's first byte. */
static void
place(struct stream *s, struct direction *d, int64_t offset, const struct packet *p)
{
	const int64_t end = offset + p->payload_len;
	if (end <= 0) {
		stream_count(s, COUNT_STREAM_RETRANSMITTED, p->payload_len);
		return;
	}
	if (d->state == DIRECTION_ENDED) {
		if ((uint64_t)end > direction_fin_at(d))
			stream_count(s, COUNT_STREAM_AFTER_END, (uint64_t)end - direction_fin_at(d));
		return;
	}
	const uint32_t before = offset < 0 ? (uint32_t)-offset : 0;
	const uint32_t skip = before < p->captured ? before : p->captured;
	struct piece piece = {
		.offset = (uint64_t)(offset + before),
		.bytes = skip > 0 ? p->payload + skip : p->payload,
		.len = p->captured - skip,
		.cut = p->payload_len - p->captured - (before - skip),
	};
	if (p->flags & PACKET_BAD_CHECKSUM)
		disorder_doubt(s, d, &piece);
	else
		order_take(s, d, &piece, p->time);
}

/* p is of direction d and acknowledges the other one. */
static void
take_segment(struct stream *s, struct direction *d, struct direction *other, const struct packet *p)
{
	const bool unanswered = d->state == DIRECTION_NEW && other->state == DIRECTION_SYN;
	if (!(p->tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST))) {
		stream_count(s, COUNT_STREAM_NO_ACK, 1); /* RFC 9293 section 3.10.7.4, fifth */
		return;
	}
	if (p->flags & PACKET_BAD_CHECKSUM) { /* of such a packet only the data can be of use */
		if (d->state == DIRECTION_OPEN && p->payload_len > 0 && !(p->tcp_flags & TCP_SYN))
			place(s, d, direction_offset(d, p->tcp_seq), p);
		return;
	}
	if (p->tcp_flags & TCP_RST) {
		take_rst(s, d, p);
		return;
	}
	if (p->tcp_flags & TCP_URG)
		stream_count(s, COUNT_STREAM_URGENT, 1);
	if (p->tcp_flags & TCP_ACK) {
		acknowledge(s, other, p);
		if (other->state == DIRECTION_SYN && !(p->tcp_flags & TCP_SYN)) {
			stream_count(s, COUNT_STREAM_WINDOW, 1);
			return; /* of an earlier connection: it does not answer this SYN */
		}
	}
	if (unanswered && (p->tcp_flags & (TCP_FIN | TCP_SYN)) == TCP_FIN)
		return; /* nothing was opened that could end (RFC 9293 section 3.10.7.3, fifth) */
	if (d->state != DIRECTION_OPEN || p->tcp_flags & TCP_SYN)
		begin_segment(s, d, p);
	if (p->payload_len > 0 || p->tcp_flags & TCP_FIN)
		take_data(s, d, p);
	if (d->state == DIRECTION_OPEN && !direction_is_calm(d))
		disorder_check(s, d, p->time);
	if (d->disorder != NULL)
		disorder_settle(s, d);
	if (other->disorder != NULL)
		disorder_settle(s, other);
}

void
stream_segment(struct stream *s, enum side from, const struct packet *p)
{
	take_segment(s, &s->side[from], &s->side[side_other(from)], p);
}

void
stream_handshake(struct stream *s, const uint32_t isn[2], unsigned seen)
{
	const struct packet syn = {.tcp_flags = TCP_SYN, .tcp_seq = isn[SIDE_SOURCE]};
	const struct packet syn_ack = {
		.tcp_flags = TCP_SYN | TCP_ACK,
		.tcp_seq = isn[SIDE_DESTINATION],
		.tcp_ack = isn[SIDE_SOURCE] + 1,
	};
	const struct packet ack = {
		.tcp_flags = TCP_ACK,
		.tcp_seq = isn[SIDE_SOURCE] + 1,
		.tcp_ack = isn[SIDE_DESTINATION] + 1,
	};
	struct direction *source = &s->side[SIDE_SOURCE], *destination = &s->side[SIDE_DESTINATION];
	take_segment(s, source, destination, &syn);
	if (seen >= 2)
		take_segment(s, destination, source, &syn_ack);
	if (seen >= 3)
		take_segment(s, source, destination, &ack);
}
