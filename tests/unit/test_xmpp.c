#include "config.h"

#include "talk.h"

#define OPEN C("<?xml version='1.0'?><stream:stream to='example.net' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"), \
	S("<?xml version='1.0'?><stream:stream from='example.net' xmlns:stream='http://etherx.jabber.org/streams'>")
#define LOGIN C("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubgBwYXNz</auth>"), S("<success/>")
#define OFFER(size) "<iq type='set' to='bob'><si xmlns='http://jabber.org/protocol/si' id='s1'><file xmlns='http://jabber.org/protocol/si/profile/file-transfer' " \
	"name='a &amp; b.txt' size=\"" size "\"/></si></iq>"
#define PROXY "<iq><query xmlns='http://jabber.org/protocol/bytestreams' sid='s1'><streamhost jid='a' host='192.0.2.10' port='5086'/></query></iq>"
#define JINGLE(transport) "<iq type='set'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='j1'><content><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'>" \
	"<file><media-type>text/plain</media-type><name>c.txt</name><size>10</size></file></description>" transport "</content></jingle></iq>"

static const struct talk talks[] = {
        {.name = "offered by stream initiation, sent in-band, with spaces in Base64",
                .port = 5222, .user = "ann", .service = "example.net", .details = {"xmpp.file=a & b.txt"},
                .want = "+a & b.txt;=a & b.txt ibb ann source complete 10 10+0 h84d8;",
                .said = {OPEN, LOGIN, C(OFFER("10")), S("<iq type='result'/>"), C("<iq><open xmlns='http://jabber.org/protocol/ibb' sid='s1' block-size='4096'/></iq>"),
                        C("<iq><data xmlns='http://jabber.org/protocol/ibb' seq='0' sid='s1'>MDEy\nMzQ=</data></iq>"),
                        C("<iq><data seq='1' xmlns='http://jabber.org/protocol/ibb' sid='s1'>NTY3ODk=</data></iq><iq><close xmlns='http://jabber.org/protocol/ibb' sid='s1'/></iq>")}},
        {.name = "an empty file, and one that is refused", .port = 5222, .want = "+a & b.txt;=a & b.txt ibb - source complete 0 0+0 he3b0;",
                .said = {OPEN, C(OFFER("0")), C("<iq><open xmlns='http://jabber.org/protocol/ibb' sid='s1' block-size='4096'/></iq><iq><close xmlns='http://jabber.org/protocol/ibb' sid='s1'/></iq>"),
                        C(OFFER("10")), S("<iq><close xmlns='http://jabber.org/protocol/ibb' sid='s1'/></iq>")}},
        {.name = "offered by Jingle, in-band, from the server's side",
                .port = 5222,
                .want = "+c.txt;=c.txt ibb - destination truncated 10 3+0;",
                .said = {OPEN, S(JINGLE("<transport xmlns='urn:xmpp:jingle:transports:ibb:1' sid='t1'/>")),
                        S("<iq><data xmlns='http://jabber.org/protocol/ibb' seq='0' sid='t1'>MDEy</data></iq>")}},
        {.name = "over SOCKS 5",
                .port = 5222, .other = {"203.0.113.9", "192.0.2.10", 50000, 5086},
                .want = "+a & b.txt;=a & b.txt bytestream - destination complete 10 10+0 h84d8;",
                .said = {OPEN, C(OFFER("10")), C("<iq><query xmlns='http://jabber.org/protocol/bytestreams' sid='s1'><streamhost jid='a' host='192.0.2.10' port='5086'/></query></iq>"),
                        C1("\5\1\0"), S1("\5\0"), C1("\5\1\0\3\4hash\0\0"), S1("\5\0\0\3\4hash\0\0" "01234"), S1("56789")}},
        {.name = "over SOCKS 5, by both ends of a proxy",
                .port = 5222, .other = {"203.0.113.9", "192.0.2.10", 50000, 5086},
                .want = "+a & b.txt;=a & b.txt bytestream - destination complete 10 10+0 h84d8;+a & b.txt;=a & b.txt bytestream - source complete 10 10+0 h84d8;",
                .said = {OPEN, C(OFFER("10")), C(PROXY), C1("\5\1\0"), S1("\5\0"), C1("\5\1\0\3\4hash\0\0"), C2("\5\1\0"), S2("\5\0"), C2("\5\1\0\3\4hash\0\0"),
                        S1("\5\0\0\3\4hash\0\0" "0123456789"), S2("\5\0\0\3\4hash\0\0"), C2("0123456789")}},
        {.name = "over SOCKS 5, and somebody else's at the same proxy",
                .port = 5222, .other = {"203.0.113.9", "192.0.2.10", 50000, 5086},
                .want = "+a & b.txt;=a & b.txt bytestream - destination complete 10 10+0 h84d8;",
                .said = {OPEN, C(OFFER("10")), C(PROXY), C1("\5\1\0"), S1("\5\0"), C1("\5\1\0\3\4hash\0\0"), C2("\5\1\0"), S2("\5\0"), C2("\5\1\0\3\4hush\0\0"),
                        S1("\5\0\0\3\4hash\0\0" "0123456789"), S2("\5\0\0\3\4hush\0\0"), C2("abcdefghij")}},
        {.name = "a hole in in-band data", .port = 5222, .want = "+a & b.txt;=a & b.txt ibb - source truncated 9 3+6;",
                .said = {OPEN, C(OFFER("9")), C("<iq><data xmlns='http://jabber.org/protocol/ibb' seq='0' sid='s1'>MDEy"), GAP_C(8), C("</data></iq>")}},
        {.name = "STARTTLS", .port = 5222, .protocol = "xmpp", .want = NULL,
                .said = {OPEN, C("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), S("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), C("\x16\3\1")}},
        {.name = "quotation marks that don't end", .port = 5222, .want = "", .said = {OPEN, C("<iq a='>>>>")}},
        {.name = "another document", .port = 5222, .protocol = "-", .said = {C("<?xml version='1.0'?><html>")}},
};

static void
test_talks(void **state)
{
	(void)state;
	talk_check(talks, COUNT(talks), "xmpp");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
