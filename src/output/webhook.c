/*
 * The webhook sink: every alert goes to the spool, and from there to each target by POST, one at a time and
 * in order, until the target says 2xx. Alerts that come close together are synced to the disk together, before the
 * first of them is sent; the packets do not wait for the disk. Headers by the Standard Webhooks convention. At least once: an
 * alert may come twice (the answer was lost, a capture was replayed), with the same webhook-id.
 *
 * A target that fails holds up its own letters only. Redirects are not followed: an alert goes where the
 * configuration says. Targets are named by their name, never by their URL, which often is a secret.
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "log.h"
#include "loop.h"
#include "output/held.h"
#include "output/http_post.h"
#include "output/json.h"
#include "output/lines.h"
#include "output/output.h"
#include "output/signature.h"
#include "output/spool.h"

enum { LETTER_ID_MAX = 64, REASON_MAX = 320 };

/* From one sync to the next: each may take the disk some milliseconds, and no packet is read meanwhile. */
static const int64_t sync_interval = 50 * CLOCK_MILLISECOND;
static const int64_t sync_retry = CLOCK_SECOND; /* after one that failed */
static const int64_t retry_after_max = 3600 * CLOCK_SECOND; /* however long a receiver asks for */

enum target_state {
	TARGET_IDLE,     /* nothing waits but for a sync; letter is empty */
	TARGET_SENDING,  /* letter is under way */
	TARGET_BACKOFF,  /* the timer runs; then the oldest letter is tried */
	TARGET_CLEARING, /* the timer runs; letter was delivered, but the spool did not let go of it yet */
	TARGET_DISABLED, /* it answered 410 Gone */
};

struct target {
	struct webhook *hook;
	const struct webhook_target *conf;
	struct signature_key key; /* empty: unsigned */
	struct http_post *post;
	struct loop_watch *timer;
	enum target_state state;
	struct spool_letter letter;
	unsigned failures; /* in a row */
	size_t waiting;    /* letters in the spool, the one under way included */
	size_t fresh;      /* of them, not synced: they go out after all others */
	int added;         /* letters of the transaction that is being made */
};

struct webhook {
	const struct output_conf *conf;
	struct spool *spool;
	struct loop_watch *sync; /* the timer; it runs while there are fresh letters */
	bool sync_due;
	int64_t synced;          /* when, by the monotonic clock */
	struct http_poster *poster;
	struct json json;
	struct hash_key random; /* for the jitter, with draws */
	uint64_t draws;
	struct held held;       /* alerts until the spool takes them */
	struct loop_watch *again; /* the timer; it runs while there are some */
	size_t lost;            /* alerts that there was no place for */
	size_t given_up;
	struct target *targets;
	size_t target_count;
};

static int webhook_open(const struct output_conf *conf, struct loop *loop, void **state, char *error,
    size_t error_size);
static void webhook_alert(void *state, const struct alert *a);
static size_t webhook_pending(const void *state);
static void webhook_condition(const void *state, struct output_condition *out);
static int webhook_finish(void *state, char *error, size_t error_size);
static void webhook_close(void *state);

static int target_open(struct webhook *w, struct target *t, struct loop *loop, char *error, size_t error_size);
static void tell_stranger(void *ctx, const char *target, size_t waiting);
static int store(void *ctx, enum severity severity, const char *id, const char *body, size_t len);
static void hold(struct webhook *w, const struct alert *a, const char *id);
static int lose(void *ctx, enum severity severity, const char *id, const char *body, size_t len);
static bool store_held(struct webhook *w);
static void try_again(void *ctx);
static void letter_id(const struct alert *a, char id[LETTER_ID_MAX]);
static void sync_soon(struct webhook *w);
static void sync_now(void *ctx);
static void send_next(struct target *t);
static int send_letter(struct target *t);
static void answered(void *ctx, const struct http_post_result *result);
static void delivered(struct target *t);
static void failed(struct target *t, const char *why, int64_t retry_after);
static void gone(struct target *t);
static void timer_due(void *ctx);
static int64_t backoff(struct target *t, int64_t retry_after);
static void check_invariant(const struct target *t);

const struct sink sink_webhook = {
	.name = "webhook",
	.open = webhook_open,
	.alert = webhook_alert,
	.pending = webhook_pending,
	.condition = webhook_condition,
	.finish = webhook_finish,
	.close = webhook_close,
};

static int
webhook_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size)
{
	*state = NULL;
	if (conf->webhook_count == 0)
		return 0;
	struct webhook *w = calloc(1, sizeof *w);
	if (w == NULL)
		goto no_memory;
	w->conf = conf;
	json_init(&w->json);
	w->random = hash_key_random();
	w->targets = calloc(conf->webhook_count, sizeof *w->targets);
	w->poster = http_poster_create(loop);
	w->sync = loop_timer(loop, sync_now, w);
	w->again = loop_timer(loop, try_again, w);
	w->held.limit = conf->backlog > 0 ? conf->backlog : LINES_BACKLOG;
	if (w->targets == NULL || w->poster == NULL || w->sync == NULL || w->again == NULL)
		goto no_memory;
	w->spool = spool_open(conf->spool_path, error, error_size);
	if (w->spool == NULL)
		goto fail;
	for (; w->target_count < conf->webhook_count; w->target_count++) {
		struct target *t = &w->targets[w->target_count];
		t->conf = &conf->webhooks[w->target_count];
		if (target_open(w, t, loop, error, error_size) != 0) {
			w->target_count++; /* it is closed like the rest */
			goto fail;
		}
	}
	spool_each_target(w->spool, tell_stranger, w);
	for (size_t i = 0; i < w->target_count; i++)
		send_next(&w->targets[i]); /* what earlier runs left */
	*state = w;
	return 0;
no_memory:
	snprintf(error, error_size, "out of memory");
fail:
	webhook_close(w);
	return -1;
}

static int
target_open(struct webhook *w, struct target *t, struct loop *loop, char *error, size_t error_size)
{
	const struct webhook_target *conf = t->conf;
	const struct http_post_target post = {
		.url = conf->url,
		.ca_file = conf->ca_file,
		.proxy = conf->proxy,
		.timeout = conf->timeout,
	};

	t->hook = w;
	if (conf->secret != NULL && signature_key_init(&t->key, conf->secret) != 0) {
		snprintf(error, error_size, "webhook %s: its secret is not usable", conf->name);
		return -1;
	}
	if (conf->ca_file != NULL && access(conf->ca_file, R_OK) != 0) {
		snprintf(error, error_size, "webhook %s: %s cannot be read", conf->name, conf->ca_file);
		return -1;
	}
	t->post = http_post_create(w->poster, &post, answered, t);
	t->timer = loop_timer(loop, timer_due, t);
	if (t->post == NULL || t->timer == NULL) {
		snprintf(error, error_size, "out of memory");
		return -1;
	}
	t->waiting = spool_waiting(w->spool, conf->name);
	if (t->waiting == SIZE_MAX) {
		snprintf(error, error_size, "spool %s: %s", w->conf->spool_path, spool_error(w->spool));
		return -1;
	}
	if (spool_is_disabled(w->spool, conf->name, conf->url)) {
		t->state = TARGET_DISABLED;
		log_error("webhook", "%s: is disabled since it answered 410 Gone (another url enables it); alerts that wait for it: %zu",
		    conf->name, t->waiting);
	}
	return 0;
}

/* What an earlier configuration left, for a name that this one does not have. */
static void
tell_stranger(void *ctx, const char *target, size_t waiting)
{
	const struct webhook *w = ctx;

	for (size_t i = 0; i < w->target_count; i++) {
		if (strcmp(w->targets[i].conf->name, target) == 0)
			return;
	}
	log_warn("webhook", "%s: is not in the configuration; alerts that wait for it in the spool: %zu", target, waiting);
}

static void
webhook_alert(void *state, const struct alert *a)
{
	struct webhook *w = state;
	const struct event_stamp stamp = {.ingested = clock_now(), .observer = w->conf->observer_name};
	char id[LETTER_ID_MAX];

	letter_id(a, id);
	json_reset(&w->json);
	event_write_alert(&w->json, a, &stamp);
	if (w->json.failed)
		lose(w, a->severity, id, NULL, 0);
	else if (w->held.count > 0 || store(w, a->severity, id, w->json.bytes, w->json.len) != 0)
		hold(w, a, id);
	else
		sync_soon(w);
}

/* A spool on a full disk: in memory until there is space, behind those that are there already. */
static void
hold(struct webhook *w, const struct alert *a, const char *id)
{
	if (w->held.count == 0) {
		log_error("webhook", "alerts wait in memory, up to %zu kB, because the spool %s does not take them: %s",
		    w->held.limit / 1000, w->conf->spool_path, spool_error(w->spool));
		loop_timer_set(w->again, sync_retry);
	}
	if (held_add(&w->held, a->severity, id, w->json.bytes, w->json.len) != 0)
		lose(w, a->severity, id, w->json.bytes, w->json.len);
}

static int
lose(void *ctx, enum severity severity, const char *id, const char *body, size_t len)
{
	struct webhook *w = ctx;
	(void)body, (void)len;
	w->lost++;
	log_error("webhook", "alert %s (%s) could not be stored and will not be sent: %s: %s", id, severity_name(severity),
	    w->conf->spool_path, w->json.failed ? "out of memory" : spool_error(w->spool));
	return 0;
}

/* True: none is left. */
static bool
store_held(struct webhook *w)
{
	if (held_hand_over(&w->held, store, w) > 0)
		sync_soon(w);
	return w->held.count == 0;
}

static void
try_again(void *ctx)
{
	struct webhook *w = ctx;
	if (store_held(w))
		log_warn("webhook", "the spool %s takes alerts again; those that waited are in it", w->conf->spool_path);
	else
		loop_timer_set(w->again, sync_retry);
}

/* The alert, for every target that wants it, in the spool or nowhere. */
static int
store(void *ctx, enum severity severity, const char *id, const char *body, size_t len)
{
	struct webhook *w = ctx;
	int64_t now = clock_now();

	if (spool_begin(w->spool) != 0)
		return -1;
	for (size_t i = 0; i < w->target_count; i++) {
		struct target *t = &w->targets[i];
		t->added = 0;
		if (severity >= t->conf->minimum)
			t->added = spool_add(w->spool, t->conf->name, id, body, len, now);
		if (t->added < 0) {
			spool_cancel(w->spool);
			return -1;
		}
	}
	if (spool_commit(w->spool) != 0)
		return -1;
	for (size_t i = 0; i < w->target_count; i++) {
		w->targets[i].waiting += (size_t)w->targets[i].added;
		w->targets[i].fresh += (size_t)w->targets[i].added;
	}
	return 0;
}

/* At the loop's next turn, unless the last sync was just now. */
static void
sync_soon(struct webhook *w)
{
	if (w->sync_due)
		return;
	int64_t wait = w->synced + sync_interval - clock_monotonic();
	w->sync_due = true;
	loop_timer_set(w->sync, wait > 0 ? wait : 0);
}

/* What was told since the last time is safe now, and may set out. */
static void
sync_now(void *ctx)
{
	struct webhook *w = ctx;

	w->sync_due = false;
	if (spool_sync(w->spool) != 0) {
		log_error("webhook", "alerts wait, because the spool %s does not reach the disk: %s", w->conf->spool_path,
		    spool_error(w->spool));
		w->sync_due = true;
		loop_timer_set(w->sync, sync_retry);
		return;
	}
	w->synced = clock_monotonic();
	for (size_t i = 0; i < w->target_count; i++)
		w->targets[i].fresh = 0;
	for (size_t i = 0; i < w->target_count; i++) {
		if (w->targets[i].state == TARGET_IDLE)
			send_next(&w->targets[i]);
	}
}

/*
 * webhook-id: the same for the same news in every attempt, run and replay. An alert opens and closes
 * once; each update raises its severity, which tells updates apart. Without full stops, because the signed
 * text is joined by them.
 */
static void
letter_id(const struct alert *a, char id[LETTER_ID_MAX])
{
	switch (a->action) {
	case ALERT_OPEN: snprintf(id, LETTER_ID_MAX, "%s-open", a->id); break;
	case ALERT_UPDATE: snprintf(id, LETTER_ID_MAX, "%s-update-%s", a->id, severity_name(a->severity)); break;
	case ALERT_CLOSE: snprintf(id, LETTER_ID_MAX, "%s-close", a->id); break;
	}
}

static size_t
webhook_pending(const void *state)
{
	const struct webhook *w = state;
	size_t pending = w->held.count;

	for (size_t i = 0; i < w->target_count; i++) {
		if (w->targets[i].state != TARGET_DISABLED)
			pending += w->targets[i].waiting;
	}
	return pending;
}

static void
webhook_condition(const void *state, struct output_condition *out)
{
	const struct webhook *w = state;
	out->spool_path = w->conf->spool_path;
	out->spool_held = w->held.count;
	out->spool_failing = w->held.count > 0;
	out->alerts_lost += w->lost;
	for (size_t i = 0; i < w->target_count; i++) {
		const struct target *t = &w->targets[i];
		out->webhook_waiting += t->waiting;
		out->webhook_refused += t->state == TARGET_DISABLED ? t->waiting : 0;
		if (t->failures > out->webhook_failures)
			out->webhook_failures = t->failures;
	}
}

static int
webhook_finish(void *state, char *error, size_t error_size)
{
	struct webhook *w = state;
	const char *spool = w->conf->spool_path;
	size_t waiting = 0, disabled = 0;

	if (!store_held(w))
		held_hand_over(&w->held, lose, w);
	bool unsafe = spool_sync(w->spool) != 0;

	for (size_t i = 0; i < w->target_count; i++)
		*(w->targets[i].state == TARGET_DISABLED ? &disabled : &waiting) += w->targets[i].waiting;
	if (w->lost > 0)
		snprintf(error, error_size, "%zu alert%s could not be stored in the spool %s and will not be sent", w->lost,
		    w->lost == 1 ? "" : "s", spool);
	else if (unsafe)
		snprintf(error, error_size, "the spool %s does not reach the disk: %s", spool, spool_error(w->spool));
	else if (waiting > 0)
		snprintf(error, error_size, "%zu alert%s still in the spool %s and will be sent by the next run", waiting,
		    waiting == 1 ? " is" : "s are", spool);
	else if (w->given_up > 0)
		snprintf(error, error_size, "%zu alert%s given up; %s a dead letter in the spool %s", w->given_up,
		    w->given_up == 1 ? " was" : "s were", w->given_up == 1 ? "it is" : "each is", spool);
	else if (disabled > 0)
		snprintf(error, error_size, "%zu alert%s in the spool %s for a disabled target", disabled,
		    disabled == 1 ? " waits" : "s wait", spool);
	else
		return 0;
	return -1;
}

static void
webhook_close(void *state)
{
	struct webhook *w = state;

	if (w == NULL)
		return;
	for (size_t i = 0; i < w->target_count; i++) {
		struct target *t = &w->targets[i];
		loop_watch_destroy(t->timer);
		http_post_destroy(t->post);
		spool_letter_clear(&t->letter);
	}
	free(w->targets);
	loop_watch_destroy(w->sync);
	loop_watch_destroy(w->again);
	held_clear(&w->held);
	http_poster_destroy(w->poster);
	spool_close(w->spool);
	json_clear(&w->json);
	free(w);
}

/* The oldest letter sets out, if there is one. */
static void
send_next(struct target *t)
{
	struct webhook *w = t->hook;

	if (t->state == TARGET_DISABLED)
		return;
	t->state = TARGET_IDLE;
	spool_letter_clear(&t->letter);
	if (t->fresh > 0 && t->waiting <= t->fresh)
		return; /* sync_now calls again */
	switch (spool_next(w->spool, t->conf->name, &t->letter)) {
	case 0:
		t->waiting = 0;
		break;
	case 1:
		t->state = TARGET_SENDING;
		if (send_letter(t) != 0)
			failed(t, "out of memory", 0);
		break;
	default:
		log_error("webhook", "%s: the spool cannot be read: %s", t->conf->name, spool_error(w->spool));
		t->state = TARGET_BACKOFF;
		loop_timer_set(t->timer, backoff(t, 0));
		break;
	}
	check_invariant(t);
}

static int
send_letter(struct target *t)
{
	const struct spool_letter *l = &t->letter;
	int64_t now = clock_now() / CLOCK_SECOND;
	char id[LETTER_ID_MAX + 16], timestamp[64], signature[SIGNATURE_TEXT_MAX + 24];
	const char *headers[] = {id, timestamp, signature};
	char made[SIGNATURE_TEXT_MAX];

	snprintf(id, sizeof id, "webhook-id: %s", l->id);
	snprintf(timestamp, sizeof timestamp, "webhook-timestamp: %" PRId64, now);
	if (t->key.len == 0)
		return http_post_send(t->post, headers, 2, l->body, l->len);
	if (signature_make(&t->key, l->id, now, l->body, l->len, made) != 0)
		return -1;
	snprintf(signature, sizeof signature, "webhook-signature: %s", made);
	return http_post_send(t->post, headers, 3, l->body, l->len);
}

static void
answered(void *ctx, const struct http_post_result *result)
{
	struct target *t = ctx;
	char reason[REASON_MAX];

	if (result->status >= 200 && result->status < 300)
		delivered(t);
	else if (result->status == 410)
		gone(t);
	else
		failed(t, http_post_describe(result, reason, sizeof reason), result->status == 429 || result->status == 503 ? result->retry_after : 0);
	check_invariant(t);
}

/* The letter is sent only once more if the spool does not let go of it: that is tried before anything else. */
static void
delivered(struct target *t)
{
	struct webhook *w = t->hook;

	if (spool_delivered(w->spool, t->letter.number) != 0) {
		log_error("webhook", "%s: alert %s was delivered, but stays in the spool: %s", t->conf->name, t->letter.id,
		    spool_error(w->spool));
		t->state = TARGET_CLEARING;
		loop_timer_set(t->timer, backoff(t, 0));
		return;
	}
	if (t->failures > 0)
		log_info("webhook", "%s: delivers again after %u failures", t->conf->name, t->failures);
	log_debug("webhook", "%s: delivered alert %s", t->conf->name, t->letter.id);
	t->failures = 0;
	t->waiting -= t->waiting > 0;
	send_next(t);
}

/* An attempt that was no success, whatever the reason: again later, or given up. */
static void
failed(struct target *t, const char *why, int64_t retry_after)
{
	struct webhook *w = t->hook;
	const char *name = t->conf->name;
	int64_t now = clock_now();
	bool late = t->conf->give_up > 0 && now - t->letter.queued >= t->conf->give_up;
	int noted = late ? spool_give_up(w->spool, t->letter.number, why, now)
	                 : spool_failed(w->spool, t->letter.number, why);
	int64_t wait = backoff(t, retry_after);

	if (noted != 0)
		log_error("webhook", "%s: the spool takes no note of a failure: %s", name, spool_error(w->spool));
	if (late && noted == 0) {
		w->given_up++;
		t->waiting -= t->waiting > 0;
		log_error("webhook", "%s: gave up on alert %s, now a dead letter in the spool: %s", name, t->letter.id, why);
	} else if (t->failures == 1) {
		log_warn("webhook", "%s: cannot deliver: %s; trying on in %.1f s", name, why, (double)wait / CLOCK_SECOND);
	} else {
		log_info("webhook", "%s: failure %u: %s; again in %.1f s", name, t->failures, why, (double)wait / CLOCK_SECOND);
	}
	t->state = TARGET_BACKOFF;
	loop_timer_set(t->timer, wait);
}

/* 410: whoever has this address wants no more (Standard Webhooks). The letters are kept. */
static void
gone(struct target *t)
{
	struct webhook *w = t->hook;

	t->state = TARGET_DISABLED;
	log_error("webhook", "%s: answered 410 Gone and is disabled (another url enables it); alerts that wait for it: %zu",
	    t->conf->name, t->waiting);
	if (spool_disable(w->spool, t->conf->name, t->conf->url, clock_now()) != 0)
		log_error("webhook", "%s: that is not on disk: %s", t->conf->name, spool_error(w->spool));
}

static void
timer_due(void *ctx)
{
	struct target *t = ctx;

	if (t->state == TARGET_CLEARING)
		delivered(t);
	else
		send_next(t);
}

/*
 * How long to wait now, one failure later: from retry_first, doubling, up to retry_max, with full
 * jitter so that many sensors do not come back at once. A receiver that names a time gets it.
 */
static int64_t
backoff(struct target *t, int64_t retry_after)
{
	struct webhook *w = t->hook;
	const struct webhook_target *conf = t->conf;
	int64_t most = conf->retry_first;

	t->failures++;
	for (unsigned i = 0; i < t->failures && most < conf->retry_max; i++)
		most = most < conf->retry_max / 2 ? most * 2 : conf->retry_max;
	w->draws++;
	uint64_t draw = hash_bytes(&w->random, &w->draws, sizeof w->draws);
	int64_t wait = conf->retry_first + (int64_t)(draw % (uint64_t)(most - conf->retry_first + 1));
	if (retry_after == 0)
		return wait;
	return retry_after < retry_after_max ? retry_after : retry_after_max;
}

static void
check_invariant(const struct target *t)
{
	bool has_letter = t->letter.id != NULL;

	assert(t->state != TARGET_IDLE || !has_letter);
	assert((t->state != TARGET_SENDING && t->state != TARGET_CLEARING) || has_letter);
	(void)has_letter;
}
