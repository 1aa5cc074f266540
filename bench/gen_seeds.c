/*
 * The sample captures as seeds: all that two hosts said in one file, with TCP and UDP, is a conversation, so that
 * FTP's control and data connections stay together. A copy gets other addresses, whose text is as long as that of
 * the ones they replace wherever payloads name them (FTP's PASV and PORT, HTTP's Host), other ports at
 * the ends that began, other sequence numbers, and other times.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

enum { ETHERNET = 14, FLOWS_MAX = 32, PACKET_MAX = 2048, TEXT_MAX = INET6_ADDRSTRLEN, SEEDS_MAX = 64, CLIENTS = 500, SERVERS = 5000 };
enum { MIN_PACKETS = 4 };

/* A place in a packet where a payload names a host. */
struct mention {
	uint16_t at;
	uint8_t host;
	char separator; /* '.' or ',' (FTP) */
};

struct seed_packet {
	int64_t offset; /* from the conversation's first packet, microseconds */
	uint8_t *ip;
	uint16_t len, l4;
	uint8_t from, flow, proto;
	struct mention mentions[2];
	uint8_t mention_count;
};

/* What two hosts said in one file. */
struct seed {
	struct address host[2]; /* the first one began */
	char text[2][TEXT_MAX];
	int64_t start;
	struct {
		uint8_t initiator;
		uint16_t port[2]; /* of the hosts */
	} flows[FLOWS_MAX];
	uint8_t flow_count;
	struct seed_packet *packets;
	size_t count, room;
	bool both;
};

struct seeds {
	struct seed seed[SEEDS_MAX];
	size_t count;
};

struct seed_talk {
	const struct seed *seed;
	struct address host[2];
	char text[2][2][TEXT_MAX]; /* by host; with '.' (or as IPv6 has it), with ',' */
	int64_t start;
	uint32_t stretch;
	size_t next;
	uint16_t port[FLOWS_MAX];
	uint32_t shift[FLOWS_MAX][2];
};

static int is_capture(const struct dirent *entry);
static void load_file(struct seeds *s, const char *path);
static void load_packet(struct seeds *s, size_t first, const struct pcap_pkthdr *h, const uint8_t *frame);
static struct seed *seed_between(struct seeds *s, size_t first, const struct address *from, const struct address *to);
static int flow_of(struct seed *d, unsigned from, const uint8_t *ports);
static void add_packet(struct seed *d, const struct seed_packet *p, const uint8_t *ip);
static void find_mentions(const struct seed *d, struct seed_packet *p, size_t payload);
static bool new_address(struct gen *g, const struct seed *d, unsigned host, struct address *out);
static void shift_tcp(const struct seed_talk *t, const struct seed_packet *p, uint8_t *tcp, unsigned side);
static void with_commas(char *out, const char *text);

struct seeds *
seeds_load(const char *folder)
{
	struct dirent **names = NULL;
	struct seeds *s = calloc(1, sizeof *s);
	int n = scandir(folder, &names, is_capture, alphasort);
	if (s == NULL || n < 0) {
		perror(folder);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		char path[4096];
		if (snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name) < (int)sizeof path)
			load_file(s, path);
		free(names[i]);
	}
	free(names);
	if (s->count == 0) {
		fprintf(stderr, "generate: %s holds no captures to copy; name the folder with --seeds\n", folder);
		exit(1);
	}
	return s;
}

void
seeds_free(struct seeds *s)
{
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < s->seed[i].count; k++)
			free(s->seed[i].packets[k].ip);
		free(s->seed[i].packets);
	}
	free(s);
}

static int
is_capture(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 5 && strcmp(entry->d_name + len - 5, ".pcap") == 0;
}

static void
load_file(struct seeds *s, const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, error);
	if (p == NULL || pcap_datalink(p) != DLT_EN10MB) {
		fprintf(stderr, "generate: %s\n", p == NULL ? error : "not of Ethernet");
		exit(1);
	}
	size_t first = s->count;
	struct pcap_pkthdr *header;
	const u_char *frame;
	while (pcap_next_ex(p, &header, &frame) == 1)
		load_packet(s, first, header, frame);
	pcap_close(p);

	size_t kept = first;
	for (size_t i = first; i < s->count; i++) {
		struct seed *d = &s->seed[i];
		if (d->both && d->count >= MIN_PACKETS) {
			s->seed[kept++] = *d;
			continue;
		}
		for (size_t k = 0; k < d->count; k++)
			free(d->packets[k].ip);
		free(d->packets);
	}
	s->count = kept;
}

static void
load_packet(struct seeds *s, size_t first, const struct pcap_pkthdr *h, const uint8_t *frame)
{
	const uint8_t *ip = frame + ETHERNET;
	if (h->caplen < h->len || h->len < ETHERNET + 40 || h->len > PACKET_MAX)
		return;
	bool v6 = get16(frame + 12) == 0x86dd;
	if (!v6 && get16(frame + 12) != 0x0800)
		return;
	struct seed_packet p = {.proto = v6 ? ip[6] : ip[9]};
	p.l4 = v6 ? 40 : (uint16_t)((ip[0] & 15) * 4);
	p.len = (uint16_t)(v6 ? 40 + get16(ip + 4) : get16(ip + 2));
	if ((p.proto != IPPROTO_TCP && p.proto != IPPROTO_UDP) || p.len > h->len - ETHERNET || p.len < p.l4 + 8u)
		return;
	struct address from = {.v6 = v6}, to = {.v6 = v6};
	memcpy(from.bytes, v6 ? ip + 8 : ip + 12, v6 ? 16 : 4);
	memcpy(to.bytes, v6 ? ip + 24 : ip + 16, v6 ? 16 : 4);

	struct seed *d = seed_between(s, first, &from, &to);
	if (d == NULL)
		return;
	int64_t time = (int64_t)h->ts.tv_sec * 1000000 + h->ts.tv_usec;
	if (d->count == 0)
		d->start = time;
	p.offset = time - d->start;
	p.from = memcmp(from.bytes, d->host[0].bytes, 16) != 0;
	d->both = d->both || p.from == 1;
	int flow = flow_of(d, p.from, ip + p.l4);
	if (flow < 0)
		return;
	p.flow = (uint8_t)flow;
	add_packet(d, &p, ip);
}

/* What these two say in the file whose first conversation has this number. NULL: no room. */
static struct seed *
seed_between(struct seeds *s, size_t first, const struct address *from, const struct address *to)
{
	for (size_t i = first; i < s->count; i++) {
		struct seed *d = &s->seed[i];
		for (unsigned k = 0; k < 2; k++)
			if (d->host[0].v6 == from->v6 && memcmp(d->host[k].bytes, from->bytes, 16) == 0 &&
			        memcmp(d->host[!k].bytes, to->bytes, 16) == 0)
				return d;
	}
	if (s->count == SEEDS_MAX)
		return NULL;
	struct seed *d = &s->seed[s->count++];
	d->host[0] = *from;
	d->host[1] = *to;
	for (unsigned k = 0; k < 2; k++)
		inet_ntop(from->v6 ? AF_INET6 : AF_INET, d->host[k].bytes, d->text[k], TEXT_MAX);
	return d;
}

/* ports: sender's and receiver's as in the packet. -1: too many connections. */
static int
flow_of(struct seed *d, unsigned from, const uint8_t *ports)
{
	uint16_t port[2];
	port[from] = (uint16_t)get16(ports);
	port[!from] = (uint16_t)get16(ports + 2);
	for (int i = 0; i < d->flow_count; i++)
		if (d->flows[i].port[0] == port[0] && d->flows[i].port[1] == port[1])
			return i;
	if (d->flow_count == FLOWS_MAX)
		return -1;
	d->flows[d->flow_count].initiator = (uint8_t)from;
	d->flows[d->flow_count].port[0] = port[0];
	d->flows[d->flow_count].port[1] = port[1];
	return d->flow_count++;
}

static void
add_packet(struct seed *d, const struct seed_packet *p, const uint8_t *ip)
{
	if (d->count == d->room) {
		d->room = d->room == 0 ? 256 : 2 * d->room;
		d->packets = realloc(d->packets, d->room * sizeof *d->packets);
	}
	uint8_t *copy = malloc(p->len);
	if (d->packets == NULL || copy == NULL) {
		perror("generate");
		exit(1);
	}
	memcpy(copy, ip, p->len);
	struct seed_packet *own = &d->packets[d->count++];
	*own = *p;
	own->ip = copy;
	find_mentions(d, own, p->l4 + (p->proto == IPPROTO_TCP ? (copy[p->l4 + 12] >> 4) * 4u : 8u));
}

static void
find_mentions(const struct seed *d, struct seed_packet *p, size_t payload)
{
	for (uint8_t host = 0; host < 2; host++) {
		char commas[TEXT_MAX];
		with_commas(commas, d->text[host]);
		size_t len = strlen(d->text[host]);
		for (size_t at = payload; at + len <= p->len && p->mention_count < 2; at++) {
			bool points = memcmp(p->ip + at, d->text[host], len) == 0;
			if (points || memcmp(p->ip + at, commas, len) == 0)
				p->mentions[p->mention_count++] = (struct mention){(uint16_t)at, host, points ? '.' : ','};
		}
	}
}

struct seed_talk *
seed_begin(struct gen *g, const struct seeds *s, bool listed)
{
	struct seed_talk *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	const struct seed *d = t->seed = &s->seed[random_below(g, (uint32_t)s->count)];
	t->start = g->time;
	t->stretch = random_between(g, 20, 200);
	for (unsigned k = 0; k < 2; k++) {
		if (!new_address(g, d, k, &t->host[k]))
			t->host[k] = d->host[k];
		if (k == 1 && listed && !d->host[k].v6 && strlen(d->text[k]) == strlen("175.45.178.55"))
			t->host[k] = address_of(LISTED_HOST, false);
		inet_ntop(t->host[k].v6 ? AF_INET6 : AF_INET, t->host[k].bytes, t->text[k][0], TEXT_MAX);
		with_commas(t->text[k][1], t->text[k][0]);
	}
	for (unsigned i = 0; i < d->flow_count; i++) {
		t->port[i] = (uint16_t)random_between(g, 32768, 60999);
		t->shift[i][0] = random_below(g, UINT32_MAX);
		t->shift[i][1] = random_below(g, UINT32_MAX);
	}
	return t;
}

/* An address of 198.18.0.0/15 or 2001:db8::/32 whose text is as long as that of the host. */
static bool
new_address(struct gen *g, const struct seed *d, unsigned host, struct address *out)
{
	static const uint32_t low[4] = {0, 1, 10, 100}, high[4] = {0, 9, 99, 254};
	uint32_t n = mixed(random_below(g, host == 0 ? CLIENTS : SERVERS));
	uint32_t len = (uint32_t)strlen(d->text[host]);
	char text[2 * TEXT_MAX];

	*out = (struct address){.v6 = d->host[host].v6};
	if (!out->v6) {
		uint32_t digits = len - (uint32_t)sizeof "198.18.", third = digits / 2 + (n & digits & 1), fourth = digits - third;
		if (digits < 2 || digits > 6)
			return false;
		snprintf(text, sizeof text, "198.%u.%u.%u", 18 + host, low[third] + (n >> 1) % (high[third] - low[third] + 1),
		        low[fourth] + (n >> 12) % (high[fourth] - low[fourth] + 1));
	} else {
		int groups = (int)len - (int)strlen("2001:db8:::xx"); /* digits and colons between */
		if (groups < 1 || groups > 9 || groups == 5)
			return false;
		int first = groups > 4 ? 4 : groups, second = groups - first - 1;
		uint32_t a = ((n & 0x7fff) | 0x8000) >> (16 - 4 * first);
		snprintf(text, sizeof text, "2001:db8:%x", a);
		if (second > 0)
			snprintf(text + strlen(text), 8, ":%x", (((n >> 8) & 0x7fffu) | 0x8000u) >> (16 - 4 * second));
		snprintf(text + strlen(text), 8, "::%x", 0x10 + (n >> 20) % 0xf0);
	}
	return inet_pton(out->v6 ? AF_INET6 : AF_INET, text, out->bytes) == 1 && strlen(text) == len;
}

int64_t
seed_due(const struct seed_talk *t)
{
	if (t->next == t->seed->count)
		return -1;
	return t->start + t->seed->packets[t->next].offset * t->stretch;
}

void
seed_step(struct gen *g, struct seed_talk *t)
{
	const struct seed_packet *p = &t->seed->packets[t->next++];
	uint8_t packet[PACKET_MAX], *l4 = packet + p->l4;
	bool v6 = t->host[0].v6;
	unsigned side = t->seed->flows[p->flow].initiator != p->from; /* 0: the end that began */

	memcpy(packet, p->ip, p->len);
	memcpy(packet + (v6 ? 8 : 12), t->host[p->from].bytes, v6 ? 16 : 4);
	memcpy(packet + (v6 ? 24 : 16), t->host[!p->from].bytes, v6 ? 16 : 4);
	put16(l4 + 2 * side, t->port[p->flow]);
	for (unsigned i = 0; i < p->mention_count; i++) {
		const char *text = t->text[p->mentions[i].host][p->mentions[i].separator == ','];
		memcpy(packet + p->mentions[i].at, text, strlen(text));
	}
	if (p->proto == IPPROTO_TCP)
		shift_tcp(t, p, l4, side);
	packet_ip(g, packet, p->len, p->l4);
}

/* Moves the sequence numbers: the sender's own, and those of the other side that it acknowledges. */
static void
shift_tcp(const struct seed_talk *t, const struct seed_packet *p, uint8_t *tcp, unsigned side)
{
	const uint32_t *shift = t->shift[p->flow];
	put32(tcp + 4, get32(tcp + 4) + shift[side]);
	if ((tcp[13] & TCP_ACK) != 0)
		put32(tcp + 8, get32(tcp + 8) + shift[!side]);

	size_t end = (tcp[12] >> 4) * 4u;
	for (size_t at = 20; at + 1 < end && tcp[at] != 0;) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		size_t len = tcp[at + 1] >= 2 && at + tcp[at + 1] <= end ? tcp[at + 1] : end - at;
		if (tcp[at] == 5) /* SACK (RFC 2018 section 3) */
			for (size_t i = at + 2; i + 4 <= at + len; i += 4)
				put32(tcp + i, get32(tcp + i) + shift[!side]);
		at += len;
	}
}

void
seed_free(struct seed_talk *t)
{
	free(t);
}

static void
with_commas(char *out, const char *text)
{
	size_t i = 0;
	for (; text[i] != '\0'; i++)
		out[i] = text[i] == '.' ? ',' : text[i];
	out[i] = '\0';
}
