/* What ends are called, and whose service they are: the list of services, and the names that DNS answers gave. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "attribution_help.h"

static struct attribution *
load(const char *services, struct heard *h)
{
	char path[32];
	memset(h, 0, sizeof *h);
	write_temporary(path, services, strlen(services));
	const struct attribution_conf conf = {.no_auto_detect = true, .services = path};
	struct attribution *a = attribution_load(&conf, hear, h);
	assert_non_null(a);
	unlink(path);
	return a;
}

static const char some_rows[] =
        "match,service,kind,confidence,source\n"
        "example.com,drive,cloud-drive,high,a test\n"
        "up.example.com,upload,send,low,\n"
        "Example.NET,other,cloud-drive\n"
        "kp,kp-domain,kp-infra,high\n"
        "203.0.113.0/24,net,vpn,medium\n"
        "203.0.113.64/26,inner,vpn,medium\n"
        "2001:db8:1::/48,six,vpn,medium\n"
        "AS64500,owner,chat-file,medium\n";

static void
test_match(void **state)
{
	static const struct {
		const char *name, *service;
	} rows[] = {
	        {"example.com", "drive"},
	        {"www.example.com", "drive"},
	        {"WWW.EXAMPLE.COM", "drive"},
	        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.example.com", "drive"},
	        {"example.com.", "drive"},
	        {"up.example.com", "upload"}, /* the longest wins */
	        {"x.up.example.com", "upload"},
	        {"notup.example.com", "drive"},
	        {"notexample.com", NULL}, /* not a part of a label */
	        {"example.com.org", NULL},
	        {"com", NULL},
	        {"example.net", "other"},
	        {"naenara.com.kp", "kp-domain"},
	        {"kp", "kp-domain"},
	        {"akp", NULL},
	        {"", NULL},
	        {".", NULL},
	        {"..", NULL},
	        {"example..com", NULL},
	        {".example.com", "drive"},
	};
	struct heard h;
	struct attribution *a = load(some_rows, &h);
	(void)state;
	assert_int_equal(h.errors, 0);
	assert_int_equal(attribution_services(a).rows, 8);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct service_row *r = attribution_service_of_name(a, rows[i].name, strlen(rows[i].name));
		if (rows[i].service == NULL ? r != NULL : r == NULL || strcmp(r->name, rows[i].service) != 0)
			fail_msg("%s: %s", rows[i].name, r != NULL ? r->name : "none");
	}
	attribution_destroy(a);
}

static void
test_place(void **state)
{
	static const struct {
		const char *addr;
		uint32_t asn;
		const char *service;
	} rows[] = {
	        {"203.0.113.1", 0, "net"},
	        {"203.0.113.65", 0, "inner"},
	        {"203.0.113.65", 64500, "inner"},
	        {"203.0.112.1", 0, NULL},
	        {"203.0.112.1", 64500, "owner"},
	        {"203.0.112.1", 64501, NULL},
	        {"2001:db8:1::5", 0, "six"},
	        {"2001:db8:2::5", 0, NULL},
	};
	struct heard h;
	struct attribution *a = load(some_rows, &h);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct addr addr = address(rows[i].addr);
		const struct place place = {.asn = rows[i].asn};
		const struct service_row *r = attribution_service_of_place(a, &addr, &place);
		if (rows[i].service == NULL ? r != NULL : r == NULL || strcmp(r->name, rows[i].service) != 0)
			fail_msg("%s AS%u: %s", rows[i].addr, rows[i].asn, r != NULL ? r->name : "none");
	}
	attribution_destroy(a);
}

static void
test_bad_rows(void **state)
{
	static const char text[] =
	        "exa mple.com,drive,cloud-drive\n"
	        "example..com,drive,cloud-drive\n"
	        ".com,drive,cloud-drive\n"
	        "203.0.113.1/24,drive,cloud-drive\n"
	        "example.com,,cloud-drive\n"
	        "example.com,drive,cloud-drive,certain\n"
	        "\"example.com,drive,cloud-drive\n"
	        "good.example,drive,cloud-drive\n"
	        "good.example,drive2,cloud-drive\n";
	static const char *const said[] = {":1: not a domain", ":2: not a domain", ":3: not a domain",
	        ":4: has bits set", ":5: no match, no service", ":6: confidence is not", ":7: a quote is not closed",
	        ":9: it is there twice"};
	struct heard h;
	struct attribution *a = load(text, &h);
	(void)state;
	assert_int_equal(h.errors, 8);
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
		if (strstr(h.text, said[i]) == NULL)
			fail_msg("no \"%s\" in %s", said[i], h.text);
	assert_string_equal(attribution_service_of_name(a, "good.example", 12)->name, "drive2");
	attribution_destroy(a);
}

/* Where bulk goes is a column only where the header says so: in lists without it a source may have a comma. */
static void
test_bulk(void **state)
{
	static const struct {
		const char *text, *bulk;
	} rows[] = {
	        {"match,service,kind,confidence,source,bulk\nexample.com,drive,review,high,a test,amazon-s3 udp/49221\n", "amazon-s3 udp/49221"},
	        {"match,service,kind,confidence,source,bulk\nexample.com,drive,review,high,a test\n", NULL},
	        {"match,service,kind,confidence,source,bulk\nexample.com,drive,review,high,a test, \n", NULL},
	        {"match,service,kind,confidence,source\nexample.com,drive,review,high,a test, of two parts\n", NULL},
	        {"example.com,drive,review,high,a test,amazon-s3\n", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct heard h;
		struct attribution *a = load(rows[i].text, &h);
		const struct service_row *r = attribution_service_of_name(a, "example.com", 11);
		assert_int_equal(h.errors, 0);
		assert_non_null(r);
		if (rows[i].bulk == NULL ? r->bulk != NULL : r->bulk == NULL || strcmp(r->bulk, rows[i].bulk) != 0)
			fail_msg("row %zu: %s", i, r->bulk != NULL ? r->bulk : "none");
		attribution_destroy(a);
	}
}

/* A list that is not there, or has nothing in it, is named, and the product's own counts. */
static void
test_no_list(void **state)
{
	struct heard h = {.errors = 0};
	struct attribution *a = load("# nothing\n", &h);
	(void)state;
	assert_int_equal(h.errors, 1);
	assert_non_null(strstr(h.text, "no row of it can be used"));
	assert_null(attribution_services(a).path);
	assert_string_equal(attribution_service_of_name(a, "www.dropbox.com", 15)->name, "dropbox");
	attribution_destroy(a);

	const struct attribution_conf conf = {.no_auto_detect = true, .services = "/nonexistent/services.csv"};
	memset(&h, 0, sizeof h);
	a = attribution_load(&conf, hear, &h);
	assert_non_null(a);
	assert_int_equal(h.errors, 1);
	assert_non_null(strstr(h.text, "/nonexistent/services.csv: No such file"));
	assert_non_null(attribution_service_of_name(a, "pan.baidu.com", 13));
	attribution_destroy(a);
}

/* The product's own list loads without a word. */
static void
test_own_list(void **state)
{
	struct heard h = {.errors = 0};
	const struct attribution_conf conf = {.no_auto_detect = true};
	struct attribution *a = attribution_load(&conf, hear, &h);
	(void)state;
	assert_non_null(a);
	assert_int_equal(h.errors, 0);
	assert_true(attribution_services(a).rows > 200);
	attribution_destroy(a);
}

/* Who says it: the client's own words, then its DNS answers, then another's; an address is no name. */
static void
test_basis(void **state)
{
	static const struct {
		struct facts facts;
		const char *name; /* NULL: none */
		enum name_basis basis;
		const char *service;
		enum confidence confidence;
	} rows[] = {
	        {{.protocol = "tls", .tls.server_name = "a.example.com", .resolved = "b.example.net"}, "a.example.com",
	                NAME_SNI, "drive", CONFIDENCE_HIGH},
	        {{.protocol = "http", .service.utf8 = "a.example.com:8080", .resolved = "b.example.net"},
	                "a.example.com", NAME_HOST, "drive", CONFIDENCE_HIGH},
	        {{.protocol = "http", .service.utf8 = "192.0.2.1:8080", .resolved = "b.example.com"}, "b.example.com",
	                NAME_DNS, "drive", CONFIDENCE_HIGH},
	        {{.protocol = "smb", .service.utf8 = "share", .resolved = "b.example.com"}, "b.example.com", NAME_DNS,
	                "drive", CONFIDENCE_HIGH},
	        {{.protocol = "tls", .resolved = "b.example.com", .resolved_other = true}, "b.example.com",
	                NAME_DNS_OTHER, "drive", CONFIDENCE_MEDIUM},
	        {{.protocol = "tls", .tls.server_name = "a b"}, NULL, NAME_NONE, NULL, CONFIDENCE_NONE},
	        {{.protocol = "smb", .service.utf8 = "share.example.com"}, NULL, NAME_NONE, NULL, CONFIDENCE_NONE},
	        {{.protocol = NULL}, NULL, NAME_NONE, NULL, CONFIDENCE_NONE},
	};
	struct heard h;
	struct attribution *a = load(some_rows, &h);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct flow_record r = {.facts = &rows[i].facts};
		r.side[SIDE_SOURCE].addr = address("10.0.0.1");
		r.side[SIDE_DESTINATION].addr = address("192.0.2.1");
		attribution_name(a, &r);
		assert_int_equal(r.name.basis, rows[i].basis);
		if (rows[i].name != NULL) {
			assert_int_equal(r.name.len, strlen(rows[i].name));
			assert_memory_equal(r.name.text, rows[i].name, r.name.len);
		}
		assert_int_equal(r.service.confidence, rows[i].confidence);
		if (rows[i].service != NULL)
			assert_string_equal(r.service.row->name, rows[i].service);
		else
			assert_null(r.service.row);
	}
	/* Where nobody named the server, its certificate tells whose it is, but not what it is called. */
	static const char *const subjects[] = {"CN=*.a.example.com, O=Drive", "CN=nobody.example.org, O=x"};
	for (size_t i = 0; i < 4; i++) {
		struct details *d = NULL;
		assert_int_equal(details_text(&d, "tls.server.subject", subjects[i == 1]), 0);
		if (i == 1)
			assert_int_equal(details_text(&d, "tls.server.x509.alternative_names", "b.example.com"), 0);
		const struct facts facts = {.protocol = "tls", .details = d, .tls.server_name = i == 2 ? "host.example.org" : NULL,
		        .resolved = i == 3 ? "host.example.org" : NULL};
		struct flow_record r = {.facts = &facts};
		attribution_name(a, &r);
		assert_int_equal(r.name.basis, i == 2 ? NAME_SNI : i == 3 ? NAME_DNS : NAME_NONE);
		assert_true((r.service.row == NULL) == (i == 2)); /* what the client asks for is what counts */
		if (i != 2) {
			assert_string_equal(r.service.row->name, "drive");
			assert_int_equal(r.service.basis, NAME_CERTIFICATE);
			assert_int_equal(r.service.confidence, CONFIDENCE_MEDIUM);
		}
		details_free(d);
	}
	/* Without a name the network tells it, of either end. */
	static const struct facts unknown;
	struct flow_record r = {.facts = &unknown};
	r.side[SIDE_SOURCE].addr = address("203.0.113.9");
	r.side[SIDE_DESTINATION].addr = address("192.0.2.1");
	attribution_name(a, &r);
	assert_string_equal(r.service.row->name, "net");
	assert_int_equal(r.service.side, SIDE_SOURCE);
	attribution_destroy(a);
}

static void
answer(struct names *n, const char *client, const char *addr, const char *name, uint32_t ttl, int64_t time)
{
	struct resolution r = {.addr = address(addr), .name = name, .len = strlen(name), .ttl = ttl, .time = time};
	if (client != NULL)
		r.client = address(client);
	names_add(n, &r);
}

/* "name" for the client's own, "name?" for another's, "-" for none. */
static void
expect_name(struct names *n, const char *client, const char *addr, int64_t time, const char *expected)
{
	const struct addr c = address(client), a = address(addr);
	char text[NAME_MAX_LEN + 2] = "-";
	size_t len = 0;
	bool own = false;
	const char *name = names_find(n, &c, &a, time, &len, &own);
	if (name != NULL)
		snprintf(text, sizeof text, "%.*s%s", (int)len, name, own ? "" : "?");
	assert_string_equal(text, expected);
}

static void
test_answers(void **state)
{
	const int64_t t = 1000 * CLOCK_SECOND;
	struct names *n = names_create();
	(void)state;
	assert_non_null(n);
	expect_name(n, "10.0.0.1", "192.0.2.1", t, "-");
	answer(n, "10.0.0.1", "192.0.2.1", "one.example", 60, t);
	answer(n, "10.0.0.2", "192.0.2.1", "two.example", 60, t + CLOCK_SECOND);
	expect_name(n, "10.0.0.1", "192.0.2.1", t, "one.example");
	expect_name(n, "10.0.0.2", "192.0.2.1", t, "two.example");
	expect_name(n, "10.0.0.3", "192.0.2.1", t, "two.example?"); /* the last of anybody's */
	expect_name(n, "10.0.0.1", "192.0.2.2", t, "-");
	/* The last one counts; and no longer than it may. */
	answer(n, "10.0.0.1", "192.0.2.1", "later.example", 60, t + 2 * CLOCK_SECOND);
	expect_name(n, "10.0.0.1", "192.0.2.1", t + 362 * CLOCK_SECOND, "later.example");
	expect_name(n, "10.0.0.1", "192.0.2.1", t + 362 * CLOCK_SECOND + 1, "-");
	answer(n, "10.0.0.1", "192.0.2.9", "long.example", UINT32_MAX, t);
	expect_name(n, "10.0.0.1", "192.0.2.9", t + 86400 * CLOCK_SECOND, "long.example");
	expect_name(n, "10.0.0.1", "192.0.2.9", t + 86401 * CLOCK_SECOND, "-");
	/* Told to everybody. */
	answer(n, NULL, "192.0.2.10", "printer.local", 60, t);
	expect_name(n, "10.0.0.1", "192.0.2.10", t, "printer.local?");
	/* Both families. */
	answer(n, "2001:db8::1", "2001:db8::2", "six.example", 60, t);
	expect_name(n, "2001:db8::1", "2001:db8::2", t, "six.example");
	names_destroy(n);
	names_destroy(NULL);
}

/* More answers than there is room for: the oldest go, those used again do not. */
static void
test_full(void **state)
{
	enum { ANSWERS = 200 * 1000 };
	struct names *n = names_create();
	char addr[32], name[64];
	(void)state;
	assert_non_null(n);
	for (unsigned i = 0; i < ANSWERS; i++) {
		snprintf(addr, sizeof addr, "198.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		snprintf(name, sizeof name, "host-%u.a-name-that-is-not-short.example", i);
		answer(n, "10.0.0.1", addr, name, 3600, i);
		if (i % 1000 == 0)
			answer(n, "10.0.0.1", "192.0.2.1", "again.example", 3600, i);
	}
	expect_name(n, "10.0.0.1", "192.0.2.1", ANSWERS, "again.example");
	expect_name(n, "10.0.0.1", addr, ANSWERS, name);
	expect_name(n, "10.0.0.1", "198.0.0.1", ANSWERS, "-");
	expect_name(n, "10.0.0.1", "198.2.200.1", ANSWERS, "host-182273.a-name-that-is-not-short.example");
	names_destroy(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_match),
	        cmocka_unit_test(test_place),
	        cmocka_unit_test(test_bad_rows),
	        cmocka_unit_test(test_bulk),
	        cmocka_unit_test(test_no_list),
	        cmocka_unit_test(test_own_list),
	        cmocka_unit_test(test_basis),
	        cmocka_unit_test(test_answers),
	        cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
