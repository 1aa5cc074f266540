/*
 * attribution and rules are read again while waybill runs. Everything else sizes what is allocated, opens what is open, or
 * is part of what a sensor was told to be: a new key of those parts has its row here.
 */
#include "config.h"

#include "conf_compare.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PLACE(member) offsetof(struct conf, member), sizeof(((struct conf *)NULL)->member)

static const char *const parts[CONF_PARTS] = {
	"user", "capture", "packets", "transfers", "limits", "timeouts", "output", "metrics", "webhooks",
};

struct row {
	const char *part;
	size_t at, size;
};

static const struct row values[] = {
	{"capture", PLACE(live.ring)},
	{"capture", PLACE(live.snaplen)},
	{"capture", PLACE(live.no_promiscuous)},
	{"capture", PLACE(live.immediate)},
	{"capture", PLACE(lanes)},
	{"capture", PLACE(live.clock)},
	{"packets", PLACE(decode.check_checksums)},
	{"packets", PLACE(decode.drop_duplicates)},
	{"packets", PLACE(decode.duplicate_window)},
	{"transfers", PLACE(transfer.no_hash)},
	{"transfers", PLACE(transfer.infer_bytes)},
	{"limits", PLACE(decode.fragment_memory)},
	{"limits", PLACE(flow.memory)},
	{"limits", PLACE(stream)},
	{"limits", PLACE(transfer.memory)},
	{"limits", PLACE(transfer.per_transfer)},
	{"limits", PLACE(transfer.open)},
	{"limits", PLACE(policy.open_alerts)},
	{"timeouts", PLACE(decode.fragment_timeout)},
	{"timeouts", PLACE(flow.tcp_opening)},
	{"timeouts", PLACE(flow.tcp_established)},
	{"timeouts", PLACE(flow.tcp_closing)},
	{"timeouts", PLACE(flow.udp)},
	{"timeouts", PLACE(flow.other)},
	{"timeouts", PLACE(transfer.join_timeout)},
	{"output", PLACE(output.events)},
	{"output", PLACE(stats_every)},
	{"output", PLACE(delivery_wait)},
	{"metrics", PLACE(web.addr)},
	{"metrics", PLACE(web.port)},
	{"metrics", PLACE(web.silence)},
	{"metrics", PLACE(web.database_age)},
};

static const struct row texts[] = {
	{"user", PLACE(user)},
	{"output", PLACE(output.events_path)},
	{"output", PLACE(output.observer_name)},
	{"output", PLACE(output.spool_path)},
	{"metrics", PLACE(web.path)},
};

static bool differs(const struct conf *a, const struct conf *b, const char *part);
static bool texts_differ(const char *a, const char *b);
static bool webhooks_differ(const struct output_conf *a, const struct output_conf *b);

size_t
conf_restart(const struct conf *a, const struct conf *b, const char *part[CONF_PARTS])
{
	size_t count = 0;
	for (size_t i = 0; i < CONF_PARTS; i++)
		if (differs(a, b, parts[i]))
			part[count++] = parts[i];
	return count;
}

static bool
differs(const struct conf *a, const struct conf *b, const char *part)
{
	const char *x = (const char *)a, *y = (const char *)b;
	for (size_t i = 0; i < COUNT(values); i++)
		if (strcmp(values[i].part, part) == 0 && memcmp(x + values[i].at, y + values[i].at, values[i].size) != 0)
			return true;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *const *of_a = (const void *)(x + texts[i].at), *const *of_b = (const void *)(y + texts[i].at);
		if (strcmp(texts[i].part, part) == 0 && texts_differ(*of_a, *of_b))
			return true;
	}
	return strcmp(part, "webhooks") == 0 && webhooks_differ(&a->output, &b->output);
}

static bool
texts_differ(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static bool
webhooks_differ(const struct output_conf *a, const struct output_conf *b)
{
	bool differ = a->webhook_count != b->webhook_count;
	for (size_t i = 0; i < a->webhook_count && !differ; i++) {
		const struct webhook_target *x = &a->webhooks[i], *y = &b->webhooks[i];
		differ = texts_differ(x->name, y->name) || texts_differ(x->url, y->url) || texts_differ(x->secret, y->secret) ||
		        texts_differ(x->ca_file, y->ca_file) || texts_differ(x->proxy, y->proxy) || x->minimum != y->minimum ||
		        x->timeout != y->timeout || x->retry_first != y->retry_first || x->retry_max != y->retry_max ||
		        x->give_up != y->give_up;
	}
	return differ;
}
