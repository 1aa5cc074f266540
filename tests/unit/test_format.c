/* pcap and pcapng, byte by byte: what they say, in either byte order, and what is wrong with them.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "capture/source.h"
#include "capture/tsresol.h"
#include "tests/unit/hex.h"

enum { OUT_MAX = 4096, BATCH_MAX = 8 };

struct row {
	const char *name;
	const char *hex;
	const char *want; /* a line a frame: time caplen/len link interface; and the problem */
};

/* pcap: header, and a frame of three bytes, five on the wire, at 1.000002 s */
#define LE_HEADER  "d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000"
#define LE_FRAME   "01000000 02000000 03000000 05000000 aabbcc"
#define BE_HEADER  "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001"
#define BE_FRAME   "00000001 00000002 00000003 00000005 aabbcc"
#define FRAME_LINE "1000002000 3/5 1 0\n"

/* pcapng blocks, little-endian and big-endian */
#define SHB            "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"
#define SHB_BE         "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c"
#define IDB            "01000000 14000000 0100 0000 00000000 14000000"
#define IDB_BE         "00000001 00000014 0001 0000 00000000 00000014"
#define IDB_NANO       "01000000 20000000 0100 0000 00000000 0900 0100 09000000 0000 0000 20000000"
#define IDB_NULL_SNAP2 "01000000 14000000 0000 0000 02000000 14000000"
#define EPB(id, low)   /* three bytes of five */                                                   \
	"06000000 24000000" id "00000000" low "03000000 05000000 aabbcc00 24000000"
#define EPB_BE "00000006 00000024 00000000 00000000 000f4242 00000003 00000005 aabbcc00 00000024"
#define EPB_1S EPB("00000000", "42420f00")

static const struct row good[] = {
	{"pcap", LE_HEADER LE_FRAME LE_FRAME, FRAME_LINE FRAME_LINE},
	{"pcap, big-endian", BE_HEADER BE_FRAME, FRAME_LINE},
	{"pcap without frames", LE_HEADER, ""},
	{"pcap, nanoseconds", "4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000" LE_FRAME,
		"1000000002 3/5 1 0\n"},
	{"pcap, nanoseconds, big-endian",
		"a1b23c4d 0002 0004 00000000 00000000 00040000 00000001" BE_FRAME,
		"1000000002 3/5 1 0\n"},
	{"pcap, modified",
		"34cdb2a1 0200 0400 00000000 00000000 00000400 01000000"
		"01000000 02000000 03000000 05000000 02000000 0008 00 00 aabbcc",
		FRAME_LINE},
	{"pcap with the length of an FCS in the link type",
		"d4c3b2a1 0200 0400 00000000 00000000 00000400 01000024" LE_FRAME, FRAME_LINE},
	{"pcap of version 2.2: lengths the other way round",
		"d4c3b2a1 0200 0200 00000000 00000000 00000400 01000000"
		"01000000 02000000 05000000 03000000 aabbcc",
		FRAME_LINE},
	{"pcap of version 2.3: either way",
		"d4c3b2a1 0200 0300 00000000 00000000 00000400 01000000" LE_FRAME
		"01000000 02000000 05000000 03000000 aabbcc",
		FRAME_LINE FRAME_LINE},
	{"pcap with more captured than there was",
		LE_HEADER "01000000 02000000 03000000 01000000 aabbcc", "1000002000 3/3 1 0\n"},
	{"pcapng", SHB IDB EPB_1S, FRAME_LINE},
	{"pcapng, big-endian", SHB_BE IDB_BE EPB_BE, FRAME_LINE},
	{"pcapng, nanoseconds", SHB IDB_NANO EPB("00000000", "00ca9a3b"), "1000000000 3/5 1 0\n"},
	{"pcapng, two interfaces", SHB IDB IDB_NULL_SNAP2 EPB("01000000", "42420f00"),
		"1000002000 3/5 0 1\n"},
	{"pcapng, two sections of different byte order", SHB IDB EPB_1S SHB_BE IDB_BE EPB_BE,
		FRAME_LINE "1000002000 3/5 1 1\n"},
	{"pcapng, simple packet block: time of the frame before, snap length of the interface",
		SHB IDB_NULL_SNAP2 EPB_1S "03000000 14000000 05000000 aabb0000 14000000",
		"1000002000 3/5 0 0\n1000002000 2/5 0 0\n"},
	{"pcapng, obsolete packet block",
		SHB IDB
		"02000000 24000000 0000 ffff 00000000 42420f00 03000000 05000000 aabbcc00 24000000",
		FRAME_LINE},
	{"pcapng, unknown, custom and secret blocks",
		SHB IDB "0a000000 14000000 4c534b54 00000000 14000000"
			"ad0b0040 10000000 00000000 10000000 04000000 0c000000 0c000000" EPB_1S,
		FRAME_LINE},
	{"pcapng, time before 1970 by an offset: as if it had none",
		SHB "01000000 24000000 0100 0000 00000000 0e00 0800 00ffffffffffffff 00000000 "
		    "24000000" EPB_1S,
		"0 3/5 1 0\n"
		"! 1 at 64: a packet's time is out of range, that of the packet before is used\n"},
};

static const struct row bad[] = {
	{"empty", "", "! 0 at 0: file is empty\n"},
	{"three bytes", "d4c3b2", "! 0 at 0: file is too short for a capture\n"},
	{"no capture", "7f454c46 02010100", "! 0 at 0: file is neither pcap nor pcapng\n"},
	{"pcap, header cut off", "d4c3b2a1 0200", "! 1 at 0: file is cut off in its header\n"},
	{"pcap, frame header cut off", LE_HEADER LE_FRAME "01000000",
		FRAME_LINE "! 2 at 43: file is cut off in the middle of a packet's header\n"},
	{"pcap, frame cut off", LE_HEADER LE_FRAME "01000000 02000000 03000000 05000000 aabb",
		FRAME_LINE "! 2 at 43: file is cut off in the middle of a packet\n"},
	{"pcap, absurd length", LE_HEADER "01000000 02000000 00000080 05000000",
		"! 1 at 24: a packet claims to be longer than any can be\n"},
	{"pcap, one byte longer than any", LE_HEADER "01000000 02000000 01000001 01000001",
		"! 1 at 24: a packet claims to be longer than any can be\n"},
	{"pcapng, no byte order", "0a0d0d0a 1c000000 00000000 0100 0000 ffffffffffffffff 1c000000",
		"! 1 at 0: a section's byte order cannot be told\n"},
	{"pcapng, version 2", "0a0d0d0a 1c000000 4d3c2b1a 0200 0000 ffffffffffffffff 1c000000",
		"! 1 at 0: a section has a format version that is not known\n"},
	{"pcapng, block cut off", SHB IDB "06000000 24000000 00000000",
		"! 1 at 48: file is cut off in the middle of a block\n"},
	{"pcapng, unknown block cut off", SHB "ad0b0040 00100000 00000000",
		"! 1 at 28: file is cut off in the middle of a block\n"},
	{"pcapng, block of no length", SHB "ad0b0040 00000000 00000000",
		"! 1 at 28: a block claims to be shorter than it can be\n"},
	{"pcapng, block of an odd length", SHB "ad0b0040 0d000000 00000000 00",
		"! 1 at 28: a block's length is not a multiple of four\n"},
	{"pcapng, absurd block", SHB "06000000 000000f0 00000000",
		"! 1 at 28: a block claims to be longer than it can be\n"},
	{"pcapng, two lengths",
		SHB IDB "06000000 24000000 00000000 00000000 42420f00 03000000 05000000 aabbcc00 "
			"20000000" EPB_1S,
		FRAME_LINE "! 1 at 48: the two lengths of a block differ\n" FRAME_LINE},
	{"pcapng, interface that is not there", SHB EPB_1S,
		"0 3/5 65535 0\n"
		"! 1 at 28: a packet is of an interface that was not described\n"},
	{"pcapng, packet longer than its block",
		SHB IDB
		"06000000 24000000 00000000 00000000 42420f00 30000000 30000000 aabbcc00 24000000",
		"1000002000 4/48 1 0\n"
		"! 1 at 48: a packet claims more bytes than its block has\n"},
	{"pcapng, packet block too short", SHB IDB "06000000 10000000 00000000 10000000" EPB_1S,
		FRAME_LINE "! 1 at 48: a block is too short for a packet\n"},
};

/* Reads all of it, so many frames at once: what is told of them and of problems. */
static unsigned
read_all(const uint8_t *bytes, size_t len, size_t max, char out[OUT_MAX])
{
	struct source *s = source_open(input_open_memory(bytes, len));
	struct frame f[BATCH_MAX];
	enum source_step step;
	unsigned frames = 0;
	size_t used = 0, count;

	out[0] = '\0';
	do {
		step = source_read(s, f, max, &count);
		assert_int_equal(step == SOURCE_FRAMES, count > 0);
		for (size_t i = 0; i < count; i++) {
			frames++;
			assert_int_equal(f[i].number, frames);
			uint8_t *copy = malloc(f[i].caplen + 1);
			memcpy(copy, f[i].data, f[i].caplen);
			free(copy);
			used += (size_t)snprintf(out + used, OUT_MAX - used, "%lld %u/%u %u %u\n",
				(long long)f[i].time, f[i].caplen, f[i].len, f[i].link,
				f[i].interface);
		}
		const char *problem = source_problem(s);
		if (problem != NULL)
			used += (size_t)snprintf(out + used, OUT_MAX - used, "! %llu at %llu: %s\n",
				(unsigned long long)source_problem_packet(s),
				(unsigned long long)source_problem_offset(s), problem);
		assert_true(step != SOURCE_BROKEN || problem != NULL);
	} while (step == SOURCE_FRAMES);
	source_close(s);
	return frames;
}

/* The lines of frames, or those of problems. */
static void
pick_lines(const char *text, bool problems, char out[OUT_MAX])
{
	size_t used = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n") + 1;
		if ((*text == '!') == problems) {
			memcpy(out + used, text, len);
			used += len;
		}
		text += len;
	}
	out[used] = '\0';
}

/* Read in batches it says the same, but that problems come before or behind other frames. */
static void
check_batched(const struct row *row, const uint8_t *bytes, size_t len)
{
	char single[OUT_MAX], batched[OUT_MAX], want[OUT_MAX], got[OUT_MAX];

	read_all(bytes, len, 1, single);
	read_all(bytes, len, BATCH_MAX, batched);
	for (int problems = 0; problems < 2; problems++) {
		pick_lines(single, problems != 0, want);
		pick_lines(batched, problems != 0, got);
		if (strcmp(want, got) != 0)
			fail_msg("%s, %zu bytes, batched: got\n%sinstead of\n%s", row->name, len,
				got, want);
	}
}

static void
check(const struct row *row)
{
	char out[OUT_MAX];
	size_t len;
	uint8_t *bytes = hex_bytes(row->hex, &len);

	unsigned frames = read_all(bytes, len, 1, out);
	if (strcmp(out, row->want) != 0)
		fail_msg("%s: got\n%sinstead of\n%s", row->name, out, row->want);
	check_batched(row, bytes, len);
	for (size_t n = 0; n < len; n++) {
		uint8_t *prefix = malloc(n > 0 ? n : 1);
		memcpy(prefix, bytes, n);
		assert_true(read_all(prefix, n, 1, out) <= frames);
		check_batched(row, prefix, n);
		free(prefix);
	}
	free(bytes);
}

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		check(&good[i]);
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		check(&bad[i]);
}

static void
test_resolution(void **state)
{
	static const struct {
		uint8_t code;
		uint64_t stamp;
		int64_t offset;
		int result;
		int64_t time;
	} times[] = {
		{0, 5, 0, 0, 5000000000},
		{3, 1500, 0, 0, 1500000000},
		{6, 1000002, 0, 0, 1000002000},
		{9, 1000000001, 0, 0, 1000000001},
		{12, 1000000000999, 0, 0, 1000000000},
		{0x80, 7, 0, 0, 7000000000},
		{0x81, 3, 0, 0, 1500000000},
		{0xa0, UINT64_C(3) << 31, 0, 0, 1500000000},
		{0xbf, UINT64_C(3) << 62, 0, 0, 1500000000},
		{6, 0, 10, 0, 10000000000},
		{6, 20000000, -10, 0, 10000000000},
		{6, 0, -10, -1, 0},
		{6, 0, INT64_MIN, -1, 0},
		{6, 0, INT64_MAX, -1, 0},
		{0, UINT64_MAX, 0, -1, 0},
		{6, UINT64_MAX, 0, -1, 0},
		{20, 1, 0, -1, 0},
		{0xc0, 1, 0, -1, 0},
	};
	(void)state;

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct tsresol r = tsresol_of(times[i].code);
		int64_t time = 0;
		assert_int_equal(
			tsresol_time(&r, times[i].stamp, times[i].offset, &time), times[i].result);
		assert_int_equal(time, times[i].time);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_resolution),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
