#include "config.h"

/* The ring between two threads, and slabs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_slab),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
