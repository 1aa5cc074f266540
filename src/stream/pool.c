#include "config.h"

/* What all streams share: limits, counters, and the memory that streams live in. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "stream/internal.h"

enum {
	PER_STREAM_STANDARD = 16 * 1024 * 1024, /* a window that may be lost and sent again */
};

static const struct coverage_counter counters[STREAM_COUNTERS] = {
	[COUNT_STREAM_HELD] = {"stream_held", "TCP segments held until those before them came", 0},
	[COUNT_STREAM_RETRANSMITTED] = {"stream_retransmitted", "TCP bytes sent again", 0},
	[COUNT_STREAM_CONFLICT] = {"stream_overlap_conflict",
	        "TCP bytes sent again with another value; the first was used", 0},
	[COUNT_STREAM_GAPS] = {"stream_gaps", "holes in TCP streams", 0},
	[COUNT_STREAM_GAP_BYTES] = {"stream_gap_bytes",
	        "TCP bytes that moved and were not captured", 0},
	[COUNT_STREAM_CUT] = {"stream_cut_bytes", "TCP bytes cut off by the snap length", 0},
	[COUNT_STREAM_DOUBTED] = {"stream_doubted",
	        "TCP segments with a wrong checksum, used where the receiver acknowledged them", 0},
	[COUNT_STREAM_WINDOW] = {"stream_out_of_window",
	        "TCP segments and ACKs outside of any window", 0},
	[COUNT_STREAM_AFTER_END] = {"stream_after_end", "TCP bytes behind a FIN", 0},
	[COUNT_STREAM_NO_ACK] = {"stream_no_ack",
	        "TCP segments without an ACK, which no host takes", 0},
	[COUNT_STREAM_RST] = {"stream_rst_ignored", "TCP resets that no host takes", 0},
	[COUNT_STREAM_SYN_DATA] = {"stream_syn_data",
	        "data with a SYN that its receiver did not take", 0},
	[COUNT_STREAM_URGENT] = {"stream_urgent",
	        "TCP segments with urgent data, which was kept in line", 0},
	[COUNT_STREAM_MEMORY] = {"stream_memory", "times that memory for TCP segments ran out", 0},
	[COUNT_STREAM_OPEN] = {"stream_open", "TCP connections not followed: no memory", 0},
};

struct stream_pool *
stream_pool_create(const struct stream_limits *limits, const struct stream_ops *ops)
{
	struct stream_pool *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->ops = *ops;
	slab_init(&p->streams, sizeof(struct stream));
	p->memory = limits->memory > 0 ? limits->memory : STREAM_MEMORY_DEFAULT;
	p->per_stream = limits->per_stream > 0 ? limits->per_stream : PER_STREAM_STANDARD;
	p->random = hash_key_random().k0 | 1;
	memcpy(p->counters, counters, sizeof p->counters);
	return p;
}

void
stream_pool_destroy(struct stream_pool *p)
{
	if (p == NULL)
		return;
	slab_clear(&p->streams);
	free(p);
}

struct stream *
stream_pool_take(struct stream_pool *p)
{
	struct stream *s = slab_take(&p->streams);
	if (s == NULL) {
		p->counters[COUNT_STREAM_OPEN].count++;
		return NULL;
	}
	*s = (struct stream){.pool = p};
	return s;
}

void
stream_pool_give(struct stream_pool *p, struct stream *s)
{
	slab_give(&p->streams, s);
}

const struct coverage_counter *
stream_pool_counters(struct stream_pool *p, size_t *count)
{
	*count = STREAM_COUNTERS;
	return p->counters;
}

