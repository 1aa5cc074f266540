/* What applications mean by their requests. */
#include "config.h"

#include "script.h"

#define REQUEST(line, fields, body) C(line " HTTP/1.1\r\nHost: h\r\n" fields "\r\n" body)
#define ANSWER(status, fields) S("HTTP/1.1 " status " x\r\nContent-Length: 0\r\n" fields "\r\n")
#define AWS "Authorization: AWS4-HMAC-SHA256 Credential=KEY/20240115/r/s3/aws4_request, SignedHeaders=host, Signature=0\r\n"
#define MS "x-ms-version: 2021-12-02\r\n"
#define AT(offset) "x-ms-blob-append-offset: " offset "\r\n"
#define LEN(n) "Content-Length: " n "\r\n"

static const struct script scripts[] = {
        {"a part of an object", {REQUEST("PUT /b/k?partNumber=2&uploadId=U", AWS LEN("3"), "abc"), ANSWER("200", "")},
                "service h\naccount KEY\nupload PUT /b/k by KEY joined 2 at 0 of 3 200 complete: abc\n"},
        {"no part without an upload", {REQUEST("PUT /b/k?partNumber=2", LEN("3"), "abc"), ANSWER("200", "")},
                "service h\nupload PUT /b/k 200 complete: abc\n"},
        {"nor with a number that is none", {REQUEST("PUT /b/k?partNumber=0&uploadId=U", LEN("3"), "abc"), ANSWER("200", "")},
                "service h\nupload PUT /b/k 200 complete: abc\n"},
        {"parts put together", {REQUEST("POST /b/k?uploadId=U", LEN("106"), "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
                                        "</Part><Part><PartNumber>20</PartNumber></Part>  "), ANSWER("200", "")},
                "service h\nparts 1 20\nupload  " " resumed at 0 of -1 200 complete: \n"},
        {"refused", {REQUEST("POST /b/k?uploadId=U", LEN("0"), ""), ANSWER("400", "")}, "service h\n"},
        {"given up", {REQUEST("DELETE /b/k?uploadId=U", "", ""), ANSWER("204", "")},
                "service h\nparts\nupload   resumed at 0 of -1 0 aborted: \n"},
        {"signed chunks", {REQUEST("PUT /b/k", AWS "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n"
                                   "x-amz-decoded-content-length: 5\r\nContent-Encoding: aws-chunked\r\n" LEN("70"),
                                   "3;chunk-signature=aaaa\r\nabc\r\n2;chunk-signature=bb\r\nde\r\n0;chunk-sig\r\n\r\n"),
                                  ANSWER("200", "")},
                "service h\naccount KEY\nupload PUT /b/k by KEY aws-chunked 200 complete: abcde\n"},
        {"an older signature", {REQUEST("PUT /b/k", "Authorization: AWS KEY:c2ln\r\n" LEN("1"), "a"), ANSWER("200", "")},
                "service h\naccount KEY\nupload PUT /b/k by KEY 200 complete: a\n"},
        {"signed in the URL", {REQUEST("GET /b/k?X-Amz-Credential=KEY%2F20240115%2Fr%2Fs3%2Faws4_request", "", ""),
                                      S("HTTP/1.1 200 OK\r\n" LEN("1") "\r\na")},
                "service h\naccount KEY\ndownload GET /b/k by KEY 200 complete: a\n"},
        {"a bucket's listing", {REQUEST("GET /b?list-type=2", AWS, ""), S("HTTP/1.1 200 OK\r\n" LEN("1") "\r\n<")},
                "service h\naccount KEY\ndownload GET /b by KEY listing 200 complete: <\n"},
        {"copied at the server", {REQUEST("PUT /b/k2", AWS "x-amz-copy-source: /b/k\r\n" LEN("0"), ""), ANSWER("200", "")},
                "service h\naccount KEY\ns3.copy /b/k > /b/k2\n"},
        {"moved", {REQUEST("MOVE /d/a", "Destination: http://h/d/b%20c\r\n", ""), ANSWER("201", "")},
                "service h\nwebdav.move /d/a > /d/b c\n"},
        {"copied", {REQUEST("COPY /d/a", "Destination: /d/b\r\n", ""), ANSWER("204", "")},
                "service h\nwebdav.copy /d/a > /d/b\n"},
        {"not moved", {REQUEST("MOVE /d/a", "Destination: /d/b\r\n", ""), ANSWER("412", "")}, "service h\n"},
        {"nextcloud", {REQUEST("PUT /remote.php/dav/uploads/u/1/00003", LEN("1"), "a"), ANSWER("201", "")},
                "service h\nupload PUT /remote.php/dav/uploads/u/1/00003 joined 3 at 0 of 1 201 complete: a\n"},
        {"chunks that tell where they begin", {REQUEST("PUT /dav/uploads/u/1/000000000010485760-000000000020971519",
                                                       "OC-Total-Length: 30000000\r\n" LEN("1"), "a"), ANSWER("201", "")},
                "service h\nupload PUT /dav/uploads/u/1/000000000010485760-000000000020971519 joined at 10485760 of 30000000 201 complete: a\n"},
        {"chunks put together", {REQUEST("MOVE /remote.php/dav/uploads/u/1/.file",
                                         "Destination: http://h/remote.php/dav/files/u/%ec%9e%91.mov\r\nOC-Total-Length: 9\r\n", ""),
                                        ANSWER("201", "")},
                "service h\nparts\nupload  /remote.php/dav/files/u/\xec\x9e\x91.mov resumed at 0 of 9 201 complete: \n"},
        {"tus", {REQUEST("POST /files", "Tus-Resumable: 1.0.0\r\nUpload-Length: 9\r\nUpload-Metadata: a YQ==,filename Yi5tb3Y=\r\n" LEN("0"), ""),
                        ANSWER("201", "Location: http://h/files/77\r\n"),
                        REQUEST("PATCH /files/77", "Tus-Resumable: 1.0.0\r\nUpload-Offset: 3\r\n" LEN("3"), "abc"), ANSWER("204", "")},
                "service h\nupload PATCH b.mov joined at 3 of 9 204 complete: abc\n"},
        {"tus, creation not seen", {REQUEST("PATCH /files/77", "Tus-Resumable: 1.0.0\r\nUpload-Offset: 3\r\n" LEN("3"), "abc"), ANSWER("204", "")},
                "service h\nupload PATCH /files/77 joined at 3 of -1 204 complete: abc\n"},
        {"resumable", {REQUEST("POST /upload/b/o?uploadType=resumable&name=d%2Fx.mov", LEN("2"), "{}"),
                              ANSWER("200", "Location: http://h/upload/b/o?uploadType=resumable&upload_id=ABC\r\n"),
                              REQUEST("PUT /upload/b/o?uploadType=resumable&upload_id=ABC", "Content-Range: bytes 0-2/*\r\n" LEN("3"), "abc"),
                              ANSWER("308", ""),
                              REQUEST("PUT /upload/b/o?uploadType=resumable&upload_id=ABC", "Content-Range: bytes 3-3/4\r\n" LEN("1"), "d"),
                              ANSWER("200", "")},
                "service h\nupload PUT d/x.mov joined at 0 of -1 308 complete: abc\nupload PUT d/x.mov joined at 3 of 4 200 complete: d\n"},
        {"seafile", {REQUEST("PUT /seafhttp/repo/aa-bb/block/ff", LEN("1"), "a"), ANSWER("200", "")},
                "service h\nupload PUT /seafhttp/repo/aa-bb/block/ff 200 complete: a\nseafile.library aa-bb\n"},
        {"an older chunk of ownCloud", {REQUEST("PUT /remote.php/webdav/a-b/%eb%b0%b0.mov-chunking-4711-3-1", "OC-Chunked: 1\r\n" LEN("2"), "ab"),
                                               ANSWER("201", "")},
                "service h\nupload PUT /remote.php/webdav/a-b/\xeb\xb0\xb0.mov joined 2 at 0 of 2 one of 3 201 complete: ab\n"},
        {"named like one, but not said to be", {REQUEST("PUT /a.mov-chunking-4711-3-1", LEN("2"), "ab"), ANSWER("201", "")},
                "service h\nupload PUT /a.mov-chunking-4711-3-1 201 complete: ab\n"},
        {"said to be one, and past the end", {REQUEST("PUT /a.mov-chunking-4711-3-3", "OC-Chunked: 1\r\n" LEN("2"), "ab"), ANSWER("201", "")},
                "service h\nupload PUT /a.mov-chunking-4711-3-3 201 complete: ab\n"},
        {"said to be one, with another name", {REQUEST("PUT /a-4711-3-1", "OC-Chunked: 1\r\n" LEN("2"), "ab"), ANSWER("201", "")},
                "service h\nupload PUT /a-4711-3-1 201 complete: ab\n"},
        {"a block", {REQUEST("PUT /c/b.mov?comp=block&blockid=YmxvY2sx", MS LEN("3"), "abc"), ANSWER("201", "")},
                "service h\nupload PUT /c/b.mov joined at 0 of 3 called block1 201 complete: abc\n"},
        {"a block whose name is encoded twice", {REQUEST("PUT /c/b.mov?comp=block&blockid=YmxvY2sxMQ%3D%3D", MS LEN("3"), "abc"), ANSWER("201", "")},
                "service h\nupload PUT /c/b.mov joined at 0 of 3 called block11 201 complete: abc\n"},
        {"a block signed in the URL", {REQUEST("PUT /c/b.mov?sv=2021-12-02&sig=x&comp=block&blockid=YmxvY2sx", LEN("3"), "abc"), ANSWER("201", "")},
                "service h\nupload PUT /c/b.mov joined at 0 of 3 called block1 201 complete: abc\n"},
        {"no block of Azure's", {REQUEST("PUT /c/b.mov?comp=block&blockid=YmxvY2sx", LEN("3"), "abc"), ANSWER("201", "")},
                "service h\nupload PUT /c/b.mov 201 complete: abc\n"},
        {"blocks put in order", {REQUEST("PUT /c/b.mov?comp=blocklist", MS LEN("133"), "<?xml version=\"1.0\"?><BlockList><Latest>YmxvY2sy</Latest>"
                                         "<Uncommitted>YmxvY2sx</Uncommitted><Committed>YmxvY2sz</Committed></BlockList>"), ANSWER("201", "")},
                "service h\nlisted block2 block1 block3\nupload   resumed at 0 of -1 201 complete: \n"},
        {"blocks that are not put in order", {REQUEST("PUT /c/b.mov?comp=blocklist", MS LEN("51"), "<BlockList><Latest>YmxvY2sy</Latest></BlockList>   "),
                                                     ANSWER("400", "")}, "service h\n"},
        {"a list with a name that is too long", {REQUEST("PUT /c/b.mov?comp=blocklist", MS LEN("139"), "<BlockList><Latest>"
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                         "</Latest></BlockList>  "), ANSWER("201", "")},
                "service h\nupload   resumed at 0 of -1 201 truncated: \n"},
        {"a list that was not all seen", {REQUEST("PUT /c/b.mov?comp=blocklist", MS LEN("51"), "<BlockList><Latest>YmxvY2sy</Latest>"), {CLIENT_GAP, NULL, 15},
                                                 ANSWER("201", "")}, "service h\nupload   resumed at 0 of -1 201 truncated: \n"},
        {"S3's as well", {REQUEST("POST /b/k?uploadId=U", LEN("66"), "<Part><PartNumber>1</PartNumber></Part>"), {CLIENT_GAP, NULL, 27}, ANSWER("200", "")},
                "service h\nupload   resumed at 0 of -1 200 truncated: \n"},
        {"a blob in one piece", {REQUEST("PUT /studio/c/b.mov", "x-ms-blob-type: BlockBlob\r\nAuthorization: SharedKey studio:c2ln\r\n" LEN("3"), "abc"),
                                        ANSWER("201", "")},
                "service h\naccount studio\nupload PUT /studio/c/b.mov by studio 201 complete: abc\n"},
        {"a blob that grows", {REQUEST("PUT /c/l", MS "x-ms-blob-type: AppendBlob\r\n" LEN("0"), ""), ANSWER("201", ""),
                                      REQUEST("PUT /c/l?comp=appendblock", MS LEN("2"), "ab"), ANSWER("201", AT("0")),
                                      REQUEST("PUT /c/l?comp=appendblock", MS LEN("3"), "cde"), ANSWER("201", AT("2")),
                                      REQUEST("PUT /c/l?comp=seal", MS LEN("0"), ""), ANSWER("200", "")},
                "service h\nupload PUT /c/l joined at 0 of -1 201 complete: ab\nupload PUT /c/l joined at 2 of -1 201 complete: cde\n"
                "parts\nupload   resumed at 0 of -1 200 complete: \n"},
        {"a blob that grows at a place", {REQUEST("PUT /c/l?comp=appendblock", MS "x-ms-blob-condition-appendpos: 7\r\n" LEN("2"), "ab"), ANSWER("201", AT("7"))},
                "service h\nupload PUT /c/l joined at 7 of -1 201 complete: ab\n"},
        {"a blob that grows from nobody knows where", {REQUEST("PUT /c/l?comp=appendblock", MS LEN("2"), "ab"), ANSWER("201", AT("9")),
                                                              REQUEST("PUT /c/l?comp=appendblock", MS LEN("2"), "cd"), ANSWER("201", AT("11"))},
                "service h\nupload PUT /c/l 201 complete: ab\nupload PUT /c/l joined at 11 of -1 201 complete: cd\n"},
        {"a blob to which others add", {REQUEST("PUT /c/l", MS "x-ms-blob-type: AppendBlob\r\n" LEN("0"), ""), ANSWER("201", ""),
                                               REQUEST("PUT /c/l?comp=appendblock", MS LEN("2"), "ab"), ANSWER("201", AT("5"))},
                "service h\nupload PUT /c/l joined at 0 of -1 201 complete: ab\ncut at 0\nupload   resumed at 0 of -1 0 truncated: \n"},
        {"no longer at that place", {REQUEST("PUT /c/l?comp=appendblock", MS "x-ms-blob-condition-appendpos: 7\r\n" LEN("2"), "ab"), ANSWER("412", "")},
                "service h\nupload PUT /c/l joined at 7 of -1 412 complete: ab\ncut at 7\nupload   resumed at 0 of -1 0 truncated: \n"},
        {"pages", {REQUEST("PUT /c/d.vhd", MS "x-ms-blob-type: PageBlob\r\nx-ms-blob-content-length: 1024\r\n" LEN("0"), ""), ANSWER("201", ""),
                          REQUEST("PUT /c/d.vhd?comp=page", MS "x-ms-page-write: update\r\nx-ms-range: bytes=512-513\r\n" LEN("2"), "ab"), ANSWER("201", "")},
                "service h\nupload PUT /c/d.vhd joined at 512 of 1024 201 complete: ab\n"},
        {"a container's listing", {REQUEST("GET /c?restype=container&comp=list", MS, ""), S("HTTP/1.1 200 OK\r\n" LEN("1") "\r\n<")},
                "service h\ndownload GET /c listing 200 complete: <\n"},
        {"copied by Azure", {REQUEST("PUT /c/b2", MS "x-ms-copy-source: https://a.blob.example/c/b%201?sig=secret\r\n" LEN("0"), ""), ANSWER("202", "")},
                "service h\nazure.copy https://a.blob.example/c/b 1 > /c/b2\n"},
        {"given up in Azure", {REQUEST("DELETE /c/b?comp=block", MS, ""), ANSWER("202", "")}, "service h\nparts\nupload   resumed at 0 of -1 0 aborted: \n"},
        {"about a blob", {REQUEST("PUT /c/b?comp=acl", "x-ms-blob-type: BlockBlob\r\n" LEN("3"), "<a>"), ANSWER("200", "")}, "service h\n"},
        {"no blobs", {REQUEST("PUT /table", MS LEN("1"), "a"), ANSWER("200", "")}, "service h\nupload PUT /table 200 complete: a\n"},
        {"a form in ranges", {REQUEST("POST /u", "Content-Range: bytes 4-6/9\r\nContent-Type: multipart/form-data; boundary=B\r\n" LEN("69"),
                                      "--B\r\nContent-Disposition: form-data; filename=\"f.mov\"\r\n\r\nabc\r\n--B--\r\n"), ANSWER("200", "")},
                "service h\nupload POST f.mov joined at 4 of 9 200 complete: abc\n"
                "upload POST /u form 200 complete: --B\r\nContent-Disposition: form-data; filename=\"f.mov\"\r\n\r\nabc\r\n--B--\r\n\n"},
};

static void
test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
		play(&proto_http, &scripts[i], SIZE_MAX, SIZE_MAX);
}

static void
test_scripts_cut(void **state)
{
	(void)state;
	play_cut_anywhere(&proto_http, scripts, sizeof scripts / sizeof scripts[0]);
	play_cut_off(&proto_http, scripts, sizeof scripts / sizeof scripts[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_scripts),
	        cmocka_unit_test(test_scripts_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
