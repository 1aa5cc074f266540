#include "config.h"

#include "proto/tls_handshake.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "proto/ftps.h"
#include "proto/tls_certificate.h"
#include "proto/tls_fingerprint.h"
#include "transfer/transfer.h"

enum { /* the other message types that matter here */
	HELLO_REQUEST = 0,
	HELLO_VERIFY_REQUEST = 3,
	NEW_SESSION_TICKET = 4,
	CERTIFICATE_STATUS = 22,
	SUPPLEMENTAL_DATA = 23,
};

enum { SERVER_NAME_MAX = 4096 }; /* real ones stay below 256 (RFC 1035 section 2.3.4) */

struct certificate_keys { /* of session_detail */
	const char *subject, *issuer, *hash, *names, *left_out;
};

static void take_client(struct tls_handshake *h, enum side from, struct reader body);
static void take_server(struct tls_handshake *h, enum side from, struct reader body);
static void take_certificate(struct tls_handshake *h, enum side from, struct reader body);
static void know_client(struct tls_handshake *h, enum side client);
static bool is_server(const struct tls_handshake *h, enum side from);
static bool is_resuming(const struct tls_handshake *h, enum side from);
static void resumed(struct tls_handshake *h);
static bool is_hidden(uint16_t version);
static bool is_draft(uint16_t version);
static void tell_client(struct session *s, const struct tls_hello *h);
static void tell_server(struct session *s, const struct tls_hello *h);
static void tell_certificate(struct session *s, struct reader der, const struct certificate_keys *keys);
static void tell_hash(struct session *s, const char *key, struct reader der);
static void tell_text(struct session *s, enum session_fact which, const char *text);
static void tell_detail(struct session *s, const char *key, const char *text);

void
tls_handshake_init(struct tls_handshake *h, struct session *s, enum tls_carrier carrier)
{
	*h = (struct tls_handshake){.session = s, .carrier = carrier};
}

bool
tls_handshake_wants(struct tls_handshake *h, enum side from, uint8_t type)
{
	if (h->over[from])
		return false;
	switch (type) {
	case TLS_CLIENT_HELLO:
	case TLS_SERVER_HELLO:
	case TLS_CERTIFICATE:
		return true;
	case HELLO_REQUEST:
	case HELLO_VERIFY_REQUEST:
	case CERTIFICATE_STATUS:
	case SUPPLEMENTAL_DATA:
		return false;
	case NEW_SESSION_TICKET: /* before a certificate: the session that an earlier ticket stands for (RFC 5077) */
		if (is_resuming(h, from))
			resumed(h);
		break;
	default:
		break;
	}
	/* All others come behind the certificate, or where there is none. */
	h->over[from] = true;
	return false;
}

size_t
tls_certificate_wanted(const uint8_t *body, size_t len)
{
	struct reader r = reader_init(body, len);
	reader_skip(&r, 3); /* length of the list */
	size_t first = reader_be24(&r);
	return TLS_CERTIFICATE_HEAD + first;
}

void
tls_handshake_message(struct tls_handshake *h, enum side from, uint8_t type, struct reader body)
{
	if (type == TLS_CLIENT_HELLO)
		take_client(h, from, body);
	else if (type == TLS_SERVER_HELLO)
		take_server(h, from, body);
	else if (type == TLS_CERTIFICATE)
		take_certificate(h, from, body);
}

/* A server that has shown no certificate by now goes on with an earlier session (RFC 5246 section 7.3). */
void
tls_handshake_encrypts(struct tls_handshake *h, enum side from)
{
	if (h->over[from] || (h->retried && !h->server_told)) /* behind a HelloRetryRequest it means nothing */
		return;
	if (is_resuming(h, from))
		resumed(h);
	h->over[from] = true;
}

void
tls_handshake_lost(struct tls_handshake *h, enum side from)
{
	h->over[from] = true;
}

/* The number alone, as in "TLS 1.3"; below 1.0 it is SSL's. One without a name takes the place of what was known. */
void
tls_tell_version(struct session *s, uint16_t version)
{
	static const struct {
		uint16_t wire;
		const char *text;
	} names[] = {{0x0304, "1.3"}, {0x0303, "1.2"}, {0x0302, "1.1"}, {0x0301, "1.0"}, {0x0300, "ssl 3.0"},
	        {0x0002, "ssl 2.0"}, {0xfefc, "1.3"}, {0xfefd, "1.2"}, {0xfeff, "1.0"}, {0x0100, "1.0"}};
	const char *text = is_draft(version) ? "1.3" : "";
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].wire == version)
			text = names[i].text;
	session_fact(s, SESSION_TLS_VERSION, text, strlen(text));
}

/* Host names do not know case (RFC 6066 section 3, RFC 4343). */
void
tls_tell_server_name(struct session *s, struct reader name)
{
	char text[SERVER_NAME_MAX];
	size_t len = 0;
	for (uint8_t c; len < sizeof text && len < name.left && (c = name.next[len]) != '\0'; len++)
		text[len] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	session_fact(s, SESSION_TLS_NAME, text, len);
	session_service(s, text, len);
}

/* ---- messages ---- */

/* A second ClientHello (RFC 8446 section 4.1.2) is not told: the first one was the free choice. */
static void
take_client(struct tls_handshake *h, enum side from, struct reader body)
{
	struct tls_hello hello;
	int got = h->carrier == TLS_OVER_DATAGRAMS ? tls_hello_client_datagrams(body, &hello)
	                                           : tls_hello_client(body, &hello);
	if (got != 0 || h->client_told)
		return;
	hello.carrier = h->carrier;
	h->client_told = true;
	know_client(h, from);
	if (hello.session_id.left > 0 && hello.session_id.left <= TLS_SESSION_ID_MAX) {
		h->session_id_len = (uint8_t)hello.session_id.left;
		memcpy(h->session_id, hello.session_id.next, hello.session_id.left);
	}
	tell_client(h->session, &hello);
	if (h->carrier == TLS_OVER_TCP)
		ftps_client_hello(h->session, from, &hello);
}

static void
take_server(struct tls_handshake *h, enum side from, struct reader body)
{
	struct tls_hello hello;
	if (tls_hello_server(body, &hello) != 0 || h->server_told)
		return;
	know_client(h, side_other(from));
	if (hello.retry) {
		h->retried = true;
		return;
	}
	h->server_told = true;
	tell_server(h->session, &hello);
	if (h->carrier == TLS_OVER_TCP)
		ftps_server_hello(h->session, h->client, &hello);
	if (is_hidden(hello.version)) {
		if (hello.has_psk)
			resumed(h);
		h->over[SIDE_SOURCE] = h->over[SIDE_DESTINATION] = true;
	} else if (h->session_id_len > 0 && hello.session_id.left == h->session_id_len &&
	           memcmp(hello.session_id.next, h->session_id, h->session_id_len) == 0) {
		resumed(h);
	}
}

/* The first of the list is the sender's own (RFC 5246 section 7.4.2); a client may have none. */
static void
take_certificate(struct tls_handshake *h, enum side from, struct reader body)
{
	static const struct certificate_keys of_server = {"tls.server.subject", "tls.server.issuer",
	        "tls.server.hash.sha256", "tls.server.x509.alternative_names", "tls.server.x509.names_left_out"};
	static const struct certificate_keys of_client = {"tls.client.subject", "tls.client.issuer",
	        "tls.client.hash.sha256", "tls.client.x509.alternative_names", "tls.client.x509.names_left_out"};

	reader_skip(&body, 3); /* length of the list */
	struct reader der = reader_sub(&body, reader_be24(&body));
	h->over[from] = true;
	if (!h->client_known || h->certified[from] || der.left == 0)
		return;
	h->certified[from] = true;
	tell_certificate(h->session, der, is_server(h, from) ? &of_server : &of_client);
}

static void
know_client(struct tls_handshake *h, enum side client)
{
	if (h->client_known)
		return;
	h->client_known = true;
	h->client = client;
	session_client_end(h->session, client);
}

static bool
is_server(const struct tls_handshake *h, enum side from)
{
	return h->client_known && from != h->client;
}

/* The server has shown no certificate, and the client did not go on first, as it does behind one that was missed. */
static bool
is_resuming(const struct tls_handshake *h, enum side from)
{
	return is_server(h, from) && h->server_told && !h->over[h->client];
}

static void
resumed(struct tls_handshake *h)
{
	tell_detail(h->session, "tls.resumed", "true");
	h->over[SIDE_SOURCE] = h->over[SIDE_DESTINATION] = true;
}

/* From 1.3 on all behind ServerHello is encrypted. */
static bool
is_hidden(uint16_t version)
{
	return version == 0x0304 || version == 0xfefc || is_draft(version);
}

/* Of TLS 1.3, in IETF's numbers and in those of one that long had its own. */
static bool
is_draft(uint16_t version)
{
	return version >> 8 == 0x7f || version >> 8 == 0xfb;
}

/* ---- what is told ---- */

static void
tell_client(struct session *s, const struct tls_hello *h)
{
	char ja3[DIGEST_HEX_MAX], ja4[TLS_JA4_MAX];

	tell_text(s, SESSION_TLS_JA3, tls_ja3(session_digests(s), h, ja3));
	tell_text(s, SESSION_TLS_JA4, tls_ja4(session_digests(s), h, ja4));
	if (h->alpn.left > 0 && !session_has_fact(s, SESSION_TLS_ALPN))
		session_fact(s, SESSION_TLS_ALPN, h->alpn.next, h->alpn.left);
	if (h->server_name.left > 0)
		tls_tell_server_name(s, h->server_name);
	if (h->has_ech || h->has_esni)
		tell_detail(s, "tls.client.ech", h->has_ech ? "offered" : "esni");
}

static void
tell_server(struct session *s, const struct tls_hello *h)
{
	char ja3s[DIGEST_HEX_MAX], text[TLS_CIPHER_MAX];
	struct reader ciphers = h->ciphers;

	tls_tell_version(s, h->version);
	tell_text(s, SESSION_TLS_CIPHER, tls_cipher_name(reader_be16(&ciphers), text));
	tell_text(s, SESSION_TLS_JA3S, tls_ja3s(session_digests(s), h, ja3s));
	/* The server's choice says more than the client's first wish. */
	if (h->alpn.left > 0)
		session_fact(s, SESSION_TLS_ALPN, h->alpn.next, h->alpn.left);
}

static void
tell_certificate(struct session *s, struct reader der, const struct certificate_keys *keys)
{
	struct tls_certificate c;
	char address[TLS_ADDRESS_MAX];
	const char *name;
	size_t len, left_out = 0;

	tell_hash(s, keys->hash, der);
	if (tls_certificate_read(der, &c) != 0)
		return;
	tell_detail(s, keys->subject, c.subject);
	tell_detail(s, keys->issuer, c.issuer);
	for (size_t i = 0; (name = tls_certificate_alternative(&c, address, &len)) != NULL; i++) {
		if (i < TLS_ALTERNATIVES_MAX)
			session_detail(s, keys->names, name, len);
		else
			left_out++;
	}
	if (left_out > 0)
		session_detail_number(s, keys->left_out, left_out);
}

/* In upper case, as ECS would have a certificate's fingerprint. */
static void
tell_hash(struct session *s, const char *key, struct reader der)
{
	char hex[DIGEST_HEX_MAX];
	struct digest *d = digest_open(session_digests(s), DIGEST_SHA256);

	digest_add(d, der.next, der.left);
	if (digest_close(d, hex) == NULL)
		return;
	for (char *c = hex; *c != '\0'; c++)
		if (*c >= 'a')
			*c = (char)(*c - ('a' - 'A'));
	tell_detail(s, key, hex);
}

static void
tell_text(struct session *s, enum session_fact which, const char *text)
{
	if (text != NULL)
		session_fact(s, which, text, strlen(text));
}

static void
tell_detail(struct session *s, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		session_detail(s, key, text, strlen(text));
}
