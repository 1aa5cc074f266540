/* Copies that a tap makes, and what looks like them: retransmissions, datagrams that say the same. */
#include "config.h"

#include "base/clock.h"
#include "tests/unit/decode_check.h"

enum { MICROSECOND = 1000, FRAME_ROOM = 128, STEPS_MAX = 12 };

/* A frame with an IP packet, as far as rows tell them apart. */
struct sample {
	int64_t at;       /* ns after the first one */
	uint8_t version;  /* 4 or 6 */
	uint8_t protocol; /* 6, 17, or 0: the second fragment of a datagram */
	uint16_t id;
	uint8_t ttl;      /* 0: 64 */
	uint8_t tos;
	uint16_t vlan;    /* 0: no tag */
	uint8_t mac;      /* the last byte of the source's */
	uint8_t interface;
	uint8_t tag;      /* a byte of the payload */
	uint8_t bare;     /* TCP header and nothing else */
	uint8_t host;     /* the last byte of the source address; 0: 1 */
};

struct row {
	const char *name;
	struct sample sample[STEPS_MAX];
	size_t count;
	unsigned copies[DUPLICATE_KINDS];
};

#define TCP4_ID(number) .version = 4, .protocol = 6, .id = number
#define UDP4_ID(number) .version = 4, .protocol = 17, .id = number
#define TCP6            .version = 6, .protocol = 6
#define UDP6_SAME       .version = 6, .protocol = 17
#define SAME            {[DUPLICATE_SAME] = 1}

/* 1 in 2 packets is like an earlier one: what could be either is a copy. */
static const struct row copies[] = {
	{"at once", {{0, TCP4_ID(7)}, {0, TCP4_ID(7)}}, 2, SAME},
	{"TCP", {{0, TCP4_ID(7)}, {20 * MICROSECOND, TCP4_ID(7)}}, 2, SAME},
	{"UDP", {{0, UDP4_ID(7)}, {500 * MICROSECOND, UDP4_ID(7)}}, 2, SAME},
	{"at the window's end", {{0, UDP4_ID(7)}, {2000 * MICROSECOND, UDP4_ID(7)}}, 2, SAME},
	{"earlier, by another ring", {{90 * MICROSECOND, UDP4_ID(7)}, {0, UDP4_ID(7)}}, 2, SAME},
	{"identification 0", {{0, TCP4_ID(0)}, {20 * MICROSECOND, TCP4_ID(0)}}, 2, SAME},
	{"IPv6", {{0, TCP6}, {20 * MICROSECOND, TCP6}}, 2, SAME},
	{"IPv6, UDP", {{0, UDP6_SAME}, {20 * MICROSECOND, UDP6_SAME}}, 2, SAME},
	{"fragments", {{0, .version = 4, .id = 7}, {9, .version = 4, .id = 7}}, 2, SAME},
	{"another VLAN", {{0, TCP4_ID(7), .vlan = 10}, {9, TCP4_ID(7), .vlan = 20}}, 2,
		{[DUPLICATE_VLAN] = 1}},
	{"with a tag and without", {{0, TCP4_ID(7)}, {9, TCP4_ID(7), .vlan = 20}}, 2,
		{[DUPLICATE_VLAN] = 1}},
	{"routed", {{0, TCP4_ID(7)}, {9, TCP4_ID(7), .ttl = 63, .mac = 9, .vlan = 3}}, 2,
		{[DUPLICATE_ROUTED] = 1}},
	{"routed, IPv6", {{0, TCP6}, {9, TCP6, .ttl = 63, .mac = 9}}, 2, {[DUPLICATE_ROUTED] = 1}},
	{"other MAC addresses", {{0, TCP4_ID(7)}, {9, TCP4_ID(7), .mac = 9}}, 2,
		{[DUPLICATE_LINK] = 1}},
	{"another interface", {{0, TCP4_ID(7)}, {9, TCP4_ID(7), .interface = 1}}, 2,
		{[DUPLICATE_LINK] = 1}},
	{"marked by a switch", {{0, TCP4_ID(7)}, {9, TCP4_ID(7), .tos = 0xb9}}, 2, SAME},
	{"four times, in two VLANs",
		{{0, TCP4_ID(7), .vlan = 1}, {9, TCP4_ID(7), .vlan = 1}, {12, TCP4_ID(7), .vlan = 2},
			{15, TCP4_ID(7), .vlan = 2}},
		4, {[DUPLICATE_SAME] = 1, [DUPLICATE_VLAN] = 2}},
	{"acknowledged, among what tells",
		{{0, TCP4_ID(7)}, {1, TCP6, .bare = 1}, {2, TCP4_ID(7)}, {3, TCP6, .bare = 1}}, 4,
		{[DUPLICATE_SAME] = 2}},
	{"acknowledged with a number",
		{{0, TCP4_ID(7), .bare = 1}, {9, TCP4_ID(7), .bare = 1}}, 2, SAME},
	{"others between",
		{{0, TCP4_ID(7)}, {1, TCP4_ID(8)}, {2, UDP4_ID(9)}, {3, TCP4_ID(7)}, {4, TCP4_ID(8)},
			{5, UDP4_ID(9)}},
		6, {[DUPLICATE_SAME] = 3}},
};

static const struct row others[] = {
	{"a retransmission with a number of its own", {{0, TCP4_ID(7)}, {50000, TCP4_ID(8)}}, 2, {0}},
	{"a retransmission without one", {{0, TCP4_ID(0)}, {200000 * MICROSECOND, TCP4_ID(0)}}, 2, {0}},
	{"a retransmission, IPv6", {{0, TCP6}, {3000 * MICROSECOND, TCP6}}, 2, {0}},
	{"just outside the window", {{0, UDP4_ID(7)}, {2000 * MICROSECOND + 1, UDP4_ID(7)}}, 2, {0}},
	{"a question asked again", {{0, UDP4_ID(0)}, {5000 * MICROSECOND, UDP4_ID(0)}}, 2, {0}},
	{"another payload, the same checksum", {{0, UDP4_ID(7)}, {9, UDP4_ID(7), .tag = 1}}, 2, {0}},
	{"acknowledged twice", {{0, TCP4_ID(0), .bare = 1}, {9, TCP4_ID(0), .bare = 1}}, 2, {0}},
	{"acknowledged twice, IPv6", {{0, TCP6, .bare = 1}, {9, TCP6, .bare = 1}}, 2, {0}},
	{"another sender", {{0, UDP4_ID(7)}, {9, UDP4_ID(7), .host = 9}}, 2, {0}},
	{"another protocol", {{0, UDP4_ID(7)}, {9, .version = 4, .protocol = 136, .id = 7}}, 2, {0}},
};

static unsigned put_ip(uint8_t *to, const struct sample *s, unsigned payload);
static void send_sample(struct decoder *d, const struct sample *s);

static void
on_any(void *ctx, const struct packet *p)
{
	unsigned *packets = ctx;
	(void)p;
	++*packets;
}

static struct decoder *
decoder_that_looks(int64_t window, unsigned *packets)
{
	const struct decoder_limits limits = {.drop_duplicates = true, .duplicate_window = window};
	return decoder_create(&limits, on_any, packets);
}

static uint64_t
copies_of(const struct decoder *d)
{
	const uint64_t *counts = decoder_duplicates(d);
	uint64_t sum = 0;
	for (size_t i = 0; i < DUPLICATE_KINDS; i++)
		sum += counts[i];
	return sum;
}

/* Payload of the IP packet: 48 bytes, whose checksum field stays the same whatever tag is. */
static void
send_sample(struct decoder *d, const struct sample *s)
{
	enum { PAYLOAD = 48, TCP_HEADER = 20 };
	uint8_t bytes[FRAME_ROOM] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, s->mac};
	unsigned at = 12;

	if (s->vlan != 0) {
		bytes[at++] = 0x81;
		bytes[at++] = 0;
		bytes[at++] = (uint8_t)(s->vlan >> 8);
		bytes[at++] = (uint8_t)s->vlan;
	}
	bytes[at++] = s->version == 4 ? 0x08 : 0x86;
	bytes[at++] = s->version == 4 ? 0x00 : 0xdd;
	const unsigned len = s->bare ? TCP_HEADER : PAYLOAD;
	at += put_ip(bytes + at, s, len);
	uint8_t *payload = bytes + at;
	const unsigned frame_len = at + len;
	payload[0] = 3, payload[1] = 0xe8, payload[3] = 80;
	if (s->protocol == 6)
		payload[12] = 0x50, payload[13] = 0x10;
	else
		payload[5] = PAYLOAD;
	payload[PAYLOAD - 2] = s->tag; /* the checksum stays what it is */
	payload[PAYLOAD - 4] = (uint8_t)(9 - s->tag);
	const struct frame f = {
		.time = CLOCK_SECOND + s->at,
		.data = bytes,
		.caplen = frame_len,
		.len = frame_len,
		.number = 1,
		.interface = s->interface,
		.link = 1,
	};
	decoder_frame(d, &f);
}

static unsigned
put_ip(uint8_t *to, const struct sample *s, unsigned payload)
{
	const uint8_t ttl = s->ttl != 0 ? s->ttl : 64, host = s->host != 0 ? s->host : 1;

	if (s->version == 4) {
		const uint8_t ip[20] = {0x45, s->tos, 0, (uint8_t)(20 + payload), (uint8_t)(s->id >> 8),
			(uint8_t)s->id, s->protocol == 0 ? 0 : 0x40, s->protocol == 0 ? 9 : 0, ttl,
			s->protocol, 0, 0, 10, 0, 0, host, 10, 0, 0, 2};
		memcpy(to, ip, sizeof ip);
		return sizeof ip;
	}
	const uint8_t ip[40] = {0x60, 0, 0, 5, 0, (uint8_t)payload, s->protocol, ttl, 0x20, 1, 0x0d, 0xb8,
		[23] = host, [24] = 0x20, [25] = 1, [26] = 0x0d, [27] = 0xb8, [39] = 2};
	memcpy(to, ip, sizeof ip);
	return sizeof ip;
}

static void
check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned packets = 0;
		struct decoder *d = decoder_that_looks(0, &packets);
		for (size_t k = 0; k < rows[i].count; k++)
			send_sample(d, &rows[i].sample[k]);
		const uint64_t *counts = decoder_duplicates(d);
		for (size_t k = 0; k < DUPLICATE_KINDS; k++)
			if (counts[k] != rows[i].copies[k])
				fail_msg("%s: %u copies of kind %zu", rows[i].name, (unsigned)counts[k], k);
		if (rows[i].sample[0].protocol != 0 && packets + copies_of(d) != rows[i].count)
			fail_msg("%s: %u packets", rows[i].name, packets);
		decoder_destroy(d);
	}
}

static void
test_copies(void **state)
{
	(void)state;
	check(copies, sizeof copies / sizeof copies[0]);
}

static void
test_others(void **state)
{
	(void)state;
	check(others, sizeof others / sizeof others[0]);
}

/* Not asked for, there are none. */
static void
test_off(void **state)
{
	unsigned packets = 0;
	struct decoder *d = decoder_create(NULL, on_any, &packets);
	(void)state;

	send_sample(d, &copies[1].sample[0]);
	send_sample(d, &copies[1].sample[1]);
	assert_int_equal(packets, 2);
	assert_null(decoder_duplicates(d));
	decoder_destroy(d);
}

/*
 * A tap that makes no copies: what a sender that does not number its packets says twice in the window is kept, be it
 * IPv4 or 6, TCP or UDP; what can't be its own doing is a copy all the same.
 */
static void
test_clean_tap(void **state)
{
	static const struct sample twice[] = {
		{0, UDP4_ID(0)}, {0, TCP4_ID(0)}, {0, UDP6_SAME}, {0, TCP6}};
	unsigned packets = 0;
	struct decoder *d = decoder_that_looks(0, &packets);
	int64_t now = 0;
	(void)state;

	for (int round = 0; round < 200; round++) {
		for (uint16_t i = 0; i < 100; i++)
			send_sample(d, &(struct sample){now += 300 * MICROSECOND, TCP4_ID((uint16_t)(i + 1)), .tag = 3});
		for (int again = 0; again < 2; again++) {
			struct sample s = twice[round % 4];
			s.at = now += 300 * MICROSECOND;
			send_sample(d, &s);
		}
	}
	assert_int_equal(copies_of(d), 0);
	assert_int_equal(packets, 200 * 102);
	send_sample(d, &(struct sample){now + 10, UDP4_ID(0), .ttl = 63});
	send_sample(d, &(struct sample){now + 20, TCP4_ID(100), .tag = 3});
	assert_int_equal(copies_of(d), 1); /* the first is of another round: more than 2 ms ago */
	decoder_destroy(d);
}

/* Some stacks send bare acknowledgements twice, at once: however many, they make no tap one that copies. */
static void
test_acknowledgements(void **state)
{
	enum { ROUNDS = 5000 };
	unsigned packets = 0;
	struct decoder *d = decoder_that_looks(0, &packets);
	(void)state;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const int64_t at = i * INT64_C(3000) * MICROSECOND;
		send_sample(d, &(struct sample){at, TCP4_ID((uint16_t)(i | 1))});
		for (int again = 0; again < 3; again++)
			send_sample(d, &(struct sample){at + again, TCP4_ID(0), .bare = 1});
	}
	assert_int_equal(packets, 4 * ROUNDS);
	assert_int_equal(copies_of(d), 0);
	decoder_destroy(d);
}

/* As many packets as are remembered lie between, and then one more: whatever the keys, it is the same. */
static void
test_many(void **state)
{
	enum { REMEMBERED = 4096 };
	(void)state;

	for (unsigned run = 0; run < 8; run++) {
		unsigned packets = 0;
		struct decoder *d = decoder_that_looks(0, &packets);
		send_sample(d, &(struct sample){0, TCP4_ID(1)});
		for (uint16_t i = 1; i < REMEMBERED; i++)
			send_sample(d, &(struct sample){i, TCP4_ID((uint16_t)(i + 1))});
		send_sample(d, &(struct sample){REMEMBERED, TCP4_ID(1)});
		assert_int_equal(copies_of(d), 1);
		send_sample(d, &(struct sample){REMEMBERED, TCP4_ID(9999)});
		send_sample(d, &(struct sample){REMEMBERED, TCP4_ID(1)});
		assert_int_equal(copies_of(d), 1);
		for (uint16_t i = 2; i < REMEMBERED; i++)
			send_sample(d, &(struct sample){i, UDP4_ID(i), .host = 9});
		assert_int_equal(copies_of(d), 1);
		decoder_destroy(d);
	}
}

/* All packets of a long run come twice, 300 packets later. */
static void
test_long(void **state)
{
	enum { LATE = 300, STEPS = 200000 };
	unsigned packets = 0;
	struct decoder *d = decoder_that_looks(0, &packets);
	(void)state;

	for (uint32_t i = 0; i < STEPS + LATE; i++) {
		const uint32_t then = i - LATE;
		if (i < STEPS)
			send_sample(d, &(struct sample){i * 2000, UDP4_ID((uint16_t)(i * 7 | 1)), .host = (uint8_t)(i | 1)});
		if (i >= LATE)
			send_sample(d, &(struct sample){i * 2000, UDP4_ID((uint16_t)(then * 7 | 1)), .host = (uint8_t)(then | 1)});
	}
	assert_int_equal(packets, STEPS);
	assert_int_equal(copies_of(d), STEPS);
	decoder_destroy(d);
}

static void
test_window(void **state)
{
	unsigned packets = 0;
	struct decoder *d = decoder_that_looks(CLOCK_SECOND, &packets);
	(void)state;

	send_sample(d, &(struct sample){0, TCP4_ID(1)});
	for (uint16_t i = 2; i < 60000; i++)
		send_sample(d, &(struct sample){i, TCP4_ID(i)});
	send_sample(d, &(struct sample){CLOCK_SECOND, TCP4_ID(1)});
	assert_int_equal(copies_of(d), 1);
	decoder_destroy(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_clean_tap),
		cmocka_unit_test(test_acknowledgements),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
