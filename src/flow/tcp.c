#include "config.h"

/*
 * What the flow stage understands of TCP (RFC 9293): whether a connection opens, stands or is
 * closed, whether a SYN begins another one, and the history letters. Sequence
 * numbers are the stream stage's; only the initial ones are kept here.
 */
#include <netinet/in.h>
#include <string.h>

#include "flow/internal.h"

/* See flow.h for what they mean; a letter's place in here, from 1, is its code. */
static const char letters[HISTORY_LETTERS + 1] = "SHADFRW";

enum {
	LETTER_BITS = 4,
	LETTER_DESTINATION = 8, /* added to the code */
	LETTER_MAX = 2 * HISTORY_LETTERS,
};

static unsigned letter_code(enum side from, char letter);
static bool history_has(const struct flow *f, enum side from, char letter);
static uint32_t flag_of(uint32_t flag, enum side s);
static uint32_t initial_sequence(const struct packet *p);
static void reopen(struct flow *f, enum side from, const struct packet *p);
static void track_open(struct flow *f, enum side from, const struct packet *p);
static bool shakes(const struct flow *f, enum side from, const struct packet *p, unsigned number);

static unsigned
letter_code(enum side from, char letter)
{
	const unsigned code = (unsigned)(strchr(letters, letter) - letters) + 1;
	return from == SIDE_SOURCE ? code : code + LETTER_DESTINATION;
}

static bool
history_has(const struct flow *f, enum side from, char letter)
{
	/* Is any of the 4-bit letters equal to the code? A difference of zero borrows. */
	const uint64_t ones = UINT64_C(0x1111111111111111);
	const uint64_t difference = f->history ^ ones * letter_code(from, letter);
	return ((difference - ones) & ~difference & ones << 3) != 0;
}

void
flow_history_add(struct flow *f, enum side from, char letter)
{
	if (history_has(f, from, letter))
		return;
	unsigned shift = 0;
	while (f->history >> shift != 0)
		shift += LETTER_BITS;
	f->history |= (uint64_t)letter_code(from, letter) << shift;
}

void
flow_history_text(const struct flow *f, char out[FLOW_HISTORY_MAX])
{
	_Static_assert(LETTER_MAX * LETTER_BITS < 64 && LETTER_MAX < (int)FLOW_HISTORY_MAX,
	        "all letters of both ends have their place");
	size_t n = 0;
	for (uint64_t rest = f->history; rest != 0; rest >>= LETTER_BITS) {
		const unsigned code = rest & 0xf;
		const char upper = letters[(code & ~(unsigned)LETTER_DESTINATION) - 1];
		out[n++] = code & LETTER_DESTINATION ? (char)(upper + ('a' - 'A')) : upper;
	}
	out[n] = '\0';
}

static uint32_t
flag_of(uint32_t flag, enum side s)
{
	return flag << s;
}

bool
flow_tcp_closed(const struct flow *f)
{
	const uint32_t both = FLOW_FIN | FLOW_FIN << 1;
	return (f->flags & both) == both || (f->flags & (FLOW_RST | FLOW_RST << 1)) != 0;
}

/* The sequence number of the SYN, as far as one packet tells (SYN takes one number: 3.4). */
static uint32_t
initial_sequence(const struct packet *p)
{
	return p->tcp_flags & TCP_SYN ? p->tcp_seq : p->tcp_seq - 1;
}

/*
 * The first packet. Where it is a SYN-ACK, or a RST that answers a SYN, its acknowledgment tells
 * the SYN's sequence number, so that a SYN captured late still finds its flow.
 */
void
flow_tcp_begin(struct flow *f, enum side from, const struct packet *p)
{
	struct flow_cold *cold = flow_cold_of(f);
	const enum side other = side_other(from);
	cold->isn[from] = initial_sequence(p);
	f->flags |= flag_of(FLOW_ISN, from);
	if (p->tcp_flags & TCP_ACK) {
		cold->isn[other] = p->tcp_ack - 1;
		f->flags |= flag_of(FLOW_ISN, other);
	}
	f->flags |= p->tcp_flags & TCP_SYN ? FLOW_OPENING : FLOW_MIDSTREAM;
}

bool
flow_tcp_reused(const struct flow *f, enum side from, const struct packet *p)
{
	const struct flow_cold *cold = flow_cold_of(f);
	const enum side other = side_other(from);
	const bool known = f->flags & flag_of(FLOW_ISN, from);
	if (p->flags & PACKET_BAD_CHECKSUM)
		return false; /* no host takes it */
	if (known && cold->isn[from] == p->tcp_seq)
		return false; /* sent again, or captured late */
	if ((p->tcp_flags & TCP_ACK) && (f->flags & flag_of(FLOW_ISN, other)) &&
	        cold->isn[other] == p->tcp_ack - 1)
		return false; /* it answers the SYN that is known, whatever was forged in between */
	if (flow_tcp_closed(f))
		return true;
	if (!known || (f->flags & FLOW_OPENING))
		return false; /* both open at once (3.5), or another try at opening */
	if (p->tcp_flags & TCP_ACK) /* a new connection only where its SYN cannot be seen */
		return !flow_answered(f) && history_has(f, from, 'F');
	return true;
}

/* A connection that a RST seemed to close goes on: its SYN again, or more from who reset it. */
static void
reopen(struct flow *f, enum side from, const struct packet *p)
{
	const uint32_t resets = FLOW_RST | FLOW_RST << 1;
	if (p->tcp_flags & TCP_SYN) {
		if (f->flags & resets)
			f->flags |= FLOW_OPENING;
		flow_unset(f, resets | flag_of(FLOW_FIN, from));
	} else if (p->payload_len > 0) {
		flow_unset(f, flag_of(FLOW_RST, from));
	}
}

static void
track_open(struct flow *f, enum side from, const struct packet *p)
{
	const enum side other = side_other(from);
	if (!(f->flags & flag_of(FLOW_ISN, from))) {
		flow_cold_of(f)->isn[from] = initial_sequence(p);
		f->flags |= flag_of(FLOW_ISN, from);
	}
	if (p->tcp_flags & TCP_SYN) {
		if (f->flags & FLOW_OPENING)
			flow_cold_of(f)->isn[from] = p->tcp_seq;
		if (!(p->tcp_flags & TCP_ACK))
			flow_unset(f, FLOW_MIDSTREAM); /* the beginning came late */
		return;
	}
	flow_unset(f, FLOW_OPENING);
	if ((p->tcp_flags & TCP_ACK) && history_has(f, from, 'S') && history_has(f, other, 'H'))
		f->flags |= FLOW_HANDSHAKE;
}

unsigned
flow_tcp_shaken(const struct flow *f)
{
	return (f->flags & FLOW_SHAKEN_MASK) >> FLOW_SHAKEN_SHIFT;
}

/* Is p packet number 1, 2 or 3 of the handshake (RFC 9293 section 3.5), when those before it were seen? */
static bool
shakes(const struct flow *f, enum side from, const struct packet *p, unsigned number)
{
	enum { CONTROL = TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG };
	static const unsigned wanted[] = {[1] = TCP_SYN, [2] = TCP_SYN | TCP_ACK, [3] = TCP_ACK};
	const uint32_t *isn = flow_cold_of(f)->isn;
	if ((p->tcp_flags & CONTROL) != wanted[number] || (from == SIDE_DESTINATION) != (number == 2))
		return false;
	switch (number) {
	case 1: return p->tcp_seq == isn[SIDE_SOURCE];
	case 2: return p->tcp_ack == isn[SIDE_SOURCE] + 1 &&
	               (flow_tcp_shaken(f) < 2 || p->tcp_seq == isn[SIDE_DESTINATION]);
	default: return p->tcp_seq == isn[SIDE_SOURCE] + 1 && p->tcp_ack == isn[SIDE_DESTINATION] + 1;
	}
}

/* The packet that comes next, or the latest one again. */
bool
flow_tcp_quiet(struct flow *f, enum side from, const struct packet *p)
{
	const unsigned seen = flow_tcp_shaken(f);
	if (p->payload_len > 0 || (p->flags & PACKET_BAD_CHECKSUM))
		return false;
	if (p->tcp_flags & TCP_RST)
		return true;
	if (seen > 0 && shakes(f, from, p, seen))
		return true;
	const bool first = f->packets[0] + f->packets[1] == 0;
	if (seen == 3 || (seen == 0 && !first) || !shakes(f, from, p, seen + 1))
		return false;
	flow_unset(f, FLOW_SHAKEN_MASK);
	f->flags |= (seen + 1) << FLOW_SHAKEN_SHIFT;
	return true;
}

void
flow_tcp_track(struct flow *f, enum side from, const struct packet *p)
{
	if (p->tcp_flags & TCP_RST) {
		if (!flow_tcp_closed(f))
			f->flags |= flag_of(FLOW_RST, from);
		flow_history_add(f, from, 'R');
		return;
	}
	if (f->flags & (FLOW_RST | FLOW_RST << 1))
		reopen(f, from, p);
	track_open(f, from, p);
	if (p->tcp_flags & TCP_SYN)
		flow_history_add(f, from, p->tcp_flags & TCP_ACK ? 'H' : 'S');
	if (p->payload_len > 0)
		flow_history_add(f, from, 'D');
	else if (!(p->tcp_flags & (TCP_SYN | TCP_FIN)))
		flow_history_add(f, from, 'A');
	if (p->tcp_flags & TCP_FIN) {
		f->flags |= flag_of(FLOW_FIN, from);
		flow_history_add(f, from, 'F');
	}
	if (p->tcp_window == 0)
		flow_history_add(f, from, 'W');
}
