#include "config.h"

#include "proto/prologue.h"

#include <stdlib.h>
#include <string.h>

enum {
	PROLOGUE_RUNS_MAX = 48,
	PROLOGUE_RUNS_FIRST = 3,
	PROLOGUE_FIRST_SIZE = 64, /* of a side's buffer; it doubles up to PROBE_BYTES_MAX */
};

struct run {
	uint64_t len;
	int64_t time;
	uint16_t start; /* PROLOGUE_BYTES: where in the side's buffer */
	uint8_t kind;
	uint8_t from;
};

struct half {
	uint8_t *bytes;
	size_t len, size;
	size_t shown; /* bytes that a probe may see: those before the first gap */
	bool broken;  /* a gap came behind the first byte */
};

struct prologue {
	struct half half[2];
	struct run *runs;
	size_t count, size;
	bool datagrams; /* each run of bytes is one */
};

static bool half_reserve(struct half *half, size_t len);
static struct run *run_add(struct prologue *p, enum prologue_kind kind, enum side from, int64_t time);
static bool joins(const struct prologue *p, enum side from, int64_t time);

struct prologue *
prologue_create(bool datagrams)
{
	struct prologue *p = calloc(1, sizeof *p);
	if (p != NULL)
		p->datagrams = datagrams;
	return p;
}

void
prologue_destroy(struct prologue *p)
{
	if (p == NULL)
		return;
	free(p->half[SIDE_SOURCE].bytes);
	free(p->half[SIDE_DESTINATION].bytes);
	free(p->runs);
	free(p);
}

size_t
prologue_bytes(struct prologue *p, enum side from, const uint8_t *bytes, size_t len, int64_t time)
{
	struct half *half = &p->half[from];
	size_t room = PROBE_BYTES_MAX - half->len;
	size_t n = len < room ? len : room;
	if (n == 0 || (p->datagrams && n < len) || !half_reserve(half, half->len + n))
		return 0;
	struct run *run = joins(p, from, time) ? &p->runs[p->count - 1]
	                                       : run_add(p, PROLOGUE_BYTES, from, time);
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
prologue_gap(struct prologue *p, enum side from, uint64_t len, int64_t time)
{
	struct run *run = run_add(p, PROLOGUE_GAP, from, time);
	if (run == NULL)
		return -1;
	run->len = len;
	if (p->half[from].len > 0)
		p->half[from].broken = true;
	return 0;
}

int
prologue_end(struct prologue *p, enum side from, int64_t time)
{
	return run_add(p, PROLOGUE_END, from, time) != NULL ? 0 : -1;
}

bool
prologue_empty(const struct prologue *p)
{
	return p->count == 0;
}

void
prologue_probe(const struct prologue *p, struct probe *out)
{
	for (size_t side = 0; side < 2; side++) {
		out->bytes[side] = p->half[side].bytes;
		out->len[side] = p->half[side].shown;
	}
}

bool
prologue_run(const struct prologue *p, size_t index, struct prologue_run *out)
{
	if (index >= p->count)
		return false;
	const struct run *run = &p->runs[index];
	const uint8_t *bytes = p->half[run->from].bytes;
	*out = (struct prologue_run){.kind = (enum prologue_kind)run->kind,
	        .from = (enum side)run->from,
	        .bytes = run->kind == PROLOGUE_BYTES ? bytes + run->start : NULL,
	        .len = run->len,
	        .time = run->time};
	return true;
}

static bool
half_reserve(struct half *half, size_t len)
{
	if (len <= half->size)
		return true;
	size_t size = half->size > 0 ? half->size : PROLOGUE_FIRST_SIZE;
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
run_add(struct prologue *p, enum prologue_kind kind, enum side from, int64_t time)
{
	if (p->count == PROLOGUE_RUNS_MAX)
		return NULL;
	if (p->count == p->size) {
		size_t size = p->size > 0 ? 2 * p->size : PROLOGUE_RUNS_FIRST;
		struct run *runs = realloc(p->runs, size * sizeof *runs);
		if (runs == NULL)
			return NULL;
		p->runs = runs;
		p->size = size;
	}
	struct run *run = &p->runs[p->count++];
	*run = (struct run){.time = time,
	        .start = (uint16_t)p->half[from].len,
	        .kind = (uint8_t)kind,
	        .from = (uint8_t)from};
	return run;
}

/* Bytes that come right behind others, in the same packet time, are one run. */
static bool
joins(const struct prologue *p, enum side from, int64_t time)
{
	if (p->count == 0 || p->datagrams)
		return false;
	const struct run *last = &p->runs[p->count - 1];
	return last->kind == PROLOGUE_BYTES && last->from == (uint8_t)from && last->time == time;
}
