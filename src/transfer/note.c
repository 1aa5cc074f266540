#include "config.h"

#include "transfer/note.h"

#include <stdlib.h>
#include <string.h>

#include "transfer/session.h"
#include "transfer/tracker.h"

enum {
	NOTES_MAX = 1 << 17,
	NOTES_BYTES_MAX = 32 << 20,
	NOTE_KEY_MAX = 512,
	NOTE_VALUE_MAX = 8192,
};

struct note {
	TAILQ_ENTRY(note) order;
	size_t key_len, len;
	_Alignas(max_align_t) uint8_t bytes[]; /* the key, and at value_at(key_len) the value */
};

struct note_key {
	struct addr addr[2];
	uint64_t scope;
	uint8_t bytes[NOTE_KEY_MAX];
};

static size_t value_at(size_t key_len);
static size_t key_make(struct note_key *k, const struct session *s, enum note_scope scope, const void *key, size_t len);
static struct note *note_create(const struct note_key *key, size_t key_len, const void *value, size_t len);
static void note_remove(struct notes *n, struct note *note);

int
notes_init(struct notes *n)
{
	TAILQ_INIT(&n->order);
	n->bytes = 0;
	n->by_key = table_create(NOTES_MAX);
	return n->by_key != NULL ? 0 : -1;
}

void
notes_clear(struct notes *n)
{
	struct note *note;
	while (n->by_key != NULL && (note = TAILQ_FIRST(&n->order)) != NULL)
		note_remove(n, note);
	table_destroy(n->by_key);
}

int
session_note(struct session *s, enum note_scope scope, const void *key, size_t key_len, const void *value, size_t len)
{
	struct notes *n = &s->tracker->notes;
	struct note_key k;
	const size_t size = key_make(&k, s, scope, key, key_len);
	struct note *note = size > 0 && len <= NOTE_VALUE_MAX ? note_create(&k, size, value, len) : NULL;
	if (note == NULL)
		return -1;
	struct note *old = table_get(n->by_key, &k, size);
	if (old != NULL)
		note_remove(n, old);
	while (table_count(n->by_key) >= NOTES_MAX || n->bytes > NOTES_BYTES_MAX) {
		tracker_count(s->tracker, COUNT_NOTE_LIMIT);
		note_remove(n, TAILQ_FIRST(&n->order));
	}
	if (table_put(n->by_key, note->bytes, size, note, NULL) != 0) {
		free(note);
		return -1;
	}
	n->bytes += sizeof *note + value_at(size) + len;
	TAILQ_INSERT_TAIL(&n->order, note, order);
	return 0;
}

const void *
session_noted(struct session *s, enum note_scope scope, const void *key, size_t key_len, size_t *len)
{
	struct note_key k;
	const size_t size = key_make(&k, s, scope, key, key_len);
	const struct note *note = size > 0 ? table_get(s->tracker->notes.by_key, &k, size) : NULL;
	*len = note != NULL ? note->len : 0;
	return note != NULL ? note->bytes + value_at(note->key_len) : NULL;
}

/* Whatever it is, it may be looked at where it lies. */
static size_t
value_at(size_t key_len)
{
	return (key_len + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
}

/* Its length, or 0: it is too long. */
static size_t
key_make(struct note_key *k, const struct session *s, enum note_scope scope, const void *key, size_t len)
{
	if (len > NOTE_KEY_MAX)
		return 0;
	memset(k, 0, offsetof(struct note_key, bytes));
	const struct session_ends ends = scope != NOTE_ALL ? session_ends(s) : (struct session_ends){0};
	if (scope == NOTE_PAIR) {
		const bool swap = addr_compare(&ends.addr[0], &ends.addr[1]) > 0;
		k->addr[0] = ends.addr[swap];
		k->addr[1] = ends.addr[!swap];
	} else if (scope != NOTE_ALL) {
		k->addr[0] = ends.addr[scope == NOTE_SOURCE ? SIDE_SOURCE : SIDE_DESTINATION];
	}
	k->scope = scope == NOTE_DESTINATION ? NOTE_SOURCE : scope; /* an address is one, whichever end it is */
	memcpy(k->bytes, key, len);
	return offsetof(struct note_key, bytes) + len;
}

static struct note *
note_create(const struct note_key *key, size_t key_len, const void *value, size_t len)
{
	struct note *note = malloc(sizeof *note + value_at(key_len) + len);
	if (note == NULL)
		return NULL;
	note->key_len = key_len;
	note->len = len;
	memcpy(note->bytes, key, key_len);
	if (len > 0)
		memcpy(note->bytes + value_at(key_len), value, len);
	return note;
}

static void
note_remove(struct notes *n, struct note *note)
{
	table_remove(n->by_key, note->bytes, note->key_len);
	TAILQ_REMOVE(&n->order, note, order);
	n->bytes -= sizeof *note + value_at(note->key_len) + note->len;
	free(note);
}
