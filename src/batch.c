#include "config.h"

#include "batch.h"

#include <stdlib.h>
#include <string.h>

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
batch_packet(struct batch *b, const struct flow_table *t, const struct frame *f, const struct packet *p)
{
	if (b->count == b->room && grow(b) < 0) {
		b->lost++;
		return;
	}
	struct packet *kept = &b->packets[b->count];
	*kept = *p;
	keep_payload(b, f, kept);
	flow_table_lookup(t, kept, &b->lookups[b->count++]);
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
