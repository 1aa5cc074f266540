#include "config.h"

/* Every maker's schema in databases made here; broken ones; and, with WAYBILL_MMDB, MaxMind's own test files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "attribution/geo.h"
#include "base/record.h"
#include "mmdb_build.h"

static const struct geo_wanted nothing_wanted;

static struct geo *
geo_of(const uint8_t *bytes, size_t size, const char **reason)
{
	struct mmdb *m = mmdb_open_bytes(bytes, size, reason);
	return m != NULL ? geo_create(m, &nothing_wanted, NULL, NULL, reason) : NULL;
}

static struct addr
address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* One record for 192.0.2.0/24 and 2001:db8::/32. */
typedef void record_fn(struct build *b);

static void
record_maxmind(struct build *b)
{
	build_map(b, 3);
	build_string(b, "country");
	build_map(b, 2);
	build_string(b, "geoname_id");
	build_u32(b, 6252001);
	build_string(b, "iso_code");
	build_string(b, "KP");
	build_string(b, "registered_country");
	build_map(b, 1);
	build_string(b, "iso_code");
	build_string(b, "CN");
	build_string(b, "traits");
	build_map(b, 3);
	build_string(b, "is_anonymous_proxy");
	build_bool(b, 1);
	build_string(b, "is_satellite_provider");
	build_bool(b, 1);
	build_string(b, "is_anycast");
	build_bool(b, 0);
}

static void
record_asn(struct build *b)
{
	build_map(b, 2);
	build_string(b, "autonomous_system_number");
	build_u32(b, 131279);
	build_string(b, "autonomous_system_organization");
	build_string(b, "Star Joint Venture Co. Ltd.");
}

static void
record_dbip_isp(struct build *b)
{
	build_map(b, 2);
	build_string(b, "country");
	build_map(b, 1);
	build_string(b, "iso_code");
	build_string(b, "US");
	build_string(b, "traits");
	build_map(b, 3);
	build_string(b, "autonomous_system_number");
	build_u32(b, 15169);
	build_string(b, "autonomous_system_organization");
	build_string(b, "Google LLC");
	build_string(b, "user_type");
	build_string(b, "hosting");
}

static void
record_ipinfo_lite(struct build *b)
{
	build_map(b, 6);
	build_string(b, "asn");
	build_string(b, "AS15169");
	build_string(b, "as_name");
	build_string(b, "Google LLC");
	build_string(b, "as_domain");
	build_string(b, "google.com");
	build_string(b, "country");
	build_string(b, "United States");
	build_string(b, "country_code");
	build_string(b, "US");
	build_string(b, "continent");
	build_string(b, "North America");
}

static void
record_ipinfo_old(struct build *b)
{
	build_map(b, 4);
	build_string(b, "country");
	build_string(b, "JP");
	build_string(b, "country_name");
	build_string(b, "Japan");
	build_string(b, "asn");
	build_string(b, "AS2519");
	build_string(b, "name");
	build_string(b, "ARTERIA Networks Corporation");
}

static void
record_location_db(struct build *b)
{
	build_map(b, 1);
	build_string(b, "country_code");
	build_string(b, "IR");
}

static void
record_country_name(struct build *b)
{
	build_map(b, 2);
	build_string(b, "country");
	build_string(b, "North Korea");
	build_string(b, "asn");
	build_string(b, "");
}

static void
record_anonymous(struct build *b)
{
	build_map(b, 1);
	build_string(b, "is_anonymous");
	build_bool(b, 1);
}

static void
record_domain(struct build *b)
{
	build_map(b, 1);
	build_string(b, "domain");
	build_string(b, "example.org");
}

static void
record_text(struct build *b)
{
	build_string(b, "KP");
}

static const struct {
	const char *name;
	record_fn *record;
	bool refused;
	const char *country, *registered;
	uint32_t asn;
	const char *org;
	unsigned flags;
} schemas[] = {
	{"GeoIP2-Country", record_maxmind, false, "KP", "CN", 0, NULL, PLACE_ANONYMOUS | PLACE_SATELLITE},
	{"GeoLite2-ASN", record_asn, false, "", "", 131279, "Star Joint Venture Co. Ltd.", 0},
	{"DBIP-ISP", record_dbip_isp, false, "US", "", 15169, "Google LLC", 0},
	{"ipinfo lite", record_ipinfo_lite, false, "US", "", 15169, "Google LLC", 0},
	{"ipinfo country_asn", record_ipinfo_old, false, "JP", "", 2519, "ARTERIA Networks Corporation", 0},
	{"ip-location-db", record_location_db, false, "IR", "", 0, NULL, 0},
	{"names only", record_country_name, true, NULL, NULL, 0, NULL, 0},
	{"GeoIP2-Anonymous-IP", record_anonymous, false, "", "", 0, NULL, PLACE_ANONYMOUS},
	{"GeoIP2-Domain", record_domain, true, NULL, NULL, 0, NULL, 0},
	{"a text", record_text, true, NULL, NULL, 0, NULL, 0},
};

static void
build_schema(struct build *b, size_t i)
{
	build_init(b);
	schemas[i].record(b);
	build_network(b, "192.0.2.0/24", 0);
	build_network(b, "2001:db8::/32", 0);
	build_finish(b, schemas[i].name, 1790000000);
}

static void
test_schemas(void **state)
{
	(void)state;
	struct build *b = malloc(sizeof *b);
	for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
		const char *reason = NULL;
		struct geo_facts f;
		unsigned bits;
		struct addr in = address("192.0.2.77"), in6 = address("2001:db8::1"), out = address("192.0.3.0");
		print_message("%s\n", schemas[i].name);
		build_schema(b, i);
		struct geo *g = geo_of(b->file, b->size, &reason);
		if (schemas[i].refused) {
			assert_null(g);
			assert_string_equal(reason, "neither a country nor an AS number can be read from it");
			continue;
		}
		assert_non_null(g);
		assert_true(geo_find(g, &in, &f, &bits));
		assert_int_equal(bits, 24);
		assert_string_equal(f.country, schemas[i].country);
		assert_string_equal(f.registered, schemas[i].registered);
		assert_int_equal(f.asn, schemas[i].asn);
		assert_int_equal(f.flags, schemas[i].flags);
		assert_int_equal(f.org_len, schemas[i].org != NULL ? strlen(schemas[i].org) : 0);
		if (schemas[i].org != NULL)
			assert_memory_equal(f.org, schemas[i].org, f.org_len);
		assert_true(geo_find(g, &in6, &f, &bits));
		assert_int_equal(bits, 32);
		assert_false(geo_find(g, &out, &f, &bits));

		struct mmdb_about about;
		struct geo_coverage coverage;
		geo_describe(g, &about, &coverage);
		assert_string_equal(about.type, schemas[i].name);
		assert_int_equal(about.built, 1790000000);
		assert_int_equal(strlen(about.digest), 64);
		assert_int_equal(coverage.networks, 2);
		geo_destroy(g);
	}
	free(b);
}

/* A copy of exactly the size, so that a read beyond it is seen. */
static void
try_bytes(const uint8_t *bytes, size_t size)
{
	const char *reason = NULL;
	uint8_t *exact = malloc(size > 0 ? size : 1);
	memcpy(exact, bytes, size);
	struct geo *g = geo_of(exact, size, &reason);
	free(exact);
	if (g == NULL) {
		assert_non_null(reason);
		return;
	}
	struct geo_facts f;
	unsigned bits;
	struct addr looks[] = {address("192.0.2.77"), address("2001:db8::1"), address("255.255.255.255"), address("::")};
	for (size_t i = 0; i < 4; i++)
		(void)geo_find(g, &looks[i], &f, &bits);
	geo_destroy(g);
}

static void
test_cut_and_damaged(void **state)
{
	(void)state;
	struct build *b = malloc(sizeof *b);
	build_schema(b, 0);
	for (size_t len = 0; len <= b->size; len++)
		try_bytes(b->file, len);
	for (size_t at = 0; at < b->size; at++) {
		static const uint8_t damage[] = {0x00, 0xff, 0x20, 0xe1, 0x3f, 0x80};
		uint8_t was = b->file[at];
		for (size_t i = 0; i < sizeof damage; i++) {
			b->file[at] = damage[i];
			try_bytes(b->file, b->size);
		}
		b->file[at] = was;
	}
	free(b);
}

/* Records whose bytes claim more than there is, point in circles, or nest without end. */
static void
test_hostile_records(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *bytes;
		size_t len;
	} records[] = {
		{"map of 16 million pairs", "\xff\xff\xff\xff", 4},
		{"array of 16 million", "\x1f\x04\xff\xff\xff", 5},
		{"pointer to itself", "\x20\x00", 2},
		{"pointer to a pointer", "\x20\x02\x20\x04\x42KP", 7},
		{"pointer beyond the data", "\x2f\xff", 2},
		{"map with a pointer to itself for a value", "\xe1\x47" "country" "\x20\x00", 11},
		{"arrays in arrays", "\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04"
		                     "\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x01\x04\x41\x41", 38},
		{"string longer than the data", "\x5f\xff\xff\xff", 4},
		{"key that is a number", "\xe1\xc1\x01\x41\x41", 5},
		{"double of three bytes", "\xe1\x41\x41\x63\x00\x00\x00", 7},
		{"no such type", "\x00\xff", 2},
		{"container type", "\x00\x05", 2},
	};
	struct build *b = malloc(sizeof *b);
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
		const char *reason = NULL;
		print_message("%s\n", records[i].what);
		build_init(b);
		build_bytes(b, records[i].bytes, records[i].len);
		build_network(b, "192.0.2.0/24", 0);
		build_finish(b, "Test", 1);
		struct geo *g = geo_of(b->file, b->size, &reason);
		assert_null(g);
		if (strstr(records[i].what, "to itself for a value") == NULL)
			assert_string_equal(reason, "a record in it is malformed");
	}
	free(b);
}

static void
test_tree_in_circles(void **state)
{
	(void)state;
	const char *reason = NULL;
	struct build *b = malloc(sizeof *b);
	build_init(b);
	record_asn(b);
	build_network(b, "192.0.2.0/24", 0);
	b->node[0][1] = 0; /* nothing */
	build_finish(b, "Test", 1);
	memset(b->file + 3, 0, 3); /* the root's right child is the root */
	struct geo *g = geo_of(b->file, b->size, &reason);
	assert_non_null(g); /* gone into once; look-ups end after 128 bits */
	struct geo_facts f;
	unsigned bits;
	struct addr a = address("ffff::");
	assert_false(geo_find(g, &a, &f, &bits));
	geo_destroy(g);
	free(b);
}

struct seen {
	char text[8][64];
	size_t count;
};

static void
see(void *ctx, const struct addr *network, unsigned bits, int country, int asn)
{
	struct seen *s = ctx;
	char text[ADDR_TEXT_MAX];
	snprintf(s->text[s->count++], sizeof s->text[0], "%s/%u %d %d", addr_format(network, text), bits, country, asn);
}

static void
test_survey(void **state)
{
	(void)state;
	static const char *const countries[] = {"IR", "KP"};
	static const uint32_t asns[] = {1, 131279};
	const struct geo_wanted wanted = {countries, 2, asns, 2};
	const char *reason;
	struct seen seen = {.count = 0};
	struct build *b = malloc(sizeof *b);
	build_init(b);
	record_maxmind(b);
	size_t asn = b->len;
	record_asn(b);
	size_t other = b->len;
	record_dbip_isp(b);
	build_network(b, "175.45.176.0/22", 0);
	build_network(b, "192.0.2.0/24", other);
	build_network(b, "198.51.100.0/24", asn);
	build_network(b, "2001:db8::/32", 0);
	build_finish(b, "Test", 1);
	struct mmdb *m = mmdb_open_bytes(b->file, b->size, &reason);
	assert_non_null(m);
	struct geo *g = geo_create(m, &wanted, see, &seen, &reason);
	assert_non_null(g);
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.text[0], "175.45.176.0/22 1 -1");
	assert_string_equal(seen.text[1], "198.51.100.0/24 -1 1");
	assert_string_equal(seen.text[2], "2001:db8::/32 1 -1");
	geo_destroy(g);
	free(b);
}

/* From here on: MaxMind's test files, where they are. */

static const char *
corpus(void)
{
	const char *folder = getenv("WAYBILL_MMDB");
	if (folder == NULL) {
		print_message("WAYBILL_MMDB is not set: skipped\n");
		skip();
	}
	return folder;
}

/* Is "key": value in a line of the oracle? What stands behind the key, or NULL. */
static const char *
oracle(const char *record, const char *key)
{
	char quoted[64];
	snprintf(quoted, sizeof quoted, "\"%s\": ", key);
	const char *at = strstr(record, quoted);
	return at != NULL ? at + strlen(quoted) : NULL;
}

static void
check_look(const char *folder, char *line)
{
	static struct geo *open;
	static char open_name[64];
	char path[512];
	const char *reason = NULL;
	if (line == NULL) {
		geo_destroy(open);
		open = NULL;
		return;
	}
	char *name = strtok(line, "\t"), *ip = strtok(NULL, "\t"), *len = strtok(NULL, "\t"), *record = strtok(NULL, "\n");
	if (strcmp(name, open_name) != 0) {
		geo_destroy(open);
		snprintf(open_name, sizeof open_name, "%s", name);
		snprintf(path, sizeof path, "%s/test-data/%s.mmdb", folder, name);
		struct mmdb *m = mmdb_open(path, &reason);
		assert_non_null(m);
		open = geo_create(m, &nothing_wanted, NULL, NULL, &reason);
		assert_non_null(open);
	}
	struct geo_facts f = {0};
	struct addr a = address(ip);
	unsigned bits = 0;
	bool found = geo_find(open, &a, &f, &bits);
	const char *asn = oracle(record, "autonomous_system_number"), *org = oracle(record, "autonomous_system_organization");
	assert_int_equal(f.asn, asn != NULL ? strtoul(asn, NULL, 10) : 0);
	if (org != NULL)
		assert_memory_equal(f.org, org + 1, f.org_len);
	if (strcmp(record, "{}") != 0) {
		assert_true(found);
		assert_int_equal(bits, strtoul(len, NULL, 10));
	}
	const char *country = oracle(record, "country"), *registered = oracle(record, "registered_country");
	if (country != NULL && *country == '"')
		assert_memory_equal(f.country, country + 1, 2);
	if (registered != NULL && *registered == '"')
		assert_memory_equal(f.registered, registered + 1, 2);
}

static void
test_oracle(void **state)
{
	(void)state;
	char path[512], line[4096];
	size_t count = 0;
	const char *folder = corpus();
	snprintf(path, sizeof path, "%s/LOOKUPS.tsv", folder);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f)); /* names */
	for (; fgets(line, sizeof line, f) != NULL; count++)
		check_look(folder, line);
	check_look(folder, NULL);
	fclose(f);
	assert_true(count > 300);
}

/* Addresses of real captures that the ASN database knows: what a sensor must tag. */
static void
test_endpoints(void **state)
{
	(void)state;
	char path[512], line[4096];
	size_t count = 0;
	const char *folder = corpus(), *reason;
	snprintf(path, sizeof path, "%s/test-data/GeoLite2-ASN-Test.mmdb", folder);
	struct mmdb *m = mmdb_open(path, &reason);
	assert_non_null(m);
	struct geo *g = geo_create(m, &nothing_wanted, NULL, NULL, &reason);
	assert_non_null(g);
	snprintf(path, sizeof path, "%s/ENDPOINTS.tsv", folder);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f)); /* names */
	for (; fgets(line, sizeof line, f) != NULL; count++) {
		char *rest = line, *field[5];
		struct geo_facts facts;
		unsigned bits;
		for (size_t i = 0; i < 5; i++)
			assert_non_null(field[i] = strsep(&rest, "\t"));
		struct addr a = address(field[1]);
		assert_true(geo_find(g, &a, &facts, &bits));
		assert_int_equal(facts.asn, strtoul(field[2], NULL, 10));
		assert_int_equal(facts.org_len, strlen(field[3]));
		assert_memory_equal(facts.org, field[3], facts.org_len);
		assert_int_equal(bits, strtoul(field[4], NULL, 10));
	}
	fclose(f);
	geo_destroy(g);
	assert_true(count > 50);
}

static void
test_all_files(void **state)
{
	(void)state;
	static const char *const patterns[] = {"test-data/*.mmdb", "bad-data/*/*.mmdb"};
	const char *folder = corpus();
	for (size_t p = 0; p < 2; p++) {
		char pattern[512];
		glob_t files;
		snprintf(pattern, sizeof pattern, "%s/%s", folder, patterns[p]);
		assert_int_equal(glob(pattern, 0, NULL, &files), 0);
		for (size_t i = 0; i < files.gl_pathc; i++) {
			const char *reason = "used";
			struct mmdb *m = mmdb_open(files.gl_pathv[i], &reason);
			struct geo *g = m != NULL ? geo_create(m, &nothing_wanted, NULL, NULL, &reason) : NULL;
			print_message("%s: %s\n", strrchr(files.gl_pathv[i], '/') + 1, g != NULL ? "used" : reason);
			struct geo_facts f;
			unsigned bits;
			struct addr looks[] = {address("81.2.69.160"), address("2001:218::1"), address("1.1.1.1")};
			for (size_t l = 0; g != NULL && l < 3; l++)
				(void)geo_find(g, &looks[l], &f, &bits);
			geo_destroy(g);
		}
		globfree(&files);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schemas),
		cmocka_unit_test(test_cut_and_damaged),
		cmocka_unit_test(test_hostile_records),
		cmocka_unit_test(test_tree_in_circles),
		cmocka_unit_test(test_survey),
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_all_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
