/*
 * How far whoever takes frames is behind, by how late the newest of them is. Frames may be timed by another clock than
 * the system's (an adapter's): then late is what is more than the least that was seen lately.
 */
#ifndef WAYBILL_PACE_H
#define WAYBILL_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace { /* zeroed but for the first two */
	size_t ring;           /* bytes of an interface's, in the kernel */
	bool other_clock;
	int64_t begin;         /* packet time */
	uint64_t bytes;        /* since then */
	double bytes_per_ns;   /* before it */
	int64_t least[2];      /* the least that frames were late by: in this while, and the one before */
	int64_t least_since;   /* wall clock, of this while; 0: no frame was seen */
};

/* Frames came: so many, of so many bytes on the wire, the newest of time end; now: the wall clock. */
void pace_frames(struct pace *p, uint64_t frames, uint64_t bytes, int64_t end, int64_t now);

/* How far the system's clock is ahead of the frames'; 0 where that is the same one, or nothing was seen yet. */
int64_t pace_ahead(const struct pace *p);

/* How full the kernel's ring was when the frames that came last were taken, the newest of time end: percent. */
unsigned pace_waiting(const struct pace *p, int64_t end, int64_t now);

#endif
