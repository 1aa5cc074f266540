#include "config.h"

#include "talk.h"

#define TTH "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFG"
#define CID "BCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGH"
#define NMDC C("$MyNick ann|$Lock EXTENDEDPROTOCOLABC Pk=DCPLUSPLUS|"), S("$MyNick bob|$Lock EXTENDEDPROTOCOLABC Pk=X|"), \
	C("$Supports ADCGet ZLIG|$Direction Download 9|$Key x|")
#define ADC C("CSUP ADBASE ADTIGR\n"), S("CSUP ADBASE\nCINF IDB\n"), C("CINF IDA NIann\n")

static const struct talk talks[] = {
        {.name = "a file by hash, whose name a search told",
                .port = 412, .user = "ann",
                .want = "+x y.exr;=sub\\x y.exr $ADCGET ann destination complete 3 3+0 hba78;",
                .details = {"directconnect.tth=" TTH},
                .said = {NMDC, S("$SR bob sub\\x y.exr\0053 1/2\005TTH:" TTH " (hub)|"), C("$ADCGET file TTH/" TTH " 0 -1|"),
                        S("$ADCSND file TTH/" TTH " 0 3|abc")}},
        {.name = "$Get, the old way, resumed",
                .port = 412,
                .want = "+a.txt;=sub\\a.txt $Get ann destination complete 10 4+0 @6;",
                .said = {NMDC, C("$Get sub\\a.txt$7|"), S("$FileLength 10|"), C("$Send|"), S("6789")}},
        {.name = "packed, in the other direction",
                .port = 412,
                .want = "+a.txt;=sub/a.txt $ADCGET ann source complete 300 300+0 hd9f5;",
                .said = {NMDC, S("$ADCGET file sub/a.txt 0 300 ZL1|"), C("$ADCSND file sub/a.txt 0 300 ZL1|" "x\x9cKLJN\x1c" "E\xc4!\x00\x88Mr\xd9"), C("$Supports x|")}},
        {.name = "ADC, in pieces of a file",
                .port = 412, .user = "ann",
                .want = "+a.txt;=/a.txt CGET ann destination complete 4 4+0 h1be2;+a.txt;=/a.txt CGET ann destination complete 10 6+0 @4;",
                .said = {ADC, C("CGET file /a.txt 0 4\n"), S("CSND file /a.txt 0 4\n0123CSTA 0\n"), C("CGET file /a.txt 4 6\n"), S("CSND file /a.txt 4 6\n456789")}},
        {.name = "ADC: a result with spaces in its name, who it is by what the hub said",
                .port = 412, .user = "ann b", .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 1511},
                .want = "+x y.exr;=/sub/x y.exr CGET ann b destination complete 3 3+0 hba78;",
                .said = {C1("HSUP ADBASE\n"), S1("ISUP ADBASE\nBINF AAAB ID" CID " NIann\\sb\n"), C1("DRES AAAB SI3 FN/sub/x\\sy.exr TR" TTH "\n"),
                        C("CSUP ADBASE\n"), S("CSUP ADBASE\n"), C("CINF ID" CID " TO1\n"), C("CGET file TTH/" TTH " 0 3\n"), S("CSND file TTH/" TTH " 0 3\nabc")}},
        {.name = "a result over UDP", .port = 412, .udp = true, .want = "", .said = {S("URES " CID " SI3 FN/sub/x.exr TR" TTH "\n")}},
        {.name = "one of NMDC", .port = 50000, .udp = true, .want = "", .said = {S("$SR bob sub\\x y.exr\0053 1/2\005TTH:" TTH " (hub)|")}},
        {.name = "like one, but for its hash", .port = 412, .udp = true, .protocol = "-", .said = {S("URES abcdefghijklmnopqrstuvwxyz234567abcdefg SI3 FN/sub/x.exr\n")}},
        {.name = "a list is no file", .port = 412, .want = "", .said = {ADC, S("CSND list / 0 4\n0123")}},
        {.name = "cut off", .port = 412, .want = "+a.txt;=/a.txt CGET ann destination truncated 10 4+0;", .said = {ADC, S("CSND file /a.txt 0 10\n0123")}},
        {.name = "a hole in a file", .port = 412, .want = "+a.txt;=/a.txt CGET ann destination truncated 10 4+6;", .said = {ADC, S("CSND file /a.txt 0 10\n01"), GAP(6), S("89")}},
        {.name = "more comes out than was announced",
                .port = 412,
                .want = NULL, /* how much of it depends on how it comes */
                .said = {NMDC, C("$ADCSND file sub/a.txt 0 10 ZL1|" "x\x9cKLJN\x1c" "E\xc4!\x00\x88Mr\xd9")}},
        {.name = "no number", .port = 412, .want = "", .said = {ADC, S("CSND file /a.txt 0 x\n0123")}},
        {.name = "money", .port = 412, .protocol = "-", .said = {C("$Lock of hair|")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "directconnect");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
