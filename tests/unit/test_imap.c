#include "config.h"

#include "mail_script.h"

#define LOGIN "s * OK IMAP4rev1 ready\nc a LOGIN bob pw\ns a OK in\nc b SELECT INBOX\ns * 1 EXISTS\ns b OK\n"
/* 86 bytes */
#define MAIL(X) X " Subject: x\n" X " Content-Type: a/b; name=f\n" X " Content-Transfer-Encoding: base64\n" X " \n" X " aGVsbG8=\n"
#define STRUCTURE "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 4 1 NIL NIL NIL)" \
	"(\"application\" \"pdf\" (\"name\" \"p.pdf\") NIL NIL \"base64\" 10 NIL (\"attachment\" (\"filename\" \"p \\\"q\\\".pdf\")) NIL)" \
	"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 99 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) " \
	"((\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)(\"image\" \"png\" (\"name\" \"i.png\") NIL NIL \"base64\" 10) \"mixed\") 5) " \
	"\"mixed\" (\"boundary\" \"B\") NIL NIL"
#define TOLD "s * 7 FETCH (UID 70 ENVELOPE (\"d\" \"sub\" ((\"A\" NIL \"a\" \"x.org\")) NIL NIL ((NIL NIL \"b\" \"y.org\")) NIL NIL NIL \"<1@x>\") BODYSTRUCTURE (" STRUCTURE "))\n"
#define FILE_OK "=f FETCH bob destination complete 5 5+0 h2cf2;"

static const struct mail_session good[] = {
        {"a whole mail", LOGIN "c c FETCH 1 BODY[]\ns * 1 FETCH (UID 9 BODY[] {86}\n" MAIL("s") "s )\ns c OK",
                FILE_OK "imap user=bob mail.messages=1 mail.attachments=1 imap.mailbox=INBOX email.subject=x "},
        {"RFC822, two of them", LOGIN "s * 1 FETCH (RFC822 {86}\n" MAIL("s") "s )\ns * 2 FETCH (RFC822 {86}\n" MAIL("s") "s )\ns c OK",
                FILE_OK FILE_OK "imap "},
        {"a header alone is none", LOGIN "s * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {15}\ns Subject: x\ns )\ns c OK", "imap user=bob "},
        {"in pieces", LOGIN "c c UID FETCH 9 BODY.PEEK[]<0.50>\ns * 1 FETCH (BODY[]<0> {50}\ns Subject: x\ns Content-Type: a/b; name=f\nS Content-Tra\ns )\n"
                "c d UID FETCH 9 BODY.PEEK[]<50.50>\ns * 1 FETCH (BODY[]<50> {36}\ns nsfer-Encoding: base64\ns \ns aGVsbG8=\ns )\ns d OK",
                FILE_OK "imap "},
        {"a part by its structure", LOGIN TOLD "c c UID FETCH 70 BODY.PEEK[2]\ns * 7 FETCH (UID 70 BODY[2] {10}\ns aGVsbG8=\ns )\ns c OK",
                "=p \"q\".pdf FETCH bob destination complete 5 5+0 h2cf2;imap user=bob mail.messages=1 mail.attachments=1 "
                "imap.mailbox=INBOX email.subject=sub email.from.address=a@x.org email.to.address=b@y.org email.message_id=1@x imap.section=2 "},
        {"a part within a forwarded mail", LOGIN TOLD "s * 7 FETCH (BODY[3.2] {10}\ns aGVsbG8=\ns )\n",
                "=i.png FETCH bob destination complete 5 5+0 h2cf2;imap "},
        {"text parts are no files", LOGIN TOLD "s * 7 FETCH (BODY[1] {4}\ns Hi\ns )\ns * 7 FETCH (BODY[3.1] {4}\ns Hi\ns )\n",
                "imap user=bob mail.messages=2 mail.attachments=0 "},
        {"the text of a mail of known structure",
                LOGIN TOLD "s * 7 FETCH (BODY[TEXT] {48}\ns --B\ns Content-Type: a/b; name=f\ns \ns hello\ns --B--\ns )\n",
                "=f FETCH bob destination complete 5 5+0 h2cf2;imap "},
        {"decoded by the server", LOGIN TOLD "s * 7 FETCH (BINARY[2] ~{5}\nS hello\ns )\n",
                "=p \"q\".pdf FETCH bob destination complete 5 5+0 h2cf2;imap "},
        {"a part of which nothing is known, in base64",
                LOGIN "s * 7 FETCH (BODY[2] {62}\ns AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\ns )\n",
                "=- FETCH bob destination complete 45 45+0"},
        {"numbers move when mails go", LOGIN TOLD "s * 6 EXPUNGE\ns * 6 FETCH (BODY[2] {10}\ns aGVsbG8=\ns )\n",
                "=p \"q\".pdf FETCH bob destination complete 5 5+0 h2cf2;imap "},
        {"a short part as a string", LOGIN TOLD "s * 7 FETCH (BODY[2] \"aGVsbG8=\")\n",
                "=p \"q\".pdf FETCH bob destination complete 5 5+0 h2cf2;imap "},
        {"APPEND", LOGIN "c c APPEND Sent (\\Seen) {86}\ns + go\n" MAIL("c") "c \ns c OK",
                "=f APPEND bob source complete 5 5+0 h2cf2;imap user=bob mail.messages=1 mail.attachments=1 imap.mailbox=Sent "},
        {"APPEND without waiting, to a mailbox in a literal", LOGIN "c c APPEND {4+}\nc Sent {86+}\n" MAIL("c") "c \nc d NOOP",
                "=f APPEND bob source complete 5 5+0 h2cf2;imap user=bob mail.messages=1 mail.attachments=1 imap.mailbox=Sent "},
        {"two mails in one APPEND", LOGIN "c c APPEND \"Se nt\" (\\Seen) {86+}\n" MAIL("c") "c  {86+}\n" MAIL("c") "c \ns c OK",
                "=f APPEND bob source complete 5 5+0 h2cf2;=f APPEND bob source complete 5 5+0 h2cf2;imap user=bob mail.messages=2 mail.attachments=2 imap.mailbox=Se nt "},
        {"APPEND is refused", LOGIN "c c APPEND Sent {86}\ns c NO full\nc d NOOP\ns d OK\nc e APPEND Sent {86}\ns + go\n" MAIL("c") "c \ns e OK",
                "=f APPEND bob source complete 5 5+0 h2cf2;imap "},
        {"APPEND is broken off", LOGIN "c c APPEND Sent {95}\ns + go\n" MAIL("c") "fin c", "=f APPEND bob source aborted 5 5+0;imap "},
        {"LOGIN with literals", "s * OK IMAP4\nc a LOGIN {3}\ns + x\nC bob {2}\ns + y\nc pw\ns a OK\n", "imap user=bob "},
        {"AUTHENTICATE", "s * OK IMAP4\nc a AUTHENTICATE PLAIN\ns + \nc AGJvYgBwdw==\ns a OK\n", "imap user=bob "},
        {"AUTHENTICATE at once", "s * OK IMAP4\nc a AUTHENTICATE PLAIN AGJvYgBwdw==\ns a OK\n", "imap user=bob "},
        {"only the server's half, from the middle", "mid\ns * 1 FETCH (BODY[] {86}\n" MAIL("s") "s )\n",
                "=f FETCH - destination complete 5 5+0 h2cf2;imap "},
        {"a hole in a mail", LOGIN "s * 1 FETCH (BODY[] {58}\ns Content-Type: a/b; name=f\ns \ns he\ngap s 20\ns llo\ns )\n",
                "=f FETCH bob destination truncated 29 9+20;imap "},
        {"a hole beyond a mail", LOGIN "s * 1 FETCH (BODY[] {58}\ns Content-Type: a/b; name=f\ns \ns he\ngap s 90\ns llo\ns )\ns * 2 FETCH (BODY[] {86}\n" MAIL("s") "s )\n",
                "=f FETCH bob destination truncated 29 4+25;" FILE_OK "imap "},
        {"compression is told", LOGIN "c c COMPRESS DEFLATE\ns c OK go\nc xxx", "imap user=bob imap.compress=deflate "},
};

static const struct mail_session bad[] = {
        {"another greeting", "s * NOTHING\ns * OK", "unknown "},
        {"no verb", "c a FROB x", "unknown "},
        {"no tag", "c LOGIN b c", "unknown "},
};

static void
test_starttls(void **state)
{
	static const uint8_t hello[] = {22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3};
	struct stage s;
	(void)state;
	(void)mail_play(&s, "s * OK IMAP4\nc a STARTTLS\ns a OK go", 1430, 4096, SIZE_MAX);
	(void)stage_data(&s, 0, SIDE_SOURCE, hello, sizeof hello);
	mail_finish(&s, false);
	assert_non_null(strstr(s.log, "imap "));
	assert_false(session_is_read(s.flow[0].session));
	stage_clear(&s);
}

static void
test_good(void **state)
{
	(void)state;
	mail_run(good, COUNT(good), 1430);
}

static void
test_bad(void **state)
{
	(void)state;
	mail_run(bad, COUNT(bad), 1430);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good), cmocka_unit_test(test_bad), cmocka_unit_test(test_starttls)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
