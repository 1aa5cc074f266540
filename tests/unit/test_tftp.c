#include "config.h"

/*
 * TFTP as scripts, a datagram a line; ~ stands for a zero byte:
 *   "c ", "s "  between the client and the port that it asks
 *   "C ", "S "  between the client and the server's own port
 * Client 192.0.2.10:40000, server 198.51.100.20:69 and :30000.
 */
#include "proto_stage.h"

enum { LINE_MAX_BYTES = 2048 };

#define BLOCK512                                                                                                       \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *name, *script, *want;
} good[] = {
        {"read", "c ~\1a.txt~octet~\nS ~\3~\1hello\nC ~\4~\1\n", "+a.txt;=a.txt RRQ - destination complete 5 5+0 h2cf2 over 1;"},
        {"read, and the last acknowledgement is not seen", "c ~\1a.txt~octet~\nS ~\3~\1hello\n",
                "+a.txt;=a.txt RRQ - destination complete 5 5+0 h2cf2 over 1;"},
        {"from the port that was asked", "c ~\1a.txt~OCTET~\ns ~\3~\1hello\nc ~\4~\1\n",
                "+a.txt;=a.txt RRQ - destination complete 5 5+0 h2cf2;"},
        {"written", "c ~\2d/a.txt~octet~\nS ~\4~~\nC ~\3~\1hello\nS ~\4~\1\n",
                "+a.txt;=d/a.txt WRQ - source complete 5 5+0 h2cf2 over 1;"},
        {"two blocks, each sent twice, and acknowledged twice",
                "c ~\1a~octet~\nS ~\3~\1" BLOCK512 "\nC ~\4~\1\nS ~\3~\1" BLOCK512 "\nC ~\4~\1\nS ~\3~\2hello\nS ~\3~\2hello\nC ~\4~\2\nC ~\4~\2\n",
                "+a;=a RRQ - destination complete 517 517+0 h5cb1 over 1;"},
        {"options", "c ~\1a~octet~blksize~8~tsize~0~windowsize~2~\nS ~\6BLKSIZE~8~tsize~13~windowsize~2~\nC ~\4~~\n"
                    "S ~\3~\1hellohel\nS ~\3~\2lohel\nC ~\4~\2\n",
                "+a;=a RRQ - destination complete 13 13+0 h50eb over 1;"},
        {"a window whose second block came first", "c ~\1a~octet~blksize~8~\nS ~\6blksize~8~\nS ~\3~\2lohel\nS ~\3~\1hellohel\nC ~\4~\2\n",
                "+a;=a RRQ - destination complete 13 13+0 h50eb over 1;"},
        {"options that the server leaves out don't count", "c ~\1a~octet~blksize~8~\nS ~\3~\1hello hello\nC ~\4~\1\n",
                "+a;=a RRQ - destination complete 11 11+0 h20d0 over 1;"},
        {"empty", "c ~\1a~octet~\nS ~\3~\1\nC ~\4~\1\n", "+a;=a RRQ - destination complete 0 0+0 he3b0 over 1;"},
        {"refused", "c ~\1a~octet~\nS ~\5~\1No such file~\n", ""},
        {"only its size was asked for", "c ~\1a~octet~tsize~0~\nS ~\6tsize~99~\nC ~\5~\x8No~\n", ""},
        {"broken off", "c ~\1a~octet~\nS ~\3~\1" BLOCK512 "\nC ~\5~\3Full~\n", "+a;=a RRQ - destination aborted 512 512+0 over 1;"},
        {"not all was seen", "c ~\1a~octet~\nS ~\3~\1" BLOCK512 "\nC ~\4~\1\nS ~\3~\3hello\nC ~\4~\3\n",
                "+a;=a RRQ - destination truncated 1029 517+512 over 1;"},
        {"the request again, before an answer", "c ~\1a~octet~\nc ~\1a~octet~\nS ~\3~\1hello\nC ~\4~\1\n",
                "+a;=a RRQ - destination complete 5 5+0 h2cf2 over 1;"},
        {"two files by one port", "c ~\1a~octet~\nS ~\3~\1hello\nC ~\4~\1\nc ~\1b~octet~\nS ~\3~\1hello\nC ~\4~\1\n",
                "+a;=a RRQ - destination complete 5 5+0 h2cf2 over 1;+b;=b RRQ - destination complete 5 5+0 h2cf2 over 1;"},
        {"a size that was told, and a capture that ends", "c ~\2a~octet~tsize~5000~\nS ~\6tsize~5000~\nC ~\3~\1" BLOCK512 "\n",
                "+a;=a WRQ - source truncated 5000 512+0 over 1;"},
        {"netascii is told as sent", "c ~\1a~netascii~\nS ~\3~\1x\r~y\nC ~\4~\1\n", "+a;=a RRQ - destination complete 4 4+0 ha2e3 over 1;"},
        {"seen from the middle", "s ~\3~\2" BLOCK512 "\nc ~\4~\2\ns ~\3~\3hello\nc ~\4~\3\n",
                "+-;=- DATA - destination complete 1029 517+0 @512;"},
};

static const struct {
	const char *name, *script;
} bad[] = {
        {"no name", "c ~\1~octet~\n"},
        {"no mode", "c ~\1a.txt~\n"},
        {"another mode", "c ~\1a.txt~octets~\n"},
        {"a mode that does not end", "c ~\1a.txt~octet\n"},
        {"another opcode", "c ~\7a.txt~octet~\n"},
        {"a name that is none", "c ~\1a\1b~octet~\n"},
        {"the acknowledgement of another block", "s ~\3~\2hello\nc ~\4~\7\n"},
        {"no acknowledgement at all", "s ~\3~\2hello\nc ~\4~\2 and more\n"},
};

/* Gives the next line; false: there is none. */
static bool
give(struct stage *s, const char **script)
{
	uint8_t bytes[LINE_MAX_BYTES];
	const char *end = strchr(*script, '\n');
	if (end == NULL)
		return false;
	const char *at = *script;
	size_t len = (size_t)(end - at) - 2;
	size_t flow = at[0] == 'C' || at[0] == 'S' ? 1 : 0;
	/* The server's own flow begins with what it sends. */
	enum side from = at[0] == 's' || at[0] == 'C' ? SIDE_DESTINATION : SIDE_SOURCE;
	assert_true(len < sizeof bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = at[2 + i] == '~' ? 0 : (uint8_t)at[2 + i];
	(void)stage_data(s, flow, from, bytes, len);
	*script = end + 1;
	return true;
}

static void
set_up(struct stage *s)
{
	stage_init(s);
	stage_datagrams(s, 0, "192.0.2.10", 40000, "198.51.100.20", 69);
	stage_datagrams(s, 1, "198.51.100.20", 30000, "192.0.2.10", 40000);
}

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct stage s;
		set_up(&s);
		for (const char *script = good[i].script; give(&s, &script);)
			;
		stage_clear(&s);
		if (strcmp(s.log, good[i].want) != 0)
			fail_msg("%s: %s", good[i].name, s.log);
	}
}

/* A datagram that ends anywhere, in an exact-size copy: nothing is read beyond it. */
static void
test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const char *first_end = strchr(good[i].script, '\n');
		for (const char *cut = good[i].script + 2; *cut != '\0'; cut++) {
			char script[8192];
			struct stage s;
			if (cut[0] == '\n' || cut[-1] == '\n' || (cut > good[i].script + 2 && cut[-2] == '\n'))
				continue;
			(void)snprintf(script, sizeof script, "%.*s\n", (int)(cut - good[i].script), good[i].script);
			set_up(&s);
			for (const char *at = script; give(&s, &at);)
				;
			stage_clear(&s);
			if (cut < first_end && good[i].script[0] == 'c' && strlen(s.log) > 0)
				fail_msg("%s, cut: %s", good[i].name, s.log);
		}
	}
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct stage s;
		set_up(&s);
		for (const char *script = bad[i].script; give(&s, &script);)
			;
		const char *name = session_protocol_name(s.flow[0].session);
		stage_clear(&s);
		if (name != NULL || strlen(s.log) > 0)
			fail_msg("%s: %s %s", bad[i].name, name, s.log);
	}
}

/* More than 65535 blocks: numbers begin anew, with 0 or with 1. */
static void
play_long(bool with_zero)
{
	static const uint8_t ask[] = "\0\1big\0octet\0blksize\0008";
	static const uint8_t agree[] = "\0\6blksize\0008";
	struct stage s;
	set_up(&s);
	(void)stage_data(&s, 0, SIDE_SOURCE, ask, sizeof ask);
	(void)stage_data(&s, 1, SIDE_SOURCE, agree, sizeof agree);
	for (unsigned block = 1; block <= 65600; block++) {
		unsigned number = block > 65535 && !with_zero ? block - 65535 : block & 0xffff;
		uint8_t data[12] = {0, 3, (uint8_t)(number >> 8), (uint8_t)number, 'x'};
		uint8_t ack[4] = {0, 4, (uint8_t)(number >> 8), (uint8_t)number};
		(void)stage_data(&s, 1, SIDE_SOURCE, data, block == 65600 ? 7 : 12);
		(void)stage_data(&s, 1, SIDE_DESTINATION, ack, 4);
	}
	stage_clear(&s);
	assert_non_null(strstr(s.log, "complete 524795 524795+0 h"));
}

static void
test_long(void **state)
{
	(void)state;
	play_long(true);
	play_long(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good),
	        cmocka_unit_test(test_cut),
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
