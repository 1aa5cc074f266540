#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/reader.h"
#include "base/table.h"
#include "base/text.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void
test_reader_stays_bad(void **state)
{
	(void)state;
	const uint8_t bytes[] = {1, 2, 3, 4, 5};
	struct reader r = reader_init(bytes, sizeof bytes);
	assert_int_equal(reader_be16(&r), 0x0102);
	struct reader child = reader_sub(&r, 2);
	assert_int_equal(reader_le16(&child), 0x0403);
	assert_int_equal(reader_u8(&child), 0);
	assert_false(reader_ok(&child));
	assert_true(reader_ok(&r));
	assert_int_equal(reader_be32(&r), 0);
	assert_false(reader_ok(&r));
	assert_int_equal(reader_u8(&r), 0);
}

static void
test_addr_networks(void **state)
{
	(void)state;
	static const struct {
		const char *network, *in, *out;
		unsigned bits;
		bool host_bits;
	} good[] = {
		{"175.45.176.0/22", "175.45.179.255", "175.45.180.0", 22, false},
		{"192.0.2.5/24", "192.0.2.200", "192.0.3.0", 24, true},
		{"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::", 33, false},
		{"0.0.0.0/0", "255.255.255.255", "::1", 0, false},
		{"203.0.113.7", "203.0.113.7", "203.0.113.6", 32, false},
	};
	for (size_t i = 0; i < COUNT(good); i++) {
		struct addr network, a;
		unsigned bits;
		bool host_bits;
		assert_int_equal(addr_parse_network(good[i].network, &network, &bits, &host_bits), 0);
		assert_int_equal(bits, good[i].bits);
		assert_int_equal(host_bits, good[i].host_bits);
		assert_int_equal(addr_parse(good[i].in, &a), 0);
		assert_true(addr_within(&a, &network, bits));
		assert_int_equal(addr_parse(good[i].out, &a), 0);
		assert_false(addr_within(&a, &network, bits));
	}
	static const char *const bad[] = {"", "/", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "::/129",
	        "1.2.3.4/2x", "2001:db8::/ 32", "name"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct addr network;
		unsigned bits;
		if (addr_parse_network(bad[i], &network, &bits, NULL) == 0)
			fail_msg("taken for a network: %s", bad[i]);
	}
}

static void
test_addr_private(void **state)
{
	(void)state;
	static const char *const private[] = {"192.168.0.1", "10.255.0.1", "172.31.0.1", "100.64.0.1", "127.0.0.1",
	        "169.254.1.1", "224.0.0.251", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1"};
	static const char *const public[] = {"172.32.0.1", "100.128.0.1", "175.45.176.1", "168.192.0.1",
	        "1.0.168.192", "2001:db8::1", "::2", "8.8.8.8"};
	struct addr a;
	for (size_t i = 0; i < COUNT(private); i++) {
		assert_int_equal(addr_parse(private[i], &a), 0);
		if (!addr_is_private(&a))
			fail_msg("not private: %s", private[i]);
	}
	for (size_t i = 0; i < COUNT(public); i++) {
		assert_int_equal(addr_parse(public[i], &a), 0);
		if (addr_is_private(&a))
			fail_msg("private: %s", public[i]);
	}
}

/* What addr_scope says holds for all of a prefix holds at both ends of it, and at no shorter one's beyond. */
static void
test_addr_scope(void **state)
{
	(void)state;
	static const struct {
		const char *addr;
		enum addr_scope scope;
		unsigned bits;
	} rows[] = {
		{"10.1.2.3", ADDR_PRIVATE, 96 + 8}, {"172.31.0.1", ADDR_PRIVATE, 96 + 12}, {"8.8.8.8", ADDR_PUBLIC, 96 + 7},
		{"11.0.0.0", ADDR_PUBLIC, 96 + 8}, {"172.32.0.0", ADDR_PUBLIC, 96 + 11}, {"192.169.0.0", ADDR_PUBLIC, 96 + 16},
		{"224.0.0.1", ADDR_MULTICAST, 96 + 4}, {"255.255.255.255", ADDR_MULTICAST, 128},
		{"255.255.255.254", ADDR_PUBLIC, 128}, {"::1", ADDR_PRIVATE, 127}, {"::2", ADDR_PUBLIC, 127},
		{"2001:db8::1", ADDR_PUBLIC, 3}, {"fd00::1", ADDR_PRIVATE, 7}, {"fe80::1", ADDR_PRIVATE, 10},
		{"fec0::1", ADDR_PUBLIC, 10}, {"ff02::1", ADDR_MULTICAST, 8},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a;
		unsigned bits = 0;
		assert_int_equal(addr_parse(rows[i].addr, &a), 0);
		print_message("%s\n", rows[i].addr);
		assert_int_equal(addr_scope(&a, &bits), rows[i].scope);
		assert_int_equal(bits, rows[i].bits);
	}
}

static void
test_addr_order(void **state)
{
	(void)state;
	static const char *const rising[] = {"::", "::1", "0.0.0.0", "9.255.0.0", "10.0.0.1", "128.0.0.0", "1::", "1::8000:0:0:0",
	        "8000::", "ff::", "ff00::1"};
	for (size_t i = 0; i < COUNT(rising); i++) {
		for (size_t k = 0; k < COUNT(rising); k++) {
			struct addr a, b;
			assert_int_equal(addr_parse(rising[i], &a), 0);
			assert_int_equal(addr_parse(rising[k], &b), 0);
			const int order = memcmp(a.bytes, b.bytes, sizeof a.bytes);
			assert_int_equal(addr_compare(&a, &b), (order > 0) - (order < 0));
			assert_int_equal(addr_common(&a, &b) == 128, i == k);
		}
	}
}

static void
test_arena_limit(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 4096);
	assert_string_equal(arena_printf(&a, "%s-%d", "shot", 10), "shot-10");
	assert_null(arena_alloc(&a, 5000));
	for (int i = 0; i < 1000; i++)
		(void)arena_alloc(&a, 16);
	assert_null(arena_alloc(&a, 16));
	arena_clear(&a);
	assert_non_null(arena_alloc(&a, 4096));
	for (int i = 0; i < 3; i++) {
		arena_reset(&a);
		for (int k = 0; k < 256; k++)
			assert_int_equal(*(uint8_t *)arena_alloc(&a, 16), 0);
		assert_null(arena_alloc(&a, 16));
	}
	arena_clear(&a);
}

static void
test_clock(void **state)
{
	(void)state;
	static const struct {
		const char *text, *formatted;
	} good[] = {
		{"2014", "2014-01-01T00:00:00.000000Z"},
		{"2014-12-19", "2014-12-19T00:00:00.000000Z"},
		{"2014-12-19T08:09:10.123456789Z", "2014-12-19T08:09:10.123456Z"},
		{"2014-12-19 08:00", "2014-12-19T08:00:00.000000Z"},
		{"2014-12-19T08:00:00+09:00", "2014-12-18T23:00:00.000000Z"},
		{"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"},
	};
	int64_t t;
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[CLOCK_TEXT_MAX];
		assert_int_equal(clock_parse(good[i].text, &t), 0);
		assert_string_equal(clock_format(t, text), good[i].formatted);
	}
	static const char *const bad[] = {"", "yesterday", "2014-13-01", "2014-12-19T08", "2014-12-19x",
	        "2014-12-19T08:00:00+9"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (clock_parse(bad[i], &t) == 0)
			fail_msg("taken for a time: %s", bad[i]);
	}
}

/* Every one of the eight key and message bits that are turned changes the digest. */
static void
test_hash_is_keyed(void **state)
{
	(void)state;
	const uint8_t bytes[24] = "shot_010.0001.exr";
	for (size_t len = 0; len < sizeof bytes; len++) {
		struct hash_key key = {1, 2}, other = {1, 3};
		assert_true(hash_bytes(&key, bytes, len) == hash_bytes(&key, bytes, len));
		assert_true(hash_bytes(&key, bytes, len) != hash_bytes(&other, bytes, len));
		assert_true(hash_bytes(&key, bytes, len) != hash_bytes(&key, bytes, len + 1));
	}
	assert_true(hash_stable("a", 1) != hash_stable("b", 1));
}

/* Neighbouring addresses, as in a sweep, fall into all places, whatever the key. */
static void
test_hash_spreads(void **state)
{
	(void)state;
	enum { BITS = 10, EACH = 32, KEYS = 50 };
	struct hash_fixed_key key;
	for (int k = 0; k < KEYS; k++) {
		for (unsigned i = 0; i <= HASH_FIXED_WORDS; i++) {
			unsigned seed[2] = {(unsigned)k, i};
			uint64_t word = hash_stable(seed, sizeof seed);
			memcpy((uint8_t *)&key + i * sizeof word, &word, sizeof word);
		}
		for (int at = 12; at < 15; at++) {
			unsigned upper[1 << BITS] = {0}, lower[1 << BITS] = {0};
			for (unsigned i = 0; i < EACH << BITS; i++) {
				uint8_t addr[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
				addr[at] = (uint8_t)(i >> 8);
				addr[at + 1] = (uint8_t)i;
				addr[11] = (uint8_t)(i >> 16);
				uint64_t hash = hash_fixed(&key, addr, sizeof addr);
				if (++upper[hash >> (64 - BITS)] > 5 * EACH || ++lower[hash % (1 << BITS)] > 5 * EACH)
					fail_msg("too many in one place with key %d", k);
			}
		}
	}
}

static void
test_table_against_array(void **state)
{
	(void)state;
	enum { KEYS = 500, STEPS = 20000 };
	static int values[KEYS];
	bool present[KEYS] = {false};
	size_t count = 0;
	uint32_t random = 1;
	struct table *t = table_create(0);
	for (int step = 0; step < STEPS; step++) {
		random = random * 1664525 + 1013904223;
		uint32_t key = (random >> 8 & 511) % KEYS;
		if (random >> 31) {
			void *old;
			assert_int_equal(table_put(t, &key, sizeof key, &values[key], &old), 0);
			assert_int_equal(old != NULL, present[key]);
			count += !present[key];
			present[key] = true;
		} else {
			void *was = table_remove(t, &key, sizeof key);
			assert_ptr_equal(was, present[key] ? &values[key] : NULL);
			count -= present[key];
			present[key] = false;
		}
		assert_int_equal(table_count(t), count);
	}
	for (uint32_t key = 0; key < KEYS; key++)
		assert_ptr_equal(table_get(t, &key, sizeof key), present[key] ? &values[key] : NULL);
	size_t cursor = 0, seen = 0;
	while (table_next(t, &cursor, NULL, NULL) != NULL)
		seen++;
	assert_int_equal(seen, count);
	table_destroy(t);
}

static void
test_table_limit_and_order(void **state)
{
	(void)state;
	int a = 1, b = 2, c = 3;
	struct table *t = table_create(2);
	assert_null(table_get(t, "a", 1));
	assert_int_equal(table_put(t, "b", 1, &b, NULL), 0);
	assert_int_equal(table_put(t, "a", 1, &a, NULL), 0);
	assert_int_equal(table_put(t, "c", 1, &c, NULL), -1);
	size_t cursor = 0;
	assert_ptr_equal(table_next(t, &cursor, NULL, NULL), &b);
	assert_ptr_equal(table_next(t, &cursor, NULL, NULL), &a);
	assert_null(table_next(t, &cursor, NULL, NULL));
	table_destroy(t);
}

static void
test_text_decode(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *utf8, *encoding;
		bool guessed;
	} rows[] = {
		{"shot_010.exr", "shot_010.exr", "utf-8", false},
		{"\xec\x88\x98\xec\xa0\x95.mov", "수정.mov", "utf-8", false},
		{"\xbc\xf6\xc1\xa4.mov", "수정.mov", "cp949", true},
		{"\xc0\xdb\xc8\xad_ep03_\xc3\xd6\xc1\xbe.zip", "작화_ep03_최종.zip", "cp949", true},
		{"\xd0\xde\xb8\xc4_ep03.psd", "修改_ep03.psd", "gb18030", true},
		{"\xb6\xaf\xbb\xad\xb7\xd6\xbe\xb5.zip", "动画分镜.zip", "gb18030", true},
		{"\x8c\xb4\x89\xe6_\x8f\x43\x90\xb3.clip", "原画_修正.clip", "shift_jis", true},
		{"\x83\x4a\x83\x62\x83\x67\x30\x31.png", "カット01.png", "shift_jis", true},
		{"caf\xe9.txt", "café.txt", "latin-1", true},
	};
	struct arena a;
	arena_init(&a, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text t = text_decode(&a, rows[i].bytes, strlen(rows[i].bytes), NULL);
		assert_string_equal(t.utf8, rows[i].utf8);
		assert_string_equal(t.encoding, rows[i].encoding);
		assert_int_equal(t.guessed, rows[i].guessed);
	}
	struct text t = text_decode(&a, "\xd0\xde\xb8\xc4", 4, "GBK");
	assert_string_equal(t.utf8, "修改");
	assert_false(t.guessed);
	t = text_decode(&a, "a\0b", 3, NULL);
	assert_string_equal(t.utf8, "a\xef\xbf\xbd" "b");
	assert_int_equal(t.raw_len, 3);
	arena_clear(&a);
}

static void
test_text_tools(void **state)
{
	(void)state;
	char out[64];
	assert_string_equal(text_escape(out, sizeof out, "a\x1b[31m\n\xff", 8), "a\\x1b[31m\\x0a\\xff");
	assert_string_equal(text_escape(out, sizeof out, "\xe2\x80\xae" "exe", 6), "\\xe2\\x80\\xaeexe");
	assert_string_equal(text_escape(out, 4, "abcdef", 6), "abc");
	uint8_t bytes[64];
	assert_int_equal(text_percent_decode(bytes, "a%20b%zz%4", 10), 8);
	assert_memory_equal(bytes, "a b%zz%4", 8);
	assert_int_equal(text_base64_decode(bytes, "d2F5\r\nYmlsbA==", 14), 7);
	assert_memory_equal(bytes, "waybill", 7);
	assert_int_equal(text_base64_decode(bytes, "d2F5*", 5), -1);
	assert_string_equal(text_hex(out, "\x00\xff", 2), "00ff");
	uint64_t n;
	assert_int_equal(text_to_u64("18446744073709551615", 20, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(text_to_u64("18446744073709551616", 20, &n), -1);
	assert_int_equal(text_to_u64("", 0, &n), -1);
	assert_true(text_equal_nocase("Content-Length", 14, "content-length"));
	assert_false(text_equal_nocase("Content", 7, "content-length"));
	assert_true(text_is_utf8("\xf0\x9f\x8e\xac", 4));
	assert_false(text_is_utf8("\xed\xa0\x80", 3));
	assert_false(text_is_utf8("\xc0\x80", 2));
}

static void
test_pool(void **state)
{
	(void)state;
	static const size_t steps[] = {1, 32, 33, 100, 128, 300, 512, 513, 600, 5000};
	struct pool p;
	uint8_t *block = NULL;
	size_t had = 0;
	pool_init(&p);
	assert_int_equal(pool_room(0), 0);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		assert_true(pool_room(steps[i]) >= steps[i]);
		assert_int_equal(pool_room(pool_room(steps[i])), pool_room(steps[i]));
		block = pool_grow(&p, block, had, steps[i]);
		assert_non_null(block);
		for (size_t k = 0; k < had; k++)
			assert_int_equal(block[k], k & 0xff);
		for (size_t k = had; k < steps[i]; k++)
			block[k] = k & 0xff;
		had = steps[i];
	}
	pool_give(&p, block, had);
	/* A block that was given back is the next one of its size. */
	void *first = pool_grow(&p, NULL, 0, 60);
	pool_give(&p, first, 60);
	void *second = pool_grow(&p, NULL, 0, 40);
	assert_non_null(second);
	pool_give(&p, second, 40);
	pool_give(&p, NULL, 10);
	pool_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_stays_bad),
		cmocka_unit_test(test_addr_networks),
		cmocka_unit_test(test_addr_private),
		cmocka_unit_test(test_addr_scope),
		cmocka_unit_test(test_addr_order),
		cmocka_unit_test(test_arena_limit),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_hash_is_keyed),
		cmocka_unit_test(test_hash_spreads),
		cmocka_unit_test(test_table_against_array),
		cmocka_unit_test(test_table_limit_and_order),
		cmocka_unit_test(test_text_decode),
		cmocka_unit_test(test_text_tools),
	        cmocka_unit_test(test_pool),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
