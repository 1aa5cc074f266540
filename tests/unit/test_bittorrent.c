#include "config.h"

#include "talk.h"

/* Torrent 1: "a.exr", 10 bytes in pieces of 4. Torrent 2: "t" with "d/x" of 3 and "y" of 7 bytes. */
#define HASH1 "Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18" "1\xc8Q\x17\xf7\xd2\xb2\xab("
#define HASH2 "\xc1\xff" "DK]\x1a" "1\xe5\xed\x1e{\x18Z\xce\xb1\xe1\xad\x07KZ"
#define SHAKE(hash, id) "\023BitTorrent protocol\0\0\0\0\0\x10\0\0" hash id
#define TR "-TR4050-abcdefghijkl"
#define QB "-qB4500-abcdefghijkl"
/* An extension handshake: metadata is number 3. */
#define HELLO "\x00\x00\x00'\x14\x00" "d1:md11:ut_metadatai3ee1:v8:Test/1.0e"
#define INFO1 "\x00\x00\x00" "c\x14\x03" "d8:msg_typei1e5:piecei0e10:total_sizei55eed6:lengthi10e4:name5:a.exr12:piece lengthi4e6:pieces0:e"
#define INFO2 "\x00\x00\x00\x8f\x14\x03" "d8:msg_typei1e5:piecei0e10:total_sizei99eed5:filesld6:lengthi3e4:pathl1:d1:xeed6:lengthi7e4:pathl1:yeee4:name1:t12:piece lengthi4e6:pieces0:e"
#define WRONG_INFO "\x00\x00\x00" "c\x14\x03" "d8:msg_typei1e5:piecei0e10:total_sizei55eed6:lengthi10e4:name5:b.exr12:piece lengthi4e6:pieces0:e"
/* Pieces of both: 0123 4567 89 */
#define PIECE0 "\x00\x00\x00\x0d\x07\x00\x00\x00\x00\x00\x00\x00\x00" "0123"
#define PIECE1 "\x00\x00\x00\x0d\x07\x00\x00\x00\x01\x00\x00\x00\x00" "4567"
#define PIECE2 "\x00\x00\x00\x0b\x07\x00\x00\x00\x02\x00\x00\x00\x00" "89"

static const struct talk talks[] = {
        {.name = "metadata, then pieces in any order",
                .port = 6881,
                .details = {"bittorrent.info_hash=59346f125a86c31b89b01831c85117f7d2b2ab28", "bittorrent.name=a.exr", "bittorrent.size=10", "bittorrent.piece_length=4"},
                .want = "+a.exr;=a.exr piece - destination complete 10 10+0 h84d8;",
                .said = {C(SHAKE(HASH1, TR)), S(SHAKE(HASH1, QB)), C(HELLO), S(HELLO), S(INFO1), S("\0\0\0\0" PIECE2), S(PIECE0 "\0\0\0\1\1" PIECE1)}},
        {.name = "two files, a piece that belongs to both, in both directions",
                .port = 1,
                .want = "+x;+y;+y;=t/y piece - source truncated 7 2+0 @5;=t/d/x piece - destination complete 3 3+0 hbf6a;=t/y piece - destination complete 7 7+0 hb27d;",
                .said = {C(SHAKE(HASH2, TR)), S(SHAKE(HASH2, QB)), C(HELLO), S(INFO2), S(PIECE0), S(PIECE1), S(PIECE2), C(PIECE2)}},
        {.name = "without metadata only how much moved",
                .port = 6881,
                .want = "+urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28;=urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28 piece - destination truncated 8 0+8;",
                .said = {C(SHAKE(HASH1, TR)), S(SHAKE(HASH1, QB)), S(PIECE0), S(PIECE1)}},
        {.name = "metadata that is not what the hash names",
                .port = 6881,
                .want = "+urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28;=urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28 piece - destination truncated 4 0+4;",
                .said = {C(SHAKE(HASH1, TR)), S(SHAKE(HASH1, QB)), C(HELLO), S(WRONG_INFO), S(PIECE0)}},
        {.name = "a hole in a block, and one of a whole message: only blocks of the usual size are found again",
                .port = 6881,
                .want = "+a.exr;=a.exr piece - destination truncated 10 2+0;",
                .said = {C(SHAKE(HASH1, TR)), S(SHAKE(HASH1, QB)), C(HELLO), S(INFO1), S("\0\0\0\x0d\7\0\0\0\0\0\0\0\0" "01"), GAP(2), GAP(17), S(PIECE2)}},
        {.name = "a length that is too long", .port = 6881, .want = "", .said = {C(SHAKE(HASH1, TR)), S(SHAKE(HASH1, QB)), S("\x7f\0\0\0\7"), S(PIECE0)}},
        {.name = "an index that is nowhere", .port = 6881, .want = "",
                .said = {C(SHAKE(HASH1, TR)), S(SHAKE(HASH1, QB)), C(HELLO), S(INFO1), S("\x00\x00\x00\x0d\x07\xff\xff\xff\xff\xff\xff\xff\xff" "0123")}},
        {.name = "bencoding without an end", .port = 6881, .want = "", .said = {C(SHAKE(HASH1, TR)), S(SHAKE(HASH1, QB)), S("\0\0\0\x0a\x14\0lllllll")}},
        {.name = "another protocol", .port = 6881, .protocol = "-", .said = {C("\023BitTorrent protocox")}},
        {.name = "uTP: a SYN, its answer, data out of order",
                .port = 6881, .udp = true,
                .details = {"bittorrent.transport=utp", "bittorrent.name=a.exr"},
                .want = "+a.exr;=a.exr piece - destination complete 10 10+0 h84d8;",
                .said = {C("A\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"), S("!\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x84\x00\x01"), C("\x01\x00\x01\xf5\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x03\x83\x13" "BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18" "1\xc8Q\x17\xf7\xd2\xb2\xab(-TR4050-abcdefghijkl"), S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x84\x00\x02\x13" "BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18" "1\xc8Q\x17\xf7\xd2\xb2\xab(-qB4500-abcdefghijkl"), C("\x01\x00\x01\xf5\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x03\x03\x84\x00\x00\x00'\x14\x00" "d1:md11:ut_metadatai3ee1:v8:Test/1.0e"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x86\x00\x03\x00\x00\x00\x0d\x07\x00\x00\x00\x00\x00\x00\x00\x00" "0123"), S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x85\x00\x03\x00\x00\x00" "c\x14\x03" "d8:msg_typei1e5:piecei0e10:total_sizei55eed6:lengthi10e4:name5:a.exr12:piece lengthi4e6:pieces0:e"), S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x87\x00\x03\x00\x00\x00\x0d\x07\x00\x00\x00\x01\x00\x00\x00\x00" "4567\x00\x00\x00\x0b\x07\x00\x00\x00\x02\x00\x00\x00\x00" "89"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x87\x00\x03\x00\x00\x00\x0d\x07\x00\x00\x00\x01\x00\x00\x00\x00xxxx\x00\x00\x00\x0b\x07\x00\x00\x00\x02\x00\x00\x00\x00xx")}},
        {.name = "DHT, then uTP on the same ports",
                .port = 6881, .udp = true, .midstream = true,
                .details = {"bittorrent.transport=dht", "bittorrent.info_hash=6d6e6f707172737475767778797a313233343536"},
                .want = "",
                .said = {C("d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe"), S("A\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00")}},
        {.name = "a tracker over UDP", .port = 6969, .udp = true, .details = {"bittorrent.transport=tracker", "bittorrent.info_hash=59346f125a86c31b89b01831c85117f7d2b2ab28"}, .want = "",
                .said = {C("\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0abcd"), S("\0\0\0\0abcd01234567"), C("01234567\0\0\0\1abcd" HASH1 TR)}},
        {.name = "local discovery", .port = 6771, .udp = true, .details = {"bittorrent.info_hash=59346f125a86c31b89b01831c85117f7d2b2ab28"}, .want = "",
                .said = {C("BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: 59346f125a86c31b89b01831c85117f7d2b2ab28\r\n\r\n\r\n")}},
        {.name = "one datagram like uTP's is none", .port = 6881, .udp = true, .protocol = "-", .said = {C("!\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "bittorrent");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
