/*
 * Files that come in ranges, over one or several sessions (download managers, resumed
 * requests): one waybill for all parts with the same key between the same two addresses. It ends as soon as it
 * is whole, or when no part has come for a while.
 */
#include "config.h"

#include <string.h>

#include "base/table.h"
#include "transfer/session.h"
#include "transfer/tracker.h"

/* What the protocol says names the file; longer ones are not joined. */
enum { KEY_MAX = 4096 };

struct key {
	struct addr addr[2];
	uint8_t sender;
	uint8_t name[KEY_MAX];
};

static size_t key_make(struct key *k, const struct session *s, const struct transfer_start *start);

struct waybill *
joined_find(struct session *s, const struct transfer_start *start)
{
	struct key key;
	size_t len = key_make(&key, s, start);
	return len > 0 ? table_get(s->tracker->joined, &key, len) : NULL;
}

void
joined_add(struct waybill *w, const struct transfer_start *start)
{
	struct key key;
	size_t len = key_make(&key, w->session, start);
	void *copy = len > 0 ? arena_copy(&w->arena, &key, len) : NULL;
	if (copy == NULL || table_put(w->tracker->joined, &key, len, w, NULL) != 0) {
		tracker_count(w->tracker, COUNT_JOIN_LIMIT);
		w->assembly.refill = false;
		assembly_rebase(&w->assembly, start->offset);
		return;
	}
	w->key = copy;
	w->key_len = len;
}

void
joined_part_end(struct waybill *w, enum transfer_state state)
{
	if (w->ended)
		return;
	if (waybill_whole(w)) {
		waybill_end(w, TRANSFER_COMPLETE);
	} else if (w->parts == 0 && !w->began) {
		waybill_forget(w);
	} else if (w->parts == 0 && parts_finished(w)) {
		waybill_end(w, state);
	} else if (w->parts == 0) {
		w->last_part = w->tracker->now;
		w->is_waiting = true;
		TAILQ_INSERT_TAIL(&w->tracker->waiting, w, waiting);
	}
}

void
joined_remove(struct waybill *w)
{
	joined_resume(w);
	if (w->key != NULL && table_get(w->tracker->joined, w->key, w->key_len) == w)
		table_remove(w->tracker->joined, w->key, w->key_len);
}

void
joined_resume(struct waybill *w)
{
	if (w->is_waiting)
		TAILQ_REMOVE(&w->tracker->waiting, w, waiting);
	w->is_waiting = false;
}

void
joined_expire(struct transfer_tracker *t, int64_t now, bool all)
{
	struct waybill *w;
	while ((w = TAILQ_FIRST(&t->waiting)) != NULL &&
	        (all || now - w->last_part >= t->limits.join_timeout)) {
		waybill_end(w, TRANSFER_TRUNCATED);
		waybill_release(w);
	}
}

/* The key's length, or 0: it is too long to be one. */
static size_t
key_make(struct key *k, const struct session *s, const struct transfer_start *start)
{
	if (start->join_len > KEY_MAX)
		return 0;
	const struct session_ends ends = start->join_anywhere ? (struct session_ends){0} : session_ends(s);
	k->addr[SIDE_SOURCE] = ends.addr[SIDE_SOURCE];
	k->addr[SIDE_DESTINATION] = ends.addr[SIDE_DESTINATION];
	k->sender = (uint8_t)start->sender;
	memcpy(k->name, start->join_key, start->join_len);
	return offsetof(struct key, name) + start->join_len;
}
