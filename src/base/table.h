/*
 * A hash table from bytes to pointers, seeded per start, with a limit and a
 * first-in order of iteration that does not depend on the seed.
 */
#ifndef WAYBILL_BASE_TABLE_H
#define WAYBILL_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table;

/* limit: entries at most (0: none). NULL when memory is out. */
struct table *table_create(size_t limit);
void table_destroy(struct table *t); /* takes NULL; values stay the caller's */

/* The value under key, or NULL. */
void *table_get(const struct table *t, const void *key, size_t len);

/*
 * Puts value (not NULL) under a copy of key. The value that was there before, or NULL in
 * *old (may be NULL). 0, or -1 when full or out of memory: nothing changed.
 */
int table_put(struct table *t, const void *key, size_t len, void *value, void **old);

/* Takes it out; the value, or NULL. */
void *table_remove(struct table *t, const void *key, size_t len);

size_t table_count(const struct table *t);

/*
 * Oldest entry first; cursor starts as 0. The value, or NULL at the end. The entry just
 * returned may be removed while iterating, nothing else changed.
 */
void *table_next(const struct table *t, size_t *cursor, const void **key, size_t *len);

#endif
