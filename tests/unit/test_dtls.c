#include "config.h"

#include "proto_stage.h"

#include "hex.h"

/* A ClientHello of DTLS 1.2 for example.com, without its header: version, random, no session ID, no cookie, ciphers, extensions. */
#define RANDOM "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
static const char client_hello[] = "fefd" RANDOM "00 00 0004 c02b c02f 01 00 0026"
                                   "0000 0010 000e 00 000b 4578616d706c652e636f6d" /* Example.com */
                                   "000a 0004 0002 001d" /* x25519 */
                                   "000b 0002 01 00"
                                   "0017 0000";
static const char server_hello[] = "fefd" RANDOM "04 01020304 c02f 00 0004 0017 0000";
/* The same with the version of 1.3 chosen. */
static const char server_hello_13[] = "fefd" RANDOM "00 1301 00 0006 002b 0002 fefc";

static void
open_flow(struct stage *s)
{
	stage_init(s);
	stage_datagrams(s, 0, "192.0.2.10", 40000, "198.51.100.20", 4433);
}

struct datagram {
	uint8_t bytes[4096];
	size_t len;
};

static void
put(struct datagram *d, const void *bytes, size_t len)
{
	assert_true(len <= sizeof d->bytes - d->len);
	memcpy(d->bytes + d->len, bytes, len);
	d->len += len;
}

/* A record with a fragment of a message: bytes [from, to) of its body. */
static void
put_fragment(struct datagram *d, uint8_t type, uint8_t sequence, const char *message, size_t from, size_t to)
{
	size_t len;
	uint8_t *bytes = hex_bytes(message, &len);
	if (to > len)
		to = len;
	const size_t n = to - from;
	const uint8_t head[] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, sequence, (uint8_t)((n + 12) >> 8), (uint8_t)(n + 12),
	        type, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, sequence, 0, (uint8_t)(from >> 8), (uint8_t)from,
	        0, (uint8_t)(n >> 8), (uint8_t)n};
	put(d, head, sizeof head);
	put(d, bytes + from, n);
	free(bytes);
}

static enum verdict
give_fragment(struct stage *s, enum side from, uint8_t type, uint8_t sequence, const char *message, size_t begin, size_t end)
{
	struct datagram d = {.len = 0};
	put_fragment(&d, type, sequence, message, begin, end);
	return stage_data(s, 0, from, d.bytes, d.len);
}

static enum verdict
give(struct stage *s, enum side from, const char *hex)
{
	size_t len;
	uint8_t *bytes = hex_bytes(hex, &len);
	enum verdict v = stage_data(s, 0, from, bytes, len);
	free(bytes);
	return v;
}

static const struct facts *
facts_of(const struct stage *s)
{
	return session_facts(s->flow[0].session);
}

static void
expect_client(const struct stage *s)
{
	const struct facts *f = facts_of(s);
	assert_string_equal(f->protocol, "dtls");
	assert_string_equal(f->tls.server_name, "example.com");
	assert_memory_equal(f->tls.ja4, "dd2d020400_", 11);
	assert_int_equal(strlen(f->tls.ja3), 32);
}

static void
test_hello(void **state)
{
	struct stage s;
	(void)state;
	open_flow(&s);
	assert_int_equal(give_fragment(&s, SIDE_SOURCE, 1, 0, client_hello, 0, SIZE_MAX), VERDICT_MORE);
	expect_client(&s);
	(void)give_fragment(&s, SIDE_DESTINATION, 2, 0, server_hello, 0, SIZE_MAX);
	assert_string_equal(facts_of(&s)->tls.version, "1.2");
	assert_string_equal(session_facts(s.flow[0].session)->tls.cipher, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	assert_null(stage_detail(&s, 0, "tls.resumed"));
	assert_int_equal(give(&s, SIDE_SOURCE, "17 fefd 0001 000000000001 0002 1122"), VERDICT_MORE);
	assert_int_equal(give(&s, SIDE_DESTINATION, "17 fefd 0001 000000000001 0002 1122"), VERDICT_DONE);
	assert_true(facts_of(&s)->tls.established);
	stage_clear(&s);
}

/* In any order, twice, several in one datagram, between packets of others. */
static void
test_fragments(void **state)
{
	static const uint8_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 1, 0, 0}, {2, 0, 3, 1}};
	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++)
		for (size_t together = 0; together < 2; together++) {
			struct stage s;
			struct datagram d = {.len = 0};
			open_flow(&s);
			for (size_t n = 0; n < 8; n++) { /* each order, then all that is missing */
				size_t at = n < 4 ? orders[i][n] : n - 4;
				if (!together) {
					(void)give_fragment(&s, SIDE_SOURCE, 1, 0, client_hello, at * 25, at == 3 ? SIZE_MAX : (at + 1) * 25);
					(void)give(&s, SIDE_SOURCE, "80 60 0001 00000000 11223344"); /* RTP */
				} else {
					put_fragment(&d, 1, 0, client_hello, at * 25, at == 3 ? SIZE_MAX : (at + 1) * 25);
				}
			}
			if (together)
				(void)stage_data(&s, 0, SIDE_SOURCE, d.bytes, d.len);
			expect_client(&s);
			stage_clear(&s);
		}
}

/* The first hello is asked to come again with a cookie; it is told once. */
static void
test_cookie(void **state)
{
	static const char again[] = "fefd" RANDOM "00 04 aabbccdd 0004 c02b c02f 01 00 0000";
	struct stage s;
	(void)state;
	open_flow(&s);
	(void)give_fragment(&s, SIDE_SOURCE, 1, 0, client_hello, 0, SIZE_MAX);
	(void)give_fragment(&s, SIDE_DESTINATION, 3, 0, "feff 04 aabbccdd", 0, SIZE_MAX);
	(void)give_fragment(&s, SIDE_SOURCE, 1, 1, again, 0, SIZE_MAX);
	expect_client(&s);
	(void)give_fragment(&s, SIDE_DESTINATION, 2, 1, server_hello_13, 0, SIZE_MAX);
	assert_string_equal(facts_of(&s)->tls.version, "1.3");
	stage_clear(&s);
}

/* Seen with the cookie only, and without extensions. */
static void
test_cookie_first(void **state)
{
	struct stage s;
	(void)state;
	open_flow(&s);
	(void)give_fragment(&s, SIDE_SOURCE, 1, 1, "feff" RANDOM "00 04 aabbccdd 0002 002f 01 00", 0, SIZE_MAX);
	assert_memory_equal(facts_of(&s)->tls.ja4, "dd1i010000_", 11);
	stage_clear(&s);
}

/* A server that goes on to encrypt behind its hello resumes; not one whose client went on first. */
static void
test_resumed(void **state)
{
	static const char change[] = "14 fefd 0000 000000000005 0001 01";
	(void)state;
	for (size_t full = 0; full < 2; full++) {
		struct stage s;
		open_flow(&s);
		(void)give_fragment(&s, SIDE_SOURCE, 1, 0, client_hello, 0, SIZE_MAX);
		(void)give_fragment(&s, SIDE_DESTINATION, 2, 0, server_hello, 0, SIZE_MAX);
		if (full)
			(void)give_fragment(&s, SIDE_SOURCE, 16, 2, "00112233", 0, SIZE_MAX);
		(void)give(&s, SIDE_DESTINATION, change);
		if (full)
			assert_null(stage_detail(&s, 0, "tls.resumed"));
		else
			assert_string_equal(stage_detail(&s, 0, "tls.resumed"), "true");
		stage_clear(&s);
	}
}

static void
test_prefixes(void **state)
{
	struct datagram d = {.len = 0};
	(void)state;
	put_fragment(&d, 1, 0, client_hello, 0, SIZE_MAX);
	put_fragment(&d, 1, 1, client_hello, 0, 40);
	for (size_t n = 0; n < d.len; n++) {
		struct stage s;
		open_flow(&s);
		(void)stage_data(&s, 0, SIDE_SOURCE, d.bytes, n);
		(void)stage_data(&s, 0, SIDE_DESTINATION, d.bytes, n);
		stage_clear(&s);
		open_flow(&s);
		(void)give_fragment(&s, SIDE_SOURCE, 1, 0, client_hello, 0, 30);
		(void)stage_data(&s, 0, SIDE_SOURCE, d.bytes, n);
		stage_clear(&s);
	}
}

static void
test_midstream(void **state)
{
	struct stage s;
	(void)state;
	open_flow(&s);
	(void)give(&s, SIDE_SOURCE, "17 fefd 0001 000000000123 0004 11223344");
	assert_string_equal(facts_of(&s)->protocol, "dtls");
	stage_clear(&s);
}

static void
test_not_dtls(void **state)
{
	static const char *const bad[] = {
	        "16", "16fefd", "16 fefd 0000 000000000000 0000",
	        "16 0303 0000 000000000000 000d 01 000001 0000 000000 000001 00",  /* not a version of DTLS */
	        "16 fefd 0000 000000000000 000d 01 000001 0000 000000 000002 00",  /* a fragment longer than its record */
	        "16 fefd 0000 000000000000 000d 01 000001 0000 000001 000001 00",  /* than its message */
	        "16 fefd 0000 000000000000 000e 01 000001 0000 000000 000001 00",  /* a record longer than the datagram */
	        "16 fefd 0000 000000000000 000d 63 000001 0000 000000 000001 00",  /* no such message */
	        "17 fefd 0000 000000000000 0002 1122",                            /* data in the clear */
	        "17 fefd 0001 000000000000 0002 1122 33",                         /* something behind */
	        "19 fefd 0001 000000000000 0002 1122",                            /* no such record */
	        "2c 12 0001 0004 11223344",                                      /* DTLS 1.3 from the middle: it could be anything */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t len;
		uint8_t *bytes = hex_bytes(bad[i], &len);
		struct probe p = {.bytes = {bytes, NULL}, .len = {len, 0}, .midstream = true};
		if (proto_dtls.probe(&p) != VERDICT_NOT_MINE)
			fail_msg("%s", bad[i]);
		free(bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_hello),
	        cmocka_unit_test(test_fragments),
	        cmocka_unit_test(test_cookie),
	        cmocka_unit_test(test_cookie_first),
	        cmocka_unit_test(test_resumed),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_midstream),
	        cmocka_unit_test(test_not_dtls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
