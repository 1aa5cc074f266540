/* Configurations good and bad: what they become, and the very words of every refusal. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "conf.h"
#include "conf_compare.h"

static char folder[64];

static int make_folder(void **state);
static int remove_folder(void **state);
static const char *write_file(const char *name, const char *text, size_t len);
static void check_defaults(const struct conf *c);

/* Each is refused with this error; %s stands for the file. */
static const struct {
	const char *text;
	const char *error;
} bad[] = {
	/* keys */
	{"foo: 1\n", "%s:1: unknown key 'foo' in the file"},
	{"limits:\n  flow_memory: 1MB\n  foo: 3\n", "%s:3: unknown key 'foo' in limits"},
	{"limits:\n  Flow_memory: 1MB\n", "%s:2: unknown key 'Flow_memory' in limits"},
	{"limits:\n  flow_mem: 1MB\n", "%s:2: unknown key 'flow_mem' in limits"},
	{"rules:\n  bulk_outbound:\n    enabled: yes\n\n    bulk: 3\n", "%s:5: unknown key 'bulk' in rules.bulk_outbound"},
	{"webhooks:\n- name: a\n  url: https://a/\n- name: b\n  ulr: https://b/\n", "%s:5: unknown key 'ulr' in webhooks[1]"},
	{"\"a\\x1b[2J\": 1\n", "%s:1: unknown key 'a\\x1b[2J' in the file"},
	{"\"rules\\0\": 1\n", "%s:1: unknown key 'rules\\x00' in the file"},
	{"rules: {}\nlimits: {}\nrules: {}\n", "%s:3: key 'rules' appears twice in the file"},
	{"limits:\n  udp: 3s\n", "%s:2: unknown key 'udp' in limits"},
	{"timeouts:\n  udp: 3s\n  udp: 4s\n", "%s:3: key 'udp' appears twice in timeouts"},
	{"? [a]\n: b\n", "%s:1: a key in the file must be a word"},
	{"<<: {}\n", "%s:1: unknown key '<<' in the file"},
	/* shapes */
	{"- a\n", "%s:1: the file must be a mapping (key: value)"},
	{"plain\n", "%s:1: the file must be a mapping (key: value)"},
	{"limits: 3\n", "%s:1: limits must be a mapping (key: value)"},
	{"limits:\n  - a\n", "%s:2: limits must be a mapping (key: value)"},
	{"limits:\n  flow_memory: [3]\n", "%s:2: limits.flow_memory must be a single value"},
	{"limits:\n  flow_memory:\n", "%s:2: limits.flow_memory has no value"},
	{"limits:\n  flow_memory: ''\n", "%s:2: limits.flow_memory has no value"},
	{"attribution:\n  databases: a.mmdb\n", "%s:2: attribution.databases must be a list"},
	{"attribution:\n  databases: [a, {b: c}]\n", "%s:2: attribution.databases[1] must be a single value"},
	{"attribution:\n  databases:\n  -\n", "%s:3: attribution.databases[0] has no value"},
	{"webhooks:\n  name: a\n", "%s:2: webhooks must be a list"},
	{"webhooks:\n  - name: a\n", "%s:2: webhooks[0] lacks the key 'url'"},
	{"attribution:\n  lists:\n    - name: a\n", "%s:3: attribution.lists[0] lacks the key 'path'"},
	{"output: {observer: \"a\\0b\"}\n", "%s:1: output.observer has a zero byte in it"},
	/* YAML */
	{"a: [b\nc: d\n", "%s:1: unknown key 'a' in the file"},
	{"limits: {flow_memory: 1MB\nrules: x\n", "%s:2: not YAML: did not find expected ',' or '}'"},
	{"limits:\n\tflow_memory: 3\n", "%s:2: not YAML: found character that cannot start any token"},
	{"limits:\n  flow_memory: 3\n\xff\xfe", "%s:3: not YAML: invalid leading UTF-8 octet"},
	{"limits: &x {}\nrules: *x\n", "%s:2: aliases (*name) are not supported"},
	{"rules: *x\n", "%s:1: aliases (*name) are not supported"},
	{"limits: {}\n---\nrules: {}\n", "%s:2: a second document begins here: there must be only one"},
	/* values of each kind */
	{"limits:\n  flow_memory: 12 parsecs\n", "%s:2: limits.flow_memory: '12 parsecs' is not a size such as 64MB or 1GiB"},
	{"limits: {stream_memory: 64 MB}\n", "%s:1: limits.stream_memory: '64 MB' is not a size such as 64MB or 1GiB"},
	{"limits: {memory_per_stream: -1}\n", "%s:1: limits.memory_per_stream: '-1' is not a size such as 64MB or 1GiB"},
	{"limits: {transfer_memory: 1.5GB}\n", "%s:1: limits.transfer_memory: '1.5GB' is not a size such as 64MB or 1GiB"},
	{"limits: {memory_per_transfer: 0}\n", "%s:1: limits.memory_per_transfer: must be more than 0"},
	{"limits: {fragment_memory: 99999999TB}\n", "%s:1: limits.fragment_memory: '99999999TB' is not a size such as 64MB or 1GiB"},
	{"limits:\n  memory: 63MB\n", "%s:2: limits.memory: must be at least 64MB"},
	{"limits: {fragment_memory: 16777215TiB}\n", "%s:1: limits.fragment_memory: is more than this machine can address"},
	{"capture: {lanes: 0}\n", "%s:1: capture.lanes: '0' is not a number from 1 to 4294967295, or auto"},
	{"capture:\n  lanes: 17\n", "%s:2: capture.lanes: takes a number from 1 to 16"},
	{"capture: {timestamps: hardware}\n", "%s:1: capture.timestamps: 'hardware' is not one of host, adapter or adapter_unsynced"},
	{"limits: {open_transfers: 0}\n", "%s:1: limits.open_transfers: '0' is not a number from 1 to 4294967295, or auto"},
	{"limits: {open_alerts: Auto}\n", "%s:1: limits.open_alerts: 'Auto' is not a number from 1 to 4294967295, or auto"},
	{"timeouts:\n\n  udp: 30\n", "%s:3: timeouts.udp: '30' is not a time such as 500ms, 30s, 10m, 2h or 7d"},
	{"timeouts: {other: 0s}\n", "%s:1: timeouts.other: must be more than 0"},
	{"timeouts: {join: 200000d}\n", "%s:1: timeouts.join: '200000d' is not a time such as 500ms, 30s, 10m, 2h or 7d"},
	{"rules: {sanctioned_contact: Yes}\n", "%s:1: rules.sanctioned_contact: 'Yes' is neither yes nor no"},
	{"rules:\n  bulk_outbound:\n    enabled: maybe\n", "%s:3: rules.bulk_outbound.enabled: 'maybe' is neither yes nor no"},
	{"rules:\n  bulk_outbound:\n    allow:\n    - 192.0.2.0/24\n    - 192.0.2.1/24\n",
	 "%s:5: rules.bulk_outbound.allow[1]: '192.0.2.1/24' has bits set beyond its prefix: 192.0.2.0/24 is the network"},
	{"attribution:\n  home_networks: [10.0.0.0/8, 10.0.0.0/33]\n",
	 "%s:2: attribution.home_networks[1]: '10.0.0.0/33' is not a network such as 192.0.2.0/24 or 2001:db8::/32"},
	{"attribution: {jurisdictions: [KP, ir]}\n",
	 "%s:1: attribution.jurisdictions[1]: 'ir' is not a country code of two capitals such as KP (ISO 3166-1)"},
	{"attribution:\n  asns:\n  - asn: AS0\n    jurisdiction: KP\n",
	 "%s:3: attribution.asns[0].asn: 'AS0' is not an AS number such as AS131279"},
	{"attribution:\n  asns:\n  - asn: 1\n    jurisdiction: KPP\n",
	 "%s:4: attribution.asns[0].jurisdiction: 'KPP' is not a country code of two capitals such as KP (ISO 3166-1)"},
	{"attribution:\n  lists:\n  - path: a\n    format: CSV\n",
	 "%s:4: attribution.lists[0].format: 'CSV' is not one of auto, csv, cidr or delegated"},
	{"attribution:\n  lists:\n  - path: a\n    confidence: certain\n",
	 "%s:4: attribution.lists[0].confidence: 'certain' is not one of info, low, medium, high or confirmed"},
	{"output:\n  event_kinds:\n  - alert\n  - alerts\n",
	 "%s:4: output.event_kinds[1]: 'alerts' is not one of flow, transfer, alert, coverage or stats"},
	{"output: {delivery_wait: soon}\n", "%s:1: output.delivery_wait: 'soon' is not a time such as 500ms, 30s, 10m, 2h or 7d"},
	{"output: {rotate_size: 10kB}\n", "%s:1: output.rotate_size: must be at least 1MB, or never"},
	{"output: {keep: none}\n", "%s:1: output.keep: 'none' is not a number from 1 to 4294967295, or auto"},
	/* metrics */
	{"metrics:\n  listen: '8080'\n",
	 "%s:2: metrics.listen: '8080' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics:\n  listen: '127.0.0.1'\n",
	 "%s:2: metrics.listen: '127.0.0.1' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics:\n  listen: '127.0.0.1:0'\n",
	 "%s:2: metrics.listen: '127.0.0.1:0' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics:\n  listen: '127.0.0.1:65536'\n",
	 "%s:2: metrics.listen: '127.0.0.1:65536' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics:\n  listen: 'localhost:9477'\n",
	 "%s:2: metrics.listen: 'localhost:9477' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics:\n  listen: '::1:9477'\n",
	 "%s:2: metrics.listen: '::1:9477' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics:\n  listen: '[127.0.0.1]:9477'\n",
	 "%s:2: metrics.listen: '[127.0.0.1]:9477' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics:\n  listen: 'unix:'\n",
	 "%s:2: metrics.listen: 'unix:' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as unix:/run/waybill/metrics.sock, or none"},
	{"metrics: {listen: '0.0.0.0:9477'}\n",
	 "%s:1: metrics.listen: '0.0.0.0:9477' is not a loopback address (127.0.0.0/8 or ::1): who asks is not authenticated"},
	{"metrics: {listen: '192.0.2.1:9477'}\n",
	 "%s:1: metrics.listen: '192.0.2.1:9477' is not a loopback address (127.0.0.0/8 or ::1): who asks is not authenticated"},
	{"metrics: {listen: '[::]:9477'}\n",
	 "%s:1: metrics.listen: '[::]:9477' is not a loopback address (127.0.0.0/8 or ::1): who asks is not authenticated"},
	{"metrics: {listen: '[2001:db8::1]:9477'}\n",
	 "%s:1: metrics.listen: '[2001:db8::1]:9477' is not a loopback address (127.0.0.0/8 or ::1): who asks is not authenticated"},
	{"metrics: {silence: soon}\n", "%s:1: metrics.silence: 'soon' is not a time such as 500ms, 30s, 10m, 2h or 7d"},
	/* webhooks: neither secret nor URL is shown */
	{"webhooks:\n- name: a\n  url: ftp://token@a/\n", "%s:3: webhooks[0].url: is not a URL that begins with https:// and names a host"},
	{"webhooks: [{name: a, url: 'https:///x'}]\n", "%s:1: webhooks[0].url: is not a URL that begins with https:// and names a host"},
	{"webhooks: [{name: a, url: 'https://a b/'}]\n", "%s:1: webhooks[0].url: is not a URL that begins with https:// and names a host"},
	{"webhooks: [{name: a, url: 'HTTPS://a/'}]\n", "%s:1: webhooks[0].url: is not a URL that begins with https:// and names a host"},
	{"webhooks:\n- name: a\n  url: https://a/\n  proxy: a:3128\n", "%s:4: webhooks[0].proxy: is not a URL that begins with http:// and names a host"},
	{"webhooks:\n- name: a\n  url: https://a/\n  secret: whsec_hunter2!\n",
	 "%s:4: webhooks[0].secret: must be whsec_ and base64 of at least 1 and at most 256 bytes, or a plain text of so many"},
	{"webhooks:\n- name: a\n  url: https://a/\n  secret: whsec_\n",
	 "%s:4: webhooks[0].secret: must be whsec_ and base64 of at least 1 and at most 256 bytes, or a plain text of so many"},
	{"webhooks:\n- name: a\n  url: https://a/\n  secret: abc\n  secret_file: b\n",
	 "%s:5: webhooks[0].secret_file: there is a secret too: one of them must go"},
	{"webhooks:\n- name: a\n  url: https://a/\n  secret_file: /nonexistent/key\n",
	 "%s:4: webhooks[0].secret_file: /nonexistent/key: No such file or directory"},
	{"webhooks:\n- name: a\n  url: https://a/\n  minimum_severity: urgent\n",
	 "%s:4: webhooks[0].minimum_severity: 'urgent' is not one of info, low, medium, high or critical"},
	{"webhooks:\n- name: a\n  url: https://a/\n  retry_first: 1h\n", "%s:4: webhooks[0].retry_first: retry_max is shorter than retry_first"},
	{"webhooks:\n- name: a\n  url: https://a/\n  retry_max: 10ms\n", "%s:4: webhooks[0].retry_max: retry_max is shorter than retry_first"},
	{"webhooks:\n- name: a\n  url: https://a/\n  timeout: 0s\n", "%s:4: webhooks[0].timeout: must be more than 0"},
	{"webhooks:\n- name: a\n  url: https://a/\n- name: a\n  url: https://b/\n",
	 "%s:4: webhooks[1].name: another webhook has this name: what waits for whom could not be told"},
};

/* Each is all defaults. */
static const char *const empty[] = {
	"", "# nothing\n", "---\n", "{}\n", "---\n...\n", "limits:\n", "limits: {}\nrules:\n  bulk_outbound:\n",
	"webhooks: []\n", "webhooks:\n", "attribution:\n  databases:\n", "%YAML 1.1\n---\nlimits:\n",
};

static const char everything[] =
    "attribution:\n"
    "  databases: [/var/lib/a.mmdb, b.mmdb]\n"
    "  auto_detect: no\n"
    "  builtin: no\n"
    "  sanctioned: kp.csv\n"
    "  lists:\n"
    "    - {path: x/blocked.txt, name: blocked, format: cidr, jurisdiction: IR, confidence: high}\n"
    "    - path: /y/delegated\n"
    "  jurisdictions: [KP, IR]\n"
    "  asns: [{asn: 64500, jurisdiction: IR}]\n"
    "  home_networks: [10.1.0.0/16, '2001:db8::/32']\n"
    "rules: {sanctioned_transfer: on, sanctioned_contact: off, fold_window: 0s,\n"
    "  bulk_outbound: {enabled: false, size: 2GiB, allow: [192.0.2.7]}}\n"
    "packets: {checksums: no, duplicates: 5ms}\n"
    "transfers: {hash: no, infer_size: 128KiB}\n"
    "limits: {fragment_memory: 1, flow_memory: 2kB, stream_memory: 3MB, memory_per_stream: 4KiB,\n"
    "  transfer_memory: 5GB, memory_per_transfer: 6MiB, open_transfers: 7, open_alerts: 8}\n"
    "timeouts: {fragments: 1s, tcp_opening: 2ms, tcp_established: 3m, tcp_closing: 4s, udp: 5s, other: 6h, join: 7d}\n"
    "output: {events: e.json, event_kinds: [alert, stats], observer: studio, spool: /s.db, delivery_wait: 0s,\n"
    "  rotate_size: 2GB, rotate_time: 1d, keep: all, backlog: 1MB}\n"
    "webhooks:\n"
    "  - {name: a, url: 'https://u:p@[::1]:8443/x?y#z', secret_file: key, ca_file: ca.pem,\n"
    "     proxy: 'socks5h://127.0.0.1:1080', minimum_severity: critical, timeout: 1s, retry_first: 2s,\n"
    "     retry_max: 2s, give_up: never}\n"
    "  - {name: b, url: http://b, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\n";

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *path = write_file("bad.yaml", bad[i].text, strlen(bad[i].text));
		char error[512] = "", expected[512];
		struct conf c;
		const char *rest = strstr(bad[i].error, "%s") + 2;

		snprintf(expected, sizeof expected, "%s%s", path, rest);
		assert_int_equal(conf_load(path, &c, error, sizeof error), -1);
		assert_string_equal(error, expected);
		assert_null(c.owner);
	}
}

static void
test_two_zero_bytes_and_sizes_of_file(void **state)
{
	static char large[(1 << 20) + 2];
	char error[512], expected[512];
	struct conf c;
	(void)state;

	memset(large, '#', sizeof large);
	const char *path = write_file("large.yaml", large, sizeof large);
	snprintf(expected, sizeof expected, "%s: is larger than 1 MiB: not a configuration", path);
	assert_int_equal(conf_load(path, &c, error, sizeof error), -1);
	assert_string_equal(error, expected);

	assert_int_equal(conf_load("/nonexistent/waybill.yaml", &c, error, sizeof error), -1);
	assert_string_equal(error, "/nonexistent/waybill.yaml: No such file or directory");
	assert_int_equal(conf_load("/", &c, error, sizeof error), -1);
	assert_string_equal(error, "/: Is a directory");
}

static void
test_defaults(void **state)
{
	char error[512];
	struct conf c;
	(void)state;

	assert_int_equal(conf_load(NULL, &c, error, sizeof error), 0);
	check_defaults(&c);
	conf_free(&c);
	for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
		const char *path = write_file("empty.yaml", empty[i], strlen(empty[i]));
		assert_int_equal(conf_load(path, &c, error, sizeof error), 0);
		check_defaults(&c);
		conf_free(&c);
	}
}

static void
test_sample_is_the_defaults(void **state)
{
	char error[512] = "";
	struct conf c;
	const char *source = getenv("srcdir");
	char path[512];
	(void)state;

	snprintf(path, sizeof path, "%s/doc/waybill.yaml", source != NULL ? source : ".");
	assert_int_equal(conf_load(path, &c, error, sizeof error), 0);
	assert_string_equal(error, "");
	check_defaults(&c);
	conf_free(&c);
}

static void
test_attribution(void **state)
{
	char error[512] = "", expected[128];
	struct conf c;
	(void)state;

	write_file("key", "  s3cret \r\n", 11);
	const char *path = write_file("all.yaml", everything, sizeof everything - 1);
	assert_int_equal(conf_load(path, &c, error, sizeof error), 0);
	const struct attribution_conf *a = &c.attribution;
	assert_int_equal(a->database_count, 2);
	assert_string_equal(a->databases[0], "/var/lib/a.mmdb");
	snprintf(expected, sizeof expected, "%s/b.mmdb", folder);
	assert_string_equal(a->databases[1], expected);
	assert_true(a->no_auto_detect);
	assert_true(a->no_embedded);
	snprintf(expected, sizeof expected, "%s/kp.csv", folder);
	assert_string_equal(a->sanctioned, expected);
	assert_int_equal(a->list_count, 2);
	snprintf(expected, sizeof expected, "%s/x/blocked.txt", folder);
	assert_string_equal(a->lists[0].path, expected);
	assert_string_equal(a->lists[0].name, "blocked");
	assert_int_equal(a->lists[0].format, LIST_CIDR);
	assert_string_equal(a->lists[0].jurisdiction, "IR");
	assert_int_equal(a->lists[0].confidence, CONFIDENCE_HIGH);
	assert_string_equal(a->lists[1].path, "/y/delegated");
	assert_null(a->lists[1].name);
	assert_int_equal(a->lists[1].format, LIST_AUTO);
	assert_int_equal(a->lists[1].confidence, CONFIDENCE_NONE);
	assert_int_equal(a->jurisdiction_count, 2);
	assert_string_equal(a->jurisdictions[1], "IR");
	assert_int_equal(a->asn_count, 1);
	assert_int_equal(a->asns[0], 64500);
	assert_string_equal(a->asn_jurisdictions[0], "IR");
	assert_int_equal(a->home_count, 2);
	assert_string_equal(a->home[1], "2001:db8::/32");
	conf_free(&c);
}

/* One size for the whole is shared among what has none of its own. */
static void
test_shared_memory(void **state)
{
	static const char text[] = "limits: {memory: 320MB, stream_memory: 7MB}\n";
	char error[512] = "";
	struct conf c;
	(void)state;

	assert_int_equal(conf_load_text("conf", text, sizeof text - 1, &c, error, sizeof error), 0);
	assert_int_equal(c.flow.memory, 120000000);
	assert_int_equal(c.policy.open_alerts, 30000000 / POLICY_ALERT_COST);
	assert_int_equal(c.stream.memory, 7000000);
	assert_int_equal(c.transfer.memory, 40000000);
	assert_int_equal(c.decode.fragment_memory, 10000000);
	conf_free(&c);
}

static void
test_numbers(void **state)
{
	char error[512] = "";
	struct conf c;
	(void)state;

	const char *path = write_file("all.yaml", everything, sizeof everything - 1);
	assert_int_equal(conf_load(path, &c, error, sizeof error), 0);
	assert_true(c.policy.sanctioned_transfer);
	assert_false(c.policy.sanctioned_contact);
	assert_false(c.policy.bulk_outbound);
	assert_int_equal(c.policy.bulk_bytes, UINT64_C(2) << 30);
	assert_int_equal(c.policy.allow_count, 1);
	assert_int_equal(c.policy.allow[0].bits, 32);
	assert_int_equal(c.policy.fold_window, 0);
	assert_int_equal(c.policy.open_alerts, 8);
	assert_false(c.decode.check_checksums);
	assert_true(c.decode.drop_duplicates);
	assert_int_equal(c.decode.duplicate_window, 5 * CLOCK_MILLISECOND);
	assert_int_equal(c.decode.fragment_memory, 1);
	assert_int_equal(c.decode.fragment_timeout, CLOCK_SECOND);
	assert_true(c.transfer.no_hash);
	assert_int_equal(c.transfer.infer_bytes, 128 * 1024);
	assert_int_equal(c.transfer.memory, 5000000000);
	assert_int_equal(c.transfer.per_transfer, 6 << 20);
	assert_int_equal(c.transfer.open, 7);
	assert_int_equal(c.transfer.join_timeout, 7 * 86400 * CLOCK_SECOND);
	assert_int_equal(c.flow.memory, 2000);
	assert_int_equal(c.flow.tcp_opening, 2 * CLOCK_MILLISECOND);
	assert_int_equal(c.flow.tcp_established, 180 * CLOCK_SECOND);
	assert_int_equal(c.flow.tcp_closing, 4 * CLOCK_SECOND);
	assert_int_equal(c.flow.udp, 5 * CLOCK_SECOND);
	assert_int_equal(c.flow.other, 6 * 3600 * CLOCK_SECOND);
	assert_int_equal(c.stream.memory, 3000000);
	assert_int_equal(c.stream.per_stream, 4096);
	conf_free(&c);
}

static void
test_output(void **state)
{
	char error[512] = "", expected[128];
	struct conf c;
	(void)state;

	write_file("key", "s3cret \r\n", 9);
	const char *path = write_file("all.yaml", everything, sizeof everything - 1);
	assert_int_equal(conf_load(path, &c, error, sizeof error), 0);
	snprintf(expected, sizeof expected, "%s/e.json", folder);
	assert_string_equal(c.output.events_path, expected);
	assert_int_equal(c.output.events, EVENT_ALERT | EVENT_STATS);
	assert_string_equal(c.output.observer_name, "studio");
	assert_string_equal(c.output.spool_path, "/s.db");
	assert_int_equal(c.delivery_wait, 0);
	assert_int_equal(c.output.rotate_size, UINT64_C(2000000000));
	assert_int_equal(c.output.rotate_time, 86400 * CLOCK_SECOND);
	assert_true(c.output.rotate_keep == SIZE_MAX);
	assert_int_equal(c.output.backlog, 1000000);
	assert_int_equal(c.output.webhook_count, 2);
	const struct webhook_target *t = c.output.webhooks;
	assert_string_equal(t[0].name, "a");
	assert_string_equal(t[0].url, "https://u:p@[::1]:8443/x?y#z");
	assert_string_equal(t[0].secret, "s3cret");
	snprintf(expected, sizeof expected, "%s/ca.pem", folder);
	assert_string_equal(t[0].ca_file, expected);
	assert_string_equal(t[0].proxy, "socks5h://127.0.0.1:1080");
	assert_int_equal(t[0].minimum, SEVERITY_CRITICAL);
	assert_int_equal(t[0].timeout, CLOCK_SECOND);
	assert_int_equal(t[0].retry_first, 2 * CLOCK_SECOND);
	assert_int_equal(t[0].give_up, 0);
	assert_string_equal(t[1].secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	assert_null(t[1].proxy);
	assert_int_equal(t[1].minimum, SEVERITY_LOW);
	assert_int_equal(t[1].timeout, 10 * CLOCK_SECOND);
	assert_int_equal(t[1].give_up, 3 * 86400 * CLOCK_SECOND);
	conf_free(&c);
}

/* Cut anywhere, a configuration is loaded or refused with a line. */
static void
test_every_prefix(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof everything; len++) {
		char error[512] = "";
		struct conf c;
		const char *path = write_file("cut.yaml", everything, len);
		int result = conf_load(path, &c, error, sizeof error);
		if (result != 0)
			assert_memory_equal(error, path, strlen(path));
		conf_free(&c);
	}
}

static void
test_spool_place(void **state)
{
	static const char text[] = "webhooks: [{name: a, url: https://a/}]\n";
	char error[512], expected[512];
	struct conf c;
	(void)state;

	const char *path = write_file("spool.yaml", text, strlen(text));
	setenv("XDG_STATE_HOME", "/state", 1);
	assert_int_equal(conf_load(path, &c, error, sizeof error), 0);
	assert_string_equal(c.output.spool_path,
	    geteuid() == 0 ? "/var/lib/waybill/spool.db" : "/state/waybill/spool.db");
	conf_free(&c);
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	if (geteuid() == 0)
		return;
	assert_int_equal(conf_load(path, &c, error, sizeof error), -1);
	snprintf(expected, sizeof expected, "%s:1: webhooks[0]: HOME is not set: name the spool's place in output.spool", path);
	assert_string_equal(error, expected);
}

/* Parts that take effect only at the start, and what text differs from another in them. */
static void
test_restart(void **state)
{
	static const struct {
		const char *from, *to, *parts;
	} cases[] = {
		{"", "", ""},
		{"", "rules: {sanctioned_contact: no}\nattribution: {builtin: no, jurisdictions: [KP, IR]}\n", ""},
		{"capture: {ring: 1MB}\n", "capture: {ring: 1000000}\n", ""},
		{"", "capture: {timestamps: adapter}\n", "capture "},
		{"capture: {lanes: 16}\n", "capture: {lanes: 1}\n", "capture "},
		{"capture: {ring: 1MB}\n", "capture: {ring: 2MB}\nuser: daemon\n", "user capture "},
		{"", "packets: {checksums: no}\ntransfers: {hash: no}\ntimeouts: {udp: 1m}\n", "packets transfers timeouts "},
		{"packets: {duplicates: 2ms}\n", "packets: {duplicates: off}\n", "packets "},
		{"limits: {memory: 1GB}\n", "limits: {memory: 2GB}\n", "limits "},
		{"output: {events: a.json}\n", "output: {events: b.json}\n", "output "},
		{"", "metrics: {listen: '127.0.0.1:9477'}\n", "metrics "},
		{"metrics: {listen: 'unix:/a'}\n", "metrics: {listen: 'unix:/b'}\noutput: {stats_every: never}\n", "output metrics "},
		{"", "webhooks: [{name: a, url: \"https://a.example/\"}]\noutput: {spool: /x}\n", "output webhooks "},
		{"webhooks: [{name: a, url: \"https://a.example/\"}]\noutput: {spool: /x}\n",
		 "webhooks: [{name: a, url: \"https://b.example/\"}]\noutput: {spool: /x}\n", "webhooks "},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct conf from, to;
		char error[256], text[256] = "";
		const char *part[CONF_PARTS];
		assert_int_equal(conf_load_text("conf", cases[i].from, strlen(cases[i].from), &from, error, sizeof error), 0);
		assert_int_equal(conf_load_text("conf", cases[i].to, strlen(cases[i].to), &to, error, sizeof error), 0);
		const size_t count = conf_restart(&from, &to, part);
		for (size_t k = 0; k < count; k++)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", part[k]);
		assert_string_equal(text, cases[i].parts);
		conf_free(&from);
		conf_free(&to);
	}
}

static void
test_metrics(void **state)
{
	static const struct {
		const char *text, *path, *address;
		unsigned port;
	} cases[] = {
	        {"metrics: {}\n", NULL, "::", 0},
	        {"metrics: {listen: none}\n", NULL, "::", 0},
	        {"metrics: {listen: '127.0.0.1:9477'}\n", NULL, "127.0.0.1", 9477},
	        {"metrics: {listen: '127.255.0.9:1'}\n", NULL, "127.255.0.9", 1},
	        {"metrics: {listen: '[::1]:65535'}\n", NULL, "::1", 65535},
	        {"metrics: {listen: 'unix:/run/x.sock'}\n", "/run/x.sock", "::", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct conf c;
		char error[256], text[ADDR_TEXT_MAX];
		assert_int_equal(conf_load_text("conf", cases[i].text, strlen(cases[i].text), &c, error, sizeof error), 0);
		assert_string_equal(addr_format(&c.web.addr, text), cases[i].address);
		assert_int_equal(c.web.port, cases[i].port);
		if (cases[i].path == NULL)
			assert_null(c.web.path);
		else
			assert_string_equal(c.web.path, cases[i].path);
		conf_free(&c);
	}
}

static void
test_user(void **state)
{
	struct conf c;
	char error[256];
	(void)state;
	assert_int_equal(conf_load_text("conf", "user: auto\n", 11, &c, error, sizeof error), 0);
	assert_null(c.user);
	conf_free(&c);
	assert_int_equal(conf_load_text("conf", "user: daemon\n", 13, &c, error, sizeof error), 0);
	assert_string_equal(c.user, "daemon");
	conf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_two_zero_bytes_and_sizes_of_file),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_sample_is_the_defaults),
		cmocka_unit_test(test_attribution),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_shared_memory),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_spool_place),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

static int
make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/waybill-conf-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

/* The path of a file in the folder that holds text; good until the next call. */
static const char *
write_file(const char *name, const char *text, size_t len)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void
check_defaults(const struct conf *c)
{
	static const struct flow_limits no_flow_limits;
	static const struct stream_limits no_stream_limits;
	static const struct transfer_limits no_transfer_limits;

	assert_memory_equal(&c->flow, &no_flow_limits, sizeof no_flow_limits);
	assert_memory_equal(&c->stream, &no_stream_limits, sizeof no_stream_limits);
	assert_memory_equal(&c->transfer, &no_transfer_limits, sizeof no_transfer_limits);
	assert_int_equal(c->decode.fragment_memory, 0);
	assert_int_equal(c->decode.fragment_timeout, 0);
	assert_true(c->decode.check_checksums);
	assert_true(c->decode.drop_duplicates);
	assert_int_equal(c->decode.duplicate_window, 0);
	assert_int_equal(c->attribution.database_count, 0);
	assert_false(c->attribution.no_auto_detect);
	assert_false(c->attribution.no_embedded);
	assert_null(c->attribution.sanctioned);
	assert_int_equal(c->attribution.list_count, 0);
	assert_int_equal(c->attribution.jurisdiction_count, 1);
	assert_string_equal(c->attribution.jurisdictions[0], "KP");
	assert_int_equal(c->attribution.asn_count, 0); /* the one of KP belongs to that jurisdiction */
	assert_int_equal(c->attribution.home_count, 0);
	assert_true(c->policy.sanctioned_transfer);
	assert_true(c->policy.sanctioned_contact);
	assert_true(c->policy.bulk_outbound);
	assert_int_equal(c->policy.bulk_bytes, 1000000000);
	assert_int_equal(c->policy.allow_count, 0);
	assert_int_equal(c->policy.fold_window, 600 * CLOCK_SECOND);
	assert_int_equal(c->policy.open_alerts, 0);
	assert_null(c->output.events_path);
	assert_int_equal(c->output.events, EVENT_FLOW | EVENT_TRANSFER | EVENT_ALERT | EVENT_COVERAGE);
	assert_int_equal(c->output.webhook_count, 0);
	assert_null(c->output.spool_path);
	assert_non_null(c->output.observer_name);
	assert_int_equal(c->delivery_wait, 30 * CLOCK_SECOND);
	assert_int_equal(c->coverage_every, 86400 * CLOCK_SECOND);
	assert_int_equal(c->stats_every, 60 * CLOCK_SECOND);
	assert_null(c->web.path);
	assert_int_equal(c->web.port, 0);
	assert_int_equal(c->web.silence, 600 * CLOCK_SECOND);
	assert_int_equal(c->web.database_age, 365 * 86400 * CLOCK_SECOND);
	assert_int_equal(c->output.rotate_size, 0);
	assert_int_equal(c->output.rotate_time, 0);
	assert_int_equal(c->output.rotate_keep, 14);
}
