#include "config.h"

#include "base/phrase.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROOM_LEAST = 1024,
	ROOM_MOST = PHRASE_MAX + 1,
	SHORT = (HASH_FIXED_WORDS - 1) * sizeof(uint64_t),
};

struct phrase {
	uint32_t hash;
	uint32_t next; /* in its chain; 0: the last */
	uint32_t uses;
	uint32_t len;
	uint8_t bytes[];
};

static uint32_t hash_of(const struct phrases *p, const void *bytes, size_t len);
static uint32_t find(const struct phrases *p, uint32_t hash, const void *bytes, size_t len);
static uint32_t add(struct phrases *p, uint32_t hash, const void *bytes, size_t len);
static uint32_t number_take(struct phrases *p);
static bool grow(struct phrases *p);
static uint32_t *chain(const struct phrases *p, uint32_t hash);
static size_t size_of(size_t len);

/* A number that was given back holds the next such one in the place of its phrase. */
static inline struct phrase *
free_mark(uint32_t next)
{
	return (struct phrase *)(uintptr_t)next;
}

void
phrases_init(struct phrases *p)
{
	*p = (struct phrases){.key = hash_fixed_key_random(), .long_key = hash_key_random()};
	pool_init(&p->pool);
}

void
phrases_clear(struct phrases *p)
{
	for (uint32_t i = 0; p->bucket != NULL && i < p->room / 2; i++)
		for (uint32_t n = p->bucket[i], next; n != 0; n = next) {
			next = p->at[n]->next;
			pool_give(&p->pool, p->at[n], size_of(p->at[n]->len));
		}
	free(p->at);
	free(p->bucket);
	pool_clear(&p->pool);
	*p = (struct phrases){.key = p->key, .long_key = p->long_key};
	pool_init(&p->pool);
}

uint32_t
phrases_take(struct phrases *p, const void *bytes, size_t len)
{
	const uint32_t hash = hash_of(p, bytes, len);
	uint32_t n = p->room > 0 ? find(p, hash, bytes, len) : 0;
	if (n == 0)
		return add(p, hash, bytes, len);
	if (p->at[n]->uses == UINT32_MAX)
		return 0;
	p->at[n]->uses++;
	return n;
}

void
phrases_drop(struct phrases *p, uint32_t number)
{
	struct phrase *phrase = number != 0 ? p->at[number] : NULL;
	if (phrase == NULL || --phrase->uses > 0)
		return;
	uint32_t *from = chain(p, phrase->hash);
	while (*from != number)
		from = &p->at[*from]->next;
	*from = phrase->next;
	pool_give(&p->pool, phrase, size_of(phrase->len));
	p->at[number] = free_mark(p->free);
	p->free = number;
}

const void *
phrases_read(const struct phrases *p, uint32_t number, size_t *len)
{
	const struct phrase *phrase = p->at[number];
	if (len != NULL)
		*len = phrase->len;
	return phrase->bytes;
}

static uint32_t
hash_of(const struct phrases *p, const void *bytes, size_t len)
{
	uint64_t word[HASH_FIXED_WORDS] = {len};
	if (len > SHORT)
		return (uint32_t)hash_bytes(&p->long_key, bytes, len);
	if (len > 0)
		memcpy(word + 1, bytes, len);
	return (uint32_t)hash_fixed(&p->key, word, sizeof word);
}

/* 0: it is new. */
static uint32_t
find(const struct phrases *p, uint32_t hash, const void *bytes, size_t len)
{
	uint32_t n = *chain(p, hash);
	for (; n != 0; n = p->at[n]->next) {
		const struct phrase *phrase = p->at[n];
		if (phrase->hash == hash && phrase->len == len && (len == 0 || memcmp(phrase->bytes, bytes, len) == 0))
			break;
	}
	return n;
}

static uint32_t
add(struct phrases *p, uint32_t hash, const void *bytes, size_t len)
{
	const uint32_t number = len <= UINT32_MAX / 2 ? number_take(p) : 0;
	struct phrase *phrase = number != 0 ? pool_grow(&p->pool, NULL, 0, size_of(len)) : NULL;
	if (number == 0)
		return 0;
	if (phrase == NULL) {
		p->at[number] = free_mark(p->free);
		p->free = number;
		return 0;
	}
	uint32_t *first = chain(p, hash);
	*phrase = (struct phrase){.hash = hash, .next = *first, .uses = 1, .len = (uint32_t)len};
	if (len > 0)
		memcpy(phrase->bytes, bytes, len);
	phrase->bytes[len] = '\0';
	p->at[number] = phrase;
	*first = number;
	return number;
}

static uint32_t
number_take(struct phrases *p)
{
	const uint32_t number = p->free;
	if (number != 0) {
		p->free = (uint32_t)(uintptr_t)p->at[number];
		return number;
	}
	if (p->used + 1 >= p->room && !grow(p))
		return 0;
	return ++p->used;
}

/* Twice as much room: chains are made anew, of those numbers that are in use. */
static bool
grow(struct phrases *p)
{
	const uint32_t room = p->room > 0 ? p->room * 2 : ROOM_LEAST;
	if (room > ROOM_MOST)
		return false;
	struct phrase **at = realloc(p->at, room * sizeof(struct phrase *));
	if (at == NULL)
		return false;
	p->at = at;
	uint32_t *old = p->bucket, *bucket = calloc(room / 2, sizeof *bucket);
	if (bucket == NULL)
		return false;
	const uint32_t old_room = p->room;
	p->bucket = bucket;
	p->room = room;
	for (uint32_t i = 0; old != NULL && i < old_room / 2; i++)
		for (uint32_t n = old[i], next; n != 0; n = next) {
			next = at[n]->next;
			uint32_t *first = chain(p, at[n]->hash);
			at[n]->next = *first;
			*first = n;
		}
	free(old);
	return true;
}

static uint32_t *
chain(const struct phrases *p, uint32_t hash)
{
	return &p->bucket[hash & (p->room / 2 - 1)];
}

/* With the zero behind it. */
static size_t
size_of(size_t len)
{
	return sizeof(struct phrase) + len + 1;
}
