#include "config.h"

#include "base/addr.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct prefix {
	uint8_t bytes[16];
	unsigned bits; /* of the 128 */
};

static bool within_any(const struct addr *a, const struct prefix *list, size_t count);
static void clear_host_bits(struct addr *a, unsigned bits, bool *cleared);

struct addr
addr_from_v4(const uint8_t bytes[4])
{
	struct addr a = {.bytes = {[10] = 0xff, [11] = 0xff}};
	memcpy(a.bytes + 12, bytes, 4);
	return a;
}

struct addr
addr_from_v6(const uint8_t bytes[16])
{
	struct addr a;
	memcpy(a.bytes, bytes, sizeof a.bytes);
	return a;
}

const char *
addr_format(const struct addr *a, char text[ADDR_TEXT_MAX])
{
	if (addr_is_v4(a))
		return inet_ntop(AF_INET, a->bytes + 12, text, ADDR_TEXT_MAX);
	return inet_ntop(AF_INET6, a->bytes, text, ADDR_TEXT_MAX);
}

int
addr_parse(const char *text, struct addr *out)
{
	uint8_t bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1)
		*out = addr_from_v4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out = addr_from_v6(bytes);
	else
		return -1;
	return 0;
}

int
addr_parse_network(const char *text, struct addr *out, unsigned *bits, bool *host_bits)
{
	char host[ADDR_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	if (len >= sizeof host)
		return -1;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse(host, out) < 0)
		return -1;

	unsigned width = strchr(host, ':') != NULL ? 128 : 32;
	*bits = width;
	if (slash != NULL) {
		uint64_t given;
		if (text_to_u64(slash + 1, strlen(slash + 1), &given) < 0 || given > width)
			return -1;
		*bits = (unsigned)given;
	}
	clear_host_bits(out, *bits + 128 - width, host_bits);
	return 0;
}

bool
addr_within(const struct addr *a, const struct addr *network, unsigned bits)
{
	if (addr_is_v4(network))
		bits += 96;
	if (memcmp(a->bytes, network->bytes, bits / 8) != 0)
		return false;
	if (bits % 8 == 0)
		return true;
	uint8_t mask = (uint8_t)(0xffu << (8 - bits % 8));
	return ((a->bytes[bits / 8] ^ network->bytes[bits / 8]) & mask) == 0;
}

bool
addr_is_private(const struct addr *a)
{
#define V4(a, b, c, d) {[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d}
	static const struct prefix list[] = {
		{V4(0, 0, 0, 0), 104},      /* RFC 1122 3.2.1.3: this network */
		{V4(10, 0, 0, 0), 104},     /* RFC 1918 */
		{V4(172, 16, 0, 0), 108},   /* RFC 1918 */
		{V4(192, 168, 0, 0), 112},  /* RFC 1918 */
		{V4(100, 64, 0, 0), 106},   /* RFC 6598: shared address space */
		{V4(127, 0, 0, 0), 104},    /* RFC 1122: loopback */
		{V4(169, 254, 0, 0), 112},  /* RFC 3927: link-local */
		{{0}, 127},                 /* RFC 4291: unspecified and loopback */
		{{0xfc}, 7},                /* RFC 4193: unique local */
		{{0xfe, 0x80}, 10},         /* RFC 4291: link-local */
	};
	return within_any(a, list, sizeof list / sizeof list[0]) || addr_is_multicast(a);
}

bool
addr_is_multicast(const struct addr *a)
{
	static const struct prefix list[] = {
		{V4(224, 0, 0, 0), 100},         /* RFC 1112 */
		{V4(255, 255, 255, 255), 128},   /* RFC 919: limited broadcast */
		{{0xff}, 8},                     /* RFC 4291 2.7 */
	};
#undef V4
	return within_any(a, list, sizeof list / sizeof list[0]);
}

static bool
within_any(const struct addr *a, const struct prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr network = addr_from_v6(list[i].bytes);
		unsigned bits = addr_is_v4(&network) ? list[i].bits - 96 : list[i].bits;
		if (addr_within(a, &network, bits))
			return true;
	}
	return false;
}

static void
clear_host_bits(struct addr *a, unsigned bits, bool *cleared)
{
	bool any = false;
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;
		uint8_t mask = (uint8_t)(keep >= 8 ? 0xffu : 0xff00u >> keep);
		any = any || (a->bytes[i] & (uint8_t)~mask) != 0;
		a->bytes[i] = (uint8_t)(a->bytes[i] & mask);
	}
	if (cleared != NULL)
		*cleared = any;
}
