/*
 * The whole path on one page: frame > packet > flow > bytes > file > place >
 * verdict > record. It owns the stages of one worker and wires what must come back.
 */
#ifndef WAYBILL_PIPELINE_H
#define WAYBILL_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

#include "attribution/attribution.h"
#include "base/frame.h"
#include "base/record.h"
#include "batch.h"
#include "conf.h"
#include "output/output.h"

struct pipeline;

/* attribution and output stay the caller's and must outlive it. NULL: out of memory. */
struct pipeline *pipeline_create(const struct conf *conf, struct attribution *attribution, struct output *output);
void pipeline_destroy(struct pipeline *p); /* takes NULL */

/* Takes frames, in capture order; they are borrowed for the call. */
void pipeline_frames(struct pipeline *p, const struct frame *frames, size_t count);

/*
 * The same in two halves. While one thread follows a batch another may decode the next one; each half
 * takes its frames or batches in order. The frames are borrowed until the batch was followed.
 */
void pipeline_decode(struct pipeline *p, const struct frame *frames, size_t count, struct batch *out);
void pipeline_follow(struct pipeline *p, const struct batch *b);

/*
 * The end of the input: everything open ends, and coverage is told. notes: sentences about the input that
 * belong in it; more: counters of the capture stage.
 */
void pipeline_finish(struct pipeline *p, const char *const *notes, size_t note_count,
        const struct coverage_counter *more, size_t more_count);

/* The most severe alert so far; false while there is none. */
bool pipeline_worst(const struct pipeline *p, enum severity *out);

#endif
