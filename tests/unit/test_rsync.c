#include "config.h"

#include "talk.h"

/* Multiplexed data from either end. */
#define SM(text) {'s', 0, (const char[]){sizeof(text) - 1, 0, 0, 7}, 4}, S(text)
#define CM(text) {'c', 0, (const char[]){sizeof(text) - 1, 0, 0, 7}, 4}, C(text)

#define HELLO C("@RSYNCD: 31.0\n"), S("@RSYNCD: 31.0 sha512 md5\n"), C("shots\n"), S("hello\n\n@RSYNCD: OK\n")
#define GET C("--server\0--sender\0-re.LsfxCI\0.\0shots/sub/\0\0"), S("\x0e" "seed"), CM("\0\0\0\0")
#define PUT C("--server\0-re.LsfxCI\0.\0shots/in/\0\0"), S("\x0e" "seed")
#define FILE_B "\x01\x05" "b.exr\0\x0a\0\x52\x99\x1c\xae\xa4\x81\0\0"
#define FILE_A "\x82\x05" "a.exr\0\x03\0" /* same mode and time */
#define LIST FILE_B FILE_A "\0" "\0" /* its end, and no error: flags are bytes here */
#define NO_SUMS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define SUM "0123456789abcdef"
#define MOVES "\0\xa0"

static const struct talk talks[] = {
        {.name = "two files are sent whole, one in two literals",
                .port = 873,
                .service = "shots",
                .details = {"rsync.module=shots", "rsync.direction=download", "rsync.files=2", "rsync.bytes=13"},
                .want = "+a.exr;=shots/sub/a.exr get - destination complete 3 3+0 hba78;"
                        "+b.exr;=shots/sub/b.exr get - destination complete 10 10+0 h84d8;",
                .said = {HELLO, GET, SM(FILE_B FILE_A), SM("\0"), SM("\x01" MOVES NO_SUMS "\x03\0\0\0abc\0\0\0\0" SUM),
                        {'s', 0, "\x05\0\0\x09hello", 9}, /* another message */
                        SM("\x01" MOVES NO_SUMS "\x04\0\0\0" "0123"), SM("\x06\0\0\0" "456789\0\0\0\0" SUM), SM("\0\0\0")}},
        {.name = "blocks that the receiver has",
                .port = 1234,
                .details = {"rsync.direction=upload"},
                .want = "+b.exr;=shots/in/b.exr put - source truncated 10 4+6 @6;",
                .said = {HELLO, PUT, CM(FILE_B "\0"), CM("\x01" MOVES "\2\0\0\0\4\0\0\0\2\0\0\0\2\0\0\0"),
                        CM("\xff\xff\xff\xff\xfe\xff\xff\xff\4\0\0\0wxyz\0\0\0\0" SUM)}},
        {.name = "nothing moves: the names are told",
                .port = 873,
                .details = {"rsync.file=b.exr", "rsync.file=a.exr", "rsync.path=shots/sub/"},
                .want = "",
                .said = {HELLO, GET, SM(FILE_B FILE_A "\0"), SM("\0"), SM("\0\0")}},
        {.name = "a dry run moves nothing",
                .port = 873,
                .details = {"rsync.dry_run=true"},
                .want = "",
                .said = {HELLO, C("--server\0--sender\0-nre.LsfxCI\0.\0shots/sub/\0\0"), S("\x0e" "seed"), SM(FILE_B "\0"),
                        SM("\x01" MOVES), SM("\0\0\0")}},
        {.name = "compressed: the size is known, the content not seen",
                .port = 873,
                .user = "bob",
                .want = "+b.exr;=shots/sub/b.exr get bob destination truncated 10 0+10;",
                .said = {C("@RSYNCD: 31.0\n"), S("@RSYNCD: 31.0 sha512 md5\n"), C("shots\n"), S("@RSYNCD: AUTHREQD abc\n"),
                        C("bob hash\n"), S("@RSYNCD: OK\n"),
                        C("--server\0--sender\0-rze.LsfxCIvu\0.\0shots/sub/\0\0"), S("\x80\x8e\x05xxh64\x09zstd zlib" "seed"),
                        C("\x09xxh64 md5\x04zlib"), SM(FILE_B "\0" "\0"),
                        SM("\x01" MOVES NO_SUMS "\x40\x03xyz\0" "8 bytes."), SM("\0\0\0")}},
        {.name = "lines behind arguments before protocol 30",
                .port = 873,
                .want = "+b.exr;=shots/sub/b.exr get - destination complete 3 3+0 hba78;",
                .said = {C("@RSYNCD: 29\n"), S("@RSYNCD: 31.0\n"), C("shots\n"), S("@RSYNCD: OK\n"),
                        C("--server\n--sender\n-r\n.\nshots/sub/\n\n"), S("seed"),
                        SM("\x01\x05" "b.exr\3\0\0\0\x52\x99\x1c\x60\xa4\x81\0\0" "\0" "\0\0\0\0"),
                        SM("\0\0\0\0" MOVES NO_SUMS "\x03\0\0\0abc\0\0\0\0" SUM)}},
        {.name = "appended to what is there",
                .port = 873,
                .want = "+b.exr;=shots/sub/b.exr get - destination complete 10 4+0 @6;",
                .said = {HELLO, C("--server\0--sender\0-re.LsfxCI\0--append\0.\0shots/sub/\0\0"), S("\x0e" "seed"),
                        SM(FILE_B "\0"), SM("\x01" MOVES "\2\0\0\0\4\0\0\0\0\0\0\0\2\0\0\0" "\4\0\0\0wxyz\0\0\0\0" SUM)}},
        {.name = "a hole in a literal",
                .port = 873,
                .want = "+b.exr;=shots/sub/b.exr get - destination truncated 10 4+6;",
                .said = {HELLO, GET, SM(FILE_B "\0"), SM("\x01" MOVES NO_SUMS), {'s', 0, "\x22\0\0\7", 4}, S("\x0a\0\0\0ab"), GAP(6), S("yz\0\0\0\0" SUM)}},
        {.name = "a hole elsewhere ends the reading",
                .port = 873,
                .want = "+b.exr;=shots/sub/b.exr get - destination truncated 10 4+0;",
                .said = {HELLO, GET, SM(FILE_B "\0"), SM("\x01" MOVES NO_SUMS "\x0a\0\0\0abcd"), GAP(6000)}},
        {.name = "an option that changes the list: no files, no lies",
                .port = 873,
                .details = {"rsync.module=shots"},
                .want = "",
                .said = {HELLO, C("--server\0--sender\0-rXe.LsfxCI\0.\0shots/sub/\0\0"), S("\x0e" "seed"), SM(FILE_B "\0")}},
        {.name = "no such module",
                .port = 873,
                .details = {"rsync.error=@ERROR: Unknown module 'x'"},
                .want = "",
                .said = {C("@RSYNCD: 31.0\n"), S("@RSYNCD: 31.0\n"), C("x\n"), S("@ERROR: Unknown module 'x'\n")}},
        {.name = "a list of modules", .port = 873, .want = "",
                .said = {C("@RSYNCD: 31.0\n"), S("@RSYNCD: 31.0\n"), C("#list\n"), S("shots  \tSeason\n@RSYNCD: EXIT\n")}},
        /* bad */
        {.name = "a name that begins with more of the last than there is",
                .port = 873, .want = "", .said = {HELLO, GET, SM("\x21\x09\x01x\0\x0a\0\x52\x99\x1c\xae\xa4\x81\0\0" "\0")}},
        {.name = "a literal that is too long",
                .port = 873,
                .want = "+b.exr;=shots/sub/b.exr get - destination truncated 10 0+0;",
                .said = {HELLO, GET, SM(FILE_B "\0"), SM("\x01" MOVES NO_SUMS "\xff\xff\xff\x7f" "abc")}},
        {.name = "a block that the receiver can't have",
                .port = 873,
                .want = "+b.exr;=shots/sub/b.exr get - destination truncated 10 0+0;",
                .said = {HELLO, GET, SM(FILE_B "\0"), SM("\x01" MOVES NO_SUMS "\xff\xff\xff\xff" "abc")}},
        {.name = "something else", .port = 873, .protocol = "-", .said = {C("@RSYNC: 31\n")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "rsync");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
