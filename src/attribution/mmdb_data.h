/*
 * Values in a MaxMind DB's data (MaxMind DB File Format Specification 2.0, "Data field format"). The file may be
 * anybody's: nothing is read beyond the section, nesting and steps are bounded, and pointers are followed only
 * towards values that somebody wants, so that neither cycles nor amplification cost anything.
 */
#ifndef WAYBILL_ATTRIBUTION_MMDB_DATA_H
#define WAYBILL_ATTRIBUTION_MMDB_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mmdb_data {
	const uint8_t *bytes; /* the section, which pointers count from; borrowed */
	size_t size;
	uint64_t steps;       /* values that may still be read */
};

enum mmdb_type { /* numbers of the specification */
	MMDB_POINTER = 1,
	MMDB_STRING = 2,
	MMDB_DOUBLE = 3,
	MMDB_BYTES = 4,
	MMDB_UINT16 = 5,
	MMDB_UINT32 = 6,
	MMDB_MAP = 7,
	MMDB_INT32 = 8,
	MMDB_UINT64 = 9,
	MMDB_UINT128 = 10,
	MMDB_ARRAY = 11,
	MMDB_BOOLEAN = 14,
	MMDB_FLOAT = 15,
};

struct mmdb_value {
	enum mmdb_type type;
	uint64_t number;      /* unsigned integers of up to 64 bits, booleans; else 0 */
	const uint8_t *bytes; /* of a string, or of any other scalar */
	size_t size;          /* bytes; pairs of a map; elements of an array */
	size_t inside;        /* of a map or array: where its contents begin */
};

/*
 * Reads the value at *at, through a pointer if one stands there, and moves *at behind it; for a map or array,
 * into it (see mmdb_skip). 0, or -1 when it is malformed or the steps are used up.
 */
int mmdb_read(struct mmdb_data *d, size_t *at, struct mmdb_value *out);

/* Moves *at behind the whole value there. 0, or -1 as above, or when it nests too deep. */
int mmdb_skip(struct mmdb_data *d, size_t *at);

/*
 * Goes through a map: each pair's key, with *at at its value. The callback moves *at behind the value
 * (mmdb_skip does) and returns 0, or -1 to stop. *at ends behind the map. 0, or -1.
 */
typedef int mmdb_pair_fn(void *ctx, struct mmdb_data *d, const struct mmdb_value *key, size_t *at);
int mmdb_each(struct mmdb_data *d, size_t *at, mmdb_pair_fn *fn, void *ctx);

/* Is v a string with this text (not an empty one)? */
bool mmdb_is(const struct mmdb_value *v, const char *text);

#endif
