/*
 * IEEE 802.11 data frames that are not encrypted, with the headers that capture
 * tools put before them. Aggregated frames (A-MSDU) are taken apart.
 */
#include "config.h"

#include <string.h>

#include "decode/walk.h"

enum { /* frame control, first byte and flags */
	WLAN_TYPE = 0x0c,
	WLAN_TYPE_DATA = 0x08,
	WLAN_SUBTYPE_NO_DATA = 0x40,
	WLAN_SUBTYPE_QOS = 0x80,
	WLAN_TO_DS = 0x01,
	WLAN_FROM_DS = 0x02,
	WLAN_PROTECTED = 0x40,
	WLAN_ORDER = 0x80, /* in QoS data: an HT control field follows */
	WLAN_QOS_AMSDU = 0x80,
};

enum { LINK_WLAN = 105 };

struct wlan {
	uint8_t subtype; /* first byte of frame control */
	uint8_t flags;
	const uint8_t *address[4];
	bool amsdu;
};

static bool wlan_header(struct wlan *h, struct reader *r);
static void wlan_addresses(const struct wlan *h, struct packet *packet);
static void wlan_read(struct walk *w, bool padded, struct part *p);
static void wlan_amsdu(struct walk *w, struct part *p);
static bool radiotap_padded(struct reader r);

void
wlan_frame(struct walk *w, struct part *p)
{
	wlan_read(w, false, p);
}

/* padded: the capture tool left room behind the header, up to a multiple of four bytes. */
static void
wlan_read(struct walk *w, bool padded, struct part *p)
{
	struct wlan h;

	if (!walk_enter(w))
		return;
	const size_t before = p->r.left;
	bool sane = wlan_header(&h, &p->r);
	if (padded)
		reader_skip(&p->r, (4 - (before - p->r.left) % 4) % 4);
	if (!sane || !reader_ok(&p->r)) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	if ((h.subtype & WLAN_TYPE) != WLAN_TYPE_DATA || (h.subtype & WLAN_SUBTYPE_NO_DATA) != 0) {
		walk_count(w, COUNT_NOT_IP);
	} else if ((h.flags & WLAN_PROTECTED) != 0) {
		walk_count(w, COUNT_WLAN_ENCRYPTED);
	} else {
		wlan_addresses(&h, &w->packet);
		if (h.amsdu)
			wlan_amsdu(w, p);
		else
			llc_frame(w, p);
	}
}

/*
 * The MAC header (IEEE 802.11-2020 section 9.2.3); of other than data frames only the first field.
 */
static bool
wlan_header(struct wlan *h, struct reader *r)
{
	*h = (struct wlan){.subtype = reader_u8(r)};
	h->flags = reader_u8(r);
	if ((h->subtype & WLAN_TYPE) != WLAN_TYPE_DATA)
		return reader_ok(r);
	reader_skip(r, 2); /* duration */
	for (int i = 0; i < 3; i++)
		h->address[i] = reader_take(r, 6);
	reader_skip(r, 2); /* sequence */
	if ((h->flags & (WLAN_TO_DS | WLAN_FROM_DS)) == (WLAN_TO_DS | WLAN_FROM_DS))
		h->address[3] = reader_take(r, 6);
	if ((h->subtype & WLAN_SUBTYPE_QOS) != 0) {
		h->amsdu = (reader_u8(r) & WLAN_QOS_AMSDU) != 0;
		reader_skip(r, 1);
		if ((h->flags & WLAN_ORDER) != 0)
			reader_skip(r, 4);
	}
	return reader_ok(r);
}

/* Which address is whose depends on the direction (section 9.3.2.1, table 9-30). */
static void
wlan_addresses(const struct wlan *h, struct packet *packet)
{
	static const struct {
		int dst, src;
	} of[] = {{0, 1}, {2, 1}, {0, 2}, {2, 3}};
	unsigned direction = h->flags & (WLAN_TO_DS | WLAN_FROM_DS);

	memcpy(packet->dst_mac, h->address[of[direction].dst], sizeof packet->dst_mac);
	memcpy(packet->src_mac, h->address[of[direction].src], sizeof packet->src_mac);
	packet->flags |= PACKET_MAC;
	packet->vlan[0] = packet->vlan[1] = 0;
}

/* Subframes: addresses, length, LLC; padded to four bytes but for the last (section 9.3.2.2). */
static void
wlan_amsdu(struct walk *w, struct part *p)
{
	struct packet *packet = &w->packet;

	do {
		const size_t before = p->r.left;
		const uint8_t *dst = reader_take(&p->r, sizeof packet->dst_mac);
		const uint8_t *src = reader_take(&p->r, sizeof packet->src_mac);
		uint16_t length = reader_be16(&p->r);
		struct part inner = *p;
		if (!reader_ok(&p->r) || !part_limit(&inner, length)) {
			walk_short(w, p, COUNT_LINK_MALFORMED);
			return;
		}
		memcpy(packet->dst_mac, dst, sizeof packet->dst_mac);
		memcpy(packet->src_mac, src, sizeof packet->src_mac);
		llc_frame(w, &inner);
		part_skip(p, length);
		part_skip(p, (4 - (before - p->r.left) % 4) % 4);
	} while (part_wire(p) > 0 && walk_enter(w));
}

/* Radiotap: version, padding, length, then words that say which fields follow; little-endian. */
void
wlan_radiotap(struct walk *w, struct part *p)
{
	enum { RADIOTAP_LEAST = 8 };
	struct reader peek = p->r;
	uint8_t version = reader_u8(&peek);
	reader_skip(&peek, 1);
	uint16_t length = reader_le16(&peek);
	struct reader header = reader_sub(&p->r, length);

	if (!reader_ok(&peek) || !reader_ok(&header) || version != 0 || length < RADIOTAP_LEAST) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	wlan_read(w, radiotap_padded(header), p);
}

/* Do its flags, the second field, say that the 802.11 header is padded to four bytes? */
static bool
radiotap_padded(struct reader r)
{
	enum { PRESENT_TSFT = 1, PRESENT_FLAGS = 2, FLAG_PADDED = 0x20, RADIOTAP_FIXED = 4 };
	const uint32_t more = UINT32_C(1) << 31;
	size_t taken = RADIOTAP_FIXED;
	uint32_t first, present;

	reader_skip(&r, RADIOTAP_FIXED);
	first = present = reader_le32(&r);
	for (taken += 4; (present & more) != 0; taken += 4)
		present = reader_le32(&r);
	if ((first & PRESENT_FLAGS) == 0)
		return false;
	if ((first & PRESENT_TSFT) != 0)
		reader_skip(&r, (taken % 8 != 0 ? 4u : 0u) + 8); /* aligned to its size */
	uint8_t flags = reader_u8(&r);
	return reader_ok(&r) && (flags & FLAG_PADDED) != 0;
}

/* Prism: message code and length, in the byte order of the host that wrote it. */
void
wlan_prism(struct walk *w, struct part *p)
{
	enum { PRISM_LENGTH_MOST = 0xffff, AVS_MAGIC = 0x80211000 };
	struct reader peek = p->r;
	uint32_t code = reader_be32(&peek);
	uint32_t length = reader_le32(&peek);

	if ((code & 0xfffff000) == AVS_MAGIC) {
		wlan_avs(w, p);
		return;
	}
	if (length > PRISM_LENGTH_MOST)
		length = (length & 0xff) << 24 | (length & 0xff00) << 8 | (length >> 8 & 0xff00) |
			 length >> 24;
	reader_skip(&p->r, length);
	if (!reader_ok(&p->r) || !reader_ok(&peek))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		wlan_frame(w, p);
}

/* AVS: version, length, big-endian. */
void
wlan_avs(struct walk *w, struct part *p)
{
	struct reader peek = p->r;
	reader_skip(&peek, 4);
	uint32_t length = reader_be32(&peek);

	reader_skip(&p->r, length);
	if (!reader_ok(&p->r) || !reader_ok(&peek))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else
		wlan_frame(w, p);
}

/* Per-packet information: version, flags, length, the DLT_ value of what follows, little-endian. */
void
wlan_ppi(struct walk *w, struct part *p)
{
	enum { PPI_HEADER = 8 };
	reader_skip(&p->r, 2);
	uint16_t length = reader_le16(&p->r);
	uint32_t link = reader_le32(&p->r);

	if (!reader_ok(&p->r) || length < PPI_HEADER) {
		walk_short(w, p, COUNT_LINK_MALFORMED);
		return;
	}
	reader_skip(&p->r, length - (unsigned)PPI_HEADER);
	if (!reader_ok(&p->r))
		walk_short(w, p, COUNT_LINK_MALFORMED);
	else if (link == LINK_WLAN)
		wlan_frame(w, p);
	else
		link_frame(w, link <= UINT16_MAX ? (uint16_t)link : UINT16_MAX, p);
}
