#include "config.h"

#include "base/clock.h"
#include "capture/tsresol.h"

enum {
	TSRESOL_TWO = 0x80,    /* the exponent's base is two, not ten */
	TSRESOL_TWO_MOST = 63, /* largest exponents whose power fits 64 bits */
	TSRESOL_TEN_MOST = 19,
};

struct tsresol
tsresol_default(void)
{
	return tsresol_of(6);
}

struct tsresol
tsresol_of(uint8_t code)
{
	unsigned exponent = code & 0x7fu;
	uint64_t units = 1;

	if ((code & TSRESOL_TWO) != 0)
		return (struct tsresol){
			.units = exponent <= TSRESOL_TWO_MOST ? UINT64_C(1) << exponent : 0};
	if (exponent > TSRESOL_TEN_MOST)
		return (struct tsresol){.units = 0};
	while (exponent-- > 0)
		units *= 10;
	return (struct tsresol){.units = units};
}

int
tsresol_time(const struct tsresol *r, uint64_t stamp, int64_t offset, int64_t *out)
{
	const int64_t most = INT64_MAX / CLOCK_SECOND - 1;

	if (r->units == 0)
		return -1;
	uint64_t whole = stamp / r->units;
	uint64_t rest = stamp % r->units;
	if (whole > (uint64_t)most || offset > most || offset < -most)
		return -1;
	int64_t seconds = (int64_t)whole + offset;
	if (seconds < 0 || seconds > most)
		return -1;
	/* rest * 10^9 needs more than 64 bits where units are finer than ns. */
	uint64_t fraction = (uint64_t)((unsigned __int128)rest * (uint64_t)CLOCK_SECOND / r->units);
	*out = seconds * CLOCK_SECOND + (int64_t)fraction;
	return 0;
}
