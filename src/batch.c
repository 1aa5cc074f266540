#include "config.h"

#include "batch.h"

#include <stdlib.h>
#include <string.h>

static void prefetch_ahead(const struct batch *b);
static int grow(struct batch *b);
static void keep_payload(struct batch *b, const struct frame *f, struct packet *p);

struct batch *
batch_create(void)
{
	struct batch *b = calloc(1, sizeof *b);
	if (b == NULL)
		return NULL;
	arena_init(&b->arena, 0);
	b->room = BATCH_FRAMES;
	if (grow(b) < 0) {
		batch_destroy(b);
		return NULL;
	}
	return b;
}

void
batch_destroy(struct batch *b)
{
	if (b == NULL)
		return;
	arena_clear(&b->arena);
	free(b->packets);
	free(b->lookups);
	free(b);
}

void
batch_reset(struct batch *b)
{
	b->count = 0;
	b->frames = b->bytes = b->lost = 0;
	b->idle = b->now = 0;
	b->waiting = 0;
	b->counts = NULL;
	b->count_count = 0;
	if (b->arena.blocks != NULL)
		arena_clear(&b->arena);
}

void
batch_frame(struct batch *b, const struct frame *f)
{
	if (b->frames++ == 0)
		b->start = b->end = f->time;
	if (f->time < b->start)
		b->start = f->time;
	if (f->time > b->end)
		b->end = f->time;
	b->bytes += f->len;
}

void
batch_packet(struct batch *b, const struct hash_fixed_key *key, const struct frame *f, const struct packet *p)
{
	if (b->count == b->room && grow(b) < 0) {
		b->lost++;
		return;
	}
	prefetch_ahead(b);
	struct packet *kept = &b->packets[b->count];
	*kept = *p;
	keep_payload(b, f, kept);
	flow_lookup_make(key, kept, &b->lookups[b->count++]);
}

/* Whoever followed the batch before has its memory in the cache of another core: it is asked for in time. */
static void
prefetch_ahead(const struct batch *b)
{
	enum { AHEAD = 8, CACHE_LINE = 64 };
	if (b->count + AHEAD >= b->room)
		return;
	const char *packet = (const char *)(b->packets + b->count + AHEAD);
	for (size_t at = 0; at < sizeof *b->packets; at += CACHE_LINE)
		__builtin_prefetch(packet + at, 1);
	__builtin_prefetch(b->lookups + b->count + AHEAD, 1);
}

static int
grow(struct batch *b)
{
	size_t room = b->room * 2;
	struct packet *packets = realloc(b->packets, room * sizeof *packets);
	if (packets != NULL)
		b->packets = packets;
	struct flow_lookup *lookups = realloc(b->lookups, room * sizeof *lookups);
	if (lookups != NULL)
		b->lookups = lookups;
	if (packets == NULL || lookups == NULL)
		return -1;
	b->room = room;
	return 0;
}

/* A payload that is not part of the frame lives only as long as the call that handed it out. */
static void
keep_payload(struct batch *b, const struct frame *f, struct packet *p)
{
	const uintptr_t at = (uintptr_t)p->payload, begin = (uintptr_t)f->data;
	if (p->captured == 0 || (at >= begin && at - begin < f->caplen))
		return;
	p->payload = arena_copy(&b->arena, p->payload, p->captured);
	if (p->payload == NULL) {
		p->captured = 0;
		p->flags |= PACKET_CUT;
	}
}
