#include "config.h"

#include "account.h"

#include <inttypes.h>
#include <stdio.h>

enum { COPIES_NOTED = 100 }; /* one in so many packets is a fact about the tap */

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
	for (size_t i = 0; i < DUPLICATE_KINDS; i++)
		total->duplicate_kinds[i] -= told->duplicate_kinds[i];
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

bool
account_copies(const struct coverage *c, char *out, size_t size)
{
	static const char *const why[DUPLICATE_KINDS] = {
		[DUPLICATE_SAME] = "the span port mirrors both directions, or several ports that they pass",
		[DUPLICATE_VLAN] = "the span port mirrors several VLANs that they pass",
		[DUPLICATE_LINK] = "the tap sees more than one link, or interface, that they pass",
		[DUPLICATE_ROUTED] = "the tap sees both sides of a router",
	};
	size_t most = 0;
	if (c->duplicates == 0 || c->duplicates < c->packets / COPIES_NOTED)
		return false;
	for (size_t i = 1; i < DUPLICATE_KINDS; i++)
		if (c->duplicate_kinds[i] > c->duplicate_kinds[most])
			most = i;
	snprintf(out, size, "%" PRIu64 " %% of the packets were copies of others, and left out: %s",
	        (c->duplicates * 100 + c->packets / 2) / c->packets, why[most]);
	return true;
}
