#include "config.h"

#include "talk.h"

#define Z4 "\0\0\0\0"
#define Z16 Z4 Z4 Z4 Z4
#define Z60 Z16 Z16 Z16 Z4 Z4 Z4
/* Type, size of the file, bytes received, encoding and name with its zeros. */
#define HEADER(type, size, received, name) \
	"OFT2\1\0" type "cookie.." "\0\0\0\0" "\0\1\0\1\0\1\0\1" Z4 size Z16 Z4 Z4 received Z4 \
	"Cool FileXfer\0\0\0" Z16 "\x20\x1c\x10" Z60 "\0\0\0\0\0\0\0\0\0" Z16 name
#define NAME "\0\0\0\0" "d\1a.txt\0" Z16 Z16 Z16 "\0\0\0\0\0\0\0\0"
#define NAME16 "\0\2\0\0" "\xc6\xd0\xd6\x54\0\0\0\0" Z16 Z16 Z16 "\0\0\0\0\0\0\0\0"
#define PROMPT(size) HEADER("\1\1", "\0\0\0" size, Z4, NAME)

_Static_assert(sizeof PROMPT("\3") == 257, "a header has 256 bytes");

static const struct talk talks[] = {
        {.name = "a file in a folder",
                .port = 5190,
                .want = "+a.txt;=d/a.txt OFT2 - destination complete 3 3+0 hba78;",
                .said = {S(PROMPT("\3")), C(HEADER("\2\2", "\0\0\0\3", Z4, NAME)), S("abc"), C(HEADER("\2\4", "\0\0\0\3", "\0\0\0\3", NAME))}},
        {.name = "two files, the other way, one of them empty",
                .port = 1,
                .want = "+a.txt;=d/a.txt OFT2 - source complete 3 3+0 hba78;+a.txt;=d/a.txt OFT2 - source complete 0 0+0 he3b0;",
                .said = {C(PROMPT("\3")), S(HEADER("\2\2", "\0\0\0\3", Z4, NAME)), C("abc"), S(HEADER("\2\4", "\0\0\0\3", "\0\0\0\3", NAME)),
                        C(PROMPT("\0")), S(HEADER("\2\2", Z4, Z4, NAME))}},
        {.name = "a name in UCS-2",
                .port = 5190,
                .want = "+원화;=원화 OFT2 - source complete 3 3+0 hba78;",
                .said = {C(HEADER("\1\1", "\0\0\0\3", Z4, NAME16)), S(HEADER("\2\2", "\0\0\0\3", Z4, NAME)), C("abc")}},
        {.name = "resumed",
                .port = 5190,
                .want = "+a.txt;=d/a.txt OFT2 - source complete 10 4+0 @6;",
                .said = {C(PROMPT("\x0a")), S(HEADER("\2\5", "\0\0\0\x0a", "\0\0\0\6", NAME)), C(HEADER("\1\6", "\0\0\0\x0a", "\0\0\0\6", NAME)),
                        S(HEADER("\2\7", "\0\0\0\x0a", "\0\0\0\6", NAME)), C("6789")}},
        {.name = "the receiver was not seen, and the file is cut off",
                .port = 5190,
                .want = "+a.txt;=d/a.txt OFT2 - source truncated 10 4+0;",
                .said = {C(PROMPT("\x0a")), C("0123")}},
        {.name = "a hole in the content",
                .port = 5190,
                .want = "+a.txt;=d/a.txt OFT2 - source truncated 10 4+6;",
                .said = {C(PROMPT("\x0a")), S(HEADER("\2\2", "\0\0\0\x0a", Z4, NAME)), C("01"), GAP_C(6), C("89")}},
        {.name = "refused", .port = 5190, .want = "", .said = {C(PROMPT("\x0a"))}},
        {.name = "a header that is too short", .port = 5190, .protocol = "-", .said = {C("OFT2\0\x10\1\1")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "aim");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
