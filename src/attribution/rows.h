/* What lists and databases load into: rows of listed networks, and origin ASNs that count as listed. */
#ifndef WAYBILL_ATTRIBUTION_ROWS_H
#define WAYBILL_ATTRIBUTION_ROWS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "attribution/attribution.h"
#include "base/arena.h"

struct row {
	struct listing_row listed;
	size_t order;         /* of its list: the product's is 0, a user's come behind it */
	uint32_t asn;         /* LISTING_ASN: the origin AS */
	const char *headline; /* the row as a reason */
};

struct rows {
	struct arena *arena; /* rows and their text */
	struct row **row;
	size_t count, size;
};

void rows_clear(struct rows *r);

/* An empty row for a network, to be filled in. NULL when memory is out. */
struct row *rows_add(struct rows *r, const struct addr *network, unsigned bits);

/*
 * Reads a network as lists write it. A bare address is a host. NULL, or what is wrong with it (static).
 */
const char *rows_parse_network(const char *text, struct addr *network, unsigned *bits);

struct origin {
	uint32_t asn;
	const char *jurisdiction;
	const char *source; /* or NULL */
};

struct origins {
	struct origin *origin;
	size_t count, size;
};

void origins_clear(struct origins *o);
int origins_add(struct origins *o, uint32_t asn, const char *jurisdiction, const char *source);
void origins_sort(struct origins *o); /* ascending, one of each */

/* Notes for the user while loading. */
struct notes {
	attribution_note_fn *fn; /* or NULL */
	void *ctx;
};

void note(const struct notes *n, bool error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
