#include "config.h"

/*
 * FTP sessions as scripts, a step a line, over the real transfer stage:
 *   "c TEXT", "s TEXT"   a line of the client or server on the control connection, CR LF added
 *   "C TEXT", "S TEXT"   the same without CR LF
 *   "N FROM:PORT TO:PORT"  data flow N is the next with such ends (1 to 3)
 *   "N> TEXT", "N< TEXT"   bytes from its initiator, or to it
 *   "N] ", "N[ "           FIN from its initiator, or from the other end
 *   "N! "                  reset; "N. " its flow ends
 *   "Ngap LEN"             bytes from the destination that were not seen
 *   "gap c", "gap s"       bytes of the control connection that were not seen
 *   "mid"                  the control connection is seen from the middle; "close" ends it; "reset"
 * Client 192.0.2.10:40000, server 198.51.100.20:21.
 */
#include "proto_stage.h"

#include "proto/ftp_address.h"
#include "proto/ftp_path.h"
#include "proto/ftp_reply.h"

#define LOGIN "s 220 Files\nc USER bob\ns 331 Password\nc PASS hunter2\ns 230 In\nc TYPE I\ns 200 Binary\n"
#define PASV "c PASV\ns 227 Entering Passive Mode (198,51,100,20,117,48)\n1 192.0.2.10:40001 198.51.100.20:30000\n"
#define PORT "c PORT 192,0,2,10,156,66\ns 200 OK\n1 198.51.100.20:20 192.0.2.10:40002\n"

static const struct {
	const char *name, *script, *want;
} sessions[] = {
        {"passive download",
                LOGIN PASV "c RETR a.txt\ns 150 Opening BINARY mode data connection for a.txt (5 bytes).\n"
                           "1< hello\n1[\n1]\n1.\ns 226 Done",
                "+a.txt;=a.txt RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"active upload",
                LOGIN PORT "c STOR a.txt\ns 150 Ok to send data.\n1< hello\n1[\n1]\n1.\ns 226 Done",
                "+a.txt;=a.txt STOR bob source complete 5 5+0 h2cf2 over 1;"},
        {"the reply is seen before the end of the data",
                LOGIN PASV "c RETR a.txt\ns 150 Here\ns 226 Done\n1< hel\n1< lo\n1[",
                "+a.txt;=a.txt RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"the data is seen before its reply",
                LOGIN PASV "c RETR a.txt\n1< hello\n1[\ns 150 Here\ns 226 Done",
                "+a.txt;=a.txt RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"the data is seen before its command",
                LOGIN PORT "1< hello\nc STOR a.txt\ns 150 Here\n1[\ns 226 Done",
                "+a.txt;=a.txt STOR bob source complete 5 5+0 h2cf2 over 1;"},
        {"a listing is no file", LOGIN PASV "1< -rw-r--r-- x\nc LIST\ns 150 Here\n1[\ns 226 Done", ""},
        {"refused", LOGIN PASV "c RETR a.txt\ns 550 No such file", ""},
        {"broken off by the server",
                LOGIN PASV "c RETR a.txt\ns 150 Here\n1< hel\n1!\ns 426 Connection closed",
                "+a.txt;=a.txt RETR bob destination aborted 3 3+0 over 1;"},
        {"ABOR with Telnet's interrupt and two replies",
                LOGIN PASV "c RETR a.txt\ns 150 Here\n1< hel\nC \xff\xf4\xff\nc \xf2"
                           "ABOR\n1[\ns 426 Aborted\ns 226 ABOR done\nc PWD\ns 257 \"/x\"",
                "+a.txt;=a.txt RETR bob destination aborted 3 3+0 over 1;"},
        {"ABOR with one reply, then the next transfer",
                LOGIN PASV "c RETR a\ns 150 Here (9 bytes)\n1< hel\nc ABOR\n1[\ns 226 Aborted\n"
                           "c PASV\ns 227 (198,51,100,20,117,49)\n2 192.0.2.10:40003 198.51.100.20:30001\n"
                           "c RETR b\ns 150 Here\n2< hello\n2[\ns 226 Done",
                "+a;=a RETR bob destination truncated 9 3+0 over 1;"
                "+b;=b RETR bob destination complete 5 5+0 h2cf2 over 2;"},
        {"data connection not in the capture, size from the reply",
                LOGIN PASV "c RETR a.txt\ns 150 Opening for a.txt (39695 bytes)\ns 226 Done",
                "+a.txt;=a.txt RETR bob destination truncated 39695 0+39695;"},
        {"size from SIZE",
                LOGIN "c CWD /d\ns 250 OK\nc SIZE a.txt\ns 213 77\n" PASV "c RETR a.txt\ns 150 Here\ns 226 Done",
                "+a.txt;=/d/a.txt RETR bob destination truncated 77 0+77;"},
        {"cut short", LOGIN PASV "c RETR a.txt\ns 150 Opening (9 bytes)\n1< hello\nclose\n1.",
                "+a.txt;=a.txt RETR bob destination truncated 9 5+0 over 1;"},
        {"a hole", LOGIN PASV "c RETR a.txt\ns 150 Here\n1< he\n1gap 2\n1< o\n1[\ns 226 Done",
                "+a.txt;=a.txt RETR bob destination truncated 5 3+2 over 1;"},
        {"resumed", LOGIN PASV "c REST 100\ns 350 OK\nc RETR a.txt\ns 150 Here (5 bytes)\n1< hello\n1[\ns 226 Done",
                "+a.txt;=a.txt RETR bob destination complete 105 5+0 @100 over 1;"},
        {"REST was refused", LOGIN PASV "c REST 100\ns 502 No\nc RETR a.txt\ns 150 Here\n1< hello\n1[\ns 226 Done",
                "+a.txt;=a.txt RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"directories",
                LOGIN "c PWD\ns 257 \"/a \"\"b\"\"\" is it\nc CWD c/./d\ns 250 OK\nc CDUP\ns 250 OK\nc CWD nope\ns 550 No\n" PASV
                      "c RETR ../x y\ns 150 Here\n1< hello\n1[\ns 226 Done",
                "+x y;=/a \"b\"/x y RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"STOU is named by the server",
                LOGIN PORT "c STOU\ns 150 FILE: f.001\n1< hello\n1[\ns 226 Done",
                "+f.001;=f.001 STOU bob source complete 5 5+0 h2cf2 over 1;"},
        {"APPE to a file of known size",
                LOGIN "c SIZE log\ns 213 10\n" PASV "c APPE log\ns 150 Here\n1> hello\n1]\ns 226 Done",
                "+log;=log APPE bob source complete 15 5+0 @10 over 1;"},
        {"an address that NAT did not rewrite",
                LOGIN "c PASV\ns 227 =10,0,0,5,117,48\n1 192.0.2.10:40001 198.51.100.20:30000\n"
                      "c RETR a\ns 125 Go\n1< hello\n1[\ns 250 Done",
                "+a;=a RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"FXP: the data goes to a third host",
                LOGIN "c PORT 203,0,113,9,4,1\ns 200 OK\n1 198.51.100.20:20 203.0.113.9:1025\n"
                      "c RETR a\ns 150 Go\n1> hello\n1]\ns 226 Done",
                "+a;=a RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"EPSV, EPRT",
                LOGIN "c EPSV ALL\ns 200 OK\nc EPSV\ns 229 Entering Extended Passive Mode (|||30000|)\n"
                      "1 192.0.2.10:40001 198.51.100.20:30000\nc RETR a\ns 150 Go\n1< hello\n1[\ns 226 Done\n"
                      "c EPRT |2|2001:db8::10|40005|\ns 200 OK\n2 2001:db8::20:20 2001:db8::10:40005\n"
                      "c STOR b\ns 150 Go\n2< hello\n2[\ns 226 Done",
                "+a;=a RETR bob destination complete 5 5+0 h2cf2 over 1;"
                "+b;=b STOR bob source complete 5 5+0 h2cf2 over 2;"},
        {"no PORT at all: the client's control port",
                LOGIN "1 198.51.100.20:20 192.0.2.10:40000\nc RETR a\ns 150 Go\n1> hello\n1]\ns 226 Done",
                "+a;=a RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"pipelined",
                LOGIN "c PORT 192,0,2,10,156,66\nc STOR a\nc PORT 192,0,2,10,156,67\nc STOR b\n"
                      "1 198.51.100.20:20 192.0.2.10:40002\n2 198.51.100.20:20 192.0.2.10:40003\n"
                      "s 200 OK\ns 150 Go\n1< hello\n1[\ns 226 Done\ns 200 OK\ns 150 Go\n2< hello\n2[\ns 226 Done",
                "+a;=a STOR bob source complete 5 5+0 h2cf2 over 1;"
                "+b;=b STOR bob source complete 5 5+0 h2cf2 over 2;"},
        {"replies of several lines, some odd",
                "s 220-Hello\ns 331 not a reply\ns  220 nor this\ns 220\nc USER bob\ns 331-x\ns 331 y\nc TYPE I\ns 200 OK\n" PASV
                "c RETR a\ns 150-Go\ns 150 Go\n1< hello\n1[\ns 226-Done\ns \ns 226 Done",
                "+a;=a RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"a reply that never ends is over with the next command's",
                "s 220 Hi\nc USER bob\ns 230-Welcome\nc TYPE I\ns 200 OK\n" PASV
                "c RETR a\ns 150 Go\n1< hello\n1[\ns 226 Done",
                "+a;=a RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"a lost reply does not shift the others",
                LOGIN "c CWD /a\ngap s\n" PASV "c RETR x\ns 150 Go\n1< hello\n1[\ns 226 Done",
                "+x;=x RETR bob destination complete 5 5+0 h2cf2 over 1;"},
        {"seen from the middle",
                "mid\n" PASV "c RETR a\ns 150 Go\n1< hello\n1[\ns 226 Done",
                "+a;=a RETR - destination complete 5 5+0 h2cf2 over 1;"},
        {"only the server's half",
                "s 220 Hi\ns 331 Password\ns 230 In\ns 227 (198,51,100,20,117,48)\n1 192.0.2.10:40001 198.51.100.20:30000\n"
                "s 150 Opening BINARY mode data connection for 'a b' (5 bytes).\n1< hello\n1[\ns 226 Done",
                "+a b;=a b RETR - destination complete 5 5+0 h2cf2 over 1;"},
        {"a data connection that no command was seen for",
                LOGIN PASV "1< hello\n1[\n1.\nclose", "+-;=- data bob destination complete 5 5+0 h2cf2;"},
        {"the data outlives the control connection",
                LOGIN PASV "c STOR a\ns 150 Go\n1> hel\nclose\n1> lo\n1]\n1.",
                "+a;=a STOR bob source complete 5 5+0 h2cf2 over 1;"},
        {"reset in the middle", LOGIN PASV "c STOR a\ns 150 Go\n1> hel\n1!\n1.\nreset",
                "+a;=a STOR bob source aborted 3 3+0 over 1;"},
        {"empty, and known to be", LOGIN PASV "c RETR a\ns 150 Go (0 bytes)\ns 226 Done\nc QUIT\ns 221 Bye",
                "+a;=a RETR bob destination complete 0 0+0 he3b0;"},
        {"the next transfer tells that this one's data will not come",
                LOGIN PASV "c RETR a\ns 150 Go\ns 226 Done\nc PASV\ns 227 (198,51,100,20,117,49)",
                "+a;=a RETR bob destination truncated 0 0+0;"},
        {"a second login",
                LOGIN "c USER eve\ns 331 x\nc PASS y\ns 230 z\n" PASV "c RETR a\ns 150 Go\n1< hello\n1[\ns 226 Done",
                "+a;=a RETR eve destination complete 5 5+0 h2cf2 over 1;"},
        {"renaming moves no file", LOGIN "c RNFR a\ns 350 Ready\nc RNTO b\ns 250 Done", ""},
        {"a name in another charset, and 0xff twice as Telnet wants it",
                LOGIN PASV "c RETR \xb0\xa1\xff\xff.txt\ns 150 Go\n1< hello\n1[\ns 226 Done", NULL},
};

static void
play_flow(struct stage *s, const char *line)
{
	size_t n = (size_t)(line[0] - '0');
	char from[64], to[64];
	unsigned long len;

	if (line[1] == ' ') {
		assert_int_equal(sscanf(line + 2, "%63s %63s", from, to), 2);
		char *from_port = strrchr(from, ':'), *to_port = strrchr(to, ':');
		*from_port = *to_port = '\0';
		stage_flow(s, n, from, (uint16_t)atoi(from_port + 1), to, (uint16_t)atoi(to_port + 1));
	} else if (line[1] == '>' || line[1] == '<') {
		(void)stage_data(s, n, line[1] == '>' ? SIDE_SOURCE : SIDE_DESTINATION, line + 3, strlen(line + 3));
	} else if (line[1] == ']' || line[1] == '[') {
		conversation_end(stage_conversation(s, n), line[1] == ']' ? SIDE_SOURCE : SIDE_DESTINATION, false);
	} else if (line[1] == '!') {
		conversation_end(stage_conversation(s, n), SIDE_SOURCE, true);
	} else if (sscanf(line + 1, "gap %lu", &len) == 1) {
		(void)conversation_gap(stage_conversation(s, n), SIDE_DESTINATION, len);
	} else {
		stage_close(s, n, false);
	}
}

static void
play_line(struct stage *s, char *line)
{
	char text[512];
	bool client = line[0] == 'c' || line[0] == 'C', whole = line[0] == 'c' || line[0] == 's';

	if (line[0] >= '1' && line[0] <= '3') {
		play_flow(s, line);
	} else if (strcmp(line, "mid") == 0) {
		s->flow[0].midstream = true;
	} else if (strcmp(line, "close") == 0 || strcmp(line, "reset") == 0) {
		stage_close(s, 0, line[0] == 'r');
	} else if (strncmp(line, "gap", 3) == 0) {
		(void)conversation_gap(stage_conversation(s, 0), line[4] == 'c' ? SIDE_SOURCE : SIDE_DESTINATION, 20);
	} else {
		int len = snprintf(text, sizeof text, "%s%s", line + 2, whole ? "\r\n" : "");
		(void)stage_data(s, 0, client ? SIDE_SOURCE : SIDE_DESTINATION, text, (size_t)len);
	}
}

/* Plays the first len bytes of a script; what was told is in s->log. */
static void
play(struct stage *s, const char *script, size_t len)
{
	char *copy = strndup(script, len), *rest = copy, *line;
	assert_non_null(copy);
	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", 21);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (rest != NULL || len == strlen(script)) /* a line that was cut off is not played */
			play_line(s, line);
	free(copy);
}

static void
test_sessions(void **state)
{
	struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		play(&s, sessions[i].script, strlen(sessions[i].script));
		stage_clear(&s);
		if (sessions[i].want != NULL && strcmp(s.log, sessions[i].want) != 0)
			fail_msg("%s:\n  %s\ninstead of\n  %s", sessions[i].name, s.log, sessions[i].want);
	}
}

/* A capture can end anywhere: whatever began is told to have ended, once. */
static void
test_cut_anywhere(void **state)
{
	struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		for (size_t len = 0; len < strlen(sessions[i].script); len++) {
			if (len > 0 && sessions[i].script[len - 1] != '\n')
				continue;
			size_t began = 0, ended = 0;
			play(&s, sessions[i].script, len);
			stage_clear(&s);
			for (const char *p = s.log; *p != '\0'; p++) {
				began += *p == '+' && (p == s.log || p[-1] == ';');
				ended += *p == '=' && (p == s.log || p[-1] == ';');
			}
			assert_int_equal(began, ended);
		}
	}
}

/* The dialogue in single bytes says the same. */
static void
test_byte_by_byte(void **state)
{
	static const char client[] = "USER bob\r\nTYPE I\r\nPORT 192,0,2,10,156,66\r\nSTOR a\r\n";
	static const char server[] = "220 Hi\r\n331 x\r\n200 x\r\n200 x\r\n150 x\r\n226 x\r\n";
	struct stage s;
	(void)state;
	stage_init(&s);
	stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", 2100);
	for (size_t i = 0; i < 8; i++)
		(void)stage_data(&s, 0, SIDE_DESTINATION, server + i, 1);
	for (size_t i = 0; i < strlen(client); i++)
		(void)stage_data(&s, 0, SIDE_SOURCE, client + i, 1);
	stage_flow(&s, 1, "198.51.100.20", 20, "192.0.2.10", 40002);
	(void)stage_data(&s, 1, SIDE_DESTINATION, "hello", 5);
	conversation_end(stage_conversation(&s, 1), SIDE_DESTINATION, false);
	for (size_t i = 8; i < strlen(server); i++)
		(void)stage_data(&s, 0, SIDE_DESTINATION, server + i, 1);
	stage_clear(&s);
	assert_string_equal(s.log, "+a;=a STOR bob source complete 5 5+0 h2cf2 over 1;");
}

static void
test_facts(void **state)
{
	struct stage s;
	(void)state;
	play(&s, "s 220-#####\ns 220-Files of Example\ns 220 Ready\nc USER bob\nc CLNT NcFTP 3.2.6\nc PASS hunter2\nc QUIT", 106);
	const struct facts *f = session_facts(s.flow[0].session);
	assert_string_equal(f->protocol, "ftp");
	assert_string_equal(f->method, "content");
	assert_string_equal(f->server.utf8, "Files of Example");
	assert_string_equal(f->user.utf8, "bob");
	stage_clear(&s);
}

/* AUTH TLS: the name stays, what follows is TLS and inferred. */
static void
test_auth_tls(void **state)
{
	static const uint8_t hello[] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};
	static const char *const refused = "s 220 Hi\nc AUTH TLS\ns 504 No\nc USER bob\ns 230 In";
	struct stage s;
	(void)state;
	play(&s, "s 220 Hi\nc AUTH TLS\ns 234 Go", 29);
	(void)stage_data(&s, 0, SIDE_SOURCE, hello, sizeof hello);
	assert_string_equal(session_facts(s.flow[0].session)->protocol, "ftp");
	session_volume(s.flow[0].session, (const uint64_t[2]){1 << 20, 100});
	stage_clear(&s);
	assert_string_equal(s.log, "+-;=inferred volume source truncated 1048576 1048576+0;");
	play(&s, refused, strlen(refused));
	assert_string_equal(session_facts(s.flow[0].session)->user.utf8, "bob");
	stage_clear(&s);
}

static const struct {
	const char *client, *server; /* first bytes each way */
	uint16_t port;
	const char *protocol; /* or NULL */
} first_words[] = {
        {"USER x\r\n", "220 hi\r\n", 2100, "ftp"},
        {"AUTH TLS\r\n", "220 hi\r\n", 2100, "ftp"},
        {"AUTH LOGIN\r\n", "220 hi\r\n", 2100, NULL},
        {"FEAT\r\n", "220-hi\r\nthere\r\n220 x\r\n", 2100, "ftp"},
        {"EHLO x\r\n", "220 ftp.example ESMTP\r\n", 2100, "smtp"},
        {"HELO x\r\n", "220 x\r\n", 21, NULL},
        {"USER x\r\n", "+OK POP3\r\n", 2100, "pop3"},
        {"USER x 0 * :x\r\n", ":irc 001 x\r\n", 2100, "irc"},
        {"MODE READER\r\n", "200 news\r\n", 2100, "nntp"},
        {"USER x\r\nPASS y\r\nSYST\r\n", "", 2100, "ftp"},
        {"", "220 hi\r\n", 2100, NULL},
        {"", "220 hi\r\n", 21, "ftp"},
        {"\x01\x02\x03", "220 hi\r\n", 21, NULL},
};

static void
test_first_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(first_words); i++) {
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "192.0.2.10", 40000, "198.51.100.20", first_words[i].port);
		if (first_words[i].server[0] != '\0')
			(void)stage_data(&s, 0, SIDE_DESTINATION, first_words[i].server, strlen(first_words[i].server));
		if (first_words[i].client[0] != '\0')
			(void)stage_data(&s, 0, SIDE_SOURCE, first_words[i].client, strlen(first_words[i].client));
		/* What the port decides is decided at the end: a copy of the facts must be had then. */
		conversation_close(s.flow[0].conversation, false);
		s.flow[0].conversation = NULL;
		const char *got = session_facts(s.flow[0].session)->protocol;
		if (strcmp(stage_text(got), stage_text(first_words[i].protocol)) != 0)
			fail_msg("row %zu: %s", i, stage_text(got));
		stage_clear(&s);
	}
}

static const struct {
	int (*parse)(const uint8_t *, size_t, struct ftp_address *);
	const char *text;
	const char *addr; /* NULL: refused; "": none named */
	uint16_t port;
} addresses[] = {
        {ftp_address_classic, "192,0,2,1,4,1", "192.0.2.1", 1025},
        {ftp_address_classic, "Entering Passive Mode (192,0,2,1,4,1).", "192.0.2.1", 1025},
        {ftp_address_classic, "=192, 0, 2, 1, 4, 1", "192.0.2.1", 1025},
        {ftp_address_classic, "mode 2 192,0,2,1,4,1", "192.0.2.1", 1025},
        {ftp_address_classic, "192,0,2,1,4", NULL, 0},
        {ftp_address_classic, "192,0,2,256,4,1", NULL, 0},
        {ftp_address_classic, "192,0,2,1,0,0", NULL, 0},
        {ftp_address_classic, "", NULL, 0},
        {ftp_address_extended, "|1|192.0.2.1|6446|", "192.0.2.1", 6446},
        {ftp_address_extended, "|2|2001:db8::1|6446|", "2001:db8::1", 6446},
        {ftp_address_extended, "Extended Passive Mode (|||6446|)", "", 6446},
        {ftp_address_extended, "(!!!6446!)", "", 6446},
        {ftp_address_extended, "|||0|", NULL, 0},
        {ftp_address_extended, "|||65536|", NULL, 0},
        {ftp_address_extended, "|||6446", NULL, 0},
        {ftp_address_extended, "|1|no address|6446|", NULL, 0},
        {ftp_address_extended, "1", NULL, 0},
        {ftp_address_long, "4,4,192,0,2,1,2,4,1", "192.0.2.1", 1025},
        {ftp_address_long, "(6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1,2,4,1)", "2001:db8::1", 1025},
        {ftp_address_long, "6,4,192,0,2,1,2,4,1", NULL, 0},
        {ftp_address_long, "4,4,192,0,2,1,2,4", NULL, 0},
};

static void
test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		size_t len = strlen(addresses[i].text);
		for (size_t n = 0; n <= len; n++) { /* every prefix, where it ends */
			struct ftp_address a;
			char text[ADDR_TEXT_MAX];
			uint8_t *copy = malloc(n > 0 ? n : 1);
			if (n > 0)
				memcpy(copy, addresses[i].text, n);
			int got = addresses[i].parse(copy, n, &a);
			free(copy);
			if (n < len)
				continue;
			assert_int_equal(got, addresses[i].addr != NULL ? 0 : -1);
			if (got != 0)
				continue;
			assert_int_equal(a.port, addresses[i].port);
			assert_string_equal(a.has_addr ? addr_format(&a.addr, text) : "", addresses[i].addr);
		}
	}
}

static const struct {
	const char *from, *to, *want;
} paths[] = {
        {"", "a", "a"}, {"", "/a/b/", "/a/b"}, {"/a", "b", "/a/b"}, {"/a", "..", "/"}, {"/", "..", "/"},
        {"/a/b", "../../../c", "/c"}, {"", "..", ".."}, {"..", "..", "../.."}, {"a", "..", ""}, {"a/b", "..", "a"},
        {"/a", ".", "/a"}, {"/a", "//x//y", "/x/y"}, {"/a", "~/x", "~/x"}, {"/a", "", "/a"},
};

static void
test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct ftp_path p = {.len = strlen(paths[i].from)};
		memcpy(p.bytes, paths[i].from, p.len);
		ftp_path_change(&p, (const uint8_t *)paths[i].to, strlen(paths[i].to));
		if (p.len != strlen(paths[i].want) || memcmp(p.bytes, paths[i].want, p.len) != 0)
			fail_msg("%s + %s: %.*s", paths[i].from, paths[i].to, (int)p.len, (const char *)p.bytes);
	}
	struct ftp_path p = {.len = 0};
	static uint8_t long_name[3 * FTP_PATH_MAX];
	memset(long_name, 'x', sizeof long_name);
	ftp_path_change(&p, long_name, sizeof long_name);
	assert_int_equal(p.len, 0);
	assert_false(ftp_path_quoted(&p, (const uint8_t *)"\"/open", 6));
	assert_false(ftp_path_quoted(&p, (const uint8_t *)"\"relative\"", 10));
	assert_true(ftp_path_quoted(&p, (const uint8_t *)"\"/\"", 3));
	assert_int_equal(p.len, 1);
}

static void
test_reply_words(void **state)
{
	static const struct {
		const char *text;
		int found;
		uint64_t size;
	} sizes[] = {{"for x (39695 bytes)", 0, 39695}, {"for (1 bytes) (2 bytes).", 0, 2}, {"x (1 byte)", 0, 1},
	        {"x (12 kbytes)", -1, 0}, {"(", -1, 0}, {"(99999999999999999999 bytes)", -1, 0}, {"", -1, 0}};
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t size = 0;
		assert_int_equal(ftp_reply_size((const uint8_t *)sizes[i].text, strlen(sizes[i].text), &size), sizes[i].found);
		assert_int_equal(size, sizes[i].size);
	}
	const uint8_t *name;
	size_t len;
	static const char unique[] = "Transfer complete (unique file name:f.2).";
	assert_true(ftp_reply_unique_name((const uint8_t *)unique, strlen(unique), &name, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(name, "f.2", 3);
	assert_false(ftp_reply_unique_name((const uint8_t *)"FILE: ", 6, &name, &len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_sessions),
	        cmocka_unit_test(test_cut_anywhere),
	        cmocka_unit_test(test_byte_by_byte),
	        cmocka_unit_test(test_facts),
	        cmocka_unit_test(test_auth_tls),
	        cmocka_unit_test(test_first_words),
	        cmocka_unit_test(test_addresses),
	        cmocka_unit_test(test_paths),
	        cmocka_unit_test(test_reply_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
