#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "attribution/prefix.h"

enum { MANY = 300 };

static struct addr
address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix_table *
table_of(const char *const *networks, size_t count, uint32_t *node)
{
	struct prefix_input input[16];
	for (size_t i = 0; i < count; i++)
		assert_int_equal(addr_parse_network(networks[i], &input[i].network, &input[i].bits, NULL), 0);
	struct prefix_table *t = prefix_table_create(input, count, node);
	assert_non_null(t);
	return t;
}

static void
test_empty(void **state)
{
	(void)state;
	uint32_t node[1];
	struct addr a = address("175.45.176.1"), b = address("ffff:ffff::1");
	struct prefix_table *t = prefix_table_create(NULL, 0, node);
	assert_non_null(t);
	assert_int_equal(prefix_table_find(t, &a), PREFIX_NONE);
	assert_int_equal(prefix_table_find(t, &b), PREFIX_NONE);
	assert_int_equal(prefix_table_nodes(t), 0);
	prefix_table_destroy(t);
	prefix_table_destroy(NULL);
}

static void
test_edges(void **state)
{
	(void)state;
	static const char *const networks[] = {
		"175.45.176.0/22", "175.45.176.0/30", "175.45.176.0/22", "0.0.0.0/8", "255.255.255.255", "2001:db8::/32",
		"2001:db8:ffff::/48", "ffff::/16", "::/128",
	};
	static const struct {
		const char *address;
		int input; /* of the innermost network; -1: none */
	} looks[] = {
		{"175.45.176.0", 1}, {"175.45.176.3", 1}, {"175.45.176.4", 0}, {"175.45.179.255", 0},
		{"175.45.180.0", -1}, {"175.45.175.255", -1}, {"0.0.0.0", 3}, {"0.255.255.255", 3}, {"1.0.0.0", -1},
		{"255.255.255.255", 4}, {"255.255.255.254", -1}, {"2001:db8::", 5},
		{"2001:db8:fffe:ffff:ffff:ffff:ffff:ffff", 5}, {"2001:db8:ffff::1", 6}, {"2001:db9::", -1},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 7}, {"::", 8}, {"::1", -1},
	};
	uint32_t node[9];
	struct prefix_table *t = table_of(networks, 9, node);
	assert_int_equal(prefix_table_nodes(t), 8);
	assert_int_equal(node[0], node[2]);
	assert_int_equal(prefix_table_parent(t, node[1]), node[0]);
	assert_int_equal(prefix_table_parent(t, node[6]), node[5]);
	assert_int_equal(prefix_table_parent(t, node[0]), PREFIX_NONE);
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		struct addr a = address(looks[i].address);
		uint32_t want = looks[i].input < 0 ? PREFIX_NONE : node[looks[i].input];
		if (prefix_table_find(t, &a) != want)
			fail_msg("%s", looks[i].address);
	}
	prefix_table_destroy(t);
}

/* Small random spaces, so that networks nest and touch, against a look at each of them. */
static struct addr
random_address(bool v4)
{
	uint8_t bytes[16] = {0};
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(rand() % 3 * 0x55 & (rand() % 2 ? 0xff : 0x0f));
	return v4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
}

static void
test_model(void **state)
{
	(void)state;
	srand(20091221);
	for (int round = 0; round < 20; round++) {
		struct prefix_input input[MANY];
		uint32_t node[MANY];
		for (size_t i = 0; i < MANY; i++) {
			char text[ADDR_TEXT_MAX + 8], plain[ADDR_TEXT_MAX];
			bool v4 = rand() % 2 == 0;
			struct addr a = random_address(v4);
			snprintf(text, sizeof text, "%s/%d", addr_format(&a, plain), 1 + rand() % (v4 ? 32 : 128));
			assert_int_equal(addr_parse_network(text, &input[i].network, &input[i].bits, NULL), 0);
		}
		struct prefix_table *t = prefix_table_create(input, MANY, node);
		assert_non_null(t);
		for (int look = 0; look < 2000; look++) {
			struct addr a = look < MANY ? input[look].network : random_address(rand() % 2 == 0);
			uint32_t best = PREFIX_NONE;
			unsigned bits = 0;
			for (size_t i = 0; i < MANY; i++) {
				/* A short IPv6 network covers the IPv4-mapped addresses as well: one space. */
				unsigned own = input[i].bits + (addr_is_v4(&input[i].network) ? 96 : 0);
				if (own >= bits && addr_within(&a, &input[i].network, input[i].bits)) {
					bits = own;
					best = node[i];
				}
			}
			assert_int_equal(prefix_table_find(t, &a), best);
		}
		for (size_t n = 0; n < prefix_table_nodes(t); n++) {
			uint32_t around = prefix_table_parent(t, (uint32_t)n);
			assert_true(around == PREFIX_NONE || around < n);
		}
		prefix_table_destroy(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
