/*
 * Events as lines of JSON, to a file or standard output. Lines are collected and written in large
 * chunks; an alert, and in a running loop a second's time, sends them off at once. What becomes of the file, and of
 * lines that can't be written, is in lines.h.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loop.h"
#include "output/json.h"
#include "output/lines.h"
#include "output/output.h"

enum {
	EVENTS_CHUNK = 256 * 1024, /* collected before a write */
	EVENTS_LINE = 16 * 1024,   /* most lines are shorter; for others the buffer grows */
};

struct events {
	struct lines *lines;
	unsigned wanted;            /* EVENT_* */
	char *path, *observer;      /* observer: or NULL */
	struct json chunk;          /* whole lines, and the one that is being written */
	size_t chunk_lines;
	enum lines_worth worth;     /* of the best of them */
	uint64_t lost;              /* for want of memory */
	struct loop_watch *timer;   /* or NULL */
};

static int events_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size);
static bool events_wants_flows(const void *state);
static void events_flow(void *state, const struct flow_record *r);
static void events_transfer(void *state, const struct transfer_record *r);
static void events_alert(void *state, const struct alert *a);
static void events_coverage(void *state, const struct coverage *c);
static void events_reopen(void *state);
static void events_condition(const void *state, struct output_condition *out);
static void events_reload(void *state, const struct reload_record *r);
static void events_stats(void *state, const struct stats_record *s);
static int events_finish(void *state, char *error, size_t error_size);
static void events_close(void *state);
static struct lines *open_lines(const struct output_conf *conf, const char *path, char *error, size_t error_size);
static void on_timer(void *ctx);
static struct event_stamp stamp_now(const struct events *e);
static void collect(struct events *e, enum lines_worth worth);
static void flush(struct events *e);

const struct sink sink_events = {
	.name = "events",
	.open = events_open,
	.wants_flows = events_wants_flows,
	.flow = events_flow,
	.transfer = events_transfer,
	.alert = events_alert,
	.coverage = events_coverage,
	.reopen = events_reopen,
	.condition = events_condition,
	.reload = events_reload,
	.stats = events_stats,
	.finish = events_finish,
	.close = events_close,
};

static int
events_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size)
{
	if (conf->events_path == NULL)
		return 0;
	struct events *e = calloc(1, sizeof *e);
	if (e == NULL)
		goto memory;
	json_init(&e->chunk);
	e->wanted = conf->events;
	e->path = strdup(conf->events_path);
	e->observer = conf->observer_name != NULL ? strdup(conf->observer_name) : NULL;
	if (e->path == NULL || !json_reserve(&e->chunk, EVENTS_CHUNK + EVENTS_LINE) ||
	        (e->observer == NULL && conf->observer_name != NULL))
		goto memory;
	e->lines = open_lines(conf, e->path, error, error_size);
	if (e->lines == NULL)
		goto fail;
	if (loop != NULL)
		e->timer = loop_timer(loop, on_timer, e);
	if (e->timer != NULL)
		loop_timer_set(e->timer, CLOCK_SECOND);
	*state = e;
	return 0;
memory:
	snprintf(error, error_size, "out of memory");
fail:
	if (e != NULL)
		events_close(e);
	return -1;
}

static struct lines *
open_lines(const struct output_conf *conf, const char *path, char *error, size_t error_size)
{
	const struct lines_conf file = {
		.path = path,
		.append = conf->events_append,
		.durable = conf->events_append, /* a replay can be run again */
		.rotate_size = conf->rotate_size,
		.rotate_time = conf->rotate_time,
		.keep = conf->rotate_keep,
		.backlog = conf->backlog,
	};
	return lines_open(&file, error, error_size);
}

static void
on_timer(void *ctx)
{
	struct events *e = ctx;

	flush(e);
	lines_tick(e->lines);
	loop_timer_set(e->timer, CLOCK_SECOND);
}

static void
events_reopen(void *state)
{
	struct events *e = state;

	flush(e); /* what was told until now belongs to the old file */
	(void)lines_reopen(e->lines);
}

static void
events_condition(const void *state, struct output_condition *out)
{
	const struct events *e = state;
	struct lines_state lines;

	lines_state(e->lines, &lines);
	out->events_failure = lines.failure;
	out->events_since = lines.since;
	out->events_failing = lines.failing;
	out->events_waiting = lines.waiting;
	out->events_lost = lines.lost + e->lost;
	out->alerts_lost += lines.lost_most;
	out->rotations = lines.rotated;
	out->events_path = e->path;
}

static bool
events_wants_flows(const void *state)
{
	const struct events *e = state;

	return e->wanted & EVENT_FLOW;
}

static void
events_flow(void *state, const struct flow_record *r)
{
	struct events *e = state;

	if (e->wanted & EVENT_FLOW) {
		struct event_stamp stamp = stamp_now(e);
		event_write_flow(&e->chunk, r, &stamp);
		collect(e, LINES_LITTLE);
	}
}

static void
events_transfer(void *state, const struct transfer_record *r)
{
	struct events *e = state;

	if (e->wanted & EVENT_TRANSFER) {
		struct event_stamp stamp = stamp_now(e);
		event_write_transfer(&e->chunk, r, &stamp);
		collect(e, LINES_MORE);
	}
}

static void
events_alert(void *state, const struct alert *a)
{
	struct events *e = state;

	if (e->wanted & EVENT_ALERT) {
		struct event_stamp stamp = stamp_now(e);
		event_write_alert(&e->chunk, a, &stamp);
		collect(e, LINES_MOST);
		flush(e);
		lines_sync_soon(e->lines);
	}
}

static void
events_coverage(void *state, const struct coverage *c)
{
	struct events *e = state;

	if (e->wanted & EVENT_COVERAGE) {
		struct event_stamp stamp = stamp_now(e);
		event_write_coverage(&e->chunk, c, &stamp);
		collect(e, LINES_MOST);
	}
}

/* It says what later events are judged by, as coverage says what they were found in. */
static void
events_reload(void *state, const struct reload_record *r)
{
	struct events *e = state;

	if (e->wanted & EVENT_COVERAGE) {
		struct event_stamp stamp = stamp_now(e);
		event_write_reload(&e->chunk, r, &stamp);
		collect(e, LINES_MOST);
	}
}

static void
events_stats(void *state, const struct stats_record *s)
{
	struct events *e = state;

	if ((e->wanted & EVENT_STATS) || s->asked) {
		struct event_stamp stamp = stamp_now(e);
		event_write_stats(&e->chunk, s, &stamp);
		collect(e, LINES_LITTLE);
		flush(e);
	}
}

static struct event_stamp
stamp_now(const struct events *e)
{
	return (struct event_stamp){.ingested = clock_now(), .observer = e->observer};
}

/* The line that was written now belongs to the chunk. */
static void
collect(struct events *e, enum lines_worth worth)
{
	json_put(&e->chunk, "\n", 1);
	if (e->chunk.failed) {
		e->lost++;
		json_reset(&e->chunk);
		return;
	}
	json_keep(&e->chunk);
	e->chunk_lines++;
	if (worth > e->worth)
		e->worth = worth;
	if (e->chunk.len >= EVENTS_CHUNK || lines_failing(e->lines))
		flush(e);
}

static void
flush(struct events *e)
{
	if (e->chunk_lines > 0)
		lines_write(e->lines, e->chunk.bytes, e->chunk.kept, e->chunk_lines, e->worth);
	e->chunk_lines = 0;
	e->worth = LINES_LITTLE;
	e->chunk.kept = 0;
	json_reset(&e->chunk);
}

static int
events_finish(void *state, char *error, size_t error_size)
{
	struct events *e = state;

	flush(e);
	if (lines_finish(e->lines, error, error_size) != 0)
		return -1;
	if (e->lost == 0)
		return 0;
	snprintf(error, error_size, "out of memory for %llu events: they are lost", (unsigned long long)e->lost);
	return -1;
}

static void
events_close(void *state)
{
	struct events *e = state;

	if (e->timer != NULL)
		loop_watch_destroy(e->timer);
	lines_close(e->lines);
	json_clear(&e->chunk);
	free(e->observer);
	free(e->path);
	free(e);
}
