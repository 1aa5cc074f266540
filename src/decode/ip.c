/* IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers. */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "decode/checksum.h"
#include "decode/decoder.h"
#include "decode/fragment.h"
#include "decode/walk.h"

enum {
	IP4_HEADER = 20,
	IP4_MORE_FRAGMENTS = 0x2000,
	IP4_OFFSET = 0x1fff,
	IP6_HEADER = 40,
	IP6_LABEL = 0xfffff,
	IP6_EXTENSIONS_MAX = 24, /* in one packet */
	IP6_OPTION_PAD1 = 0,
	IP6_OPTION_JUMBO = 0xc2, /* RFC 2675 section 2 */
};

struct ip4 {
	size_t header, total;
	uint16_t id, fragment;
	uint8_t ttl, protocol;
};

static bool ip_begin(struct walk *w, uint8_t version);
static bool ip4_header(struct walk *w, struct ip4 *h, struct part *p);
static void ip4_check(struct walk *w, const uint8_t *header, size_t len);
static bool is_bare(const struct part *p);
static bool ip4_copy(struct walk *w, const struct ip4 *h, const struct part *p);
static bool ip6_copy(struct walk *w, uint32_t label, uint8_t next, uint8_t ttl, const struct part *p);
static bool ip_copy(struct walk *w, struct likeness *l, uint8_t ttl, const struct part *p);
static bool ip_limit(struct walk *w, struct part *p, size_t n);
static void ip6_chain(struct walk *w, uint8_t next, struct part *p);
static bool ip6_extension(struct walk *w, uint8_t *next, struct part *p);
static bool ip6_options_jumbo(struct reader options, uint32_t *length);
static void ip6_fragment(struct walk *w, struct part *p);
static struct datagram *ip_fragment(struct walk *w, const struct fragment *f, const struct part *p);
static bool ip_fragment_cut(struct walk *w, const struct fragment *f);
static void ip_reassembled(struct walk *w, const struct datagram *d, struct part *p);

void
ip_packet(struct walk *w, struct part *p)
{
	struct reader peek = p->r;
	switch (reader_u8(&peek) >> 4) {
	case 4: ip4_packet(w, p); break;
	case 6: ip6_packet(w, p); break;
	default: walk_short(w, p, COUNT_IP_MALFORMED);
	}
}

/*
 * One IP header deeper: what was known of the packet around it is forgotten, but for the link
 * layer.
 */
static bool
ip_begin(struct walk *w, uint8_t version)
{
	if (!walk_enter(w))
		return false;
	if (w->depth == WALK_DEPTH_MAX) {
		walk_count(w, COUNT_NESTED_TOO_DEEP);
		return false;
	}
	w->packet.depth = (uint8_t)w->depth++;
	w->packet.ip_version = version;
	w->packet.flags &= PACKET_MAC;
	w->packet.fragments = 1;
	w->pseudo_known = true;
	return true;
}

/*
 * Limits p to n bytes. False and counted when the frame never had so many: then it is all there is.
 */
static bool
ip_limit(struct walk *w, struct part *p, size_t n)
{
	if (part_limit(p, n))
		return true;
	walk_count(w, COUNT_IP_LENGTH);
	return false;
}

void
ip4_packet(struct walk *w, struct part *p)
{
	struct ip4 h;

	if (!ip_begin(w, 4) || !ip4_header(w, &h, p))
		return;
	/* Segmentation offload leaves no length: then it is what was captured. */
	w->ip_whole = h.total == 0 || ip_limit(w, p, h.total - h.header);
	w->packet.ip_bytes = (uint32_t)(h.header + part_wire(p));
	if (ip4_copy(w, &h, p))
		return;
	if ((h.fragment & (IP4_MORE_FRAGMENTS | IP4_OFFSET)) == 0) {
		transport_packet(w, h.protocol, p);
		return;
	}
	struct fragment f = {
		.id = h.id,
		.protocol = h.protocol,
		.offset = (h.fragment & IP4_OFFSET) * 8u,
		.more = (h.fragment & IP4_MORE_FRAGMENTS) != 0,
	};
	if (!w->ip_whole || p->cut > 0) {
		if (ip_fragment_cut(w, &f))
			transport_packet(w, h.protocol, p);
		return;
	}
	struct datagram *whole = ip_fragment(w, &f, p);
	if (whole != NULL) {
		ip_reassembled(w, whole, p);
		transport_packet(w, h.protocol, p);
	}
	datagram_destroy(whole);
}

/* RFC 791 section 3.1; p then stands behind the options. */
static bool
ip4_header(struct walk *w, struct ip4 *h, struct part *p)
{
	const uint8_t *bytes = p->r.next;
	struct reader r = reader_sub(&p->r, IP4_HEADER);
	if (!reader_ok(&r)) {
		walk_short(w, p, COUNT_IP_MALFORMED);
		return false;
	}
	uint8_t first = reader_u8(&r);
	reader_skip(&r, 1);
	h->header = (first & 0xfu) * 4u;
	h->total = reader_be16(&r);
	h->id = reader_be16(&r);
	h->fragment = reader_be16(&r);
	h->ttl = reader_u8(&r);
	h->protocol = reader_u8(&r);
	reader_skip(&r, 2);
	const uint8_t *src = reader_take(&r, 4);
	const uint8_t *dst = reader_take(&r, 4);
	bool sane = first >> 4 == 4 && h->header >= IP4_HEADER &&
		    (h->total == 0 || h->total >= h->header);
	if (sane)
		reader_skip(&p->r, h->header - IP4_HEADER);
	if (!sane || !reader_ok(&p->r)) {
		walk_short(w, p, COUNT_IP_MALFORMED);
		return false;
	}
	w->packet.src = addr_from_v4(src);
	w->packet.dst = addr_from_v4(dst);
	ip4_check(w, bytes, h->header);
	return true;
}

static void
ip4_check(struct walk *w, const uint8_t *header, size_t len)
{
	if (!w->d->check)
		return;
	bool good = checksum_fold(checksum_add(0, header, len)) == CHECKSUM_GOOD;
	enum checksum_finding finding = good ? CHECKSUM_IS_RIGHT : CHECKSUM_IS_WRONG;
	if (senders_judge(w->d->senders, &w->packet.src, SENDERS_IP_HEADER, finding, false) ==
		CHECKSUM_WRONG)
		w->packet.flags |= PACKET_BAD_CHECKSUM;
	if (!good)
		walk_count(w, COUNT_IP_CHECKSUM);
}

/* Is it TCP that only acknowledges or resets (RFC 9293 section 3.1)? */
static inline bool
is_bare(const struct part *p)
{
	enum { TCP_LEAST = 20, OFFSET = 12, FLAGS = 13 };
	const uint8_t *tcp = p->r.next;

	return p->r.left >= TCP_LEAST && (tcp[OFFSET] >> 4) * 4u == part_wire(p) &&
	       (tcp[FLAGS] & (TCP_SYN | TCP_FIN)) == 0;
}

/* Is the frame one that was seen before? Outermost packets alone are asked after. */
static inline bool
ip4_copy(struct walk *w, const struct ip4 *h, const struct part *p)
{
	struct likeness l;
	uint32_t src, dst;

	if (w->d->duplicates == NULL || w->depth != 1)
		return false;
	memcpy(&src, w->packet.src.bytes + 12, sizeof src);
	memcpy(&dst, w->packet.dst.bytes + 12, sizeof dst);
	l.named = h->id != 0;
	l.bare = !l.named && h->protocol == IPPROTO_TCP && is_bare(p);
	l.word[0] = (uint64_t)src << 32 | dst;
	l.word[1] = (uint64_t)h->id << 48 | (uint64_t)h->fragment << 32 |
		    (part_wire(p) & 0xffffff) << 8 | h->protocol;
	return ip_copy(w, &l, h->ttl, p);
}

/* The flow label stays the same on the way (RFC 6437 section 3). */
static bool
ip6_copy(struct walk *w, uint32_t label, uint8_t next, uint8_t ttl, const struct part *p)
{
	struct likeness l;
	uint8_t ends[32];

	if (w->d->duplicates == NULL || w->depth != 1)
		return false;
	memcpy(ends, w->packet.src.bytes, 16);
	memcpy(ends + 16, w->packet.dst.bytes, 16);
	l.named = false;
	l.bare = next == IPPROTO_TCP && is_bare(p);
	l.word[0] = duplicates_digest(w->d->duplicates, ends);
	l.word[1] = (uint64_t)label << 40 | (uint64_t)next << 32 | (uint32_t)part_wire(p);
	return ip_copy(w, &l, ttl, p);
}

/* The rest is the same for both. What the receiver drops for its checksum is nobody's first copy. */
static inline bool
ip_copy(struct walk *w, struct likeness *l, uint8_t ttl, const struct part *p)
{
	enum { HEAD = 24 };
	const struct packet *packet = &w->packet;
	uint64_t from = 0, to = 0;

	if ((packet->flags & PACKET_BAD_CHECKSUM) != 0)
		return false;
	if (p->r.left >= HEAD) {
		memcpy(&l->word[2], p->r.next, HEAD);
	} else {
		memset(&l->word[2], 0, HEAD);
		memcpy(&l->word[2], p->r.next, p->r.left);
	}
	w->summed = p->r.next;
	w->summed_len = p->r.left;
	w->sum = l->word[5] = checksum_add(0, p->r.next, p->r.left);
	if ((packet->flags & PACKET_MAC) != 0) {
		memcpy(&from, packet->src_mac, sizeof packet->src_mac);
		memcpy(&to, packet->dst_mac, sizeof packet->dst_mac);
	}
	l->link = (uint32_t)((from * 3 + to + w->interface) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
	l->place = place_of(packet->vlan, ttl);
	l->time = packet->time;
	return duplicates_copy(w->d->duplicates, l);
}

void
ip6_packet(struct walk *w, struct part *p)
{
	if (!ip_begin(w, 6))
		return;
	struct reader r = reader_sub(&p->r, IP6_HEADER);
	uint32_t first = reader_be32(&r);
	uint16_t length = reader_be16(&r);
	uint8_t next = reader_u8(&r);
	uint8_t hops = reader_u8(&r);
	const uint8_t *src = reader_take(&r, 16);
	const uint8_t *dst = reader_take(&r, 16);
	if (!reader_ok(&r) || first >> 28 != 6) {
		walk_short(w, p, COUNT_IP_MALFORMED);
		return;
	}
	w->packet.src = addr_from_v6(src);
	w->packet.dst = addr_from_v6(dst);
	w->ip_whole = true;
	if (length != 0) {
		w->ip_whole = ip_limit(w, p, length);
	} else if (next == IPPROTO_HOPOPTS) {
		struct reader peek = p->r;
		uint32_t jumbo;
		reader_skip(&peek, 1);
		uint8_t words = reader_u8(&peek);
		if (ip6_options_jumbo(reader_sub(&peek, words * 8u + 6u), &jumbo))
			w->ip_whole = ip_limit(w, p, jumbo);
	}
	/* Else segmentation offload left no length: it is what was captured. */
	w->packet.ip_bytes = (uint32_t)(IP6_HEADER + part_wire(p));
	if (ip6_copy(w, first & IP6_LABEL, next, hops, p))
		return;
	ip6_chain(w, next, p);
}

/* Follows the extension headers to the transport (RFC 8200 section 4). */
static void
ip6_chain(struct walk *w, uint8_t next, struct part *p)
{
	for (unsigned i = 0; i < IP6_EXTENSIONS_MAX; i++) {
		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if (!ip6_extension(w, &next, p))
				return;
			break;
		case IPPROTO_FRAGMENT: ip6_fragment(w, p); return;
		default: transport_packet(w, next, p); return;
		}
	}
	walk_count(w, COUNT_NESTED_TOO_DEEP);
}

static bool
ip6_extension(struct walk *w, uint8_t *next, struct part *p)
{
	struct reader peek = p->r;
	reader_skip(&peek, 3);
	uint8_t segments_left = reader_u8(&peek);
	uint8_t kind = *next;

	*next = reader_u8(&p->r);
	size_t length = reader_u8(&p->r) * 8u + 8u;
	reader_skip(&p->r, length - 2);
	if (!reader_ok(&p->r)) {
		walk_short(w, p, COUNT_IP_MALFORMED);
		return false;
	}
	/* The destination of the checksum is then the last one of the route (section 8.1). */
	if (kind == IPPROTO_ROUTING && segments_left > 0)
		w->pseudo_known = false;
	return true;
}

/* Looks for the jumbo payload option. */
static bool
ip6_options_jumbo(struct reader options, uint32_t *length)
{
	while (reader_ok(&options) && options.left > 0) {
		uint8_t type = reader_u8(&options);
		if (type == IP6_OPTION_PAD1)
			continue;
		struct reader value = reader_sub(&options, reader_u8(&options));
		if (type == IP6_OPTION_JUMBO) {
			*length = reader_be32(&value);
			return reader_ok(&value);
		}
	}
	return false;
}

/* RFC 8200 section 4.5. An atomic fragment (RFC 6946) is whole by itself. */
static void
ip6_fragment(struct walk *w, struct part *p)
{
	uint8_t next = reader_u8(&p->r);
	reader_skip(&p->r, 1);
	uint16_t field = reader_be16(&p->r);
	struct fragment f = {
		.id = reader_be32(&p->r),
		.protocol = next,
		.offset = field & 0xfff8u,
		.more = (field & 1) != 0,
	};
	if (!reader_ok(&p->r)) {
		walk_short(w, p, COUNT_IP_MALFORMED);
		return;
	}
	if (f.offset == 0 && !f.more) {
		ip6_chain(w, next, p);
		return;
	}
	if (!w->ip_whole || p->cut > 0) {
		if (ip_fragment_cut(w, &f))
			ip6_chain(w, next, p);
		return;
	}
	struct datagram *whole = ip_fragment(w, &f, p);
	if (whole != NULL && walk_enter(w)) {
		ip_reassembled(w, whole, p);
		ip6_chain(w, datagram_protocol(whole), p);
	}
	datagram_destroy(whole);
}

/* Keeps a fragment. The datagram, now the caller's, when it was the last one that was missing. */
static struct datagram *
ip_fragment(struct walk *w, const struct fragment *f, const struct part *p)
{
	struct fragments_result result = {.whole = NULL};
	if ((w->packet.flags & PACKET_BAD_CHECKSUM) != 0)
		return NULL; /* counted with the checksum; the receiver would not keep it */
	fragments_add(w->d->fragments, &w->packet, f, p, &result);
	if (result.malformed)
		walk_count(w, COUNT_FRAGMENT_MALFORMED);
	if (result.overlap)
		walk_count(w, COUNT_FRAGMENT_OVERLAP);
	if (result.conflict)
		walk_count(w, COUNT_FRAGMENT_CONFLICT);
	return result.whole;
}

/*
 * A fragment that is not all there can never become part of a whole. The first one still tells the
 * ports: true, and it is to be read by itself.
 */
static bool
ip_fragment_cut(struct walk *w, const struct fragment *f)
{
	w->pseudo_known = false;
	if (f->offset == 0)
		return true;
	walk_count(w, COUNT_FRAGMENT_CUT);
	return false;
}

static void
ip_reassembled(struct walk *w, const struct datagram *d, struct part *p)
{
	datagram_view(d, p);
	w->packet.flags |= PACKET_REASSEMBLED;
	w->packet.fragments = datagram_frames(d);
	w->packet.ip_bytes = datagram_ip_bytes(d);
}
