/*
 * Alerts that were closed early, for want of room: what they were of is remembered, small, for as long as it would have folded into
 * them. Without that each packet of more pairs than there is room for would open one alert and close another.
 */
#ifndef WAYBILL_POLICY_CLOSED_H
#define WAYBILL_POLICY_CLOSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

struct closed;

struct closed *closed_create(size_t limit); /* so many at most, some 40 bytes each; NULL: out of memory */
void closed_destroy(struct closed *c);      /* takes NULL */

/*
 * From now on, for so long (packet time), no alert of that key is to open, unless it is more severe. At the limit: not remembered.
 */
void closed_add(struct closed *c, const char *key, size_t len, enum severity severity, int64_t now, int64_t for_long);

/* Is that so, at this time? If not, it is forgotten; also where time went back before it began. */
bool closed_holds(struct closed *c, const char *key, size_t len, enum severity severity, int64_t now);

void closed_time(struct closed *c, int64_t now); /* forgets those that are over */

#endif
