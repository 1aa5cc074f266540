/*
 * Enters where capture does and goes the whole way: the input is a row of frames, each with
 * a byte of link type, a byte of time step, two bytes of length.
 */
#include "config.h"

#include <stdlib.h>

#include "attribution/attribution.h"
#include "base/clock.h"
#include "base/reader.h"
#include "conf.h"
#include "output/output.h"
#include "pipeline.h"
#include "tell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf conf;
static struct attribution *attribution;

static void
load(void)
{
	char error[256];
	if (conf_load(NULL, &conf, error, sizeof error) < 0)
		abort();
	conf.attribution.no_auto_detect = true;
	conf.attribution.embedded_database = NULL;
	conf.output.events_path = "/dev/null";
	conf.output.webhook_count = 0;
	attribution = attribution_load(&conf.attribution, NULL, NULL);
	if (attribution == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t links[] = {1, 101, 113, 276, 0, 9, 105, 127};
	char error[256];
	if (attribution == NULL)
		load();
	struct output *output = output_open(&conf.output, NULL, error, sizeof error);
	struct tell *tell = output != NULL ? tell_create(&conf.policy, attribution, output) : NULL;
	struct pipeline *pipeline = tell != NULL ? pipeline_create(&conf, attribution, true, &tell_news, tell) : NULL;
	if (pipeline == NULL)
		abort();
	struct frame frame = {.time = INT64_C(1705282200) * CLOCK_SECOND};
	struct reader r = reader_init(data, size);
	while (r.left > 4) {
		frame.link = links[reader_u8(&r) % (sizeof links / sizeof links[0])];
		frame.time += reader_u8(&r) * 37 * CLOCK_MILLISECOND;
		uint32_t len = reader_be16(&r);
		frame.caplen = len < r.left ? len : (uint32_t)r.left;
		frame.len = len;
		frame.number++;
		frame.data = reader_take(&r, frame.caplen);
		pipeline_frames(pipeline, &frame, 1);
	}
	struct coverage coverage;
	struct coverage_counter counters[128];
	pipeline_flush(pipeline);
	tell_flush(tell);
	tell_coverage(tell, &coverage, counters, pipeline_coverage(pipeline, &coverage, counters, 128), 128);
	pipeline_destroy(pipeline);
	tell_destroy(tell);
	output_close(output);
	return 0;
}
