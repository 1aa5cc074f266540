/* Link layers, tags and shims: the packet behind each must be found. */
#include "config.h"

#include "tests/unit/decode_check.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct decode_row good[] = {
	{"Ethernet", 1, MACS "0800" UDP4, UDP4_A_B},
	{"Ethernet, IPv6", 1, MACS "86dd" UDP6, UDP6_A_B},
	{"Ethernet with padding", 1, MACS "0800" UDP4 "000000000000", UDP4_A_B},
	{"802.1Q", 1, MACS "8100 2005 0800" UDP4, UDP4_A_B "vlan 5 0\n"},
	{"802.1ad", 1, MACS "88a8 0064 8100 0005 0800" UDP4, UDP4_A_B "vlan 100 5\n"},
	{"three tags", 1, MACS "9100 0001 8100 0002 8100 0003 0800" UDP4, UDP4_A_B "vlan 1 2\n"},
	{"802.3, LLC, SNAP", 1, MACS "0028 aaaa03 000000 0800" UDP4 "0000", UDP4_A_B},
	{"802.3, LLC of IP", 1, MACS "0023 060603" UDP4, UDP4_A_B},
	{"PPPoE", 1, MACS "8864 1100 0001 0022 0021" UDP4, UDP4_A_B},
	{"MPLS", 1, MACS "8847 00010040 00020140" UDP4, UDP4_A_B},
	{"MPLS pseudo-wire", 1, MACS "8847 00020140 00000000" MACS "0800" UDP4, UDP4_A_B},
	{"VN-Tag", 1, MACS "8926 00000000 0800" UDP4, UDP4_A_B},
	{"E-Tag", 1, MACS "893f 000000000000 0800" UDP4, UDP4_A_B},
	{"NSH", 1, MACS "894f 0fc2 01 01 00000100" UDP4, UDP4_A_B},
	{"provider backbone", 1, MACS "88e7 00000001" MACS "0800" UDP4, UDP4_A_B},
	{"MACsec without secrecy", 1, MACS "88e5 00 00 00000001 0800" UDP4, UDP4_A_B},
	{"null, little-endian", 0, "02000000" UDP4, UDP4_A_B},
	{"null, big-endian", 0, "00000002" UDP4, UDP4_A_B},
	{"null, IPv6 of FreeBSD", 0, "1c000000" UDP6, UDP6_A_B},
	{"null, IPv6 of Darwin", 0, "1e000000" UDP6, UDP6_A_B},
	{"null, IPv6 of NetBSD", 0, "18000000" UDP6, UDP6_A_B},
	{"null with a Cisco HDLC header", 0, "0f000800" UDP4, UDP4_A_B},
	{"loop", 108, "00000018" UDP6, UDP6_A_B},
	{"enc", 109, "02000000 00000000 00000000" UDP4, UDP4_A_B},
	{"raw", 101, UDP4, UDP4_A_B},
	{"raw, IPv6", 12, UDP6, UDP6_A_B},
	{"raw of OpenBSD", 14, UDP4, UDP4_A_B},
	{"IPv4", 228, UDP4, UDP4_A_B},
	{"IPv6", 229, UDP6, UDP6_A_B},
	{"cooked", 113, "0000 0001 0006 0200000000010000 0800" UDP4, UDP4_A_B},
	{"cooked, version 2", 276, "0800 0000 00000001 0001 00 06 0200000000010000" UDP4, UDP4_A_B},
	{"PPP", 9, "ff03 0021" UDP4, UDP4_A_B},
	{"PPP, compressed", 9, "21" UDP4, UDP4_A_B},
	{"PPP with direction", 204, "01 ff03 0057" UDP6, UDP6_A_B},
	{"Cisco HDLC", 104, "0f00 0800" UDP4, UDP4_A_B},
	{"frame relay", 107, "1841 03 cc" UDP4, UDP4_A_B},
	{"frame relay of Cisco", 107, "1841 0800" UDP4, UDP4_A_B},
	{"pflog", 117, "0502 0000 00000000" UDP4, UDP4_A_B},
	{"nflog", 239, "02 00 0001 0500 0a00 61000000 2400 0900" UDP4, UDP4_A_B},
	{"pktap", 258, "10000000 01000000 01000000 00000000" MACS "0800" UDP4, UDP4_A_B},
	{"802.11 from the station", 105,
		"0801 0000 0200000000ff 020000000001 020000000002 0000 aaaa03 000000 0800" UDP4,
		UDP4_A_B},
	{"802.11 with QoS", 105,
		"8802 0000 020000000002 0200000000ff 020000000001 0000 0000 aaaa03 000000 "
		"0800" UDP4,
		UDP4_A_B},
	{"radiotap", 127,
		"0000 0800 00000000"
		"0801 0000 0200000000ff 020000000001 020000000002 0000 aaaa03 000000 0800" UDP4,
		UDP4_A_B},
	{"radiotap, padded header", 127,
		"0000 0900 02000000 20"
		"8801 0000 0200000000ff 020000000001 020000000002 0000 0000 0000"
		"aaaa03 000000 0800" UDP4,
		UDP4_A_B},
	{"A-MSDU of two", 105,
		"8801 0000 0200000000ff 020000000001 020000000002 0000 8000" MACS
		"0028 aaaa03 000000 0800" UDP4 "0000" MACS "0028 aaaa03 000000 0800" UDP4,
		UDP4_A_B UDP4_A_B},
	{"PPI", 192,
		"00 00 0800 69000000"
		"0801 0000 0200000000ff 020000000001 020000000002 0000 aaaa03 000000 0800" UDP4,
		UDP4_A_B},
};

static const struct decode_row bad[] = {
	{"unknown link type", 9999, "00", "link_unknown"},
	{"ARP", 1, MACS "0806 0001 0800 06 04 0001", "not_ip"},
	{"spanning tree", 1, MACS "0026 424203 0000", "not_ip"},
	{"half an Ethernet header", 1, "0200000000", "link_malformed"},
	{"a tag and nothing else", 1, MACS "8100 0005", "link_malformed"},
	{"tags without end", 1,
		MACS "8100000181000001810000018100000181000001810000018100000181000001"
		     "8100000181000001810000018100000181000001810000018100000181000001"
		     "8100000181000001810000018100000181000001810000018100000181000001"
		     "8100000181000001810000018100000181000001810000018100000181000001"
		     "8100000181000001810000018100000181000001810000018100000181000001",
		"nested_too_deep"},
	{"encrypted 802.11", 105,
		"0841 0000 0200000000ff 020000000001 020000000002 0000 0000000000000000",
		"wlan_encrypted"},
	{"encrypted by MACsec", 1, MACS "88e5 0c 00 00000001 0a0b0c0d", "macsec_encrypted"},
	{"beacon", 105, "8000 0000 ffffffffffff", "not_ip"},
	{"pflog header of no length", 117, "0002 0000", "link_malformed"},
	{"nflog attribute of no length", 239, "02000001 0000 0900", "link_malformed"},
	{"pktap in pktap, cut", 258, "0c000000 01000000 02010000", "link_malformed"},
	{"NSH of no length", 1, MACS "894f 0fc0 01 01 00000100", "tunnel_malformed"},
	{"wrong PPPoE version", 1, MACS "8864 2100 0001 0002 0021", "link_malformed"},
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
