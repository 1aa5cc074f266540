#include "config.h"

/*
 * The life of a transfer: small scripts of what protocols say, and what must be told of it. One text a record: "+"
 * began or "=" ended, name, state, size, seen+missing, c and what the server copied of that, and h and the start of the SHA-256, or p with what it covers.
 *
 * Script: "session N" (opens or chooses one), "slot N" (chooses a handle), "begin PATH [size=N] [off=N]
 * [base=N] [anywhere] [rewrites] [part=N] [of=N] [called=X] [join=KEY]", "resume join=KEY", "parts N,N STATE",
 * "listed XY STATE" (parts whose names are one letter), "append TEXT", "data OFFSET TEXT", "skip N", "copied N", "size N", "cut N", "name PATH",
 * "accept", "end STATE", "finish STATE", "discard",
 * "carry N" (moves over session N), "close", "reset", "wait SECONDS", "flush".
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "transfer/transfer.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

enum { SESSIONS = 4, SLOTS = 4 };

struct stage {
	struct transfer_tracker *tracker;
	struct session *session[SESSIONS], *now_session;
	struct transfer *slot[SLOTS];
	size_t at_session, at_slot;
	int64_t now;
	char log[8192];
	char ids[16][RECORD_ID_MAX];
	size_t began, ended;
};

static const char *const states[] = {"open", "complete", "truncated", "aborted"};

static void
say(struct stage *s, const char *format, ...)
{
	va_list args;
	size_t len = strlen(s->log);
	va_start(args, format);
	vsnprintf(s->log + len, sizeof s->log - len, format, args);
	va_end(args);
}

static void
on_began(void *ctx, const struct transfer_record *r)
{
	struct stage *s = ctx;
	assert_true(s->began < COUNT(s->ids));
	for (size_t i = 0; i < s->began; i++)
		assert_string_not_equal(s->ids[i], r->id);
	memcpy(s->ids[s->began++], r->id, sizeof r->id);
	assert_int_equal(r->state, TRANSFER_OPEN);
	assert_non_null(r->flow->facts);
	say(s, "+%s;", r->name.utf8 != NULL ? r->name.utf8 : "-");
}

static void
on_ended(void *ctx, const struct transfer_record *r)
{
	struct stage *s = ctx;
	bool known = false;
	for (size_t i = 0; i < s->began; i++)
		known |= strcmp(s->ids[i], r->id) == 0;
	assert_true(known);
	assert_true(r->start <= r->end);
	assert_false(r->has_sha256 && (r->has_partial_sha256 || r->hash_covers != NULL));
	s->ended++;
	say(s, "=%s %s %llu %llu+%llu", r->name.utf8 != NULL ? r->name.utf8 : "-", states[r->state],
	        (unsigned long long)r->size, (unsigned long long)r->seen, (unsigned long long)r->missing);
	if (r->copied != 0)
		say(s, " c%llu", (unsigned long long)r->copied);
	if (r->offset != 0)
		say(s, " @%llu", (unsigned long long)r->offset);
	if (r->has_sha256)
		say(s, " h%02x%02x%02x%02x", r->sha256[0], r->sha256[1], r->sha256[2], r->sha256[3]);
	if (r->has_partial_sha256)
		say(s, " p%02x%02x%02x%02x %s", r->partial_sha256[0], r->partial_sha256[1],
		        r->partial_sha256[2], r->partial_sha256[3], r->hash_covers);
	if (r->data != NULL)
		say(s, " over %s", r->data->id);
	say(s, ";");
}

static void
on_flow(void *ctx, void *flow, struct flow_record *out)
{
	const struct stage *s = ctx;
	assert_non_null(flow);
	snprintf(out->id, sizeof out->id, "flow%d", (int)((struct session **)flow - s->session));
}

static void
on_ends(void *ctx, void *flow, struct session_ends *out)
{
	const struct stage *s = ctx;
	const size_t n = (size_t)((struct session **)flow - s->session);
	*out = (struct session_ends){.port = {(uint16_t)(50000 + n), 80}, .transport = IPPROTO_TCP};
	assert_int_equal(addr_parse("192.0.2.1", &out->addr[0]), 0);
	assert_int_equal(addr_parse("198.51.100.2", &out->addr[1]), 0);
}

static const struct transfer_ops ops = {.began = on_began, .ended = on_ended, .flow = on_flow, .ends = on_ends};

static void
session_choose(struct stage *s, size_t n)
{
	assert_true(n < SESSIONS);
	s->at_session = n;
	if (s->session[n] != NULL)
		return;
	s->session[n] = session_open(s->tracker, &s->session[n], false, s->now);
	assert_non_null(s->session[n]);
}

static uint64_t
option(const char *line, const char *name, bool *found)
{
	const char *at = strstr(line, name);
	*found = at != NULL;
	return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void
step_begin(struct stage *s, const char *args, bool resume)
{
	struct transfer_start start = {.method = "PUT", .sender = SIDE_SOURCE};
	bool offset;
	start.path = args;
	start.path_len = strcspn(args, " ");
	start.size = option(args, "size=", &start.size_known);
	start.offset = option(args, "off=", &offset);
	start.join_offset = option(args, "base=", &offset);
	start.join_anywhere = strstr(args, "anywhere") != NULL;
	start.rewrites = strstr(args, "rewrites") != NULL;
	start.part = (uint32_t)option(args, "part=", &offset);
	start.parts = (uint32_t)option(args, "of=", &offset);
	const char *join = strstr(args, "join="), *called = strstr(args, "called=");
	if (called != NULL) {
		start.part_name = called + 7;
		start.part_name_len = 1;
	}
	if (join != NULL) {
		start.join_key = join;
		start.join_len = strlen(join);
	}
	if (resume) {
		s->slot[s->at_slot] = transfer_resume(s->session[s->at_session], &start);
		return;
	}
	s->slot[s->at_slot] = transfer_begin(s->session[s->at_session], &start);
}

static enum transfer_state
state_named(const char *name)
{
	for (int i = 0; i < (int)COUNT(states); i++)
		if (strcmp(states[i], name) == 0)
			return (enum transfer_state)i;
	fail_msg("no state %s", name);
	return TRANSFER_OPEN;
}

static void
step_parts(struct transfer *t, const char *args)
{
	uint32_t numbers[16];
	size_t count = 0;
	while (*args != ' ') {
		assert_true(count < COUNT(numbers));
		char *end;
		numbers[count++] = (uint32_t)strtoul(args, &end, 10);
		args = *end == ',' ? end + 1 : end;
	}
	transfer_parts_end(t, numbers, count, state_named(args + 1));
}

static void
step_listed(struct transfer *t, const char *args)
{
	struct part_name names[16];
	const size_t count = strcspn(args, " ");
	assert_true(count <= COUNT(names));
	for (size_t i = 0; i < count; i++)
		names[i] = (struct part_name){(const uint8_t *)args + i, 1};
	transfer_parts_listed(t, names, count, state_named(args + count + 1));
}

static void
step(struct stage *s, char *line)
{
	size_t verb = strcspn(line, " ");
	char *args = line[verb] != '\0' ? line + verb + 1 : line + verb;
	line[verb] = '\0';
	struct transfer *t = s->slot[s->at_slot];
	struct session *current = s->session[s->at_session];
	uint64_t number = strtoull(args, NULL, 10);

	s->now += CLOCK_SECOND;
	if (current != NULL)
		session_time(current, s->now);
	if (strcmp(line, "session") == 0)
		session_choose(s, (size_t)number);
	else if (strcmp(line, "slot") == 0)
		s->at_slot = (size_t)number;
	else if (strcmp(line, "begin") == 0)
		step_begin(s, args, false);
	else if (strcmp(line, "resume") == 0)
		step_begin(s, args, true);
	else if (strcmp(line, "parts") == 0)
		step_parts(t, args);
	else if (strcmp(line, "listed") == 0)
		step_listed(t, args);
	else if (strcmp(line, "append") == 0)
		transfer_append(t, (const uint8_t *)args, strlen(args));
	else if (strcmp(line, "data") == 0)
		transfer_data(t, number, (const uint8_t *)strchr(args, ' ') + 1, strlen(strchr(args, ' ')) - 1);
	else if (strcmp(line, "skip") == 0)
		transfer_skip(t, number);
	else if (strcmp(line, "copied") == 0)
		transfer_copied(t, number);
	else if (strcmp(line, "size") == 0)
		transfer_size(t, number);
	else if (strcmp(line, "name") == 0)
		transfer_name(t, args, strlen(args), NULL);
	else if (strcmp(line, "accept") == 0)
		transfer_accepted(t);
	else if (strcmp(line, "discard") == 0)
		transfer_discard(t);
	else if (strcmp(line, "carry") == 0)
		transfer_carrier(t, s->session[number]);
	else if (strcmp(line, "end") == 0)
		transfer_end(t, state_named(args));
	else if (strcmp(line, "finish") == 0)
		transfer_finish(t, state_named(args));
	else if (strcmp(line, "cut") == 0)
		transfer_cut(t, number);
	else if (strcmp(line, "wait") == 0)
		transfer_tracker_time(s->tracker, s->now += (int64_t)number * CLOCK_SECOND);
	else if (strcmp(line, "flush") == 0)
		transfer_tracker_flush(s->tracker, s->now);
	else if (strcmp(line, "close") == 0 || strcmp(line, "reset") == 0) {
		session_close(current, strcmp(line, "reset") == 0, s->now);
		s->session[s->at_session] = NULL;
	} else
		fail_msg("no such step: %s", line);
	if (strcmp(line, "discard") == 0 || strcmp(line, "end") == 0 || strcmp(line, "finish") == 0 ||
	        strcmp(line, "parts") == 0 || strcmp(line, "listed") == 0)
		s->slot[s->at_slot] = NULL;
}

static void
play(struct stage *s, const struct transfer_limits *limits, const char *script)
{
	*s = (struct stage){.now = 1000 * CLOCK_SECOND};
	s->tracker = transfer_tracker_create(limits, &ops, s);
	assert_non_null(s->tracker);
	session_choose(s, 0);
	char *copy = strdup(script), *rest = copy, *line;
	while ((line = strsep(&rest, ";")) != NULL)
		if (line[strspn(line, " ")] != '\0')
			step(s, line + strspn(line, " "));
	free(copy);
	for (size_t i = 0; i < SESSIONS; i++)
		if (s->session[i] != NULL)
			session_close(s->session[i], false, s->now);
	transfer_tracker_flush(s->tracker, s->now);
	transfer_tracker_destroy(s->tracker);
	assert_int_equal(s->began, s->ended);
}

#define HELLO "h2cf24dba"
#define EMPTY "he3b0c442"

static const struct {
	const char *what, *script, *told;
} lives[] = {
	{"whole, size not told", "begin a/b.txt; append hel; append lo; end complete",
	        "+b.txt;=b.txt complete 5 5+0 " HELLO ";"},
	{"whole, size told", "begin a\\b.txt size=5; append hello; end complete",
	        "+b.txt;=b.txt complete 5 5+0 " HELLO ";"},
	{"out of order", "begin x; data 3 lo; data 0 hel; end complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"first copy wins", "begin x; data 3 lo; data 0 helXX; end complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"empty, accepted", "begin x; accept; end complete", "+x;=x complete 0 0+0 " EMPTY ";"},
	{"empty, not accepted", "begin x; end complete", ""},
	{"accepted, nothing seen", "begin x; accept; end truncated",
	        "+x;=x truncated 0 0+0;"},
	{"accepted, size told, nothing seen", "begin x size=9; accept; end complete",
	        "+x;=x truncated 9 0+9;"},
	{"too little for its size", "begin x size=9; append hello; end complete",
	        "+x;=x truncated 9 5+4 p2cf24dba bytes 0-4;"},
	{"cut off", "begin x; append hello; end truncated", "+x;=x truncated 5 5+0 p2cf24dba bytes 0-4;"},
	{"cut off, size told: what did not move is not missing", "begin x size=9; append hello; end truncated",
	        "+x;=x truncated 9 5+0 p2cf24dba bytes 0-4;"},
	{"cut off behind its last byte", "begin x size=5; append hello; end truncated",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"more than its size", "begin x size=3; append hello; end complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"aborted", "begin x; append hello; end aborted", "+x;=x aborted 5 5+0 p2cf24dba bytes 0-4;"},
	{"a hole", "begin x; append hello; skip 3; append more; end complete",
	        "+x;=x truncated 12 9+3 p2cf24dba bytes 0-4;"},
	{"copied by the server, and one stretch twice", "begin x size=5; copied 5; data 0 he; copied 2; end complete", "+x;=x truncated 7 2+5 c5 p372f7e2f bytes 0-1;"},
	{"a hole first", "begin x; skip 3; append hello; end complete", "+x;=x truncated 8 5+3 @3;"},
	{"from an offset", "begin x off=100; append hello; end complete",
	        "+x;=x complete 105 5+0 @100 p2cf24dba bytes 100-104;"},
	{"from an offset, size told", "begin x off=100 size=105; append hello; end complete",
	        "+x;=x complete 105 5+0 @100 p2cf24dba bytes 100-104;"},
	{"discarded before a byte", "begin x; discard", ""},
	{"discarded too late", "begin x; append hello; discard",
	        "+x;=x aborted 5 5+0 p2cf24dba bytes 0-4;"},
	{"never ended", "begin x; append hello; close", "+x;=x truncated 5 5+0 p2cf24dba bytes 0-4;"},
	{"reset", "begin x; append hello; reset", "+x;=x aborted 5 5+0 p2cf24dba bytes 0-4;"},
	{"flushed", "begin x; append hello; flush; append more; end complete",
	        "+x;=x truncated 5 5+0 p2cf24dba bytes 0-4;"},
	{"used after its session", "begin x; append hello; session 1; begin y; carry 0; session 0; close",
	        "+x;=x truncated 5 5+0 p2cf24dba bytes 0-4;"},
	{"a folder has no name", "begin a/b/; append hello; end complete", "+-;=- complete 5 5+0 " HELLO ";"},
	{"named later", "begin /; append hello; name q/r; end complete", "+-;=r complete 5 5+0 " HELLO ";"},

	{"over another flow", "session 1; session 0; begin x; carry 1; append hello; end complete",
	        "+x;=x complete 5 5+0 " HELLO " over flow1;"},
	{"data goes on behind the control channel", "session 1; session 0; begin x; carry 1; append hel; close;"
	        "append lo; end complete", "+x;=x complete 5 5+0 " HELLO " over flow1;"},
	{"data ends behind the control channel", "session 1; session 0; begin x; carry 1; append hel; close;"
	        "session 1; close", "+x;=x truncated 3 3+0 pd6a81f22 bytes 0-2 over flow1;"},
	{"data ends before the control channel", "session 1; session 0; begin x; carry 1; append hello; session 1;"
	        "close; session 0; end complete", "+x;=x complete 5 5+0 " HELLO " over flow1;"},

	{"joined, in order", "begin x size=5 join=k; append hel; end complete; session 1;"
	        "begin x size=5 off=3 join=k; append lo; end complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"joined, last part first", "begin x size=5 off=3 join=k; append lo; end complete; close; session 1;"
	        "begin x size=5 join=k; append hel; end complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"joined, at the same time", "begin x size=5 join=k; append h; slot 1; session 1;"
	        "begin x size=5 off=3 join=k; append l; slot 0; append el; slot 1; append o; end complete; slot 0;"
	        "end complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"joined, waits in vain", "begin x size=9 off=2 join=k; append hello; end complete; wait 59; wait 2",
	        "+x;=x truncated 9 5+0 @2 p2cf24dba bytes 2-6;"},
	{"joined, another file", "begin x size=5 join=k; append hel; end complete; begin y size=5 off=3 join=l;"
	        "append lo; end complete; flush",
	        "+x;+y;=x truncated 5 3+0 pd6a81f22 bytes 0-2;=y truncated 5 2+0 @3 p9294ab38 bytes 3-4;"},
	{"joined, a hole is filled by another part", "begin x size=5 join=k; append h; skip 2; append lo; end complete;"
	        "begin x size=5 off=1 join=k; append el; end complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"joined, whole twice", "begin x size=5 join=k; append hello; end complete; begin x size=5 join=k;"
	        "append hello; end complete", "+x;=x complete 5 5+0 " HELLO ";+x;=x complete 5 5+0 " HELLO ";"},
	{"joined, finished by one part", "begin x join=k; append hel; slot 1; session 1; begin x off=3 join=k; append lo;"
	        "slot 0; finish complete; slot 1; append xx; end complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"joined, finished with a hole", "begin x join=k; data 2 lo; finish complete", "+x;=x truncated 4 2+2 @2 p9294ab38 bytes 2-3;"},
	{"joined, aborted at once", "begin x size=9 join=k; append hello; finish aborted; wait 1",
	        "+x;=x aborted 9 5+0 p2cf24dba bytes 0-4;"},
	{"joined, added to a file", "begin x off=7 base=7 join=k; append hello; finish complete",
	        "+x;=x complete 12 5+0 @7 p2cf24dba bytes 7-11;"},
	{"numbered parts, in order", "begin x part=1 size=3 join=k; append hel; end complete; begin x part=2 size=2 join=k;"
	        "append lo; end complete; resume join=k; parts 1,2 complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"numbered parts, the last one first", "begin x part=2 size=2 join=k; append lo; end complete; session 1;"
	        "begin x part=1 size=3 join=k; append hel; end complete; resume join=k; parts 1,2 complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"numbered parts, side by side", "begin x part=2 join=k; append l; slot 1; session 1; begin x part=1 size=3 join=k;"
	        "append h; slot 0; append o; slot 1; append el; end complete; slot 0; end complete; resume join=k; parts  complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"numbered parts with holes in the numbers", "begin x part=30 size=2 join=k; append lo; end complete;"
	        "begin x part=7 size=3 join=k; append hel; end complete; resume join=k; parts 7,30 complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"a part sent again", "begin x part=1 size=3 join=k; append h; end aborted; begin x part=2 size=2 join=k; append lo;"
	        "end complete; begin x part=1 size=3 join=k; append hel; end complete; resume join=k; parts 1,2 complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"a part sent again, of another size", "begin x part=1 size=3 join=k; append hel; end complete; begin x part=1 size=2 join=k;"
	        "append je; end complete; resume join=k; parts 1 complete", "+x;=x complete 3 3+0;"},
	{"a part that is not in the file", "begin x part=1 size=3 join=k; append hel; end complete; begin x part=3 size=1 join=k;"
	        "append X; end complete; begin x part=4 size=2 join=k; append lo; end complete; resume join=k; parts 1,4 complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"a part left out that had its place", "begin x part=1 size=3 join=k; append hel; end complete; begin x part=2 size=2 join=k;"
	        "append lo; end complete; resume join=k; parts 1 complete", "+x;=x complete 3 3+0;"},
	{"a part that nobody saw", "begin x part=1 size=3 join=k; append hel; end complete; begin x part=3 size=2 join=k;"
	        "append lo; end complete; resume join=k; parts 1,2,3 complete",
	        "+x;=x truncated 5 5+0 pd6a81f22 bytes 0-2;"},
	{"a part with a gap", "begin x part=1 size=3 join=k; append h; skip 2; end complete; begin x part=2 size=2 join=k;"
	        "append lo; end complete; resume join=k; parts 1,2 complete", "+x;=x truncated 5 3+2 paaa94026 bytes 0-0;"},
	{"numbered parts given up", "begin x part=1 size=3 join=k; append hel; end complete; resume join=k; parts  aborted; wait 1",
	        "+x;=x aborted 3 3+0 pd6a81f22 bytes 0-2;"},
	{"numbered parts, end not seen", "begin x part=1 size=3 join=k; append hel; end complete; begin x part=3 size=2 join=k;"
	        "append lo; end complete; wait 61", "+x;=x truncated 5 5+0 pd6a81f22 bytes 0-2;"},
	{"numbered parts, all of them", "begin x part=2 of=2 size=2 join=k; append lo; end complete; begin x part=1 of=2 size=3 join=k;"
	        "append hel; end complete; wait 1", "+x;=x complete 5 5+0 " HELLO ";"},
	{"numbered parts, one of them missing", "begin x part=1 of=3 size=3 join=k; append hel; end complete;"
	        "begin x part=3 of=3 size=2 join=k; append lo; end complete; wait 61", "+x;=x truncated 5 5+0 pd6a81f22 bytes 0-2;"},
	{"the last part, that nobody saw", "begin x part=1 size=3 join=k; append hel; end complete; begin x part=2 size=2 join=k;"
	        "append lo; end complete; resume join=k; parts 1,2,3 complete", "+x;=x truncated 5 5+0 p2cf24dba bytes 0-4;"},
	{"the last named part, that nobody saw", "begin x called=a size=5 join=k; append hello; end complete; resume join=k;"
	        "listed az complete", "+x;=x truncated 5 5+0 p2cf24dba bytes 0-4;"},
	{"named parts, as they came", "begin x called=a size=3 join=k; append hel; end complete; begin x called=b size=2 join=k;"
	        "append lo; end complete; resume join=k; listed ab complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"named parts, the other way round", "begin x called=a size=2 join=k; append lo; end complete; session 1;"
	        "begin x called=b size=3 join=k; append hel; end complete; resume join=k; listed ba complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"named parts, side by side", "begin x called=b join=k; append l; slot 1; session 1; begin x called=a size=3 join=k;"
	        "append h; slot 0; append o; slot 1; append el; end complete; slot 0; end complete; resume join=k; listed ab complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"a named part sent again", "begin x called=a size=3 join=k; append h; end aborted; begin x called=b size=2 join=k; append lo;"
	        "end complete; begin x called=a size=3 join=k; append hel; end complete; resume join=k; listed ab complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"a named part that is not listed", "begin x called=x size=1 join=k; append X; end complete; begin x called=b size=2 join=k;"
	        "append lo; end complete; begin x called=a size=3 join=k; append hel; end complete; resume join=k; listed ab complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"a named part that nobody saw", "begin x called=a size=3 join=k; append hel; end complete; begin x called=c size=2 join=k;"
	        "append lo; end complete; resume join=k; listed abc complete", "+x;=x truncated 5 5+0 pd6a81f22 bytes 0-2;"},
	{"a part listed twice", "begin x called=a size=3 join=k; append hel; end complete; begin x called=b size=2 join=k;"
	        "append lo; end complete; resume join=k; listed aab complete", "+x;=x truncated 5 5+0 pd6a81f22 bytes 0-2;"},
	{"named parts never listed", "begin x called=a size=3 join=k; append hel; end complete; begin x called=b size=2 join=k;"
	        "append lo; end complete; wait 61", "+x;=x truncated 5 5+0;"},
	{"a list of nothing that is known", "begin x called=a size=3 join=k; append hel; end complete; resume join=k; listed z complete",
	        "+x;=x truncated 0 0+0;"},
	{"named parts given up", "begin x called=a size=3 join=k; append hel; end complete; resume join=k; parts  aborted; wait 1",
	        "+x;=x aborted 3 3+0;"},
	{"listed, and not in parts", "begin x join=k; append hello; end complete; resume join=k; listed a complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"nothing to resume", "resume join=k; parts  complete; begin x; append hello; end complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"finished without parts", "begin x; append hello; finish complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"written again, other bytes", "begin x rewrites; append hello; data 0 jello; end complete", "+x;=x complete 5 5+0;"},
	{"written again, out of order", "begin x rewrites; data 2 llo; data 2 lly; data 0 he; end complete",
	        "+x;=x complete 5 5+0;"},
	{"written again, the same while it waits", "begin x rewrites; data 2 llo; data 2 llo; data 0 he; end complete",
	        "+x;=x complete 5 5+0 " HELLO ";"},
	{"read again", "begin x; append hello; data 0 hello; end complete", "+x;=x complete 5 5+0 " HELLO ";"},
	{"cut", "begin x; append hello; cut 3; end complete", "+x;=x complete 3 3+0;"},
	{"cut, and not all was seen", "begin x; data 4 hello; cut 6; end complete", "+x;=x truncated 6 5+1 @4;"},
	{"cut to more than there is", "begin x; append hello; cut 9; end complete", "+x;=x truncated 9 5+4 p2cf24dba bytes 0-4;"},
	{"joined, nothing came", "begin x size=5 join=k; end truncated", ""},
};

static void
test_lives(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lives); i++) {
		struct stage s;
		play(&s, &(struct transfer_limits){0}, lives[i].script);
		if (strcmp(s.log, lives[i].told) != 0)
			fail_msg("%s:\n got  %s\n want %s", lives[i].what, s.log, lives[i].told);
	}
}

/* Where not all can wait for the list: parts are hashed as they come, and that stands only if the list says the same. */
static void
test_named_parts_limit(void **state)
{
	static const struct {
		const char *list, *told;
	} rows[] = {
	        {"ab complete", "+x;=x complete 131072 131072+0 hfa43239b;"},
	        {"ba complete", "+x;=x complete 131072 131072+0;"},
	        {"b complete", "+x;=x complete 65536 65536+0;"},
	        {"abz complete", "+x;=x truncated 131072 131072+0 pfa43239b bytes 0-131071;"},
	};
	enum { PARTS_BYTES = 65536 };
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s = {.now = 1000 * CLOCK_SECOND};
		const struct transfer_limits limits = {.per_transfer = 32 * 1024};
		struct transfer_start start = {.path = "x", .path_len = 1, .join_key = "k", .join_len = 1, .part_name_len = 1,
		        .size_known = true, .size = PARTS_BYTES};
		const uint8_t bytes[PARTS_BYTES / 16] = {0};
		s.tracker = transfer_tracker_create(&limits, &ops, &s);
		session_choose(&s, 0);
		for (start.part_name = "ab"; *(const char *)start.part_name != '\0'; start.part_name = (const char *)start.part_name + 1) {
			struct transfer *t = transfer_begin(s.session[0], &start);
			for (int n = 0; n < 16; n++)
				transfer_append(t, bytes, sizeof bytes);
			transfer_end(t, TRANSFER_COMPLETE);
		}
		step_listed(transfer_resume(s.session[0], &start), rows[i].list);
		session_close(s.session[0], false, s.now);
		transfer_tracker_flush(s.tracker, s.now);
		transfer_tracker_destroy(s.tracker);
		assert_string_equal(s.log, rows[i].told);
	}
}

static void
test_no_hash(void **state)
{
	(void)state;
	struct stage s;
	play(&s, &(struct transfer_limits){.no_hash = true}, "begin x; append hello; end complete");
	assert_string_equal(s.log, "+x;=x complete 5 5+0;");
}

static void
test_open_limit(void **state)
{
	(void)state;
	struct stage s;
	const struct transfer_limits limits = {.open = 1};
	play(&s, &limits, "begin x; append hello; slot 1; begin y; append no; end complete; slot 0; end complete;"
	                  "begin z; append hello; end complete");
	assert_string_equal(s.log, "+x;=x complete 5 5+0 " HELLO ";+z;=z complete 5 5+0 " HELLO ";");
	play(&s, &limits, "begin x size=9 join=k; append hello; end complete; begin y; append hello; end complete");
	assert_string_equal(s.log, "+x;=x truncated 9 5+0 p2cf24dba bytes 0-4;+y;=y complete 5 5+0 " HELLO ";");
}

static void
test_memory_limit(void **state)
{
	(void)state;
	struct stage s;
	play(&s, &(struct transfer_limits){.per_transfer = 56}, "begin x; data 3 lo; data 0 hel; end complete");
	assert_string_equal(s.log, "+x;=x complete 5 5+0 pd6a81f22 bytes 0-2;");
}

static void
ignore(void *ctx, const struct transfer_record *r)
{
	(void)ctx;
	(void)r;
}

struct turned {
	char port[2][8]; /* of the source, of the sender, as told */
};

static void
turned_ended(void *ctx, const struct transfer_record *r)
{
	struct turned *told = ctx;
	snprintf(told->port[0], sizeof told->port[0], "%u", r->flow->side[SIDE_SOURCE].port);
	snprintf(told->port[1], sizeof told->port[1], "%u", r->flow->side[r->sender].port);
	assert_string_equal(r->flow->history, "dAaF");
}

static void
turned_flow(void *ctx, void *flow, struct flow_record *out)
{
	(void)ctx;
	(void)flow;
	*out = (struct flow_record){.side = {{.port = 80}, {.port = 50000}}, .history = "DaAf"};
}

/* Seen from the middle, with a packet of the server first: the client is told as the source all the same. */
static void
test_turned(void **state)
{
	static const struct transfer_ops turned_ops = {.began = ignore, .ended = turned_ended, .flow = turned_flow};
	const struct transfer_start start = {.sender = SIDE_SOURCE, .path = "a", .path_len = 1};
	struct turned told;
	(void)state;

	struct transfer_tracker *tracker = transfer_tracker_create(&(struct transfer_limits){0}, &turned_ops, &told);
	struct session *s = session_open(tracker, &told, true, CLOCK_SECOND);
	session_client_end(s, SIDE_DESTINATION);
	session_client_end(s, SIDE_SOURCE); /* the first answer stays */
	assert_true(session_turned(s));
	struct transfer *t = transfer_begin(s, &start);
	transfer_append(t, (const uint8_t *)"x", 1);
	transfer_end(t, TRANSFER_COMPLETE);
	assert_string_equal(told.port[0], "50000");
	assert_string_equal(told.port[1], "80");
	session_close(s, false, CLOCK_SECOND);

	/* Who opened a flow that was seen from the start is no guess. */
	s = session_open(tracker, &told, false, CLOCK_SECOND);
	session_client_end(s, SIDE_DESTINATION);
	assert_false(session_turned(s));
	session_close(s, false, CLOCK_SECOND);
	transfer_tracker_destroy(tracker);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_named_parts_limit),
	cmocka_unit_test(test_no_hash),
		cmocka_unit_test(test_open_limit),
		cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_turned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
