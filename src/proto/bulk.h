/*
 * The content that follows a message's head in a stream, and what stands behind it: for protocols whose
 * messages tell both lengths. While either is left it is known how the stream goes on, and a hole can be passed.
 */
#ifndef WAYBILL_PROTO_BULK_H
#define WAYBILL_PROTO_BULK_H

#include "transfer/transfer.h"

struct bulk { /* one side's; all zero: nothing is left */
	uint64_t left, rest;       /* bytes of the content, and behind it */
	struct transfer *transfer; /* whose content it is; NULL: nobody's */
	uint64_t at;               /* where in the file it goes on */
};

static inline bool
bulk_any(const struct bulk *b)
{
	return b->left > 0 || b->rest > 0;
}

/* Takes of len > 0 bytes those that are its own, and tells the transfer; how many. bytes NULL: they were not seen. */
size_t bulk_take(struct bulk *b, const uint8_t *bytes, size_t len);

/* A hole. False: it goes beyond what is left, so that nobody knows what follows; nothing is left then. */
bool bulk_gap(struct bulk *b, uint64_t len);

#endif
