#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribution_help.h"
#include "mmdb_build.h"

static const struct exchange full = {.two_way = true, .handshake = true, .payload = true};
static const struct exchange datagrams = {.two_way = true, .payload = true};
static const struct exchange one_packet = {.payload = true};
static const struct exchange opened = {.two_way = true, .handshake = true};
static const struct exchange private_link = {.two_way = true, .handshake = true, .payload = true, .private_link = true};

static struct attribution *
load_alone(void)
{
	const struct attribution_conf conf = {.no_auto_detect = true};
	struct heard h = {.errors = 0};
	struct attribution *a = attribution_load(&conf, hear, &h);
	assert_non_null(a);
	assert_string_equal(h.text, "");
	return a;
}

/* The product's own list, with no database at all. */
static void
test_ladder(void **state)
{
	(void)state;
	static const struct {
		const char *addr, *time;
		const struct exchange *exchange;
		enum confidence want;
	} looks[] = {
		{"175.45.176.71", "2024", &full, CONFIDENCE_CONFIRMED},
		{"175.45.179.255", "2010-01-01", &datagrams, CONFIDENCE_CONFIRMED},
		{"175.45.176.71", "1999", &full, CONFIDENCE_CONFIRMED},
		{"175.45.176.71", "2038-02-01", &full, CONFIDENCE_CONFIRMED},
		{"175.45.176.71", "2024", NULL, CONFIDENCE_CONFIRMED},
		{"175.45.176.71", "2022-01-14", &one_packet, CONFIDENCE_HIGH},
		{"175.45.176.71", "2024", &opened, CONFIDENCE_HIGH},
		{"175.45.176.1", "2024", &private_link, CONFIDENCE_INFO},
		{"64:ff9b::175.45.176.71", "2024", &full, CONFIDENCE_CONFIRMED}, /* NAT64 */
		{"2002:af2d:b047::1", "2024", &full, CONFIDENCE_CONFIRMED},      /* 6to4 */
		{"175.45.180.0", "2024", &full, CONFIDENCE_NONE},
		{"77.94.35.1", "2014-01-01", &full, CONFIDENCE_MEDIUM},
		{"77.94.35.1", "2014-12-31", &full, CONFIDENCE_MEDIUM},
		{"77.94.35.1", "2022-01-01", &full, CONFIDENCE_NONE},
		{"210.52.109.20", "2024", &full, CONFIDENCE_MEDIUM},
		{"210.52.109.20", "2003", &full, CONFIDENCE_NONE},
		{"188.43.33.249", "2026", &full, CONFIDENCE_LOW},
		{"5.62.56.161", "2024", &full, CONFIDENCE_NONE},
		{"2a12:bec4:12a6:30db::1", "2024", &full, CONFIDENCE_NONE},
		{"8.8.8.8", "2024", &full, CONFIDENCE_NONE},
		{"192.168.1.1", "2024", &full, CONFIDENCE_NONE},
	};
	struct attribution *a = load_alone();
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		struct listing l = listing_of(a, looks[i].addr, looks[i].time, looks[i].exchange);
		struct addr addr = address(looks[i].addr);
		print_message("%s at %s: %s\n", looks[i].addr, looks[i].time, confidence_name(l.confidence));
		assert_int_equal(l.confidence, looks[i].want);
		assert_int_equal(l.row != NULL, looks[i].want != CONFIDENCE_NONE);
		assert_true(l.reason_count > 0 || l.row == NULL);
		assert_true(l.row == NULL || attribution_listed(a, &addr));
	}
	struct listing l = listing_of(a, "175.45.176.71", "2024", &one_packet);
	assert_true(has_reason(&l, "Star Joint Venture"));
	assert_true(has_reason(&l, "a forged sender cannot be ruled out"));
	l = listing_of(a, "175.45.176.1", "2024", &private_link);
	assert_true(has_reason(&l, "likely a private link"));
	attribution_destroy(a);
}

static void
record_country(struct build *b, const char *country, const char *registered, const char *flag)
{
	build_map(b, 1u + (registered != NULL) + (flag != NULL));
	build_string(b, "country");
	build_map(b, 1);
	build_string(b, "iso_code");
	build_string(b, country);
	if (registered != NULL) {
		build_string(b, "registered_country");
		build_map(b, 1);
		build_string(b, "iso_code");
		build_string(b, registered);
	}
	if (flag != NULL) {
		build_string(b, "traits");
		build_map(b, 1);
		build_string(b, flag);
		build_bool(b, 1);
	}
}

static size_t
add_country(struct build *b, const char *network, const char *country, const char *registered, const char *flag)
{
	size_t at = b->len;
	record_country(b, country, registered, flag);
	build_network(b, network, at);
	return at;
}

static void
add_asn(struct build *b, const char *network, uint32_t asn)
{
	size_t at = b->len;
	build_map(b, 2);
	build_string(b, "autonomous_system_number");
	build_u32(b, asn);
	build_string(b, "autonomous_system_organization");
	build_string(b, "Some Carrier");
	build_network(b, network, at);
}

static void
finish(struct build *b, const char *type, char path[32])
{
	build_finish(b, type, 1790000000);
	write_temporary(path, b->file, b->size);
}

/* Labels of a database: low, and what speaks against them. */
static void
test_country_database(void **state)
{
	(void)state;
	static const struct {
		const char *addr;
		enum confidence want;
		const char *because;
	} looks[] = {
		{"198.51.100.1", CONFIDENCE_LOW, "no registry record supports it"},
		{"198.51.101.1", CONFIDENCE_LOW, "no registry record supports it"},
		{"198.51.102.1", CONFIDENCE_INFO, "registered in another country"},
		{"198.51.103.1", CONFIDENCE_INFO, "a VPN, proxy or relay"},
		{"198.51.104.1", CONFIDENCE_INFO, "an anycast network"},
		{"198.51.105.1", CONFIDENCE_LOW, "a satellite network"},
		{"198.51.106.1", CONFIDENCE_HIGH, "is announced by AS131279"},
		{"5.62.56.161", CONFIDENCE_INFO, "known to be wrongly labelled KP"},
		{"104.29.195.21", CONFIDENCE_INFO, "known to be wrongly labelled KP"},
		{"2a12:bec4:12a6:30db::1", CONFIDENCE_INFO, "no IPv6 network is allocated"},
		{"2001:db8::1", CONFIDENCE_INFO, "no IPv6 network is allocated"},
		{"175.45.176.1", CONFIDENCE_CONFIRMED, "the country database agrees"},
		{"210.52.109.1", CONFIDENCE_MEDIUM, "a country database says China (CN)"},
	};
	char path[32];
	struct heard h = {.errors = 0};
	struct build *b = malloc(sizeof *b);
	build_init(b);
	add_country(b, "198.51.100.0/24", "KP", NULL, NULL);
	add_country(b, "198.51.101.0/24", "KP", "KP", NULL);
	add_country(b, "198.51.102.0/24", "KP", "CN", NULL);
	add_country(b, "198.51.103.0/24", "KP", NULL, "is_anonymous_proxy");
	add_country(b, "198.51.104.0/24", "KP", NULL, "is_anycast");
	add_country(b, "198.51.105.0/24", "KP", NULL, "is_satellite_provider");
	add_asn(b, "198.51.106.0/24", 131279);
	size_t kp = add_country(b, "5.62.56.160/30", "KP", NULL, NULL);
	build_network(b, "104.29.195.20/30", kp);
	build_network(b, "2a12:bec4:12a6:30db::/64", kp);
	build_network(b, "2001:db8::/32", kp);
	build_network(b, "175.45.176.0/22", kp);
	add_country(b, "210.52.109.0/24", "CN", NULL, NULL);
	finish(b, "Test-Country", path);
	const char *const databases[] = {path};
	const struct attribution_conf conf = {.no_auto_detect = true, .databases = databases, .database_count = 1};
	struct attribution *a = attribution_load(&conf, hear, &h);
	assert_non_null(a);
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		struct listing l = listing_of(a, looks[i].addr, "2016", &full);
		print_message("%s: %s\n", looks[i].addr, confidence_name(l.confidence));
		assert_non_null(l.row);
		assert_int_equal(l.confidence, looks[i].want);
		assert_true(has_reason(&l, looks[i].because));
	}
	unlink(path);
	attribution_destroy(a);
	free(b);
}

/* Each fact from the first database that has it: a user's own wins over the one that waybill brings. */
static void
test_several_databases(void **state)
{
	(void)state;
	char first[32], second[32], broken[32];
	struct heard h = {.errors = 0};
	struct build *b = malloc(sizeof *b);
	build_init(b);
	add_country(b, "198.51.100.0/24", "US", NULL, NULL);
	finish(b, "Mine", first);
	build_init(b);
	add_country(b, "198.51.100.0/25", "KP", "KP", NULL);
	add_country(b, "198.51.101.0/24", "KP", NULL, NULL);
	add_asn(b, "198.51.100.128/25", 64500);
	finish(b, "Embedded", second);
	write_temporary(broken, b->file, b->size / 2);
	const char *const databases[] = {"/nowhere.mmdb", broken, first};
	const uint32_t asns[] = {64500};
	const char *const asn_jurisdictions[] = {"KP"};
	const struct attribution_conf conf = {.no_auto_detect = true, .databases = databases, .database_count = 3,
	        .embedded_database = second, .asns = asns, .asn_jurisdictions = asn_jurisdictions, .asn_count = 1,
	        .now = when("2030-01-01")};
	struct attribution *a = attribution_load(&conf, hear, &h);
	assert_non_null(a);
	print_message("%s", h.text);
	assert_int_equal(h.errors, 2);
	assert_non_null(strstr(h.text, "database /nowhere.mmdb: refused: No such file"));
	assert_non_null(strstr(h.text, ": built 1197 days ago"));

	const struct attribution_database *d;
	assert_int_equal(attribution_databases(a, &d), 2);
	assert_string_equal(d[0].type, "Mine");
	assert_true(d[0].country && !d[0].asn && !d[0].embedded);
	assert_true(d[1].country && d[1].asn && d[1].embedded);

	struct place p;
	unsigned bits;
	struct addr x = address("198.51.100.1"), y = address("198.51.100.200"), z = address("198.51.101.1");
	attribution_place(a, &x, &p);
	assert_string_equal(p.country, "US");
	assert_string_equal(p.registered, ""); /* not another database's */
	assert_null(listing_of(a, "198.51.100.1", "2026", &full).row); /* overruled */
	attribution_place(a, &y, &p);
	assert_string_equal(p.country, "US");
	assert_int_equal(p.asn, 64500);
	assert_string_equal(p.org, "Some Carrier");
	struct listing l = listing_of(a, "198.51.100.200", "2026", &full);
	assert_int_equal(l.confidence, CONFIDENCE_HIGH);
	assert_int_equal(l.row->basis, LISTING_ASN);
	assert_int_equal(listing_of(a, "198.51.101.1", "2026", &full).confidence, CONFIDENCE_LOW);
	assert_int_equal(attribution_database_place(a, 1, &x, &p, &bits), 0);
	assert_string_equal(p.country, "KP");
	assert_int_equal(bits, 25);
	assert_int_equal(attribution_database_place(a, 0, &z, &p, &bits), -1);
	attribution_destroy(a);
	unlink(first);
	unlink(second);
	unlink(broken);
	free(b);
}

/* A user's list against the product's false ranges, and a user's false range against the product's network. */
static void
test_precedence(void **state)
{
	(void)state;
	struct heard h;
	struct attribution *a = load_list_text(
	        "network,jurisdiction,confidence,holder\n"
	        "5.62.56.161,KP,high,known to us\n"        /* narrower than a false range of the product */
	        "5.62.61.64/30,KP,high,known to us\n"      /* the same network: the user's word */
	        "5.0.0.0/8,KP,high,all of it\n"            /* wider: the false range stands */
	        "175.45.176.0/30,KP,false-positive,our link to the cloud\n", (struct list_conf){0}, &h);
	assert_int_equal(listing_of(a, "5.62.56.161", "2024", &full).confidence, CONFIDENCE_HIGH);
	assert_int_equal(listing_of(a, "5.62.61.65", "2024", &full).confidence, CONFIDENCE_HIGH);
	assert_int_equal(listing_of(a, "5.62.56.162", "2024", &full).confidence, CONFIDENCE_INFO);
	assert_int_equal(listing_of(a, "5.1.1.1", "2024", &full).confidence, CONFIDENCE_HIGH);
	assert_int_equal(listing_of(a, "175.45.176.1", "2024", &full).confidence, CONFIDENCE_INFO);
	assert_int_equal(listing_of(a, "175.45.176.5", "2024", &full).confidence, CONFIDENCE_CONFIRMED);
	const struct listing_row *rows[8];
	struct addr x = address("175.45.176.1");
	assert_int_equal(attribution_rows(a, &x, rows, 8), 2);
	assert_true(rows[0]->false_positive);
	assert_string_equal(rows[1]->network_text, "175.45.176.0/22");
	assert_int_equal(attribution_rows(a, &x, rows, 1), 1);
	attribution_destroy(a);
}

static void
test_private_link(void **state)
{
	(void)state;
	static const struct {
		const char *x, *y;
		uint16_t vlan;
		bool want;
	} pairs[] = {
		{"175.45.176.1", "175.45.176.2", 100, true},
		{"175.45.176.2", "175.45.176.1", 0, true},
		{"175.45.176.1", "175.45.176.9", 100, true},
		{"175.45.176.1", "175.45.176.9", 0, false},
		{"175.45.176.1", "224.0.0.5", 100, true},
		{"169.254.0.1", "175.45.176.1", 0, true},
		{"175.45.176.1", "10.0.0.1", 100, false}, /* a routed packet looks the same */
		{"175.45.176.1", "8.8.8.8", 100, false},
		{"10.0.0.1", "10.0.0.2", 100, false},
		{"169.254.0.1", "224.0.0.5", 100, false},
	};
	struct attribution *a = load_alone();
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct addr x = address(pairs[i].x), y = address(pairs[i].y);
		print_message("%s %s %u\n", pairs[i].x, pairs[i].y, pairs[i].vlan);
		assert_int_equal(attribution_private_link(a, &x, &y, pairs[i].vlan), pairs[i].want);
	}
	attribution_destroy(a);
}

static void
test_place(void **state)
{
	(void)state;
	static const char *const home[] = {"198.51.100.0/24", "not a network"};
	struct heard h = {.errors = 0};
	const struct attribution_conf conf = {.no_auto_detect = true, .home = home, .home_count = 2};
	struct attribution *a = attribution_load(&conf, hear, &h);
	struct place p;
	struct addr x = address("198.51.100.7"), y = address("10.0.0.1"), z = address("ff02::1");
	assert_non_null(a);
	assert_int_equal(h.errors, 1);
	attribution_place(a, &x, &p);
	assert_int_equal(p.flags, PLACE_HOME);
	attribution_place(a, &y, &p);
	assert_int_equal(p.flags, PLACE_PRIVATE);
	attribution_place(a, &z, &p);
	assert_int_equal(p.flags, PLACE_PRIVATE | PLACE_MULTICAST);
	attribution_destroy(a);
	a = load_alone();
	attribution_place(a, &y, &p);
	assert_int_equal(p.flags, PLACE_PRIVATE | PLACE_HOME);
	attribution_destroy(a);
	attribution_destroy(NULL);
}

/* A database of networks longer and shorter than a /24 and a /48; each of them is another country's. */
static struct attribution *
load_patchwork(const char *const *home, size_t home_count)
{
	static const struct {
		const char *network, *country;
	} parts[] = {
		{"203.0.112.0/25", "DE"}, {"203.0.112.128/26", "FR"}, {"203.0.112.200", "IT"}, {"198.51.100.0/22", "NL"},
		{"192.0.2.255", "AT"}, {"100.0.0.0/10", "US"}, {"2001:db8::/47", "BE"}, {"2001:db8:5::/49", "LU"},
		{"2001:db8:6:1::/64", "ES"}, {"64:ff9b:0:1::/64", "PT"}, {"2003::/16", "CH"},
	};
	static struct build b;
	char path[32];
	struct heard h = {.errors = 0};
	build_init(&b);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		const size_t record = b.len;
		build_map(&b, 1);
		build_string(&b, "country_code");
		build_string(&b, parts[i].country);
		build_network(&b, parts[i].network, record);
	}
	build_finish(&b, "patchwork", 1700000000);
	write_temporary(path, b.file, b.size);
	const char *const databases[] = {path};
	const struct attribution_conf conf = {.no_auto_detect = true, .databases = databases, .database_count = 1,
	        .home = home, .home_count = home_count};
	struct attribution *a = attribution_load(&conf, hear, &h);
	unlink(path);
	assert_non_null(a);
	assert_int_equal(h.errors, 0);
	return a;
}

/* Whoever was asked for before, a place is what its own address alone says. */
static void
check_neighbours(const char *const *home, size_t home_count)
{
	static const char *const around[] = {
		"203.0.112.0", "203.0.112.127", "203.0.112.128", "203.0.112.191", "203.0.112.192", "203.0.112.199",
		"203.0.112.200", "203.0.112.201", "203.0.112.255", "203.0.113.0", "198.51.100.0", "198.51.100.63",
		"198.51.100.64", "198.51.100.127", "198.51.100.128", "198.51.101.1", "198.51.103.255", "198.51.104.0",
		"192.0.2.0", "192.0.2.254", "192.0.2.255", "192.0.3.0", "100.63.255.255", "100.64.0.0", "100.127.255.255",
		"100.128.0.0", "255.255.255.0", "255.255.255.254", "255.255.255.255", "192.168.0.1", "192.169.0.1",
		"::", "::1", "::2", "::ffff", "2001:db8::", "2001:db8:1:ffff::", "2001:db8:2::", "2001:db8:5::1",
		"2001:db8:5:6::1", "2001:db8:5:7::1", "2001:db8:5:8000::", "2001:db8:6::", "2001:db8:6:1::1", "2001:db8:6:2::",
		"64:ff9b::", "64:ff9b::203.0.112.200", "64:ff9b::203.0.112.1", "64:ff9b::10.0.0.1", "64:ff9b:0:1::1",
		"64:ff9b:0:2::", "2002:cb00:7001::", "2002:cb00:70c8::1", "2002:a00:1::1", "2003::1", "fe80::1", "fec0::1",
		"ff02::1", "feff::1",
	};
	enum { COUNT = sizeof around / sizeof around[0] };
	struct attribution *alone[COUNT], *a = load_patchwork(home, home_count);
	for (unsigned turn = 0; turn < 4 * COUNT; turn++) {
		/* Up, down, then in steps, so that each comes after many others. */
		const unsigned i = turn < COUNT ? turn : turn < 2 * COUNT ? 2 * COUNT - 1 - turn : turn * 31 % COUNT;
		const struct addr x = address(around[i]);
		struct place p, q;
		if (turn < COUNT)
			alone[i] = load_patchwork(home, home_count);
		attribution_place(alone[i], &x, &q);
		attribution_place(a, &x, &p);
		if (strcmp(p.country, q.country) != 0 || p.flags != q.flags)
			fail_msg("%s: %s %x, not %s %x", around[i], p.country, p.flags, q.country, q.flags);
		if (attribution_database_place(a, 0, &x, &q, &(unsigned){0}) < 0)
			q = (struct place){0};
		assert_string_equal(p.country, q.country);
		if (strncmp(around[i], "64:ff9b::", 9) != 0 && strncmp(around[i], "2002:", 5) != 0)
			assert_int_equal((p.flags & PLACE_PRIVATE) != 0, addr_is_private(&x));
	}
	for (unsigned i = 0; i < COUNT; i++)
		attribution_destroy(alone[i]);
	attribution_destroy(a);
}

static void
test_place_neighbours(void **state)
{
	static const char *const home[] = {"198.51.100.64/26", "2001:db8:5:6::/64", "64:ff9b::a00:0/104", "192.0.2.254/32"};
	(void)state;
	check_neighbours(home, sizeof home / sizeof home[0]);
	check_neighbours(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_country_database),
		cmocka_unit_test(test_several_databases),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_private_link),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_place_neighbours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
