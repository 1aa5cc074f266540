/*
 * Fragments of IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5) put together. The first
 * copy of a byte wins. What is held has a limit: the oldest datagram goes first, and each has a
 * time, by packet time, to become whole.
 */
#ifndef WAYBILL_DECODE_FRAGMENT_H
#define WAYBILL_DECODE_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"
#include "decode/walk.h"

struct fragments;
struct datagram;

struct fragment {
	uint32_t id;
	uint8_t protocol; /* of what follows the fragment header */
	uint32_t offset;  /* bytes */
	bool more;
};

struct fragments_result {
	struct datagram *whole; /* NULL: not yet; else the caller's, to be destroyed */
	bool malformed;         /* the fragment makes no sense and was not kept */
	bool overlap;           /* it covers bytes that were there */
	bool conflict;          /* and says otherwise */
};

/* memory in bytes, timeout in ns: 0 is the default. NULL: out of memory. */
struct fragments *fragments_create(size_t memory, int64_t timeout);
void fragments_destroy(struct fragments *fs); /* takes NULL */

/*
 * Adds one that is all there: addresses, time and tags are those of packet, whose ip_bytes count. /
 */
void fragments_add(struct fragments *fs, const struct packet *packet, const struct fragment *f,
	const struct part *p, struct fragments_result *result);

uint64_t fragments_incomplete(
	const struct fragments *fs); /* frames in datagrams that timed out, or still wait */
uint64_t
fragments_shed(const struct fragments *fs); /* frames in datagrams that went to make room */

void datagram_destroy(struct datagram *d);            /* takes NULL */
uint8_t datagram_protocol(const struct datagram *d);  /* as the first fragment has it */
uint8_t datagram_frames(const struct datagram *d);    /* 255 at most */
uint32_t datagram_ip_bytes(const struct datagram *d); /* IP packets with headers, summed up */
void datagram_view(const struct datagram *d, struct part *out);

#endif
