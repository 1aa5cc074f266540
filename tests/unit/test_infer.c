#include "config.h"

/* Sessions that can't be read: which volumes are told as transfers, when, and how they end. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "transfer/transfer.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

enum { KB = 1024 };

struct stage {
	struct flow_record flow;
	char log[512];
};

static const char *const states[] = {"open", "complete", "truncated", "aborted"};

static void
say(struct stage *s, const char *what, const struct transfer_record *r)
{
	size_t len = strlen(s->log);
	assert_int_equal(r->basis, TRANSFER_INFERRED);
	assert_string_equal(r->method, "volume");
	assert_string_equal(r->protocol, "tls");
	assert_string_equal(r->reasons[0], "encrypted");
	assert_null(r->name.utf8);
	assert_false(r->has_sha256);
	snprintf(s->log + len, sizeof s->log - len, "%s%c %s %llu;", what, "sd"[r->sender], states[r->state],
	        (unsigned long long)r->size);
}

static void
on_began(void *ctx, const struct transfer_record *r)
{
	say(ctx, "+", r);
}

static void
on_grew(void *ctx, const struct transfer_record *r)
{
	say(ctx, "*", r);
}

static void
on_ended(void *ctx, const struct transfer_record *r)
{
	const struct stage *s = ctx;
	say(ctx, "=", r);
	assert_non_null(r->reasons[1]);
	assert_true(r->start == s->flow.start && r->end == s->flow.end);
	assert_int_equal(r->seen, r->size);
}

static void
on_flow(void *ctx, void *flow, struct flow_record *out)
{
	const struct stage *s = ctx;
	(void)flow;
	*out = s->flow;
}

static const struct transfer_ops ops = {
	.began = on_began, .grew = on_grew, .ended = on_ended, .flow = on_flow};

static const struct {
	const char *what;
	uint64_t volume[3][2]; /* as told; then the last */
	struct flow_record flow;
	bool reset;
	const char *told;
} sessions[] = {
	{"small", {{10 * KB, 20 * KB}, {60 * KB, 63 * KB}, {60 * KB, 63 * KB}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP}, false, ""},
	{"an upload", {{10 * KB, 2 * KB}, {64 * KB, 4 * KB}, {900 * KB, 5 * KB}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP}, false,
	        "+s open 65536;*s open 921600;=s complete 921600;"},
	{"a download", {{1 * KB, 2 * KB}, {2 * KB, 70 * KB}, {5 * KB, 80 * KB}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP}, false,
	        "+d open 71680;=d complete 81920;"},
	{"both ways", {{1 * KB, 2 * KB}, {70 * KB, 70 * KB}, {100 * KB, 80 * KB}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP}, false,
	        "+s open 71680;+d open 71680;=s complete 102400;=d complete 81920;"},
	{"acknowledgements of a great download are no upload",
	        {{1 * KB, 200 * KB}, {40 * KB, 9000 * KB}, {80 * KB, 20000 * KB}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP}, false,
	        "+d open 204800;*d open 9216000;*d open 20480000;=d complete 20480000;"},
	{"only the last figures tell", {{0, 0}, {0, 0}, {90 * KB, 0}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP}, false,
	        "+s open 92160;=s complete 92160;"},
	{"reset", {{90 * KB, 0}, {90 * KB, 0}, {90 * KB, 0}},
	        {.end_reason = FLOW_END_RST, .transport = IPPROTO_TCP}, true,
	        "+s open 92160;=s aborted 92160;"},
	{"the capture ends", {{90 * KB, 0}, {90 * KB, 0}, {90 * KB, 0}},
	        {.end_reason = FLOW_END_CAPTURE, .transport = IPPROTO_TCP}, false,
	        "+s open 92160;=s truncated 92160;"},
	{"idle TCP", {{90 * KB, 0}, {90 * KB, 0}, {90 * KB, 0}},
	        {.end_reason = FLOW_END_TIMEOUT, .transport = IPPROTO_TCP}, false,
	        "+s open 92160;=s truncated 92160;"},
	{"idle UDP", {{90 * KB, 0}, {90 * KB, 0}, {90 * KB, 0}},
	        {.end_reason = FLOW_END_TIMEOUT, .transport = IPPROTO_UDP}, false,
	        "+s open 92160;=s complete 92160;"},
	{"begun before the capture", {{90 * KB, 0}, {90 * KB, 0}, {90 * KB, 0}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP, .midstream = true}, false,
	        "+s open 92160;=s truncated 92160;"},
	{"with holes", {{90 * KB, 0}, {90 * KB, 0}, {90 * KB, 0}},
	        {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP, .side = {[SIDE_SOURCE].missing = 1460}}, false,
	        "+s open 92160;=s truncated 92160;"},
};

static void
test_sessions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		struct stage s = {.flow = sessions[i].flow};
		s.flow.start = 100 * CLOCK_SECOND;
		s.flow.end = 200 * CLOCK_SECOND;
		struct transfer_tracker *t = transfer_tracker_create(&(struct transfer_limits){0}, &ops, &s);
		struct session *session = session_open(t, &s, false, s.flow.start);
		session_protocol(session, "tls", "content");
		session_unreadable(session, "encrypted");
		for (size_t v = 0; v < 3; v++)
			session_volume(session, sessions[i].volume[v]);
		session_close(session, sessions[i].reset, s.flow.end);
		if (strcmp(s.log, sessions[i].told) != 0)
			fail_msg("%s:\n got  %s\n want %s", sessions[i].what, s.log, sessions[i].told);
		transfer_tracker_flush(t, s.flow.end);
		transfer_tracker_destroy(t);
	}
}

/* What can be read is not inferred, however much it is. */
static void
test_readable(void **state)
{
	(void)state;
	struct stage s = {0};
	const uint64_t volume[2] = {1000 * KB, 1000 * KB};
	struct transfer_tracker *t = transfer_tracker_create(&(struct transfer_limits){0}, &ops, &s);
	struct session *session = session_open(t, &s, false, 0);
	session_volume(session, volume);
	session_close(session, false, 0);
	transfer_tracker_destroy(t);
	assert_string_equal(s.log, "");
}

static void
on_guessed(void *ctx, const struct transfer_record *r)
{
	struct stage *s = ctx;
	size_t len = strlen(s->log);
	for (size_t i = 0; i < sizeof r->reasons / sizeof r->reasons[0] && r->reasons[i] != NULL; i++)
		len += (size_t)snprintf(s->log + len, sizeof s->log - len, "%s%s", i == 0 ? r->method : "", i == 0 ? ":" : ",");
	snprintf(s->log + len, sizeof s->log - len, "%s;", r->reasons[1] != NULL ? r->reasons[1] : "");
}

/* The protocol says what a session seems to be for: the last word counts, and what is no file is not told. */
static void
test_guess(void **state)
{
	(void)state;
	static const struct transfer_ops guess_ops = {
	        .began = on_guessed, .grew = on_guessed, .ended = on_guessed, .flow = on_flow};
	const uint64_t some[2] = {100 * KB, 70 * KB}, more[2] = {400 * KB, 80 * KB};
	struct stage s = {.flow = {.end_reason = FLOW_END_FIN, .transport = IPPROTO_TCP}};
	struct transfer_tracker *t = transfer_tracker_create(&(struct transfer_limits){0}, &guess_ops, &s);
	struct session *session = session_open(t, &s, false, 0);
	session_protocol(session, "ssh", "content");
	session_unreadable(session, "encrypted");
	session_inferred_as(session, &(struct session_guess){.method = "upload", .why = "so it seems", .least = {0, 200 * KB}});
	session_volume(session, some);
	session_inferred_as(session, &(struct session_guess){.method = "shell", .why = "rather this", .least = {0, UINT64_MAX}});
	session_volume(session, more);
	session_close(session, false, 0);
	transfer_tracker_destroy(t);
	assert_string_equal(s.log, "upload:,so it seems;shell:,rather this;shell:,,rather this;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_readable),
		cmocka_unit_test(test_guess),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
