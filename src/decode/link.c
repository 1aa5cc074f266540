/* Link layers by LINKTYPE_ value (tcpdump.org/linktypes.html), but for Ethernet, 802.11 and PPP. */
#include "config.h"

#include "decode/walk.h"

enum {
	FAMILY_INET = 2,
	FAMILY_INET6_NETBSD = 24, /* and OpenBSD, BSD/OS */
	FAMILY_INET6_FREEBSD = 28,
	FAMILY_INET6_DARWIN = 30,
	FAMILY_INET6_LINUX = 10,
};

enum { /* first bytes of other headers in place of the family */
	PPP_IN_HDLC = 0xff03,
	CHDLC_UNICAST = 0x0f00,
	CHDLC_MULTICAST = 0x8f00,
};

enum { /* ARPHRD_ values in Linux cooked captures whose protocol field is no EtherType */
	ARPHRD_NETLINK = 824,
	ARPHRD_RADIOTAP = 803,
};

struct link_row {
	uint16_t link;
	layer_fn *read;
};

static layer_fn link_null, link_enc, link_sll, link_sll2, link_frelay, link_frelay_direction,
	link_chdlc_direction, link_pflog, link_nflog, link_pktap, link_netanalyzer, link_mpacket,
	link_brcm_prepend, link_slip, link_token_ring, link_fddi, link_ipoib;
static void link_family(struct walk *w, uint32_t family, struct part *p);
static void link_cooked(struct walk *w, uint16_t type, uint16_t hardware, struct part *p);

static const struct link_row link_rows[] = {
	{1, ether_frame},             /* ETHERNET; first, as nearly every frame is one */
	{0, link_null},               /* NULL: address family in the writer's byte order */
	{6, link_token_ring},         /* IEEE802_5 */
	{8, link_slip},               /* SLIP */
	{9, ppp_frame},               /* PPP */
	{10, link_fddi},              /* FDDI */
	{12, ip_packet},              /* RAW as DLT_ value */
	{14, ip_packet},              /* RAW as DLT_ value of OpenBSD */
	{50, ppp_frame},              /* PPP_HDLC */
	{51, pppoe_session},          /* PPP_ETHER */
	{100, llc_frame},             /* ATM_RFC1483 */
	{101, ip_packet},             /* RAW */
	{104, chdlc_frame},           /* C_HDLC */
	{105, wlan_frame},            /* IEEE802_11 */
	{107, link_frelay},           /* FRELAY */
	{108, link_null},             /* LOOP: address family in network byte order */
	{109, link_enc},              /* ENC */
	{113, link_sll},              /* LINUX_SLL */
	{117, link_pflog},            /* PFLOG */
	{119, wlan_prism},            /* IEEE802_11_PRISM */
	{127, wlan_radiotap},         /* IEEE802_11_RADIOTAP */
	{149, link_pktap},            /* USER2, as old Darwin files write PKTAP */
	{163, wlan_avs},              /* IEEE802_11_AVS */
	{166, ppp_frame},             /* PPP_PPPD */
	{192, wlan_ppi},              /* PPI */
	{204, ppp_frame},             /* PPP_WITH_DIR */
	{205, link_chdlc_direction},  /* C_HDLC_WITH_DIR */
	{206, link_frelay_direction}, /* FRELAY_WITH_DIR */
	{219, mpls_frame},            /* MPLS */
	{228, ip_packet},             /* IPV4; some writers put IPv6 there */
	{229, ip_packet},             /* IPV6 */
	{239, link_nflog},            /* NFLOG */
	{240, link_netanalyzer},      /* NETANALYZER */
	{242, link_ipoib},            /* IPOIB */
	{258, link_pktap},            /* PKTAP */
	{274, link_mpacket},          /* ETHERNET_MPACKET */
	{276, link_sll2},             /* LINUX_SLL2 */
	{282, link_brcm_prepend},     /* DSA_TAG_BRCM_PREPEND */
};

void
link_frame(struct walk *w, uint16_t link, struct part *p)
{
	if (!walk_enter(w))
		return;
	for (size_t i = 0; i < sizeof link_rows / sizeof link_rows[0]; i++) {
		if (link_rows[i].link == link) {
			link_rows[i].read(w, p);
			return;
		}
	}
	walk_count(w, COUNT_LINK_UNKNOWN);
}

/* Four bytes of address family, in whichever byte order gives a small number. */
static void
link_null(struct walk *w, struct part *p)
{
	struct part whole = *p;
	uint32_t family = reader_be32(&p->r);
	if (!reader_ok(&p->r)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	/* Some writers have a PPP or Cisco HDLC header of four bytes instead. */
	if (family >> 16 == PPP_IN_HDLC || family >> 16 == CHDLC_UNICAST ||
		family >> 16 == CHDLC_MULTICAST) {
		ppp_frame(w, &whole);
		return;
	}
	if (family > 0xffff)
		family = family >> 24 | (family >> 8 & 0xff00);
	link_family(w, family, p);
}

/* The systems agree on the number of IPv4 only. */
static void
link_family(struct walk *w, uint32_t family, struct part *p)
{
	switch (family) {
	case FAMILY_INET: ip4_packet(w, p); break;
	case FAMILY_INET6_LINUX:
	case FAMILY_INET6_NETBSD:
	case FAMILY_INET6_FREEBSD:
	case FAMILY_INET6_DARWIN: ip6_packet(w, p); break;
	default:
		/* Some writers put an EtherType there. */
		if (family >= 0x600)
			ether_payload(w, (uint16_t)family, p);
		else
			walk_count(w, COUNT_NOT_IP);
	}
}

/* OpenBSD's encapsulating interface: family, SPI, flags. */
static void
link_enc(struct walk *w, struct part *p)
{
	uint32_t family = reader_be32(&p->r);
	reader_skip(&p->r, 8);
	if (!reader_ok(&p->r)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	if (family > 0xffff)
		family = family >> 24 | (family >> 8 & 0xff00);
	link_family(w, family, p);
}

static void
link_sll(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 2); /* direction */
	uint16_t hardware = reader_be16(&p->r);
	reader_skip(&p->r, 10); /* address and its length */
	uint16_t type = reader_be16(&p->r);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		link_cooked(w, type, hardware, p);
}

static void
link_sll2(struct walk *w, struct part *p)
{
	uint16_t type = reader_be16(&p->r);
	reader_skip(&p->r, 6); /* reserved, interface */
	uint16_t hardware = reader_be16(&p->r);
	reader_skip(&p->r, 10); /* direction, address and its length */
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		link_cooked(w, type, hardware, p);
}

static void
link_cooked(struct walk *w, uint16_t type, uint16_t hardware, struct part *p)
{
	enum { COOKED_NOVELL = 1, COOKED_LLC = 4 };

	if (hardware == ARPHRD_NETLINK)
		walk_count(w, COUNT_NOT_IP);
	else if (hardware == ARPHRD_RADIOTAP)
		wlan_radiotap(w, p);
	else if (type == COOKED_LLC)
		llc_frame(w, p);
	else if (type <= COOKED_NOVELL + 0xff)
		walk_count(w, COUNT_NOT_IP);
	else
		ether_payload(w, type, p);
}

/* Frame relay (RFC 2427): a two-byte Q.922 address, then an NLPID or an EtherType. */
static void
link_frelay(struct walk *w, struct part *p)
{
	enum { Q922_LAST = 1, ADDRESS_MAX = 4, UNNUMBERED = 3 };
	enum { NLPID_SNAP = 0x80, NLPID_IP4 = 0xcc, NLPID_IP6 = 0x8e, NLPID_PPP = 0xcf };
	unsigned address = 0;
	uint8_t byte;

	do
		byte = reader_u8(&p->r);
	while (++address < ADDRESS_MAX && reader_ok(&p->r) && (byte & Q922_LAST) == 0);
	struct part cisco = *p;
	uint16_t type = reader_be16(&cisco.r);
	uint8_t control = reader_u8(&p->r);
	uint8_t nlpid = reader_u8(&p->r);
	if (nlpid == 0) /* padding (RFC 2427 section 4.1) */
		nlpid = reader_u8(&p->r);
	if (!reader_ok(&p->r) || !reader_ok(&cisco.r)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	if (control != UNNUMBERED) {
		ether_payload(w, type, &cisco);
		return;
	}
	switch (nlpid) {
	case NLPID_IP4: ip4_packet(w, p); break;
	case NLPID_IP6: ip6_packet(w, p); break;
	case NLPID_PPP: ppp_frame(w, p); break;
	case NLPID_SNAP: snap_header(w, p); break;
	default: walk_count(w, COUNT_NOT_IP);
	}
}

static void
link_frelay_direction(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 1);
	link_frelay(w, p);
}

static void
link_chdlc_direction(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 1);
	chdlc_frame(w, p);
}

/* OpenBSD's packet filter log: its header's length and the address family come first. */
static void
link_pflog(struct walk *w, struct part *p)
{
	enum { PFLOG_LEAST = 4 };
	struct reader peek = p->r;
	uint8_t length = reader_u8(&peek);
	uint8_t family = reader_u8(&peek);

	reader_skip(&p->r, (length + 3u) & ~3u);
	if (!reader_ok(&p->r) || !reader_ok(&peek) || length < PFLOG_LEAST)
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		link_family(w, family, p);
}

/* Linux netfilter log: family, version, resource, then attributes; one of them is the packet. */
static void
link_nflog(struct walk *w, struct part *p)
{
	enum { ATTRIBUTE_HEADER = 4, ATTRIBUTE_PAYLOAD = 9, ATTRIBUTE_TYPE = 0x7fff };
	uint8_t family = reader_u8(&p->r);

	reader_skip(&p->r, 3);
	while (reader_ok(&p->r) && p->r.left >= ATTRIBUTE_HEADER) {
		/* In the byte order of the host that wrote it: nearly all are little-endian. */
		uint16_t length = reader_le16(&p->r);
		uint16_t type = reader_le16(&p->r) & ATTRIBUTE_TYPE;
		if (length < ATTRIBUTE_HEADER)
			break;
		size_t body = length - ATTRIBUTE_HEADER;
		if (type == ATTRIBUTE_PAYLOAD) {
			(void)part_limit(p, body);
			link_family(w, family, p);
			return;
		}
		reader_skip(&p->r, (body + 3) & ~(size_t)3);
	}
	walk_short(w, p, COUNT_LINK_MALFORMED);
}

/* Darwin's PKTAP: header length, record type and the link type of what follows, little-endian. */
static void
link_pktap(struct walk *w, struct part *p)
{
	enum { PKTAP_FIXED = 12 };
	uint32_t length = reader_le32(&p->r);
	reader_skip(&p->r, 4);
	uint32_t link = reader_le32(&p->r);

	if (!reader_ok(&p->r) || length < PKTAP_FIXED) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	reader_skip(&p->r, length - PKTAP_FIXED);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		link_frame(w, link <= UINT16_MAX ? (uint16_t)link : UINT16_MAX, p);
}

/* Hilscher netANALYZER: four bytes before an Ethernet frame. */
static void
link_netanalyzer(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 4);
	ether_frame(w, p);
}

/* IEEE 802.3br: preamble and start delimiter before the frame. */
static void
link_mpacket(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 8);
	ether_frame(w, p);
}

static void
link_brcm_prepend(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 4);
	ether_frame(w, p);
}

/* IP over InfiniBand (RFC 4391): GRH-like pseudo header of 40 bytes, EtherType, reserved. */
static void
link_ipoib(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 40);
	uint16_t type = reader_be16(&p->r);
	reader_skip(&p->r, 2);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		ether_payload(w, type, p);
}

/* SLIP as libpcap writes it: direction and compressed header room of 16 bytes. */
static void
link_slip(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 16);
	ip_packet(w, p);
}

/* IEEE 802.5: access and frame control, addresses, source route when the source says so. */
static void
link_token_ring(struct walk *w, struct part *p)
{
	enum { SOURCE_ROUTED = 0x80, ROUTE_LENGTH = 0x1f };
	reader_skip(&p->r, 2 + 6);
	uint8_t source = reader_u8(&p->r);
	reader_skip(&p->r, 5);
	if ((source & SOURCE_ROUTED) != 0) {
		struct reader peek = p->r;
		reader_skip(&p->r, reader_u8(&peek) & ROUTE_LENGTH);
	}
	llc_frame(w, p);
}

static void
link_fddi(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 1 + 6 + 6); /* frame control, addresses */
	llc_frame(w, p);
}
