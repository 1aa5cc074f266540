#include "config.h"

/*
 * One TCP connection: where each direction begins, what its peer has acknowledged, how it ends.
 * Bytes are put in order by order.c. What options would tell (window scale, timestamps) is not
 * used.
 */
#include <stdlib.h>

#include "stream/internal.h"

/* Who shows from where a direction counts, after its SYN. */
enum witness {
	WITNESS_SYN_ACK, /* the peer's SYN with its ACK */
	WITNESS_ACK,     /* another ACK of the peer; it may be of an earlier connection */
	WITNESS_SELF,    /* the direction's next segment */
};

static int64_t offset_of(const struct direction *d, uint32_t sequence);
static bool near(const struct direction *d, uint32_t sequence, uint32_t base);
static void open_at(struct stream *s, enum side from, uint32_t base, int64_t time);
static void bear_out(struct stream *s, enum side from, uint32_t sequence, enum witness witness,
        int64_t time);
static void acknowledge(struct stream *s, enum side of, const struct packet *p);
static void take_guessed(struct direction *d, uint32_t sequence);
static void take_syn(struct stream *s, enum side from, const struct packet *p);
static void take_rst(struct stream *s, enum side from, const struct packet *p);
static void take_data(struct stream *s, enum side from, const struct packet *p);
static void take_fin(struct stream *s, enum side from, uint64_t at, int64_t time);
static void place(struct stream *s, enum side from, int64_t offset, const struct packet *p);
static void begin(struct stream *s, enum side from, const struct packet *p);
static void advance_acked(struct stream *s, struct direction *d, uint64_t offset);
static bool near_held(const struct direction *d, uint64_t offset);
static bool near_far_ack(const struct direction *d, uint64_t offset);

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
	for (unsigned i = 0; i < 2; i++) {
		const enum side from = (enum side)i;
		struct direction *d = &s->side[i];
		order_finish(s, from, time);
		if (d->reset && d->state != DIRECTION_ENDED) {
			d->state = DIRECTION_ENDED;
			s->pool->ops.end(s->ctx, from, true, time);
		}
		order_forget(s, from);
		free(d->disorder);
	}
	stream_pool_give(s->pool, s);
}

void
stream_ignore(struct stream *s, enum side from)
{
	order_forget(s, from);
	s->side[from].ignored = true;
}

/*
 * The offset of a sequence number, which counts modulo 2^32 (RFC 9293 section 3.4): not more than a
 * window behind next, since nobody sends older bytes, and so up to nearly 4 GB ahead of it.
 */
static int64_t
offset_of(const struct direction *d, uint32_t sequence)
{
	const uint32_t ahead = sequence - (d->base + (uint32_t)d->next);
	return (int64_t)d->next + (uint32_t)(ahead + STREAM_WINDOW) - STREAM_WINDOW;
}

/* Is sequence where base, and the data that came with the SYN, lead to? */
static bool
near(const struct direction *d, uint32_t sequence, uint32_t base)
{
	return sequence - base <= d->high;
}

static void
open_at(struct stream *s, enum side from, uint32_t base, int64_t time)
{
	struct direction *d = &s->side[from];
	d->state = DIRECTION_OPEN;
	if (base != d->base) {
		order_forget(s, from);
		d->base = base;
		d->high = 0;
	}
	order_drain(s, from, time);
}

/*
 * What comes after a SYN shows from where the direction counts. Several SYNs may have been sent,
 * with several initial numbers; and data with a SYN counts only when its receiver took it
 * (RFC 7413 section 3).
 */
static void
bear_out(struct stream *s, enum side from, uint32_t sequence, enum witness witness, int64_t time)
{
	struct direction *d = &s->side[from];
	uint32_t base = d->base;
	const struct disorder *x = d->disorder;
	if (x != NULL && x->has_other && sequence == x->other_base) {
		base = x->other_base;
	} else if (!near(d, sequence, d->base)) {
		const bool far = sequence - d->base > STREAM_WINDOW;
		if (far && witness == WITNESS_ACK)
			return;
		if (far || witness == WITNESS_SYN_ACK)
			base = sequence; /* else data between was not captured */
	} else if (sequence == d->base && d->high > 0) {
		stream_count(s, COUNT_STREAM_SYN_DATA, d->high);
		order_forget(s, from);
		d->high = 0;
	}
	open_at(s, from, base, time);
}

/* The first segment of a direction of which only ACKs were seen. */
static void
take_guessed(struct direction *d, uint32_t sequence)
{
	if (d->next == 0) { /* no gap was told: it begins here */
		const int32_t acked = (int32_t)(d->base + (uint32_t)d->acked - sequence);
		d->base = sequence;
		d->acked = acked > 0 ? (uint64_t)acked : 0;
	}
	d->state = DIRECTION_OPEN;
}

/*
 * The peer has all before offset. That can be further than any window where the capture has
 * lost much: then data there, or of a direction that is not captured at all a second ACK, must
 * bear it out.
 */
static void
advance_acked(struct stream *s, struct direction *d, uint64_t offset)
{
	const bool far = direction_is_far(d, offset) && !near_held(d, offset) &&
	                 !(d->state == DIRECTION_GUESSED && near_far_ack(d, offset));
	struct disorder *x = far ? order_disorder(s, d) : d->disorder;
	if (!far)
		d->acked = offset;
	else
		stream_count(s, COUNT_STREAM_WINDOW, 1);
	if (x != NULL) {
		x->has_far_ack = far;
		x->far_ack = offset;
	}
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

/* p's sender tells what it has of the other direction. */
static void
acknowledge(struct stream *s, enum side of, const struct packet *p)
{
	struct direction *d = &s->side[of];
	const bool syn = p->tcp_flags & TCP_SYN;
	if (d->state == DIRECTION_NEW) {
		d->base = p->tcp_ack;
		d->state = syn ? DIRECTION_OPEN : DIRECTION_GUESSED;
	} else if (d->state == DIRECTION_SYN) {
		bear_out(s, of, p->tcp_ack, syn ? WITNESS_SYN_ACK : WITNESS_ACK, p->time);
		if (d->state == DIRECTION_SYN)
			return;
	}
	d->acked_any = true;
	const int64_t offset = offset_of(d, p->tcp_ack);
	if (offset > 0 && (uint64_t)offset > d->acked)
		advance_acked(s, d, (uint64_t)offset);
	else if (d->acked > d->high) /* of what was not seen, only the latest word counts */
		d->acked = offset > (int64_t)d->next ? (uint64_t)offset : d->next;
	if (d->state != DIRECTION_ENDED && d->acked > d->next)
		order_check(s, of, p->time);
}

static void
take_syn(struct stream *s, enum side from, const struct packet *p)
{
	struct direction *d = &s->side[from];
	const uint32_t base = p->tcp_seq + 1;
	d->reset = false;
	const bool answer = p->tcp_flags & TCP_ACK;
	const bool untouched = d->next == 0 && d->high == 0 && !d->fin;
	if (base != d->base && (d->state == DIRECTION_SYN ||
	                               (d->state == DIRECTION_OPEN && answer && untouched))) {
		struct disorder *x = order_disorder(s, d);
		if (x != NULL) {
			x->has_other = true;
			x->other_base = d->base;
		}
		d->state = DIRECTION_SYN;
		order_forget(s, from);
		d->high = 0;
		d->base = base;
	} else if (d->state == DIRECTION_NEW) {
		d->state = DIRECTION_SYN;
		d->base = base;
	} else if (d->state == DIRECTION_GUESSED) {
		take_guessed(d, base);
	}
}

/*
 * A host takes a reset at exactly the next number (RFC 5961 section 3.2); what that is for it can
 * be what was seen highest or what was acknowledged, when data is missing here. The end is not
 * told before the stream is closed: forged resets are common, and what comes after one shows it.
 */
static void
take_rst(struct stream *s, enum side from, const struct packet *p)
{
	struct direction *d = &s->side[from];
	if (d->state == DIRECTION_OPEN) {
		const int64_t offset = offset_of(d, p->tcp_seq);
		if (offset < 0 || ((uint64_t)offset != d->next && (uint64_t)offset != d->high &&
		                          (uint64_t)offset != d->acked)) {
			stream_count(s, COUNT_STREAM_RST, 1);
			return;
		}
	}
	d->reset = true;
}

static void
take_fin(struct stream *s, enum side from, uint64_t at, int64_t time)
{
	struct direction *d = &s->side[from];
	if ((d->fin && !direction_is_far(d, direction_fin_at(d))) || at < d->high || at < d->next)
		return; /* sent again, or with data behind it */
	if (d->ignored)
		d->next = at; /* holes do not matter any more */
	if (at > d->next && order_disorder(s, d) == NULL)
		return; /* as if it had not been captured */
	if (d->disorder != NULL)
		d->disorder->fin_at = at;
	d->fin = true;
	order_drain(s, from, time);
}

static void
take_data(struct stream *s, enum side from, const struct packet *p)
{
	struct direction *d = &s->side[from];
	const uint32_t sequence = p->tcp_flags & TCP_SYN ? p->tcp_seq + 1 : p->tcp_seq;
	const bool fin = (p->tcp_flags & (TCP_FIN | TCP_SYN)) == TCP_FIN;
	if (p->payload_len == 0 && !fin)
		return; /* a SYN with a FIN ends nothing */
	const int64_t offset = offset_of(d, sequence);
	const int64_t end = offset + p->payload_len;
	if (p->payload_len <= 1 && !fin && offset == (int64_t)d->next - 1)
		return; /* a keep-alive (RFC 9293 section 3.8.4); its byte is no data */
	if (offset > 0 && direction_is_far(d, (uint64_t)offset)) {
		stream_count(s, COUNT_STREAM_WINDOW, 1);
		if (near_far_ack(d, (uint64_t)offset)) {
			d->acked = d->disorder->far_ack;
			d->disorder->has_far_ack = false;
		}
	} else {
		d->reset = false; /* it went on: that reset was not taken */
	}
	if (p->payload_len > 0)
		place(s, from, offset, p);
	if (fin && end >= 0 && d->state == DIRECTION_OPEN)
		take_fin(s, from, (uint64_t)end, p->time);
}

/* What p brings goes to its place, without that which lies before the stream's first byte. */
static void
place(struct stream *s, enum side from, int64_t offset, const struct packet *p)
{
	const struct direction *d = &s->side[from];
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
	const struct piece piece = {
		.offset = (uint64_t)(offset + before),
		.bytes = skip > 0 ? p->payload + skip : p->payload,
		.len = p->captured - skip,
		.cut = p->payload_len - p->captured - (before - skip),
	};
	if (p->flags & PACKET_BAD_CHECKSUM)
		order_doubt(s, from, piece);
	else
		order_take(s, from, piece, p->time);
}

/* p begins its sender's direction, or does so anew. */
static void
begin(struct stream *s, enum side from, const struct packet *p)
{
	struct direction *d = &s->side[from];
	if (p->tcp_flags & TCP_SYN)
		take_syn(s, from, p);
	else if (d->state == DIRECTION_SYN)
		bear_out(s, from, p->tcp_seq, WITNESS_SELF, p->time);
	else if (d->state == DIRECTION_NEW)
		open_at(s, from, p->tcp_seq, p->time);
	else if (d->state == DIRECTION_GUESSED)
		take_guessed(d, p->tcp_seq);
}

void
stream_segment(struct stream *s, enum side from, const struct packet *p)
{
	struct direction *d = &s->side[from], *other = &s->side[side_other(from)];
	const bool unanswered = d->state == DIRECTION_NEW && other->state == DIRECTION_SYN;
	if (!(p->tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST))) {
		stream_count(s, COUNT_STREAM_NO_ACK, 1); /* RFC 9293 section 3.10.7.4, fifth */
		return;
	}
	if (p->flags & PACKET_BAD_CHECKSUM) { /* of such a packet only the data can be of use */
		if (d->state == DIRECTION_OPEN && p->payload_len > 0 && !(p->tcp_flags & TCP_SYN))
			place(s, from, offset_of(d, p->tcp_seq), p);
		return;
	}
	if (p->tcp_flags & TCP_RST) {
		take_rst(s, from, p);
		return;
	}
	if (p->tcp_flags & TCP_URG)
		stream_count(s, COUNT_STREAM_URGENT, 1);
	if (p->tcp_flags & TCP_ACK) {
		acknowledge(s, side_other(from), p);
		if (other->state == DIRECTION_SYN && !(p->tcp_flags & TCP_SYN)) {
			stream_count(s, COUNT_STREAM_WINDOW, 1);
			return; /* of an earlier connection: it does not answer this SYN */
		}
	}
	if (unanswered && (p->tcp_flags & (TCP_FIN | TCP_SYN)) == TCP_FIN)
		return; /* nothing was opened that could end (RFC 9293 section 3.10.7.3, fifth) */
	if (d->state != DIRECTION_OPEN || p->tcp_flags & TCP_SYN)
		begin(s, from, p);
	if (p->payload_len > 0 || p->tcp_flags & TCP_FIN)
		take_data(s, from, p);
	if (d->state == DIRECTION_OPEN && !direction_is_calm(d))
		order_check(s, from, p->time);
	if (d->disorder != NULL)
		order_settle(d);
	if (other->disorder != NULL)
		order_settle(other);
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
	stream_segment(s, SIDE_SOURCE, &syn);
	if (seen >= 2)
		stream_segment(s, SIDE_DESTINATION, &syn_ack);
	if (seen >= 3)
		stream_segment(s, SIDE_SOURCE, &ack);
}
