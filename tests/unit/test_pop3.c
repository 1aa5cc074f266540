#include "config.h"

#include "mail_script.h"

#define LOGIN "s +OK POP3 ready <1.2@x>\nc USER bob\ns +OK\nc PASS pw\ns +OK\n"
#define BODY "s Subject: x\ns Content-Type: multipart/mixed; boundary=B\ns \ns --B\ns Content-Type: a/b; name=f\n" \
	"s Content-Transfer-Encoding: base64\ns \ns aGVsbG8=\ns --B--\n"
#define FILE_OK "=f RETR bob destination complete 5 5+0 h2cf2;"

static const struct mail_session good[] = {
        {"an attachment", LOGIN "c STAT\ns +OK 1 200\nc LIST\ns +OK\ns 1 200\ns .\nc RETR 1\ns +OK 200 octets\n" BODY "s .\nc QUIT\ns +OK",
                FILE_OK "pop3 user=bob mail.messages=1 mail.attachments=1 email.subject=x "},
        {"pipelined", LOGIN "c RETR 1\nc RETR 2\nc DELE 1\nc RETR 3\ns +OK\n" BODY "s .\ns -ERR no\ns +OK\ns +OK\n" BODY "s .\n",
                FILE_OK FILE_OK "pop3 user=bob mail.messages=2 mail.attachments=2 "},
        {"the client speaks first", "c USER bob\nc PASS pw\nc RETR 1\nc RETR 2\ns +OK Dovecot ready.\ns +OK\ns +OK\ns +OK 99\n" BODY "s .\ns +OK 99\n" BODY "s .\n",
                FILE_OK FILE_OK "pop3 user=bob mail.messages=2 mail.attachments=2 "},
        {"TOP ends in the middle", LOGIN "c TOP 1 3\ns +OK\ns Content-Type: a/b; name=f\ns \ns he\ns .\nc QUIT\ns +OK",
                "=f TOP bob destination truncated 4 4+0;pop3 "},
        {"TOP of a header alone", LOGIN "c TOP 1 0\ns +OK\ns Content-Type: a/b; name=f\ns \ns .\nc QUIT\ns +OK",
                "pop3 user=bob mail.messages=1 mail.attachments=0 "},
        {"dots", LOGIN "c RETR 1\ns +OK\ns Content-Type: a/b; name=f\ns \ns ..x\ns ...\ns a.b\ns .\n",
                "=f RETR bob destination complete 13 13+0 hf883;"},
        {"APOP", "s +OK x <1896.6@x.org>\nc APOP bob c4c9334bac560ecc979e58001b3e22fb\ns +OK\nc QUIT\ns +OK", "pop3 user=bob "},
        {"AUTH in steps", "s +OK ready\nc CAPA\ns +OK\ns SASL PLAIN\ns .\nc AUTH PLAIN\ns + \nc AGJvYgBwdw==\ns +OK\nc QUIT\ns +OK",
                "pop3 user=bob "},
        {"AUTH alone lists", "s +OK POP3\nc AUTH\ns +OK\ns PLAIN\ns .\nc USER bob\ns +OK\nc RETR 1\ns +OK\n" BODY "s .\n", FILE_OK "pop3 "},
        {"a hole in a mail", LOGIN "c RETR 1\ns +OK\ns Content-Type: a/b; name=f\ns \ns he\ngap s 4\ns llo\ns .\n",
                "=f RETR bob destination truncated 13 9+4;pop3 "},
        {"a hole with the end of a mail",
                LOGIN "c RETR 1\ns +OK\ns Content-Type: a/b; name=f\ns \ns he\ngap s 9\nc RETR 2\ns +OK\n" BODY "s .\n",
                "=f RETR bob destination truncated 13 4+9;" FILE_OK "pop3 "},
        {"only the server's half", "s +OK POP3 ready\ns +OK\ns +OK 200 octets\n" BODY "s .\ns +OK\ns 1 2\ns .\ns +OK\n" BODY "s .\n",
                "=f RETR - destination complete 5 5+0 h2cf2;=f RETR - destination complete 5 5+0 h2cf2;pop3 "},
        {"broken off", LOGIN "c RETR 1\ns +OK\ns Content-Type: a/b; name=f\ns \ns he\nfin s", "=f RETR bob destination aborted 4 4+0;pop3 "},
        {"reset", LOGIN "c RETR 1\ns +OK\ns Content-Type: a/b; name=f\ns \ns he\nreset", "=f RETR bob destination aborted 4 4+0;pop3 "},
        {"seen from the middle", "mid\nc RETR 1\ns +OK 9 octets\n" BODY "s .\n", "=f RETR - destination complete 5 5+0 h2cf2;pop3 "},
};

static const struct mail_session bad[] = {
        {"Redis", "c PING\ns +PONG", "unknown "},
        {"another greeting", "s +HELLO\nc USER bob", "unknown "},
        {"a greeting and a stranger", "s +OK\nc FROB", "unknown "},
};

static void
test_good(void **state)
{
	(void)state;
	mail_run(good, COUNT(good), 1100);
}

static void
test_bad(void **state)
{
	(void)state;
	mail_run(bad, COUNT(bad), 1100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
