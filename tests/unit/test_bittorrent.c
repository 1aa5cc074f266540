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

/* Two public keys, as random as they are. */
#define KEY_A "G\xdcT\x0c\x94\xce\xb7\x04\xa2\x38u\xc1\x12s\xe1k\xb0\xb8\xa8z\xed\x84\xde\x91\x1f!3V\x81\x15\xf2T\x9d\xcf\x97\xa1\x84\xf3&#\xd1\x1as\x12L\xeb\x99\xa5p\x9b\x08\x37!\xe8x\xa1mx\xf5\x96q\x8b\xa7\xb2\xa1(q\xfe\xe2\x10\xfb\x86\x19)\x1e\xae\xa1\x94X\x1c\xbd%1\xe4\xb2\x37Y\xd2%\xf6\x80i#\xf6\x32\x22"
#define KEY_B "\x99\xbe^\xfb\x88\xca \x13\xbd\x8eN\xb0\x35\xfd\x42\xd5$Th\xfe\x9a\xfap\xd8\xba\x9c\x1c\x41\x9aH\xc4\xe8%\xdf\xd2\x9c\x09\x61}\xcc\x98R(\x1c\x03\x0e[07\xa3\x38\xa4q*B\xa2\x1c\x90\x7f%\x9c\x64\x12\xa0P\xcf\xf7,\x8eU\x05\x46\xd6\x61\xec#T1\x88\x8f\xb2\xf9\xf7\xba\xda@\xc1p \xd4\x7fl\xcc\x11z\xae"
#define ASKED "GET /announce?info_hash=Y4o%12Z%86%c3%1b%89%b0%181%c8Q%17%f7%d2%b2%ab%28&port=51413 HTTP/1.1\r\nHost: t.example\r\n\r\n"

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
        {.name = "uTP: the other end begins a second connection, an encrypted one",
                .port = 6881, .udp = true,
                .details = {"bittorrent.info_hash=59346f125a86c31b89b01831c85117f7d2b2ab28", "bittorrent.encrypted=true"},
                .want = "+urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28;=urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28 piece - destination truncated 8 0+8;",
                .said = {C("A\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        S("!\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x84\x00\x01"),
                        C("\x01\x00\x01\xf5\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x03\x83\x13\x42itTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18\x31\xc8Q\x17\xf7\xd2\xb2\xab(-TR4050-abcdefghijkl"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x84\x00\x02\x13\x42itTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18\x31\xc8Q\x17\xf7\xd2\xb2\xab(-qB4500-abcdefghijkl"),
                        S("A\x00p\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        C("!\x00p\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x32\x00\x01"),
                        S("\x01\x00p\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x31G\xdcT\x0c\x94\xce\xb7\x04\xa2\x38u\xc1\x12s\xe1k\xb0\xb8\xa8z\xed\x84\xde\x91\x1f!3V\x81\x15\xf2T\x9d\xcf\x97\xa1\x84\xf3&#\xd1\x1as\x12L\xeb\x99\xa5p\x9b\x08\x37!\xe8x\xa1mx\xf5\x96q\x8b\xa7\xb2\xa1(q\xfe\xe2\x10\xfb\x86\x19)\x1e\xae\xa1\x94X\x1c\xbd%1\xe4\xb2\x37Y\xd2%\xf6\x80i#\xf6\x32\x22"),
                        C("\x01\x00p\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x32\x00\x02\x99\xbe^\xfb\x88\xca \x13\xbd\x8eN\xb0\x35\xfd\x42\xd5$Th\xfe\x9a\xfap\xd8\xba\x9c\x1c\x41\x9aH\xc4\xe8%\xdf\xd2\x9c\x09\x61}\xcc\x98R(\x1c\x03\x0e[07\xa3\x38\xa4q*B\xa2\x1c\x90\x7f%\x9c\x64\x12\xa0P\xcf\xf7,\x8eU\x05\x46\xd6\x61\xec#T1\x88\x8f\xb2\xf9\xf7\xba\xda@\xc1p \xd4\x7fl\xcc\x11z\xae"),
                        S("A\x00p\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x85\x00\x02\x00\x00\x00\x0d\x07\x00\x00\x00\x00\x00\x00\x00\x00\x30\x31\x32\x33"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x86\x00\x02\x00\x00\x00\x0d\x07\x00\x00\x00\x01\x00\x00\x00\x00\x34\x35\x36\x37")}},
        {.name = "uTP: five connections, of which the quietest goes",
                .port = 6881, .udp = true,
                .want = "+urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28;=urn:btih:59346f125a86c31b89b01831c85117f7d2b2ab28 piece - destination truncated 4 0+4;",
                .said = {C("A\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        S("!\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x84\x00\x01"),
                        C("\x01\x00\x01\xf5\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x03\x83\x13\x42itTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18\x31\xc8Q\x17\xf7\xd2\xb2\xab(-TR4050-abcdefghijkl"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x84\x00\x02\x13\x42itTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18\x31\xc8Q\x17\xf7\xd2\xb2\xab(-qB4500-abcdefghijkl"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x85\x00\x02\x00\x00\x00\x0d\x07\x00\x00\x00\x00\x00\x00\x00\x00\x30\x31\x32\x33"),
                        C("A\x00 \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        C("A\x00 \x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        C("A\x00 \x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        C("A\x00 \x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
                        S("\x01\x00\x01\xf4\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x03\x86\x00\x02\x00\x00\x00\x0d\x07\x00\x00\x00\x01\x00\x00\x00\x00\x34\x35\x36\x37")}},
        {.name = "encrypted, to a peer that a tracker named",
                .port = 6881, .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 80},
                .details = {"bittorrent.encrypted=true"},
                .said = {C1(ASKED),
                        S1("HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" "d8:intervali60e5:peers6:\xc6\x33\x64\x14\x1a\xe1\x65"),
                        C(KEY_A),
                        S(KEY_B)}},
        {.name = "agreed on behind keys: no encryption",
                .port = 6881, .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 80},
                .details = {"bittorrent.info_hash=59346f125a86c31b89b01831c85117f7d2b2ab28"},
                .want = "+announce;=/announce GET - destination complete 31 31+0 h9945;+a.exr;=a.exr piece - destination complete 10 10+0 h84d8;",
                .said = {C1(ASKED),
                        S1("HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" "d8:intervali60e5:peers6:\xc6\x33\x64\x14\x1a\xe1\x65"),
                        C(KEY_A), S(KEY_B), C(KEY_B), S(KEY_A SHAKE(HASH1, QB)), C(SHAKE(HASH1, TR)), C(HELLO), S(HELLO), S(INFO1), S(PIECE0 PIECE1 PIECE2)}},
        {.name = "and one that it named in a list",
                .port = 6881, .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 80},
                .details = {"bittorrent.encrypted=true"},
                .said = {C1(ASKED),
                        S1("HTTP/1.1 200 OK\r\nContent-Length: 59\r\n\r\n" "d8:intervali60e5:peersld2:ip13:198.51.100.204:porti6881eeee"),
                        C(KEY_A),
                        S(KEY_B)}},
        {.name = "random bytes to another port are no BitTorrent",
                .port = 6881, .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 80}, .protocol = "-",
                .said = {C1(ASKED),
                        S1("HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" "d8:intervali60e5:peers6:\xc6\x33\x64\x14\x1a\xe2\x65"),
                        C(KEY_A),
                        S(KEY_B)}},
        {.name = "a tracker's answer that breaks off names nobody",
                .port = 6881, .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 80}, .protocol = "-",
                .said = {C1(ASKED),
                        S1("HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" "d8:intervali60e5:peers6:\xc6\x33\x64"),
                        C(KEY_A),
                        S(KEY_B)}},
        {.name = "words to a peer that a tracker named are no BitTorrent",
                .port = 6881, .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 80}, .protocol = "-",
                .said = {C1(ASKED),
                        S1("HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" "d8:intervali60e5:peers6:\xc6\x33\x64\x14\x1a\xe1\x65"),
                        C("HELO there, this is some text. HELO there, this is some text. HELO there, this is some text. HELO there, this is some text. "),
                        S(KEY_B)}},
        {.name = "words from it are none either",
                .port = 50000, .other = {.from = "192.0.2.10", .to = "198.51.100.70", .from_port = 40001, .to_port = 80}, .protocol = "-",
                .said = {C1(ASKED),
                        S1("HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" "d8:intervali60e5:peers6:\xc6\x33\x64\x14\xc3P\x65"),
                        C(KEY_A),
                        S("HELO there, this is some text. HELO there, this is some text. HELO there, this is some text. HELO there, this is some text. ")}},
        {.name = "a tracker over UDP, asked and answered",
                .port = 6969, .udp = true, .details = {"bittorrent.transport=tracker", "bittorrent.info_hash=59346f125a86c31b89b01831c85117f7d2b2ab28"}, .want = "",
                .said = {C("\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0abcd"),
                        S("\0\0\0\0abcd01234567"),
                        C("01234567\x00\x00\x00\x01\x61\x62\x63\x64Y4o\x12Z\x86\xc3\x1b\x89\xb0\x18\x31\xc8Q\x17\xf7\xd2\xb2\xab(-TR4050-abcdefghijkl\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc8\xd5"),
                        S("\x00\x00\x00\x01\x61\x62\x63\x64\x00\x00\x07\x08\x00\x00\x00\x01\x00\x00\x00\x01\xc6\x33\x64\x14\x1a\xe1")}},
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
