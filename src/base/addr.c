#include "config.h"

#include "base/addr.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>

static void clear_host_bits(struct addr *a, unsigned bits, bool *cleared);

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

enum addr_scope
addr_scope(const struct addr *a, unsigned *bits)
{
#define V4(a, b, c, d) {{[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d}}
	static const struct {
		struct addr network;
		unsigned bits; /* of the 128 */
		enum addr_scope scope;
	} networks[] = { /* that are apart from each other */
		{V4(0, 0, 0, 0), 104, ADDR_PRIVATE},             /* RFC 1122 3.2.1.3: this network */
		{V4(10, 0, 0, 0), 104, ADDR_PRIVATE},            /* RFC 1918 */
		{V4(172, 16, 0, 0), 108, ADDR_PRIVATE},          /* RFC 1918 */
		{V4(192, 168, 0, 0), 112, ADDR_PRIVATE},         /* RFC 1918 */
		{V4(100, 64, 0, 0), 106, ADDR_PRIVATE},          /* RFC 6598: shared address space */
		{V4(127, 0, 0, 0), 104, ADDR_PRIVATE},           /* RFC 1122: loopback */
		{V4(169, 254, 0, 0), 112, ADDR_PRIVATE},         /* RFC 3927: link-local */
		{V4(224, 0, 0, 0), 100, ADDR_MULTICAST},         /* RFC 1112 */
		{V4(255, 255, 255, 255), 128, ADDR_MULTICAST},   /* RFC 919: limited broadcast */
		{{{0}}, 127, ADDR_PRIVATE},                      /* RFC 4291: unspecified and loopback */
		{{{0xfc}}, 7, ADDR_PRIVATE},                     /* RFC 4193: unique local */
		{{{0xfe, 0x80}}, 10, ADDR_PRIVATE},              /* RFC 4291: link-local */
		{{{0xff}}, 8, ADDR_MULTICAST},                   /* RFC 4291 2.7 */
	};
#undef V4
	*bits = 0;
	for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
		unsigned common = addr_common(a, &networks[i].network);
		if (common >= networks[i].bits) {
			*bits = networks[i].bits;
			return networks[i].scope;
		}
		if (common >= *bits)
			*bits = common + 1;
	}
	return ADDR_PUBLIC;
}

bool
addr_is_private(const struct addr *a)
{
	unsigned bits;
	return addr_scope(a, &bits) != ADDR_PUBLIC;
}

bool
addr_is_multicast(const struct addr *a)
{
	unsigned bits;
	return addr_scope(a, &bits) == ADDR_MULTICAST;
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
