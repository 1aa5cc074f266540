/* Sessions: what one flow's conversation says of itself, and the transfers in it. */
#include "config.h"

#include "transfer/session.h"

#include <stdlib.h>
#include <string.h>

#include "transfer/tracker.h"

enum { SESSION_MEMORY = 256 * 1024, FACT_MAX = 2048, ACCOUNT_MAX = 1024 };

static void fact_set(struct session *s, struct text *fact, const void *bytes, size_t len);
static bool account_is(const struct text *account, const void *bytes, size_t len);
static void session_end_transfers(struct session *s, bool reset);
static void session_free(struct session *s);

struct session *
session_open(struct transfer_tracker *t, void *flow, const struct session_ends *ends, int64_t now)
{
	struct session *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->tracker = t;
	s->flow = flow;
	s->ends = *ends;
	s->refs = 1;
	LIST_INIT(&s->open);
	LIST_INIT(&s->carried);
	LIST_INIT(&s->gone);
	arena_init(&s->arena, SESSION_MEMORY);
	arena_init(&s->account, SESSION_MEMORY);
	session_time(s, now);
	return s;
}

void
session_close(struct session *s, bool reset, int64_t now)
{
	if (now > s->tracker->now)
		s->tracker->now = now;
	s->closed = true;
	infer_close(s, reset);
	session_end_transfers(s, reset);
	if (s->refs > 1 && (s->last = calloc(1, sizeof *s->last)) != NULL)
		s->tracker->ops.flow(s->tracker->ctx, s->flow, s->last);
	s->flow = NULL;
	session_unref(s);
}

struct session *
session_ref(struct session *s)
{
	s->refs++;
	return s;
}

void
session_unref(struct session *s)
{
	if (s != NULL && --s->refs == 0)
		session_free(s);
}

void
session_describe(struct session *s, struct flow_record *out)
{
	*out = (struct flow_record){0};
	if (s->flow != NULL)
		s->tracker->ops.flow(s->tracker->ctx, s->flow, out);
	else if (s->last != NULL)
		*out = *s->last;
	out->facts = &s->facts;
}

void
session_time(struct session *s, int64_t now)
{
	s->now = now;
	s->tracker->now = now;
}

int64_t
session_now(const struct session *s)
{
	return s->now;
}

const struct session_ends *
session_ends(const struct session *s)
{
	return &s->ends;
}

const struct facts *
session_facts(const struct session *s)
{
	return &s->facts;
}

struct arena *
session_arena(struct session *s)
{
	return &s->arena;
}

void
session_client_end(struct session *s, enum side client)
{
	if (s->client_known)
		return;
	s->client_known = true;
	s->turned = s->ends.midstream && client == SIDE_DESTINATION;
}

bool
session_turned(const struct session *s)
{
	return s->turned;
}

void
session_protocol(struct session *s, const char *name, const char *method)
{
	s->facts.protocol = name;
	s->facts.method = method;
}

void
session_account(struct session *s, const void *bytes, size_t len)
{
	len = tracker_bound(s->tracker, bytes, len, ACCOUNT_MAX);
	if (account_is(&s->facts.user, bytes, len))
		return;
	s->facts.user = (struct text){0};
	arena_clear(&s->account);
	if (len > 0)
		s->facts.user = text_decode(&s->account, bytes, len, NULL);
}

void
session_service(struct session *s, const void *bytes, size_t len)
{
	fact_set(s, &s->facts.service, bytes, len);
}

void
session_client(struct session *s, const void *bytes, size_t len)
{
	fact_set(s, &s->facts.client, bytes, len);
}

void
session_server(struct session *s, const void *bytes, size_t len)
{
	fact_set(s, &s->facts.server, bytes, len);
}

void
session_language(struct session *s, const void *bytes, size_t len)
{
	struct text language = {.utf8 = s->facts.client_language};
	fact_set(s, &language, bytes, len);
	s->facts.client_language = language.utf8;
}

struct facts *
session_edit_facts(struct session *s)
{
	return &s->facts;
}

void
session_switch(struct session *s, size_t unused)
{
	s->switch_unused = unused;
}

size_t
session_switch_unused(const struct session *s)
{
	return s->switch_unused;
}

void
session_unreadable(struct session *s, const char *method)
{
	s->inference.method = method;
	infer_volume(s);
}

bool
session_is_read(const struct session *s)
{
	return s->inference.method == NULL && s->facts.protocol != NULL;
}

void
session_volume(struct session *s, const uint64_t payload[2])
{
	s->inference.volume[SIDE_SOURCE] = payload[SIDE_SOURCE];
	s->inference.volume[SIDE_DESTINATION] = payload[SIDE_DESTINATION];
	infer_volume(s);
}

/* The first answer that says something stays. */
static void
fact_set(struct session *s, struct text *fact, const void *bytes, size_t len)
{
	if (len == 0 || fact->utf8 != NULL)
		return;
	len = tracker_bound(s->tracker, bytes, len, FACT_MAX);
	*fact = text_decode(&s->arena, bytes, len, NULL);
	if (fact->utf8 == NULL)
		tracker_count(s->tracker, COUNT_SESSION_MEMORY);
}

/* Is that the account already? Protocols tell it with every request. */
static bool
account_is(const struct text *account, const void *bytes, size_t len)
{
	if (account->utf8 == NULL)
		return len == 0;
	if (account->raw != NULL)
		return account->raw_len == len && memcmp(account->raw, bytes, len) == 0;
	return len > 0 && strlen(account->utf8) == len && memcmp(account->utf8, bytes, len) == 0;
}

/*
 * A transfer whose data connection is still there goes on, whatever became of
 * the control channel; it ends with the data at the latest.
 */
static void
session_end_transfers(struct session *s, bool reset)
{
	struct transfer *t, *next;
	for (t = LIST_FIRST(&s->carried); t != NULL; t = next) {
		next = LIST_NEXT(t, in_data);
		if (t->session->closed)
			transfer_orphan(t, TRANSFER_TRUNCATED);
	}
	for (t = LIST_FIRST(&s->open); t != NULL; t = next) {
		next = LIST_NEXT(t, in_session);
		if (t->data == NULL || t->data->closed)
			transfer_orphan(t, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	}
}

static void
session_free(struct session *s)
{
	struct transfer *t;
	while ((t = LIST_FIRST(&s->gone)) != NULL) {
		LIST_REMOVE(t, in_session);
		free(t);
	}
	free(s->last);
	arena_clear(&s->arena);
	arena_clear(&s->account);
	free(s);
}
