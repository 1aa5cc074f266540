#include "config.h"

#include "relay.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/charset.h"
#include "base/clock.h"
#include "base/keep.h"
#include "base/ring.h"

enum {
	SLOTS = 16,
	SLOT_NEWS = 256,
	QUIET_ITEMS = 64, /* after which the caller sees progress, whatever came out */
};

enum news_kind { NEWS_FLOW, NEWS_WATCHED, NEWS_TRANSFER, NEWS_TIME, NEWS_ATTRIBUTION };

struct news {
	enum news_kind kind;
	bool ended;
	union {
		const struct flow_record *flow; /* in the slot's arena, as the next */
		const struct transfer_record *transfer;
		int64_t time;
		struct attribution *attribution;
	} of;
};

struct slot {
	struct arena arena;
	struct news news[SLOT_NEWS];
	size_t count;
	char **problems; /* in arena */
	size_t problem_count;
	struct capture_progress progress;
	struct pipeline_counts counts;
	struct relay_counts *coverage; /* in arena; or NULL */
	uint64_t lost;   /* news for which there was no memory */
	bool last;
};

struct relay {
	struct intake *intake;
	struct pipeline *pipeline;
	struct slot *slots;
	struct ring ring;
	struct bell *bell;
	struct slot *filling;  /* the thread's; NULL: the ring was stopped */
	bool handed_out;       /* the caller has the oldest slot */
	pthread_t thread;
	bool started;
	atomic_bool winds_up, asked;
	_Atomic(struct attribution *) offered; /* NULL: none */
};

static void on_flow(void *ctx, const struct flow_record *r);
static void on_watched(void *ctx, const struct flow_record *r, bool ended);
static void on_transfer(void *ctx, const struct transfer_record *r, bool ended);
static void on_time(void *ctx, int64_t now);
static void on_attribution(void *ctx, struct attribution *a);
static void *run(void *arg);
static void claim(struct relay *r);
static void publish(struct relay *r);
static void add(struct relay *r, const struct news *n);
static void add_flow(struct relay *r, enum news_kind kind, const struct flow_record *flow, bool ended);
static bool is_due(const struct relay *r, unsigned quiet);
static void take_problems(struct relay *r, const struct intake_item *item);
static void take_counts(struct relay *r, const struct batch *b);
static void deliver(const struct news *n, const struct news_ops *to, void *ctx);

const struct news_ops relay_news = {on_flow, on_watched, on_transfer, on_time, on_attribution};

struct relay *
relay_create(struct bell *bell)
{
	struct relay *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->bell = bell;
	ring_init(&r->ring, SLOTS);
	r->slots = calloc(SLOTS, sizeof *r->slots);
	if (r->slots == NULL) {
		relay_destroy(r);
		return NULL;
	}
	claim(r);
	return r;
}

void
relay_destroy(struct relay *r)
{
	if (r == NULL)
		return;
	if (r->started) {
		relay_wind_up(r);
		ring_stop(&r->ring);
		pthread_join(r->thread, NULL);
	}
	for (size_t i = 0; r->slots != NULL && i < SLOTS; i++)
		arena_clear(&r->slots[i].arena);
	free(r->slots);
	ring_clear(&r->ring);
	free(r);
}

int
relay_start(struct relay *r, struct intake *in, struct pipeline *p)
{
	r->intake = in;
	r->pipeline = p;
	/* Signals are the caller's. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r->started = pthread_create(&r->thread, NULL, run, r) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r->started ? 0 : -1;
}

void
relay_wind_up(struct relay *r)
{
	r->winds_up = true;
}

void
relay_attribution(struct relay *r, struct attribution *a)
{
	atomic_store(&r->offered, a);
}

void
relay_ask(struct relay *r)
{
	r->asked = true;
}

bool
relay_is_ready(const struct relay *r)
{
	return r->ring.filled - r->ring.emptied > (r->handed_out ? 1 : 0);
}

bool
relay_deliver(struct relay *r, const struct news_ops *to, void *ctx, struct relay_turn *out)
{
	size_t at;
	if (!relay_is_ready(r))
		return false;
	if (r->handed_out)
		ring_release(&r->ring);
	r->handed_out = ring_take(&r->ring, &at, 0);
	struct slot *s = &r->slots[at];
	for (size_t i = 0; i < s->count; i++)
		deliver(&s->news[i], to, ctx);
	*out = (struct relay_turn){.progress = s->progress, .counts = s->counts, .coverage = s->coverage, .problems = s->problems,
	        .problem_count = s->problem_count, .lost = s->lost, .last = s->last, .heard = clock_monotonic()};
	if (s->last) {
		pthread_join(r->thread, NULL);
		r->started = false;
	}
	return true;
}

/* The following thread. */
static void *
run(void *arg)
{
	struct relay *r = arg;
	bool last = false;
	unsigned quiet = 0;
	while (!last && r->filling != NULL) {
		if (r->winds_up)
			intake_stop(r->intake);
		if (atomic_load_explicit(&r->asked, memory_order_relaxed)) {
			r->asked = false;
			pipeline_ask(r->pipeline);
		}
		const struct intake_item *item = intake_next(r->intake);
		if (item == NULL)
			continue;
		struct attribution *offered = atomic_exchange(&r->offered, NULL);
		if (offered != NULL)
			pipeline_attribution(r->pipeline, offered);
		last = r->winds_up || item->last;
		if (!r->winds_up) {
			take_problems(r, item);
			pipeline_follow(r->pipeline, item->batch);
			if (item->batch->counts != NULL)
				take_counts(r, item->batch);
		}
		if (last)
			pipeline_flush(r->pipeline);
		if (r->filling == NULL)
			break;
		r->filling->progress = item->progress;
		pipeline_count(r->pipeline, &r->filling->counts);
		r->filling->last = last;
		if (last || is_due(r, ++quiet)) {
			publish(r);
			quiet = 0;
		}
	}
	charset_release();
	return NULL;
}

/* Many news at once where packets are plenty, each at once where they are few. quiet: items since the last. */
static bool
is_due(const struct relay *r, unsigned quiet)
{
	const struct slot *s = r->filling;
	if (s->coverage != NULL)
		return true;
	if (s->count == 0 && s->problem_count == 0)
		return quiet >= QUIET_ITEMS;
	return s->count >= SLOT_NEWS / 2 || quiet >= QUIET_ITEMS || !intake_is_ready(r->intake);
}

static void
claim(struct relay *r)
{
	size_t at;
	r->filling = ring_claim(&r->ring, &at) ? &r->slots[at] : NULL;
	if (r->filling == NULL)
		return;
	arena_reset(&r->filling->arena);
	r->filling->count = r->filling->problem_count = 0;
	r->filling->problems = NULL;
	r->filling->coverage = NULL;
	r->filling->lost = 0;
	r->filling->last = false;
}

static void
publish(struct relay *r)
{
	if (r->filling == NULL)
		return;
	const bool last = r->filling->last;
	ring_publish(&r->ring);
	bell_ring(r->bell);
	if (!last)
		claim(r);
}

/* n has what it refers to in the slot's arena. */
static void
add(struct relay *r, const struct news *n)
{
	r->filling->news[r->filling->count++] = *n;
	if (r->filling->count == SLOT_NEWS)
		publish(r);
}

static void
on_flow(void *ctx, const struct flow_record *r)
{
	add_flow(ctx, NEWS_FLOW, r, true);
}

static void
on_watched(void *ctx, const struct flow_record *r, bool ended)
{
	add_flow(ctx, NEWS_WATCHED, r, ended);
}

static void
add_flow(struct relay *r, enum news_kind kind, const struct flow_record *flow, bool ended)
{
	if (r->filling == NULL)
		return;
	const struct flow_record *copy = keep_flow(&r->filling->arena, flow);
	if (copy == NULL)
		r->filling->lost++;
	else
		add(r, &(struct news){.kind = kind, .ended = ended, .of.flow = copy});
}

static void
on_transfer(void *ctx, const struct transfer_record *transfer, bool ended)
{
	struct relay *r = ctx;
	if (r->filling == NULL)
		return;
	const struct transfer_record *copy = keep_transfer(&r->filling->arena, transfer);
	if (copy == NULL)
		r->filling->lost++;
	else
		add(r, &(struct news){.kind = NEWS_TRANSFER, .ended = ended, .of.transfer = copy});
}

static void
on_time(void *ctx, int64_t now)
{
	struct relay *r = ctx;
	if (r->filling != NULL)
		add(r, &(struct news){.kind = NEWS_TIME, .of.time = now});
}

static void
on_attribution(void *ctx, struct attribution *a)
{
	struct relay *r = ctx;
	if (r->filling != NULL)
		add(r, &(struct news){.kind = NEWS_ATTRIBUTION, .of.attribution = a});
}

static void
take_counts(struct relay *r, const struct batch *b)
{
	struct relay_counts *c = r->filling != NULL ? arena_alloc(&r->filling->arena, sizeof *c) : NULL;
	if (c == NULL)
		return; /* they are asked for again */
	c->count = pipeline_coverage(r->pipeline, b, &c->coverage, c->counters, RELAY_COUNTERS);
	r->filling->coverage = c;
}

static void
take_problems(struct relay *r, const struct intake_item *item)
{
	struct slot *s = r->filling;
	if (item->problem_count == 0)
		return;
	const size_t count = s->problem_count + item->problem_count;
	char **all = arena_alloc(&s->arena, count * sizeof *all);
	if (all == NULL)
		return;
	if (s->problem_count > 0)
		memcpy(all, s->problems, s->problem_count * sizeof *all);
	s->problems = all;
	for (size_t i = 0; i < item->problem_count; i++) {
		char *sentence = arena_string(&s->arena, item->problems[i], strlen(item->problems[i]));
		if (sentence != NULL)
			all[s->problem_count++] = sentence;
	}
}

static void
deliver(const struct news *n, const struct news_ops *to, void *ctx)
{
	switch (n->kind) {
	case NEWS_FLOW: to->flow(ctx, n->of.flow); break;
	case NEWS_WATCHED: to->watched(ctx, n->of.flow, n->ended); break;
	case NEWS_TRANSFER: to->transfer(ctx, n->of.transfer, n->ended); break;
	case NEWS_TIME: to->time(ctx, n->of.time); break;
	case NEWS_ATTRIBUTION: to->attribution(ctx, n->of.attribution); break;
	}
}
