#include "config.h"

#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/*
 * Entries stand in one array in the order they came; the index is open
 * addressing over their positions. Removal leaves a hole that the next growth
 * closes.
 */
struct entry {
	void *value; /* NULL: a hole */
	void *key;
	size_t len;
	uint64_t hash;
};

struct table {
	struct hash_key seed;
	struct entry *entries;
	uint32_t *index;      /* position + 1; 0 empty */
	size_t used;          /* entries in use, holes included */
	size_t room;          /* of entries; the index has twice as many places */
	size_t count, limit;
};

static size_t find(const struct table *t, uint64_t hash, const void *key, size_t len);
static int rebuild(struct table *t, size_t room);

struct table *
table_create(size_t limit)
{
	struct table *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->seed = hash_key_random();
	t->limit = limit;
	return t;
}

void
table_destroy(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->used; i++)
		free(t->entries[i].key);
	free(t->entries);
	free(t->index);
	free(t);
}

void *
table_get(const struct table *t, const void *key, size_t len)
{
	if (t->count == 0)
		return NULL;
	size_t place = find(t, hash_bytes(&t->seed, key, len), key, len);
	return t->index[place] != 0 ? t->entries[t->index[place] - 1].value : NULL;
}

int
table_put(struct table *t, const void *key, size_t len, void *value, void **old)
{
	if (old != NULL)
		*old = NULL;
	uint64_t hash = hash_bytes(&t->seed, key, len);
	if (t->room > 0) {
		size_t place = find(t, hash, key, len);
		if (t->index[place] != 0) {
			struct entry *e = &t->entries[t->index[place] - 1];
			if (old != NULL)
				*old = e->value;
			e->value = value;
			return 0;
		}
	}
	if (t->limit != 0 && t->count >= t->limit)
		return -1;
	if (t->used == t->room && rebuild(t, t->count < t->room / 2 ? t->room : t->room * 2) < 0)
		return -1;
	void *copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		return -1;
	memcpy(copy, key, len);
	t->entries[t->used] = (struct entry){.value = value, .key = copy, .len = len, .hash = hash};
	t->index[find(t, hash, key, len)] = (uint32_t)++t->used;
	t->count++;
	return 0;
}

void *
table_remove(struct table *t, const void *key, size_t len)
{
	if (t->count == 0)
		return NULL;
	size_t mask = t->room * 2 - 1;
	size_t place = find(t, hash_bytes(&t->seed, key, len), key, len);
	if (t->index[place] == 0)
		return NULL;
	struct entry *e = &t->entries[t->index[place] - 1];
	void *value = e->value;
	free(e->key);
	*e = (struct entry){0};
	t->count--;

	/* Closes the gap in the probe sequence, so that no tombstones pile up. */
	t->index[place] = 0;
	for (size_t i = (place + 1) & mask; t->index[i] != 0; i = (i + 1) & mask) {
		size_t home = t->entries[t->index[i] - 1].hash & mask;
		if (((i - home) & mask) >= ((i - place) & mask)) {
			t->index[place] = t->index[i];
			t->index[i] = 0;
			place = i;
		}
	}
	return value;
}

size_t
table_count(const struct table *t)
{
	return t->count;
}

void *
table_next(const struct table *t, size_t *cursor, const void **key, size_t *len)
{
	while (*cursor < t->used) {
		const struct entry *e = &t->entries[(*cursor)++];
		if (e->value == NULL)
			continue;
		if (key != NULL)
			*key = e->key;
		if (len != NULL)
			*len = e->len;
		return e->value;
	}
	return NULL;
}

/* The index place of key, or the empty one where it would go. room > 0. */
static size_t
find(const struct table *t, uint64_t hash, const void *key, size_t len)
{
	size_t mask = t->room * 2 - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		if (t->index[i] == 0)
			return i;
		const struct entry *e = &t->entries[t->index[i] - 1];
		if (e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0)
			return i;
	}
}

static int
rebuild(struct table *t, size_t room)
{
	if (room < 16)
		room = 16;
	if (room > UINT32_MAX / 2)
		return -1;
	struct entry *entries = calloc(room, sizeof *entries);
	uint32_t *index = calloc(room * 2, sizeof *index);
	if (entries == NULL || index == NULL) {
		free(entries);
		free(index);
		return -1;
	}
	size_t used = 0;
	for (size_t i = 0; i < t->used; i++) {
		if (t->entries[i].value != NULL)
			entries[used++] = t->entries[i];
	}
	free(t->entries);
	free(t->index);
	t->entries = entries;
	t->index = index;
	t->used = used;
	t->room = room;
	for (size_t i = 0; i < used; i++)
		t->index[find(t, entries[i].hash, entries[i].key, entries[i].len)] = (uint32_t)i + 1;
	return 0;
}
