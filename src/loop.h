/*
 * The event loop: with the HTTP server's (src/web), the only file that knows libevent. Timers, signals, file descriptors, and a job that
 * is called again and again while nothing else waits (the replay).
 */
#ifndef WAYBILL_LOOP_H
#define WAYBILL_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct event_base;
struct loop_watch; /* a timer, a signal, a descriptor or a job */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Ignores SIGPIPE for the process: a peer that is gone is an error of write, not a signal. NULL: no memory. */
struct loop *loop_create(void);
void loop_destroy(struct loop *l); /* takes NULL; after all its watches */

/* libevent's own, for its HTTP server (src/web), and nobody else. */
struct event_base *loop_base(struct loop *l);

/* Runs until loop_stop, or until nothing is left to wait for. 0, or -1. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

/*
 * Watches: NULL when memory or descriptors are out. A callback may destroy any watch, its own included,
 * but a job ends itself by returning false.
 */
struct loop_watch *loop_timer(struct loop *l, void (*fn)(void *ctx), void *ctx);
void loop_timer_set(struct loop_watch *w, int64_t ns); /* once, ns from now; replaces */
void loop_timer_cancel(struct loop_watch *w);

struct loop_watch *loop_signal(struct loop *l, int signal, void (*fn)(void *ctx, int signal), void *ctx);
struct loop_watch *loop_fd(struct loop *l, int fd, int events, void (*fn)(void *ctx, int fd, int events), void *ctx);

/* fn returns true to be called again. Other events get their turn between calls. */
struct loop_watch *loop_job(struct loop *l, bool (*fn)(void *ctx), void *ctx);

void loop_watch_destroy(struct loop_watch *w); /* takes NULL */

#endif
