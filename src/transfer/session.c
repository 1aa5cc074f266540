/* Sessions: what one flow's conversation says of itself, and the transfers in it. */
#include "config.h"

#include "transfer/session.h"

#include <stdlib.h>
#include <string.h>

#include "transfer/tracker.h"

enum { FACT_MAX = 2048, ACCOUNT_MAX = 1024 };

static void fact_first(struct session *s, enum session_fact which, const void *bytes, size_t len);
static void fact_tell(struct session *s, enum session_fact which, const void *bytes, size_t len);
static void read_facts(const struct session *s, struct facts *out);
static bool account_is(const struct text *account, const void *bytes, size_t len);
static void session_end_transfers(struct session *s, bool reset);
static void session_free(struct session *s);

struct session *
session_open(struct transfer_tracker *t, void *flow, bool midstream, int64_t now)
{
	struct session *s = slab_take(&t->sessions);
	if (s == NULL)
		return NULL;
	*s = (struct session){.tracker = t, .flow = flow, .midstream = midstream, .refs = 1};
	LIST_INIT(&s->transfers);
	LIST_INIT(&s->carried);
	session_time(s, now);
	return s;
}

void
session_close(struct session *s, bool reset, int64_t now)
{
	struct flow_record *last = NULL;
	if (now > s->tracker->now)
		s->tracker->now = now;
	s->closed = true;
	infer_close(s, reset);
	session_end_transfers(s, reset);
	if (s->refs > 1 && (last = calloc(1, sizeof *last)) != NULL)
		s->tracker->ops.flow(s->tracker->ctx, s->flow, last);
	s->last = last;
	s->over = true;
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
session_describe(struct session *s, struct flow_record *out, struct facts *facts)
{
	*out = (struct flow_record){0};
	if (!s->over)
		s->tracker->ops.flow(s->tracker->ctx, s->flow, out);
	else if (s->last != NULL)
		*out = *s->last;
	read_facts(s, facts);
	out->facts = facts;
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

struct session_ends
session_ends(const struct session *s)
{
	struct session_ends ends = {0};
	if (!s->over) {
		s->tracker->ops.ends(s->tracker->ctx, s->flow, &ends);
	} else if (s->last != NULL) {
		for (size_t i = 0; i < 2; i++) {
			ends.addr[i] = s->last->side[i].addr;
			ends.port[i] = s->last->side[i].port;
		}
		ends.transport = s->last->transport;
	}
	return ends;
}

const struct facts *
session_facts(const struct session *s)
{
	read_facts(s, &s->tracker->facts);
	return &s->tracker->facts;
}

const struct digests *
session_digests(const struct session *s)
{
	return &s->tracker->digests;
}

const char *
session_protocol_name(const struct session *s)
{
	return s->protocol;
}

void
session_client_end(struct session *s, enum side client)
{
	if (s->client_known)
		return;
	s->client_known = true;
	s->turned = s->midstream && client == SIDE_DESTINATION;
}

bool
session_turned(const struct session *s)
{
	return s->turned;
}

void
session_protocol(struct session *s, const char *name, const char *method)
{
	s->protocol = name;
	s->method = method;
}

void
session_protocol_none(struct session *s)
{
	s->protocol = NULL;
	s->method = NULL;
}

void
session_account(struct session *s, const void *bytes, size_t len)
{
	len = tracker_bound(s->tracker, bytes, len, ACCOUNT_MAX);
	struct text user = fact_get(&s->facts, SESSION_USER);
	if (!account_is(&user, bytes, len))
		fact_tell(s, SESSION_USER, bytes, len);
}

void
session_service(struct session *s, const void *bytes, size_t len)
{
	fact_first(s, SESSION_SERVICE, bytes, len);
}

void
session_client(struct session *s, const void *bytes, size_t len)
{
	fact_first(s, SESSION_CLIENT, bytes, len);
}

void
session_server(struct session *s, const void *bytes, size_t len)
{
	fact_first(s, SESSION_SERVER, bytes, len);
}

void
session_language(struct session *s, const void *bytes, size_t len)
{
	fact_first(s, SESSION_LANGUAGE, bytes, len);
}

void
session_fact(struct session *s, enum session_fact which, const void *bytes, size_t len)
{
	fact_tell(s, which, bytes, tracker_bound(s->tracker, bytes, len, FACT_MAX));
}

bool
session_has_fact(const struct session *s, enum session_fact which)
{
	return fact_get(&s->facts, which).utf8 != NULL;
}

void
session_detail(struct session *s, const char *key, const void *bytes, size_t len)
{
	if (tracker_detail(s->tracker, &s->details, key, bytes, len) != 0)
		tracker_count(s->tracker, COUNT_SESSION_MEMORY);
}

void
session_detail_number(struct session *s, const char *key, uint64_t number)
{
	if (details_number(&s->details, key, number) != 0)
		tracker_count(s->tracker, COUNT_SESSION_MEMORY);
}

void
session_tls_established(struct session *s)
{
	s->established = true;
}

void
session_resolved(struct session *s, enum resolved_for whom, const struct resolution *r)
{
	const struct session_ends ends = session_ends(s);
	transfer_tracker_resolved(s->tracker, &ends, whom, s->now, r);
}

void
session_called(struct session *s, enum side end, const char *name, size_t len, bool other)
{
	s->called_source = end == SIDE_SOURCE;
	s->called_other = other;
	fact_tell(s, SESSION_RESOLVED, name, len);
}

void
session_switch(struct session *s, size_t unused)
{
	s->tracker->switch_unused = unused;
}

size_t
session_switch_unused(const struct session *s)
{
	return s->tracker->switch_unused;
}

void
session_unreadable(struct session *s, const char *method)
{
	s->unread = method;
	infer_look(s);
}

void
session_inferred_as(struct session *s, const struct session_guess *guess)
{
	infer_guess(s, guess);
}

bool
session_is_read(const struct session *s)
{
	return s->unread == NULL && s->protocol != NULL;
}

const char *
session_plain(const struct session *s)
{
	const bool more = s->refs > 1 || s->begun > 0 || s->facts.len > 0 || s->details != NULL || s->established ||
	                  s->inference != NULL || s->method == NULL || strcmp(s->method, SESSION_BY_CONTENT) != 0;
	return session_is_read(s) && !more ? s->protocol : NULL;
}

void
session_volume(struct session *s, const uint64_t payload[2])
{
	infer_volume(s, payload);
}

/* The first answer that says something stays. */
static void
fact_first(struct session *s, enum session_fact which, const void *bytes, size_t len)
{
	if (len > 0 && !session_has_fact(s, which))
		fact_tell(s, which, bytes, tracker_bound(s->tracker, bytes, len, FACT_MAX));
}

static void
fact_tell(struct session *s, enum session_fact which, const void *bytes, size_t len)
{
	struct text t = {0};
	if (len > 0)
		t = text_decode(&s->tracker->scratch, bytes, len, NULL);
	if ((len > 0 && t.utf8 == NULL) || fact_put(&s->facts, &s->tracker->blocks, which, &t) != 0)
		tracker_count(s->tracker, COUNT_SESSION_MEMORY);
	arena_reset(&s->tracker->scratch);
}

static void
read_facts(const struct session *s, struct facts *out)
{
	*out = (struct facts){.protocol = s->protocol, .method = s->method, .details = s->details};
	out->tls.established = s->established;
	fact_read(&s->facts, out);
	out->resolved_other = s->called_other;
	if (s->called_source != s->turned)
		out->resolved = NULL; /* it is the source's */
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
	for (t = LIST_FIRST(&s->transfers); t != NULL; t = next) {
		next = LIST_NEXT(t, in_session);
		if (t->waybill != NULL && (t->data == NULL || t->data->closed))
			transfer_orphan(t, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	}
}

static void
session_free(struct session *s)
{
	struct transfer *t;
	while ((t = LIST_FIRST(&s->transfers)) != NULL) {
		LIST_REMOVE(t, in_session);
		slab_give(&s->tracker->transfers, t);
	}
	if (s->over)
		free(s->last);
	free(s->inference);
	fact_clear(&s->facts, &s->tracker->blocks);
	details_free(s->details);
	slab_give(&s->tracker->sessions, s);
}
