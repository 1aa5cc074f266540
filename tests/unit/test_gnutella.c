#include "config.h"

/* Gnutella's handshake and Syncthing's discovery: recognised, and little more. */
#include "talk.h"

#define ID "\x20\x92\xb7\x62\x62\x99\x62\x94\x82\x5f\xc6\xcc\xe6\xcf\x34\x79\x42\x88\x28\x2d\x73\xb5\xec\xdf\x2d\xcb\x29\xbf\xd4\x84\xc4\x2d"

static const struct talk talks[] = {
        {.name = "0.6", .port = 6346, .want = "", .said = {C("GNUTELLA CONNECT/0.6\r\nUser-Agent: Bear/1\r\n\r\n"), S("GNUTELLA/0.6 200 OK\r\nUser-Agent: Lime/2\r\n\r\n\0\1")}},
        {.name = "0.4", .port = 1, .want = "", .said = {C("GNUTELLA CONNECT/0.4\n\n"), S("GNUTELLA OK\n\n")}},
        {.name = "a word alone", .port = 6346, .protocol = "-", .said = {C("GNUTELLA is a spread")}},
        {.name = "a device", .port = 21027, .udp = true, .protocol = "syncthing", .details = {"syncthing.address=tcp://192.0.2.1:22000"}, .want = "",
                .said = {C("\x2e\xa7\xd9\x0b\x0a" "\x20" ID "\x12\x15tcp://192.0.2.1:22000\x18\x05")}},
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
