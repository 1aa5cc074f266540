/*
 * DNS over UDP and TCP (RFC 1035 sections 4.1 and 4.2.2, RFC 6891), and what speaks its language in one's own network:
 * mDNS (RFC 6762) and LLMNR (RFC 4795), told apart from it by their ports, which is how they differ.
 *
 * Every answer's addresses are passed on, so that flows to them get their names. Of a datagram nothing is kept: each
 * one stands for itself, but for those whose names may carry something else: they make a conversation, and are
 * dns_tunnel.c's. Zone transfers and what else a record may hold are not read.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/dns_message.h"
#include "proto/dns_tunnel.h"

enum {
	PORT_MDNS = 5353,
	PORT_LLMNR = 5355,
	PORT_NETBIOS = 137,
	MESSAGE_MAX = 16384, /* over TCP; of a longer one only the beginning is read */
	LENGTH = 2,          /* before each message over TCP */
};

struct half {
	uint8_t *bytes; /* of the message at hand, its length first */
	size_t len, size;
};

/* Over TCP. */
struct dns_stream {
	struct session *session;
	struct half half[2];
};

static enum verdict probe_port(const struct probe *p, uint16_t port);
static bool port_is(const struct probe *p, uint16_t port);
static enum verdict glance(struct glance *g, enum resolved_for whom, struct dns_message *m);
static enum verdict read_message(struct session *s, enum side from, const uint8_t *bytes, size_t len);
static void on_address(void *ctx, const struct dns_name *name, const struct addr *addr, uint32_t ttl);
static enum verdict probe_half(const uint8_t *bytes, size_t len);
static size_t half_take(struct half *half, const uint8_t *bytes, size_t len);
static bool half_reserve(struct half *half, size_t size);

/* Who was told. */
struct told {
	struct session *session;          /* or, where there is none, */
	const struct glance *glance;
	enum resolved_for whom;
};

static enum verdict
dns_probe(const struct probe *p)
{
	/* NetBIOS has names of its own in the same frame. */
	const bool other = port_is(p, PORT_MDNS) || port_is(p, PORT_LLMNR) || port_is(p, PORT_NETBIOS);
	return other ? VERDICT_NOT_MINE : probe_port(p, 0);
}

static enum verdict
mdns_probe(const struct probe *p)
{
	return probe_port(p, PORT_MDNS);
}

static enum verdict
llmnr_probe(const struct probe *p)
{
	return probe_port(p, PORT_LLMNR);
}

static enum verdict
dns_glance(struct glance *g)
{
	struct dns_message m;
	const enum verdict v = glance(g, (enum resolved_for)side_other(g->from), &m);
	if (v == VERDICT_DONE)
		g->turned = (m.answers ? side_other(g->from) : g->from) == SIDE_DESTINATION;
	return v;
}

/* Everybody hears it: nobody asks, and nobody alone is told. */
static enum verdict
mdns_glance(struct glance *g)
{
	struct dns_message m;
	return glance(g, RESOLVED_FOR_ALL, &m);
}

/* The session is all the state there is. */
static void *
dns_open(struct session *s)
{
	return s;
}

static enum verdict
dns_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	return read_message(state, from, bytes, len);
}

static enum verdict
mdns_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct told told = {.session = state, .whom = RESOLVED_FOR_ALL};
	struct dns_message m;
	(void)from;
	if (!dns_message_read(bytes, len, &m))
		return VERDICT_NOT_MINE;
	if (m.answers)
		dns_message_addresses(&m, on_address, &told);
	return VERDICT_DONE;
}

static enum verdict
dns_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_DONE;
}

static void
dns_close(void *state, bool reset)
{
	(void)state;
	(void)reset;
}

static enum verdict
stream_probe(const struct probe *p)
{
	enum verdict v[2];
	for (size_t side = 0; side < 2; side++) {
		v[side] = probe_half(p->bytes[side], p->len[side]);
		if (v[side] != VERDICT_MORE)
			return v[side];
	}
	return VERDICT_MORE;
}

static void *
stream_open(struct session *s)
{
	struct dns_stream *d = calloc(1, sizeof *d);
	if (d != NULL)
		d->session = s;
	return d;
}

static enum verdict
stream_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct dns_stream *d = state;
	struct half *half = &d->half[from];
	while (len > 0) {
		size_t n = half_take(half, bytes, len);
		if (n == 0)
			return VERDICT_DONE; /* out of memory */
		bytes += n;
		len -= n;
		struct reader r = reader_init(half->bytes, half->len);
		size_t whole = reader_be16(&r);
		if (!reader_ok(&r) || half->len < LENGTH + whole)
			continue;
		size_t have = whole < MESSAGE_MAX ? whole : MESSAGE_MAX;
		half->len = 0;
		if (read_message(d->session, from, half->bytes + LENGTH, have) == VERDICT_NOT_MINE)
			return VERDICT_DONE; /* it lost its way */
	}
	return VERDICT_MORE;
}

/* Where a message begins cannot be told behind a hole. */
static enum verdict
stream_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_DONE;
}

static void
stream_close(void *state, bool reset)
{
	struct dns_stream *d = state;
	(void)reset;
	free(d->half[0].bytes);
	free(d->half[1].bytes);
	free(d);
}

static bool
stream_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_dns = {
        .name = "dns",
        .transport = IPPROTO_UDP,
        .ports = {53},
        .reads = "answers: the addresses of names, which name the flows to them; tunnels, by what their names carry",
        .infers = "",
        .misses = "other records; DNS over TLS and HTTPS, which is encrypted",
        .probe = dns_probe,
        .glance = dns_glance,
        .open = dns_open,
        .data = dns_data,
        .gap = dns_gap,
        .close = dns_close,
};

const struct proto proto_dns_tcp = {
        .name = "dns",
        .transport = IPPROTO_TCP,
        .ports = {53},
        .reads = "as over UDP",
        .infers = "",
        .misses = "zone transfers; of a message what is beyond 16 KB, and all behind a gap",
        .probe = stream_probe,
        .open = stream_open,
        .data = stream_data,
        .gap = stream_gap,
        .close = stream_close,
        .finished = stream_finished,
};

const struct proto proto_mdns = {
        .name = "mdns",
        .transport = IPPROTO_UDP,
        .ports = {PORT_MDNS},
        .reads = "addresses of names in the local network",
        .infers = "",
        .misses = "services",
        .probe = mdns_probe,
        .glance = mdns_glance,
        .open = dns_open,
        .data = mdns_data,
        .gap = dns_gap,
        .close = dns_close,
};

const struct proto proto_llmnr = {
        .name = "llmnr",
        .transport = IPPROTO_UDP,
        .ports = {PORT_LLMNR},
        .reads = "addresses of names in the local network",
        .infers = "",
        .misses = "what else a name has",
        .probe = llmnr_probe,
        .glance = dns_glance,
        .open = dns_open,
        .data = dns_data,
        .gap = dns_gap,
        .close = dns_close,
};

/* A datagram of either side is a message. port: that there must be; 0: any. */
static enum verdict
probe_port(const struct probe *p, uint16_t port)
{
	const int side = p->len[SIDE_SOURCE] > 0 ? SIDE_SOURCE : SIDE_DESTINATION;
	if (port != 0 && !port_is(p, port))
		return VERDICT_NOT_MINE;
	return dns_message_fits(p->bytes[side], p->len[side]) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static bool
port_is(const struct probe *p, uint16_t port)
{
	return p->port[SIDE_SOURCE] == port || p->port[SIDE_DESTINATION] == port;
}

/* MORE: it is for a conversation to read. */
static enum verdict
glance(struct glance *g, enum resolved_for whom, struct dns_message *m)
{
	struct told told = {.glance = g, .whom = whom};
	if (!dns_message_read(g->bytes, g->len, m) || (whom != RESOLVED_FOR_ALL && dns_tunnel_possible(m)))
		return VERDICT_MORE;
	if (m->answers)
		dns_message_addresses(m, on_address, &told);
	return VERDICT_DONE;
}

/* MORE: it belongs to a tunnel, whose volume goes on. */
static enum verdict
read_message(struct session *s, enum side from, const uint8_t *bytes, size_t len)
{
	struct told told = {.session = s, .whom = (enum resolved_for)side_other(from)};
	struct dns_message m;
	if (!dns_message_read(bytes, len, &m))
		return VERDICT_NOT_MINE;
	session_client_end(s, m.answers ? side_other(from) : from);
	if (m.answers)
		dns_message_addresses(&m, on_address, &told);
	return dns_tunnel_look(s, from, &m) ? VERDICT_MORE : VERDICT_DONE;
}

static void
on_address(void *ctx, const struct dns_name *name, const struct addr *addr, uint32_t ttl)
{
	const struct told *told = ctx;
	const struct glance *g = told->glance;
	const struct resolution r = {.addr = *addr, .name = name->text, .len = name->len, .ttl = ttl};
	if (g == NULL)
		session_resolved(told->session, told->whom, &r);
	else
		transfer_tracker_resolved(g->tracker, &g->ends, told->whom, g->time, &r);
}

/* A length that fits, and a message that does as far as it has come; the first one decides. */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	size_t whole = reader_be16(&r);
	if (!reader_ok(&r))
		return VERDICT_MORE;
	if (whole < DNS_HEADER + 5)
		return VERDICT_NOT_MINE;
	/* Until there is a question: Z, and few of those. */
	if (r.left >= 6 && ((r.next[3] & 0x40) != 0 || r.next[4] != 0 || r.next[5] > 1))
		return VERDICT_NOT_MINE;
	if (r.left >= whole)
		return dns_message_fits(r.next, whole) ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (dns_message_fits(r.next, r.left))
		return VERDICT_DONE;
	return r.left < DNS_HEADER + NAME_MAX_LEN + 6 ? VERDICT_MORE : VERDICT_NOT_MINE;
}

/* Bytes of the message at hand; how many were taken, those beyond what is kept included. 0: out of memory. */
static size_t
half_take(struct half *half, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(half->bytes, half->len < LENGTH ? half->len : LENGTH);
	size_t whole = half->len < LENGTH ? LENGTH : LENGTH + (size_t)reader_be16(&r);
	size_t n = whole - half->len < len ? whole - half->len : len;
	size_t most = LENGTH + MESSAGE_MAX;
	if (!half_reserve(half, whole < most ? whole : most))
		return 0;
	if (half->len < most)
		memcpy(half->bytes + half->len, bytes, n < most - half->len ? n : most - half->len);
	half->len += n;
	return n;
}

static bool
half_reserve(struct half *half, size_t size)
{
	if (size <= half->size)
		return true;
	uint8_t *larger = realloc(half->bytes, size);
	if (larger == NULL)
		return false;
	half->bytes = larger;
	half->size = size;
	return true;
}
