/* DNS: messages composed here, their names and addresses, streams cut anywhere, and tunnels. */
#include "config.h"

#include "proto_stage.h"

#include "base/reader.h"
#include "proto/dns_message.h"

struct message {
	uint8_t bytes[1024];
	size_t len;
};

struct heard {
	char text[2048];
};

static void
put16(struct message *m, unsigned n)
{
	m->bytes[m->len++] = (uint8_t)(n >> 8);
	m->bytes[m->len++] = (uint8_t)n;
}

/* "a.b" as labels; "@12" at its end: a pointer. */
static void
put_name(struct message *m, const char *name)
{
	while (*name != '\0' && *name != '@') {
		size_t n = strcspn(name, ".@");
		m->bytes[m->len++] = (uint8_t)n;
		memcpy(m->bytes + m->len, name, n);
		m->len += n;
		name += n + (name[n] == '.');
	}
	if (*name == '@')
		put16(m, 0xc000u | (unsigned)atoi(name + 1));
	else
		m->bytes[m->len++] = 0;
}

static struct message
header(unsigned flags, unsigned questions, unsigned answers)
{
	struct message m = {.len = 0};
	put16(&m, 0x1234);
	put16(&m, flags);
	put16(&m, questions);
	put16(&m, answers);
	put16(&m, 0);
	put16(&m, 0);
	return m;
}

static void
put_question(struct message *m, const char *name, unsigned type)
{
	put_name(m, name);
	put16(m, type);
	put16(m, 1);
}

static void
put_record(struct message *m, const char *owner, unsigned type, unsigned ttl, const void *data, size_t len)
{
	put_name(m, owner);
	put16(m, type);
	put16(m, 1);
	put16(m, ttl >> 16);
	put16(m, ttl);
	put16(m, (unsigned)len);
	memcpy(m->bytes + m->len, data, len);
	m->len += len;
}

static void
put_alias(struct message *m, const char *owner, unsigned ttl, const char *target)
{
	struct message data = {.len = 0};
	put_name(&data, target);
	put_record(m, owner, DNS_CNAME, ttl, data.bytes, data.len);
}

static void
put_v4(struct message *m, const char *owner, unsigned ttl, const char *addr)
{
	struct addr a;
	assert_int_equal(addr_parse(addr, &a), 0);
	put_record(m, owner, DNS_A, ttl, a.bytes + 12, 4);
}

static void
hear(void *ctx, const struct dns_name *name, const struct addr *addr, uint32_t ttl)
{
	struct heard *h = ctx;
	char text[ADDR_TEXT_MAX];
	size_t used = strlen(h->text);
	snprintf(h->text + used, sizeof h->text - used, "%.*s=%s/%u;", name->len, name->text, addr_format(addr, text),
	        ttl);
}

/* In an exact-size copy. */
static const char *
addresses(const struct message *m, size_t len, struct heard *h)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, m->bytes, len);
	h->text[0] = '\0';
	struct dns_message message;
	if (dns_message_read(copy, len, &message))
		dns_message_addresses(&message, hear, h);
	free(copy);
	return h->text;
}

static void
test_addresses(void **state)
{
	struct heard h;
	struct message m = header(0x8180, 1, 3);
	(void)state;
	put_question(&m, "WWW.Example.com", DNS_A);
	put_alias(&m, "@12", 300, "edge.example.net");
	put_v4(&m, "edge.example.net", 20, "192.0.2.1");
	put_v4(&m, "edge.example.net", 400, "192.0.2.2");
	assert_string_equal(addresses(&m, m.len, &h), "www.example.com=192.0.2.1/20;www.example.com=192.0.2.2/300;");
	/* Cut anywhere: what is there is true, and nothing is read beyond. */
	for (size_t len = 0; len < m.len; len++) {
		const char *text = addresses(&m, len, &h);
		assert_true(strncmp("www.example.com=192.0.2.1/20;www.example.com=192.0.2.2/300;", text, strlen(text)) == 0);
	}

	/* About another name: nobody asked for it. */
	m = header(0x8180, 1, 2);
	put_question(&m, "www.example.com", DNS_A);
	put_v4(&m, "bank.example", 60, "192.0.2.66");
	put_v4(&m, "@12", 60, "192.0.2.1");
	assert_string_equal(addresses(&m, m.len, &h), "www.example.com=192.0.2.1/60;");

	/* AAAA, a TTL with its top bit set, a name with bytes of no name. */
	m = header(0x8180, 1, 1);
	put_question(&m, "a\xff b.example", DNS_AAAA);
	put_record(&m, "@12", DNS_AAAA, 0x80000001u, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_string_equal(addresses(&m, m.len, &h), "a??b.example=2001:db8::1/0;");

	/* HTTPS with hints (RFC 9460). */
	m = header(0x8180, 1, 1);
	put_question(&m, "h.example", DNS_HTTPS);
	static const uint8_t binding[] = {0, 1, 0, /* alpn */ 0, 1, 0, 3, 2, 'h', '2',
	        /* ipv4hint */ 0, 4, 0, 8, 192, 0, 2, 1, 192, 0, 2, 2};
	put_record(&m, "@12", DNS_HTTPS, 60, binding, sizeof binding);
	assert_string_equal(addresses(&m, m.len, &h), "h.example=192.0.2.1/60;h.example=192.0.2.2/60;");

	/* mDNS: no question, the class has a bit of its own. */
	m = header(0x8400, 0, 1);
	put_name(&m, "printer.local");
	put16(&m, DNS_A);
	put16(&m, 0x8001);
	put16(&m, 0);
	put16(&m, 120);
	put16(&m, 4);
	memcpy(m.bytes + m.len, "\xc0\x00\x02\x09", 4);
	m.len += 4;
	assert_string_equal(addresses(&m, m.len, &h), "printer.local=192.0.2.9/120;");
}

static void
test_bad(void **state)
{
	struct heard h;
	struct message m;
	(void)state;
	/* A name that points to itself, or on. */
	m = header(0x0100, 1, 0);
	put_name(&m, "@12");
	put16(&m, 1);
	put16(&m, 1);
	assert_false(dns_message_fits(m.bytes, m.len));
	m = header(0x0100, 1, 0);
	put_name(&m, "@14");
	put_name(&m, "@12");
	put16(&m, 1);
	put16(&m, 1);
	assert_false(dns_message_fits(m.bytes, m.len));
	/* Labels that go on and on. */
	m = header(0x0100, 1, 0);
	for (int i = 0; i < 5; i++) {
		m.bytes[m.len++] = 63;
		memset(m.bytes + m.len, 'a', 63);
		m.len += 63;
	}
	m.bytes[m.len++] = 0;
	put16(&m, 1);
	put16(&m, 1);
	assert_false(dns_message_fits(m.bytes, m.len));
	/* Z, an opcode that there is not, a response code in a query, a class and a type that nobody has. */
	static const unsigned flags[] = {0x0140, 0x7900, 0x1900, 0x0103};
	for (size_t i = 0; i < COUNT(flags); i++) {
		m = header(flags[i], 1, 0);
		put_question(&m, "a.example", 1);
		assert_false(dns_message_fits(m.bytes, m.len));
	}
	m = header(0x0100, 1, 0);
	put_question(&m, "a.example", 999);
	assert_false(dns_message_fits(m.bytes, m.len));
	m = header(0x0100, 1, 0);
	put_question(&m, "a.example", 1);
	assert_true(dns_message_fits(m.bytes, m.len));
	m.bytes[m.len - 1] = 9;
	assert_false(dns_message_fits(m.bytes, m.len));
	/* No question and no answer; a header alone; nothing. */
	m = header(0x0100, 0, 0);
	assert_false(dns_message_fits(m.bytes, m.len));
	m = header(0x0100, 1, 0);
	assert_false(dns_message_fits(m.bytes, m.len));
	assert_false(dns_message_fits(m.bytes, 0));
	/* Record data longer than the message: not read. */
	m = header(0x8180, 1, 1);
	put_question(&m, "a.example", 1);
	put_v4(&m, "@12", 60, "192.0.2.1");
	m.bytes[m.len - 5] = 5;
	assert_string_equal(addresses(&m, m.len, &h), "");
}

static const char *
protocol(struct stage *s, size_t n)
{
	const char *name = session_protocol_name(s->flow[n].session);
	return name != NULL ? name : "-";
}

static void
test_datagrams(void **state)
{
	static const struct {
		uint16_t port[2];
		const char *protocol;
	} rows[] = {
	        {{40000, 53}, "dns"}, {{40000, 4000}, "dns"}, {{5353, 5353}, "mdns"}, {{40000, 5353}, "mdns"},
	        {{40000, 5355}, "llmnr"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s;
		struct message m = header(0x0100, 1, 0);
		put_question(&m, "a.example", 1);
		stage_init(&s);
		stage_datagrams(&s, 0, "10.0.0.1", rows[i].port[0], "10.0.0.2", rows[i].port[1]);
		assert_int_equal(stage_data(&s, 0, SIDE_SOURCE, m.bytes, m.len), VERDICT_DONE);
		assert_string_equal(protocol(&s, 0), rows[i].protocol);
		assert_false(session_turned(s.flow[0].session));
		assert_non_null(session_plain(s.flow[0].session));
		stage_clear(&s);
	}
	/* Seen from its answer on: who asked is the other end. */
	struct stage s;
	struct message m = header(0x8180, 1, 1);
	put_question(&m, "a.example", 1);
	put_v4(&m, "@12", 60, "192.0.2.1");
	stage_init(&s);
	stage_datagrams(&s, 0, "10.0.0.2", 53, "10.0.0.1", 40000);
	assert_int_equal(stage_data(&s, 0, SIDE_SOURCE, m.bytes, m.len), VERDICT_DONE);
	assert_true(session_turned(s.flow[0].session));
	stage_clear(&s);
}

static void
keep_resolved(void *ctx, const struct resolution *r)
{
	struct heard *h = ctx;
	char text[ADDR_TEXT_MAX], client[ADDR_TEXT_MAX];
	size_t used = strlen(h->text);
	snprintf(h->text + used, sizeof h->text - used, "%.*s=%s/%u for %s;", (int)r->len, r->name,
	        addr_format(&r->addr, text), r->ttl, addr_format(&r->client, client));
}

/* Where there is no session: what is told, and is that all? */
static bool
glance(const struct message *m, enum side from, uint16_t port, struct heard *h, bool *turned)
{
	static const struct transfer_ops ops = {.resolved = keep_resolved};
	static const struct transfer_limits limits = {.no_magic = true};
	struct glance g = {.from = from, .time = CLOCK_SECOND, .bytes = m->bytes, .len = m->len};
	struct conversations *all = conversations_create();
	unsigned known;
	h->text[0] = '\0';
	g.tracker = transfer_tracker_create(&limits, &ops, h);
	assert_non_null(g.tracker);
	assert_non_null(all);
	g.ends = (struct session_ends){.port = {40000, port}, .transport = IPPROTO_UDP};
	assert_int_equal(addr_parse("10.0.0.1", &g.ends.addr[SIDE_SOURCE]), 0);
	assert_int_equal(addr_parse("10.0.0.2", &g.ends.addr[SIDE_DESTINATION]), 0);
	const bool all_read = conversation_wanted(all, &g, &known) && conversation_glance(&g, known);
	*turned = g.turned;
	transfer_tracker_destroy(g.tracker);
	conversations_destroy(all);
	return all_read;
}

static void
test_glance(void **state)
{
	static const char carrier[] = "abcdefghijklmnopqrstuvwxyz0123456789.example.com";
	struct heard h;
	bool turned;
	(void)state;
	struct message q = header(0x0100, 1, 0), a = header(0x8180, 1, 1);
	put_question(&q, "a.example", DNS_A);
	put_question(&a, "a.example", DNS_A);
	put_v4(&a, "@12", 60, "192.0.2.1");
	assert_true(glance(&q, SIDE_SOURCE, 53, &h, &turned));
	assert_string_equal(h.text, "");
	assert_false(turned);
	assert_true(glance(&a, SIDE_DESTINATION, 53, &h, &turned));
	assert_string_equal(h.text, "a.example=192.0.2.1/60 for 10.0.0.1;");
	assert_false(turned);
	assert_true(glance(&a, SIDE_SOURCE, 53, &h, &turned)); /* the answer came first */
	assert_string_equal(h.text, "a.example=192.0.2.1/60 for 10.0.0.2;");
	assert_true(turned);
	assert_true(glance(&a, SIDE_SOURCE, 5353, &h, &turned));
	assert_string_equal(h.text, "a.example=192.0.2.1/60 for ::;");
	assert_false(turned);
	/* What may be a tunnel's is counted in a session. */
	struct message long_q = header(0x0100, 1, 0), text_q = header(0x0100, 1, 0);
	put_question(&long_q, carrier, DNS_A);
	put_question(&text_q, "ticket.example.com", DNS_TXT);
	assert_false(glance(&long_q, SIDE_SOURCE, 53, &h, &turned));
	assert_false(glance(&text_q, SIDE_SOURCE, 53, &h, &turned));
	assert_true(glance(&long_q, SIDE_SOURCE, 5353, &h, &turned));
}

/* Two questions and their answers over TCP, in pieces of every size. */
static void
test_stream(void **state)
{
	uint8_t asks[256], answers[512];
	size_t ask_len = 0, answer_len = 0;
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct message q = header(0x0100, 1, 0), a = header(0x8180, 1, 1);
		put_question(&q, i == 0 ? "a.example" : "b.example", 1);
		put_question(&a, i == 0 ? "a.example" : "b.example", 1);
		put_v4(&a, "@12", 60, "192.0.2.1");
		asks[ask_len++] = 0;
		asks[ask_len++] = (uint8_t)q.len;
		memcpy(asks + ask_len, q.bytes, q.len);
		ask_len += q.len;
		answers[answer_len++] = 0;
		answers[answer_len++] = (uint8_t)a.len;
		memcpy(answers + answer_len, a.bytes, a.len);
		answer_len += a.len;
	}
	for (size_t piece = 1; piece <= answer_len; piece++) {
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "10.0.0.1", 40000, "10.0.0.2", 4053);
		for (size_t at = 0; at < ask_len; at += piece)
			stage_data(&s, 0, SIDE_SOURCE, asks + at, piece < ask_len - at ? piece : ask_len - at);
		assert_string_equal(protocol(&s, 0), "dns");
		for (size_t at = 0; at < answer_len; at += piece)
			assert_int_equal(stage_data(&s, 0, SIDE_DESTINATION, answers + at,
			                         piece < answer_len - at ? piece : answer_len - at), VERDICT_MORE);
		stage_clear(&s);
	}
	static const char *const others[] = {"GET / HTTP/1.1\r\n\r\n", "\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "\0\x05hello"};
	for (size_t i = 0; i < COUNT(others); i++) {
		struct stage s;
		stage_init(&s);
		stage_flow(&s, 0, "10.0.0.1", 40000, "10.0.0.2", 53);
		stage_data(&s, 0, SIDE_SOURCE, others[i], i == 1 ? 16 : strlen(others[i] + (i == 2)) + (i == 2));
		assert_string_not_equal(protocol(&s, 0), "dns");
		stage_clear(&s);
	}
}

/* names: how many, of so many characters each, all different or not; told as a tunnel? */
static bool
tunnels(unsigned names, unsigned len, unsigned type, bool different, unsigned answer, const char *letters)
{
	struct stage s;
	bool told = false;
	stage_init(&s);
	for (unsigned i = 0; i < names; i++) {
		char name[256];
		struct message q = header(0x0100, 1, 0), a = header(0x8180, 1, 1);
		size_t at = 0;
		uint8_t data[200] = {0};
		for (unsigned k = 0; k < len; k++)
			name[at++] = k % 60 == 59 ? '.' : letters[((different ? i : 0) * 7 + k * (k + 3)) % strlen(letters)];
		snprintf(name + at, sizeof name - at, "%u.t.example.com", different ? i : 0);
		put_question(&q, name, type);
		put_question(&a, name, type);
		put_record(&a, "@12", type, 0, data, answer);
		size_t n = i % STAGE_FLOWS;
		stage_close(&s, n, false);
		stage_datagrams(&s, n, "10.0.0.1", (uint16_t)(40000 + i), "10.0.0.2", 53);
		stage_data(&s, n, SIDE_SOURCE, q.bytes, q.len);
		if (s.flow[n].verdict == VERDICT_DONE) {
			stage_close(&s, n, false);
			stage_datagrams(&s, n, "10.0.0.1", (uint16_t)(40000 + i), "10.0.0.2", 53);
		}
		stage_data(&s, n, SIDE_DESTINATION, a.bytes, a.len);
		const char *domain = stage_detail(&s, n, "tunnel.domain");
		if (domain != NULL) {
			assert_string_equal(domain, "example.com");
			assert_string_equal(stage_detail(&s, n, "tunnel.kind"), "dns");
			told = true;
		}
	}
	stage_clear(&s);
	return told;
}

static void
test_tunnel(void **state)
{
	static const char base32[] = "abcdefghijklmnopqrstuvwxyz012345";
	(void)state;
	assert_true(tunnels(200, 120, DNS_A, true, 4, base32));     /* upwards */
	assert_true(tunnels(200, 40, DNS_TXT, true, 120, base32));  /* downwards */
	assert_false(tunnels(60, 120, DNS_A, true, 4, base32));     /* few */
	assert_false(tunnels(400, 120, DNS_A, false, 4, base32));   /* always the same */
	assert_false(tunnels(400, 40, DNS_A, true, 4, base32));     /* hashes looked up */
	assert_false(tunnels(400, 20, DNS_A, true, 120, base32));   /* short */
	assert_true(tunnels(400, 8, DNS_TXT, true, 120, base32));   /* short, and the answers are not */
	assert_false(tunnels(400, 8, DNS_TXT, true, 120, "0123456789")); /* block lists */
	assert_false(tunnels(400, 120, DNS_A, true, 4, "abc"));     /* no data */
	assert_false(tunnels(400, 120, DNS_A, true, 4, "abcde-fghijk-")); /* words */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_addresses), cmocka_unit_test(test_bad), cmocka_unit_test(test_datagrams),
	        cmocka_unit_test(test_glance),
	        cmocka_unit_test(test_stream), cmocka_unit_test(test_tunnel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
