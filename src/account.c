#include "config.h"

#include "account.h"

void
account_see(struct account *a, const struct coverage *total)
{
	if (total->start == 0 && total->end == 0)
		return;
	if (a->start == 0 || total->start < a->start)
		a->start = total->start;
	if (a->end == 0 || total->end > a->end)
		a->end = total->end;
}

void
account_take(struct account *a, struct coverage *total, struct coverage_counter *counters, size_t count)
{
	const struct coverage all = *total, *told = &a->told;
	account_see(a, total);
	total->start = a->start;
	total->end = a->end;
	total->packets -= told->packets;
	total->bytes -= told->bytes;
	total->dropped -= told->dropped;
	total->duplicates -= told->duplicates;
	total->flows -= told->flows;
	total->transfers -= told->transfers;
	total->alerts -= told->alerts;
	for (size_t i = 0; i < count && i < ACCOUNT_COUNTERS; i++) {
		const uint64_t now = counters[i].count;
		counters[i].count -= a->counts[i];
		a->counts[i] = now;
	}
	a->told = all;
	a->start = a->end = 0;
}
