#include "config.h"

#include "talk.h"

/* Nick "ann", program "v91". */
#define HELLO "\xe3" "4\x00\x00\x00\x01\x10" "01234\x0e" "6789abcdof\x01\x02\x03\x04" "6\x12\x02\x00\x00\x00\x02\x01\x00\x01\x03\x00" "ann\x02\x01\x00U\x03\x00v91\x00\x00\x00\x00\x00\x00"
#define ANSWER "\xe3" "3\x00\x00\x00L01234\x0e" "6789abcdof\x01\x02\x03\x04" "6\x12\x02\x00\x00\x00\x02\x01\x00\x01\x03\x00" "ann\x02\x01\x00U\x03\x00v91\x00\x00\x00\x00\x00\x00"
#define NAME "\xe3\x18\x00\x00\x00Y0123456789abcdef\x05\x00" "a.exr"
#define PART1 "\xe3\x1d\x00\x00\x00" "F0123456789abcdef\x00\x00\x00\x00\x04\x00\x00\x00" "0123"
#define PART2 "\xe3\x1f\x00\x00\x00" "F0123456789abcdef\x04\x00\x00\x00\x0a\x00\x00\x00" "456789"
#define LARGE "\xc5'\x00\x00\x00\xa2" "0123456789abcdef\x04\x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00" "456789"
#define PACKED "\xc5\x1c\x00\x00\x00@0123456789abcdef\x04\x00\x00\x00\x03\x00\x00\x00xyz"

static const struct talk talks[] = {
        {.name = "a name and parts", .port = 4662, .user = "ann", .details = {"edonkey.file=a.exr"},
                .want = "+a.exr;=a.exr part ann destination truncated 10 10+0;",
                .said = {C(HELLO), S(ANSWER), S(NAME), S(PART2), S(PART1)}},
        {.name = "large offsets, no name", .port = 1, .want = "+-;=- part ann source truncated 10 6+0 @4;", .said = {C(HELLO), S(ANSWER), C(LARGE)}},
        {.name = "packed parts are told, not read", .port = 4662, .want = "+a.exr;=a.exr part ann destination truncated 0 0+0;",
                .said = {C(HELLO), S(ANSWER), S(NAME), S(PACKED)}},
        {.name = "a hole in a part", .port = 4662, .want = "+a.exr;=a.exr part ann destination truncated 10 8+0;",
                .said = {C(HELLO), S(ANSWER), S(NAME), S("\xe3\x1d\0\0\0\x46" "0123456789abcdef\0\0\0\0\4\0\0\0" "01"), GAP(2), S(PART2)}},
        {.name = "a hole elsewhere", .port = 4662, .want = "", .said = {C(HELLO), S(ANSWER), GAP(2), S(PART2)}},
        {.name = "another mark", .port = 4662, .want = "", .said = {S("\xe3\x40\0\0\0\0")}, .protocol = "-"},
        {.name = "a length that is too long", .port = 4662, .want = "", .said = {C(HELLO), S(ANSWER), S("\xe3\xff\xff\xff\x7f\x46")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "edonkey");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
