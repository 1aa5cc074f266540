#include "config.h"

/*
 * 9P as scripts, a message a line: "c TYPE TAG WORDS" by the client, "s TYPE TAG WORDS" by the server. Words are 12, a
 * number of 4 bytes; h12, of 2; b12, of one; q12, of 8; "text, a string with its length of 2; =text, bytes as
 * they stand; zN, so many zeros.
 */
#include "proto_stage.h"

enum { MESSAGE_MAX = 512 };

struct bytes {
	uint8_t at[MESSAGE_MAX];
	size_t len;
};

#define HELLO "c 100 65535 8192 \"9P2000.L\ns 101 65535 8192 \"9P2000.L\nc 104 1 0 4294967295 \"bob \"/tree 0\ns 105 1 b128 z12\n"
#define WALKED HELLO "c 110 1 0 1 h2 \"d \"a\ns 111 1 h2 z26\n"
#define OPENED WALKED "c 12 1 1 0\ns 13 1 z13 0\n"
#define CREATED HELLO "c 110 1 0 1 h0\ns 111 1 h0\nc 14 1 1 \"b 0 0 0\ns 15 1 z13 0\n"

static const struct {
	const char *name, *script, *want;
} good[] = {
        {"read to its end", OPENED "c 116 1 1 q0 100\ns 117 1 5 =hello\nc 116 1 1 q5 100\ns 117 1 0\nc 120 1 1\ns 121 1\n",
                "+a;=/d/a Tread bob destination complete 5 5+0 h2cf2;"},
        {"size told before, two reads at once", WALKED "c 24 1 1 q0\ns 25 1 q0 z13 z12 z16 q5\nc 12 1 1 0\ns 13 1 z13 0\n"
                "c 116 1 1 q0 3\nc 116 2 1 q3 3\ns 117 2 2 =lo\ns 117 1 3 =hel\nc 120 1 1\ns 121 1\n",
                "+a;=/d/a Tread bob destination complete 5 5+0 h2cf2;"},
        {"read in part", OPENED "c 116 1 1 q0 100\ns 117 1 3 =hel\nc 120 1 1\ns 121 1\n",
                "+a;=/d/a Tread bob destination truncated 3 3+0;"},
        {"empty", OPENED "c 116 1 1 q0 100\ns 117 1 0\nc 120 1 1\ns 121 1\n", "+a;=/d/a Tread bob destination complete 0 0+0 he3b0;"},
        {"written, the end first", CREATED "c 118 1 1 q3 2 =lo\nc 118 2 1 q0 3 =hel\ns 119 2 3\ns 119 1 2\nc 120 1 1\ns 121 1\n",
                "+b;=/b Twrite bob source complete 5 5+0 h2cf2;"},
        {"written, not given back", CREATED "c 118 1 1 q0 5 =hello\ns 119 1 5\n", "+b;=/b Twrite bob source truncated 5 5+0;"},
        {"created empty", CREATED "c 120 1 1\ns 121 1\n", "+b;=/b Twrite bob source complete 0 0+0 he3b0;"},
        {"a walk that did not arrive", HELLO "c 110 1 0 1 h2 \"d \"a\ns 111 1 h1 z13\nc 116 1 1 q0 9\ns 117 1 5 =hello\n", ""},
        {"refused", WALKED "c 12 1 1 0\ns 7 1 13\nc 120 1 1\ns 121 1\n", ""},
        {"a directory is no file", WALKED "c 112 1 1 b0\ns 113 1 b128 z12 0\nc 116 1 1 q0 9\ns 117 1 5 =hello\n", ""},
};

static void
words(const char *w, const char *end, struct bytes *out)
{
	while (w < end) {
		size_t len = 0, width = 0;
		while (w + len < end && w[len] != ' ')
			len++;
		unsigned long long value = strtoull(w + (*w < '0' || *w > '9'), NULL, 10);
		switch (*w) {
		case 'z': out->len += (size_t)value; break;
		case 'q': width = 8; break;
		case 'h': width = 2; break;
		case 'b': width = 1; break;
		case '"': out->at[out->len] = (uint8_t)(len - 1); out->len += 2; /* fall through */
		case '=':
			memcpy(out->at + out->len, w + 1, len - 1);
			out->len += len - 1;
			break;
		default: width = 4; break;
		}
		for (; width > 0; width--, value >>= 8)
			out->at[out->len++] = (uint8_t)value;
		w += len + (w + len < end);
	}
	assert_true(out->len < MESSAGE_MAX);
}

static void
play(struct stage *s, const char *script, size_t step, size_t *limit)
{
	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", 5640);
	for (const char *end; (end = strchr(script, '\n')) != NULL; script = end + 1) {
		struct bytes m = {.len = 7};
		char *at;
		unsigned long type = strtoul(script + 2, &at, 10), tag = strtoul(at, &at, 10);
		words(at < end ? at + 1 : end, end, &m);
		m.at[0] = (uint8_t)m.len;
		m.at[1] = (uint8_t)(m.len >> 8);
		m.at[4] = (uint8_t)type;
		m.at[5] = (uint8_t)tag;
		m.at[6] = (uint8_t)(tag >> 8);
		for (size_t n, i = 0; i < m.len && *limit > 0; i += n, *limit -= n) {
			n = step < m.len - i ? step : m.len - i;
			n = n < *limit ? n : *limit;
			(void)stage_data(s, 0, script[0] == 'c' ? SIDE_SOURCE : SIDE_DESTINATION, m.at + i, n);
		}
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
		const char *bytes;
		size_t len;
	} bad[] = {
	        {"\x15\0\0\0\x64\xff\xff\0\0\1\0\x08\0" "9P1999.L", 21},    /* another version */
	        {"\x15\0\0\0\x64\1\0\0\0\1\0\x08\0" "9P2000.L", 21},        /* a tag where there is none */
	        {"\x15\0\0\0\x65\xff\xff\0\0\1\0\x08\0" "9P2000.L", 21},    /* an answer */
	        {"\x15\0\1\0\x64\xff\xff\0\0\1\0\x08\0" "9P2000.L", 21},    /* too long */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 564);
		(void)stage_data(&s, 0, SIDE_SOURCE, bad[i].bytes, bad[i].len);
		assert_null(session_protocol_name(s.flow[0].session));
		stage_clear(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
