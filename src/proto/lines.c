/* Lines; one that comes in one piece is not copied. */
#include "config.h"

#include "proto/lines.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_FIRST_SIZE = 256 };

static void keep(struct lines *l, const uint8_t *bytes, size_t len);

void
lines_clear(struct lines *l)
{
	free(l->bytes);
	*l = (struct lines){0};
}

size_t
lines_take(struct lines *l, const uint8_t *bytes, size_t len, struct line *line, bool *whole)
{
	const uint8_t *lf = memchr(bytes, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - bytes) : len;
	*whole = lf != NULL;

	if (l->total == 0)
		l->len = 0; /* the line before was borrowed until now */
	if (l->total == 0 && lf != NULL) {
		*line = (struct line){.bytes = bytes, .len = n < LINES_KEPT_MAX ? n : LINES_KEPT_MAX,
		        .cut = n > LINES_KEPT_MAX};
	} else {
		keep(l, bytes, n);
		l->total += n;
		*line = (struct line){.bytes = l->bytes, .len = l->len, .cut = l->len < l->total};
	}
	if (lf == NULL)
		return n;
	line->torn = l->torn;
	if (line->len > 0 && line->bytes[line->len - 1] == '\r')
		line->len--;
	l->torn = false;
	l->total = 0;
	return n + 1;
}

void
lines_gap(struct lines *l)
{
	l->len = 0;
	l->total = 0;
	l->torn = true;
}

bool
lines_at_start(const struct lines *l)
{
	return l->total == 0;
}

/* As much as there is room for. */
static void
keep(struct lines *l, const uint8_t *bytes, size_t len)
{
	if (len > LINES_KEPT_MAX - l->len)
		len = LINES_KEPT_MAX - l->len;
	if (len > l->size - l->len) {
		size_t size = l->size > 0 ? l->size : LINES_FIRST_SIZE;
		while (size < l->len + len)
			size *= 2;
		uint8_t *more = realloc(l->bytes, size);
		if (more == NULL)
			return;
		l->bytes = more;
		l->size = (uint32_t)size;
	}
	if (len > 0)
		memcpy(l->bytes + l->len, bytes, len);
	l->len += (uint32_t)len;
}
