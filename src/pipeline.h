/*
 * The path of packets on one page: frame > packet > flow > bytes > file. It owns these stages and wires what
 * must come back; what comes out at its end are news (news.h), for which place, verdict and record follow (tell.h).
 */
#ifndef WAYBILL_PIPELINE_H
#define WAYBILL_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attribution/attribution.h"
#include "base/frame.h"
#include "base/record.h"
#include "batch.h"
#include "conf.h"
#include "hearsay.h"
#include "news.h"

struct pipeline;

/*
 * Interfaces don't wait. Where so many percent of the kernel's ring do (batch.waiting), packets are shed, in this order: first flows without
 * a listed end are read no further than tells what they are, their first bytes, and else only counted; then those aren't read
 * either; then their packets are counted and no more. A flow with a listed end is followed in any case. Coverage has a counter for each, of
 * interfaces.
 */
enum { PIPELINE_SHED_CONTENT = 25, PIPELINE_SHED_CLASSES = 40, PIPELINE_SHED_FLOWS = 50 };

/*
 * attribution is asked who is listed, and must outlive it. tells_flows: every flow is news, and not only what is
 * in it. NULL: out of memory.
 */
struct pipeline *pipeline_create(const struct conf *conf, const struct attribution *attribution, bool tells_flows,
        const struct news_ops *news, void *news_ctx);
void pipeline_destroy(struct pipeline *p); /* takes NULL */

/* It is one of several that share the packets: as member of h, which outlives it, it tells the others what names it learns, and hears theirs. */
void pipeline_join(struct pipeline *p, struct hearsay *h, unsigned member);

/* Takes frames, in capture order; they are borrowed for the call. */
void pipeline_frames(struct pipeline *p, const struct frame *frames, size_t count);

/*
 * The same in two halves. While one thread follows a batch another may decode the next one; each half
 * takes its frames or batches in order. The frames are borrowed until the batch was followed.
 */
void pipeline_decode(struct pipeline *p, const struct frame *frames, size_t count, struct batch *out);
void pipeline_follow(struct pipeline *p, const struct batch *b);

/*
 * From here on a is asked who is listed: news tell so, in their order. Flows that are open are asked for again, some with each
 * batch that is followed. The one before is not used any more.
 */
void pipeline_attribution(struct pipeline *p, struct attribution *a);

/* The end of the input: everything open ends, and is told. */
void pipeline_flush(struct pipeline *p);

struct pipeline_counts {
	uint64_t flows_open; /* now */
	uint64_t flows;      /* begun so far */
};

/* As it is between two batches. */
void pipeline_count(const struct pipeline *p, struct pipeline_counts *out);

/* Any thread: one of the next batches carries the decode stage's counters (batch.counts), in order with its packets. */
void pipeline_ask(struct pipeline *p);

/*
 * What was seen so far, and how many of counters, room at most, were filled with reasons for not using it. b: the batch that was
 * just followed and carries counters; NULL: nobody decodes any more. out's start and end are of the packets since the last
 * call; both 0: there were none.
 */
size_t pipeline_coverage(struct pipeline *p, const struct batch *b, struct coverage *out, struct coverage_counter *counters,
        size_t room);

#endif
