#include "config.h"

#include "talk.h"

#define LOGIN C("NICK ann\r\nUSER ann 0 * :Ann\r\n"), S(":irc.example.net 001 ann :Welcome\r\n")
/* 192.0.2.10 as a number. */
#define OTHER .other = {"203.0.113.9", "192.0.2.10", 50000, 5000}

static const struct talk talks[] = {
        {.name = "a file with its size, acknowledged by the receiver",
                .port = 6667, .user = "ann", .service = "irc.example.net", OTHER,
                .details = {"irc.dcc=SEND \"a b.txt\" 3221225994 5000 10"},
                .want = "+a b.txt;=a b.txt DCC SEND ann destination complete 10 10+0 h84d8;",
                .said = {LOGIN, C("PRIVMSG bob :\001DCC SEND \"a b.txt\" 3221225994 5000 10\001\r\n"), S1("01234"), C1("\0\0\0\5"), S1("56789"), C1("\0\0\0\x0a"), END1}},
        {.name = "without a size: to the end",
                .port = 7000, OTHER,
                .want = "+a.txt;=a.txt DCC SEND ann destination complete 10 10+0 h84d8;",
                .said = {LOGIN, C("PRIVMSG bob :\001DCC SEND a.txt 192.0.2.10 5000\001\r\n"), S1("0123456789"), END1}},
        {.name = "what a server passes on, with tags",
                .port = 6667, OTHER,
                .want = "+a.txt;=a.txt DCC SEND bob destination complete 3 3+0 hba78;",
                .said = {LOGIN, S("@time=1 :bob!b@host PRIVMSG ann :\001DCC SEND a.txt 3221225994 5000 3\001\r\n"), S1("abc")}},
        {.name = "resumed",
                .port = 6667, OTHER,
                .want = "+a.txt;=a.txt DCC SEND ann destination complete 10 4+0 @6;",
                .said = {LOGIN, C("PRIVMSG bob :\001DCC SEND a.txt 3221225994 5000 10\001\r\n"), S(":bob!b@h PRIVMSG ann :\001DCC RESUME a.txt 5000 6\001\r\n"),
                        C("PRIVMSG bob :\001DCC ACCEPT a.txt 5000 6\001\r\n"), S1("6789")}},
        {.name = "passive: the receiver listens, the sender connects",
                .port = 6667, .other = {"203.0.113.9", "192.0.2.10", 50000, 5000},
                .want = "+a.txt;=a.txt DCC SEND bob source complete 3 3+0 hba78;",
                .said = {LOGIN, S(":bob!b@h PRIVMSG ann :\001DCC SEND a.txt 1 0 3 77\001\r\n"), C("PRIVMSG bob :\001DCC SEND a.txt 3221225994 5000 3 77\001\r\n"),
                        C1("abc"), S1("\0\0\0\3")}},
        {.name = "passive and resumed",
                .port = 6667, .other = {"203.0.113.9", "192.0.2.10", 50000, 5000},
                .want = "+a.txt;=a.txt DCC SEND bob source complete 10 4+0 @6;",
                .said = {LOGIN, S(":bob!b@h PRIVMSG ann :\001DCC SEND a.txt 1 0 10 77\001\r\n"), C("PRIVMSG bob :\001DCC RESUME a.txt 0 6 77\001\r\n"),
                        S(":bob!b@h PRIVMSG ann :\001DCC ACCEPT a.txt 0 6 77\001\r\n"), C("PRIVMSG bob :\001DCC SEND a.txt 3221225994 5000 10 77\001\r\n"), C1("6789")}},
        {.name = "the sender leaves early",
                .port = 6667, OTHER,
                .want = "+a.txt;=a.txt DCC SEND ann destination truncated 10 5+0;",
                .said = {LOGIN, C("PRIVMSG bob :\001DCC SEND a.txt 3221225994 5000 10\001\r\n"), S1("01234"), END1}},
        {.name = "a hole in the dialogue",
                .port = 6667, OTHER,
                .want = "+a.txt;=a.txt DCC SEND bob destination complete 3 3+0 hba78;",
                .said = {LOGIN, S(":x!y@z PRIVMSG ann :\001DCC SE"), GAP(20), S("x\r\n:bob!b@h PRIVMSG ann :\001DCC SEND a.txt 3221225994 5000 3\001\r\n"), S1("abc")}},
        {.name = "seen from the middle", .port = 6667, .midstream = true, .want = "", .said = {S(":x!y@z PRIVMSG #a :hello\r\n")}},
        {.name = "numbers that are none", .port = 6667, OTHER, .want = "",
                .said = {LOGIN, C("PRIVMSG bob :\001DCC SEND a.txt x 5000 3\001\r\n"), C("PRIVMSG bob :\001DCC SEND a.txt 3221225994 99999 3\001\r\n"), C("PRIVMSG b :\001DCC \001\r\n"), S1("abc")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "irc");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
