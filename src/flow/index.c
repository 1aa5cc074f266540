#include "config.h"

/*
 * From a key to a flow. The tag above each reference spares nearly all looks at flows
 * that are not the one; hashes are made again when the index grows or a flow leaves, which is
 * cheaper than the memory that keeping them would take.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "flow/internal.h"

enum {
	INDEX_FIRST = 1024, /* entries */
};

static const uint32_t ref_mask = (UINT32_C(1) << REF_BITS) - 1;
static const uint32_t deleted = UINT32_C(1) << REF_BITS; /* a tag and no reference */

static uint32_t *entries_create(size_t count);
static void entries_destroy(uint32_t *entries, size_t count);
static uint32_t entry_of(flow_ref ref, uint64_t hash);
static void place(struct flow_index *x, uint32_t entry, uint64_t hash);
static int rebuild(struct flow_table *t);

static uint32_t *
entries_create(size_t count)
{
	const size_t size = count * sizeof(uint32_t);
	return size < PAGES_HUGE ? calloc(1, size) : pages_take(size);
}

static void
entries_destroy(uint32_t *entries, size_t count)
{
	const size_t size = count * sizeof(uint32_t);
	if (size < PAGES_HUGE)
		free(entries);
	else
		pages_give(entries, size);
}

int
flow_index_init(struct flow_index *x)
{
	*x = (struct flow_index){.mask = INDEX_FIRST - 1};
	x->entries = entries_create(INDEX_FIRST);
	return x->entries != NULL ? 0 : -1;
}

void
flow_index_clear(struct flow_index *x)
{
	entries_destroy(x->entries, (size_t)x->mask + 1);
}

static uint32_t
entry_of(flow_ref ref, uint64_t hash)
{
	return ((uint32_t)(hash >> 32) & ~ref_mask) | ref;
}

uint64_t
flow_index_hash(const struct flow_table *t, const struct flow *f)
{
	return hash_fixed(&t->hash_key, &f->key, sizeof f->key);
}

struct flow *
flow_index_find(const struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
	const struct flow_index *x = &t->index;
	const uint32_t tag = entry_of(0, hash);
	for (uint32_t i = (uint32_t)hash & x->mask;; i = (i + 1) & x->mask) {
		const uint32_t entry = x->entries[i];
		if (entry == 0)
			return NULL;
		if ((entry & ~ref_mask) != tag || (entry & ref_mask) == 0)
			continue;
		struct flow *f = flow_at(t, entry & ref_mask);
		if (memcmp(&f->key, key, sizeof *key) == 0)
			return f;
	}
}

void
flow_index_prefetch(const struct flow_table *t, uint64_t hash)
{
	__builtin_prefetch(&t->index.entries[(uint32_t)hash & t->index.mask]);
}

/* The first entry with the hash's tag is nearly always the flow's. */
const struct flow *
flow_index_prefetch_flow(const struct flow_table *t, uint64_t hash)
{
	const struct flow_index *x = &t->index;
	const uint32_t tag = entry_of(0, hash);
	for (uint32_t i = (uint32_t)hash & x->mask; x->entries[i] != 0; i = (i + 1) & x->mask) {
		if ((x->entries[i] & ~ref_mask) != tag || (x->entries[i] & ref_mask) == 0)
			continue;
		const struct flow *f = flow_at(t, x->entries[i] & ref_mask);
		__builtin_prefetch(f, 1);
		__builtin_prefetch((const char *)f + FLOW_LINE, 1);
		return f;
	}
	return NULL;
}

static void
place(struct flow_index *x, uint32_t entry, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & x->mask;
	while ((x->entries[i] & ref_mask) != 0)
		i = (i + 1) & x->mask;
	if (x->entries[i] == 0)
		x->used++;
	x->entries[i] = entry;
}

/* Drops deleted entries, and doubles when the rest fills more than 3/8. */
static int
rebuild(struct flow_table *t)
{
	const struct flow_index old = t->index;
	struct flow_index x = {.mask = old.mask};
	if (t->count > (size_t)old.mask / 8 * 3)
		x.mask = old.mask * 2 + 1;
	x.entries = entries_create((size_t)x.mask + 1);
	if (x.entries == NULL)
		return -1;
	for (uint32_t i = 0; i <= old.mask; i++) {
		const flow_ref ref = old.entries[i] & ref_mask;
		if (ref == 0)
			continue;
		const uint64_t hash = flow_index_hash(t, flow_at(t, ref));
		place(&x, entry_of(ref, hash), hash);
	}
	entries_destroy(old.entries, (size_t)old.mask + 1);
	t->index = x;
	return 0;
}

int
flow_index_add(struct flow_table *t, flow_ref ref, uint64_t hash)
{
	if (t->index.used >= (t->index.mask + 1) / 4 * 3 && rebuild(t) != 0 &&
	        t->index.used >= t->index.mask)
		return -1; /* one empty entry must stay: it ends every search */
	place(&t->index, entry_of(ref, hash), hash);
	return 0;
}

void
flow_index_remove(struct flow_table *t, const struct flow *f)
{
	struct flow_index *x = &t->index;
	const flow_ref ref = flow_ref_of(f);
	uint32_t i = (uint32_t)flow_index_hash(t, f) & x->mask;
	while ((x->entries[i] & ref_mask) != ref)
		i = (i + 1) & x->mask;
	if (x->entries[(i + 1) & x->mask] != 0) {
		x->entries[i] = deleted;
		return;
	}
	/* Nothing behind it: it and the deleted ones before it can be empty again. */
	do {
		x->entries[i] = 0;
		x->used--;
		i = (i - 1) & x->mask;
	} while (x->entries[i] == deleted);
}
