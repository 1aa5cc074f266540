#include "config.h"

/* Country, network owner and flags of an address: each fact from the first database that has it. */

#include <stdlib.h>
#include <string.h>

#include "attribution/snapshot.h"
#include "base/table.h"

enum {
	CACHE_SLOTS = 1 << 15,
	ORG_LEN_MAX = 255,
};

/* One place a slot; what comes later takes the slot over. */
struct place_cache {
	struct hash_fixed_key key;
	struct slot {
		struct addr addr;
		bool used;
		struct place place;
	} slots[CACHE_SLOTS];
};

static void place_find(struct attribution *a, const struct addr *addr, struct place *out);
static void add_facts(struct attribution *a, const struct geo_facts *f, struct place *out);
static const char *org_keep(struct attribution *a, const uint8_t *name, size_t len);
static bool is_home(const struct attribution *a, const struct addr *addr);

struct place_cache *
place_cache_create(void)
{
	struct place_cache *c = calloc(1, sizeof *c);
	if (c != NULL)
		c->key = hash_fixed_key_random();
	return c;
}

void
place_cache_destroy(struct place_cache *c)
{
	free(c);
}

void
attribution_place(struct attribution *a, const struct addr *addr, struct place *out)
{
	uint64_t hash = hash_fixed(&a->cache->key, addr->bytes, sizeof addr->bytes);
	struct slot *slot = &a->cache->slots[hash % CACHE_SLOTS];
	if (!slot->used || !addr_equal(&slot->addr, addr)) {
		place_find(a, addr, &slot->place);
		slot->addr = *addr;
		slot->used = true;
	}
	*out = slot->place;
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
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	if (memcmp(a->bytes, nat64, sizeof nat64) == 0)
		return addr_from_v4(a->bytes + 12);
	if (a->bytes[0] == 0x20 && a->bytes[1] == 0x02)
		return addr_from_v4(a->bytes + 2);
	return *a;
}

static void
place_find(struct attribution *a, const struct addr *addr, struct place *out)
{
	struct addr real = place_embedded(addr);
	bool group = addr_is_multicast(&real);
	*out = (struct place){0};
	out->flags |= group || addr_is_private(&real) ? PLACE_PRIVATE : 0;
	out->flags |= group ? PLACE_MULTICAST : 0;
	out->flags |= is_home(a, addr) ? PLACE_HOME : 0;
	for (size_t i = 0; i < a->database_count; i++) {
		struct geo_facts facts;
		unsigned bits;
		if (geo_find(a->databases[i].geo, &real, &facts, &bits))
			add_facts(a, &facts, out);
	}
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

static bool
is_home(const struct attribution *a, const struct addr *addr)
{
	for (size_t i = 0; i < a->home_count; i++) {
		if (addr_within(addr, &a->homes[i].network, a->homes[i].bits))
			return true;
	}
	return a->home_count == 0 && addr_is_private(addr) && !addr_is_multicast(addr);
}
