#include "config.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *older;
	size_t used, size;
	max_align_t bytes[];
};

enum { BLOCK_FIRST = 256 - sizeof(struct arena_block), BLOCK_MAX = 64 * 1024 };

static struct arena_block *block_add(struct arena *a, size_t size);

void
arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){.limit = limit};
}

void
arena_clear(struct arena *a)
{
	struct arena_block *b = a->blocks;
	while (b != NULL) {
		struct arena_block *older = b->older;
		free(b);
		b = older;
	}
	arena_init(a, a->limit);
}

void
arena_reset(struct arena *a)
{
	struct arena_block *kept = a->blocks;
	if (kept == NULL)
		return;
	a->blocks = kept->older;
	arena_clear(a);
	kept->older = NULL;
	kept->used = 0;
	a->blocks = kept;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	if (size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) / align * align;
	if (a->limit != 0 && (size > a->limit || a->used > a->limit - size))
		return NULL;

	struct arena_block *b = a->blocks;
	if (b == NULL || size > b->size - b->used)
		b = block_add(a, size);
	if (b == NULL)
		return NULL;
	void *at = (uint8_t *)b->bytes + b->used;
	b->used += size;
	a->used += size;
	return memset(at, 0, size);
}

void *
arena_copy(struct arena *a, const void *bytes, size_t len)
{
	void *copy = arena_alloc(a, len);
	if (copy != NULL && len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
arena_string(struct arena *a, const void *bytes, size_t len)
{
	if (len == SIZE_MAX)
		return NULL;
	char *copy = arena_alloc(a, len + 1);
	if (copy != NULL && len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
	if (text != NULL) {
		va_start(args, format);
		vsnprintf(text, (size_t)len + 1, format, args);
		va_end(args);
	}
	return text;
}

/* Blocks double, so that small conversations stay small. */
static struct arena_block *
block_add(struct arena *a, size_t size)
{
	size_t room = a->blocks == NULL ? BLOCK_FIRST : a->blocks->size * 2;
	if (room > BLOCK_MAX)
		room = BLOCK_MAX;
	if (room < size)
		room = size;
	struct arena_block *b = malloc(sizeof *b + room);
	if (b == NULL)
		return NULL;
	*b = (struct arena_block){.older = a->blocks, .size = room};
	a->blocks = b;
	return b;
}
