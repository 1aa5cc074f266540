#include "config.h"

#include "proto_stage.h"

#include "proto/tls_fingerprint.h"

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
	assert_int_equal(stage_data(&s, 0, SIDE_DESTINATION, data, sizeof data), VERDICT_DONE);
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
	open_flow(&s, 4443);
	(void)stage_data(&s, 0, SIDE_SOURCE, v2, sizeof v2);
	(void)stage_data(&s, 0, SIDE_DESTINATION, server_hello, sizeof server_hello);
	assert_string_equal(session_facts(s.flow[0].session)->protocol, "tls");
	assert_string_equal(session_facts(s.flow[0].session)->tls.version, "1.2");
	stage_clear(&s);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_hello),
	        cmocka_unit_test(test_split),
	        cmocka_unit_test(test_small_records),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_fingerprints),
	        cmocka_unit_test(test_remembered),
	        cmocka_unit_test(test_established),
	        cmocka_unit_test(test_ssl2),
	        cmocka_unit_test(test_bad_hello),
	        cmocka_unit_test(test_not_tls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
