#include "config.h"

#include "proto_stage.h"

#include "base/digest.h"

enum { PACKET_MAX = 512 };

/* The eight name-lists that HASSH looks at, in the order of RFC 4253 section 7.1. */
static const char *const client_lists[] = {"curve25519-sha256,ext-info-c", "ssh-ed25519", "aes128-ctr", "aes256-ctr",
        "hmac-sha2-256", "hmac-sha1", "none,zlib", "none"};
static const char *const server_lists[] = {"curve25519-sha256", "ssh-ed25519,rsa-sha2-512", "chacha20", "aes128-gcm",
        "umac-64", "umac-128", "none", "zlib"};

static size_t
put_u32(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
	return 4;
}

/* A whole packet: length, padding length, message, body; its size. */
static size_t
packet(uint8_t *out, uint8_t message, const char *const *lists, size_t count)
{
	size_t len = 4;
	out[len++] = 4; /* padding */
	out[len++] = message;
	memset(out + len, 'c', 16); /* cookie */
	len += 16;
	for (size_t i = 0; i < count; i++) {
		len += put_u32(out + len, strlen(lists[i]));
		memcpy(out + len, lists[i], strlen(lists[i]));
		len += strlen(lists[i]);
	}
	memset(out + len, 0, 4);
	len += 4;
	(void)put_u32(out, len - 4);
	return len;
}

static const char *
md5_of(const char *const *lists, size_t first, char out[DIGEST_HEX_MAX])
{
	struct digest *d = digest_open(NULL, DIGEST_MD5);
	digest_add(d, lists[0], strlen(lists[0]));
	for (size_t i = first; i < 8; i += 2) {
		digest_add(d, ";", 1);
		digest_add(d, lists[i], strlen(lists[i]));
	}
	return digest_close(d, out);
}

/* Each side in pieces of step bytes; reverse: the end that connects is the server. */
static void
play(struct stage *s, size_t step, bool reverse)
{
	static const char banner[2][64] = {"SSH-2.0-OpenSSH_9.7 x\r\n", "no banner yet\r\nSSH-2.0-dropbear_2022\r\n"};
	uint8_t bytes[2][4 * PACKET_MAX];
	size_t len[2];
	enum side client = reverse ? SIDE_DESTINATION : SIDE_SOURCE;

	for (size_t i = 0; i < 2; i++) {
		len[i] = strlen(banner[i]);
		memcpy(bytes[i], banner[i], len[i]);
		len[i] += packet(bytes[i] + len[i], 20, i == 0 ? client_lists : server_lists, 8);
	}
	len[0] += packet(bytes[0] + len[0], 30, NULL, 0);
	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", 8022);
	for (size_t at = 0; at < len[0] || at < len[1]; at += step)
		for (size_t i = 0; i < 2; i++)
			if (at < len[i])
				(void)stage_data(s, 0, i == 0 ? client : side_other(client), bytes[i] + at,
				        len[i] - at < step ? len[i] - at : step);
}

static void
test_hassh(void **state)
{
	char hassh[DIGEST_HEX_MAX], hassh_server[DIGEST_HEX_MAX];
	static const size_t steps[] = {4096, 1, 7, 100};
	struct stage s;
	(void)state;
	assert_non_null(md5_of(client_lists, 2, hassh));
	assert_non_null(md5_of(server_lists, 3, hassh_server));
	for (size_t i = 0; i < COUNT(steps) * 2; i++) {
		/* One byte at a time, text before the banner of a server that connects can't be told from any other. */
		play(&s, i % 2 == 1 ? 4096 : steps[i / 2], i % 2 == 1);
		const struct facts *f = session_facts(s.flow[0].session);
		assert_string_equal(f->protocol, "ssh");
		assert_string_equal(f->client.utf8, "SSH-2.0-OpenSSH_9.7 x");
		assert_string_equal(f->server.utf8, "SSH-2.0-dropbear_2022");
		assert_string_equal(f->ssh.hassh, hassh);
		assert_string_equal(f->ssh.hassh_server, hassh_server);
		assert_int_equal(s.flow[0].verdict, VERDICT_DONE);
		stage_clear(&s);
	}
}

/* What is known is told at the latest when the flow ends, wherever the capture stops. */
static void
test_prefixes(void **state)
{
	uint8_t bytes[PACKET_MAX + 64] = "SSH-2.0-x\r\n";
	size_t len = 11 + packet(bytes + 11, 20, client_lists, 8);
	(void)state;
	for (size_t n = 1; n <= len; n++) {
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 8022);
		(void)stage_data(&s, 0, SIDE_SOURCE, bytes, n);
		conversation_close(s.flow[0].conversation, false);
		s.flow[0].conversation = NULL;
		const struct facts *f = session_facts(s.flow[0].session);
		assert_int_equal(f->protocol != NULL, n >= 4);
		assert_int_equal(f->client.utf8 != NULL, n >= 11);
		assert_int_equal(f->ssh.hassh != NULL, n == len);
		stage_clear(&s);
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	        {"SSH-2.0-x\r\n\xff\xff\xff\xff\x04\x14", 17}, /* longer than a packet may be */
	        {"SSH-2.0-x\r\n\0\0\0\0\0\0", 17},             /* shorter than its own head */
	        {"SSH-2.0-x\r\n\0\0\0\x0a\x04\x14" "abcdefgh", 25}, /* KEXINIT without its lists */
	        {"SSH-1.5-x\r\n", 11},                         /* the old protocol: the banner is all */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 8022);
		(void)stage_data(&s, 0, SIDE_SOURCE, bad[i].bytes, bad[i].len);
		conversation_close(s.flow[0].conversation, false);
		s.flow[0].conversation = NULL;
		assert_string_equal(session_facts(s.flow[0].session)->protocol, "ssh");
		assert_null(session_facts(s.flow[0].session)->ssh.hassh);
		stage_clear(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_hassh),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
