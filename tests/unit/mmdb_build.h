/*
 * Makes small MaxMind DB files for tests: a tree of 24-bit records over a few networks, and records written
 * value by value.
 */
#ifndef TESTS_MMDB_BUILD_H
#define TESTS_MMDB_BUILD_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

struct build {
	uint8_t data[4096]; /* the data section */
	size_t len;
	uint32_t node[4096][2]; /* 0: nothing; a node's number; DATA + offset */
	uint32_t nodes;
	uint8_t file[32768];
	size_t size;
};

enum { BUILD_DATA = 1 << 20 };

static inline void
build_init(struct build *b)
{
	memset(b, 0, sizeof *b);
	b->nodes = 1;
}

static inline void
build_bytes(struct build *b, const void *bytes, size_t len)
{
	assert(b->len + len <= sizeof b->data);
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
}

static inline void
build_string(struct build *b, const char *text)
{
	size_t len = strlen(text);
	uint8_t control[2] = {(uint8_t)(2 << 5 | (len < 29 ? len : 29)), (uint8_t)(len - 29)};
	build_bytes(b, control, len < 29 ? 1 : 2);
	build_bytes(b, text, len);
}

static inline void
build_u32(struct build *b, uint32_t n)
{
	build_bytes(b, (uint8_t[]){6 << 5 | 4, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 5);
}

static inline void
build_u16(struct build *b, uint16_t n)
{
	build_bytes(b, (uint8_t[]){5 << 5 | 2, (uint8_t)(n >> 8), (uint8_t)n}, 3);
}

static inline void
build_u64(struct build *b, uint32_t n)
{
	build_bytes(b, (uint8_t[]){4, 2, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 6);
}

static inline void
build_bool(struct build *b, int n)
{
	build_bytes(b, (uint8_t[]){(uint8_t)n, 7}, 2);
}

static inline void
build_map(struct build *b, unsigned pairs)
{
	build_bytes(b, (uint8_t[]){(uint8_t)(7 << 5 | pairs)}, 1);
}

/* The record at offset, for a network. The tree is one of IPv6. */
static inline void
build_network(struct build *b, const char *text, size_t offset)
{
	struct addr network;
	unsigned bits;
	uint32_t at = 0;
	int bad = addr_parse_network(text, &network, &bits, NULL);
	assert(bad == 0);
	if (addr_is_v4(&network)) {
		bits += 96;
		network.bytes[10] = network.bytes[11] = 0; /* IPv4 lies below ::/96 */
	}
	for (unsigned i = 0; i < bits; i++) {
		uint32_t *next = &b->node[at][network.bytes[i / 8] >> (7 - i % 8) & 1];
		if (i + 1 == bits) {
			*next = BUILD_DATA + (uint32_t)offset;
		} else {
			if (*next == 0)
				*next = b->nodes++;
			at = *next;
		}
	}
}

/* The whole file, in b->file and b->size. */
static inline void
build_finish(struct build *b, const char *type, uint32_t epoch)
{
	size_t data = b->len, at = 0;
	for (uint32_t i = 0; i < b->nodes; i++) {
		for (int side = 0; side < 2; side++) {
			uint32_t to = b->node[i][side];
			uint32_t n = to == 0 ? b->nodes : to < BUILD_DATA ? to : b->nodes + 16 + to - BUILD_DATA;
			b->file[at++] = (uint8_t)(n >> 16);
			b->file[at++] = (uint8_t)(n >> 8);
			b->file[at++] = (uint8_t)n;
		}
	}
	at += 16;
	memcpy(b->file + at, b->data, data);
	at += data;
	memcpy(b->file + at, "\xab\xcd\xefMaxMind.com", 14);
	at += 14;
	build_map(b, 9);
	build_string(b, "node_count");
	build_u32(b, b->nodes);
	build_string(b, "record_size");
	build_u16(b, 24);
	build_string(b, "ip_version");
	build_u16(b, 6);
	build_string(b, "database_type");
	build_string(b, type);
	build_string(b, "binary_format_major_version");
	build_u16(b, 2);
	build_string(b, "binary_format_minor_version");
	build_u16(b, 0);
	build_string(b, "build_epoch");
	build_u64(b, epoch);
	build_string(b, "languages");
	build_bytes(b, "\x00\x04", 2); /* an empty array */
	build_string(b, "description");
	build_map(b, 0);
	memcpy(b->file + at, b->data + data, b->len - data);
	b->size = at + b->len - data;
	assert(b->size <= sizeof b->file);
}

#endif
