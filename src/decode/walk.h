/*
 * The way of one frame through its layers: each takes its header off and hands
 * the rest to the next. A layer is a layer_fn; who comes next is looked up in the table of the
 * numbering that the header used (link types, EtherTypes, PPP, IP protocols, UDP ports).
 */
#ifndef WAYBILL_DECODE_WALK_H
#define WAYBILL_DECODE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/packet.h"
#include "base/reader.h"

enum {
	WALK_LAYERS_MAX = 40, /* headers taken off one frame, tags and labels included */
	WALK_DEPTH_MAX = 16,  /* IP headers in one frame */
};

/* Why a frame, or what stands in a packet, was not used. The names are in counters[] (decode.c). */
enum count {
	COUNT_LINK_UNKNOWN,
	COUNT_LINK_MALFORMED,
	COUNT_NOT_IP,
	COUNT_WLAN_ENCRYPTED,
	COUNT_MACSEC_ENCRYPTED,
	COUNT_CUT,
	COUNT_IP_MALFORMED,
	COUNT_IP_LENGTH,
	COUNT_IP_CHECKSUM,
	COUNT_TRANSPORT_MALFORMED,
	COUNT_TRANSPORT_CHECKSUM,
	COUNT_CHECKSUM_OFFLOAD,
	COUNT_TUNNEL_MALFORMED,
	COUNT_NESTED_TOO_DEEP,
	COUNT_FRAGMENT_MALFORMED,
	COUNT_FRAGMENT_CUT,
	COUNT_FRAGMENT_OVERLAP,
	COUNT_FRAGMENT_CONFLICT,
	COUNT_FRAGMENT_INCOMPLETE,
	COUNT_FRAGMENT_SHED,
	COUNT_MAX,
};

struct decoder;

struct walk {
	struct decoder *d;
	unsigned layers;      /* taken off so far */
	unsigned depth;       /* IP headers so far */
	bool ip_whole;        /* the frame had as many bytes as the innermost IP header says */
	bool pseudo_known;    /* addresses and length are those of the pseudo header of checksums */
	uint32_t interface;   /* the frame's */
	const uint8_t *summed; /* bytes whose sum is known, as many as summed_len; NULL: none */
	size_t summed_len;
	uint64_t sum;         /* checksum_add from 0 */
	struct packet packet; /* what is known of the innermost IP packet so far */
};

/* A stretch of a frame: the bytes captured, and how many more were on the wire behind them. */
struct part {
	struct reader r;
	size_t cut;
};

/* p is the layer's to use up: who wants it again keeps a copy. */
typedef void layer_fn(struct walk *w, struct part *p);

static inline size_t
part_wire(const struct part *p)
{
	return p->r.left + p->cut;
}

/* Limits p to n bytes from where it stands. False when there were not as many: p stays. */
static inline bool
part_limit(struct part *p, size_t n)
{
	if (n > part_wire(p))
		return false;
	if (n <= p->r.left) {
		p->r.left = n;
		p->cut = 0;
	} else {
		p->cut = n - p->r.left;
	}
	return true;
}

/* Skips n bytes, which may be cut off. There are as many on the wire. */
static inline void
part_skip(struct part *p, size_t n)
{
	size_t here = n < p->r.left ? n : p->r.left;
	size_t beyond = n - here;

	reader_skip(&p->r, here);
	p->cut -= beyond < p->cut ? beyond : p->cut;
}

/* decode.c */
void walk_count(struct walk *w, enum count what);
/* A header ran over the end of p: cut off by the snap length, or malformed in the way of what. */
void walk_short(struct walk *w, const struct part *p, enum count what);
/* Hands w->packet out with p as its payload; payload_len is that of p. */
void walk_emit(struct walk *w, const struct part *p);

/* One more layer. False (and counted) when there were too many. */
static inline bool
walk_enter(struct walk *w)
{
	if (w->layers < WALK_LAYERS_MAX) {
		w->layers++;
		return true;
	}
	walk_count(w, COUNT_NESTED_TOO_DEEP);
	return false;
}

/* link.c: by LINKTYPE_ value; 0xffff and unknown ones are counted */
void link_frame(struct walk *w, uint16_t link, struct part *p);

/* ether.c */
layer_fn ether_frame; /* MAC addresses, type */
void ether_payload(
	struct walk *w, uint16_t type, struct part *p); /* by EtherType, or IEEE 802.3 length */
layer_fn llc_frame;                                     /* IEEE 802.2 */
layer_fn snap_header;                                   /* what follows AA-AA-03 (RFC 1042) */
layer_fn mpls_frame;                                    /* RFC 3032 */

/* ppp.c */
layer_fn ppp_frame;     /* RFC 1661, with or without RFC 1662's address and control */
layer_fn pppoe_session; /* RFC 2516 */
layer_fn chdlc_frame;

/* wlan.c */
layer_fn wlan_frame; /* IEEE 802.11 */
layer_fn wlan_radiotap, wlan_prism, wlan_avs, wlan_ppi;

/* ip.c */
layer_fn ip4_packet; /* RFC 791 */
layer_fn ip6_packet; /* RFC 8200 */
layer_fn ip_packet;  /* either, as its first nibble says */

/* transport.c: what follows the last IP header; w->packet has the addresses */
void transport_packet(struct walk *w, uint8_t protocol, struct part *p);

/* tunnel.c: what other protocols carry, after the packet itself was handed out */
void tunnel_ip_protocol(struct walk *w, uint8_t protocol, struct part *p);
layer_fn tunnel_gre; /* RFC 2784, RFC 2637 */
/* udptunnel.c */
void tunnel_udp(struct walk *w, struct part *p);

#endif
