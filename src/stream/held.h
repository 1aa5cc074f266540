/*
 * Segments that wait for the bytes before them, sorted by offset and never overlapping: a skip
 * list (Pugh 1990), so that no order of arrival makes it slow.
 */
#ifndef WAYBILL_STREAM_HELD_H
#define WAYBILL_STREAM_HELD_H

#include <stddef.h>
#include <stdint.h>

enum { HELD_LEVELS = 10 }; /* each holds a quarter of the one below: good for a million */

struct held {
	uint64_t offset; /* of its first byte in the stream */
	uint32_t len;    /* bytes that are there */
	uint32_t cut;    /* bytes behind them that the capture cut off */
	unsigned levels;
	struct held *next[]; /* levels of them, then the bytes */
};

struct held_list {
	struct held *first[HELD_LEVELS];
};

static inline uint64_t
held_end(const struct held *h)
{
	return h->offset + h->len + h->cut;
}

static inline const uint8_t *
held_bytes(const struct held *h)
{
	return (const uint8_t *)(h->next + h->levels);
}

/* The first one that ends behind offset, or NULL. */
struct held *held_seek(const struct held_list *l, uint64_t offset);

/*
 * Holds a copy. random: a fresh random number, which decides how high it stands. NULL when
 * memory is out. It must not overlap another.
 */
struct held *held_insert(struct held_list *l, uint64_t offset, const uint8_t *bytes, uint32_t len,
        uint32_t cut, uint64_t random);

/* Takes the first one out; the caller frees it. NULL: none. */
struct held *held_take(struct held_list *l);

/* Memory that a held segment costs. */
size_t held_cost(uint32_t len);

#endif
