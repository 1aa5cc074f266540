#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribution/list.h"
#include "attribution_help.h"

static void
test_split_good(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int count;
		const char *field[4];
	} good[] = {
		{"", 1, {""}},
		{"a", 1, {"a"}},
		{"a,b", 2, {"a", "b"}},
		{",", 2, {"", ""}},
		{"a,,c", 3, {"a", "", "c"}},
		{"\"a\"", 1, {"a"}},
		{"\"a,b\",c", 2, {"a,b", "c"}},
		{"\"say \"\"no\"\"\",x", 2, {"say \"no\"", "x"}},
		{"\"\",\"\"", 2, {"", ""}},
		{"\"\"\"\"", 1, {"\""}},
		{"a\"b,c", 2, {"a\"b", "c"}},
		{"1,2,3,4,5,6", 4, {"1", "2", "3", "4"}},
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char *line = strdup(good[i].line), *field[4];
		print_message("%s\n", good[i].line);
		assert_int_equal(csv_split(line, field, 4), good[i].count);
		for (int f = 0; f < good[i].count; f++)
			assert_string_equal(field[f], good[i].field[f]);
		free(line);
		/* Every prefix, in a copy of exactly its size. */
		for (size_t len = 0; len < strlen(good[i].line); len++) {
			line = strndup(good[i].line, len);
			(void)csv_split(line, field, 4);
			free(line);
		}
	}
}

static void
test_split_bad(void **state)
{
	(void)state;
	static const char *const bad[] = {"\"", "\"a", "\"a\"b", "a,\"b", "\"a\"\"", "\"a\",\"b\"c"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char *line = strdup(bad[i]), *field[4];
		assert_int_equal(csv_split(line, field, 4), -1);
		free(line);
	}
}

static void
test_rows(void **state)
{
	(void)state;
	struct heard h;
	struct attribution *a = load_list_text(
	        "\xef\xbb\xbf# studio's own\r\n"
	        "source,network,confidence,jurisdiction,valid_from,valid_until,holder,remark\r\n"
	        "\"letter, 2020\",198.51.100.0/24,high,KP,2020-01-01,2021-01-01,\"A \"\"B\"\" Ltd\",x\r\n"
	        "\r\n"
	        ",2001:db8:7::/48,,KP,,,,\r\n"
	        ",203.0.113.7,low,IR,,,,\r\n", (struct list_conf){.name = "own"}, &h);
	struct listing l = listing_of(a, "198.51.100.9", "2020-06-01", NULL);
	assert_non_null(l.row);
	assert_int_equal(l.confidence, CONFIDENCE_HIGH);
	assert_string_equal(l.row->holder, "A \"B\" Ltd");
	assert_string_equal(l.row->source, "letter, 2020");
	assert_string_equal(l.row->network_text, "198.51.100.0/24");
	assert_string_equal(l.row->list, "own");
	assert_int_equal(strlen(l.row->list_digest), 64);
	assert_null(listing_of(a, "198.51.100.9", "2021-01-01", NULL).row); /* until is exclusive */
	assert_null(listing_of(a, "198.51.100.9", "2019-12-31T23:59:59Z", NULL).row);
	assert_int_equal(listing_of(a, "2001:db8:7::1", "2020", NULL).confidence, CONFIDENCE_MEDIUM);
	assert_null(listing_of(a, "203.0.113.7", "2020", NULL).row); /* Iran is not in the policy */
	assert_non_null(strstr(h.text, "1 rows are for jurisdictions"));
	assert_int_equal(h.errors, 0);

	const struct attribution_list *lists;
	assert_int_equal(attribution_lists(a, &lists), 2);
	assert_int_equal(lists[1].rows, 2);
	attribution_destroy(a);
}

static void
test_bad_rows(void **state)
{
	(void)state;
	static const struct {
		const char *row, *said;
	} bad[] = {
		{"198.51.100.0/33,KP", ":2: not a network: \"198.51.100.0/33\""},
		{"198.51.100.1/24,KP", ":2: has bits set behind its prefix length"},
		{"0.0.0.0/0,KP", ":2: covers every address"},
		{"::ffff:0:0/90,KP", ":2: "},
		{",KP", ":2: no network"},
		{"198.51.100.0/24", ":2: no jurisdiction"},
		{"198.51.100.0/24,North Korea", ":2: no jurisdiction"},
		{"198.51.100.0/24,KP,,,sure", ":2: confidence is not one of"},
		{"198.51.100.0/24,KP,,,high,soon", ":2: not a date"},
		{"198.51.100.0/24,KP,,,high,2020-01-01,2020-01-01", ":2: it ends before it begins"},
		{"198.51.100.0/24,KP,,\"open", ":2: a quote is not closed"},
		{"198.51.100.0/24,KP,,\xff\xfe", ":2: not UTF-8"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[512];
		struct heard h;
		snprintf(text, sizeof text, "network,jurisdiction,programme,holder,confidence,valid_from,valid_until\n%s\n"
		                            "203.0.113.0/24,KP\n", bad[i].row);
		struct attribution *a = load_list_text(text, (struct list_conf){0}, &h);
		print_message("%s", h.text);
		assert_non_null(strstr(h.text, bad[i].said));
		assert_int_equal(h.errors, 1);
		assert_non_null(listing_of(a, "203.0.113.1", "2020", NULL).row); /* the rest is used */
		assert_null(listing_of(a, "198.51.100.1", "2020", NULL).row);
		attribution_destroy(a);
	}
}

static void
test_plain(void **state)
{
	(void)state;
	struct heard h;
	const struct list_conf conf = {.jurisdiction = "IR", .confidence = CONFIDENCE_LOW};
	struct attribution *a = load_list_text("# networks\n198.51.100.0/24 ; an office\n\n  2001:db8::/32\t# v6\n"
	                                       "203.0.113.9\nnonsense\n::ffff:192.0.2.0/120\n", conf, &h);
	assert_int_equal(listing_of(a, "198.51.100.1", "2020", NULL).confidence, CONFIDENCE_LOW);
	assert_string_equal(listing_of(a, "2001:db8:1::1", "2020", NULL).row->jurisdiction, "IR");
	assert_non_null(listing_of(a, "203.0.113.9", "2020", NULL).row);
	assert_null(listing_of(a, "203.0.113.8", "2020", NULL).row);
	assert_string_equal(listing_of(a, "192.0.2.200", "2020", NULL).row->network_text, "192.0.2.0/24");
	assert_non_null(strstr(h.text, ":6: not a network: \"nonsense\""));
	attribution_destroy(a);
}

/* A list that cannot be read, or a bad file in the place of the product's, leaves the rest in force. */
static void
test_missing(void **state)
{
	(void)state;
	struct heard h = {.errors = 0};
	const struct list_conf lists[] = {{.path = "/nowhere/list.csv"}, {.path = "/tmp"}};
	const struct attribution_conf conf = {
	        .no_auto_detect = true, .sanctioned = "/nowhere/sanctioned.csv", .lists = lists, .list_count = 2};
	struct attribution *a = attribution_load(&conf, hear, &h);
	assert_non_null(a);
	assert_non_null(strstr(h.text, "list /nowhere/list.csv: No such file"));
	assert_non_null(strstr(h.text, "list /tmp: it is not a file"));
	assert_non_null(strstr(h.text, "the copy in the program is used"));
	assert_int_equal(listing_of(a, "175.45.176.1", "2024", NULL).confidence, CONFIDENCE_CONFIRMED);
	attribution_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_good),
		cmocka_unit_test(test_split_bad),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
