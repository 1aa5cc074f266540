/*
 * Protocols that are told by their first datagram or their first bytes: which bytes are whose. Each good row stands at
 * every prefix and, over TCP, byte by byte too: a part of it must never be taken for another protocol.
 */
#include "config.h"

#include "proto_stage.h"

#include "hex.h"

struct row {
	const char *protocol; /* "-": nobody's */
	uint16_t port;
	const char *hex;      /* the source's; then, behind '|', the destination's */
	const char *key, *value; /* a detail, or NULL */
};

#define ZEROS_16 "00000000000000000000000000000000"
#define ZEROS_64 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16
#define ONES_16 "11223344556677889900aabbccddeeff"
#define ONES_64 ONES_16 ONES_16 ONES_16 ONES_16

static const struct row datagrams[] = {
        /* initiation: type, reserved, sender, ephemeral, static, timestamp, MACs */
        {"wireguard", 4000, "01000000 aabbccdd" ONES_64 ONES_64 "1122334455667788 01020304", "tunnel.kind", "wireguard"},
        {"wireguard", 4000, "02000000" ONES_64 ONES_16 "1122334455667788", "tunnel.kind", "wireguard"},
        {"wireguard", 4000, "04000000 01020304 0500000000000000" ONES_16, "tunnel.kind", "wireguard"},
        {"-", 51820, "04000000 01020304 0500000000000000" ONES_16 "00", NULL, NULL}, /* not padded */
        {"-", 51820, "04000000 01020304 05000000000000ff" ONES_16, NULL, NULL},      /* such a counter nobody has */
        {"-", 51820, "01000000 aabbccdd" ONES_64, NULL, NULL},
        {"tailscale", 4000, "5453f09f92ac" ONES_64 ONES_16, "tunnel.kind", "tailscale"},
        {"-", 41641, "5453f09f92ad" ONES_64 ONES_16, NULL, NULL},
        /* reset, session, acknowledgements, number */
        {"openvpn", 4000, "38 0102030405060708 00 00000000", "openvpn.wrapping", "none"},
        {"openvpn", 4000, "40 0102030405060708 01 00000000 1112131415161718 00000000", "openvpn.wrapping", "none"},
        {"openvpn", 4000, "38 0102030405060708" ONES_16 "11223344 00000001 65a4f000 00 00000000", "openvpn.wrapping",
                "tls-auth"},
        {"openvpn", 4000, "38 0102030405060708" ONES_64 "00000001 65a4f000 00 00000000", "openvpn.wrapping", "tls-auth"},
        {"openvpn", 4000, "38 0102030405060708 00000001 65a4f000" ONES_16 ONES_16 "0102030405", "openvpn.wrapping",
                "tls-crypt"},
        {"-", 1194, "38 0102030405060708 00 00000001", NULL, NULL},
        {"-", 1194, "39 0102030405060708 00 00000000", NULL, NULL},
        /* cookies, next payload, version, exchange, flags, ID, length */
        {"isakmp", 4000, "0102030405060708 0000000000000000 01 10 02 00 00000000 0000001c", "tunnel.kind", "ipsec"},
        {"isakmp", 4000, "0102030405060708 0000000000000000 21 20 22 08 00000000 0000001c", "tunnel.kind", "ipsec"},
        {"isakmp", 4500, "00000000 0102030405060708 1112131415161718 2e 20 23 20 00000001 0000001c", "tunnel.kind", "ipsec"},
        {"-", 500, "0102030405060708 0000000000000000 21 20 22 08 00000000 0000001d", NULL, NULL},
        {"-", 500, "0102030405060708 0000000000000000 21 30 22 08 00000000 0000001c", NULL, NULL},
        {"-", 4500, "ff", NULL, NULL},
        {"l2tp", 4000, "c802 0014 0000 0000 0000 0000 8008 0000 0000 0001", "tunnel.kind", "l2tp"},
        {"l2tp", 4000, "c802 000c 0001 0000 0001 0001", "tunnel.kind", "l2tp"},
        {"-", 1701, "c802 000d 0001 0000 0001 0001", NULL, NULL},
        {"stun", 4000, "0001 0000 2112a442 0102030405060708090a0b0c", NULL, NULL},
        {"-", 3478, "0001 0004 2112a442 0102030405060708090a0b0c", NULL, NULL},
        {"-", 3478, "0001 0000 2112a443 0102030405060708090a0b0c", NULL, NULL},
        {"rtcp", 4000, "80c80006 01020304" ONES_16 "00000000 81ca0002 01020304 01016100", NULL, NULL},
        {"rtcp", 4000, "81c90007 01020304" ONES_16 "0000000000000000", NULL, NULL},
        {"-", 4000, "80c80007 01020304" ONES_16, NULL, NULL},
        {"nbns", 137, "0001 0110 0001 0000 0000 0000 20 4142434445464748494a4b4c4d4e4f50 4142434445464748494a4b4c4d4e4f50 00 0020 0001",
                NULL, NULL},
        {"-", 137, "0001 0110 0001 0000 0000 0000 20 4142434445464748494a4b4c4d4e4f50 4142434445464748494a4b4c4d4e4f51 00 0020 0001",
                NULL, NULL},
        {"nbdgm", 138, "11 02 0001 c0000201 008a 0022 0000 20 4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d 00", NULL, NULL},
        {"nbdgm", 138, "11 02 0001 c0000201 0000 0022 0000 20 4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d 00", NULL, NULL},
        {"-", 4000, "11 02 0001 c0000201 0000 0022 0000 20 4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d51 00", NULL, NULL},
        {"dhcp", 67, "01 01 06 00" ZEROS_64 ZEROS_64 ZEROS_64 ZEROS_16 ZEROS_16 "0000000000000000 63825363 350101ff", NULL, NULL},
        {"-", 67, "01 01 06 00" ZEROS_64 ZEROS_64 ZEROS_64 ZEROS_16 ZEROS_16 "0000000000000000 63825364 350101ff", NULL, NULL},
        {"dhcp", 67, "01 00 00 01" ZEROS_64 ZEROS_64 ZEROS_64 ZEROS_16 ZEROS_16 "0000000000000000 63825363 35010aff", NULL, NULL},
        {"dhcpv6", 547, "01 010203 0001 0004 00010001 0006 0002 0017", NULL, NULL},
        {"-", 547, "01 010203 0001 0005 00010001", NULL, NULL},
        {"snmp", 161, "30 18 02 01 01 04 06 7075626c6963 a0 0b 02 01 01 02 01 00 02 01 00 30 00", NULL, NULL},
        {"-", 161, "30 18 02 01 02 04 06 7075626c6963 a0 0b 02 01 01 02 01 00 02 01 00 30 00", NULL, NULL},
        {"syslog", 514, "3c 33 34 3e 4f63742031312032323a31343a3135206d7973797374656d", NULL, NULL},
        {"-", 514, "3c 39 39 39 3e 4f6374203131", NULL, NULL},
        {"ssdp", 1900, "4d2d534541524348202a20485454502f312e310d0a", NULL, NULL},
        {"ntp", 123, "23 00 06 ec" ZEROS_16 ZEROS_16 "00000000 00000000 00000000", NULL, NULL},
        {"-", 4000, "23 00 06 ec" ZEROS_16 ZEROS_16 "00000000 00000000 00000000", NULL, NULL},
        {"rip", 520, "02 02 0000 0002 0000 0a000000 ff000000 00000000 00000001", NULL, NULL},
        {"-", 4000, "02 02 0000 0002 0000 0a000000 ff000000 00000000 00000001", NULL, NULL},
        {"cldap", 389, "30 0c 02 01 01 63 07 04 00 0a 01 00 04 00", NULL, NULL},
        {"kerberos", 88, "6a 0d 30 0b a1 03 02 01 05 a2 04 02 02 00 0a", NULL, NULL},
        {"-", 88, "6a 0d 30 0b a1 03 02 01 04 a2 04 02 02 00 0a", NULL, NULL},
        {"-", 4000, "", NULL, NULL},
        {"-", 4000, ZEROS_64, NULL, NULL},
        {"-", 4000, ONES_64, NULL, NULL},
};

static const struct row streams[] = {
        {"x11", 6000, "6c 00 0b00 0000 1200 1000 0000 4d49542d", NULL, NULL},
        {"x11", 4000, "42 00 000b 0000 0000 0000 0000", NULL, NULL},
        {"-", 6000, "6c 00 0c00 0000 1200 1000 0000", NULL, NULL},
        {"ica", 4000, "| 7f7f49434100", NULL, NULL},
        {"spice", 4000, "52454451 02000000 02000000 1a000000", NULL, NULL},
        {"-", 5900, "52454451 03000000 02000000 1a000000", NULL, NULL},
        {"teamviewer", 5938, "1724 0a20 00", NULL, NULL},
        {"-", 4000, "1724 0a20 00", NULL, NULL},
        {"telnet", 4000, "| fffd18 fffd20", NULL, NULL},
        {"telnet", 23, "fffd03", NULL, NULL},
        {"-", 23, "ff00 18 ff", NULL, NULL},
        {"ldap", 389, "30 0c 02 01 01 60 07 02 01 03 04 00 80 00", NULL, NULL},
        {"-", 389, "30 0c 02 01 01 60 07 02 01 09 04 00 80 00", NULL, NULL},
        {"-", 389, "30 0c 02 01 01 30 07 02 01 03 04 00 80 00", NULL, NULL},
        {"kerberos", 88, "00000011 6a 0f 30 0d a1 03 02 01 05 a2 06 02 04 00 0a 00 00", NULL, NULL},
        {"mysql", 3306, "| 4a0000 00 0a 352e372e333800" ONES_64 "0000", NULL, NULL},
        {"-", 3306, "| 4a0000 00 09 352e372e333800" ONES_64 "0000", NULL, NULL},
        {"pgsql", 5432, "00000017 00030000 7573657200 626f6200 646200 6200 00", NULL, NULL},
        {"pgsql", 4000, "00000008 04d2162f", NULL, NULL},
        {"-", 5432, "00000008 04d21640", NULL, NULL},
        {"pptp", 4000, "009c 0001 1a2b3c4d 0001 0000 0100 0000", "tunnel.kind", "pptp"},
        {"-", 1723, "009c 0001 1a2b3c4e 0001 0000 0100 0000", NULL, NULL},
        {"openvpn", 4000, "000e 38 0102030405060708 00 00000000", "openvpn.wrapping", "none"},
        {"-", 1194, "000e 38 0102030405060708 00 00000001", NULL, NULL},
        {"stun", 3478, "0001 0000 2112a442 0102030405060708090a0b0c", NULL, NULL},
        {"-", 4000, ZEROS_64, NULL, NULL},
        {"-", 4000, ONES_64, NULL, NULL},
};

static const char *
protocol(struct stage *s)
{
	if (s->flow[0].session == NULL || session_protocol_name(s->flow[0].session) == NULL)
		return "-";
	return session_protocol_name(s->flow[0].session);
}

/* What the flow is taken for when so many bytes of the row came, in pieces. */
static void
run(const struct row *r, bool udp, size_t cut, size_t piece, bool whole)
{
	struct stage s;
	const char *bar = strchr(r->hex, '|');
	const enum side side = bar != NULL ? SIDE_DESTINATION : SIDE_SOURCE;
	size_t len;
	uint8_t *bytes = hex_bytes(bar != NULL ? bar + 1 : r->hex, &len);
	if (cut > len)
		cut = len;
	stage_init(&s);
	(udp ? stage_datagrams : stage_flow)(&s, 0, "10.0.0.1", 40000, "10.0.0.2", r->port);
	for (size_t at = 0; at < cut; at += piece)
		stage_data(&s, 0, side, bytes + at, piece < cut - at ? piece : cut - at);
	const char *found = protocol(&s);
	if (whole && strcmp(found, r->protocol) != 0)
		fail_msg("%s: taken for %s, and not %s", r->hex, found, r->protocol);
	if (!whole && strcmp(found, "-") != 0 && strcmp(found, r->protocol) != 0)
		fail_msg("%s: %zu bytes of it are taken for %s", r->hex, cut, found);
	if (whole && r->key != NULL)
		assert_string_equal(stage_text(stage_detail(&s, 0, r->key)), r->value);
	stage_clear(&s);
	free(bytes);
}

static void
test_datagrams(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(datagrams); i++) {
		run(&datagrams[i], true, SIZE_MAX, SIZE_MAX, true);
		for (size_t cut = 0; cut < 300 && datagrams[i].protocol[0] != '-'; cut++)
			if (strcmp(datagrams[i].protocol, "syslog") != 0 && strcmp(datagrams[i].protocol, "wireguard") != 0)
				run(&datagrams[i], true, cut, SIZE_MAX, false);
	}
}

static void
test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(streams); i++) {
		run(&streams[i], false, SIZE_MAX, SIZE_MAX, true);
		for (size_t cut = 0; cut < 100 && streams[i].protocol[0] != '-'; cut++)
			run(&streams[i], false, cut, SIZE_MAX, false);
		if (streams[i].key == NULL && streams[i].port != 23)
			run(&streams[i], false, SIZE_MAX, 1, true);
	}
}

static size_t
media(uint8_t *out, unsigned number, unsigned ssrc)
{
	memset(out, 0x55, 172);
	out[0] = 0x80;
	out[1] = 0;
	out[2] = (uint8_t)(number >> 8);
	out[3] = (uint8_t)number;
	out[8] = out[9] = out[10] = 0;
	out[11] = (uint8_t)ssrc;
	return 172;
}

/* RTP is nobody's before its third packet, and not at all where they do not count. */
/* One byte of a conversation that goes on is no OpenVPN, whatever the port. */
static void
test_keep_alive(void **state)
{
	static const uint8_t byte[] = {0};
	struct probe p = {.bytes = {byte, byte}, .len = {1, 0}, .port = {40000, 443}};
	(void)state;
	assert_int_equal(proto_openvpn_tcp.probe(&p), VERDICT_MORE);
	p.midstream = true;
	assert_int_equal(proto_openvpn_tcp.probe(&p), VERDICT_NOT_MINE);
}

static void
test_rtp(void **state)
{
	static const struct {
		unsigned numbers[4];
		bool believed;
	} rows[] = {{{1, 2, 3, 4}, true}, {{65534, 65535, 0, 1}, true}, {{1, 3, 5, 7}, true}, {{1, 2, 200, 201}, false},
	        {{7, 7, 7, 7}, false}, {{4, 3, 2, 1}, false}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s;
		uint8_t bytes[172];
		stage_init(&s);
		stage_datagrams(&s, 0, "10.0.0.1", 40000, "10.0.0.2", 40002);
		for (size_t k = 0; k < 4; k++)
			stage_data(&s, 0, SIDE_SOURCE, bytes, media(bytes, rows[i].numbers[k], 7));
		conversation_close(s.flow[0].conversation, false);
		s.flow[0].conversation = NULL;
		assert_string_equal(protocol(&s), rows[i].believed ? "rtp" : "-");
		stage_clear(&s);
	}
}

/* ESP in UDP: the second packet has the next number. */
static void
test_esp(void **state)
{
	static const struct {
		unsigned first, second;
		uint16_t port;
		bool believed;
	} rows[] = {{1, 2, 4500, true}, {1, 5, 4500, true}, {5, 4, 4500, false}, {1, 2, 4000, false}, {1, 9000, 4500, false}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s;
		uint8_t bytes[64] = {0xc0, 1, 2, 3};
		stage_init(&s);
		stage_datagrams(&s, 0, "10.0.0.1", 4500, "10.0.0.2", rows[i].port);
		s.flow[0].ends.port[0] = rows[i].port;
		for (size_t k = 0; k < 2; k++) {
			const unsigned number = k == 0 ? rows[i].first : rows[i].second;
			bytes[6] = (uint8_t)(number >> 8);
			bytes[7] = (uint8_t)number;
			stage_data(&s, 0, SIDE_SOURCE, bytes, sizeof bytes);
		}
		conversation_close(s.flow[0].conversation, false);
		s.flow[0].conversation = NULL;
		assert_string_equal(protocol(&s), rows[i].believed ? "esp" : "-");
		stage_clear(&s);
	}
}

/* Echoes of size bytes, answered by the same or not; kind: 0 as ping, 1 anything, 2 IP packets. */
static bool
echoes(unsigned count, bool same, int kind)
{
	struct stage s;
	stage_init(&s);
	stage_datagrams(&s, 0, "10.0.0.1", 8, "10.0.0.2", 0);
	s.flow[0].ends.transport = IPPROTO_ICMP;
	for (unsigned i = 0; i < count; i++) {
		uint8_t bytes[800];
		for (int way = 0; way < 2; way++) {
			for (size_t k = 0; k < sizeof bytes; k++)
				bytes[k] = (uint8_t)(kind == 0 ? k : (k * k * 7 + k * i + (same ? 0 : (size_t)way * 31)) * 2654435761u >> 8);
			if (kind == 2)
				memcpy(bytes, "\x45\0\x03\x20", 4);
			stage_data(&s, 0, (enum side)way, bytes, sizeof bytes);
		}
	}
	const char *told = stage_detail(&s, 0, "tunnel.kind");
	const bool is = told != NULL && strcmp(told, "icmp") == 0;
	assert_string_equal(protocol(&s), is ? "icmp" : "-");
	conversation_close(s.flow[0].conversation, false);
	s.flow[0].conversation = NULL;
	assert_string_equal(protocol(&s), is ? "icmp" : "-");
	stage_clear(&s);
	return is;
}

static void
test_icmp(void **state)
{
	(void)state;
	assert_false(echoes(100, true, 0));  /* a ping */
	assert_false(echoes(100, true, 1));  /* one with other bytes */
	assert_true(echoes(100, false, 1));  /* answers are others */
	assert_true(echoes(100, true, 2));   /* packets in it */
	assert_false(echoes(5, false, 1));   /* few */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_datagrams), cmocka_unit_test(test_streams), cmocka_unit_test(test_keep_alive), cmocka_unit_test(test_rtp),
	        cmocka_unit_test(test_esp), cmocka_unit_test(test_icmp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
