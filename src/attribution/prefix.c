#include "config.h"

#include "attribution/prefix.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
	SLOTS = 1 << 16,
	DEPTH_MAX = 129, /* of networks around each other: one for each length */
};

struct key {
	uint64_t high, low;
};

struct segment {
	struct key start; /* it ends where the next one starts */
	uint32_t node;    /* or PREFIX_NONE */
};

struct prefix_table {
	struct segment *segments; /* ascending; the first starts at 0 */
	size_t segment_count;
	uint32_t *parents;
	size_t node_count;
	/* The segment over the first address of each slot; [SLOTS]: over the address behind the last. */
	uint32_t v4[SLOTS + 1], v6[SLOTS + 1];
};

/* An input network on its way into the table. */
struct range {
	struct key first, last;
	size_t input; /* index */
};

static struct range *ranges_sorted(const struct prefix_input *input, size_t count);
static struct range range_of(const struct prefix_input *p, size_t input);
static int range_compare(const void *a, const void *b);
static void flatten(struct prefix_table *t, const struct range *ranges, size_t count, uint32_t *node);
static void segment_begin(struct prefix_table *t, struct key start, uint32_t node);
static void index_slots(struct prefix_table *t);
static uint32_t segment_over(const struct prefix_table *t, size_t low, size_t high, struct key k);
static struct key key_of(const struct addr *a);
static struct key key_next(struct key k);
static bool key_above(struct key a, struct key b);
static bool key_equal(struct key a, struct key b);

struct prefix_table *
prefix_table_create(const struct prefix_input *input, size_t count, uint32_t *node)
{
	struct range *ranges = ranges_sorted(input, count);
	struct prefix_table *t = calloc(1, sizeof *t);
	if (t == NULL || ranges == NULL || count >= PREFIX_NONE / 2)
		goto fail;
	/* Each network begins a segment, and where it ends another one goes on. */
	t->segments = calloc(2 * count + 1, sizeof *t->segments);
	t->parents = calloc(count + 1, sizeof *t->parents);
	if (t->segments == NULL || t->parents == NULL)
		goto fail;
	flatten(t, ranges, count, node);
	index_slots(t);
	free(ranges);
	return t;
fail:
	prefix_table_destroy(t);
	free(ranges);
	return NULL;
}

void
prefix_table_destroy(struct prefix_table *t)
{
	if (t == NULL)
		return;
	free(t->segments);
	free(t->parents);
	free(t);
}

uint32_t
prefix_table_find(const struct prefix_table *t, const struct addr *a)
{
	const uint32_t *slot = addr_is_v4(a) ? &t->v4[addr_v4(a) >> 16]
	                                     : &t->v6[(unsigned)a->bytes[0] << 8 | a->bytes[1]];
	uint32_t found = slot[0];
	if (slot[0] != slot[1])
		found = segment_over(t, slot[0], slot[1], key_of(a));
	return t->segments[found].node;
}

uint32_t
prefix_table_parent(const struct prefix_table *t, uint32_t node)
{
	return t->parents[node];
}

size_t
prefix_table_nodes(const struct prefix_table *t)
{
	return t->node_count;
}

/* Ascending, and of those that start together the widest first: outer ones come before inner ones. */
static struct range *
ranges_sorted(const struct prefix_input *input, size_t count)
{
	struct range *ranges = calloc(count + 1, sizeof *ranges);
	if (ranges == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		ranges[i] = range_of(&input[i], i);
	qsort(ranges, count, sizeof *ranges, range_compare);
	return ranges;
}

static struct range
range_of(const struct prefix_input *p, size_t input)
{
	unsigned host = addr_is_v4(&p->network) ? 32 - p->bits : 128 - p->bits;
	struct key first = key_of(&p->network), last = first;
	if (host >= 64)
		last.low = UINT64_MAX;
	else
		last.low |= (UINT64_C(1) << host) - 1;
	if (host == 128)
		last.high = UINT64_MAX;
	else if (host > 64)
		last.high |= (UINT64_C(1) << (host - 64)) - 1;
	return (struct range){first, last, input};
}

static int
range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	if (!key_equal(x->first, y->first))
		return key_above(x->first, y->first) ? 1 : -1;
	if (!key_equal(x->last, y->last))
		return key_above(x->last, y->last) ? -1 : 1;
	return x->input < y->input ? -1 : 1;
}

/* One pass with the stack of networks that are open. Networks nest or are apart, never half and half. */
static void
flatten(struct prefix_table *t, const struct range *ranges, size_t count, uint32_t *node)
{
	struct {
		struct key last;
		uint32_t node;
	} open[DEPTH_MAX];
	size_t depth = 0;

	segment_begin(t, (struct key){0, 0}, PREFIX_NONE);
	for (size_t i = 0; i <= count; i++) {
		while (depth > 0 && (i == count || key_above(ranges[i].first, open[depth - 1].last))) {
			struct key end = open[--depth].last;
			if (end.high != UINT64_MAX || end.low != UINT64_MAX)
				segment_begin(t, key_next(end), depth > 0 ? open[depth - 1].node : PREFIX_NONE);
		}
		if (i == count)
			break;
		/* An equal network came just before: then it is the innermost open one. */
		uint32_t mine = depth > 0 ? open[depth - 1].node : PREFIX_NONE;
		bool same = i > 0 && key_equal(ranges[i].first, ranges[i - 1].first) &&
		            key_equal(ranges[i].last, ranges[i - 1].last);
		if (!same) {
			uint32_t around = mine;
			mine = (uint32_t)t->node_count++;
			t->parents[mine] = around;
			open[depth].last = ranges[i].last;
			open[depth++].node = mine;
			segment_begin(t, ranges[i].first, mine);
		}
		node[ranges[i].input] = mine;
	}
}

/* A segment that is begun where the last one began takes its place. */
static void
segment_begin(struct prefix_table *t, struct key start, uint32_t node)
{
	size_t n = t->segment_count;
	if (n > 0 && key_equal(t->segments[n - 1].start, start))
		n--;
	t->segments[n] = (struct segment){start, node};
	t->segment_count = n + 1;
}

static void
index_slots(struct prefix_table *t)
{
	uint32_t at = 0, last = (uint32_t)t->segment_count - 1;
	for (uint64_t slot = 0; slot <= SLOTS; slot++) {
		struct key k = {0, UINT64_C(0xffff) << 32};
		k.low += slot << 16;
		t->v4[slot] = at = segment_over(t, at, last, k);
	}
	at = 0;
	for (uint64_t slot = 0; slot < SLOTS; slot++)
		t->v6[slot] = at = segment_over(t, at, last, (struct key){slot << 48, 0});
	t->v6[SLOTS] = last;
}

/* The last segment of low..high that starts at or before k; low does. */
static uint32_t
segment_over(const struct prefix_table *t, size_t low, size_t high, struct key k)
{
	while (low < high) {
		size_t middle = low + (high - low + 1) / 2;
		if (key_above(t->segments[middle].start, k))
			high = middle - 1;
		else
			low = middle;
	}
	return (uint32_t)low;
}

static struct key
key_of(const struct addr *a)
{
	struct key k = {0, 0};
	for (size_t i = 0; i < 8; i++) {
		k.high = k.high << 8 | a->bytes[i];
		k.low = k.low << 8 | a->bytes[i + 8];
	}
	return k;
}

static struct key
key_next(struct key k)
{
	k.low++;
	k.high += k.low == 0;
	return k;
}

static bool
key_above(struct key a, struct key b)
{
	return a.high != b.high ? a.high > b.high : a.low > b.low;
}

static bool
key_equal(struct key a, struct key b)
{
	return a.high == b.high && a.low == b.low;
}
