/*
 * Blocks of a few sizes, each out of a slab of its own: for what grows a little and then stays for as long as a flow,
 * a million times over. Larger ones are the C library's.
 */
#ifndef WAYBILL_BASE_POOL_H
#define WAYBILL_BASE_POOL_H

#include <stddef.h>

#include "base/slab.h"

enum { POOL_SIZES = 7 };

struct pool {
	struct slab slab[POOL_SIZES];
};

void pool_init(struct pool *p);  /* allocates nothing */
void pool_clear(struct pool *p); /* all blocks of slabs go with it; larger ones must have been given back */

/* How many bytes a block that holds so many has; 0 for 0. */
size_t pool_room(size_t size);

/* A block with room for size bytes, the first had of them as they were in the old one, which is given back. NULL: out of memory. */
void *pool_grow(struct pool *p, void *old, size_t had, size_t size);

/* size: as it was asked for. Takes NULL. */
void pool_give(struct pool *p, void *block, size_t size);

#endif
