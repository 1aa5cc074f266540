#include "config.h"

#include "mail_script.h"

#define HELLO "s 200 news NNTP ready\nc MODE READER\ns 200 OK\nc AUTHINFO USER bob\ns 381 more\nc AUTHINFO PASS pw\ns 281 OK\nc GROUP x.y\ns 211 2 1 2 x.y\n"
#define YENC "s =ybegin line=128 size=5 name=y\ns \x92\x8f\x96\x96\x99\ns =yend size=5\ns .\n"
#define HALF(PART, FROM, TO) "s Subject: p\ns \ns =ybegin part=" PART " total=2 line=128 size=10 name=h\ns =ypart begin=" FROM " end=" TO "\n" \
	"s \x92\x8f\x96\x96\x99\ns =yend size=5 part=" PART "\ns .\n"

static const struct mail_session good[] = {
        {"an article", HELLO "c ARTICLE 1\ns 220 1 <1@x>\ns From: a@x.org\ns Subject: s\ns \n" YENC "c QUIT\ns 205 Bye",
                "=y ARTICLE bob destination complete 5 5+0 h2cf2;nntp user=bob mail.messages=1 mail.attachments=1 email.from.address=a@x.org email.subject=s "},
        {"a body alone", HELLO "c BODY <1@x>\ns 222 0 <1@x>\n" YENC "c QUIT", "=y BODY bob destination complete 5 5+0 h2cf2;nntp "},
        {"an empty file", HELLO "c BODY <1@x>\ns 222 0 <1@x>\ns =ybegin line=128 size=0 name=y\ns =yend size=0\ns .\n", "=y BODY bob destination complete 0 0+0 he3b0;nntp "},
        {"a file of which nothing comes", HELLO "c BODY <1@x>\ns 222 0 <1@x>\ns =ybegin line=128 size=9 name=y\ns =yend size=9\ns .\n", "nntp "},
        {"lists are no articles", HELLO "c LIST\ns 215 list\ns x.y 2 1 y\ns .\nc XOVER 1-2\ns 224 o\ns 1\tSubject: x\ns .\nc LISTGROUP x.y\ns 211 2 1 2 x.y\ns 1\ns .\n"
                "c ARTICLE 1\ns 220 1 <1@x>\ns Subject: s\ns \n" YENC, "=y ARTICLE bob destination complete 5 5+0 h2cf2;nntp "},
        {"not there, pipelined", HELLO "c ARTICLE 1\nc ARTICLE 2\ns 430 no\ns 220 2 <2@x>\ns Subject: s\ns \n" YENC,
                "=y ARTICLE bob destination complete 5 5+0 h2cf2;nntp "},
        {"a file in two articles", HELLO "c ARTICLE 2\ns 220 2 <2@x>\n" HALF("2", "6", "10") "c ARTICLE 1\ns 220 1 <1@x>\n" HALF("1", "1", "5"),
                "=h ARTICLE bob destination complete 10 10+0 h"},
        {"POST", HELLO "c POST\ns 340 Go\nc From: a@x.org\nc Content-Type: a/b; name=f\nc \nc hello\nc .\ns 240 OK\nc DATE\ns 111 20260101000000\n",
                "=f POST bob source complete 7 7+0 hcd2e;nntp "},
        {"POST is refused", HELLO "c POST\ns 440 no\nc ARTICLE 1\ns 220 1 <1@x>\ns Subject: s\ns \n" YENC,
                "=y ARTICLE bob destination complete 5 5+0 h2cf2;nntp "},
        {"streaming", "s 200 news NNTP\nc MODE STREAM\ns 203 OK\nc CHECK <1@x>\ns 238 <1@x>\nc TAKETHIS <1@x>\nc Content-Type: a/b; name=f\nc \nc hello\nc .\n"
                "c TAKETHIS <2@x>\nc Subject: x\nc \nc .\ns 239 <1@x>\ns 239 <2@x>\n", "=f TAKETHIS - source complete 7 7+0 hcd2e;nntp mail.messages=2 "},
        {"from the middle", "mid\nc BODY 1\ns 222 1 <1@x>\n" YENC, "=y BODY - destination complete 5 5+0 h2cf2;nntp "},
        {"a hole", HELLO "c ARTICLE 1\ns 220 1 <1@x>\ns Content-Type: a/b; name=f\ns \ns he\ngap s 5\nc ARTICLE 2\ns 220 2 <2@x>\ns Subject: s\ns \n" YENC,
                "=f ARTICLE bob destination truncated 9 4+5;=y ARTICLE bob destination complete 5 5+0 h2cf2;nntp "},
        {"broken off", HELLO "c ARTICLE 1\ns 220 1 <1@x>\ns Content-Type: a/b; name=f\ns \ns he\nreset", "=f ARTICLE bob destination aborted 4 4+0;nntp "},
};

static const struct mail_session bad[] = {
        {"SMTP", "s 220 mx ESMTP\nc EHLO x\ns 250 x", "smtp "},
        {"words", "c BODY\nc POST", "unknown "},
        {"another 200", "s 200 hello\nc HELP\ns 500 no", "unknown "},
};

static void
test_good(void **state)
{
	(void)state;
	mail_run(good, COUNT(good), 1190);
}

static void
test_bad(void **state)
{
	(void)state;
	mail_run(bad, COUNT(bad), 1190);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
