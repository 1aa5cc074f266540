#include "config.h"

/*
 * TCP reassembly by little scripts. Each word is a segment, its sender first:
 *   >S1000      SYN of the source with sequence number 1000
 *   <S500:1001  the destination's SYN with ACK 1001
 *   >1001=abc   data at 1001; it has an ACK, of what its sender acknowledged last
 *   >F1004      flags S F R U stand before the number; N: no ACK; B: bad checksum
 *   >1001=abc+5 with five more bytes that the capture cut off
 * or a command: @3.5 the time is 3.5 s from now on; !> the source's side is ignored from now on.
 * What comes out is one text: ">abc" data, ">(3)" a gap of 3 bytes, ">$" the end, ">!" a reset;
 * the sign is left out where the sender stays the same.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stream/internal.h"
#include "stream/stream.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

struct sink {
	char text[1024];
	size_t len;
	int last; /* side of the last entry, -1: none */
	struct stream *ignore; /* ignored at the first data */
	struct stream *done;   /* both sides are, at each data */
};

static void
put(struct sink *k, enum side from, const char *bytes, size_t len)
{
	if (k->last != (int)from)
		k->text[k->len++] = from == SIDE_SOURCE ? '>' : '<';
	k->last = (int)from;
	assert_true(k->len + len < sizeof k->text);
	memcpy(k->text + k->len, bytes, len);
	k->len += len;
	k->text[k->len] = '\0';
}

static void
on_data(void *ctx, enum side from, const uint8_t *bytes, size_t len, int64_t time)
{
	struct sink *k = ctx;
	(void)time;
	assert_true(len > 0);
	put(k, from, (const char *)bytes, len);
	if (k->ignore != NULL)
		stream_ignore(k->ignore, from);
	for (unsigned i = 0; k->done != NULL && i < 2; i++)
		stream_ignore(k->done, (enum side)i);
}

static void
on_gap(void *ctx, enum side from, uint64_t len, int64_t time)
{
	char text[32];
	(void)time;
	assert_true(len > 0);
	put(ctx, from, text, (size_t)snprintf(text, sizeof text, "(%llu)", (unsigned long long)len));
}

static void
on_end(void *ctx, enum side from, bool reset, int64_t time)
{
	(void)time;
	put(ctx, from, reset ? "!" : "$", 1);
}

static const struct stream_ops ops = {.data = on_data, .gap = on_gap, .end = on_end};

/* A script's state from word to word. */
struct script {
	struct stream *stream;
	int64_t time;
	uint32_t ack[2];
};

static uint8_t
take_flags(const char **at, bool *no_ack, bool *bad)
{
	static const char letters[] = "FSRPAU"; /* in the order of their bits */
	uint8_t flags = 0;
	for (; isupper((unsigned char)**at); ++*at) {
		if (**at == 'N')
			*no_ack = true;
		else if (**at == 'B')
			*bad = true;
		else
			flags |= (uint8_t)(1u << (strchr(letters, **at) - letters));
	}
	return flags;
}

/* Hands a word's segment to the stream, its payload in an exact-size copy. */
static void
segment(struct script *x, const char *word)
{
	struct packet p = {.time = x->time, .tcp_window = 1000};
	const enum side from = word[0] == '>' ? SIDE_SOURCE : SIDE_DESTINATION;
	const char *at = word + 1;
	bool no_ack = false, bad = false;
	p.tcp_flags = take_flags(&at, &no_ack, &bad);
	p.flags = bad ? PACKET_BAD_CHECKSUM : 0;
	if (p.tcp_flags & (TCP_SYN | TCP_RST))
		no_ack = true;
	char *rest;
	p.tcp_seq = (uint32_t)strtoul(at, &rest, 10);
	if (*rest == ':') {
		x->ack[from] = (uint32_t)strtoul(rest + 1, &rest, 10);
		no_ack = false;
	}
	p.tcp_ack = x->ack[from];
	if (!no_ack)
		p.tcp_flags |= TCP_ACK;
	uint8_t *copy = NULL;
	if (*rest == '=') {
		const size_t len = strcspn(rest + 1, "+");
		copy = malloc(len > 0 ? len : 1);
		memcpy(copy, rest + 1, len);
		p.payload = copy;
		p.captured = p.payload_len = (uint32_t)len;
		rest += 1 + len;
		if (*rest == '+')
			p.payload_len += (uint32_t)strtoul(rest + 1, &rest, 10);
	}
	assert_int_equal(*rest, '\0');
	stream_segment(x->stream, from, &p);
	free(copy);
}

static void
play(struct script *x, const char *text)
{
	char *words = strdup(text), *state = NULL;
	for (char *w = strtok_r(words, " ", &state); w != NULL; w = strtok_r(NULL, " ", &state)) {
		if (*w == '@')
			x->time = (int64_t)(strtod(w + 1, NULL) * 1e9);
		else if (*w == '!')
			stream_ignore(x->stream, w[1] == '>' ? SIDE_SOURCE : SIDE_DESTINATION);
		else
			segment(x, w);
	}
	free(words);
}

static void
run(struct stream_pool *pool, struct sink *k, const char *text)
{
	struct script x = {.stream = stream_open(pool, k), .ack = {501, 1001}};
	k->last = -1;
	play(&x, text);
	stream_close(x.stream, x.time);
}

static uint64_t
counter(struct stream_pool *pool, const char *name)
{
	size_t n;
	const struct coverage_counter *c = stream_pool_counters(pool, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(c[i].name, name) == 0)
			return c[i].count;
	fail_msg("no counter %s", name);
	return 0;
}

/* Both ends have opened: 1001 and 501 are their next numbers. */
#define SHAKE ">S1000 <S500:1001 >1001:501 "

static const struct {
	const char *script, *want;
	const char *counter; /* with a count other than 0, or NULL */
	uint64_t count;
} cases[] = {
	/* in order */
	{SHAKE ">1001=abc <501:1004 <501=xyz >1004:504 >F1004 <F504:1005 >1005:505", ">abc<xyz>$<$", NULL, 0},
	{SHAKE ">F1001=abc <501:1005", ">abc$", NULL, 0},
	{SHAKE ">F1001 <F501:1002", ">$<$", NULL, 0},
	/* out of order */
	{SHAKE ">1004=def >1001=abc", ">abcdef", "stream_held", 1},
	{SHAKE ">1007=g >1004=def >1001=abc", ">abcdefg", "stream_held", 2},
	{SHAKE ">F1004=def >1001=abc", ">abcdef$", NULL, 0},
	{SHAKE ">F1004 >1001=abc", ">abc$", NULL, 0},
	/* sent again: whole, in part, longer, around what is held */
	{SHAKE ">1001=abc >1001=abc >1004=d", ">abcd", "stream_retransmitted", 3},
	{SHAKE ">1001=abc >1003=cde", ">abcde", "stream_retransmitted", 1},
	{SHAKE ">1001=abc >1001=abcdef", ">abcdef", NULL, 0},
	{SHAKE ">1003=c >1001=abcde", ">abcde", NULL, 0},
	{SHAKE ">1003=c >1005=e >1001=abcdefg", ">abcdefg", NULL, 0},
	{SHAKE ">1005=ef >1003=cdefgh >1001=ab", ">abcdefgh", NULL, 0},
	/* the first copy wins, also of a part */
	{SHAKE ">1003=C >1001=abcde", ">abCde", "stream_overlap_conflict", 1},
	{SHAKE ">1003=CD >1002=bcdef >1001=A", ">AbCDef", "stream_overlap_conflict", 2},
	{SHAKE ">1001=abc >1002=XYZ", ">abcZ", NULL, 0},
	/* holes */
	{SHAKE ">1001=abc >1006=fg", ">abc(2)fg", "stream_gaps", 1},
	{SHAKE ">1001=abc >1006=fg <501:1008 >1008=h >1004=de", ">abcdefgh", "stream_gaps", 0},
	{SHAKE ">1001=abc >1006=fg <501:1008 @3 >1008=h >1004=de", ">abc(2)fgh", NULL, 0},
	{SHAKE ">1001=abc >1006=fg <501:1008 @3 <501:1008 >1008=h", ">abc(2)fgh", NULL, 0},
	{SHAKE ">1001=abc >1006=fg <501:1004 @9 >1008=h >1004=de", ">abcdefgh", "stream_gaps", 0},
	{SHAKE ">1002=b >1004=d >1006=f <501:1007 @9 >1007=g", ">(1)b(1)d(1)fg", "stream_gap_bytes", 3},
	{SHAKE ">1001=abc <501:1010 @1 <501:1020 @9 <501:1020", ">abc(6)(10)", NULL, 0},
	{SHAKE ">1001=abc <501:1010", ">abc(6)", NULL, 0},
	{SHAKE ">1001=abc <501:1005", ">abc", NULL, 0}, /* a FIN that was not captured */
	{SHAKE ">F1006 <501:1007", ">(5)$", NULL, 0},
	{SHAKE ">1001=abc <501:1004 <501=x >1010=j <502=y", ">abc<xy>(6)j", NULL, 0},
	/* cut by the snap length */
	{SHAKE ">1001=abc+4 >1008=h", ">abc(4)h", "stream_cut_bytes", 4},
	{SHAKE ">1005=ef+2 >1009=i >1001=abcd", ">abcdef(2)i", NULL, 0},
	{SHAKE ">1001=+4 >1005=e", ">(4)e", NULL, 0},
	/* seen from the middle, in one direction, or by ACKs only */
	{">7001:501=abc >7004=d", ">abcd", NULL, 0},
	{">7001:501 >7001=abc", ">abc", NULL, 0},
	{"<900:7001=xy >7001:902=abc", "<xy>abc", NULL, 0},
	{"<900:7001=xy >7003:902=abc", "<xy>abc", NULL, 0},
	{"<900:7001=xy >6998:902=abc", "<xy>abc", NULL, 0},
	{"<S500:1001 >1003:501=c >1001=ab", ">abc", NULL, 0},
	{"<S500:1001 >S1000 >1001:501=ab", ">ab", NULL, 0},
	{">1001:501=ab >S1000 >1003=c", ">abc", NULL, 0},
	{">S1000 >1001:501=ab >1003=c", ">abc", NULL, 0},
	{">1:500 >1:900 @5 >1:1500 @9 >1:2000", "<(400)(1100)", NULL, 0},
	{">1:500 @5 >1:1500 @9 >1:2000 <2000:1=x", "<(1000)(500)x", NULL, 0},
	{">1001=a >1003=c @50 >1004=d", ">a(1)cd", NULL, 0},
	/* ends in odd places */
	{SHAKE ">1001=abc >F1004 >1004=more", ">abc$", "stream_after_end", 4},
	{SHAKE ">1004=de >F1004 >1001=abc", ">abcde", NULL, 0}, /* data behind a FIN that came first */
	{SHAKE ">F1004 >1003=cdef >1001=ab", ">abc$", "stream_after_end", 3},
	{SHAKE ">1001=abc >R1004", ">abc!", NULL, 0},
	{SHAKE ">1001=abc >R1900", ">abc", "stream_rst_ignored", 1},
	{SHAKE ">1001=abc >R1004 >1004=d", ">abcd", NULL, 0}, /* it was forged */
	{SHAKE ">1001=abc <R501 >1004=d", ">abcd<!", NULL, 0},
	{SHAKE ">F1001=abc >R1005", ">abc$", NULL, 0},
	{">S1000 <R0:1001", "<!", NULL, 0},
	/* SYN tricks */
	{">S1000 >S1000 <S500:1001 <S500:1001 >1001:501=a", ">a", NULL, 0},
	{">S1000 >S9000 <S500:1001 >1001:501=a", ">a", NULL, 0},
	{">S9000 >S1000 <S500:1001 >1001:501=a", ">a", NULL, 0},
	{">S1000=ab <S500:1003 >1003:501=c", ">abc", NULL, 0},
	{">S1000=XX <S500:1001 >1001:501=abc", ">abc", "stream_syn_data", 2},
	{">S1000=ab >1003:501=c", ">abc", NULL, 0},
	{">S1000=ab", ">ab", NULL, 0},
	{">S1000 <300:77 >R77 >S1000 <S500:1001 >1001:501=a", ">a", NULL, 0},
	{">S1000 <S500 >S1000:501 <S500:1001 >1001:501=a <501:1002=b", ">a<b", NULL, 0},
	{SHAKE ">1001=a >S1000 >1002=b", ">ab", NULL, 0},
	{SHAKE ">1001=a >S7777 >1002=b", ">ab", NULL, 0},
	{">S1000 <R0:1001 <F0:1001 >R1001 <S500:1001 >1001:501=a <501:1002=b", ">a<b", NULL, 0},
	{">S1000 <S500:1001 <S700:1001 >1001:501=a <501:1002=b", ">a<b", NULL, 0},
	{">S1000 <S500:1001 <S700:1001 >1001:701=a <701:1002=b", ">a<b", NULL, 0},
	{">S1000 >S2000 >S3000 >2001:501=a >2002=b", ">ab", NULL, 0},
	/* more was lost than a window, and more than 2 GB: data and ACK agree */
	{SHAKE ">1001=a >300001001=b <501:300001002 @9 >300001002=c", ">a(299999999)bc", NULL, 0},
	{SHAKE ">1001=a <501:300001001 >300001001=b @9 >300001002=c", ">a(299999999)bc", NULL, 0},
	{SHAKE ">1001=a >3000001001=b <501:3000001002 @9 >3000001002=c", ">a(2999999999)bc", NULL, 0},
	{SHAKE ">1001=a >F3000001001=b <501:3000001003 @9 >3000001002 ", ">a(2999999999)b$", NULL, 0},
	{SHAKE ">1001=a <501:300001001 >1002=b", ">ab", NULL, 0},
	{SHAKE ">1001=a >300001001=b >1002=c", ">ac", NULL, 0},
	{">1:500 >1:300000500 >1:300000600 >1:300000700", "<(300000200)", NULL, 0},
	{SHAKE ">1001=a <501:9001 <501:1002 @9 >1002=b <501:1003 >1003=c", ">abc", NULL, 0},
	/* a wrong checksum: used where the receiver had it */
	{SHAKE ">B1001=abc <501:1004 >1004=d", ">abcd", "stream_doubted", 1},
	{SHAKE ">B1001=XXX >1001=abc <501:1004 >1004=d", ">abcd", NULL, 0},
	{SHAKE ">B1001=XXXX <501:1001 >1001=ab <501:1003 >1003=cd", ">abcd", NULL, 0},
	{SHAKE ">1001=ab >B1003=cd >1005=ef <501:1007 >1007=g", ">abcdefg", NULL, 0},
	{SHAKE ">1001=ab >B1003=cd >1006=fg <501:1008 @9 >1008=h", ">abcd(1)fgh", NULL, 0},
	{">1001=ab >B1003=cd >1005=e @40 >1006=f", ">abcdef", NULL, 0},
	{SHAKE ">BF1001 >BR1001 >1001=a", ">a", NULL, 0},
	/* what is no data */
	{SHAKE ">1001=abc >1003=X >1003 >1004=d", ">abcd", "stream_retransmitted", 0},
	{SHAKE ">N1001=XXX >1001=abc", ">abc", "stream_no_ack", 1},
	{SHAKE ">1001=abc >300000000=zzz >1004=d", ">abcd", "stream_out_of_window", 1},
	{SHAKE ">1001=a >U1002=b >1003=c", ">abc", "stream_urgent", 1},
	/* around the end of the sequence space */
	{">S4294967290 <S500:4294967291 >4294967291=abcde >0=f >3=i >1=gh", ">abcdefghi", NULL, 0},
	{">S4294967295 <S500:0 >2=c >0=ab", ">abc", NULL, 0},
	/* ignored */
	{SHAKE ">1001=abc >1006=f !> >1004=de >1007=g >F1008 <501=x", ">abc$<x", NULL, 0},
	{SHAKE "!> >1005=e >F1006 <501=x", ">$<x", "stream_gaps", 0},
};

static void
test_scripts(void **state)
{
	(void)state;
	size_t failures = 0;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct stream_pool *pool = stream_pool_create(&(struct stream_limits){.memory = 0}, &ops);
		struct sink k = {.len = 0};
		run(pool, &k, cases[i].script);
		if (strcmp(k.text, cases[i].want) != 0) {
			print_error("%s: \"%s\" instead of \"%s\"\n", cases[i].script, k.text, cases[i].want);
			failures++;
		}
		if (cases[i].counter != NULL && counter(pool, cases[i].counter) != cases[i].count) {
			print_error("%s: %s is %d\n", cases[i].script, cases[i].counter,
			        (int)counter(pool, cases[i].counter));
			failures++;
		}
		stream_pool_destroy(pool);
	}
	assert_int_equal(failures, 0);
}

/* The side may be ignored from within its own data, with more of it held. */
static void
test_ignore_inside(void **state)
{
	(void)state;
	struct stream_pool *pool = stream_pool_create(&(struct stream_limits){.memory = 0}, &ops);
	struct sink k = {.last = -1};
	struct script x = {.stream = stream_open(pool, &k), .ack = {501, 1001}};
	k.ignore = x.stream;
	static const char *const words[] = {
		">S1000", "<S500:1001", ">1003=c", ">B1004=d", ">1005=e", ">1001=ab+3", ">F1009", "<501=x",
	};
	for (size_t i = 0; i < COUNT(words); i++)
		segment(&x, words[i]);
	stream_close(x.stream, 0);
	assert_string_equal(k.text, ">ab$<x");
	stream_pool_destroy(pool);
}

/* Data of one side that comes at the close makes the owner ignore both, each with more held. */
static void
test_ignore_at_close(void **state)
{
	(void)state;
	struct stream_pool *pool = stream_pool_create(&(struct stream_limits){.memory = 0}, &ops);
	struct sink k = {.last = -1};
	struct script x = {.stream = stream_open(pool, &k), .ack = {501, 1001}};
	k.done = x.stream;
	play(&x, SHAKE ">F1003 <502=x <504=y");
	stream_close(x.stream, 0);
	assert_string_equal(k.text, ">(2)$<(1)x");
	assert_int_equal(pool->used, 0);
	stream_pool_destroy(pool);
}

/*
 * Random segments of one direction against a model: each byte is what its first copy said, or
 * missing when that was cut off or never came.
 */
enum { MODEL_MAX = 6000, MISSING = 256 };

struct model {
	uint32_t random;
	size_t len;
	uint16_t want[MODEL_MAX]; /* MISSING, or the byte */
	bool claimed[MODEL_MAX];
	uint16_t have[MODEL_MAX];
	size_t had;
	bool ended;
};

static uint32_t
model_random(struct model *m, uint32_t below)
{
	m->random = m->random * 1664525 + 1013904223;
	return (m->random >> 8) % below;
}

static void
model_data(void *ctx, enum side from, const uint8_t *bytes, size_t len, int64_t time)
{
	struct model *m = ctx;
	(void)time;
	assert_int_equal(from, SIDE_SOURCE);
	assert_true(m->had + len <= m->len);
	for (size_t i = 0; i < len; i++)
		m->have[m->had++] = bytes[i];
}

static void
model_gap(void *ctx, enum side from, uint64_t len, int64_t time)
{
	struct model *m = ctx;
	(void)from;
	(void)time;
	assert_true(m->had + len <= m->len);
	for (uint64_t i = 0; i < len; i++)
		m->have[m->had++] = MISSING;
}

static void
model_end(void *ctx, enum side from, bool reset, int64_t time)
{
	struct model *m = ctx;
	(void)from;
	(void)time;
	assert_false(reset);
	assert_false(m->ended);
	m->ended = true;
}

static const struct stream_ops model_ops = {.data = model_data, .gap = model_gap, .end = model_end};

static void
model_send(struct model *m, struct stream *s, uint32_t base, size_t at, size_t len)
{
	const size_t cut = model_random(m, 12) == 0 ? model_random(m, (uint32_t)len + 1) : 0;
	uint8_t *copy = malloc(len - cut + 1);
	for (size_t i = 0; i < len; i++) {
		const uint8_t byte = (uint8_t)model_random(m, 256);
		if (i < len - cut)
			copy[i] = byte;
		if (!m->claimed[at + i])
			m->want[at + i] = i < len - cut ? byte : MISSING;
		m->claimed[at + i] = true;
	}
	const struct packet p = {
		.tcp_flags = TCP_ACK,
		.tcp_seq = base + (uint32_t)at,
		.tcp_ack = 1,
		.payload = copy,
		.payload_len = (uint32_t)len,
		.captured = (uint32_t)(len - cut),
	};
	stream_segment(s, SIDE_SOURCE, &p);
	free(copy);
}

static void
model_run(struct model *m, struct stream_pool *pool)
{
	struct stream *s = stream_open(pool, m);
	const uint32_t base = UINT32_MAX - model_random(m, 4000);
	m->len = 1 + model_random(m, MODEL_MAX);
	for (size_t i = 0; i < m->len; i++)
		m->want[i] = MISSING;
	stream_segment(s, SIDE_SOURCE, &(struct packet){.tcp_flags = TCP_SYN, .tcp_seq = base - 1});
	stream_segment(s, SIDE_DESTINATION,
	        &(struct packet){.tcp_flags = TCP_SYN | TCP_ACK, .tcp_ack = base});
	const uint32_t window = 1 + model_random(m, 2000), longest = 1 + model_random(m, 300);
	const uint32_t loss = model_random(m, 8);
	for (size_t edge = 0; edge < m->len;) {
		/* Mostly onward, at times anywhere in the window, over what is there already. */
		const size_t back = model_random(m, 3) == 0 ? 0 : model_random(m, window);
		const size_t at = edge > back ? edge - back : 0;
		size_t len = 1 + model_random(m, longest);
		len = len > m->len - at ? m->len - at : len;
		if (model_random(m, 20) >= loss)
			model_send(m, s, base, at, len);
		if (at + len > edge)
			edge = at + len;
		if (model_random(m, 4) == 0 && edge < m->len)
			edge += model_random(m, (uint32_t)(m->len - edge < 50 ? m->len - edge : 50));
	}
	const struct packet fin = {.tcp_flags = TCP_FIN | TCP_ACK,
		.tcp_seq = base + (uint32_t)m->len, .tcp_ack = 1};
	stream_segment(s, SIDE_SOURCE, &fin);
	stream_close(s, 0);
}

static void
test_random(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		struct stream_pool *pool =
		        stream_pool_create(&(struct stream_limits){.memory = 0}, &model_ops);
		struct model m = {.random = seed};
		model_run(&m, pool);
		assert_true(m.ended);
		assert_int_equal(m.had, m.len);
		for (size_t i = 0; i < m.len; i++)
			if (m.have[i] != m.want[i])
				fail_msg("seed %u: byte %zu is %d instead of %d", seed, i, m.have[i],
				        m.want[i]);
		stream_pool_destroy(pool);
	}
}

/* With little memory bytes can be given up, but never be wrong, and none is forgotten. */
static void
test_random_limited(void **state)
{
	(void)state;
	uint64_t given_up = 0;
	for (uint32_t seed = 1; seed <= 1000; seed++) {
		struct stream_pool *pool = stream_pool_create(
		        &(struct stream_limits){.memory = 1 + seed * 3, .per_stream = 1 + seed * 2},
		        &model_ops);
		struct model m = {.random = seed};
		model_run(&m, pool);
		assert_true(m.ended);
		assert_int_equal(m.had, m.len);
		for (size_t i = 0; i < m.len; i++)
			assert_true(m.have[i] == m.want[i] || m.have[i] == MISSING);
		given_up += counter(pool, "stream_memory");
		stream_pool_destroy(pool);
	}
	assert_true(given_up > 0);
}

/* Many segments in the worst order: the first one comes last, the others at random. */
static void
test_many_held(void **state)
{
	(void)state;
	enum { SEGMENTS = 100000, STEP = 7919 }; /* they have no common divisor */
	struct stream_pool *pool = stream_pool_create(&(struct stream_limits){.per_stream = 64 << 20}, &ops);
	struct sink k = {.last = -1};
	struct stream *s = stream_open(pool, &k);
	k.ignore = s; /* one entry is enough */
	stream_segment(s, SIDE_SOURCE, &(struct packet){.tcp_flags = TCP_SYN, .tcp_seq = 99});
	for (uint32_t i = 1; i <= SEGMENTS; i++) {
		const uint32_t place = (uint32_t)((uint64_t)i * STEP % SEGMENTS);
		const struct packet p = {.tcp_flags = TCP_ACK, .tcp_seq = 100 + place * 2, .tcp_ack = 1,
			.payload = (const uint8_t *)"ab", .payload_len = 2, .captured = 2};
		stream_segment(s, SIDE_SOURCE, &p);
	}
	assert_int_equal(counter(pool, "stream_held"), SEGMENTS - 1);
	assert_string_equal(k.text, ">ab");
	stream_close(s, 0);
	stream_pool_destroy(pool);
}

/* A hole that was acknowledged is given up when 256 KB behind it are held, at once in time. */
static void
test_hole_given_up(void **state)
{
	(void)state;
	enum { LEN = 1000, MOST = 300 };
	static const uint8_t bytes[LEN];
	struct stream_pool *pool = stream_pool_create(&(struct stream_limits){.memory = 0}, &ops);
	struct sink k = {.last = -1};
	struct script x = {.stream = stream_open(pool, &k), .ack = {501, 1001}};
	play(&x, SHAKE);
	k.ignore = x.stream; /* one entry is enough */
	uint32_t n = 0;
	while (k.len == 0 && n < MOST) {
		const struct packet p = {.tcp_flags = TCP_ACK, .tcp_seq = 1011 + n++ * LEN,
			.tcp_ack = 501, .payload = bytes, .payload_len = LEN, .captured = LEN};
		stream_segment(x.stream, SIDE_SOURCE, &p);
		if (n == 2)
			play(&x, "<501:2011");
	}
	assert_in_range(n, 240, 262);
	assert_int_equal(counter(pool, "stream_gap_bytes"), 10);
	stream_close(x.stream, 0);
	stream_pool_destroy(pool);
}

static void
assert_same_state(const struct stream *a, const struct stream *b)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct direction *x = &a->side[i], *y = &b->side[i];
		assert_int_equal(x->state, y->state);
		assert_int_equal(x->ignored, y->ignored);
		assert_int_equal(x->fin, y->fin);
		assert_int_equal(x->reset, y->reset);
		assert_int_equal(x->acked_any, y->acked_any);
		assert_int_equal(x->base, y->base);
		assert_int_equal(x->next, y->next);
		assert_int_equal(x->high, y->high);
		assert_int_equal(x->acked, y->acked);
		assert_null(x->disorder);
		assert_null(y->disorder);
	}
}

static void
assert_counted_nothing(struct stream_pool *pool)
{
	size_t n;
	const struct coverage_counter *c = stream_pool_counters(pool, &n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(c[i].count, 0);
}

/* After the first words of a handshake, and all of them once more, comes each of the rests. */
static void
test_handshake(void **state)
{
	static const char *const words[] = {">S4294967295", "<S500:0", ">0:501"};
	static const char *const rests[] = {
		"", ">0:501=abc <501:3=x >F3:502 <F502:4 >4:503", ">2:501=c <501=x <R502 >0:501=ab",
		"<S500:0 >0:501=a <501:1=x", "<S700:0 >0:701=a <701:1=x", "<R0:0", ">R0", ">S77 <S500:78 >78:501=a",
		"<501:0=x", ">5:501=f <501:6 @9 >6:501=g", ">F0:501", ">0:9=a >1:501=b", "<F501:0", ">B0:501=a <501:1",
	};
	(void)state;
	for (unsigned seen = 1; seen <= 3; seen++) {
		for (size_t i = 0; i < COUNT(rests); i++) {
			struct stream_pool *pool =
			        stream_pool_create(&(struct stream_limits){.memory = 0}, &ops);
			struct sink k[2] = {{.last = -1}, {.last = -1}};
			struct script x[2] = {
				{.stream = stream_open(pool, &k[0]), .ack = {501, 0}},
				{.stream = stream_open(pool, &k[1]), .ack = {501, 0}},
			};
			stream_handshake(x[0].stream, (const uint32_t[2]){UINT32_MAX, 500}, seen);
			for (unsigned w = 0; w < 2 * seen; w++) {
				segment(&x[1], words[w % seen]);
				if (w + 1 >= seen)
					assert_same_state(x[0].stream, x[1].stream);
			}
			assert_counted_nothing(pool);
			play(&x[0], rests[i]);
			play(&x[1], rests[i]);
			stream_close(x[0].stream, x[0].time);
			stream_close(x[1].stream, x[1].time);
			assert_string_equal(k[0].text, k[1].text);
			stream_pool_destroy(pool);
		}
	}
}

/* Streams come and go in any order; each is new. */
static void
test_many_open(void **state)
{
	(void)state;
	enum { STREAMS = 3000, ROUNDS = 3 };
	static struct stream *s[STREAMS];
	static struct sink k[STREAMS];
	struct stream_pool *pool = stream_pool_create(&(struct stream_limits){.memory = 0}, &ops);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t i = round; i < STREAMS; i += round + 1) {
			k[i] = (struct sink){.last = -1};
			s[i] = stream_open(pool, &k[i]);
			struct script x = {.stream = s[i], .ack = {501, 1001}};
			play(&x, SHAKE ">1001=a >1003=c <501:1002=x");
		}
		for (size_t i = STREAMS; i-- > 0;) {
			if (i % (round + 2) != (round + 1) % (round + 2) && round + 1 < ROUNDS)
				continue;
			stream_close(s[i], 0);
			assert_string_equal(k[i].text, ">a<x>(1)c");
		}
	}
	assert_int_equal(counter(pool, "stream_gaps"), 3000 + 1500 + 1000);
	stream_pool_destroy(pool);
}

/* What a direction needed in disorder goes when it is over. */
static void
test_calm_again(void **state)
{
	static const char *const scripts[] = {
		SHAKE ">1003=c >1001=ab", SHAKE ">1001=a <501:1003 >1002=b",
		SHAKE ">B1001=a >1001=a", SHAKE ">1001=a >B1002=b <501:1003 ",
		SHAKE ">F1003 >1001=ab", SHAKE ">1001=a <501:300001001 >1002=b <501:1003",
		">S1000=ab <S500:1003", ">S9000 >S1000 <S500:1001", SHAKE ">1003=c <501:1004 @3 >1004=d",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct stream_pool *pool = stream_pool_create(&(struct stream_limits){.memory = 0}, &ops);
		struct sink k = {.last = -1};
		struct script x = {.stream = stream_open(pool, &k), .ack = {501, 1001}};
		play(&x, scripts[i]);
		if (x.stream->side[0].disorder != NULL || x.stream->side[1].disorder != NULL)
			fail_msg("%s: still in disorder", scripts[i]);
		assert_int_equal(pool->used, 0);
		stream_close(x.stream, x.time);
		stream_pool_destroy(pool);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_ignore_inside),
		cmocka_unit_test(test_ignore_at_close),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_limited),
		cmocka_unit_test(test_many_held),
		cmocka_unit_test(test_hole_given_up),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_many_open),
		cmocka_unit_test(test_calm_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
