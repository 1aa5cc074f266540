/*
 * Things of one size, of which there may be millions: taken from large blocks in huge pages, so that looking at
 * one misses one cache and not two, and given back to a list of free ones. Blocks go when the pool is
 * cleared. Under AddressSanitizer each thing is allocated by itself, so that its use after it was given back shows.
 */
#ifndef WAYBILL_BASE_SLAB_H
#define WAYBILL_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab_block;

struct slab {
	size_t size;               /* of a thing, rounded up */
	void *free;                /* the first of those given back */
	uint8_t *fresh;            /* what was never taken of the newest block */
	size_t fresh_count;
	struct slab_block *blocks;
};

/* size: of a thing. Allocates nothing. */
void slab_init(struct slab *s, size_t size);
void slab_clear(struct slab *s); /* all that was taken goes with it */

/* A thing, not zeroed; NULL: out of memory. */
void *slab_take(struct slab *s);
void slab_give(struct slab *s, void *thing); /* takes NULL */

#endif
