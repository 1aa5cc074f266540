/*
 * generate KIND SIZE [SEED]: a capture for measuring, the same for the same arguments, on standard
 * output. KIND: mix (short and long HTTP, FTP, TLS-like and UDP flows), bulk (long HTTP and FTP transfers),
 * many (short flows only). SIZE: about so many megabytes. Its own traffic, its own code; addresses are
 * of 198.18.0.0/15 (RFC 2544) with a listed one among them now and then.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOWS_MAX = 4096, MSS = 1460, FRAME_MAX = 1600 };

enum kind { KIND_HTTP, KIND_FTP_DATA, KIND_TLS, KIND_UDP, KIND_SHORT };

/* A conversation under way: the next step is all that it knows. */
struct talk {
	enum kind kind;
	uint32_t client, server;
	uint16_t client_port, server_port;
	uint32_t seq[2];  /* client's, server's */
	unsigned step;
	uint32_t left;    /* payload bytes still to send */
	bool upload;
};

struct generator {
	uint64_t random;
	int64_t time; /* microseconds */
	uint64_t written, limit;
	unsigned mix[5]; /* weights by kind */
	uint32_t payload_min, payload_max;
	size_t flows;
	uint32_t next_client;
	struct talk talks[FLOWS_MAX];
	uint8_t noise[65536];
};

static uint32_t
random_below(struct generator *g, uint32_t n)
{
	g->random = g->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((g->random >> 33) % n);
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t
sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len % 2 != 0)
		sum += (uint32_t)p[len - 1] << 8;
	return sum;
}

static unsigned
fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Writes one frame with right checksums. */
static void
emit(struct generator *g, const struct talk *t, bool from_server, unsigned flags, const void *payload, size_t len)
{
	uint8_t f[FRAME_MAX] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	bool udp = t->kind == KIND_UDP;
	size_t header = udp ? 8 : 20, total = 20 + header + len;
	uint8_t *ip = f + 14, *l4 = ip + 20;
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)total);
	ip[8] = 64;
	ip[9] = udp ? 17 : 6;
	put32(ip + 12, from_server ? t->server : t->client);
	put32(ip + 16, from_server ? t->client : t->server);
	put16(ip + 10, fold(sum16(0, ip, 20)));
	put16(l4, from_server ? t->server_port : t->client_port);
	put16(l4 + 2, from_server ? t->client_port : t->server_port);
	if (udp) {
		put16(l4 + 4, (unsigned)(8 + len));
	} else {
		put32(l4 + 4, t->seq[from_server]);
		put32(l4 + 8, (flags & 0x10) != 0 ? t->seq[!from_server] : 0);
		l4[12] = 0x50;
		l4[13] = (uint8_t)flags;
		put16(l4 + 14, 64000);
	}
	if (len > 0)
		memcpy(l4 + header, payload, len);
	uint32_t pseudo = sum16(0, ip + 12, 8) + ip[9] + (uint32_t)(header + len);
	unsigned check = fold(sum16(pseudo, l4, header + len));
	put16(l4 + (udp ? 6 : 16), check != 0 ? check : 0xffff);

	uint32_t record[4] = {(uint32_t)(g->time / 1000000), (uint32_t)(g->time % 1000000), (uint32_t)(14 + total),
	        (uint32_t)(14 + total)};
	fwrite(record, sizeof record, 1, stdout);
	fwrite(f, 14 + total, 1, stdout);
	g->written += sizeof record + 14 + total;
	g->time += 1 + random_below(g, 8);
}

static void
send_text(struct generator *g, struct talk *t, bool from_server, const char *text)
{
	size_t len = strlen(text);
	emit(g, t, from_server, 0x18, text, len);
	t->seq[from_server] += (uint32_t)len;
}

static void
begin(struct generator *g, struct talk *t)
{
	unsigned total = 0, kind = 0;
	for (unsigned i = 0; i < 5; i++)
		total += g->mix[i];
	unsigned pick = random_below(g, total);
	while (pick >= g->mix[kind])
		pick -= g->mix[kind++];
	*t = (struct talk){.kind = (enum kind)kind};
	t->client = 0xc6120000u + (g->next_client++ & 0xffff);
	t->server = 0xc6130000u + random_below(g, 512);
	if (random_below(g, 20000) == 0)
		t->server = 0xaf2db237u; /* 175.45.178.55 */
	t->client_port = (uint16_t)(1024 + random_below(g, 60000));
	t->server_port = kind == KIND_TLS ? 443 : kind == KIND_UDP ? 53 : kind == KIND_FTP_DATA ? 20 : 80;
	t->seq[0] = random_below(g, 0x7fffffff);
	t->seq[1] = random_below(g, 0x7fffffff);
	t->left = kind == KIND_SHORT || kind == KIND_UDP
	                  ? 40 + random_below(g, 400)
	                  : g->payload_min + random_below(g, g->payload_max - g->payload_min);
	t->upload = random_below(g, 4) == 0;
}

static void
send_payload(struct generator *g, struct talk *t)
{
	unsigned burst = 1 + random_below(g, 8);
	bool from_server = !t->upload;
	for (unsigned i = 0; i < burst && t->left > 0; i++) {
		size_t len = t->left < MSS ? t->left : MSS;
		emit(g, t, from_server, 0x10, g->noise + random_below(g, sizeof g->noise - MSS), len);
		t->seq[from_server] += (uint32_t)len;
		t->left -= (uint32_t)len;
		if (i % 2 == 1)
			emit(g, t, !from_server, 0x10, NULL, 0);
	}
}

static void
send_head(struct generator *g, struct talk *t)
{
	static const uint8_t hello[6] = {0x17, 0x03, 0x03, 0x40, 0x00, 0x00};
	char text[256];
	if (t->kind == KIND_TLS) {
		emit(g, t, false, 0x18, hello, sizeof hello);
		t->seq[0] += sizeof hello;
	} else if (t->kind == KIND_HTTP || t->kind == KIND_SHORT) {
		snprintf(text, sizeof text, "%s /shots/%08x.exr HTTP/1.1\r\nHost: media.example\r\nUser-Agent: bench\r\n",
		        t->upload ? "PUT" : "GET", t->seq[0]);
		if (t->upload)
			snprintf(text + strlen(text), sizeof text - strlen(text), "Content-Length: %u\r\n", t->left);
		strcat(text, "\r\n");
		send_text(g, t, false, text);
		if (!t->upload) {
			snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: image/x-exr\r\nContent-Length: %u\r\n\r\n", t->left);
			send_text(g, t, true, text);
		}
	}
}

/* One step of a conversation; false when it is over. */
static bool
step(struct generator *g, struct talk *t)
{
	if (t->kind == KIND_UDP) {
		emit(g, t, t->step == 1, 0, g->noise + 100, t->step == 1 ? t->left : 40);
		return ++t->step < 2;
	}
	switch (t->step++) {
	case 0: emit(g, t, false, 0x02, NULL, 0); t->seq[0]++; return true;
	case 1: emit(g, t, true, 0x12, NULL, 0); t->seq[1]++; return true;
	case 2: emit(g, t, false, 0x10, NULL, 0); return true;
	case 3: send_head(g, t); return true;
	case 4:
		send_payload(g, t);
		if (t->left > 0)
			t->step = 4;
		return true;
	case 5:
		if (t->upload && (t->kind == KIND_HTTP || t->kind == KIND_SHORT))
			send_text(g, t, true, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
		emit(g, t, false, 0x11, NULL, 0);
		t->seq[0]++;
		return true;
	case 6: emit(g, t, true, 0x11, NULL, 0); t->seq[1]++; return true;
	default: emit(g, t, false, 0x10, NULL, 0); return false;
	}
}

int
main(int argc, char **argv)
{
	static struct generator g = {.time = INT64_C(1705282200000000), .flows = 1000};
	static char buffer[1 << 20];
	if (argc < 3) {
		fprintf(stderr, "usage: generate mix|bulk|many MEGABYTES [SEED] > FILE\n");
		return 2;
	}
	g.limit = strtoull(argv[2], NULL, 10) * 1000000;
	g.random = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	if (strcmp(argv[1], "bulk") == 0) {
		memcpy(g.mix, (unsigned[5]){3, 1, 1, 0, 0}, sizeof g.mix);
		g.flows = 200;
		g.payload_min = 4000000;
		g.payload_max = 16000000;
	} else if (strcmp(argv[1], "many") == 0) {
		memcpy(g.mix, (unsigned[5]){0, 0, 0, 1, 2}, sizeof g.mix);
		g.flows = FLOWS_MAX;
		g.payload_min = 100;
		g.payload_max = 400;
	} else if (strcmp(argv[1], "mix") == 0) {
		memcpy(g.mix, (unsigned[5]){6, 1, 4, 8, 6}, sizeof g.mix);
		g.payload_min = 2000;
		g.payload_max = 400000;
	} else {
		fprintf(stderr, "generate: no such kind: %s\n", argv[1]);
		return 2;
	}
	for (size_t i = 0; i < sizeof g.noise; i++)
		g.noise[i] = (uint8_t)random_below(&g, 256);

	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};
	fwrite(header, sizeof header, 1, stdout);
	for (size_t i = 0; i < g.flows; i++)
		begin(&g, &g.talks[i]);
	while (g.written < g.limit) {
		struct talk *t = &g.talks[random_below(&g, (uint32_t)g.flows)];
		if (!step(&g, t))
			begin(&g, t);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
