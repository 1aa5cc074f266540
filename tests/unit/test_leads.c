/*
 * Which service leads a client's bulk to a store. A script of flows as they are told, each "CLIENT HOST FROM-TO [began]
 * [small]" (host -: nobody says; began: it goes on; those of one client and host that begin together are one flow), and what each tells: "lead NAME" (and how long before), "led N", or nothing.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "attribution/leads.h"
#include "attribution_help.h"
#include "base/clock.h"

static const char some_rows[] =
        "match,service,kind,confidence,source,bulk\n"
        "api.review.example,review,review,high,a test,amazon-s3\n"
        "app.review.example,review,review,high,a test,amazon-s3\n"
        "fs.disk.example,disk,cloud-filesystem,high,a test,object-storage amazon-s3\n"
        "guess.example,guess,review,low,a test,object-storage\n"
        "a.example,a,review,high,a test,object-storage\n"
        "b.example,b,review,high,a test,object-storage\n"
        "c.example,c,review,high,a test,object-storage\n"
        "cloud.mover.example,mover,managed-transfer,high,a test,udp/49221 tcp/49221\n"
        "drive.example,drive,cloud-drive,high,a test\n"
        "s3.example,amazon-s3,object-storage,high,a test\n"
        "blob.example,azure-blob,object-storage,high,a test\n";

static const struct {
	const char *what, *script, *told;
} rows[] = {
        {"the service, and then bulk", "1 api.review.example 0-10;1 k.s3.example 20-90", ";lead review 10"},
        {"bulk that goes on until after the service", "1 api.review.example 0-30;1 k.s3.example 20-90", ";lead review 0"},
        {"the service goes on", "1 api.review.example 0-5 began;1 k.s3.example 900-950;1 api.review.example 0-2000", ";lead review 0;"},
        {"the service is told after the bulk", "1 k.s3.example 20-90;1 api.review.example 0-95", ";led 1"},
        {"two flows of bulk", "1 k.s3.example 20-90;1 k.s3.example 21-91;1 api.review.example 0-95", ";;led 2"},
        {"told once", "1 k.s3.example 20-90;1 api.review.example 0-95;1 app.review.example 0-99", ";led 1;"},
        {"too long before", "1 api.review.example 0-10;1 k.s3.example 131-190", ";"},
        {"just in time", "1 api.review.example 0-10;1 k.s3.example 130-190", ";lead review 120"},
        {"the service only after it began", "1 api.review.example 21-25;1 k.s3.example 20-90", ";"},
        {"and is told after it as well", "1 k.s3.example 20-90;1 api.review.example 21-95", ";"},
        {"another client", "2 api.review.example 0-10;1 k.s3.example 20-90", ";"},
        {"another store than it uses", "1 api.review.example 0-10;1 k.blob.example 20-90", ";"},
        {"one that uses any", "1 fs.disk.example 0-10;1 k.blob.example 20-90", ";lead disk 10"},
        {"two that could", "1 fs.disk.example 0-10;1 api.review.example 0-10;1 k.s3.example 20-90", ";;"},
        {"two that could, the second told late", "1 fs.disk.example 0-10 began;1 k.s3.example 20-90 began;1 k.s3.example 20-90;"
                "1 api.review.example 0-95", ";lead disk 0;lead disk 0;"},
        {"two, and one of them does not use it", "1 fs.disk.example 0-10;1 api.review.example 0-10;1 k.blob.example 20-90", ";;lead disk 10"},
        {"two hosts of one service", "1 app.review.example 0-10;1 api.review.example 0-15;1 k.s3.example 20-90", ";;lead review 5"},
        {"a service that keeps its own", "1 drive.example 0-10;1 k.s3.example 20-90", ";"},
        {"a row that is a lead itself", "1 guess.example 0-10;1 k.s3.example 20-90", ";"},
        {"no bulk", "1 api.review.example 0-10;1 k.s3.example 20-90 small", ";"},
        {"no store", "1 api.review.example 0-10;1 drive.example 20-90", ";"},
        {"after a pause it is a new contact", "1 api.review.example 0-10;1 api.review.example 500-510;1 k.s3.example 400-600", ";;"},
        {"what ended before is told later", "1 api.review.example 500-510;1 api.review.example 0-10;1 k.s3.example 505-600", ";;lead review 0"},
        {"one long flow and others in it", "1 api.review.example 500-510;1 api.review.example 0-600;1 k.s3.example 50-605", ";;lead review 0"},
        {"a port, and the service before", "1 cloud.mover.example 0-10;1 - 20-90", ";lead mover 10"},
        {"a port alone", "1 api.review.example 0-10;1 - 20-90", ";"},
        {"a port, and a name that says whose it is", "1 cloud.mover.example 0-10;1 www.example 20-90", ";"},
        {"a port, and little", "1 cloud.mover.example 0-10;1 - 20-90 small", ";"},
        {"a port, and the service too late", "1 - 20-90;1 cloud.mover.example 0-95", ";"},
        {"more services than can be kept in mind", "1 fs.disk.example 0-10;1 api.review.example 1-11;1 a.example 2-12;1 b.example 3-13;"
                "1 c.example 4-14;1 k.s3.example 125-130;1 c.example 290-295;1 k.s3.example 300-310", ";;;;;;;lead c 5"},
};

static int64_t
seconds(const char *text, char **end)
{
	return strtoll(text, end, 10) * CLOCK_SECOND;
}

/* One flow of the script; what it tells goes behind told. */
static void
step(struct leads *l, const struct attribution *a, const char *line, char *told, size_t size)
{
	char host[64], *end;
	char client[] = "192.0.2.0";
	client[8] = line[0];
	(void)snprintf(host, sizeof host, "%.*s", (int)strcspn(line + 2, " "), line + 2);
	const char *times = line + 2 + strlen(host) + 1;
	const bool unknown = host[0] == '-';
	const struct facts facts = {.protocol = unknown ? NULL : "tls", .tls.server_name = unknown ? NULL : host};
	struct flow_record r = {.facts = &facts, .start = seconds(times, &end)};
	r.end = seconds(end + 1, &end);
	(void)snprintf(r.id, sizeof r.id, "%c%.3s%lld", line[0], host, (long long)r.start / CLOCK_SECOND);
	r.side[SIDE_SOURCE].addr = address(client);
	r.side[SIDE_DESTINATION].addr = address("203.0.113.1");
	r.side[SIDE_DESTINATION].payload = 1000;
	r.side[SIDE_DESTINATION].port = 49221;
	r.transport = IPPROTO_UDP;
	r.side[SIDE_SOURCE].payload = strstr(end, "small") != NULL ? 1000 : 1000000;
	const bool began = strstr(end, "began") != NULL;
	attribution_name(a, &r);
	leads_find(l, &r);
	leads_note(l, &r, !began);
	const size_t len = strlen(told);
	if (r.service.lead.row != NULL)
		(void)snprintf(told + len, size - len, "lead %s %d", r.service.lead.row->name, (int)(r.service.lead.before / CLOCK_SECOND));
	else if (r.service.led_count > 0)
		(void)snprintf(told + len, size - len, "led %zu", r.service.led_count);
}

static void
play(struct leads *l, const struct attribution *a, const char *script, char *told, size_t size)
{
	char *copy = strdup(script), *rest = copy, *line;
	told[0] = '\0';
	while ((line = strsep(&rest, ";")) != NULL) {
		step(l, a, line, told, size);
		if (rest != NULL)
			(void)strncat(told, ";", size - strlen(told) - 1);
	}
	free(copy);
}

static struct attribution *
load(const char *services)
{
	char path[32];
	struct heard h = {.errors = 0};
	write_temporary(path, services, strlen(services));
	const struct attribution_conf conf = {.no_auto_detect = true, .services = path};
	struct attribution *a = attribution_load(&conf, hear, &h);
	assert_non_null(a);
	assert_int_equal(h.errors, 0);
	unlink(path);
	return a;
}

static void
test_rows(void **state)
{
	struct attribution *a = load(some_rows);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char told[512];
		struct leads *l = leads_create();
		play(l, a, rows[i].script, told, sizeof told);
		if (strcmp(told, rows[i].told) != 0)
			fail_msg("%s:\n got  %s\n want %s", rows[i].what, told, rows[i].told);
		leads_destroy(l);
	}
	attribution_destroy(a);
}

/* Another list: a contact stays one where the new list says so, and only there. */
static void
test_renew(void **state)
{
	char told[512];
	struct attribution *a = load(some_rows), *same = load(some_rows), *without = load("match,service,kind\ns3.example,amazon-s3,object-storage\n");
	struct leads *l = leads_create();
	(void)state;
	play(l, a, "1 api.review.example 0-10;1 k.s3.example 2000-2010", told, sizeof told);
	leads_renew(l, same);
	attribution_destroy(a);
	play(l, same, "1 k.s3.example 20-90", told, sizeof told);
	assert_string_equal(told, "lead review 10");
	leads_renew(l, without);
	attribution_destroy(same);
	play(l, without, "1 k.s3.example 20-90", told, sizeof told);
	assert_string_equal(told, "");
	leads_destroy(l);
	attribution_destroy(without);
}

/* Of very many clients those that are known the longest are forgotten, and counted. */
static void
test_limit(void **state)
{
	struct attribution *a = load(some_rows);
	struct leads *l = leads_create();
	const struct facts facts = {.protocol = "tls", .tls.server_name = "api.review.example"};
	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		const uint8_t v4[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
		struct flow_record r = {.facts = &facts, .id = "f", .end = 10 * CLOCK_SECOND};
		r.side[SIDE_SOURCE].addr = addr_from_v4(v4);
		r.side[SIDE_DESTINATION].payload = 1;
		attribution_name(a, &r);
		leads_note(l, &r, true);
	}
	assert_int_equal(leads_forgotten(l), 5000 - 4096);
	leads_destroy(l);
	attribution_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_rows),
	        cmocka_unit_test(test_renew),
	        cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
