/*
 * The event loop on libevent_core: a watch is one libevent event with our callback beside it.
 * Jobs have a lower priority than everything else and are re-armed as timers that are due at once, so
 * that between two calls of a job the kernel is asked and whatever waits goes first.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include <event2/event.h>

#include "loop.h"

enum { PRIORITY_URGENT, PRIORITY_JOB, PRIORITY_COUNT };

struct loop {
	struct event_base *base;
};

struct loop_watch {
	struct event *event;
	void *ctx;
	union {
		void (*timer)(void *ctx);
		void (*signal)(void *ctx, int signal);
		void (*fd)(void *ctx, int fd, int events);
		bool (*job)(void *ctx);
	} fn;
};

static const struct timeval at_once = {0, 0};

static struct event_base *base_create(void);
static struct loop_watch *watch_create(struct loop *l, int fd, short what, event_callback_fn callback,
    void *ctx, int priority);
static void timer_fired(evutil_socket_t fd, short what, void *arg);
static void signal_fired(evutil_socket_t signal, short what, void *arg);
static void fd_fired(evutil_socket_t fd, short what, void *arg);
static void job_fired(evutil_socket_t fd, short what, void *arg);
static struct timeval timeval_from_ns(int64_t ns);

struct loop *
loop_create(void)
{
	struct loop *l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->base = base_create();
	if (l->base == NULL || event_base_priority_init(l->base, PRIORITY_COUNT) != 0) {
		loop_destroy(l);
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	return l;
}

void
loop_destroy(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->base != NULL)
		event_base_free(l->base);
	free(l);
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

int
loop_run(struct loop *l)
{
	return event_base_dispatch(l->base) < 0 ? -1 : 0;
}

void
loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

struct loop_watch *
loop_timer(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct loop_watch *w = watch_create(l, -1, 0, timer_fired, ctx, PRIORITY_URGENT);
	if (w != NULL)
		w->fn.timer = fn;
	return w;
}

void
loop_timer_set(struct loop_watch *w, int64_t ns)
{
	struct timeval after = timeval_from_ns(ns);
	event_add(w->event, &after);
}

void
loop_timer_cancel(struct loop_watch *w)
{
	event_del(w->event);
}

struct loop_watch *
loop_signal(struct loop *l, int signal, void (*fn)(void *ctx, int signal), void *ctx)
{
	struct loop_watch *w = watch_create(l, signal, EV_SIGNAL | EV_PERSIST, signal_fired, ctx, PRIORITY_URGENT);
	if (w == NULL)
		return NULL;
	w->fn.signal = fn;
	if (event_add(w->event, NULL) != 0) {
		loop_watch_destroy(w);
		return NULL;
	}
	return w;
}

struct loop_watch *
loop_fd(struct loop *l, int fd, int events, void (*fn)(void *ctx, int fd, int events), void *ctx)
{
	short what = (short)((events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0) | EV_PERSIST);
	struct loop_watch *w = watch_create(l, fd, what, fd_fired, ctx, PRIORITY_URGENT);
	if (w == NULL)
		return NULL;
	w->fn.fd = fn;
	if (event_add(w->event, NULL) != 0) {
		loop_watch_destroy(w);
		return NULL;
	}
	return w;
}

struct loop_watch *
loop_job(struct loop *l, bool (*fn)(void *ctx), void *ctx)
{
	struct loop_watch *w = watch_create(l, -1, 0, job_fired, ctx, PRIORITY_JOB);
	if (w == NULL)
		return NULL;
	w->fn.job = fn;
	if (event_add(w->event, &at_once) != 0) {
		loop_watch_destroy(w);
		return NULL;
	}
	return w;
}

void
loop_watch_destroy(struct loop_watch *w)
{
	if (w == NULL)
		return;
	if (w->event != NULL)
		event_free(w->event);
	free(w);
}

/* With exact timers: the kernel's coarse clock would let them fire some milliseconds early. */
static struct event_base *
base_create(void)
{
	struct event_base *base = NULL;
	struct event_config *config = event_config_new();

	if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return base;
}

/* A watch that is not yet armed. */
static struct loop_watch *
watch_create(struct loop *l, int fd, short what, event_callback_fn callback, void *ctx, int priority)
{
	struct loop_watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->ctx = ctx;
	w->event = event_new(l->base, fd, what, callback, w);
	if (w->event == NULL || event_priority_set(w->event, priority) != 0) {
		loop_watch_destroy(w);
		return NULL;
	}
	return w;
}

/* A callback may destroy its own watch: nothing is touched after it. */
static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;
	(void)fd, (void)what;
	w->fn.timer(w->ctx);
}

static void
signal_fired(evutil_socket_t signal, short what, void *arg)
{
	struct loop_watch *w = arg;
	(void)what;
	w->fn.signal(w->ctx, signal);
}

static void
fd_fired(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;
	int events = (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0);
	w->fn.fd(w->ctx, fd, events);
}

static void
job_fired(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;
	(void)fd, (void)what;
	if (w->fn.job(w->ctx))
		event_add(w->event, &at_once);
}

/* Rounded up to libevent's microseconds: a timer is never early. A past time is now. */
static struct timeval
timeval_from_ns(int64_t ns)
{
	int64_t us = ns > 0 ? (ns - 1) / 1000 + 1 : 0;
	return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}
