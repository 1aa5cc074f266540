/* Ethernet, the tags and shims between it and IP, IEEE 802.2 and MPLS. */
#include "config.h"

#include <string.h>

#include "decode/walk.h"

enum {
	ETHER_HEADER = 14,
	ETHER_LENGTH_MAX = 0x5ff, /* a smaller type is an IEEE 802.3 length */
	VLAN_ID = 0x0fff,
};

enum { /* LLC and SNAP (IEEE 802.2, RFC 1042) */
	LLC_SAP_IP = 0x06,
	LLC_SAP_SNAP = 0xaa,
	LLC_SAP_OSI = 0xfe,
	LLC_UNNUMBERED = 0x03,
	NLPID_IP4 = 0xcc,
	NLPID_IP6 = 0x8e,
};

static layer_fn *ether_reader(uint16_t type);
static layer_fn ether_vlan, ether_jumbo, ether_vntag, ether_etag, ether_pbb, ether_cmd,
	ether_macsec, ether_trill, ether_nsh, ether_erspan2, ether_erspan3, ether_realtek;
static void ether_next(struct walk *w, size_t skip, struct part *p);
static void erspan_frame(struct walk *w, size_t header, struct part *p);
static bool mpls_is_ethernet(const struct reader *r);

void
ether_frame(struct walk *w, struct part *p)
{
	struct packet *packet = &w->packet;
	struct reader r = reader_sub(&p->r, ETHER_HEADER);

	if (!reader_ok(&r)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	const uint8_t *dst = reader_take(&r, sizeof packet->dst_mac);
	const uint8_t *src = reader_take(&r, sizeof packet->src_mac);
	uint16_t type = reader_be16(&r);
	memcpy(packet->dst_mac, dst, sizeof packet->dst_mac);
	memcpy(packet->src_mac, src, sizeof packet->src_mac);
	packet->flags |= PACKET_MAC;
	packet->vlan[0] = packet->vlan[1] = 0;
	ether_payload(w, type, p);
}

void
ether_payload(struct walk *w, uint16_t type, struct part *p)
{
	if (!walk_enter(w))
		return;
	if (type <= ETHER_LENGTH_MAX) {
		(void)part_limit(p, type);
		llc_frame(w, p);
		return;
	}
	layer_fn *read = ether_reader(type);
	if (read == NULL)
		walk_count(w, COUNT_NOT_IP);
	else
		read(w, p);
}

static layer_fn *
ether_reader(uint16_t type)
{
	switch (type) {
	case 0x0800: return ip4_packet;
	case 0x86dd: return ip6_packet;
	case 0x8100: /* IEEE 802.1Q */
	case 0x88a8: /* IEEE 802.1ad */
	case 0x9100:
	case 0x9200: return ether_vlan;
	case 0x8847:
	case 0x8848: return mpls_frame;
	case 0x8864: return pppoe_session;
	case 0x880b: return ppp_frame;
	case 0x6558: return ether_frame; /* transparent Ethernet bridging (RFC 1701, RFC 7637) */
	case 0x8870: return ether_jumbo; /* LLC in frames too long for a length field */
	case 0x8926: return ether_vntag;
	case 0x893f: return ether_etag;    /* IEEE 802.1BR */
	case 0x88e7: return ether_pbb;     /* IEEE 802.1ah */
	case 0x8909: return ether_cmd;     /* Cisco metadata */
	case 0x88e5: return ether_macsec;  /* IEEE 802.1AE */
	case 0x22f3: return ether_trill;   /* RFC 6325 */
	case 0x894f: return ether_nsh;     /* RFC 8300 */
	case 0x88be: return ether_erspan2; /* draft-foschiano-erspan */
	case 0x22eb: return ether_erspan3;
	case 0x8899: return ether_realtek;
	default: return NULL;
	}
}

/* Skips the rest of a shim and goes on with the EtherType behind it. */
static void
ether_next(struct walk *w, size_t skip, struct part *p)
{
	reader_skip(&p->r, skip);
	uint16_t type = reader_be16(&p->r);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		ether_payload(w, type, p);
}

static void
ether_vlan(struct walk *w, struct part *p)
{
	struct reader peek = p->r;
	uint16_t *vlan = w->packet.vlan;
	uint16_t id = reader_be16(&peek) & VLAN_ID;

	if (vlan[0] == 0)
		vlan[0] = id;
	else if (vlan[1] == 0)
		vlan[1] = id;
	ether_next(w, 2, p);
}

static void
ether_jumbo(struct walk *w, struct part *p)
{
	llc_frame(w, p);
}

static void
ether_vntag(struct walk *w, struct part *p)
{
	ether_next(w, 4, p);
}

static void
ether_etag(struct walk *w, struct part *p)
{
	ether_next(w, 6, p);
}

/* Provider backbone bridge: service tag, then the customer's frame. */
static void
ether_pbb(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 4);
	ether_frame(w, p);
}

static void
ether_cmd(struct walk *w, struct part *p)
{
	ether_next(w, 6, p);
}

/*
 * Only where it protects integrity, not secrecy; the check value at the end is cut off by IP's
 * length.
 */
static void
ether_macsec(struct walk *w, struct part *p)
{
	enum { TCI_ENCRYPTED = 0x08, TCI_CHANGED = 0x04, TCI_SCI = 0x20 };
	uint8_t tci = reader_u8(&p->r);

	if ((tci & (TCI_ENCRYPTED | TCI_CHANGED)) != 0)
		walk_count(w, COUNT_MACSEC_ENCRYPTED);
	else
		ether_next(w, 5 + ((tci & TCI_SCI) != 0 ? 8u : 0u), p);
}

static void
ether_trill(struct walk *w, struct part *p)
{
	uint16_t head = reader_be16(&p->r);
	size_t options = (head >> 6 & 0x1fu) * 4u;

	reader_skip(&p->r, 4 + options); /* RBridge names */
	ether_frame(w, p);
}

/* Network service header: its length in words and what follows it (RFC 8300 section 2.2). */
static void
ether_nsh(struct walk *w, struct part *p)
{
	enum { NSH_BASE = 4, NSH_LENGTH = 0x3f };
	enum { NSH_IP4 = 1, NSH_IP6 = 2, NSH_ETHERNET = 3, NSH_NSH = 4, NSH_MPLS = 5 };
	uint16_t head = reader_be16(&p->r);
	reader_skip(&p->r, 1);
	uint8_t next = reader_u8(&p->r);
	size_t length = (head & NSH_LENGTH) * 4u;

	if (!reader_ok(&p->r) || length < NSH_BASE) {
		walk_short(w, p, COUNT_TUNNEL_MALFORMED);
		return;
	}
	reader_skip(&p->r, length - NSH_BASE);
	switch (next) {
	case NSH_IP4: ip4_packet(w, p); break;
	case NSH_IP6: ip6_packet(w, p); break;
	case NSH_ETHERNET: ether_frame(w, p); break;
	case NSH_NSH: ether_payload(w, 0x894f, p); break;
	case NSH_MPLS: mpls_frame(w, p); break;
	default: walk_count(w, COUNT_NOT_IP);
	}
}

static void
erspan_frame(struct walk *w, size_t header, struct part *p)
{
	reader_skip(&p->r, header);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_TUNNEL_MALFORMED);
	else
		ether_frame(w, p);
}

static void
ether_erspan2(struct walk *w, struct part *p)
{
	erspan_frame(w, 8, p);
}

static void
ether_erspan3(struct walk *w, struct part *p)
{
	enum { ERSPAN3_HEADER = 12, ERSPAN3_PLATFORM = 8 };
	struct reader peek = p->r;
	reader_skip(&peek, ERSPAN3_HEADER - 1);
	bool platform = (reader_u8(&peek) & 1) != 0;
	erspan_frame(w, ERSPAN3_HEADER + (platform ? (size_t)ERSPAN3_PLATFORM : 0), p);
}

/* Realtek switch tags: four bytes when they tag a frame at all. */
static void
ether_realtek(struct walk *w, struct part *p)
{
	struct reader peek = p->r;
	if ((reader_u8(&peek) & 0xf0) == 0x90)
		ether_next(w, 2, p);
	else
		walk_count(w, COUNT_NOT_IP);
}

void
llc_frame(struct walk *w, struct part *p)
{
	uint8_t dsap = reader_u8(&p->r);
	uint8_t ssap = reader_u8(&p->r);
	uint8_t control = reader_u8(&p->r);

	if (!reader_ok(&p->r)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	if (control != LLC_UNNUMBERED || dsap != ssap) {
		walk_count(w, COUNT_NOT_IP);
		return;
	}
	uint8_t nlpid = 0;
	switch (dsap) {
	case LLC_SAP_SNAP: snap_header(w, p); break;
	case LLC_SAP_IP: ip4_packet(w, p); break;
	case LLC_SAP_OSI:
		nlpid = reader_u8(&p->r);
		if (nlpid == NLPID_IP4)
			ip4_packet(w, p);
		else if (nlpid == NLPID_IP6)
			ip6_packet(w, p);
		else
			walk_count(w, COUNT_NOT_IP);
		break;
	default: walk_count(w, COUNT_NOT_IP);
	}
}

void
snap_header(struct walk *w, struct part *p)
{
	enum { OUI_ETHERTYPE = 0x000000, OUI_BRIDGE_TUNNEL = 0x0000f8, OUI_BRIDGED = 0x0080c2 };
	enum { BRIDGED_ETHERNET_FCS = 1, BRIDGED_ETHERNET = 7 };
	uint32_t oui = reader_be24(&p->r);
	uint16_t type = reader_be16(&p->r);

	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else if ((oui == OUI_ETHERTYPE || oui == OUI_BRIDGE_TUNNEL) && type > ETHER_LENGTH_MAX)
		ether_payload(w, type, p);
	else if (oui == OUI_BRIDGED && (type == BRIDGED_ETHERNET_FCS || type == BRIDGED_ETHERNET))
		ether_frame(w, p);
	else
		walk_count(w, COUNT_NOT_IP);
}

/*
 * A label stack. Nothing in it names what it carries; the first nibble is the custom (RFC 4928),
 * with a control word (RFC 4385) or without before a bridged frame.
 */
void
mpls_frame(struct walk *w, struct part *p)
{
	enum { MPLS_BOTTOM = 0x100, CONTROL_WORD = 4 };
	uint32_t label;

	do {
		if (!walk_enter(w))
			return;
		label = reader_be32(&p->r);
	} while (reader_ok(&p->r) && (label & MPLS_BOTTOM) == 0);

	struct reader peek = p->r;
	uint8_t nibble = reader_u8(&peek) >> 4;
	if (!reader_ok(&peek)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	if (nibble == 4 || nibble == 6) {
		if (mpls_is_ethernet(&p->r))
			ether_frame(w, p);
		else
			ip_packet(w, p);
	} else if (nibble == 0) {
		reader_skip(&p->r, CONTROL_WORD);
		ether_frame(w, p);
	} else if (mpls_is_ethernet(&p->r)) {
		ether_frame(w, p);
	} else {
		walk_count(w, COUNT_NOT_IP);
	}
}

/*
 * A MAC address may begin with a 4 or 6 as well: then a known EtherType stands where a header has
 * none.
 */
static bool
mpls_is_ethernet(const struct reader *r)
{
	struct reader peek = *r;
	uint8_t first = reader_u8(&peek);
	reader_skip(&peek, 11);
	uint16_t type = reader_be16(&peek);
	bool ip = first == 0x45 || first >> 4 == 6;
	return reader_ok(&peek) && type > ETHER_LENGTH_MAX && ether_reader(type) != NULL && !ip;
}
