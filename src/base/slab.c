#include "config.h"

#include "base/slab.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

enum { BLOCK_FIRST = 64 * 1024 }; /* all that a small capture needs */

#ifndef __has_feature /* clang's way to ask */
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { POOLED = 0 };
#else
enum { POOLED = 1 };
#endif

struct slab_block {
	struct slab_block *older, *newer;  /* in slab.blocks */
	struct slab_block *before, *after; /* in slab.roomy */
	void *free;                        /* the first of those given back */
	size_t taken, fresh, room;         /* things: now; never taken yet; in all */
	max_align_t things[];
};

static struct slab_block *block_create(struct slab *s);
static void block_destroy(struct slab *s, struct slab_block *b);
static struct slab_block *block_of(const struct slab *s, const void *thing);
static void roomy_add(struct slab *s, struct slab_block *b);
static void roomy_remove(struct slab *s, struct slab_block *b);

void
slab_init(struct slab *s, size_t size)
{
	const size_t align = alignof(max_align_t);
	*s = (struct slab){.size = (size + align - 1) / align * align};
}

void
slab_clear(struct slab *s)
{
	while (s->blocks != NULL)
		block_destroy(s, s->blocks);
	free(s->first);
	slab_init(s, s->size);
}

void *
slab_take(struct slab *s)
{
	if (!POOLED)
		return malloc(s->size);
	struct slab_block *b = s->roomy != NULL ? s->roomy : block_create(s);
	if (b == NULL)
		return NULL;
	void *thing = b->free;
	if (thing != NULL)
		memcpy(&b->free, thing, sizeof b->free);
	else
		thing = (uint8_t *)b->things + (b->room - b->fresh--) * s->size;
	if (++b->taken == b->room)
		roomy_remove(s, b);
	return thing;
}

void
slab_give(struct slab *s, void *thing)
{
	if (!POOLED) {
		free(thing);
		return;
	}
	if (thing == NULL)
		return;
	struct slab_block *b = block_of(s, thing);
	memcpy(thing, &b->free, sizeof b->free);
	b->free = thing;
	if (b->taken-- == b->room)
		roomy_add(s, b);
	if (b->taken == 0 && b != s->first && (b->before != NULL || b->after != NULL))
		block_destroy(s, b);
}

static struct slab_block *
block_create(struct slab *s)
{
	const bool first = s->first == NULL;
	const size_t size = first ? BLOCK_FIRST : PAGES_HUGE;
	struct slab_block *b = first ? malloc(size) : pages_take(size);
	if (b == NULL)
		return NULL;
	const size_t room = (size - offsetof(struct slab_block, things)) / s->size;
	*b = (struct slab_block){.fresh = room, .room = room};
	roomy_add(s, b);
	if (first) {
		s->first = b;
		return b;
	}
	b->older = s->blocks;
	if (s->blocks != NULL)
		s->blocks->newer = b;
	s->blocks = b;
	return b;
}

/* Not the first one. */
static void
block_destroy(struct slab *s, struct slab_block *b)
{
	if (b->taken < b->room)
		roomy_remove(s, b);
	if (b->older != NULL)
		b->older->newer = b->newer;
	if (b->newer != NULL)
		b->newer->older = b->older;
	else
		s->blocks = b->older;
	pages_give(b, PAGES_HUGE);
}

/* Blocks stand at multiples of their size. */
static struct slab_block *
block_of(const struct slab *s, const void *thing)
{
	const uintptr_t at = (uintptr_t)thing, first = (uintptr_t)s->first;
	if (at - first < BLOCK_FIRST)
		return s->first;
	return (struct slab_block *)(at & ~((uintptr_t)PAGES_HUGE - 1));
}

/* Behind the one that is being filled, which goes on to be: so the others get a chance to become empty. */
static void
roomy_add(struct slab *s, struct slab_block *b)
{
	b->before = s->roomy;
	b->after = s->roomy != NULL ? s->roomy->after : NULL;
	if (b->after != NULL)
		b->after->before = b;
	if (b->before != NULL)
		b->before->after = b;
	else
		s->roomy = b;
}

static void
roomy_remove(struct slab *s, struct slab_block *b)
{
	if (b->after != NULL)
		b->after->before = b->before;
	if (b->before != NULL)
		b->before->after = b->after;
	else
		s->roomy = b->after;
}
