/*
 * UDT 4 (draft-gg-udt-03): a reliable stream or messages over UDP, under GridFTP, Globus and other accelerated
 * transfers. Known by its handshake (section 5.2), whose sixteen words hardly leave a choice; SRT, which begins the
 * same way, is known by its answer and left alone. The application's bytes have no form of their own: how many went
 * which way, and how many were sent again, is told.
 */
#include "config.h"

#include "proto/proto.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

enum {
	HEADER_SIZE = 16,         /* section 4 */
	HANDSHAKE_SIZE = 64,      /* with its header, 48 bytes of fields and an IPv6 address's room */
	CONTROL = 0x8000,
	TYPE_HANDSHAKE = 0,
	TYPE_MAX = 7,
	TYPE_USER = 0x7fff,
	UDT_VERSION = 4,
	STREAM = 1,               /* type of socket: files */
	DATAGRAM = 2,
	PACKET_MIN = 64,          /* size that a handshake may name */
	PACKET_MAX = 65535,
	LOOK_PACKETS = 64,        /* data packets at which the transfers are told what they are, and then at each doubling */
};

struct direction {
	uint64_t packets, bytes, again;
	uint32_t next;  /* sequence number behind the highest one */
	bool started;
};

struct udt {
	struct session *session;
	struct direction from[2];
	uint64_t next_look;
	bool told;
};

struct handshake {
	uint32_t version, type, packet_size, window, socket, cookie;
	int32_t request;
};

static bool read_handshake(const uint8_t *bytes, size_t len, struct handshake *out);
static bool is_srt(const uint8_t *bytes, size_t len);
static void take_data(struct udt *u, enum side from, uint32_t sequence, size_t len);
static void look(struct udt *u);

static enum verdict
udt_probe(const struct probe *p)
{
	enum verdict v = VERDICT_NOT_MINE;
	for (size_t side = 0; side < 2; side++) {
		struct handshake h;
		if (is_srt(p->bytes[side], p->len[side]))
			return VERDICT_NOT_MINE;
		if (!read_handshake(p->bytes[side], p->len[side], &h))
			continue;
		/* SRT's first packet is that of a socket for messages; the listener's answer tells. */
		const bool answered = p->len[0] > 0 && p->len[1] > 0;
		v = h.type == STREAM || answered ? VERDICT_DONE : VERDICT_MORE;
	}
	return v;
}

static void *
udt_open(struct session *s)
{
	struct udt *u = calloc(1, sizeof *u);
	if (u == NULL)
		return NULL;
	u->session = s;
	u->next_look = LOOK_PACKETS;
	session_unreadable(s, "bytes of a form that only the application knows");
	return u;
}

static enum verdict
udt_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct udt *u = state;
	struct handshake h;
	struct reader r = reader_init(bytes, len);
	const uint32_t first = reader_be32(&r);

	if (is_srt(bytes, len))
		return VERDICT_NOT_MINE;
	if (len < HEADER_SIZE)
		return VERDICT_MORE;
	if (first >> 31 == 0) {
		take_data(u, from, first, len - HEADER_SIZE);
	} else if (!u->told && read_handshake(bytes, len, &h)) {
		u->told = true;
		session_detail_number(u->session, "udt.version", h.version);
		session_detail(u->session, "udt.socket", h.type == STREAM ? "stream" : "messages", h.type == STREAM ? 6 : 8);
	}
	return VERDICT_MORE;
}

static enum verdict
udt_gap(void *state, enum side from, uint64_t len)
{
	struct udt *u = state;
	u->from[from].bytes += len; /* cut by the capture */
	return VERDICT_MORE;
}

static void
udt_close(void *state, bool reset)
{
	struct udt *u = state;
	(void)reset;
	look(u);
	if (u->from[SIDE_SOURCE].bytes > 0)
		session_detail_number(u->session, "udt.source_bytes", u->from[SIDE_SOURCE].bytes);
	if (u->from[SIDE_DESTINATION].bytes > 0)
		session_detail_number(u->session, "udt.destination_bytes", u->from[SIDE_DESTINATION].bytes);
	free(u);
}

const struct proto proto_udt = {
        .name = "udt",
        .transport = IPPROTO_UDP,
        .ports = {9000},
        .reads = "UDT 4: handshake, bytes each way without those sent again",
        .infers = "transfers, from volume",
        .misses = "what the application's bytes are; connections whose handshake was not seen; SRT is another protocol",
        .probe = udt_probe,
        .open = udt_open,
        .data = udt_data,
        .gap = udt_gap,
        .end = NULL,
        .close = udt_close,
};

/* Section 5.2, in a control packet of type 0: every field in its range. */
static bool
read_handshake(const uint8_t *bytes, size_t len, struct handshake *out)
{
	struct reader r = reader_init(bytes, len);
	if (len < HANDSHAKE_SIZE || reader_be32(&r) != (uint32_t)CONTROL << 16)
		return false;
	reader_skip(&r, 4); /* additional information */
	reader_skip(&r, 4 + 4); /* time, socket that it goes to */
	out->version = reader_be32(&r);
	out->type = reader_be32(&r);
	const uint32_t sequence = reader_be32(&r);
	out->packet_size = reader_be32(&r);
	out->window = reader_be32(&r);
	out->request = (int32_t)reader_be32(&r);
	out->socket = reader_be32(&r);
	out->cookie = reader_be32(&r);
	return reader_ok(&r) && out->version == UDT_VERSION && (out->type == STREAM || out->type == DATAGRAM) &&
	       sequence >> 31 == 0 && out->packet_size >= PACKET_MIN && out->packet_size <= PACKET_MAX && out->window > 0 &&
	       out->window >> 24 == 0 && out->request >= -2 && out->request <= 1 && out->socket != 0;
}

/* SRT's listener answers with version 5 (draft-sharabayko-srt section 4.3.1.1). */
static bool
is_srt(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	if (len < HANDSHAKE_SIZE || reader_be32(&r) != (uint32_t)CONTROL << 16)
		return false;
	reader_skip(&r, HEADER_SIZE - 4);
	return reader_be32(&r) == UDT_VERSION + 1;
}

/* Sequence numbers have 31 bits (section 4.1); those behind the highest one were sent before, mostly. */
static void
take_data(struct udt *u, enum side from, uint32_t sequence, size_t len)
{
	struct direction *d = &u->from[from];
	const uint32_t ahead = (sequence - d->next) & 0x7fffffff;
	d->packets++;
	if (!d->started || ahead < 0x40000000) {
		d->started = true;
		d->next = (sequence + 1) & 0x7fffffff;
		d->bytes += len;
	} else {
		d->again += len;
	}
	if (u->from[0].packets + u->from[1].packets >= u->next_look)
		look(u);
}

static void
look(struct udt *u)
{
	const struct direction *s = &u->from[SIDE_SOURCE], *d = &u->from[SIDE_DESTINATION];
	const enum side sender = s->bytes >= d->bytes ? SIDE_SOURCE : SIDE_DESTINATION;
	struct session_guess guess = {.method = "UDT"};
	char why[160];

	u->next_look = 2 * (s->packets + d->packets);
	if (s->packets + d->packets == 0)
		return;
	(void)snprintf(why, sizeof why, "a UDT connection with %" PRIu64 " bytes of data this way, %" PRIu64 " sent again",
	        u->from[sender].bytes, u->from[sender].again);
	guess.why = why;
	/* The other way go acknowledgements. */
	if (u->from[side_other(sender)].packets == 0)
		guess.least[side_other(sender)] = UINT64_MAX;
	session_inferred_as(u->session, &guess);
}
