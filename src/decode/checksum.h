/*
 * The Internet checksum (RFC 1071), and whom to believe: where a host's network
 * card computes it, captures made on that host hold wrong ones, and no stack would drop those
 * packets.
 */
#ifndef WAYBILL_DECODE_CHECKSUM_H
#define WAYBILL_DECODE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* What folding gives when the checksum, summed along, is right. */
#define CHECKSUM_GOOD 0xffff

/*
 * Adds bytes to a running sum (0 at first). All stretches but the last have an even length. The sum
 * is in the machine's byte order, so only CHECKSUM_GOOD means something.
 */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t len);

/* Adds two ones' complement numbers: the carry comes in again at the lower end. */
static inline uint64_t
checksum_plus(uint64_t sum, uint64_t more)
{
	sum += more;
	return sum + (sum < more);
}

static inline uint16_t
checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

/* A pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1) for addresses of one family. */
uint64_t
checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t protocol, uint32_t len);

/*
 * How often each sender's checksums were right and wrong: one address, and for each of the kinds of
 * checksums apart (IPv4 header, TCP, UDP, others). The table is of fixed size; when it is full, all
 * is forgotten, and learnt anew, so that what is judged depends on nothing but the packets.
 */
struct senders;

enum {
	SENDERS_IP_HEADER = 0
}; /* stands for the IPv4 header's checksum among transport protocols */

enum checksum_finding {
	CHECKSUM_IS_RIGHT,
	CHECKSUM_IS_WRONG,
	/*
	 * Wrong, and just what a kernel leaves for the card to complete: the sum of the pseudo
	 * header alone. Linux also writes that into what it merged out of several segments received
	 * (GRO).
	 */
	CHECKSUM_IS_PARTIAL,
};

enum checksum_judgement {
	CHECKSUM_RIGHT,
	CHECKSUM_OFFLOADED, /* wrong, as most or all that this sender has sent so far, or by merging
			     */
	CHECKSUM_WRONG,     /* wrong, from a sender whose checksums are mostly right */
};

struct senders *senders_create(void);    /* NULL: out of memory */
void senders_destroy(struct senders *s); /* takes NULL */

/*
 * Notes one more checksum of a sender, by protocol, and says what to think of it. merged: the
 * packet is longer than a network carries, so the capture was made where segments are merged.
 */
enum checksum_judgement senders_judge(struct senders *s, const struct addr *src, uint8_t protocol,
	enum checksum_finding finding, bool merged);

/* Has there been a sender, most of whose transport checksums were wrong? */
bool senders_offload(const struct senders *s);

#endif
