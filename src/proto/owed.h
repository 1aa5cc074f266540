/* Commands that have no answer yet, oldest first, where answers come in the order of commands. */
#ifndef WAYBILL_PROTO_OWED_H
#define WAYBILL_PROTO_OWED_H

#include <stdint.h>

enum { OWED_MAX = 256 }; /* with more than that nobody answers, or that side is not seen: they are forgotten */

struct owed { /* embedded; all zero is the initial state */
	uint8_t *verbs; /* a ring on the heap */
	uint16_t first, count;
};

void owed_add(struct owed *o, uint8_t verb);
/* Only where count is not 0. */
uint8_t owed_take(struct owed *o);
void owed_clear(struct owed *o);

#endif
