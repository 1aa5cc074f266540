/*
 * Loading: the defaults, then what the file says, section by section. Nothing of the file's own
 * structures survives: all strings and arrays are copied to one arena, which conf_free ends.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "conf.h"
#include "conf_metrics.h"
#include "conf_output.h"
#include "conf_read.h"
#include "conf_schema.h"
#include "conf_yaml.h"
#include "output/signature.h"
#include "value.h"

enum { FILE_MAX = 1 << 20, MEMORY_LEAST = 64 * 1000 * 1000 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int set_defaults(struct conf *c, struct arena *a);
static int read_text(const char *name, const uint8_t *text, size_t len, struct conf *c, struct arena *a, char *error,
    size_t error_size);
static uint8_t *read_file(const char *path, size_t *len, char *error, size_t error_size);
static void read_attribution(struct conf_reading *r, const struct file_attribution *f, struct attribution_conf *out);
static void read_lists(struct conf_reading *r, const struct file_attribution *f, struct attribution_conf *out);
static void read_asns(struct conf_reading *r, const struct file_attribution *f, struct attribution_conf *out);
static void read_rules(struct conf_reading *r, const struct file_rules *f, struct policy_conf *out);
static void read_capture(struct conf_reading *r, const struct file_capture *f, struct conf *c);
static void read_packets(struct conf_reading *r, const struct file_packets *f, struct conf *c);
static void read_transfers(struct conf_reading *r, const struct file_transfers *f, struct conf *c);
static void read_limits(struct conf_reading *r, const struct file_limits *f, struct conf *c);
static void share_memory(struct conf_reading *r, size_t total, struct conf *c);
static void read_timeouts(struct conf_reading *r, const struct file_timeouts *f, struct conf *c);
static void read_output(struct conf_reading *r, const struct file_output *f, struct conf *c);
static void read_event_kinds(struct conf_reading *r, const struct file_output *f, unsigned *out);
static void read_webhooks(struct conf_reading *r, const struct file_conf *f, struct output_conf *out);
static void read_webhook(struct conf_reading *r, const struct file_webhook *f, struct webhook_target *t);
static void read_secret(struct conf_reading *r, const struct file_webhook *f, struct webhook_target *t);
static const struct network *read_networks(struct conf_reading *r, const char *key, char *const *from,
    size_t count);
static const char *const *read_texts(struct conf_reading *r, const char *key, char *const *from, size_t count,
    void (*read)(struct conf_reading *r, const char *key, const char *text, const char **out));
static const char *default_spool(struct arena *a);

static const char *const format_words[] = {
	[LIST_AUTO] = "auto",
	[LIST_CSV] = "csv",
	[LIST_CIDR] = "cidr",
	[LIST_DELEGATED] = "delegated",
};

static const struct webhook_target webhook_defaults = {
	.minimum = SEVERITY_LOW,
	.timeout = 10 * CLOCK_SECOND,
	.retry_first = 1 * CLOCK_SECOND,
	.retry_max = 300 * CLOCK_SECOND,
	.give_up = 3 * 86400 * CLOCK_SECOND,
};

int
conf_load(const char *path, struct conf *out, char *error, size_t error_size)
{
	size_t len = 0;

	if (path == NULL)
		return conf_load_text("", "", 0, out, error, error_size);
	*out = (struct conf){0};
	uint8_t *text = read_file(path, &len, error, error_size);
	if (text == NULL)
		return -1;
	int result = conf_load_text(path, text, len, out, error, error_size);
	free(text);
	return result;
}

int
conf_load_text(const char *name, const void *text, size_t len, struct conf *out, char *error, size_t error_size)
{
	struct arena *a = calloc(1, sizeof *a);

	*out = (struct conf){0};
	if (a == NULL) {
		snprintf(error, error_size, "out of memory");
		return -1;
	}
	arena_init(a, 0);
	out->owner = a;
	if (set_defaults(out, a) != 0)
		snprintf(error, error_size, "out of memory");
	else if (read_text(name, text, len, out, a, error, error_size) == 0)
		return 0;
	conf_free(out);
	return -1;
}

void
conf_free(struct conf *c)
{
	if (c->owner != NULL) {
		arena_clear(c->owner);
		free(c->owner);
	}
	*c = (struct conf){0};
}

static int
set_defaults(struct conf *c, struct arena *a)
{
	static const char *const jurisdictions[] = {"KP"};
	char host[256] = "";

	c->decode.check_checksums = true;
	c->decode.drop_duplicates = true;
	c->attribution = (struct attribution_conf){
		.jurisdictions = jurisdictions,
		.jurisdiction_count = COUNT(jurisdictions),
	};
	c->policy = (struct policy_conf){
		.sanctioned_transfer = true,
		.sanctioned_contact = true,
		.bulk_outbound = true,
		.bulk_bytes = UINT64_C(1000000000),
		.fold_window = 600 * CLOCK_SECOND,
	};
	c->output.events = EVENT_FLOW | EVENT_TRANSFER | EVENT_ALERT | EVENT_COVERAGE;
	c->output.rotate_keep = CONF_ROTATE_KEEP;
	c->coverage_every = 86400 * CLOCK_SECOND;
	c->stats_every = 60 * CLOCK_SECOND;
	c->delivery_wait = 30 * CLOCK_SECOND;
	c->web.silence = CONF_METRICS_SILENCE;
	c->web.database_age = CONF_METRICS_DATABASE_AGE;
	if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
		snprintf(host, sizeof host, "waybill");
	c->output.observer_name = arena_string(a, host, strlen(host));
	return c->output.observer_name != NULL ? 0 : -1;
}

static int
read_text(const char *name, const uint8_t *text, size_t len, struct conf *c, struct arena *a, char *error,
    size_t error_size)
{
	struct yaml_lines lines;
	struct file_conf *f = NULL;
	struct conf_reading r = {
		.file = name,
		.lines = &lines,
		.arena = a,
		.error = error,
		.error_size = error_size,
	};

	if (conf_yaml_load(name, text, len, &conf_schema, a, &lines, (void **)&f, error, error_size) != 0)
		return -1;
	if (f == NULL)
		return 0; /* nothing but comments */
	if (f->user != NULL && strcmp(f->user, "auto") != 0)
		conf_text(&r, "user", f->user, &c->user);
	read_attribution(&r, f->attribution, &c->attribution);
	read_rules(&r, f->rules, &c->policy);
	read_capture(&r, f->capture, c);
	read_packets(&r, f->packets, c);
	read_transfers(&r, f->transfers, c);
	read_limits(&r, f->limits, c);
	read_timeouts(&r, f->timeouts, c);
	read_output(&r, f->output, c);
	conf_metrics(&r, f->metrics, &c->web);
	read_webhooks(&r, f, &c->output);
	conf_yaml_free(&conf_schema, f);
	return r.failed ? -1 : 0;
}

/* All of it, for the caller to free; NULL and error. */
static uint8_t *
read_file(const char *path, size_t *len, char *error, size_t error_size)
{
	uint8_t *bytes = NULL;
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		snprintf(error, error_size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	bytes = malloc(FILE_MAX + 1);
	if (bytes == NULL) {
		snprintf(error, error_size, "%s: out of memory", path);
		goto out;
	}
	*len = fread(bytes, 1, FILE_MAX + 1, f);
	if (!ferror(f) && *len <= FILE_MAX)
		goto out;
	snprintf(error, error_size, "%s: %s", path, ferror(f) ? strerror(errno) : "is larger than 1 MiB: not a configuration");
	free(bytes);
	bytes = NULL;
out:
	fclose(f);
	return bytes;
}

static void
read_attribution(struct conf_reading *r, const struct file_attribution *f, struct attribution_conf *out)
{
	bool auto_detect = true, builtin = true;

	if (f == NULL)
		return;
	conf_section(r, "attribution");
	if (f->databases != NULL) {
		out->databases = read_texts(r, "databases", f->databases, f->databases_count, conf_path);
		out->database_count = f->databases_count;
	}
	conf_switch(r, "auto_detect", f->auto_detect, &auto_detect);
	out->no_auto_detect = !auto_detect;
	conf_switch(r, "builtin", f->builtin, &builtin);
	out->no_embedded = !builtin;
	if (f->sanctioned != NULL && strcmp(f->sanctioned, "auto") != 0)
		conf_path(r, "sanctioned", f->sanctioned, &out->sanctioned);
	if (f->services != NULL && strcmp(f->services, "auto") != 0)
		conf_path(r, "services", f->services, &out->services);
	if (f->jurisdictions != NULL) {
		out->jurisdictions = read_texts(r, "jurisdictions", f->jurisdictions, f->jurisdictions_count, conf_country);
		out->jurisdiction_count = f->jurisdictions_count;
	}
	if (f->home_networks != NULL) {
		read_networks(r, "home_networks", f->home_networks, f->home_networks_count); /* for their form */
		out->home = read_texts(r, "home_networks", f->home_networks, f->home_networks_count, conf_text);
		out->home_count = f->home_networks_count;
	}
	read_lists(r, f, out);
	read_asns(r, f, out);
}

static void
read_lists(struct conf_reading *r, const struct file_attribution *f, struct attribution_conf *out)
{
	struct list_conf *lists = conf_alloc(r, f->lists_count, sizeof *lists);
	const char *words[CONFIDENCE_CONFIRMED - CONFIDENCE_INFO + 1];

	if (lists == NULL)
		return;
	for (size_t i = 0; i < COUNT(words); i++)
		words[i] = confidence_name((enum confidence)(CONFIDENCE_INFO + i));
	for (unsigned i = 0; i < f->lists_count; i++) {
		const struct file_list *from = &f->lists[i];
		size_t format = LIST_AUTO, confidence = 0;

		conf_section(r, "attribution.lists[%u]", i);
		conf_path(r, "path", from->path, &lists[i].path);
		conf_text(r, "name", from->name, &lists[i].name);
		conf_word(r, "format", from->format, format_words, COUNT(format_words), &format);
		lists[i].format = (enum list_format)format;
		conf_country(r, "jurisdiction", from->jurisdiction, &lists[i].jurisdiction);
		if (from->confidence != NULL) {
			conf_word(r, "confidence", from->confidence, words, COUNT(words), &confidence);
			lists[i].confidence = (enum confidence)(CONFIDENCE_INFO + confidence);
		}
	}
	out->lists = lists;
	out->list_count = f->lists_count;
}

static void
read_asns(struct conf_reading *r, const struct file_attribution *f, struct attribution_conf *out)
{
	if (f->asns == NULL)
		return;
	uint32_t *asns = conf_alloc(r, f->asns_count, sizeof *asns);
	const char **jurisdictions = conf_alloc(r, f->asns_count, sizeof *jurisdictions);

	for (unsigned i = 0; i < f->asns_count && !r->failed; i++) {
		conf_section(r, "attribution.asns[%u]", i);
		conf_asn(r, "asn", f->asns[i].asn, &asns[i]);
		conf_country(r, "jurisdiction", f->asns[i].jurisdiction, &jurisdictions[i]);
	}
	out->asns = asns;
	out->asn_jurisdictions = jurisdictions;
	out->asn_count = f->asns_count;
}

static void
read_rules(struct conf_reading *r, const struct file_rules *f, struct policy_conf *out)
{
	if (f == NULL)
		return;
	conf_section(r, "rules");
	conf_switch(r, "sanctioned_transfer", f->sanctioned_transfer, &out->sanctioned_transfer);
	conf_switch(r, "sanctioned_contact", f->sanctioned_contact, &out->sanctioned_contact);
	conf_time(r, "fold_window", f->fold_window, 0, &out->fold_window);
	if (f->bulk_outbound == NULL)
		return;
	conf_section(r, "rules.bulk_outbound");
	conf_switch(r, "enabled", f->bulk_outbound->enabled, &out->bulk_outbound);
	conf_bytes(r, "size", f->bulk_outbound->size, &out->bulk_bytes);
	if (f->bulk_outbound->allow != NULL) {
		out->allow = read_networks(r, "allow", f->bulk_outbound->allow, f->bulk_outbound->allow_count);
		out->allow_count = f->bulk_outbound->allow_count;
	}
}

static void
read_capture(struct conf_reading *r, const struct file_capture *f, struct conf *c)
{
	bool promiscuous = true;
	size_t snaplen = 0, lanes = 0, timestamps = LIVE_CLOCK_HOST;
	if (f == NULL)
		return;
	conf_section(r, "capture");
	conf_limit_bytes(r, "ring", f->ring, &c->live.ring);
	conf_limit_bytes(r, "snaplen", f->snaplen, &snaplen);
	if (c->live.ring > LIVE_RING_MAX)
		conf_refuse(r, "ring", "takes up to 2GB");
	if (snaplen != 0 && (snaplen < LIVE_SNAPLEN_MIN || snaplen > LIVE_SNAPLEN_MAX))
		conf_refuse(r, "snaplen", "takes 128 bytes up to 256KB");
	c->live.snaplen = (uint32_t)snaplen;
	conf_switch(r, "promiscuous", f->promiscuous, &promiscuous);
	c->live.no_promiscuous = !promiscuous;
	conf_switch(r, "immediate", f->immediate, &c->live.immediate);
	conf_limit_count(r, "lanes", f->lanes, &lanes);
	if (lanes > LANES_MAX)
		conf_refuse(r, "lanes", "takes a number from 1 to 16");
	c->lanes = (unsigned)lanes;
	conf_word(r, "timestamps", f->timestamps, live_clock_words, LIVE_CLOCKS, &timestamps);
	c->live.clock = (enum live_clock)timestamps;
}

static void
read_packets(struct conf_reading *r, const struct file_packets *f, struct conf *c)
{
	if (f == NULL)
		return;
	conf_section(r, "packets");
	conf_switch(r, "checksums", f->checksums, &c->decode.check_checksums);
	if (f->duplicates == NULL || value_bool(f->duplicates, &c->decode.drop_duplicates) == 0)
		return;
	conf_limit_time(r, "duplicates", f->duplicates, &c->decode.duplicate_window);
	if (c->decode.duplicate_window > DUPLICATE_WINDOW_MAX)
		conf_refuse(r, "duplicates", "takes 1s at most");
}

static void
read_transfers(struct conf_reading *r, const struct file_transfers *f, struct conf *c)
{
	bool hash = true;
	size_t infer_size = 0;

	if (f == NULL)
		return;
	conf_section(r, "transfers");
	conf_switch(r, "hash", f->hash, &hash);
	c->transfer.no_hash = !hash;
	conf_limit_bytes(r, "infer_size", f->infer_size, &infer_size);
	c->transfer.infer_bytes = infer_size;
}

static void
read_limits(struct conf_reading *r, const struct file_limits *f, struct conf *c)
{
	if (f == NULL)
		return;
	conf_section(r, "limits");
	size_t total = 0;
	conf_limit_bytes(r, "memory", f->memory, &total);
	conf_limit_bytes(r, "fragment_memory", f->fragment_memory, &c->decode.fragment_memory);
	conf_limit_bytes(r, "flow_memory", f->flow_memory, &c->flow.memory);
	conf_limit_bytes(r, "stream_memory", f->stream_memory, &c->stream.memory);
	conf_limit_bytes(r, "memory_per_stream", f->memory_per_stream, &c->stream.per_stream);
	conf_limit_bytes(r, "transfer_memory", f->transfer_memory, &c->transfer.memory);
	conf_limit_bytes(r, "memory_per_transfer", f->memory_per_transfer, &c->transfer.per_transfer);
	conf_limit_count(r, "open_transfers", f->open_transfers, &c->transfer.open);
	conf_limit_count(r, "open_alerts", f->open_alerts, &c->policy.open_alerts);
	if (total > 0)
		share_memory(r, total, c);
}

/*
 * What is left for everything that the file says nothing of. A quarter of the whole is for the program, its
 * databases and lists.
 */
static void
share_memory(struct conf_reading *r, size_t total, struct conf *c)
{
	enum { ALERT_PARTS = 3 };
	const struct {
		size_t *limit;
		size_t parts; /* of 32 */
	} shares[] = {{&c->flow.memory, 12}, {&c->stream.memory, 4}, {&c->transfer.memory, 4}, {&c->decode.fragment_memory, 1}};

	if (total < MEMORY_LEAST) {
		conf_refuse(r, "memory", "must be at least 64MB");
		return;
	}
	for (size_t i = 0; i < COUNT(shares); i++)
		if (*shares[i].limit == 0)
			*shares[i].limit = total / 32 * shares[i].parts;
	const size_t alerts = total / 32 * ALERT_PARTS / POLICY_ALERT_COST;
	if (c->policy.open_alerts == 0 && alerts < POLICY_OPEN_DEFAULT)
		c->policy.open_alerts = alerts;
}

static void
read_timeouts(struct conf_reading *r, const struct file_timeouts *f, struct conf *c)
{
	if (f == NULL)
		return;
	conf_section(r, "timeouts");
	conf_limit_time(r, "fragments", f->fragments, &c->decode.fragment_timeout);
	conf_limit_time(r, "tcp_opening", f->tcp_opening, &c->flow.tcp_opening);
	conf_limit_time(r, "tcp_established", f->tcp_established, &c->flow.tcp_established);
	conf_limit_time(r, "tcp_closing", f->tcp_closing, &c->flow.tcp_closing);
	conf_limit_time(r, "udp", f->udp, &c->flow.udp);
	conf_limit_time(r, "other", f->other, &c->flow.other);
	conf_limit_time(r, "join", f->join, &c->transfer.join_timeout);
}

static void
read_output(struct conf_reading *r, const struct file_output *f, struct conf *c)
{
	if (f == NULL)
		return;
	conf_section(r, "output");
	if (f->events != NULL && strcmp(f->events, "-") == 0)
		c->output.events_path = "-";
	else if (f->events != NULL && strcmp(f->events, "none") != 0)
		conf_path(r, "events", f->events, &c->output.events_path);
	if (f->event_kinds != NULL)
		read_event_kinds(r, f, &c->output.events);
	conf_output_files(r, f, &c->output);
	if (f->observer != NULL && strcmp(f->observer, "auto") != 0)
		conf_text(r, "observer", f->observer, &c->output.observer_name);
	if (f->spool != NULL && strcmp(f->spool, "auto") != 0)
		conf_path(r, "spool", f->spool, &c->output.spool_path);
	conf_time_or_never(r, "coverage_every", f->coverage_every, CLOCK_SECOND, &c->coverage_every);
	conf_time_or_never(r, "stats_every", f->stats_every, CLOCK_SECOND, &c->stats_every);
	conf_time(r, "delivery_wait", f->delivery_wait, 0, &c->delivery_wait);
}

static void
read_event_kinds(struct conf_reading *r, const struct file_output *f, unsigned *out)
{
	static const char *const kinds[] = {"flow", "transfer", "alert", "coverage", "stats"}; /* as EVENT_* */

	*out = 0;
	for (unsigned i = 0; i < f->event_kinds_count; i++) {
		char key[32];
		size_t kind = 0;
		snprintf(key, sizeof key, "event_kinds[%u]", i);
		conf_word(r, key, f->event_kinds[i], kinds, COUNT(kinds), &kind);
		*out |= 1u << kind;
	}
}

static void
read_webhooks(struct conf_reading *r, const struct file_conf *f, struct output_conf *out)
{
	struct webhook_target *targets = conf_alloc(r, f->webhooks_count, sizeof *targets);

	if (targets == NULL)
		return;
	for (unsigned i = 0; i < f->webhooks_count; i++) {
		conf_section(r, "webhooks[%u]", i);
		read_webhook(r, &f->webhooks[i], &targets[i]);
		for (unsigned k = 0; k < i && !r->failed; k++) {
			if (strcmp(targets[k].name, targets[i].name) == 0)
				conf_refuse(r, "name", "another webhook has this name: what waits for whom could not be told");
		}
	}
	out->webhooks = targets;
	out->webhook_count = f->webhooks_count;
	if (out->spool_path == NULL && !r->failed) {
		out->spool_path = default_spool(r->arena);
		if (out->spool_path == NULL)
			conf_refuse(r, NULL, "HOME is not set: name the spool's place in output.spool");
	}
}

static void
read_webhook(struct conf_reading *r, const struct file_webhook *f, struct webhook_target *t)
{
	static const char *const web[] = {"https", "http", NULL};
	static const char *const proxies[] = {"http", "https", "socks5", "socks5h", "socks4", "socks4a", NULL};
	const char *words[SEVERITY_CRITICAL + 1];
	size_t minimum = webhook_defaults.minimum;

	for (size_t i = 0; i < COUNT(words); i++)
		words[i] = severity_name((enum severity)i);
	*t = webhook_defaults;
	conf_text(r, "name", f->name, &t->name);
	conf_url(r, "url", f->url, web, &t->url);
	read_secret(r, f, t);
	conf_path(r, "ca_file", f->ca_file, &t->ca_file);
	conf_url(r, "proxy", f->proxy, proxies, &t->proxy);
	conf_word(r, "minimum_severity", f->minimum_severity, words, COUNT(words), &minimum);
	t->minimum = (enum severity)minimum;
	conf_time(r, "timeout", f->timeout, CLOCK_MILLISECOND, &t->timeout);
	conf_time(r, "retry_first", f->retry_first, CLOCK_MILLISECOND, &t->retry_first);
	conf_time(r, "retry_max", f->retry_max, CLOCK_MILLISECOND, &t->retry_max);
	if (t->retry_max < t->retry_first)
		conf_refuse(r, f->retry_max != NULL ? "retry_max" : "retry_first", "retry_max is shorter than retry_first");
	conf_time_or_never(r, "give_up", f->give_up, CLOCK_MILLISECOND, &t->give_up);
}

/* No message shows it. */
static void
read_secret(struct conf_reading *r, const struct file_webhook *f, struct webhook_target *t)
{
	const char *key = f->secret != NULL ? "secret" : "secret_file";
	const char *path = NULL;
	struct signature_key probe;

	if (f->secret != NULL && f->secret_file != NULL) {
		conf_refuse(r, "secret_file", "there is a secret too: one of them must go");
		return;
	}
	conf_text(r, key, f->secret, &t->secret);
	conf_path(r, key, f->secret_file, &path);
	conf_text_file(r, key, path, &t->secret);
	if (t->secret != NULL && signature_key_init(&probe, t->secret) != 0)
		conf_refuse(r, key, "must be whsec_ and base64 of at least 1 and at most %d bytes, or a plain text of so many",
		    SIGNATURE_KEY_MAX);
}

static const struct network *
read_networks(struct conf_reading *r, const char *key, char *const *from, size_t count)
{
	struct network *networks = conf_alloc(r, count, sizeof *networks);

	for (size_t i = 0; i < count && !r->failed; i++) {
		char path[64];
		snprintf(path, sizeof path, "%s[%zu]", key, i);
		conf_network(r, path, from[i], &networks[i]);
	}
	return networks;
}

static const char *const *
read_texts(struct conf_reading *r, const char *key, char *const *from, size_t count,
    void (*read)(struct conf_reading *r, const char *key, const char *text, const char **out))
{
	const char **texts = conf_alloc(r, count, sizeof *texts);

	for (size_t i = 0; i < count && !r->failed; i++) {
		char path[64];
		snprintf(path, sizeof path, "%s[%zu]", key, i);
		read(r, path, from[i], &texts[i]);
	}
	return texts;
}

/* Where state belongs: /var/lib for the system, XDG_STATE_HOME for a person. NULL: nobody's home. */
static const char *
default_spool(struct arena *a)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		return "/var/lib/waybill/spool.db";
	if (state != NULL && state[0] == '/')
		return arena_printf(a, "%s/waybill/spool.db", state);
	if (home != NULL && home[0] == '/')
		return arena_printf(a, "%s/.local/state/waybill/spool.db", home);
	return NULL;
}
