/* IP and transport headers. */
#include "config.h"

#include "tests/unit/decode_check.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define A_B         "0a000001 0a000002"
#define A6_B6       "20010db8000000000000000000000001 20010db8000000000000000000000002"
#define UDP6_REST   "03e8 0035 000c b86a 74657374"

static const struct decode_row good[] = {
	{"UDP", 101, UDP4, UDP4_A_B},
	{"TCP", 101, TCP4, "10.0.0.1:1000>10.0.0.2:80/6 4\n"},
	{"UDP over IPv6", 101, UDP6, UDP6_A_B},
	{"IPv4 options", 101,
		"46000024 00010000 401163c5 0a000001 0a000002 01010100 03e80035000cffdc74657374",
		UDP4_A_B},
	{"UDP without a checksum", 101,
		"45000020 00010000 401166ca" A_B "03e8 0035 000c 0000 74657374", UDP4_A_B},
	{"hop-by-hop and destination options", 101,
		"60000000 001c0040" A6_B6 "3c00010400000000 1100010400000000" UDP6_REST, UDP6_A_B},
	{"authentication header", 101,
		"60000000 00183340" A6_B6 "11010000 00000001 00000001"
		"03e8 0035 000c b86a 74657374",
		UDP6_A_B},
	{"routing header on its way: the checksum is not ours to check", 101,
		"60000000 00142b40" A6_B6 "1100040100000000 03e8 0035 000c 1111 74657374",
		UDP6_A_B},
	{"atomic fragment", 101, "60000000 00142c40" A6_B6 "1100000000000007" UDP6_REST, UDP6_A_B},
	{"no next header", 101, "60000000 00003b40" A6_B6, "2001:db8::1:0>2001:db8::2:0/59 0\n"},
	{"ESP", 101, "45000018 00000000 403266b2" A_B "00000001", "10.0.0.1:0>10.0.0.2:0/50 4\n"},
	{"ping", 101, "45000020 00030000 400166d8" A_B "0800 192f 00000000 70696e67",
		"10.0.0.1:8>10.0.0.2:0/1 4\n"},
	{"an ICMP error is one packet", 101,
		"4500003c 00030000 400166bc 0a000002 0a000001 0303 111d 00000000" UDP4,
		"10.0.0.2:3>10.0.0.1:3/1 32\n"},
	{"SCTP", 101, "45000024 00030000 40846651" A_B "03e8 07d0 00000000 661e9673 61626364",
		"10.0.0.1:1000>10.0.0.2:2000/132 4\n"},
	{"length left out by offload", 101,
		"45000000 00020000 400666f4" A_B
		"03e8 0050 00000001 00000002 5018 0003 bec5 0000 64617461",
		"10.0.0.1:1000>10.0.0.2:80/6 4\n"},
};

static const struct decode_row bad[] = {
	{"nothing", 101, "", "ip_malformed"},
	{"version 5", 101, "55000020 00010000 401166ca" A_B, "ip_malformed"},
	{"header length 4", 101, "44000014 00010000 40110000" A_B, "ip_malformed"},
	{"total length below the header's", 101, "45000013 00010000 401166d7" A_B, "ip_malformed"},
	{"total length beyond the frame", 101,
		"45000030 00010000 401166ba" A_B "03e8 0035 000c ffdc 74657374", "ip_length"},
	{"wrong header checksum", 101,
		"45000020 00010000 401166cb" A_B "03e8 0035 000c ffdc 74657374", "checksum_ip"},
	{"wrong UDP checksum, from a newcomer", 101,
		"45000020 00010000 401166ca" A_B "03e8 0035 000c ffdd 74657374",
		"checksum_offload"},
	{"UDP length below its header", 101,
		"45000020 00010000 401166ca" A_B "03e8 0035 0007 ffdc 74657374",
		"transport_malformed"},
	{"UDP length beyond the packet", 101,
		"45000020 00010000 401166ca" A_B "03e8 0035 0100 ffdc 74657374",
		"transport_malformed"},
	{"TCP offset 4", 101,
		"45000028 00020000 400666cc" A_B "03e8 0050 00000001 00000002 4010 0003 0000 0000",
		"transport_malformed"},
	{"TCP offset beyond the packet", 101,
		"45000028 00020000 400666cc" A_B "03e8 0050 00000001 00000002 6010 0003 0000 0000",
		"transport_malformed"},
	{"extension header beyond the packet", 101, "60000000 00080040" A6_B6 "11ff010400000000",
		"ip_malformed"},
	{"extension headers without end", 101,
		"60000000 00d83c40" A6_B6
		"3c000104000000003c000104000000003c000104000000003c00010400000000"
		"3c000104000000003c000104000000003c000104000000003c00010400000000"
		"3c000104000000003c000104000000003c000104000000003c00010400000000"
		"3c000104000000003c000104000000003c000104000000003c00010400000000"
		"3c000104000000003c000104000000003c000104000000003c00010400000000"
		"3c000104000000003c000104000000003c000104000000003c00010400000000"
		"3c000104000000003c000104000000003c00010400000000",
		"nested_too_deep"},
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

/* Ports of a packet whose header is broken still count for the flow, but nothing is to be followed.
 */
static void
test_broken_tcp(void **state)
{
	char out[4096] = "";
	size_t len;
	uint8_t *bytes = hex_bytes("45000028 00020000 400666cc" A_B
				   "03e8 0050 00000001 00000002 4010 0003 0000 0000",
		&len);
	(void)state;

	struct decoder *d = decoder_create(NULL, decode_note, out);
	decode_bytes(d, 101, bytes, len, len);
	assert_string_equal(out, "10.0.0.1:1000>10.0.0.2:80/6 4 bad\n");
	decoder_destroy(d);
	free(bytes);
}

/* The snap length takes bytes away; lengths are those of the wire. */
static void
test_cut(void **state)
{
	char out[4096] = "";
	size_t len;
	uint8_t *bytes = hex_bytes(TCP4, &len);
	(void)state;

	struct decoder *d = decoder_create(NULL, decode_note, out);
	decode_bytes(d, 101, bytes, len - 2, len);
	assert_string_equal(out, "10.0.0.1:1000>10.0.0.2:80/6 4 cut\n");
	assert_int_equal(decode_counted(d), 0);
	out[0] = '\0';
	decode_bytes(d, 101, bytes, 30, len); /* within the TCP header */
	assert_string_equal(out, "10.0.0.1:1000>10.0.0.2:80/6 0 bad\n");
	assert_int_equal(decode_counter(d, "cut"), 1);
	decoder_destroy(d);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_broken_tcp),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
