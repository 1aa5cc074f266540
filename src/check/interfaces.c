#include "config.h"

#include "check/interfaces.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "capture/live.h"
#include "lanes.h"

enum { COMMAND_TEXT_MAX = 256 };

static void check_named(struct findings *f, const char *name);
static void check_opening(struct findings *f, const struct options *options, const struct conf *conf);
static void list_all(struct findings *f);
static void tell_link(struct findings *f, enum finding level, const struct interface_facts *i);
static void tell_offloads(struct findings *f, const struct interface_facts *i, bool receive);
static void tell_ring(struct findings *f, const struct interface_facts *i);
static void ignore_problem(void *ctx, const struct capture_problem *problem);

void
interfaces_check(struct findings *f, const struct options *options, const struct conf *conf)
{
	if (options->argument_count == 0) {
		list_all(f);
		return;
	}
	for (size_t i = 0; i < options->argument_count; i++)
		check_named(f, options->arguments[i]);
	check_opening(f, options, conf);
}

void
interfaces_tell(struct findings *f, const struct interface_facts *i)
{
	char up[COMMAND_TEXT_MAX];
	tell_link(f, FINDING_OK, i);
	snprintf(up, sizeof up, "ip link set %s up", i->name);
	if (!i->up)
		findings_say(f, FINDING_WARNING, "interface", up, "%s is down: nothing is seen until it is up", i->name);
	else if (!i->carrier)
		findings_say(f, FINDING_WARNING, "interface", NULL, "%s has no link: is the cable in, is the span port on?", i->name);
	if (i->addressed && !i->loopback)
		findings_say(f, FINDING_NOTE, "interface", NULL,
		        "%s has an address: this machine's own traffic is seen there too; a span port needs none", i->name);
	tell_offloads(f, i, true);
	tell_offloads(f, i, false);
	tell_ring(f, i);
}

static void
check_named(struct findings *f, const char *name)
{
	struct interface_facts i;
	if (interface_look(name, &i) == 0) {
		char clocks[LIVE_CLOCKS_TEXT];
		interfaces_tell(f, &i);
		live_clocks(name, clocks);
		findings_say(f, FINDING_OK, "interface", NULL, "%s: timestamps (capture.timestamps) it has: %s", name, clocks);
	} else if (strcmp(name, "any") == 0 && errno == ENODEV)
		findings_say(f, FINDING_OK, "interface", NULL, "any: all of them, the machine's own traffic included");
	else
		findings_say(f, FINDING_PROBLEM, "interface", NULL, "%s: %s", name,
		        errno == ENODEV ? "there is no such interface" : strerror(errno));
}

/* Exactly as a run does it: rights, ring and filter show here. */
static void
check_opening(struct findings *f, const struct options *options, const struct conf *conf)
{
	const struct capture_ops ops = {.problem = ignore_problem};
	enum live_refusal refusal;
	char error[512];
	struct live *l = live_open(&conf->live, options->arguments, options->argument_count, options->filter, &ops, NULL,
	        &refusal, error, sizeof error);
	if (l == NULL)
		findings_say(f, FINDING_PROBLEM, "capture", NULL, "%s", error);
	else
		findings_say(f, FINDING_OK, "capture", NULL, "%zu interface%s could be opened%s%s", options->argument_count,
		        options->argument_count == 1 ? "" : "s", options->filter != NULL ? ", with the filter: " : "",
		        options->filter != NULL ? options->filter : "");
	if (l != NULL && lanes_wanted(options, conf) > 1)
		findings_say(f, FINDING_OK, "capture", NULL, "%u lanes would share the packets, with two threads each", lanes_wanted(options, conf));
	live_close(l);
}

static void
list_all(struct findings *f)
{
	struct if_nameindex *all = if_nameindex();
	for (const struct if_nameindex *n = all; n != NULL && n->if_name != NULL; n++) {
		struct interface_facts i;
		if (interface_look(n->if_name, &i) == 0 && !i.loopback)
			tell_link(f, FINDING_NOTE, &i);
	}
	findings_say(f, FINDING_NOTE, "interface", NULL, "none is named: waybill check -i IFACE looks at one closely");
	if (all != NULL)
		if_freenameindex(all);
}

static void
tell_link(struct findings *f, enum finding level, const struct interface_facts *i)
{
	char speed[32] = "";
	if (i->speed > 0)
		snprintf(speed, sizeof speed, ", %u Mbit/s", i->speed);
	findings_say(f, level, "interface", NULL, "%s: %s%s, MTU %d%s%s", i->name,
	        !i->up ? "down" : i->carrier ? "up, link" : "up, no link", speed, i->mtu,
	        i->driver[0] != '\0' ? ", driver " : "", i->driver);
}

/* One line of ethtool for all of them; tso stands for several features and is named once. */
static void
tell_offloads(struct findings *f, const struct interface_facts *i, bool receive)
{
	char command[COMMAND_TEXT_MAX], names[COMMAND_TEXT_MAX] = "";
	const char *last = "";
	bool changeable = false;
	snprintf(command, sizeof command, "ethtool -K %s", i->name);
	for (size_t k = 0; k < INTERFACE_OFFLOADS; k++) {
		const struct interface_offload *o = &interface_offloads[k];
		if (!i->active[k] || o->receive != receive || strcmp(o->word, last) == 0)
			continue;
		last = o->word;
		snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", names[0] != '\0' ? ", " : "", o->word);
		if (i->fixed[k])
			continue;
		snprintf(command + strlen(command), sizeof command - strlen(command), " %s off", o->word);
		changeable = true;
	}
	if (names[0] == '\0')
		return;
	if (receive)
		findings_say(f, FINDING_WARNING, "offload", changeable ? command : NULL,
		        "%s joins frames before they are seen (%s): sizes, duplicates and losses are not those of the wire", i->name,
		        names);
	else
		findings_say(f, FINDING_NOTE, "offload", changeable ? command : NULL,
		        "%s: what this machine sends there is seen before it is cut into frames (%s); no matter on a span port",
		        i->name, names);
}

static void
tell_ring(struct findings *f, const struct interface_facts *i)
{
	char command[COMMAND_TEXT_MAX];
	if (i->ring == 0 || i->ring >= i->ring_max)
		return;
	snprintf(command, sizeof command, "ethtool -G %s rx %u", i->name, i->ring_max);
	findings_say(f, FINDING_NOTE, "interface", command, "%s has room for %u frames in the adapter, of %u: bursts may be lost there",
	        i->name, i->ring, i->ring_max);
}

static void
ignore_problem(void *ctx, const struct capture_problem *problem)
{
	(void)ctx;
	(void)problem;
}
