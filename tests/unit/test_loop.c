/* The loop: timers, descriptors, signals, and a job that lets them all go first. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop.h"

struct seen {
	struct loop *loop;
	struct loop_watch *self; /* to be destroyed by its own callback */
	char order[16];
	size_t count;
	unsigned jobs, jobs_wanted;
	int fd;
};

static void note(struct seen *s, char what);
static void first(void *ctx);
static void second(void *ctx);
static void never(void *ctx);
static void stop(void *ctx);
static void destroy_itself(void *ctx);
static void read_byte(void *ctx, int fd, int events);
static void write_byte(void *ctx, int fd, int events);
static void stop_by_signal(void *ctx, int signal);
static bool count_job(void *ctx);
static bool endless_job(void *ctx);

static void
test_timers(void **state)
{
	struct seen s = {.loop = loop_create()};
	struct loop_watch *a = loop_timer(s.loop, first, &s);
	struct loop_watch *b = loop_timer(s.loop, second, &s);
	struct loop_watch *c = loop_timer(s.loop, never, &s);
	struct loop_watch *d = loop_timer(s.loop, stop, &s);
	int64_t begin = clock_monotonic();
	(void)state;

	loop_timer_set(c, 5 * CLOCK_MILLISECOND);
	loop_timer_cancel(c);
	loop_timer_set(b, 10 * CLOCK_MILLISECOND);
	loop_timer_set(a, 60 * CLOCK_SECOND);
	loop_timer_set(a, 0); /* replaces */
	loop_timer_set(d, 20 * CLOCK_MILLISECOND);
	assert_int_equal(loop_run(s.loop), 0);
	assert_string_equal(s.order, "12");
	assert_true(clock_monotonic() - begin >= 19 * CLOCK_MILLISECOND);
	assert_true(clock_monotonic() - begin < 10 * CLOCK_SECOND);
	loop_watch_destroy(a);
	loop_watch_destroy(b);
	loop_watch_destroy(c);
	loop_watch_destroy(d);
	loop_destroy(s.loop);
}

static void
test_nothing_left(void **state)
{
	struct seen s = {.loop = loop_create()};
	(void)state;

	assert_int_equal(loop_run(s.loop), 0);
	s.self = loop_timer(s.loop, destroy_itself, &s);
	loop_timer_set(s.self, -5);
	assert_int_equal(loop_run(s.loop), 0);
	assert_string_equal(s.order, "x");
	loop_destroy(s.loop);
	loop_destroy(NULL);
	loop_watch_destroy(NULL);
}

static void
test_descriptors(void **state)
{
	struct seen s = {.loop = loop_create()};
	int ends[2];
	(void)state;

	assert_int_equal(pipe(ends), 0);
	s.fd = ends[1];
	struct loop_watch *r = loop_fd(s.loop, ends[0], LOOP_READ, read_byte, &s);
	s.self = loop_fd(s.loop, ends[1], LOOP_WRITE, write_byte, &s);
	assert_int_equal(loop_run(s.loop), 0);
	assert_string_equal(s.order, "wr");
	loop_watch_destroy(r);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1); /* and no SIGPIPE */
	close(ends[1]);
	loop_destroy(s.loop);
}

static void
test_job_runs_until_done(void **state)
{
	struct seen s = {.loop = loop_create(), .jobs_wanted = 1000};
	struct loop_watch *job = loop_job(s.loop, count_job, &s);
	(void)state;

	assert_int_equal(loop_run(s.loop), 0);
	assert_int_equal(s.jobs, 1000);
	loop_watch_destroy(job);
	loop_destroy(s.loop);
}

/* A job that never ends stops neither timers nor descriptors nor signals. */
static void
test_job_lets_others_go_first(void **state)
{
	struct seen s = {.loop = loop_create()};
	struct loop_watch *job = loop_job(s.loop, endless_job, &s);
	struct loop_watch *timer = loop_timer(s.loop, first, &s);
	struct loop_watch *sig = loop_signal(s.loop, SIGUSR1, stop_by_signal, &s);
	(void)state;

	loop_timer_set(timer, 2 * CLOCK_MILLISECOND);
	assert_int_equal(loop_run(s.loop), 0);
	assert_string_equal(s.order, "1s");
	assert_true(s.jobs > 0);
	loop_watch_destroy(sig);
	loop_watch_destroy(timer);
	loop_watch_destroy(job);
	loop_destroy(s.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_job_runs_until_done),
		cmocka_unit_test(test_job_lets_others_go_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

static void
note(struct seen *s, char what)
{
	assert_true(s->count + 1 < sizeof s->order);
	s->order[s->count++] = what;
}

static void
first(void *ctx)
{
	note(ctx, '1');
}

static void
second(void *ctx)
{
	note(ctx, '2');
}

static void
never(void *ctx)
{
	(void)ctx;
	fail_msg("a cancelled timer fired");
}

static void
stop(void *ctx)
{
	struct seen *s = ctx;
	loop_stop(s->loop);
}

static void
destroy_itself(void *ctx)
{
	struct seen *s = ctx;
	note(s, 'x');
	loop_watch_destroy(s->self);
}

static void
read_byte(void *ctx, int fd, int events)
{
	struct seen *s = ctx;
	char byte;

	assert_int_equal(events, LOOP_READ);
	assert_int_equal(read(fd, &byte, 1), 1);
	note(s, 'r');
	loop_stop(s->loop);
}

static void
write_byte(void *ctx, int fd, int events)
{
	struct seen *s = ctx;

	assert_int_equal(events, LOOP_WRITE);
	assert_int_equal(fd, s->fd);
	assert_int_equal(write(fd, "x", 1), 1);
	note(s, 'w');
	loop_watch_destroy(s->self);
}

static void
stop_by_signal(void *ctx, int signal)
{
	struct seen *s = ctx;

	assert_int_equal(signal, SIGUSR1);
	note(s, 's');
	loop_stop(s->loop);
}

static bool
count_job(void *ctx)
{
	struct seen *s = ctx;
	return ++s->jobs < s->jobs_wanted;
}

static bool
endless_job(void *ctx)
{
	struct seen *s = ctx;

	s->jobs++;
	if (s->count == 1 && s->order[0] == '1')
		raise(SIGUSR1);
	return true;
}
