/*
 * Things of one size, of which there may be millions: taken from large blocks in huge pages, so that looking at
 * one misses one cache and not two, and given back to a list of free ones. A block goes back to the system when nothing in
 * it is taken any more, but for one. Under AddressSanitizer each thing is allocated by itself, so that its use after it was given back shows.
 */
#ifndef WAYBILL_BASE_SLAB_H
#define WAYBILL_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab_block;

struct slab {
	size_t size;               /* of a thing, rounded up */
	struct slab_block *first;  /* a small one, which stays */
	struct slab_block *blocks; /* all others */
	struct slab_block *roomy;  /* those that have a place for one more; things are taken from the first of them */
};

/* size: of a thing. Allocates nothing. */
void slab_init(struct slab *s, size_t size);
void slab_clear(struct slab *s); /* all that was taken goes with it */

/* A thing, not zeroed; NULL: out of memory. */
void *slab_take(struct slab *s);
void slab_give(struct slab *s, void *thing); /* takes NULL */

#endif
