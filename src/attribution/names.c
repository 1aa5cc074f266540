/*
 * What addresses were called in DNS answers, so that a flow gets its name where it says none itself: by client and
 * address, and by address for anybody. Of fixed size: of the answers those that came the longest time ago go first,
 * in an order that depends on the packets alone.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "attribution/attribution.h"
#include "base/clock.h"
#include "base/hash.h"

enum {
	ENTRIES = 64 * 1024,       /* two an answer */
	CHAINS = 64 * 1024,        /* a power of 2 */
	TEXT_SIZE = 2 * 1024 * 1024, /* of names, a power of 2 and many times NAME_MAX_LEN */
	NONE = UINT32_MAX,
};

/* Programs hold on to addresses for longer than they may; and nothing is believed for more than a day. */
static const int64_t grace = 300 * CLOCK_SECOND, longest = 86400 * CLOCK_SECOND;

struct key {
	struct addr client; /* all zero: anybody */
	struct addr addr;
};

struct entry {
	uint64_t hash;           /* of the key; taken for it */
	int64_t until;           /* packet time */
	uint64_t text;           /* where its name begins in all text ever written */
	uint32_t next;           /* in its chain, or NONE */
	uint32_t older, newer;   /* or NONE */
	uint8_t len;             /* 0: not in use */
};

struct names {
	struct hash_fixed_key key;
	uint32_t chain[CHAINS];
	struct entry entry[ENTRIES];
	uint32_t oldest, newest;
	uint32_t used;           /* entries that were ever in use */
	uint64_t written;        /* text, ever */
	char text[TEXT_SIZE];
};

static uint64_t key_hash(const struct names *n, const struct addr *client, const struct addr *addr);
static struct entry *find(struct names *n, uint64_t hash);
static struct entry *make(struct names *n, uint64_t hash);
static uint32_t take_oldest(struct names *n);
static void unchain(struct names *n, uint32_t at);
static void put_newest(struct names *n, uint32_t at);
static void take_out(struct names *n, uint32_t at);
static uint64_t write_text(struct names *n, const char *name, size_t len);
static const char *text_of(const struct names *n, const struct entry *e);

struct names *
names_create(void)
{
	struct names *n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->key = hash_fixed_key_random();
	memset(n->chain, 0xff, sizeof n->chain);
	n->oldest = n->newest = NONE;
	return n;
}

void
names_destroy(struct names *n)
{
	free(n);
}

void
names_add(struct names *n, const struct resolution *r)
{
	static const struct addr anybody;
	const struct addr *const clients[] = {&r->client, &anybody};
	int64_t life = r->ttl * CLOCK_SECOND + grace;
	uint64_t text = 0;
	bool written = false;
	if (r->len == 0 || r->len > NAME_MAX_LEN)
		return;
	for (size_t i = addr_equal(&r->client, &anybody) ? 1 : 0; i < 2; i++) {
		struct entry *e = make(n, key_hash(n, clients[i], &r->addr));
		e->until = r->time + (life < longest ? life : longest);
		/* The same name again is written again only before its text is overwritten. */
		const char *had = e->len == r->len ? text_of(n, e) : NULL;
		if (had != NULL && n->written - e->text < TEXT_SIZE / 2 && memcmp(had, r->name, r->len) == 0)
			continue;
		if (!written)
			text = write_text(n, r->name, r->len);
		written = true;
		e->text = text;
		e->len = (uint8_t)r->len;
	}
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

static struct entry *
find(struct names *n, uint64_t hash)
{
	uint32_t at = n->chain[hash % CHAINS];
	while (at != NONE && n->entry[at].hash != hash)
		at = n->entry[at].next;
	return at != NONE ? &n->entry[at] : NULL;
}

/* The key's entry, now the newest; with nothing in it where it is new. */
static struct entry *
make(struct names *n, uint64_t hash)
{
	struct entry *e = find(n, hash);
	if (e != NULL) {
		uint32_t at = (uint32_t)(e - n->entry);
		take_out(n, at);
		put_newest(n, at);
		return e;
	}
	uint32_t at = n->used < ENTRIES ? n->used++ : take_oldest(n);
	e = &n->entry[at];
	*e = (struct entry){.hash = hash, .next = n->chain[hash % CHAINS]};
	n->chain[hash % CHAINS] = at;
	put_newest(n, at);
	return e;
}

static uint32_t
take_oldest(struct names *n)
{
	uint32_t at = n->oldest;
	take_out(n, at);
	unchain(n, at);
	return at;
}

static void
unchain(struct names *n, uint32_t at)
{
	uint32_t *link = &n->chain[n->entry[at].hash % CHAINS];
	while (*link != at)
		link = &n->entry[*link].next;
	*link = n->entry[at].next;
}

static void
put_newest(struct names *n, uint32_t at)
{
	n->entry[at].older = n->newest;
	n->entry[at].newer = NONE;
	if (n->newest != NONE)
		n->entry[n->newest].newer = at;
	else
		n->oldest = at;
	n->newest = at;
}

static void
take_out(struct names *n, uint32_t at)
{
	uint32_t older = n->entry[at].older, newer = n->entry[at].newer;
	if (older != NONE)
		n->entry[older].newer = newer;
	else
		n->oldest = newer;
	if (newer != NONE)
		n->entry[newer].older = older;
	else
		n->newest = older;
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
