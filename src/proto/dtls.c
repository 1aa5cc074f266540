/*
 * DTLS 1.0, 1.2 and the hellos of 1.3: TLS over datagrams (RFC 6347, RFC 9147), also between other packets of
 * one flow (STUN and SRTP, RFC 7983). Handshake messages come in fragments, in any order and more than
 * once; what they say is told as with TLS (tls_handshake). Nothing is decrypted, and a
 * session's volume is inferred.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "proto/tls_handshake.h"
#include "proto/tls_pieces.h"

enum { /* record content types (RFC 6347 section 4.1) */
	RECORD_CHANGE_CIPHER = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
	RECORD_HEARTBEAT = 24,
};

enum {
	VERSION_1_0 = 0xfeff,
	VERSION_1_2 = 0xfefd,
	VERSION_OLD = 0x0100,      /* of a draft, which some VPN servers still speak */
	RECORD_MAX = 16384 + 2048, /* RFC 5246 section 6.2.3 */
	RECORDS_MAX = 32,          /* in one datagram */
	FINISHED = 20,             /* the last type of handshake message that may come in the clear */
	DATAGRAMS_MAX = 96,        /* until nothing more is waited for */
};

struct record {
	uint8_t type;
	uint16_t version, epoch;
	struct reader body;
};

struct fragment { /* RFC 6347 section 4.2.2 */
	uint8_t type;
	uint16_t sequence;
	uint32_t len;    /* of the message */
	uint32_t offset; /* in it */
	struct reader body;
};

struct half {
	struct tls_pieces *pieces; /* of the message with this sequence number; NULL: none yet */
	uint16_t sequence;
	bool data;
};

struct dtls {
	struct tls_handshake handshake;
	struct half half[2];
	uint32_t datagrams;
};

static bool probe_datagram(const uint8_t *bytes, size_t len);
static bool take_record(struct reader *r, struct record *out);
static bool take_fragment(struct reader *r, struct fragment *out);
static void take_handshake(struct dtls *d, enum side from, struct reader r);
static void take_piece(struct dtls *d, enum side from, const struct fragment *f);
static size_t wanted(const struct fragment *f, const uint8_t *bytes, size_t len);

/* One datagram decides. */
static enum verdict
dtls_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++)
		if (p->len[side] > 0 && probe_datagram(p->bytes[side], p->len[side]))
			return VERDICT_DONE;
	return VERDICT_NOT_MINE;
}

static void *
dtls_open(struct session *s)
{
	struct dtls *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	tls_handshake_init(&d->handshake, s, TLS_OVER_DATAGRAMS);
	session_unreadable(s, "encrypted");
	return d;
}

static enum verdict
dtls_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct dtls *d = state;
	struct reader r = reader_init(bytes, len);
	struct record record;

	d->datagrams++;
	for (size_t i = 0; i < RECORDS_MAX && r.left > 0 && take_record(&r, &record); i++) {
		if (record.type == RECORD_DATA && record.epoch > 0)
			d->half[from].data = true;
		else if (record.type == RECORD_CHANGE_CIPHER)
			tls_handshake_encrypts(&d->handshake, from);
		else if (record.type == RECORD_HANDSHAKE && record.epoch == 0)
			take_handshake(d, from, record.body);
	}
	bool data = d->half[SIDE_SOURCE].data && d->half[SIDE_DESTINATION].data;
	if (data)
		session_tls_established(d->handshake.session);
	return data || d->datagrams > DATAGRAMS_MAX ? VERDICT_DONE : VERDICT_MORE;
}

/* The end of a datagram that was cut. */
static enum verdict
dtls_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_MORE;
}

static void
dtls_close(void *state, bool reset)
{
	struct dtls *d = state;
	(void)reset;
	tls_pieces_destroy(d->half[SIDE_SOURCE].pieces);
	tls_pieces_destroy(d->half[SIDE_DESTINATION].pieces);
	free(d);
}

static bool
dtls_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_dtls = {
        .name = "dtls",
        .transport = IPPROTO_UDP,
        .ports = {443, 4433, 5349, 5684},
        .reads = "server name, ALPN, JA3 and JA4 of the client; version, cipher and JA3S of the server; whether an "
                 "earlier session is resumed; up to DTLS 1.2 the names and SHA-256 of certificates",
        .infers = "transfers, from volume",
        .misses = "content; certificates of DTLS 1.3; DTLS 1.3 seen only after its hellos",
        .probe = dtls_probe,
        .open = dtls_open,
        .data = dtls_data,
        .gap = dtls_gap,
        .end = NULL,
        .close = dtls_close,
        .finished = dtls_finished,
};

/* All of the datagram is records; the first is data, or holds a fragment of a message. */
static bool
probe_datagram(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	struct record first, next;
	struct fragment f;

	if (bytes[0] < RECORD_CHANGE_CIPHER || bytes[0] > RECORD_HEARTBEAT || !take_record(&r, &first))
		return false;
	for (size_t i = 1; i < RECORDS_MAX && r.left > 0; i++)
		if (!take_record(&r, &next) || next.version != first.version)
			return false;
	if (first.type == RECORD_HANDSHAKE && first.epoch == 0)
		return take_fragment(&first.body, &f) && f.type <= FINISHED;
	return first.epoch > 0 || first.type == RECORD_ALERT ? first.body.left >= 2 : first.body.left == 1;
}

/* Records of one datagram are whole (RFC 6347 section 4.1.1). */
static bool
take_record(struct reader *r, struct record *out)
{
	out->type = reader_u8(r);
	out->version = reader_be16(r);
	out->epoch = reader_be16(r);
	reader_skip(r, 6); /* sequence number */
	uint16_t len = reader_be16(r);
	out->body = reader_sub(r, len);
	return reader_ok(r) && out->type >= RECORD_CHANGE_CIPHER && out->type <= RECORD_HEARTBEAT && len > 0 &&
	       len <= RECORD_MAX &&
	       (out->version == VERSION_1_0 || out->version == VERSION_1_2 || out->version == VERSION_OLD);
}

static bool
take_fragment(struct reader *r, struct fragment *out)
{
	out->type = reader_u8(r);
	out->len = reader_be24(r);
	out->sequence = reader_be16(r);
	out->offset = reader_be24(r);
	out->body = reader_sub(r, reader_be24(r));
	return reader_ok(r) && out->offset <= out->len && out->body.left <= out->len - out->offset;
}

/* One record may hold several. */
static void
take_handshake(struct dtls *d, enum side from, struct reader r)
{
	struct fragment f;
	while (r.left > 0 && !d->handshake.over[from] && take_fragment(&r, &f))
		take_piece(d, from, &f);
}

/* Messages are put together one after the other; what comes again is passed over. */
static void
take_piece(struct dtls *d, enum side from, const struct fragment *f)
{
	struct half *half = &d->half[from];
	const uint8_t *bytes = NULL;

	if (f->sequence < half->sequence || !tls_handshake_wants(&d->handshake, from, f->type))
		return;
	if (f->sequence != half->sequence) {
		tls_pieces_destroy(half->pieces);
		half->pieces = NULL;
		half->sequence = f->sequence;
	}
	if (tls_pieces_add(&half->pieces, f->offset, f->body.next, f->body.left) != 0) {
		tls_handshake_lost(&d->handshake, from);
		return;
	}
	const size_t have = tls_pieces_front(half->pieces, &bytes), want = wanted(f, bytes, have);
	if (have < want)
		return;
	tls_handshake_message(&d->handshake, from, f->type, reader_init(bytes, want));
	tls_pieces_destroy(half->pieces);
	half->pieces = NULL;
	half->sequence++;
}

/* How much of the message is, as far as the bytes tell that are there. */
static size_t
wanted(const struct fragment *f, const uint8_t *bytes, size_t len)
{
	if (f->type != TLS_CERTIFICATE || f->len < TLS_CERTIFICATE_HEAD)
		return f->len;
	return len < TLS_CERTIFICATE_HEAD ? TLS_CERTIFICATE_HEAD : tls_certificate_wanted(bytes, len);
}
