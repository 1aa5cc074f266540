#include "config.h"

#include "proto_stage.h"

#include "proto/tls_turns.h"

#include "hex.h"
#include "proto/tls_certificate.h"
#include "proto/tls_fingerprint.h"
#include "proto/tls_handshake.h"

/*
 * A hello of TLS 1.3 as a browser sends it, with the values of the worked example in JA4's own description; the
 * GREASE values stand where they stand there.
 */
static const uint8_t hello[] = {
        22, 3, 1, 0x00, 0xd5,             /* record: handshake, TLS 1.0, length */
        1, 0x00, 0x00, 0xd1,              /* ClientHello, length */
        3, 3,                             /* legacy_version */
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, /* random */
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        0,                                /* session id: none */
        0x00, 0x20,                       /* cipher suites: GREASE and 15 */
        0x0a, 0x0a, 0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30,
        0xcc, 0xa9, 0xcc, 0xa8, 0xc0, 0x13, 0xc0, 0x14, 0x00, 0x9c, 0x00, 0x9d, 0x00, 0x2f, 0x00, 0x35,
        1, 0,                             /* compression: null */
        0x00, 0x88,                       /* extensions */
        0x1a, 0x1a, 0, 0,                 /* GREASE */
        0x00, 0x00, 0, 16, 0, 14, 0, 0, 11, 'E', 'x', 'a', 'm', 'p', 'l', 'e', '.', 'c', 'o', 'm', /* server name */
        0x00, 0x17, 0, 0,                 /* extended master secret */
        0xff, 0x01, 0, 1, 0,              /* renegotiation info */
        0x00, 0x0a, 0, 8, 0, 6, 0x2a, 0x2a, 0x00, 0x1d, 0x00, 0x17, /* groups: GREASE, 29, 23 */
        0x00, 0x0b, 0, 2, 1, 0,           /* point formats: uncompressed */
        0x00, 0x23, 0, 0,                 /* session ticket */
        0x00, 0x10, 0, 14, 0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1', /* ALPN */
        0x00, 0x05, 0, 0,                 /* status request */
        0x00, 0x0d, 0, 18, 0, 16,         /* signature algorithms */
        0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01,
        0x00, 0x12, 0, 0,                 /* signed certificate timestamps */
        0x00, 0x33, 0, 0,                 /* key share, empty here */
        0x00, 0x2d, 0, 2, 1, 1,           /* PSK modes */
        0x00, 0x2b, 0, 7, 6, 0x3a, 0x3a, 3, 4, 3, 3, /* versions: GREASE, 1.3, 1.2 */
        0x00, 0x1b, 0, 0,                 /* certificate compression */
        0x44, 0x69, 0, 0,                 /* application settings */
        0x00, 0x15, 0, 0,                 /* padding */
};

static const uint8_t server_hello[] = {
        22, 3, 3, 0x00, 0x30,             /* record */
        2, 0x00, 0x00, 0x2c,              /* ServerHello */
        3, 3,                             /* legacy_version */
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, /* random */
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        0,                                /* session id */
        0x13, 0x01, 0,                    /* cipher, compression */
        0x00, 0x04,                       /* extensions, cut to what follows */
        0x00, 0x17, 0, 0,                 /* extended master secret */
};

static const char ja4[] = "t13d1516h2_8daaf6152771_e5627efa2ab1";

static void
open_flow(struct stage *s, uint16_t port)
{
	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", port);
}

static void
expect_hello(const struct stage *s)
{
	const struct facts *f = session_facts(s->flow[0].session);
	assert_string_equal(f->protocol, "tls");
	assert_string_equal(f->tls.server_name, "example.com");
	assert_string_equal(f->service.utf8, "example.com");
	assert_string_equal(f->tls.alpn, "h2");
	assert_string_equal(f->tls.ja4, ja4);
	assert_int_equal(strlen(f->tls.ja3), 32);
}

static void
test_hello(void **state)
{
	struct stage s;
	(void)state;
	assert_int_equal(sizeof hello, 5 + 0xd5);
	open_flow(&s, 4443);
	(void)stage_data(&s, 0, SIDE_SOURCE, hello, sizeof hello);
	expect_hello(&s);
	(void)stage_data(&s, 0, SIDE_DESTINATION, server_hello, sizeof server_hello);
	assert_string_equal(session_facts(s.flow[0].session)->tls.version, "1.2");
	stage_clear(&s);
}

/* One byte at a time, and in two parts wherever they are cut. */
static void
test_split(void **state)
{
	struct stage s;
	(void)state;
	for (size_t cut = 0; cut < sizeof hello; cut++) {
		open_flow(&s, 4443);
		if (cut == 0)
			for (size_t i = 0; i < sizeof hello; i++)
				(void)stage_data(&s, 0, SIDE_SOURCE, hello + i, 1);
		else
			(void)stage_data(&s, 0, SIDE_SOURCE, hello, cut);
		if (cut > 0)
			(void)stage_data(&s, 0, SIDE_SOURCE, hello + cut, sizeof hello - cut);
		expect_hello(&s);
		stage_clear(&s);
	}
}

/* The message over records of 10 bytes. */
static void
test_small_records(void **state)
{
	uint8_t records[sizeof hello * 2];
	size_t len = 0;
	struct stage s;
	(void)state;
	for (size_t at = 5; at < sizeof hello; at += 10) {
		size_t n = sizeof hello - at < 10 ? sizeof hello - at : 10;
		const uint8_t header[] = {22, 3, 1, 0, (uint8_t)n};
		memcpy(records + len, header, sizeof header);
		memcpy(records + len + sizeof header, hello + at, n);
		len += sizeof header + n;
	}
	open_flow(&s, 4443);
	(void)stage_data(&s, 0, SIDE_SOURCE, records, len);
	expect_hello(&s);
	stage_clear(&s);
}

/* Who sends, and how long the record is; turns of the client 'c' and the server 's'. */
static void
test_turns(void **state)
{
	static const struct {
		const char *who;
		size_t len[8];
		uint32_t requests;
		uint64_t asked, answered; /* the largest */
	} rows[] = {
		{"", {0}, 0, 0, 0},
		{"s", {5000}, 0, 0, 4983},
		{"cs", {117, 5017}, 1, 100, 5000},
		{"css", {117, 5017, 1017}, 1, 100, 6000},
		{"cscs", {117, 5017, 217, 317}, 2, 200, 5000},
		{"cscsc", {117, 5017, 30, 317, 30}, 1, 100, 5300}, /* window updates */
		{"ccscc", {117, 16401, 30, 16401, 1017}, 1, 33868, 0},
		{"ccs", {117, 3, 16}, 1, 100, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct tls_turns t = {0};
		for (size_t n = 0; rows[i].who[n] != '\0'; n++)
			tls_turns_record(&t, rows[i].who[n] == 'c' ? SIDE_SOURCE : SIDE_DESTINATION, SIDE_SOURCE, rows[i].len[n]);
		assert_int_equal(t.requests, rows[i].requests);
		assert_int_equal(t.largest[SIDE_SOURCE], rows[i].asked);
		assert_int_equal(t.largest[SIDE_DESTINATION], rows[i].answered);
	}
}

/* In the middle a record's head is all there is; what nobody sends is somebody else's. */
static void
test_middle(void **state)
{
	static const struct {
		const char *head;
		enum verdict want;
	} rows[] = {
		{"\x17\3\3\0\x40\1", VERDICT_DONE}, {"\x16\3\1\1\0\2", VERDICT_DONE}, {"\x14\3\3\0\1\1", VERDICT_DONE},
		{"\x15\3\3\0\x1a\1", VERDICT_DONE}, {"\x18\3\1\x0f\3\1", VERDICT_NOT_MINE}, /* a heartbeat of 3843 bytes */
		{"\x14\3\3\0\x20\1", VERDICT_NOT_MINE}, {"\x15\3\3\1\0\1", VERDICT_NOT_MINE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct probe p = {.bytes = {(const uint8_t *)rows[i].head}, .len = {6}, .midstream = true};
		assert_int_equal(proto_tls.probe(&p), rows[i].want);
	}
}

/* A message cut short must neither crash nor be believed. */
static void
test_prefixes(void **state)
{
	(void)state;
	for (size_t n = 0; n <= sizeof hello - 9; n++) {
		struct tls_hello h;
		char text[TLS_JA4_MAX];
		uint8_t *copy = malloc(n > 0 ? n : 1);
		memcpy(copy, hello + 9, n);
		int got = tls_hello_client(reader_init(copy, n), &h);
		/* Before TLS 1.3 a hello may end behind the compression methods. */
		bool whole = n == sizeof hello - 9 || n == 2 + 32 + 1 + 2 + 32 + 2;
		assert_int_equal(got, whole ? 0 : -1);
		if (got == 0)
			assert_non_null(tls_ja4(NULL, &h, text));
		(void)tls_hello_server(reader_init(copy, n), &h);
		free(copy);
	}
}

/* The strings behind the digests, by an independent way: their own digests. */
static void
test_fingerprints(void **state)
{
	static const char ja3_text[] =
	        "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
	        "0-23-65281-10-11-35-16-5-13-18-51-45-43-27-17513-21,29-23,0";
	struct tls_hello h;
	char ja3[DIGEST_HEX_MAX], want[DIGEST_HEX_MAX], text[TLS_JA4_MAX];
	struct digest *d = digest_open(NULL, DIGEST_MD5);
	(void)state;
	digest_add(d, ja3_text, strlen(ja3_text));
	assert_non_null(digest_close(d, want));
	assert_int_equal(tls_hello_client(reader_init(hello + 9, sizeof hello - 9), &h), 0);
	assert_string_equal(tls_ja3(NULL, &h, ja3), want);
	assert_string_equal(tls_ja4(NULL, &h, text), ja4);

	/* Nothing offered but one cipher: no name, no ALPN, no extensions. */
	static const uint8_t bare[] = {3, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7,
	        8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 2, 0, 0x2f, 1, 0};
	assert_int_equal(tls_hello_client(reader_init(bare, sizeof bare), &h), 0);
	assert_non_null(tls_ja4(NULL, &h, text));
	assert_memory_equal(text, "t10i010000_", 11);
	assert_string_equal(text + 23, "_000000000000");
}

/* What is remembered is what would be made: hellos that differ in one place, with GREASE, without lists, too long. */
static void
test_remembered(void **state)
{
	static uint8_t bytes[4 * 1300];
	struct digests known;
	(void)state;
	digests_init(&known);
	for (unsigned i = 0; i < 3000; i++) {
		const unsigned n = i % 500;
		const size_t len = n == 499 ? sizeof bytes : 40;
		struct tls_hello h = {.version = 0x0303, .has_server_name = n & 1};
		memset(bytes, 0, sizeof bytes);
		for (size_t at = 0; at < len; at += 4) {
			bytes[at] = (uint8_t)(at / 4 % 5);
			bytes[at + 1] = (uint8_t)(at == n / 2 % 40 ? n : at);
		}
		memset(bytes + (n % 7) * 4, n % 3 == 0 ? 0x0a : n % 3 == 1 ? 0xda : 0, 2);
		if (n % 11 > 0)
			h.ciphers = reader_init(bytes, len);
		if (n % 13 > 0)
			h.extensions = reader_init(bytes, len);
		h.groups = reader_init(bytes, n % 10 * 2);
		h.formats = reader_init(bytes, n % 4);
		h.signatures = reader_init(bytes, n % 17 == 0 ? len : n % 8 * 2);
		h.versions = reader_init(bytes, n % 5 * 2);
		h.alpn = reader_init((const uint8_t *)"h2http/1.1" + n % 3, n % 5);

		char ja3[DIGEST_HEX_MAX], made_ja3[DIGEST_HEX_MAX], text[TLS_JA4_MAX], made_text[TLS_JA4_MAX];
		assert_non_null(tls_ja3(&known, &h, ja3));
		assert_non_null(tls_ja3(NULL, &h, made_ja3));
		assert_string_equal(ja3, made_ja3);
		const char *told = tls_ja4(&known, &h, text);
		if (tls_ja4(NULL, &h, made_text) == NULL)
			assert_null(told);
		else
			assert_string_equal(told, made_text);
	}
	digests_clear(&known);
}

static void
test_established(void **state)
{
	static const uint8_t data[] = {23, 3, 3, 0, 3, 1, 2, 3};
	struct stage s;
	(void)state;
	open_flow(&s, 443);
	(void)stage_data(&s, 0, SIDE_SOURCE, hello, sizeof hello);
	(void)stage_data(&s, 0, SIDE_DESTINATION, server_hello, sizeof server_hello);
	assert_int_equal(stage_data(&s, 0, SIDE_SOURCE, data, sizeof data), VERDICT_MORE);
	assert_false(session_facts(s.flow[0].session)->tls.established);
	assert_int_equal(stage_data(&s, 0, SIDE_DESTINATION, data, sizeof data), VERDICT_MORE);
	assert_true(session_facts(s.flow[0].session)->tls.established);
	stage_clear(&s);
}

static void
test_ssl2(void **state)
{
	static const uint8_t v2[] = {0x80, 28, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2f, /* length, type, TLS 1.0, one cipher */
	        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct stage s;
	(void)state;
	for (size_t step = 1; step <= sizeof v2; step += sizeof v2 - 1) { /* byte by byte, and whole */
		open_flow(&s, 4443);
		for (size_t at = 0; at < sizeof v2; at += step)
			(void)stage_data(&s, 0, SIDE_SOURCE, v2 + at, step);
		(void)stage_data(&s, 0, SIDE_DESTINATION, server_hello, sizeof server_hello);
		assert_string_equal(session_facts(s.flow[0].session)->protocol, "tls");
		assert_string_equal(session_facts(s.flow[0].session)->tls.version, "1.2");
		stage_clear(&s);
	}
}

/* Hellos that lie about their length are survived, an empty one above all. */
static void
test_bad_hello(void **state)
{
	static const uint8_t bad[][12] = {
	        {22, 3, 1, 0, 7, 1, 0, 0, 0, 1, 0, 0},         /* empty, and another */
	        {22, 3, 1, 0, 7, 1, 0xff, 0xff, 0xff, 3, 3, 0}, /* 16 MB */
	        {22, 3, 1, 0, 7, 2, 0, 0, 3, 3, 3, 0},         /* a ServerHello of three bytes */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct stage s;
		open_flow(&s, 4443);
		(void)stage_data(&s, 0, SIDE_SOURCE, bad[i], sizeof bad[i]);
		assert_null(session_facts(s.flow[0].session)->tls.ja3);
		stage_clear(&s);
	}
}

static void
test_not_tls(void **state)
{
	static const uint8_t bad[][12] = {
	        {22, 2, 1, 0, 50, 1, 0, 0, 46, 3, 3},      /* major version 2 */
	        {22, 3, 9, 0, 50, 1, 0, 0, 46, 3, 3},      /* minor version 9 */
	        {22, 3, 1, 0, 0, 1, 0, 0, 46, 3, 3},       /* empty record */
	        {22, 3, 1, 0xff, 0xff, 1, 0, 0, 46, 3, 3}, /* longer than a record may be */
	        {22, 3, 1, 0, 50, 11, 0, 0, 46, 3, 3},     /* a certificate first */
	        {23, 3, 3, 0, 50, 1, 0, 0, 46, 3, 3},      /* data first */
	        {0x80, 9, 1, 3, 1, 0, 0, 0, 0, 0, 0},      /* SSL 2.0 without ciphers */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct probe p = {.bytes = {bad[i], NULL}, .len = {sizeof bad[i], 0}};
		assert_int_equal(proto_tls.probe(&p), VERDICT_NOT_MINE);
	}
}

/* Made by openssl req: names, an address, a mail address, and more names than are told. */
static const char certificate[] =
        "3082027030820216a003020102020101300a06082a8648ce3d0403023044310b3009060355040613024b523116301406"
        "0355040a0c0d5061696e742c2053747564696f311d301b06035504030c1466696c65732e73747564696f2e6578616d70"
        "6c653020170d3236313132363131303635315a180f32313236313130323131303635315a3044310b3009060355040613"
        "024b5231163014060355040a0c0d5061696e742c2053747564696f311d301b06035504030c1466696c65732e73747564"
        "696f2e6578616d706c653059301306072a8648ce3d020106082a8648ce3d03010703420004e1f7dd3ae3e1fcb68b3e9a"
        "0f0215c557c2d2696c5d0c04d064d282bff6fcaca975536752065230eac7889f359d205321b905e0774ae039e0807621"
        "97f7c58c8ca381f63081f3301d0603551d0e04160414ce23b2a0f6ecbfe9cac82ff70011f4738723b0b2301f0603551d"
        "23041830168014ce23b2a0f6ecbfe9cac82ff70011f4738723b0b2300f0603551d130101ff040530030101ff30819f06"
        "03551d11048197308194821466696c65732e73747564696f2e6578616d706c6582102a2e73747564696f2e6578616d70"
        "6c658704cb0071788110614073747564696f2e6578616d706c65820a61312e6578616d706c65820a61322e6578616d70"
        "6c65820a61332e6578616d706c65820a61342e6578616d706c65820a61352e6578616d706c65820a61362e6578616d70"
        "6c65820a61372e6578616d706c65300a06082a8648ce3d0403020348003045022100f7ca05dbc1cd461f07c1d016c741"
        "74f9defeda06310c0f681adb80c380ad49c802207749f7a53aece804f95eedf69295f15651feb3c34f8f7947e1c6ce37"
        "edd1b4fc";
static const char certificate_sha256[] = "9AB826868F212B0F05C4D8595C5D6A8A5A3555FD6FB224BE28221AD7667F27BE";

/* ---- the messages behind the hellos ---- */

struct flight {
	uint8_t bytes[8192];
	size_t len;
};

/* A record with these bytes. */
static void
put_record(struct flight *f, uint8_t type, const void *bytes, size_t len)
{
	const uint8_t head[] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};
	assert_true(len + sizeof head <= sizeof f->bytes - f->len);
	memcpy(f->bytes + f->len, head, sizeof head);
	memcpy(f->bytes + f->len + sizeof head, bytes, len);
	f->len += sizeof head + len;
}

/* A handshake message in a record of its own; hex: its body. */
static void
put_message(struct flight *f, uint8_t type, const char *hex)
{
	uint8_t message[4096];
	size_t len;
	uint8_t *body = hex_bytes(hex, &len);
	const uint8_t head[] = {type, 0, (uint8_t)(len >> 8), (uint8_t)len};
	memcpy(message, head, sizeof head);
	memcpy(message + sizeof head, body, len);
	put_record(f, 22, message, sizeof head + len);
	free(body);
}

/* A Certificate message with the one above and what follows it. */
static void
put_certificate(struct flight *f, const char *more)
{
	char hex[4096];
	const size_t len = strlen(certificate) / 2, all = 3 + len + strlen(more) / 2;
	(void)snprintf(hex, sizeof hex, "%06zx%06zx%s%s", all, len, certificate, more);
	put_message(f, 11, hex);
}

#define RANDOM "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
#define SESSION "04 01020304"
static const char client_hello[] = "0303" RANDOM SESSION "0002 c02f 01 00";
static const char server_hello_12[] = "0303" RANDOM "04 0a0b0c0d" "c02f 00";
static const char server_hello_resumed[] = "0303" RANDOM SESSION "c02f 00";
static const char server_hello_empty[] = "0303" RANDOM "00" "c02f 00";
static const char server_hello_13[] = "0303" RANDOM SESSION "1301 00 000c 002b 0002 0304 0029 0002 0000";
static const char hello_retry[] = "0303 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c" SESSION
                                  "1301 00 0006 002b 0002 0304";

static void
say(struct stage *s, enum side from, struct flight *f)
{
	(void)stage_data(s, 0, from, f->bytes, f->len);
	f->len = 0;
}

static void
begin_tls(struct stage *s, const char *server)
{
	struct flight f = {.len = 0};
	open_flow(s, 4443);
	put_message(&f, 1, client_hello);
	say(s, SIDE_SOURCE, &f);
	if (server != NULL) {
		put_message(&f, 2, server);
		say(s, SIDE_DESTINATION, &f);
	}
}

static void
expect_certificate(struct stage *s, const char *who)
{
	const bool server = strcmp(who, "server") == 0;
	struct detail d[DETAIL_MAX];
	size_t names = 0, count = details_list(session_facts(s->flow[0].session)->details, d);

	assert_string_equal(stage_detail(s, 0, server ? "tls.server.hash.sha256" : "tls.client.hash.sha256"), certificate_sha256);
	assert_string_equal(stage_detail(s, 0, server ? "tls.server.subject" : "tls.client.subject"),
	        "CN=files.studio.example, O=Paint\\, Studio");
	assert_string_equal(stage_detail(s, 0, server ? "tls.server.issuer" : "tls.client.issuer"),
	        "CN=files.studio.example, O=Paint\\, Studio");
	static const char *const want[] = {"files.studio.example", "*.studio.example", "203.0.113.120", "a1.example", "a2.example",
	        "a3.example", "a4.example", "a5.example"};
	for (size_t i = 0; i < count; i++)
		if (strcmp(d[i].key, server ? "tls.server.x509.alternative_names" : "tls.client.x509.alternative_names") == 0) {
			assert_true(names < COUNT(want));
			assert_string_equal(d[i].text, want[names++]);
		} else if (strstr(d[i].key, "names_left_out") != NULL) {
			assert_int_equal(d[i].number, 2);
		}
	assert_int_equal(names, COUNT(want));
}

/* Whole, and byte by byte. */
static void
test_certificates(void **state)
{
	(void)state;
	for (size_t step = 1; step < 8192; step *= 7) {
		struct stage s;
		struct flight f = {.len = 0};
		begin_tls(&s, server_hello_12);
		put_certificate(&f, "000003 616263"); /* and one that is none, of a chain */
		put_message(&f, 12, "00112233");
		put_message(&f, 14, "");
		for (size_t at = 0; at < f.len; at += step)
			(void)stage_data(&s, 0, SIDE_DESTINATION, f.bytes + at, f.len - at < step ? f.len - at : step);
		expect_certificate(&s, "server");
		assert_null(stage_detail(&s, 0, "tls.client.subject"));
		f.len = 0;
		put_certificate(&f, "");
		put_message(&f, 16, "00112233");
		put_record(&f, 20, "\1", 1);
		say(&s, SIDE_SOURCE, &f);
		expect_certificate(&s, "client");
		put_record(&f, 20, "\1", 1);
		say(&s, SIDE_DESTINATION, &f);
		assert_null(stage_detail(&s, 0, "tls.resumed"));
		stage_clear(&s);
	}
}

/* A client that was asked for one and has none. */
static void
test_no_certificate(void **state)
{
	struct stage s;
	struct flight f = {.len = 0};
	(void)state;
	begin_tls(&s, server_hello_12);
	put_message(&f, 11, "000000");
	say(&s, SIDE_SOURCE, &f);
	put_message(&f, 11, "000003 ffffff");
	say(&s, SIDE_DESTINATION, &f);
	assert_null(stage_detail(&s, 0, "tls.client.hash.sha256"));
	assert_null(stage_detail(&s, 0, "tls.server.hash.sha256"));
	stage_clear(&s);
}

/* Cut anywhere or changed anywhere, a certificate is no trouble; and what is not all there is not told. */
static void
test_bad_certificates(void **state)
{
	size_t len;
	uint8_t *whole = hex_bytes(certificate, &len);
	(void)state;
	for (size_t n = 0; n < len; n++) {
		struct tls_certificate c;
		char address[TLS_ADDRESS_MAX];
		size_t name_len;
		uint8_t *copy = malloc(n > 0 ? n : 1);
		memcpy(copy, whole, n);
		assert_int_equal(tls_certificate_read(reader_init(copy, n), &c), -1);
		free(copy);
		for (unsigned change = 1; change < 256; change = change * 2 + 1) {
			whole[n] ^= (uint8_t)change;
			if (tls_certificate_read(reader_init(whole, len), &c) == 0)
				for (size_t i = 0; tls_certificate_alternative(&c, address, &name_len) != NULL; i++)
					assert_true(i < len && name_len <= len);
			whole[n] ^= (uint8_t)change;
		}
	}
	free(whole);
}

static void
test_server_says(void **state)
{
	static const struct {
		const char *hello, *version, *cipher;
		bool change; /* ChangeCipherSpec behind it */
		bool ticket; /* NewSessionTicket before that */
		bool resumed;
	} rows[] = {
	        {server_hello_12, "1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", false, false, false},
	        {server_hello_resumed, "1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", false, false, true}, /* by its ID */
	        {server_hello_empty, "1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", true, false, true},    /* by a ticket */
	        {server_hello_empty, "1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", true, true, true},
	        {server_hello_13, "1.3", "TLS_AES_128_GCM_SHA256", true, false, true},                     /* by a key */
	        {"7f17" RANDOM "1301 0000", "1.3", "TLS_AES_128_GCM_SHA256", false, false, false},         /* a draft of 1.3 */
	        {"0301" RANDOM "00 fefe 00", "1.0", "0xfefe", false, false, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s;
		struct flight f = {.len = 0};
		begin_tls(&s, rows[i].hello);
		if (rows[i].ticket)
			put_message(&f, 4, "00000000 0002 1122");
		if (rows[i].change)
			put_record(&f, 20, "\1", 1);
		if (f.len > 0)
			say(&s, SIDE_DESTINATION, &f);
		assert_string_equal(session_facts(s.flow[0].session)->tls.version, rows[i].version);
		assert_string_equal(session_facts(s.flow[0].session)->tls.cipher, rows[i].cipher);
		assert_int_equal(stage_detail(&s, 0, "tls.resumed") != NULL, rows[i].resumed);
		stage_clear(&s);
	}
}

/* The hello behind a HelloRetryRequest is the one that is told. */
static void
test_retry(void **state)
{
	struct stage s;
	struct flight f = {.len = 0};
	(void)state;
	begin_tls(&s, hello_retry);
	assert_null(session_facts(s.flow[0].session)->tls.version);
	put_record(&f, 20, "\1", 1);
	say(&s, SIDE_DESTINATION, &f);
	put_message(&f, 1, client_hello);
	say(&s, SIDE_SOURCE, &f);
	put_message(&f, 2, "0303" RANDOM SESSION "1302 00 0006 002b 0002 0304");
	say(&s, SIDE_DESTINATION, &f);
	assert_string_equal(session_facts(s.flow[0].session)->tls.version, "1.3");
	assert_string_equal(session_facts(s.flow[0].session)->tls.cipher, "TLS_AES_256_GCM_SHA384");
	assert_null(stage_detail(&s, 0, "tls.resumed"));
	stage_clear(&s);
}

/* What was not seen may have been a certificate. */
static void
test_gap(void **state)
{
	struct stage s;
	struct flight f = {.len = 0};
	(void)state;
	begin_tls(&s, server_hello_empty);
	(void)conversation_gap(s.flow[0].conversation, SIDE_DESTINATION, 1000);
	put_record(&f, 20, "\1", 1);
	say(&s, SIDE_DESTINATION, &f);
	assert_null(stage_detail(&s, 0, "tls.resumed"));
	stage_clear(&s);
}

/* JA3S, by an independent way: the digest of the text that it stands for. */
static void
test_ja3s(void **state)
{
	static const char text[] = "771,4865,43-41";
	char want[DIGEST_HEX_MAX];
	struct digest *d = digest_open(NULL, DIGEST_MD5);
	struct stage s;
	(void)state;
	digest_text(d, text);
	assert_non_null(digest_close(d, want));
	begin_tls(&s, server_hello_13);
	assert_string_equal(session_facts(s.flow[0].session)->tls.ja3s, want);
	stage_clear(&s);
}

static void
test_encrypted_hello(void **state)
{
	static const struct {
		const char *extension, *told;
	} rows[] = {{"fe0d 0001 00", "offered"}, {"ffce 0001 00", "esni"}, {"fe0c 0001 00", NULL}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s;
		struct flight f = {.len = 0};
		char hex[256];
		open_flow(&s, 4443);
		(void)snprintf(hex, sizeof hex, "0303" RANDOM "00 0002 1301 01 00 0005 %s", rows[i].extension);
		put_message(&f, 1, hex);
		say(&s, SIDE_SOURCE, &f);
		const char *told = stage_detail(&s, 0, "tls.client.ech");
		if (rows[i].told == NULL)
			assert_null(told);
		else
			assert_string_equal(told, rows[i].told);
		stage_clear(&s);
	}
}

/* ---- FTP over TLS ---- */

static void
tls_flow(struct stage *s, size_t n, enum side client, const char *hello_hex, const char *server_hex)
{
	struct flight f = {.len = 0};
	put_message(&f, 1, hello_hex);
	(void)stage_data(s, n, client, f.bytes, f.len);
	f.len = 0;
	put_message(&f, 2, server_hex);
	(void)stage_data(s, n, side_other(client), f.bytes, f.len);
}

/* A data connection is told by the TLS session that it goes on with, or by the hosts; not to other ports or hosts. */
static void
test_ftps(void **state)
{
	static const char other[] = "0303" RANDOM "00 0002 c02f 01 00";
	static const char same[] = "0303" RANDOM "04 0a0b0c0d 0002 c02f 01 00"; /* the ID that the server gave the control connection */
	static const char other_name[] = "0303" RANDOM "00 0002 c02f 01 00 000d 0000 0009 0007 00 0004 61622e63";
	static const struct {
		const char *from;
		uint16_t from_port;
		const char *to;
		uint16_t to_port;
		enum side client;
		const char *hello;
		const char *told;
	} rows[] = {
	        {"192.0.2.10", 40001, "198.51.100.20", 50000, SIDE_SOURCE, same, "by its TLS session"},
	        {"192.0.2.10", 40001, "198.51.100.20", 50000, SIDE_SOURCE, other, "by its hosts"},
	        {"198.51.100.20", 20, "192.0.2.10", 50000, SIDE_DESTINATION, other, "by its hosts"}, /* active */
	        {"198.51.100.20", 40002, "192.0.2.10", 50000, SIDE_SOURCE, other, NULL},             /* the server as a client */
	        {"192.0.2.10", 40001, "198.51.100.20", 443, SIDE_SOURCE, other, NULL},
	        {"192.0.2.10", 40001, "198.51.100.21", 50000, SIDE_SOURCE, same, NULL},
	        {"192.0.2.10", 40001, "198.51.100.20", 50000, SIDE_SOURCE, other_name, NULL},
	};
	static const char *const controls[] = {"explicit", "implicit, by its port"};
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct stage s;
		const bool implicit = i >= COUNT(rows);
		const size_t row = i % COUNT(rows);
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", implicit ? 990 : 2100);
		if (!implicit) {
			(void)stage_data(&s, 0, SIDE_DESTINATION, "220 ready\r\n", 11);
			(void)stage_data(&s, 0, SIDE_SOURCE, "AUTH TLS\r\n", 10);
			(void)stage_data(&s, 0, SIDE_DESTINATION, "234 go\r\n", 8);
		}
		tls_flow(&s, 0, SIDE_SOURCE, other, server_hello_12);
		assert_string_equal(stage_detail(&s, 0, "ftps.control"), controls[implicit]);
		assert_string_equal(session_facts(s.flow[0].session)->protocol, implicit ? "tls" : "ftp");
		stage_flow(&s, 1, rows[row].from, rows[row].from_port, rows[row].to, rows[row].to_port);
		tls_flow(&s, 1, rows[row].client, rows[row].hello, server_hello_12);
		const char *told = stage_detail(&s, 1, "ftps.data");
		if (rows[row].told == NULL)
			assert_null(told);
		else
			assert_string_equal(told, rows[row].told);
		assert_string_equal(session_facts(s.flow[1].session)->protocol, "tls");
		stage_clear(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_hello),
	        cmocka_unit_test(test_split),
	        cmocka_unit_test(test_middle),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_small_records),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_fingerprints),
	        cmocka_unit_test(test_remembered),
	        cmocka_unit_test(test_established),
	        cmocka_unit_test(test_ssl2),
	        cmocka_unit_test(test_bad_hello),
	        cmocka_unit_test(test_not_tls),
	        cmocka_unit_test(test_certificates),
	        cmocka_unit_test(test_no_certificate),
	        cmocka_unit_test(test_bad_certificates),
	        cmocka_unit_test(test_server_says),
	        cmocka_unit_test(test_retry),
	        cmocka_unit_test(test_gap),
	        cmocka_unit_test(test_ja3s),
	        cmocka_unit_test(test_encrypted_hello),
	        cmocka_unit_test(test_ftps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
