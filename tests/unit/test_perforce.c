#include "config.h"

#include "talk.h"

/* Messages, each behind its checked length. */
#define HELLO "--\x00\x00\x00" "cmpfile\x00\x00\x00\x00\x00\x00" "client\x00\x02\x00\x00\x00" "84\x00" "func\x00\x08\x00\x00\x00protocol\x00"
#define SYNC "hh\x00\x00\x00\x00\x11\x00\x00\x00//depot/shots/...\x00prog\x00\x02\x00\x00\x00p4\x00version\x00\x06\x00\x00\x00" "2023.1\x00" "client\x00\x06\x00\x00\x00" "ann-ws\x00user\x00\x03\x00\x00\x00" "ann\x00" "func\x00\x09\x00\x00\x00user-sync\x00"
#define SUBMIT "44\x00\x00\x00" "client\x00\x06\x00\x00\x00" "ann-ws\x00user\x00\x03\x00\x00\x00" "ann\x00" "func\x00\x0b\x00\x00\x00user-submit\x00"
#define OPEN ";;\x00\x00\x00path\x00\x08\x00\x00\x00/w/a.exr\x00handle\x00\x04\x00\x00\x00sync\x00" "func\x00\x0f\x00\x00\x00" "client-OpenFile\x00"
#define WRITE1 "88\x00\x00\x00handle\x00\x04\x00\x00\x00sync\x00" "data\x00\x04\x00\x00\x00" "0123\x00" "func\x00\x10\x00\x00\x00" "client-WriteFile\x00"
#define WRITE2 "::\x00\x00\x00handle\x00\x04\x00\x00\x00sync\x00" "data\x00\x06\x00\x00\x00" "456789\x00" "func\x00\x10\x00\x00\x00" "client-WriteFile\x00"
#define CLOSE "**\x00\x00\x00handle\x00\x04\x00\x00\x00sync\x00" "func\x00\x10\x00\x00\x00" "client-CloseFile\x00"
#define ASK "99\x00\x00\x00path\x00\x08\x00\x00\x00/w/b.exr\x00handle\x00\x02\x00\x00\x00h1\x00" "func\x00\x0f\x00\x00\x00" "client-SendFile\x00"
#define GIVE "99\x00\x00\x00handle\x00\x02\x00\x00\x00h1\x00" "data\x00\x0a\x00\x00\x00" "0123456789\x00" "func\x00\x0d\x00\x00\x00lbr-WriteFile\x00"
#define GIVEN "22\x00\x00\x00handle\x00\x02\x00\x00\x00h1\x00status\x00\x01\x00\x00\x00" "0\x00" "func\x00\x0d\x00\x00\x00" "dm-SubmitFile\x00"

static const struct talk talks[] = {
        {.name = "sync", .port = 1666, .user = "ann",
                .details = {"perforce.command=sync", "perforce.workspace=ann-ws", "perforce.depot_path=//depot/shots/..."},
                .want = "+a.exr;=/w/a.exr sync ann destination complete 10 10+0 h84d8;",
                .said = {C(HELLO), S("\x12\x12\x00\x00\x00" "func\x00\x08\x00\x00\x00protocol\x00"), C(SYNC), S(OPEN), S(WRITE1), S(WRITE2), S(CLOSE)}},
        {.name = "submit", .port = 1666, .user = "ann", .details = {"perforce.command=submit"},
                .want = "+b.exr;=/w/b.exr submit ann source complete 10 10+0 h84d8;",
                .said = {C(HELLO), C(SUBMIT), S(ASK), C(GIVE), C(GIVEN)}},
        {.name = "an empty file is submitted", .port = 1666, .want = "+b.exr;=/w/b.exr submit ann source complete 0 0+0 he3b0;",
                .said = {C(HELLO), C(SUBMIT), S(ASK), C(GIVEN)}},
        {.name = "cut off", .port = 1666, .want = "+a.exr;=/w/a.exr sync ann destination truncated 4 4+0;", .said = {C(HELLO), C(SYNC), S(OPEN), S(WRITE1)}},
        {.name = "a hole in a file", .port = 1666, .want = "+a.exr;=/w/a.exr sync ann destination truncated 10 4+6;",
                .said = {C(HELLO), C(SYNC), S(OPEN), S(">>\x00\x00\x00handle\x00\x04\x00\x00\x00sync\x00" "data\x00\x0a\x00\x00\x00" "0123"), GAP(6), S("\x00" "func\x00\x10\x00\x00\x00" "client-WriteFile\x00"), S(CLOSE)}},
        {.name = "a length that is not checked", .port = 1666, .want = "", .said = {C(HELLO), C("\x01\x02\0\0\0ab")}},
        {.name = "a value that is longer than its message", .port = 1666, .want = "", .said = {C(HELLO), S("\x0a\x0a\0\0\0data\0\xff\0\0\0x")}},
        {.name = "another function first", .port = 1666, .protocol = "-", .said = {C(SYNC)}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "perforce");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
