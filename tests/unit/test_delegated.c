#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribution/list.h"
#include "attribution_help.h"

struct blocks {
	char text[512];
};

static int
add_block(void *ctx, const struct addr *network, unsigned bits)
{
	struct blocks *b = ctx;
	char text[ADDR_TEXT_MAX];
	size_t used = strlen(b->text);
	snprintf(b->text + used, sizeof b->text - used, "%s/%u ", addr_format(network, text), bits);
	return 0;
}

static void
test_blocks(void **state)
{
	(void)state;
	static const struct {
		uint32_t first;
		uint64_t count;
		const char *blocks; /* NULL: refused */
	} ranges[] = {
		{0xaf2db000, 1024, "175.45.176.0/22 "},
		{0xc6336400, 768, "198.51.100.0/23 198.51.102.0/24 "},
		{0xc6336401, 6, "198.51.100.1/32 198.51.100.2/31 198.51.100.4/31 198.51.100.6/32 "},
		{0xffffffff, 1, "255.255.255.255/32 "},
		{0x80000000, UINT64_C(1) << 31, "128.0.0.0/1 "},
		{0, UINT64_C(1) << 32, "0.0.0.0/0 "},
		{1, 0, NULL},
		{0xffffffff, 2, NULL},
		{0, (UINT64_C(1) << 32) + 1, NULL},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		struct blocks b = {""};
		int result = delegated_blocks(ranges[i].first, ranges[i].count, add_block, &b);
		assert_int_equal(result, ranges[i].blocks != NULL ? 0 : -1);
		assert_string_equal(b.text, ranges[i].blocks != NULL ? ranges[i].blocks : "");
	}
}

static const char file[] =
	"2.3|apnic|20241231|9|19830613|20241230|+1000\n"
	"apnic|*|ipv4|*|3|summary\n"
	"# a comment\n"
	"apnic|KP|ipv4|192.0.2.0|192|20100122|allocated|A91\n"
	"apnic|CN|ipv4|198.51.100.0|256|20100122|assigned|A91\n"
	"apnic|CN|ipv4|203.0.113.0|256|20100122|assigned|B22\n"
	"ripencc|CN|ipv4|203.0.113.0|256|20100122|assigned|A91\n"
	"apnic|KP|ipv6|2001:db8::|32|20100122|allocated|A91\n"
	"apnic|KP|asn|64500|2|20100122|allocated|A91\n"
	"apnic|KP|ipv4|10.0.0.0|1024|20100122|reserved|A91\n"
	"apnic||ipv4|11.0.0.0|1024||available|\n";

static void
test_country_and_holder(void **state)
{
	(void)state;
	struct heard h;
	struct attribution *a = load_list_text(file, (struct list_conf){.jurisdiction = "KP"}, &h);
	assert_string_equal(h.text, "");
	struct listing l = listing_of(a, "192.0.2.191", "1999", NULL);
	assert_non_null(l.row);
	assert_string_equal(l.row->network_text, "192.0.2.128/26");
	assert_int_equal(l.confidence, CONFIDENCE_CONFIRMED); /* the registry's own word */
	assert_null(listing_of(a, "192.0.2.192", "1999", NULL).row);
	l = listing_of(a, "198.51.100.1", "2020", NULL);      /* the same holder under another country */
	assert_int_equal(l.confidence, CONFIDENCE_MEDIUM);
	assert_non_null(strstr(l.row->source, "held by a holder"));
	assert_null(listing_of(a, "203.0.113.1", "2020", NULL).row); /* another registry's A91 */
	assert_non_null(listing_of(a, "2001:db8::1", "2020", NULL).row);
	assert_null(listing_of(a, "10.0.0.1", "2020", NULL).row);
	attribution_destroy(a);
}

static void
test_bad_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *said;
	} bad[] = {
		{"apnic|KP|ipv4", ":2: not registry|cc|type|start|value|date|status"},
		{"apnic|KP|ipv4|1.2.3|256|20100122|allocated", ":2: not an IPv4 range"},
		{"apnic|KP|ipv4|192.0.2.0|0|20100122|allocated", ":2: not an IPv4 range"},
		{"apnic|KP|ipv4|255.255.255.0|512|20100122|allocated", ":2: not an IPv4 range"},
		{"apnic|KP|ipv4|192.0.2.0|x|20100122|allocated", ":2: not an IPv4 range"},
		{"apnic|KP|ipv6|2001:db8::|129|20100122|allocated", ":2: not an IPv6 network"},
		{"apnic|KP|ipv6|2001:db8::1|32|20100122|allocated", ":2: has bits set"},
		{"apnic|KP|ipv6|192.0.2.0|24|20100122|allocated", ":2: not an IPv6 network"},
		{"apnic|KP|asn|0|1|20100122|allocated", ":2: not a run of AS numbers"},
		{"apnic|KP|asn|64500|99999999|20100122|allocated", ":2: not a run of AS numbers"},
		{"apnic|KP|ipx|1|1|20100122|allocated", ":2: neither ipv4, ipv6 nor asn"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[512];
		struct heard h;
		snprintf(text, sizeof text, "2|apnic|20241231|1|19830613|20241230|+1000\n%s\n"
		                            "apnic|KP|ipv4|203.0.113.0|256|20100122|allocated\n", bad[i].line);
		struct attribution *a = load_list_text(text, (struct list_conf){0}, &h);
		print_message("%s", h.text);
		assert_non_null(strstr(h.text, bad[i].said));
		assert_non_null(listing_of(a, "203.0.113.1", "2020", NULL).row);
		attribution_destroy(a);
	}
}

static void
test_every_prefix(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof file; len++) {
		char *text = strndup(file, len);
		struct heard h;
		attribution_destroy(load_list_text(text, (struct list_conf){.jurisdiction = "KP"}, &h));
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_country_and_holder),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_every_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
