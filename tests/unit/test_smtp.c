#include "config.h"

#include "mail_script.h"

#define HELLO "s 220 mx ESMTP\nc EHLO pc\ns 250-mx\ns 250 PIPELINING\n"
#define MAIL "c MAIL FROM:<a@x.org>\ns 250 OK\nc RCPT TO:<b@y.org>\ns 250 OK\n"
#define MAIL_SENT "c MAIL FROM:<a@x.org>\nc RCPT TO:<no@y.org>\nc RCPT TO:<b@y.org>\nc DATA\n"
#define DATA "c DATA\ns 354 Go\n"
#define HEAD "c From: A <a@x.org>\nc To: b@y.org\nc Subject: =?utf-8?q?caf=C3=A9?=\nc Message-ID: <1@x.org>\nc MIME-Version: 1.0\n"
#define MIXED "c Content-Type: multipart/mixed; boundary=\"B\"\nc \nc preamble\nc --B\nc Content-Type: text/plain\nc \nc Hi\n"
#define PDF "c --B\nc Content-Type: application/pdf\nc Content-Transfer-Encoding: base64\nc Content-Disposition: attachment;\nc  filename=\"a b.pdf\"\nc \n"
#define END "c .\ns 250 queued\nc QUIT\ns 221 Bye"
#define FILE_OK "=a b.pdf DATA - source complete 5 5+0 h2cf2;"
#define SAID "smtp smtp.helo=pc mail.messages=1 mail.attachments=1 smtp.mail_from=a@x.org smtp.rcpt_to=b@y.org " \
	"email.from.address=a@x.org email.to.address=b@y.org email.subject=caf\xc3\xa9 email.message_id=1@x.org "

static const struct mail_session good[] = {
        {"an attachment", HELLO MAIL DATA HEAD MIXED PDF "c aGVs\nc bG8=\nc --B--\n" END, FILE_OK SAID},
        {"a mail without one", HELLO MAIL DATA "c Subject: x\nc \nc Hi\nc ..\n" END,
                "smtp smtp.helo=pc mail.messages=1 mail.attachments=0 smtp.mail_from=a@x.org smtp.rcpt_to=b@y.org email.subject=x "},
        {"dots", HELLO MAIL DATA MIXED
                 "c --B\nc Content-Disposition: attachment; filename=d\nc \nc ..x\nc ...\nc a.b\nc --B--\n" END,
                "=d DATA - source complete 11 11+0 h2ccb;smtp "},
        {"pipelined, and no answer is waited for",
                "s 220 mx ESMTP\nc EHLO pc\ns 250 mx\nc MAIL FROM:<a@x.org>\nc RCPT TO:<no@y.org>\nc RCPT TO:<b@y.org>\nc DATA\n"
                "s 250 OK\ns 550 No\ns 250 OK\ns 354 Go\n" HEAD MIXED PDF "c aGVsbG8=\nc --B--\n" END, FILE_OK SAID},
        {"chunks",
                HELLO MAIL "c BDAT 21\nc Content-Type: a/b\nc \ns 250 OK\nc BDAT 5 LAST\nC hello\ns 250 queued\nc QUIT",
                "=- BDAT - source complete 5 5+0 h2cf2;smtp "},
        {"chunks, cut in a header",
                HELLO MAIL "c BDAT 12\nC Content-Type\nc BDAT 9\nc : a/b\nc \ns 250 OK\ns 250 OK\nc BDAT 5 LAST\nC hello\n"
                "s 250 queued\nc QUIT", "=- BDAT - source complete 5 5+0 h2cf2;smtp "},
        {"the client speaks first", "c EHLO pc\nc AUTH PLAIN AGJvYgBwdw==\n" MAIL_SENT "s 220 mx ESMTP\ns 250 x\ns 235 OK\ns 250 OK\ns 550 No\ns 250 OK\n"
                "s 354 Go\n" HEAD MIXED PDF "c aGVsbG8=\nc --B--\n" END,
                "=a b.pdf DATA bob source complete 5 5+0 h2cf2;smtp user=bob smtp.helo=pc mail.messages=1 mail.attachments=1 smtp.mail_from=a@x.org smtp.rcpt_to=b@y.org "},
        {"a login", "s 220 mx ESMTP\nc EHLO pc\ns 250 AUTH PLAIN\nc AUTH PLAIN AGJvYgBwdw==\ns 235 OK\nc QUIT\ns 221 Bye",
                "smtp user=bob smtp.helo=pc "},
        {"a login in steps",
                "s 220 mx ESMTP\nc EHLO pc\ns 250 AUTH LOGIN\nc AUTH LOGIN\ns 334 VXNlcm5hbWU6\nc Ym9i\ns 334 UGFzc3dvcmQ6\nc cHc=\n"
                "s 235 OK\n" MAIL DATA HEAD MIXED PDF "c aGVsbG8=\nc --B--\n" END,
                "=a b.pdf DATA bob source complete 5 5+0 h2cf2;smtp user=bob "},
        {"CRAM-MD5", "s 220 mx ESMTP\nc EHLO pc\ns 250 x\nc AUTH CRAM-MD5\ns 334 PDFAeD4=\nc Ym9iIDAxMjM=\ns 535 No\nc QUIT",
                "smtp user=bob "},
        {"only the client's half", "c EHLO pc\n" "c MAIL FROM:<a@x.org>\nc RCPT TO:<b@y.org>\nc DATA\n" HEAD MIXED PDF
                "c aGVsbG8=\nc --B--\nc .\nc QUIT", FILE_OK SAID},
        {"seen from the middle", "mid\n" MAIL DATA HEAD MIXED PDF "c aGVsbG8=\nc --B--\n" END, FILE_OK "smtp "},
        {"LMTP answers for each recipient",
                "s 220 mx LMTP\nc LHLO pc\ns 250 x\nc MAIL FROM:<a@x.org>\ns 250 OK\nc RCPT TO:<b@y.org>\ns 250 OK\nc RCPT TO:<c@y.org>\n"
                "s 250 OK\n" DATA HEAD MIXED PDF "c aGVsbG8=\nc --B--\nc .\ns 250 OK\ns 452 full\n"
                "c MAIL FROM:<d@x.org>\ns 250 OK\nc RCPT TO:<e@y.org>\ns 250 OK\n" DATA "c Subject: 2\nc \nc .\ns 250 OK\nc QUIT",
                FILE_OK "lmtp smtp.helo=pc mail.messages=2 mail.attachments=1 smtp.mail_from=a@x.org smtp.mail_from=d@x.org "
                        "smtp.rcpt_to=b@y.org smtp.rcpt_to=c@y.org smtp.rcpt_to=e@y.org "},
        {"broken off", HELLO MAIL DATA HEAD MIXED PDF "c aGVs\nfin c", "=a b.pdf DATA - source aborted 3 3+0;smtp "},
        {"reset", HELLO MAIL DATA HEAD MIXED PDF "c aGVs\nreset", "=a b.pdf DATA - source aborted 3 3+0;smtp "},
        {"the capture ends", HELLO MAIL DATA HEAD MIXED PDF "c aGVs", "=a b.pdf DATA - source truncated 3 3+0;smtp "},
        {"a hole in a file",
                HELLO MAIL DATA MIXED "c --B\nc Content-Disposition: attachment; filename=d\nc \nc he\ngap c 3\nc llo\nc --B--\n" END,
                "=d DATA - source truncated 10 7+3;smtp "},
        {"a hole with the end of the mail, then another one",
                HELLO MAIL DATA HEAD MIXED PDF "c aGVs\ngap c 30\ns 250 queued\n" MAIL DATA HEAD MIXED PDF "c aGVsbG8=\nc --B--\n" END,
                "=a b.pdf DATA - source truncated"},
        {"DATA was not seen", "mid\n" MAIL "gap c 6\ns 354 Go\nc Content-Type: a/b; name=f\nc \nc hello\nc .\ns 250 OK\n" MAIL DATA HEAD MIXED PDF
                "c aGVsbG8=\nc --B--\n" END, FILE_OK "smtp "},
        {"DATA is refused", HELLO MAIL "c DATA\ns 554 no\nc RSET\ns 250 OK\nc QUIT\ns 221 Bye", "smtp smtp.helo=pc "},
        {"no closing boundary", HELLO MAIL DATA HEAD MIXED PDF "c aGVsbG8=\n" END, FILE_OK SAID},
        {"a forwarded mail is a file, and what is in it",
                HELLO MAIL DATA HEAD MIXED "c --B\nc Content-Type: message/rfc822; name=f.eml\nc \nc Content-Type: multipart/mixed; boundary=C\nc \nc --C\n"
                "c Content-Type: image/png; name=i.png\nc Content-Transfer-Encoding: base64\nc \nc aGVsbG8=\nc --C--\nc --B--\n" END,
                "=i.png DATA - source complete 5 5+0 h2cf2;=f.eml DATA - source complete 139 139+0"},
        {"nested parts, the inner without its end",
                HELLO MAIL DATA HEAD MIXED "c --B\nc Content-Type: multipart/related; boundary=C\nc \nc --C\nc Content-Type: image/png\n"
                "c Content-Transfer-Encoding: BASE64\nc \nc aGVsbG8=\nc --B--\n" END, "=- DATA - source complete 5 5+0 h2cf2;smtp "},
        {"quoted-printable",
                HELLO MAIL DATA HEAD MIXED "c --B\nc Content-Type: text/plain; name=q\nc Content-Transfer-Encoding: quoted-printable\nc \n"
                "c h=65l=\nc lo\nc --B--\n" END, "=q DATA - source complete 5 5+0 h2cf2;smtp "},
        {"a name in pieces and another charset",
                HELLO MAIL DATA HEAD MIXED "c --B\nc Content-Type: a/b\nc Content-Disposition: attachment; filename*0*=utf-8''%E4%BD;\nc  filename*1*=%A0;\nc  filename*2=\".pdf\"\nc \nC hello\nc \nc --B--\n" END,
                "=\xe4\xbd\xa0.pdf DATA - source complete 5 5+0 h2cf2;smtp "},
        {"uuencode in the text", HELLO MAIL DATA "c Subject: u\nc \nc begin 644 u.bin\nc %:&5L;&\\\nc `\nc end\n" END,
                "=u.bin DATA - source complete 5 5+0 h2cf2;smtp "},
        {"uuencode as a part's encoding",
                HELLO MAIL DATA MIXED "c --B\nc Content-Type: a/b; name=u\nc Content-Transfer-Encoding: x-uuencode\nc \nc begin 644 u.bin\nc %:&5L;&\\\nc `\nc end\nc --B--\n" END,
                "=u.bin DATA - source complete 5 5+0 h2cf2;smtp "},
        {"base64 with a line of a list behind it, and without its padding",
                HELLO MAIL DATA MIXED PDF "c aGVsbG8=\nc ____\nc List\n" PDF "c aGVs\nc \nc bG8\nc --B--\n" END, FILE_OK FILE_OK "smtp "},
        {"prose that begins like it", HELLO MAIL DATA "c Subject: u\nc \nc begin 644 times\nc Hello there\nc begin 755 x\nc HELLO\n" END,
                "smtp smtp.helo=pc mail.messages=1 mail.attachments=0"},
        {"yEnc in the text", HELLO MAIL DATA "c Subject: y\nc \nc =ybegin line=128 size=5 name=y z\nc \x92\x8f\x96\x96\x99\nc =yend size=5\n" END,
                "=y z DATA - source complete 5 5+0 h2cf2;smtp "},
        {"yEnc, a part in the middle of a file",
                HELLO MAIL DATA "c Subject: y\nc \nc =ybegin part=2 line=128 size=15 name=y\nc =ypart begin=6 end=10\nc \x92\x8f\x96\x96\x99\nc =yend size=5 part=2\n" END,
                "smtp smtp.helo=pc mail.messages=1 mail.attachments=1 smtp.mail_from=a@x.org smtp.rcpt_to=b@y.org email.subject=y "
                "=y DATA - source truncated 15 5+0 @5;"},
        {"an empty attachment", HELLO MAIL DATA HEAD MIXED PDF "c --B--\n" END, "=a b.pdf DATA - source complete 0 0+0 he3b0;smtp "},
        {"the whole mail is a file",
                HELLO MAIL DATA HEAD "c Content-Type: application/pdf; name=w.pdf\nc Content-Transfer-Encoding: base64\nc \nc aGVsbG8=\n" END,
                "=w.pdf DATA - source complete 5 5+0 h2cf2;smtp "},
        {"RSET between chunks", HELLO MAIL "c BDAT 29\nc Content-Type: a/b; name=c\nc \ns 250 OK\nc RSET\ns 250 OK\nc QUIT",
                "smtp smtp.helo=pc mail.messages=1 mail.attachments=0 "},
};

static const struct mail_session bad[] = {
        {"FTP", "s 220 Files\nc USER bob\ns 331 x\nc PASS y\ns 230 z", "ftp "},
        {"an unknown greeting and command", "s 220 hello\nc FROB x\ns 500 what", "unknown "},
        {"HTTP", "c GET / HTTP/1.1\nc Host: x\nc ", "http "},
        {"another protocol's answers", "s 250 x\nc EHLO", "unknown "},
        {"a number too short", "s 2\ns 22\ns 5", "unknown "},
        {"numbers", "s 999 x\nc pc", "unknown "},
};

/* Lines that all end with LF alone; in the other mail one of them is content, as is what looks like the next mail. */
static void
test_lf(void **state)
{
	static const struct {
		const char *mail, *want;
	} rows[] = {
	        {"Content-Type: a/b; name=l\n\n..x\n.\n", "=l DATA - source complete 3 3+0"},
	        {"Content-Type: a/b; name=l\r\n\r\nx\n.\nMAIL FROM:<e@z.org>\r\n.\r\n", "=l DATA - source complete 25 25+0"},
	};
	struct stage s;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t piece = 1; piece < 64; piece++) {
			char log[sizeof s.log];
			(void)mail_play(&s, HELLO MAIL "c DATA\ns 354 Go", 2500, 4096, SIZE_MAX);
			for (size_t at = 0, n; at < strlen(rows[i].mail); at += n) {
				n = strlen(rows[i].mail) - at < piece ? strlen(rows[i].mail) - at : piece;
				(void)stage_data(&s, 0, SIDE_SOURCE, rows[i].mail + at, n);
			}
			(void)stage_data(&s, 0, SIDE_DESTINATION, "250 OK\r\n", 8);
			mail_finish(&s, false);
			mail_ended(&s, log, sizeof log);
			assert_memory_equal(log, rows[i].want, strlen(rows[i].want));
			stage_clear(&s);
		}
	}
}

/* The answer to STARTTLS hands over to TLS, whatever else is said. */
static void
test_starttls(void **state)
{
	static const uint8_t hello[] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};
	struct stage s;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)mail_play(&s, i == 0 ? HELLO "c STARTTLS\ns 220 Go" : HELLO "c STARTTLS", 2500, 4096, SIZE_MAX);
		(void)stage_data(&s, 0, SIDE_SOURCE, hello, sizeof hello);
		assert_int_equal(s.flow[0].verdict, VERDICT_MORE);
		mail_finish(&s, false);
		assert_non_null(strstr(s.log, "smtp smtp.helo=pc "));
		assert_false(session_is_read(s.flow[0].session));
		stage_clear(&s);
	}
}

static void
test_good(void **state)
{
	(void)state;
	mail_run(good, COUNT(good), 2500);
}

static void
test_bad(void **state)
{
	(void)state;
	mail_run(bad, COUNT(bad), 2500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good),
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_lf),
	        cmocka_unit_test(test_starttls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
