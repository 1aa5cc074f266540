#include "config.h"

/* The ring between two threads, and slabs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/ring.h"
#include "base/slab.h"

enum { SLOTS = 4, NUMBERS = 200000 };

struct line {
	struct ring ring;
	uint64_t slots[SLOTS];
};

static void *
fill(void *arg)
{
	struct line *l = arg;
	size_t slot;
	for (uint64_t n = 1; n <= NUMBERS && ring_claim(&l->ring, &slot); n++) {
		l->slots[slot] = n;
		ring_publish(&l->ring);
	}
	return NULL;
}

/* What one thread fills in the other one takes, all of it and in order. */
static void
test_order(void **state)
{
	(void)state;
	static struct line l;
	pthread_t thread;
	size_t slot;
	ring_init(&l.ring, SLOTS);
	assert_int_equal(pthread_create(&thread, NULL, fill, &l), 0);
	for (uint64_t n = 1; n <= NUMBERS; n++) {
		while (!ring_take(&l.ring, &slot, CLOCK_SECOND))
			;
		assert_int_equal(l.slots[slot], n);
		l.slots[slot] = 0;
		ring_release(&l.ring);
	}
	pthread_join(thread, NULL);
	assert_false(ring_take(&l.ring, &slot, CLOCK_MILLISECOND));
	ring_clear(&l.ring);
}

/* Who waits for room in a full ring gives up when it is stopped. */
static void
test_stop(void **state)
{
	(void)state;
	static struct line l;
	pthread_t thread;
	size_t slot;
	ring_init(&l.ring, SLOTS);
	assert_int_equal(pthread_create(&thread, NULL, fill, &l), 0);
	while (!ring_take(&l.ring, &slot, CLOCK_SECOND))
		;
	ring_stop(&l.ring);
	pthread_join(thread, NULL);
	assert_true(l.ring.filled <= SLOTS + 1);
	assert_false(ring_claim(&l.ring, &slot));
	ring_clear(&l.ring);
}

/* Things do not overlap, hold what was written, and come again after they were given back. */
static void
test_slab(void **state)
{
	(void)state;
	enum { SIZE = 72, THINGS = 5000 };
	static uint8_t *things[THINGS];
	struct slab s;
	slab_init(&s, SIZE);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < THINGS; i++) {
			things[i] = slab_take(&s);
			assert_non_null(things[i]);
			memset(things[i], i & 0xff, SIZE);
		}
		for (int i = 0; i < THINGS; i++) {
			for (int k = 0; k < SIZE; k++)
				assert_int_equal(things[i][k], i & 0xff);
			slab_give(&s, things[i]);
		}
	}
	slab_give(&s, NULL);
	slab_clear(&s);
}

/* Bytes of the process in memory: proc_pid_statm(5). */
static long
resident(void)
{
	long all, pages;
	FILE *f = fopen("/proc/self/statm", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &all, &pages), 2);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* What a flood took goes back: the oldest go first while some come anew, as in a table that is full. */
static void
test_slab_gives_back(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* which keeps what was given back */
#endif
	enum { SIZE = 72, THINGS = 200000, FEW = 8 };
	static void *things[THINGS + THINGS / FEW];
	struct slab s;
	size_t taken = 0;
	memset(things, 0, sizeof things);
	const long before = resident();
	slab_init(&s, SIZE);
	while (taken < THINGS)
		assert_non_null(things[taken++] = slab_take(&s));
	for (size_t given = 0; given < THINGS; given++) {
		slab_give(&s, things[given]);
		if (given % FEW == 0)
			assert_non_null(things[taken++] = slab_take(&s));
	}
	assert_true(resident() - before < 6 * 1000 * 1000); /* 14.4 MB were taken, 1.8 are */
	while (taken > THINGS)
		slab_give(&s, things[--taken]);
	slab_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_slab),
		cmocka_unit_test(test_slab_gives_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
