#include "config.h"

/*
 * NFS as scripts, a message a line:
 *   "c XID PROGRAM VERSION PROCEDURE ARGUMENTS", "s XID RESULTS" on the first connection, "C", "S" on the second,
 *   "gap", the next bytes of the server on the first connection are lost; "wait", five minutes pass.
 * Arguments and results are words: 12, a number; q12, one of 64 bits; "text, an opaque with its length; =text, bytes
 * as they stand; z12, so many zeros; a12, attributes of version 3 that tell this size; F2, a handle of version 2.
 * Calls are made by uid 1000 of the machine ws1. Client 192.0.2.10:40000 and :40001, server 198.51.100.20:2050.
 */
#include "proto_stage.h"

enum { MESSAGE_MAX = 1024, STREAM_MAX = 8192 };

struct bytes {
	uint8_t at[MESSAGE_MAX];
	size_t len;
};

#define MOUNTED "c 1 100005 3 1 \"/export\ns 1 0 \"ROOT 1 1\n"
#define LOOKED MOUNTED "c 2 100003 3 3 \"ROOT \"a\ns 2 0 \"FHA0 0 0\n"
#define CREATED MOUNTED "c 2 100003 3 8 \"ROOT \"b 0 z24\ns 2 0 1 \"FHB0 a0 0 0\n"
#define SEQ "53 z32 "
#define SEQ_OK "53 0 z36 "
/* PUTROOTFH LOOKUP export OPEN a GETFH GETATTR(size): version 4.1 */
#define OPENED(how)                                                                                                    \
	"c 1 100003 4 1 0 1 6 " SEQ "24 15 \"export 18 0 3 0 q0 \"own " how " 0 \"a 10 9 1 16\n"                      \
	"s 1 0 0 6 " SEQ_OK "24 0 15 0 18 0 =SEQ0 =STATEOTHER12 z20 0 0 0 10 0 \"FHA4 9 0 1 16 8 "
#define CLOSED "c 9 100003 4 1 0 1 3 " SEQ "22 \"FHA4 4 0 =SEQ0 =STATEOTHER12\ns 9 0 0 3 " SEQ_OK "22 0 4 0 z16\n"

static const struct {
	const char *name, *script, *want;
} good[] = {
        {"read whole", LOOKED "c 3 100003 3 6 \"FHA0 q0 100\ns 3 0 0 5 1 \"hello\n",
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"read in pieces, the last one first",
                LOOKED "c 3 100003 3 6 \"FHA0 q3 3\nc 4 100003 3 6 \"FHA0 q0 3\ns 3 0 a5 2 1 \"lo\ns 4 0 a5 3 0 \"hel\n",
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"read in part", LOOKED "c 3 100003 3 6 \"FHA0 q0 3\ns 3 0 a5 3 0 \"hel\n",
                "+a;=/export/a READ uid:1000 destination truncated 5 3+0;"},
        {"read twice is two files",
                LOOKED "c 3 100003 3 6 \"FHA0 q0 9\ns 3 0 0 5 1 \"hello\nc 4 100003 3 6 \"FHA0 q0 9\ns 4 0 0 5 1 \"hello\n",
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"a call and its answer come again",
                LOOKED "c 3 100003 3 6 \"FHA0 q0 9\nc 3 100003 3 6 \"FHA0 q0 9\ns 3 0 0 5 1 \"hello\ns 3 0 0 5 1 \"hello\n"
                       "c 3 100003 3 6 \"FHA0 q0 9\ns 3 0 0 5 1 \"hello\n",
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"empty", LOOKED "c 3 100003 3 6 \"FHA0 q0 9\ns 3 0 0 0 1 \"\n",
                "+a;=/export/a READ uid:1000 destination complete 0 0+0 he3b0;"},
        {"no byte, but the file has a size", LOOKED "c 3 100003 3 6 \"FHA0 q0 9\ns 3 0 a7 0 1 \"\n", ""},
        {"a handle that nobody told", "c 3 100003 3 6 \"FHX0 q0 9\ns 3 0 0 5 1 \"hello\n",
                "+-;=- READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"names by READDIRPLUS",
                MOUNTED "c 2 100003 3 17 \"ROOT q0 z8 100 100\n"
                        "s 2 0 0 z8 1 q1 \". q1 0 1 \"ROOT 1 q2 \"sub q2 a0 1 \"DIR0 1 q3 \"x q3 0 0 0 1\n"
                        "c 3 100003 3 3 \"DIR0 \"c\ns 3 0 \"FHC0 0 0\nc 4 100003 3 6 \"FHC0 q0 9\ns 4 0 0 5 1 \"hello\n",
                "+c;=/export/sub/c READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"a directory was moved",
                MOUNTED "c 2 100003 3 3 \"ROOT \"d\ns 2 0 \"DIR0 0 0\nc 3 100003 3 3 \"DIR0 \"c\ns 3 0 \"FHC0 0 0\n"
                        "c 4 100003 3 14 \"ROOT \"d \"ROOT \"e\ns 4 0 z16\nc 5 100003 3 6 \"FHC0 q0 9\ns 5 0 0 5 1 \"hello\n",
                "+c;=/export/e/c READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"written and committed",
                CREATED "c 3 100003 3 7 \"FHB0 q3 2 0 \"lo\nc 4 100003 3 7 \"FHB0 q0 3 0 \"hel\n"
                        "s 4 0 0 0 3 0 z8\ns 3 0 0 0 2 0 z8\nc 5 100003 3 21 \"FHB0 q0 0\ns 5 0 0 0 z8\n",
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"written, for good at once", CREATED "c 3 100003 3 7 \"FHB0 q0 5 2 \"hello\ns 3 0 0 0 5 2 z8\n",
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"written, never committed", CREATED "c 3 100003 3 7 \"FHB0 q0 5 0 \"hello\ns 3 0 0 0 5 0 z8\n",
                "+b;=/export/b WRITE uid:1000 source truncated 5 5+0;"},
        {"written, never committed, but the server gives it that size",
                CREATED "c 3 100003 3 7 \"FHB0 q0 5 0 \"hello\ns 3 0 0 a5 5 0 z8\n",
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"written, and no answer", CREATED "c 3 100003 3 7 \"FHB0 q0 5 2 \"hello\n",
                "+b;=/export/b WRITE uid:1000 source truncated 5 5+0;"},
        {"written, and refused", CREATED "c 3 100003 3 7 \"FHB0 q0 5 2 \"hello\ns 3 28 0 0\n",
                "+b;=/export/b WRITE uid:1000 source truncated 5 5+0;"},
        {"written into something larger", CREATED "c 3 100003 3 7 \"FHB0 q0 5 2 \"hello\ns 3 0 0 a9 5 2 z8\n",
                "+b;=/export/b WRITE uid:1000 source truncated 9 5+0;"},
        {"left alone, then written anew",
                CREATED "c 3 100003 3 7 \"FHB0 q0 5 2 \"hello\ns 3 0 0 0 5 2 z8\nwait\n"
                        "c 4 100003 3 7 \"FHB0 q0 5 2 \"hello\ns 4 0 0 0 5 2 z8\n",
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"emptied, then written anew",
                CREATED "c 3 100003 3 7 \"FHB0 q0 5 2 \"hello\ns 3 0 0 0 5 2 z8\nc 5 100003 3 2 \"FHB0 0 0 0 1 q0 0 0 0\ns 5 0 0 0\n"
                        "c 4 100003 3 7 \"FHB0 q0 5 2 \"hello\ns 4 0 0 0 5 2 z8\n",
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"created, and left empty", CREATED "wait\nc 9 100003 3 0\n", "+b;=/export/b CREATE uid:1000 source complete 0 0+0 he3b0;"},
        {"created, and perhaps about to be written", CREATED, ""},
        {"created and removed", CREATED "c 3 100003 3 12 \"ROOT \"b\ns 3 0 0 0\nwait\nc 9 100003 3 0\n", ""},
        {"one file over two connections",
                LOOKED "c 3 100003 3 6 \"FHA0 q3 3\nC 4 100003 3 6 \"FHA0 q0 3\ns 3 0 a5 2 1 \"lo\nS 4 0 a5 3 0 \"hel\n",
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"version 2",
                "c 1 100005 1 1 \"/export\ns 1 0 F1\nc 2 100003 2 4 F1 \"a\ns 2 0 F2 z68\n"
                "c 3 100003 2 6 F2 0 100 0\ns 3 0 1 z16 5 z44 \"hello\n"
                "c 4 100003 2 9 F1 \"b z32\ns 4 0 F3 z68\nc 5 100003 2 8 F3 0 0 5 \"hello\ns 5 0 1 z16 5 z44\n",
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"
                "+b;=/export/b WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"version 4, read", OPENED("0") "q5\nc 2 100003 4 1 0 1 3 " SEQ "22 \"FHA4 25 z16 q0 9\ns 2 0 0 3 " SEQ_OK "22 0 25 0 1 \"hello\n" CLOSED,
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"version 4, written",
                OPENED("1 0 0 \"") "q0\nc 2 100003 4 1 0 1 4 " SEQ "22 \"FHA4 38 z16 q0 0 \"hello 9 1 16\n"
                                   "s 2 0 0 4 " SEQ_OK "22 0 38 0 5 0 z8 9 0 1 16 8 q5\n" CLOSED,
                "+a;=/export/a WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"version 4, two writes in one call",
                OPENED("1 0 0 \"") "q0\nc 2 100003 4 1 0 1 4 " SEQ "22 \"FHA4 38 z16 q2 0 \"llo 38 z16 q0 0 \"he\n"
                                   "s 2 0 0 4 " SEQ_OK "22 0 38 0 3 0 z8 38 0 2 0 z8\n" CLOSED,
                "+a;=/export/a WRITE uid:1000 source complete 5 5+0 h2cf2;"},
        {"version 4, written and not closed",
                OPENED("1 0 0 \"") "q0\nc 2 100003 4 1 0 1 3 " SEQ "22 \"FHA4 38 z16 q0 0 \"hello\n",
                "+a;=/export/a WRITE uid:1000 source truncated 5 5+0;"},
        {"version 4, an empty file", OPENED("1 0 0 \"") "q0\n" CLOSED, "+a;=/export/a CREATE uid:1000 source complete 0 0+0 he3b0;"},
        {"version 4, opened and not read", OPENED("0") "q5\n" CLOSED, ""},
        {"version 4.2, copied by the server",
                OPENED("1 0 0 \"") "q0\nc 2 100003 4 1 0 2 5 " SEQ "22 \"FHS4 32 22 \"FHA4 60 z32 q0 q2 q9 1 1 1 1 \"src\n"
                                   "s 2 0 0 5 " SEQ_OK "22 0 32 0 22 0 60 0 0 q9 2 z8 1 1\n" CLOSED,
                "+a;=/export/a COPY uid:1000 source truncated 11 0+9;"},
        {"version 4.2, copied later, which is not followed",
                OPENED("1 0 0 \"") "q0\nc 2 100003 4 1 0 2 5 " SEQ "22 \"FHS4 32 22 \"FHA4 60 z32 q0 q0 q9 1 0 0\n"
                                   "s 2 0 0 5 " SEQ_OK "22 0 32 0 22 0 60 0 1 z16 q0 0 z8 1 0\n" CLOSED, ""},
        {"version 4.2, a clone of the whole",
                OPENED("1 0 0 \"") "q0\nc 2 100003 4 1 0 2 6 " SEQ "22 \"FHS4 32 22 \"FHA4 71 z32 q0 q0 q0 9 1 16\n"
                                   "s 2 0 0 6 " SEQ_OK "22 0 32 0 22 0 71 0 9 0 1 16 8 q7\n" CLOSED,
                "+a;=/export/a CLONE uid:1000 source truncated 7 0+7;"},
        {"version 4.2, a hole",
                OPENED("0") "q7\nc 2 100003 4 1 0 2 3 " SEQ "22 \"FHA4 68 z16 q0 9\n"
                            "s 2 0 0 3 " SEQ_OK "22 0 68 0 1 3 0 q0 \"abc 1 q3 q2 0 q5 \"de\n" CLOSED,
                "+a;=/export/a READ uid:1000 destination complete 7 7+0 h43a1;"},
        {"version 4, opened and read in one call",
                "c 1 100003 4 1 0 0 5 24 15 \"export 18 0 1 0 q0 \"o 0 0 \"a 25 z16 q0 9 10\n"
                "s 1 0 0 5 24 0 15 0 18 0 z16 z20 0 0 0 25 0 1 \"hello 10 0 \"FHA4\n",
                "+a;=/export/a READ uid:1000 destination complete 5 5+0 h2cf2;"},
        {"an operation that is not known ends the walk",
                "c 1 100003 4 1 0 0 3 22 \"FHA4 99 25 z16 q0 9\ns 1 0 0 3 22 0 99 0 25 0 1 \"hello\n", ""},
        {"lost bytes, and the next record", LOOKED "c 3 100003 3 6 \"FHA0 q0 3\nc 4 100003 3 6 \"FHA0 q3 3\ngap\ns 3 0 a5 3 0 \"hel\ns 4 0 a5 2 1 \"lo\n",
                "+a;=/export/a READ uid:1000 destination truncated 5 2+0 @3;"},
};

static const char *
word(const char *w, size_t len, struct bytes *out)
{
	unsigned long long value = strtoull(w + (*w < '0' || *w > '9'), NULL, 10);
	size_t zeros = 0, width = 0;
	switch (*w) {
	case '"':
		for (int shift = 24; shift >= 0; shift -= 8)
			out->at[out->len++] = (uint8_t)((len - 1) >> shift);
		memcpy(out->at + out->len, w + 1, len - 1);
		out->len += len - 1;
		zeros = -(len - 1) & 3;
		break;
	case '=':
		memcpy(out->at + out->len, w + 1, len - 1);
		out->len += len - 1;
		break;
	case 'z': zeros = (size_t)value; break;
	case 'q': width = 8; break;
	case 'a':
		out->at[out->len + 3] = 1;
		out->len += 4 + 20;
		width = 8;
		zeros = 56;
		break;
	case 'F':
		out->at[out->len] = 'F';
		out->at[out->len + 1] = (uint8_t)value;
		zeros = 32;
		break;
	default: width = 4; break;
	}
	for (; width > 0; width--)
		out->at[out->len++] = (uint8_t)(value >> 8 * (width - 1));
	out->len += zeros; /* the buffer is zeroed */
	assert_true(out->len < MESSAGE_MAX);
	return w + len;
}

static void
words(const char *w, const char *end, struct bytes *out)
{
	while (w < end) {
		size_t len = 0;
		while (w + len < end && w[len] != ' ')
			len++;
		if (len > 0)
			w = word(w, len, out);
		w += w < end;
	}
}

/* A message of a line, with room for its record's mark in front. */
static void
message(const char *line, const char *end, struct bytes *out)
{
	static const char between_call[] = "0 2", between_reply[] = "1 0 0 0 0";
	static const char credential[] = "1 28 7 \"ws1 1000 100 1 100 0 0";
	const char *at = line + 2;
	bool call = line[0] == 'c' || line[0] == 'C';
	memset(out, 0, sizeof *out);
	out->len = 4;
	for (int i = 0; i < (call ? 4 : 1); i++) {
		const char *space = at;
		while (space < end && *space != ' ')
			space++;
		words(at, space, out);
		if (i == 0)
			words(call ? between_call : between_reply,
			        call ? between_call + strlen(between_call) : between_reply + strlen(between_reply), out);
		at = space < end ? space + 1 : end;
	}
	if (call)
		words(credential, credential + sizeof credential - 1, out);
	words(at, end, out);
	size_t len = out->len - 4;
	out->at[0] = 0x80;
	out->at[2] = (uint8_t)(len >> 8);
	out->at[3] = (uint8_t)len;
}

struct play {
	struct stage s;
	size_t step;  /* bytes a call; 0: all */
	size_t limit; /* bytes in all, then the capture ends */
	bool udp, fragments;
};

static void
give(struct play *p, size_t flow, enum side from, const uint8_t *bytes, size_t len)
{
	while (len > 0 && p->limit > 0) {
		size_t n = p->step > 0 && p->step < len ? p->step : len;
		n = n < p->limit ? n : p->limit;
		(void)stage_data(&p->s, flow, from, bytes, n);
		bytes += n;
		len -= n;
		p->limit -= n;
	}
}

/* Some of the messages' bytes in a fragment of their own. */
static void
give_record(struct play *p, size_t flow, enum side from, const struct bytes *m)
{
	if (!p->fragments || m->len < 64) {
		give(p, flow, from, m->at, m->len);
		return;
	}
	for (size_t at = 4; at < m->len; at += 57) {
		uint8_t part[64] = {0};
		size_t n = m->len - at < 57 ? m->len - at : 57;
		part[0] = at + n == m->len ? 0x80 : 0;
		part[3] = (uint8_t)n;
		memcpy(part + 4, m->at + at, n);
		give(p, flow, from, part, n + 4);
	}
}

static void
play(struct play *p, const char *script)
{
	bool lost = false;
	stage_init(&p->s);
	for (uint16_t flow = 0; flow < 2; flow++)
		(p->udp ? stage_datagrams : stage_flow)(&p->s, flow, "192.0.2.10", (uint16_t)(40000 + flow), "198.51.100.20", 2050);
	for (const char *end; (end = strchr(script, '\n')) != NULL; script = end + 1) {
		struct bytes m;
		size_t flow = script[0] == 'C' || script[0] == 'S';
		if (memcmp(script, "wait", 4) == 0) {
			p->s.now += 400 * CLOCK_SECOND;
		} else if (memcmp(script, "gap", 3) == 0) {
			lost = true;
		} else {
			message(script, end, &m);
			bool call = script[0] == 'c' || script[0] == 'C';
			if (lost && !call) {
				if (!p->udp)
					(void)conversation_gap(p->s.flow[0].conversation, SIDE_DESTINATION, m.len);
				lost = false;
			} else if (p->udp) {
				(void)stage_data(&p->s, flow, call ? SIDE_SOURCE : SIDE_DESTINATION, m.at + 4, m.len - 4);
			} else {
				give_record(p, flow, call ? SIDE_SOURCE : SIDE_DESTINATION, &m);
			}
		}
	}
	stage_clear(&p->s);
}

static void
test_good(void **state)
{
	static const size_t steps[] = {0, 1, 3, 50};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		for (size_t j = 0; j < COUNT(steps) * 2 + 1; j++) {
			struct play p = {.step = steps[j / 2 % COUNT(steps)], .limit = SIZE_MAX, .fragments = j % 2 == 1,
			        .udp = j == COUNT(steps) * 2};
			/* After lost bytes a record is known by what one segment holds of it. */
			if (strstr(good[i].script, "gap") != NULL && p.step > 0 && p.step < 50)
				continue;
			play(&p, good[i].script);
			if (strcmp(p.s.log, good[i].want) != 0)
				fail_msg("%s (%zu): %s", good[i].name, j, p.s.log);
		}
	}
}

/* The capture may end anywhere: what began also ends, and nothing more is said than what came. */
static void
test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		bool same = false;
		for (size_t limit = 1 + i % 5; limit < STREAM_MAX && !same; limit += 5) {
			struct play p = {.limit = limit};
			size_t began = 0, ended = 0;
			play(&p, good[i].script);
			for (const char *c = p.s.log; *c != '\0'; c++) {
				began += *c == '+' && (c == p.s.log || c[-1] == ';');
				ended += *c == '=';
			}
			assert_int_equal(began, ended);
			same = p.limit > 0;
		}
		assert_true(same);
	}
}

/* RPCSEC_GSS: with integrity it is read; with privacy nothing is, and that is said. */
static void
play_gss(uint32_t service, const char *want, enum verdict verdict)
{
	static const char head[] = "7 0 2 100003 3 6 6 24 1 0 1 ", verifier[] = " \"CTX0 6 \"MIC0 ";
	static const char args[] = "20 1 \"FHA0 q0 9", reply[] = "7 1 0 6 \"MIC0 0 40 1 0 0 5 1 \"hello";
	struct bytes m = {0};
	struct stage s;
	char text[256];
	(void)snprintf(text, sizeof text, "%s%u%s%s", head, (unsigned)service, verifier, args);
	words(text, text + strlen(text), &m);
	stage_init(&s);
	stage_datagrams(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 2050);
	enum verdict v = stage_data(&s, 0, SIDE_SOURCE, m.at, m.len);
	m = (struct bytes){0};
	words(reply, reply + strlen(reply), &m);
	if (v != VERDICT_DONE)
		v = stage_data(&s, 0, SIDE_DESTINATION, m.at, m.len);
	assert_int_equal(v, verdict);
	assert_int_equal(session_is_read(s.flow[0].session), verdict != VERDICT_DONE);
	assert_string_equal(session_protocol_name(s.flow[0].session), "nfs");
	stage_clear(&s);
	assert_string_equal(s.log, want);
}

static void
test_gss(void **state)
{
	(void)state;
	play_gss(2, "+-;=- READ - destination complete 5 5+0 h2cf2;", VERDICT_MORE);
	play_gss(3, "", VERDICT_DONE);
}

/* RPC with TLS (RFC 9289): a NULL call that asks for it, and the server's word. */
static void
test_tls(void **state)
{
	static const char call[] = "7 0 2 100003 4 0 7 0 0 0", reply[] = "7 1 0 0 8 =STARTTLS 0";
	static const uint8_t hello[] = {22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3};
	struct bytes m[2] = {{{0}, 4}, {{0}, 4}};
	struct stage s;
	(void)state;
	words(call, call + sizeof call - 1, &m[0]);
	words(reply, reply + sizeof reply - 1, &m[1]);
	stage_init(&s);
	stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 2050);
	for (int i = 0; i < 2; i++) {
		m[i].at[0] = 0x80;
		m[i].at[3] = (uint8_t)(m[i].len - 4);
		(void)stage_data(&s, 0, i == 0 ? SIDE_SOURCE : SIDE_DESTINATION, m[i].at, m[i].len);
	}
	assert_true(session_is_read(s.flow[0].session));
	(void)stage_data(&s, 0, SIDE_SOURCE, hello, sizeof hello);
	assert_false(session_is_read(s.flow[0].session));
	stage_clear(&s);
	assert_string_equal(s.log, "");
}

static void
test_bad(void **state)
{
	static const struct {
		const char *name, *words;
	} bad[] = {
	        {"another version of RPC", "7 0 3 100003 3 6 0 0 0 0"},
	        {"neither call nor reply", "7 2 2 100003 3 6 0 0 0 0"},
	        {"a credential that is too long", "7 0 2 100003 3 6 1 404 0 0"},
	        {"a procedure that no program has", "7 0 2 100003 3 600 0 0 0 0"},
	        {"a program that is none", "7 0 2 9 3 6 0 0 0 0"},
	        {"another flavour", "7 0 2 100003 3 6 99 0 0 0"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct stage s;
		struct bytes m = {0};
		words(bad[i].words, bad[i].words + strlen(bad[i].words), &m);
		stage_init(&s);
		stage_datagrams(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 2049);
		(void)stage_data(&s, 0, SIDE_SOURCE, m.at, m.len);
		if (session_protocol_name(s.flow[0].session) != NULL)
			fail_msg("%s", bad[i].name);
		stage_clear(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_gss),
	        cmocka_unit_test(test_tls),
	        cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
