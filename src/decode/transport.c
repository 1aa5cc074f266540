/* What stands behind the last IP header: TCP, UDP, SCTP, ICMP and the like. */
#include "config.h"

#include <netinet/in.h>

#include "decode/decoder.h"
#include "decode/walk.h"

enum {
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	PORTS = 4,              /* bytes that hold both */
	WIRE_IP_MAX = 1500,     /* longer IP packets with a partial checksum were never on a wire */
	AUTHENTICATION_MAX = 4, /* AH headers in one packet */
};

static layer_fn *transport_reader(uint8_t protocol);
static layer_fn transport_tcp, transport_udp, transport_udplite, transport_ports12, transport_icmp;
static bool transport_authentication(struct walk *w, uint8_t *protocol, struct part *p);
static void transport_broken(struct walk *w, const struct reader *r, struct part *p, size_t header);
static void transport_read_ports(struct packet *packet, struct reader *r);
static void transport_check(struct walk *w, const struct part *whole, const uint8_t sum[2]);

void
transport_packet(struct walk *w, uint8_t protocol, struct part *p)
{
	for (int i = 0; protocol == IPPROTO_AH && i < AUTHENTICATION_MAX; i++)
		if (!transport_authentication(w, &protocol, p))
			return;

	struct packet *packet = &w->packet;
	packet->transport = protocol;
	packet->src_port = packet->dst_port = 0;
	packet->tcp_flags = 0;
	packet->tcp_window = 0;
	packet->tcp_seq = packet->tcp_ack = 0;
	layer_fn *read = transport_reader(protocol);
	if (read != NULL) {
		read(w, p);
	} else {
		walk_emit(w, p);
		tunnel_ip_protocol(w, protocol, p);
	}
}

static layer_fn *
transport_reader(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP: return transport_tcp;
	case IPPROTO_UDP: return transport_udp;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return transport_icmp;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP: return transport_ports12;
	case IPPROTO_UDPLITE: return transport_udplite;
	default: return NULL;
	}
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
 * flow, with what stands behind header bytes as its payload, but is not followed. r: where reading
 * stopped.
 */
static void
transport_broken(struct walk *w, const struct reader *r, struct part *p, size_t header)
{
	bool all = reader_ok(r), ports = p->r.left >= PORTS;

	walk_count(w, p->cut > 0 && !all ? COUNT_CUT : COUNT_TRANSPORT_MALFORMED);
	if (!ports)
		return;
	part_skip(p, header < part_wire(p) && all ? header : part_wire(p));
	w->packet.flags |= PACKET_BAD_CHECKSUM;
	walk_emit(w, p);
}

/* Source and destination, which all that have ports begin with. */
static void
transport_read_ports(struct packet *packet, struct reader *r)
{
	uint32_t both = reader_be32(r);
	packet->src_port = (uint16_t)(both >> 16);
	packet->dst_port = (uint16_t)both;
}

/* RFC 9293 section 3.1. */
static void
transport_tcp(struct walk *w, struct part *p)
{
	struct packet *packet = &w->packet;
	struct reader r = p->r;

	transport_read_ports(packet, &r);
	packet->tcp_seq = reader_be32(&r);
	packet->tcp_ack = reader_be32(&r);
	uint16_t offset_flags = reader_be16(&r);
	packet->tcp_flags = (uint8_t)offset_flags;
	packet->tcp_window = reader_be16(&r);
	const uint8_t *sum = reader_take(&r, 2);
	reader_skip(&r, 2);
	size_t header = (offset_flags >> 12) * 4u;
	if (!reader_ok(&r) || header < TCP_HEADER || header > part_wire(p)) {
		transport_broken(w, &r, p, header);
		return;
	}
	transport_check(w, p, sum);
	part_skip(p, header);
	walk_emit(w, p);
}

/* RFC 768. */
static void
transport_udp(struct walk *w, struct part *p)
{
	struct packet *packet = &w->packet;
	struct reader r = p->r;

	transport_read_ports(packet, &r);
	uint16_t length = reader_be16(&r);
	const uint8_t *sum = reader_take(&r, 2);
	if (!reader_ok(&r) || (length != 0 && length < UDP_HEADER)) {
		transport_broken(w, &r, p, part_wire(p));
		return;
	}
	/* Zero is a jumbogram (RFC 2675 section 4), or offload left it so. */
	if (length != 0 && !part_limit(p, length)) {
		walk_count(w, COUNT_TRANSPORT_MALFORMED);
		p->cut += length - part_wire(p);
	}
	if (sum[0] != 0 || sum[1] != 0) /* else the sender made none */
		transport_check(w, p, sum);
	part_skip(p, UDP_HEADER);
	walk_emit(w, p);
	tunnel_udp(w, p);
}

/* UDP-Lite (RFC 3828) covers less than all with its checksum; the third field says how much. */
static void
transport_udplite(struct walk *w, struct part *p)
{
	struct packet *packet = &w->packet;

	transport_read_ports(packet, &p->r);
	reader_skip(&p->r, 4);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_TRANSPORT_MALFORMED);
	else
		walk_emit(w, p);
}

/* SCTP (RFC 9260 section 3.1) and DCCP (RFC 4340 section 5.1): ports, and 12 bytes at least. */
static void
transport_ports12(struct walk *w, struct part *p)
{
	struct packet *packet = &w->packet;

	transport_read_ports(packet, &p->r);
	reader_skip(&p->r, 8);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_TRANSPORT_MALFORMED);
	else
		walk_emit(w, p);
}

/* ICMP (RFC 792) and ICMPv6 (RFC 4443): what an error quotes is no packet of its own. */
static void
transport_icmp(struct walk *w, struct part *p)
{
	struct packet *packet = &w->packet;
	struct reader r = p->r;

	packet->src_port = reader_u8(&r);
	packet->dst_port = reader_u8(&r);
	const uint8_t *sum = reader_take(&r, 2);
	if (!reader_ok(&r)) {
		p->r = r;
		walk_short(w, p, COUNT_TRANSPORT_MALFORMED);
		return;
	}
	transport_check(w, p, sum);
	part_skip(p, ICMP_HEADER);
	walk_emit(w, p);
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
	uint64_t all = whole->r.next == w->summed && whole->r.left == w->summed_len
			       ? checksum_plus(w->sum, pseudo)
			       : checksum_add(pseudo, whole->r.next, whole->r.left);
	if (checksum_fold(all) != CHECKSUM_GOOD)
		finding = checksum_fold(pseudo) == checksum_fold(checksum_add(0, sum, 2))
				  ? CHECKSUM_IS_PARTIAL
				  : CHECKSUM_IS_WRONG;
	switch (senders_judge(w->d->senders, &packet->src, packet->transport, finding,
		packet->ip_bytes > WIRE_IP_MAX)) {
	case CHECKSUM_RIGHT: break;
	case CHECKSUM_OFFLOADED: walk_count(w, COUNT_CHECKSUM_OFFLOAD); break;
	case CHECKSUM_WRONG:
		walk_count(w, COUNT_TRANSPORT_CHECKSUM);
		packet->flags |= PACKET_BAD_CHECKSUM;
	}
}
