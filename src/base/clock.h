/*
 * Times are nanoseconds since 1970-01-01 UTC in an int64_t. Packet time is
 * handed down as an argument; only loop.c and output stamps ask clock_now().
 */
#ifndef WAYBILL_BASE_CLOCK_H
#define WAYBILL_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_TEXT_MAX 32

int64_t clock_now(void);       /* the wall clock */
int64_t clock_monotonic(void); /* for measuring and timers */

/* "2024-01-15T09:30:00.123456Z" (RFC 3339, microseconds); returns text. */
const char *clock_format(int64_t time, char text[CLOCK_TEXT_MAX]);

/*
 * "2014", "2014-12-19", "2014-12-19T08:00:00Z", "2014-12-19 08:00", UTC where
 * no offset is named. 0, or -1.
 */
int clock_parse(const char *text, int64_t *out);

#endif
