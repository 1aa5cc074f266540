#include "config.h"

#include "proto/smb_request.h"

#include <stdlib.h>

#include "proto/smb_handle.h"

enum {
	SLOTS_FIRST = 32,
	SLOTS_MAX = 2048, /* many more than the credits that clients use */
	PROBES = 8,
};

static size_t slot_of(const struct smb_requests *q, uint64_t id, size_t probe);
static struct smb_request *free_slot(const struct smb_requests *q, uint64_t id);
static bool grow(struct smb_requests *q);
static bool rehash(const struct smb_requests *from, struct smb_requests *to);

struct smb_request *
smb_requests_add(struct smb_requests *q, uint64_t id)
{
	struct smb_request *r = smb_requests_find(q, id);
	while (r == NULL && (r = free_slot(q, id)) == NULL && grow(q))
		;
	if (r == NULL && q->size > 0)
		r = &q->slot[slot_of(q, id, 0)];
	if (r == NULL)
		return NULL;
	smb_requests_drop(r);
	r->id = id;
	r->live = true;
	return r;
}

struct smb_request *
smb_requests_find(const struct smb_requests *q, uint64_t id)
{
	for (size_t i = 0; q->size > 0 && i < PROBES; i++) {
		struct smb_request *r = &q->slot[slot_of(q, id, i)];
		if (r->live && r->id == id)
			return r;
	}
	return NULL;
}

void
smb_requests_drop(struct smb_request *r)
{
	if (r->handle != NULL)
		smb_handle_unref(r->handle);
	free(r->more);
	*r = (struct smb_request){0};
}

void
smb_requests_clear(struct smb_requests *q)
{
	for (size_t i = 0; i < q->size; i++)
		smb_requests_drop(&q->slot[i]);
	free(q->slot);
	*q = (struct smb_requests){0};
}

/* Numbers follow one another, in SMB 1 often by steps of 64: they are spread (Knuth 6.4, multiplicative). */
static size_t
slot_of(const struct smb_requests *q, uint64_t id, size_t probe)
{
	uint64_t spread = id * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	return (size_t)(spread + probe) & (q->size - 1);
}

static struct smb_request *
free_slot(const struct smb_requests *q, uint64_t id)
{
	for (size_t i = 0; q->size > 0 && i < PROBES; i++) {
		struct smb_request *r = &q->slot[slot_of(q, id, i)];
		if (!r->live)
			return r;
	}
	return NULL;
}

/* Twice the room, or more where that has no place for all. False: as before. */
static bool
grow(struct smb_requests *q)
{
	size_t size = q->size > 0 ? q->size * 2 : SLOTS_FIRST;
	for (; size <= SLOTS_MAX; size *= 2) {
		struct smb_requests wider = {.slot = calloc(size, sizeof *wider.slot), .size = size};
		if (wider.slot == NULL)
			return false;
		if (rehash(q, &wider)) {
			free(q->slot);
			*q = wider;
			return true;
		}
		free(wider.slot);
	}
	return false;
}

static bool
rehash(const struct smb_requests *from, struct smb_requests *to)
{
	for (size_t i = 0; i < from->size; i++) {
		if (!from->slot[i].live)
			continue;
		struct smb_request *r = free_slot(to, from->slot[i].id);
		if (r == NULL)
			return false;
		*r = from->slot[i];
	}
	return true;
}
