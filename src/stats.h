/* How the sensor is, as a record: for SIGUSR1, and for whoever tells it by the clock. */
#ifndef WAYBILL_STATS_H
#define WAYBILL_STATS_H

#include <stdint.h>

#include "base/record.h"
#include "capture/capture.h"
#include "output/output.h"
#include "pipeline.h"
#include "tell.h"

/* What it is made from: as of the last turn of the sensor. */
struct stats_source {
	const struct capture_progress *progress;
	const struct pipeline_counts *counts;
	const struct tell *tell;
	const struct output *output;
	int64_t started; /* wall clock */
};

void stats_take(const struct stats_source *from, struct stats_record *out);

#endif
