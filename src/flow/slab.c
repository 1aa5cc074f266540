#include "config.h"

/*
 * Where flows live: slabs of 2 MB, aligned to their size, each with an array of hot and one of
 * cold parts. A slab that holds no flow any more is given back, but for one: what a flood took is there for other things.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "flow/internal.h"

enum {
	SLAB_HEAD = 128, /* keeps the hot parts on cache lines */
	SLAB_FLOWS = (SLAB_SIZE - SLAB_HEAD) /
	             (int)(sizeof(struct flow) + sizeof(struct flow_cold)),
};
_Static_assert(sizeof(struct flow_slab) <= SLAB_HEAD, "the head has its place");
_Static_assert(SLAB_FLOWS < 1 << REF_SLOT_BITS, "a place fits into a reference");

static struct flow_slab *slab_create(struct flow_table *t);
static void slab_destroy(struct flow_table *t, struct flow_slab *s);
static void roomy_add(struct flow_table *t, struct flow_slab *s);
static void roomy_remove(struct flow_table *t, struct flow_slab *s);
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

/* The first slab holds all that a small capture needs, and stays; later ones are worth a huge page each. */
static struct flow_slab *
slab_create(struct flow_table *t)
{
	uint32_t number = 0;
	while (number < t->slab_count && t->slabs[number] != NULL)
		number++;
	if (number == SLAB_MAX)
		return NULL;
	struct flow_slab *s = number == 0 ? aligned_alloc(SLAB_SIZE, SLAB_SIZE) : pages_take(SLAB_SIZE);
	if (s == NULL)
		return NULL;
	*s = (struct flow_slab){.table = t, .number = number};
	t->slabs[number] = s;
	if (number == t->slab_count)
		t->slab_count++;
	roomy_add(t, s);
	return s;
}

/* Not the first one. */
static void
slab_destroy(struct flow_table *t, struct flow_slab *s)
{
	roomy_remove(t, s);
	t->slabs[s->number] = NULL;
	pages_give(s, SLAB_SIZE);
}

/* Behind the one that is being filled, which goes on to be: so the others get a chance to become empty. */
static void
roomy_add(struct flow_table *t, struct flow_slab *s)
{
	s->before = t->roomy;
	s->after = t->roomy != NULL ? t->roomy->after : NULL;
	if (s->after != NULL)
		s->after->before = s;
	if (s->before != NULL)
		s->before->after = s;
	else
		t->roomy = s;
}

static void
roomy_remove(struct flow_table *t, struct flow_slab *s)
{
	if (s->after != NULL)
		s->after->before = s->before;
	if (s->before != NULL)
		s->before->after = s->after;
	else
		t->roomy = s->after;
}

flow_ref
flow_slab_take(struct flow_table *t)
{
	struct flow_slab *s = t->roomy != NULL ? t->roomy : slab_create(t);
	struct flow *f;
	if (s == NULL)
		return 0;
	if (s->free != 0) {
		f = flow_at(t, s->free);
		s->free = f->next;
	} else {
		f = slab_hot(s) + s->used++;
	}
	if (++s->taken == SLAB_FLOWS)
		roomy_remove(t, s);
	memset(f, 0, sizeof *f);
	memset(flow_cold_of(f), 0, sizeof(struct flow_cold));
	return flow_ref_of(f);
}

void
flow_slab_give(struct flow_table *t, struct flow *f)
{
	struct flow_slab *s = slab_of(f);
	f->next = s->free;
	s->free = flow_ref_of(f);
	if (s->taken-- == SLAB_FLOWS)
		roomy_add(t, s);
	if (s->taken == 0 && s->number != 0 && (s->before != NULL || s->after != NULL))
		slab_destroy(t, s);
}

void
flow_slab_clear(struct flow_table *t)
{
	for (uint32_t i = 1; i < t->slab_count; i++)
		pages_give(t->slabs[i], SLAB_SIZE);
	if (t->slab_count > 0)
		free(t->slabs[0]);
	free(t->slabs);
}
