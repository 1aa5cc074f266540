#include "config.h"

#include "talk.h"

/* A line behind its length in hexadecimal digits, from either end. */
#define HX(n) (char)((n) % 16 < 10 ? '0' + (n) % 16 : 'a' + (n) % 16 - 10)
#define LENGTH(text) (const char[]){'0', HX((sizeof(text) + 3) >> 8), HX((sizeof(text) + 3) >> 4), HX(sizeof(text) + 3)}
#define CP(text) {'c', 0, LENGTH(text), 4}, C(text)
#define SP(text) {'s', 0, LENGTH(text), 4}, S(text)

#define ID1 "1111111111111111111111111111111111111111"
#define ID2 "2222222222222222222222222222222222222222"
#define PACK "PACK\0\0\0\2\0\0\0\3rest"
#define REQUEST CP("git-upload-pack /a/b.git\0host=example.net\0\0version=2\0")
#define REQUEST0 CP("git-upload-pack /a/b.git\0host=example.net\0")
#define PUSH CP("git-receive-pack /a/b.git\0host=x\0")
#define REFS SP(ID1 " HEAD\0side-band-64k agent=git/9\n"), SP(ID1 " refs/heads/main\n"), SP(ID2 " refs/tags/v1.0\n"), S("0000")
#define WANT CP("want " ID1 " side-band agent=g"), C("0000" "0009done\n"), S("0008NAK\n")

static const struct talk talks[] = {
        {.name = "version 0 with bands",
                .port = 9418,
                .service = "example.net",
                .details = {"git.repository=/a/b.git", "git.ref=refs/heads/main", "git.request=fetch"},
                .want = "+b.git;=/a/b.git git-upload-pack - destination complete 16 16+0 h1a82;",
                .said = {REQUEST0, REFS, WANT, SP("\2counting\n"), SP("\1PACK\0\0\0\2"), SP("\1\0\0\0\3rest"), SP("\1"), SP("\2\n"), S("0000")}},
        {.name = "version 0 without bands: to the end",
                .port = 9418,
                .want = "+b.git;=/a/b.git git-upload-pack - destination complete 16 16+0 h1a82;",
                .said = {REQUEST0, REFS, WANT, S(PACK), {'e', 0, NULL, 0}}},
        {.name = "version 2, two requests",
                .port = 99,
                .details = {"git.version=2", "git.ref=refs/heads/main"},
                .want = "+b.git;=/a/b.git git-upload-pack - destination complete 16 16+0 h1a82;",
                .said = {REQUEST, SP("version 2\n"), SP("agent=git/9\n"), S("0000"), CP("command=ls-refs\n"), C("0001" "0000"),
                        SP(ID1 " refs/heads/main\n"), S("0000"), CP("command=fetch"), C("0001"), CP("want " ID1 "\n"), C("0009done\n" "0000"),
                        SP("packfile\n"), SP("\1" PACK), S("0000")}},
        {.name = "a push, and what became of it",
                .port = 9418,
                .details = {"git.ref=refs/heads/main", "git.request=push"},
                .want = "+b.git;=/a/b.git git-receive-pack - source complete 16 16+0 h1a82;",
                .said = {PUSH, REFS, CP(ID1 " " ID2 " refs/heads/main\0 agent=git/2"), C("0000" PACK), SP("\1" "000eunpack ok\n"), S("0000")}},
        {.name = "a push that the server can't unpack",
                .port = 9418,
                .want = "+b.git;=/a/b.git git-receive-pack - source aborted 16 16+0;",
                .said = {PUSH, REFS, CP(ID1 " " ID2 " refs/heads/main"), C("0000" PACK), SP("unpack missing\n"), S("0000")}},
        {.name = "an error in band 3",
                .port = 9418,
                .want = "+b.git;=/a/b.git git-upload-pack - destination aborted 8 8+0;",
                .said = {REQUEST0, REFS, WANT, SP("\1PACK\0\0\0\2"), SP("\3oops"), S("0000")}},
        {.name = "an archive",
                .port = 9418,
                .details = {"git.request=archive", "git.argument=HEAD"},
                .want = "+b.git;=/a/b.git git-upload-archive - destination complete 3 3+0 hba78;",
                .said = {CP("git-upload-archive /a/b.git\0host=x\0"), CP("argument HEAD\n"), C("0000"), S("0008ACK\n" "0000"), SP("\1abc"), S("0000")}},
        {.name = "an error in place of refs", .port = 9418, .details = {"git.error=no such repository"}, .want = "",
                .said = {REQUEST0, SP("ERR no such repository\n")}},
        {.name = "a hole in a band",
                .port = 9418,
                .want = "+b.git;=/a/b.git git-upload-pack - destination truncated 16 8+8;",
                .said = {REQUEST0, REFS, WANT, S("0015\1PACK\0\0\0\2"), GAP(8), S("0000")}},
        {.name = "a hole elsewhere ends the reading",
                .port = 9418,
                .want = "+b.git;=/a/b.git git-upload-pack - destination truncated 8 8+0;",
                .said = {REQUEST0, REFS, WANT, S("0015\1PACK\0\0\0\2"), GAP(9), S("0000")}},
        {.name = "something is wanted before any ref was told", .port = 9418, .want = "",
                .said = {REQUEST, CP("command=fetch"), C("0001"), CP("want " ID1 "\n"), C("0009done\n" "0000")}},
        {.name = "a length that is none", .port = 9418, .want = "", .said = {REQUEST0, S("zzzz")}},
        {.name = "digits alone", .port = 9418, .protocol = "-", .said = {C("0023git-receive-pack-x /a/b.git")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "git");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
