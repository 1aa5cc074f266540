#include "config.h"

#include "tell.h"

#include <stdlib.h>
#include <string.h>

#include "attribution/leads.h"

struct tell {
	struct attribution *attribution;
	struct leads *leads;
	struct output *output;
	struct policy *policy;
	uint64_t transfers, alerts;
	struct tell_tally tally;
	void (*changed)(void *ctx); /* or NULL */
	void *changed_ctx;
	bool any_alert;
	enum severity worst;
};

static void on_flow(void *ctx, const struct flow_record *r);
static void on_watched(void *ctx, const struct flow_record *r, bool ended);
static void on_transfer(void *ctx, const struct transfer_record *r, bool ended);
static void on_time(void *ctx, int64_t now);
static void on_attribution(void *ctx, struct attribution *a);
static void on_alert(void *ctx, const struct alert *a);
static void count_transfer(struct tell_tally *t, const char *protocol);
static void place(struct tell *t, struct flow_record *r);

const struct news_ops tell_news = {on_flow, on_watched, on_transfer, on_time, on_attribution};

struct tell *
tell_create(const struct policy_conf *conf, struct attribution *attribution, struct output *output)
{
	static const struct policy_ops ops = {on_alert};
	struct tell *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	*t = (struct tell){.attribution = attribution, .output = output};
	t->policy = policy_create(conf, &ops, t);
	t->leads = leads_create();
	if (t->policy == NULL || t->leads == NULL) {
		policy_destroy(t->policy);
		leads_destroy(t->leads);
		free(t);
		return NULL;
	}
	policy_owner(t->policy, attribution);
	return t;
}

void
tell_destroy(struct tell *t)
{
	if (t == NULL)
		return;
	policy_destroy(t->policy);
	leads_destroy(t->leads);
	free(t);
}

struct attribution *
tell_attribution(const struct tell *t)
{
	return t->attribution;
}

bool
tell_needs(const struct tell *t, const struct attribution *a)
{
	return t->attribution == a || policy_needs(t->policy, a);
}

void
tell_on_attribution(struct tell *t, void (*fn)(void *ctx), void *ctx)
{
	t->changed = fn;
	t->changed_ctx = ctx;
}

void
tell_rules(struct tell *t, const struct policy_conf *conf)
{
	policy_change(t->policy, conf);
}

void
tell_flush(struct tell *t)
{
	policy_flush(t->policy);
}

size_t
tell_coverage(const struct tell *t, struct coverage *c, struct coverage_counter *counters, size_t count, size_t room)
{
	size_t rules;
	const struct coverage_counter *policy = policy_counters(t->policy, &rules);
	for (size_t i = 0; i < rules && count < room; i++)
		counters[count++] = policy[i];
	if (count < room)
		counters[count++] = (struct coverage_counter){"leads_forgotten", "clients, contacts with services and flows to stores "
			"that were forgotten before they met, for want of room", leads_forgotten(t->leads)};
	c->transfers = t->transfers;
	c->alerts = t->alerts;
	return count;
}

void
tell_counts(const struct tell *t, uint64_t *transfers, uint64_t *alerts)
{
	*transfers = t->transfers;
	*alerts = t->alerts;
}

const struct tell_tally *
tell_tally(const struct tell *t)
{
	return &t->tally;
}

bool
tell_worst(const struct tell *t, enum severity *out)
{
	*out = t->worst;
	return t->any_alert;
}

static void
on_flow(void *ctx, const struct flow_record *r)
{
	struct tell *t = ctx;
	struct flow_record flow = *r;
	place(t, &flow);
	leads_note(t->leads, &flow, true);
	output_flow(t->output, &flow);
}

static void
on_watched(void *ctx, const struct flow_record *r, bool ended)
{
	struct tell *t = ctx;
	struct flow_record flow = *r;
	place(t, &flow);
	policy_flow(t->policy, &flow, ended);
}

static void
on_transfer(void *ctx, const struct transfer_record *r, bool ended)
{
	struct tell *t = ctx;
	struct transfer_record transfer = *r;
	struct flow_record flow = *r->flow, data;
	place(t, &flow);
	transfer.flow = &flow;
	if (!ended && r->basis == TRANSFER_INFERRED) /* the others may be told after their flow has ended */
		leads_note(t->leads, &flow, false);
	if (r->data != NULL) {
		data = *r->data;
		place(t, &data);
		transfer.data = &data;
	}
	if (ended) {
		t->transfers++;
		count_transfer(&t->tally, transfer.protocol);
		output_transfer(t->output, &transfer);
	}
	policy_transfer(t->policy, &transfer, ended);
}

/* The last place is for those that have none of their own. */
static void
count_transfer(struct tell_tally *t, const char *protocol)
{
	size_t i = 0;
	while (i < t->transfer_count && strcmp(t->transfers[i].protocol, protocol) != 0)
		i++;
	if (i >= TELL_PROTOCOLS - 1) {
		i = TELL_PROTOCOLS - 1;
		protocol = "other";
	}
	if (i >= t->transfer_count) {
		t->transfers[i].protocol = protocol;
		t->transfer_count = i + 1;
	}
	t->transfers[i].count++;
}

static void
on_time(void *ctx, int64_t now)
{
	struct tell *t = ctx;
	policy_time(t->policy, now);
}

static void
on_attribution(void *ctx, struct attribution *a)
{
	struct tell *t = ctx;
	leads_renew(t->leads, a);
	t->attribution = a;
	policy_owner(t->policy, a);
	if (t->changed != NULL)
		t->changed(t->changed_ctx);
}

static void
on_alert(void *ctx, const struct alert *a)
{
	struct tell *t = ctx;
	t->alerts += a->action == ALERT_OPEN;
	t->tally.alerts[a->severity] += a->action == ALERT_OPEN;
	if (!t->any_alert || a->severity > t->worst)
		t->worst = a->severity;
	t->any_alert = true;
	output_alert(t->output, a);
}

/* Where both ends are, what the lists say of them at the time of the flow, and whose service it is. */
static void
place(struct tell *t, struct flow_record *r)
{
	struct attribution *a = t->attribution;
	const bool listed = attribution_listed(a, &r->side[0].addr) || attribution_listed(a, &r->side[1].addr);
	struct exchange exchange = {
	        .two_way = r->side[0].packets > 0 && r->side[1].packets > 0,
	        .handshake = r->handshake,
	        .payload = r->side[0].payload + r->side[1].payload > 0 && !flow_record_refused(r),
	};
	if (listed)
		exchange.private_link =
		        attribution_private_link(a, &r->side[0].addr, &r->side[1].addr, r->vlan[0]);
	for (int i = 0; i < 2; i++) {
		struct endpoint *e = &r->side[i];
		attribution_place(a, &e->addr, &e->place);
		if (listed)
			attribution_listing(a, &e->addr, &e->place, r->start, &exchange, &e->listing);
		else
			e->listing = (struct listing){0};
	}
	attribution_name(a, r);
	leads_find(t->leads, r);
}
