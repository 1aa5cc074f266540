/*
 * Copies of a packet that the tap made. A span port that mirrors both directions, several ports or
 * several VLANs sends a packet once for each place where it saw it, and the copies come within
 * microseconds; taps on both sides of a router give copies with another TTL.
 *
 * The key is the outermost IP packet: addresses, protocol, lengths, IPv4 identification and
 * fragment field or IPv6 flow label, the first bytes behind the header (all of a TCP header but its
 * last options), and the 64-bit sum of all bytes there, which the checksum needs anyway. What
 * changes on the way is no part of it: the link layer, VLAN tags, TTL and the header checksum that
 * follows it, DSCP and ECN, IPv4 options.
 *
 * What is alike is a copy, within the window, where the sender would not have said it again so: the
 * IPv4 identification is not 0 (RFC 6864 section 4.3: what is sent again is a datagram of its own),
 * or VLAN, MAC addresses, interface or TTL differ. The rest - IPv6, and senders that leave the
 * identification 0 - could as well be a retransmission, an acknowledgement sent again or a datagram
 * that says the same: it is a copy only on a tap that makes them, which is one where 1 in 64 of the
 * last some thousand packets was like an earlier one. Bare acknowledgements and resets of such
 * senders do not count there: some stacks send them twice within microseconds.
 *
 * Nothing of it depends on the keys of hashes: the last packets are all there, in a ring.
 */
#ifndef WAYBILL_DECODE_DUPLICATE_H
#define WAYBILL_DECODE_DUPLICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/record.h"
#include "decode/decode.h"

struct duplicates;

/* One packet, as far as its copies are alike and differ. */
struct likeness {
	uint64_t word[HASH_FIXED_WORDS]; /* the key */
	int64_t time;                    /* ns */
	uint32_t place;                  /* VLAN tags and TTL: place_of() */
	uint32_t link;                   /* a digest of MAC addresses and interface */
	bool named;                      /* its sender gives each packet a number of its own */
	bool bare;                       /* it does not, and this is TCP without payload, SYN or FIN */
};

/*
 * window in ns; 0: DUPLICATE_WINDOW_DEFAULT. What lies further back than 4,096 packets (more where
 * the window is longer than 2 ms) is forgotten. NULL: out of memory.
 */
struct duplicates *duplicates_create(int64_t window);
void duplicates_destroy(struct duplicates *d); /* takes NULL */

/* 12 bits for each VLAN, 8 for the TTL or hop limit. */
static inline uint32_t
place_of(const uint16_t vlan[2], uint8_t ttl)
{
	return (uint32_t)(vlan[0] & 0xfffu) << 20 | (uint32_t)(vlan[1] & 0xfffu) << 8 | ttl;
}

/* A hash of a key that is longer than there is room for in another one. */
uint64_t duplicates_digest(const struct duplicates *d, const uint8_t bytes[32]);

/* Is it a copy? It is counted then; else it is remembered. */
bool duplicates_copy(struct duplicates *d, const struct likeness *l);

/* How many of each kind so far: DUPLICATE_KINDS of them. */
const uint64_t *duplicates_counts(const struct duplicates *d);

#endif
