#include "config.h"

/*
 * Where a direction begins: its SYN tells, once something bears it out; where that was not captured, the
 * first segment or the first ACK does.
 */
#include "stream/internal.h"

/* Who shows from where a direction counts, after its SYN. */
enum witness {
	WITNESS_SYN_ACK, /* the peer's SYN with its ACK */
	WITNESS_ACK,     /* another ACK of the peer; it may be of an earlier connection */
	WITNESS_SELF,    /* the direction's next segment */
};

static bool near(const struct direction *d, uint32_t sequence, uint32_t base);
static void open_at(struct stream *s, struct direction *d, uint32_t base, int64_t time);
static void bear_out(struct stream *s, struct direction *d, uint32_t sequence, enum witness witness,
        int64_t time);
static void take_guessed(struct direction *d, uint32_t sequence);
static void take_syn(struct stream *s, struct direction *d, const struct packet *p);

/* Is sequence where base, and the data that came with the SYN, lead to? */
static bool
near(const struct direction *d, uint32_t sequence, uint32_t base)
{
	return sequence - base <= d->high;
}

static void
open_at(struct stream *s, struct direction *d, uint32_t base, int64_t time)
{
	d->state = DIRECTION_OPEN;
	if (base != d->base) {
		disorder_forget(s, d);
		d->base = base;
		d->high = 0;
	}
	order_drain(s, d, time);
}

/*
 * What comes after a SYN shows from where the direction counts. Several SYNs may have been sent,
 * with several initial numbers; and data with a SYN counts only when its receiver took it
 * (RFC 7413 section 3).
 */
static void
bear_out(struct stream *s, struct direction *d, uint32_t sequence, enum witness witness, int64_t time)
{
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
		disorder_forget(s, d);
		d->high = 0;
	}
	open_at(s, d, base, time);
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

static void
take_syn(struct stream *s, struct direction *d, const struct packet *p)
{
	const uint32_t base = p->tcp_seq + 1;
	d->reset = false;
	const bool answer = p->tcp_flags & TCP_ACK;
	const bool untouched = d->next == 0 && d->high == 0 && !d->fin;
	if (base != d->base && (d->state == DIRECTION_SYN ||
	                               (d->state == DIRECTION_OPEN && answer && untouched))) {
		struct disorder *x = disorder_of(s, d);
		if (x != NULL) {
			x->has_other = true;
			x->other_base = d->base;
		}
		d->state = DIRECTION_SYN;
		disorder_forget(s, d);
		d->high = 0;
		d->base = base;
	} else if (d->state == DIRECTION_NEW) {
		d->state = DIRECTION_SYN;
		d->base = base;
	} else if (d->state == DIRECTION_GUESSED) {
		take_guessed(d, base);
	}
}

void
begin_segment(struct stream *s, struct direction *d, const struct packet *p)
{
	if (p->tcp_flags & TCP_SYN)
		take_syn(s, d, p);
	else if (d->state == DIRECTION_SYN)
		bear_out(s, d, p->tcp_seq, WITNESS_SELF, p->time);
	else if (d->state == DIRECTION_NEW)
		open_at(s, d, p->tcp_seq, p->time);
	else if (d->state == DIRECTION_GUESSED)
		take_guessed(d, p->tcp_seq);
}

bool
begin_acknowledged(struct stream *s, struct direction *d, const struct packet *p)
{
	const bool syn = p->tcp_flags & TCP_SYN;
	if (d->state == DIRECTION_NEW) {
		d->base = p->tcp_ack;
		d->state = syn ? DIRECTION_OPEN : DIRECTION_GUESSED;
	} else if (d->state == DIRECTION_SYN) {
		bear_out(s, d, p->tcp_ack, syn ? WITNESS_SYN_ACK : WITNESS_ACK, p->time);
	}
	return d->state != DIRECTION_SYN;
}
