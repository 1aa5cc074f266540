#include "config.h"

#include "intake.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ring.h"
#include "base/text.h"
#include "pace.h"

enum {
	ITEMS = 16,                   /* in the ring, the one that was handed out included */
	ITEM_BYTES = 200 * 1024,      /* of frames in one item, where they are copied; one longer frame is one item */
	SENTENCE_MAX = 1024,
};
static const int64_t patience = 50 * CLOCK_MILLISECOND; /* after which the caller has a turn for other things */
static const int64_t late = CLOCK_SECOND; /* a frame comes out of the kernel's ring no later than so */
static const int64_t clock_off = CLOCK_SECOND;           /* by so much, an adapter's clock is told of */
static const int64_t repeat_after = 60 * CLOCK_SECOND;   /* that packets are shed is told this often */
static const int64_t last_look = CLOCK_SECOND; /* at interfaces, after intake_finish */

/* An item and the frames in it, which outlive the capture's buffer. */
struct slot {
	struct intake_item item;
	uint8_t *bytes;
	size_t room;
};

struct intake {
	struct capture *capture;           /* files; or NULL, and */
	struct live *live;                 /* interfaces */
	atomic_bool finishes;              /* nothing more is wanted of those */
	struct pace pace;                  /* of those */
	bool told_clock;
	struct intake_common *common;      /* of interfaces */
	int64_t finish_by;                 /* monotonic; 0: not yet known */
	struct pipeline *pipeline;
	struct slot slots[ITEMS];
	struct slot *filling;              /* whose problems are being told */
	struct slot *taken;                /* the caller's */
	struct frame frames[BATCH_FRAMES]; /* as the capture gave them */
	size_t frame_at, frame_count;      /* those not yet in an item */

	bool ahead;
	struct ring ring;
	pthread_t thread;
	bool started, handed_out, ended;
};

static void on_problem(void *ctx, const struct capture_problem *problem);
static void *run(void *arg);
static void fill(struct intake *in, struct slot *s);
static bool fetch(struct intake *in);
static void fill_live(struct intake *in, struct slot *s);
static void tell_clock(struct intake *in, int64_t ahead);
static void tell_behind(struct intake *in);
static bool is_over(struct intake *in, size_t count);
static size_t keep_frames(struct slot *s, struct frame *frames, size_t count);
static void clear_problems(struct intake_item *item);

struct intake *
intake_open(const char *const *paths, size_t count, const char *filter, char *error, size_t size)
{
	static const struct capture_ops ops = {on_problem};
	char why[SENTENCE_MAX];
	struct intake *in = calloc(1, sizeof *in);
	if (in == NULL) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	ring_init(&in->ring, ITEMS);
	in->filling = in->taken = &in->slots[0];
	in->capture = capture_open(paths, count, &ops, in, error, size);
	if (in->capture == NULL) {
		intake_close(in);
		return NULL;
	}
	if (filter != NULL && capture_filter(in->capture, filter, why, sizeof why) < 0) {
		snprintf(error, size, "'%s' names no file, and is no filter: %s", filter, why);
		intake_close(in);
		return NULL;
	}
	return in;
}

struct intake *
intake_open_live(const struct live_conf *conf, struct intake_common *common, const char *const *interfaces, size_t count,
                 const char *filter, enum live_refusal *refusal, char *error, size_t size)
{
	static const struct capture_ops ops = {on_problem};
	struct intake *in = calloc(1, sizeof *in);
	*refusal = LIVE_REFUSED;
	if (in == NULL) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	ring_init(&in->ring, ITEMS);
	in->filling = in->taken = &in->slots[0];
	in->common = common;
	in->pace = (struct pace){.ring = conf->ring > 0 ? conf->ring : LIVE_RING_DEFAULT, .other_clock = conf->clock != LIVE_CLOCK_HOST};
	in->live = live_open(conf, interfaces, count, filter, &ops, in, refusal, error, size);
	if (in->live == NULL) {
		intake_close(in);
		return NULL;
	}
	return in;
}

int
intake_start(struct intake *in, struct pipeline *p, bool ahead)
{
	in->pipeline = p;
	in->ahead = ahead;
	for (size_t i = 0; i < (ahead ? ITEMS : 1); i++) {
		in->slots[i].item.batch = batch_create();
		if (in->slots[i].item.batch == NULL)
			return -1;
	}
	if (!ahead)
		return 0;
	/* Signals are the caller's. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	in->started = pthread_create(&in->thread, NULL, run, in) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return in->started ? 0 : -1;
}

const struct intake_item *
intake_next(struct intake *in)
{
	if (in->ended)
		return &in->taken->item;
	if (!in->ahead) {
		if (in->handed_out)
			clear_problems(&in->taken->item);
		fill(in, in->taken);
	} else {
		size_t slot;
		if (in->handed_out)
			ring_release(&in->ring);
		in->handed_out = ring_take(&in->ring, &slot, patience);
		if (!in->handed_out)
			return NULL;
		in->taken = &in->slots[slot];
	}
	in->handed_out = true;
	in->ended = in->taken->item.last;
	return &in->taken->item;
}

bool
intake_is_ready(const struct intake *in)
{
	return in->ring.filled - in->ring.emptied > 1; /* one is in the caller's hands */
}

void
intake_finish(struct intake *in)
{
	in->finishes = true;
}

void
intake_stop(struct intake *in)
{
	if (in->started) {
		ring_stop(&in->ring);
		pthread_join(in->thread, NULL);
	}
	in->started = false;
	in->ended = true;
}

void
intake_close(struct intake *in)
{
	if (in == NULL)
		return;
	intake_stop(in);
	for (size_t i = 0; i < ITEMS; i++) {
		clear_problems(&in->slots[i].item);
		batch_destroy(in->slots[i].item.batch);
		free(in->slots[i].bytes);
	}
	capture_close(in->capture);
	live_close(in->live);
	ring_clear(&in->ring);
	free(in);
}

bool
intake_incomplete(const struct intake *in)
{
	return in->capture != NULL && capture_incomplete(in->capture);
}

/* The reading thread. */
static void *
run(void *arg)
{
	struct intake *in = arg;
	size_t slot;
	for (bool first = true, last = false; !last && ring_claim(&in->ring, &slot); first = false) {
		struct slot *s = &in->slots[slot];
		if (!first)
			clear_problems(&s->item); /* what was told before the start stays in the first item */
		fill(in, s);
		last = s->item.last;
		ring_publish(&in->ring);
	}
	return NULL;
}

/* Reads the capture once, and decodes what came. */
static void
fill(struct intake *in, struct slot *s)
{
	in->filling = s;
	if (in->live != NULL) {
		fill_live(in, s);
		return;
	}
	s->item.last = !fetch(in);
	struct frame *frames = in->frames + in->frame_at;
	size_t count = in->frame_count - in->frame_at;
	if (in->ahead)
		count = keep_frames(s, frames, count);
	in->frame_at += count;
	pipeline_decode(in->pipeline, frames, count, s->item.batch);
	capture_progress(in->capture, &s->item.progress);
}

/* What the interfaces have, or that there was nothing for a while. */
static void
fill_live(struct intake *in, struct slot *s)
{
	struct live_counts counts;
	if (s->bytes == NULL)
		s->bytes = malloc(live_room(in->live, BATCH_FRAMES));
	const size_t count = s->bytes != NULL ? live_batch(in->live, in->frames, BATCH_FRAMES, s->bytes, patience) : 0;
	struct batch *b = s->item.batch;
	pipeline_decode(in->pipeline, in->frames, count, b);
	const int64_t now = clock_now();
	if (count > 0) {
		pace_frames(&in->pace, b->frames, b->bytes, b->end, now);
		b->waiting = pace_waiting(&in->pace, b->end, now);
		tell_clock(in, pace_ahead(&in->pace));
	}
	b->now = now - pace_ahead(&in->pace); /* by the frames' clock */
	if (count == 0)
		b->idle = b->now - late;
	if (b->waiting >= PIPELINE_SHED_CONTENT)
		tell_behind(in);
	s->item.last = is_over(in, count);
	live_counts(in->live, s->item.last, &counts);
	s->item.progress = (struct capture_progress){.frames = counts.frames, .bytes = counts.bytes,
	        .dropped_ring = counts.dropped_ring, .dropped_interface = counts.dropped_interface};
}

/* Once: events have the frames' times, and those of a clock that was never set are of no use. */
static void
tell_clock(struct intake *in, int64_t ahead)
{
	char what[160];
	if (in->told_clock || (ahead < clock_off && ahead > -clock_off))
		return;
	in->told_clock = true;
	snprintf(what, sizeof what, "the adapter's clock is %.1f s %s the system's, and times are by the adapter's: is it set (phc2sys)?",
	        (double)(ahead < 0 ? -ahead : ahead) / CLOCK_SECOND, ahead > 0 ? "behind" : "ahead of");
	on_problem(in, &(struct capture_problem){.path = "interfaces", .what = what});
}

static void
tell_behind(struct intake *in)
{
	const int64_t now = clock_monotonic();
	int64_t told = in->common->told_behind;
	if ((told != 0 && now - told < repeat_after) || !atomic_compare_exchange_strong(&in->common->told_behind, &told, now))
		return;
	on_problem(in, &(struct capture_problem){.path = "interfaces",
	        .what = "more comes than can be followed: for a while only flows with a listed end are read, the others classified or counted"});
}

/* After intake_finish the rings are emptied, for a while. */
static bool
is_over(struct intake *in, size_t count)
{
	if (!in->finishes)
		return false;
	const int64_t now = clock_monotonic();
	if (in->finish_by == 0)
		in->finish_by = now + last_look;
	return count == 0 || now >= in->finish_by;
}

/* More frames, where all that came are in items. False: there are no more. */
static bool
fetch(struct intake *in)
{
	if (in->frame_at < in->frame_count)
		return true;
	in->frame_at = 0;
	in->frame_count = capture_batch(in->capture, in->frames, BATCH_FRAMES);
	return in->frame_count > 0;
}

/* Copies the bytes of as many frames as have room, one at least, and makes the frames refer to the copies. */
static size_t
keep_frames(struct slot *s, struct frame *frames, size_t count)
{
	size_t used = 0, n = 0;
	if (count > 0 && frames[0].caplen > s->room) {
		free(s->bytes);
		s->room = frames[0].caplen > ITEM_BYTES ? frames[0].caplen : ITEM_BYTES;
		s->bytes = malloc(s->room);
		if (s->bytes == NULL)
			s->room = 0;
	}
	for (; n < count && frames[n].caplen <= s->room - used; n++) {
		memcpy(s->bytes + used, frames[n].data, frames[n].caplen);
		frames[n].data = s->bytes + used;
		used += frames[n].caplen;
	}
	if (n == 0 && count > 0) { /* no memory even for one: it is told as cut off */
		frames[0].caplen = 0;
		n = 1;
	}
	return n;
}

static void
on_problem(void *ctx, const struct capture_problem *problem)
{
	struct intake *in = ctx;
	struct intake_item *item = &in->filling->item;
	char path[512], sentence[SENTENCE_MAX];
	const char *named = strcmp(problem->path, "-") == 0 ? "standard input" : problem->path;
	text_escape(path, sizeof path, named, strlen(named));
	if (problem->packet > 0)
		snprintf(sentence, sizeof sentence, "%s: packet %llu, offset %llu: %s", path,
		        (unsigned long long)problem->packet, (unsigned long long)problem->offset, problem->what);
	else
		snprintf(sentence, sizeof sentence, "%s: %s", path, problem->what);
	char **grown = realloc(item->problems, (item->problem_count + 1) * sizeof *grown);
	if (grown == NULL)
		return;
	item->problems = grown;
	grown[item->problem_count] = strdup(sentence);
	if (grown[item->problem_count] != NULL)
		item->problem_count++;
}

static void
clear_problems(struct intake_item *item)
{
	for (size_t i = 0; i < item->problem_count; i++)
		free(item->problems[i]);
	free(item->problems);
	item->problems = NULL;
	item->problem_count = 0;
}
