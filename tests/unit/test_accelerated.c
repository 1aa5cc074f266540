#include "config.h"

/* UDT, UFTP, Tsunami, FASP and FileCatalyst: which datagrams are theirs, which are not, and what is told. */
#include "proto_stage.h"

enum { DATAGRAM_MAX = 1600 };

static size_t
put(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
	return bytes;
}

static size_t
uftp_head(uint8_t *out, uint8_t message, size_t words)
{
	size_t len = put(out, 0x40, 1);
	len += put(out + len, message, 1);
	len += put(out + len, 7, 2);
	len += put(out + len, 0x0a000001, 4); /* source */
	len += put(out + len, 0x96f4c304, 4); /* group */
	len += put(out + len, 0x00181800, 4);
	len += put(out + len, message, 1);
	return len + put(out + len, words, 1);
}

static size_t
uftp_info(uint8_t *out, uint16_t file, uint8_t type, const char *name, uint64_t size)
{
	size_t words = (strlen(name) + 3) / 4, len = uftp_head(out, 7, 7 + words);
	len += put(out + len, file, 2);
	len += put(out + len, type, 1) + put(out + len + 1, 0, 3);
	len += put(out + len, words, 1) + put(out + len + 1, 0, 1);
	len += put(out + len, size, 6);
	len += put(out + len, 0, 8) + put(out + len + 8, 0, 4);
	memset(out + len, 0, 4 * words);
	memcpy(out + len, name, strlen(name));
	return len + 4 * words + put(out + len + 4 * words, 0x0a000002, 4);
}

static size_t
uftp_segment(uint8_t *out, uint16_t file, uint16_t section, uint16_t block, uint8_t fill, size_t content)
{
	size_t len = uftp_head(out, 9, 2);
	len += put(out + len, file, 2);
	len += put(out + len, section, 2);
	len += put(out + len, block, 2);
	memset(out + len, fill, content);
	return len + content;
}

static size_t
uftp_done(uint8_t *out, uint16_t file)
{
	size_t len = uftp_head(out, 10, 2);
	return len + put(out + len, file, 2) + put(out + len + 2, 0, 4);
}

static void
test_uftp(void **state)
{
	uint8_t d[DATAGRAM_MAX];
	struct stage s;
	(void)state;
	stage_init(&s);
	stage_datagrams(&s, 0, "192.0.2.10", 37173, "230.5.5.56", 1044);
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_info(d, 1, 0, "cut/shot_010.exr", 2500));
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_info(d, 1, 0, "cut/shot_010.exr", 2500)); /* for another client */
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_segment(d, 1, 0, 0, 'a', 1000));
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_segment(d, 1, 0, 2, 'c', 500));
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_segment(d, 1, 0, 9, 'x', 1000)); /* behind the end */
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_segment(d, 1, 0, 1, 'b', 1000)); /* again */
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_info(d, 2, 1, "folder", 0));
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_info(d, 3, 0, "lost.mov", 3000));
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_segment(d, 3, 0, 0, 'a', 1000));
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_done(d, 0));
	assert_string_equal(session_facts(s.flow[0].session)->protocol, "uftp");
	assert_non_null(strstr(s.log, "=cut/shot_010.exr FILEINFO - source complete 2500 2500+0 h"));
	assert_non_null(strstr(s.log, "=lost.mov FILEINFO - source truncated 3000 1000+"));
	assert_null(strstr(s.log, "folder"));
	stage_clear(&s);
}

/* 1,300 blocks of 100 bytes are two sections of 650, since a status has 800 bits. */
static void
test_uftp_sections(void **state)
{
	uint8_t d[DATAGRAM_MAX];
	struct stage s;
	(void)state;
	stage_init(&s);
	stage_datagrams(&s, 0, "192.0.2.10", 37173, "192.0.2.20", 1044);
	(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_info(d, 1, 0, "large", 130000));
	for (uint16_t i = 0; i < 1300; i++)
		(void)stage_data(&s, 0, SIDE_SOURCE, d, uftp_segment(d, 1, i / 650, i % 650, (uint8_t)i, 100));
	stage_clear(&s);
	assert_non_null(strstr(s.log, "source complete 130000 130000+0 h"));
}

static size_t
udt_handshake(uint8_t *out, uint32_t version, uint32_t type)
{
	size_t len = put(out, 0x80000000, 4);
	len += put(out + len, 0, 4) + put(out + len + 4, 17, 4) + put(out + len + 8, 0, 4);
	const uint32_t fields[8] = {version, type, 12345, 1500, 25600, 1, 77, 0};
	for (size_t i = 0; i < 8; i++)
		len += put(out + len, fields[i], 4);
	memset(out + len, 0, 16);
	return len + 16;
}

static size_t
udt_packet(uint8_t *out, uint32_t sequence, size_t content)
{
	memset(out, 1, 16 + content);
	(void)put(out, sequence, 4);
	return 16 + content;
}

static void
test_udt(void **state)
{
	uint8_t d[DATAGRAM_MAX];
	struct stage s;
	const uint64_t volume[2] = {150000, 3000};
	(void)state;
	stage_init(&s);
	stage_datagrams(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 9000);
	(void)stage_data(&s, 0, SIDE_SOURCE, d, udt_handshake(d, 4, 1));
	(void)stage_data(&s, 0, SIDE_DESTINATION, d, udt_handshake(d, 4, 1));
	for (uint32_t i = 0; i < 100; i++)
		(void)stage_data(&s, 0, SIDE_SOURCE, d, udt_packet(d, (0x7fffffc0 + i) & 0x7fffffff, 1456));
	(void)stage_data(&s, 0, SIDE_SOURCE, d, udt_packet(d, 0x7fffffc1, 1456)); /* again */
	session_volume(s.flow[0].session, volume);
	assert_string_equal(session_facts(s.flow[0].session)->protocol, "udt");
	assert_string_equal(stage_detail(&s, 0, "udt.socket"), "stream");
	stage_clear(&s);
	assert_string_equal(s.log, "+-;=inferred UDT source truncated 150000 150000+0;");
}

/* A field out of its range, SRT, and what is shorter is somebody else's. */
static void
test_not_udt(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} bad[] = {{0, 0x80010000}, {16, 3}, {20, 0}, {20, 3}, {24, 0x80000000}, {28, 10}, {32, 0}, {36, 5}, {40, 0}};
	uint8_t d[DATAGRAM_MAX];
	(void)state;
	for (size_t i = 0; i <= COUNT(bad) + 1; i++) {
		struct stage s;
		size_t len = udt_handshake(d, 4, i == COUNT(bad) ? 2 : 1);
		stage_init(&s);
		stage_datagrams(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 9000);
		if (i < COUNT(bad))
			(void)put(d + bad[i].at, bad[i].value, 4);
		(void)stage_data(&s, 0, SIDE_SOURCE, d, i == COUNT(bad) + 1 ? len - 1 : len);
		if (i == COUNT(bad))
			(void)stage_data(&s, 0, SIDE_DESTINATION, d, udt_handshake(d, 5, 0x4a17)); /* SRT's answer */
		if (session_protocol_name(s.flow[0].session) != NULL && strcmp(session_protocol_name(s.flow[0].session), "udt") == 0)
			fail_msg("row %zu is UDT", i);
		stage_clear(&s);
	}
}

static size_t
tsunami_block(uint8_t *out, uint32_t number, char kind, size_t content)
{
	(void)put(out, number, 4);
	(void)put(out + 4, (uint8_t)kind, 2);
	memset(out + 6, 'a', content);
	return 6 + content;
}

static void
test_tsunami(void **state)
{
	uint8_t d[DATAGRAM_MAX];
	(void)state;
	for (uint32_t odd = 0; odd < 4; odd++) { /* 0: all is well; else what spoils it */
		struct stage s;
		stage_init(&s);
		stage_datagrams(&s, 0, "192.0.2.10", 46224, "198.51.100.20", 46224);
		for (uint32_t i = 1; i <= 20; i++)
			(void)stage_data(&s, 0, SIDE_SOURCE, d, tsunami_block(d, i == 5 && odd == 1 ? 50 : i, i == 5 && odd == 2 ? 'Q' : i == 20 ? 'X' : 'O',
			                 i == 5 && odd == 3 ? 999 : 1024));
		const char *name = session_protocol_name(s.flow[0].session);
		if (odd == 0)
			assert_string_equal(name, "tsunami");
		else
			assert_null(name);
		stage_clear(&s);
		assert_int_equal(s.log[0] != '\0', odd == 0);
	}
}

/* An SSH session, then counted datagrams; without one of the three it is nobody's. */
static void
test_fasp(void **state)
{
	(void)state;
	for (int without = 0; without < 4; without++) {
		uint8_t d[DATAGRAM_MAX] = {0};
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 33001);
		if (without != 1) {
			(void)stage_data(&s, 0, SIDE_SOURCE, "SSH-2.0-x\r\n\0\0\0\x0a\x04\x1e" "abcdefgh", 25);
			assert_string_equal(session_protocol_name(s.flow[0].session), "ssh");
		}
		stage_datagrams(&s, 1, "192.0.2.10", 50000, "198.51.100.20", without == 2 ? 44001 : 33001);
		for (uint32_t i = 0; i < 60; i++) {
			(void)put(d + 8, without == 3 ? i * 7919 * 7919 : 1000 + i, 4);
			(void)stage_data(&s, 1, SIDE_SOURCE, d, 1440);
		}
		const char *name = session_protocol_name(s.flow[1].session);
		if (without == 0) {
			assert_string_equal(name, "fasp");
			assert_string_equal(stage_detail(&s, 1, "fasp.confidence"), "low");
		} else {
			assert_null(name);
		}
		stage_clear(&s);
	}
}

/* An FTP control connection, then large datagrams one way; without one of the three it is nobody's. */
static void
test_filecatalyst(void **state)
{
	(void)state;
	for (int without = 0; without < 5; without++) {
		uint8_t d[DATAGRAM_MAX] = {0xa5, 0xa5, 0xa5, 0xa5};
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 21);
		if (without != 1) {
			(void)stage_data(&s, 0, SIDE_DESTINATION, "220 ready\r\n", 11);
			(void)stage_data(&s, 0, SIDE_SOURCE, "USER kim\r\n", 10);
		}
		stage_datagrams(&s, 1, without == 4 ? "192.0.2.11" : "192.0.2.10", 50000, "198.51.100.20", without == 2 ? 9001 : 8001);
		for (uint32_t i = 0; i < 80; i++) {
			(void)stage_data(&s, 1, SIDE_SOURCE, d, 1440);
			if (without == 3 || i % 16 == 0)
				(void)stage_data(&s, 1, SIDE_DESTINATION, d, without == 3 ? 1440 : 40);
		}
		const char *name = session_protocol_name(s.flow[1].session);
		if (without == 0) {
			assert_string_equal(name, "filecatalyst");
			assert_string_equal(stage_detail(&s, 1, "filecatalyst.confidence"), "low");
		} else if (name != NULL) {
			fail_msg("without %d: %s", without, name);
		}
		stage_clear(&s);
	}
}

/* Every prefix of every kind of datagram, in an exact-size copy. */
static void
test_prefixes(void **state)
{
	uint8_t d[DATAGRAM_MAX];
	(void)state;
	for (size_t kind = 0; kind < 4; kind++) {
		size_t len = kind == 0 ? uftp_info(d, 1, 0, "name", 10) : kind == 1 ? uftp_segment(d, 1, 0, 0, 'a', 10)
		             : kind == 2 ? udt_handshake(d, 4, 1) : tsunami_block(d, 1, 'O', 300);
		for (size_t n = 1; n <= len; n++) {
			struct stage s;
			stage_init(&s);
			stage_datagrams(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 33001);
			(void)stage_data(&s, 0, SIDE_SOURCE, d, n);
			(void)stage_data(&s, 0, SIDE_SOURCE, d, len);
			(void)stage_data(&s, 0, SIDE_DESTINATION, d, n);
			stage_clear(&s);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_uftp),
	        cmocka_unit_test(test_uftp_sections),
	        cmocka_unit_test(test_udt),
	        cmocka_unit_test(test_not_udt),
	        cmocka_unit_test(test_tsunami),
	        cmocka_unit_test(test_fasp),
	        cmocka_unit_test(test_filecatalyst),
	        cmocka_unit_test(test_prefixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
