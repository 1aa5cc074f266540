/* The summary: widths and sizes by table, the page by what must stand on it, limits by flooding it. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "output/output.h"
#include "output/summary.h"
#include "records.h"

/* A summary sink that writes to memory. */
struct fixture {
	FILE *stream;
	char *text;
	size_t size;
	void *sink;
};

static void
start(struct fixture *f, bool colour)
{
	static const char *const inputs[] = {"a.pcap", "b\n.pcapng"};
	struct output_conf conf = {.summary = true, .colour = colour, .inputs = inputs, .input_count = 2};
	char error[128];

	*f = (struct fixture){0};
	f->stream = open_memstream(&f->text, &f->size);
	assert_non_null(f->stream);
	conf.summary_stream = f->stream;
	assert_int_equal(sink_summary.open(&conf, NULL, &f->sink, error, sizeof error), 0);
}

static const char *
finish(struct fixture *f)
{
	char error[128];

	assert_int_equal(sink_summary.finish(f->sink, error, sizeof error), 0);
	if (getenv("SHOW_SUMMARY") != NULL)
		fputs(f->text, stderr);
	return f->text;
}

static void
end(struct fixture *f)
{
	sink_summary.close(f->sink);
	fclose(f->stream);
	free(f->text);
}

static void
assert_holds(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void
assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static void
test_widths(void **state)
{
	static const struct {
		const char *text;
		unsigned width;
	} rows[] = {
		{"", 0}, {"abc", 3}, {"\xc3\xa9t\xc3\xa9", 3},
		{"\xed\x8f\x89\xec\x96\x91", 4},         /* Hangul */
		{"\xe4\xbf\xae\xe6\x94\xb9.zip", 8},     /* Han */
		{"\xef\xbd\xb1", 1},                     /* half-width katakana */
		{"e\xcc\x81", 1},                        /* e and a combining acute accent */
		{"\xe1\x84\x91\xe1\x85\xa7\xe1\x86\xbc", 2}, /* a Hangul syllable in three jamo, as macOS names it */
		{"\xf0\x9f\x8e\xac", 2},
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(text_width(rows[i].text), rows[i].width);
}

static void
test_fit(void **state)
{
	static const struct {
		const char *text;
		unsigned width;
		const char *expected;
	} rows[] = {
		{"short", 5, "short"},
		{"shot_010.0001.exr", 12, "shot_...exr"},
		{"abcdefghijkl", 10, "abcd...jkl"},
		{"\xed\x8f\x89\xec\x96\x91\xed\x8f\x89\xec\x96\x91\xed\x8f\x89\xec\x96\x91", 9, "\xed\x8f\x89...\xec\x96\x91"},
	};
	char out[64];
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		text_fit(out, sizeof out, rows[i].text, rows[i].width);
		assert_true(text_width(out) <= rows[i].width);
		if (i != 1)
			assert_string_equal(out, rows[i].expected);
	}
}

static void
test_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *size, *count;
	} rows[] = {
		{0, "0 B", "0"}, {999, "999 B", "999"}, {1000, "1.0 kB", "1,000"}, {12345678, "12.3 MB", "12,345,678"},
		{999949, "999.9 kB", "999,949"}, {999950, "1.0 MB", "999,950"},
		{UINT64_MAX, "18.4 EB", "18,446,744,073,709,551,615"},
	};
	char text[SUMMARY_NUMBER_MAX];
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(text_size(text, rows[i].bytes), rows[i].size);
		assert_string_equal(text_count(text, rows[i].bytes), rows[i].count);
	}
}

static void
test_times(void **state)
{
	char text[SUMMARY_TIME_MAX];
	(void)state;

	assert_string_equal(text_span(text, RECORDS_TIME, RECORDS_TIME + 1), "2024-01-15 09:30:00 UTC");
	assert_string_equal(text_span(text, RECORDS_TIME, RECORDS_TIME + 72 * CLOCK_SECOND),
		"2024-01-15 09:30:00 to 09:31:12 UTC");
	assert_string_equal(text_span(text, RECORDS_TIME, RECORDS_TIME + 86400 * CLOCK_SECOND),
		"2024-01-15 09:30:00 to 2024-01-16 09:30:00 UTC");
	assert_string_equal(text_duration(text, CLOCK_SECOND / 10), "0.1 s");
	assert_string_equal(text_duration(text, 3723 * CLOCK_SECOND), "1 h 2 min");
	assert_string_equal(text_duration(text, 100 * 86400 * CLOCK_SECOND), "100 days 0 h");
	assert_string_equal(country_name("KP"), "North Korea");
	assert_string_equal(country_name("AD"), "Andorra");
	assert_string_equal(country_name("ZW"), "Zimbabwe");
	assert_string_equal(country_name("XX"), "XX");
}

/* What never crossed the network is not cut off. */
static void
test_copied(void **state)
{
	const struct facts facts = {.protocol = "smb", .method = "content"};
	const struct flow_record flow = record_flow(&facts);
	struct transfer_record copied = record_transfer(&flow);
	struct fixture f;
	(void)state;

	copied.state = TRANSFER_TRUNCATED;
	copied.has_sha256 = false;
	copied.size = 5000;
	copied.seen = 0;
	copied.missing = copied.copied = 5000;
	start(&f, false);
	sink_summary.transfer(f.sink, &copied);
	const char *text = finish(&f);
	assert_holds(text, "copied on the server");
	assert_lacks(text, "cut");
	assert_lacks(text, "0 B seen");
	end(&f);

	copied.seen = 1000;
	copied.missing = copied.copied = 4000;
	start(&f, false);
	sink_summary.transfer(f.sink, &copied);
	assert_holds(finish(&f), "copied on the server, 1.0 kB seen");
	end(&f);

	copied.copied = 3000; /* others were missed */
	start(&f, false);
	sink_summary.transfer(f.sink, &copied);
	assert_holds(finish(&f), "cut off, 1.0 kB seen");
	end(&f);
}

/* An alert is told once, with the totals of its close, before everything else. */
static void
test_alert(void **state)
{
	static const struct coverage_counter unread[] = {
		{"checksum_ip", "packets whose IP checksum is wrong", 3}, {"other", "never", 0},
	};
	static const char *const notes[] = {"the capture has checksum offload"};
	const struct listing_row row = record_listing_row();
	const struct listing listing = record_listing(&row);
	const struct facts facts = {.protocol = "ftp", .method = "content", .user = {.utf8 = "editor"}};
	const struct flow_record plain = record_flow(&facts), listed = record_listed_flow(&facts, &listing);
	struct transfer_record bad = record_transfer(&listed), good = record_transfer(&plain);
	struct alert alert = record_alert(&bad, &listing);
	struct fixture f;
	(void)state;

	memcpy(good.id, "t2", 3);
	good.name.utf8 = "\xe4\xbf\xae\xe6\x94\xb9\x1b[31m.zip";
	good.size = UINT64_C(5000000000000);
	good.state = TRANSFER_TRUNCATED;
	good.has_sha256 = false;
	start(&f, false);
	sink_summary.alert(f.sink, &alert);
	sink_summary.transfer(f.sink, &bad);
	sink_summary.transfer(f.sink, &good);
	alert.action = ALERT_CLOSE;
	alert.bytes = 12345678;
	alert.files = 4;
	alert.count = 5;
	alert.packet_time += 60 * CLOCK_SECOND;
	sink_summary.alert(f.sink, &alert);
	sink_summary.flow(f.sink, &plain);
	sink_summary.flow(f.sink, &listed);
	sink_summary.problem(f.sink, "b.pcap: file is cut off in the middle of a packet (packet 7, offset 512)");
	sink_summary.coverage(f.sink, &(struct coverage){.start = plain.start, .end = plain.end, .packets = 4000,
		.bytes = 1000, .flows = 2, .transfers = 2, .alerts = 1, .unread = unread, .unread_count = 2,
		.notes = notes, .note_count = 1});
	const char *text = finish(&f);

	assert_true(strncmp(text, "====", 4) == 0);
	assert_holds(text, "1 ALERT: 1 critical\n");
	assert_holds(text, "shot_010.0001.exr  12.3 MB  SHA-256 a5a5a5a5...\n");
	assert_holds(text, "and 3 more\n");
	assert_holds(text, "192.168.1.10:51515, home network\n");
	assert_holds(text, "175.45.176.81:21, North Korea (KP), AS131279 STAR-KP\n");
	assert_holds(text, "175.45.176.0/22 (North Korea), held by Star Joint Venture Co. Ltd., programme 31");
	assert_holds(text, "12.3 MB of payload, 4 files, 5 occurrences in this one alert");
	assert_holds(text, "2024-01-15 09:30:00 to 09:31:00 UTC");
	assert_holds(text, "confirmed: listed range, valid at packet time; handshake seen; payload moved");
	assert_holds(text, "a.pcap, b\\x0a.pcapng");
	assert_holds(text, "5.0 TB");
	assert_holds(text, "cut off");
	assert_holds(text, "\xe4\xbf\xae\xe6\x94\xb9\\x1b[31m.zip"); /* no terminal escapes from the wire */
	assert_holds(text, "South Korea");
	assert_holds(text, "LISTED");
	assert_holds(text, "3  packets whose IP checksum is wrong");
	assert_lacks(text, "never");
	assert_holds(text, "the capture has checksum offload");
	assert_holds(text, "1 alert: 1 critical. 4 files (12.3 MB) went to or came from a sanctioned network.");
	assert_lacks(text, "\033");
	end(&f);
}

static void
test_quiet(void **state)
{
	const struct facts facts = {.protocol = "tls", .tls = {.server_name = "files.example.net"}};
	const struct flow_record flow = record_flow(&facts);
	struct transfer_record inferred = record_transfer(&flow);
	struct fixture f;
	(void)state;

	inferred.basis = TRANSFER_INFERRED;
	inferred.name = inferred.path = (struct text){0};
	inferred.has_sha256 = false;
	start(&f, true);
	sink_summary.transfer(f.sink, &inferred);
	sink_summary.coverage(f.sink, &(struct coverage){.packets = 10});
	const char *text = finish(&f);
	assert_holds(text, "inferred: files.example.net");
	assert_holds(text, "no file reached or left a listed network.");
	assert_holds(text, "Not seen: the content of");
	assert_lacks(text, "ALERT");
	assert_holds(text, "\033[32m");
	end(&f);
}

/* What is weak stands under the alerts, and makes no banner. */
static void
test_information(void **state)
{
	const struct listing_row row = record_listing_row();
	struct listing listing = record_listing(&row);
	const struct facts facts = {.protocol = "http"};
	listing.confidence = CONFIDENCE_INFO;
	const struct flow_record flow = record_listed_flow(&facts, &listing);
	const struct transfer_record t = record_transfer(&flow);
	struct alert alert = record_alert(&t, &listing);
	struct fixture f;
	(void)state;

	alert.severity = SEVERITY_INFO;
	alert.confidence = CONFIDENCE_INFO;
	start(&f, false);
	sink_summary.alert(f.sink, &alert);
	const char *text = finish(&f);
	assert_lacks(text, "ALERT");
	assert_holds(text, "For information\n");
	assert_holds(text, "No alert:");
	end(&f);

	/* A page of state media that was read is no alert either, but it is not nothing. */
	listing.confidence = CONFIDENCE_CONFIRMED;
	const struct flow_record sure = record_listed_flow(&facts, &listing);
	const struct transfer_record page = record_transfer(&sure);
	start(&f, false);
	sink_summary.alert(f.sink, &alert);
	sink_summary.transfer(f.sink, &page);
	text = finish(&f);
	assert_holds(text, "No alert, but 1 file met a listed network: see \"For information\".");
	end(&f);
}

/* A flood neither grows the tables nor hides the listed file among larger ones, and totals stay right. */
static void
test_limits(void **state)
{
	enum { MANY = 3000 };
	const struct listing_row row = record_listing_row();
	const struct listing listing = record_listing(&row);
	const struct facts facts = {.protocol = "http"};
	struct flow_record plain = record_flow(&facts), listed = record_listed_flow(&facts, &listing);
	struct transfer_record t = record_transfer(&plain), bad = record_transfer(&listed);
	struct alert alert = record_alert(&t, NULL);
	struct fixture f;
	char name[32];
	(void)state;

	bad.size = 1;
	bad.name.utf8 = "needle.txt";
	start(&f, false);
	t.name.utf8 = name;
	sink_summary.transfer(f.sink, &bad);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "file-%u", i);
		snprintf(t.id, sizeof t.id, "t%u", i);
		snprintf(alert.id, sizeof alert.id, "a%u", i);
		t.size = 1000 + i * 7919 % MANY;
		plain.side[SIDE_DESTINATION].place.asn = i + 1;
		alert.severity = i == MANY - 1 ? SEVERITY_HIGH : SEVERITY_LOW;
		alert.summary = i == MANY - 1 ? "the one that counts" : "noise";
		sink_summary.transfer(f.sink, &t);
		sink_summary.flow(f.sink, &plain);
		sink_summary.alert(f.sink, &alert);
		sink_summary.problem(f.sink, "something");
	}
	const char *text = finish(&f);
	assert_holds(text, "needle.txt");
	assert_holds(text, "  3000 ALERTS: 1 high, 2999 low\n");
	assert_holds(text, "the one that counts");
	assert_holds(text, "  and 2,971 more\n"); /* files */
	assert_holds(text, "4.0 kB");             /* the largest: 1000 + 2999 */
	assert_holds(text, "  and 2990 more\n");  /* networks */
	end(&f);
}

/* On a narrow page no line is longer than it, but for what can't be broken. */
static void
test_narrow(void **state)
{
	const struct facts facts = {.protocol = "http"};
	const struct flow_record flow = record_flow(&facts);
	struct transfer_record t = record_transfer(&flow);
	struct fixture f;
	char line[512];
	(void)state;

	setenv("COLUMNS", "80", 1);
	t.name.utf8 = "a_very_long_name_of_a_file_that_nobody_would_want_to_type_twice_v0031_final_final.exr";
	start(&f, false);
	unsetenv("COLUMNS");
	sink_summary.transfer(f.sink, &t);
	sink_summary.flow(f.sink, &flow);
	const char *text = finish(&f);
	for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
		snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
		assert_true(text_width(line) <= 80);
	}
	assert_holds(text, "al.exr");
	assert_holds(text, "192.168.1.10");
	assert_holds(text, "a5a5a5a5");
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_copied),
		cmocka_unit_test(test_alert),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_information),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_narrow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
