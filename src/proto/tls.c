/*
 * TLS 1.0 to 1.3, SSL 3.0 and the hello of SSL 2.0 over TCP: records, and the handshake
 * messages in them for as long as these are in the clear (tls_handshake). Records of
 * application data are followed for their lengths alone (tls_turns); nothing is decrypted, and
 * a session's volume is inferred.
 *
 * RFC 8446 section 5, RFC 5246 section 6 and appendix E.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "proto/tls_handshake.h"
#include "proto/tls_turns.h"

enum { /* record content types (RFC 8446 section 5.1, RFC 6520) */
	RECORD_CHANGE_CIPHER = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
	RECORD_HEARTBEAT = 24,
	RECORD_SSL2 = 0, /* ours, for the hello of SSL 2.0, which is no record of these */
};

enum {
	RECORD_HEADER = 5,
	RECORD_MAX = 16384 + 2048, /* RFC 5246 section 6.2.3 */
	MESSAGE_HEADER = 4,
	MESSAGE_FIRST_SIZE = 2048,
	ALERT_MAX = 64,            /* two bytes, encrypted by any cipher */
	FOLLOW_MAX = 65536,        /* bytes a side after which application data is no more waited for */
	SSL2_HELLO_MIN = 9,        /* to the end of its length fields */
};

enum step {
	STEP_MESSAGES, /* handshake messages are read */
	STEP_FOLLOW,   /* records are skipped until application data */
	STEP_DATA,     /* lengths of records are counted */
	STEP_OVER,     /* nothing more is wanted of this side */
};

struct half {
	enum step step;
	uint8_t header[RECORD_HEADER];
	uint8_t header_len;
	uint8_t type;          /* of the record that record_left belongs to */
	uint8_t message_type;
	uint8_t message_header[MESSAGE_HEADER];
	uint8_t message_header_len;
	bool keeping;          /* the message is put together */
	size_t record_left;    /* bytes of it still to come */
	size_t message_left;   /* of the message, behind message_header */
	uint8_t *message;      /* its body as far as it came */
	size_t message_len, message_size, message_wanted;
	uint64_t total;
	bool data;             /* application data was seen */
	bool changed;          /* ChangeCipherSpec was, */
	bool finished;         /* and a handshake record behind it: what follows is no handshake in disguise */
};

struct tls {
	struct tls_handshake handshake;
	struct half half[2];
	struct tls_turns turns;
};

static enum verdict probe_half(const uint8_t *bytes, size_t len, bool midstream);
static enum verdict probe_ssl2(const uint8_t *bytes, size_t len);
static bool is_record_type(uint8_t type);
static bool may_come_first(uint8_t type, size_t len);
static bool is_hello(uint8_t message);
static bool over(const struct tls *t);
static bool half_records(struct tls *t, enum side from, const uint8_t *bytes, size_t len);
static bool half_header(struct tls *t, enum side from, const uint8_t **bytes, size_t *len);
static bool begin_ssl2(struct tls *t, enum side from);
static void count_record(struct tls *t, enum side from);
static void half_body(struct tls *t, enum side from, const uint8_t *bytes, size_t len);
static void half_messages(struct tls *t, enum side from, const uint8_t *bytes, size_t len);
static size_t message_header(struct tls *t, enum side from, const uint8_t *bytes, size_t len);
static void message_body(struct tls *t, enum side from, const uint8_t *bytes, size_t len);
static void message_ends(struct tls *t, enum side from);
static bool half_reserve(struct half *half, size_t len);
static void half_drop(struct half *half);

static enum verdict
tls_probe(const struct probe *p)
{
	enum verdict all = VERDICT_NOT_MINE;
	for (size_t side = 0; side < 2; side++) {
		enum verdict v = probe_half(p->bytes[side], p->len[side], p->midstream);
		if (v == VERDICT_NOT_MINE && p->len[side] > 0)
			return v; /* both sides must speak it */
		if (all == VERDICT_NOT_MINE || v == VERDICT_DONE)
			all = v;
	}
	return all;
}

static void *
tls_open(struct session *s)
{
	struct tls *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	tls_handshake_init(&t->handshake, s, TLS_OVER_TCP);
	session_unreadable(s, "encrypted");
	return t;
}

static enum verdict
tls_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct tls *t = state;
	struct half *half = &t->half[from];

	half->total += len;
	if (half->step != STEP_OVER && !half_records(t, from, bytes, len))
		half->step = STEP_OVER;
	if (half->step != STEP_DATA && half->total > (half->step == STEP_FOLLOW ? FOLLOW_MAX : FOLLOW_MAX + TLS_MESSAGE_MAX))
		half->step = STEP_OVER;
	if (half->step == STEP_OVER)
		half_drop(half);
	if (t->half[SIDE_SOURCE].data && t->half[SIDE_DESTINATION].data)
		session_tls_established(t->handshake.session);
	return over(t) ? VERDICT_DONE : VERDICT_MORE;
}

/* Behind a gap it can't be told where the next record begins, but where the gap is all in one. */
static enum verdict
tls_gap(void *state, enum side from, uint64_t len)
{
	struct tls *t = state;
	struct half *half = &t->half[from];
	half->total += len;
	half_drop(half);
	tls_handshake_lost(&t->handshake, from);
	if (half->step == STEP_OVER || half->header_len > 0 || len > half->record_left) {
		half->step = STEP_OVER;
	} else {
		half->record_left -= (size_t)len;
		if (half->step != STEP_DATA)
			half->step = STEP_FOLLOW;
	}
	return over(t) ? VERDICT_DONE : VERDICT_MORE;
}

static void
tls_close(void *state, bool reset)
{
	struct tls *t = state;
	(void)reset;
	tls_turns_tell(&t->turns, t->handshake.session, t->handshake.client_known ? t->handshake.client : SIDE_SOURCE);
	free(t->half[SIDE_SOURCE].message);
	free(t->half[SIDE_DESTINATION].message);
	free(t);
}

static bool
tls_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_tls = {
        .name = "tls",
        .transport = IPPROTO_TCP,
        .ports = {443, 990, 993, 8443},
        .reads = "server name, ALPN, JA3 and JA4 of the client; version, cipher and JA3S of the server; whether an "
                 "earlier session is resumed; up to TLS 1.2 the names and SHA-256 of certificates; SSL 3.0 and hellos "
                 "of SSL 2.0",
        .infers = "transfers, from volume; how many requests, and the largest of them and of their answers, from the lengths of records",
        .misses = "content; certificates of TLS 1.3; the inner name of an encrypted ClientHello, which is told as "
                  "offered; offers of SSL 2.0",
        .probe = tls_probe,
        .open = tls_open,
        .data = tls_data,
        .gap = tls_gap,
        .end = NULL,
        .close = tls_close,
        .finished = tls_finished,
};

/*
 * A conversation starts with a handshake record, and a handshake with a hello; or with an
 * alert from a server that wants none of it. In the middle, any record may come first.
 */
static enum verdict
probe_half(const uint8_t *bytes, size_t len, bool midstream)
{
	if (len == 0)
		return VERDICT_MORE;
	if (bytes[0] >= 0x80)
		return probe_ssl2(bytes, len);
	if (midstream ? !is_record_type(bytes[0])
	              : bytes[0] != RECORD_HANDSHAKE && bytes[0] != RECORD_ALERT)
		return VERDICT_NOT_MINE;
	if (len >= 2 && bytes[1] != 3) /* major version; 3.x covers SSL 3.0 to TLS 1.3 */
		return VERDICT_NOT_MINE;
	if (len >= 3 && bytes[2] > 4)
		return VERDICT_NOT_MINE;
	if (len < RECORD_HEADER + 1)
		return VERDICT_MORE;
	size_t record = (size_t)bytes[3] << 8 | bytes[4];
	if (record == 0 || record > RECORD_MAX || (midstream && !may_come_first(bytes[0], record)))
		return VERDICT_NOT_MINE;
	uint8_t message = bytes[RECORD_HEADER];
	if (bytes[0] == RECORD_HANDSHAKE && !midstream && !is_hello(message))
		return VERDICT_NOT_MINE;
	return VERDICT_DONE;
}

/*
 * CLIENT-HELLO of SSL 2.0, also the way older clients ask for SSL 3.0 and TLS 1.0 (RFC 5246
 * appendix E.2): two bytes length with the top bit set, 1, version, three lengths.
 */
static enum verdict
probe_ssl2(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	if (len < 2 + SSL2_HELLO_MIN)
		return len > 2 && bytes[2] != TLS_CLIENT_HELLO ? VERDICT_NOT_MINE : VERDICT_MORE;

	size_t length = reader_be16(&r) & 0x7fff;
	uint8_t type = reader_u8(&r);
	uint16_t version = reader_be16(&r);
	size_t ciphers = reader_be16(&r), id = reader_be16(&r), challenge = reader_be16(&r);
	bool fits = (bytes[0] & 0x80) != 0 && type == TLS_CLIENT_HELLO &&
	            (version == 0x0002 || version >> 8 == 3) && ciphers > 0 && ciphers % 3 == 0 &&
	            (id == 0 || id == 16) && challenge >= 16 && challenge <= 32 &&
	            length == SSL2_HELLO_MIN + ciphers + id + challenge;
	return fits ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static bool
is_record_type(uint8_t type)
{
	return type >= RECORD_CHANGE_CIPHER && type <= RECORD_HEARTBEAT;
}

/* In the middle five bytes are all there is to go by: lengths that nobody sends, and types that hardly anybody does, are another's. */
static bool
may_come_first(uint8_t type, size_t len)
{
	switch (type) {
	case RECORD_CHANGE_CIPHER:
		return len == 1;
	case RECORD_ALERT:
		return len <= ALERT_MAX;
	case RECORD_HEARTBEAT:
		return false;
	default:
		return true;
	}
}

static bool
is_hello(uint8_t message)
{
	return message == TLS_CLIENT_HELLO || message == TLS_SERVER_HELLO;
}

/* Both ends have said all, or one has and goes on while the other was never seen. */
static bool
over(const struct tls *t)
{
	const struct half *a = &t->half[SIDE_SOURCE], *b = &t->half[SIDE_DESTINATION];
	return (a->step == STEP_OVER && (b->step == STEP_OVER || (b->total == 0 && a->total > FOLLOW_MAX))) ||
	       (b->step == STEP_OVER && a->total == 0 && b->total > FOLLOW_MAX);
}

/* Goes through the records of one side; false when they are none. */
static bool
half_records(struct tls *t, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &t->half[from];

	while (len > 0 && half->step != STEP_OVER) {
		if (half->record_left == 0) {
			if (!half_header(t, from, &bytes, &len))
				return false;
			continue;
		}
		size_t n = len < half->record_left ? len : half->record_left;
		half_body(t, from, bytes, n);
		half->record_left -= n;
		bytes += n;
		len -= n;
	}
	return true;
}

/* Takes header bytes off the front; a whole header sets type and record_left. False: not a record. */
static bool
half_header(struct tls *t, enum side from, const uint8_t **bytes, size_t *len)
{
	struct half *half = &t->half[from];
	const bool first = half->total == *len + half->header_len;

	while (*len > 0 && half->header_len < RECORD_HEADER) {
		half->header[half->header_len++] = *(*bytes)++;
		(*len)--;
	}
	if (half->header_len < RECORD_HEADER)
		return true;
	half->header_len = 0;
	if (first && half->header[0] >= 0x80)
		return begin_ssl2(t, from);
	half->type = half->header[0];
	half->record_left = (size_t)half->header[3] << 8 | half->header[4];
	count_record(t, from);
	return is_record_type(half->type) && half->header[1] == 3 && half->record_left <= RECORD_MAX;
}

/*
 * The end of a handshake of TLS 1.3 looks like application data: all that the server says before the client does, and
 * the client's first record (RFC 8446 section 2, appendix D.4). Before 1.3 a handshake record stands there.
 */
static void
count_record(struct tls *t, enum side from)
{
	const enum side client = t->handshake.client_known ? t->handshake.client : SIDE_SOURCE;
	struct half *half = &t->half[from];
	half->changed |= half->type == RECORD_CHANGE_CIPHER;
	half->finished |= half->changed && half->type == RECORD_HANDSHAKE;
	if (half->type != RECORD_DATA)
		return;
	const bool disguised = t->handshake.client_told && !half->finished &&
	                       (from == client ? !half->data : !t->half[client].data);
	if (!disguised)
		tls_turns_record(&t->turns, from, client, half->record_left);
}

/* The hello of SSL 2.0 names no host and has no fingerprint. What follows may be TLS. */
static bool
begin_ssl2(struct tls *t, enum side from)
{
	struct half *half = &t->half[from];
	struct reader r = reader_init(half->header, RECORD_HEADER);
	size_t length = reader_be16(&r) & 0x7fff;
	uint8_t type = reader_u8(&r);
	uint16_t version = reader_be16(&r);

	if (type != TLS_CLIENT_HELLO || length < SSL2_HELLO_MIN)
		return false;
	session_client_end(t->handshake.session, from);
	if (version == 0x0002) {
		tls_tell_version(t->handshake.session, version);
		t->half[SIDE_SOURCE].step = t->half[SIDE_DESTINATION].step = STEP_OVER;
	}
	half->type = RECORD_SSL2;
	half->record_left = length + 2 - RECORD_HEADER;
	return true;
}

/* Bytes of the record at hand. */
static void
half_body(struct tls *t, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &t->half[from];

	if (half->type == RECORD_DATA) {
		if (half->step != STEP_DATA) {
			half_drop(half);
			tls_handshake_lost(&t->handshake, from); /* what was not seen by now was seen too late */
		}
		half->data = true;
		half->step = STEP_DATA;
	} else if (half->step == STEP_MESSAGES && half->type == RECORD_CHANGE_CIPHER) {
		tls_handshake_encrypts(&t->handshake, from);
	} else if (half->step == STEP_MESSAGES && half->type == RECORD_HANDSHAKE) {
		half_messages(t, from, bytes, len);
	}
	if (half->step == STEP_MESSAGES && t->handshake.over[from]) {
		half_drop(half);
		half->step = STEP_FOLLOW;
	}
}

/* A message may be spread over records, and records over segments (RFC 8446 section 5.1). */
static void
half_messages(struct tls *t, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &t->half[from];

	while (len > 0 && !t->handshake.over[from]) {
		size_t n;
		if (half->message_header_len < MESSAGE_HEADER) {
			n = message_header(t, from, bytes, len);
		} else {
			n = len < half->message_left ? len : half->message_left;
			half->message_left -= n;
			if (half->keeping)
				message_body(t, from, bytes, n);
		}
		if (half->message_header_len == MESSAGE_HEADER && half->message_left == 0)
			message_ends(t, from);
		bytes += n;
		len -= n;
	}
}

/* Takes bytes of a message's header; how many. */
static size_t
message_header(struct tls *t, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &t->half[from];
	size_t n = MESSAGE_HEADER - half->message_header_len;

	n = len < n ? len : n;
	memcpy(half->message_header + half->message_header_len, bytes, n);
	half->message_header_len += (uint8_t)n;
	if (half->message_header_len < MESSAGE_HEADER)
		return n;
	struct reader r = reader_init(half->message_header, MESSAGE_HEADER);
	half->message_type = reader_u8(&r);
	half->message_left = reader_be24(&r);
	half->keeping = tls_handshake_wants(&t->handshake, from, half->message_type);
	half->message_wanted = half->message_left;
	if (half->message_type == TLS_CERTIFICATE && half->message_wanted > TLS_CERTIFICATE_HEAD)
		half->message_wanted = TLS_CERTIFICATE_HEAD;
	return n;
}

/* Bytes of a message that is kept. Of a Certificate, how many are wanted is told by its first ones. */
static void
message_body(struct tls *t, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &t->half[from];

	while (len > 0 && half->message_len < half->message_wanted) {
		size_t n = half->message_wanted - half->message_len;
		n = len < n ? len : n;
		if (half->message_wanted > TLS_MESSAGE_MAX || !half_reserve(half, half->message_len + n)) {
			tls_handshake_lost(&t->handshake, from);
			return;
		}
		memcpy(half->message + half->message_len, bytes, n);
		half->message_len += n;
		bytes += n;
		len -= n;
		if (half->message_type == TLS_CERTIFICATE && half->message_len == TLS_CERTIFICATE_HEAD)
			half->message_wanted = tls_certificate_wanted(half->message, half->message_len);
	}
	if (half->message_len == half->message_wanted)
		message_ends(t, from);
}

/* All that is wanted of a message is there, or all of it has passed. */
static void
message_ends(struct tls *t, enum side from)
{
	struct half *half = &t->half[from];

	if (half->keeping)
		tls_handshake_message(&t->handshake, from, half->message_type,
		        reader_init(half->message, half->message_len));
	half->keeping = false;
	half_drop(half);
	if (half->message_left == 0)
		half->message_header_len = 0;
}

static bool
half_reserve(struct half *half, size_t len)
{
	if (len <= half->message_size)
		return true;
	/* By what has come, not by what the message says of its length. */
	size_t size = half->message_size > 0 ? half->message_size : MESSAGE_FIRST_SIZE;
	while (size < len)
		size *= 2;
	uint8_t *message = realloc(half->message, size);
	if (message == NULL)
		return false;
	half->message = message;
	half->message_size = size;
	return true;
}

static void
half_drop(struct half *half)
{
	free(half->message);
	half->message = NULL;
	half->message_len = half->message_size = 0;
}
