/* A readable summary of a replay, for a person. */
#include "config.h"

#include "output/output.h"

static int summary_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size);
static void summary_close(void *state);

const struct sink sink_summary = {
	.name = "summary",
	.open = summary_open,
	.close = summary_close,
};

static int
summary_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size)
{
	(void)conf, (void)loop, (void)state, (void)error, (void)error_size;
	return 0;
}

static void
summary_close(void *state)
{
	(void)state;
}
