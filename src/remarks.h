/* Sentences for the coverage: what a reader of its figures must know besides. */
#ifndef WAYBILL_REMARKS_H
#define WAYBILL_REMARKS_H

#include <stddef.h>

#include "attribution/attribution.h"
#include "base/record.h"
#include "output/output.h"

enum { REMARKS_MAX = 32, REMARK_MAX = 1024 };

struct remarks { /* zeroed: none */
	char *sentence[REMARKS_MAX];
	size_t count;
};

/* Copies it. What comes when there is no more room is in the log alone. */
void remarks_add(struct remarks *n, const char *sentence);
void remarks_clear(struct remarks *n);

/* What stood behind the answers belongs to the evidence: the databases and their dates. */
void remarks_databases(struct remarks *n, const struct attribution *a);
/* Events and alerts that could not be written for a while, or at all. */
void remarks_output(struct remarks *n, const struct output *o);
/* What the tap sent twice, and what had to end early, which nobody would look for among the counters. */
void remarks_coverage(struct remarks *n, const struct coverage *c, const struct coverage_counter *counters, size_t count);

#endif
