/* What a protocol says of one movement of a file; see waybill.h for what becomes of it. */
#include "config.h"

#include "transfer/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "transfer/name.h"
#include "transfer/session.h"
#include "transfer/tracker.h"

enum {
	PATH_BYTES_MAX = 4096,
	URL_BYTES_MAX = 8192,
	METHOD_BYTES_MAX = 64,
	MIME_BYTES_MAX = 256,
	USER_BYTES_MAX = 1024,
};

static void part_attach(struct transfer *t, struct waybill *w);
static void part_number(struct transfer *t, const struct transfer_start *start);
static struct waybill *part_detach(struct transfer *t);
static void part_end(struct waybill *w, enum transfer_state state);
static bool known_already(const struct waybill *w, const void *fact);
static const char *keep(struct waybill *w, const char *have, const void *bytes, size_t len,
        size_t max);

struct transfer *
transfer_begin(struct session *s, const struct transfer_start *start)
{
	struct waybill *w = NULL;
	struct transfer *t = slab_take(&s->tracker->transfers);
	if (t == NULL)
		return NULL;
	*t = (struct transfer){.session = s, .at = start->offset};
	if (start->join_key != NULL)
		w = joined_find(s, start);
	if (w != NULL) {
		joined_resume(w);
	} else {
		/* The ranges of a joined file have their places in the whole of it. */
		bool joined = start->join_key != NULL;
		w = waybill_open(s, start->sender, joined ? start->join_offset : start->offset, joined);
		if (w == NULL) {
			slab_give(&s->tracker->transfers, t);
			return NULL;
		}
		w->rewrites = start->rewrites;
		if (joined)
			joined_add(w, start);
	}
	part_attach(t, w);
	if (w->key != NULL && (start->part > 0 || start->part_name_len > 0))
		part_number(t, start);
	if (start->method != NULL)
		transfer_method(t, start->method);
	if (start->path != NULL)
		transfer_name(t, start->path, start->path_len, start->charset);
	if (start->size_known)
		transfer_size(t, start->size);
	return t;
}

/* A part that there is no room for is of no use to the file; that it moved still counts. */
static void
part_number(struct transfer *t, const struct transfer_start *start)
{
	t->part = start->part;
	if (start->part_name_len > 0 && start->part_name_len <= PART_NAME_MAX)
		t->part = parts_add_named(t->waybill, start->part_name, start->part_name_len);
	else if (start->part > 0)
		parts_add(t->waybill, start->part);
	if (t->part == 0)
		t->part = UINT32_MAX;
	if (start->parts > 0)
		parts_expect(t->waybill, start->parts);
}

struct transfer *
transfer_resume(struct session *s, const struct transfer_start *start)
{
	struct waybill *w = joined_find(s, start);
	struct transfer *t = w != NULL ? slab_take(&s->tracker->transfers) : NULL;
	if (t == NULL)
		return NULL;
	*t = (struct transfer){.session = s};
	joined_resume(w);
	part_attach(t, w);
	return t;
}

static void
part_attach(struct transfer *t, struct waybill *w)
{
	w->parts++;
	t->waybill = w;
	(void)session_ref(t->session);
	LIST_INSERT_HEAD(&t->session->transfers, t, in_session);
}

void
transfer_name(struct transfer *t, const void *path, size_t len, const char *charset)
{
	if (t == NULL || t->waybill == NULL || known_already(t->waybill, t->waybill->record.path.utf8))
		return;
	transfer_rename(t, path, len, charset);
}

void
transfer_rename(struct transfer *t, const void *path, size_t len, const char *charset)
{
	if (t == NULL || t->waybill == NULL)
		return;
	struct waybill *w = t->waybill;
	len = tracker_bound(w->tracker, path, len, PATH_BYTES_MAX);
	w->record.path = len > 0 ? text_decode(&w->arena, path, len, charset) : (struct text){0};
	w->record.name = name_of_path(&w->record.path);
}

void
transfer_method(struct transfer *t, const char *method)
{
	if (t == NULL || t->waybill == NULL)
		return;
	struct waybill *w = t->waybill;
	w->record.method = keep(w, w->record.method, method, strlen(method), METHOD_BYTES_MAX);
}

void
transfer_sender(struct transfer *t, enum side sender)
{
	if (t != NULL && t->waybill != NULL)
		t->waybill->record.sender = sender;
}

void
transfer_size(struct transfer *t, uint64_t size)
{
	if (t == NULL || t->waybill == NULL)
		return;
	if (t->part > 0) {
		parts_size(t->waybill, t->part, size);
		return;
	}
	t->waybill->record.size_known = true;
	t->waybill->record.size = size;
}

void
transfer_offset(struct transfer *t, uint64_t offset)
{
	if (t == NULL || t->waybill == NULL)
		return;
	t->at = offset;
	if (t->waybill->key == NULL && !t->waybill->moved)
		assembly_rebase(&t->waybill->assembly, offset);
}

void
transfer_cut(struct transfer *t, uint64_t size)
{
	if (t == NULL || t->waybill == NULL || t->waybill->ended)
		return;
	assembly_cut(&t->waybill->assembly, size);
	transfer_size(t, size);
}

void
transfer_mime(struct transfer *t, const void *bytes, size_t len)
{
	if (t == NULL || t->waybill == NULL || len == 0)
		return;
	struct waybill *w = t->waybill;
	w->record.declared_mime = keep(w, w->record.declared_mime, bytes, len, MIME_BYTES_MAX);
}

void
transfer_http(struct transfer *t, const char *method, const char *url, unsigned status,
        const char *referrer)
{
	if (t == NULL || t->waybill == NULL)
		return;
	struct waybill *w = t->waybill;
	if (method != NULL)
		w->record.http.method =
		        keep(w, w->record.http.method, method, strlen(method), METHOD_BYTES_MAX);
	if (url != NULL)
		w->record.http.url = keep(w, w->record.http.url, url, strlen(url), URL_BYTES_MAX);
	if (referrer != NULL)
		w->record.http.referrer =
		        keep(w, w->record.http.referrer, referrer, strlen(referrer), URL_BYTES_MAX);
	if (status != 0)
		w->record.http.status = status;
}

void
transfer_encoding(struct transfer *t, const char *encoding)
{
	if (t == NULL || t->waybill == NULL)
		return;
	struct waybill *w = t->waybill;
	w->record.content_encoding = keep(w, w->record.content_encoding, encoding, strlen(encoding),
	        METHOD_BYTES_MAX);
}

void
transfer_still_encoded(struct transfer *t, const void *bytes, size_t len)
{
	if (t == NULL || t->waybill == NULL || len == 0)
		return;
	struct waybill *w = t->waybill;
	w->record.still_encoded = keep(w, w->record.still_encoded, bytes, len, METHOD_BYTES_MAX);
}

void
transfer_listing(struct transfer *t)
{
	if (t != NULL && t->waybill != NULL)
		t->waybill->record.listing = true;
}

void
transfer_form(struct transfer *t)
{
	if (t == NULL || t->waybill == NULL)
		return;
	t->waybill->record.form = true;
	t->waybill->record.name = t->waybill->record.path = (struct text){0};
}

void
transfer_user(struct transfer *t, const void *bytes, size_t len)
{
	if (t == NULL || t->waybill == NULL || len == 0 ||
	        known_already(t->waybill, t->waybill->record.user.utf8))
		return;
	len = tracker_bound(t->waybill->tracker, bytes, len, USER_BYTES_MAX);
	t->waybill->record.user = text_decode(&t->waybill->arena, bytes, len, NULL);
}

void
transfer_detail(struct transfer *t, const char *key, const void *bytes, size_t len)
{
	if (t != NULL && t->waybill != NULL &&
	        tracker_detail(t->waybill->tracker, &t->waybill->details, key, bytes, len) != 0)
		tracker_count(t->waybill->tracker, COUNT_SESSION_MEMORY);
}

void
transfer_detail_number(struct transfer *t, const char *key, uint64_t number)
{
	if (t != NULL && t->waybill != NULL && details_number(&t->waybill->details, key, number) != 0)
		tracker_count(t->waybill->tracker, COUNT_SESSION_MEMORY);
}

void
transfer_carrier(struct transfer *t, struct session *data)
{
	if (t == NULL || t->waybill == NULL || t->data == data)
		return;
	if (t->data != NULL)
		LIST_REMOVE(t, in_data);
	session_unref(t->waybill->data);
	t->waybill->data = session_ref(data);
	t->data = data;
	LIST_INSERT_HEAD(&data->carried, t, in_data);
}

void
transfer_accepted(struct transfer *t)
{
	if (t == NULL || t->waybill == NULL)
		return;
	t->waybill->accepted = true;
	waybill_begin(t->waybill);
}

void
transfer_data(struct transfer *t, uint64_t offset, const uint8_t *bytes, size_t len)
{
	if (t == NULL || t->waybill == NULL || len == 0 || t->waybill->ended)
		return;
	waybill_move(t->waybill);
	if (t->part == 0)
		assembly_data(&t->waybill->assembly, offset, bytes, len);
	else
		parts_data(t->waybill, t->part, offset, bytes, len);
	uint64_t end = len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
	if (end > t->at)
		t->at = end;
}

void
transfer_append(struct transfer *t, const uint8_t *bytes, size_t len)
{
	if (t != NULL)
		transfer_data(t, t->at, bytes, len);
}

void
transfer_skip(struct transfer *t, uint64_t len)
{
	if (t == NULL || t->waybill == NULL || len == 0 || t->waybill->ended)
		return;
	waybill_move(t->waybill);
	t->waybill->sent_broken = true;
	if (t->part == 0)
		assembly_skip(&t->waybill->assembly, t->at, len);
	else
		parts_skip(t->waybill, t->part, t->at, len);
	t->at = len > UINT64_MAX - t->at ? UINT64_MAX : t->at + len;
}

void
transfer_copied(struct transfer *t, uint64_t len)
{
	if (t == NULL || t->waybill == NULL || t->waybill->ended)
		return;
	uint64_t *copied = &t->waybill->record.copied;
	*copied = len > UINT64_MAX - *copied ? UINT64_MAX : *copied + len;
	transfer_skip(t, len);
}

void
transfer_sent(struct transfer *t, const uint8_t *bytes, size_t len)
{
	if (t == NULL || t->waybill == NULL || len == 0 || t->waybill->sent_broken)
		return;
	struct waybill *w = t->waybill;
	if (w->key != NULL) { /* parts come side by side: there is no order in which they were sent */
		w->sent_broken = true;
		return;
	}
	if (w->sent == NULL && w->tracker->pool.hashes != NULL)
		w->sent = sha256_take(&w->tracker->hashes);
	if (w->sent == NULL || EVP_DigestUpdate(w->sent, bytes, len) != 1)
		w->sent_broken = true;
}

void
transfer_parts_end(struct transfer *t, const uint32_t *numbers, size_t count, enum transfer_state state)
{
	if (t == NULL || t->waybill == NULL || t->waybill->numbered == NULL) {
		transfer_finish(t, state);
		return;
	}
	const bool known = parts_finish(t->waybill, numbers, count, state == TRANSFER_ABORTED);
	transfer_end(t, known ? state : TRANSFER_TRUNCATED);
}

void
transfer_parts_listed(struct transfer *t, const struct part_name *names, size_t count, enum transfer_state state)
{
	if (t == NULL || t->waybill == NULL)
		return;
	const bool known = parts_finish_named(t->waybill, names, count);
	if (parts_finished(t->waybill))
		transfer_end(t, known ? state : TRANSFER_TRUNCATED);
	else
		transfer_finish(t, state);
}

void
transfer_end(struct transfer *t, enum transfer_state state)
{
	if (t == NULL || t->waybill == NULL)
		return;
	if (t->part > 0 && state == TRANSFER_COMPLETE)
		parts_size(t->waybill, t->part, t->at);
	struct session *s = t->session;
	struct waybill *w = part_detach(t);
	slab_give(&s->tracker->transfers, t);
	part_end(w, state);
	session_unref(s);
}

void
transfer_finish(struct transfer *t, enum transfer_state state)
{
	if (t == NULL || t->waybill == NULL)
		return;
	struct session *s = t->session;
	struct waybill *w = part_detach(t);
	slab_give(&s->tracker->transfers, t);
	waybill_end(w, state);
	waybill_release(w);
	session_unref(s);
}

void
transfer_discard(struct transfer *t)
{
	if (t == NULL || t->waybill == NULL)
		return;
	struct session *s = t->session;
	struct waybill *w = part_detach(t);
	slab_give(&s->tracker->transfers, t);
	if (!w->began && w->parts == 0)
		waybill_forget(w);
	part_end(w, TRANSFER_ABORTED);
	session_unref(s);
}

void
transfer_orphan(struct transfer *t, enum transfer_state state)
{
	struct session *s = t->session;
	struct waybill *w = part_detach(t);
	LIST_INSERT_HEAD(&s->transfers, t, in_session);
	part_end(w, state);
	session_unref(s);
}

/* Takes t out of all but memory; its waybill, which it refers to no more. */
static struct waybill *
part_detach(struct transfer *t)
{
	struct waybill *w = t->waybill;
	t->waybill = NULL;
	w->parts--;
	LIST_REMOVE(t, in_session);
	if (t->data != NULL)
		LIST_REMOVE(t, in_data);
	t->data = NULL;
	return w;
}

static void
part_end(struct waybill *w, enum transfer_state state)
{
	if (w->key != NULL)
		joined_part_end(w, state);
	else
		waybill_end(w, state);
	waybill_release(w);
}

/* Of a file in ranges, what the first of them said stays. */
static bool
known_already(const struct waybill *w, const void *fact)
{
	return w->key != NULL && fact != NULL;
}

/* A copy of bytes as valid UTF-8 that lives with w; or what it has, where that says the same. */
static const char *
keep(struct waybill *w, const char *have, const void *bytes, size_t len, size_t max)
{
	len = tracker_bound(w->tracker, bytes, len, max);
	if (have != NULL && (w->key != NULL || (strlen(have) == len && memcmp(have, bytes, len) == 0)))
		return have;
	return text_decode(&w->arena, bytes, len, NULL).utf8;
}
