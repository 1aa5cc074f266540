#include "config.h"

#include "pace.h"

#include "base/clock.h"
#include "capture/live.h"

static const int64_t pace_over = 20 * CLOCK_MILLISECOND; /* packet time that it is measured over */
static const int64_t while_of = 10 * CLOCK_SECOND; /* the least is that of one to two of these: clocks drift less than a ms meanwhile */

static void take_least(struct pace *p, int64_t late_by, int64_t now);

void
pace_frames(struct pace *p, uint64_t frames, uint64_t bytes, int64_t end, int64_t now)
{
	enum { FRAME_COST = 96 }; /* bytes that the kernel puts before each frame */
	p->bytes += bytes + frames * FRAME_COST;
	const int64_t span = end - p->begin;
	if (span >= pace_over || span < 0) {
		p->bytes_per_ns = span > 0 && p->begin != 0 ? (double)p->bytes / (double)span : 0;
		p->begin = end;
		p->bytes = 0;
	}
	if (p->other_clock)
		take_least(p, now - end, now);
}

static void
take_least(struct pace *p, int64_t late_by, int64_t now)
{
	const int64_t passed = now - p->least_since;
	if (p->least_since == 0 || passed < 0 || passed > 2 * while_of) {
		p->least[0] = p->least[1] = late_by;
		p->least_since = now;
	} else if (passed > while_of) {
		p->least[1] = p->least[0];
		p->least[0] = late_by;
		p->least_since = now;
	} else if (late_by < p->least[0]) {
		p->least[0] = late_by;
	}
}

int64_t
pace_ahead(const struct pace *p)
{
	return p->least[0] < p->least[1] ? p->least[0] : p->least[1];
}

/*
 * The kernel does not say: as long as the newest frame waited there, others came at the pace of late, and it took blocks at its own.
 * More than fits several times over is a clock that was set.
 */
unsigned
pace_waiting(const struct pace *p, int64_t end, int64_t now)
{
	enum { UNBELIEVABLE = 400 };
	const int64_t late_by = now - pace_ahead(p) - end;
	const double least = (double)LIVE_BLOCK / (LIVE_BLOCK_TIME * CLOCK_MILLISECOND);
	const double pace = p->bytes_per_ns > least ? p->bytes_per_ns : least;
	const double percent = late_by > 0 ? (double)late_by * pace * 100 / (double)p->ring : 0;
	return percent < UNBELIEVABLE ? (unsigned)percent : 0;
}
