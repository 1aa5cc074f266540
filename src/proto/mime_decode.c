#include "config.h"

#include "proto/mime_decode.h"

#include <string.h>

#include "base/text.h"

enum { OUT_SIZE = 3 * 512 };

enum { /* what a character is in base64 */
	B64_NONE = 64, /* none of its own: passed over */
	B64_PAD = 65,
};

struct out {
	const struct mime_decode_ops *ops;
	void *ctx;
	size_t len;
	uint8_t bytes[OUT_SIZE];
};

static void base64(struct mime_decoder *d, const uint8_t *bytes, size_t len, struct out *out);
static size_t base64_quanta(const uint8_t *bytes, size_t len, struct out *out);
static void base64_end(struct mime_decoder *d, struct out *out);
static void quoted(struct mime_decoder *d, const uint8_t *bytes, size_t len, struct out *out);
static size_t quoted_escape(struct mime_decoder *d, uint8_t c, struct out *out);
static void quoted_release(struct mime_decoder *d, struct out *out);
static int hex_digit(uint8_t c);
static void put(struct out *out, uint8_t byte);
static void flush(struct out *out);

static const uint8_t base64_values[256] = {
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, /* 0 */
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63, /* space */
        52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 65, 64, 64, /* 0-9, = */
        64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, /* @ */
        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
        64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, /* ` */
        41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, /* 128 */
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};

enum mime_encoding
mime_encoding_of(const uint8_t *value, size_t len)
{
	if (text_prefix_nocase(value, len, "base64"))
		return MIME_BASE64;
	if (text_prefix_nocase(value, len, "quoted-printable"))
		return MIME_QUOTED_PRINTABLE;
	return MIME_ENCODING_NONE;
}

const char *
mime_encoding_name(enum mime_encoding e)
{
	static const char *const names[] = {NULL, "base64", "quoted-printable"};
	return names[e];
}

void
mime_decode(struct mime_decoder *d, const uint8_t *bytes, size_t len, const struct mime_decode_ops *ops, void *ctx)
{
	struct out out;
	if (d->encoding == MIME_ENCODING_NONE) {
		ops->data(ctx, bytes, len);
		return;
	}
	out.ops = ops;
	out.ctx = ctx;
	out.len = 0;
	if (d->encoding == MIME_BASE64)
		base64(d, bytes, len, &out);
	else
		quoted(d, bytes, len, &out);
	flush(&out);
}

void
mime_decode_finish(struct mime_decoder *d, const struct mime_decode_ops *ops, void *ctx)
{
	struct out out;
	out.ops = ops;
	out.ctx = ctx;
	out.len = 0;
	if (d->encoding == MIME_BASE64)
		base64_end(d, &out);
	else if (d->encoding == MIME_QUOTED_PRINTABLE && d->count > 1) /* an equals sign alone escapes the end */
		quoted_release(d, &out);
	flush(&out);
}

void
mime_decode_gap(struct mime_decoder *d, uint64_t len, const struct mime_decode_ops *ops, void *ctx)
{
	uint64_t lost = len;
	if (d->encoding == MIME_BASE64) {
		lost = d->over ? 0 : (len + d->count) / 78 * 57 + (len + d->count) % 78 * 3 / 4;
		d->torn = true;
	}
	d->count = 0;
	d->word = 0;
	ops->skip(ctx, lost > 0 || d->over ? lost : 1);
}

static void
base64(struct mime_decoder *d, const uint8_t *bytes, size_t len, struct out *out)
{
	size_t at = 0;
	if (d->torn) { /* where the quanta begin is known again at the next line */
		const uint8_t *lf = memchr(bytes, '\n', len);
		at = lf != NULL ? (size_t)(lf - bytes) + 1 : len;
		if (!d->over && at * 3 / 4 > 0)
			out->ops->skip(out->ctx, at * 3 / 4);
		d->torn = lf == NULL;
	}
	while (at < len && !d->over) {
		if (d->count == 0 && len - at >= 4) {
			size_t n = base64_quanta(bytes + at, len - at, out);
			at += n;
			if (n > 0)
				continue;
		}
		const uint8_t value = base64_values[bytes[at++]];
		if (value < B64_NONE) {
			d->word = d->word << 6 | value;
			if (++d->count < 4)
				continue;
			put(out, (uint8_t)(d->word >> 16));
			put(out, (uint8_t)(d->word >> 8));
			put(out, (uint8_t)d->word);
			d->count = 0;
			d->word = 0;
		} else if (value == B64_PAD && d->count >= 2) {
			base64_end(d, out);
			d->over = true;
		}
	}
}

/* Whole quanta without anything else between them: how many bytes were taken. */
static size_t
base64_quanta(const uint8_t *bytes, size_t len, struct out *out)
{
	size_t at = 0;
	while (len - at >= 4) {
		const uint8_t a = base64_values[bytes[at]], b = base64_values[bytes[at + 1]];
		const uint8_t c = base64_values[bytes[at + 2]], e = base64_values[bytes[at + 3]];
		if (((a | b | c | e) & 64) != 0)
			break;
		if (OUT_SIZE - out->len < 3)
			flush(out);
		const uint32_t word = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | e;
		out->bytes[out->len] = (uint8_t)(word >> 16);
		out->bytes[out->len + 1] = (uint8_t)(word >> 8);
		out->bytes[out->len + 2] = (uint8_t)word;
		out->len += 3;
		at += 4;
	}
	return at;
}

/* The last quantum may lack its end. */
static void
base64_end(struct mime_decoder *d, struct out *out)
{
	if (d->count == 2)
		put(out, (uint8_t)(d->word >> 4));
	if (d->count == 3) {
		put(out, (uint8_t)(d->word >> 10));
		put(out, (uint8_t)(d->word >> 2));
	}
	d->count = 0;
	d->word = 0;
}

static void
quoted(struct mime_decoder *d, const uint8_t *bytes, size_t len, struct out *out)
{
	size_t at = 0;
	while (at < len) {
		if (d->count > 0) {
			at += quoted_escape(d, bytes[at], out);
			continue;
		}
		const uint8_t *equals = memchr(bytes + at, '=', len - at);
		size_t run = equals != NULL ? (size_t)(equals - bytes) - at : len - at;
		if (run > 0) {
			flush(out);
			out->ops->data(out->ctx, bytes + at, run);
		}
		at += run;
		if (equals != NULL) {
			d->word = '=';
			d->count = 1;
			at++;
		}
	}
}

/*
 * Behind an equals sign, which alone, or with the byte behind it, is held back: two digits are a byte, a line end goes
 * away, and all else stays as it is. Takes the byte, 1, or gives it back, 0.
 */
static size_t
quoted_escape(struct mime_decoder *d, uint8_t c, struct out *out)
{
	const uint8_t held = (uint8_t)d->word;
	const bool first = d->count == 1;
	if (c == '\n' && (first || held == '\r')) {
		d->count = 0;
		return 1;
	}
	if (first && (c == '\r' || hex_digit(c) >= 0)) {
		d->word = d->word << 8 | c;
		d->count = 2;
		return 1;
	}
	if (!first && hex_digit(held) >= 0 && hex_digit(c) >= 0) {
		put(out, (uint8_t)(hex_digit(held) << 4 | hex_digit(c)));
		d->count = 0;
		return 1;
	}
	quoted_release(d, out);
	return 0;
}

static void
quoted_release(struct mime_decoder *d, struct out *out)
{
	if (d->count == 2)
		put(out, (uint8_t)(d->word >> 8));
	put(out, (uint8_t)d->word);
	d->count = 0;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
put(struct out *out, uint8_t byte)
{
	if (out->len == OUT_SIZE)
		flush(out);
	out->bytes[out->len++] = byte;
}

static void
flush(struct out *out)
{
	if (out->len > 0)
		out->ops->data(out->ctx, out->bytes, out->len);
	out->len = 0;
}
