#include "config.h"

#include "lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/hash.h"
#include "hearsay.h"
#include "intake.h"
#include "pipeline.h"

static const int64_t patience = 50 * CLOCK_MILLISECOND; /* after which the caller has a turn for other things */

struct lane {
	struct lanes *all;
	struct intake *intake;
	struct pipeline *pipeline;
	struct relay *relay;           /* NULL: packets are followed in the caller's thread */
	struct attribution *attribution; /* that it told last */
	int64_t time;                  /* packet time, likewise */
	bool has_time;
	bool over;                     /* it has told its last */
	struct relay_turn turn;        /* its latest; pointers of it are valid in lanes_turn only */
	struct relay_counts counts;    /* its latest */
	bool owes;                     /* counts, since they were asked for */
};

struct lanes {
	const struct options *options;
	struct conf conf;              /* of one lane: its part of the limits */
	struct lane *lane;
	unsigned count;
	unsigned next;                 /* whose turn it is */
	struct intake_common common;
	struct bell bell;
	struct hearsay *hearsay;       /* NULL: there is one lane */
	struct attribution *attribution; /* the one that news told */
	struct attribution *offered;   /* the latest */
	const struct news_ops *to;
	void *to_ctx;
	bool winds_up, asked;
	struct relay_counts sum;
};

static void divide(struct conf *c, unsigned lanes);
static int open_lane(struct lanes *l, unsigned n, enum live_refusal *refusal, char *error, size_t size);
static void on_flow(void *ctx, const struct flow_record *r);
static void on_watched(void *ctx, const struct flow_record *r, bool ended);
static void on_transfer(void *ctx, const struct transfer_record *r, bool ended);
static void on_time(void *ctx, int64_t now);
static void on_attribution(void *ctx, struct attribution *a);
static bool follow(struct lane *lane);
static struct lane *next_ready(struct lanes *l);
static bool is_any_ready(const void *ctx);
static bool is_ready(const struct lane *lane);
static void sum_up(struct lanes *l, struct relay_turn *out);
static void take_counts(struct lane *lane);
static void add_progress(struct capture_progress *sum, const struct capture_progress *p);
static void add_counts(struct relay_counts *sum, const struct relay_counts *c);
static void add_times(struct coverage *to, int64_t start, int64_t end);
static void add_counter(struct relay_counts *sum, size_t at, const struct coverage_counter *c);

static const struct news_ops lane_news = {on_flow, on_watched, on_transfer, on_time, on_attribution};

unsigned
lanes_wanted(const struct options *options, const struct conf *conf)
{
	enum { THREADS = 2 }; /* of each: one reads, one follows */
	if (options->command == COMMAND_REPLAY)
		return 1;
	if (options->workers_named) {
		const unsigned lanes = options->workers / THREADS;
		return lanes < 1 ? 1 : lanes > LANES_MAX ? LANES_MAX : lanes;
	}
	return conf->lanes > 0 ? conf->lanes : 1;
}

size_t
lanes_ring(const struct conf *conf, unsigned lanes)
{
	enum { BLOCKS_LEAST = 64 }; /* a third of a second where little comes: a lane has a turn by then */
	const size_t least = (size_t)BLOCKS_LEAST * LIVE_BLOCK, whole = conf->live.ring > 0 ? conf->live.ring : LIVE_RING_DEFAULT;
	return lanes > 1 && whole / lanes < least ? least : whole / lanes;
}

struct lanes *
lanes_open(const struct options *options, const struct conf *conf, enum live_refusal *refusal, char *error, size_t size)
{
	const unsigned count = lanes_wanted(options, conf);
	struct lanes *l = calloc(1, sizeof *l);
	*refusal = LIVE_REFUSED;
	if (l != NULL)
		l->lane = calloc(count, sizeof *l->lane);
	if (l == NULL || l->lane == NULL) {
		snprintf(error, size, "out of memory");
		free(l);
		return NULL;
	}
	bell_init(&l->bell);
	l->options = options;
	l->conf = *conf;
	divide(&l->conf, count);
	const struct hash_fixed_key random = hash_fixed_key_random();
	l->conf.live.share = (struct share){.count = count};
	memcpy(l->conf.live.share.key, &random, sizeof l->conf.live.share.key);
	for (; l->count < count; l->count++) {
		if (open_lane(l, l->count, refusal, error, size) == 0)
			continue;
		lanes_close(l);
		return NULL;
	}
	return l;
}

static int
open_lane(struct lanes *l, unsigned n, enum live_refusal *refusal, char *error, size_t size)
{
	const struct options *o = l->options;
	struct lane *lane = &l->lane[n];
	lane->all = l;
	if (o->command == COMMAND_WATCH) {
		l->conf.live.share.index = n;
		lane->intake = intake_open_live(&l->conf.live, &l->common, o->arguments, o->argument_count, o->filter, refusal,
		        error, size);
	} else {
		lane->intake = intake_open(o->arguments, o->argument_count, o->filter, error, size);
	}
	return lane->intake != NULL ? 0 : -1;
}

/* Of each lane, first whoever uses the next. The pipelines are the last that use what lanes share. */
void
lanes_close(struct lanes *l)
{
	if (l == NULL)
		return;
	for (unsigned i = 0; i < l->count; i++) {
		relay_destroy(l->lane[i].relay);
		intake_close(l->lane[i].intake);
	}
	for (unsigned i = 0; i < l->count; i++)
		pipeline_destroy(l->lane[i].pipeline);
	hearsay_destroy(l->hearsay);
	bell_clear(&l->bell);
	free(l->lane);
	free(l);
}

/*
 * One worker does it all in this thread; with more of them, and for interfaces, which can't wait, the capture is read and
 * packets are followed elsewhere.
 */
int
lanes_prepare(struct lanes *l, struct attribution *attribution, bool tells_flows, const struct news_ops *to, void *to_ctx)
{
	const bool alone = l->options->workers == 1 && l->options->command == COMMAND_REPLAY;
	l->to = to;
	l->to_ctx = to_ctx;
	l->attribution = l->offered = attribution;
	if (l->count > 1 && (l->hearsay = hearsay_create(l->count)) == NULL)
		return -1;
	for (unsigned i = 0; i < l->count; i++) {
		struct lane *lane = &l->lane[i];
		lane->attribution = attribution;
		lane->relay = alone ? NULL : relay_create(&l->bell);
		if (!alone && lane->relay == NULL)
			return -1;
		lane->pipeline = pipeline_create(&l->conf, attribution, tells_flows, alone ? &lane_news : &relay_news,
		        alone ? (void *)lane : (void *)lane->relay);
		if (lane->pipeline == NULL)
			return -1;
		if (l->hearsay != NULL)
			pipeline_join(lane->pipeline, l->hearsay, i);
	}
	return 0;
}

int
lanes_start(struct lanes *l)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct lane *lane = &l->lane[i];
		lane->turn.heard = clock_monotonic();
		if (intake_start(lane->intake, lane->pipeline, lane->relay != NULL) < 0 ||
		        (lane->relay != NULL && relay_start(lane->relay, lane->intake, lane->pipeline) < 0))
			return -1;
	}
	return 0;
}

bool
lanes_turn(struct lanes *l, struct relay_turn *out)
{
	struct lane *lane = next_ready(l);
	if (lane == NULL && bell_wait(&l->bell, patience, is_any_ready, l))
		lane = next_ready(l);
	if (lane == NULL)
		return false;
	if (!(lane->relay != NULL ? relay_deliver(lane->relay, &lane_news, lane, &lane->turn) : follow(lane)))
		return false;
	lane->over = lane->turn.last;
	if (lane->turn.coverage != NULL)
		take_counts(lane);
	*out = lane->turn;
	sum_up(l, out);
	return true;
}

/* The next batch, in this thread. */
static bool
follow(struct lane *lane)
{
	if (lane->all->winds_up)
		intake_stop(lane->intake);
	const struct intake_item *item = intake_next(lane->intake);
	if (item == NULL)
		return false;
	const bool winds_up = lane->all->winds_up;
	lane->turn = (struct relay_turn){.progress = item->progress, .last = item->last || winds_up, .heard = clock_monotonic()};
	if (!winds_up) {
		lane->turn.problems = item->problems;
		lane->turn.problem_count = item->problem_count;
		pipeline_follow(lane->pipeline, item->batch);
	}
	if (lane->turn.last)
		pipeline_flush(lane->pipeline);
	return true;
}

/* The next one whose turn it is and that has something; NULL: none. */
static struct lane *
next_ready(struct lanes *l)
{
	for (unsigned n = 0; n < l->count; n++) {
		struct lane *lane = &l->lane[(l->next + n) % l->count];
		if (!is_ready(lane))
			continue;
		l->next = (l->next + n + 1) % l->count;
		return lane;
	}
	return NULL;
}

static bool
is_any_ready(const void *ctx)
{
	const struct lanes *l = ctx;
	for (unsigned i = 0; i < l->count; i++)
		if (is_ready(&l->lane[i]))
			return true;
	return false;
}

static bool
is_ready(const struct lane *lane)
{
	return !lane->over && (lane->relay == NULL || relay_is_ready(lane->relay));
}

/* out is the turn of one lane: what it says of all is filled in. */
static void
sum_up(struct lanes *l, struct relay_turn *out)
{
	bool owed = false;
	out->coverage = NULL;
	out->counts = (struct pipeline_counts){0};
	if (l->count > 1) /* a replay's says more than what can be added */
		out->progress = (struct capture_progress){0};
	for (unsigned i = 0; i < l->count; i++) {
		const struct lane *lane = &l->lane[i];
		if (l->count > 1)
			add_progress(&out->progress, &lane->turn.progress);
		out->counts.flows_open += lane->turn.counts.flows_open;
		out->counts.flows += lane->turn.counts.flows;
		out->last = out->last && lane->over;
		if (!lane->over && lane->turn.heard < out->heard)
			out->heard = lane->turn.heard;
		owed = owed || (lane->owes && !lane->over);
	}
	if (!l->asked || owed)
		return;
	l->asked = false;
	l->sum.count = 0;
	l->sum.coverage = (struct coverage){0};
	for (unsigned i = 0; i < l->count; i++) {
		add_counts(&l->sum, &l->lane[i].counts);
		l->lane[i].counts.coverage.start = l->lane[i].counts.coverage.end = 0;
	}
	out->coverage = &l->sum;
}

static void
add_progress(struct capture_progress *sum, const struct capture_progress *p)
{
	sum->frames += p->frames;
	sum->bytes += p->bytes;
	sum->dropped_ring += p->dropped_ring;
	sum->dropped_interface += p->dropped_interface;
}

/* They count from the start, but for the times, which are of what came since the last ones: those may not have been told yet. */
static void
take_counts(struct lane *lane)
{
	const int64_t start = lane->counts.coverage.start, end = lane->counts.coverage.end;
	lane->counts = *lane->turn.coverage;
	lane->turn.coverage = NULL;
	lane->owes = false;
	add_times(&lane->counts.coverage, start, end);
}

static void
add_counts(struct relay_counts *sum, const struct relay_counts *c)
{
	struct coverage *to = &sum->coverage;
	const struct coverage *from = &c->coverage;
	add_times(to, from->start, from->end);
	to->packets += from->packets;
	to->bytes += from->bytes;
	to->dropped += from->dropped;
	to->duplicates += from->duplicates;
	for (size_t i = 0; i < DUPLICATE_KINDS; i++)
		to->duplicate_kinds[i] += from->duplicate_kinds[i];
	to->flows += from->flows;
	for (size_t i = 0; i < c->count; i++)
		add_counter(sum, i, &c->counters[i]);
}

/* Both 0: there were no packets. */
static void
add_times(struct coverage *to, int64_t start, int64_t end)
{
	if (start == 0 && end == 0)
		return;
	const bool none = to->start == 0 && to->end == 0;
	if (none || start < to->start)
		to->start = start;
	if (none || end > to->end)
		to->end = end;
}

/* All pipelines have the same counters, in the same order. */
static void
add_counter(struct relay_counts *sum, size_t at, const struct coverage_counter *c)
{
	if (at < sum->count && strcmp(sum->counters[at].name, c->name) == 0)
		sum->counters[at].count += c->count;
	else if (at == sum->count && sum->count < RELAY_COUNTERS)
		sum->counters[sum->count++] = *c;
}

size_t
lanes_coverage(struct lanes *l, struct coverage *out, struct coverage_counter *counters, size_t room)
{
	l->sum.count = 0;
	l->sum.coverage = (struct coverage){0};
	for (unsigned i = 0; i < l->count; i++) {
		struct relay_counts *c = &l->lane[i].counts;
		const int64_t start = c->coverage.start, end = c->coverage.end; /* of what was asked for, and not told */
		c->count = pipeline_coverage(l->lane[i].pipeline, NULL, &c->coverage, c->counters, RELAY_COUNTERS);
		add_times(&c->coverage, start, end);
		add_counts(&l->sum, c);
	}
	*out = l->sum.coverage;
	const size_t count = l->sum.count < room ? l->sum.count : room;
	memcpy(counters, l->sum.counters, count * sizeof *counters);
	return count;
}

void
lanes_ask(struct lanes *l)
{
	l->asked = true;
	for (unsigned i = 0; i < l->count; i++) {
		l->lane[i].owes = true;
		relay_ask(l->lane[i].relay);
	}
}

void
lanes_attribution(struct lanes *l, struct attribution *a)
{
	l->offered = a;
	for (unsigned i = 0; i < l->count; i++)
		relay_attribution(l->lane[i].relay, a);
}

bool
lanes_agree(const struct lanes *l)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!l->lane[i].over && l->lane[i].attribution != l->attribution)
			return false;
	return true;
}

void
lanes_wind_up(struct lanes *l)
{
	l->winds_up = true;
	for (unsigned i = 0; i < l->count; i++)
		if (l->lane[i].relay != NULL)
			relay_wind_up(l->lane[i].relay);
}

void
lanes_finish(struct lanes *l)
{
	for (unsigned i = 0; i < l->count; i++)
		intake_finish(l->lane[i].intake);
}

bool
lanes_incomplete(const struct lanes *l)
{
	bool any = false;
	for (unsigned i = 0; i < l->count; i++)
		any = any || intake_incomplete(l->lane[i].intake);
	return any;
}

static void
on_flow(void *ctx, const struct flow_record *r)
{
	const struct lane *lane = ctx;
	lane->all->to->flow(lane->all->to_ctx, r);
}

static void
on_watched(void *ctx, const struct flow_record *r, bool ended)
{
	const struct lane *lane = ctx;
	lane->all->to->watched(lane->all->to_ctx, r, ended);
}

static void
on_transfer(void *ctx, const struct transfer_record *r, bool ended)
{
	const struct lane *lane = ctx;
	lane->all->to->transfer(lane->all->to_ctx, r, ended);
}

/* Of the lane that is behind: what ends by time has been silent in all of them. */
static void
on_time(void *ctx, int64_t now)
{
	struct lane *own = ctx;
	const struct lanes *l = own->all;
	own->time = now;
	own->has_time = true;
	for (unsigned i = 0; i < l->count; i++)
		if (l->lane[i].has_time && !l->lane[i].over && l->lane[i].time < now)
			now = l->lane[i].time;
	l->to->time(l->to_ctx, now);
}

/*
 * The first lane that has it speaks for all: news of flows that only the new lists have are to be told by those. One that comes after
 * the next was told is late.
 */
static void
on_attribution(void *ctx, struct attribution *a)
{
	struct lane *own = ctx;
	struct lanes *l = own->all;
	own->attribution = a;
	if (a != l->offered || a == l->attribution)
		return;
	l->attribution = a;
	l->to->attribution(l->to_ctx, a);
}

/* What is the whole program's, of one lane. */
static void
divide(struct conf *c, unsigned lanes)
{
	const struct {
		size_t *limit, whole;
	} limits[] = {
	        {&c->decode.fragment_memory, FRAGMENT_MEMORY_DEFAULT},
	        {&c->flow.memory, FLOW_MEMORY_DEFAULT},
	        {&c->stream.memory, STREAM_MEMORY_DEFAULT},
	        {&c->transfer.memory, TRANSFER_MEMORY_DEFAULT},
	        {&c->transfer.open, TRANSFER_OPEN_DEFAULT},
	};
	for (size_t i = 0; lanes > 1 && i < sizeof limits / sizeof limits[0]; i++) {
		const size_t part = (*limits[i].limit > 0 ? *limits[i].limit : limits[i].whole) / lanes;
		*limits[i].limit = part > 0 ? part : 1;
	}
	c->live.ring = lanes_ring(c, lanes);
}
