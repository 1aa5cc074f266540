/* Tunnels: one packet for every IP header, outermost first; and what only looks like a tunnel. */
#include "config.h"

#include "tests/unit/decode_check.h"

#define COUNT(rows)        (sizeof(rows) / sizeof(rows)[0])
#define INNER              MACS "0800" UDP4
#define ADDRESSES          "c0000201 c0000202" /* 192.0.2.1 > 192.0.2.2 */
#define OUT(rest)          "192.0.2.1:0>192.0.2.2:0/" rest "\n"
#define OUT_UDP(port, len) "192.0.2.1:40000>192.0.2.2:" port "/17 " len "\n"

static const struct decode_row good[] = {
	{"IP in IP", 101, "45000034 00090000 4004f6b9" ADDRESSES UDP4, OUT("4 32") UDP4_A_B},
	{"6in4", 101, "45000048 00090000 4029f680" ADDRESSES UDP6, OUT("41 52") UDP6_A_B},
	{"4in6", 101,
		"60000000 00200440 20010db800000000000000000000000a"
		"20010db800000000000000000000000b" UDP4,
		"2001:db8::a:0>2001:db8::b:0/4 32\n" UDP4_A_B},
	{"GRE", 101, "45000038 00090000 402ff68a" ADDRESSES "0000 0800" UDP4,
		OUT("47 36") UDP4_A_B},
	{"GRE with key, sequence and a bridged frame", 101,
		"4500004e 00090000 402ff674" ADDRESSES "3000 6558 00000005 00000000" INNER,
		OUT("47 58") UDP4_A_B},
	{"ERSPAN I", 101, "45000046 00090000 402ff67c" ADDRESSES "0000 88be" INNER,
		OUT("47 50") UDP4_A_B},
	{"ERSPAN II", 101,
		"45000052 00090000 402ff670" ADDRESSES "1000 88be 00000000 0000000000000000" INNER,
		OUT("47 62") UDP4_A_B},
	{"PPTP", 101,
		"45000048 00090000 402ff67a" ADDRESSES
		"3081 880b 0024 0007 00000001 00000001 ff03 0021" UDP4,
		OUT("47 52") UDP4_A_B},
	{"VXLAN", 101,
		"45000052 00090000 4011f68e" ADDRESSES "9c40 12b5 003e c795 0800000000000500" INNER,
		OUT_UDP("4789", "54") UDP4_A_B},
	{"GENEVE with an option", 101,
		"45000056 00090000 4011f68a" ADDRESSES
		"9c40 17c1 0042 6429 0100655800000500 00000000" INNER,
		OUT_UDP("6081", "58") UDP4_A_B},
	{"GTP", 101,
		"45000044 00090000 4011f69c" ADDRESSES "9c40 0868 0030 b9e1 30ff002000000001" UDP4,
		OUT_UDP("2152", "40") UDP4_A_B},
	{"Teredo", 101, "45000050 00090000 4011f690" ADDRESSES "9c40 0dd8 003c 602a" UDP6,
		OUT_UDP("3544", "52") UDP6_A_B},
	{"L2TP", 101,
		"45000046 00090000 4011f69a" ADDRESSES
		"9c40 06a5 0032 ed96 0002 0001 0002 ff03 0021" UDP4,
		OUT_UDP("1701", "42") UDP4_A_B},
	{"VXLAN-GPE of a packet", 101,
		"45000044 00090000 4011f69c" ADDRESSES "9c40 12b6 0030 0000 0c000001 00000500" UDP4,
		OUT_UDP("4790", "40") UDP4_A_B},
	{"VXLAN-GPE of a frame", 101,
		"45000052 00090000 4011f68e" ADDRESSES "9c40 12b6 003e 0000 0c000003 00000500" INNER,
		OUT_UDP("4790", "54") UDP4_A_B},
	{"VXLAN-GPE with an NSH", 101,
		"4500004c 00090000 4011f694" ADDRESSES "9c40 12b6 0038 0000 0c000004 00000500 0fc2 01 01 00000100" UDP4,
		OUT_UDP("4790", "48") UDP4_A_B},
	{"NVGRE", 101,
		"4500004a 00090000 402ff678" ADDRESSES "2000 6558 00123400" INNER,
		OUT("47 54") UDP4_A_B},
	{"ERSPAN III", 101,
		"45000056 00090000 402ff66c" ADDRESSES "1000 22eb 00000000 2000000300000000 00000000" INNER,
		OUT("47 66") UDP4_A_B},
	{"text on VXLAN's port", 101,
		"4500003a 00090000 4011f6a6" ADDRESSES
		"9c40 12b5 0026 fd5d 68656c6c6f20776f726c642c2074686973206973206e6f2074756e6e656c",
		OUT_UDP("4789", "30")},
	{"GTP without a packet in it", 101,
		"45000030 00090000 4011f6b0" ADDRESSES
		"9c40 0868 001c 74c0 30ff000c00000001 6e6f207061636b6574206174",
		OUT_UDP("2152", "20")},
};

static const struct decode_row bad[] = {
	{"GRE of version 2", 101, "45000018 00090000 402ff6aa" ADDRESSES "0002 0800",
		"tunnel_malformed"},
	{"GRE source route without end", 101,
		"45000020 00090000 402ff6a2" ADDRESSES "4000 0800 00000000 000000ff",
		"tunnel_malformed"},
	{"GRE around nothing", 101, "45000018 00090000 402ff6aa" ADDRESSES "0000 0800",
		"ip_malformed"},
	{"GRE of an unknown protocol", 101, "45000018 00090000 402ff6aa" ADDRESSES "0000 1234",
		"not_ip"},
	{"EtherIP of another version", 101, "45000016 00090000 4061f67a" ADDRESSES "2000",
		"tunnel_malformed"},
};

static void
test_good(void **state)
{
	(void)state;
	decode_check_good(good, COUNT(good));
}

static void
test_bad(void **state)
{
	(void)state;
	decode_check_bad(bad, COUNT(bad));
}

/* IP in IP in IP and so on ends at a limit, and is counted. */
static void
test_nested(void **state)
{
	enum { LEVELS = 200, HEADER = 20 };
	char out[4096] = "";
	uint8_t *frame = calloc(LEVELS, HEADER);
	(void)state;

	for (size_t i = 0; i < LEVELS; i++) {
		uint8_t *ip = frame + i * HEADER;
		size_t total = (LEVELS - i) * HEADER;
		ip[0] = 0x45;
		ip[2] = (uint8_t)(total >> 8);
		ip[3] = (uint8_t)total;
		ip[9] = 4;
	}
	struct decoder_limits limits = {.check_checksums = false};
	struct decoder *d = decoder_create(&limits, decode_note, out);
	decode_bytes(d, 101, frame, LEVELS * HEADER, LEVELS * HEADER);
	assert_int_equal(decode_counter(d, "nested_too_deep"), 1);
	assert_non_null(strstr(out, "/4 3980\n"));
	decoder_destroy(d);
	free(frame);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nested),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
