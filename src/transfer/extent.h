/*
 * Stretches of a file that came out of order: an ordered set of intervals that
 * do not overlap, with or without their bytes. It is a treap (Seidel and
 * Aragon): a search tree over `from` that is a heap over random priorities, so
 * that no order of arrival makes it slow.
 */
#ifndef WAYBILL_TRANSFER_EXTENT_H
#define WAYBILL_TRANSFER_EXTENT_H

#include <stddef.h>
#include <stdint.h>

struct extent {
	uint64_t from, to; /* positions in the file; to is exclusive */
	uint8_t *bytes;    /* NULL: known to have been seen, content not kept */
	size_t room;       /* allocated for bytes */
	uint32_t priority;
	struct extent *left, *right;
};

/* Parts a tree: *below takes the extents that begin before position, *above the others. */
void extent_split(struct extent *tree, uint64_t position, struct extent **below,
        struct extent **above);

/* One tree of two; all of below lies before all of above. */
struct extent *extent_join(struct extent *below, struct extent *above);

struct extent *extent_first(struct extent *tree); /* or NULL */
struct extent *extent_last(struct extent *tree);  /* or NULL */

/* Takes the first extent out of the tree and returns it, or NULL. */
struct extent *extent_take_first(struct extent **tree);

#endif
