/* Checksums, and whom to believe. */
#include "config.h"

#include "decode/checksum.h"
#include "tests/unit/decode_check.h"

static const struct addr host = {.bytes = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}};

/* The example of RFC 1071 section 3: the sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2. */
static void
test_sum(void **state)
{
	const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	const uint8_t want[] = {0xdd, 0xf2};
	uint16_t sum;
	(void)state;

	sum = checksum_fold(checksum_add(0, bytes, sizeof bytes));
	assert_memory_equal(&sum, want, 2);
	sum = checksum_fold(checksum_add(checksum_add(0, bytes, 4), bytes + 4, 4));
	assert_memory_equal(&sum, want, 2);
}

/* A byte left over counts as if a zero followed. */
static void
test_odd(void **state)
{
	(void)state;
	for (size_t len = 0; len < 16; len++) {
		uint8_t odd[17] = {0};
		memset(odd, 0xa5, len);
		assert_int_equal(checksum_fold(checksum_add(0, odd, len)),
			checksum_fold(checksum_add(0, odd, sizeof odd)));
	}
}

static void
test_offload(void **state)
{
	struct senders *s = senders_create();
	(void)state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(
			senders_judge(s, &host, 6, CHECKSUM_IS_WRONG, false), CHECKSUM_OFFLOADED);
	assert_true(senders_offload(s));
	assert_int_equal(senders_judge(s, &host, 17, CHECKSUM_IS_RIGHT, false), CHECKSUM_RIGHT);
	senders_destroy(s);
}

/* One who computes them well and then sends a wrong one wants us to see what the receiver drops. */
static void
test_evasion(void **state)
{
	struct senders *s = senders_create();
	(void)state;

	for (int i = 0; i < 5; i++)
		assert_int_equal(
			senders_judge(s, &host, 6, CHECKSUM_IS_RIGHT, false), CHECKSUM_RIGHT);
	assert_int_equal(senders_judge(s, &host, 6, CHECKSUM_IS_WRONG, false), CHECKSUM_WRONG);
	assert_int_equal(senders_judge(s, &host, 6, CHECKSUM_IS_PARTIAL, false), CHECKSUM_WRONG);
	assert_false(senders_offload(s));
	/* But merged segments have partial ones, whoever sent them. */
	assert_int_equal(senders_judge(s, &host, 6, CHECKSUM_IS_PARTIAL, true), CHECKSUM_OFFLOADED);
	assert_int_equal(
		senders_judge(s, &host, 6, CHECKSUM_IS_PARTIAL, false), CHECKSUM_OFFLOADED);
	assert_int_equal(senders_judge(s, &host, 6, CHECKSUM_IS_WRONG, false), CHECKSUM_WRONG);
	senders_destroy(s);
}

/* More senders than the table holds: it forgets, and goes on. */
static void
test_many(void **state)
{
	struct senders *s = senders_create();
	(void)state;

	for (uint32_t i = 0; i < 70000; i++) {
		struct addr a = {.bytes = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
		assert_int_equal(senders_judge(s, &a, 6, CHECKSUM_IS_RIGHT, false), CHECKSUM_RIGHT);
	}
	senders_destroy(s);
}

/* As many senders as are remembered, and then one more: whatever the seed, all is learnt anew. */
static void
test_full(void **state)
{
	enum { OTHERS = 65535 };
	struct senders *s = senders_create();
	(void)state;

	for (int i = 0; i < 5; i++)
		senders_judge(s, &host, 6, CHECKSUM_IS_RIGHT, false);
	for (uint32_t i = 0; i <= OTHERS; i++) {
		struct addr a = {.bytes = {[12] = 1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
		if (i == OTHERS)
			assert_int_equal(
				senders_judge(s, &host, 6, CHECKSUM_IS_WRONG, false), CHECKSUM_WRONG);
		senders_judge(s, &a, 6, CHECKSUM_IS_RIGHT, false);
	}
	assert_int_equal(senders_judge(s, &host, 6, CHECKSUM_IS_WRONG, false), CHECKSUM_OFFLOADED);
	senders_destroy(s);
}

/* However many right ones came before: a few wrong ones do not make a sender one of offload. */
static void
test_long(void **state)
{
	struct senders *s = senders_create();
	(void)state;

	for (int i = 0; i < 1000000; i++)
		senders_judge(s, &host, 6, CHECKSUM_IS_RIGHT, false);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(
			senders_judge(s, &host, 6, CHECKSUM_IS_WRONG, false), CHECKSUM_WRONG);
	assert_false(senders_offload(s));
	/* Nor do protocols or the IP header speak for each other. */
	assert_int_equal(senders_judge(s, &host, 17, CHECKSUM_IS_WRONG, false), CHECKSUM_OFFLOADED);
	senders_destroy(s);
}

/* Findings in any order are judged as by plain counts, however late right ones are counted. */
static void
test_against_counts(void **state)
{
	enum { HOSTS = 50, STEPS = 50000 };
	static const uint8_t protocols[] = {SENDERS_IP_HEADER, 6, 17, 1};
	static unsigned right[HOSTS][4], wrong[HOSTS][4];
	struct senders *s = senders_create();
	uint32_t random = 1;
	bool offload = false;
	(void)state;

	for (int i = 0; i < STEPS; i++) {
		random = random * 1664525 + 1013904223;
		unsigned h = (random >> 24) % HOSTS, p = random >> 22 & 3;
		bool is_right = (random >> 10) % 100 < 40 + h;
		struct addr a = host;
		a.bytes[15] = (uint8_t)h;
		enum checksum_judgement want = CHECKSUM_RIGHT;
		if (is_right) {
			right[h][p]++;
		} else {
			want = right[h][p] > ++wrong[h][p] ? CHECKSUM_WRONG : CHECKSUM_OFFLOADED;
			offload |= want == CHECKSUM_OFFLOADED && wrong[h][p] >= 3 && p != 0;
		}
		assert_int_equal(senders_judge(s, &a, protocols[p],
					 is_right ? CHECKSUM_IS_RIGHT : CHECKSUM_IS_WRONG, false),
			want);
		assert_int_equal(senders_offload(s), offload);
	}
	senders_destroy(s);
}

/* Through the decoder: the packet is handed out, and marked. */
static void
test_marked(void **state)
{
	char out[4096] = "";
	size_t len;
	uint8_t *bytes = hex_bytes(TCP4, &len);
	(void)state;

	struct decoder *d = decoder_create(NULL, decode_note, out);
	for (int i = 0; i < 3; i++)
		decode_bytes(d, 101, bytes, len, len);
	out[0] = '\0';
	bytes[len - 1] ^= 0xff;
	decode_bytes(d, 101, bytes, len, len);
	assert_string_equal(out, "10.0.0.1:1000>10.0.0.2:80/6 4 bad\n");
	assert_int_equal(decode_counter(d, "checksum_transport"), 1);
	assert_false(decoder_saw_offload(d));
	decoder_destroy(d);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_offload),
		cmocka_unit_test(test_evasion),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_against_counts),
		cmocka_unit_test(test_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
