/*
 * What a session said of itself. A session says two or three things and lingers for as long as its flow is in the table,
 * and most say what others say as well: of each a number is kept, and the texts once for all. struct facts is made of
 * them when somebody asks.
 */
#ifndef WAYBILL_TRANSFER_FACT_H
#define WAYBILL_TRANSFER_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/phrase.h"
#include "base/pool.h"
#include "base/record.h"
#include "transfer/transfer.h"

/* Where the facts of all sessions are. */
struct fact_store {
	struct phrases phrases; /* the texts */
	struct pool pool;       /* each session's numbers */
};

/* A session's. Zeroed: empty, without memory, which is always the same store's. */
struct fact_block {
	uint32_t *word; /* entries, one behind the other */
	uint32_t len, room;
};

void fact_store_init(struct fact_store *store);  /* allocates nothing */
void fact_store_clear(struct fact_store *store); /* all blocks must have been cleared */

void fact_clear(struct fact_block *b, struct fact_store *store);

bool fact_has(const struct fact_block *b, enum session_fact which);

/* Text (borrowed from the store until it is replaced), or one without utf8 where nothing was said. */
struct text fact_get(const struct fact_block *b, const struct fact_store *store, enum session_fact which);

/* Takes the place of what was said before; a text without utf8 only removes that. -1: out of memory. */
int fact_put(struct fact_block *b, struct fact_store *store, enum session_fact which, const struct text *t);

/* Fills in all that was said; borrowed as above. */
void fact_read(const struct fact_block *b, const struct fact_store *store, struct facts *out);

#endif
