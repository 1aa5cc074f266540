#include "config.h"

/*
 * The classifier with protocols of its own: "A" takes what begins with A, "B" the same with B after at
 * least three bytes each way; both write down what they are given. The real protos[] is not linked.
 */
#include "proto_stage.h"

enum { HEARD_MAX = 16384 };

static struct {
	char text[HEARD_MAX];
	int64_t first; /* packet time of the first byte given */
	unsigned open;
	bool waits; /* something is left to be told at the end */
} heard;

static void hear(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
hear(const char *format, ...)
{
	va_list args;
	size_t len = strlen(heard.text);
	va_start(args, format);
	(void)vsnprintf(heard.text + len, sizeof heard.text - len, format, args);
	va_end(args);
}

struct toy {
	struct session *session;
	char name;
};

static void *
toy_open(struct session *s, char name)
{
	struct toy *t = calloc(1, sizeof *t);
	*t = (struct toy){s, name};
	heard.open++;
	hear("%c(", name);
	return t;
}

static void *
a_open(struct session *s)
{
	return toy_open(s, 'A');
}

static void *
b_open(struct session *s)
{
	return toy_open(s, 'B');
}

/* What follows the sign is the next protocol's ('!'), not its own ('?'), broken ('#') or nothing ('.'). */
static enum verdict
toy_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct toy *t = state;
	if (heard.first == 0)
		heard.first = session_now(t->session);
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '!') {
			session_switch(t->session, len - i - 1);
			return VERDICT_SWITCH;
		}
		if (bytes[i] == '?')
			return VERDICT_NOT_MINE;
		if (bytes[i] == '#')
			return VERDICT_MALFORMED;
		if (bytes[i] == '.')
			return VERDICT_DONE;
	}
	if (len > 64)
		hear("%c%zu", from == SIDE_SOURCE ? '>' : '<', len);
	else
		hear("%c%.*s", from == SIDE_SOURCE ? '>' : '<', (int)len, (const char *)bytes);
	return VERDICT_MORE;
}

static enum verdict
toy_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	hear("%cgap%d", from == SIDE_SOURCE ? '>' : '<', (int)len);
	return VERDICT_MORE;
}

static void
toy_end(void *state, enum side from)
{
	(void)state;
	hear("%cfin", from == SIDE_SOURCE ? '>' : '<');
}

static void
toy_close(void *state, bool reset)
{
	hear("%s", reset ? "R)" : ")");
	heard.open--;
	free(state);
}

static enum verdict
a_probe(const struct probe *p)
{
	return p->len[SIDE_SOURCE] == 0 ? VERDICT_MORE : p->bytes[SIDE_SOURCE][0] == 'A' ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static enum verdict
b_probe(const struct probe *p)
{
	for (size_t i = 0; i < 2; i++)
		if (p->len[i] > 0 && p->bytes[i][0] != 'B' && p->bytes[i][0] != '\0')
			return VERDICT_NOT_MINE;
	return p->len[0] >= 3 && p->len[1] >= 3 ? VERDICT_DONE : VERDICT_MORE;
}

static bool
toy_finished(const void *state)
{
	(void)state;
	return !heard.waits;
}

static const struct proto toy_a = {.name = "a", .transport = IPPROTO_TCP, .probe = a_probe, .open = a_open,
        .data = toy_data, .gap = toy_gap, .close = toy_close};
static const struct proto toy_b = {.name = "b", .transport = IPPROTO_TCP, .ports = {21}, .probe = b_probe, .open = b_open,
        .data = toy_data, .gap = toy_gap, .end = toy_end, .close = toy_close,
        .finished = toy_finished};
const struct proto *const protos[] = {&toy_a, &toy_b, NULL};

/* ">TEXT" and "<TEXT" are segments, ">gap N", ">fin" what they say; "*N" repeats the one before. */
static const struct {
	const char *name;
	const char *steps[8];
	uint16_t port;
	const char *want, *protocol;
} rows[] = {
        {"the first segment decides", {">A1", ">2", "<3"}, 80, "A(>A1>2<3)", "a"},
        {"bytes are held and told in order", {">B1", "<B2", ">x", "<y"}, 80, "B(>B1<B2>x<y)", "b"},
        {"gaps and ends are held too", {">B12", "<B", ">gap 5", ">fin", "<34"}, 80, "B(>B12<B>gap5>fin<34)", "b"},
        {"what is behind a gap is not shown", {">B", ">gap 5", "<B34", ">xyz"}, 80, "", NULL},
        {"a gap before everything", {">gap 9", ">A1"}, 80, "A(>A1)", "a"},
        {"nobody's", {">x", "<y"}, 80, "", NULL},
        {"nobody's at first", {">x", "<y", ">A1"}, 80, "A(<y>A1)", "a"},
        {"the port decides at the end", {">B1"}, 21, "B(>B1)", "b"},
        {"the port alone decides nothing", {">x"}, 21, "", NULL},
        {"another takes over", {">A1", "<x!y", ">B2", "<B34", ">5"}, 80, "A(>A1)B(>B2<B34>5)", "a"},
        {"another takes over in the same segment", {">A1", ">x!A2"}, 80, "A(>A1)A(>A2)", "a"},
        {"given back", {">A1", ">?B2", "<B34"}, 80, "A(>A1)", NULL},
        {"broken", {">A1", ">#", ">x"}, 80, "A(>A1)", "a"},
        {"satisfied", {">A1", ">.", ">x"}, 80, "A(>A1)", "a"},
        {"for ever handing over", {">A!A!A!A!A!A!A!A!A!A!A!A!"}, 80, "A()A()A()A()A()A()A()A()A()", "a"},
};

static void
play(struct stage *s, const char *step)
{
	enum side from = step[0] == '>' ? SIDE_SOURCE : SIDE_DESTINATION;
	unsigned long len;

	if (sscanf(step + 1, "gap %lu", &len) == 1)
		(void)conversation_gap(stage_conversation(s, 0), from, len);
	else if (strcmp(step + 1, "fin") == 0)
		conversation_end(stage_conversation(s, 0), from, false);
	else
		(void)stage_data(s, 0, from, step + 1, strlen(step + 1));
}

static void
begin(struct stage *s, uint16_t port)
{
	heard.text[0] = '\0';
	heard.first = 0;
	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", port);
}

static void
test_rows(void **state)
{
	struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(&s, rows[i].port);
		for (size_t k = 0; k < COUNT(rows[i].steps) && rows[i].steps[k] != NULL; k++)
			play(&s, rows[i].steps[k]);
		conversation_close(s.flow[0].conversation, false);
		s.flow[0].conversation = NULL;
		const char *protocol = session_facts(s.flow[0].session)->protocol;
		if (strcmp(heard.text, rows[i].want) != 0 || strcmp(stage_text(protocol), stage_text(rows[i].protocol)) != 0)
			fail_msg("%s: %s, %s", rows[i].name, heard.text, stage_text(protocol));
		assert_int_equal(heard.open, 0);
		stage_clear(&s);
	}
}

/* Over with the second end, unless the protocol has something to tell then, or never says that it has not. */
static void
test_over(void **state)
{
	static const struct {
		const char *steps[3];
		uint16_t port;
		bool waits;
		enum verdict last;
	} ends[] = {
		{{">B12", "<B34"}, 80, false, VERDICT_DONE},
		{{">B12", "<B34"}, 80, true, VERDICT_MORE},
		{{">A1", "<2"}, 80, false, VERDICT_MORE},
		{{">x", "<y"}, 80, false, VERDICT_DONE},
		{{">B1"}, 80, false, VERDICT_DONE},
		{{">B1"}, 21, false, VERDICT_MORE},
	};
	struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		begin(&s, ends[i].port);
		heard.waits = ends[i].waits;
		for (size_t k = 0; ends[i].steps[k] != NULL; k++)
			play(&s, ends[i].steps[k]);
		assert_int_equal(conversation_end(stage_conversation(&s, 0), SIDE_DESTINATION, false), VERDICT_MORE);
		assert_int_equal(conversation_end(stage_conversation(&s, 0), SIDE_SOURCE, false), ends[i].last);
		stage_clear(&s);
	}
	heard.waits = false;
}

/* Bytes beyond the limit of what is held: the port decides, and not one byte is lost. */
static void
test_limit(void **state)
{
	static char much[3000];
	struct stage s;
	(void)state;
	memset(much, 'B', sizeof much);
	begin(&s, 21);
	(void)stage_data(&s, 0, SIDE_SOURCE, much, sizeof much);
	assert_string_equal(heard.text, "B(>2048>952");
	assert_string_equal(session_facts(s.flow[0].session)->method, "port");
	stage_clear(&s);

	begin(&s, 80);
	assert_int_equal(stage_data(&s, 0, SIDE_SOURCE, much, sizeof much), VERDICT_DONE);
	assert_string_equal(heard.text, "");
	stage_clear(&s);

	begin(&s, 21);
	for (size_t i = 0; i < 200; i++)
		(void)stage_data(&s, 0, SIDE_SOURCE, "B", 1);
	size_t bytes = 0;
	for (const char *p = heard.text; *p != '\0'; p++)
		bytes += p[0] == '>' && p[1] == 'B';
	assert_int_equal(bytes, 200);
	stage_clear(&s);
}

/* A zero that keeps a connection alive is nobody's, whatever the port and what its protocol would make of it. */
static void
test_keep_alive(void **state)
{
	struct stage s;
	(void)state;
	begin(&s, 21);
	(void)stage_data(&s, 0, SIDE_SOURCE, "\0", 1);
	stage_clear(&s);
	assert_string_equal(heard.text, "");
}

/* A conversation that is nobody's is given up some time, and not before its chances are used up. */
static void
test_chances(void **state)
{
	struct stage s;
	unsigned n = 0;
	(void)state;
	begin(&s, 80);
	while (stage_data(&s, 0, SIDE_SOURCE, "xyz", 3) != VERDICT_DONE && n < 1000)
		n++;
	assert_in_range(n, 8, 100);
	assert_int_equal(stage_data(&s, 0, SIDE_SOURCE, "A", 1), VERDICT_DONE);
	assert_string_equal(heard.text, "");
	stage_clear(&s);
}

static void
test_times(void **state)
{
	struct stage s;
	(void)state;
	begin(&s, 80);
	(void)stage_data(&s, 0, SIDE_SOURCE, "B12", 3);
	int64_t first = s.now;
	s.now += 10 * CLOCK_SECOND;
	(void)stage_data(&s, 0, SIDE_DESTINATION, "B34", 3);
	assert_int_equal(heard.first, first);
	assert_int_equal(session_now(s.flow[0].session), s.now);
	stage_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_rows),
	        cmocka_unit_test(test_over),
	        cmocka_unit_test(test_limit),
	        cmocka_unit_test(test_keep_alive),
	        cmocka_unit_test(test_chances),
	        cmocka_unit_test(test_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
