/* Alerts that the spool does not take just now, in memory, in their order. */
#ifndef WAYBILL_OUTPUT_HELD_H
#define WAYBILL_OUTPUT_HELD_H

#include <stddef.h>

#include "base/record.h"

enum { HELD_ID_MAX = 64 };

struct held_alert {
	struct held_alert *next;
	enum severity severity;
	char id[HELD_ID_MAX];
	size_t len;
	char body[]; /* JSON, len bytes */
};

struct held {
	struct held_alert *head, *tail;
	size_t count, bytes;
	size_t limit; /* bytes */
};

/* Adds a copy. 0, or -1: it would be more than the limit, or no memory. */
int held_add(struct held *h, enum severity severity, const char *id, const char *body, size_t len);

/* Gives them to take, in order, until it does not answer 0. How many are gone. */
size_t held_hand_over(struct held *h,
    int (*take)(void *ctx, enum severity severity, const char *id, const char *body, size_t len), void *ctx);
void held_clear(struct held *h);

#endif
