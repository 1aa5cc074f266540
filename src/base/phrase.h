/*
 * Texts that many say: fingerprints, versions, names of servers. Each is kept once, for as long as somebody has it, and
 * a number of 32 bits stands for it.
 */
#ifndef WAYBILL_BASE_PHRASE_H
#define WAYBILL_BASE_PHRASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/pool.h"

enum { PHRASE_MAX = (1 << 26) - 1 }; /* the highest number, and so how many there may be at once */

struct phrase;

struct phrases {
	struct hash_fixed_key key; /* for short ones, which most are */
	struct hash_key long_key;
	struct pool pool;
	struct phrase **at;       /* by number, from 1 on */
	uint32_t *bucket;         /* heads of chains, by number; 0: empty */
	uint32_t used, room;      /* numbers given so far, and that there is room for; half as many buckets */
	uint32_t free;            /* the first number that was given back; 0: none */
};

void phrases_init(struct phrases *p);  /* allocates nothing */
void phrases_clear(struct phrases *p); /* all that was taken goes with it */

/* The number of these bytes, one time more in use. 0: out of memory, or there are too many. */
uint32_t phrases_take(struct phrases *p, const void *bytes, size_t len);

/* One time less; behind the last one the number is somebody else's. Takes 0. */
void phrases_drop(struct phrases *p, uint32_t number);

/* The bytes, with a zero behind them; borrowed for as long as the number is in use. len: may be NULL. */
const void *phrases_read(const struct phrases *p, uint32_t number, size_t *len);

#endif
