/*
 * What addresses were called in DNS answers, so that a flow gets its name where it says none itself: by client and
 * address, and by address for anybody. A ring: each answer takes the place of the one that came the longest time
 * ago, whatever the key of the hash is, so that what is known depends on the packets alone. Nothing is ever taken out of a chain: it
 * begins with the latest entry and ends where it leads to one that is overwritten.
 *
 * In a busy network none of this is in the cache. So an answer waits while the next few come, and with each of those the
 * memory of its next step is fetched; whoever asks for a name has all of them entered first.
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
	WAITING = 4,                 /* answers: their chains, entries and text are on the way */
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

/* An answer that is yet to be entered. */
struct waiting {
	int64_t until;
	uint64_t hash[2]; /* of its keys: the client's, if it has one, and anybody's */
	bool own;         /* it has */
	uint8_t len;
	char name[NAME_MAX_LEN];
};

struct names {
	struct hash_fixed_key key;
	struct waiting waiting[WAITING]; /* a ring */
	unsigned come, entered;          /* answers, ever */
	uint32_t count;   /* entries, ever; they are numbered from 1 on, and from 0 where that wraps */
	uint64_t written; /* text, ever */
	uint32_t chain[CHAINS]; /* the latest entry's number; 0: none */
	struct entry entry[ENTRIES];
	char text[TEXT_SIZE];
};

static uint64_t key_hash(const struct names *n, const struct addr *client, const struct addr *addr);
static void fetch_chains(const struct names *n, const uint64_t hash[2]);
static void fetch_entries(const struct names *n, const struct waiting *w);
static void fetch_text(struct names *n, const struct waiting *w);
static void enter_first(struct names *n);
static struct entry *find(struct names *n, uint64_t hash);
static void add(struct names *n, const struct waiting *w, uint64_t hash);
static bool add_again(struct names *n, const struct waiting *w, uint64_t hash);
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
	if (n->come - n->entered == WAITING)
		enter_first(n);
	if (n->come - n->entered > 1)
		fetch_text(n, &n->waiting[(n->come - 2) % WAITING]);
	if (n->come - n->entered > 0)
		fetch_entries(n, &n->waiting[(n->come - 1) % WAITING]);

	const int64_t life = r->ttl * CLOCK_SECOND + grace;
	struct waiting *w = &n->waiting[n->come++ % WAITING];
	w->until = r->time + (life < longest ? life : longest);
	w->own = !addr_equal(&r->client, &anybody);
	w->hash[0] = key_hash(n, &r->client, &r->addr);
	w->hash[1] = w->own ? key_hash(n, &anybody, &r->addr) : w->hash[0];
	w->len = (uint8_t)r->len;
	memcpy(w->name, r->name, r->len);
	fetch_chains(n, w->hash);
}

const char *
names_find(struct names *n, const struct addr *client, const struct addr *addr, int64_t time, size_t *len, bool *own)
{
	static const struct addr anybody;
	const uint64_t hash[] = {key_hash(n, client, addr), key_hash(n, &anybody, addr)};
	fetch_chains(n, hash);
	while (n->entered != n->come)
		enter_first(n);
	for (size_t i = 0; i < 2; i++) {
		const struct entry *e = find(n, hash[i]);
		const char *text = e != NULL && time <= e->until ? text_of(n, e) : NULL;
		if (text == NULL)
			continue;
		*len = e->len;
		*own = i == 0;
		return text;
	}
	return NULL;
}

static void
fetch_chains(const struct names *n, const uint64_t hash[2])
{
	for (size_t i = 0; i < 2; i++)
		__builtin_prefetch(&n->chain[hash[i] % CHAINS], 1);
}

static void
fetch_entries(const struct names *n, const struct waiting *w)
{
	for (size_t i = 0; i < 2; i++) {
		const uint32_t number = n->chain[w->hash[i] % CHAINS];
		if (n->count - number < ENTRIES)
			__builtin_prefetch(&n->entry[number % ENTRIES], 1);
	}
}

/* Where the same address was called something before. */
static void
fetch_text(struct names *n, const struct waiting *w)
{
	for (size_t i = 0; i < 2; i++) {
		const struct entry *e = find(n, w->hash[i]);
		if (e != NULL)
			__builtin_prefetch(n->text + e->text % TEXT_SIZE);
	}
}

static void
enter_first(struct names *n)
{
	const struct waiting *w = &n->waiting[n->entered++ % WAITING];
	if (w->own)
		add(n, w, w->hash[0]);
	add(n, w, w->hash[1]);
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
add(struct names *n, const struct waiting *w, uint64_t hash)
{
	if (add_again(n, w, hash))
		return;
	/* Both of an answer's entries share its text. */
	const struct entry *last = &n->entry[n->count % ENTRIES];
	const char *had = last->len == w->len ? text_of(n, last) : NULL;
	const bool same = had != NULL && memcmp(had, w->name, w->len) == 0;
	const uint64_t text = same ? last->text : write_text(n, w->name, w->len);
	uint32_t *chain = &n->chain[hash % CHAINS];
	const uint32_t older = *chain;
	*chain = ++n->count;
	n->entry[*chain % ENTRIES] = (struct entry){.hash = hash, .until = w->until, .text = text, .older = older,
	        .len = w->len};
}

/* The same name again needs a new entry only where the old one is soon overwritten. */
static bool
add_again(struct names *n, const struct waiting *w, uint64_t hash)
{
	struct entry *e = find(n, hash);
	const char *had = e != NULL && e->len == w->len ? text_of(n, e) : NULL;
	if (had == NULL || memcmp(had, w->name, w->len) != 0 || n->written - e->text >= TEXT_SIZE / 2 ||
	        (n->count - (uint32_t)(e - n->entry)) % ENTRIES >= ENTRIES / 2)
		return false;
	e->until = w->until;
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
