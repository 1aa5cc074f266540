/*
 * Memory that goes together: what one conversation or one record produces
 * lives in its arena and ends with it. Nothing in it is freed singly.
 */
#ifndef WAYBILL_BASE_ARENA_H
#define WAYBILL_BASE_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;                /* bytes given out */
	size_t limit;               /* 0: none */
};

/* An empty arena allocates nothing. limit 0: none. */
void arena_init(struct arena *a, size_t limit);
void arena_clear(struct arena *a);
/* Empties it for the next use; its newest block stays. */
void arena_reset(struct arena *a);

/* Zeroed memory aligned for any type, or NULL at the limit or when memory is out. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_copy(struct arena *a, const void *bytes, size_t len);
/* len bytes and a closing zero; NULL as above. */
char *arena_string(struct arena *a, const void *bytes, size_t len);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
