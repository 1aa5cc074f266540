#include "config.h"

#include "smb_script.h"

#include "base/detail.h"
#include "proto/smb_token.h"

#define NEGOTIATE "C1 negotiate; S1 negotiate 0x311;"
#define CHANNELS "C1 negotiate; S1 negotiate 0x311 channels;"
#define LOGON "C2 auth kim; S2 ok; C3 connect \\\\srv\\shots; S3 tree 7 1;"
#define BEGIN NEGOTIATE LOGON
#define X "=\\\\srv\\shots\\x "

static const struct {
	const char *what, *script, *told;
} good[] = {
        {"read whole, answers out of order", BEGIN "C4 create a\\x; S4 create 1 10 1; C5 read 1 0 5; C6 read 1 5 5;"
                "S6 data world; S5 data hello; C7 close 1; S7 closed",
                "+x;=\\\\srv\\shots\\a\\x READ kim destination complete 10 10+0 h936a;"},
        {"written out of order", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 5 world; C6 write 1 0 hello; S6 ok;"
                "S5 ok; C7 close 1; S7 closed", "+x;" X "WRITE kim source complete 10 10+0 h936a;"},
        {"read in part", BEGIN "C4 create x; S4 create 1 10 1; C5 read 1 0 5; S5 data hello; C7 close 1; S7 closed;"
                "wait 61", "+x;" X "READ kim destination truncated 10 5+0;"},
        {"several handles on one file", BEGIN "C4 create x; S4 create 1 10 1; C5 create x; S5 create 2 10 1; C6 read 2 5 5;"
                "S6 data world; C7 close 2; S7 closed; C8 read 1 0 5; S8 data hello; C9 close 1; S9 closed",
                "+x;" X "READ kim destination complete 10 10+0 h936a;"},
        {"another size is another file", BEGIN "C4 create x; S4 create 1 5 1; C5 create x; S5 create 2 6 1; C6 read 2 0 6;"
                "S6 data abcdef; C7 read 1 0 5; S7 data hello; C8 close 1; S8 closed; C9 close 2; S9 closed",
                "+x;+x;" X "READ kim destination complete 5 5+0 h2cf2;" X "READ kim destination complete 6 6+0 hbef5;"},
        {"over two connections", BEGIN "1:C2 auth kim; 1:S2 ok; 1:C3 connect \\\\srv\\shots; 1:S3 tree 7 1;"
                "C4 create x; S4 create 1 10 1; 1:C4 create x; 1:S4 create 1 10 1; C5 read 1 0 5; 1:C5 read 1 5 5;"
                "1:S5 data world; S5 data hello; C6 close 1; S6 closed; 1:C6 close 1; 1:S6 closed",
                "+x;" X "READ kim destination complete 10 10+0 h936a;"},
        {"both ways through one handle", BEGIN "C4 create x write; S4 create 1 5 1; C5 read 1 0 5; S5 data hello;"
                "C6 write 1 0 abcde; S6 ok; C7 close 1; S7 closed",
                "+x;+x;" X "WRITE kim source complete 5 5+0 h36bb;" X "READ kim destination complete 5 5+0 h2cf2;"},
        {"added to what is there", BEGIN "C4 create x write; S4 create 1 5 1; C5 write 1 5 world; S5 ok; C6 close 1;"
                "S6 closed", "+x;" X "WRITE kim source complete 10 5+0 @5;"},
        {"a part is replaced", BEGIN "C4 create x write; S4 create 1 20 1; C5 write 1 0 hello; S5 ok; C6 close 1; S6 closed",
                "+x;" X "WRITE kim source truncated 20 5+15;"},
        {"written over", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello; S5 ok; C6 write 1 0 j; S6 ok;"
                "C7 close 1; S7 closed", "+x;" X "WRITE kim source complete 5 5+0;"},
        {"size set first", BEGIN "C4 create x write; S4 create 1 0 2; C5 size 1 5; S5 ok; C6 write 1 0 hello; S6 ok;"
                "C7 close 1; S7 closed", "+x;" X "WRITE kim source complete 5 5+0 h2cf2;"},
        {"size set first, and broken off", BEGIN "C4 create x write; S4 create 1 0 2; C5 size 1 9; S5 ok;"
                "C6 write 1 0 hello; S6 ok; C7 delete 1; S7 ok; C8 close 1; S8 closed",
                "+x;" X "WRITE kim source aborted 9 5+0;"},
        {"cut at the end", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello; S5 ok; C6 size 1 3; S6 ok;"
                "C7 close 1; S7 closed 3", "+x;" X "WRITE kim source complete 3 3+0;"},
        {"larger than what was seen", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello; S5 ok; C7 close 1;"
                "S7 closed 9", "+x;" X "WRITE kim source truncated 9 5+4;"},
        {"a write is refused", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello; S5 fail c000007f;"
                "C7 close 1; S7 closed", "+x;" X "WRITE kim source aborted 5 5+0;"},
        {"a write is refused, and tried again", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello;"
                "S5 fail c000007f; C6 write 1 0 hello; S6 ok; C7 close 1; S7 closed",
                "+x;" X "WRITE kim source complete 5 5+0;"},
        {"refused at last", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello; S5 ok; C7 close 1;"
                "S7 fail c0000022", "+x;" X "WRITE kim source aborted 5 5+0;"},
        {"compound read", BEGIN "C4 create x; +C5 read * 0 5; +C6 close *; S4 create 1 5 1; +S5 data hello; +S6 closed",
                "+x;" X "READ kim destination complete 5 5+0 h2cf2;"},
        {"compound write", BEGIN "C4 create x write; +C5 write * 0 hello; +C6 close *; S4 create 1 0 2; +S5 ok; +S6 closed",
                "+x;" X "WRITE kim source complete 5 5+0 h2cf2;"},
        {"compound write, the open is refused", BEGIN "C4 create x write; +C5 write * 0 hello; +C6 close *;"
                "S4 fail c0000022; +S5 fail c0000022; +S6 fail c0000022", "+x;" X "WRITE kim source aborted 5 5+0;"},
        {"an interim answer", BEGIN "C4 create x; S4 create 1 5 1; C5 read 1 0 5; S5 fail 103; S5 data hello; C7 close 1;"
                "S7 closed", "+x;" X "READ kim destination complete 5 5+0 h2cf2;"},
        {"empty, written", BEGIN "C4 create x write; S4 create 1 0 2; C7 close 1; S7 closed",
                "+x;" X "WRITE kim source complete 0 0+0 he3b0;"},
        {"empty, read", BEGIN "C4 create x; S4 create 1 0 1; C5 read 1 0 9; S5 fail c0000011; C7 close 1; S7 closed",
                "+x;" X "READ kim destination complete 0 0+0 he3b0;"},
        {"empty, and gone at once", BEGIN "C4 create x write doomed; S4 create 1 0 2; C7 close 1; S7 closed", ""},
        {"only looked at", BEGIN "C4 create x; S4 create 1 5 1; C5 query 1; S5 info 5; C7 close 1; S7 closed", ""},
        {"a directory", BEGIN "C4 create x write directory; S4 create 1 0 2 directory; C7 close 1; S7 closed", ""},
        {"refused", BEGIN "C4 create x; S4 fail c0000034", ""},
        {"a pipe", NEGOTIATE "C2 auth kim; S2 ok; C3 connect \\\\srv\\IPC$; S3 tree 7 2; C4 create srvsvc write;"
                "S4 create 1 0 1; C5 write 1 0 hello; S5 ok; C6 read 1 0 5; S6 data world; C7 close 1; S7 closed", ""},
        {"a pipe of an unseen share", "C4 create srvsvc write; S4 create 1 0 1; C5 write 1 0 hello; S5 ok", ""},
        {"a pipe opened before", "C5 write 1 0 \x05\x01hello; S5 ok; C6 read 1 0 5; S6 data world", ""},
        {"a pipe of another name and an unseen share", "C4 create any write; S4 create 1 0 1 timeless; C5 write 1 0 hello; S5 ok", ""},
        {"a file of an unseen share", "C4 create any write; S4 create 1 0 2; C5 write 1 0 hello; S5 ok; C6 close 1; S6 closed",
                "+any;=any WRITE - source complete 5 5+0 h2cf2;"},
        {"a pipe whose name was not seen", "S4 create 1 0 1 timeless; C5 write 1 0 hello; S5 ok", ""},
        {"a file whose name was not seen", "S4 create 1 5 1; C5 read 1 0 5; S5 data hello; C6 close 1; S6 closed",
                "+-;=- READ - destination complete 5 5+0 h2cf2;"},
        {"opened before", "C5 write 1 0 hello; S5 ok; C6 close 1; S6 closed", "+-;=- WRITE - source complete 5 5+0 h2cf2;"},
        {"opened before, size asked for", "C5 read 1 0 5; S5 data hello; C6 query 1; S6 info 5; C7 close 1; S7 closed",
                "+-;=- READ - destination complete 5 5+0 h2cf2;"},
        {"asked for before", "S5 data hello; S6 closed", ""},
        {"copied by the server", BEGIN "C4 create y; S4 create 1 9 1; C5 key 1; S5 key 1; C6 create x write;"
                "S6 create 2 0 2; C7 copy 2 0 1; S7 copied 9; C8 close 2; S8 closed",
                "+x;" X "FSCTL_SRV_COPYCHUNK kim source truncated 9 0+9;"},
        {"a hole", BEGIN "C4 create x; S4 create 1 10 1; C5 read 1 0 5; S5 data hello; C6 read 1 5 5; gap 0 S 89;"
                "C7 close 1; S7 closed; wait 61", "+x;" X "READ kim destination truncated 10 5+0;"},
        {"back after a hole", BEGIN "C4 create x; S4 create 1 5 1; gap 0 S 1000; C5 read 1 0 5; S5 data hello; C7 close 1;"
                "S7 closed", "+x;" X "READ kim destination complete 5 5+0 h2cf2;"},
        {"reset", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello; S5 ok; reset 0",
                "+x;" X "WRITE kim source aborted 5 5+0;"},
        {"closed without a word", BEGIN "C4 create x write; S4 create 1 0 2; C5 write 1 0 hello; S5 ok; close 0",
                "+x;" X "WRITE kim source truncated 5 5+0;"},
        {"another channel reads and closes", CHANNELS LOGON "C4 create x; S4 create 1 10 1; 1:C1 negotiate;"
                "1:S1 negotiate 0x311 channels; 1:C2 bind kim; 1:S2 ok; C5 read 1 0 5; 1:C5 read 1 5 5; 1:S5 data world;"
                "S5 data hello; 1:C6 close 1; 1:S6 closed; close 0", "+x;" X "READ kim destination complete 10 10+0 h936a;"},
        {"another channel writes", CHANNELS LOGON "C4 create x write; S4 create 1 0 2; 1:C1 negotiate;"
                "1:S1 negotiate 0x311 channels; 1:C2 bind kim; 1:S2 ok; C5 write 1 0 hello; 1:C5 write 1 5 world; 1:S5 ok;"
                "S5 ok; C6 close 1; S6 closed; close 0", "+x;" X "WRITE kim source complete 10 10+0 h936a;"},
        {"another channel goes on, and closes", CHANNELS LOGON "C4 create x write; S4 create 1 0 2; 1:C1 negotiate;"
                "1:S1 negotiate 0x311 channels; 1:C2 bind kim; 1:S2 ok; C5 write 1 0 hello; S5 ok; close 0;"
                "1:C5 write 1 5 world; 1:S5 ok; 1:C6 close 1; 1:S6 closed",
                "+x;" X "WRITE kim source complete 10 10+0 h936a;"},
        {"taken up again", BEGIN "C4 create x write; S4 create 1 0 2 durable; C5 write 1 0 hello; S5 ok; close 0; logon 300;"
                "1:C1 negotiate; 1:S1 negotiate 0x311; 1:C2 auth kim; 1:S2 ok; 1:C3 connect \\\\srv\\shots; 1:S3 tree 9 1;"
                "1:C4 create x write again=1; 1:S4 create 1 5 1; 1:C5 write 1 5 world; 1:S5 ok; 1:C6 close 1; 1:S6 closed",
                "+x;" X "WRITE kim source complete 10 10+0 h936a;"},
};

static void
test_good(void **state)
{
	static const size_t cuts[] = {SIZE_MAX, 1, 7, 100};
	static struct script script;
	static struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		script_make(&script, good[i].script);
		for (size_t c = 0; c < COUNT(cuts); c++) {
			script_play(&s, &script, cuts[c], SIZE_MAX, 445);
			char *log = s.log;
			for (size_t n = 0; n < STAGE_FLOWS; n++)
				stage_close(&s, n, false);
			transfer_tracker_flush(s.tracker, s.now);
			if (strcmp(log, good[i].told) != 0)
				fail_msg("%s (pieces of %zu):\n got  %s\n want %s", good[i].what, cuts[c], log, good[i].told);
			stage_clear(&s);
		}
	}
}

/* Cut anywhere, nothing is told that is not in the whole: what began ends, and no file is whole before its end. */
static void
test_prefixes(void **state)
{
	static struct script script;
	static struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		script_make(&script, good[i].script);
		for (size_t n = 1; n <= script.len; n += 3) {
			script_play(&s, &script, SIZE_MAX, n, 445);
			for (size_t f = 0; f < STAGE_FLOWS; f++)
				stage_close(&s, f, n % 2 == 0);
			transfer_tracker_flush(s.tracker, s.now);
			size_t began = 0, ended = 0;
			for (const char *p = s.log; *p != '\0'; p++) {
				bool first = p == s.log || p[-1] == ';';
				began += first && *p == '+';
				ended += first && *p == '=';
			}
			assert_int_equal(began, ended);
			stage_clear(&s);
		}
	}
}

static void
test_facts(void **state)
{
	static struct script script;
	static struct stage s;
	(void)state;
	script_make(&script, BEGIN "C4 create x write; S4 create 1 0 2; C5 rename 1 y; S5 ok; C6 delete 1; S6 ok; C7 close 1;"
	                           "S7 closed");
	script_play(&s, &script, SIZE_MAX, SIZE_MAX, 4445);
	const struct facts *f = session_facts(s.flow[0].session);
	assert_string_equal(f->protocol, "smb");
	assert_string_equal(f->method, "content");
	assert_string_equal(f->user.utf8, "kim");
	assert_string_equal(f->service.utf8, "\\\\srv\\shots");
	assert_string_equal(stage_detail(&s, 0, "smb.dialect"), "3.1.1");
	assert_string_equal(stage_detail(&s, 0, "smb.domain"), "STUDIO");
	assert_string_equal(stage_detail(&s, 0, "smb.workstation"), "WS");
	assert_string_equal(stage_detail(&s, 0, "smb.share"), "\\\\srv\\shots");
	assert_string_equal(stage_detail(&s, 0, "smb.renamed"), "\\\\srv\\shots\\x > \\\\srv\\shots\\y");
	assert_string_equal(stage_detail(&s, 0, "smb.deleted"), "\\\\srv\\shots\\y");
	stage_clear(&s);
}

/* Header of an SMB 2 message, 64 bytes, with what differs between rows. */
static size_t
bad_message(uint8_t *out, uint16_t command, bool is_answer, uint32_t next, const char *body, size_t len)
{
	struct smb_out o = {.len = 0};
	size_t frame = 64 + len;
	out_le(&o, 0, 2);
	out_le(&o, frame >> 8, 1);
	out_le(&o, frame & 0xff, 1);
	out_bytes(&o, "\xfeSMB");
	out_le(&o, 64, 2);
	out_zero(&o, 6);
	out_le(&o, command, 2);
	out_le(&o, 1, 2);
	out_le(&o, is_answer, 4);
	out_le(&o, next, 4);
	out_le(&o, 5, 8);
	out_zero(&o, 32);
	memcpy(out, o.bytes, o.len);
	if (len > 0)
		memcpy(out + o.len, body, len);
	return o.len + len;
}

/* None of these makes a transfer, and after none the next message is lost. */
static void
test_bad(void **state)
{
	static const struct {
		uint16_t command;
		bool answer;
		uint32_t next;
		const char *body;
		size_t len;
	} bad[] = {
	        {8, true, 0, "\x11\0\x50\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 16}, /* data nobody asked for */
	        {9, false, 0, "\x31\0\x70\0\xff\xff\xff\x7f", 8},                 /* WRITE without its file */
	        {9, false, 0, "\x31\0\xff\xff\x05\0\0\0", 8},                     /* data beyond the message */
	        {5, false, 0, "\x39\0", 2},                                       /* CREATE, cut */
	        {5, true, 0, "\x59\0", 2},
	        {5, false, 3, "", 0},                                             /* the next one begins in this one */
	        {5, false, 0xfffffff8, "", 0},                                    /* or beyond the message */
	        {1, false, 0, "\x19\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 16},  /* a token that is not there */
	        {3, true, 0, "\x10\0\x09\0", 4},                                  /* a share of no kind */
	        {0xffff, true, 0, "", 0},                                         /* no command */
	};
	static struct script script;
	static struct stage s;
	uint8_t bytes[256];
	(void)state;
	script_make(&script, BEGIN "C10 create x write; S10 create 1 0 2; C11 write 1 0 hello; S11 ok; C12 close 1; S12 closed");
	for (size_t i = 0; i < COUNT(bad); i++) {
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 445);
		enum side from = bad[i].answer ? SIDE_DESTINATION : SIDE_SOURCE;
		(void)stage_data(&s, 0, from, bytes,
		        bad_message(bytes, bad[i].command, bad[i].answer, bad[i].next, bad[i].body, bad[i].len));
		assert_string_equal(session_facts(s.flow[0].session)->protocol, "smb");
		for (size_t n = 0; n < script.count; n++)
			(void)stage_data(&s, 0, script.step[n].side, script.bytes + script.step[n].at, script.step[n].len);
		assert_string_equal(s.log, "+x;" X "WRITE kim source complete 5 5+0 h2cf2;");
		stage_clear(&s);
	}
}

static void
test_probe(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum verdict want;
	} rows[] = {
	        {"\0\0\0\x40\xfeSMB\x40\0", 10, VERDICT_DONE},
	        {"\0\0\0\x40\xfeSMB\x40", 9, VERDICT_MORE},
	        {"\0\0\0\x40\xfeSMB\x41\0", 10, VERDICT_NOT_MINE}, /* StructureSize is 64 */
	        {"\0\0\0\x30\xfeSMB\x40\0", 10, VERDICT_NOT_MINE}, /* shorter than its header */
	        {"\0\0\0\x40\xffSMB", 8, VERDICT_DONE},
	        {"\0\0\0\x20\xffSMB", 8, VERDICT_NOT_MINE},
	        {"\0\0\0\xff\xfdSMB", 8, VERDICT_DONE},
	        {"\0\0\0\xff\xfcSMB", 8, VERDICT_DONE},
	        {"\0\0\0\xff\xfbSMB", 8, VERDICT_NOT_MINE},
	        {"\0\0\0\xff\xfeSMX", 8, VERDICT_NOT_MINE},
	        {"\0\0\0", 3, VERDICT_MORE},
	        {"\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0 EB", 39, VERDICT_MORE},
	        {"\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACZ", 35, VERDICT_NOT_MINE}, /* letters to P */
	        {"\x82\0\0\0\0\0\0\x40\xffSMB", 12, VERDICT_DONE},
	        {"\x85\0\0\0", 4, VERDICT_MORE},
	        {"\x85\0\0\x01", 4, VERDICT_NOT_MINE},
	        {"\x83\0\0\x01\x82", 5, VERDICT_MORE},
	        {"\x16\x03\x01", 3, VERDICT_NOT_MINE},
	        {"GET /", 5, VERDICT_NOT_MINE},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t *copy = malloc(rows[i].len);
		assert_non_null(copy);
		memcpy(copy, rows[i].bytes, rows[i].len);
		for (size_t side = 0; side < 2; side++) {
			struct probe p = {.port = {1, 2}};
			p.bytes[side] = copy;
			p.len[side] = rows[i].len;
			if (proto_smb.probe(&p) != rows[i].want)
				fail_msg("row %zu: %d", i, proto_smb.probe(&p));
			/* What the other side says must fit as well, but in the middle of a conversation. */
			p.bytes[!side] = (const uint8_t *)"220 hello";
			p.len[!side] = 9;
			assert_int_equal(proto_smb.probe(&p), VERDICT_NOT_MINE);
			p.midstream = true;
			assert_int_equal(proto_smb.probe(&p), rows[i].want == VERDICT_DONE ? VERDICT_DONE : VERDICT_NOT_MINE);
		}
		free(copy);
	}
}

/* Of what is encrypted the volume counts, and what came before stays known. */
static void
test_encrypted(void **state)
{
	static struct script script;
	static struct stage s;
	uint8_t bytes[4 + 52 + 64] = {0, 0, 0, 52 + 64, 0xfd, 'S', 'M', 'B'};
	(void)state;
	script_make(&script, BEGIN);
	script_play(&s, &script, SIZE_MAX, SIZE_MAX, 445);
	assert_true(session_is_read(s.flow[0].session));
	for (size_t i = 0; i < sizeof bytes; i++)
		(void)stage_data(&s, 0, SIDE_SOURCE, bytes + i, 1);
	assert_false(session_is_read(s.flow[0].session));
	session_volume(s.flow[0].session, (const uint64_t[2]){200000, 900});
	stage_clear(&s);
	assert_non_null(strstr(s.log, "=inferred volume source"));
}

/* SMB 1: one message. words and bytes as they stand; words_len is even. */
static size_t
smb1_message(uint8_t *out, uint8_t command, bool is_answer, uint8_t mid, const char *words, size_t words_len,
        const char *bytes, size_t len)
{
	struct smb_out o = {.len = 0};
	size_t frame = 32 + 1 + words_len + 2 + len;
	out_le(&o, 0, 2);
	out_le(&o, frame >> 8, 1);
	out_le(&o, frame & 0xff, 1);
	out_bytes(&o, "\xffSMB");
	out_le(&o, command, 1);
	out_zero(&o, 4);
	out_le(&o, is_answer ? 0x80 : 0, 1);
	out_zero(&o, 2 + 2 + 8 + 2);
	out_le(&o, 9, 2); /* tree, process, user */
	out_le(&o, 1, 2);
	out_le(&o, 3, 2);
	out_le(&o, mid, 2);
	out_le(&o, words_len / 2, 1);
	memcpy(o.bytes + o.len, words, words_len);
	o.len += words_len;
	out_le(&o, len, 2);
	if (len > 0)
		memcpy(o.bytes + o.len, bytes, len);
	memcpy(out, o.bytes, o.len + len);
	return o.len + len;
}

#define NO_MORE "\xff\0\0\0" /* AndX */
#define TEXT(t) t, sizeof(t) - 1
#define ZERO4 "\0\0\0\0"
#define ZERO8 ZERO4 ZERO4

struct smb1_row {
	uint8_t command;
	bool answer;
	uint8_t mid;
	const char *words;
	size_t words_len;
	const char *bytes;
	size_t len;
};

static const struct smb1_row smb1_begin[] = {
        {0x72, false, 1, "", 0, TEXT("\2LANMAN1.0\0\2NT LM 0.12\0")},
        {0x72, true, 1, TEXT("\1\0"), "", 0},
        {0x73, false, 2, TEXT(NO_MORE "\0\0\1\0\1\0" ZERO4 "\2\0\0\0" ZERO8), TEXT("pwkim\0STUDIO\0OS\0LM\0")},
        {0x73, true, 2, TEXT(NO_MORE "\0\0"), TEXT("Unix\0Samba\0")},
        {0x75, false, 3, TEXT(NO_MORE "\0\0\1\0"), TEXT("\0\\\\SRV\\SHOTS\0A:\0")},
        {0x75, true, 3, TEXT(NO_MORE "\0\0"), TEXT("A:\0NTFS\0")},
        {0xa2, false, 4, TEXT(NO_MORE "\0\1\0" ZERO8 "\x9f\1\2\0" ZERO8 ZERO8 ZERO8 ZERO4 "\0"), TEXT("\\x\0")},
};

/* Opened with number 5: 5 bytes are there. */
#define SMB1_OPENED                                                                                                    \
	{0xa2, true, 4, TEXT(NO_MORE "\0\5\0\1\0\0\0" ZERO8 ZERO8 ZERO8 ZERO8 "\x20\0\0\0" ZERO8 "\5\0\0\0" ZERO4 "\0\0\0\0\0"), \
	        "", 0}
#define SMB1_CLOSED {0x04, false, 9, TEXT("\5\0" ZERO4), "", 0}, {0x04, true, 9, "", 0, "", 0}

static void
smb1_play(struct stage *s, const struct smb1_row *rows, size_t count, size_t cut)
{
	uint8_t bytes[1024];
	for (size_t i = 0; i < count; i++) {
		size_t len = smb1_message(bytes, rows[i].command, rows[i].answer, rows[i].mid, rows[i].words, rows[i].words_len,
		        rows[i].bytes, rows[i].len);
		for (size_t at = 0; at < len; at += cut)
			(void)stage_data(s, 0, rows[i].answer ? SIDE_DESTINATION : SIDE_SOURCE, bytes + at,
			        len - at < cut ? len - at : cut);
	}
}

static void
test_smb1(void **state)
{
	/* Offsets from the message's header: 32, word count, words, byte count. */
	static const struct smb1_row read[] = {SMB1_OPENED,
	        {0x2e, false, 6, TEXT(NO_MORE "\5\0\0\0\0\0\5\0\0\0" ZERO4 "\0\0" ZERO4), "", 0},
	        {0x2e, true, 6, TEXT(NO_MORE "\0\0\0\0\0\0\5\0\x3b\0\0\0" ZERO8), TEXT("hello")}, SMB1_CLOSED};
	static const struct smb1_row written[] = {SMB1_OPENED,
	        {0x2f, false, 6, TEXT(NO_MORE "\5\0\0\0\0\0" ZERO4 "\0\0\0\0\0\0\5\0\x3f\0" ZERO4), TEXT("jello")},
	        {0x2f, true, 6, TEXT(NO_MORE "\5\0\0\0\0\0\0\0"), "", 0}, SMB1_CLOSED};
	/* LOCKING_ANDX, with a WRITE_ANDX behind it at 32 + 1 + 16 + 2. */
	static const struct smb1_row chained[] = {SMB1_OPENED,
	        {0x24, false, 6, TEXT("\x2f\0\x33\0\5\0" ZERO8 "\0\0"),
	                TEXT("\x0e" NO_MORE "\5\0\0\0\0\0" ZERO4 "\0\0\0\0\0\0\5\0\x52\0" ZERO4 "\5\0jello")},
	        {0x24, true, 6, TEXT("\x2f\0\x27\0"), TEXT("\6" NO_MORE "\5\0\0\0\0\0\0\0" "\0\0")}, SMB1_CLOSED};
	/* WRITE_AND_CLOSE. */
	static const struct smb1_row old[] = {SMB1_OPENED, {0x2c, false, 6, TEXT("\5\0\5\0" ZERO4 ZERO4), TEXT("\0jello")},
	        {0x2c, true, 6, TEXT("\5\0"), "", 0}};
	static const struct {
		const struct smb1_row *rows;
		size_t count;
		const char *told;
	} rows[] = {
	        {read, COUNT(read), "+x;=\\\\SRV\\SHOTS\\x READ kim destination complete 5 5+0 h2cf2;"},
	        {written, COUNT(written), "+x;=\\\\SRV\\SHOTS\\x WRITE kim source complete 5 5+0 h187c;"},
	        {chained, COUNT(chained), "+x;=\\\\SRV\\SHOTS\\x WRITE kim source complete 5 5+0 h187c;"},
	        {old, COUNT(old), "+x;=\\\\SRV\\SHOTS\\x WRITE kim source complete 5 5+0 h187c;"},
	};
	static const size_t cuts[] = {1024, 1, 7, 33};
	static struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t c = 0; c < COUNT(cuts); c++) {
			stage_init(&s);
			stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 139);
			smb1_play(&s, smb1_begin, COUNT(smb1_begin), cuts[c]);
			smb1_play(&s, rows[i].rows, rows[i].count, cuts[c]);
			assert_string_equal(s.log, rows[i].told);
			const struct facts *f = session_facts(s.flow[0].session);
			assert_string_equal(f->client.utf8, "OS, LM");
			assert_string_equal(f->server.utf8, "Unix, Samba");
			assert_string_equal(stage_detail(&s, 0, "smb.dialect"), "NT LM 0.12");
			assert_string_equal(stage_detail(&s, 0, "smb.domain"), "STUDIO");
			stage_clear(&s);
		}
}

/* An AP-REQ as far as its ticket's names go; each prefix is none, and is not read beyond. */
static void
test_kerberos(void **state)
{
	static const uint8_t token[] = "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00"
	                               "\x6e\x45\x30\x43\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0e\xa2\x02\x03\x00"
	                               "\xa3\x33\x61\x31\x30\x2f\xa0\x03\x02\x01\x05\xa1\x0c\x1b\x0aSTUDIO.NET"
	                               "\xa2\x1a\x30\x18\xa0\x03\x02\x01\x02\xa1\x11\x30\x0f\x1b\x04"
	                               "cifs\x1b\x07" "filesrv";
	static struct smb_token t;
	(void)state;
	for (size_t n = 0; n < sizeof token; n++) {
		uint8_t *copy = malloc(n > 0 ? n : 1);
		assert_non_null(copy);
		memcpy(copy, token, n);
		smb_token_read(&t, reader_init(copy, n));
		assert_int_equal(t.kind, n == sizeof token - 1 ? SMB_TOKEN_KERBEROS : SMB_TOKEN_NONE);
		free(copy);
	}
	assert_int_equal(t.domain.len, 10);
	assert_memory_equal(t.domain.bytes, "STUDIO.NET", 10);
	assert_int_equal(t.user.len, 12);
	assert_memory_equal(t.user.bytes, "cifs/filesrv", 12);
}

static void
test_text(void **state)
{
	static const struct {
		const char *wide;
		size_t len;
		const char *utf8;
	} rows[] = {
	        {"a\0\xe9\0", 4, "a\xc3\xa9"},
	        {"\x42\x30", 2, "\xe3\x81\x82"},
	        {"\x3d\xd8\x00\xde", 4, "\xf0\x9f\x98\x80"},
	        {"\x3d\xd8\x61\0", 4, "\xef\xbf\xbd" "a"}, /* halves of nothing */
	        {"\x00\xde", 2, "\xef\xbf\xbd"},
	        {"\x3d\xd8", 2, "\xef\xbf\xbd"},
	        {"a\0b", 3, "a"},
	        {"a\0\0\0b\0", 6, "a"},
	        {"", 0, ""},
	};
	static struct smb_text t;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		smb_text_wide(&t, reader_init(rows[i].wide, rows[i].len));
		assert_int_equal(t.len, strlen(rows[i].utf8));
		assert_memory_equal(t.bytes, rows[i].utf8, t.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_facts),
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_probe),
	        cmocka_unit_test(test_encrypted),
	        cmocka_unit_test(test_smb1),
	        cmocka_unit_test(test_kerberos),
	        cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
