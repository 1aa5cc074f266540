/*
 * One address type for both families: IPv4 is kept IPv4-mapped (RFC 4291
 * section 2.5.5.2), so that there is one path, one comparison and one key.
 */
#ifndef WAYBILL_BASE_ADDR_H
#define WAYBILL_BASE_ADDR_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ADDR_TEXT_MAX 46 /* INET6_ADDRSTRLEN, with the closing zero */

struct addr {
	uint8_t bytes[16]; /* network byte order */
};

/* From 4 or 16 bytes in network order. */
static inline struct addr
addr_from_v4(const uint8_t bytes[4])
{
	struct addr a = {.bytes = {[10] = 0xff, [11] = 0xff}};
	memcpy(a.bytes + 12, bytes, 4);
	return a;
}

static inline struct addr
addr_from_v6(const uint8_t bytes[16])
{
	struct addr a;
	memcpy(a.bytes, bytes, sizeof a.bytes);
	return a;
}

static inline bool
addr_is_v4(const struct addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

/* The IPv4 address as a number in host order; only for an IPv4 address. */
static inline uint32_t
addr_v4(const struct addr *a)
{
	return (uint32_t)a->bytes[12] << 24 | (uint32_t)a->bytes[13] << 16 |
	       (uint32_t)a->bytes[14] << 8 | a->bytes[15];
}

static inline bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* The upper (0) or lower (1) half, as a number. */
static inline uint64_t
addr_half(const struct addr *a, unsigned half)
{
	uint64_t word;
	memcpy(&word, a->bytes + 8 * half, sizeof word);
	return be64toh(word);
}

static inline int
addr_compare(const struct addr *a, const struct addr *b)
{
	uint64_t x = addr_half(a, 0), y = addr_half(b, 0);
	if (x == y) {
		x = addr_half(a, 1);
		y = addr_half(b, 1);
	}
	return (x > y) - (x < y);
}

/* How many bits at the front of both are the same, of the 128. */
static inline unsigned
addr_common(const struct addr *a, const struct addr *b)
{
	uint64_t high = addr_half(a, 0) ^ addr_half(b, 0), low = addr_half(a, 1) ^ addr_half(b, 1);
	if (high != 0)
		return (unsigned)__builtin_clzll(high);
	return low != 0 ? 64 + (unsigned)__builtin_clzll(low) : 128;
}

/* Writes dotted or RFC 5952 text and returns text. */
const char *addr_format(const struct addr *a, char text[ADDR_TEXT_MAX]);

/* Reads either family's text. 0, or -1 when it is not an address. */
int addr_parse(const char *text, struct addr *out);

/*
 * Reads "192.0.2.0/24", "2001:db8::/32" or a bare address (a host). bits is
 * the prefix length of the address's own family (0-32 or 0-128). Bits beyond
 * the prefix are cleared and reported in *host_bits (may be NULL).
 * 0, or -1 when it is not a network.
 */
int addr_parse_network(const char *text, struct addr *out, unsigned *bits, bool *host_bits);

/* Is a within network/bits (bits counted in the network's own family)? */
static inline bool
addr_within(const struct addr *a, const struct addr *network, unsigned bits)
{
	return addr_common(a, network) >= (addr_is_v4(network) ? bits + 96 : bits);
}

enum addr_scope {
	ADDR_PUBLIC,
	ADDR_PRIVATE,   /* RFC 1918, RFC 6598, RFC 3927, loopback, RFC 4193, link-local, unspecified */
	ADDR_MULTICAST, /* and IPv4 limited broadcast */
};

/* What a is for. Every address that shares its first *bits, of the 128, is for the same. */
enum addr_scope addr_scope(const struct addr *a, unsigned *bits);

/* Not routed on the public Internet: private or multicast. */
bool addr_is_private(const struct addr *a);
bool addr_is_multicast(const struct addr *a);

#endif
