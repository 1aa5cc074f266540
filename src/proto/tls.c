/*
 * TLS 1.0 to 1.3, SSL 3.0 and the hello of SSL 2.0: who is asked for (SNI, ALPN), by
 * what kind of client (JA3, JA4), and the version chosen. Records are followed past
 * the hellos only until both ends have sent application data; nothing is
 * decrypted, and a session's volume is inferred.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "proto/tls_fingerprint.h"
#include "proto/tls_hello.h"

enum { /* record content types (RFC 8446 section 5.1, RFC 6520) */
	RECORD_CHANGE_CIPHER = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
	RECORD_HEARTBEAT = 24,
};

enum { /* handshake types (RFC 8446 section 4) */
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
};

enum {
	RECORD_HEADER = 5,
	RECORD_MAX = 16384 + 2048, /* RFC 5246 section 6.2.3 */
	HANDSHAKE_HEADER = 4,
	HELLO_MAX = 65536,         /* a longer one is not looked at */
	HELLO_FIRST_SIZE = 2048,
	FOLLOW_MAX = 65536,        /* bytes a side after which application data is no more waited for */
	SSL2_HELLO_MIN = 9,        /* to the end of its length fields */
	SERVER_NAME_MAX = 4096,    /* real ones stay below 256 (RFC 1035 section 2.3.4) */
};

enum step {
	STEP_HELLO,  /* its hello is still to come, or being put together in message */
	STEP_FOLLOW, /* records are skipped until application data */
	STEP_OVER,   /* nothing more is wanted of this side */
};

struct half {
	enum step step;
	uint8_t header[RECORD_HEADER];
	size_t header_len;
	uint8_t type;       /* of the record that record_left belongs to */
	size_t record_left; /* bytes of it still to come */
	uint8_t *message;   /* the hello, put together */
	size_t message_len, message_size;
	uint64_t total;
	bool data;          /* application data was seen */
};

struct tls {
	struct session *session;
	struct half half[2];
};

static enum verdict probe_half(const uint8_t *bytes, size_t len, bool midstream);
static enum verdict probe_ssl2(const uint8_t *bytes, size_t len);
static bool is_record_type(uint8_t type);
static bool is_hello(uint8_t message);
static bool over(const struct tls *t);
static bool half_records(struct tls *t, struct half *half, const uint8_t *bytes, size_t len);
static bool half_header(struct half *half, const uint8_t **bytes, size_t *len);
static void half_handshake(struct tls *t, struct half *half, const uint8_t *bytes, size_t len);
static size_t half_wanted(const struct half *half);
static bool half_reserve(struct half *half, size_t len);
static void half_leave_hello(struct half *half);
static void tell_hello(struct tls *t, const struct half *half);
static void tell_client(struct session *s, const struct tls_hello *h);
static void tell_server_name(struct session *s, struct reader name);
static void tell_ssl2(struct tls *t, struct half *half, const uint8_t *bytes, size_t len);
static void tell_version(struct session *s, uint16_t version);
static void tell_text(struct session *s, enum session_fact which, const char *text);

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
	t->session = s;
	session_unreadable(s, "encrypted");
	return t;
}

static enum verdict
tls_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct tls *t = state;
	struct half *half = &t->half[from];

	if (half->total == 0 && probe_ssl2(bytes, len) == VERDICT_DONE)
		tell_ssl2(t, half, bytes, len);
	half->total += len;
	if (half->step != STEP_OVER && !half_records(t, half, bytes, len))
		half->step = STEP_OVER;
	if (half->total > FOLLOW_MAX && half->step == STEP_FOLLOW)
		half->step = STEP_OVER;
	if (t->half[SIDE_SOURCE].data && t->half[SIDE_DESTINATION].data)
		session_tls_established(t->session);
	return over(t) ? VERDICT_DONE : VERDICT_MORE;
}

/* Where the next record begins can't be told behind a gap. */
static enum verdict
tls_gap(void *state, enum side from, uint64_t len)
{
	struct tls *t = state;
	struct half *half = &t->half[from];
	half->total += len;
	if (half->step == STEP_HELLO)
		half_leave_hello(half);
	half->step = STEP_OVER;
	return over(t) ? VERDICT_DONE : VERDICT_MORE;
}

static void
tls_close(void *state, bool reset)
{
	struct tls *t = state;
	(void)reset;
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
        .reads = "server name, ALPN, JA3, JA4 and version of SSL 2.0 hellos to TLS 1.3",
        .infers = "transfers, from volume",
        .misses = "content, certificates, the inner name of an encrypted ClientHello",
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
	if (record == 0 || record > RECORD_MAX)
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
		return len > 2 && bytes[2] != HANDSHAKE_CLIENT_HELLO ? VERDICT_NOT_MINE : VERDICT_MORE;

	size_t length = reader_be16(&r) & 0x7fff;
	uint8_t type = reader_u8(&r);
	uint16_t version = reader_be16(&r);
	size_t ciphers = reader_be16(&r), id = reader_be16(&r), challenge = reader_be16(&r);
	bool fits = (bytes[0] & 0x80) != 0 && type == HANDSHAKE_CLIENT_HELLO &&
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

static bool
is_hello(uint8_t message)
{
	return message == HANDSHAKE_CLIENT_HELLO || message == HANDSHAKE_SERVER_HELLO;
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
half_records(struct tls *t, struct half *half, const uint8_t *bytes, size_t len)
{
	while (len > 0 && half->step != STEP_OVER) {
		if (half->record_left == 0) {
			if (!half_header(half, &bytes, &len))
				return false;
			continue;
		}
		size_t n = len < half->record_left ? len : half->record_left;
		if (half->step == STEP_HELLO && half->type == RECORD_HANDSHAKE)
			half_handshake(t, half, bytes, n);
		else if (half->step == STEP_HELLO && half->type == RECORD_DATA)
			half_leave_hello(half); /* seen too late */
		if (half->type == RECORD_DATA) {
			half->data = true;
			half->step = STEP_OVER;
		}
		half->record_left -= n;
		bytes += n;
		len -= n;
	}
	return true;
}

/* Takes header bytes off the front; a whole header sets type and record_left. False: not a record. */
static bool
half_header(struct half *half, const uint8_t **bytes, size_t *len)
{
	while (*len > 0 && half->header_len < RECORD_HEADER) {
		half->header[half->header_len++] = *(*bytes)++;
		(*len)--;
	}
	if (half->header_len < RECORD_HEADER)
		return true;
	half->header_len = 0;
	half->type = half->header[0];
	half->record_left = (size_t)half->header[3] << 8 | half->header[4];
	return is_record_type(half->type) && half->header[1] == 3 && half->record_left <= RECORD_MAX;
}

/* A hello may be spread over records, and records over segments (RFC 8446 section 5.1). */
static void
half_handshake(struct tls *t, struct half *half, const uint8_t *bytes, size_t len)
{
	while (len > 0 && half->step == STEP_HELLO) {
		size_t wanted = half_wanted(half);
		size_t n = wanted - half->message_len < len ? wanted - half->message_len : len;
		if (wanted > HELLO_MAX || !half_reserve(half, half->message_len + n)) {
			half_leave_hello(half);
			return;
		}
		memcpy(half->message + half->message_len, bytes, n);
		half->message_len += n;
		bytes += n;
		len -= n;
		if (half->message_len < HANDSHAKE_HEADER)
			continue;
		bool whole = half->message_len == half_wanted(half);
		if (whole && is_hello(half->message[0]))
			tell_hello(t, half);
		/* What is no hello comes behind one that was not seen. */
		if (whole || !is_hello(half->message[0]))
			half_leave_hello(half);
	}
}

/* Bytes of the message as far as its length is known. */
static size_t
half_wanted(const struct half *half)
{
	if (half->message_len < HANDSHAKE_HEADER)
		return HANDSHAKE_HEADER;
	struct reader r = reader_init(half->message + 1, 3);
	return HANDSHAKE_HEADER + (size_t)reader_be24(&r);
}

static bool
half_reserve(struct half *half, size_t len)
{
	if (len <= half->message_size)
		return true;
	/* By what has come, not by what the message says of its length. */
	size_t size = half->message_size > 0 ? half->message_size : HELLO_FIRST_SIZE;
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
half_leave_hello(struct half *half)
{
	free(half->message);
	half->message = NULL;
	half->message_len = half->message_size = 0;
	half->step = STEP_FOLLOW;
}

static void
tell_hello(struct tls *t, const struct half *half)
{
	struct tls_hello hello;
	struct reader body = reader_init(half->message + HANDSHAKE_HEADER,
	        half->message_len - HANDSHAKE_HEADER);

	if (half->message[0] == HANDSHAKE_CLIENT_HELLO) {
		if (tls_hello_client(body, &hello) == 0)
			tell_client(t->session, &hello);
	} else if (tls_hello_server(body, &hello) == 0) {
		tell_version(t->session, hello.version);
		/* The server's choice says more than the client's first wish. */
		if (hello.alpn.left > 0)
			session_fact(t->session, SESSION_TLS_ALPN, hello.alpn.next, hello.alpn.left);
	}
}

/* A second ClientHello (RFC 8446 section 4.1.2) is not told: the first one was the free choice. */
static void
tell_client(struct session *s, const struct tls_hello *h)
{
	char ja3[DIGEST_HEX_MAX], ja4[TLS_JA4_MAX];

	if (session_has_fact(s, SESSION_TLS_JA3))
		return;
	tell_text(s, SESSION_TLS_JA3, tls_ja3(session_digests(s), h, ja3));
	tell_text(s, SESSION_TLS_JA4, tls_ja4(session_digests(s), h, ja4));
	if (h->alpn.left > 0 && !session_has_fact(s, SESSION_TLS_ALPN))
		session_fact(s, SESSION_TLS_ALPN, h->alpn.next, h->alpn.left);
	if (h->server_name.left > 0)
		tell_server_name(s, h->server_name);
}

/* Host names do not know case (RFC 6066 section 3, RFC 4343). */
static void
tell_server_name(struct session *s, struct reader name)
{
	char text[SERVER_NAME_MAX];
	size_t len = 0;
	for (uint8_t c; len < sizeof text && len < name.left && (c = name.next[len]) != '\0'; len++)
		text[len] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	session_fact(s, SESSION_TLS_NAME, text, len);
	session_service(s, text, len);
}

/* The hello of SSL 2.0 names no host and has no fingerprint. What follows may be TLS. */
static void
tell_ssl2(struct tls *t, struct half *half, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	size_t length = 2 + ((size_t)reader_be16(&r) & 0x7fff);

	reader_skip(&r, 1); /* message type */
	uint16_t version = reader_be16(&r);
	half->step = STEP_FOLLOW;
	if (version == 0x0002) {
		tell_version(t->session, version);
		t->half[SIDE_SOURCE].step = t->half[SIDE_DESTINATION].step = STEP_OVER;
	}
	/* It is skipped as if it were a record. */
	half->type = RECORD_HANDSHAKE;
	half->record_left = length;
}

/* The number alone, as in "TLS 1.3"; below 1.0 it is SSL's. One without a name takes the place of what was known. */
static void
tell_version(struct session *s, uint16_t version)
{
	static const struct {
		uint16_t wire;
		const char *text;
	} names[] = {{0x0304, "1.3"}, {0x0303, "1.2"}, {0x0302, "1.1"}, {0x0301, "1.0"}, {0x0300, "ssl 3.0"},
	        {0x0002, "ssl 2.0"}};
	const char *text = "";
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].wire == version)
			text = names[i].text;
	session_fact(s, SESSION_TLS_VERSION, text, strlen(text));
}

static void
tell_text(struct session *s, enum session_fact which, const char *text)
{
	if (text != NULL)
		session_fact(s, which, text, strlen(text));
}
