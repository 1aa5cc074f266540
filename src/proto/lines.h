/* Text protocols: the lines of one side, bytes up to LF, that may come in pieces. */
#ifndef WAYBILL_PROTO_LINES_H
#define WAYBILL_PROTO_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINES_KEPT_MAX = 16384 }; /* bytes of a line that are kept */

struct lines { /* embedded; all zero is the initial state */
	uint8_t *bytes;
	uint32_t len, size;
	uint64_t total; /* bytes of this line so far, also those not kept */
	bool torn;      /* behind a gap: perhaps the rest of a line whose beginning is lost */
};

struct line {
	const uint8_t *bytes; /* without its CR LF; borrowed until the next call, or as long as the bytes given */
	size_t len;
	bool torn; /* the first behind a gap: its beginning may be lost */
	bool cut;  /* it was longer than what is kept */
};

void lines_clear(struct lines *l);

/* Takes bytes up to the end of the line: how many, and whether *line is whole now. */
size_t lines_take(struct lines *l, const uint8_t *bytes, size_t len, struct line *line, bool *whole);

/* Bytes were not seen: the line at hand is lost, and the next may be the rest of one. */
void lines_gap(struct lines *l);

/* Does the next byte begin a line? */
bool lines_at_start(const struct lines *l);

#endif
