#include "config.h"

#include "hearsay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1024 }; /* in each box: between two batches of a pipeline, some ms, one needs a few */

struct told {
	struct resolution of; /* its name stands below */
	char name[NAME_MAX_LEN];
};

struct box {
	pthread_mutex_t mutex;
	atomic_size_t count;       /* in filling; set under the mutex */
	struct told *filling;      /* under the mutex */
	struct told *heard;        /* whose box it is has it; they change places */
};

struct hearsay {
	unsigned members;
	struct box *box;
};

static bool put(struct box *b, const struct resolution *r);

struct hearsay *
hearsay_create(unsigned members)
{
	struct hearsay *h = calloc(1, sizeof *h);
	bool whole = h != NULL;
	if (h == NULL)
		return NULL;
	h->box = calloc(members, sizeof *h->box);
	for (; h->box != NULL && h->members < members; h->members++) {
		struct box *b = &h->box[h->members];
		pthread_mutex_init(&b->mutex, NULL);
		b->filling = calloc(ROOM, sizeof *b->filling);
		b->heard = calloc(ROOM, sizeof *b->heard);
		whole = whole && b->filling != NULL && b->heard != NULL;
	}
	if (whole && h->box != NULL)
		return h;
	hearsay_destroy(h);
	return NULL;
}

void
hearsay_destroy(struct hearsay *h)
{
	if (h == NULL)
		return;
	for (unsigned i = 0; i < h->members; i++) {
		pthread_mutex_destroy(&h->box[i].mutex);
		free(h->box[i].filling);
		free(h->box[i].heard);
	}
	free(h->box);
	free(h);
}

unsigned
hearsay_tell(struct hearsay *h, unsigned from, const struct resolution *r)
{
	unsigned missed = 0;
	if (r->len > NAME_MAX_LEN)
		return 0;
	for (unsigned i = 0; i < h->members; i++)
		if (i != from)
			missed += !put(&h->box[i], r);
	return missed;
}

static bool
put(struct box *b, const struct resolution *r)
{
	pthread_mutex_lock(&b->mutex);
	const bool fits = b->count < ROOM;
	if (fits) {
		struct told *t = &b->filling[b->count];
		t->of = *r;
		memcpy(t->name, r->name, r->len);
		b->count++;
	}
	pthread_mutex_unlock(&b->mutex);
	return fits;
}

void
hearsay_hear(struct hearsay *h, unsigned who, void (*fn)(void *ctx, const struct resolution *r), void *ctx)
{
	struct box *b = &h->box[who];
	if (atomic_load_explicit(&b->count, memory_order_relaxed) == 0)
		return;
	pthread_mutex_lock(&b->mutex);
	struct told *all = b->filling;
	const size_t count = b->count;
	b->filling = b->heard;
	b->heard = all;
	b->count = 0;
	pthread_mutex_unlock(&b->mutex);
	for (size_t i = 0; i < count; i++) {
		all[i].of.name = all[i].name;
		fn(ctx, &all[i].of);
	}
}
