/*
 * Several readers of one interface, each with a share of its frames: a filter of classic BPF that gives every frame to exactly
 * one of them, and all frames between two hosts, both ways, to the same one. So what belongs together stays together: the two directions of a
 * flow, the connections of a conversation, fragments, copies.
 *
 * Shares are by the outermost two addresses of IPv4 or IPv6, behind up to two VLAN tags. The first share also has what has none
 * such, or is cut off before them: ARP, MPLS, PPPoE, link types other than Ethernet and bare IP.
 */
#ifndef WAYBILL_CAPTURE_SHARE_H
#define WAYBILL_CAPTURE_SHARE_H

#include <stddef.h>
#include <stdint.h>

struct bpf_insn; /* libpcap's */

struct share {
	unsigned index, count; /* which one of how many; count below 2: there is one, of everything */
	uint32_t key[2];       /* random, the same for all: nobody can choose whose share a frame is */
};

enum { SHARE_ROOM = 160 };

/*
 * The instructions, SHARE_ROOM at most; returns how many, 0 where there is one share. A frame of another share is refused (0);
 * one of this share runs off their end, to what the caller puts there: another filter, or an acceptance. link: LINKTYPE_*.
 */
size_t share_program(const struct share *s, uint16_t link, struct bpf_insn *out);

#endif
