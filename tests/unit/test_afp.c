#include "config.h"

/*
 * AFP as scripts, a message a line: "c DSI ID WORDS" by the client, "s DSI ID ERROR WORDS" by the server; "w ID HEAD
 * WORDS" is a DSIWrite whose first HEAD bytes stand before its bulk; "gap N": bytes of the server that nobody saw. Words are 12,
 * a number of 4 bytes; h12, of 2; b12, of one; q12, of 8; "text, with its length of 1; =text, bytes as they stand; zN, so many zeros.
 */
#include "proto_stage.h"

enum { MESSAGE_MAX = 512 };

struct bytes {
	uint8_t at[MESSAGE_MAX];
	size_t len;
};

#define SESSION "c 4 1 b1 b4 1024\ns 4 1 0\n"
#define LOGIN SESSION "c 2 2 b18 \"AFP3.4 \"DHX2 \"kim b0 h1\ns 2 2 0\nc 2 3 b24 b0 h32 \"Shots\ns 2 3 0 h32 h1\n"
/* of the folder 2; asked for: the fork's length in 8 bytes */
#define OPENED(how, size) LOGIN "c 2 4 b26 b" how " h1 2 h2048 h3 b2 \"a.mov\ns 2 4 0 h2048 h7 q" size "\n"
#define CREATED LOGIN "c 2 4 b7 b0 h1 2 b2 \"b.mov\ns 2 4 0\nc 2 5 b26 b0 h1 2 h2048 h3 b2 \"b.mov\ns 2 5 0 h2048 h7 q0\n"
#define CLOSED "c 2 99 b4 b0 h7\ns 2 99 0\n"

static const struct {
	const char *name, *script, *want;
} good[] = {
        {"read whole", OPENED("0", "5") "c 2 5 b60 b0 h7 q0 q100\ns 2 5 0 =hello\n" CLOSED,
                "+a.mov;=/a.mov FPReadExt kim destination complete 5 5+0 h2cf2;"},
        {"read to its end, in two at once", LOGIN "c 2 4 b26 b0 h1 2 h0 h3 b2 \"a.mov\ns 2 4 0 h0 h7\n"
                "c 2 5 b27 b0 h7 0 3 h0\nc 2 6 b27 b0 h7 3 9 h0\ns 2 6 -5009 =lo\ns 2 5 0 =hel\n" CLOSED,
                "+a.mov;=/a.mov FPRead kim destination complete 5 5+0 h2cf2;"},
        {"read in part", OPENED("0", "5") "c 2 5 b60 b0 h7 q0 q3\ns 2 5 0 =hel\n" CLOSED,
                "+a.mov;=/a.mov FPReadExt kim destination truncated 5 3+0;"},
        {"empty", OPENED("0", "0") "c 2 5 b60 b0 h7 q0 q3\ns 2 5 -5009\n" CLOSED,
                "+a.mov;=/a.mov FPReadExt kim destination complete 0 0+0 he3b0;"},
        {"written, the end first", CREATED "w 6 20 b61 b0 h7 q3 q2 =lo\nw 7 20 b61 b0 h7 q0 q3 =hel\ns 6 7 0 q3\ns 6 6 0 q5\n" CLOSED,
                "+b.mov;=/b.mov FPWriteExt kim source complete 5 5+0 h2cf2;"},
        {"written at the fork's end", CREATED "w 6 12 b33 b128 h7 0 3 =hel\ns 6 6 0 3\nw 7 12 b33 b128 h7 0 2 =lo\ns 6 7 0 5\n" CLOSED,
                "+b.mov;=/b.mov FPWrite kim source complete 5 5+0 h2cf2;"},
        {"written into something longer", OPENED("0", "9") "w 6 20 b61 b0 h7 q0 q5 =hello\ns 6 6 0 q5\n" CLOSED,
                "+a.mov;=/a.mov FPWriteExt kim source truncated 9 5+0;"},
        {"emptied, and written", OPENED("0", "9") "c 2 8 b31 b0 h7 h2048 q0\ns 2 8 0\nw 6 20 b61 b0 h7 q0 q5 =hello\ns 6 6 0 q5\n" CLOSED,
                "+a.mov;=/a.mov FPWriteExt kim source complete 5 5+0 h2cf2;"},
        {"written, and not closed", CREATED "w 6 20 b61 b0 h7 q0 q5 =hello\n", "+b.mov;=/b.mov FPWriteExt kim source truncated 5 5+0;"},
        {"created empty", CREATED CLOSED, "+b.mov;=/b.mov FPCreateFile kim source complete 0 0+0 he3b0;"},
        {"opened, and not read", OPENED("0", "5") CLOSED, ""},
        {"a folder by its number", LOGIN "c 2 4 b34 b0 h1 2 h0 h256 b3 134217987 h7 =ep03 z1 =ab\ns 2 4 0 h0 h256 b128 b0 77\n"
                "c 2 5 b26 b0 h1 77 h2048 h1 b2 \"c\ns 2 5 0 h2048 h7 q2\nc 2 6 b60 b0 h7 q0 q9\ns 2 6 0 =hi\n" CLOSED,
                "+c;=/ep03/ab/c FPReadExt kim destination complete 2 2+0 h8f43;"},
        {"a folder that nobody named", LOGIN "c 2 5 b26 b0 h1 78 h2048 h1 b2 \"c\ns 2 5 0 h2048 h7 q2\nc 2 6 b60 b0 h7 q0 q9\ns 2 6 0 =hi\n" CLOSED,
                "+c;=c FPReadExt kim destination complete 2 2+0 h8f43;"},
        {"by name and length in four bytes", SESSION "c 2 2 b63 b0 h0 \"AFP3.4 \"DHX2 b3 h3 =ann b3 h0 z1\ns 2 2 -5001\n"
                "c 2 4 b26 b0 h1 2 h512 h1 b2 \"c\ns 2 4 0 h512 h7 2\nc 2 6 b60 b0 h7 q0 q9\ns 2 6 0 =hi\n" CLOSED,
                "+c;=/c FPReadExt ann destination complete 2 2+0 h8f43;"},
        {"refused", LOGIN "c 2 4 b26 b0 h1 2 h2048 h3 b2 \"a.mov\ns 2 4 -5018\n", ""},
        {"a hole in what is read", OPENED("0", "5") "c 2 5 b60 b0 h7 q0 q100\nS 2 5 0 =hello\n" CLOSED,
                "+a.mov;=/a.mov FPReadExt kim destination truncated 5 0+5;"},
        {"keep-alives by either", OPENED("0", "5") "c 5 8\ns 5 8 0\nT 5 9\nc 2 5 b60 b0 h7 q0 q100\ns 2 5 0 =hello\n" CLOSED,
                "+a.mov;=/a.mov FPReadExt kim destination complete 5 5+0 h2cf2;"},
};

static void
words(const char *w, const char *end, struct bytes *out)
{
	while (w < end) {
		size_t len = 0, width = 0;
		while (w + len < end && w[len] != ' ')
			len++;
		unsigned long long value = (unsigned long long)strtoll(w + ((*w < '0' || *w > '9') && *w != '-'), NULL, 10);
		switch (*w) {
		case 'z': out->len += (size_t)value; break;
		case 'q': width = 8; break;
		case 'h': width = 2; break;
		case 'b': width = 1; break;
		case '"': out->at[out->len++] = (uint8_t)(len - 1); /* fall through */
		case '=':
			memcpy(out->at + out->len, w + 1, len - 1);
			out->len += len - 1;
			break;
		default: width = 4; break;
		}
		while (width > 0)
			out->at[out->len++] = (uint8_t)(value >> 8 * --width);
		w += len + (w + len < end);
	}
	assert_true(out->len < MESSAGE_MAX);
}

/* S: as s, but of the bytes behind its head nobody saw any; T: as c, by the server. */
static void
play(struct stage *s, const char *script, size_t step, size_t *limit)
{
	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", 5480);
	for (const char *end; (end = strchr(script, '\n')) != NULL; script = end + 1) {
		struct bytes m = {.len = 16};
		const char kind = script[0];
		const bool reply = kind == 's' || kind == 'S';
		char *at = NULL;
		unsigned long dsi = kind == 'w' ? 6 : strtoul(script + 2, &at, 10);
		unsigned long id = strtoul(kind == 'w' ? script + 2 : at, &at, 10);
		long error = reply || kind == 'w' ? strtol(at, &at, 10) : 0;
		words(at < end ? at + 1 : end, end, &m);
		m.at[0] = reply;
		m.at[1] = (uint8_t)dsi;
		m.at[3] = (uint8_t)id;
		for (size_t i = 0; i < 4; i++)
			m.at[4 + i] = (uint8_t)((unsigned long)error >> 8 * (3 - i));
		m.at[10] = (uint8_t)((m.len - 16) >> 8);
		m.at[11] = (uint8_t)(m.len - 16);
		size_t seen = kind == 'S' ? 16 : m.len;
		for (size_t n, i = 0; i < seen && *limit > 0; i += n, *limit -= n) {
			n = step < seen - i ? step : seen - i;
			n = n < *limit ? n : *limit;
			(void)stage_data(s, 0, reply || kind == 'T' ? SIDE_DESTINATION : SIDE_SOURCE, m.at + i, n);
		}
		if (seen < m.len && *limit > 0)
			(void)conversation_gap(stage_conversation(s, 0), SIDE_DESTINATION, m.len - seen);
	}
	stage_clear(s);
}

static void
test_good(void **state)
{
	static const size_t steps[] = {SIZE_MAX, 1, 5};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		for (size_t j = 0; j < COUNT(steps); j++) {
			struct stage s;
			size_t limit = SIZE_MAX;
			play(&s, good[i].script, steps[j], &limit);
			if (strcmp(s.log, good[i].want) != 0)
				fail_msg("%s (%zu): %s", good[i].name, steps[j], s.log);
		}
	}
}

/* The capture may end anywhere: what began also ends. */
static void
test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		bool all = false;
		for (size_t n = 1 + i % 3; n < 4096 && !all; n += 3) {
			struct stage s;
			size_t limit = n, began = 0, ended = 0;
			play(&s, good[i].script, SIZE_MAX, &limit);
			for (const char *c = s.log; *c != '\0'; c++) {
				began += *c == '+' && (c == s.log || c[-1] == ';');
				ended += *c == '=';
			}
			assert_int_equal(began, ended);
			all = limit > 0;
		}
		assert_true(all);
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char *client, *server; /* 16 bytes each */
	} bad[] = {
	        {"\0\4\0\1\0\0\0\0\0\0\0\6\0\0\0\1", "\1\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0"}, /* what is reserved is not zero */
	        {"\0\4\0\1\0\0\0\0\0\0\1\0\0\0\0\0", "\1\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0"}, /* options that long there are none */
	        {"\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0", "\1\4\0\2\0\0\0\0\0\0\0\0\0\0\0\0"}, /* an answer to another request */
	        {"\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0", "\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0"}, /* no answer at all */
	        {"\1\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0", "\1\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0"},
	        {"\0\2\0\1\0\0\0\0\0\0\0\6\0\0\0\0", "\1\2\0\1\0\0\0\0\0\0\0\0\0\0\0\0"}, /* no conversation begins with a command */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct probe p = {.bytes = {(const uint8_t *)bad[i].client, (const uint8_t *)bad[i].server}, .len = {16, 16}};
		assert_int_equal(proto_afp.probe(&p), VERDICT_NOT_MINE);
		p.len[1] = 0; /* the client alone proves nothing */
		assert_int_not_equal(proto_afp.probe(&p), VERDICT_DONE);
	}
}

/* In the middle, either end may have come first. */
static void
test_middle(void **state)
{
	static const uint8_t command[] = "\0\2\0\1\0\0\0\0\0\0\0\6\0\0\0\0", answer[] = "\1\2\0\1\0\0\0\0\0\0\0\0\0\0\0\0";
	struct probe p = {.bytes = {answer, command}, .len = {16, 16}, .midstream = true};
	(void)state;
	assert_int_equal(proto_afp.probe(&p), VERDICT_DONE);
	p.len[0] = 0;
	assert_int_equal(proto_afp.probe(&p), VERDICT_MORE);
}

/* A request may take the number of one whose answer is under way: how much is kept of that stays what it was. */
static void
test_number_again(void **state)
{
	struct stage s;
	uint8_t answer[216] = {1, 2, 0, 4, [11] = 200};
	static const uint8_t first[] = "\0\2\0\4\0\0\0\0\0\0\0\6\0\0\0\0\x0e\0\0\7\2\0";
	static const uint8_t again[] = "\0\2\0\4\0\0\0\0\0\0\0\x14\0\0\0\0\x3c\0\0\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x63";
	(void)state;
	stage_init(&s);
	stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 548);
	static const uint8_t hello[] = "\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0", welcome[] = "\1\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0";
	(void)stage_data(&s, 0, SIDE_SOURCE, hello, 16);
	(void)stage_data(&s, 0, SIDE_DESTINATION, welcome, 16);
	(void)stage_data(&s, 0, SIDE_SOURCE, first, 22);
	(void)stage_data(&s, 0, SIDE_DESTINATION, answer, 100);
	(void)stage_data(&s, 0, SIDE_SOURCE, again, 36);
	(void)stage_data(&s, 0, SIDE_DESTINATION, answer + 100, sizeof answer - 100);
	stage_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_middle),
	        cmocka_unit_test(test_number_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
