/* Header fields, parameters, encoded words and multipart bodies, as senders really write them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/mime_header.h"
#include "proto/mime_multipart.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static uint8_t *
exact(const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	memcpy(copy, bytes, len);
	return copy;
}

static void
test_params(void **state)
{
	(void)state;
	static const struct {
		const char *value, *text, *charset;
	} good[] = {
	        {"attachment; filename=a.txt", "a.txt", ""},
	        {"attachment; filename=\"a b.txt\"", "a b.txt", ""},
	        {"attachment;filename = a b.txt ; size=3", "a b.txt", ""},
	        {"attachment; FILENAME=\"a\\\"b\\\\c\"", "a\"b\\c", ""},
	        {"form-data; filename=\"C:\\dir\\a.txt\"", "C:\\dir\\a.txt", ""},
	        {"attachment; name=\"x; filename=no\"; filename=yes", "yes", ""},
	        {"filename=bare.txt", "bare.txt", ""},
	        {"attachment; filename=\"unclosed", "unclosed", ""},
	        {"attachment; filename=\"\"", "", ""},
	        {"attachment; filename=a; filename*=UTF-8''%e2%82%ac", "\xe2\x82\xac", "UTF-8"},
	        {"attachment; filename*=euc-kr'ko'%b0%a1.txt; filename=a", "\xb0\xa1.txt", "euc-kr"},
	        {"attachment; filename*=broken; filename=a", "a", ""},
	        {"attachment; filename*0=\"one \"; filename*1=two", "one two", ""},
	        {"attachment; filename*1*=%20two; filename*0*=utf-8''%41; filename*2=%20", "A two%20", "utf-8"},
	        {"attachment; filename=\"=?UTF-8?B?6rCA?=\"", "\xea\xb0\x80", "UTF-8"},
	        {"attachment; filename=\"=?iso-8859-1?q?a=e9_b?= =?iso-8859-1?Q?c?=\"", "a\xe9 bc", "iso-8859-1"},
	        {"attachment; filename=%E6%96%87.txt", "\xe6\x96\x87.txt", ""},
	        {"attachment; filename=100%25.txt", "100%25.txt", ""},
	        {"attachment; filename=\"\xb1\xd7\xb8\xb2.psd\"", "\xb1\xd7\xb8\xb2.psd", ""},
	};
	static const char *const bad[] = {"", "attachment", "attachment;", ";;;", "attachment; name=x", "attachment; filenames=x",
	        "attachment; filename*1=two"};
	struct mime_text t;
	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len = strlen(good[i].value);
		for (size_t n = 0; n <= len; n++) {
			uint8_t *copy = exact(good[i].value, n);
			bool found = mime_param(copy, n, "filename", &t);
			free(copy);
			if (n < len)
				continue;
			assert_true(found);
			if (t.len != strlen(good[i].text) || memcmp(t.bytes, good[i].text, t.len) != 0)
				fail_msg("%s: %.*s", good[i].value, (int)t.len, (const char *)t.bytes);
			assert_string_equal(t.charset, good[i].charset);
		}
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint8_t *copy = exact(bad[i], strlen(bad[i]));
		if (mime_param(copy, strlen(bad[i]), "filename", &t))
			fail_msg("found in: %s", bad[i]);
		free(copy);
	}
}

static void
test_words(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out, *charset;
	} rows[] = {
	        {"plain", "plain", ""},
	        {"=?utf-8?Q?a?= b", "a b", "utf-8"},
	        {"x =?utf-8?Q?a?=  =?utf-8?Q?b?= y", "x ab y", "utf-8"},
	        {"=?gb2312*zh?B?zsQ=?=", "\xce\xc4", "gb2312"},
	        {"=?iso-8859-1?Q?=e9?= =?utf-8?Q?=c3=a9?=", "\xc3\xa9\xc3\xa9", "utf-8"},
	        {"=?utf-8?X?a?=", "=?utf-8?X?a?=", ""},
	        {"=?utf-8?B?***?=", "=?utf-8?B?***?=", ""},
	        {"=?utf-8?Q?a", "=?utf-8?Q?a", ""},
	        {"=?", "=?", ""},
	        {"a=?=?=b", "a=?=?=b", ""},
	};
	struct mime_text t;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].in);
		for (size_t n = 0; n <= len; n++) {
			uint8_t *copy = exact(rows[i].in, n);
			mime_words(copy, n, &t);
			free(copy);
		}
		if (t.len != strlen(rows[i].out) || memcmp(t.bytes, rows[i].out, t.len) != 0)
			fail_msg("%s: %.*s", rows[i].in, (int)t.len, (const char *)t.bytes);
		assert_string_equal(t.charset, rows[i].charset);
	}
}

static void
test_long_values(void **state)
{
	(void)state;
	char *value = malloc(100000);
	struct mime_text t;
	int n = sprintf(value, "attachment; filename=\"");
	memset(value + n, 'x', 99999 - (size_t)n);
	assert_true(mime_param((const uint8_t *)value, 99999, "filename", &t));
	assert_int_equal(t.len, MIME_TEXT_MAX);
	memcpy(value, "=?utf-8?B?", 10);
	memset(value + 10, 'A', 99980);
	memcpy(value + 99990, "?=", 2);
	mime_words((const uint8_t *)value, 99992, &t);
	assert_int_equal(t.len, MIME_TEXT_MAX);
	memset(value, ';', 99999);
	assert_false(mime_param((const uint8_t *)value, 99999, "filename", &t));
	free(value);
}

static void
test_fields(void **state)
{
	(void)state;
	static const char block[] = "A: 1\r\nB :\t2 \nnone\r\na:3\r\nC:\r\n\r\n";
	struct mime_fields f;
	for (size_t n = 0; n < sizeof block; n++) {
		uint8_t *copy = exact(block, n);
		mime_fields_parse(&f, copy, n);
		free(copy);
	}
	mime_fields_parse(&f, (const uint8_t *)block, sizeof block - 1);
	assert_int_equal(f.count, 4);
	const struct mime_field *a = mime_fields_find(&f, "a", NULL);
	assert_memory_equal(a->value, "1", a->value_len);
	a = mime_fields_find(&f, "A", a);
	assert_memory_equal(a->value, "3", a->value_len);
	assert_null(mime_fields_find(&f, "a", a));
	assert_int_equal(mime_fields_find(&f, "b", NULL)->value_len, 1);
	assert_int_equal(mime_fields_find(&f, "c", NULL)->value_len, 0);
}

/* Cut at every place, in pieces of every size. */
static void
test_gather(void **state)
{
	(void)state;
	static const char in[] = "\r\nA: 1\r\n folded\r\nB: 2\r\n\r\nrest";
	for (size_t piece = 1; piece < sizeof in; piece++) {
		struct mime_gather g = {.bytes = NULL};
		const uint8_t *block;
		size_t len = 0, at = 0, used;
		enum verdict v = VERDICT_MORE;
		while (v == VERDICT_MORE && at < sizeof in - 1) {
			size_t n = sizeof in - 1 - at < piece ? sizeof in - 1 - at : piece;
			uint8_t *copy = exact(in + at, n);
			v = mime_gather_take(&g, copy, n, 100, true, &used, &block, &len);
			at += used;
			if (v == VERDICT_DONE)
				assert_memory_equal(block + 2, "A: 1 folded\r\nB: 2", 17);
			free(copy);
		}
		assert_int_equal(v, VERDICT_DONE);
		assert_string_equal(in + at, "rest");
		mime_gather_clear(&g);
	}
	struct mime_gather g = {.bytes = NULL};
	const uint8_t *block;
	size_t len, used;
	assert_int_equal(mime_gather_take(&g, (const uint8_t *)in, 8, 10, true, &used, &block, &len), VERDICT_MORE);
	assert_int_equal(mime_gather_take(&g, (const uint8_t *)in + 8, 8, 10, true, &used, &block, &len), VERDICT_MALFORMED);
	mime_gather_clear(&g);
}

/* Parts are written down as "name(content)", with "!" where their end is missing. */
struct parts {
	char text[1024];
	size_t len;
};

static void
say(struct parts *p, const void *bytes, size_t len)
{
	assert_true(len < sizeof p->text - p->len);
	memcpy(p->text + p->len, bytes, len);
	p->len += len;
	p->text[p->len] = '\0';
}

static void
on_begin(void *ctx, const struct mime_fields *header)
{
	const struct mime_field *name = mime_fields_find(header, "n", NULL);
	if (name != NULL)
		say(ctx, name->value, name->value_len);
	say(ctx, "(", 1);
}

static void
on_data(void *ctx, const uint8_t *bytes, size_t len)
{
	say(ctx, bytes, len);
}

static void
on_skip(void *ctx, uint64_t len)
{
	char number[24];
	say(ctx, number, (size_t)sprintf(number, "[%llu]", (unsigned long long)len));
}

static void
on_end(void *ctx, bool whole)
{
	say(ctx, whole ? ")" : "!)", whole ? 1 : 2);
}

static const struct mime_multipart_ops ops = {on_begin, on_data, on_skip, on_end};

static void
test_multipart(void **state)
{
	(void)state;
	static const struct {
		const char *body, *parts;
	} rows[] = {
	        {"--B\r\nn: a\r\n\r\nAAA\r\n--B\r\n\r\nbb\r\n--B--\r\nepilogue\r\n--B\r\n", "a(AAA)(bb)"},
	        {"preamble\r\n--B \t\r\nn:a\r\n\r\nA\r\n--B--", "a(A)"},
	        {"--B\nn: a\n\nline\nline\r\n\n--B--", "a(line\nline\r\n)"},
	        {"--B\r\nn: a\r\n\r\n--B\r\nn: b\r\n\r\n\r\n--B--", "a()b()"},
	        {"--B\r\nn: a\r\n\r\n\r\r\n-\r\n--\r\n--A\n\r\r\n--B--", "a(\r\r\n-\r\n--\r\n--A\n\r)"},
	        {"--B\r\nn: a\r\n\r\nx--B--\r\n --B\r\n\n\r\n--B--", "a(x--B--\r\n --B\r\n\n)"},
	        {"--B\r\nn: a\r\n\r\nunfinished\r\n--", "a(unfinished\r\n--!)"},
	        {"--B\r\nn: a\r\n\r\nunfinished\r", "a(unfinished\r!)"},
	        {"--B\r\nn: a\r\n", ""},
	        {"no boundary", ""},
	        {"", ""},
	};
	static const char type[] = "multipart/form-data; boundary=\"B\"";
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].body);
		for (size_t first = 0; first <= len; first++) {
			for (size_t piece = 1; piece <= len; piece += piece < 4 ? 1 : len) {
				struct parts p = {.len = 0};
				struct mime_multipart *m = mime_multipart_create((const uint8_t *)type, sizeof type - 1, &ops, &p);
				uint8_t *copy = exact(rows[i].body, first);
				mime_multipart_feed(m, copy, first);
				free(copy);
				for (size_t at = first; at < len; at += piece) {
					size_t n = len - at < piece ? len - at : piece;
					copy = exact(rows[i].body + at, n);
					mime_multipart_feed(m, copy, n);
					free(copy);
				}
				mime_multipart_destroy(m);
				if (strcmp(p.text, rows[i].parts) != 0)
					fail_msg("row %zu, %zu then pieces of %zu: %s", i, first, piece, p.text);
			}
		}
	}
	assert_null(mime_multipart_create((const uint8_t *)"multipart/mixed", 15, &ops, NULL));
	mime_multipart_destroy(NULL);
}

static void
test_multipart_gaps(void **state)
{
	(void)state;
	struct parts p = {.len = 0};
	struct mime_multipart *m = mime_multipart_create((const uint8_t *)"a/b; boundary=B", 15, &ops, &p);
	mime_multipart_feed(m, (const uint8_t *)"--B\r\nn: a\r\n\r\nxx\r", 16);
	mime_multipart_skip(m, 7);
	mime_multipart_feed(m, (const uint8_t *)"yy\r\n--B\r\nn: b", 13);
	mime_multipart_skip(m, 5);
	mime_multipart_feed(m, (const uint8_t *)"zz\r\n--B\r\nn: c\r\n\r\nc\r\n--B--", 26);
	mime_multipart_destroy(m);
	assert_string_equal(p.text, "a(xx\r[7]yy)c(c)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_params),
	        cmocka_unit_test(test_words),
	        cmocka_unit_test(test_long_values),
	        cmocka_unit_test(test_fields),
	        cmocka_unit_test(test_gather),
	        cmocka_unit_test(test_multipart),
	        cmocka_unit_test(test_multipart_gaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
