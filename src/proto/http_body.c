/*
 * Body framing. Where a head contradicts itself, chunked wins over a length (RFC 9112
 * section 6.3), and the first of several lengths over the others.
 */
#include "config.h"

#include "proto/http_body.h"

#include <string.h>

#include "base/text.h"

enum {
	SIZE_DIGITS_MAX = 15, /* of a chunk's size, without leading zeros: less than 2^60 */
	CHUNK_LINE_MAX = 16384,
	TRAILER_MAX = 65536,
};

static bool content_length(const struct http_head *h, uint64_t *out);
static enum verdict take_chunked(struct http_body *b, const uint8_t *bytes, size_t len, size_t *used,
        const uint8_t **content, size_t *content_len);
static size_t take_run(struct http_body *b, size_t len);
static enum verdict take_size(struct http_body *b, uint8_t c);
static enum verdict take_rest(struct http_body *b, uint8_t c);
static void take_data_end(struct http_body *b, uint8_t c, size_t *at);
static enum verdict take_trailer(struct http_body *b, uint8_t c);
static void begin_size(struct http_body *b);
static int hex_digit(uint8_t c);

void
http_body_init(struct http_body *b, const struct http_head *h, bool silent)
{
	*b = (struct http_body){.framing = HTTP_BODY_NONE};
	if (silent)
		;
	else if (http_head_lists(h, "transfer-encoding", "chunked"))
		b->framing = HTTP_BODY_CHUNKED;
	else if (content_length(h, &b->left))
		b->framing = b->left > 0 ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	else if (h->response)
		b->framing = HTTP_BODY_CLOSE;
	b->whole = b->framing == HTTP_BODY_NONE;
	b->empty = b->whole && !silent;
}

/* "5, 5" is one length sent twice (RFC 9110 section 8.6). */
static bool
content_length(const struct http_head *h, uint64_t *out)
{
	const struct mime_field *f = NULL;
	while ((f = mime_fields_find(&h->fields, "content-length", f)) != NULL) {
		const uint8_t *value = f->value, *item;
		size_t left = f->value_len, len;
		while (http_list_next(&value, &left, &item, &len))
			if (text_to_u64(item, len, out) == 0)
				return true;
	}
	return false;
}

enum verdict
http_body_take(struct http_body *b, const uint8_t *bytes, size_t len, size_t *used,
        const uint8_t **content, size_t *content_len)
{
	*content = bytes;
	*content_len = *used = 0;
	switch (b->framing) {
	case HTTP_BODY_NONE:
		return VERDICT_DONE;
	case HTTP_BODY_CLOSE:
		*used = *content_len = len;
		return VERDICT_MORE;
	case HTTP_BODY_LENGTH:
		*used = *content_len = take_run(b, len);
		b->whole = b->left == 0;
		return b->whole ? VERDICT_DONE : VERDICT_MORE;
	case HTTP_BODY_CHUNKED:
		break;
	}
	return take_chunked(b, bytes, len, used, content, content_len);
}

/* RFC 9112 section 7.1 */
static enum verdict
take_chunked(struct http_body *b, const uint8_t *bytes, size_t len, size_t *used,
        const uint8_t **content, size_t *content_len)
{
	enum verdict v = VERDICT_MORE;
	size_t at = 0;
	while (v == VERDICT_MORE && at < len) {
		switch (b->chunk) {
		case HTTP_CHUNK_SIZE:
			v = take_size(b, bytes[at++]);
			break;
		case HTTP_CHUNK_REST:
			v = take_rest(b, bytes[at++]);
			break;
		case HTTP_CHUNK_DATA:
			*content = bytes + at;
			*content_len = take_run(b, len - at);
			if (b->left == 0)
				b->chunk = HTTP_CHUNK_DATA_END;
			*used = at + *content_len;
			return VERDICT_MORE;
		case HTTP_CHUNK_DATA_END:
			take_data_end(b, bytes[at], &at);
			break;
		case HTTP_CHUNK_TRAILER:
			v = take_trailer(b, bytes[at++]);
			break;
		}
	}
	*used = at;
	return v;
}

static size_t
take_run(struct http_body *b, size_t len)
{
	size_t n = b->left < len ? (size_t)b->left : len;
	b->left -= n;
	return n;
}

static enum verdict
take_size(struct http_body *b, uint8_t c)
{
	int digit = hex_digit(c);
	if (digit < 0 && b->digits == 0)
		return (c == ' ' || c == '\t') && b->line++ < CHUNK_LINE_MAX ? VERDICT_MORE : VERDICT_MALFORMED;
	if (digit < 0) {
		b->chunk = HTTP_CHUNK_REST;
		return take_rest(b, c);
	}
	if (b->left >> (4 * (SIZE_DIGITS_MAX - 1)) != 0 || ++b->digits > CHUNK_LINE_MAX)
		return VERDICT_MALFORMED;
	b->left = b->left << 4 | (unsigned)digit;
	return VERDICT_MORE;
}

static enum verdict
take_rest(struct http_body *b, uint8_t c)
{
	if (c != '\n')
		return ++b->line <= CHUNK_LINE_MAX ? VERDICT_MORE : VERDICT_MALFORMED;
	b->chunk = HTTP_CHUNK_DATA;
	if (b->left == 0) {
		b->chunk = HTTP_CHUNK_TRAILER;
		b->whole = true;
		b->line = 0;
		b->line_begun = false;
	}
	return VERDICT_MORE;
}

/* Some senders forget the line end, or half of it. */
static void
take_data_end(struct http_body *b, uint8_t c, size_t *at)
{
	if (c == '\r' || c == '\n')
		++*at;
	if (c != '\r')
		begin_size(b);
}

static enum verdict
take_trailer(struct http_body *b, uint8_t c)
{
	if (++b->line > TRAILER_MAX)
		return VERDICT_MALFORMED;
	if (c == '\n') {
		if (!b->line_begun)
			return VERDICT_DONE;
		b->line_begun = false;
	} else if (c != '\r') {
		b->line_begun = true;
	}
	return VERDICT_MORE;
}

static void
begin_size(struct http_body *b)
{
	b->chunk = HTTP_CHUNK_SIZE;
	b->left = 0;
	b->digits = 0;
	b->line = 0;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum verdict
http_body_gap(struct http_body *b, uint64_t len, uint64_t *skipped, uint64_t *left)
{
	*skipped = *left = 0;
	switch (b->framing) {
	case HTTP_BODY_NONE:
		*left = len;
		return VERDICT_DONE;
	case HTTP_BODY_CLOSE:
		*skipped = len;
		return VERDICT_MORE;
	case HTTP_BODY_LENGTH:
		*skipped = len < b->left ? len : b->left;
		*left = len - *skipped;
		b->left -= *skipped;
		b->whole = b->left == 0;
		return b->whole ? VERDICT_DONE : VERDICT_MORE;
	case HTTP_BODY_CHUNKED:
		break;
	}
	if (b->whole)
		return VERDICT_MALFORMED;
	*skipped = len;
	if (b->chunk != HTTP_CHUNK_DATA || len > b->left)
		return VERDICT_MALFORMED;
	b->left -= len;
	if (b->left == 0)
		b->chunk = HTTP_CHUNK_DATA_END;
	return VERDICT_MORE;
}
