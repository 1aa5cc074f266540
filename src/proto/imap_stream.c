#include "config.h"

#include "proto/imap_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { TEXT_FIRST_SIZE = 512, TAIL_MAX = 64 /* the end of a line that is too long: a literal's size may stand there */ };

static void keep(struct imap_stream *s, const uint8_t *bytes, size_t len);
static bool reserve(struct imap_stream *s, size_t len);
static void keep_tail(struct imap_stream *s, const uint8_t *bytes, size_t len);
static bool end_line(struct imap_stream *s, const struct imap_stream_ops *ops, void *ctx);
static void begin_literal(struct imap_stream *s, const struct imap_stream_ops *ops, void *ctx);
static void end_literal(struct imap_stream *s, const struct imap_stream_ops *ops, void *ctx);
static bool literal_size(const struct imap_stream *s, size_t *at, uint64_t *size);
static void reset(struct imap_stream *s);

size_t
imap_stream_take(struct imap_stream *s, const uint8_t *bytes, size_t len, const struct imap_stream_ops *ops, void *ctx)
{
	size_t at = 0;
	while (at < len) {
		const uint8_t *next = bytes + at;
		size_t n = len - at;
		if (s->in_literal) {
			n = s->literal < n ? (size_t)s->literal : n;
			if (s->taken)
				ops->data(ctx, next, n);
			else if (s->kept)
				keep(s, next, n);
			s->literal -= n;
			at += n;
			if (s->literal == 0)
				end_literal(s, ops, ctx);
			continue;
		}
		const uint8_t *lf = memchr(next, '\n', n);
		n = lf != NULL ? (size_t)(lf - next) : n;
		keep(s, next, n);
		at += n + (lf != NULL ? 1 : 0);
		if (lf != NULL && !end_line(s, ops, ctx))
			break;
	}
	return at;
}

void
imap_stream_gap(struct imap_stream *s, uint64_t len, const struct imap_stream_ops *ops, void *ctx)
{
	if (s->in_literal) {
		const uint64_t n = len < s->literal ? len : s->literal;
		if (s->taken)
			ops->skip(ctx, n);
		s->cut = s->cut || s->kept;
		s->literal -= n;
		len -= n;
		if (s->literal == 0)
			end_literal(s, ops, ctx);
	}
	if (len > 0) {
		reset(s);
		s->torn = true;
	}
}

void
imap_stream_drop(struct imap_stream *s)
{
	reset(s);
	s->in_literal = false;
	s->literal = 0;
}

bool
imap_stream_at_start(const struct imap_stream *s)
{
	return s->len == 0 && !s->in_literal;
}

void
imap_stream_clear(struct imap_stream *s)
{
	free(s->text);
	*s = (struct imap_stream){.text = NULL};
}

static bool
end_line(struct imap_stream *s, const struct imap_stream_ops *ops, void *ctx)
{
	if (s->len > 0 && s->text[s->len - 1] == '\r')
		s->len--;
	size_t at;
	if (literal_size(s, &at, &s->literal)) {
		s->len = (uint32_t)at;
		begin_literal(s, ops, ctx);
		return true;
	}
	const bool more = ops->line(ctx, s);
	reset(s);
	s->torn = false;
	return more;
}

/* One that is taken stands in the line as an empty string; one that is kept with its size before it, as it came. */
static void
begin_literal(struct imap_stream *s, const struct imap_stream_ops *ops, void *ctx)
{
	s->taken = ops->literal(ctx, s, s->literal);
	s->kept = !s->taken && s->literal <= IMAP_LITERAL_KEPT_MAX;
	if (s->kept) {
		char size[24];
		size_t n = 0, digits = 0;
		char reversed[20];
		for (uint64_t left = s->literal; left > 0 || digits == 0; left /= 10)
			reversed[digits++] = (char)('0' + left % 10);
		size[n++] = '{';
		while (digits > 0)
			size[n++] = reversed[--digits];
		size[n++] = '}';
		size[n++] = '\n';
		keep(s, (const uint8_t *)size, n);
	} else {
		keep(s, (const uint8_t *)"\"\"", 2);
	}
	s->in_literal = true;
	if (s->literal == 0)
		end_literal(s, ops, ctx);
}

static void
end_literal(struct imap_stream *s, const struct imap_stream_ops *ops, void *ctx)
{
	s->in_literal = false;
	if (s->taken)
		ops->literal_end(ctx);
}

/* {12}, {12+} (RFC 7888), ~{12} (RFC 3516) at the end of the line; *at: where that begins. */
static bool
literal_size(const struct imap_stream *s, size_t *at, uint64_t *size)
{
	size_t end = s->len;
	if (end < 3 || s->text[end - 1] != '}')
		return false;
	end--;
	if (s->text[end - 1] == '+' || s->text[end - 1] == '-')
		end--;
	size_t first = end;
	while (first > 0 && s->text[first - 1] >= '0' && s->text[first - 1] <= '9')
		first--;
	if (first == 0 || s->text[first - 1] != '{' || text_to_u64(s->text + first, end - first, size) != 0)
		return false;
	*at = first - 1;
	if (*at > 0 && s->text[*at - 1] == '~')
		--*at;
	return true;
}

static void
keep(struct imap_stream *s, const uint8_t *bytes, size_t len)
{
	size_t room = IMAP_LINE_MAX - s->len;
	size_t n = len < room ? len : room;
	if (n > 0 && reserve(s, n)) {
		memcpy(s->text + s->len, bytes, n);
		s->len += (uint32_t)n;
	}
	if (n < len)
		keep_tail(s, bytes + n, len - n);
}

static bool
reserve(struct imap_stream *s, size_t len)
{
	if (len <= s->size - s->len)
		return true;
	size_t size = s->size > 0 ? s->size : TEXT_FIRST_SIZE;
	while (size < s->len + len)
		size *= 2;
	uint8_t *more = realloc(s->text, size);
	if (more == NULL)
		return false;
	s->text = more;
	s->size = (uint32_t)size;
	return true;
}

static void
keep_tail(struct imap_stream *s, const uint8_t *bytes, size_t len)
{
	uint8_t *tail = s->text + IMAP_LINE_MAX - TAIL_MAX;
	s->cut = true;
	if (s->len < IMAP_LINE_MAX)
		return; /* out of memory */
	if (len > TAIL_MAX) {
		bytes += len - TAIL_MAX;
		len = TAIL_MAX;
	}
	memmove(tail, tail + len, TAIL_MAX - len);
	memcpy(tail + TAIL_MAX - len, bytes, len);
}

static void
reset(struct imap_stream *s)
{
	s->len = 0;
	s->cut = false;
}
