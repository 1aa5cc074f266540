#include "config.h"

#include "decode/duplicate.h"

#include <stdlib.h>

enum {
	PACKETS_LEAST = 4096, /* remembered; a power of two: 2 million a second in the default window */
	PACKETS_MOST = 65536,
	CHAINS = 8,           /* for each packet: so many that two seldom share one, whose memory would be waited for */
	SHARE = 64,           /* one copy in so many packets: the tap makes them */
	SHARE_OF = 4096,      /* packets that the share is of, the older ones counting less and less */
};

struct remembered {
	uint64_t hash;
	int64_t time;
	uint32_t place, link;
	uint32_t before;      /* the packet before it in its chain, by number */
};

/*
 * Packets have numbers that count up and wrap. A number leads to a packet as long as the ring holds
 * it; whatever is older ends its chain, so nothing is ever taken out of one. Chains go backwards.
 */
struct duplicates {
	struct hash_fixed_key key;
	int64_t window;
	uint32_t next, size;  /* the next packet's number; places in the ring, a power of two */
	uint32_t seen, alike; /* lately: packets that tell, and those that were like an earlier one */
	struct remembered *ring;
	uint32_t *last;       /* of each chain, CHAINS * size of them */
	uint64_t counts[DUPLICATE_KINDS];
};

static bool is_within(const struct duplicates *d, int64_t a, int64_t b);
static enum duplicate_kind kind_of(const struct remembered *r, const struct likeness *l);
static bool makes_copies(const struct duplicates *d);

struct duplicates *
duplicates_create(int64_t window)
{
	struct duplicates *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->key = hash_fixed_key_random();
	d->window = window != 0 ? window : DUPLICATE_WINDOW_DEFAULT;
	d->size = PACKETS_LEAST;
	while (d->size < PACKETS_MOST && d->window / DUPLICATE_WINDOW_DEFAULT > d->size / PACKETS_LEAST)
		d->size *= 2;
	d->next = d->size + 1; /* 0, which chains begin with, is too old to be in the ring */
	d->ring = calloc(d->size, sizeof *d->ring);
	d->last = calloc(d->size, CHAINS * sizeof *d->last);
	if (d->ring != NULL && d->last != NULL)
		return d;
	duplicates_destroy(d);
	return NULL;
}

void
duplicates_destroy(struct duplicates *d)
{
	if (d == NULL)
		return;
	free(d->ring);
	free(d->last);
	free(d);
}

uint64_t
duplicates_digest(const struct duplicates *d, const uint8_t bytes[32])
{
	return hash_fixed(&d->key, bytes, 32);
}

bool
duplicates_copy(struct duplicates *d, const struct likeness *l)
{
	const uint64_t hash = hash_fixed(&d->key, l->word, sizeof l->word);
	const uint32_t mask = d->size - 1;
	uint32_t *last = &d->last[hash & (CHAINS * d->size - 1)];

	d->seen += !l->bare;
	if (d->seen == SHARE_OF) {
		d->seen /= 2;
		d->alike /= 2;
	}
	for (uint32_t at = *last; d->next - 1 - at < d->size; at = d->ring[at & mask].before) {
		const struct remembered *r = &d->ring[at & mask];
		if (r->hash != hash)
			continue;
		if (!is_within(d, r->time, l->time))
			break;
		enum duplicate_kind kind = kind_of(r, l);
		const bool certain = l->named || kind != DUPLICATE_SAME;
		d->alike += certain || !l->bare;
		if (!certain && !makes_copies(d))
			break;
		d->counts[kind]++;
		return true;
	}
	d->ring[d->next & mask] = (struct remembered){
		.hash = hash, .time = l->time, .place = l->place, .link = l->link, .before = *last};
	*last = d->next++;
	return false;
}

/* Two interfaces hand out their packets in batches: a copy may be the earlier one. */
static bool
is_within(const struct duplicates *d, int64_t a, int64_t b)
{
	const uint64_t apart = a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
	return apart <= (uint64_t)d->window;
}

/* What differs, the most telling first. */
static enum duplicate_kind
kind_of(const struct remembered *r, const struct likeness *l)
{
	if ((r->place & 0xff) != (l->place & 0xff))
		return DUPLICATE_ROUTED;
	if (r->place != l->place)
		return DUPLICATE_VLAN;
	return r->link != l->link ? DUPLICATE_LINK : DUPLICATE_SAME;
}

static bool
makes_copies(const struct duplicates *d)
{
	return d->alike > 0 && (uint64_t)d->alike * SHARE >= d->seen;
}

const uint64_t *
duplicates_counts(const struct duplicates *d)
{
	return d->counts;
}
