#include "config.h"

#include "attribution/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int grow(void **array, size_t *size, size_t count, size_t element);
static int origin_compare(const void *a, const void *b);

void
rows_clear(struct rows *r)
{
	free(r->row);
	*r = (struct rows){.arena = r->arena};
}

struct row *
rows_add(struct rows *r, const struct addr *network, unsigned bits)
{
	char text[ADDR_TEXT_MAX];
	void *array = r->row;
	if (grow(&array, &r->size, r->count, sizeof *r->row) < 0)
		return NULL;
	r->row = array;
	struct row *row = arena_alloc(r->arena, sizeof *row);
	if (row == NULL)
		return NULL;
	row->listed.network = *network;
	row->listed.bits = bits;
	row->listed.network_text = arena_printf(r->arena, "%s/%u", addr_format(network, text), bits);
	row->listed.valid_from = INT64_MIN;
	row->listed.valid_until = INT64_MAX;
	if (row->listed.network_text == NULL)
		return NULL;
	r->row[r->count++] = row;
	return row;
}

const char *
rows_parse_network(const char *text, struct addr *network, unsigned *bits)
{
	bool host_bits = false;
	if (addr_parse_network(text, network, bits, &host_bits) < 0)
		return "not a network";
	if (addr_is_v4(network) && strchr(text, ':') != NULL) {
		/* IPv4-mapped (RFC 4291 section 2.5.5.2): counted in 128 bits, kept as IPv4. */
		if (*bits < 96)
			return "covers every IPv4 address";
		*bits -= 96;
	}
	if (host_bits)
		return "has bits set behind its prefix length";
	if (*bits == 0)
		return "covers every address";
	return NULL;
}

void
origins_clear(struct origins *o)
{
	free(o->origin);
	*o = (struct origins){0};
}

int
origins_add(struct origins *o, uint32_t asn, const char *jurisdiction, const char *source)
{
	void *array = o->origin;
	if (grow(&array, &o->size, o->count, sizeof *o->origin) < 0)
		return -1;
	o->origin = array;
	o->origin[o->count++] = (struct origin){asn, jurisdiction, source};
	return 0;
}

void
origins_sort(struct origins *o)
{
	size_t kept = 0;
	if (o->count > 1)
		qsort(o->origin, o->count, sizeof *o->origin, origin_compare);
	for (size_t i = 0; i < o->count; i++) {
		if (kept == 0 || o->origin[kept - 1].asn != o->origin[i].asn)
			o->origin[kept++] = o->origin[i];
	}
	o->count = kept;
}

void
note(const struct notes *n, bool error, const char *format, ...)
{
	char text[1024];
	va_list args;
	if (n->fn == NULL)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	n->fn(n->ctx, error, text);
}

static int
grow(void **array, size_t *size, size_t count, size_t element)
{
	if (count < *size)
		return 0;
	size_t larger = *size > 0 ? *size * 2 : 64;
	void *moved = reallocarray(*array, larger, element);
	if (moved == NULL)
		return -1;
	*array = moved;
	*size = larger;
	return 0;
}

static int
origin_compare(const void *a, const void *b)
{
	const struct origin *x = a, *y = b;
	return (x->asn > y->asn) - (x->asn < y->asn);
}
