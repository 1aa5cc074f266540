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
		assert_int_equal(s.flow[0].verdict, VERDICT_MORE); /* what comes is looked at from outside */
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

/*
 * A session by the sizes on the wire: "C44" the client sends so many bytes, "S" the server, "t" time passes, "5x" the
 * next one so many times.
 */
struct row {
	const char *what, *cipher, *mac, *compression;
	const char *script;
	const char *kind, *confidence, *method; /* NULL: not told */
	uint64_t files;
	const char *told; /* the log of transfers */
};

#define LOGIN_CHACHA "S116 C44 S44 C68 S76 C148 S28 "        /* none, password */
#define OPEN_CHACHA "C112 S524 S44 "
#define KEY_CHACHA "S116 C44 S44 C68 S76 C140 S100 C308 S28 " /* none, key asked about, signed */
#define LOGIN_GCM "S324 C52 S52 C68 S84 C148 S36 "
#define OPEN_GCM "C52 C68 S532 S52 "

static const struct row rows[] = {
        {"no login yet", "chacha20-poly1305@openssh.com", "x", "none", "S116 C44 S44 C68 S76 C148 S76 C148 S76", NULL, NULL, NULL, 0, ""},
        {"keys and echoes", "chacha20-poly1305@openssh.com", "x", "none",
                LOGIN_CHACHA OPEN_CHACHA "C392 S108 S388 t C36 S36 t C36 S36 t C36 S36 t C36 S36 t C36 S36", "shell", "high", "password", 0, ""},
        {"a terminal alone", "chacha20-poly1305@openssh.com", "x", "none", KEY_CHACHA OPEN_CHACHA "C392 S108 S388 S60", "shell",
                "medium", "publickey", 0, ""},
        {"much on the terminal is no file", "chacha20-poly1305@openssh.com", "x", "none",
                KEY_CHACHA OPEN_CHACHA "C392 S108 S388 t C36 S36 t C36 S36 t C36 S36 t C36 S36 100xS1448 t C36 S36", "shell", "high",
                "publickey", 0, ""},
        {"two files by SFTP, chunks", "chacha20-poly1305@openssh.com", "x", "none",
                KEY_CHACHA OPEN_CHACHA "C52 S72 C44 S356 C68 S76 C100 S52 30xC1448 C500 S68 C52 S68 C100 S52 30xC1448 S68 C52 S68 C36 C60",
                "sftp", "high", "publickey", 2, "+-;=inferred SFTP upload source truncated 87000 87000+0;"},
        {"the same, packets", "aes128-gcm@openssh.com", "x", "none",
                LOGIN_GCM OPEN_GCM "C52 S36 S36 C52 S356 C68 S84 C116 S52 C32804 C10020 S68 C52 S68 C116 S36 S52 C32804 S36 C10020 S68 C52 S68",
                "sftp", "high", "password", 2, "+-;=inferred SFTP upload source truncated 87000 87000+0;"},
        {"SFTP down", "aes128-ctr", "hmac-sha2-256-etm@openssh.com", "none",
                "S340 C68 S68 C84 S100 C164 S52 C68 C84 S548 S68 C68 S52 S52 C68 S372 C84 S100 C116 S68 C84 S32820 S20020 C84 S100 C68 S84",
                "sftp", NULL, "password", 1, NULL},
        {"scp up", "chacha20-poly1305@openssh.com", "x", "none",
                LOGIN_CHACHA OPEN_CHACHA "C84 S72 S36 C60 S36 20xC1448 S36 C60 S36 C400 S36 C36", "scp", "high", "password", 2, ""},
        {"scp down", "chacha20-poly1305@openssh.com", "x", "none",
                LOGIN_CHACHA OPEN_CHACHA "C84 S72 C36 S68 C36 S60 C36 60xS1448 C36 S124 C36 C60", "scp", "high", "password", 1,
                "+-;=inferred scp download destination truncated 87000 87000+0;"},
        {"rsync", "chacha20-poly1305@openssh.com", "x", "none",
                LOGIN_CHACHA OPEN_CHACHA "C252 S72 C44 S44 S76 C68 S44 C44 S396 C196 60xS1448 C44 S44", "rsync", "medium", "password",
                6, "+-;=inferred rsync download over SSH destination truncated 87000 87000+0;"},
        {"a tunnel", "chacha20-poly1305@openssh.com", "x", "none",
                LOGIN_CHACHA "C60 S804 C92 S44 C124 S156 60xS1448 C36 C92 S44 C124 S156", "tunnel", "high", "password", 0,
                "+-;=inferred SSH tunnel destination truncated 87000 87000+0;"},
        {"a command", "chacha20-poly1305@openssh.com", "x", "none", LOGIN_CHACHA OPEN_CHACHA "C196 S72 C36 S700 S124 C36 C60", "exec",
                "medium", "password", 0, ""},
        {"compressed SFTP", "chacha20-poly1305@openssh.com", "x", "zlib@openssh.com",
                LOGIN_CHACHA OPEN_CHACHA "C52 S72 C36 S220 C60 S52 C60 S44 C76 S36 C60 S44 C60 S44", "sftp", NULL, "password", 1, ""},
};

static size_t
key_exchange(uint8_t *out, enum side from, const struct row *row)
{
	const char *const lists[8] = {"curve25519-sha256", "ssh-ed25519", row->cipher, row->cipher, row->mac, row->mac, row->compression,
	        row->compression};
	size_t len = (size_t)sprintf((char *)out, "SSH-2.0-test\r\n");
	len += packet(out + len, 20, lists, 8);
	len += packet(out + len, from == SIDE_SOURCE ? 30 : 31, NULL, 0);
	return len + packet(out + len, 21, NULL, 0);
}

/* One unit; where lengths are readable it begins with one. In pieces of step bytes. */
static void
send_unit(struct stage *s, const struct row *row, enum side from, size_t size, size_t step)
{
	uint8_t *bytes = calloc(1, size);
	size_t mac = strstr(row->cipher, "gcm") != NULL ? 16 : strstr(row->mac, "etm") != NULL ? 32 : 0;
	if (mac > 0)
		(void)put_u32(bytes, size - 4 - mac);
	else
		step = size;
	for (size_t at = 0; at < size; at += step)
		(void)stage_data(s, 0, from, bytes + at, size - at < step ? size - at : step);
	free(bytes);
}

static void
perform(struct stage *s, const struct row *row, size_t step)
{
	uint8_t bytes[PACKET_MAX * 2];
	uint64_t volume[2] = {0, 0};

	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", 8022);
	for (enum side side = SIDE_SOURCE; side <= SIDE_DESTINATION; side++)
		(void)stage_data(s, 0, side, bytes, key_exchange(bytes, side, row));
	for (const char *at = row->script; *at != '\0'; at++) {
		unsigned long times = 1, size;
		char *end;
		if (*at == 't')
			s->now += 200 * CLOCK_MILLISECOND;
		if (*at >= '0' && *at <= '9') {
			times = strtoul(at, &end, 10);
			at = end + 1;
		}
		if (*at != 'C' && *at != 'S')
			continue;
		enum side from = *at == 'C' ? SIDE_SOURCE : SIDE_DESTINATION;
		size = strtoul(at + 1, &end, 10);
		for (; times > 0; times--)
			send_unit(s, row, from, size, step);
		volume[from] = times;
		at = end - 1;
	}
	/* The flow moved as much, one way. */
	enum side heavy = strstr(row->told != NULL ? row->told : "", "destination") != NULL ? SIDE_DESTINATION : SIDE_SOURCE;
	if (strcmp(row->what, "much on the terminal is no file") == 0)
		heavy = SIDE_DESTINATION;
	volume[heavy] = row->told != NULL && row->told[0] == '\0' && heavy == SIDE_SOURCE ? 0 : 87000;
	session_volume(s->flow[0].session, volume);
	conversation_close(s->flow[0].conversation, false);
	s->flow[0].conversation = NULL;
}

/* The number told under key; 0: none. */
static uint64_t
number_of(struct stage *s, const char *key)
{
	struct detail d[DETAIL_MAX];
	size_t count = details_list(session_facts(s->flow[0].session)->details, d);
	for (size_t i = 0; i < count; i++)
		if (strcmp(d[i].key, key) == 0)
			return d[i].number;
	return 0;
}

static void
test_kinds(void **state)
{
	static const size_t steps[] = {100000, 1448, 7, 1};
	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(steps); i++) {
		const struct row *row = &rows[i / COUNT(steps)];
		struct stage s;
		perform(&s, row, steps[i % COUNT(steps)]);
		const char *kind = stage_detail(&s, 0, "ssh.kind"), *method = stage_detail(&s, 0, "ssh.auth.method");
		if ((kind == NULL) != (row->kind == NULL) || (kind != NULL && strcmp(kind, row->kind) != 0))
			fail_msg("%s: %s", row->what, stage_text(kind));
		if ((method == NULL) != (row->method == NULL) || (method != NULL && strcmp(method, row->method) != 0))
			fail_msg("%s: login by %s", row->what, stage_text(method));
		if (row->confidence != NULL)
			assert_string_equal(stage_detail(&s, 0, "ssh.kind_confidence"), row->confidence);
		if (number_of(&s, "ssh.files_estimate") != row->files)
			fail_msg("%s: %llu files", row->what, (unsigned long long)number_of(&s, "ssh.files_estimate"));
		stage_close(&s, 0, false);
		if (row->told != NULL && strcmp(s.log, row->told) != 0)
			fail_msg("%s:\n got  %s\n want %s", row->what, s.log, row->told);
		stage_clear(&s);
	}
}

/* A refused login is told as one; a hole in what is encrypted does no harm. */
static void
test_login(void **state)
{
	struct stage s;
	(void)state;
	perform(&s, &rows[0], 100);
	assert_string_equal(stage_detail(&s, 0, "ssh.auth.result"), "failure");
	assert_string_equal(stage_detail(&s, 0, "ssh.cipher"), "chacha20-poly1305@openssh.com");
	assert_string_equal(stage_detail(&s, 0, "ssh.compression"), "none");
	assert_null(stage_detail(&s, 0, "ssh.mac"));
	stage_clear(&s);

	stage_init(&s);
	stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 22);
	uint8_t bytes[PACKET_MAX * 2];
	for (enum side side = SIDE_SOURCE; side <= SIDE_DESTINATION; side++)
		(void)stage_data(&s, 0, side, bytes, key_exchange(bytes, side, &rows[5]));
	send_unit(&s, &rows[5], SIDE_SOURCE, 52, 100);
	assert_int_equal(conversation_gap(s.flow[0].conversation, SIDE_SOURCE, 10000), VERDICT_MORE);
	memset(bytes, 0xff, sizeof bytes); /* no length */
	for (size_t i = 0; i < 1000 && s.flow[0].verdict == VERDICT_MORE; i++)
		(void)stage_data(&s, 0, i % 2 == 0 ? SIDE_SOURCE : SIDE_DESTINATION, bytes, sizeof bytes);
	assert_int_equal(s.flow[0].verdict, VERDICT_DONE); /* no login is as long */
	stage_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_hassh),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_kinds),
	        cmocka_unit_test(test_login),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
