#include "config.h"

#include "proto/feed.h"

#include <stdlib.h>
#include <string.h>

enum { FEED_FIRST_SIZE = 512 };

static bool hold(struct feed *f, const uint8_t *bytes, size_t len);

enum feed_result
feed_bytes(struct feed *f, feed_step step, void *ctx, enum side from, const uint8_t *bytes, size_t len, size_t *unused)
{
	while (len > 0) {
		size_t before = f->len, room = FEED_MAX - before;
		size_t added = before == 0 ? 0 : len < room ? len : room;
		if (added > 0 && !hold(f, bytes, added))
			return FEED_LOST;
		size_t n = before == 0 ? step(ctx, from, bytes, len) : step(ctx, from, f->held, f->len);
		if (n == STEP_LOST || n == STEP_STOP) {
			if (unused != NULL)
				*unused = len;
			f->len = 0;
			return n == STEP_STOP ? FEED_STOP : FEED_LOST;
		}
		if (n == STEP_MORE) {
			bytes += added;
			len -= added;
			if (before == 0)
				return len <= FEED_MAX && hold(f, bytes, len) ? FEED_MORE : FEED_LOST;
			if (f->len == FEED_MAX)
				return FEED_LOST;
			continue;
		}
		if (n < before) { /* what was too little before is enough now: the other side told more */
			memmove(f->held, f->held + n, before - n);
			f->len = before - n;
			continue;
		}
		n -= before;
		f->len = 0;
		n = n < len ? n : len;
		bytes += n;
		len -= n;
	}
	return FEED_MORE;
}

void
feed_gap(struct feed *f)
{
	f->len = 0;
}

void
feed_clear(struct feed *f)
{
	free(f->held);
	*f = (struct feed){0};
}

bool
feed_at_start(const struct feed *f)
{
	return f->len == 0;
}

size_t
feed_line(const uint8_t *bytes, size_t len, size_t *text)
{
	const uint8_t *newline = memchr(bytes, '\n', len);
	size_t n;

	if (newline == NULL)
		return 0;
	n = (size_t)(newline - bytes);
	*text = n > 0 && bytes[n - 1] == '\r' ? n - 1 : n;
	return n + 1;
}

static bool
hold(struct feed *f, const uint8_t *bytes, size_t len)
{
	if (len > FEED_MAX - f->len)
		return false;
	if (f->len + len > f->size) {
		size_t size = f->size > 0 ? f->size : FEED_FIRST_SIZE;
		while (size < f->len + len)
			size *= 2;
		uint8_t *larger = realloc(f->held, size);
		if (larger == NULL)
			return false;
		f->held = larger;
		f->size = size;
	}
	memcpy(f->held + f->len, bytes, len);
	f->len += len;
	return true;
}
