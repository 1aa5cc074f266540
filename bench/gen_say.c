/* Small things said: DNS, datagrams in QUIC's shape, HTTP interfaces that answer little, and what nobody knows. */
#include <string.h>

#include "gen.h"

static void dns_name(struct message *m, uint32_t n);

/* A question, its answer, and so on. RFC 1035 section 4.1. */
bool
say_dns(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	uint32_t question = t->salt + t->turn / 2;
	if (t->turn >= 2u * t->exchanges)
		return false;
	m->from_server = t->turn % 2 == 1;
	uint8_t header[12] = {0, 0, m->from_server ? 0x81 : 0x01, m->from_server ? 0x80 : 0, 0, 1, 0, m->from_server};
	put16(header, mixed(question) & 0xffff);
	message_bytes(m, header, sizeof header);
	dns_name(m, question);
	static const uint8_t type_a[4] = {0, 1, 0, 1};
	message_bytes(m, type_a, sizeof type_a);
	if (m->from_server) {
		uint8_t answer[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 198, 19};
		put16(answer + 14, question & 0xffff);
		message_bytes(m, answer, sizeof answer);
	}
	return true;
}

static void
dns_name(struct message *m, uint32_t n)
{
	message_text(m, "%c%s%05u", 8, "cdn", n % 100000);
	message_bytes(m, "\7example\3net", 13);
}

/*
 * Datagrams of QUIC's shape and volume: long headers of version 1 first (RFC 9000 section 17.2.2), then short
 * ones. None of it can be decrypted. t->size: what the server sends; where there is a number of exchanges
 * it holds instead, and datagrams are small.
 */
bool
say_quic(const struct gen *g, const struct talk *t, struct message *m)
{
	bool small = t->exchanges > 1;
	uint32_t last = small ? 2u * t->exchanges : 4 + 3 * (t->size / 2500 + 1);
	if (t->turn >= last)
		return false;
	m->from_server = small ? t->turn % 2 == 1 : t->turn < 4 ? t->turn == 1 || t->turn == 2 : t->turn % 3 != 0;
	if (t->turn < 2 || (!small && t->turn == 2)) {
		static const uint8_t initial[6] = {0xc3, 0, 0, 0, 1, 8};
		message_bytes(m, initial, sizeof initial);
		message_noise(g, m, t->salt, 8);
		message_bytes(m, "\0\0\x44\x9e", 4);
		m->body = 1200 - (uint32_t)m->head_len;
		return true;
	}
	message_bytes(m, "\x43", 1);
	m->body = small ? 40 + mixed(t->salt + t->turn) % 60 : m->from_server ? 1230 : 32 + mixed(t->salt + t->turn) % 30;
	return true;
}

/* A question to an HTTP interface and its small answer; of ten, four 204, three 304, three 200 with JSON. */
bool
say_api(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	if (t->turn >= 2)
		return false;
	m->from_server = t->turn == 1;
	uint32_t luck = t->salt % 10;
	if (!m->from_server)
		message_text(m,
		        "%s /api/v2/items/%u HTTP/1.1\r\nHost: api%u.example.net\r\nUser-Agent: studio-agent/3.1\r\nAccept: */*\r\n%s\r\n",
		        luck < 4 ? "DELETE" : "GET", t->salt >> 8, t->salt % 97,
		        luck >= 4 && luck < 7 ? "If-None-Match: \"5f1c-60e\"\r\n" : "");
	else if (luck < 4)
		message_text(m, "HTTP/1.1 204 No Content\r\nServer: gate\r\n\r\n");
	else if (luck < 7)
		message_text(m, "HTTP/1.1 304 Not Modified\r\nServer: gate\r\nETag: \"5f1c-60e\"\r\n\r\n");
	else
		message_text(m,
		        "HTTP/1.1 200 OK\r\nServer: gate\r\nContent-Type: application/json\r\nContent-Length: 63\r\n\r\n"
		        "{\"id\": 1%09u, \"state\": \"open\", \"owner\": \"studio_%07u\"}\n",
		        t->salt >> 8, t->salt % 9999991);
	return true;
}

/* A protocol of length-prefixed records that nobody knows. */
bool
say_unknown(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	if (t->turn >= 2u * t->exchanges)
		return false;
	m->from_server = t->turn % 2 == 1;
	m->body = m->from_server ? 24 + mixed(t->salt + t->turn) % t->size : 24 + mixed(t->salt + t->turn) % 120;
	uint8_t header[8] = {0xb5, 0x01};
	put32(header + 4, m->body);
	message_bytes(m, header, sizeof header);
	return true;
}

/* One small file after another over one connection. */
bool
say_small_files(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	uint32_t file = t->salt + t->turn / 2;
	if (t->turn >= 2u * t->exchanges)
		return false;
	m->from_server = t->turn % 2 == 1;
	if (!m->from_server) {
		message_text(m, "GET /thumbs/%08x.bin HTTP/1.1\r\nHost: media.example.net\r\nUser-Agent: studio-agent/3.1\r\n\r\n", mixed(file));
		return true;
	}
	m->body = 400 + mixed(file) % 600;
	message_text(m, "HTTP/1.1 200 OK\r\nServer: gate\r\nContent-Type: application/octet-stream\r\nContent-Length: %u\r\n\r\n", m->body);
	return true;
}
