/*
 * pcapng's if_tsresol (draft-ietf-opsawg-pcapng section 4.2): in which unit an interface counts
 * time.
 */
#ifndef WAYBILL_CAPTURE_TSRESOL_H
#define WAYBILL_CAPTURE_TSRESOL_H

#include <stdint.h>

struct tsresol {
	uint64_t units; /* in a second; 0: more than can be counted, times are useless */
};

struct tsresol tsresol_default(void);    /* microseconds */
struct tsresol tsresol_of(uint8_t code); /* power of ten, or of two with the highest bit set */

/*
 * A count of units as ns since 1970 with offset seconds added. 0, or -1 when that is before 1970 or
 * beyond what int64_t holds.
 */
int tsresol_time(const struct tsresol *r, uint64_t stamp, int64_t offset, int64_t *out);

#endif
