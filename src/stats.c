#include "config.h"

#include "stats.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static uint64_t memory_now(void);

void
stats_take(const struct stats_source *from, struct stats_record *out)
{
	const struct capture_progress *p = from->progress;
	*out = (struct stats_record){
	        .time = clock_now(), .started = from->started,
	        .frames = p->frames, .bytes = p->bytes, .filtered = p->filtered,
	        .dropped_ring = p->dropped_ring, .dropped_interface = p->dropped_interface,
	        .flows_open = from->counts->flows_open, .flows = from->counts->flows,
	        .memory = memory_now(), .undelivered = output_pending(from->output)};
	tell_counts(from->tell, &out->transfers, &out->alerts);
}

/* proc_pid_statm(5): the second number is of pages in memory. 0: not known. */
static uint64_t
memory_now(void)
{
	unsigned long long all, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &all, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
