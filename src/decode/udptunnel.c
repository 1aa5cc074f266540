/*
 * Tunnels over UDP. A port is only a hint: each is taken for one when its header
 * says so as well, and is nothing but a UDP packet otherwise, without a word.
 */
#include "config.h"

#include "decode/walk.h"

/* Does the payload look like this tunnel's? On true the rest was decoded. */
typedef bool tunnel_fn(struct walk *w, struct part *p);

static tunnel_fn tunnel_vxlan, tunnel_vxlan_gpe, tunnel_geneve, tunnel_gtp, tunnel_teredo,
	tunnel_l2tp, tunnel_mpls, tunnel_gre_in_udp, tunnel_lisp, tunnel_tzsp, tunnel_ayiya;
static tunnel_fn *tunnel_of(uint16_t port);
static bool looks_ip(const struct part *p);
static bool looks_ether(const struct part *p);
static bool gtp_extensions(struct reader *r);
static bool tzsp_tags(struct reader *r);

void
tunnel_udp(struct walk *w, struct part *p)
{
	const uint16_t ports[2] = {w->packet.dst_port, w->packet.src_port};

	for (int i = 0; i < 2; i++) {
		tunnel_fn *read = tunnel_of(ports[i]);
		if (read == NULL)
			continue;
		struct part attempt = *p;
		if (read(w, &attempt))
			return;
	}
}

static tunnel_fn *
tunnel_of(uint16_t port)
{
	switch (port) {
	case 1701: return tunnel_l2tp;       /* RFC 2661 */
	case 2152: return tunnel_gtp;        /* 3GPP TS 29.281 */
	case 3544: return tunnel_teredo;     /* RFC 4380 */
	case 4341: return tunnel_lisp;       /* RFC 9300 */
	case 4754: return tunnel_gre_in_udp; /* RFC 8086 */
	case 4789: return tunnel_vxlan;      /* RFC 7348 */
	case 4790: return tunnel_vxlan_gpe;  /* draft-ietf-nvo3-vxlan-gpe */
	case 5072: return tunnel_ayiya;      /* draft-massar-v6ops-ayiya */
	case 6081: return tunnel_geneve;     /* RFC 8926 */
	case 6635: return tunnel_mpls;       /* RFC 7510 */
	case 8472: return tunnel_vxlan;      /* Linux before the assignment */
	case 37008: return tunnel_tzsp;      /* TaZmen Sniffer Protocol */
	default: return NULL;
	}
}

/* An IP header whose length agrees with what there is. */
static bool
looks_ip(const struct part *p)
{
	struct reader r = p->r;
	uint8_t first = reader_u8(&r);

	if (first >> 4 == 4 && (first & 0xf) >= 5) {
		reader_skip(&r, 1);
		uint16_t total = reader_be16(&r);
		return reader_ok(&r) && total >= (first & 0xfu) * 4u && total <= part_wire(p);
	}
	if (first >> 4 == 6) {
		reader_skip(&r, 3);
		uint16_t length = reader_be16(&r);
		return reader_ok(&r) && length + (size_t)40 <= part_wire(p);
	}
	return false;
}

/* An Ethernet header with a type or length that is seen in practice. */
static bool
looks_ether(const struct part *p)
{
	struct reader r = p->r;
	reader_skip(&r, 12);
	uint16_t type = reader_be16(&r);
	if (!reader_ok(&r))
		return false;
	switch (type) {
	case 0x0800:
	case 0x0806:
	case 0x86dd:
	case 0x8100:
	case 0x88a8:
	case 0x8847:
	case 0x8864:
	case 0x88cc:
	case 0x8809:
	case 0x894f: return true;
	default: return type <= 0x5dc && type <= part_wire(p);
	}
}

/* RFC 7348 section 5, and Linux's group policy extension in the reserved bits. */
static bool
tunnel_vxlan(struct walk *w, struct part *p)
{
	enum { VXLAN_HAS_VNI = 0x08, VXLAN_PLAIN = 0x08 };
	uint8_t flags = reader_u8(&p->r);
	uint32_t reserved = reader_be24(&p->r);
	reader_skip(&p->r, 3); /* network identifier */
	reserved |= reader_u8(&p->r);
	bool plain = flags == VXLAN_PLAIN && reserved == 0;

	if (!reader_ok(&p->r) || (flags & VXLAN_HAS_VNI) == 0 || (!plain && !looks_ether(p)))
		return false;
	ether_frame(w, p);
	return true;
}

static bool
tunnel_vxlan_gpe(struct walk *w, struct part *p)
{
	enum { GPE_HAS_VNI = 0x08, GPE_HAS_NEXT = 0x04 };
	enum { GPE_IP4 = 1, GPE_IP6 = 2, GPE_ETHERNET = 3, GPE_NSH = 4, GPE_MPLS = 5 };
	struct part whole = *p;
	uint8_t flags = reader_u8(&p->r);
	reader_skip(&p->r, 2);
	uint8_t next = reader_u8(&p->r);
	reader_skip(&p->r, 4);

	if (!reader_ok(&p->r) || (flags & GPE_HAS_VNI) == 0)
		return false;
	if ((flags & GPE_HAS_NEXT) == 0)
		return tunnel_vxlan(w, &whole);
	switch (next) {
	case GPE_IP4: ip4_packet(w, p); return true;
	case GPE_IP6: ip6_packet(w, p); return true;
	case GPE_ETHERNET: ether_frame(w, p); return true;
	case GPE_NSH: ether_payload(w, 0x894f, p); return true;
	case GPE_MPLS: mpls_frame(w, p); return true;
	default: return false;
	}
}

/* RFC 8926 section 3.4. */
static bool
tunnel_geneve(struct walk *w, struct part *p)
{
	uint8_t head = reader_u8(&p->r);
	uint8_t flags = reader_u8(&p->r);
	uint16_t type = reader_be16(&p->r);
	reader_skip(&p->r, 3);
	uint8_t reserved = reader_u8(&p->r);
	reader_skip(&p->r, (head & 0x3fu) * 4u);

	if (!reader_ok(&p->r) || head >> 6 != 0 || (flags & 0x3f) != 0 || reserved != 0 ||
		type <= 0x5ff)
		return false;
	ether_payload(w, type, p);
	return true;
}

/* 3GPP TS 29.281 section 5.1: version 1, a T-PDU, its length, extension headers. */
static bool
tunnel_gtp(struct walk *w, struct part *p)
{
	enum {
		GTP_VERSION_TYPE = 0xf0,
		GTP_V1 = 0x30,
		GTP_OPTIONAL = 0x07,
		GTP_EXTENSION = 0x04,
		GTP_TPDU = 0xff
	};
	uint8_t flags = reader_u8(&p->r);
	uint8_t type = reader_u8(&p->r);
	uint16_t length = reader_be16(&p->r);
	reader_skip(&p->r, 4); /* tunnel */

	if (!reader_ok(&p->r) || (flags & GTP_VERSION_TYPE) != GTP_V1 || type != GTP_TPDU ||
		!part_limit(p, length))
		return false;
	if ((flags & GTP_OPTIONAL) != 0) {
		reader_skip(&p->r, 3); /* sequence, N-PDU number */
		if ((flags & GTP_EXTENSION) == 0)
			reader_skip(&p->r, 1);
		else if (!gtp_extensions(&p->r))
			return false;
	}
	if (!reader_ok(&p->r) || !looks_ip(p))
		return false;
	ip_packet(w, p);
	return true;
}

/* Section 5.2: length in words, content, type of the next. */
static bool
gtp_extensions(struct reader *r)
{
	while (reader_u8(r) != 0) {
		uint8_t words = reader_u8(r);
		if (words == 0)
			return false;
		reader_skip(r, words * 4u - 2u);
	}
	return reader_ok(r);
}

/* RFC 4380 section 5.1.1: an authentication and an origin indication may come before the packet. */
static bool
tunnel_teredo(struct walk *w, struct part *p)
{
	enum { TEREDO_AUTHENTICATION = 1, TEREDO_ORIGIN = 0 };
	struct reader peek = p->r;
	uint16_t type = reader_be16(&peek);

	if (type == TEREDO_AUTHENTICATION) {
		uint8_t id = reader_u8(&peek);
		uint8_t value = reader_u8(&peek);
		reader_skip(&p->r, 4u + id + value + 9u); /* nonce, confirmation */
		peek = p->r;
		type = reader_be16(&peek);
	}
	if (type == TEREDO_ORIGIN)
		reader_skip(&p->r, 8);
	peek = p->r;
	if (!reader_ok(&p->r) || reader_u8(&peek) >> 4 != 6 || !looks_ip(p))
		return false;
	ip6_packet(w, p);
	return true;
}

/* A data message of version 2 (RFC 2661 section 3.1) carries PPP. */
static bool
tunnel_l2tp(struct walk *w, struct part *p)
{
	enum {
		L2TP_CONTROL = 0x8000,
		L2TP_LENGTH = 0x4000,
		L2TP_SEQUENCE = 0x0800,
		L2TP_OFFSET = 0x0200
	};
	enum { L2TP_VERSION = 0x000f, L2TP_RESERVED = 0x34f0 };
	uint16_t flags = reader_be16(&p->r);

	if ((flags & (L2TP_CONTROL | L2TP_RESERVED)) != 0 || (flags & L2TP_VERSION) != 2)
		return false;
	if ((flags & L2TP_LENGTH) != 0)
		reader_skip(&p->r, 2);
	reader_skip(&p->r, 4); /* tunnel, session */
	if ((flags & L2TP_SEQUENCE) != 0)
		reader_skip(&p->r, 4);
	if ((flags & L2TP_OFFSET) != 0)
		reader_skip(&p->r, reader_be16(&p->r));
	if (!reader_ok(&p->r) || p->r.left == 0)
		return false;
	ppp_frame(w, p);
	return true;
}

static bool
tunnel_mpls(struct walk *w, struct part *p)
{
	if (p->r.left < 4 + 20)
		return false;
	mpls_frame(w, p);
	return true;
}

/* RFC 8086 section 3: only version 0 without reserved bits. */
static bool
tunnel_gre_in_udp(struct walk *w, struct part *p)
{
	enum { GRE_RESERVED_VERSION = 0x4fff };
	struct reader peek = p->r;
	uint16_t flags = reader_be16(&peek);
	uint16_t protocol = reader_be16(&peek);

	if (!reader_ok(&peek) || (flags & GRE_RESERVED_VERSION) != 0 || protocol <= 0x5ff)
		return false;
	tunnel_gre(w, p);
	return true;
}

/* RFC 9300 section 5.1: flags, nonce and locator bits, then IP. */
static bool
tunnel_lisp(struct walk *w, struct part *p)
{
	reader_skip(&p->r, 8);
	if (!reader_ok(&p->r) || !looks_ip(p))
		return false;
	ip_packet(w, p);
	return true;
}

static bool
tunnel_tzsp(struct walk *w, struct part *p)
{
	enum { TZSP_VERSION = 1, TZSP_TYPE_MAX = 1, TZSP_ETHERNET = 1, TZSP_WLAN = 18 };
	uint8_t version = reader_u8(&p->r);
	uint8_t type = reader_u8(&p->r);
	uint16_t inner = reader_be16(&p->r);

	if (version != TZSP_VERSION || type > TZSP_TYPE_MAX || !tzsp_tags(&p->r))
		return false;
	if (inner == TZSP_ETHERNET)
		ether_frame(w, p);
	else if (inner == TZSP_WLAN)
		wlan_frame(w, p);
	else
		return false;
	return true;
}

/* Type, length, value until the end tag; padding is a type alone. */
static bool
tzsp_tags(struct reader *r)
{
	enum { TAG_PADDING = 0, TAG_END = 1 };

	while (reader_ok(r)) {
		uint8_t tag = reader_u8(r);
		if (tag == TAG_END)
			return reader_ok(r);
		if (tag != TAG_PADDING)
			reader_skip(r, reader_u8(r));
	}
	return false;
}

/* AYIYA: identity, signature and authentication of lengths in the first bytes, then IPv6. */
static bool
tunnel_ayiya(struct walk *w, struct part *p)
{
	enum { AYIYA_FORWARD = 1, AYIYA_IP6 = 41, AYIYA_IP4 = 4 };
	uint8_t identity = reader_u8(&p->r);
	uint8_t signature = reader_u8(&p->r);
	uint8_t operation = reader_u8(&p->r);
	uint8_t next = reader_u8(&p->r);

	reader_skip(&p->r, 4); /* time */
	reader_skip(&p->r, ((size_t)1 << (identity >> 4)) + (signature >> 4) * 4u);
	if (!reader_ok(&p->r) || (operation & 0xf) != AYIYA_FORWARD ||
		(next != AYIYA_IP6 && next != AYIYA_IP4) || !looks_ip(p))
		return false;
	ip_packet(w, p);
	return true;
}
