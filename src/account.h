/*
 * Coverage in periods: what the counters, which count from the start, say of the time since the last record. What was seen and
 * lost in a day is told that day.
 */
#ifndef WAYBILL_ACCOUNT_H
#define WAYBILL_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

enum { ACCOUNT_COUNTERS = 128 };

struct account {                          /* zeroed: nothing was told yet */
	struct coverage told;             /* in the records until now */
	uint64_t counts[ACCOUNT_COUNTERS];
	int64_t start, end;               /* packet time in this period; start 0: no packet yet */
};

/* total has the packet times of what came since the last call, as pipeline_coverage tells; they join the period. */
void account_see(struct account *a, const struct coverage *total);

/* Makes total and its counters those of the period, and begins the next one. The counters are the same ones each time. */
void account_take(struct account *a, struct coverage *total, struct coverage_counter *counters, size_t count);

/* Where 1 % or more of the packets were copies that the tap made: a sentence about it. */
bool account_copies(const struct coverage *c, char *out, size_t size);

#endif
