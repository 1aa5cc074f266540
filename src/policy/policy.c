#include "config.h"

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/keep.h"
#include "policy/closed.h"
#include "policy/rules.h"

/*
 * An alert that is open. It gathers every flow or transfer (its subjects) of the same rule,
 * home host and remote network until a window of packet time passes without another.
 */
struct open_alert {
	TAILQ_ENTRY(open_alert) by_time; /* least recently active first */
	TAILQ_HEAD(, subject) underway;  /* that have not ended */
	const char *rule;
	char id[RECORD_ID_MAX];
	char key[RULE_KEY_MAX];
	size_t key_len;
	char subject[RECORD_ID_MAX];       /* the one that is shown: the first of those that weigh most */
	struct arena arena;                /* its records, as last seen */
	struct finding shown;              /* points into arena */
	struct listing listing;
	const void *owner;                 /* of what shown points to besides */
	enum severity severity;            /* the highest so far, as told */
	int64_t last;
	uint64_t count, files, bytes;
};

struct subject {
	TAILQ_ENTRY(subject) siblings;
	struct open_alert *alert;
	char id[RECORD_ID_MAX];
	uint64_t bytes; /* as counted in the alert so far */
};

TAILQ_HEAD(alert_list, open_alert);

enum { COUNT_CLOSED_EARLY, COUNT_UNTOLD, COUNTERS };

struct policy {
	struct policy_conf conf;
	struct policy_ops ops;
	void *ctx;
	const void *owner;      /* see policy_owner */
	struct table *open;     /* key -> struct open_alert */
	struct table *subjects; /* rule and id -> struct subject */
	struct alert_list by_time;
	struct closed *closed;  /* early: no alert of their kind opens for a while */
	struct coverage_counter counters[COUNTERS];
};

enum { KEEP_LIMIT = 256 * 1024, CLOSED_PER_OPEN = 16 };

static void take(struct policy *p, const struct finding *f, bool ended);
static bool was_closed(struct policy *p, const struct finding *f);
static void let_go(struct policy *p, const char *rule, const char *id);
static bool weighs_more(const struct finding *f, const struct open_alert *a);
static struct subject *subject_find(struct policy *p, const char *rule, const char *id);
static struct subject *subject_begin(struct policy *p, const struct finding *f);
static void subject_end(struct policy *p, struct subject *s);
static struct open_alert *alert_begin(struct policy *p, const struct finding *f, const char *key, size_t len);
static void alert_show(const struct policy *p, struct open_alert *a, const struct finding *f);
static void alert_close(struct policy *p, struct open_alert *a);
static void alert_free(struct policy *p, struct open_alert *a);
static void alert_tell(struct policy *p, const struct open_alert *a, enum alert_action action);
static size_t subject_key(const char *rule, const char *id, char key[RULE_KEY_MAX]);

struct policy *
policy_create(const struct policy_conf *conf, const struct policy_ops *ops, void *ctx)
{
	struct policy *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->conf = *conf;
	p->ops = *ops;
	p->ctx = ctx;
	if (p->conf.open_alerts == 0)
		p->conf.open_alerts = POLICY_OPEN_DEFAULT;
	TAILQ_INIT(&p->by_time);
	p->counters[COUNT_CLOSED_EARLY] = (struct coverage_counter){"alerts_closed_early",
	        "alerts closed before their folding window was over, to stay within the limit", 0};
	p->counters[COUNT_UNTOLD] = (struct coverage_counter){"alerts_untold",
	        "flows, transfers or totals that no alert tells, for want of memory", 0};
	p->open = table_create(0);
	p->subjects = table_create(0);
	p->closed = closed_create(p->conf.open_alerts * CLOSED_PER_OPEN);
	if (p->open == NULL || p->subjects == NULL || p->closed == NULL) {
		policy_destroy(p);
		return NULL;
	}
	return p;
}

void
policy_destroy(struct policy *p)
{
	if (p == NULL)
		return;
	struct open_alert *a;
	while ((a = TAILQ_FIRST(&p->by_time)) != NULL)
		alert_free(p, a);
	table_destroy(p->open);
	table_destroy(p->subjects);
	closed_destroy(p->closed);
	free(p);
}

bool
policy_flow(struct policy *p, const struct flow_record *r, bool ended)
{
	struct finding f;
	enum rule_answer answer = rules_flow(&p->conf, r, &f);
	if (answer == RULE_SO_FAR || answer == RULE_SETTLED)
		take(p, &f, ended);
	return answer == RULE_SETTLED || answer == RULE_NEVER;
}

void
policy_transfer(struct policy *p, const struct transfer_record *r, bool ended)
{
	struct finding f;
	if (rules_transfer(&p->conf, r, &f))
		take(p, &f, ended);
	else if (ended)
		let_go(p, "sanctioned-transfer", r->id);
	if (rules_bulk(&p->conf, r, &f))
		take(p, &f, ended);
	else if (ended)
		let_go(p, "bulk-outbound", r->id);
}

void
policy_time(struct policy *p, int64_t now)
{
	struct open_alert *a = TAILQ_FIRST(&p->by_time);
	closed_time(p->closed, now);
	while (a != NULL && now - a->last > p->conf.fold_window) {
		struct open_alert *next = TAILQ_NEXT(a, by_time);
		if (TAILQ_EMPTY(&a->underway))
			alert_close(p, a);
		a = next;
	}
}

void
policy_change(struct policy *p, const struct policy_conf *conf)
{
	const size_t open_alerts = p->conf.open_alerts;
	p->conf = *conf;
	p->conf.open_alerts = open_alerts;
}

void
policy_owner(struct policy *p, const void *owner)
{
	p->owner = owner;
}

bool
policy_needs(const struct policy *p, const void *owner)
{
	const struct open_alert *a;
	TAILQ_FOREACH(a, &p->by_time, by_time)
		if (a->owner == owner)
			return true;
	return false;
}

void
policy_flush(struct policy *p)
{
	struct open_alert *a;
	while ((a = TAILQ_FIRST(&p->by_time)) != NULL)
		alert_close(p, a);
}

const struct coverage_counter *
policy_counters(struct policy *p, size_t *count)
{
	*count = COUNTERS;
	return p->counters;
}

/* Counts a finding in its alert, which opens, rises or goes on with it. */
static void
take(struct policy *p, const struct finding *f, bool ended)
{
	struct subject *s = subject_find(p, f->rule, f->subject);
	bool first_look = s == NULL;
	if (first_look && was_closed(p, f)) {
		p->counters[COUNT_UNTOLD].count += ended;
		return;
	}
	if (first_look)
		s = subject_begin(p, f);
	if (s == NULL) {
		p->counters[COUNT_UNTOLD].count++;
		return;
	}
	struct open_alert *a = s->alert;
	a->bytes += f->bytes - s->bytes;
	s->bytes = f->bytes;
	if (f->time > a->last)
		a->last = f->time;
	TAILQ_REMOVE(&p->by_time, a, by_time);
	TAILQ_INSERT_TAIL(&p->by_time, a, by_time);

	bool opens = first_look && a->count == 1;
	bool rises = !opens && f->severity > a->severity;
	if (opens || weighs_more(f, a) || strcmp(a->subject, f->subject) == 0)
		alert_show(p, a, f);
	if (rises)
		a->severity = f->severity;
	if (opens || rises)
		alert_tell(p, a, opens ? ALERT_OPEN : ALERT_UPDATE);
	if (ended)
		subject_end(p, s);
}

/* Did its alert have to go, a short while ago? Then none opens for it, unless it is worse than what was told. */
static bool
was_closed(struct policy *p, const struct finding *f)
{
	char key[RULE_KEY_MAX];
	const size_t len = rules_key(f, key);
	return closed_holds(p->closed, key, len, f->severity, f->time);
}

/* A subject ended as what the rule does not mean, after all: its alert does not wait for it any more. */
static void
let_go(struct policy *p, const char *rule, const char *id)
{
	struct subject *s = subject_find(p, rule, id);
	if (s != NULL)
		subject_end(p, s);
}

/* An alert shows what its severity and confidence are of. */
static bool
weighs_more(const struct finding *f, const struct open_alert *a)
{
	if (f->severity != a->severity)
		return f->severity > a->severity;
	return f->severity > a->shown.severity || f->confidence > a->shown.confidence;
}

static struct subject *
subject_find(struct policy *p, const char *rule, const char *id)
{
	char key[RULE_KEY_MAX];
	if (table_count(p->subjects) == 0)
		return NULL;
	return table_get(p->subjects, key, subject_key(rule, id, key));
}

/* Finds or opens the alert that f belongs to and enters f's subject in it. NULL: out of memory. */
static struct subject *
subject_begin(struct policy *p, const struct finding *f)
{
	char key[RULE_KEY_MAX];
	size_t len = rules_key(f, key);
	struct open_alert *a = table_get(p->open, key, len);
	if (a == NULL)
		a = alert_begin(p, f, key, len);
	struct subject *s = calloc(1, sizeof *s);
	if (a == NULL || s == NULL) {
		free(s);
		return NULL;
	}
	s->alert = a;
	memcpy(s->id, f->subject, sizeof s->id);
	len = subject_key(f->rule, f->subject, key);
	if (table_put(p->subjects, key, len, s, NULL) < 0) {
		free(s);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&a->underway, s, siblings);
	a->count++;
	a->files += f->transfer != NULL;
	return s;
}

static void
subject_end(struct policy *p, struct subject *s)
{
	char key[RULE_KEY_MAX];
	table_remove(p->subjects, key, subject_key(s->alert->rule, s->id, key));
	TAILQ_REMOVE(&s->alert->underway, s, siblings);
	free(s);
}

static struct open_alert *
alert_begin(struct policy *p, const struct finding *f, const char *key, size_t len)
{
	if (table_count(p->open) >= p->conf.open_alerts) {
		struct open_alert *oldest = TAILQ_FIRST(&p->by_time);
		p->counters[COUNT_CLOSED_EARLY].count++;
		closed_add(p->closed, oldest->key, oldest->key_len, oldest->severity, f->time, p->conf.fold_window);
		alert_close(p, oldest);
	}
	struct open_alert *a = calloc(1, sizeof *a);
	if (a == NULL || table_put(p->open, key, len, a, NULL) < 0) {
		free(a);
		return NULL;
	}
	memcpy(a->key, key, len);
	a->key_len = len;
	arena_init(&a->arena, KEEP_LIMIT);
	TAILQ_INIT(&a->underway);
	TAILQ_INSERT_TAIL(&p->by_time, a, by_time);
	a->rule = f->rule;
	a->severity = f->severity;
	a->last = f->time;

	/* The same in every run: what, where, and when. */
	char seed[RULE_KEY_MAX + RECORD_ID_MAX + 24];
	int n = snprintf(seed, sizeof seed, "%.*s %s %lld", (int)len, key, f->subject, (long long)f->time);
	snprintf(a->id, sizeof a->id, "a%016llx", (unsigned long long)hash_stable(seed, (size_t)n));
	return a;
}

/* Keeps f's records as what the alert shows. */
static void
alert_show(const struct policy *p, struct open_alert *a, const struct finding *f)
{
	struct arena arena;
	arena_init(&arena, KEEP_LIMIT);
	const struct transfer_record *transfer = f->transfer != NULL ? keep_transfer(&arena, f->transfer) : NULL;
	const struct flow_record *flow = f->flow;
	flow = transfer != NULL && flow == f->transfer->flow   ? transfer->flow
	       : transfer != NULL && flow == f->transfer->data ? transfer->data
	                                                       : keep_flow(&arena, flow);
	if (flow == NULL || (f->transfer != NULL && transfer == NULL)) {
		arena_clear(&arena); /* what was shown before stays */
		return;
	}
	arena_clear(&a->arena);
	a->arena = arena;
	a->shown = *f;
	a->owner = p->owner;
	a->shown.flow = flow;
	a->shown.transfer = transfer;
	memcpy(a->subject, f->subject, sizeof a->subject);
	a->shown.subject = a->subject;
	if (f->listing != NULL) {
		a->listing = *f->listing;
		a->shown.listing = &a->listing;
	}
}

static void
alert_close(struct policy *p, struct open_alert *a)
{
	alert_tell(p, a, ALERT_CLOSE);
	alert_free(p, a);
}

static void
alert_free(struct policy *p, struct open_alert *a)
{
	struct subject *s;
	while ((s = TAILQ_FIRST(&a->underway)) != NULL)
		subject_end(p, s);
	table_remove(p->open, a->key, a->key_len);
	TAILQ_REMOVE(&p->by_time, a, by_time);
	arena_clear(&a->arena);
	free(a);
}

static void
alert_tell(struct policy *p, const struct open_alert *a, enum alert_action action)
{
	if (a->shown.flow == NULL) {
		p->counters[COUNT_UNTOLD].count++;
		return;
	}
	char summary[RULE_SUMMARY_MAX];
	struct alert out = {
	        .rule = a->rule,
	        .summary = rules_summary(&a->shown, a->count, summary),
	        .severity = a->severity,
	        .confidence = a->shown.confidence,
	        .action = action,
	        .packet_time = action == ALERT_CLOSE ? a->last : a->shown.time,
	        .listed = a->shown.remote,
	        .listing = a->shown.listing,
	        .flow = a->shown.flow,
	        .transfer = a->shown.transfer,
	        .count = a->count,
	        .bytes = a->bytes,
	        .files = a->files,
	};
	memcpy(out.id, a->id, sizeof out.id);
	p->ops.alert(p->ctx, &out);
}

static size_t
subject_key(const char *rule, const char *id, char key[RULE_KEY_MAX])
{
	const size_t rule_len = strlen(rule), id_len = strnlen(id, RECORD_ID_MAX);
	memcpy(key, rule, rule_len);
	key[rule_len] = ' ';
	memcpy(key + rule_len + 1, id, id_len);
	return rule_len + 1 + id_len;
}
