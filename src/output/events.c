/*
 * Events as lines of JSON, to a file or standard output. Lines are collected and written in large
 * chunks; an alert, and in a running loop a second's time, sends them off at once. A write that fails is
 * remembered and told at the end, with the number of lines that were lost.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop.h"
#include "output/json.h"
#include "output/output.h"

enum {
	EVENTS_CHUNK = 256 * 1024, /* collected before a write */
	EVENTS_LINE = 16 * 1024,   /* most lines are shorter; for others the buffer grows */
};

struct events {
	char *path;
	int fd;
	unsigned wanted;            /* EVENT_* */
	char *observer;             /* or NULL */
	struct json chunk;          /* whole lines, and the one that is being written */
	uint64_t chunk_lines;
	int failure;                /* errno of the first write that failed, or 0 */
	uint64_t lost;              /* lines */
	struct loop_watch *timer;   /* or NULL */
};

static int events_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size);
static bool events_wants_flows(const void *state);
static void events_flow(void *state, const struct flow_record *r);
static void events_transfer(void *state, const struct transfer_record *r);
static void events_alert(void *state, const struct alert *a);
static void events_coverage(void *state, const struct coverage *c);
static int events_finish(void *state, char *error, size_t error_size);
static void events_close(void *state);
static void on_timer(void *ctx);
static struct event_stamp stamp_now(const struct events *e);
static void collect(struct events *e);
static void flush(struct events *e);
static int write_all(int fd, const char *bytes, size_t len);

const struct sink sink_events = {
	.name = "events",
	.open = events_open,
	.wants_flows = events_wants_flows,
	.flow = events_flow,
	.transfer = events_transfer,
	.alert = events_alert,
	.coverage = events_coverage,
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
	e->fd = -1;
	e->wanted = conf->events;
	e->path = strdup(conf->events_path);
	e->observer = conf->observer_name != NULL ? strdup(conf->observer_name) : NULL;
	if (e->path == NULL || !json_reserve(&e->chunk, EVENTS_CHUNK + EVENTS_LINE) ||
	        (e->observer == NULL && conf->observer_name != NULL))
		goto memory;

	if (strcmp(e->path, "-") == 0)
		e->fd = STDOUT_FILENO;
	else
		e->fd = open(e->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0640);
	if (e->fd < 0) {
		snprintf(error, error_size, "cannot write events to %s: %s", e->path, strerror(errno));
		goto fail;
	}
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

static void
on_timer(void *ctx)
{
	struct events *e = ctx;

	flush(e);
	loop_timer_set(e->timer, CLOCK_SECOND);
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
		collect(e);
	}
}

static void
events_transfer(void *state, const struct transfer_record *r)
{
	struct events *e = state;

	if (e->wanted & EVENT_TRANSFER) {
		struct event_stamp stamp = stamp_now(e);
		event_write_transfer(&e->chunk, r, &stamp);
		collect(e);
	}
}

static void
events_alert(void *state, const struct alert *a)
{
	struct events *e = state;

	if (e->wanted & EVENT_ALERT) {
		struct event_stamp stamp = stamp_now(e);
		event_write_alert(&e->chunk, a, &stamp);
		collect(e);
		flush(e);
	}
}

static void
events_coverage(void *state, const struct coverage *c)
{
	struct events *e = state;

	if (e->wanted & EVENT_COVERAGE) {
		struct event_stamp stamp = stamp_now(e);
		event_write_coverage(&e->chunk, c, &stamp);
		collect(e);
	}
}

static struct event_stamp
stamp_now(const struct events *e)
{
	return (struct event_stamp){.ingested = clock_now(), .observer = e->observer};
}

/* The line that was written now belongs to the chunk. */
static void
collect(struct events *e)
{
	json_put(&e->chunk, "\n", 1);
	if (e->chunk.failed) {
		e->failure = e->failure != 0 ? e->failure : ENOMEM;
		e->lost++;
		json_reset(&e->chunk);
		return;
	}
	json_keep(&e->chunk);
	e->chunk_lines++;
	if (e->chunk.len >= EVENTS_CHUNK)
		flush(e);
}

/* After a failure nothing more is written: a file with a hole in it would look whole. */
static void
flush(struct events *e)
{
	if (e->failure == 0 && write_all(e->fd, e->chunk.bytes, e->chunk.len) != 0)
		e->failure = errno;
	if (e->failure != 0)
		e->lost += e->chunk_lines;
	e->chunk_lines = 0;
	e->chunk.kept = 0;
	json_reset(&e->chunk);
}

/* 0, or -1 and errno. Waits where the reader of a pipe is slower than we are. */
static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);
		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};
			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static int
events_finish(void *state, char *error, size_t error_size)
{
	struct events *e = state;

	flush(e);
	/* A full disk may be told as late as here. */
	if (e->fd != STDOUT_FILENO && e->fd >= 0) {
		if (close(e->fd) != 0 && e->failure == 0)
			e->failure = errno;
		e->fd = -1;
	}
	if (e->failure == 0)
		return 0;
	snprintf(error, error_size, "cannot write events to %s: %s (up to %llu events are lost)", e->path,
		strerror(e->failure), (unsigned long long)e->lost);
	return -1;
}

static void
events_close(void *state)
{
	struct events *e = state;

	if (e->timer != NULL)
		loop_watch_destroy(e->timer);
	if (e->fd >= 0 && e->fd != STDOUT_FILENO)
		(void)close(e->fd);
	json_clear(&e->chunk);
	free(e->observer);
	free(e->path);
	free(e);
}
