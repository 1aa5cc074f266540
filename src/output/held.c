#include "config.h"

#include "output/held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop(struct held *h);

int
held_add(struct held *h, enum severity severity, const char *id, const char *body, size_t len)
{
	if (len > h->limit || h->bytes > h->limit - len)
		return -1;
	struct held_alert *a = malloc(sizeof *a + len);
	if (a == NULL)
		return -1;
	*a = (struct held_alert){.severity = severity, .len = len};
	snprintf(a->id, sizeof a->id, "%s", id);
	memcpy(a->body, body, len);
	*(h->tail != NULL ? &h->tail->next : &h->head) = a;
	h->tail = a;
	h->count++;
	h->bytes += len;
	return 0;
}

size_t
held_hand_over(struct held *h,
    int (*take)(void *ctx, enum severity severity, const char *id, const char *body, size_t len), void *ctx)
{
	const size_t before = h->count;
	while (h->head != NULL && take(ctx, h->head->severity, h->head->id, h->head->body, h->head->len) == 0)
		drop(h);
	return before - h->count;
}

void
held_clear(struct held *h)
{
	while (h->head != NULL)
		drop(h);
}

/* The head. */
static void
drop(struct held *h)
{
	struct held_alert *a = h->head;
	h->head = a->next;
	if (h->head == NULL)
		h->tail = NULL;
	h->count--;
	h->bytes -= a->len;
	free(a);
}
