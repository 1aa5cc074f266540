/* Fragments: in any order, overlapping, contradicting, too many, too late. */
#include "config.h"

#include "base/clock.h"
#include "tests/unit/decode_check.h"

enum { FRAGMENT_ROOM = 64, MORE = 1 };

struct piece {
	uint16_t offset; /* in units of eight bytes */
	uint8_t more;
	const char *bytes;
	uint8_t len;
};

struct row {
	const char *name;
	struct piece pieces[5];
	size_t count;
	const char *want;    /* the datagram's bytes; NULL: it never becomes whole */
	const char *counter; /* or NULL */
};

/* The first eight bytes are the UDP header: ports, no length, no checksum. */
#define HEAD        BYTES("\x03\xe8\x00\x35\x00\x00\x00\x00")
#define BYTES(text) text, sizeof(text) - 1

static const struct row rows[] = {
	{"in order", {{0, MORE, HEAD}, {1, MORE, BYTES("abcdefgh")}, {2, 0, BYTES("ijklmnop")}}, 3,
		"abcdefghijklmnop", NULL},
	{"backwards", {{2, 0, BYTES("ijklmnop")}, {1, MORE, BYTES("abcdefgh")}, {0, MORE, HEAD}}, 3,
		"abcdefghijklmnop", NULL},
	{"last one short", {{0, MORE, HEAD}, {1, MORE, BYTES("abcdefgh")}, {2, 0, BYTES("ijk")}}, 3,
		"abcdefghijk", NULL},
	{"retransmitted", {{0, MORE, HEAD}, {0, MORE, HEAD}, {1, 0, BYTES("abcdefgh")}}, 3,
		"abcdefgh", "fragment_overlap"},
	{"first copy wins",
		{{0, MORE, HEAD}, {1, MORE, BYTES("abcdefgh")}, {1, MORE, BYTES("EVILEVIL")},
			{2, 0, BYTES("ijklmnop")}},
		4, "abcdefghijklmnop", "fragment_conflict"},
	{"hole", {{0, MORE, HEAD}, {2, 0, BYTES("ijklmnop")}}, 2, NULL, "fragments_incomplete"},
	{"no last one", {{0, MORE, HEAD}, {1, MORE, BYTES("abcdefgh")}}, 2, NULL,
		"fragments_incomplete"},
	{"two ends", {{1, 0, BYTES("abcdefgh")}, {2, 0, BYTES("ijklmnop")}, {0, MORE, HEAD}}, 3,
		"abcdefgh", "fragment_malformed"},
	{"beyond the end",
		{{1, 0, BYTES("abcdefgh")}, {5, MORE, BYTES("ijklmnop")}, {0, MORE, HEAD}}, 3,
		"abcdefgh", "fragment_malformed"},
	{"length no multiple of eight",
		{{0, MORE, BYTES("\x03\xe8\x00\x35\x00")}, {1, 0, BYTES("abcdefgh")}}, 2, NULL,
		"fragment_malformed"},
	{"longer than any datagram", {{0x1fff, 0, BYTES("abcdefgh")}}, 1, NULL,
		"fragment_malformed"},
};

static void send_piece(
	struct decoder *d, unsigned version, uint32_t id, const struct piece *piece, int64_t time);

struct seen {
	unsigned packets;
	uint8_t fragments;
	uint32_t ip_bytes;
	uint16_t flags;
	char payload[FRAGMENT_ROOM];
	uint32_t captured;
};

static void
see(void *ctx, const struct packet *p)
{
	struct seen *s = ctx;
	s->packets++;
	s->fragments = p->fragments;
	s->ip_bytes = p->ip_bytes;
	s->flags = p->flags;
	s->captured = p->captured;
	assert_true(p->captured < sizeof s->payload);
	memcpy(s->payload, p->payload, p->captured);
	s->payload[p->captured] = '\0';
}

static void
send_piece(
	struct decoder *d, unsigned version, uint32_t id, const struct piece *piece, int64_t time)
{
	size_t len = piece->len, header = version == 4 ? 20 : 48;
	uint8_t *frame = calloc(1, header + len);

	if (version == 4) {
		frame[0] = 0x45;
		frame[3] = (uint8_t)(header + len);
		frame[4] = (uint8_t)(id >> 8);
		frame[5] = (uint8_t)id;
		frame[6] = (uint8_t)((piece->more ? 0x20 : 0) | piece->offset >> 8);
		frame[7] = (uint8_t)piece->offset;
		frame[9] = 17;
		frame[15] = 1;
		frame[19] = 2;
	} else {
		frame[0] = 0x60;
		frame[5] = (uint8_t)(8 + len);
		frame[6] = 44;
		frame[23] = 1;
		frame[39] = 2;
		frame[40] = 17;
		frame[42] = (uint8_t)(piece->offset >> 5);
		frame[43] = (uint8_t)(piece->offset << 3 | piece->more);
		frame[44] = (uint8_t)(id >> 24);
		frame[45] = (uint8_t)(id >> 16);
		frame[46] = (uint8_t)(id >> 8);
		frame[47] = (uint8_t)id;
	}
	memcpy(frame + header, piece->bytes, len);
	const struct frame f = {
		.time = time,
		.data = frame,
		.caplen = (uint32_t)(header + len),
		.len = (uint32_t)(header + len),
		.link = 101,
	};
	decoder_frame(d, &f);
	free(frame);
}

static void
check_row(const struct row *row, unsigned version)
{
	struct seen seen = {.packets = 0};
	const struct decoder_limits limits = {.check_checksums = false};
	struct decoder *d = decoder_create(&limits, see, &seen);

	for (size_t i = 0; i < row->count; i++)
		send_piece(d, version, 7, &row->pieces[i], CLOCK_SECOND);
	if (row->want == NULL) {
		if (seen.packets != 0)
			fail_msg("%s (IPv%u): became whole", row->name, version);
	} else {
		if (seen.packets != 1 || strncmp(seen.payload, row->want, seen.captured) != 0)
			fail_msg("%s (IPv%u): %u packets, %s", row->name, version, seen.packets,
				seen.payload);
		assert_true((seen.flags & PACKET_REASSEMBLED) != 0);
	}
	if (row->counter != NULL && decode_counter(d, row->counter) == 0)
		fail_msg("%s (IPv%u): %s was not counted", row->name, version, row->counter);
	if (row->counter == NULL)
		assert_int_equal(decode_counted(d), 0);
	decoder_destroy(d);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		check_row(&rows[i], 4);
		check_row(&rows[i], 6);
	}
}

static void
test_sums(void **state)
{
	struct seen seen = {.packets = 0};
	struct decoder *d = decoder_create(NULL, see, &seen);
	(void)state;

	for (size_t i = 0; i < rows[0].count; i++)
		send_piece(d, 4, 1, &rows[0].pieces[i], 0);
	assert_int_equal(seen.fragments, 3);
	assert_int_equal(seen.ip_bytes, 3 * 20 + 24);
	decoder_destroy(d);
}

/* A datagram that takes too long is given up, by packet time; its number may be used again. */
static void
test_timeout(void **state)
{
	struct seen seen = {.packets = 0};
	const struct decoder_limits limits = {.fragment_timeout = 10 * CLOCK_SECOND};
	struct decoder *d = decoder_create(&limits, see, &seen);
	(void)state;

	send_piece(d, 4, 1, &(struct piece){0, MORE, HEAD}, 0);
	send_piece(d, 4, 1, &(struct piece){1, 0, BYTES("abcdefgh")}, 11 * CLOCK_SECOND);
	assert_int_equal(seen.packets, 0);
	send_piece(d, 4, 1, &(struct piece){0, MORE, HEAD}, 12 * CLOCK_SECOND);
	assert_int_equal(seen.packets, 1);
	assert_int_equal(decode_counter(d, "fragments_incomplete"), 1);
	decoder_destroy(d);
}

/* Fragments of ever new datagrams stay within memory: the oldest go, the newest can still become
 * whole. */
static void
test_flood(void **state)
{
	enum { FLOOD = 5000 };
	struct seen seen = {.packets = 0};
	const struct decoder_limits limits = {.fragment_memory = 1 << 20};
	struct decoder *d = decoder_create(&limits, see, &seen);
	(void)state;

	for (uint32_t id = 0; id < FLOOD; id++)
		send_piece(d, 6, id, &(struct piece){0, MORE, HEAD}, 0);
	uint64_t shed = decode_counter(d, "fragments_shed");
	assert_true(shed > FLOOD / 2);
	assert_int_equal(shed + decode_counter(d, "fragments_incomplete"), FLOOD);
	send_piece(d, 6, 0, &(struct piece){1, 0, BYTES("abcdefgh")}, 0);
	assert_int_equal(seen.packets, 0);
	send_piece(d, 6, FLOOD - 1, &(struct piece){1, 0, BYTES("abcdefgh")}, 0);
	assert_int_equal(seen.packets, 1);
	decoder_destroy(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
