#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "policy/closed.h"
#include "policy/policy.h"

enum { TOLD_MAX = 16 };

/* What the policy told, as far as the tests look at it. */
struct told {
	char id[RECORD_ID_MAX];
	char rule[32];
	enum alert_action action;
	enum severity severity;
	enum confidence confidence;
	uint64_t count, files, bytes;
	bool has_transfer;
	char transfer[RECORD_ID_MAX];
	char summary[256];
};

struct world {
	struct policy *policy;
	struct told told[TOLD_MAX];
	size_t count;
};

static const struct policy_conf defaults = {
	.sanctioned_transfer = true,
	.sanctioned_contact = true,
	.bulk_outbound = true,
	.bulk_bytes = 1000000,
	.fold_window = 600 * CLOCK_SECOND,
};

static const struct listing_row star_kp = {.network_text = "175.45.176.0/22", .jurisdiction = "KP"};
static const struct facts silent, ftp = {.protocol = "ftp"}, http = {.protocol = "http"},
	kcna = {.protocol = "http", .service = {.utf8 = "www.kcna.kp"}};

static void
on_alert(void *ctx, const struct alert *a)
{
	struct world *w = ctx;
	assert_true(w->count < TOLD_MAX);
	struct told *t = &w->told[w->count++];
	*t = (struct told){.action = a->action, .severity = a->severity, .confidence = a->confidence, .count = a->count, .files = a->files,
		.bytes = a->bytes, .has_transfer = a->transfer != NULL};
	memcpy(t->id, a->id, sizeof t->id);
	snprintf(t->rule, sizeof t->rule, "%s", a->rule);
	snprintf(t->transfer, sizeof t->transfer, "%s", a->transfer != NULL ? a->transfer->id : "");
	snprintf(t->summary, sizeof t->summary, "%.255s", a->summary);
	assert_non_null(a->flow);
	assert_non_null(a->flow->facts);
	assert_true(strlen(a->summary) > 10);
}

static void
world_begin(struct world *w, const struct policy_conf *conf)
{
	static const struct policy_ops ops = {on_alert};
	*w = (struct world){0};
	w->policy = policy_create(conf, &ops, w);
	assert_non_null(w->policy);
}

/* A flow from a home host to one in the listed range. */
static struct flow_record
flow_to(const char *id, const char *remote, enum confidence confidence, const struct facts *facts)
{
	struct flow_record r = {.transport = IPPROTO_TCP, .ip_version = 4, .facts = facts};
	snprintf(r.id, sizeof r.id, "%s", id);
	assert_int_equal(addr_parse("10.0.0.5", &r.side[SIDE_SOURCE].addr), 0);
	assert_int_equal(addr_parse(remote, &r.side[SIDE_DESTINATION].addr), 0);
	r.side[SIDE_SOURCE].place.flags = PLACE_HOME | PLACE_PRIVATE;
	if (confidence != CONFIDENCE_NONE)
		r.side[SIDE_DESTINATION].listing = (struct listing){.row = &star_kp, .confidence = confidence};
	return r;
}

static void
exchange(struct flow_record *r, uint64_t sent, uint64_t received)
{
	r->handshake = true;
	r->side[SIDE_SOURCE].packets = 3;
	r->side[SIDE_DESTINATION].packets = 2;
	r->side[SIDE_SOURCE].payload = sent;
	r->side[SIDE_DESTINATION].payload = received;
}

static struct transfer_record
file_of(const char *id, const struct flow_record *flow, uint64_t seen)
{
	struct transfer_record t = {.flow = flow, .sender = SIDE_SOURCE, .protocol = "ftp", .method = "STOR",
		.seen = seen, .size = seen, .name = {.utf8 = "ep03.zip"}};
	snprintf(t.id, sizeof t.id, "%s", id);
	return t;
}

/* What an alert shows keeps what it points to, until it shows something newer or closes. */
static void
test_owner(void **state)
{
	(void)state;
	struct world w;
	int first, second;
	world_begin(&w, &defaults);
	policy_owner(w.policy, &first);
	assert_false(policy_needs(w.policy, &first));
	struct flow_record f1 = flow_to("f1", "175.45.176.9", CONFIDENCE_HIGH, &silent);
	exchange(&f1, 10, 10);
	policy_flow(w.policy, &f1, false);
	assert_int_equal(w.count, 1);
	assert_true(policy_needs(w.policy, &first));
	policy_owner(w.policy, &second);
	assert_true(policy_needs(w.policy, &first));
	assert_false(policy_needs(w.policy, &second));
	policy_flow(w.policy, &f1, false); /* the same flow by the new lists */
	assert_false(policy_needs(w.policy, &first));
	assert_true(policy_needs(w.policy, &second));
	policy_flush(w.policy);
	assert_false(policy_needs(w.policy, &second));

	/* A rule that is switched off opens no more of them. */
	struct policy_conf none = defaults;
	none.sanctioned_contact = false;
	policy_change(w.policy, &none);
	struct flow_record f2 = flow_to("f2", "175.45.176.9", CONFIDENCE_HIGH, &silent);
	exchange(&f2, 10, 10);
	const size_t before = w.count;
	policy_flow(w.policy, &f2, true);
	assert_int_equal(w.count, before);
	policy_destroy(w.policy);
}

static void
test_one_packet_pages_nobody(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, &defaults);
	struct flow_record syn = flow_to("f1", "175.45.176.9", CONFIDENCE_HIGH, &silent);
	syn.side[SIDE_DESTINATION].packets = 1;
	assert_false(policy_flow(w.policy, &syn, false));
	syn.side[SIDE_SOURCE].packets = 1; /* refused */
	assert_false(policy_flow(w.policy, &syn, true));
	policy_flush(w.policy);
	assert_int_equal(w.count, 0);
	policy_destroy(w.policy);
}

static void
test_upload_is_critical_at_once(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, &defaults);
	struct flow_record r = flow_to("f1", "175.45.178.55", CONFIDENCE_CONFIRMED, &ftp);
	exchange(&r, 100, 200);
	struct transfer_record t = file_of("t1", &r, 10);
	policy_transfer(w.policy, &t, false);
	assert_int_equal(w.count, 1);
	assert_string_equal(w.told[0].rule, "sanctioned-transfer");
	assert_int_equal(w.told[0].severity, SEVERITY_CRITICAL);
	assert_int_equal(w.told[0].action, ALERT_OPEN);

	t.seen = t.size = 5000;
	policy_transfer(w.policy, &t, true);
	struct transfer_record second = file_of("t2", &r, 700);
	policy_transfer(w.policy, &second, false);
	policy_transfer(w.policy, &second, true);
	assert_int_equal(w.count, 1); /* folded */
	policy_flush(w.policy);
	assert_int_equal(w.count, 2);
	assert_int_equal(w.told[1].action, ALERT_CLOSE);
	assert_string_equal(w.told[1].id, w.told[0].id);
	assert_int_equal(w.told[1].count, 2);
	assert_int_equal(w.told[1].files, 2);
	assert_int_equal(w.told[1].bytes, 5700);
	policy_destroy(w.policy);
}

static void
test_severity_by_confidence(void **state)
{
	(void)state;
	static const struct {
		enum confidence confidence;
		enum severity severity;
	} rows[] = {
		{CONFIDENCE_CONFIRMED, SEVERITY_CRITICAL}, {CONFIDENCE_HIGH, SEVERITY_HIGH},
		{CONFIDENCE_MEDIUM, SEVERITY_MEDIUM}, {CONFIDENCE_LOW, SEVERITY_LOW}, {CONFIDENCE_INFO, SEVERITY_INFO},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		world_begin(&w, &defaults);
		struct flow_record r = flow_to("f1", "175.45.178.55", rows[i].confidence, &ftp);
		struct transfer_record t = file_of("t1", &r, 10);
		policy_transfer(w.policy, &t, true);
		assert_int_equal(w.count, 1);
		assert_int_equal(w.told[0].severity, rows[i].severity);
		policy_destroy(w.policy);
	}
}

static void
test_contact_rises_when_it_talks(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, &defaults);
	struct flow_record r = flow_to("f1", "175.45.178.55", CONFIDENCE_HIGH, &silent);
	exchange(&r, 0, 0);
	assert_false(policy_flow(w.policy, &r, false));
	assert_int_equal(w.told[0].severity, SEVERITY_INFO);
	r.facts = &ftp;
	exchange(&r, 20, 30);
	assert_false(policy_flow(w.policy, &r, false));
	assert_int_equal(w.count, 2);
	assert_int_equal(w.told[1].action, ALERT_UPDATE);
	assert_int_equal(w.told[1].severity, SEVERITY_MEDIUM);
	exchange(&r, 5000, 5000);
	assert_true(policy_flow(w.policy, &r, false));
	assert_int_equal(w.count, 2);
	policy_destroy(w.policy);
}

static void
test_page_view_is_a_record(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, &defaults);
	struct flow_record r = flow_to("f1", "175.45.176.71", CONFIDENCE_CONFIRMED, &kcna);
	exchange(&r, 100, 9000);
	policy_flow(w.policy, &r, false);
	struct transfer_record page = file_of("t1", &r, 9000);
	page.sender = SIDE_DESTINATION;
	page.http.method = "GET";
	page.declared_mime = "text/html";
	policy_transfer(w.policy, &page, true);
	page.declared_mime = "image/jpeg";
	policy_transfer(w.policy, &page, true);
	for (size_t i = 0; i < w.count; i++)
		assert_int_equal(w.told[i].severity, SEVERITY_INFO);

	/* A picture from a server without a public site's name is what this trade deals in. */
	r.facts = &http;
	policy_transfer(w.policy, &page, true);
	assert_int_equal(w.told[w.count - 1].severity, SEVERITY_CRITICAL);
	policy_destroy(w.policy);
}

static void
test_windows_close(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, &defaults);
	struct flow_record r = flow_to("f1", "175.45.178.55", CONFIDENCE_CONFIRMED, &ftp);
	struct transfer_record t = file_of("t1", &r, 10);
	t.end = 1000 * CLOCK_SECOND;
	policy_transfer(w.policy, &t, false);
	policy_time(w.policy, 5000 * CLOCK_SECOND);
	assert_int_equal(w.count, 1); /* still underway */
	policy_transfer(w.policy, &t, true);
	policy_time(w.policy, 1600 * CLOCK_SECOND);
	assert_int_equal(w.count, 1);
	policy_time(w.policy, 1601 * CLOCK_SECOND);
	assert_int_equal(w.count, 2);
	struct transfer_record later = file_of("t2", &r, 10);
	later.end = 1700 * CLOCK_SECOND;
	policy_transfer(w.policy, &later, true);
	assert_int_equal(w.count, 3);
	assert_string_not_equal(w.told[2].id, w.told[0].id);
	policy_destroy(w.policy);
}

static void
test_bulk_outbound(void **state)
{
	(void)state;
	static const struct {
		const char *remote;
		uint64_t size;
		enum transfer_basis basis;
		bool raised;
	} rows[] = {
		{"198.51.100.7", 2000000, TRANSFER_INFERRED, true},
		{"198.51.100.7", 999999, TRANSFER_INFERRED, false},
		{"198.51.100.7", 2000000, TRANSFER_READ, false},
		{"203.0.113.7", 2000000, TRANSFER_INFERRED, false}, /* on the allow list */
	};
	struct network allowed = {.bits = 24};
	assert_int_equal(addr_parse("203.0.113.0", &allowed.addr), 0);
	struct policy_conf conf = defaults;
	conf.allow = &allowed;
	conf.allow_count = 1;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		world_begin(&w, &conf);
		struct flow_record r = flow_to("f1", rows[i].remote, CONFIDENCE_NONE, &silent);
		struct transfer_record t = file_of("t1", &r, rows[i].size);
		t.basis = rows[i].basis;
		policy_transfer(w.policy, &t, true);
		assert_int_equal(w.count, rows[i].raised);
		if (rows[i].raised)
			assert_int_equal(w.told[0].severity, SEVERITY_LOW);
		policy_destroy(w.policy);
	}
}

static void
test_limit_closes_the_oldest(void **state)
{
	(void)state;
	struct policy_conf conf = defaults;
	conf.open_alerts = 2;
	struct world w;
	world_begin(&w, &conf);
	static const char *const remotes[] = {"198.51.100.1", "198.51.100.2", "198.51.100.3"};
	for (size_t i = 0; i < 3; i++) {
		struct flow_record r = flow_to(remotes[i], remotes[i], CONFIDENCE_NONE, &silent);
		struct transfer_record t = file_of(remotes[i], &r, 2000000);
		t.basis = TRANSFER_INFERRED;
		policy_transfer(w.policy, &t, false);
	}
	assert_int_equal(w.count, 4); /* two opened, one closed, one opened */
	assert_int_equal(w.told[2].action, ALERT_CLOSE);
	assert_string_equal(w.told[2].id, w.told[0].id);
	size_t n;
	assert_int_equal(policy_counters(w.policy, &n)[0].count, 1);
	policy_destroy(w.policy);
}

/* More pairs than alerts may be open, each of them again and again: one alert opens and closes for each, not for every packet. */
static void
test_limit_is_no_storm(void **state)
{
	(void)state;
	struct policy_conf conf = defaults;
	conf.open_alerts = 2;
	struct world w;
	world_begin(&w, &conf);
	static const char *const remotes[] = {"175.45.178.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"};
	enum { REMOTES = 4, ROUNDS = 50 };
	int64_t time = 0;
	for (size_t n = 0; n < ROUNDS * REMOTES; n++) {
		const char *remote = remotes[n % REMOTES];
		struct flow_record r = flow_to(remote, remote, CONFIDENCE_NONE, &silent);
		r.start = r.end = time = (int64_t)n * CLOCK_SECOND;
		struct transfer_record t = file_of(remote, &r, 2000000 + n);
		t.basis = TRANSFER_INFERRED;
		t.start = t.end = time;
		policy_transfer(w.policy, &t, false);
		policy_time(w.policy, time);
	}
	assert_int_equal(w.count, REMOTES + 2); /* each opened, and the first two closed */
	size_t n;
	assert_int_equal(policy_counters(w.policy, &n)[0].count, 2);

	/* Another rule's is another alert. */
	struct flow_record listed = flow_to("listed", remotes[0], CONFIDENCE_CONFIRMED, &ftp);
	listed.start = listed.end = time;
	struct transfer_record worse = file_of("worse", &listed, 5);
	worse.start = worse.end = time;
	policy_transfer(w.policy, &worse, true);
	assert_int_equal(w.told[w.count - 1].action, ALERT_OPEN);
	assert_int_equal(w.told[w.count - 1].severity, SEVERITY_CRITICAL);
	const size_t before = w.count;

	/* What ended meanwhile is counted; when the window is over, another one opens. */
	struct flow_record r = flow_to(remotes[1], remotes[1], CONFIDENCE_NONE, &silent);
	struct transfer_record t = file_of("later", &r, 3000000);
	t.basis = TRANSFER_INFERRED;
	r.start = r.end = t.start = t.end = time;
	policy_transfer(w.policy, &t, true);
	assert_int_equal(w.count, before);
	assert_int_equal(policy_counters(w.policy, &n)[1].count, 1);
	r.start = r.end = t.start = t.end = time + 601 * CLOCK_SECOND;
	policy_transfer(w.policy, &t, true);
	assert_true(w.count > before);
	assert_int_equal(w.told[w.count - 1].action, ALERT_OPEN);
	policy_destroy(w.policy);
}

/* A clock that is set back ends what was to last by the old one. */
static void
test_closed(void **state)
{
	(void)state;
	struct closed *c = closed_create(3);
	const int64_t day = 86400 * CLOCK_SECOND, window = 600 * CLOCK_SECOND;
	closed_add(c, "a", 1, SEVERITY_LOW, day, window);
	assert_true(closed_holds(c, "a", 1, SEVERITY_LOW, day - 30 * CLOCK_SECOND));
	assert_true(closed_holds(c, "a", 1, SEVERITY_INFO, day + window));
	assert_false(closed_holds(c, "b", 1, SEVERITY_LOW, day));
	assert_false(closed_holds(c, "a", 1, SEVERITY_LOW, 0));
	assert_false(closed_holds(c, "a", 1, SEVERITY_LOW, day)); /* forgotten by now */
	closed_add(c, "a", 1, SEVERITY_LOW, day, window);
	assert_false(closed_holds(c, "a", 1, SEVERITY_MEDIUM, day));
	for (int i = 0; i < 5; i++)
		closed_add(c, &"klmno"[i], 1, SEVERITY_LOW, day + i, window);
	assert_true(closed_holds(c, "m", 1, SEVERITY_LOW, day));
	assert_false(closed_holds(c, "n", 1, SEVERITY_LOW, day)); /* beyond the limit */
	closed_add(c, "m", 1, SEVERITY_HIGH, day + window, window);
	closed_time(c, day + window + 3);
	assert_false(closed_holds(c, "k", 1, SEVERITY_LOW, day));
	assert_true(closed_holds(c, "m", 1, SEVERITY_HIGH, day + 2 * window));
	assert_false(closed_holds(c, "m", 1, SEVERITY_CRITICAL, day + window));
	closed_destroy(c);
	closed_destroy(NULL);
}

/* Of what is folded the weightiest is shown, to the end: severity, confidence and file belong together. */
static void
test_shows_what_weighs_most(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, &defaults);
	struct flow_record one_way = flow_to("f1", "175.45.178.55", CONFIDENCE_HIGH, &ftp);
	struct flow_record both = flow_to("f2", "175.45.178.55", CONFIDENCE_CONFIRMED, &ftp);
	struct transfer_record first = file_of("t1", &one_way, 10), second = file_of("t2", &both, 20);
	policy_transfer(w.policy, &first, false);
	policy_transfer(w.policy, &second, false);
	policy_transfer(w.policy, &second, true);
	policy_transfer(w.policy, &first, true);
	policy_flush(w.policy);
	assert_int_equal(w.count, 3);
	assert_int_equal(w.told[0].confidence, CONFIDENCE_HIGH);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(w.told[i].severity, SEVERITY_CRITICAL);
		assert_int_equal(w.told[i].confidence, CONFIDENCE_CONFIRMED);
		assert_string_equal(w.told[i].transfer, "t2");
	}
	assert_int_equal(w.told[2].bytes, 30);
	policy_destroy(w.policy);
}

/* Its body turns out to be a form's: the alert that it opened waits for it no more. */
static void
test_no_file_after_all(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, &defaults);
	struct flow_record r = flow_to("f1", "175.45.178.55", CONFIDENCE_CONFIRMED, &http);
	struct transfer_record t = file_of("t1", &r, 10);
	policy_transfer(w.policy, &t, false);
	t.form = true;
	policy_transfer(w.policy, &t, true);
	policy_time(w.policy, 5000 * CLOCK_SECOND);
	assert_int_equal(w.count, 2);
	assert_int_equal(w.told[1].action, ALERT_CLOSE);
	policy_destroy(w.policy);
}

/* Contacts that are no page, and those that are, when the flow has ended. */
static void
test_contact_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		uint8_t transport;
		bool handshake, midstream;
		uint64_t packets[2], payload[2];
		uint16_t port;
		const char *history;
		size_t alerts;
		enum severity severity;
	} rows[] = {
		{"a short talk of an unknown protocol", IPPROTO_TCP, true, false, {5, 4}, {40, 60}, 4444, "ShADadFf", 1,
			SEVERITY_MEDIUM},
		{"UDP both ways", IPPROTO_UDP, false, false, {1, 1}, {40, 60}, 4444, "Dd", 1, SEVERITY_MEDIUM},
		{"a question to a resolver", IPPROTO_UDP, false, false, {1, 1}, {40, 60}, 53, "Dd", 1, SEVERITY_INFO},
		{"one datagram", IPPROTO_UDP, false, false, {0, 1}, {0, 1400}, 4444, "d", 0, SEVERITY_INFO},
		{"a ping and its answer", IPPROTO_ICMP, false, false, {1, 1}, {56, 56}, 0, "Dd", 1, SEVERITY_INFO},
		{"data that a reset refuses", IPPROTO_TCP, false, true, {1, 1}, {0, 40}, 4444, "Rd", 0, SEVERITY_INFO},
		{"seen from the middle", IPPROTO_TCP, false, true, {2, 3}, {0, 900}, 4444, "dA", 1, SEVERITY_INFO},
		{"one packet of a stream", IPPROTO_TCP, false, true, {1, 0}, {9000, 0}, 4444, "D", 0, SEVERITY_INFO},
		{"half of a stream", IPPROTO_TCP, false, true, {6, 0}, {8000, 0}, 4444, "D", 1, SEVERITY_INFO},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		world_begin(&w, &defaults);
		struct flow_record r = flow_to("f1", "175.45.178.55", CONFIDENCE_HIGH, &silent);
		r.transport = rows[i].transport;
		r.handshake = rows[i].handshake;
		r.midstream = rows[i].midstream;
		r.side[SIDE_DESTINATION].port = rows[i].port;
		for (int s = 0; s < 2; s++) {
			r.side[s].packets = rows[i].packets[s];
			r.side[s].payload = rows[i].payload[s];
		}
		snprintf(r.history, sizeof r.history, "%s", rows[i].history);
		r.end_reason = FLOW_END_TIMEOUT;
		policy_flow(w.policy, &r, true);
		if (w.count != rows[i].alerts || (w.count > 0 && w.told[0].severity != rows[i].severity))
			fail_msg("%s: %zu alerts, severity %d", rows[i].what, w.count, (int)w.told[0].severity);
		policy_destroy(w.policy);
	}
}

/* FTP between two servers, and through a NAT: only the data connection has the listed end. */
static void
test_direction_of_data(void **state)
{
	(void)state;
	static const struct {
		const char *home, *remote; /* ends of the data connection */
		enum side sender;          /* in the session, from 10.0.0.5 to 198.51.100.9 */
		uint64_t sent, received;   /* payload, as home sees it */
		const char *summary;
	} rows[] = {
		{"198.51.100.9", "175.45.178.55", SIDE_SOURCE, 0, 700, "ep03.zip went from 175.45.178.55"},
		{"198.51.100.9", "175.45.178.55", SIDE_DESTINATION, 700, 0, "ep03.zip went to 175.45.178.55"},
		{"10.0.0.5", "175.45.178.55", SIDE_SOURCE, 700, 0, "ep03.zip went to 175.45.178.55"},
		{"10.0.0.5", "175.45.178.55", SIDE_DESTINATION, 0, 700, "ep03.zip went from 175.45.178.55"},
		{"192.0.2.1", "175.45.178.55", SIDE_SOURCE, 700, 0, "ep03.zip went to 175.45.178.55"},
		{"192.0.2.1", "175.45.178.55", SIDE_SOURCE, 0, 700, "ep03.zip went from 175.45.178.55"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		world_begin(&w, &defaults);
		struct flow_record session = flow_to("f1", "198.51.100.9", CONFIDENCE_NONE, &ftp);
		struct flow_record data = flow_to("f2", rows[i].remote, CONFIDENCE_CONFIRMED, &ftp);
		assert_int_equal(addr_parse(rows[i].home, &data.side[SIDE_SOURCE].addr), 0);
		exchange(&data, rows[i].sent, rows[i].received);
		struct transfer_record t = file_of("t1", &session, 700);
		t.data = &data;
		t.sender = rows[i].sender;
		policy_transfer(w.policy, &t, true);
		assert_int_equal(w.count, 1);
		if (strncmp(w.told[0].summary, rows[i].summary, strlen(rows[i].summary)) != 0)
			fail_msg("row %zu: %s", i, w.told[0].summary);

		/* A session with a listed end of its own: the surer of the two is told. */
		session.side[SIDE_DESTINATION].listing = (struct listing){.row = &star_kp, .confidence = CONFIDENCE_MEDIUM};
		snprintf(t.id, sizeof t.id, "t2");
		policy_transfer(w.policy, &t, true);
		assert_int_equal(w.told[w.count - 1].confidence, CONFIDENCE_CONFIRMED);
		policy_destroy(w.policy);
	}
}

/* What calls itself a page is one only if its content does not say otherwise. */
static void
test_disguised_file(void **state)
{
	(void)state;
	static const struct {
		const char *mime;
		size_t alerts;
	} rows[] = {{NULL, 0}, {"text/plain", 0}, {"application/octet-stream", 0}, {"application/zip", 1},
		{"video/mp4", 1}, {"image/png", 1}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		world_begin(&w, &defaults);
		struct flow_record r = flow_to("f1", "175.45.176.71", CONFIDENCE_CONFIRMED, &http);
		struct transfer_record page = file_of("t1", &r, 9000);
		page.sender = SIDE_DESTINATION;
		page.http.method = "GET";
		page.declared_mime = "text/html";
		page.mime = rows[i].mime;
		policy_transfer(w.policy, &page, true);
		assert_int_equal(w.count, rows[i].alerts);
		policy_destroy(w.policy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner), cmocka_unit_test(test_one_packet_pages_nobody),
		cmocka_unit_test(test_upload_is_critical_at_once),
		cmocka_unit_test(test_severity_by_confidence),
		cmocka_unit_test(test_contact_rises_when_it_talks),
		cmocka_unit_test(test_page_view_is_a_record),
		cmocka_unit_test(test_windows_close),
		cmocka_unit_test(test_bulk_outbound),
		cmocka_unit_test(test_limit_closes_the_oldest),
		cmocka_unit_test(test_limit_is_no_storm),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_shows_what_weighs_most),
		cmocka_unit_test(test_no_file_after_all),
		cmocka_unit_test(test_contact_kinds),
		cmocka_unit_test(test_direction_of_data),
		cmocka_unit_test(test_disguised_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
