/*
 * Packets are followed by a thread of its own, and what comes out is told by the caller's. The news are the
 * same and come in the same order as where the caller follows the packets itself.
 */
#ifndef WAYBILL_RELAY_H
#define WAYBILL_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bell.h"
#include "intake.h"
#include "news.h"
#include "pipeline.h"

struct relay;

/* bell is rung when there is something to deliver; it outlives the relay. NULL: out of memory. */
struct relay *relay_create(struct bell *bell);
void relay_destroy(struct relay *r); /* takes NULL; stops the thread */

extern const struct news_ops relay_news; /* for the pipeline; their ctx is a struct relay */

/*
 * Begins to follow what in reads. Both are the thread's from here on, until relay_deliver told the last. 0, or -1:
 * no thread can be had.
 */
int relay_start(struct relay *r, struct intake *in, struct pipeline *p);

/*
 * Hands the thread a new attribution, which it takes before the next batch; news->attribution tells, in order, when it has.
 * One that it has not taken by then is passed over.
 */
void relay_attribution(struct relay *r, struct attribution *a);

/* No more is read: what is open ends, and the last news come. */
void relay_wind_up(struct relay *r);

/* Any thread: some turn soon brings coverage. They are taken by the threads that own them, in order with the packets. */
void relay_ask(struct relay *r);

enum { RELAY_COUNTERS = 112 };

/* What was seen until now, as pipeline_coverage has it. */
struct relay_counts {
	struct coverage coverage;
	struct coverage_counter counters[RELAY_COUNTERS];
	size_t count;
};

/* What came with the news of one turn. Borrowed until the next one. */
struct relay_turn {
	struct capture_progress progress; /* path: NULL */
	struct pipeline_counts counts;
	char *const *problems;            /* sentences about what could not be read */
	size_t problem_count;
	const struct relay_counts *coverage; /* asked for; or NULL */
	uint64_t lost;                    /* news that there was no memory for */
	bool last;                        /* everything was told */
	int64_t heard;                    /* monotonic: since when whoever follows packets was heard of; lanes: each of them */
};

/* Does anything wait? Reads atomics only. */
bool relay_is_ready(const struct relay *r);

/* Tells news that wait. False: none do. */
bool relay_deliver(struct relay *r, const struct news_ops *to, void *ctx, struct relay_turn *out);

#endif
