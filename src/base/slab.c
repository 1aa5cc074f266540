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
	struct slab_block *older;
	max_align_t things[];
};

static int add_block(struct slab *s);

void
slab_init(struct slab *s, size_t size)
{
	const size_t align = alignof(max_align_t);
	*s = (struct slab){.size = (size + align - 1) / align * align};
}

void
slab_clear(struct slab *s)
{
	while (s->blocks != NULL) {
		struct slab_block *older = s->blocks->older;
		if (older != NULL)
			pages_give(s->blocks, PAGES_HUGE);
		else
			free(s->blocks);
		s->blocks = older;
	}
	slab_init(s, s->size);
}

void *
slab_take(struct slab *s)
{
	void *thing = s->free;
	if (!POOLED)
		return malloc(s->size);
	if (thing != NULL) {
		memcpy(&s->free, thing, sizeof s->free);
		return thing;
	}
	if (s->fresh_count == 0 && add_block(s) < 0)
		return NULL;
	thing = s->fresh;
	s->fresh += s->size;
	s->fresh_count--;
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
	memcpy(thing, &s->free, sizeof s->free);
	s->free = thing;
}

static int
add_block(struct slab *s)
{
	const bool first = s->blocks == NULL;
	const size_t size = first ? BLOCK_FIRST : PAGES_HUGE;
	struct slab_block *b = first ? malloc(size) : pages_take(size);
	if (b == NULL)
		return -1;
	b->older = s->blocks;
	s->blocks = b;
	s->fresh = (uint8_t *)b->things;
	s->fresh_count = (size - offsetof(struct slab_block, things)) / s->size;
	return 0;
}
