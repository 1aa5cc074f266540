#include "config.h"

/* Gnutella's handshake, Syncthing's and Resilio's discovery: recognised, and little more. */
#include "talk.h"

#define ID "\x20\x92\xb7\x62\x62\x99\x62\x94\x82\x5f\xc6\xcc\xe6\xcf\x34\x79\x42\x88\x28\x2d\x73\xb5\xec\xdf\x2d\xcb\x29\xbf\xd4\x84\xc4\x2d"

#define PEER "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f" "abcd"

static const struct talk talks[] = {
        {.name = "0.6", .port = 6346, .want = "", .said = {C("GNUTELLA CONNECT/0.6\r\nUser-Agent: Bear/1\r\n\r\n"), S("GNUTELLA/0.6 200 OK\r\nUser-Agent: Lime/2\r\n\r\n\0\1")}},
        {.name = "0.4", .port = 1, .want = "", .said = {C("GNUTELLA CONNECT/0.4\n\n"), S("GNUTELLA OK\n\n")}},
        {.name = "a word alone", .port = 6346, .protocol = "-", .said = {C("GNUTELLA is a spread")}},
        {.name = "a device", .port = 21027, .udp = true, .protocol = "syncthing", .details = {"syncthing.address=tcp://192.0.2.1:22000"}, .want = "",
                .said = {C("\x2e\xa7\xd9\x0b\x0a" "\x20" ID "\x12\x15tcp://192.0.2.1:22000\x18\x05")}},
        {.name = "a folder, as early versions announced it", .port = 3838, .udp = true, .protocol = "resilio", .want = "",
                .details = {"resilio.peer=101112131415161718191a1b1c1d1e1f61626364", "resilio.share=2092b76262996294825fc6cce6cf34794288282d73b5ecdf2dcb29bfd484c42d",
                        "resilio.address=192.0.2.1:41397"},
                .said = {C("BSYNC\0d2:la6:\xc0\x00\x02\x01\xa1\xb5" "1:mi4e4:peer20:" PEER "5:share32:" ID "e")}},
        {.name = "and later ones, at a tracker", .port = 3000, .udp = true, .protocol = "resilio", .details = {"resilio.message=get_peers"}, .want = "",
                .said = {C("BSYNC\0d1:m9:get_peers4:peer20:" PEER "e"), S("BSYNC\0d2:ea6:\xc0\x00\x02\x02\xa1\xb5" "1:m5:peerse")}},
        {.name = "half a dictionary", .port = 3838, .udp = true, .protocol = "-", .said = {C("BSYNC\0d1:m9:get_peers4:peer20:abc")}},
        {.name = "a dictionary of nothing known", .port = 3838, .udp = true, .protocol = "-", .said = {C("BSYNC\0d1:x1:ye")}},
        {.name = "the word alone", .port = 3838, .udp = true, .protocol = "-", .said = {C("BSYNC is what it says")}},
        {.name = "a device that is cut", .port = 21027, .udp = true, .protocol = "-", .said = {C("\x2e\xa7\xd9\x0b\x0a\x20" "abc")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "gnutella");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
