#include "config.h"

#include "transfer/waybill.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "transfer/session.h"
#include "transfer/tracker.h"

enum { WAYBILL_MEMORY = 256 * 1024 };

typedef void tell_fn(void *ctx, const struct transfer_record *r);

static bool is_watched(const struct session *s);
static bool make_room(struct transfer_tracker *t);
static void waybill_name_it(struct waybill *w, const struct flow_record *flow);
static size_t put_decimal(char *out, uint64_t value);
static void waybill_settle(struct waybill *w, enum transfer_state state);
static void settle_hash(struct waybill *w, bool whole);
static void settle_sent(struct waybill *w);
static void settle_type(struct waybill *w);
static void waybill_tell(struct waybill *w, tell_fn *tell);
static struct text text_copy(struct arena *a, const struct text *t);

struct waybill *
waybill_open(struct session *s, enum side sender, uint64_t offset, bool refill)
{
	struct transfer_tracker *t = s->tracker;
	struct waybill *w = make_room(t) ? slab_take(&t->files) : NULL;
	if (w == NULL) {
		tracker_count(t, COUNT_OPEN_LIMIT);
		return NULL;
	}
	*w = (struct waybill){.tracker = t, .session = session_ref(s), .ordinal = s->begun++};
	arena_init(&w->arena, WAYBILL_MEMORY);
	assembly_init(&w->assembly, &t->pool, offset, refill);
	w->record.sender = sender;
	w->record.protocol = s->protocol;
	w->record.start = w->last = t->now;
	const struct text user = fact_get(&s->facts, SESSION_USER);
	if (user.utf8 != NULL)
		w->account = text_copy(&w->arena, &user);
	TAILQ_INSERT_TAIL(&t->waybills, w, all);
	t->open++;
	if (t->ops.held != NULL)
		t->ops.held(t->ctx, FILE_COST);
	return w;
}

void
waybill_begin(struct waybill *w)
{
	if (w->began || w->ended)
		return;
	w->began = true;
	w->record.end = w->tracker->now;
	if (w->record.basis == TRANSFER_INFERRED || is_watched(w->session) ||
	        (w->data != NULL && is_watched(w->data)))
		waybill_tell(w, w->tracker->ops.began);
}

void
transfer_tracker_watch(struct transfer_tracker *t)
{
	struct waybill *w;
	TAILQ_FOREACH(w, &t->waybills, all)
		if (w->began && !w->ended && (is_watched(w->session) || (w->data != NULL && is_watched(w->data))))
			waybill_tell(w, t->ops.began);
}

static bool
is_watched(const struct session *s)
{
	const struct transfer_ops *ops = &s->tracker->ops;
	return ops->watched == NULL || s->over || ops->watched(s->tracker->ctx, s->flow);
}

void
waybill_grow(struct waybill *w)
{
	if (w->ended)
		return;
	w->record.end = w->tracker->now;
	waybill_tell(w, w->tracker->ops.grew);
}

void
waybill_move(struct waybill *w)
{
	w->last = w->tracker->now;
	if (w->moved)
		return;
	w->moved = true;
	if (w->record.basis == TRANSFER_READ)
		w->record.start = w->tracker->now;
	waybill_begin(w);
}

void
waybill_end(struct waybill *w, enum transfer_state state)
{
	if (w->ended)
		return;
	w->ended = true;
	joined_remove(w);
	if (w->began) {
		w->record.end = w->moved ? w->last : w->session->now;
		if (w->record.basis == TRANSFER_READ)
			waybill_settle(w, state);
		else
			w->record.state = state;
		waybill_tell(w, w->tracker->ops.ended);
	}
	assembly_clear(&w->assembly);
}

void
waybill_forget(struct waybill *w)
{
	w->ended = true;
	joined_remove(w);
	assembly_clear(&w->assembly);
}

void
waybill_release(struct waybill *w)
{
	if (w->ended && w->parts == 0)
		waybill_destroy(w);
}

void
waybill_destroy(struct waybill *w)
{
	struct transfer_tracker *t = w->tracker;
	joined_remove(w);
	assembly_clear(&w->assembly);
	if (w->sent != NULL)
		sha256_give(&t->hashes, w->sent);
	TAILQ_REMOVE(&t->waybills, w, all);
	t->open--;
	if (t->ops.held != NULL)
		t->ops.held(t->ctx, -FILE_COST);
	session_unref(w->session);
	session_unref(w->data);
	details_free(w->details);
	parts_destroy(w->numbered);
	arena_clear(&w->arena);
	slab_give(&t->files, w);
}

bool
waybill_whole(const struct waybill *w)
{
	return w->record.size_known && w->assembly.base == 0 &&
	       w->assembly.next >= w->record.size;
}

/* At the limit, files that only wait for their next range go first. */
static bool
make_room(struct transfer_tracker *t)
{
	if (t->open < t->limits.open)
		return true;
	struct waybill *w = TAILQ_FIRST(&t->waiting);
	if (w == NULL)
		return false;
	tracker_count(t, COUNT_OPEN_LIMIT);
	waybill_end(w, TRANSFER_TRUNCATED);
	waybill_release(w);
	return true;
}

/* Its identifier: the same in every run over the same packets. */
static void
waybill_name_it(struct waybill *w, const struct flow_record *flow)
{
	char origin[RECORD_ID_MAX + 2 * 24];
	size_t len = strnlen(flow->id, RECORD_ID_MAX);
	memcpy(origin, flow->id, len);
	origin[len++] = ' ';
	if (flow->start < 0)
		origin[len++] = '-';
	len += put_decimal(origin + len, flow->start < 0 ? -(uint64_t)flow->start : (uint64_t)flow->start);
	origin[len++] = ' ';
	len += put_decimal(origin + len, w->ordinal);
	const uint64_t id = hash_stable(origin, len);
	uint8_t bytes[sizeof id];
	for (size_t i = 0; i < sizeof id; i++)
		bytes[i] = (uint8_t)(id >> 8 * (sizeof id - 1 - i));
	text_hex(w->record.id, bytes, sizeof bytes);
}

/* 20 digits at most; how many. */
static size_t
put_decimal(char *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	memcpy(out, digits + at, sizeof digits - at);
	return sizeof digits - at;
}

/* Sizes, state, hashes and type, at the end. */
static void
waybill_settle(struct waybill *w, enum transfer_state state)
{
	struct transfer_record *r = &w->record;
	struct assembly *a = &w->assembly;
	if (w->numbered != NULL)
		parts_settle(w);
	const uint64_t start = a->base;

	if (a->end > r->size || !r->size_known)
		r->size = a->end;
	if (state == TRANSFER_COMPLETE)
		r->size_known = true;
	bool whole = r->size_known && a->next >= r->size;

	r->seen = a->cut && a->seen > r->size - start ? r->size - start : a->seen;
	r->missing = assembly_missing(a);
	r->state = state;
	if (state == TRANSFER_COMPLETE && !whole) {
		r->state = TRANSFER_TRUNCATED;
		r->missing = r->size - start - r->seen;
	} else if (state == TRANSFER_TRUNCATED && whole) {
		r->state = TRANSFER_COMPLETE;
	}
	if (r->copied > r->missing) /* a stretch that was copied twice, or came from the client as well */
		r->copied = r->missing;
	settle_hash(w, whole && start == 0);
	r->offset = a->base;
	settle_sent(w);
	settle_type(w);
}

static void
settle_hash(struct waybill *w, bool whole)
{
	struct transfer_record *r = &w->record;
	struct assembly *a = &w->assembly;
	uint8_t sha256[SHA256_BYTES];

	bool stale = a->cut || (w->rewrites && a->again);
	if (assembly_finish(a, sha256) != 0 || stale)
		return;
	if (whole && a->hashed == r->size) {
		r->has_sha256 = true;
		memcpy(r->sha256, sha256, sizeof r->sha256);
	} else if (a->hashed > a->base) {
		r->has_partial_sha256 = true;
		memcpy(r->partial_sha256, sha256, sizeof r->partial_sha256);
		r->hash_covers = arena_printf(&w->arena, "bytes %" PRIu64 "-%" PRIu64, a->base,
		        a->hashed - 1);
	}
}

/* What was sent has a hash of its own only where an encoding was undone, and all of it was seen. */
static void
settle_sent(struct waybill *w)
{
	struct transfer_record *r = &w->record;
	if (w->sent == NULL || w->sent_broken || r->content_encoding == NULL ||
	        r->state != TRANSFER_COMPLETE)
		return;
	r->has_sent_sha256 = sha256_finish(w->sent, r->sent_sha256) == 0;
}

static void
settle_type(struct waybill *w)
{
	struct filetype_answer type;
	if (w->assembly.head_len == 0)
		return;
	if (filetype_detect(w->tracker->filetype, w->assembly.head, w->assembly.head_len, &type) != 0) {
		tracker_count(w->tracker, COUNT_TYPE);
		return;
	}
	if (type.mime[0] != '\0')
		w->record.mime = arena_string(&w->arena, type.mime, strlen(type.mime));
	if (type.kind[0] != '\0')
		w->record.kind = arena_string(&w->arena, type.kind, strlen(type.kind));
}

static void
waybill_tell(struct waybill *w, tell_fn *tell)
{
	struct flow_record flow, data;
	struct facts facts, data_facts;

	session_describe(w->session, &flow, &facts);
	if (w->record.id[0] == '\0')
		waybill_name_it(w, &flow);
	struct transfer_record r = w->record;
	r.flow = &flow;
	r.details = w->details;
	if (session_turned(w->session)) {
		flow_record_turn(&flow);
		r.sender = side_other(r.sender);
	}
	if (w->data != NULL) {
		session_describe(w->data, &data, &data_facts);
		r.data = &data;
	}
	if (r.user.utf8 == NULL)
		r.user = w->account.utf8 != NULL ? w->account : facts.user;
	if (r.protocol == NULL)
		r.protocol = facts.protocol != NULL ? facts.protocol : "unknown";
	if (r.basis == TRANSFER_INFERRED) {
		r.start = flow.start;
		r.end = flow.end;
	}
	tell(w->tracker->ctx, &r);
}

static struct text
text_copy(struct arena *a, const struct text *t)
{
	struct text copy = *t;
	copy.utf8 = arena_string(a, t->utf8, strlen(t->utf8));
	if (t->raw != NULL)
		copy.raw = arena_copy(a, t->raw, t->raw_len);
	return copy;
}
