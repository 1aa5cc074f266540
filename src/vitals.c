#include "config.h"

#include "vitals.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account.h"
#include "base/clock.h"
#include "capture/live.h"
#include "stats.h"
#include "web/web.h"

enum { REFUSED_MAX = 8, DATABASES_MAX = 32, SEVERITIES = SEVERITY_CRITICAL + 1 };

struct vitals {
	struct vitals_source from;
	struct web *web;
	struct capture_progress seen; /* as of the last turn */
	struct pipeline_counts counts;
	int64_t heard, came;          /* monotonic: of the last turn, and of the last one with frames */
	struct coverage coverage;     /* a second old at most, as the next */
	struct coverage_counter counters[ACCOUNT_COUNTERS];
	size_t counter_count;
	uint64_t reloads_taken, reloads_refused;
	char *refused[REFUSED_MAX];
	size_t refused_count;
	int link_fd;                  /* to ask for the interfaces' flags by */
	bool is_device[LIVE_INTERFACES_MAX];

	/* What an answer points to. */
	struct web_count transfers[TELL_PROTOCOLS], alerts[SEVERITIES];
	struct web_interface interfaces[LIVE_INTERFACES_MAX];
	struct web_database databases[DATABASES_MAX];
};

static void on_state(void *ctx, struct web_state *out);
static void fill_tallies(struct vitals *v, struct web_state *out);
static void fill_interfaces(struct vitals *v, struct web_state *out);
static void fill_databases(struct vitals *v, struct web_state *out);
static int link_flags(const struct vitals *v, const char *name);
static void forget_refused(struct vitals *v);

int
vitals_open(const struct vitals_source *from, struct vitals **out, char *error, size_t size)
{
	const struct web_conf *conf = &from->conf->web;
	*out = NULL;
	if (conf->path == NULL && conf->port == 0)
		return 0;
	struct vitals *v = calloc(1, sizeof *v);
	if (v == NULL) {
		snprintf(error, size, "out of memory");
		return -1;
	}
	*v = (struct vitals){.from = *from, .link_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
	v->heard = v->came = clock_monotonic();
	for (size_t i = 0; i < from->options->argument_count && i < LIVE_INTERFACES_MAX; i++)
		v->is_device[i] = link_flags(v, from->options->arguments[i]) >= 0;
	v->web = web_open(conf, from->loop, on_state, v, error, size);
	if (v->web == NULL) {
		vitals_close(v);
		return -1;
	}
	*out = v;
	return 0;
}

void
vitals_close(struct vitals *v)
{
	if (v == NULL)
		return;
	web_close(v->web);
	forget_refused(v);
	if (v->link_fd >= 0)
		close(v->link_fd);
	free(v);
}

void
vitals_turn(struct vitals *v, const struct relay_turn *turn)
{
	if (v == NULL)
		return;
	v->heard = turn->heard;
	if (turn->progress.frames != v->seen.frames)
		v->came = clock_monotonic();
	v->seen = turn->progress;
	v->counts = turn->counts;
	const struct relay_counts *c = turn->coverage;
	if (c == NULL)
		return;
	v->coverage = c->coverage;
	v->counter_count = c->count;
	memcpy(v->counters, c->counters, c->count * sizeof *v->counters);
}

void
vitals_reloaded(struct vitals *v, const struct reload_record *r)
{
	if (v == NULL)
		return;
	v->reloads_taken += r->taken;
	v->reloads_refused += !r->taken;
	forget_refused(v);
	for (size_t i = 0; i < r->reason_count && i < REFUSED_MAX; i++) {
		v->refused[v->refused_count] = strdup(r->reasons[i]);
		v->refused_count += v->refused[v->refused_count] != NULL;
	}
}

static void
forget_refused(struct vitals *v)
{
	for (size_t i = 0; i < v->refused_count; i++)
		free(v->refused[i]);
	v->refused_count = 0;
}

void
vitals_second(struct vitals *v)
{
	if (v != NULL)
		lanes_ask(v->from.lanes);
}

static void
on_state(void *ctx, struct web_state *out)
{
	struct vitals *v = ctx;
	const int64_t now = clock_monotonic();
	*out = (struct web_state){.coverage = v->coverage, .reloads_taken = v->reloads_taken, .reloads_refused = v->reloads_refused,
	        .refused = (const char *const *)v->refused, .refused_count = v->refused_count,
	        .unheard = now - v->heard, .quiet = now - v->came};
	stats_take(&(struct stats_source){.progress = &v->seen, .counts = &v->counts, .tell = v->from.tell,
	        .output = v->from.output, .started = v->from.started}, &out->stats);
	output_condition(v->from.output, &out->output);
	/* The rules' counters are this thread's, and stand behind the others. */
	out->coverage.unread = v->counters;
	out->coverage.unread_count =
	        tell_coverage(v->from.tell, &out->coverage, v->counters, v->counter_count, ACCOUNT_COUNTERS);
	fill_tallies(v, out);
	fill_interfaces(v, out);
	fill_databases(v, out);
}

static void
fill_tallies(struct vitals *v, struct web_state *out)
{
	const struct tell_tally *t = tell_tally(v->from.tell);
	for (size_t i = 0; i < t->transfer_count; i++)
		v->transfers[i] = (struct web_count){t->transfers[i].protocol, t->transfers[i].count};
	for (size_t i = 0; i < SEVERITIES; i++)
		v->alerts[i] = (struct web_count){severity_name((enum severity)i), t->alerts[i]};
	out->transfers = v->transfers;
	out->transfer_count = t->transfer_count;
	out->alerts = v->alerts;
	out->alert_count = SEVERITIES;
}

/* One that is named twice is told once. */
static void
fill_interfaces(struct vitals *v, struct web_state *out)
{
	const struct options *o = v->from.options;
	size_t n = 0;
	for (size_t i = 0; i < o->argument_count && i < LIVE_INTERFACES_MAX; i++) {
		bool before = false;
		for (size_t k = 0; k < n; k++)
			before |= strcmp(v->interfaces[k].name, o->arguments[i]) == 0;
		if (before)
			continue;
		const int flags = v->is_device[i] ? link_flags(v, o->arguments[i]) : -1;
		v->interfaces[n++] = (struct web_interface){.name = o->arguments[i], .known = v->is_device[i], .exists = flags >= 0,
		        .up = flags >= 0 && (flags & IFF_UP) && (flags & IFF_RUNNING)};
	}
	out->interfaces = v->interfaces;
	out->interface_count = n;
}

static void
fill_databases(struct vitals *v, struct web_state *out)
{
	const struct attribution_database *all;
	const size_t count = attribution_databases(tell_attribution(v->from.tell), &all);
	out->databases = v->databases;
	for (size_t i = 0; i < count && i < DATABASES_MAX; i++)
		v->databases[out->database_count++] = (struct web_database){all[i].type, all[i].built};
}

/* netdevice(7): -1 of what is no network device. */
static int
link_flags(const struct vitals *v, const char *name)
{
	struct ifreq about = {0};
	if (snprintf(about.ifr_name, sizeof about.ifr_name, "%s", name) >= (int)sizeof about.ifr_name ||
	        ioctl(v->link_fd, SIOCGIFFLAGS, &about) < 0)
		return -1;
	return (unsigned short)about.ifr_flags;
}
