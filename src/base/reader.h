/*
 * A bounds-checked view of bytes that came from the wire. Every read past the
 * end gives 0 or NULL and marks the reader bad for good; a parser reads all it
 * wants and asks reader_ok() once, before it believes anything.
 */
#ifndef WAYBILL_BASE_READER_H
#define WAYBILL_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *next; /* borrowed; first byte not yet read */
	size_t left;         /* bytes from next to the end */
	bool bad;            /* a read went past the end */
};

static inline struct reader
reader_init(const void *bytes, size_t len)
{
	return (struct reader){.next = bytes, .left = len, .bad = false};
}

static inline bool
reader_ok(const struct reader *r)
{
	return !r->bad;
}

/* Takes n bytes: a pointer to them, or NULL (and bad) when fewer are left. */
static inline const uint8_t *
reader_take(struct reader *r, size_t n)
{
	if (r->bad || n > r->left) {
		r->bad = true;
		r->left = 0;
		return NULL;
	}
	const uint8_t *at = r->next;
	if (n > 0) {
		r->next += n;
		r->left -= n;
	}
	return at;
}

static inline void
reader_skip(struct reader *r, size_t n)
{
	(void)reader_take(r, n);
}

/* A child over the next n bytes, which cannot see past its own length field. */
static inline struct reader
reader_sub(struct reader *r, size_t n)
{
	const uint8_t *at = reader_take(r, n);
	return (struct reader){.next = at, .left = r->bad ? 0 : n, .bad = r->bad};
}

static inline uint8_t
reader_u8(struct reader *r)
{
	const uint8_t *p = reader_take(r, 1);
	return p != NULL ? p[0] : 0;
}

static inline uint16_t
reader_be16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);
	return p != NULL ? (uint16_t)((uint32_t)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
reader_be24(struct reader *r)
{
	const uint8_t *p = reader_take(r, 3);
	return p != NULL ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t
reader_be32(struct reader *r)
{
	const uint8_t *p = reader_take(r, 4);
	return p != NULL ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	                       (uint32_t)p[2] << 8 | p[3]
	                 : 0;
}

static inline uint64_t
reader_be64(struct reader *r)
{
	uint64_t high = reader_be32(r);
	return high << 32 | reader_be32(r);
}

static inline uint16_t
reader_le16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);
	return p != NULL ? (uint16_t)((uint32_t)p[1] << 8 | p[0]) : 0;
}

static inline uint32_t
reader_le32(struct reader *r)
{
	const uint8_t *p = reader_take(r, 4);
	return p != NULL ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
	                       (uint32_t)p[1] << 8 | p[0]
	                 : 0;
}

static inline uint64_t
reader_le64(struct reader *r)
{
	uint64_t low = reader_le32(r);
	return (uint64_t)reader_le32(r) << 32 | low;
}

#endif
