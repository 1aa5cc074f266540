/* Whole conversations: what is said of them, however the bytes were cut. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"

#define GET(path) C("GET " path " HTTP/1.1\r\nHost: h\r\n\r\n")
#define OK(fields, body) S("HTTP/1.1 200 OK\r\n" fields "\r\n" body)

static const struct script scripts[] = {
        {"length", {GET("/a.txt"), OK("Content-Length: 5\r\n", "hello")},
                "service h\ndownload GET /a.txt 200 complete: hello\n"},
        {"two in a row", {GET("/a"), OK("Content-Length: 1\r\n", "A"), GET("/b"), OK("Content-Length: 1\r\n", "B")},
                "service h\ndownload GET /a 200 complete: A\ndownload GET /b 200 complete: B\n"},
        {"pipelined", {GET("/a"), GET("/b"), GET("/c"),
                              OK("Content-Length: 1\r\n", "A"), OK("Content-Length: 1\r\n", "B"),
                              OK("Content-Length: 1\r\n", "C")},
                "service h\ndownload GET /a 200 complete: A\ndownload GET /b 200 complete: B\n"
                "download GET /c 200 complete: C\n"},
        {"facts", {C("GET / HTTP/1.1\r\nHost: h:81\r\nUser-Agent: u/1\r\nAccept-Language: ko-KP\r\n"
                     "Authorization: Basic Ym9iOnNlY3JldA==\r\n\r\n"),
                          OK("Server: s/2\r\nContent-Length: 1\r\n", "x")},
                "client u/1\nlanguage ko-KP\nservice h:81\naccount bob\nserver s/2\n"
                "download GET / by bob 200 complete: x\n"},
        {"bare line feeds", {C("GET /a HTTP/1.1\nHost: h\n\n"), S("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")},
                "service h\ndownload GET /a 200 complete: ok\n"},
        {"folded field", {GET("/a"), OK("Content-Disposition: attachment;\r\n filename=b.txt\r\nContent-Length: 1\r\n", "x")},
                "service h\ndownload GET b.txt 200 complete: x\n"},
        {"stray bytes before a request", {C("\0\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"), OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /a 200 complete: x\n"},
        {"chunked with extensions and trailers",
                {GET("/a"), OK("Transfer-Encoding: chunked\r\n",
                                    "5;x=\"y\"\r\nhello\r\n 1 \r\n!\r\n0\r\nDigest: none\r\n\r\n"),
                        GET("/b"), OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /a 200 complete: hello!\ndownload GET /b 200 complete: x\n"},
        {"chunked wins over length", {GET("/a"), OK("Content-Length: 200\r\nTransfer-Encoding: Chunked\r\n", "1\r\na\r\n0\r\n\r\n")},
                "service h\ndownload GET /a 200 complete: a\n"},
        {"length twice", {GET("/a"), OK("Content-Length: 2, 2\r\nContent-Length: 2\r\n", "okXXXXXX")},
                "service h\ndownload GET /a 200 complete: ok\n"},
        {"until close", {GET("/a"), OK("", "all of it"), {SERVER_FIN, NULL, 0}},
                "service h\ndownload GET /a 200 complete: all of it\n"},
        {"until the capture ends", {GET("/a"), OK("", "all of it")},
                "service h\ndownload GET /a 200 truncated: all of it\n"},
        {"closed too early", {GET("/a"), OK("Content-Length: 9\r\n", "half"), {SERVER_FIN, NULL, 0}},
                "service h\ndownload GET /a 200 aborted: half\n"},
        {"closed in a chunk", {GET("/a"), OK("Transfer-Encoding: chunked\r\n", "9\r\nhalf"), {SERVER_FIN, NULL, 0}},
                "service h\ndownload GET /a 200 aborted: half\n"},
        {"closed before the last line end", {GET("/a"), OK("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n"), {SERVER_FIN, NULL, 0}},
                "service h\ndownload GET /a 200 complete: a\n"},
        {"reset", {GET("/a"), OK("Content-Length: 9\r\n", "half"), {RESET, NULL, 0}},
                "service h\ndownload GET /a 200 aborted: half\n"},
        {"no bodies", {C("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n"), OK("Content-Length: 5\r\n", ""), GET("/b"),
                              S("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), GET("/c"),
                              S("HTTP/1.1 204 No Content\r\n\r\n"), GET("/d"), OK("Content-Length: 0\r\n", ""), GET("/e"),
                              OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /e 200 complete: x\n"},
        {"empty files: with a type, with a date, as an attachment, in no chunk at all",
                {GET("/d/a.exr"), OK("Content-Type: application/octet-stream\r\nContent-Length: 0\r\n", ""),
                        GET("/b.7z"), OK("Last-Modified: Fri, 26 Jan 2024 00:00:00 GMT\r\nContent-Length: 0\r\n", ""),
                        GET("/get?id=4"), OK("Content-Disposition: attachment; filename=c.mov\r\nContent-Length: 0\r\n", ""),
                        GET("/d.txt"), OK("Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), GET("/e"), OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /d/a.exr empty 200 complete: \ndownload GET /b.7z empty 200 complete: \n"
                "download GET c.mov empty 200 complete: \ndownload GET /d.txt empty 200 complete: \ndownload GET /e 200 complete: x\n"},
        {"empty answers that are no files: a beacon, a page, no type, another status, another method, a head, not modified",
                {GET("/p.gif?u=1"), OK("Content-Type: image/gif\r\nContent-Length: 0\r\n", ""),
                        GET("/p.html"), OK("Content-Type: text/html\r\nContent-Length: 0\r\n", ""), GET("/p.do"), OK("Content-Length: 0\r\n", ""),
                        GET("/api/v1.2"), OK("Content-Type: text/plain\r\nContent-Length: 0\r\n", ""),
                        GET("/a.exr"), S("HTTP/1.1 404 No\r\nContent-Type: image/x-exr\r\nContent-Length: 0\r\n\r\n"),
                        C("POST /a.exr HTTP/1.1\r\nHost: h\r\n\r\n"), OK("Content-Type: image/x-exr\r\nContent-Length: 0\r\n", ""),
                        C("HEAD /a.exr HTTP/1.1\r\nHost: h\r\n\r\n"), OK("Content-Type: image/x-exr\r\nContent-Length: 0\r\n", ""),
                        GET("/a.exr"), S("HTTP/1.1 304 Not Modified\r\nContent-Type: image/x-exr\r\nContent-Length: 0\r\n\r\n")},
                "service h\n"},
        {"an answer without a length, and without a byte", {GET("/a.exr"), OK("Content-Type: image/x-exr\r\n", ""), {SERVER_FIN, NULL, 0}}, "service h\n"},
        {"empty uploads: made, written over, chunked, with no length at all",
                {C("PUT /d/README HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
                        C("PUT /d/a.exr HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n"),
                        C("PUT /d/b.exr HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
                        C("PUT /d/c.exr HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")},
                "service h\nupload PUT /d/README empty 201 complete: \nupload PUT /d/a.exr empty 204 complete: \n"
                "upload PUT /d/b.exr empty 201 complete: \nupload PUT /d/c.exr empty 201 complete: \n"},
        {"empty requests that are no files: refused, an API's, a folder's, a question, posted, never answered",
                {C("PUT /d/a.exr HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), S("HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n"),
                        C("PUT /api/job/17/start HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), OK("Content-Length: 2\r\nContent-Type: application/json\r\n", "{}"),
                        C("PUT /d/e/ HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
                        C("PUT /d/a.exr HTTP/1.1\r\nHost: h\r\nContent-Range: bytes */100\r\nContent-Length: 0\r\n\r\n"), OK("Content-Length: 0\r\n", ""),
                        C("POST /d/a.exr HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
                        C("PUT /d/a.exr HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")},
                "service h\ndownload PUT /api/job/17/start 200 complete: {}\n"},
        {"an empty file in a form, and one that broke off",
                {C("POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 66\r\n\r\n"
                   "--B\r\nContent-Disposition: form-data; filename=\"e.txt\"\r\n\r\n\r\n--B--\r\n"), S("HTTP/1.1 303 See\r\nContent-Length: 0\r\n\r\n"),
                        C("POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 66\r\n\r\n"
                          "--B\r\nContent-Disposition: form-data; filename=\"e.txt\"\r\n\r\n"), {RESET, NULL, 0}},
                "service h\nupload POST e.txt empty 303 complete: \nupload POST /up form 303 complete: --B\r\nContent-Disposition: form-data; filename=\"e.txt\"\r\n\r\n\r\n--B--\r\n\n"
                "upload POST /up form 0 aborted: --B\r\nContent-Disposition: form-data; filename=\"e.txt\"\r\n\r\n\n"},
        {"upload", {C("PUT /d/a.bin HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\ndata"), S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")},
                "service h\nupload PUT /d/a.bin 201 complete: data\n"},
        {"upload without an answer", {C("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\ndata")},
                "service h\nupload PUT /a 0 complete: data\n"},
        {"continue", {C("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
                             S("HTTP/1.1 100 Continue\r\n\r\n"), C("data"), OK("Content-Length: 2\r\n", "ok")},
                "service h\nupload POST /a 200 complete: data\ndownload POST /a 200 complete: ok\n"},
        {"refused before the body", {C("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"),
                                            S("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")},
                "service h\n"},
        {"early answer", {C("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nda"),
                                 S("HTTP/1.1 413 Too big\r\nContent-Length: 0\r\n\r\n"), C("ta")},
                "service h\nupload POST /a 413 complete: data\n"},
        {"answer and body interleaved", {C("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nda"),
                                                S("HTTP/1.1 200 OK\r\nContent-Le"), C("t"), S("ngth: 2\r\n\r\no"), C("a"), S("k")},
                "service h\nupload POST / 200 complete: data\ndownload POST / 200 complete: ok\n"},
        {"unknown method", {C("FROB /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"), OK("Content-Length: 1\r\n", "y")},
                "service h\nupload FROB /a 200 complete: x\ndownload FROB /a 200 complete: y\n"},
        {"webdav", {C("PROPFIND /d/ HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n<xml/>"),
                           S("HTTP/1.1 207 Multi-Status\r\nContent-Length: 6\r\n\r\n<all/>"),
                           C("MKCOL /d/e HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")},
                "service h\ndownload PROPFIND /d/ listing 207 complete: <all/>\n"},
        {"http/0.9", {C("GET /a.html\r\n"), S("<html>\n</html>\n"), {SERVER_FIN, NULL, 0}},
                "download GET /a.html 0 complete: <html>\n</html>\n\n"},
        {"an answer without a head", {GET("/a"), S("X5O!P"), {SERVER_FIN, NULL, 0}},
                "service h\ndownload GET /a 0 complete: X5O!P\n"},
        {"connect", {C("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"), S("HTTP/1.1 200 Connection established\r\n\r\n")},
                "service h:443\nswitch\n"},
        {"connect with a line end too many", {C("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n\n")},
                "service h:443\nswitch\n"},
        {"connect not seen", {S("HTTP/1.1 200 Connection Established\r\n\r\n")}, "switch\n"},
        {"connect refused, then allowed",
                {C("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"), S("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno"),
                        C("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nProxy-Authorization: Basic Ym9iOg==\r\n\r\n"),
                        S("HTTP/1.1 200 Connection established\r\n\r\n")},
                "service h:443\ndownload CONNECT  407 complete: no\naccount bob\nswitch\n"},
        {"tunnel whose answer was not seen", {C("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"), C("\x16\x03\x01")},
                "service h:443\nswitch\n"},
        {"upgrade", {C("GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
                            S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")},
                "service h\nunread: websocket\nprotocol websocket by upgrade\n"},
        {"upgrade to something else", {C("GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: x/1\r\nConnection: Upgrade\r\n\r\n"),
                            S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x/1\r\n\r\n")},
                "service h\nswitch\n"},
        {"answers alone", {OK("Content-Length: 1\r\n", "a"), S("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")},
                "download   200 complete: a\ndownload   404 complete: no\n"},
        {"gap in a body", {GET("/a"), OK("Content-Length: 9\r\n", "abc"), {SERVER_GAP, NULL, 4}, S("hi"), GET("/b"),
                                  OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /a 200 complete: abc[4]hi\ndownload GET /b 200 complete: x\n"},
        {"gap in a chunk", {GET("/a"), OK("Transfer-Encoding: chunked\r\n", "5\r\nab"), {SERVER_GAP, NULL, 2}, S("e\r\n0\r\n\r\n"),
                                   GET("/b"), OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /a 200 complete: ab[2]e\ndownload GET /b 200 complete: x\n"},
        {"gap over chunks", {GET("/a"), OK("Transfer-Encoding: chunked\r\n", "5\r\nab"), {SERVER_GAP, NULL, 20}, GET("/b"),
                                    OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /a 200 truncated: ab[20]\ndownload GET /b 200 complete: x\n"},
        {"gap over an answer", {GET("/a"), {SERVER_GAP, NULL, 200}, GET("/b"), OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /b 200 complete: x\n"},
        {"gap over one of many answers",
                {GET("/a"), GET("/b"), GET("/c"), {SERVER_GAP, NULL, 200}, OK("Content-Length: 1\r\n", "x"),
                        OK("Content-Length: 1\r\n", "y")},
                "service h\ndownload GET /b 200 complete: x\ndownload GET /c 200 complete: y\n"},
        {"gap over a request", {GET("/a"), OK("Content-Length: 1\r\n", "x"), {CLIENT_GAP, NULL, 20}, OK("Content-Length: 1\r\n", "y"),
                                       GET("/c"), OK("Content-Length: 1\r\n", "z")},
                "service h\ndownload GET /a 200 complete: x\ndownload   200 complete: y\ndownload GET /c 200 complete: z\n"},
        {"form with files",
                {C("POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 136\r\n\r\n"
                   "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nfield\r\n"
                   "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\r\nfi\r\nle\r\n--B--"),
                        OK("Content-Length: 0\r\n", "")},
                "service h\n"
                "upload POST x.txt 200 complete: fi\r\nle\n"
                "upload POST /up form 200 complete: "
                "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nfield\r\n"
                "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\r\nfi\r\nle\r\n--B--\n"},
        {"range", {GET("/a"), S("HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-7/100\r\nContent-Length: 3\r\n\r\nabc")},
                "service h\ndownload GET /a joined at 5 of 100 206 complete: abc\n"},
        {"ranges",
                {GET("/a"), S("HTTP/1.1 206 Partial\r\nContent-Type: multipart/byteranges; boundary=B\r\nContent-Length: 85\r\n\r\n"
                              "--B\r\nContent-Range: bytes 0-0/9\r\n\r\na\r\n--B\r\nContent-Range: bytes 2-4/9\r\n\r\ncde\r\n--B--\r\n")},
                "service h\ndownload GET /a joined at 0 of 9 206 complete: a\n"
                "download GET /a joined at 2 of 9 206 complete: cde\n"},
        {"range of an upload", {C("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Range: bytes 3-4/9\r\nContent-Length: 2\r\n\r\nde"),
                                       S("HTTP/1.1 308 Resume\r\nContent-Length: 0\r\n\r\n")},
                "service h\nupload PUT /a joined at 3 of 9 308 complete: de\n"},
        {"listing", {GET("/d/"), OK("Content-Type: text/html\r\nContent-Length: 40\r\n", "<html><title>Index of /d/</title></html>")},
                "service h\ndownload GET /d/ listing 200 complete: <html><title>Index of /d/</title></html>\n"},
        {"gzip", {GET("/a"), OK("Content-Encoding: gzip\r\nContent-Length: 25\r\n",
                                     "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0")},
                "service h\ndownload GET /a gzip 200 complete: hello\n"},
        {"said to be gzip", {GET("/a"), OK("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "plain")},
                "service h\ndownload GET /a 200 complete: plain\n"},
        {"br stays", {GET("/a"), OK("Content-Encoding: br\r\nContent-Length: 3\r\n", "\x0b\x01\x80")},
                "service h\ndownload GET /a still br 200 complete: \x0b\x01\x80\n"},
        {"absolute form with a password", {C("GET http://u:p@h/x/a HTTP/1.0\r\n\r\n"), OK("Content-Length: 1\r\n", "x")},
                "download GET /x/a 200 complete: x\n"},
};

/* What is found again without knowing where messages begin depends on where segments do. */
static const struct script recoveries[] = {
        {"answer to an unseen HEAD", {OK("Content-Length: 9\r\n", ""), OK("Content-Length: 1\r\n", "a")},
                "download   200 complete: a\n"},
        {"midstream in a body", {S("the end of something\r\nand so on"), GET("/a"), OK("Content-Length: 1\r\n", "x")},
                "service h\ndownload GET /a 200 complete: x\n"},
        {"bad chunk size", {C("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "10000000000000000\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
                                   OK("Content-Length: 1\r\n", "a"), OK("Content-Length: 1\r\n", "b")},
                "service h\nupload POST /a 200 truncated: [3]\ndownload POST /a 200 complete: a\n"
                "download GET /b 200 complete: b\n"},
};

static void
test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
		play(&proto_http, &scripts[i], SIZE_MAX, SIZE_MAX);
	for (size_t i = 0; i < sizeof recoveries / sizeof recoveries[0]; i++)
		play(&proto_http, &recoveries[i], SIZE_MAX, SIZE_MAX);
}

static void
test_scripts_cut_anywhere(void **state)
{
	(void)state;
	play_cut_anywhere(&proto_http, scripts, sizeof scripts / sizeof scripts[0]);
}

static void
test_scripts_cut_off(void **state)
{
	(void)state;
	play_cut_off(&proto_http, scripts, sizeof scripts / sizeof scripts[0]);
}

static void
test_probe(void **state)
{
	(void)state;
	static const struct {
		const char *client, *server;
		bool midstream;
		enum verdict verdict;
	} rows[] = {
	        {"GET / HTTP/1.1\r\n", "", false, VERDICT_DONE},
	        {"G", "", false, VERDICT_MORE},
	        {"GET /index.html HT", "", false, VERDICT_MORE},
	        {"", "HTTP/1.0 200 OK\r\n", false, VERDICT_DONE},
	        {"", "HTTP/1.", false, VERDICT_MORE},
	        {"GET /old\r\n", "", false, VERDICT_DONE},
	        {"M-SEARCH * HTTP/1.1\r\n", "", false, VERDICT_DONE},
	        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", false, VERDICT_NOT_MINE},
	        {"OPTIONS rtsp://h/ RTSP/1.0\r\n", "", false, VERDICT_NOT_MINE},
	        {"EHLO h\r\n", "220 h ESMTP\r\n", false, VERDICT_NOT_MINE},
	        {"SSH-2.0-x\r\n", "", false, VERDICT_NOT_MINE},
	        {"\x16\x03\x01", "", false, VERDICT_NOT_MINE},
	        {"body\x01\r\nGET / HTTP/1.1\r\n", "", true, VERDICT_DONE},
	        {"body\x01\r\nGET / HTTP/1.1\r\n", "", false, VERDICT_NOT_MINE},
	        {"", "\x01\x02HTTP/1.1 200 OK\r\n", true, VERDICT_DONE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct probe p = {.midstream = rows[i].midstream};
		p.bytes[SIDE_SOURCE] = (const uint8_t *)rows[i].client;
		p.len[SIDE_SOURCE] = strlen(rows[i].client);
		p.bytes[SIDE_DESTINATION] = (const uint8_t *)rows[i].server;
		p.len[SIDE_DESTINATION] = strlen(rows[i].server);
		if (proto_http.probe(&p) != rows[i].verdict)
			fail_msg("row %zu: %d instead of %d", i, proto_http.probe(&p), rows[i].verdict);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_scripts),
	        cmocka_unit_test(test_scripts_cut_anywhere),
	        cmocka_unit_test(test_scripts_cut_off),
	        cmocka_unit_test(test_probe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
