/* What stands behind the last IP header: TCP, UDP, SCTP, ICMP and the like. */
#include "config.h"

#include <netinet/in.h>

#include "decode/decoder.h"
#include "decode/walk.h"

enum {
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	PORTS = 4,              /* bytes that hold both */
	WIRE_IP_MAX = 1500,     /* longer IP packets with a partial checksum were never on a wire */
	AUTHENTICATION_MAX = 4, /* AH headers in one packet */
};

typedef void transport_fn(struct walk *w, struct part p);

struct transport_row {
	uint8_t protocol;
	transport_fn *read;
};

static transport_fn transport_tcp, transport_udp, transport_udplite, transport_ports12,
	transport_icmp;
static bool transport_authentication(struct walk *w, uint8_t *protocol, struct part *p);
static void
transport_broken(struct walk *w, const struct part *p, const struct part *whole, size_t header);
static void transport_check(struct walk *w, const struct part *whole, const uint8_t sum[2]);

static const struct transport_row transport_rows[] = {
	{IPPROTO_TCP, transport_tcp},
	{IPPROTO_UDP, transport_udp},
	{IPPROTO_ICMP, transport_icmp},
	{IPPROTO_ICMPV6, transport_icmp},
	{IPPROTO_SCTP, transport_ports12},
	{IPPROTO_DCCP, transport_ports12},
	{IPPROTO_UDPLITE, transport_udplite},
};

void
transport_packet(struct walk *w, uint8_t protocol, struct part p)
{
	for (int i = 0; protocol == IPPROTO_AH && i < AUTHENTICATION_MAX; i++)
		if (!transport_authentication(w, &protocol, &p))
			return;

	struct packet *packet = &w->packet;
	packet->transport = protocol;
	packet->src_port = packet->dst_port = 0;
	packet->tcp_flags = 0;
	packet->tcp_window = 0;
	packet->tcp_seq = packet->tcp_ack = 0;
	for (size_t i = 0; i < sizeof transport_rows / sizeof transport_rows[0]; i++) {
		if (transport_rows[i].protocol == protocol) {
			transport_rows[i].read(w, p);
			return;
		}
	}
	walk_emit(w, &p);
	tunnel_ip_protocol(w, protocol, p);
}

/* RFC 4302 section 2: its length counts 32-bit words minus 2. */
static bool
transport_authentication(struct walk *w, uint8_t *protocol, struct part *p)
{
	*protocol = reader_u8(&p->r);
	size_t length = (reader_u8(&p->r) + 2u) * 4u;
	reader_skip(&p->r, length - 2);
	if (reader_ok(&p->r))
		return true;
	walk_short(w, p, COUNT_TRANSPORT_MALFORMED);
	return false;
}

/*
 * The header makes no sense or is cut off. Where the ports can be read the packet counts for its
 * flow, with what stands behind header bytes as its payload, but is not followed. p: where reading
 * stopped.
 */
static void
transport_broken(struct walk *w, const struct part *p, const struct part *whole, size_t header)
{
	struct part rest = *whole;

	walk_short(w, p, COUNT_TRANSPORT_MALFORMED);
	if (whole->r.left < PORTS)
		return;
	part_skip(&rest, header < part_wire(whole) && reader_ok(&p->r) ? header : part_wire(whole));
	w->packet.flags |= PACKET_BAD_CHECKSUM;
	walk_emit(w, &rest);
}

/* RFC 9293 section 3.1. */
static void
transport_tcp(struct walk *w, struct part p)
{
	struct packet *packet = &w->packet;
	const struct part whole = p;

	packet->src_port = reader_be16(&p.r);
	packet->dst_port = reader_be16(&p.r);
	packet->tcp_seq = reader_be32(&p.r);
	packet->tcp_ack = reader_be32(&p.r);
	size_t header = (reader_u8(&p.r) >> 4) * 4u;
	packet->tcp_flags = reader_u8(&p.r);
	packet->tcp_window = reader_be16(&p.r);
	const uint8_t *sum = reader_take(&p.r, 2);
	reader_skip(&p.r, 2);
	if (!reader_ok(&p.r) || header < TCP_HEADER || header > part_wire(&whole)) {
		transport_broken(w, &p, &whole, header);
		return;
	}
	transport_check(w, &whole, sum);
	p = whole;
	part_skip(&p, header);
	walk_emit(w, &p);
}

/* RFC 768. */
static void
transport_udp(struct walk *w, struct part p)
{
	struct packet *packet = &w->packet;
	struct part whole = p;

	packet->src_port = reader_be16(&p.r);
	packet->dst_port = reader_be16(&p.r);
	uint16_t length = reader_be16(&p.r);
	const uint8_t *sum = reader_take(&p.r, 2);
	if (!reader_ok(&p.r) || (length != 0 && length < UDP_HEADER)) {
		transport_broken(w, &p, &whole, part_wire(&whole));
		return;
	}
	/* Zero is a jumbogram (RFC 2675 section 4), or offload left it so. */
	if (length != 0 && !part_limit(&whole, length)) {
		walk_count(w, COUNT_TRANSPORT_MALFORMED);
		whole.cut += length - part_wire(&whole);
	}
	if (sum[0] != 0 || sum[1] != 0) /* else the sender made none */
		transport_check(w, &whole, sum);
	p = whole;
	part_skip(&p, UDP_HEADER);
	walk_emit(w, &p);
	tunnel_udp(w, p);
}

/* UDP-Lite (RFC 3828) covers less than all with its checksum; the third field says how much. */
static void
transport_udplite(struct walk *w, struct part p)
{
	struct packet *packet = &w->packet;

	packet->src_port = reader_be16(&p.r);
	packet->dst_port = reader_be16(&p.r);
	reader_skip(&p.r, 4);
	if (!reader_ok(&p.r))
		walk_short(w, &p, COUNT_TRANSPORT_MALFORMED);
	else
		walk_emit(w, &p);
}

/* SCTP (RFC 9260 section 3.1) and DCCP (RFC 4340 section 5.1): ports, and 12 bytes at least. */
static void
transport_ports12(struct walk *w, struct part p)
{
	struct packet *packet = &w->packet;

	packet->src_port = reader_be16(&p.r);
	packet->dst_port = reader_be16(&p.r);
	reader_skip(&p.r, 8);
	if (!reader_ok(&p.r))
		walk_short(w, &p, COUNT_TRANSPORT_MALFORMED);
	else
		walk_emit(w, &p);
}

/* ICMP (RFC 792) and ICMPv6 (RFC 4443): what an error quotes is no packet of its own. */
static void
transport_icmp(struct walk *w, struct part p)
{
	struct packet *packet = &w->packet;
	const struct part whole = p;

	packet->src_port = reader_u8(&p.r);
	packet->dst_port = reader_u8(&p.r);
	const uint8_t *sum = reader_take(&p.r, 2);
	if (!reader_ok(&p.r)) {
		walk_short(w, &p, COUNT_TRANSPORT_MALFORMED);
		return;
	}
	transport_check(w, &whole, sum);
	p = whole;
	part_skip(&p, 8);
	walk_emit(w, &p);
}

/*
 * Checks the checksum where all that it covers is there, and marks the packet when it is believed
 * wrong.
 */
static void
transport_check(struct walk *w, const struct part *whole, const uint8_t sum[2])
{
	struct packet *packet = &w->packet;

	if (!w->d->check || !w->pseudo_known || whole->cut > 0)
		return;
	uint64_t pseudo = 0;
	if (packet->transport != IPPROTO_ICMP)
		pseudo = checksum_pseudo(
			&packet->src, &packet->dst, packet->transport, (uint32_t)whole->r.left);
	enum checksum_finding finding = CHECKSUM_IS_RIGHT;
	if (checksum_fold(checksum_add(pseudo, whole->r.next, whole->r.left)) != CHECKSUM_GOOD)
		finding = checksum_fold(pseudo) == checksum_fold(checksum_add(0, sum, 2))
				  ? CHECKSUM_IS_PARTIAL
				  : CHECKSUM_IS_WRONG;
	if (w->sender == NULL)
		w->sender = senders_of(w->d->senders, &packet->src);
	switch (sender_judge(w->d->senders, w->sender, packet->transport, finding,
		packet->ip_bytes > WIRE_IP_MAX)) {
	case CHECKSUM_RIGHT: break;
	case CHECKSUM_OFFLOADED: walk_count(w, COUNT_CHECKSUM_OFFLOAD); break;
	case CHECKSUM_WRONG:
		walk_count(w, COUNT_TRANSPORT_CHECKSUM);
		packet->flags |= PACKET_BAD_CHECKSUM;
	}
}
