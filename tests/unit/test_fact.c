/* Facts packed into a block: what was put in is read, whatever came before and behind it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
	struct pool pool;
	pool_init(&pool);
	struct facts f = {.protocol = "tls"};
	struct text agent = text("agent"), name = text("host.example"), none = {0}, better = text("a longer agent than before");

	fact_read(&b, &f);
	assert_null(f.client.utf8);
	assert_int_equal(fact_put(&b, &pool, SESSION_CLIENT, &agent), 0);
	assert_int_equal(fact_put(&b, &pool, SESSION_TLS_NAME, &name), 0);
	assert_int_equal(fact_put(&b, &pool, SESSION_CLIENT, &better), 0);
	assert_int_equal(fact_put(&b, &pool, SESSION_TLS_JA3, &(struct text){.utf8 = "", .encoding = "utf-8"}), 0);
	fact_read(&b, &f);
	assert_string_equal(f.protocol, "tls");
	assert_string_equal(f.client.utf8, "a longer agent than before");
	assert_string_equal(f.tls.server_name, "host.example");
	assert_string_equal(f.tls.ja3, "");
	assert_null(f.service.utf8);

	assert_int_equal(fact_put(&b, &pool, SESSION_TLS_NAME, &none), 0);
	assert_null(fact_get(&b, SESSION_TLS_NAME).utf8);
	assert_string_equal(fact_get(&b, SESSION_CLIENT).utf8, better.utf8);
	fact_clear(&b, &pool);
	pool_clear(&pool);
	assert_null(fact_get(&b, SESSION_CLIENT).utf8);
}

/* Of one that was no UTF-8 the bytes, their encoding and that it is a guess stay with it. */
static void
test_encoded(void **state)
{
	(void)state;
	static const char raw[] = "caf\xe9 au lait \x80\xff";
	struct arena arena;
	struct fact_block b = {0};
	struct pool pool;
	pool_init(&pool);
	arena_init(&arena, 0);
	struct text t = text_decode(&arena, raw, sizeof raw - 1, NULL), other = text("x");
	assert_non_null(t.raw);
	assert_int_equal(fact_put(&b, &pool, SESSION_USER, &t), 0);
	assert_int_equal(fact_put(&b, &pool, SESSION_SERVICE, &other), 0);
	struct text got = fact_get(&b, SESSION_USER);
	assert_string_equal(got.utf8, t.utf8);
	assert_string_equal(got.encoding, t.encoding);
	assert_int_equal(got.guessed, t.guessed);
	assert_int_equal(got.raw_len, sizeof raw - 1);
	assert_memory_equal(got.raw, raw, sizeof raw - 1);
	assert_string_equal(fact_get(&b, SESSION_SERVICE).utf8, "x");
	arena_clear(&arena);
	fact_clear(&b, &pool);
	pool_clear(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_and_read),
		cmocka_unit_test(test_encoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
