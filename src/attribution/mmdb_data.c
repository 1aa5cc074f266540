#include "config.h"

#include "attribution/mmdb_data.h"

#include <string.h>

#include "base/reader.h"

/* Records nest four or five deep (city, subdivisions, names). */
enum { DEPTH_MAX = 16 };

static int read_plain(struct mmdb_data *d, size_t *at, struct mmdb_value *out);
static size_t read_size(struct reader *r, uint8_t control);
static size_t read_pointer(struct reader *r, uint8_t control);
static bool size_fits(enum mmdb_type type, size_t size);
static int skip_nested(struct mmdb_data *d, size_t *at, unsigned depth);

int
mmdb_read(struct mmdb_data *d, size_t *at, struct mmdb_value *out)
{
	if (read_plain(d, at, out) < 0)
		return -1;
	if (out->type != MMDB_POINTER)
		return 0;
	/* A pointer never leads to another pointer. */
	size_t there = (size_t)out->number;
	if (read_plain(d, &there, out) < 0 || out->type == MMDB_POINTER)
		return -1;
	return 0;
}

int
mmdb_skip(struct mmdb_data *d, size_t *at)
{
	return skip_nested(d, at, 0);
}

int
mmdb_each(struct mmdb_data *d, size_t *at, mmdb_pair_fn *fn, void *ctx)
{
	struct mmdb_value map, key;
	size_t start = *at, behind = *at;
	if (mmdb_read(d, &behind, &map) < 0 || map.type != MMDB_MAP)
		return -1;
	size_t inside = map.inside;
	for (size_t i = 0; i < map.size; i++) {
		if (mmdb_read(d, &inside, &key) < 0 || key.type != MMDB_STRING || fn(ctx, d, &key, &inside) < 0)
			return -1;
	}
	/* Without a pointer the map ends where its last value does. */
	bool pointed = (d->bytes[start] >> 5) == MMDB_POINTER;
	*at = pointed ? behind : inside;
	return 0;
}

bool
mmdb_is(const struct mmdb_value *v, const char *text)
{
	/* Keys are asked about by the million, and mostly differ in their first letter. */
	if (v->type != MMDB_STRING || v->size == 0 || v->bytes[0] != (uint8_t)*text)
		return false;
	return v->size == strlen(text) && memcmp(v->bytes, text, v->size) == 0;
}

/* One value where it stands: a pointer is given as such, its target in number. */
static int
read_plain(struct mmdb_data *d, size_t *at, struct mmdb_value *out)
{
	if (*at >= d->size || d->steps == 0)
		return -1;
	d->steps--;
	struct reader r = reader_init(d->bytes + *at, d->size - *at);
	uint8_t control = reader_u8(&r);
	unsigned type = control >> 5;
	*out = (struct mmdb_value){.type = (enum mmdb_type)type};
	if (type == MMDB_POINTER) {
		out->number = read_pointer(&r, control);
		goto done;
	}
	if (type == 0) { /* extended: the next byte counts on from 7 */
		type = 7u + reader_u8(&r);
		out->type = (enum mmdb_type)type;
	}
	out->size = read_size(&r, control);
	if (!reader_ok(&r) || !size_fits(out->type, out->size))
		return -1;
	if (out->type == MMDB_BOOLEAN) {
		out->number = out->size;
		out->size = 0;
	} else if (out->type == MMDB_MAP || out->type == MMDB_ARRAY) {
		out->inside = d->size - r.left;
	} else {
		out->bytes = reader_take(&r, out->size);
	}
	if (out->bytes != NULL && (type == MMDB_UINT16 || type == MMDB_UINT32 || type == MMDB_UINT64)) {
		for (size_t i = 0; i < out->size; i++)
			out->number = out->number << 8 | out->bytes[i];
	}
done:
	*at = d->size - r.left;
	return reader_ok(&r) ? 0 : -1;
}

/* The low five bits, or 29, 30, 31: one, two, three more bytes. */
static size_t
read_size(struct reader *r, uint8_t control)
{
	switch (control & 31) {
	case 29: return 29u + reader_u8(r);
	case 30: return 285u + reader_be16(r);
	case 31: return 65821u + reader_be24(r);
	default: return control & 31;
	}
}

/* Bits 4-3 tell the length; but for the longest, the low three bits are its highest. */
static size_t
read_pointer(struct reader *r, uint8_t control)
{
	size_t high = control & 7;
	switch (control >> 3 & 3) {
	case 0: return high << 8 | reader_u8(r);
	case 1: return 2048 + (high << 16 | reader_be16(r));
	case 2: return 526336 + (high << 24 | reader_be24(r));
	default: return reader_be32(r);
	}
}

/* Also refuses types that no value has: containers, end markers, numbers not given out. */
static bool
size_fits(enum mmdb_type type, size_t size)
{
	switch (type) {
	case MMDB_DOUBLE: return size == 8;
	case MMDB_FLOAT: return size == 4;
	case MMDB_UINT16: return size <= 2;
	case MMDB_UINT32:
	case MMDB_INT32: return size <= 4;
	case MMDB_UINT64: return size <= 8;
	case MMDB_UINT128: return size <= 16;
	case MMDB_BOOLEAN: return size <= 1;
	case MMDB_STRING:
	case MMDB_BYTES:
	case MMDB_MAP:
	case MMDB_ARRAY: return true;
	default: return false;
	}
}

static int
skip_nested(struct mmdb_data *d, size_t *at, unsigned depth)
{
	struct mmdb_value v;
	if (depth == DEPTH_MAX || read_plain(d, at, &v) < 0)
		return -1;
	if (v.type == MMDB_POINTER)
		return v.number < d->size ? 0 : -1;
	size_t values = v.type == MMDB_MAP ? 2 * v.size : v.type == MMDB_ARRAY ? v.size : 0;
	for (size_t i = 0; i < values; i++) {
		if (skip_nested(d, at, depth + 1) < 0)
			return -1;
	}
	return 0;
}
