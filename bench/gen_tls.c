/*
 * Sessions in the shape of TLS 1.3: a ClientHello as browsers compose it, a ServerHello, and records of application
 * data. RFC 8446 sections 4.1 and 5. Nothing in them is encrypted; it is noise.
 */
#include <string.h>

#include "gen.h"

static void client_hello(const struct gen *g, const struct talk *t, struct message *m);
static void server_hello(const struct gen *g, const struct talk *t, struct message *m);
static size_t extension(uint8_t *p, unsigned type, const void *bytes, size_t len);

static const uint8_t change_cipher[6] = {20, 3, 3, 0, 1, 1};

/*
 * Turns: hello; hello and certificate; the client's finish with its question; answer; question; answer ...
 * A resumed session needs no certificate, and its messages are small.
 */
bool
say_tls(const struct gen *g, const struct talk *t, struct message *m)
{
	bool resumed = t->plot == PLOT_TLS_RESUMED;
	if (t->turn >= 2u + 2u * t->exchanges)
		return false;
	m->from_server = t->turn % 2 == 1;
	if (t->turn == 0) {
		client_hello(g, t, m);
		return true;
	}
	m->records = true;
	if (t->turn == 1) {
		server_hello(g, t, m);
		m->body = resumed ? 140 : 2600 + mixed(t->salt) % 2200;
		return true;
	}
	if (t->turn == 2)
		message_bytes(m, change_cipher, sizeof change_cipher);
	uint32_t luck = mixed(t->salt + t->turn);
	if (m->from_server)
		m->body = resumed ? 60 + luck % 300 : 400 + luck % t->size;
	else
		m->body = 120 + luck % 700;
	return true;
}

static void
client_hello(const struct gen *g, const struct talk *t, struct message *m)
{
	static const uint8_t suites[] = {0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9,
	        0xcc, 0xa8, 0xc0, 0x13, 0xc0, 0x14, 0x00, 0x9c, 0x00, 0x9d, 0x00, 0x2f, 0x00, 0x35};
	static const uint8_t groups[] = {0, 6, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18};
	static const uint8_t signatures[] = {0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1};
	static const uint8_t alpn[] = {0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
	static const uint8_t versions[] = {4, 3, 4, 3, 3};
	uint8_t body[512], extensions[400], share[38] = {0, 36, 0x00, 0x1d, 0, 32}, name[64];
	size_t n = 0, len = 0;

	char host[32];
	struct message text = {0};
	message_text(&text, "assets%03u.cdn-example.net", t->salt % 1000);
	memcpy(host, text.head, text.head_len);
	put16(name, (uint32_t)(text.head_len + 3)); /* RFC 6066 section 3 */
	name[2] = 0;
	put16(name + 3, (uint32_t)text.head_len);
	memcpy(name + 5, host, text.head_len);
	memcpy(share + 6, g->noise + mixed(t->salt) % NOISE_SIZE, 32);
	n += extension(extensions + n, 0, name, text.head_len + 5);
	n += extension(extensions + n, 23, NULL, 0);
	n += extension(extensions + n, 10, groups, sizeof groups);
	n += extension(extensions + n, 11, "\1\0", 2);
	n += extension(extensions + n, 35, NULL, 0);
	n += extension(extensions + n, 16, alpn, sizeof alpn);
	n += extension(extensions + n, 13, signatures, sizeof signatures);
	n += extension(extensions + n, 51, share, sizeof share);
	n += extension(extensions + n, 45, "\1\1", 2);
	n += extension(extensions + n, 43, versions, sizeof versions);

	put16(body, 0x0303);
	memcpy(body + 2, g->noise + t->salt % NOISE_SIZE, 32);
	body[34] = 32; /* the session's name */
	memcpy(body + 35, g->noise + mixed(t->salt + 1) % NOISE_SIZE, 32);
	len = 67;
	put16(body + len, sizeof suites);
	memcpy(body + len + 2, suites, sizeof suites);
	len += 2 + sizeof suites;
	body[len++] = 1; /* no compression */
	body[len++] = 0;
	put16(body + len, (uint32_t)n);
	memcpy(body + len + 2, extensions, n);
	len += 2 + n;

	uint8_t header[9] = {22, 3, 1, 0, 0, 1 /* ClientHello */, 0};
	put16(header + 3, (uint32_t)(len + 4));
	put16(header + 7, (uint32_t)len);
	message_bytes(m, header, sizeof header);
	message_bytes(m, body, len);
}

static void
server_hello(const struct gen *g, const struct talk *t, struct message *m)
{
	static const uint8_t header[11] = {22, 3, 3, 0, 122, 2 /* ServerHello */, 0, 0, 118, 3, 3};
	static const uint8_t chosen[] = {0x13, 0x01, 0, 0, 46, 0, 43, 0, 2, 3, 4, 0, 51, 0, 36, 0x00, 0x1d, 0, 32};
	message_bytes(m, header, sizeof header);
	message_noise(g, m, mixed(t->salt + 2), 32);
	message_bytes(m, "\x20", 1);
	message_noise(g, m, mixed(t->salt + 1), 32);
	message_bytes(m, chosen, sizeof chosen);
	message_noise(g, m, mixed(t->salt + 3), 32);
	message_bytes(m, change_cipher, sizeof change_cipher);
}

static size_t
extension(uint8_t *p, unsigned type, const void *bytes, size_t len)
{
	put16(p, type);
	put16(p + 2, (uint32_t)len);
	if (len > 0)
		memcpy(p + 4, bytes, len);
	return 4 + len;
}
