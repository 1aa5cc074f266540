/* Shares of an interface: each frame is exactly one reader's, both ways between two hosts the same one's; by libpcap, and by the kernel. */
#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "capture/share.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ETHERNET = 1, SLL = 113, RAW = 101, ALL = 65535, FRAME_MAX = 128, SHARES_MAX = 16 };

struct shares {
	unsigned count;
	struct bpf_insn program[SHARES_MAX][SHARE_ROOM + 1];
	size_t len[SHARES_MAX];
};

static void
make(struct shares *s, unsigned count, uint16_t link, uint32_t key)
{
	s->count = count;
	for (unsigned i = 0; i < count; i++) {
		const struct share share = {.index = i, .count = count, .key = {key, key * 77}};
		s->len[i] = share_program(&share, link, s->program[i]);
		assert_true(s->len[i] > 0 && s->len[i] <= SHARE_ROOM);
		s->program[i][s->len[i]++] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_K, ALL);
		assert_true(bpf_validate(s->program[i], (int)s->len[i]));
	}
}

/* Whose it is; -1: nobody's, or more than one's. */
static int
whose(const struct shares *s, const uint8_t *frame, size_t len)
{
	int found = -1;
	uint8_t *copy = malloc(len + (len == 0)); /* no byte behind it may be read */
	assert_non_null(copy);
	memcpy(copy, frame, len);
	for (unsigned i = 0; i < s->count; i++) {
		const unsigned result = bpf_filter(s->program[i], copy, (unsigned)len, (unsigned)len);
		assert_true(result == 0 || result == ALL);
		if (result == ALL && found >= 0)
			fail_msg("frame of %zu bytes: %d's and %u's", len, found, i);
		if (result == ALL)
			found = (int)i;
	}
	free(copy);
	return found;
}

/* An Ethernet frame (link RAW: without its header) between two addresses of 4 or 16 bytes, with tags. */
static size_t
frame_make(uint8_t *out, uint16_t link, const uint16_t *tags, size_t tag_count, const uint8_t *from, const uint8_t *to,
        size_t size, uint8_t salt)
{
	size_t n = 0;
	memset(out, salt, FRAME_MAX);
	if (link == ETHERNET) {
		n = 12;
		for (size_t i = 0; i < tag_count; i++, n += 4) {
			out[n] = (uint8_t)(tags[i] >> 8);
			out[n + 1] = (uint8_t)tags[i];
		}
		out[n] = size == 4 ? 0x08 : 0x86;
		out[n + 1] = size == 4 ? 0x00 : 0xdd;
		n += 2;
	}
	out[n] = size == 4 ? 0x45 : 0x60;
	memcpy(out + n + (size == 4 ? 12 : 8), from, size);
	memcpy(out + n + (size == 4 ? 16 : 24), to, size);
	return n + (size == 4 ? 20 : 40) + salt % 8;
}

static void
pair(unsigned number, size_t size, uint8_t *a, uint8_t *b)
{
	memset(a, 0x20, size);
	memset(b, 0x20, size);
	a[size - 1] = (uint8_t)number;
	a[size - 2] = (uint8_t)(number >> 8);
	b[size - 1] = (uint8_t)(200 - number); /* as pairs in step with each other have it */
	b[0] = 203;
}

static void
test_both_ways(void **state)
{
	static const uint16_t tags[][2] = {{0}, {0x8100}, {0x88a8, 0x8100}, {0x9100, 0x8100}, {0x8100, 0x8100}};
	static const size_t counts[] = {0, 1, 2, 2, 2};
	static struct shares s;
	uint8_t frame[FRAME_MAX], a[16], b[16];
	(void)state;
	for (unsigned count = 2; count <= SHARES_MAX; count++) {
		make(&s, count, ETHERNET, 0x9e3779b9 * count);
		for (unsigned n = 0; n < 200; n++) {
			for (size_t size = 4; size <= 16; size += 12) {
				pair(n, size, a, b);
				size_t len = frame_make(frame, ETHERNET, NULL, 0, a, b, size, 0);
				const int first = whose(&s, frame, len);
				assert_true(first >= 0);
				for (size_t t = 0; t < COUNT(tags); t++) {
					len = frame_make(frame, ETHERNET, tags[t], counts[t], a, b, size, (uint8_t)n);
					assert_int_equal(whose(&s, frame, len), first);
					len = frame_make(frame, ETHERNET, tags[t], counts[t], b, a, size, (uint8_t)(n * 3));
					assert_int_equal(whose(&s, frame, len), first);
				}
			}
		}
	}
}

static void
test_bare_ip(void **state)
{
	static struct shares s, ethernet;
	uint8_t frame[FRAME_MAX], a[16], b[16];
	(void)state;
	make(&s, 4, RAW, 5);
	make(&ethernet, 4, ETHERNET, 5);
	for (unsigned n = 0; n < 200; n++) {
		for (size_t size = 4; size <= 16; size += 12) {
			pair(n, size, a, b);
			size_t len = frame_make(frame, RAW, NULL, 0, a, b, size, 1);
			const int first = whose(&s, frame, len);
			len = frame_make(frame, RAW, NULL, 0, b, a, size, 6);
			assert_int_equal(whose(&s, frame, len), first);
			len = frame_make(frame, ETHERNET, NULL, 0, b, a, size, 6);
			assert_int_equal(whose(&ethernet, frame, len), first);
		}
	}
}

/* Whatever the addresses have in common, and whatever the key: nobody's share is twice another one's. */
static void
test_even(void **state)
{
	enum { PAIRS = 4000 };
	static struct shares s;
	uint8_t frame[FRAME_MAX], a[16], b[16];
	(void)state;
	for (unsigned count = 2; count <= 8; count *= 2) {
		for (size_t size = 4; size <= 16; size += 12) {
			for (uint32_t key = 0; key < 20; key++) {
				unsigned had[SHARES_MAX] = {0};
				make(&s, count, ETHERNET, key * 0x01000193);
				for (unsigned n = 0; n < PAIRS; n++) {
					pair(n, size, a, b);
					had[whose(&s, frame, frame_make(frame, ETHERNET, NULL, 0, a, b, size, 9))]++;
				}
				for (unsigned i = 0; i < count; i++)
					if (had[i] < PAIRS / count * 3 / 4 || had[i] > PAIRS / count * 4 / 3)
						fail_msg("share %u of %u had %u of %u pairs, key %u", i, count, had[i], PAIRS, key);
			}
		}
	}
}

/* Nobody knows the key, so nobody knows whose. */
static void
test_keyed(void **state)
{
	static struct shares s, other;
	uint8_t frame[FRAME_MAX], a[16], b[16];
	unsigned same = 0;
	(void)state;
	make(&s, 2, ETHERNET, 1);
	make(&other, 2, ETHERNET, 0xdeadbeef);
	for (unsigned n = 0; n < 1000; n++) {
		pair(n, 4, a, b);
		const size_t len = frame_make(frame, ETHERNET, NULL, 0, a, b, 4, 0);
		same += whose(&s, frame, len) == whose(&other, frame, len);
	}
	assert_in_range(same, 400, 600);
}

/* What has no pair is the first one's: other EtherTypes, three tags, and each frame that ends before its addresses do. */
static void
test_others(void **state)
{
	static const uint16_t tags[] = {0x8100, 0x8100, 0x8100};
	static const uint16_t types[] = {0x0806, 0x8847, 0x8864, 0x0000, 0x0101, 0xffff};
	static struct shares s;
	uint8_t frame[FRAME_MAX], a[16], b[16];
	(void)state;
	make(&s, 3, ETHERNET, 12345);
	for (unsigned n = 0; n < 50; n++) {
		for (size_t size = 4; size <= 16; size += 12) {
			pair(n, size, a, b);
			for (size_t tag_count = 0; tag_count <= 3; tag_count++) {
				const size_t len = frame_make(frame, ETHERNET, tags, tag_count, a, b, size, 16);
				const int whole = whose(&s, frame, len);
				assert_true(tag_count < 3 || whole == 0);
				for (size_t k = 0; k <= len; k++)
					assert_int_equal(whose(&s, frame, k), k < len ? 0 : whole);
			}
			for (size_t t = 0; t < COUNT(types); t++) {
				frame_make(frame, ETHERNET, NULL, 0, a, b, size, 0);
				frame[12] = (uint8_t)(types[t] >> 8);
				frame[13] = (uint8_t)types[t];
				assert_int_equal(whose(&s, frame, 60), 0);
			}
		}
	}
	make(&s, 3, SLL, 12345);
	assert_int_equal(whose(&s, frame, 60), 0);
	assert_int_equal(whose(&s, frame, 0), 0);
	make(&s, 3, RAW, 12345);
	for (size_t k = 0; k <= 20; k++)
		assert_int_equal(whose(&s, frame + 14 + 1, k), 0); /* of no version */
}

static void
test_alone(void **state)
{
	struct bpf_insn program[SHARE_ROOM];
	(void)state;
	assert_int_equal(share_program(&(struct share){0}, ETHERNET, program), 0);
	assert_int_equal(share_program(&(struct share){.count = 1}, ETHERNET, program), 0);
}

/* The kernel's own machine, which translates the program: on datagrams that are frames. */
static void
test_kernel(void **state)
{
	static struct shares s;
	uint8_t frame[FRAME_MAX], got[FRAME_MAX], a[16], b[16];
	(void)state;
	make(&s, 4, ETHERNET, 99);
	for (unsigned i = 0; i < s.count; i++) {
		struct sock_filter code[SHARE_ROOM + 1];
		struct sock_fprog program = {.len = (unsigned short)s.len[i], .filter = code};
		int fd[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
		for (size_t k = 0; k < s.len[i]; k++)
			code[k] = (struct sock_filter){s.program[i][k].code, s.program[i][k].jt, s.program[i][k].jf,
			        s.program[i][k].k};
		assert_int_equal(setsockopt(fd[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
		for (unsigned n = 0; n < 300; n++) {
			static const uint16_t tags[] = {0x88a8, 0x8100};
			const size_t size = n % 2 ? 4 : 16;
			pair(n, size, a, b);
			size_t len = frame_make(frame, ETHERNET, tags, n % 3, a, b, size, (uint8_t)n);
			len -= n % 5 == 0 ? n % 34 : 0;
			const bool mine = whose(&s, frame, len) == (int)i;
			(void)send(fd[0], frame, len, 0); /* a filter that refuses one makes an error of it, or does not */
			assert_int_equal(recv(fd[1], got, sizeof got, 0) == (ssize_t)len, mine);
		}
		close(fd[0]);
		close(fd[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways), cmocka_unit_test(test_bare_ip), cmocka_unit_test(test_even),
		cmocka_unit_test(test_keyed), cmocka_unit_test(test_others), cmocka_unit_test(test_alone),
		cmocka_unit_test(test_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
