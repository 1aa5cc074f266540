#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribution/detect.h"
#include "attribution_help.h"
#include "lookup.h"

#include <sys/stat.h>

struct answers {
	char *out, *errors;
	int status;
};

static struct answers
ask(const char *const *words, size_t count, const char *time, bool json)
{
	const struct attribution_conf conf = {.no_auto_detect = true};
	struct attribution *a = attribution_load(&conf, NULL, NULL);
	struct answers answers;
	size_t out_len, errors_len;
	FILE *out = open_memstream(&answers.out, &out_len), *errors = open_memstream(&answers.errors, &errors_len);
	assert_non_null(a);
	answers.status = lookup_run(a, words, count, when(time), json, out, errors);
	fclose(out);
	fclose(errors);
	attribution_destroy(a);
	return answers;
}

static void
expect(const struct answers *q, const char *part)
{
	if (strstr(q->out, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, q->out);
}

static void
answers_free(struct answers *q)
{
	free(q->out);
	free(q->errors);
}

static void
test_text(void **state)
{
	(void)state;
	static const char *const words[] = {"175.45.176.71", "no\x1b[31maddress", "77.94.35.1", "8.8.8.8", "10.0.0.1"};
	struct answers q = ask(words, 5, "2022-03-01", false);
	print_message("%s%s", q.out, q.errors);
	assert_int_equal(q.status, 2);
	assert_string_equal(q.errors, "waybill: lookup: \"no\\x1b[31maddress\" is not an IP address, nor a host's name\n");
	expect(&q, "175.45.176.71, as of 2022-03-01\n  LISTED        North Korea (KP): confirmed once");
	expect(&q, "network       175.45.176.0/22, at any time");
	expect(&q, "programme     31 CFR 510");
	expect(&q, "77.94.35.1, as of 2022-03-01\n  listed        no\n");
	expect(&q, "77.94.35.0/24: NOT listed at this time for KP by sanctioned.csv, from 2012-04-08");
	expect(&q, "8.8.8.8, as of 2022-03-01\n  listed        no\n");
	expect(&q, "private: not routed");
	answers_free(&q);
}

static void
test_json(void **state)
{
	(void)state;
	static const char *const words[] = {"77.94.35.1", "2a12:bec4:12a6:30db::1"};
	struct answers q = ask(words, 2, "2014-06-01", true);
	assert_int_equal(q.status, 0);
	expect(&q, "{\"ip\":\"77.94.35.1\"");
	expect(&q, "\"listing\":{");
	expect(&q, "\"confidence\":\"medium\"");
	expect(&q, "}\n{\"ip\":\"2a12:bec4:12a6:30db::1\"}\n");
	answers_free(&q);
}

static void
make(const char *root, const char *path)
{
	char full[256];
	snprintf(full, sizeof full, "%s%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)mkdir(full, 0700);
		*slash = '/';
	}
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	fclose(f);
}

static void
test_detect(void **state)
{
	(void)state;
	static const char *const files[] = {
		"/usr/share/GeoIP/GeoLite2-City.mmdb", "/var/lib/GeoIP/GeoLite2-Country.mmdb", "/usr/share/GeoIP/GeoLite2-ASN.mmdb",
		"/var/lib/GeoIP/dbip-country-lite-2026-09.mmdb", "/var/lib/GeoIP/dbip-country-lite-2026-11.mmdb",
		"/opt/GeoIP/GeoIP2-City.mmdb", "/usr/local/share/GeoIP/notes.txt",
	};
	static const char *const want[] = {
		"/opt/GeoIP/GeoIP2-City.mmdb", "/var/lib/GeoIP/GeoLite2-Country.mmdb", "/usr/share/GeoIP/GeoLite2-ASN.mmdb",
		"/var/lib/GeoIP/dbip-country-lite-2026-11.mmdb",
	};
	char root[] = "/tmp/waybill-detect-XXXXXX", command[64];
	const char *found[DETECT_MAX];
	struct arena arena;
	arena_init(&arena, 0);
	assert_non_null(mkdtemp(root));
	assert_int_equal(detect_databases(root, &arena, found), 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		make(root, files[i]);
	assert_int_equal(detect_databases(root, &arena, found), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(found[i] + strlen(root), want[i]);
	arena_clear(&arena);
	snprintf(command, sizeof command, "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void
test_country_names(void **state)
{
	(void)state;
	static const char *const names[][2] = {
		{"KP", "North Korea"}, {"KR", "South Korea"}, {"AD", "Andorra"}, {"ZW", "Zimbabwe"}, {"QQ", "QQ"}, {"", ""},
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_string_equal(country_name(names[i][0]), names[i][1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_detect),
		cmocka_unit_test(test_country_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
