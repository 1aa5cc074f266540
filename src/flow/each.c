#include "config.h"

/* A walk through all open flows, a part of them at a time. */
#include "flow/internal.h"

bool
flow_table_each(struct flow_table *t, uint64_t *cursor, size_t max, void (*fn)(void *ctx, struct flow *f), void *ctx)
{
	uint32_t number = (uint32_t)(*cursor >> REF_SLOT_BITS);
	uint32_t place = (uint32_t)*cursor & ((1u << REF_SLOT_BITS) - 1);
	for (; number < t->slab_count; number++, place = 0) {
		const uint32_t used = t->slabs[number] != NULL ? t->slabs[number]->used : 0;
		for (; place < used && max > 0; place++, max--) {
			struct flow *f = flow_at(t, number << REF_SLOT_BITS | (place + 1));
			/* Places that were given back keep their flow's key: only the index knows who is there. */
			if (flow_index_find(t, &f->key, flow_index_hash(t, f)) == f)
				fn(ctx, f);
		}
		if (place < used)
			break;
	}
	*cursor = (uint64_t)number << REF_SLOT_BITS | place;
	return number < t->slab_count;
}
