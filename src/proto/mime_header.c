/*
 * Header blocks and their fields. A block that comes in one piece is not copied unless it has
 * folded lines.
 */
#include "config.h"

#include "proto/mime_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static size_t find_end(struct mime_gather *g, const uint8_t *bytes, size_t len, bool lenient_start);
static int keep(struct mime_gather *g, const uint8_t *bytes, size_t len, size_t limit);
static size_t unfold(uint8_t *bytes, size_t len);

enum verdict
mime_gather_take(struct mime_gather *g, const uint8_t *bytes, size_t len, size_t limit,
        bool lenient_start, size_t *used, const uint8_t **block, size_t *block_len)
{
	size_t before = g->len;
	if (before == 0) {
		size_t end = find_end(g, bytes, len, lenient_start);
		if (end > 0 && end <= limit && !g->folded) {
			*used = *block_len = end;
			*block = bytes;
			mime_gather_reset(g);
			return VERDICT_DONE;
		}
		mime_gather_reset(g);
	}

	size_t room = before < limit ? limit - before : 0;
	size_t taken = len < room ? len : room;
	if (keep(g, bytes, taken, limit) < 0) {
		mime_gather_reset(g);
		return VERDICT_MALFORMED;
	}
	size_t end = find_end(g, g->bytes, g->len, lenient_start);
	if (end == 0 && taken < len) {
		mime_gather_reset(g);
		return VERDICT_MALFORMED;
	}
	*used = end > 0 ? end - before : len;
	if (end == 0)
		return VERDICT_MORE;
	if (g->folded)
		end = unfold(g->bytes, end);
	*block = g->bytes;
	*block_len = end;
	mime_gather_reset(g);
	return VERDICT_DONE;
}

void
mime_gather_reset(struct mime_gather *g)
{
	*g = (struct mime_gather){.bytes = g->bytes, .size = g->size};
}

void
mime_gather_clear(struct mime_gather *g)
{
	free(g->bytes);
	*g = (struct mime_gather){0};
}

/* The length of the block with its blank line, or 0; what was looked at is not looked at again. */
static size_t
find_end(struct mime_gather *g, const uint8_t *bytes, size_t len, bool lenient_start)
{
	const uint8_t *lf;
	while (g->looked < len && (lf = memchr(bytes + g->looked, '\n', len - g->looked)) != NULL) {
		size_t at = (size_t)(lf - bytes);
		size_t length = at - g->line;
		if (length > 0 && bytes[at - 1] == '\r')
			length--;
		if (length == 0 && (g->lines > 0 || !lenient_start))
			return at + 1;
		if (g->lines > 0 && (bytes[g->line] == ' ' || bytes[g->line] == '\t'))
			g->folded = true;
		if (length > 0)
			g->lines++;
		g->line = g->looked = (uint32_t)at + 1;
	}
	g->looked = (uint32_t)len;
	return 0;
}

static int
keep(struct mime_gather *g, const uint8_t *bytes, size_t len, size_t limit)
{
	if (len > g->size - g->len) {
		size_t size = g->size > 0 ? g->size : 512;
		while (size < g->len + len)
			size *= 2;
		if (size > limit)
			size = limit;
		uint8_t *more = realloc(g->bytes, size);
		if (more == NULL)
			return -1;
		g->bytes = more;
		g->size = (uint32_t)size;
	}
	if (len > 0)
		memcpy(g->bytes + g->len, bytes, len);
	g->len += (uint32_t)len;
	return 0;
}

/* A line end before a space or tab goes away (RFC 5322 section 2.2.3, RFC 9112 section 5.2). The new length. */
static size_t
unfold(uint8_t *bytes, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		bool folded = bytes[i] == '\n' && i + 1 < len && (bytes[i + 1] == ' ' || bytes[i + 1] == '\t');
		if (folded && n > 0 && bytes[n - 1] == '\r')
			n--;
		if (!folded)
			bytes[n++] = bytes[i];
	}
	return n;
}

bool
mime_field_next(const uint8_t **block, size_t *len, struct mime_field *f)
{
	const uint8_t *colon = NULL;
	while (*len > 0 && colon == NULL) {
		const uint8_t *at = *block, *lf = memchr(at, '\n', *len);
		size_t line = lf != NULL ? (size_t)(lf - at) : *len;
		size_t step = lf != NULL ? line + 1 : line;
		*block += step;
		*len -= step;
		if ((colon = memchr(at, ':', line)) == NULL)
			continue;
		f->name = at;
		f->name_len = (size_t)(colon - at);
		f->value = colon + 1;
		f->value_len = line - f->name_len - 1;
		if (f->value_len > 0 && f->value[f->value_len - 1] == '\r')
			f->value_len--;
		text_trim(&f->name, &f->name_len);
		text_trim(&f->value, &f->value_len);
	}
	return colon != NULL;
}

void
mime_fields_parse(struct mime_fields *f, const uint8_t *block, size_t len)
{
	f->count = 0;
	while (f->count < MIME_FIELDS_MAX && mime_field_next(&block, &len, &f->field[f->count]))
		f->count++;
}

const struct mime_field *
mime_fields_find(const struct mime_fields *f, const char *name, const struct mime_field *after)
{
	const size_t len = strlen(name);
	for (size_t i = after != NULL ? (size_t)(after - f->field) + 1 : 0; i < f->count; i++)
		if (f->field[i].name_len == len && ((f->field[i].name[0] ^ name[0]) & 0xdf) == 0 &&
		        text_prefix_nocase(f->field[i].name, len, name))
			return &f->field[i];
	return NULL;
}

bool
mime_type_is(const struct mime_field *content_type, const char *prefix)
{
	return content_type != NULL &&
	       text_prefix_nocase(content_type->value, content_type->value_len, prefix);
}
