#include "config.h"

#include "proto/held.h"

#include <stdlib.h>
#include <string.h>

enum {
	HELD_RUNS_MAX = 48,
	HELD_FIRST_SIZE = 256, /* of a side's buffer; it doubles up to PROBE_BYTES_MAX */
};

struct run {
	uint64_t len;
	int64_t time;
	uint16_t start; /* HELD_BYTES: where in the side's buffer */
	uint8_t kind;
	uint8_t from;
};

struct half {
	uint8_t *bytes;
	size_t len, size;
	size_t shown; /* bytes that a probe may see: those before the first gap */
	bool broken;  /* a gap came behind the first byte */
};

struct held {
	struct half half[2];
	struct run runs[HELD_RUNS_MAX];
	size_t count;
};

static bool half_reserve(struct half *half, size_t len);
static struct run *run_add(struct held *h, enum held_kind kind, enum side from, int64_t time);
static bool joins(const struct held *h, enum side from, int64_t time);

struct held *
held_create(void)
{
	return calloc(1, sizeof(struct held));
}

void
held_destroy(struct held *h)
{
	if (h == NULL)
		return;
	free(h->half[SIDE_SOURCE].bytes);
	free(h->half[SIDE_DESTINATION].bytes);
	free(h);
}

size_t
held_bytes(struct held *h, enum side from, const uint8_t *bytes, size_t len, int64_t time)
{
	struct half *half = &h->half[from];
	size_t room = PROBE_BYTES_MAX - half->len;
	size_t n = len < room ? len : room;
	if (n == 0 || !half_reserve(half, half->len + n))
		return 0;
	struct run *run = joins(h, from, time) ? &h->runs[h->count - 1]
	                                       : run_add(h, HELD_BYTES, from, time);
	if (run == NULL)
		return 0;
	memcpy(half->bytes + half->len, bytes, n);
	half->len += n;
	run->len += n;
	if (!half->broken)
		half->shown = half->len;
	return n;
}

int
held_gap(struct held *h, enum side from, uint64_t len, int64_t time)
{
	struct run *run = run_add(h, HELD_GAP, from, time);
	if (run == NULL)
		return -1;
	run->len = len;
	if (h->half[from].len > 0)
		h->half[from].broken = true;
	return 0;
}

int
held_end(struct held *h, enum side from, int64_t time)
{
	return run_add(h, HELD_END, from, time) != NULL ? 0 : -1;
}

bool
held_empty(const struct held *h)
{
	return h->count == 0;
}

void
held_probe(const struct held *h, struct probe *out)
{
	for (size_t side = 0; side < 2; side++) {
		out->bytes[side] = h->half[side].bytes;
		out->len[side] = h->half[side].shown;
	}
}

bool
held_run(const struct held *h, size_t index, struct held_run *out)
{
	if (index >= h->count)
		return false;
	const struct run *run = &h->runs[index];
	const uint8_t *bytes = h->half[run->from].bytes;
	*out = (struct held_run){.kind = (enum held_kind)run->kind,
	        .from = (enum side)run->from,
	        .bytes = run->kind == HELD_BYTES ? bytes + run->start : NULL,
	        .len = run->len,
	        .time = run->time};
	return true;
}

static bool
half_reserve(struct half *half, size_t len)
{
	if (len <= half->size)
		return true;
	size_t size = half->size > 0 ? half->size : HELD_FIRST_SIZE;
	while (size < len)
		size *= 2;
	uint8_t *bytes = realloc(half->bytes, size);
	if (bytes == NULL)
		return false;
	half->bytes = bytes;
	half->size = size;
	return true;
}

/* A new run at the end, or NULL when there is no room. */
static struct run *
run_add(struct held *h, enum held_kind kind, enum side from, int64_t time)
{
	if (h->count == HELD_RUNS_MAX)
		return NULL;
	struct run *run = &h->runs[h->count++];
	*run = (struct run){.time = time,
	        .start = (uint16_t)h->half[from].len,
	        .kind = (uint8_t)kind,
	        .from = (uint8_t)from};
	return run;
}

/* Bytes that come right behind others, in the same packet time, are one run. */
static bool
joins(const struct held *h, enum side from, int64_t time)
{
	if (h->count == 0)
		return false;
	const struct run *last = &h->runs[h->count - 1];
	return last->kind == HELD_BYTES && last->from == (uint8_t)from && last->time == time;
}
