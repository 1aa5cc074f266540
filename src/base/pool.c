#include "config.h"

#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

enum { LARGE_STEP = 64 };

static const size_t sizes[POOL_SIZES] = {32, 64, 128, 192, 256, 384, 512};

static unsigned size_class(size_t size);

void
pool_init(struct pool *p)
{
	for (unsigned i = 0; i < POOL_SIZES; i++)
		slab_init(&p->slab[i], sizes[i]);
}

void
pool_clear(struct pool *p)
{
	for (unsigned i = 0; i < POOL_SIZES; i++)
		slab_clear(&p->slab[i]);
}

size_t
pool_room(size_t size)
{
	const unsigned class = size_class(size);
	if (size == 0)
		return 0;
	return class < POOL_SIZES ? sizes[class] : (size + LARGE_STEP - 1) / LARGE_STEP * LARGE_STEP;
}

void *
pool_grow(struct pool *p, void *old, size_t had, size_t size)
{
	const unsigned class = size_class(size);
	if (had > 0 && pool_room(had) == pool_room(size))
		return old;
	if (had > sizes[POOL_SIZES - 1])
		return realloc(old, pool_room(size));
	void *block = class < POOL_SIZES ? slab_take(&p->slab[class]) : malloc(pool_room(size));
	if (block == NULL)
		return NULL;
	if (had > 0)
		memcpy(block, old, had);
	pool_give(p, old, had);
	return block;
}

void
pool_give(struct pool *p, void *block, size_t size)
{
	const unsigned class = size_class(size);
	if (class == POOL_SIZES)
		free(block);
	else if (block != NULL)
		slab_give(&p->slab[class], block);
}

/* POOL_SIZES: none is so large. */
static unsigned
size_class(size_t size)
{
	unsigned class = 0;
	while (class < POOL_SIZES && sizes[class] < size)
		class++;
	return class;
}
