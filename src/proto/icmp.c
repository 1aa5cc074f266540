/*
 * Tunnels in echo requests and replies (RFC 792, RFC 4443 section 4). Whoever pings is sent back what he sent, and
 * what pings carry is a clock and a pattern; a tunnel carries packets, which differ from one to the next, and its
 * answers are not what was asked. It is a tunnel when 16 echoes or more have moved 16 KB, and of the last 16 answers
 * no more than half were echoes; or when the packets inside are seen to be IP. Smaller and slower ones are not seen,
 * and nobody's ping is told.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/reader.h"
#include "proto/plain.h"

enum {
	ECHO_LEAST = 20,       /* smaller ones carry nothing */
	PATTERN_RUN = 8,
	SENT = 16,             /* payloads that are remembered */
	BYTES_LEAST = 16 * 1024,
};

struct echo {
	struct session *session;
	uint64_t sent[SENT];   /* hashes of what the side that asks sent last */
	uint64_t bytes[2];
	uint32_t packets[2];
	uint32_t echoed, strange, ip; /* answers that are echoes, that are not; payloads that are IP packets */
	bool told;
};

static bool carries(struct reader r);
static bool is_ip(struct reader r);
static bool is_tunnel(const struct echo *e);
static void tell(struct echo *e);

static enum verdict
icmp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	const unsigned ask = p->port[SIDE_SOURCE], answer = p->port[SIDE_DESTINATION];
	/* Echo and its reply, for both versions; either may come first. */
	if (!(ask == 8 && answer == 0) && !(ask == 0 && answer == 8) && !(ask == 128 && answer == 129) &&
	        !(ask == 129 && answer == 128))
		return VERDICT_NOT_MINE;
	return plain_verdict(carries(reader_init(p->bytes[side], p->len[side])));
}

static void *
icmp_open(struct session *s)
{
	struct echo *e = calloc(1, sizeof *e);
	if (e != NULL)
		e->session = s;
	session_protocol_none(s); /* unless it is a tunnel */
	return e;
}

static enum verdict
icmp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct echo *e = state;
	const uint64_t hash = hash_stable(bytes, len);
	bool known = false;
	e->bytes[from] += len;
	e->packets[from]++;
	e->ip += is_ip(reader_init(bytes, len));
	if (from == SIDE_SOURCE) {
		e->sent[e->packets[from] % SENT] = hash;
	} else {
		for (size_t i = 0; i < SENT; i++)
			known = known || e->sent[i] == hash;
		e->echoed += known;
		e->strange += !known;
	}
	if (is_tunnel(e))
		tell(e);
	return VERDICT_MORE;
}

static void
icmp_close(void *state, bool reset)
{
	(void)reset;
	free(state);
}

#define ICMP(symbol, title, over) \
	const struct proto proto_##symbol = { \
	        .name = title, .transport = over, \
	        .reads = "tunnels in echoes, and what they carry, by amount", \
	        .infers = "transfers through a tunnel, from volume", \
	        .misses = "what goes through; small tunnels; all other messages", \
	        .probe = icmp_probe, .open = icmp_open, .data = icmp_data, .gap = plain_gap, .close = icmp_close, \
	}

ICMP(icmp, "icmp", IPPROTO_ICMP);
ICMP(icmpv6, "icmpv6", IPPROTO_ICMPV6);

/* More than a clock and a pattern: no byte repeated, no bytes that count. */
static bool
carries(struct reader r)
{
	size_t run = 0, longest = 0;
	if (r.left < ECHO_LEAST)
		return false;
	for (size_t i = 1; i < r.left && longest < PATTERN_RUN * 2; i++) {
		const uint8_t step = (uint8_t)(r.next[i] - r.next[i - 1]);
		run = step <= 1 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest < PATTERN_RUN * 2 || is_ip(r);
}

/* A header with a length that is this one's, at the front or behind a tunnel's few bytes. */
static bool
is_ip(struct reader r)
{
	for (size_t i = 0; i <= 28 && r.left >= 20; i += 4) {
		const size_t length = (size_t)(r.next[2] << 8 | r.next[3]);
		if (r.next[0] == 0x45 && length >= 28 && length <= r.left && length + 4 >= r.left)
			return true;
		reader_skip(&r, 4);
	}
	return false;
}

static bool
is_tunnel(const struct echo *e)
{
	const uint32_t packets = e->packets[0] + e->packets[1], answers = e->echoed + e->strange;
	if (packets < SENT || e->bytes[0] + e->bytes[1] < BYTES_LEAST)
		return false;
	return e->ip >= packets / 2 || (answers > 0 && e->strange >= answers / 2 + 1);
}

static void
tell(struct echo *e)
{
	if (!e->told)
		session_protocol(e->session, session_ends(e->session).transport == IPPROTO_ICMP ? proto_icmp.name : proto_icmpv6.name,
		        SESSION_BY_CONTENT);
	e->told = true;
	session_unreadable(e->session, "ICMP tunnel");
	session_detail(e->session, "tunnel.kind", "icmp", 4);
	session_detail_number(e->session, "tunnel.up_bytes", e->bytes[SIDE_SOURCE]);
	session_detail_number(e->session, "tunnel.down_bytes", e->bytes[SIDE_DESTINATION]);
}
