/* Codings undone: what zlib and zstd make here must come back, however it is cut, labelled or broken. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "proto/http_coding.h"

enum { BYTES_MAX = 1 << 16 };

struct bytes {
	uint8_t bytes[BYTES_MAX];
	size_t len;
};

static const char text[] = "waybill waybill waybill: one file, two ends, three waybills. waybill waybill.";

static void
collect(void *ctx, const uint8_t *bytes, size_t len)
{
	struct bytes *out = ctx;
	assert_true(len <= BYTES_MAX - out->len);
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void
count(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)bytes;
	*(uint64_t *)ctx += len;
}

/* window_bits as for deflateInit2: 31 gzip, 15 zlib, -15 raw */
static struct bytes
deflated(const void *bytes, size_t len, int window_bits)
{
	struct bytes out = {.len = 0};
	z_stream z = {.next_in = NULL};
	uint8_t *copy = malloc(len + 1);
	memcpy(copy, bytes, len);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = copy;
	z.avail_in = (unsigned)len;
	z.next_out = out.bytes;
	z.avail_out = BYTES_MAX;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out.len = z.total_out;
	deflateEnd(&z);
	free(copy);
	return out;
}

static struct bytes
zstd(const void *bytes, size_t len)
{
	struct bytes out = {.len = 0};
	out.len = ZSTD_compress(out.bytes, BYTES_MAX, bytes, len, 3);
	assert_false(ZSTD_isError(out.len));
	return out;
}

static void
add(struct bytes *to, const void *bytes, size_t len)
{
	collect(to, bytes, len);
}

static struct http_coding *
coding(const char *fields, http_coding_sink *sink, void *ctx)
{
	struct mime_fields f;
	mime_fields_parse(&f, (const uint8_t *)fields, strlen(fields));
	return http_coding_create(&f, sink, ctx);
}

/* Decodes in pieces, each in its own heap block; checks content, undone codings and verdict. */
static void
check(const char *fields, const struct bytes *sent, const void *content, size_t len, const char *name,
        enum verdict verdict)
{
	static const size_t pieces[] = {BYTES_MAX, 1, 2, 3, 7, 17};
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		struct bytes out = {.len = 0};
		struct http_coding *c = coding(fields, collect, &out);
		enum verdict v = VERDICT_MORE;
		assert_non_null(c);
		for (size_t at = 0; at < sent->len;) {
			size_t n = sent->len - at < pieces[i] ? sent->len - at : pieces[i];
			uint8_t *exact = malloc(n);
			memcpy(exact, sent->bytes + at, n);
			v = http_coding_feed(c, exact, n);
			free(exact);
			at += n;
		}
		http_coding_finish(c);
		const char *undone = http_coding_name(c);
		if (out.len != len || memcmp(out.bytes, content, len) != 0 || v != verdict)
			fail_msg("%s in pieces of %zu: %zu bytes instead of %zu, verdict %d", fields, pieces[i], out.len, len, v);
		assert_string_equal(undone != NULL ? undone : "", name != NULL ? name : "");
		http_coding_destroy(c);
	}
}

#define GZIP "Content-Encoding: gzip\r\n"
#define DEFLATE "Content-Encoding: deflate\r\n"
#define TEXT_LEN (sizeof text - 1)

static void
test_single(void **state)
{
	(void)state;
	struct bytes gzip = deflated(text, TEXT_LEN, 31), zlib = deflated(text, TEXT_LEN, 15),
	             raw = deflated(text, TEXT_LEN, -15), z = zstd(text, TEXT_LEN);
	check(GZIP, &gzip, text, TEXT_LEN, "gzip", VERDICT_MORE);
	check("Content-Encoding: X-GZip\r\n", &gzip, text, TEXT_LEN, "gzip", VERDICT_MORE);
	check(DEFLATE, &zlib, text, TEXT_LEN, "deflate", VERDICT_MORE);
	check(DEFLATE, &raw, text, TEXT_LEN, "deflate", VERDICT_MORE);
	check(DEFLATE, &gzip, text, TEXT_LEN, "deflate", VERDICT_MORE);
	check("Content-Encoding: zstd\r\n", &z, text, TEXT_LEN, "zstd", VERDICT_MORE);
	check("Transfer-Encoding: gzip, chunked\r\n", &gzip, text, TEXT_LEN, "gzip", VERDICT_MORE);
}

static void
test_stacked(void **state)
{
	(void)state;
	struct bytes inner = deflated(text, TEXT_LEN, 31);
	struct bytes twice = deflated(inner.bytes, inner.len, 31);
	struct bytes mixed = deflated(inner.bytes, inner.len, 15);
	check("Content-Encoding: gzip, gzip\r\n", &twice, text, TEXT_LEN, "gzip, gzip", VERDICT_MORE);
	check("Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n", &mixed, text, TEXT_LEN, "gzip, deflate", VERDICT_MORE);
	check("Content-Encoding: br, gzip\r\n", &twice, inner.bytes, inner.len, "gzip", VERDICT_MORE);
	/* said to be encoded twice, and was once */
	check("Content-Encoding: gzip, gzip\r\n", &inner, text, TEXT_LEN, "gzip", VERDICT_MORE);
}

static void
test_members(void **state)
{
	(void)state;
	struct bytes two = deflated(text, 10, 31), z = zstd(text, 10);
	struct bytes second = deflated(text + 10, TEXT_LEN - 10, 31), z2 = zstd(text + 10, TEXT_LEN - 10);
	add(&two, second.bytes, second.len);
	add(&z, z2.bytes, z2.len);
	check(GZIP, &two, text, TEXT_LEN, "gzip", VERDICT_MORE);
	check("Content-Encoding: zstd\r\n", &z, text, TEXT_LEN, "zstd", VERDICT_MORE);
	add(&two, "trailing junk", 13);
	check(GZIP, &two, text, TEXT_LEN, "gzip", VERDICT_MORE);
}

static void
test_forgiven(void **state)
{
	(void)state;
	struct bytes gzip = deflated(text, TEXT_LEN, 31), empty = deflated("", 0, 31), plain = {.len = 0};
	gzip.len -= 8; /* no trailer (RFC 1952 section 2.3.1) */
	check(GZIP, &gzip, text, TEXT_LEN, "gzip", VERDICT_MORE);
	gzip.len += 8;
	gzip.bytes[gzip.len - 8] ^= 1; /* a wrong check sum */
	check(GZIP, &gzip, text, TEXT_LEN, "gzip", VERDICT_MORE);
	check(GZIP, &empty, "", 0, "gzip", VERDICT_MORE);
	add(&plain, text, TEXT_LEN);
	check(GZIP, &plain, text, TEXT_LEN, NULL, VERDICT_MORE);
	check(DEFLATE, &plain, text, TEXT_LEN, NULL, VERDICT_MORE);
	check("Content-Encoding: zstd\r\n", &plain, text, TEXT_LEN, NULL, VERDICT_MORE);
	plain.len = 1;
	check(GZIP, &plain, text, 1, NULL, VERDICT_MORE);
}

static void
test_broken_midway(void **state)
{
	(void)state;
	struct bytes out = {.len = 0};
	uint8_t noise[8192];
	uint32_t seed = 1;
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)"abcdefgh"[(seed = seed * 1103515245 + 12345) >> 28 & 7];
	struct bytes gzip = deflated(noise, sizeof noise, 31);
	memset(gzip.bytes + gzip.len / 2, 0xff, 64);
	struct http_coding *c = coding(GZIP, collect, &out);
	assert_int_equal(http_coding_feed(c, gzip.bytes, gzip.len), VERDICT_MALFORMED);
	assert_true(out.len > 1024 && out.len < sizeof noise);
	assert_memory_equal(out.bytes, noise, 1024);
	assert_int_equal(http_coding_feed(c, gzip.bytes, 1), VERDICT_MALFORMED);
	http_coding_destroy(c);
}

/* 16 MB of zeros deflate to 16 KB, and those, again, to much less: 512 MB so must not come out. */
static void
test_bomb(void **state)
{
	(void)state;
	size_t size = (size_t)512 << 20, chunk = 1 << 20;
	uint8_t *zeros = calloc(1, chunk), *packed = malloc(chunk);
	z_stream z = {.next_in = NULL};
	uint64_t out = 0;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = packed;
	z.avail_out = (unsigned)chunk;
	for (size_t done = 0; done < size; done += chunk) {
		z.next_in = zeros;
		z.avail_in = (unsigned)chunk;
		assert_int_equal(deflate(&z, done + chunk == size ? Z_FINISH : Z_NO_FLUSH), done + chunk == size ? Z_STREAM_END : Z_OK);
	}
	struct bytes outer = deflated(packed, z.total_out, 31);
	deflateEnd(&z);

	struct http_coding *c = coding("Content-Encoding: gzip, gzip\r\n", count, &out);
	assert_int_equal(http_coding_feed(c, outer.bytes, outer.len), VERDICT_MALFORMED);
	assert_true(out > 0 && out < (uint64_t)80 << 20);
	http_coding_destroy(c);
	free(packed);
	free(zeros);
}

static void
test_not_undone(void **state)
{
	(void)state;
	static const char *const fields[] = {"", "Content-Encoding: br\r\n", "Content-Encoding: identity\r\n",
	        "Content-Encoding: gzip, compress\r\n", "Content-Encoding: gzip, gzip, gzip, gzip, gzip\r\n",
	        "Transfer-Encoding: chunked\r\n"};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		assert_null(coding(fields[i], collect, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_single),
	        cmocka_unit_test(test_stacked),
	        cmocka_unit_test(test_members),
	        cmocka_unit_test(test_forgiven),
	        cmocka_unit_test(test_broken_midway),
	        cmocka_unit_test(test_bomb),
	        cmocka_unit_test(test_not_undone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
