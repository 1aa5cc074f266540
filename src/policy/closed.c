/*
 * A ring in the order of being closed, found by chains. The key itself is not kept but for its hash of 64 bits, which nobody can
 * foretell.
 */
#include "config.h"

#include "policy/closed.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/pages.h"

static const int64_t late = 60 * CLOCK_SECOND; /* what comes in another order than it was sent is no more than that */

struct entry {
	uint64_t hash;
	int64_t from, until;
	uint32_t older;    /* the next in its chain: its place and 1; 0: none */
	uint8_t severity;
	bool forgotten;    /* before its time */
};

struct closed {
	struct hash_key key;
	size_t limit, chains; /* chains: a power of 2 */
	size_t first, count;  /* places in use: first, and so many from there on, around the end */
	struct entry *entries; /* pages that nobody touched are none */
	uint32_t *chain;      /* the newest's place and 1 */
};

static struct entry *find(const struct closed *c, uint64_t hash);
static bool is_over(const struct entry *e, int64_t now);
static void drop_oldest(struct closed *c);

struct closed *
closed_create(size_t limit)
{
	struct closed *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	*c = (struct closed){.key = hash_key_random(), .limit = limit < UINT32_MAX / 2 ? limit : UINT32_MAX / 2, .chains = 1};
	while (c->chains < c->limit)
		c->chains *= 2;
	c->entries = pages_take(c->limit * sizeof *c->entries);
	c->chain = pages_take(c->chains * sizeof *c->chain);
	if (c->entries != NULL && c->chain != NULL)
		return c;
	closed_destroy(c);
	return NULL;
}

void
closed_destroy(struct closed *c)
{
	if (c == NULL)
		return;
	pages_give(c->entries, c->limit * sizeof *c->entries);
	pages_give(c->chain, c->chains * sizeof *c->chain);
	free(c);
}

void
closed_add(struct closed *c, const char *key, size_t len, enum severity severity, int64_t now, int64_t for_long)
{
	const uint64_t hash = hash_bytes(&c->key, key, len);
	struct entry *before = find(c, hash);
	if (before != NULL) {
		before->from = now;
		before->until = now + for_long;
		before->severity = (uint8_t)severity;
		return;
	}
	closed_time(c, now);
	if (c->count == c->limit)
		return;
	const size_t place = (c->first + c->count++) % c->limit;
	uint32_t *chain = &c->chain[hash & (c->chains - 1)];
	c->entries[place] = (struct entry){.hash = hash, .from = now, .until = now + for_long, .older = *chain,
	        .severity = (uint8_t)severity};
	*chain = (uint32_t)place + 1;
}

bool
closed_holds(struct closed *c, const char *key, size_t len, enum severity severity, int64_t now)
{
	struct entry *e = c->count > 0 ? find(c, hash_bytes(&c->key, key, len)) : NULL;
	if (e == NULL)
		return false;
	if (!is_over(e, now) && severity <= e->severity)
		return true;
	e->forgotten = true;
	return false;
}

/* Nearly in the order of their ends: one behind another that was added again takes its place a little longer. */
void
closed_time(struct closed *c, int64_t now)
{
	while (c->count > 0 && (c->entries[c->first].forgotten || is_over(&c->entries[c->first], now)))
		drop_oldest(c);
}

static struct entry *
find(const struct closed *c, uint64_t hash)
{
	for (uint32_t at = c->chain[hash & (c->chains - 1)]; at != 0; at = c->entries[at - 1].older)
		if (c->entries[at - 1].hash == hash && !c->entries[at - 1].forgotten)
			return &c->entries[at - 1];
	return NULL;
}

static bool
is_over(const struct entry *e, int64_t now)
{
	return now > e->until || e->from - now > late;
}

/* It is the last in its chain. */
static void
drop_oldest(struct closed *c)
{
	const struct entry *e = &c->entries[c->first];
	uint32_t *link = &c->chain[e->hash & (c->chains - 1)];
	while (*link != c->first + 1)
		link = &c->entries[*link - 1].older;
	*link = 0;
	c->first = (c->first + 1) % c->limit;
	c->count--;
}
