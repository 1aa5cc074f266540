/*
 * What machines are told: the text against a strict reading of Prometheus' format, the reasons of /healthz one by one, and the
 * socket that it is asked by.
 */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "web/web.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { SERIES_MAX = 256, NAME_MAX_TEXT = 256 };

struct series {
	char name[NAME_MAX_TEXT]; /* with its labels */
	double value;
};

struct exposition {
	struct series series[SERIES_MAX];
	size_t count;
	char metrics[SERIES_MAX][NAME_MAX_TEXT]; /* each with HELP and TYPE before its samples */
	size_t metric_count;
	bool is_counter;                         /* of the last one */
};

static const struct coverage_counter counters[] = {{"checksum_ip", "h", 3}, {"flow_shed", "h", 0}};
static const struct web_count transfers[] = {{"ftp", 2}, {"http", UINT64_MAX}}, alerts[] = {{"info", 0}, {"critical", 1}};
static const struct web_interface interfaces[] = {{"span0", true, true, true}, {"any", false, false, false}};
static const struct web_database databases[] = {{"Geo \"Lite\"\\\n", 1000 * CLOCK_SECOND}, {"Geo \"Lite\"\\\n", 1}, {"B", 0}};

/* A sensor that is well. */
static struct web_state
good(void)
{
	struct web_state s = {
	        .stats = {.time = 2000 * CLOCK_SECOND, .started = 1500 * CLOCK_SECOND + 250 * CLOCK_MILLISECOND, .frames = 10,
	                .bytes = 1000, .dropped_ring = 7, .dropped_interface = 8, .flows = 5, .flows_open = 4, .memory = 1 << 20},
	        .coverage = {.unread = counters, .unread_count = COUNT(counters)},
	        .transfers = transfers, .transfer_count = COUNT(transfers), .alerts = alerts, .alert_count = COUNT(alerts),
	        .output = {.events_path = "/x/events", .events_failing = 1500 * CLOCK_MILLISECOND, .spool_path = "/x/spool"},
	        .interfaces = interfaces, .interface_count = COUNT(interfaces),
	        .databases = databases, .database_count = COUNT(databases), .reloads_taken = 3};
	return s;
}

static size_t
take_name(const char *text)
{
	size_t n = 0;
	assert_true(isalpha((unsigned char)text[0]) || text[0] == '_');
	while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == ':')
		n++;
	return n;
}

/* {name="value"}: its length, escapes and all. */
static size_t
take_labels(const char *text)
{
	size_t n = 1;
	while (text[n] != '}') {
		n += take_name(text + n);
		assert_memory_equal(text + n, "=\"", 2);
		for (n += 2; text[n] != '"'; n++) {
			assert_true(text[n] >= ' ');
			if (text[n] == '\\')
				assert_non_null(strchr("\\\"n", text[++n]));
		}
		n++;
		if (text[n] == ',')
			n++;
	}
	return n + 1;
}

static void
take_sample(struct exposition *x, const char *line)
{
	char *end;
	const char *metric = x->metrics[x->metric_count - 1];
	size_t n = take_name(line);
	assert_true(x->metric_count > 0 && n == strlen(metric));
	assert_memory_equal(line, metric, n);
	if (line[n] == '{')
		n += take_labels(line + n);
	struct series *s = &x->series[x->count];
	assert_true(x->count < SERIES_MAX && n < sizeof s->name);
	memcpy(s->name, line, n);
	s->name[n] = '\0';
	for (size_t i = 0; i < x->count; i++)
		assert_string_not_equal(x->series[i].name, s->name);
	assert_int_equal(line[n], ' ');
	s->value = strtod(line + n + 1, &end);
	assert_true(end > line + n + 1 && *end == '\0');
	assert_true(!x->is_counter || s->value >= 0);
	x->count++;
}

static void
read_strictly(struct exposition *x, char *text)
{
	char help[NAME_MAX_TEXT] = "";
	memset(x, 0, sizeof *x);
	assert_true(strlen(text) > 0 && text[strlen(text) - 1] == '\n');
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			const size_t n = take_name(line + 7);
			assert_true(line[7 + n] == ' ' && strlen(line + 7 + n) > 5 && strchr(line, '\\') == NULL);
			snprintf(help, sizeof help, "%.*s", (int)n, line + 7);
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			const size_t n = take_name(line + 7), help_len = strlen(help);
			assert_true(n == help_len && memcmp(line + 7, help, n) == 0);
			for (size_t i = 0; i < x->metric_count; i++)
				assert_string_not_equal(x->metrics[i], help);
			x->is_counter = strcmp(line + 7 + n, " counter") == 0;
			assert_true(x->is_counter || strcmp(line + 7 + n, " gauge") == 0);
			assert_int_equal(x->is_counter, n > 6 && strcmp(help + n - 6, "_total") == 0);
			assert_memory_equal(help, "waybill_", 8);
			strcpy(x->metrics[x->metric_count++], help);
		} else {
			take_sample(x, line);
		}
	}
}

static double
value_of(const struct exposition *x, const char *name)
{
	for (size_t i = 0; i < x->count; i++)
		if (strcmp(x->series[i].name, name) == 0)
			return x->series[i].value;
	fail_msg("%s is not told", name);
	return 0;
}

static void
metrics_are_told(void **unused)
{
	static const struct {
		const char *name;
		double value;
	} told[] = {
	        {"waybill_healthy", 1}, {"waybill_packets_total", 10}, {"waybill_packet_bytes_total", 1000},
	        {"waybill_dropped_packets_total{at=\"ring\"}", 7}, {"waybill_dropped_packets_total{at=\"interface\"}", 8},
	        {"waybill_flows_total", 5}, {"waybill_open_flows", 4}, {"waybill_resident_memory_bytes", 1 << 20},
	        {"waybill_start_time_seconds", 1500.25}, {"waybill_events_failing_seconds_total", 1.5},
	        {"waybill_unread_total{reason=\"checksum_ip\"}", 3}, {"waybill_unread_total{reason=\"flow_shed\"}", 0},
	        {"waybill_transfers_total{protocol=\"ftp\"}", 2}, {"waybill_transfers_total{protocol=\"http\"}", 18446744073709551615.0},
	        {"waybill_alerts_total{severity=\"critical\"}", 1}, {"waybill_interface_up{interface=\"span0\"}", 1},
	        {"waybill_database_built_time_seconds{type=\"Geo \\\"Lite\\\"\\\\_\"}", 1000},
	        {"waybill_reloads_total{result=\"taken\"}", 3}, {"waybill_webhook_waiting_alerts", 0}};
	static struct exposition x;
	const struct web_state s = good();
	char *text;
	size_t len;
	(void)unused;
	FILE *f = open_memstream(&text, &len);
	web_write_metrics(f, &s, true);
	fclose(f);
	read_strictly(&x, text);
	for (size_t i = 0; i < COUNT(told); i++)
		assert_true(value_of(&x, told[i].name) == told[i].value);
	for (size_t i = 0; i < x.count; i++)
		assert_null(strstr(x.series[i].name, "\"any\"")); /* whether it is up is not known */
	free(text);
}

static void
check_health(const struct web_state *s, const char *expected)
{
	const struct web_conf conf = {.silence = 600 * CLOCK_SECOND, .database_age = 86400 * CLOCK_SECOND};
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const bool healthy = web_write_health(f, s, &conf);
	fclose(f);
	assert_string_equal(text, expected);
	assert_int_equal(healthy, expected[0] == '\0');
	free(text);
}

static void
health_has_reasons(void **unused)
{
	static const struct web_interface down[] = {{"span0", true, true, false}, {"span1", true, false, false}};
	static const char *const refused[] = {"list.cidr:3: 'x\ny' is not a network"};
	(void)unused;
	struct web_state s = good();
	check_health(&s, "");
	s.unheard = 31 * CLOCK_SECOND;
	check_health(&s, "packets have not been followed for 31 s\n");
	s = good();
	s.quiet = 600 * CLOCK_SECOND;
	check_health(&s, "no packet came for 600 s although the link is up\n");
	s.interfaces = down; /* which explains the quiet */
	check_health(&s, "interface span0 is down, or has no link\ninterface span1 does not exist any more\n");
	s = good();
	s.output.events_failure = ENOSPC;
	check_health(&s, "events can't be written to /x/events: No space left on device\n");
	s = good();
	s.output.spool_failing = true;
	s.output.spool_held = 4;
	check_health(&s, "the webhooks' spool /x/spool takes no alerts: 4 wait in memory\n");
	s = good();
	s.output.webhook_waiting = 2;
	s.output.webhook_failures = 2;
	check_health(&s, "");
	s.output.webhook_failures = 3;
	check_health(&s, "webhooks: 2 alerts wait, the last 3 attempts of one failed\n");
	s.output.webhook_failures = 0;
	s.output.webhook_refused = 2;
	check_health(&s, "webhooks: 2 alerts wait for one that is disabled\n");
	s = good();
	s.refused = refused;
	s.refused_count = 1;
	check_health(&s, "the last reload was refused: list.cidr:3: 'x\\x0ay' is not a network\n");
	s = good();
	s.databases = databases + 2; /* whose age is not known */
	s.database_count = 1;
	s.stats.time = 86400 * 9 * CLOCK_SECOND;
	check_health(&s, "");
	s.databases = &(struct web_database){"C", CLOCK_SECOND};
	check_health(&s, "database C is 8 days old\n");
}

/* A path is taken where nobody listens any more, and nothing but a socket is removed. */
static void
sockets_are_taken(void **unused)
{
	char folder[] = "/tmp/waybill-web-XXXXXX", path[64], error[256];
	struct stat s;
	(void)unused;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/s", folder);
	const struct web_conf conf = {.path = path};
	const int first = web_listen(&conf, error, sizeof error);
	assert_true(first >= 0);
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0660);
	assert_int_equal(web_listen(&conf, error, sizeof error), -1);
	assert_non_null(strstr(error, "Address already in use"));
	close(first);
	const int second = web_listen(&conf, error, sizeof error); /* as after a crash */
	assert_true(second >= 0);
	close(second);
	unlink(path);
	FILE *f = fopen(path, "w");
	fclose(f);
	assert_int_equal(web_listen(&conf, error, sizeof error), -1);
	assert_non_null(strstr(error, "File exists"));
	assert_int_equal(stat(path, &s), 0);
	unlink(path);
	rmdir(folder);
	char longest[150];
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(web_listen(&(struct web_conf){.path = longest}, error, sizeof error), -1);
	assert_non_null(strstr(error, "may not be so long"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(metrics_are_told), cmocka_unit_test(health_has_reasons),
	        cmocka_unit_test(sockets_are_taken)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
