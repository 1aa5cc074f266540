/*
 * What other packets carry: IP in IP, GRE and the like. The packet around them was handed out
 * already.
 */
#include "config.h"

#include <netinet/in.h>

#include "decode/walk.h"

enum {
	PROTOCOL_IPIP_KA9Q = 94,
	PROTOCOL_ETHERIP = 97,
	PROTOCOL_PIM = 103,
	PROTOCOL_MPLS = 137,
	PROTOCOL_ETHERNET = 143, /* RFC 8986 section 11.1 */
};

static layer_fn tunnel_etherip, tunnel_pim;
static void gre_enhanced(struct walk *w, uint16_t flags, struct part *p);
static void gre_payload(struct walk *w, uint16_t flags, uint16_t protocol, struct part *p);
static void gre_wccp(struct walk *w, struct part *p);
static void gre_routing(struct reader *r);

enum { /* GRE flags (RFC 1701, RFC 2784, RFC 2890, RFC 2637) */
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACK = 0x0080, /* version 1 */
	GRE_VERSION = 0x0007,
};

enum { /* protocol types that are not plain EtherTypes */
	GRE_PPP = 0x880b,
	GRE_ERSPAN = 0x88be,
	GRE_WCCP = 0x883e,
	GRE_ARUBA_FIRST = 0x8200, /* 802.11 frames */
	GRE_ARUBA_LAST = 0x82ff,
};

void
tunnel_ip_protocol(struct walk *w, uint8_t protocol, struct part *p)
{
	switch (protocol) {
	case IPPROTO_IPIP: ip4_packet(w, p); break;
	case IPPROTO_IPV6: ip6_packet(w, p); break;
	case IPPROTO_GRE: tunnel_gre(w, p); break;
	case PROTOCOL_IPIP_KA9Q: ip_packet(w, p); break;
	case PROTOCOL_ETHERIP: tunnel_etherip(w, p); break;
	case PROTOCOL_PIM: tunnel_pim(w, p); break;
	case PROTOCOL_MPLS: mpls_frame(w, p); break;
	case PROTOCOL_ETHERNET: ether_frame(w, p); break;
	default: break;
	}
}

/* RFC 3378: version 3 and reserved bits. */
static void
tunnel_etherip(struct walk *w, struct part *p)
{
	enum { ETHERIP_VERSION = 0x3000 };
	if (reader_be16(&p->r) == ETHERIP_VERSION)
		ether_frame(w, p);
	else
		walk_short(w, p, COUNT_TUNNEL_MALFORMED);
}

/* A PIM register message carries a multicast packet (RFC 7761 section 4.9.3). */
static void
tunnel_pim(struct walk *w, struct part *p)
{
	enum { PIM_REGISTER = 0x21 };
	uint8_t type = reader_u8(&p->r);
	reader_skip(&p->r, 7);
	if (type == PIM_REGISTER && reader_ok(&p->r) && p->r.left > 0)
		ip_packet(w, p);
}

void
tunnel_gre(struct walk *w, struct part *p)
{
	if (!walk_enter(w))
		return;
	uint16_t flags = reader_be16(&p->r);
	uint16_t protocol = reader_be16(&p->r);

	if ((flags & GRE_VERSION) == 1) {
		gre_enhanced(w, flags, p);
		return;
	}
	if ((flags & (GRE_CHECKSUM | GRE_ROUTING)) != 0)
		reader_skip(&p->r, 4);
	if ((flags & GRE_KEY) != 0)
		reader_skip(&p->r, 4);
	if ((flags & GRE_SEQUENCE) != 0)
		reader_skip(&p->r, 4);
	if ((flags & GRE_ROUTING) != 0)
		gre_routing(&p->r);
	if (!reader_ok(&p->r) || (flags & GRE_VERSION) != 0)
		walk_short(w, p, COUNT_TUNNEL_MALFORMED);
	else
		gre_payload(w, flags, protocol, p);
}

/* Source route entries until an empty one (RFC 1701). */
static void
gre_routing(struct reader *r)
{
	uint8_t length;
	do {
		reader_skip(r, 3); /* address family, offset */
		length = reader_u8(r);
		reader_skip(r, length);
	} while (reader_ok(r) && length != 0);
}

/*
 * PPTP (RFC 2637 section 4.1): the key's upper half is the payload's length; none: an
 * acknowledgement.
 */
static void
gre_enhanced(struct walk *w, uint16_t flags, struct part *p)
{
	uint16_t length = reader_be16(&p->r);
	reader_skip(&p->r, 2); /* call */
	if ((flags & GRE_SEQUENCE) != 0)
		reader_skip(&p->r, 4);
	if ((flags & GRE_ACK) != 0)
		reader_skip(&p->r, 4);
	if (!reader_ok(&p->r)) {
		walk_short(w, p, COUNT_TUNNEL_MALFORMED);
	} else if ((flags & GRE_SEQUENCE) != 0 && length > 0) {
		(void)part_limit(p, length);
		ppp_frame(w, p);
	}
}

static void
gre_payload(struct walk *w, uint16_t flags, uint16_t protocol, struct part *p)
{
	if (protocol == GRE_ERSPAN && (flags & GRE_SEQUENCE) == 0)
		ether_frame(w, p); /* ERSPAN type I has no header */
	else if (protocol == GRE_WCCP)
		gre_wccp(w, p);
	else if (protocol >= GRE_ARUBA_FIRST && protocol <= GRE_ARUBA_LAST)
		wlan_frame(w, p);
	else if (protocol > 0x5ff)
		ether_payload(w, protocol, p);
	else
		walk_count(w, COUNT_NOT_IP);
}

/* WCCP version 2 puts four bytes before the packet, version 1 does not. */
static void
gre_wccp(struct walk *w, struct part *p)
{
	struct reader peek = p->r;
	if (reader_u8(&peek) >> 4 != 4)
		reader_skip(&p->r, 4);
	ip4_packet(w, p);
}
