/*
 * What a session said of itself, packed into one block that grows with each fact. A session says two or
 * three things and lingers for as long as its flow is in the table; struct facts is made of them when somebody asks.
 */
#ifndef WAYBILL_TRANSFER_FACT_H
#define WAYBILL_TRANSFER_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/record.h"
#include "transfer/transfer.h"

/* Zeroed: empty, without memory, which is always the same pool's. */
struct fact_block {
	uint8_t *bytes; /* entries, one behind the other */
	uint32_t len, room;
};

void fact_clear(struct fact_block *b, struct pool *pool);

/* Text (borrowed from the block until it changes), or one without utf8 where nothing was said. */
struct text fact_get(const struct fact_block *b, enum session_fact which);

/* Takes the place of what was said before; a text without utf8 only removes that. -1: out of memory. */
int fact_put(struct fact_block *b, struct pool *pool, enum session_fact which, const struct text *t);

/* Fills in all that was said; borrowed as above. */
void fact_read(const struct fact_block *b, struct facts *out);

#endif
