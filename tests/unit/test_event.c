/*
 * Events of records built by hand, character by character, and the sink that writes them. With a
 * file's name in WAYBILL_EVENTS all of them are written there as well, for the schema to judge.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "output/json.h"
#include "output/output.h"
#include "records.h"

#define A5_32 "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"

#define HEAD(time)                                                                                     \
	"{\"@timestamp\":\"" time "\",\"ecs\":{\"version\":\"8.17.0\"},"                                \
	"\"observer\":{\"vendor\":\"waybill\",\"product\":\"waybill\",\"version\":\"" PACKAGE_VERSION "\"," \
	"\"hostname\":\"sensor\"},"
#define TIMES(start, end, duration)                                                             \
	"\"start\":\"" start "\",\"end\":\"" end "\",\"duration\":" duration ","               \
	"\"ingested\":\"2024-01-15T10:00:00.000000Z\""
#define START "2024-01-15T09:30:00.123456Z"
#define FIRST "2024-01-15T09:30:00.124456Z" /* the first byte of a transfer */
#define END "2024-01-15T09:30:02.123456Z"

#define SOURCE                                                                         \
	"\"source\":{\"ip\":\"192.168.1.10\",\"port\":51515,\"mac\":\"02-00-00-01-02-AB\"," \
	"\"bytes\":98765,\"packets\":1200},"
#define DESTINATION(domain)                                                                         \
	"\"destination\":{\"ip\":\"203.0.113.77\",\"port\":80," domain "\"bytes\":123456999,"        \
	"\"packets\":800,\"geo\":{\"country_iso_code\":\"KR\"},\"as\":{\"number\":4766,"             \
	"\"organization\":{\"name\":\"Korea Telecom\"}}},"
#define LISTED_END                                                                                    \
	"{\"ip\":\"175.45.176.81\",\"port\":21,\"bytes\":123456999,\"packets\":800,"                   \
	"\"geo\":{\"country_iso_code\":\"KP\"},\"as\":{\"number\":131279,\"organization\":{\"name\":\"STAR-KP\"}}}"
#define NETWORK(protocol, more)                                                                     \
	"\"network\":{\"type\":\"ipv4\",\"transport\":\"tcp\",\"protocol\":\"" protocol "\","        \
	"\"community_id\":\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\",\"bytes\":123555764,\"packets\":2000,"  \
	"\"direction\":\"outbound\"" more "},"
#define FLOW(id)                                                                                       \
	"\"flow\":{\"id\":\"" id "\",\"payload\":{\"source\":1234,\"destination\":123456789},"          \
	"\"history\":\"ShADadFf\",\"midstream\":false,\"handshake\":true,\"end_reason\":\"fin\","       \
	"\"first_frame\":1,\"last_frame\":2000}"
#define LISTING(more)                                                                                   \
	"\"listing\":{\"side\":\"destination\"," more "\"jurisdiction\":\"KP\",\"programme\":\"31 CFR 510\"," \
	"\"holder\":\"Star Joint Venture Co. Ltd.\",\"network\":\"175.45.176.0/22\",\"list\":\"sanctioned\"," \
	"\"list_digest\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","          \
	"\"basis\":\"range\",\"confidence\":\"confirmed\",\"reasons\":[\"listed range, valid at packet time\"," \
	"\"handshake seen\",\"payload moved\"],\"valid_from\":\"2009-12-21T00:00:00.000000Z\","          \
	"\"source\":\"https://example.net/whois\"}"

static const struct event_stamp stamp = {.ingested = INT64_C(1705312800) * CLOCK_SECOND, .observer = "sensor"};

/* For tests/replay/schema, where it asks. */
static void
keep_event(const struct json *j)
{
	const char *path = getenv("WAYBILL_EVENTS");
	FILE *copy = path != NULL ? fopen(path, "a") : NULL;
	assert_false(j->failed);
	if (copy == NULL)
		return;
	fprintf(copy, "%.*s\n", (int)j->len, j->bytes);
	fclose(copy);
}

static void
assert_event(struct json *j, const char *expected)
{
	keep_event(j);
	json_put(j, "", 1);
	assert_string_equal(j->bytes, expected);
	json_clear(j);
}

static const struct service_row drive = {.match = "example.net", .name = "example-drive", .kind = "cloud-drive",
	.source = "a test", .confidence = CONFIDENCE_HIGH};

static void
test_flow(void **state)
{
	const struct facts facts = {
		.protocol = "http", .method = "content", .service = {.utf8 = "files.example.net:80"},
		.client = {.utf8 = "curl/7.88.1"}, .server = {.utf8 = "nginx"}, .client_language = "ko-KP",
	};
	struct flow_record r = record_flow(&facts);
	struct json j;
	(void)state;

	r.vlan[0] = 10;
	r.vlan[1] = 20;
	r.depth = 1;
	r.side[SIDE_DESTINATION].missing = 7;
	r.name = (struct end_name){.text = "files.example.net:80", .len = 17, .basis = NAME_HOST};
	r.service = (struct service){.row = &drive, .basis = NAME_HOST, .confidence = CONFIDENCE_MEDIUM,
		.side = SIDE_DESTINATION};
	json_init(&j);
	event_write_flow(&j, &r, &stamp);
	assert_event(&j, HEAD(START)
		"\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"connection\",\"end\"],"
		"\"action\":\"flow-ended\",\"dataset\":\"waybill.flow\",\"id\":\"f0123456789abcdef\","
		TIMES(START, END, "2000000000") "},"
		SOURCE DESTINATION("\"domain\":\"files.example.net\",")
		NETWORK("http", ",\"vlan\":{\"id\":10},\"inner\":{\"vlan\":{\"id\":20}}")
		"\"user_agent\":{\"original\":\"curl/7.88.1\"},"
		"\"waybill\":{\"flow\":{\"id\":\"f0123456789abcdef\",\"payload\":{\"source\":1234,\"destination\":123456789},"
		"\"missing\":{\"source\":0,\"destination\":7},\"history\":\"ShADadFf\",\"midstream\":false,"
		"\"handshake\":true,\"end_reason\":\"fin\",\"first_frame\":1,\"last_frame\":2000,\"depth\":1},"
		"\"session\":{\"method\":\"content\",\"domain_basis\":\"HTTP Host\",\"service\":\"files.example.net:80\","
		"\"server\":\"nginx\",\"language\":\"ko-KP\"},"
		"\"service\":{\"name\":\"example-drive\",\"kind\":\"cloud-drive\",\"side\":\"destination\","
		"\"basis\":\"HTTP Host\",\"match\":\"example.net\",\"confidence\":\"medium\"}}}");
}

/* Who may have led a flow, what one led, and one of which nothing else is known. */
static void
test_leads(void **state)
{
	static const struct service_row store = {.match = "s3.example.net", .name = "s3", .kind = "object-storage"};
	static const struct facts facts;
	static const struct service_led led[] = {{"f1", &store}, {"f2", &store}};
	static const struct {
		struct service service;
		const char *want;
	} rows[] = {
		{{.row = &store, .basis = NAME_SNI, .confidence = CONFIDENCE_HIGH, .side = SIDE_DESTINATION, .lead = {&drive, 0, false}},
		 "\"match\":\"s3.example.net\",\"confidence\":\"high\",\"lead\":{\"name\":\"example-drive\",\"kind\":\"cloud-drive\","
		 "\"basis\":\"client and time\",\"match\":\"example.net\",\"confidence\":\"low\",\"reason\":\"the same client was in touch with it "
		 "when this flow began, and with no other service that keeps files there\"}}"},
		{{.row = &drive, .basis = NAME_SNI, .confidence = CONFIDENCE_HIGH, .side = SIDE_DESTINATION, .led = led, .led_count = 2},
		 "\"confidence\":\"high\",\"led\":[{\"flow\":\"f1\",\"name\":\"s3\",\"confidence\":\"low\"},"
		 "{\"flow\":\"f2\",\"name\":\"s3\",\"confidence\":\"low\"}]}"},
		{{.lead = {&drive, 61500000000, true}},
		 "\"service\":{\"name\":\"example-drive\",\"kind\":\"cloud-drive\",\"side\":\"destination\",\"basis\":\"client, time and port\","
		 "\"match\":\"example.net\",\"confidence\":\"low\",\"reason\":\"the same client was in touch with it until some 61 s before "
		 "this flow began, and with no other service that moves files by this port\"}"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct flow_record r = record_flow(&facts);
		struct json j;
		r.service = rows[i].service;
		json_init(&j);
		event_write_flow(&j, &r, &stamp);
		keep_event(&j);
		if (memmem(j.bytes, j.len, rows[i].want, strlen(rows[i].want)) == NULL)
			fail_msg("row %zu: %.*s", i, (int)j.len, j.bytes);
		json_clear(&j);
	}
}

/* What is not known is left out: no ports, no place, no id, no protocol. */
static void
test_bare_flow(void **state)
{
	static const struct facts unknown;
	struct flow_record r = {
		.id = "f1", .start = RECORDS_TIME, .end = RECORDS_TIME, .first_frame = 3, .last_frame = 3,
		.ip_version = 6, .transport = IPPROTO_ICMPV6, .icmp_type = 128, .facts = &unknown,
		.side = {{.packets = 1, .bytes = 48}, {.packets = 0}},
	};
	struct json j;
	(void)state;

	addr_parse("2001:db8::1", &r.side[0].addr);
	addr_parse("ff02::1", &r.side[1].addr);
	json_init(&j);
	event_write_flow(&j, &r, &(struct event_stamp){.ingested = stamp.ingested});
	assert_event(&j,
		"{\"@timestamp\":\"" START "\",\"ecs\":{\"version\":\"8.17.0\"},"
		"\"observer\":{\"vendor\":\"waybill\",\"product\":\"waybill\",\"version\":\"" PACKAGE_VERSION "\"},"
		"\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"connection\",\"end\"],"
		"\"action\":\"flow-ended\",\"dataset\":\"waybill.flow\",\"id\":\"f1\"," TIMES(START, START, "0") "},"
		"\"source\":{\"ip\":\"2001:db8::1\",\"bytes\":48,\"packets\":1},"
		"\"destination\":{\"ip\":\"ff02::1\",\"bytes\":0,\"packets\":0},"
		"\"network\":{\"type\":\"ipv6\",\"transport\":\"ipv6-icmp\",\"bytes\":48,\"packets\":1,"
		"\"direction\":\"external\"},"
		"\"waybill\":{\"flow\":{\"id\":\"f1\",\"payload\":{\"source\":0,\"destination\":0},"
		"\"icmp\":{\"type\":128,\"code\":0},\"first_frame\":3,\"last_frame\":3}}}");
}

static void
test_tls_and_ssh(void **state)
{
	const struct facts tls = {
		.protocol = "tls",
		.tls = {.server_name = "drive.example.net", .ja3 = "e7d705a3286e19ea42f587b344ee6865",
			.ja4 = "t13d1516h2_8daaf6152771_b186095e22b6", .alpn = "h2", .version = "1.3", .established = true},
	};
	const struct facts ssh = {
		.protocol = "ssh", .client = {.utf8 = "SSH-2.0-OpenSSH_9.2"},
		.ssh = {.hassh = "ec7378c1a92f5a8dde7e8b7a1ddf33d1"},
	};
	struct flow_record r = record_flow(&tls);
	struct json j;
	(void)state;

	json_init(&j);
	r.name = (struct end_name){.text = tls.tls.server_name, .len = 17, .basis = NAME_SNI};
	event_write_flow(&j, &r, &stamp);
	json_put(&j, "", 1);
	assert_non_null(strstr(j.bytes, "\"domain\":\"drive.example.net\""));
	assert_non_null(strstr(j.bytes, "\"tls\":{\"client\":{\"server_name\":\"drive.example.net\","
		"\"ja3\":\"e7d705a3286e19ea42f587b344ee6865\",\"ja4\":\"t13d1516h2_8daaf6152771_b186095e22b6\"},"
		"\"version\":\"1.3\",\"next_protocol\":\"h2\",\"established\":true}"));
	r.facts = &ssh;
	r.name = (struct end_name){0};
	event_write_flow(&j, &r, &stamp);
	json_put(&j, "", 1);
	assert_non_null(strstr(j.bytes, "\"session\":{\"client\":\"SSH-2.0-OpenSSH_9.2\"},"
		"\"ssh\":{\"hassh\":\"ec7378c1a92f5a8dde7e8b7a1ddf33d1\"}"));
	assert_null(strstr(j.bytes, "user_agent"));
	json_clear(&j);
}

/* Details are nested by their keys' dots, at the root where ECS has their field set, else under waybill. */
static void
test_details(void **state)
{
	struct details *d = NULL, *of_file = NULL;
	struct json j;
	(void)state;

	assert_int_equal(details_text(&d, "smb.share", "ep03"), 0);
	assert_int_equal(details_text(&d, "tls.client.hint", "x"), 0);
	assert_int_equal(details_text(&d, "email.to.address", "a@example.net"), 0);
	assert_int_equal(details_number(&d, "smb.credits", 8), 0);
	assert_int_equal(details_text(&d, "email.to.address", "b@example.net"), 0);
	assert_int_equal(details_text(&d, "email.subject", "cut"), 0);
	assert_int_equal(details_text(&d, "tls.server.ja3s", "00"), 0);
	assert_int_equal(details_text(&d, "ssh.kind", "sftp"), 0);
	assert_int_equal(details_number(&of_file, "smb.handles", 2), 0);
	assert_int_equal(details_text(&of_file, "email.subject", "its own"), 0);
	const struct facts facts = {.protocol = "smb", .details = d};
	struct flow_record r = record_flow(&facts);

	json_init(&j);
	event_write_flow(&j, &r, &stamp);
	json_put(&j, "", 1);
	assert_non_null(strstr(j.bytes,
		"\"tls\":{\"client\":{\"hint\":\"x\"},\"server\":{\"ja3s\":\"00\"},\"established\":false}"));
	assert_non_null(strstr(j.bytes,
		"\"email\":{\"to\":{\"address\":[\"a@example.net\",\"b@example.net\"]},\"subject\":\"cut\"}"));
	assert_non_null(strstr(j.bytes, "\"ssh\":{\"kind\":\"sftp\"}"));
	assert_non_null(strstr(j.bytes, "\"smb\":{\"share\":\"ep03\",\"credits\":8}"));

	const struct transfer_record t = {.id = "t", .flow = &r, .protocol = "smb", .details = of_file};
	event_write_transfer(&j, &t, &stamp);
	json_put(&j, "", 1);
	assert_non_null(strstr(j.bytes, "\"smb\":{\"share\":\"ep03\",\"credits\":8,\"handles\":2}"));
	assert_non_null(strstr(j.bytes, "\"subject\":\"its own\"}")); /* not its session's as well */
	json_clear(&j);
	details_free(d);
	details_free(of_file);
}

static void
test_directions(void **state)
{
	static const struct {
		unsigned source, destination;
		const char *direction;
	} rows[] = {
		{PLACE_HOME, 0, "outbound"}, {0, PLACE_HOME, "inbound"}, {PLACE_HOME, PLACE_HOME, "internal"},
		{0, 0, "external"}, {PLACE_HOME, PLACE_MULTICAST, "internal"}, {0, PLACE_MULTICAST, "external"},
	};
	static const struct facts unknown;
	struct flow_record r = record_flow(&unknown);
	struct json j;
	char expected[48];
	(void)state;

	json_init(&j);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		r.side[SIDE_SOURCE].place.flags = rows[i].source;
		r.side[SIDE_DESTINATION].place.flags = rows[i].destination;
		event_write_flow(&j, &r, &stamp);
		json_put(&j, "", 1);
		snprintf(expected, sizeof expected, "\"direction\":\"%s\"", rows[i].direction);
		assert_non_null(strstr(j.bytes, expected));
	}
	json_clear(&j);
}

/* An FTP upload whose data connection was the one to meet the list, under a name in GBK. */
static void
test_ftp_transfer(void **state)
{
	static const uint8_t raw[] = {0xd0, 0xde, 0xb8, 0xc4, '.', 'z', 'i', 'p'};
	const struct listing_row row = record_listing_row();
	const struct listing listing = record_listing(&row);
	const struct facts facts = {.protocol = "ftp", .method = "content"};
	const struct flow_record control = record_flow(&facts);
	const struct flow_record data = record_listed_flow(&facts, &listing);
	struct transfer_record r = record_transfer(&control);
	struct json j;
	(void)state;

	r.data = &data;
	r.name = (struct text){.utf8 = "\xe4\xbf\xae\xe6\x94\xb9.zip", .encoding = "gb18030", .guessed = true,
		.raw = raw, .raw_len = sizeof raw};
	r.path = (struct text){.utf8 = "/up/\xe4\xbf\xae\xe6\x94\xb9.zip"};
	r.has_sha256 = false;
	r.hash_covers = "bytes 0-99";
	r.has_partial_sha256 = true;
	memset(r.partial_sha256, 0xa5, sizeof r.partial_sha256);
	r.state = TRANSFER_TRUNCATED;
	r.seen = 100;
	r.missing = 12345578;
	json_init(&j);
	event_write_transfer(&j, &r, &stamp);
	assert_event(&j, HEAD(FIRST)
		"\"event\":{\"kind\":\"event\",\"category\":[\"network\",\"file\"],\"type\":[\"access\"],"
		"\"action\":\"file-upload\",\"dataset\":\"waybill.transfer\",\"id\":\"t0123456789abcdef\","
		TIMES(FIRST, END, "1999000000") ",\"outcome\":\"unknown\"},"
		SOURCE DESTINATION("") NETWORK("ftp", "")
		"\"file\":{\"name\":\"\xe4\xbf\xae\xe6\x94\xb9.zip\",\"path\":\"/up/\xe4\xbf\xae\xe6\x94\xb9.zip\","
		"\"size\":12345678,\"extension\":\"zip\",\"mime_type\":\"image/x-exr\"},"
		"\"user\":{\"name\":\"editor\"},"
		"\"waybill\":{\"transfer\":{\"id\":\"t0123456789abcdef\",\"direction\":\"upload\",\"sender\":\"source\","
		"\"state\":\"truncated\",\"basis\":\"read\",\"method\":\"STOR\",\"offset\":0,\"seen_bytes\":100,"
		"\"missing_bytes\":12345578,\"hash_covers\":\"bytes 0-99\",\"partial_sha256\":\"" A5_32 "\","
		"\"data\":{\"id\":\"f0000000000000bad\",\"community_id\":\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\","
		"\"source\":{\"ip\":\"192.168.1.10\",\"port\":51515,\"mac\":\"02-00-00-01-02-AB\",\"bytes\":98765,"
		"\"packets\":1200},\"destination\":" LISTED_END "}},"
		"\"name\":{\"raw\":\"d0deb8c42e7a6970\",\"encoding\":\"gb18030\",\"guessed\":true},"
		FLOW("f0123456789abcdef") ",\"session\":{\"method\":\"content\"},"
		LISTING("\"connection\":\"data\",") "}}");
}

static void
test_http_transfer(void **state)
{
	const struct facts facts = {.protocol = "http", .service = {.utf8 = "198.51.100.1:8080"}};
	const struct flow_record flow = record_flow(&facts);
	struct transfer_record r = record_transfer(&flow);
	struct json j;
	(void)state;

	r.sender = SIDE_DESTINATION;
	r.protocol = "http";
	r.method = "GET";
	r.user = (struct text){0};
	r.declared_mime = "application/octet-stream";
	r.content_encoding = "gzip";
	r.has_sent_sha256 = true;
	memset(r.sha256, 0x5a, sizeof r.sha256);
	memset(r.sent_sha256, 0xa5, sizeof r.sent_sha256);
	r.http.url = "http://u:p@files.example.net:8080/a/b.exr?x=1#y";
	r.http.method = "GET";
	r.http.status = 200;
	r.http.referrer = "http://example.net/";
	json_init(&j);
	event_write_transfer(&j, &r, &stamp);
	assert_event(&j, HEAD(FIRST)
		"\"event\":{\"kind\":\"event\",\"category\":[\"network\",\"file\"],\"type\":[\"access\"],"
		"\"action\":\"file-download\",\"dataset\":\"waybill.transfer\",\"id\":\"t0123456789abcdef\","
		TIMES(FIRST, END, "1999000000") ",\"outcome\":\"success\"},"
		SOURCE DESTINATION("") NETWORK("http", "")
		"\"file\":{\"name\":\"shot_010.0001.exr\",\"path\":\"/up/ep03/shot_010.0001.exr\",\"size\":12345678,"
		"\"extension\":\"exr\",\"mime_type\":\"image/x-exr\",\"hash\":{\"sha256\":"
		"\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\"}},"
		"\"url\":{\"original\":\"http://u:p@files.example.net:8080/a/b.exr?x=1#y\","
		"\"full\":\"http://u:p@files.example.net:8080/a/b.exr?x=1#y\","
		"\"domain\":\"files.example.net\",\"path\":\"/a/b.exr\"},"
		"\"http\":{\"request\":{\"method\":\"GET\",\"referrer\":\"http://example.net/\"},"
		"\"response\":{\"status_code\":200}},"
		"\"waybill\":{\"transfer\":{\"id\":\"t0123456789abcdef\",\"direction\":\"download\","
		"\"sender\":\"destination\",\"state\":\"complete\",\"basis\":\"read\",\"method\":\"GET\",\"offset\":0,"
		"\"seen_bytes\":12345678,\"missing_bytes\":0,\"content_encoding\":\"gzip\",\"sent_sha256\":\"" A5_32 "\","
		"\"declared_mime\":\"application/octet-stream\"},"
		FLOW("f0123456789abcdef") ",\"session\":{\"service\":\"198.51.100.1:8080\"}}}");
}

/* Each URL's parts, as far as it has them. */
static void
test_urls(void **state)
{
	static const struct {
		const char *url, *expected;
	} rows[] = {
		{"http://h", "{\"original\":\"http://h\",\"full\":\"http://h\",\"domain\":\"h\"}"},
		{"http://[2001:db8::1]:80/x", "{\"original\":\"http://[2001:db8::1]:80/x\",\"full\":\"http://[2001:db8::1]:80/x\","
			"\"domain\":\"2001:db8::1\",\"path\":\"/x\"}"},
		{"http://h?q=/", "{\"original\":\"http://h?q=/\",\"full\":\"http://h?q=/\",\"domain\":\"h\"}"},
		{"/only/path?u=http://x/", "{\"original\":\"/only/path?u=http://x/\",\"path\":\"/only/path\"}"},
		{"*", "{\"original\":\"*\"}"},
		{"http://[", "{\"original\":\"http://[\",\"full\":\"http://[\",\"domain\":\"[\"}"},
		{"http://", "{\"original\":\"http://\",\"full\":\"http://\"}"},
	};
	const struct facts facts = {.protocol = "http"};
	const struct flow_record flow = record_flow(&facts);
	struct transfer_record r = record_transfer(&flow);
	struct json j;
	char expected[512];
	(void)state;

	json_init(&j);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		r.http.url = rows[i].url;
		event_write_transfer(&j, &r, &stamp);
		json_put(&j, "", 1);
		snprintf(expected, sizeof expected, "\"url\":%s,\"", rows[i].expected);
		if (strstr(j.bytes, expected) == NULL)
			fail_msg("%s: no %s in %s", rows[i].url, expected, j.bytes);
	}
	json_clear(&j);
}

static void
test_inferred_transfer(void **state)
{
	const struct facts facts = {.protocol = "ssh"};
	const struct flow_record flow = record_flow(&facts);
	struct transfer_record r = {
		.id = "t1", .flow = &flow, .state = TRANSFER_COMPLETE, .basis = TRANSFER_INFERRED,
		.start = flow.start, .end = flow.end, .protocol = "ssh", .method = "encrypted", .seen = 99,
		.reasons = {"97 % of the payload went one way", "one long burst"},
	};
	struct json j;
	(void)state;

	json_init(&j);
	event_write_transfer(&j, &r, &stamp);
	assert_event(&j, HEAD(START)
		"\"event\":{\"kind\":\"event\",\"category\":[\"network\",\"file\"],\"type\":[\"access\"],"
		"\"action\":\"file-upload\",\"dataset\":\"waybill.transfer\",\"id\":\"t1\","
		TIMES(START, END, "2000000000") ",\"outcome\":\"success\"},"
		SOURCE DESTINATION("") NETWORK("ssh", "")
		"\"waybill\":{\"transfer\":{\"id\":\"t1\",\"direction\":\"upload\",\"sender\":\"source\",\"state\":\"complete\","
		"\"basis\":\"inferred\",\"method\":\"encrypted\",\"offset\":0,\"seen_bytes\":99,\"missing_bytes\":0,"
		"\"reasons\":[\"97 % of the payload went one way\",\"one long burst\"]},"
		FLOW("f0123456789abcdef") "}}");
}

static void
test_alert(void **state)
{
	const struct listing_row row = record_listing_row();
	const struct listing listing = record_listing(&row);
	const struct facts facts = {.protocol = "ftp", .user = {.utf8 = "editor"}};
	const struct flow_record flow = record_listed_flow(&facts, &listing);
	struct transfer_record transfer = record_transfer(&flow);
	struct alert a = record_alert(&transfer, &listing);
	struct json j;
	(void)state;

	transfer.state = TRANSFER_OPEN;
	transfer.has_sha256 = false;
	json_init(&j);
	event_write_alert(&j, &a, &stamp);
	assert_event(&j, HEAD(FIRST)
		"\"event\":{\"kind\":\"alert\",\"category\":[\"intrusion_detection\",\"network\"],\"type\":[\"info\"],"
		"\"action\":\"alert-opened\",\"dataset\":\"waybill.alert\",\"id\":\"a0123456789abcdef\","
		TIMES(FIRST, FIRST, "0") ",\"severity\":99},"
		"\"message\":\"shot_010.0001.exr went to 175.45.176.81 (KP, listed network 175.45.176.0/22) from 192.168.1.10\","
		"\"rule\":{\"id\":\"sanctioned-transfer\",\"name\":\"File transfer with a sanctioned network\"},"
		SOURCE "\"destination\":" LISTED_END "," NETWORK("ftp", "")
		"\"file\":{\"name\":\"shot_010.0001.exr\",\"path\":\"/up/ep03/shot_010.0001.exr\",\"size\":12345678,"
		"\"extension\":\"exr\",\"mime_type\":\"image/x-exr\"},\"user\":{\"name\":\"editor\"},"
		"\"waybill\":{\"alert\":{\"action\":\"open\","
		"\"summary\":\"shot_010.0001.exr went to 175.45.176.81 (KP, listed network 175.45.176.0/22) from 192.168.1.10\","
		"\"severity\":\"critical\",\"confidence\":\"confirmed\",\"count\":1,\"files\":1,\"bytes\":1460},"
		"\"transfer\":{\"id\":\"t0123456789abcdef\",\"direction\":\"upload\",\"sender\":\"source\",\"state\":\"open\","
		"\"basis\":\"read\",\"method\":\"STOR\",\"offset\":0,\"seen_bytes\":12345678,\"missing_bytes\":0},"
		FLOW("f0000000000000bad") "," LISTING("") "}}");

	/* A contact has no transfer, and closes under the same id. */
	a.action = ALERT_CLOSE;
	a.rule = "sanctioned-contact";
	a.transfer = NULL;
	a.severity = SEVERITY_MEDIUM;
	a.packet_time = flow.end;
	event_write_alert(&j, &a, &stamp);
	json_put(&j, "", 1);
	assert_non_null(strstr(j.bytes, "\"action\":\"alert-closed\",\"dataset\":\"waybill.alert\",\"id\":\"a0123456789abcdef\"," TIMES(START, END, "2000000000") ",\"severity\":47}"));
	assert_null(strstr(j.bytes, "\"transfer\":"));
	json_clear(&j);
}

static void
test_coverage(void **state)
{
	static const struct coverage_counter unread[] = {{"checksum_ip", "help", 3}, {"cut", "help", 0}};
	static const char *const notes[] = {"a \"note\""};
	const struct coverage c = {
		.start = RECORDS_TIME, .end = RECORDS_TIME + CLOCK_SECOND, .packets = 1, .bytes = 2, .dropped = 3,
		.duplicates = 4, .flows = 5, .transfers = 6, .alerts = 7, .unread = unread, .unread_count = 2,
		.notes = notes, .note_count = 1,
	};
	struct json j;
	(void)state;

	json_init(&j);
	event_write_coverage(&j, &c, &stamp);
	assert_event(&j, HEAD("2024-01-15T09:30:01.123456Z")
		"\"event\":{\"kind\":\"metric\",\"category\":[\"network\"],\"type\":[\"info\"],"
		"\"action\":\"coverage-reported\",\"dataset\":\"waybill.coverage\","
		TIMES(START, "2024-01-15T09:30:01.123456Z", "1000000000") "},"
		"\"waybill\":{\"coverage\":{\"packets\":1,\"bytes\":2,\"dropped\":3,\"duplicates\":4,\"flows\":5,"
		"\"transfers\":6,\"alerts\":7,\"unread\":{\"checksum_ip\":3,\"cut\":0},\"notes\":[\"a \\\"note\\\"\"]}}}");
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
test_reload(void **state)
{
	static const struct reload_change changes[] = {
		{.kind = "database", .name = "GeoLite2-ASN", .path = "asn.mmdb", .digest = DIGEST, .before = DIGEST,
			.built = RECORDS_TIME, .built_before = RECORDS_TIME, .rows = 8, .rows_before = 7}};
	static const char *const reasons[] = {"list.csv:7: 'x' is no network"}, *const restart[] = {"capture"};
	const struct reload_record taken = {.time = RECORDS_TIME, .taken = true, .changes = changes, .change_count = 1};
	const struct reload_record refused = {
		.time = RECORDS_TIME, .reasons = reasons, .reason_count = 1, .restart = restart, .restart_count = 1};
	struct json j;
	(void)state;

	json_init(&j);
	event_write_reload(&j, &taken, &stamp);
	assert_event(&j, HEAD(START) "\"event\":{\"kind\":\"event\",\"category\":[\"configuration\"],\"type\":[\"change\"],"
		"\"action\":\"lists-reloaded\",\"dataset\":\"waybill.reload\",\"outcome\":\"success\","
		TIMES(START, START, "0") "},\"waybill\":{\"reload\":{\"changes\":[{\"kind\":\"database\","
		"\"name\":\"GeoLite2-ASN\",\"path\":\"asn.mmdb\",\"digest\":\"" DIGEST "\",\"rows\":8,"
		"\"previous_digest\":\"" DIGEST "\",\"previous_rows\":7,\"built\":\"" START "\",\"previous_built\":\"" START "\"}]}}}");

	json_init(&j);
	event_write_reload(&j, &refused, &stamp);
	assert_event(&j, HEAD(START) "\"event\":{\"kind\":\"event\",\"category\":[\"configuration\"],\"type\":[\"info\"],"
		"\"action\":\"reload-refused\",\"dataset\":\"waybill.reload\",\"outcome\":\"failure\","
		TIMES(START, START, "0") "},\"waybill\":{\"reload\":{\"changes\":[],"
		"\"reasons\":[\"list.csv:7: 'x' is no network\"],\"needs_restart\":[\"capture\"]}}}");
}

static void
test_stats(void **state)
{
	const struct stats_record r = {
		.time = RECORDS_TIME + CLOCK_SECOND, .started = RECORDS_TIME, .frames = 1, .bytes = 2, .filtered = 3,
		.dropped_ring = 4, .dropped_interface = 5, .flows_open = 6, .flows = 7, .transfers = 8, .alerts = 9,
		.memory = 10, .undelivered = 11,
	};
	struct json j;
	(void)state;

	json_init(&j);
	event_write_stats(&j, &r, &stamp);
	assert_event(&j, HEAD("2024-01-15T09:30:01.123456Z") "\"event\":{\"kind\":\"metric\",\"category\":[\"network\"],"
		"\"type\":[\"info\"],\"action\":\"stats-reported\",\"dataset\":\"waybill.stats\","
		TIMES(START, "2024-01-15T09:30:01.123456Z", "1000000000") "},"
		"\"waybill\":{\"stats\":{\"packets\":1,\"bytes\":2,\"dropped\":{\"filtered\":3,\"capture_ring\":4,"
		"\"capture_interface\":5},\"flows_open\":6,\"flows\":7,\"transfers\":8,\"alerts\":9,\"memory\":10,"
		"\"undelivered\":11}}}");
}

static void
test_lookup(void **state)
{
	const struct listing_row row = record_listing_row();
	const struct listing listing = record_listing(&row), unlisted = {0};
	const struct place place = {.country = "KP", .registered = "KP", .asn = 131279, .org = "STAR-KP"}, nowhere = {0};
	struct addr addr;
	struct json j;
	(void)state;

	json_init(&j);
	addr_parse("175.45.176.81", &addr);
	event_write_lookup(&j, &addr, &place, &listing, NULL);
	json_put(&j, "", 1);
	assert_string_equal(j.bytes,
		"{\"ip\":\"175.45.176.81\",\"geo\":{\"country_iso_code\":\"KP\",\"registered_country_iso_code\":\"KP\"},"
		"\"as\":{\"number\":131279,\"organization\":{\"name\":\"STAR-KP\"}},\"waybill\":{\"listing\":{"
		"\"jurisdiction\":\"KP\",\"programme\":\"31 CFR 510\",\"holder\":\"Star Joint Venture Co. Ltd.\","
		"\"network\":\"175.45.176.0/22\",\"list\":\"sanctioned\","
		"\"list_digest\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
		"\"basis\":\"range\",\"confidence\":\"confirmed\",\"reasons\":[\"listed range, valid at packet time\","
		"\"handshake seen\",\"payload moved\"],\"valid_from\":\"2009-12-21T00:00:00.000000Z\","
		"\"source\":\"https://example.net/whois\"}}}");
	addr_parse("2001:db8::1", &addr);
	event_write_lookup(&j, &addr, &nowhere, &unlisted, NULL);
	json_put(&j, "", 1);
	assert_string_equal(j.bytes, "{\"ip\":\"2001:db8::1\"}");
	json_clear(&j);
}

/* ---- the sink ---- */

static void *
open_events(const char *path, unsigned kinds)
{
	const struct output_conf conf = {.events_path = path, .events = kinds};
	char error[256] = "";
	void *sink = NULL;

	assert_int_equal(sink_events.open(&conf, NULL, &sink, error, sizeof error), 0);
	assert_non_null(sink);
	return sink;
}

/* Many lines, more than one chunk of them, each whole; other kinds are left out. */
static void
test_sink(void **state)
{
	enum { LINES = 1000 };
	static const struct facts unknown;
	const struct flow_record flow = record_flow(&unknown);
	const struct transfer_record transfer = record_transfer(&flow);
	char path[] = "/tmp/waybill-test-XXXXXX", error[256], line[4096];
	int fd = mkstemp(path);
	void *sink;
	size_t lines = 0;
	(void)state;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "old", 3), 3);
	close(fd);
	sink = open_events(path, EVENT_FLOW);
	assert_true(sink_events.wants_flows(sink));
	for (int i = 0; i < LINES; i++) {
		sink_events.flow(sink, &flow);
		sink_events.transfer(sink, &transfer);
	}
	assert_int_equal(sink_events.finish(sink, error, sizeof error), 0);
	sink_events.close(sink);

	FILE *in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof line, in) != NULL) {
		size_t len = strlen(line);
		assert_memory_equal(line, "{\"@timestamp\"", 13);
		assert_string_equal(line + len - 4, "}}}\n");
		lines++;
	}
	fclose(in);
	assert_int_equal(lines, LINES);
	unlink(path);
}

/* An alert does not wait in the buffer. */
static void
test_sink_sends_alerts_at_once(void **state)
{
	static const struct facts unknown;
	const struct flow_record flow = record_flow(&unknown);
	const struct transfer_record transfer = record_transfer(&flow);
	const struct alert alert = record_alert(&transfer, NULL);
	char path[] = "/tmp/waybill-test-XXXXXX", error[256];
	struct stat status;
	(void)state;

	close(mkstemp(path));
	void *sink = open_events(path, EVENT_FLOW | EVENT_ALERT);
	sink_events.flow(sink, &flow);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 0);
	sink_events.alert(sink, &alert);
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size > 2000);
	assert_int_equal(sink_events.finish(sink, error, sizeof error), 0);
	sink_events.close(sink);
	unlink(path);
}

static void
test_sink_tells_a_full_disk(void **state)
{
	static const struct facts unknown;
	const struct flow_record flow = record_flow(&unknown);
	char error[256] = "";
	(void)state;

	if (access("/dev/full", W_OK) != 0)
		skip();
	void *sink = open_events("/dev/full", EVENT_FLOW);
	for (int i = 0; i < 1000; i++)
		sink_events.flow(sink, &flow);
	assert_int_equal(sink_events.finish(sink, error, sizeof error), -1);
	assert_non_null(strstr(error, "/dev/full: No space left on device"));
	assert_non_null(strstr(error, "1000 events"));
	sink_events.close(sink);
}

static void
test_sink_tells_a_bad_path(void **state)
{
	const struct output_conf conf = {.events_path = "/nowhere/at/all", .events = EVENT_FLOW};
	char error[256] = "";
	void *sink = NULL;
	(void)state;

	assert_int_equal(sink_events.open(&conf, NULL, &sink, error, sizeof error), -1);
	assert_non_null(strstr(error, "/nowhere/at/all: No such file or directory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow),
		cmocka_unit_test(test_leads),
		cmocka_unit_test(test_bare_flow),
		cmocka_unit_test(test_tls_and_ssh),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_ftp_transfer),
		cmocka_unit_test(test_http_transfer),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_inferred_transfer),
		cmocka_unit_test(test_alert),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_sink),
		cmocka_unit_test(test_sink_sends_alerts_at_once),
		cmocka_unit_test(test_sink_tells_a_full_disk),
		cmocka_unit_test(test_sink_tells_a_bad_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
