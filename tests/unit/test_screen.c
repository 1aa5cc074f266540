/* Conversations in steps: SOCKS, the PROXY protocol, Remote Desktop, VNC. */
#include "config.h"

#include "proto_stage.h"

#include "hex.h"

struct turn {
	enum side from;
	const char *hex; /* or text, where it begins with a quote */
};

/* Gives the turns, each in pieces; what is asked is asked of the open session. */
static void
talk(struct stage *s, const struct turn *turns, size_t count, size_t piece, uint16_t port)
{
	stage_init(s);
	stage_flow(s, 0, "10.0.0.1", 40000, "10.0.0.2", port);
	for (size_t i = 0; i < count; i++) {
		size_t len;
		uint8_t *bytes;
		if (turns[i].hex[0] == '"') {
			len = strlen(turns[i].hex + 1);
			bytes = malloc(len + 1);
			assert_non_null(bytes);
			memcpy(bytes, turns[i].hex + 1, len);
		} else {
			bytes = hex_bytes(turns[i].hex, &len);
		}
		for (size_t at = 0; at < len; at += piece)
			stage_data(s, 0, turns[i].from, bytes + at, piece < len - at ? piece : len - at);
		free(bytes);
	}
}

static const char *
protocol(struct stage *s)
{
	return stage_text(session_protocol_name(s->flow[0].session));
}

static void
test_socks5(void **state)
{
	static const struct turn turns[] = {
	        {SIDE_SOURCE, "05 02 00 02"},
	        {SIDE_DESTINATION, "05 02"},
	        {SIDE_SOURCE, "01 03 626f62 02 7077"},
	        {SIDE_DESTINATION, "01 00"},
	        {SIDE_SOURCE, "05 01 00 03 0b 6578616d706c652e636f6d 0050"},
	        {SIDE_DESTINATION, "05 00 00 01 00000000 0000"},
	        {SIDE_SOURCE, "\"GET /a.zip HTTP/1.1\r\nHost: example.com\r\n\r\n"},
	        {SIDE_DESTINATION, "\"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
	};
	(void)state;
	for (size_t piece = 1; piece < 64; piece += piece == 1 ? 62 : 1) {
		struct stage s;
		talk(&s, turns, COUNT(turns), piece, 4000);
		assert_string_equal(protocol(&s), "socks");
		assert_string_equal(stage_text(stage_detail(&s, 0, "socks.target")), "example.com:80");
		assert_string_equal(stage_text(stage_detail(&s, 0, "socks.command")), "connect");
		assert_string_equal(session_facts(s.flow[0].session)->user.utf8, "bob");
		stage_close(&s, 0, false);
		assert_non_null(strstr(s.log, "=/a.zip GET"));
		stage_clear(&s);
	}
	static const struct turn refused[] = {{SIDE_SOURCE, "05 01 00"}, {SIDE_DESTINATION, "05 02"}};
	struct stage s;
	talk(&s, refused, COUNT(refused), 64, 1080);
	assert_string_equal(protocol(&s), "-"); /* a method that was not offered */
	stage_clear(&s);
	/* DNP3 from port 1080: what would be methods are none, and are answered before they end */
	static const uint8_t dnp3[] = {5, 100, 8, 0xc4, 4, 0, 3, 0, 0xb4, 0xb8, 0xc0, 0xc1, 13}, reply[] = {5, 0x64, 10};
	struct probe p = {.bytes = {dnp3, reply}, .len = {sizeof dnp3, 0}};
	assert_int_equal(proto_socks.probe(&p), VERDICT_NOT_MINE);
	p.len[SIDE_SOURCE] = 6;
	assert_int_equal(proto_socks.probe(&p), VERDICT_MORE);
	p.len[SIDE_DESTINATION] = sizeof reply;
	assert_int_equal(proto_socks.probe(&p), VERDICT_NOT_MINE);
}

static void
test_socks4(void **state)
{
	static const struct turn turns[] = {
	        {SIDE_SOURCE, "04 01 01bb 00000001 626f6200 6578616d706c652e636f6d00"},
	        {SIDE_DESTINATION, "00 5a 0000 00000000"},
	        {SIDE_SOURCE, "\"SSH-2.0-x\r\n"},
	};
	static const struct turn plain[] = {
	        {SIDE_SOURCE, "04 01 0050 c0000201 00"},
	        {SIDE_DESTINATION, "00 5b 0000 00000000"},
	};
	struct stage s;
	(void)state;
	talk(&s, turns, COUNT(turns), 64, 4000);
	assert_string_equal(protocol(&s), "socks");
	assert_string_equal(stage_text(stage_detail(&s, 0, "socks.target")), "example.com:443");
	stage_clear(&s);
	talk(&s, plain, COUNT(plain), 64, 4000);
	assert_string_equal(stage_text(stage_detail(&s, 0, "socks.target")), "192.0.2.1:80");
	stage_clear(&s);
}

static void
test_proxy(void **state)
{
	static const struct turn one[] = {
	        {SIDE_SOURCE, "\"PROXY TCP4 192.0.2.9 192.0.2.1 56324 80\r\nGET /b HTTP/1.1\r\nHost: h.example\r\n\r\n"}};
	static const struct turn two[] = {
	        {SIDE_SOURCE, "0d0a0d0a000d0a515549540a 21 11 000c c0000209 c0000201 d431 0050 474554202f62 20485454502f312e310d0a"
	                      "486f73743a20680d0a0d0a"}};
	struct stage s;
	(void)state;
	talk(&s, one, 1, 200, 80);
	assert_string_equal(protocol(&s), "http");
	assert_string_equal(stage_text(stage_detail(&s, 0, "tunnel.client")), "192.0.2.9");
	stage_clear(&s);
	talk(&s, two, 1, 200, 80);
	assert_string_equal(protocol(&s), "http");
	assert_string_equal(stage_text(stage_detail(&s, 0, "tunnel.client")), "192.0.2.9");
	stage_clear(&s);
}

static void
test_rdp(void **state)
{
	static const struct turn tls[] = {
	        {SIDE_SOURCE, "0300002b 26 e0 0000 0000 00 436f6f6b69653a206d737473686173683d616c6963650d0a 01 00 0800 03000000"},
	        {SIDE_DESTINATION, "03000013 0e d0 0000 1234 00 02 1f 0800 02000000"},
	};
	static const struct turn old[] = {
	        {SIDE_SOURCE, "03000013 0e e0 0000 0000 00 01 00 0800 00000000"},
	        {SIDE_DESTINATION, "03000013 0e d0 0000 1234 00 02 00 0800 00000000"},
	        {SIDE_SOURCE, "03000070 02f080 7f65 44756361 5a"
	                      "01c0 2c00 04000800 0004 0003 01ca 03aa 12040000 280a0000 500043003100 0000 0000 0000 0000 0000"
	                      "0000 0000" /* the rest of the name's room is cut short here */
	                      "03c0 2000 02000000 636c697072647200 0000a0c0 726470647200 0000 00008080"
	                      "00000000000000000000000000000000000000000000"},
	};
	static const struct turn other[] = {{SIDE_SOURCE, "0300001611e00000001400c1020600c2020600c0010a"}}; /* S7 */
	struct stage s;
	(void)state;
	talk(&s, tls, COUNT(tls), 64, 4000);
	assert_string_equal(protocol(&s), "rdp");
	assert_string_equal(session_facts(s.flow[0].session)->user.utf8, "alice");
	assert_string_equal(stage_text(stage_detail(&s, 0, "rdp.security")), "credssp");
	stage_clear(&s);
	for (size_t piece = 200; piece > 60; piece -= 100) {
		talk(&s, old, COUNT(old), piece, 4000);
		assert_string_equal(stage_text(stage_detail(&s, 0, "rdp.security")), "rdp");
		assert_string_equal(stage_text(stage_detail(&s, 0, "rdp.client_name")), "PC1");
		assert_string_equal(stage_text(stage_detail(&s, 0, "rdp.keyboard_layout")), "0x00000412");
		assert_string_equal(stage_text(stage_detail(&s, 0, "rdp.channels")), "cliprdr");
		stage_clear(&s);
	}
	talk(&s, other, 1, 64, 102);
	assert_string_equal(protocol(&s), "-");
	stage_clear(&s);
}

/* A number, as text; "-": none. */
static const char *
number(struct stage *s, const char *key, char text[32])
{
	struct detail d[DETAIL_MAX];
	size_t count = details_list(session_facts(s->flow[0].session)->details, d);
	snprintf(text, 32, "-");
	for (size_t i = 0; i < count; i++)
		if (strcmp(d[i].key, key) == 0)
			snprintf(text, 32, "%llu", (unsigned long long)d[i].number);
	return text;
}

static void
test_vnc(void **state)
{
	static const struct turn turns[] = {
	        {SIDE_DESTINATION, "\"RFB 003.008\n"},
	        {SIDE_SOURCE, "\"RFB 003.008\n"},
	        {SIDE_DESTINATION, "02 02 13"},
	        {SIDE_SOURCE, "02"},
	        {SIDE_DESTINATION, "00112233445566778899aabbccddeeff"},
	        {SIDE_SOURCE, "ffeeddccbbaa99887766554433221100"},
	        {SIDE_DESTINATION, "00000000"},
	        {SIDE_SOURCE, "01"},
	        {SIDE_DESTINATION, "0400 0300 20180001 00ff00ff00ff1008 00000000 00000004 6465736b"},
	        {SIDE_SOURCE, "00 000000 20180001 00ff00ff00ff1008 00000000"},
	        {SIDE_SOURCE, "02 00 0002 00000000 00000001"},
	        {SIDE_SOURCE, "06 000000 00000005 68656c6c6f 03 00 00000000 04000300 06 000000 00000002 6869 04 01 0000 00000041"},
	        {SIDE_DESTINATION, "00 00 0001"},
	        {SIDE_SOURCE, "06 000000 00000001 78"},
	        {SIDE_SOURCE, "06 000000 fffffffc 08000001 06 000000 fffffffc 1f000001 06 000000 fffffff9 10000001 010203"}, /* told of, provided */
	};
	char text[32];
	(void)state;
	for (size_t piece = 1; piece < 64; piece += 7) {
		struct stage s;
		talk(&s, turns, COUNT(turns), piece, 4000);
		assert_string_equal(protocol(&s), "vnc");
		assert_string_equal(stage_text(stage_detail(&s, 0, "vnc.security")), "vnc");
		assert_string_equal(stage_text(stage_detail(&s, 0, "vnc.desktop")), "desk");
		assert_string_equal(number(&s, "vnc.cut_texts", text), "4");
		assert_string_equal(number(&s, "vnc.cut_text_bytes", text), "11");
		stage_clear(&s);
	}
	/* Version 3.3: the server decides; no authentication. */
	static const struct turn old[] = {
	        {SIDE_DESTINATION, "\"RFB 003.003\n"},
	        {SIDE_SOURCE, "\"RFB 003.003\n"},
	        {SIDE_DESTINATION, "00000001"},
	        {SIDE_SOURCE, "01"},
	        {SIDE_DESTINATION, "0400 0300 20180001 00ff00ff00ff1008 00000000 00000002 6869"},
	        {SIDE_SOURCE, "06 000000 00000005 68656c6c6f"},
	};
	/* TLS: what is chosen is told, and nothing behind it is read. */
	static const struct turn tls[] = {
	        {SIDE_DESTINATION, "\"RFB 003.008\n"}, {SIDE_SOURCE, "\"RFB 003.008\n"}, {SIDE_DESTINATION, "01 13"},
	        {SIDE_SOURCE, "13"}, {SIDE_DESTINATION, "0002"}, {SIDE_SOURCE, "06 000000 00000005 68656c6c6f"},
	};
	struct stage s;
	talk(&s, old, COUNT(old), 64, 5900);
	assert_string_equal(stage_text(stage_detail(&s, 0, "vnc.security")), "none");
	assert_string_equal(stage_text(stage_detail(&s, 0, "vnc.desktop")), "hi");
	assert_string_equal(number(&s, "vnc.cut_text_bytes", text), "5");
	stage_clear(&s);
	talk(&s, tls, COUNT(tls), 64, 5900);
	assert_string_equal(stage_text(stage_detail(&s, 0, "vnc.security")), "vencrypt");
	assert_string_equal(number(&s, "vnc.cut_texts", text), "-");
	stage_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_socks5), cmocka_unit_test(test_socks4), cmocka_unit_test(test_proxy),
	        cmocka_unit_test(test_rdp), cmocka_unit_test(test_vnc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
