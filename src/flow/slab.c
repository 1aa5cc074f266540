#include "config.h"

/*
 * Where flows live: slabs of 2 MB, aligned to their size, each with an array of hot and one of
 * cold parts. A slab is never given back before the table is, since flows come back as fast as
 * they go.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "flow/internal.h"

enum {
	SLAB_HEAD = 128, /* keeps the hot parts on cache lines */
	SLAB_FLOWS = (SLAB_SIZE - SLAB_HEAD) /
	             (int)(sizeof(struct flow) + sizeof(struct flow_cold)),
};
_Static_assert(sizeof(struct flow_slab) <= SLAB_HEAD, "the head has its place");
_Static_assert(SLAB_FLOWS < 1 << REF_SLOT_BITS, "a place fits into a reference");

static struct flow_slab *slab_create(struct flow_table *t);
static struct flow_slab *slab_of(const struct flow *f);
static struct flow *slab_hot(const struct flow_slab *s);
static struct flow_cold *slab_cold(const struct flow_slab *s);

static struct flow *
slab_hot(const struct flow_slab *s)
{
	return (struct flow *)((uintptr_t)s + SLAB_HEAD);
}

static struct flow_cold *
slab_cold(const struct flow_slab *s)
{
	return (struct flow_cold *)(slab_hot(s) + SLAB_FLOWS);
}

static struct flow_slab *
slab_of(const struct flow *f)
{
	return (struct flow_slab *)((uintptr_t)f & ~((uintptr_t)SLAB_SIZE - 1));
}

/* A place counts from 1 in a reference, so that 0 is nobody's. */
struct flow *
flow_at(const struct flow_table *t, flow_ref ref)
{
	const uint32_t slot = ref & ((1u << REF_SLOT_BITS) - 1);
	return slab_hot(t->slabs[ref >> REF_SLOT_BITS]) + slot - 1;
}

flow_ref
flow_ref_of(const struct flow *f)
{
	const struct flow_slab *s = slab_of(f);
	return s->number << REF_SLOT_BITS | (uint32_t)(f - slab_hot(s) + 1);
}

struct flow_table *
flow_table_of(const struct flow *f)
{
	return slab_of(f)->table;
}

struct flow_cold *
flow_cold_of(const struct flow *f)
{
	const struct flow_slab *s = slab_of(f);
	return slab_cold(s) + (f - slab_hot(s));
}

void
flow_slab_prefetch(const struct flow *f)
{
	__builtin_prefetch(f, 1);
	__builtin_prefetch((const char *)f + FLOW_LINE, 1);
	__builtin_prefetch(flow_cold_of(f), 1);
}

static struct flow_slab *
slab_create(struct flow_table *t)
{
	if (t->slab_count == SLAB_MAX)
		return NULL;
	struct flow_slab *s = aligned_alloc(SLAB_SIZE, SLAB_SIZE);
	if (s == NULL)
		return NULL;
	/*
	 * The first slab holds all that a small capture needs; later ones are worth a huge page
	 * each.
	 */
	if (t->slab_count > 0)
		(void)madvise(s, SLAB_SIZE, MADV_HUGEPAGE);
	*s = (struct flow_slab){.table = t, .number = t->slab_count};
	t->slabs[t->slab_count++] = s;
	return s;
}

flow_ref
flow_slab_take(struct flow_table *t)
{
	struct flow *f;
	if (t->free != 0) {
		f = flow_at(t, t->free);
		t->free = f->next;
	} else {
		struct flow_slab *s = t->slab_count > 0 ? t->slabs[t->slab_count - 1] : NULL;
		if (s == NULL || s->used == SLAB_FLOWS)
			s = slab_create(t);
		if (s == NULL)
			return 0;
		f = slab_hot(s) + s->used++;
	}
	memset(f, 0, sizeof *f);
	memset(flow_cold_of(f), 0, sizeof(struct flow_cold));
	return flow_ref_of(f);
}

void
flow_slab_give(struct flow_table *t, struct flow *f)
{
	f->next = t->free;
	t->free = flow_ref_of(f);
}

void
flow_slab_clear(struct flow_table *t)
{
	for (uint32_t i = 0; i < t->slab_count; i++)
		free(t->slabs[i]);
	free(t->slabs);
}
