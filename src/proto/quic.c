/*
 * QUIC 1, 2 and the drafts from 22 on: who is asked for and by what kind of client, out of the
 * ClientHello and ServerHello in the Initial packets, which are encrypted with keys that the packets
 * themselves give away. All behind them can't be read; its volume is inferred. Its parts:
 *   quic_packet   headers and versions      quic_google   Google's QUIC before the IETF's
 *   quic_keys     protection                tls_pieces    CRYPTO frames in any order
 *   quic_moved    connections that move     tls_handshake what the hellos say
 *
 * RFC 8999, 9000 section 17 and 19, 9001 section 5, 9368, 9369.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quic_google.h"
#include "proto/quic_keys.h"
#include "proto/quic_moved.h"
#include "proto/quic_packet.h"
#include "proto/tls_handshake.h"
#include "proto/tls_pieces.h"

enum {
	CLIENT_DATAGRAM_MIN = 1200, /* RFC 9000 section 14.1 */
	CLIENT_CID_MIN = 8,         /* section 7.2 */
	PACKETS_MAX = 16,           /* in one datagram; there are four kinds */
	OPENED_MAX = 48,            /* Initial packets of one flow that are tried */
	DATAGRAMS_MAX = 96,         /* until nothing more is waited for */
	MESSAGE_HEADER = 4,
	SHORT_MIN = 21,             /* of a datagram with a short header (section 10.3) */
	FIXED_BIT = 0x40,
	LONG_FORM = 0x80,
};

enum { /* frames of Initial packets (RFC 9000 section 12.4) */
	FRAME_PADDING = 0x00,
	FRAME_PING = 0x01,
	FRAME_ACK = 0x02,
	FRAME_ACK_ECN = 0x03,
	FRAME_CRYPTO = 0x06,
	FRAME_CRYPTO_GOOGLE = 0x08, /* of Q050 and its like */
};

struct half {
	struct tls_pieces *crypto;
	uint32_t taken; /* bytes of it that were messages already */
	bool over;      /* no message is wanted any more */
	bool data;      /* packets behind the handshake were seen */
};

struct quic {
	struct tls_handshake handshake;
	struct half half[2];
	bool has_keys;
	struct quic_version version; /* that the keys are for */
	const uint8_t *salt;         /* that they are made of, one of the version's, and the client's connection ID */
	uint8_t dcid[QUIC_CID_MAX];
	uint8_t dcid_len;
	bool made[2];                /* [QUIC_CLIENT], [QUIC_SERVER] */
	struct quic_keys keys[2];
	uint8_t opened;
	uint32_t told_version;
	uint32_t datagrams;
};

static enum verdict probe_datagram(const struct probe *p, enum side side);
static enum verdict probe_short(const struct probe *p, enum side side);
static bool has_port(uint16_t port);
static bool probe_packet(const struct quic_packet *p, const struct reader *rest, size_t len);
static bool probe_negotiation(const struct quic_packet *p);
static void take_packet(struct quic *q, enum side from, const struct quic_packet *p);
static void take_moved(struct quic *q, enum side from, const struct quic_packet *p);
static void take_google(struct quic *q, enum side from, struct reader datagram);
static void take_initial(struct quic *q, enum side from, const struct quic_packet *p);
static int open_initial(struct quic *q, enum side from, const struct quic_packet *p, uint8_t *out, size_t *len);
static int open_known(struct quic *q, enum side from, const struct quic_packet *p, uint8_t *out, size_t *len);
static int open_first(struct quic *q, enum side from, const struct quic_packet *p, uint8_t *out, size_t *len);
static int make(const struct quic *q, const struct quic_version *version, const uint8_t *salt, struct reader dcid,
        enum quic_end end, struct quic_keys *out);
static void take_keys(struct quic *q, const struct quic_version *version, const uint8_t *salt, enum quic_end end,
        const struct quic_keys *keys);
static void adopt(struct quic *q, enum side from, const struct quic_packet *p);
static void take_frames(struct quic *q, enum side from, struct reader r);
static void skip_ack(struct reader *r, bool ecn);
static void take_messages(struct quic *q, enum side from);
static void restart(struct quic *q);
static void half_ends(struct half *half);
static void tell_version(struct quic *q, uint32_t number);
static bool over(const struct quic *q);

/* One datagram decides. */
static enum verdict
quic_probe(const struct probe *p)
{
	enum verdict v = VERDICT_NOT_MINE;
	for (enum side side = SIDE_SOURCE; side <= SIDE_DESTINATION && v == VERDICT_NOT_MINE; side++)
		if (p->len[side] > 0)
			v = probe_datagram(p, side);
	return v;
}

static void *
quic_open(struct session *s)
{
	struct quic *q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	tls_handshake_init(&q->handshake, s, TLS_OVER_QUIC);
	session_unreadable(s, "encrypted");
	return q;
}

static enum verdict
quic_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct quic *q = state;
	struct reader r = reader_init(bytes, len);
	struct quic_packet p;

	q->datagrams++;
	if (len > 0 && (bytes[0] & LONG_FORM) == 0 && !q->has_keys)
		take_google(q, from, r);
	for (size_t i = 0; i < PACKETS_MAX && r.left > 0 && quic_packet_take(&r, &p) == 0; i++)
		take_packet(q, from, &p);
	if (q->half[SIDE_SOURCE].data && q->half[SIDE_DESTINATION].data)
		session_tls_established(q->handshake.session);
	return over(q) ? VERDICT_DONE : VERDICT_MORE;
}

/* The end of a datagram that was cut: it was no whole packet, then. */
static enum verdict
quic_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_MORE;
}

static void
quic_close(void *state, bool reset)
{
	struct quic *q = state;
	(void)reset;
	tls_pieces_destroy(q->half[SIDE_SOURCE].crypto);
	tls_pieces_destroy(q->half[SIDE_DESTINATION].crypto);
	free(q);
}

static bool
quic_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_quic = {
        .name = "quic",
        .transport = IPPROTO_UDP,
        .ports = {443, 8443, 4433, 853},
        .reads = "server name, ALPN, JA3 and JA4 of the client, cipher, JA3S and resumption by the server, out of the "
                 "Initial packets of QUIC 1, 2, drafts 22 to 34, mvfst and T050; server name and user agent of Google's "
                 "QUIC up to Q050",
        .infers = "transfers, from volume",
        .misses = "content, names and numbers of files, certificates; a connection seen only after its handshake, but one "
                  "that goes on between the same hosts from another port",
        .probe = quic_probe,
        .open = quic_open,
        .data = quic_data,
        .gap = quic_gap,
        .end = NULL,
        .close = quic_close,
        .finished = quic_finished,
};

static enum verdict
probe_datagram(const struct probe *p, enum side side)
{
	const size_t len = p->len[side];
	struct reader r = reader_init(p->bytes[side], len);
	struct quic_packet packet;

	if ((p->bytes[side][0] & LONG_FORM) == 0)
		return probe_short(p, side);
	return quic_packet_take(&r, &packet) == 0 && probe_packet(&packet, &r, len) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

/*
 * Google's public header says so; what is behind the handshake is known by a known connection ID alone, since even
 * the fixed bit can be any there (RFC 9287).
 */
static enum verdict
probe_short(const struct probe *p, enum side side)
{
	struct reader r = reader_init(p->bytes[side], p->len[side]);
	char name[QUIC_MOVED_NAME_MAX];
	uint32_t version;

	struct reader google = r;
	if (quic_google_header(&google, &version) == 0)
		return VERDICT_DONE;
	if (p->len[side] < SHORT_MIN || !has_port(p->port[side_other(side)]))
		return VERDICT_NOT_MINE;
	if (p->session == NULL)
		return VERDICT_MORE;
	return quic_moved_find(p->session, r, name) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

/* It costs a session to look for notes: that is worth it only where QUIC servers are. */
static bool
has_port(uint16_t port)
{
	for (size_t i = 0; i < PROTO_PORTS_MAX && proto_quic.ports[i] != 0; i++)
		if (proto_quic.ports[i] == port)
			return true;
	return false;
}

/* rest: of the datagram, behind it; len: of the datagram. */
static bool
probe_packet(const struct quic_packet *p, const struct reader *rest, size_t len)
{
	if (p->type == QUIC_NEGOTIATION)
		return probe_negotiation(p);
	if ((p->first[0] & FIXED_BIT) == 0)
		return false;
	if (quic_version_is_grease(p->version.number)) /* which a client asks for to be told of others */
		return p->type == QUIC_INITIAL && len >= CLIENT_DATAGRAM_MIN && p->dcid.left >= CLIENT_CID_MIN;
	/* Behind it comes another packet of the connection, or padding. */
	if (rest->left > 0 && rest->next[0] != 0 && (rest->next[0] & (LONG_FORM | FIXED_BIT)) == 0)
		return false;
	if (p->type == QUIC_INITIAL && p->token.left == 0 && p->version.form != QUIC_FORM_NIBBLES)
		return len >= CLIENT_DATAGRAM_MIN || p->scid.left > 0; /* the second: a server's acknowledgement */
	return p->dcid.left > 0 || p->scid.left > 0;
}

/* One of the versions that are offered is known. */
static bool
probe_negotiation(const struct quic_packet *p)
{
	struct reader versions = p->versions;
	struct quic_version known;

	while (versions.left > 0) {
		uint32_t version = reader_be32(&versions);
		if (!quic_version_is_grease(version) && quic_version_find(version, &known))
			return p->dcid.left > 0 || p->scid.left > 0;
	}
	return false;
}

static void
take_packet(struct quic *q, enum side from, const struct quic_packet *p)
{
	switch (p->type) {
	case QUIC_INITIAL:
		take_initial(q, from, p);
		break;
	case QUIC_ZERO_RTT:
	case QUIC_HANDSHAKE:
		tell_version(q, p->version.number);
		break;
	case QUIC_RETRY: /* what the client sends next has keys out of the ID that is named here (RFC 9001 section 5.2) */
		tell_version(q, p->version.number);
		session_detail(q->handshake.session, "quic.retry", "true", 4);
		restart(q);
		break;
	case QUIC_NEGOTIATION: /* the client begins anew */
		session_detail(q->handshake.session, "quic.version_negotiation", "true", 4);
		restart(q);
		break;
	case QUIC_SHORT:
		if (!q->handshake.client_known)
			take_moved(q, from, p);
		q->half[from].data = true;
		break;
	}
}

/* The connection was seen under another address or port, with all that there was to tell. */
static void
take_moved(struct quic *q, enum side from, const struct quic_packet *p)
{
	char name[QUIC_MOVED_NAME_MAX];

	if (!quic_moved_find(q->handshake.session, reader_init(p->first, p->len), name))
		return;
	q->handshake.client_known = q->handshake.client_told = q->handshake.server_told = true;
	q->handshake.client = from;
	session_client_end(q->handshake.session, from);
	tls_tell_server_name(q->handshake.session, reader_init(name, strlen(name)));
	session_detail(q->handshake.session, "quic.moved", "true", 4);
}

/* Up to Q043, and only until the server has answered, packets name their version. */
static void
take_google(struct quic *q, enum side from, struct reader r)
{
	uint32_t version;
	if (quic_google_header(&r, &version) != 0)
		return;
	tell_version(q, version);
	if (quic_google_hello(q->handshake.session, quic_google_frame(r, version))) {
		session_client_end(q->handshake.session, from);
		q->handshake.client_told = q->handshake.server_told = true;
	}
}

static void
take_initial(struct quic *q, enum side from, const struct quic_packet *p)
{
	size_t len;

	if (p->version.form == QUIC_FORM_NIBBLES) { /* number, hash, frames */
		struct reader r = reader_init(p->first, p->len);
		reader_skip(&r, p->number_at + (p->first[0] & 3) + 1u + QUIC_GOOGLE_HASH);
		tell_version(q, p->version.number);
		if (quic_google_hello(q->handshake.session, quic_google_frame(r, p->version.number))) {
			session_client_end(q->handshake.session, from);
			q->handshake.client_told = q->handshake.server_told = true;
		}
		return;
	}
	if (q->half[from].over || q->opened == OPENED_MAX)
		return;
	q->opened++;
	uint8_t *plain = malloc(p->len);
	if (plain != NULL && open_initial(q, from, p, plain, &len) == 0) {
		tell_version(q, p->version.number);
		take_frames(q, from, reader_init(plain, len));
		if (from != q->handshake.client)
			quic_moved_note(q->handshake.session, p->scid);
	}
	free(plain);
}

/* With the keys that there are; or it is one of a client that gives away new ones. */
static int
open_initial(struct quic *q, enum side from, const struct quic_packet *p, uint8_t *out, size_t *len)
{
	if (q->has_keys && open_known(q, from, p, out, len) == 0)
		return 0;
	if (q->handshake.client_known && from != q->handshake.client)
		return -1;
	return open_first(q, from, p, out, len);
}

/* A server may answer in another version than it was asked in, which the client then takes (RFC 9368 section 4). */
static int
open_known(struct quic *q, enum side from, const struct quic_packet *p, uint8_t *out, size_t *len)
{
	const enum quic_end end = from == q->handshake.client ? QUIC_CLIENT : QUIC_SERVER;
	const struct reader dcid = reader_init(q->dcid, q->dcid_len);
	struct quic_keys keys;

	if (p->version.number == q->version.number) {
		if (!q->made[end] && make(q, &q->version, q->salt, dcid, end, &q->keys[end]) != 0)
			return -1;
		q->made[end] = true;
		return quic_keys_open(&q->keys[end], p, out, len);
	}
	for (size_t i = 0; i < QUIC_SALTS_MAX && p->version.salt[i] != NULL; i++) {
		if (make(q, &p->version, p->version.salt[i], dcid, end, &keys) != 0 ||
		        quic_keys_open(&keys, p, out, len) != 0)
			continue;
		take_keys(q, &p->version, p->version.salt[i], end, &keys);
		return 0;
	}
	return -1;
}

/* The first packet of a client; of the same one after Retry, or after it was told of other versions; of another connection. */
static int
open_first(struct quic *q, enum side from, const struct quic_packet *p, uint8_t *out, size_t *len)
{
	struct quic_keys keys;

	for (size_t i = 0; i < QUIC_SALTS_MAX && p->version.salt[i] != NULL; i++) {
		if (make(q, &p->version, p->version.salt[i], p->dcid, QUIC_CLIENT, &keys) != 0 ||
		        quic_keys_open(&keys, p, out, len) != 0)
			continue;
		take_keys(q, &p->version, p->version.salt[i], QUIC_CLIENT, &keys);
		adopt(q, from, p);
		return 0;
	}
	return -1;
}

static int
make(const struct quic *q, const struct quic_version *version, const uint8_t *salt, struct reader dcid,
        enum quic_end end, struct quic_keys *out)
{
	return quic_keys_make(session_digests(q->handshake.session), salt, version->second_labels, dcid, end, out);
}

/* These are the right ones; the other end's are made when it speaks. */
static void
take_keys(struct quic *q, const struct quic_version *version, const uint8_t *salt, enum quic_end end,
        const struct quic_keys *keys)
{
	q->version = *version;
	q->salt = salt;
	q->made[QUIC_CLIENT] = q->made[QUIC_SERVER] = false;
	q->made[end] = true;
	q->keys[end] = *keys;
}

static void
adopt(struct quic *q, enum side from, const struct quic_packet *p)
{
	restart(q);
	q->has_keys = true;
	q->dcid_len = (uint8_t)p->dcid.left;
	if (p->dcid.left > 0)
		memcpy(q->dcid, p->dcid.next, p->dcid.left);
	if (!q->handshake.client_known) {
		q->handshake.client_known = true;
		q->handshake.client = from;
		session_client_end(q->handshake.session, from);
	}
}

/* Nothing of an unfinished hello stands in another one. */
static void
restart(struct quic *q)
{
	q->has_keys = false;
	for (size_t side = 0; side < 2; side++) {
		half_ends(&q->half[side]);
		q->half[side].over = false;
		q->half[side].taken = 0;
	}
}

static void
take_frames(struct quic *q, enum side from, struct reader r)
{
	struct half *half = &q->half[from];

	while (r.left > 0) {
		uint64_t type = quic_varint(&r);
		if (type == FRAME_PADDING || type == FRAME_PING)
			continue;
		if (type == FRAME_ACK || type == FRAME_ACK_ECN) {
			skip_ack(&r, type == FRAME_ACK_ECN);
			continue;
		}
		if (type != FRAME_CRYPTO && type != FRAME_CRYPTO_GOOGLE)
			break;
		uint64_t offset = quic_varint(&r), len = quic_varint(&r);
		struct reader data = reader_sub(&r, len > r.left ? SIZE_MAX : (size_t)len);
		if (!reader_ok(&r))
			break;
		if (tls_pieces_add(&half->crypto, offset, data.next, data.left) != 0) {
			half_ends(half); /* no hello is so long, or cut so small */
			return;
		}
	}
	take_messages(q, from);
}

/* RFC 9000 section 19.3 */
static void
skip_ack(struct reader *r, bool ecn)
{
	(void)quic_varint(r); /* largest acknowledged */
	(void)quic_varint(r); /* delay */
	uint64_t ranges = quic_varint(r);
	(void)quic_varint(r); /* first range */
	for (; ranges > 0 && r->left > 0; ranges--) {
		(void)quic_varint(r);
		(void)quic_varint(r);
	}
	for (size_t i = 0; ecn && i < 3; i++)
		(void)quic_varint(r);
}

/* The messages that are whole. A server can send a HelloRetryRequest before its ServerHello. */
static void
take_messages(struct quic *q, enum side from)
{
	struct half *half = &q->half[from];
	const uint8_t *bytes;
	const size_t len = tls_pieces_front(half->crypto, &bytes);

	while (!half->over && len > half->taken) {
		struct reader r = reader_init(bytes + half->taken, len - half->taken);
		if (q->version.google) {
			if (quic_google_hello(q->handshake.session, r))
				q->handshake.client_told = q->handshake.server_told = true;
			half_ends(half);
			return;
		}
		uint8_t type = reader_u8(&r);
		uint32_t body_len = reader_be24(&r);
		struct reader body = reader_sub(&r, body_len);
		if (!reader_ok(&r)) /* not whole yet */
			return;
		half->taken += MESSAGE_HEADER + body_len;
		if (tls_handshake_wants(&q->handshake, from, type))
			tls_handshake_message(&q->handshake, from, type, body);
		if (q->handshake.over[from] || (from == q->handshake.client && q->handshake.client_told))
			half_ends(half);
	}
}

static void
half_ends(struct half *half)
{
	tls_pieces_destroy(half->crypto);
	half->crypto = NULL;
	half->over = true;
}

static void
tell_version(struct quic *q, uint32_t number)
{
	char text[QUIC_VERSION_MAX];
	if (q->told_version == number || quic_version_is_grease(number))
		return;
	q->told_version = number;
	quic_version_name(number, text);
	session_detail(q->handshake.session, "quic.version", text, strlen(text));
}

/* All was told; or enough was waited for. */
static bool
over(const struct quic *q)
{
	const bool told = q->handshake.client_told && q->handshake.server_told;
	const bool data = q->half[SIDE_SOURCE].data && q->half[SIDE_DESTINATION].data;
	return (told && data) || q->datagrams > DATAGRAMS_MAX;
}
