#include "config.h"

/* SIP and the files that MSRP carries for it. */
#include "talk.h"

#define SDP "v=0\r\nm=message 7654 TCP/MSRP *\r\na=sendonly\r\na=file-selector:name:\"a%22b.txt\" type:text/plain size:10 hash:sha-1:72\r\na=path:msrp://192.0.2.10:7654/jshA7;tcp\r\n"
#define INVITE "INVITE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/TCP x\r\nf: Ann <sip:ann@example.net>;tag=1\r\nUser-Agent: Phone 1\r\nContent-Type: application/sdp\r\nContent-Length: 157\r\n\r\n" SDP
#define PATHS "To-Path: msrp://203.0.113.9:5000/x7;tcp\r\nFrom-Path: msrp://192.0.2.10:7654/jshA7;tcp\r\n"
#define FOR(id) "Message-ID: " id "\r\n"
#define TYPE "Content-Type: application/pdf\r\n"

_Static_assert(sizeof SDP == 158, "its length");

static const struct talk sip[] = {
        {.name = "an offer", .port = 5060, .user = "sip:ann@example.net", .details = {"sip.file=a\"b.txt", "sip.file_size=10"}, .want = "",
                .said = {C(INVITE), S("SIP/2.0 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n"), C("\r\n\r\n"), C("BYE sip:b SIP/2.0\r\n\r\n")}},
        {.name = "as datagrams", .port = 5060, .udp = true, .user = "sip:ann@example.net", .details = {"sip.file=a\"b.txt"}, .want = "", .said = {C(INVITE)}},
        {.name = "the file that was offered, in its own session",
                .port = 5060, .other = {"203.0.113.9", "192.0.2.10", 50000, 7654},
                .want = "+a\"b.txt;=a\"b.txt SEND - destination complete 10 10+0 h84d8;",
                .said = {C(INVITE), S1("MSRP d93kswow SEND\r\n" PATHS FOR("1") "Byte-Range: 1-4/10\r\nContent-Type: text/plain\r\n\r\n0123\r\n-------d93kswow+\r\n"),
                        C1("MSRP d93kswow 200 OK\r\n" PATHS "-------d93kswow$\r\n"),
                        S1("MSRP d93kswox SEND\r\n" PATHS FOR("1") "Byte-Range: 5-10/10\r\nContent-Type: text/plain\r\n\r\n456789\r\n-------d93kswox$\r\n")}},
        {.name = "a hole between messages", .port = 5060, .details = {"sip.file_size=10"}, .want = "", .said = {S("SIP/2.0 200 OK\r\nSer"), GAP(30), C(INVITE)}},
        {.name = "a body that is too long", .port = 5060, .want = "", .said = {C("BYE sip:b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n")}},
        {.name = "HTTP", .port = 5060, .protocol = "http", .said = {C("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")}},
};

static const struct talk msrp[] = {
        {.name = "a file by its type, chunks in another order, words between",
                .port = 2855,
                .want = "+x.pdf;=x.pdf SEND - source complete 10 10+0 h84d8;",
                .said = {C("MSRP aaaa SEND\r\n" PATHS FOR("1") "Byte-Range: 5-10/10\r\nContent-Disposition: attachment; filename=\"x.pdf\"\r\n" TYPE "\r\n456789\r\n-------aaaa+\r\n"),
                        C("MSRP bbbb SEND\r\n" PATHS FOR("2") "Byte-Range: 1-5/5\r\nContent-Type: text/plain\r\n\r\nhello\r\n-------bbbb$\r\n"),
                        C("MSRP cccc SEND\r\n" PATHS FOR("1") "Byte-Range: 1-*/10\r\n" TYPE "\r\n0123\r\n-------cccc$\r\n")}},
        {.name = "one that is given up", .port = 2855, .want = "+-;=- SEND - source aborted 10 4+0;",
                .said = {C("MSRP aaaa SEND\r\n" PATHS FOR("1") "Byte-Range: 1-4/10\r\n" TYPE "\r\n0123\r\n-------aaaa#\r\n")}},
        {.name = "a hole in a chunk of known length", .port = 2855, .want = "+-;=- SEND - source truncated 64 49+15;",
                .said = {C("MSRP aaaa SEND\r\n" PATHS FOR("1") "Byte-Range: 1-64/64\r\n" TYPE "\r\n0123456789012345678901234567890123456789\r\n-------aa"), GAP_C(3),
                        C("0123456789\r\n-------aaaa$\r\n")}},
        {.name = "cut off", .port = 2855, .want = "+-;=- SEND - source truncated 10 4+0;",
                .said = {C("MSRP aaaa SEND\r\n" PATHS FOR("1") "Byte-Range: 1-10/10\r\n" TYPE "\r\n0123456789abcdef")}},
        {.name = "a transaction that is too long", .port = 2855, .want = "", .said = {C("MSRP aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa SEND\r\n")}},
        {.name = "no verb", .port = 2855, .protocol = "-", .said = {C("MSRP aaaa\r\n")}},
};

static void
test_sip(void **state)
{
	(void)state;
	talk_check(sip, COUNT(sip), "sip");
}

static void
test_msrp(void **state)
{
	(void)state;
	talk_check(msrp, COUNT(msrp), "msrp");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sip), cmocka_unit_test(test_msrp)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
