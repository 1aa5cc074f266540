/*
 * What addresses were called in DNS answers, so that a flow gets its name where it says none itself: by client and
 * address, and by address for anybody. A ring: each answer takes the place of the one that came the longest time
 * ago, whatever the key of the hash is, so that what is known depends on the packets alone. Nothing is ever taken out of a chain: it
 * begins with the latest entry and ends where it leads to one that is overwritten.
 */
#include "config.h"

#include <string.h>

#include "attribution/attribution.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/pages.h"

enum {
	ENTRIES = 64 * 1024,         /* two an answer; a power of 2 */
	CHAINS = 4 * ENTRIES,        /* so that most who are not there have an empty one */
	TEXT_SIZE = 2 * 1024 * 1024, /* of names, a power of 2 and many times NAME_MAX_LEN */
};

/* Programs hold on to addresses for longer than they may; and nothing is believed for more than a day. */
static const int64_t grace = 300 * CLOCK_SECOND, longest = 86400 * CLOCK_SECOND;

struct key {
	struct addr client; /* all zero: anybody */
	struct addr addr;
};

struct entry {
	uint64_t hash; /* of the key; taken for it */
	int64_t until; /* packet time */
	uint64_t text; /* where its name begins in all text ever written */
	uint32_t older; /* the next in its chain, by number; 0: none */
	uint8_t len;
};

struct names {
	struct hash_fixed_key key;
	uint32_t count;   /* entries, ever; they are numbered from 1 on, and from 0 where that wraps */
	uint64_t written; /* text, ever */
	uint32_t chain[CHAINS]; /* the latest entry's number; 0: none */
	struct entry entry[ENTRIES];
	char text[TEXT_SIZE];
};

static uint64_t key_hash(const struct names *n, const struct addr *client, const struct addr *addr);
static struct entry *find(struct names *n, uint64_t hash);
static void add(struct names *n, const struct resolution *r, int64_t until, uint64_t hash);
static bool add_again(struct names *n, const struct resolution *r, int64_t until, uint64_t hash);
static uint64_t write_text(struct names *n, const char *name, size_t len);
static const char *text_of(const struct names *n, const struct entry *e);

struct names *
names_create(void)
{
	struct names *n = pages_take(sizeof *n);
	if (n == NULL)
		return NULL;
	n->key = hash_fixed_key_random();
	return n;
}

void
names_destroy(struct names *n)
{
	pages_give(n, sizeof *n);
}

void
names_add(struct names *n, const struct resolution *r)
{
	static const struct addr anybody;
	if (r->len == 0 || r->len > NAME_MAX_LEN)
		return;
	const int64_t life = r->ttl * CLOCK_SECOND + grace;
	const int64_t until = r->time + (life < longest ? life : longest);
	const uint64_t for_all = key_hash(n, &anybody, &r->addr);
	__builtin_prefetch(&n->chain[for_all % CHAINS], 1);
	if (!addr_equal(&r->client, &anybody))
		add(n, r, until, key_hash(n, &r->client, &r->addr));
	add(n, r, until, for_all);
}

const char *
names_find(const struct names *n, const struct addr *client, const struct addr *addr, int64_t time, size_t *len,
        bool *own)
{
	static const struct addr anybody;
	const struct addr *const clients[] = {client, &anybody};
	for (size_t i = 0; i < 2; i++) {
		/* Not const inside, but only looked at. */
		const struct entry *e = find((struct names *)(uintptr_t)n, key_hash(n, clients[i], addr));
		const char *text = e != NULL && time <= e->until ? text_of(n, e) : NULL;
		if (text == NULL)
			continue;
		*len = e->len;
		*own = i == 0;
		return text;
	}
	return NULL;
}

static uint64_t
key_hash(const struct names *n, const struct addr *client, const struct addr *addr)
{
	const struct key key = {*client, *addr};
	return hash_fixed(&n->key, &key, sizeof key);
}

/* Each step leads to an older entry; the first that is overwritten ends the chain. */
static struct entry *
find(struct names *n, uint64_t hash)
{
	uint32_t number = n->chain[hash % CHAINS], age = n->count - number;
	while (number != 0 && age < ENTRIES) {
		struct entry *e = &n->entry[number % ENTRIES];
		if (e->hash == hash)
			return e;
		number = e->older;
		if (n->count - number <= age)
			break; /* numbers have wrapped since */
		age = n->count - number;
	}
	return NULL;
}

static void
add(struct names *n, const struct resolution *r, int64_t until, uint64_t hash)
{
	if (add_again(n, r, until, hash))
		return;
	/* Both of an answer's entries share its text. */
	const struct entry *last = &n->entry[n->count % ENTRIES];
	const char *had = last->len == r->len ? text_of(n, last) : NULL;
	const bool same = had != NULL && memcmp(had, r->name, r->len) == 0;
	const uint64_t text = same ? last->text : write_text(n, r->name, r->len);
	uint32_t *chain = &n->chain[hash % CHAINS];
	const uint32_t older = *chain;
	*chain = ++n->count;
	n->entry[*chain % ENTRIES] = (struct entry){.hash = hash, .until = until, .text = text, .older = older,
	        .len = (uint8_t)r->len};
}

/* The same name again needs a new entry only where the old one is soon overwritten. */
static bool
add_again(struct names *n, const struct resolution *r, int64_t until, uint64_t hash)
{
	struct entry *e = find(n, hash);
	const char *had = e != NULL && e->len == r->len ? text_of(n, e) : NULL;
	if (had == NULL || memcmp(had, r->name, r->len) != 0 || n->written - e->text >= TEXT_SIZE / 2 ||
	        (n->count - (uint32_t)(e - n->entry)) % ENTRIES >= ENTRIES / 2)
		return false;
	e->until = until;
	return true;
}

/* Behind the text before it, or where the room begins again, never cut in two; where it stands. */
static uint64_t
write_text(struct names *n, const char *name, size_t len)
{
	size_t at = n->written % TEXT_SIZE;
	if (at + len > TEXT_SIZE)
		n->written += TEXT_SIZE - at;
	uint64_t text = n->written;
	memcpy(n->text + text % TEXT_SIZE, name, len);
	n->written += len;
	return text;
}

/* NULL: it was overwritten. */
static const char *
text_of(const struct names *n, const struct entry *e)
{
	if (e->len == 0 || n->written - e->text > TEXT_SIZE)
		return NULL;
	return n->text + e->text % TEXT_SIZE;
}
