/* Start lines, framing, ranges and listings: the parts of HTTP that need no conversation. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/http_body.h"
#include "proto/http_listing.h"
#include "proto/http_range.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* Parses a head out of an exact-size block, which the caller frees. */
static uint8_t *
parse(struct http_head *h, const char *text, bool *ok)
{
	size_t len = strlen(text);
	uint8_t *exact = malloc(len > 0 ? len : 1);
	memcpy(exact, text, len);
	*ok = http_head_parse(h, exact, len);
	return exact;
}

static void
test_start_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *method, *target;
		unsigned version, status;
	} good[] = {
	        {"GET / HTTP/1.1\r\n", "GET", "/", 11, 0},
	        {"GET  /a b  HTTP/1.0 \r\n", "GET", "/a b", 10, 0},
	        {"VERSION-CONTROL /x HTTP/1.1\n", "VERSION-CONTROL", "/x", 11, 0},
	        {"OPTIONS * HTTP/1.1\r\n", "OPTIONS", "*", 11, 0},
	        {"OPTIONS HTTP/1.1\r\n", "OPTIONS", "", 11, 0},
	        {"GET/HTTP/1.1\r\n", "GET/", "", 11, 0},
	        {"GET/ HTTP/1.1\r\n", "GET/", "", 11, 0},
	        {"\xc3\x83 / HTTP/1.\n", "\xc3\x83", "/", 11, 0},
	        {"\r\nGET /a\r\n", "GET", "/a", 9, 0},
	        {"HTTP/1.1 200 OK\r\n", NULL, NULL, 11, 200},
	        {"HTTP/1.0 404\r\n", NULL, NULL, 10, 404},
	        {"HTTP/1.1   206  \n", NULL, NULL, 11, 206},
	};
	static const char *const bad[] = {"", "GET", "GET ", "POST /a", "GET a", "HTTP/1.1", "HTTP/1.1 OK", "HTTP/2.0 200",
	        "G\x01T / HTTP/1.1", "GET / FTP/1.1", "PRI * HTTP/2.0",
	        "ATOKENWITHMORETHANTHIRTYTWOCHARACTERS / HTTP/1.1"};
	struct http_head h = {.version = 0};
	bool ok;
	for (size_t i = 0; i < COUNT(good); i++) {
		uint8_t *exact = parse(&h, good[i].line, &ok);
		assert_true(ok);
		assert_int_equal(h.version, good[i].version);
		if (good[i].method != NULL) {
			assert_int_equal(h.method_len, strlen(good[i].method));
			assert_memory_equal(h.method, good[i].method, h.method_len);
			assert_int_equal(h.target_len, strlen(good[i].target));
			assert_memory_equal(h.target, good[i].target, h.target_len);
		} else {
			assert_int_equal(h.status, good[i].status);
		}
		free(exact);
		for (size_t n = 0; n < strlen(good[i].line); n++) {
			exact = malloc(n > 0 ? n : 1);
			memcpy(exact, good[i].line, n);
			http_head_parse(&h, exact, n);
			http_start(exact, n);
			http_start_find(exact, n, true, true);
			free(exact);
		}
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint8_t *exact = parse(&h, bad[i], &ok);
		if (ok)
			fail_msg("taken: %s", bad[i]);
		free(exact);
	}
}

static void
test_framing(void **state)
{
	(void)state;
	static const struct {
		const char *head;
		bool silent;
		enum http_framing framing;
		uint64_t length;
	} rows[] = {
	        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, HTTP_BODY_LENGTH, 5},
	        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, HTTP_BODY_NONE, 0},
	        {"HTTP/1.1 200 OK\r\nContent-Length : 5 , 5\r\n\r\n", false, HTTP_BODY_LENGTH, 5},
	        {"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false, HTTP_BODY_NONE, 0},
	        {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", false, HTTP_BODY_CLOSE, 0},
	        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", false, HTTP_BODY_CLOSE, 0},
	        {"HTTP/1.1 200 OK\r\n\r\n", false, HTTP_BODY_CLOSE, 0},
	        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\n", false, HTTP_BODY_CHUNKED, 0},
	        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", false, HTTP_BODY_CLOSE, 0},
	        {"POST / HTTP/1.1\r\n\r\n", false, HTTP_BODY_NONE, 0},
	        {"POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", false, HTTP_BODY_LENGTH, UINT64_MAX},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_head h = {.version = 0};
		struct http_body b;
		bool ok;
		uint8_t *exact = parse(&h, rows[i].head, &ok);
		assert_true(ok);
		http_body_init(&b, &h, rows[i].silent);
		assert_int_equal(b.framing, rows[i].framing);
		if (b.framing == HTTP_BODY_LENGTH)
			assert_true(b.left == rows[i].length);
		free(exact);
	}
}

/* The content of a chunked body given in pieces, each in its own block; *left: bytes behind its end. */
static enum verdict
dechunk(const char *body, size_t piece, char *out, bool *whole, size_t *left)
{
	struct http_body b = {.framing = HTTP_BODY_CHUNKED};
	enum verdict v = VERDICT_MORE;
	size_t len = strlen(body), n = 0;
	while (len > 0 && v == VERDICT_MORE) {
		size_t give = piece < len ? piece : len, used, content_len;
		const uint8_t *content;
		uint8_t *exact = malloc(give);
		memcpy(exact, body, give);
		v = http_body_take(&b, exact, give, &used, &content, &content_len);
		memcpy(out + n, content, content_len);
		n += content_len;
		body += used;
		len -= used;
		free(exact);
	}
	out[n] = '\0';
	*whole = b.whole;
	*left = len;
	return v;
}

static void
test_chunks(void **state)
{
	(void)state;
	static const struct {
		const char *body, *content;
		enum verdict verdict;
		bool whole;
		size_t left;
	} rows[] = {
	        {"3\r\nabc\r\n0\r\n\r\n", "abc", VERDICT_DONE, true, 0},
	        {"3\nabc\n0\n\nNEXT", "abc", VERDICT_DONE, true, 4},
	        {"00000000000000000003\r\nabc\r\n0\r\n\r\n", "abc", VERDICT_DONE, true, 0},
	        {"  A \r\n0123456789\r\n0;last\r\nX: y\r\n\r\n", "0123456789", VERDICT_DONE, true, 0},
	        {"3;a=\"b\nabc\r\n0\r\n", "abc", VERDICT_MORE, true, 0},
	        {"3\r\nabc0\r\n\r\n", "abc", VERDICT_DONE, true, 0},
	        {"3\r\nabc\r\n5\r\nde", "abcde", VERDICT_MORE, false, 0},
	        {"\r\n", "", VERDICT_MALFORMED, false, 1},
	        {"x\r\n", "", VERDICT_MALFORMED, false, 2},
	        {"3\r\nabcdefg", "abc", VERDICT_MORE, false, 0},
	        {"10000000000000000\r\n", "", VERDICT_MALFORMED, false, 3},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t piece = 1; piece <= strlen(rows[i].body); piece++) {
			char out[64];
			bool whole;
			size_t left;
			enum verdict v = dechunk(rows[i].body, piece, out, &whole, &left);
			if (strcmp(rows[i].body, "3\r\nabcdefg") == 0) {
				/* "def" is taken for a size, "g" for its extension: no end is found */
				assert_int_equal(v, VERDICT_MORE);
				continue;
			}
			assert_string_equal(out, rows[i].content);
			assert_int_equal(whole, rows[i].whole);
			if (v != rows[i].verdict)
				fail_msg("row %zu in pieces of %zu: %d", i, piece, v);
			if (v == VERDICT_DONE)
				assert_int_equal(left, rows[i].left);
		}
	}
}

static void
test_gaps(void **state)
{
	(void)state;
	uint64_t skipped, left;
	struct http_body b = {.framing = HTTP_BODY_LENGTH, .left = 10};
	assert_int_equal(http_body_gap(&b, 4, &skipped, &left), VERDICT_MORE);
	assert_int_equal(skipped, 4);
	assert_int_equal(http_body_gap(&b, 9, &skipped, &left), VERDICT_DONE);
	assert_int_equal(skipped, 6);
	assert_int_equal(left, 3);
	b = (struct http_body){.framing = HTTP_BODY_CHUNKED, .chunk = HTTP_CHUNK_DATA, .left = 10};
	assert_int_equal(http_body_gap(&b, 10, &skipped, &left), VERDICT_MORE);
	assert_int_equal(b.chunk, HTTP_CHUNK_DATA_END);
	assert_int_equal(http_body_gap(&b, 1, &skipped, &left), VERDICT_MALFORMED);
	b = (struct http_body){.framing = HTTP_BODY_CLOSE};
	assert_int_equal(http_body_gap(&b, UINT64_MAX, &skipped, &left), VERDICT_MORE);
	assert_true(skipped == UINT64_MAX);
}

static void
test_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		uint64_t first, last, total;
		bool known;
	} good[] = {
	        {"bytes 0-0/1", 0, 0, 1, true},
	        {"bytes 5-9/*", 5, 9, 0, false},
	        {"Bytes=0-99/100", 0, 99, 100, true},
	};
	static const char *const bad[] = {"", "bytes", "bytes */100", "bytes 5-4/9", "bytes 0-9/9", "bytes 0-9", "items 0-1/2",
	        "bytes 0-18446744073709551615/*", "bytes 0-99999999999999999999/*"};
	struct http_range r;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct mime_field f = {.value = (const uint8_t *)good[i].value, .value_len = strlen(good[i].value)};
		assert_true(http_range_parse(&r, &f));
		assert_true(r.first == good[i].first && r.last == good[i].last && r.total_known == good[i].known);
		assert_true(!r.total_known || r.total == good[i].total);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct mime_field f = {.value = (const uint8_t *)bad[i], .value_len = strlen(bad[i])};
		if (http_range_parse(&r, &f))
			fail_msg("taken: %s", bad[i]);
	}
	assert_false(http_range_parse(&r, NULL));
}

static void
test_range_keys(void **state)
{
	(void)state;
	const struct http_range r = {.total_known = true, .total = 100};
	const struct http_range other = {.total_known = true, .total = 101};
	const uint8_t etag[] = "\"v1\"";
	uint8_t a[HTTP_RANGE_KEY_MAX], b[HTTP_RANGE_KEY_MAX];
	char url[3000];

	memset(url, 'u', sizeof url - 1);
	url[sizeof url - 1] = '\0';
	size_t n = http_range_key(a, &r, false, url, etag, 4);
	assert_int_equal(http_range_key(b, &r, false, url, etag, 4), n);
	assert_memory_equal(a, b, n);
	url[2900] = 'v';
	http_range_key(b, &r, false, url, etag, 4);
	assert_memory_not_equal(a, b, n);
	assert_int_equal(http_range_key(a, &r, false, "http://h/", etag, 4), http_range_key(b, &other, false, "http://h/", etag, 4));
	assert_memory_not_equal(a, b, 16);
	assert_int_equal(http_range_key(a, &r, false, NULL, NULL, 0), 0);
}

static void
test_listings(void **state)
{
	(void)state;
	static const char *const yes[] = {"<html><head><title>Index of /pub</title>", "<HTML><TITLE>Index of /</TITLE>",
	        "<title>Directory listing for /</title>", "<A HREF=\"/\">[To Parent Directory]</A>"};
	static const char *const no[] = {"", "<", "<title>Index of Refraction</title>", "index of /", "<title>Index of "};
	for (size_t i = 0; i < COUNT(yes); i++)
		assert_true(http_listing_looks((const uint8_t *)yes[i], strlen(yes[i])));
	for (size_t i = 0; i < COUNT(no); i++)
		assert_false(http_listing_looks((const uint8_t *)no[i], strlen(no[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_start_lines),
	        cmocka_unit_test(test_framing),
	        cmocka_unit_test(test_chunks),
	        cmocka_unit_test(test_gaps),
	        cmocka_unit_test(test_ranges),
	        cmocka_unit_test(test_range_keys),
	        cmocka_unit_test(test_listings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
