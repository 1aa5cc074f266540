/* waybill check: what is told of an interface, limits of control groups, memory. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/findings.h"
#include "check/interfaces.h"
#include "check/machine.h"

struct told {
	struct findings findings;
	char *text;
	size_t len;
};

static void
begin(struct told *t, bool json)
{
	*t = (struct told){.findings = {.json = json}};
	t->findings.out = open_memstream(&t->text, &t->len);
	assert_non_null(t->findings.out);
}

static void
end(struct told *t, const char *wanted)
{
	fclose(t->findings.out);
	assert_string_equal(t->text, wanted);
	free(t->text);
}

static size_t
offload(const char *feature)
{
	for (size_t i = 0; i < INTERFACE_OFFLOADS; i++)
		if (strcmp(interface_offloads[i].feature, feature) == 0)
			return i;
	fail_msg("no row for %s", feature);
	return 0;
}

static void
test_text_and_json(void **state)
{
	struct told t;
	(void)state;
	begin(&t, false);
	findings_say(&t.findings, FINDING_WARNING, "clock", "mend \033 it", "%s", "off\n by \"1\"");
	findings_say(&t.findings, FINDING_PROBLEM, "x", NULL, "y");
	findings_end(&t.findings);
	assert_int_equal(t.findings.warnings, 1);
	assert_int_equal(t.findings.problems, 1);
	end(&t, "clock          WARNING: off\\x0a by \"1\"\n"
	        "               mend it: mend \\x1b it\n"
	        "x              PROBLEM: y\n"
	        "result         it will not work: 1 problem, 1 warning\n");
	begin(&t, true);
	findings_say(&t.findings, FINDING_WARNING, "clock", "mend it", "%s", "off\n by \"1\"");
	findings_end(&t.findings);
	end(&t, "{\"check\":\"clock\",\"level\":\"warning\",\"text\":\"off\\n by \\\"1\\\"\",\"fix\":\"mend it\"}\n"
	        "{\"check\":\"result\",\"level\":\"note\",\"text\":\"it will work; 1 warning\"}\n");
}

static void
test_sizes(void **state)
{
	static const struct {
		double bytes;
		const char *text;
	} rows[] = {{0, "0 bytes"}, {999, "999 bytes"}, {1000, "1.0 kB"}, {64e6, "64 MB"}, {1.5e9, "1.5 GB"}, {5e15, "5000 TB"}};
	char text[FINDINGS_SIZE_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(findings_size(rows[i].bytes, text), rows[i].text);
}

static void
test_good_interface(void **state)
{
	struct interface_facts i = {.name = "span0", .driver = "ixgbe", .up = true, .carrier = true, .mtu = 9000,
	        .speed = 10000, .ring = 4096, .ring_max = 4096};
	struct told t;
	(void)state;
	begin(&t, false);
	interfaces_tell(&t.findings, &i);
	assert_int_equal(t.findings.warnings, 0);
	end(&t, "interface      span0: up, link, 10000 Mbit/s, MTU 9000, driver ixgbe\n");
}

static void
test_offloads(void **state)
{
	struct interface_facts i = {.name = "span0", .up = true, .carrier = true, .mtu = 1500, .ring = 512, .ring_max = 4096};
	struct told t;
	(void)state;
	i.active[offload("rx-gro")] = i.active[offload("rx-lro")] = true;
	i.active[offload("tx-tcp-segmentation")] = i.active[offload("tx-tcp6-segmentation")] = true;
	begin(&t, false);
	interfaces_tell(&t.findings, &i);
	assert_int_equal(t.findings.warnings, 1);
	end(&t, "interface      span0: up, link, MTU 1500\n"
	        "offload        WARNING: span0 joins frames before they are seen (gro, lro): sizes, duplicates and losses are not "
	        "those of the wire\n"
	        "               mend it: ethtool -K span0 gro off lro off\n"
	        "offload        span0: what this machine sends there is seen before it is cut into frames (tso); no matter on a span port\n"
	        "               mend it: ethtool -K span0 tso off\n"
	        "interface      span0 has room for 512 frames in the adapter, of 4096: bursts may be lost there\n"
	        "               mend it: ethtool -G span0 rx 4096\n");
}

/* What can't be switched off is told without a command. */
static void
test_fixed_offload(void **state)
{
	struct interface_facts i = {.name = "v0", .up = true, .mtu = 1500};
	struct told t;
	(void)state;
	i.active[offload("rx-gro-hw")] = i.fixed[offload("rx-gro-hw")] = true;
	begin(&t, false);
	interfaces_tell(&t.findings, &i);
	assert_int_equal(t.findings.warnings, 2);
	end(&t, "interface      v0: up, no link, MTU 1500\n"
	        "interface      WARNING: v0 has no link: is the cable in, is the span port on?\n"
	        "offload        WARNING: v0 joins frames before they are seen (rx-gro-hw): sizes, duplicates and losses are not those of "
	        "the wire\n");
}

static void
put(const char *folder, const char *path, const char *text)
{
	char at[512];
	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		snprintf(at, sizeof at, "%s/%.*s", folder, (int)(slash - path), path);
		mkdir(at, 0700);
	}
	snprintf(at, sizeof at, "%s/%s", folder, path);
	FILE *f = fopen(at, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
test_cgroup_limits(void **state)
{
	static const struct {
		const char *groups;
		size_t limit;
	} rows[] = {
		{"0::/a/b\n", 500000000},                              /* the parent's is tighter */
		{"0::/\n", SIZE_MAX},                                  /* "max" */
		{"0::/gone\n", SIZE_MAX},                              /* no such group: the root's */
		{"4:memory:/c\n1:cpu:/c\n0::/\n", 70000000},           /* version 1 */
		{"4:memory:/d\n", SIZE_MAX},                           /* what version 1 has for none */
		{"", SIZE_MAX}, {"nonsense\n", SIZE_MAX}, {"0:", SIZE_MAX},
	};
	char folder[] = "/tmp/waybill-check-XXXXXX", file[64], command[128];
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/cgroup", folder);
	put(folder, "memory.max", "max\n");
	put(folder, "a/memory.max", "500000000\n");
	put(folder, "a/b/memory.max", "900000000\n");
	put(folder, "memory/c/memory.limit_in_bytes", "70000000\n");
	put(folder, "memory/d/memory.limit_in_bytes", "9223372036854771712\n");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		put(folder, "cgroup", rows[i].groups);
		assert_int_equal(machine_cgroup_limit(file, folder), rows[i].limit);
	}
	assert_int_equal(machine_cgroup_limit("/nowhere", folder), SIZE_MAX);
	snprintf(command, sizeof command, "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
}

static void
test_need(void **state)
{
	struct conf c = {0};
	(void)state;
	assert_int_equal(machine_need(&c), 40000000 + ((size_t)512 + 256 + 256 + 64) * 1024 * 1024);
	c.flow.memory = c.stream.memory = c.transfer.memory = c.decode.fragment_memory = 1000;
	assert_int_equal(machine_need(&c), 40004000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_and_json),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_good_interface),
		cmocka_unit_test(test_offloads),
		cmocka_unit_test(test_fixed_offload),
		cmocka_unit_test(test_cgroup_limits),
		cmocka_unit_test(test_need),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
