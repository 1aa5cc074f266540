/* HTTP/2: streams side by side, heads in pieces, padding, push, loss. Heads are literals of RFC 7541. */
#include "config.h"

#include "script.h"

/* length, type, flags, stream (RFC 9113 section 4.1) */
#define F(length, type, flags, stream) "\0\0" length type flags "\0\0\0" stream
#define DATA "\0"
#define HEADERS "\1"
#define RST "\3"
#define SETTINGS "\4"
#define PUSH "\5"
#define GOAWAY "\7"
#define CONTINUATION "\x9"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" F("\0", SETTINGS, "\0", "\0")
#define BEGIN C(PREFACE), S(F("\0", SETTINGS, "\0", "\0"))
/* 9 bytes: :method GET, :scheme http, :path of two letters without the table, :authority h into the table */
#define GET_(path) "\x82\x86\x04\x02/" path "\x41\x01h"
#define GET(path, stream) C(F("\x09", HEADERS, "\5", stream) GET_(path)) /* END_HEADERS, END_STREAM */
#define AGAIN(path, stream) C(F("\x07", HEADERS, "\5", stream) "\x82\x86\x04\x02/" path "\xbe") /* h from the table */
#define OK(stream) F("\1", HEADERS, "\4", stream) "\x88"
#define PUT(path, stream) F("\x0d", HEADERS, "\4", stream) "\x02\x03PUT\x86\x04\x02/" path "\x41\x01h"

static const struct script scripts[] = {
        {"one", {BEGIN, GET("a", "\1"), S(OK("\1") F("\5", DATA, "\1", "\1") "hello")},
                "service h\ndownload GET /a 200 complete: hello\n"},
        {"length declared and not kept", {BEGIN, GET("a", "\1"),
                                                 S(F("\5", HEADERS, "\4", "\1") "\x88\x0f\x0d\1" "9" F("\0", DATA, "\1", "\1"))},
                "service h\n"},
        {"two at once", {BEGIN, GET("a", "\1"), AGAIN("b", "\3"), S(OK("\3") OK("\1") F("\1", DATA, "\0", "\1") "a"
                                F("\2", DATA, "\1", "\3") "bb" F("\1", DATA, "\1", "\1") "A")},
                "service h\ndownload GET /b 200 complete: bb\ndownload GET /a 200 complete: aA\n"},
        {"head in pieces", {BEGIN, C(F("\3", HEADERS, "\1", "\1") "\x82\x86\x04" F("\0", CONTINUATION, "\0", "\1")
                                     F("\x06", CONTINUATION, "\4", "\1") "\x02/a\x41\x01h"),
                                   S(OK("\1") F("\1", DATA, "\1", "\1") "a")},
                "service h\ndownload GET /a 200 complete: a\n"},
        {"padding and priority", {BEGIN, C(F("\x11", HEADERS, "\x2d", "\1") "\2" "\0\0\0\0\x10" GET_("a") "\0\0"),
                                         S(OK("\1") F("\7", DATA, "\x9", "\1") "\3abc\0\0\0")},
                "service h\ndownload GET /a 200 complete: abc\n"},
        {"upload with a trailer", {BEGIN, C(PUT("a", "\1") F("\4", DATA, "\0", "\1") "data"
                                            F("\5", HEADERS, "\5", "\1") "\0\1x\1y"), S(F("\1", HEADERS, "\5", "\1") "\x89")},
                "service h\nupload PUT /a 204 complete: data\n"},
        {"interim answer", {BEGIN, C(PUT("a", "\1")), S(F("\5", HEADERS, "\4", "\1") "\x08\x03" "100"),
                                   C(F("\4", DATA, "\1", "\1") "data"), S(F("\1", HEADERS, "\5", "\1") "\x88")},
                "service h\nupload PUT /a 200 complete: data\n"},
        {"reset by the server", {BEGIN, GET("a", "\1"), S(OK("\1") F("\2", DATA, "\0", "\1") "he" F("\4", RST, "\0", "\1") "\0\0\0\2")},
                "service h\ndownload GET /a 200 aborted: he\n"},
        {"reset by the client", {BEGIN, C(PUT("a", "\1") F("\2", DATA, "\0", "\1") "da" F("\4", RST, "\0", "\1") "\0\0\0\x8")},
                "service h\nupload PUT /a 0 aborted: da\n"},
        {"going away", {BEGIN, GET("a", "\1"), C(PUT("b", "\3") F("\2", DATA, "\0", "\3") "da"),
                               S(F("\x8", GOAWAY, "\0", "\0") "\0\0\0\1\0\0\0\0" OK("\1") F("\1", DATA, "\1", "\1") "a")},
                "service h\nupload PUT /b 0 aborted: da\ndownload GET /a 200 complete: a\n"},
        {"the client goes away", {BEGIN, GET("a", "\1"), C(F("\x8", GOAWAY, "\0", "\0") "\0\0\0\0\0\0\0\0"),
                                         S(OK("\1") F("\1", DATA, "\1", "\1") "a")},
                "service h\ndownload GET /a 200 complete: a\n"},
        {"push", {BEGIN, GET("a", "\1"), S(F("\x0d", PUSH, "\4", "\1") "\0\0\0\2" GET_("b") OK("\1") F("\1", DATA, "\1", "\1") "a"
                                           OK("\2") F("\1", DATA, "\1", "\2") "b")},
                "service h\ndownload GET /a 200 complete: a\ndownload GET /b 200 complete: b\n"},
        {"empty files: without a body, with an empty one, sent",
                {BEGIN, C(F("\x0c", HEADERS, "\5", "\1") "\x82\x86\x04\x05/a.7z\x41\x01h"), S(F("\7", HEADERS, "\5", "\1") "\x88\x0f\x10\x03" "a/b"),
                        C(F("\x0c", HEADERS, "\5", "\3") "\x82\x86\x04\x05/b.7z\x41\x01h"), S(F("\x0b", HEADERS, "\4", "\3") "\x88\x0f\x10\x03" "a/b\x0f\x0d\1" "0" F("\0", DATA, "\1", "\3")),
                        C(F("\x0d", HEADERS, "\5", "\5") "\x02\x03PUT\x86\x04\x02/c\x41\x01h"), S(F("\5", HEADERS, "\5", "\5") "\x08\x03" "201"),
                        C(PUT("d", "\7") F("\0", DATA, "\1", "\7")), S(F("\5", HEADERS, "\5", "\7") "\x08\x03" "201")},
                "service h\ndownload GET /a.7z empty 200 complete: \ndownload GET /b.7z empty 200 complete: \nupload PUT /c empty 201 complete: \n"
                "upload PUT /d empty 201 complete: \n"},
        {"nothing that is no file: no type, a head, an API's, refused, reset",
                {BEGIN, C(F("\x0c", HEADERS, "\5", "\1") "\x82\x86\x04\x05/a.7z\x41\x01h"), S(F("\1", HEADERS, "\5", "\1") "\x88"),
                        C(F("\x0f", HEADERS, "\5", "\3") "\x02\x04HEAD\x86\x04\x05/a.7z\x41\x01h"), S(F("\7", HEADERS, "\5", "\3") "\x88\x0f\x10\x03" "a/b"),
                        C(F("\x0d", HEADERS, "\5", "\5") "\x02\x03PUT\x86\x04\x02/c\x41\x01h"), S(F("\1", HEADERS, "\5", "\5") "\x88"),
                        C(F("\x0d", HEADERS, "\5", "\7") "\x02\x03PUT\x86\x04\x02/d\x41\x01h"), S(F("\5", HEADERS, "\5", "\7") "\x08\x03" "403"),
                        C(F("\x0c", HEADERS, "\5", "\x09") "\x82\x86\x04\x05/b.7z\x41\x01h"), S(F("\7", HEADERS, "\4", "\x09") "\x88\x0f\x10\x03" "a/b" F("\4", RST, "\0", "\x09") "\0\0\0\2")},
                "service h\n"},
        {"no body", {BEGIN, C(F("\x0b", HEADERS, "\5", "\1") "\x02\x04HEAD\x86\x84\x41\x01h"),
                            S(F("\5", HEADERS, "\5", "\1") "\x88\x0f\x0d\1" "9")},
                "service h\n"},
        {"closed in the middle", {BEGIN, GET("a", "\1"), S(OK("\1") F("\5", DATA, "\1", "\1") "he"), {SERVER_FIN, NULL, 0}},
                "service h\ndownload GET /a 200 aborted: he\n"},
        {"the capture ends", {BEGIN, GET("a", "\1"), S(OK("\1") F("\5", DATA, "\1", "\1") "he")},
                "service h\ndownload GET /a 200 truncated: he\n"},
        {"a gap within a frame", {BEGIN, GET("a", "\1"), S(OK("\1") F("\5", DATA, "\1", "\1") "h"), {SERVER_GAP, NULL, 3}, S("o"),
                                         GET("b", "\3"), S(OK("\3") F("\1", DATA, "\1", "\3") "b")},
                "service h\ndownload GET /a 200 complete: h[3]o\ndownload GET /b 200 complete: b\n"},
        {"a gap that ends with the frame, in its padding", {BEGIN, GET("a", "\1"),
                S(OK("\1") F("\7", DATA, "\x9", "\1") "\2ab"), {SERVER_GAP, NULL, 4}, GET("b", "\3"),
                S(OK("\3") F("\1", DATA, "\1", "\3") "b")},
                "service h\ndownload GET /a 200 complete: ab[2]\ndownload GET /b 200 complete: b\n"},
        {"https behind a proxy", {BEGIN, C(F("\x09", HEADERS, "\5", "\1") "\x82\x87\x04\x02/a\x41\x01h"),
                                         S(OK("\1") F("\1", DATA, "\1", "\1") "a")},
                "service h\ndownload GET /a 200 complete: a\n"},
        {"an empty head", {BEGIN, C(F("\0", HEADERS, "\5", "\1")), GET("b", "\3"), S(OK("\3") F("\1", DATA, "\1", "\3") "b")},
                "service h\ndownload GET /b 200 complete: b\n"},
        {"a block too large for its table", {BEGIN, C(F("\1", HEADERS, "\5", "\1") "\xff"), GET("b", "\3"),
                                                    S(OK("\3") F("\1", DATA, "\1", "\3") "b")},
                "service h\ndownload GET /b 200 complete: b\n"},
};

/* Found again by where segments begin. */
static const struct script recoveries[] = {
        {"frames lost", {BEGIN, GET("a", "\1"), S(OK("\1") F("\5", DATA, "\0", "\1") "h"), {SERVER_GAP, NULL, 30},
                                S("lo" F("\2", DATA, "\1", "\1") "!!")},
                "service h\ndownload GET /a 200 truncated: h[4][2]\n"},
        {"names lost", {BEGIN, GET("a", "\1"), S(OK("\1") F("\1", DATA, "\1", "\1") "a"), {CLIENT_GAP, NULL, 40},
                               AGAIN("b", "\5"), S(OK("\5") F("\1", DATA, "\1", "\5") "b")},
                "service h\ndownload GET /a 200 complete: a\ndownload GET /b 200 complete: b\n"},
        {"seen from the middle on", {AGAIN("b", "\5"), GET("c", "\7"), AGAIN("d", "\x9"),
                                            S(OK("\5") F("\1", DATA, "\1", "\5") "b" OK("\7") F("\1", DATA, "\1", "\7") "c"
                                              OK("\x9") F("\1", DATA, "\1", "\x9") "d")},
                "service h\ndownload GET /b 200 complete: b\ndownload GET /c 200 complete: c\ndownload GET /d 200 complete: d\n"},
};

static void
test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
		play(&proto_http2, &scripts[i], SIZE_MAX, SIZE_MAX);
	for (size_t i = 0; i < sizeof recoveries / sizeof recoveries[0]; i++)
		play(&proto_http2, &recoveries[i], SIZE_MAX, SIZE_MAX);
	play_cut_anywhere(&proto_http2, scripts, sizeof scripts / sizeof scripts[0]);
	play_cut_off(&proto_http2, scripts, sizeof scripts / sizeof scripts[0]);
}

static void
test_upgrade(void **state)
{
	(void)state;
	static const struct script upgrades[] = {
	        {"h2c", {C("GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n"),
	                        S("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" F("\0", SETTINGS, "\0", "\0")),
	                        C(PREFACE), S(OK("\1") F("\1", DATA, "\1", "\1") "a"), GET("b", "\3"),
	                        S(OK("\3") F("\1", DATA, "\1", "\3") "b")},
	                "service h\nprotocol http2 by upgrade\ndownload GET /a 200 complete: a\ndownload GET /b 200 complete: b\n"},
	        {"websocket", {C("GET /w HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"),
	                              S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nSec-WebSocket-Protocol: drop\r\n\r\n"),
	                              C("\x82\x83" "mask" "abc" "\x02\x01" "a" "\x89\0" "\x80\x02" "bc" "\x81\x7e\0\2" "ok"), S("\x8a\0\x81\x01x")},
	                "service h\nwebsocket.protocol drop\nunread: websocket\nprotocol websocket by upgrade\n"
	                "websocket.client.text.messages 1\nwebsocket.client.text.bytes 2\nwebsocket.client.text.largest 2\n"
	                "websocket.client.binary.messages 2\nwebsocket.client.binary.bytes 6\nwebsocket.client.binary.largest 3\n"
	                "websocket.server.text.messages 1\nwebsocket.server.text.bytes 1\nwebsocket.server.text.largest 1\n"},
	        {"websocket with a gap", {C("GET /w HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"),
	                                         S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
	                                         S("\x82\x05" "a"), {SERVER_GAP, NULL, 3}, S("e\x82\x01" "a"), {SERVER_GAP, NULL, 3}, S("\x82\x01" "a")},
	                "service h\nunread: websocket\nprotocol websocket by upgrade\n"
	                "websocket.server.binary.messages 2\nwebsocket.server.binary.bytes 6\nwebsocket.server.binary.largest 5\n"},
	};
	for (size_t i = 0; i < sizeof upgrades / sizeof upgrades[0]; i++)
		play(&proto_http, &upgrades[i], SIZE_MAX, SIZE_MAX);
	play_cut_anywhere(&proto_http, upgrades, sizeof upgrades / sizeof upgrades[0]);
	play_cut_off(&proto_http, upgrades, sizeof upgrades / sizeof upgrades[0]);
}

static void
test_probe(void **state)
{
	(void)state;
#define BYTES(text) text, sizeof text - 1
	static const struct {
		const char *bytes;
		size_t len;
		bool midstream;
		enum verdict verdict;
	} rows[] = {
	        {BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), false, VERDICT_DONE},
	        {BYTES("PRI * HTTP/2.0"), false, VERDICT_MORE},
	        {BYTES("PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n"), false, VERDICT_NOT_MINE},
	        {BYTES(F("\0", SETTINGS, "\0", "\0") F("\0", SETTINGS, "\1", "\0")), true, VERDICT_DONE},
	        {BYTES(F("\0", SETTINGS, "\0", "\0") F("\0", SETTINGS, "\1", "\0")), false, VERDICT_NOT_MINE},
	        {BYTES(F("\0", SETTINGS, "\0", "\0")), true, VERDICT_NOT_MINE},
	        {BYTES(F("\1", SETTINGS, "\0", "\0") "x" F("\0", SETTINGS, "\1", "\0")), true, VERDICT_NOT_MINE},
	        {BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), true, VERDICT_NOT_MINE},
	        {BYTES("GET / HTTP/1.1\r\n\r\n"), true, VERDICT_NOT_MINE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t *exact = malloc(rows[i].len);
		memcpy(exact, rows[i].bytes, rows[i].len);
		struct probe p = {.midstream = rows[i].midstream, .bytes = {exact}, .len = {rows[i].len}};
		if (proto_http2.probe(&p) != rows[i].verdict)
			fail_msg("row %zu: %d instead of %d", i, proto_http2.probe(&p), rows[i].verdict);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_scripts),
	        cmocka_unit_test(test_upgrade),
	        cmocka_unit_test(test_probe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
