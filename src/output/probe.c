/* Test messages to the webhooks, for waybill check --online. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "loop.h"
#include "output/http_post.h"
#include "output/json.h"
#include "output/output.h"
#include "output/signature.h"

enum { ID_MAX = 48, SENTENCE_MAX = 768 };

struct probe {
	const struct output_conf *conf;
	struct loop *loop;
	output_say_fn *say;
	void *ctx;
	struct http_poster *poster;
	struct probed *targets;
	size_t open;         /* targets that have not answered */
	char id[ID_MAX];     /* webhook-id */
	struct json body;
};

struct probed {
	struct probe *probe;
	const struct webhook_target *conf;
	struct http_post *post;
	int64_t sent;        /* monotonic */
};

static void write_body(struct probe *p, int64_t now);
static int probe_send(struct probe *p, struct probed *t, int64_t now);
static void answered(void *ctx, const struct http_post_result *result);
static const char *meaning(int status);

int
output_probe(const struct output_conf *conf, struct loop *loop, output_say_fn *say, void *ctx)
{
	const int64_t now = clock_now();
	struct probe p = {.conf = conf, .loop = loop, .say = say, .ctx = ctx};
	int result = -1;
	if (conf->webhook_count == 0)
		return 0;
	json_init(&p.body);
	p.poster = http_poster_create(loop);
	p.targets = calloc(conf->webhook_count, sizeof *p.targets);
	if (p.poster == NULL || p.targets == NULL)
		goto out;
	write_body(&p, now);
	if (p.body.failed)
		goto out;
	for (size_t i = 0; i < conf->webhook_count; i++) {
		p.targets[i] = (struct probed){.probe = &p, .conf = &conf->webhooks[i]};
		if (probe_send(&p, &p.targets[i], now) != 0)
			goto out;
		p.open++;
	}
	result = loop_run(loop);
out:
	for (size_t i = 0; p.targets != NULL && i < conf->webhook_count; i++)
		http_post_destroy(p.targets[i].post);
	free(p.targets);
	http_poster_destroy(p.poster);
	json_clear(&p.body);
	return result;
}

static void
write_body(struct probe *p, int64_t now)
{
	const struct hash_key key = hash_key_random();
	char random[2 * 12 + 1];
	struct json *j = &p->body;
	text_hex(random, &key, 12);
	snprintf(p->id, sizeof p->id, "test-%s", random);
	json_object(j, NULL);
	json_name(j, "@timestamp");
	json_put_time(j, now);
	json_string(j, "message", "waybill check --online: a test, not an alert");
	json_object(j, "event");
	json_splice(j, "\"kind\":\"event\",\"category\":[\"configuration\"],\"type\":[\"info\"],\"dataset\":\"waybill.test\"");
	json_string(j, "id", p->id);
	json_object_end(j);
	json_object(j, "observer");
	json_splice(j, "\"vendor\":\"waybill\",\"product\":\"waybill\",\"version\":\"" PACKAGE_VERSION "\"");
	json_string(j, "hostname", p->conf->observer_name);
	json_object_end(j);
	json_object_end(j);
}

static int
probe_send(struct probe *p, struct probed *t, int64_t now)
{
	const struct http_post_target post = {
		.url = t->conf->url, .ca_file = t->conf->ca_file, .proxy = t->conf->proxy, .timeout = t->conf->timeout,
	};
	char id[ID_MAX + 16], timestamp[64], made[SIGNATURE_TEXT_MAX], signature[SIGNATURE_TEXT_MAX + 24];
	const char *headers[] = {id, timestamp, signature};
	struct signature_key key;
	const int64_t seconds = now / CLOCK_SECOND;
	const bool is_signed = t->conf->secret != NULL;

	t->post = http_post_create(p->poster, &post, answered, t);
	if (t->post == NULL)
		return -1;
	snprintf(id, sizeof id, "webhook-id: %s", p->id);
	snprintf(timestamp, sizeof timestamp, "webhook-timestamp: %" PRId64, seconds);
	if (is_signed) {
		if (signature_key_init(&key, t->conf->secret) != 0 ||
		        signature_make(&key, p->id, seconds, p->body.bytes, p->body.len, made) != 0)
			return -1;
		snprintf(signature, sizeof signature, "webhook-signature: %s", made);
	}
	t->sent = clock_monotonic();
	return http_post_send(t->post, headers, is_signed ? 3 : 2, p->body.bytes, p->body.len);
}

static void
answered(void *ctx, const struct http_post_result *result)
{
	struct probed *t = ctx;
	struct probe *p = t->probe;
	char sentence[SENTENCE_MAX];
	const bool taken = result->status >= 200 && result->status < 300;
	const char *kind = t->conf->secret != NULL ? "a signed" : "an unsigned";
	if (result->status == 0)
		snprintf(sentence, sizeof sentence, "%s: no answer: %s", t->conf->name, result->error);
	else
		snprintf(sentence, sizeof sentence, "%s: answered %d to %s test message, after %.0f ms%s", t->conf->name,
		        result->status, kind, (double)(clock_monotonic() - t->sent) / 1e6, taken ? "" : meaning(result->status));
	p->say(p->ctx, "online", taken ? OUTPUT_FACT : OUTPUT_BROKEN, sentence);
	if (--p->open == 0)
		loop_stop(p->loop);
}

static const char *
meaning(int status)
{
	if (status == 401 || status == 403)
		return ": is the secret right, and the token in the URL?";
	if (status == 404)
		return ": is the path in the URL right?";
	if (status == 410)
		return ": it wants no messages any more, and would get none";
	if (status >= 300 && status < 400)
		return ": redirects are not followed, name the final address";
	return ": alerts would wait and be sent again";
}
