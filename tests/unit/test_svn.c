#include "config.h"

#include "talk.h"

#define HELLO S("( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) ) "), \
	C("( 2 ( edit-pipeline svndiff1 ) 20:svn://example.net/ab 9:SVN/1.14. ( ) ) ")
#define FREE S("( success ( ( ANONYMOUS ) 4:uuid ) ) "), C("( ANONYMOUS ( 0: ) ) "), S("( success ( ) ) ( success ( 4:uuid 20:svn://example.net/ab ( ) ) ) ")
#define LOGIN S("( success ( ( CRAM-MD5 ) 4:show ) ) "), C("( CRAM-MD5 ( ) ) "), S("( step ( 9:<1@there> ) ) "), C("12:bob 01234567 "), \
	S("( success ( ) ) ( success ( 4:uuid 20:svn://example.net/ab ( ) ) ) ")
#define EDIT "( open-root ( ( 1 ) 2:d0 ) ) ( add-file ( 5:a.exr 2:d0 2:c1 ( ) ) ) ( apply-textdelta ( 2:c1 ( ) ) ) "
#define DONE "( textdelta-end ( 2:c1 ) ) ( close-file ( 2:c1 ( ) ) ) ( close-edit ( ) ) "
#define UPDATE C("( update ( ( 1 ) 0: true ) ) ( set-path ( 0: 1 true ( ) ) ) ( finish-report ( ) ) ")

static const struct talk talks[] = {
        {.name = "an update with a new file, plain svndiff in two chunks",
                .port = 3690,
                .service = "example.net",
                .details = {"svn.url=svn://example.net/ab", "svn.command=update"},
                .want = "+a.exr;=a.exr update - destination complete 9 9+0 h76b9;",
                /* window: source 0 at 0, target 9, 3 instructions, 3 new bytes: new 3, then 6 of the target from 0 */
                .said = {HELLO, FREE, UPDATE, S(EDIT "( textdelta-chunk ( 2:c1 6:SVN\0\0\0 ) ) "),
                        S("( textdelta-chunk ( 2:c1 9:\x09\x03\x03\x83\x46\0abc ) ) " DONE)}},
        {.name = "LZ4",
                .port = 3690,
                .want = "+a.exr;=a.exr update - destination complete 16 16+0 he7d4;",
                /* 16 new bytes, packed as 3 literals and 8 of 3 back, then 5 literals */
                .said = {HELLO, FREE, UPDATE,
                        S(EDIT "( textdelta-chunk ( 2:c1 24:SVN\2\0\0\x10\x02\x0d\x01\x90\x10\x34" "abc\x03\0\x50" "cabca ) ) " DONE)}},
        {.name = "a commit of a difference, under an account",
                .port = 3691,
                .user = "bob",
                .details = {"svn.command=commit", "svn.revision=2"},
                .want = "+a.exr;=a.exr commit bob source truncated 9 0+9;",
                .said = {HELLO, LOGIN, C("( commit ( 1:x ( ) false ( ) ) ) "), S("( success ( ( ) 0: ) ) ( success ( ) ) "),
                        C("( open-root ( ( 1 ) 2:d0 ) ) ( open-file ( 5:a.exr 2:d0 2:c1 ( 1 ) ) ) ( apply-textdelta ( 2:c1 ( ) ) ) "
                          "( textdelta-chunk ( 2:c1 14:SVN\0\0\x08\x09\x03\x01\x08\0\x81x? ) ) "),
                        C(DONE), S("( success ( ) ) ( 2 ( 4:date ) ( 3:bob ) ( ) ) ")}},
        {.name = "get-file, and one that is not there",
                .port = 3690,
                .want = "+ab;=/ab get-file - destination complete 10 10+0 h84d8;",
                .said = {HELLO, FREE, C("( get-file ( 0: ( 1 ) false true false ) ) "), S("( success ( ( ) 0: ) ) ( success ( ( 2:md ) 1 ( ) ) ) 4:0123 "),
                        S("6:456789 0: ( success ( ) ) "), C("( get-file ( 3:x/y ( ) false true ) ) "),
                        S("( success ( ( ) 0: ) ) ( failure ( ( 160013 4:none 0: 0 ) ) ) ")}},
        {.name = "get-file without content", .port = 3690, .want = "",
                .said = {HELLO, FREE, C("( get-file ( 3:x/y ( 1 ) true false ) ) "), S("( success ( ( ) 0: ) ) ( success ( ( 2:md ) 1 ( ) ) ) ")}},
        {.name = "a hole in content",
                .port = 3690,
                .want = "+ab;=/ab get-file - destination truncated 10 4+6;",
                .said = {HELLO, FREE, C("( get-file ( 0: ( 1 ) false true ) ) "), S("( success ( ( ) 1 ( ) ) ) 10:0123"), GAP(6), S(" 0: ")}},
        {.name = "a hole in a difference",
                .port = 3690,
                .want = "+a.exr;=a.exr update - destination truncated 0 0+0;",
                .said = {HELLO, FREE, UPDATE, S(EDIT "( textdelta-chunk ( 2:c1 9:SVN"), GAP(6), S(" ) ) " DONE)}},
        {.name = "an edit that is broken off",
                .port = 3690,
                .want = "+a.exr;=a.exr update - destination aborted 0 0+0;",
                .said = {HELLO, FREE, UPDATE, S(EDIT "( abort-edit ( ) ) ")}},
        {.name = "a window whose instructions copy what is not there yet",
                .port = 3690,
                .want = "+a.exr;=a.exr update - destination truncated 9 0+9;",
                .said = {HELLO, FREE, UPDATE, S(EDIT "( textdelta-chunk ( 2:c1 12:SVN\0\0\0\x09\x03\x00\x49\x09\0 ) ) " DONE)}},
        {.name = "a window that is too long",
                .port = 3690,
                .want = "+a.exr;=a.exr update - destination truncated 0 0+0;",
                .said = {HELLO, FREE, UPDATE, S(EDIT "( textdelta-chunk ( 2:c1 12:SVN\0\0\0\xff\xff\x7f\x01\x01x ) ) " DONE)}},
        {.name = "brackets that don't match", .port = 3690, .want = "", .said = {HELLO, S(") ) ")}},
        {.name = "other brackets", .port = 3690, .protocol = "-", .said = {S("( success ( x y")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "svn");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
