/* The JSON writer: separators, escapes, broken UTF-8, numbers, times, growth. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "output/json.h"

static void
assert_json(struct json *j, const char *expected)
{
	assert_false(j->failed);
	json_put(j, "", 1); /* the closing zero */
	assert_string_equal(j->bytes, expected);
	json_reset(j);
}

static void
test_separators(void **state)
{
	struct json j;
	(void)state;

	json_init(&j);
	json_object(&j, NULL);
	json_u64(&j, "a", 1);
	json_splice(&j, "\"b\":2,\"c\":3");
	json_array(&j, "d");
	json_string(&j, NULL, "x");
	json_string(&j, NULL, NULL);
	json_object(&j, NULL);
	json_object_end(&j);
	json_array(&j, NULL);
	json_array_end(&j);
	json_bool(&j, NULL, true);
	json_array_end(&j);
	json_string(&j, "left out", NULL);
	json_object(&j, "e");
	json_bool(&j, "f", false);
	json_object_end(&j);
	json_i64(&j, "g", -1);
	json_plain(&j, "h", "i");
	json_object_end(&j);
	assert_json(&j, "{\"a\":1,\"b\":2,\"c\":3,\"d\":[\"x\",{},[],true],\"e\":{\"f\":false},\"g\":-1,\"h\":\"i\"}");
	json_clear(&j);
}

static void
test_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *expected;
	} rows[] = {
#define ROW(text, expected) {text, sizeof text - 1, "\"" expected "\""}
		ROW("", ""),
		ROW("plain", "plain"),
		ROW("a\"b\\c/d", "a\\\"b\\\\c/d"),
		ROW("\b\t\n\f\r", "\\b\\t\\n\\f\\r"),
		ROW("\0\x01\x1f\x7f", "\\u0000\\u0001\\u001f\\u007f"),
		ROW("\xed\x8f\x89\xec\x96\x91 \xe5\xb9\xb3 \xc3\xa9 \xf0\x9f\x8e\xac", "\xed\x8f\x89\xec\x96\x91 \xe5\xb9\xb3 \xc3\xa9 \xf0\x9f\x8e\xac"),
		ROW("\xe2\x80\xa8", "\xe2\x80\xa8"),                  /* U+2028 may stand */
		ROW("\x80", "\xef\xbf\xbd"),                          /* nothing begins so */
		ROW("a\xc3", "a\xef\xbf\xbd"),                        /* cut off */
		ROW("\xe5\xb9", "\xef\xbf\xbd\xef\xbf\xbd"),
		ROW("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"),          /* overlong */
		ROW("\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
		ROW("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"), /* a surrogate */
		ROW("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"), /* above U+10FFFF */
		ROW("\xff\xc3\xa9\xfe", "\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd"),
#undef ROW
	};
	struct json j;
	(void)state;

	json_init(&j);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_bytes(&j, NULL, rows[i].bytes, rows[i].len);
		assert_json(&j, rows[i].expected);
	}
	json_clear(&j);
}

/* Whatever the bytes, what is written is UTF-8; every prefix in an exact-size copy. */
static void
test_text_is_always_utf8(void **state)
{
	static const char bytes[] = "\xf0\x9f\x8e\xac\xed\x8f\x89\xc3\xa9\xf4\x8f\xbf\xbf\xe1\x80\"\\\n\x01z\xc2";
	struct json j;
	(void)state;

	json_init(&j);
	for (size_t len = 0; len < sizeof bytes; len++) {
		char *copy = malloc(len > 0 ? len : 1);
		memcpy(copy, bytes, len);
		json_bytes(&j, NULL, copy, len);
		assert_false(j.failed);
		assert_true(text_is_utf8(j.bytes, j.len));
		json_reset(&j);
		free(copy);
	}
	json_clear(&j);
}

/* Every byte at every place of a text of some words: only what stands for itself stays as it is. */
static void
test_text_at_every_place(void **state)
{
	enum { LEN = 27 };
	char text[LEN], quoted[LEN + 8];
	struct json j;
	(void)state;

	json_init(&j);
	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < LEN; at++) {
			memset(text, 'x', sizeof text);
			text[at] = (char)c;
			json_bytes(&j, NULL, text, sizeof text);
			bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
			snprintf(quoted, sizeof quoted, "\"%.*s\"", LEN, text);
			assert_int_equal(j.len == LEN + 2 && memcmp(j.bytes, quoted, LEN + 2) == 0, plain);
			assert_memory_equal(j.bytes, quoted, at + 1);
			json_reset(&j);
		}
	}
	json_clear(&j);
}

static void
test_kept(void **state)
{
	struct json j;
	(void)state;

	json_init(&j);
	json_string(&j, NULL, "first");
	json_keep(&j);
	json_reset(&j);
	json_string(&j, NULL, "taken back");
	json_reset(&j);
	json_string(&j, NULL, "second");
	assert_int_equal(j.len, strlen("\"first\"\"second\""));
	assert_memory_equal(j.bytes, "\"first\"\"second\"", j.len);
	json_clear(&j);
}

static void
test_numbers(void **state)
{
	static const struct {
		uint64_t value;
		const char *expected;
	} rows[] = {
		{0, "0"}, {7, "7"}, {10, "10"}, {99, "99"}, {100, "100"}, {12345, "12345"},
		{UINT64_C(9007199254740993), "9007199254740993"}, /* more than a double holds */
		{UINT64_MAX, "18446744073709551615"},
	};
	struct json j;
	(void)state;

	json_init(&j);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_u64(&j, NULL, rows[i].value);
		assert_json(&j, rows[i].expected);
	}
	for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10) {
		for (uint64_t value = power - 1; value <= power + 1; value++) {
			char text[24];
			snprintf(text, sizeof text, "%llu", (unsigned long long)value);
			json_u64(&j, NULL, value);
			assert_json(&j, text);
		}
	}
	json_i64(&j, NULL, INT64_MIN);
	assert_json(&j, "-9223372036854775808");
	json_i64(&j, NULL, INT64_MAX);
	assert_json(&j, "9223372036854775807");
	json_clear(&j);
}

/* The same as clock_format() at every time that an int64_t of nanoseconds can tell. */
static void
test_times(void **state)
{
	struct json j;
	char text[CLOCK_TEXT_MAX], quoted[CLOCK_TEXT_MAX + 2];
	(void)state;

	json_init(&j);
	for (int64_t time = INT64_MIN + CLOCK_SECOND; time < INT64_MAX - INT64_C(40000000000000000); time += INT64_C(39999999912345678)) {
		snprintf(quoted, sizeof quoted, "\"%s\"", clock_format(time, text));
		json_time(&j, NULL, time);
		assert_json(&j, quoted);
	}
	json_time(&j, NULL, INT64_C(1709164800) * CLOCK_SECOND - 1);
	assert_json(&j, "\"2024-02-28T23:59:59.999999Z\"");
	json_time(&j, NULL, INT64_C(1709164800) * CLOCK_SECOND);
	assert_json(&j, "\"2024-02-29T00:00:00.000000Z\"");
	json_time(&j, NULL, -1);
	assert_json(&j, "\"1969-12-31T23:59:59.999999Z\"");
	json_clear(&j);
}

static void
test_addresses(void **state)
{
	struct json j;
	(void)state;

	json_init(&j);
	json_put_v4(&j, (const uint8_t[]){0, 9, 10, 99});
	assert_json(&j, "\"0.9.10.99\"");
	json_put_v4(&j, (const uint8_t[]){100, 255, 101, 200});
	assert_json(&j, "\"100.255.101.200\"");
	json_clear(&j);
}

static void
test_growth(void **state)
{
	struct json j;
	(void)state;

	json_init(&j);
	json_array(&j, NULL);
	for (int i = 0; i < 20000; i++)
		json_string(&j, NULL, "\"\n");
	json_array_end(&j);
	assert_false(j.failed);
	assert_int_equal(j.len, 2 + 20000 * 6 + 19999);
	json_hex(&j, "x", (const uint8_t[]){0, 0xab, 0xff}, 3);
	assert_memory_equal(j.bytes + j.len - 13, "],\"x\":\"00abff\"" + 1, 13);
	json_clear(&j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_separators),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_is_always_utf8),
		cmocka_unit_test(test_text_at_every_place),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_growth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
