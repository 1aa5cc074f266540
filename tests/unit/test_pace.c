/* How full the kernel's ring is, told by how late frames are; by the system's clock and by an adapter's. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pace.h"

enum { RING = 128 << 20, STEP_MS = 10 };

static const int64_t ms = CLOCK_MILLISECOND, wall = 1700000000 * CLOCK_SECOND;

/* Frames each 10 ms for so long, late by so much, the clock that times them ahead of the system's; the last one's percentage. */
static unsigned
run(struct pace *p, int64_t *now, int64_t seconds, int64_t late_by, int64_t ahead)
{
	unsigned percent = 0;
	for (int64_t i = 0; i < seconds * 1000 / STEP_MS; i++) {
		*now += STEP_MS * ms;
		const int64_t end = *now - late_by + ahead;
		pace_frames(p, 1, 1000, end, *now);
		percent = pace_waiting(p, end, *now);
	}
	return percent;
}

static void
test_system_clock(void **state)
{
	(void)state;
	struct pace p = {.ring = RING};
	int64_t now = wall;
	/* Where little comes each block of 256 KB is used for 5 ms: 128 MB last for 2.56 s. */
	assert_int_equal(run(&p, &now, 1, 4 * ms, 0), 0);
	assert_in_range(run(&p, &now, 1, 640 * ms, 0), 24, 26);
	assert_in_range(run(&p, &now, 60, 1280 * ms, 0), 49, 51); /* however long it lasts */
	assert_int_equal(run(&p, &now, 1, -3600 * CLOCK_SECOND, 0), 0);
	assert_int_equal(run(&p, &now, 1, 3600 * CLOCK_SECOND, 0), 0); /* a clock that was set */
	assert_int_equal(pace_ahead(&p), 0);
}

/* More comes: the ring is full sooner. */
static void
test_pace_of_frames(void **state)
{
	(void)state;
	struct pace p = {.ring = RING};
	int64_t now = wall;
	for (int i = 0; i < 100; i++) {
		now += 10 * ms;
		pace_frames(&p, 1000, 4000000, now - 160 * ms, now); /* 400 MB/s and the kernel's heads */
	}
	assert_in_range(pace_waiting(&p, now - 160 * ms, now), 45, 55);
}

static void
test_adapter_clock(void **state)
{
	(void)state;
	static const int64_t aheads[] = {0, 37000, -5000, -1700000000000};
	for (size_t i = 0; i < sizeof aheads / sizeof aheads[0]; i++) {
		struct pace p = {.ring = RING, .other_clock = true};
		int64_t now = wall;
		const int64_t ahead = aheads[i] * ms;
		assert_int_equal(pace_ahead(&p), 0);
		assert_int_equal(run(&p, &now, 30, 4 * ms, ahead), 0);
		assert_int_equal(pace_ahead(&p), 4 * ms - ahead);
		assert_in_range(run(&p, &now, 2, 644 * ms, ahead), 24, 26);
		assert_int_equal(run(&p, &now, 5, 4 * ms, ahead), 0);
		/* The adapter's clock is set: after a while that is what it is. */
		assert_int_equal(run(&p, &now, 21, 4 * ms, ahead - 1280 * ms), 0);
		assert_int_equal(pace_ahead(&p), 1284 * ms - ahead);
		assert_int_equal(run(&p, &now, 1, 4 * ms, ahead + 5000 * ms), 0);
		/* Nothing came for long. */
		now += 3600 * CLOCK_SECOND;
		assert_int_equal(run(&p, &now, 1, 4 * ms, ahead + 360 * ms), 0);
		assert_int_equal(pace_ahead(&p), 4 * ms - ahead - 360 * ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system_clock), cmocka_unit_test(test_pace_of_frames), cmocka_unit_test(test_adapter_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
