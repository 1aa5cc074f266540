/*
 * Copies of the seeds. A copy gets other addresses, whose text is as long as that of the ones they replace
 * wherever payloads name them (FTP's PASV and PORT, HTTP's Host), other ports at the ends that began, other
 * sequence numbers, and other times.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_seeds.h"

enum { CLIENTS = 500, SERVERS = 5000 };

struct seed_talk {
	const struct seed *seed;
	struct address host[2];
	char text[2][2][SEED_TEXT_MAX]; /* by host; with '.' (or as IPv6 has it), with ',' */
	int64_t start;
	uint32_t stretch;
	size_t next;
	uint16_t port[SEED_FLOWS_MAX];
	uint32_t shift[SEED_FLOWS_MAX][2];
};

static bool new_address(struct gen *g, const struct seed *d, unsigned host, struct address *out);
static void shift_tcp(const struct seed_talk *t, const struct seed_packet *p, uint8_t *tcp, unsigned side);

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
		if (!new_address(g, d, k, &t->host[k])) /* then payloads keep the old text */
			t->host[k] = address_of(0xc6120000u + (k << 16) + random_below(g, CLIENTS), d->host[k].v6);
		if (k == 1 && listed && !d->host[k].v6 && strlen(d->text[k]) == strlen("175.45.178.55"))
			t->host[k] = address_of(g->listed, false);
		inet_ntop(t->host[k].v6 ? AF_INET6 : AF_INET, t->host[k].bytes, t->text[k][0], SEED_TEXT_MAX);
		seed_commas(t->text[k][1], t->text[k][0]);
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
	char text[2 * SEED_TEXT_MAX];

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
	uint8_t packet[SEED_PACKET_MAX], *l4 = packet + p->l4;
	bool v6 = t->host[0].v6;
	unsigned side = t->seed->flows[p->flow].initiator != p->from; /* 0: the end that began */

	memcpy(packet, p->ip, p->len);
	memcpy(packet + (v6 ? 8 : 12), t->host[p->from].bytes, v6 ? 16 : 4);
	memcpy(packet + (v6 ? 24 : 16), t->host[!p->from].bytes, v6 ? 16 : 4);
	put16(l4 + 2 * side, t->port[p->flow]);
	for (unsigned i = 0; i < p->mention_count; i++) {
		const char *text = t->text[p->mentions[i].host][p->mentions[i].separator == ','];
		if (strlen(text) == strlen(t->seed->text[p->mentions[i].host]))
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
