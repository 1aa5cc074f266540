#include "config.h"

/*
 * The flow table: small scripts of packets and the flows that they must leave, one
 * text a flow: history, end reason, flags (h handshake, m midstream), packets each way.
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
#include "flow/flow.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const char *const reasons[] = {
	"none", "fin", "rst", "timeout", "reuse", "shed", "capture",
};

struct log {
	char text[4096];
	size_t len;
	size_t begun, ended;
	char ids[64][RECORD_ID_MAX];
};

static void
on_begin(void *ctx, struct flow *f)
{
	struct log *log = ctx;
	struct flow_view v;
	flow_look(f, &v);
	assert_null(flow_attachment(f));
	flow_attach(f, log);
	log->begun++;
}

static void
on_end(void *ctx, struct flow *f)
{
	struct log *log = ctx;
	struct flow_record r;
	assert_ptr_equal(flow_attachment(f), log);
	flow_describe(f, &r);
	assert_true(r.end >= r.start);
	log->len += (size_t)snprintf(log->text + log->len, sizeof log->text - log->len,
	        "%s%s %s %s%s%d>%d", log->len > 0 ? " | " : "", r.history, reasons[r.end_reason],
	        r.handshake ? "h" : "", r.midstream ? "m" : "", (int)r.side[0].packets,
	        (int)r.side[1].packets);
	assert_true(log->len < sizeof log->text);
	for (size_t i = 0; i < log->ended && i < COUNT(log->ids); i++)
		assert_string_not_equal(log->ids[i], r.id);
	if (log->ended < COUNT(log->ids))
		memcpy(log->ids[log->ended], r.id, sizeof r.id);
	log->ended++;
}

static const struct flow_ops ops = {.begin = on_begin, .end = on_end};

static struct flow *
take(struct flow_table *t, const struct packet *p, enum side *from)
{
	struct flow_lookup lookup;
	flow_lookup_make(flow_table_key(t), p, &lookup);
	return flow_table_packet(t, p, &lookup, from);
}

/* A packet between two hosts; side '>' is from 192.0.2.9 port 4000 to 198.51.100.1 port 80. */
struct step {
	double time; /* s */
	char way;
	const char *flags; /* of S A F R P */
	uint32_t seq, ack;
	uint32_t payload;
	uint16_t window; /* 0: 1000; 1: none */
};

static struct packet
make_packet(uint8_t transport, const struct step *s, uint64_t frame)
{
	struct packet p = {
		.time = (int64_t)(s->time * 1e9) + 1000 * CLOCK_SECOND,
		.frame = frame,
		.ip_version = 4,
		.transport = transport,
		.tcp_seq = s->seq,
		.tcp_ack = s->ack,
		.tcp_window = s->window == 0 ? 1000 : 0,
		.payload_len = s->payload,
		.ip_bytes = 40 + s->payload,
		.fragments = 1,
	};
	const bool forth = s->way == '>';
	addr_parse("192.0.2.9", forth ? &p.src : &p.dst);
	addr_parse("198.51.100.1", forth ? &p.dst : &p.src);
	p.src_port = forth ? 4000 : 80;
	p.dst_port = forth ? 80 : 4000;
	static const char letters[] = "FSRPA";
	for (const char *c = s->flags; *c != '\0'; c++)
		p.tcp_flags |= (uint8_t)(1u << (strchr(letters, *c) - letters));
	return p;
}

static const struct {
	const char *name;
	const char *want;
	struct step steps[12]; /* to the first without a way */
} tcp_cases[] = {
	{"whole", "ShADdFf fin h4>3", {{0, '>', "S", 100, 0, 0, 0}, {0.1, '<', "SA", 500, 101, 0, 0},
		{0.2, '>', "A", 101, 501, 0, 0}, {0.3, '>', "PA", 101, 501, 10, 0},
		{0.4, '<', "PA", 501, 111, 20, 0}, {0.5, '>', "FA", 111, 521, 0, 0},
		{0.6, '<', "FA", 521, 112, 0, 0}}},
	{"syn-ack first", "hSA capture h2>1", {{0, '<', "SA", 500, 101, 0, 0},
		{0.1, '>', "S", 100, 0, 0, 0}, {0.2, '>', "A", 101, 501, 0, 0}}},
	{"late syn", "AS capture 2>0", {{0, '>', "A", 101, 501, 0, 0}, {0.1, '>', "S", 100, 0, 0, 0}}},
	{"syn again", "S capture 3>0", {{0, '>', "S", 100, 0, 0, 0}, {1, '>', "S", 100, 0, 0, 0},
		{3, '>', "S", 777, 0, 0, 0}}},
	{"syn again after the handshake", "ShAD capture h4>1", {{0, '>', "S", 100, 0, 0, 0},
		{0.1, '<', "SA", 500, 101, 0, 0}, {0.2, '>', "A", 101, 501, 0, 0},
		{0.3, '>', "S", 100, 0, 0, 0}, {0.4, '>', "A", 101, 501, 5, 0}}},
	{"refused", "Sr rst 1>1", {{0, '>', "S", 100, 0, 0, 0}, {0.1, '<', "RA", 0, 101, 0, 0}}},
	{"refused, same syn", "Sr rst 2>2", {{0, '>', "S", 100, 0, 0, 0},
		{0.1, '<', "RA", 0, 101, 0, 0}, {0.6, '>', "S", 100, 0, 0, 0},
		{0.7, '<', "RA", 0, 101, 0, 0}}},
	{"refused, another syn", "Sr reuse 1>1 | S capture 1>0", {{0, '>', "S", 100, 0, 0, 0},
		{0.1, '<', "RA", 0, 101, 0, 0}, {0.6, '>', "S", 200, 0, 0, 0}}},
	{"reuse of an open one", "ShA reuse h2>1 | Sh capture 1>1", {{0, '>', "S", 100, 0, 0, 0},
		{0.1, '<', "SA", 500, 101, 0, 0}, {0.2, '>', "A", 101, 501, 0, 0},
		{9, '>', "S", 900, 0, 0, 0}, {9.1, '<', "SA", 7000, 901, 0, 0}}},
	{"reuse at the same time", "Sr reuse 1>1 | S capture 1>0", {{0, '>', "S", 100, 0, 0, 0},
		{0, '<', "RA", 0, 101, 0, 0}, {0, '>', "S", 200, 0, 0, 0}}},
	{"the other end begins anew", "FfA reuse m2>1 | S capture 1>0",
		{{0, '>', "FA", 100, 500, 0, 0}, {0, '<', "FA", 500, 101, 0, 0},
		{0, '>', "A", 101, 501, 0, 0}, {1, '<', "S", 9, 0, 0, 0}}},
	{"both open at once", "SshHaA capture h3>3", {{0, '>', "S", 100, 0, 0, 0},
		{0.1, '<', "S", 500, 0, 0, 0}, {0.2, '<', "SA", 500, 101, 0, 0},
		{0.2, '>', "SA", 100, 501, 0, 0}, {0.3, '<', "A", 501, 101, 0, 0},
		{0.3, '>', "A", 101, 501, 0, 0}}},
	{"midstream", "Daw capture m1>2", {{0, '<', "PA", 1, 1, 5, 0}, {0, '>', "A", 1, 6, 0, 0},
		{0, '>', "A", 1, 6, 0, 1}}},
	{"reset that was none", "ShARD capture h4>1", {{0, '>', "S", 100, 0, 0, 0},
		{0.1, '<', "SA", 500, 101, 0, 0}, {0.2, '>', "A", 101, 501, 0, 0},
		{0.3, '>', "R", 101, 0, 0, 0}, {0.4, '>', "PA", 101, 501, 3, 0}}},
	{"forged refusal", "SrfRhAD capture h4>3", {{0, '>', "S", 100, 0, 0, 0},
		{0, '<', "RA", 0, 101, 0, 0}, {0, '<', "FA", 0, 101, 0, 0}, {0, '>', "R", 101, 0, 0, 0},
		{0.1, '<', "SA", 500, 101, 0, 0}, {0.2, '>', "A", 101, 501, 0, 0},
		{0.3, '>', "PA", 101, 501, 9, 0}}},
	{"one-way server, ports again", "hdf reuse 0>3 | h capture 0>1",
		{{0, '<', "SA", 500, 101, 0, 0}, {1, '<', "PA", 501, 111, 7, 0},
		{2, '<', "FA", 508, 111, 0, 0}, {3, '<', "SA", 900, 301, 0, 0}}},
	{"established idle", "A timeout m1>0 | A capture m1>0", {{0, '>', "A", 1, 1, 0, 0},
		{9000, '>', "A", 1, 1, 0, 0}}},
	{"opening idle", "S timeout 1>0 | S capture 1>0", {{0, '>', "S", 1, 0, 0, 0},
		{300, '>', "S", 1, 0, 0, 0}}},
	{"alive", "A capture m4>0", {{0, '>', "A", 1, 1, 0, 0}, {7000, '>', "A", 1, 1, 0, 0},
		{14000, '>', "A", 1, 1, 0, 0}, {21000, '>', "A", 1, 1, 0, 0}}},
	{"closed and over", "R rst m1>0 | S capture 1>0", {{0, '>', "R", 1, 1, 0, 0},
		{70, '>', "S", 1, 0, 0, 0}}},
};

static void
test_tcp(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tcp_cases); i++) {
		struct log log = {.len = 0};
		struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 0}, &ops, &log);
		for (size_t k = 0; k < COUNT(tcp_cases[i].steps) && tcp_cases[i].steps[k].way; k++) {
			const struct packet p = make_packet(IPPROTO_TCP, &tcp_cases[i].steps[k], k + 1);
			enum side from;
			assert_non_null(take(t, &p, &from));
		}
		flow_table_destroy(t);
		if (strcmp(log.text, tcp_cases[i].want) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", tcp_cases[i].name, log.text,
			        tcp_cases[i].want);
		assert_int_equal(log.begun, log.ended);
	}
}

static void
test_icmp(void **state)
{
	(void)state;
	struct log log = {.len = 0};
	struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 0}, &ops, &log);
	static const struct {
		char way;
		uint16_t type, code;
		enum side from;
	} rows[] = {
		{'>', 8, 0, SIDE_SOURCE}, {'<', 0, 0, SIDE_DESTINATION}, {'>', 8, 0, SIDE_SOURCE},
		{'<', 3, 3, SIDE_SOURCE}, {'>', 3, 3, SIDE_SOURCE},
		{'<', 14, 0, SIDE_SOURCE}, {'>', 13, 0, SIDE_DESTINATION},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct packet p = make_packet(IPPROTO_ICMP, &(struct step){.way = rows[i].way, .flags = ""}, i);
		p.src_port = rows[i].type;
		p.dst_port = rows[i].code;
		enum side from;
		const struct flow *f = take(t, &p, &from);
		struct flow_record r;
		struct flow_view v;
		flow_describe(f, &r);
		flow_look(f, &v);
		assert_int_equal(from, rows[i].from);
		assert_int_equal(v.port[from], rows[i].type); /* for the protocol; a record has no ports */
		assert_int_equal(r.side[0].port + r.side[1].port, 0);
		if (from == SIDE_SOURCE) {
			assert_int_equal(r.icmp_type, rows[i].type);
			assert_int_equal(r.icmp_code, rows[i].code);
		}
	}
	assert_int_equal(flow_table_count(t), 4);
	flow_table_destroy(t);
	assert_string_equal(log.text, "Dd capture 2>1 | D capture 1>0 | D capture 1>0 | Dd capture 1>1");
}

/* UDP packets of many clients to one server, port by port. */
static struct packet
udp_packet(unsigned client, double time, uint64_t frame)
{
	struct packet p = make_packet(IPPROTO_UDP, &(struct step){.time = time, .way = '>', .flags = ""},
	        frame);
	p.src_port = (uint16_t)client;
	p.src.bytes[13] = (uint8_t)(client >> 16);
	return p;
}

static void
test_record(void **state)
{
	(void)state;
	struct log log = {.len = 0};
	struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 0}, &ops, &log);
	struct packet p = udp_packet(5, 1, 7);
	p.flags = PACKET_MAC;
	memcpy(p.src_mac, "\2\0\0\0\0\1", 6);
	memcpy(p.dst_mac, "\2\0\0\0\0\2", 6);
	p.vlan[0] = 100;
	p.depth = 2;
	p.payload_len = 12;
	enum side from;
	struct flow *f = take(t, &p, &from);
	struct step answer = {.time = 2, .way = '<', .flags = "", .payload = 100};
	struct packet q = make_packet(IPPROTO_UDP, &answer, 9);
	q.dst = p.src;
	q.dst_port = 5;
	assert_ptr_equal(take(t, &q, &from), f);
	assert_int_equal(from, SIDE_DESTINATION);
	p.time -= CLOCK_SECOND / 2; /* late */
	p.frame = 10;
	assert_ptr_equal(take(t, &p, &from), f);

	struct flow_record r;
	flow_describe(f, &r);
	assert_int_equal(r.first_frame, 7);
	assert_int_equal(r.last_frame, 10);
	assert_int_equal(r.end - r.start, CLOCK_SECOND);
	assert_int_equal(r.depth, 2);
	assert_int_equal(r.vlan[0], 100);
	assert_int_equal(r.side[0].port, 5);
	assert_int_equal(r.side[1].port, 80);
	assert_true(r.side[0].has_mac);
	assert_int_equal(r.side[0].mac[5], 1);
	assert_int_equal(r.side[1].mac[5], 2);
	assert_int_equal(r.side[0].payload, 24);
	assert_int_equal(r.side[0].bytes, 80);
	assert_int_equal(r.side[1].bytes, 140);
	assert_int_equal(r.end_reason, FLOW_END_NONE);
	assert_non_null(r.facts);
	struct flow_view v;
	flow_look(f, &v);
	assert_true(v.two_way);
	flow_table_destroy(t);
}

/* The order of ends and their number do not depend on the hash's key; timers are packet time's. */
static void
test_order(void **state)
{
	(void)state;
	static struct log runs[2];
	for (size_t run = 0; run < 2; run++) {
		struct log *log = &runs[run];
		*log = (struct log){.len = 0};
		struct flow_table *t = flow_table_create(
		        &(struct flow_limits){.udp = 10 * CLOCK_SECOND}, &ops, log);
		enum side from;
		for (unsigned i = 0; i < 100; i++) {
			struct packet p = udp_packet(1 + i % 40, i < 60 ? i * 0.1 : 12.5 + i * 0.1, i);
			p.payload_len = i;
			assert_non_null(take(t, &p, &from));
		}
		assert_true(log->ended > 0);
		flow_table_flush(t);
		assert_int_equal(flow_table_count(t), 0);
		assert_int_equal(flow_table_total(t), log->ended);
		flow_table_destroy(t);
	}
	assert_string_equal(runs[0].text, runs[1].text);
	assert_memory_equal(runs[0].ids, runs[1].ids, sizeof runs[0].ids);
}

/* Time that goes back for a moment is late packets; for good, it is another capture. */
static void
test_time_back(void **state)
{
	(void)state;
	struct log log = {.len = 0};
	struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 0}, &ops, &log);
	enum side from;
	for (unsigned i = 0; i < 200; i++) {
		struct packet p = udp_packet(1, 100000 - (i % 2) * 3000.0, i);
		assert_non_null(take(t, &p, &from));
	}
	assert_int_equal(log.ended, 0);
	for (unsigned i = 0; i < 200; i++) {
		struct packet p = udp_packet(2, i, i);
		assert_non_null(take(t, &p, &from));
	}
	struct packet p = udp_packet(3, 200 + 140, 200);
	assert_non_null(take(t, &p, &from));
	assert_string_equal(log.text, "D timeout 200>0 | D timeout 200>0");
	flow_table_destroy(t);
}

struct talk {
	unsigned calls, seen;
	uint32_t isn[2];
};

static void
on_talk(void *ctx, struct flow *f, unsigned seen, const uint32_t isn[2])
{
	struct talk *talk = ctx;
	(void)f;
	talk->calls++;
	talk->seen = seen;
	memcpy(talk->isn, isn, sizeof talk->isn);
}

/* When a connection says more than a plain handshake, and what was seen of that before. */
static void
test_talk(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int seen; /* -1: it never talks */
		struct step steps[8];
	} rows[] = {
		{"a lone SYN", -1, {{0, '>', "S", 100, 0, 0, 0}}},
		{"SYNs sent again", -1, {{0, '>', "S", 100, 0, 0, 0}, {1, '>', "S", 100, 0, 0, 0}}},
		{"refused", -1, {{0, '>', "S", 100, 0, 0, 0}, {0, '<', "RA", 0, 101, 0, 0}}},
		{"a handshake and no more", -1, {{0, '>', "S", 100, 0, 0, 0}, {0, '<', "SA", 500, 101, 0, 0},
			{0, '<', "SA", 500, 101, 0, 0}, {0, '>', "A", 101, 501, 0, 0}, {0, '>', "A", 101, 501, 0, 0}}},
		{"data behind it", 3, {{0, '>', "S", 100, 0, 0, 0}, {0, '<', "SA", 500, 101, 0, 0},
			{0, '>', "A", 101, 501, 0, 0}, {0, '>', "PA", 101, 501, 5, 0}, {0, '<', "PA", 501, 106, 5, 0}}},
		{"the ACK brings data", 2, {{0, '>', "S", 100, 0, 0, 0}, {0, '<', "SA", 500, 101, 0, 0},
			{0, '>', "A", 101, 501, 9, 0}}},
		{"FIN", 3, {{0, '>', "S", 100, 0, 0, 0}, {0, '<', "SA", 500, 101, 0, 0}, {0, '>', "A", 101, 501, 0, 0},
			{0, '>', "FA", 101, 501, 0, 0}}},
		{"another initial number", 1, {{0, '>', "S", 100, 0, 0, 0}, {1, '>', "S", 200, 0, 0, 0}}},
		{"an ACK of something else", 1, {{0, '>', "S", 100, 0, 0, 0}, {0, '<', "SA", 500, 77, 0, 0}}},
		{"data with the SYN", 0, {{0, '>', "S", 100, 0, 10, 0}}},
		{"SYN-ACK first", 0, {{0, '<', "SA", 500, 101, 0, 0}}},
		{"midstream", 0, {{0, '>', "A", 900, 800, 0, 0}}},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct talk talk = {0};
		struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 0},
		        &(struct flow_ops){.talk = on_talk}, &talk);
		for (size_t k = 0; k < COUNT(rows[i].steps) && rows[i].steps[k].way; k++) {
			const struct packet p = make_packet(IPPROTO_TCP, &rows[i].steps[k], k + 1);
			enum side from;
			assert_non_null(take(t, &p, &from));
		}
		if (talk.calls != (rows[i].seen >= 0) || (rows[i].seen >= 0 && (int)talk.seen != rows[i].seen))
			fail_msg("%s: %u calls, %u seen", rows[i].name, talk.calls, talk.seen);
		if (rows[i].seen >= 1)
			assert_int_equal(talk.isn[SIDE_SOURCE], 100);
		if (rows[i].seen >= 2)
			assert_int_equal(talk.isn[SIDE_DESTINATION], 500);
		flow_table_destroy(t);
	}
}

/* What is charged to the table takes the place of flows, and gives it back. */
static void
test_charge(void **state)
{
	(void)state;
	struct log log = {.len = 0};
	struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 10 * 187}, &ops, &log);
	enum side from;
	flow_table_charge(t, 6 * 187);
	for (unsigned i = 0; i < 8; i++) {
		const struct packet p = udp_packet(i + 1, i * 0.1, i);
		assert_non_null(take(t, &p, &from));
	}
	assert_int_equal(flow_table_count(t), 4);
	flow_table_charge(t, 3 * 187); /* one place is left: two flows go for each that comes */
	for (unsigned i = 8; i < 12; i++) {
		const struct packet p = udp_packet(i + 1, i * 0.1, i);
		assert_non_null(take(t, &p, &from));
	}
	assert_int_equal(flow_table_count(t), 1);
	flow_table_charge(t, -9 * 187);
	for (unsigned i = 12; i < 32; i++) {
		const struct packet p = udp_packet(i + 1, i * 0.1, i);
		assert_non_null(take(t, &p, &from));
	}
	assert_int_equal(flow_table_count(t), 10);
	flow_table_destroy(t);
}

static void
on_each(void *ctx, struct flow *f)
{
	size_t *seen = ctx;
	assert_non_null(f);
	++*seen;
}

/* Every open flow once, in parts of any size, and none that ended. */
static void
test_each(void **state)
{
	(void)state;
	for (size_t part = 1; part < 60; part += 7) {
		struct log log = {.len = 0};
		struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 10 * 187}, &ops, &log);
		uint64_t cursor = 0;
		size_t seen = 0, calls = 1;
		enum side from;
		assert_false(flow_table_each(t, &cursor, part, on_each, &seen));
		assert_int_equal(seen, 0);
		for (unsigned i = 0; i < 32; i++) {
			const struct packet p = udp_packet(i + 1, i * 0.1, i);
			assert_non_null(take(t, &p, &from));
		}
		for (cursor = 0; flow_table_each(t, &cursor, part, on_each, &seen); calls++)
			assert_true(calls < 100);
		assert_int_equal(seen, flow_table_count(t));
		assert_int_equal(seen, 10);
		flow_table_destroy(t);
	}
}

static void
count_flow(void *ctx, struct flow *f)
{
	size_t *n = ctx;
	(void)f;
	++*n;
}

/* Full: lone flows go first, then the oldest; protected ones when nothing else is left, the one that was silent for longest. */
static void
test_limit(void **state)
{
	(void)state;
	struct log log = {.len = 0};
	struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = 4 * 187}, &ops, &log);
	enum side from;
	struct flow *kept[4];
	for (unsigned i = 0; i < 4; i++) {
		const struct packet p = udp_packet(i + 1, i * 0.1, i);
		kept[i] = take(t, &p, &from);
		assert_non_null(kept[i]);
	}
	/* 1 and 3 are no longer lone: 2 goes, then 4. */
	struct packet p = udp_packet(1, 1, 10);
	take(t, &p, &from);
	p = udp_packet(3, 1, 11);
	take(t, &p, &from);
	p = udp_packet(5, 2, 12);
	struct flow *five = take(t, &p, &from);
	assert_non_null(five);
	assert_string_equal(log.text, "D shed 1>0");
	flow_protect(kept[0]);
	flow_protect(five);
	assert_true(flow_protected(five));
	p = udp_packet(6, 2, 13);
	flow_protect(take(t, &p, &from));
	assert_string_equal(log.text, "D shed 1>0 | D shed 1>0");
	p = udp_packet(7, 2, 14);
	flow_protect(take(t, &p, &from));
	assert_string_equal(log.text, "D shed 1>0 | D shed 1>0 | D shed 2>0");
	p = udp_packet(8, 2, 15);
	assert_non_null(take(t, &p, &from));
	assert_string_equal(log.text, "D shed 1>0 | D shed 1>0 | D shed 2>0 | D shed 2>0");
	assert_int_equal(flow_table_count(t), 4);
	size_t n;
	const struct coverage_counter *c = flow_table_counters(t, &n);
	assert_string_equal(c[0].name, "flow_shed");
	assert_int_equal(c[0].count, 3);
	assert_string_equal(c[1].name, "flow_shed_listed");
	assert_int_equal(c[1].count, 1);
	flow_table_destroy(t);
}

/* What hangs on flows has grown: as many go as it takes, with the next packet of any. A flood's memory is there for others. */
static void
test_charge_grows(void **state)
{
	(void)state;
	enum { FLOWS = 40000, MEMORY = FLOWS * 187 };
	struct log log = {.len = 0};
	const struct flow_ops quiet = {0};
	struct flow_table *t = flow_table_create(&(struct flow_limits){.memory = MEMORY}, &quiet, &log);
	enum side from;
	struct packet p;
	for (unsigned i = 0; i < FLOWS; i++) {
		p = udp_packet(i % 60000 + 1, i * 1e-6, i);
		assert_non_null(take(t, &p, &from));
	}
	assert_int_equal(flow_table_count(t), FLOWS);
	flow_table_charge(t, MEMORY - 50 * 187);
	for (unsigned i = 0; flow_table_count(t) > 50; i++) {
		p = udp_packet(FLOWS, 1, FLOWS + i); /* the newest of them */
		assert_non_null(take(t, &p, &from));
		assert_true(i < FLOWS / 60);
	}
	uint64_t cursor = 0;
	while (flow_table_each(t, &cursor, 10000, count_flow, &log.len)) {
	}
	assert_int_equal(log.len, 50);
	flow_table_charge(t, -(MEMORY - 50 * 187));
	for (unsigned i = 0; i < FLOWS; i++) {
		p = udp_packet(i % 60000 + 1, 2 + i * 1e-6, 2 * FLOWS + i);
		assert_non_null(take(t, &p, &from));
	}
	assert_int_equal(flow_table_count(t), FLOWS);
	flow_table_destroy(t);
}

/* Many flows that come and go: the index grows, is cleaned of deleted entries and loses none. */
static void
test_many(void **state)
{
	(void)state;
	enum { CLIENTS = 60000, PACKETS = 400000 };
	struct flow_table *t = flow_table_create(&(struct flow_limits){.udp = CLOCK_SECOND},
	        &(struct flow_ops){.begin = NULL}, NULL);
	static double last[CLIENTS];
	static uint64_t count[CLIENTS];
	uint32_t random = 1;
	enum side from;
	for (unsigned i = 0; i < PACKETS; i++) {
		random = random * 1664525 + 1013904223;
		const unsigned client = (random >> 8) % CLIENTS;
		const double now = i * 0.00001;
		const struct packet p = udp_packet(client, now, i);
		struct flow *f = take(t, &p, &from);
		struct flow_view v;
		assert_non_null(f);
		flow_look(f, &v);
		assert_int_equal(v.port[0], client & 0xffff);
		struct flow_record r;
		flow_describe(f, &r);
		if (count[client] > 0 && now - last[client] < 0.99)
			count[client]++;
		else if (count[client] > 0 && now - last[client] < 1.14)
			count[client] = r.side[0].packets; /* may or may not have ended */
		else
			count[client] = 1;
		last[client] = now;
		assert_int_equal(r.side[0].packets, count[client]);
	}
	assert_true(flow_table_total(t) > CLIENTS);
	flow_table_destroy(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_time_back),
		cmocka_unit_test(test_talk),
		cmocka_unit_test(test_each), cmocka_unit_test(test_charge),
		cmocka_unit_test(test_limit), cmocka_unit_test(test_charge_grows),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
