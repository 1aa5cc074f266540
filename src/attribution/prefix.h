/*
 * Longest-prefix match for both families. The networks are flattened once into disjoint segments of
 * the 128-bit space, each knowing the innermost network over it; a network knows the one around it.
 * A look-up is one load from an index by the first 16 bits (of the IPv4 address, or of the IPv6 one)
 * and, only where networks begin or end inside that slot, a binary search among their segments.
 */
#ifndef WAYBILL_ATTRIBUTION_PREFIX_H
#define WAYBILL_ATTRIBUTION_PREFIX_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct prefix_table;

enum { PREFIX_NONE = UINT32_MAX };

struct prefix_input {
	struct addr network;
	unsigned bits; /* in the network's own family; no bits are set beyond them */
};

/*
 * Builds the table over count networks, equal and nested ones included. input need not live on.
 * node[i] receives the number of input[i]'s node: equal networks share one, and numbers run from 0
 * without holes. NULL when memory is out.
 */
struct prefix_table *prefix_table_create(const struct prefix_input *input, size_t count, uint32_t *node);
void prefix_table_destroy(struct prefix_table *t); /* takes NULL */

/* The innermost network's node over a, or PREFIX_NONE. */
uint32_t prefix_table_find(const struct prefix_table *t, const struct addr *a);

/* The node around this one, or PREFIX_NONE. Its number is always the smaller. */
uint32_t prefix_table_parent(const struct prefix_table *t, uint32_t node);

size_t prefix_table_nodes(const struct prefix_table *t);

#endif
