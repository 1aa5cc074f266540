/* Frames: Ethernet, IPv4 or IPv6, TCP or UDP, with right checksums, as pcap records on standard output. */
#include <stdio.h>
#include <string.h>

#include "gen.h"

enum { ETHERNET = 14, IPV4 = 20, IPV6 = 40, PROTO_TCP = 6, PROTO_UDP = 17, PACKET_MAX = 2048 };

static size_t ip_header(uint8_t *ip, const struct address *from, const struct address *to, unsigned proto, size_t len);
static uint64_t sum(uint64_t before, const uint8_t *p, size_t len);
static unsigned folded(uint64_t sum);

void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

uint32_t
get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

struct address
address_of(uint32_t host, bool v6)
{
	struct address a = {.v6 = v6};
	if (!v6) {
		put32(a.bytes, host);
		return a;
	}
	static const uint8_t net[8] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1};
	memcpy(a.bytes, net, sizeof net);
	put32(a.bytes + 12, host);
	return a;
}

void
packet_file(struct gen *g)
{
	const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1 /* Ethernet */};
	g->bytes += sizeof header;
	fwrite(header, sizeof header, 1, stdout);
}

void
packet_tcp(struct gen *g, const struct address *from, const struct address *to, const struct tcp *t,
        const void *payload, size_t len)
{
	uint8_t packet[PACKET_MAX];
	size_t header = 20 + t->options_len;
	size_t l4 = ip_header(packet, from, to, PROTO_TCP, header + len);
	uint8_t *tcp = packet + l4;

	put16(tcp, t->from_port);
	put16(tcp + 2, t->to_port);
	put32(tcp + 4, t->seq);
	put32(tcp + 8, (t->flags & TCP_ACK) != 0 ? t->ack : 0);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = t->flags;
	put16(tcp + 14, 64000);
	put16(tcp + 18, 0);
	if (t->options_len > 0)
		memcpy(tcp + 20, t->options, t->options_len);
	if (len > 0)
		memcpy(tcp + header, payload, len);
	packet_ip(g, packet, l4 + header + len, l4);
}

void
packet_udp(struct gen *g, const struct address *from, const struct address *to, uint16_t from_port, uint16_t to_port,
        const void *payload, size_t len)
{
	uint8_t packet[PACKET_MAX];
	size_t l4 = ip_header(packet, from, to, PROTO_UDP, 8 + len);
	uint8_t *udp = packet + l4;

	put16(udp, from_port);
	put16(udp + 2, to_port);
	put16(udp + 4, (uint32_t)(8 + len));
	if (len > 0)
		memcpy(udp + 8, payload, len);
	packet_ip(g, packet, l4 + 8 + len, l4);
}

/* len: what follows the header. How long the header is. */
static size_t
ip_header(uint8_t *ip, const struct address *from, const struct address *to, unsigned proto, size_t len)
{
	if (from->v6) {
		memset(ip, 0, 8);
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)len);
		ip[6] = (uint8_t)proto;
		ip[7] = 64;
		memcpy(ip + 8, from->bytes, 16);
		memcpy(ip + 24, to->bytes, 16);
		return IPV6;
	}
	memset(ip, 0, 12);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(IPV4 + len));
	ip[6] = 0x40; /* don't fragment */
	ip[8] = 64;
	ip[9] = (uint8_t)proto;
	memcpy(ip + 12, from->bytes, 4);
	memcpy(ip + 16, to->bytes, 4);
	return IPV4;
}

void
packet_ip(struct gen *g, uint8_t *ip, size_t len, size_t l4)
{
	bool v6 = ip[0] >> 4 == 6;
	unsigned proto = v6 ? ip[6] : ip[9];
	const uint8_t *addresses = v6 ? ip + 8 : ip + 12;
	if (!v6) {
		put16(ip + 10, 0);
		put16(ip + 10, folded(sum(0, ip, l4)));
	}
	uint8_t *check = ip + l4 + (proto == PROTO_UDP ? 6 : 16);
	put16(check, 0);
	/* RFC 9293 section 3.1, RFC 8200 section 8.1: the pseudo-header's addresses, protocol and length. */
	uint64_t all = sum(proto + (len - l4), addresses, v6 ? 32 : 8);
	unsigned answer = folded(sum(all, ip + l4, len - l4));
	put16(check, proto == PROTO_UDP && answer == 0 ? 0xffff : answer);

	uint8_t ethernet[ETHERNET] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	if (v6)
		put16(ethernet + 12, 0x86dd);
	uint32_t frame = (uint32_t)(ETHERNET + len);
	const uint32_t record[4] = {(uint32_t)(g->time / 1000000), (uint32_t)(g->time % 1000000), frame, frame};
	fwrite(record, sizeof record, 1, stdout);
	fwrite(ethernet, sizeof ethernet, 1, stdout);
	fwrite(ip, len, 1, stdout);
	g->bytes += sizeof record + frame;
	g->packets++;
}

/* Of big-endian 16-bit words, not folded; the part before is of even length. */
static uint64_t
sum(uint64_t before, const uint8_t *p, size_t len)
{
	for (; len >= 4; p += 4, len -= 4)
		before += get32(p);
	for (; len >= 2; p += 2, len -= 2)
		before += get16(p);
	if (len > 0)
		before += (uint64_t)p[0] << 8;
	return before;
}

static unsigned
folded(uint64_t all)
{
	while (all >> 16 != 0)
		all = (all & 0xffff) + (all >> 16);
	return ~(unsigned)all & 0xffff;
}
