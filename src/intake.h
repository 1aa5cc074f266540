/*
 * The capture, batch by batch: read and decoded in the caller's thread, or in one of its own, which is a few
 * batches ahead. The batches are the same either way.
 */
#ifndef WAYBILL_INTAKE_H
#define WAYBILL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "capture/capture.h"
#include "capture/live.h"
#include "pipeline.h"

struct intake;

/* One reading of the capture. Borrowed until the next one is asked for. */
struct intake_item {
	struct batch *batch;
	struct capture_progress progress;    /* after it */
	char **problems;                     /* sentences about what could not be read, in their order */
	size_t problem_count;
	bool last;                           /* the end of all input */
};

/* paths and filter (NULL: none) as for capture_open and capture_filter. NULL and error. */
struct intake *intake_open(const char *const *paths, size_t count, const char *filter, char *error, size_t size);

/* What the intakes of one program share. Zeroed; outlives them. */
struct intake_common {
	_Atomic int64_t told_behind; /* monotonic: when it was said last that packets are shed; 0: never */
};

/*
 * The same of network interfaces, or of conf's share of them: it ends with intake_finish. NULL: refusal says whether it may go
 * later, too.
 */
struct intake *intake_open_live(const struct live_conf *conf, struct intake_common *common, const char *const *interfaces,
                                size_t count, const char *filter, enum live_refusal *refusal, char *error, size_t size);

/*
 * Begins to read. p decodes; it must outlive the reading. ahead: with a thread of its own. 0, or -1: out of
 * memory or threads.
 */
int intake_start(struct intake *in, struct pipeline *p, bool ahead);

/* The next item, or NULL: none has come for a while, ask again. After the last one: the last one again. */
const struct intake_item *intake_next(struct intake *in);

/* Would intake_next give one at once, with a thread of its own? */
bool intake_is_ready(const struct intake *in);

/* Interfaces: what they have by now is the last. */
void intake_finish(struct intake *in);

/* Reads nothing more. What was read but not asked for is dropped. */
void intake_stop(struct intake *in);
void intake_close(struct intake *in); /* takes NULL */

/* True when some input could not be read in full. After the last item, or intake_stop. */
bool intake_incomplete(const struct intake *in);

#endif
