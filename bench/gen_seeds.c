/*
 * The sample captures as seeds: all that two hosts said in one file, with TCP and UDP, is a conversation, so that
 * FTP's control and data connections stay together.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_seeds.h"

enum { ETHERNET = 14, MIN_PACKETS = 4 };

static int is_capture(const struct dirent *entry);
static void load_file(struct seeds *s, const char *path);
static void load_packet(struct seeds *s, size_t first, const struct pcap_pkthdr *h, const uint8_t *frame);
static struct seed *seed_between(struct seeds *s, size_t first, const struct address *from, const struct address *to);
static int flow_of(struct seed *d, unsigned from, const uint8_t *ports);
static void add_packet(struct seed *d, const struct seed_packet *p, const uint8_t *ip);
static void find_mentions(const struct seed *d, struct seed_packet *p, size_t payload);

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
	if (h->caplen < h->len || h->len < ETHERNET + 40 || h->len > SEED_PACKET_MAX)
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
		inet_ntop(from->v6 ? AF_INET6 : AF_INET, d->host[k].bytes, d->text[k], SEED_TEXT_MAX);
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
	if (d->flow_count == SEED_FLOWS_MAX)
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
		char commas[SEED_TEXT_MAX];
		seed_commas(commas, d->text[host]);
		size_t len = strlen(d->text[host]);
		for (size_t at = payload; at + len <= p->len && p->mention_count < 2; at++) {
			bool points = memcmp(p->ip + at, d->text[host], len) == 0;
			if (points || memcmp(p->ip + at, commas, len) == 0)
				p->mentions[p->mention_count++] = (struct mention){(uint16_t)at, host, points ? '.' : ','};
		}
	}
}

void
seed_commas(char *out, const char *text)
{
	size_t i = 0;
	for (; text[i] != '\0'; i++)
		out[i] = text[i] == '.' ? ',' : text[i];
	out[i] = '\0';
}
