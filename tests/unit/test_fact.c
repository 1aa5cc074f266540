/* Facts: what was put in is read, whatever came before and behind it; their texts are kept once. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "transfer/fact.h"

static struct text
text(const char *utf8)
{
	return (struct text){.utf8 = utf8, .encoding = "utf-8"};
}

static void
test_put_and_read(void **state)
{
	(void)state;
	struct fact_block b = {0};
	struct fact_store store;
	fact_store_init(&store);
	struct facts f = {.protocol = "tls"};
	struct text agent = text("agent"), name = text("host.example"), none = {0}, better = text("a longer agent than before");

	fact_read(&b, &store, &f);
	assert_null(f.client.utf8);
	assert_int_equal(fact_put(&b, &store, SESSION_CLIENT, &agent), 0);
	assert_int_equal(fact_put(&b, &store, SESSION_TLS_NAME, &name), 0);
	assert_int_equal(fact_put(&b, &store, SESSION_CLIENT, &better), 0);
	assert_int_equal(fact_put(&b, &store, SESSION_TLS_JA3, &(struct text){.utf8 = "", .encoding = "utf-8"}), 0);
	fact_read(&b, &store, &f);
	assert_string_equal(f.protocol, "tls");
	assert_string_equal(f.client.utf8, "a longer agent than before");
	assert_string_equal(f.tls.server_name, "host.example");
	assert_string_equal(f.tls.ja3, "");
	assert_null(f.service.utf8);

	assert_int_equal(fact_put(&b, &store, SESSION_TLS_NAME, &none), 0);
	assert_null(fact_get(&b, &store, SESSION_TLS_NAME).utf8);
	assert_string_equal(fact_get(&b, &store, SESSION_CLIENT).utf8, better.utf8);
	fact_clear(&b, &store);
	assert_null(fact_get(&b, &store, SESSION_CLIENT).utf8);
	fact_store_clear(&store);
}

/* Of one that was no UTF-8 the bytes, their encoding and that it is a guess stay with it. */
static void
test_encoded(void **state)
{
	(void)state;
	static const char raw[] = "caf\xe9 au lait \x80\xff";
	struct arena arena;
	struct fact_block b = {0};
	struct fact_store store;
	fact_store_init(&store);
	arena_init(&arena, 0);
	struct text t = text_decode(&arena, raw, sizeof raw - 1, NULL), other = text("x");
	assert_non_null(t.raw);
	assert_int_equal(fact_put(&b, &store, SESSION_USER, &t), 0);
	assert_int_equal(fact_put(&b, &store, SESSION_SERVICE, &other), 0);
	struct text got = fact_get(&b, &store, SESSION_USER);
	assert_string_equal(got.utf8, t.utf8);
	assert_string_equal(got.encoding, t.encoding);
	assert_int_equal(got.guessed, t.guessed);
	assert_int_equal(got.raw_len, sizeof raw - 1);
	assert_memory_equal(got.raw, raw, sizeof raw - 1);
	assert_string_equal(fact_get(&b, &store, SESSION_SERVICE).utf8, "x");
	arena_clear(&arena);
	fact_clear(&b, &store);
	fact_store_clear(&store);
}

/* Which phrases of a store are in use, by what they say. */
static void
test_phrases(void **state)
{
	enum { COUNT = 5000 };
	static uint32_t number[COUNT];
	struct phrases p;
	char name[32];
	size_t len;
	(void)state;
	phrases_init(&p);
	phrases_drop(&p, 0);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < COUNT; i++) {
			snprintf(name, sizeof name, "host%u.example", i);
			number[i] = phrases_take(&p, name, strlen(name));
			assert_in_range(number[i], 1, COUNT); /* those given back are given again */
			assert_int_equal(phrases_take(&p, name, strlen(name)), number[i]);
			phrases_drop(&p, number[i]);
		}
		for (uint32_t i = 0; i < COUNT; i++) {
			snprintf(name, sizeof name, "host%u.example", i);
			assert_string_equal(phrases_read(&p, number[i], &len), name);
			assert_int_equal(len, strlen(name));
		}
		for (uint32_t i = 0; i < COUNT; i++)
			phrases_drop(&p, number[(i * 7 + round) % COUNT]);
	}
	/* No bytes, and zeros, are told apart. */
	const uint32_t none = phrases_take(&p, NULL, 0), zero = phrases_take(&p, "", 1), zeros = phrases_take(&p, "\0", 2);
	assert_true(none != 0 && zero != 0 && none != zero && zero != zeros);
	phrases_drop(&p, zero);
	assert_string_equal(phrases_read(&p, none, &len), "");
	assert_int_equal(len, 0);
	phrases_read(&p, zeros, &len);
	assert_int_equal(len, 2);
	phrases_clear(&p);
	phrases_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_and_read),
		cmocka_unit_test(test_encoded),
		cmocka_unit_test(test_phrases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
