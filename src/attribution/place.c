#include "config.h"

/* Country, network owner and flags of an address: each fact from the first database that has it. */

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/snapshot.h"
#include "base/pages.h"
#include "base/table.h"

enum {
	CACHE_SLOTS = 1 << 15,
	ORG_LEN_MAX = 255,
	/* Networks of these lengths, of 128 bits, are most often in one place as a whole: routes are not longer. */
	BLOCK_V4 = 96 + 24,
	BLOCK_V6 = 48,
	SINGLE = 128,
	CACHE_LINE = 64,
};

/*
 * One place a slot: of a block, where all that tells places apart (databases, home, what addresses are for) is known to
 * say the same of every address in it; else of a single address. What comes later takes the slot over.
 */
struct place_cache {
	struct hash_fixed_key key;
	struct slot {
		alignas(CACHE_LINE) struct addr network;
		unsigned bits; /* SINGLE, or those of a block; 0: empty */
		struct place place;
	} *slots;
};

/* IPv6 addresses that hold an IPv4 one. */
static const struct embedding {
	struct addr network;
	unsigned bits;
	unsigned at; /* its first byte */
} embeddings[] = {
	{{{0x00, 0x64, 0xff, 0x9b}}, 96, 12}, /* RFC 6052 section 2.1: NAT64 */
	{{{0x20, 0x02}}, 16, 2},              /* RFC 3056: 6to4 */
};

static struct slot *slot_of(struct place_cache *c, const struct addr *network);
static bool slot_holds(const struct slot *s, const struct addr *network, unsigned bits);
static struct addr block_of(const struct addr *addr, unsigned bits);
static unsigned place_find(struct attribution *a, const struct addr *addr, struct place *out);
static unsigned find_facts(struct attribution *a, const struct addr *real, struct place *out);
static bool inside(const struct addr *addr, const struct addr *network, unsigned bits, unsigned *holds);
static void add_facts(struct attribution *a, const struct geo_facts *f, struct place *out);
static const char *org_keep(struct attribution *a, const uint8_t *name, size_t len);
static bool is_home(const struct attribution *a, const struct addr *addr, unsigned *holds);

struct place_cache *
place_cache_create(void)
{
	struct place_cache *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->key = hash_fixed_key_random();
	c->slots = pages_take(CACHE_SLOTS * sizeof *c->slots);
	if (c->slots != NULL)
		return c;
	free(c);
	return NULL;
}

void
place_cache_destroy(struct place_cache *c)
{
	if (c == NULL)
		return;
	pages_give(c->slots, CACHE_SLOTS * sizeof *c->slots);
	free(c);
}

void
attribution_place(struct attribution *a, const struct addr *addr, struct place *out)
{
	const unsigned bits = addr_is_v4(addr) ? BLOCK_V4 : BLOCK_V6;
	const struct addr block = block_of(addr, bits);
	struct slot *slot = slot_of(a->cache, &block), *single;

	if (!slot_holds(slot, &block, bits)) {
		single = slot_of(a->cache, addr);
		if (slot_holds(single, addr, SINGLE)) {
			slot = single;
		} else if (place_find(a, addr, out) <= bits) {
			*slot = (struct slot){block, bits, *out};
		} else {
			slot = single;
			*slot = (struct slot){*addr, SINGLE, *out};
		}
	}
	*out = slot->place;
}

static struct slot *
slot_of(struct place_cache *c, const struct addr *network)
{
	return &c->slots[hash_fixed(&c->key, network->bytes, sizeof network->bytes) % CACHE_SLOTS];
}

static bool
slot_holds(const struct slot *s, const struct addr *network, unsigned bits)
{
	return s->bits == bits && addr_equal(&s->network, network);
}

/* bits: whole bytes. */
static struct addr
block_of(const struct addr *addr, unsigned bits)
{
	struct addr block = *addr;
	memset(block.bytes + bits / 8, 0, sizeof block.bytes - bits / 8);
	return block;
}

int
attribution_database_place(struct attribution *a, size_t index, const struct addr *addr, struct place *out,
        unsigned *prefix_bits)
{
	struct geo_facts facts;
	struct addr real = place_embedded(addr);
	*out = (struct place){0};
	if (index >= a->database_count || !geo_find(a->databases[index].geo, &real, &facts, prefix_bits))
		return -1;
	add_facts(a, &facts, out);
	return 0;
}

struct addr
place_embedded(const struct addr *a)
{
	for (size_t i = 0; i < sizeof embeddings / sizeof embeddings[0]; i++) {
		if (addr_within(a, &embeddings[i].network, embeddings[i].bits))
			return addr_from_v4(a->bytes + embeddings[i].at);
	}
	return *a;
}

/* The same holds of every address that shares as many of addr's first bits, of the 128, as it returns. */
static unsigned
place_find(struct attribution *a, const struct addr *addr, struct place *out)
{
	const struct addr real = place_embedded(addr);
	unsigned holds;

	*out = (struct place){0};
	const enum addr_scope scope = addr_scope(&real, &holds);
	out->flags |= scope != ADDR_PUBLIC ? PLACE_PRIVATE : 0;
	out->flags |= scope == ADDR_MULTICAST ? PLACE_MULTICAST : 0;
	const unsigned facts = find_facts(a, &real, out);
	holds = facts > holds ? facts : holds;
	for (size_t i = 0; i < sizeof embeddings / sizeof embeddings[0]; i++) {
		if (inside(addr, &embeddings[i].network, embeddings[i].bits, &holds))
			holds = SINGLE; /* what is known is so of another address */
	}
	out->flags |= is_home(a, addr, &holds) ? PLACE_HOME : 0;
	return holds;
}

/* What the databases say. Returns the length, of 128 bits, of the network for which all of them say it. */
static unsigned
find_facts(struct attribution *a, const struct addr *real, struct place *out)
{
	const unsigned family = addr_is_v4(real) ? 96 : 0;
	unsigned holds = family;

	for (size_t i = 0; i < a->database_count; i++) {
		struct geo_facts facts;
		unsigned bits;
		if (geo_find(a->databases[i].geo, real, &facts, &bits))
			add_facts(a, &facts, out);
		holds = family + bits > holds ? family + bits : holds;
	}
	return holds;
}

/* Is addr in network/bits (of the 128)? *holds becomes what all around addr gives the same answer, if it was less. */
static bool
inside(const struct addr *addr, const struct addr *network, unsigned bits, unsigned *holds)
{
	const unsigned common = addr_common(addr, network);
	const unsigned same = common >= bits ? bits : common + 1;
	*holds = same > *holds ? same : *holds;
	return common >= bits;
}

/* What is not known yet. A flag is a warning: one database that raises it is enough. */
static void
add_facts(struct attribution *a, const struct geo_facts *f, struct place *out)
{
	if (out->country[0] == '\0') {
		memcpy(out->country, f->country, sizeof out->country);
		/* Both countries are of one database, or their difference would mean nothing. */
		if (f->country[0] != '\0')
			memcpy(out->registered, f->registered, sizeof out->registered);
	}
	if (out->asn == 0 && f->asn != 0) {
		out->asn = f->asn;
		out->org = f->org != NULL ? org_keep(a, f->org, f->org_len) : NULL;
	}
	out->flags |= f->flags;
}

/* A name as text that lives as long as the snapshot; each is kept once. */
static const char *
org_keep(struct attribution *a, const uint8_t *name, size_t len)
{
	char shown[ORG_LEN_MAX + 1];
	if (len > ORG_LEN_MAX)
		return NULL;
	char *kept = table_get(a->orgs, name, len);
	if (kept != NULL)
		return kept;
	if (text_is_utf8(name, len) && memchr(name, 0, len) == NULL) {
		kept = arena_string(&a->arena, name, len);
	} else {
		text_escape(shown, sizeof shown, name, len);
		kept = arena_string(&a->arena, shown, strlen(shown));
	}
	if (kept == NULL || table_put(a->orgs, name, len, kept, NULL) < 0)
		return NULL;
	return kept;
}

/* Its scope is that of addr itself, not of one that it holds. */
static bool
is_home(const struct attribution *a, const struct addr *addr, unsigned *holds)
{
	bool home = false;
	for (size_t i = 0; i < a->home_count; i++) {
		const struct home *h = &a->homes[i];
		const unsigned bits = addr_is_v4(&h->network) ? 96 + h->bits : h->bits;
		home = inside(addr, &h->network, bits, holds) || home;
	}
	if (a->home_count == 0) {
		unsigned bits;
		home = addr_scope(addr, &bits) == ADDR_PRIVATE;
		*holds = bits > *holds ? bits : *holds;
	}
	return home;
}
