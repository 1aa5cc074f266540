/* PPP (RFC 1661, RFC 1662), PPP over Ethernet (RFC 2516) and Cisco HDLC. */
#include "config.h"

#include "decode/walk.h"

enum { /* PPP protocol numbers */
	PPP_IP4 = 0x0021,
	PPP_IP6 = 0x0057,
	PPP_BRIDGED = 0x0031,
	PPP_MPLS = 0x0281,
	PPP_MPLS_MULTICAST = 0x0283,
	PPP_MULTILINK = 0x003d,
};

enum {
	HDLC_ALL_STATIONS = 0xff,
	HDLC_UNNUMBERED = 0x03,
	CHDLC_UNICAST = 0x0f,
	CHDLC_MULTICAST = 0x8f,
};

static uint16_t ppp_protocol(struct reader *r);
static void ppp_multilink(struct walk *w, struct part *p);
static void ppp_bridged(struct walk *w, struct part *p);

void
ppp_frame(struct walk *w, struct part *p)
{
	if (!walk_enter(w))
		return;
	struct reader peek = p->r;
	uint8_t first = reader_u8(&peek);
	uint8_t second = reader_u8(&peek);

	if (first == CHDLC_UNICAST || first == CHDLC_MULTICAST) {
		chdlc_frame(w, p);
		return;
	}
	/* Files with a direction in front (LINKTYPE_PPP_PPPD, PPP_WITH_DIR): 0 in, 1 out. */
	if (first <= 1 && second == HDLC_ALL_STATIONS)
		reader_skip(&p->r, 1);
	if (second == HDLC_ALL_STATIONS || first == HDLC_ALL_STATIONS)
		reader_skip(&p->r, 2); /* address and control, which may be left out */
	uint16_t protocol = ppp_protocol(&p->r);
	if (!reader_ok(&p->r)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	switch (protocol) {
	case PPP_IP4: ip4_packet(w, p); break;
	case PPP_IP6: ip6_packet(w, p); break;
	case PPP_MPLS:
	case PPP_MPLS_MULTICAST: mpls_frame(w, p); break;
	case PPP_BRIDGED: ppp_bridged(w, p); break;
	case PPP_MULTILINK: ppp_multilink(w, p); break;
	default: walk_count(w, COUNT_NOT_IP);
	}
}

/* One or two bytes: the last one is odd (RFC 1661 section 2). */
static uint16_t
ppp_protocol(struct reader *r)
{
	uint8_t first = reader_u8(r);
	if ((first & 1) != 0)
		return first;
	return (uint16_t)(first << 8 | reader_u8(r));
}

/*
 * Multilink (RFC 1990) fragments are only read where one is a whole packet; long sequence numbers.
 */
static void
ppp_multilink(struct walk *w, struct part *p)
{
	enum { MULTILINK_WHOLE = 0xc0 };
	uint8_t flags = reader_u8(&p->r);
	reader_skip(&p->r, 3);

	if ((flags & MULTILINK_WHOLE) == MULTILINK_WHOLE)
		ppp_frame(w, p);
	else
		walk_count(w, COUNT_NOT_IP);
}

/* Bridged frames (RFC 3518 section 4.2): flags, MAC type. */
static void
ppp_bridged(struct walk *w, struct part *p)
{
	enum { MAC_ETHERNET = 1 };
	reader_skip(&p->r, 1);
	if (reader_u8(&p->r) == MAC_ETHERNET)
		ether_frame(w, p);
	else
		walk_count(w, COUNT_NOT_IP);
}

void
pppoe_session(struct walk *w, struct part *p)
{
	enum { PPPOE_VERSION_TYPE = 0x11, PPPOE_SESSION_DATA = 0 };
	uint8_t version = reader_u8(&p->r);
	uint8_t code = reader_u8(&p->r);
	reader_skip(&p->r, 2); /* session */
	uint16_t length = reader_be16(&p->r);

	if (!reader_ok(&p->r) || version != PPPOE_VERSION_TYPE) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	if (code != PPPOE_SESSION_DATA) {
		walk_count(w, COUNT_NOT_IP);
		return;
	}
	(void)part_limit(p, length);
	ppp_frame(w, p);
}

/* Address, control, EtherType. */
void
chdlc_frame(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 2);
	uint16_t type = reader_be16(&p->r);

	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else if (type <= 0x5ff) /* the ISO padding or a length: no IP */
		walk_count(w, COUNT_NOT_IP);
	else
		ether_payload(w, type, p);
}
