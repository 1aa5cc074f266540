/*
 * Transfer encodings undone while they stream by (RFC 2045 section 6): base64 and quoted-printable. What mail programs
 * make of breaches is done here: what is no base64 is passed over, padding ends it, and an equals
 * sign that escapes nothing stays.
 */
#ifndef WAYBILL_PROTO_MIME_DECODE_H
#define WAYBILL_PROTO_MIME_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mime_encoding {
	MIME_ENCODING_NONE, /* 7bit, 8bit, binary, or unknown: bytes as they are */
	MIME_BASE64,
	MIME_QUOTED_PRINTABLE,
};

struct mime_decode_ops {
	void (*data)(void *ctx, const uint8_t *bytes, size_t len);
	void (*skip)(void *ctx, uint64_t len);
};

struct mime_decoder { /* embedded; all zero: none */
	enum mime_encoding encoding;
	uint32_t word;    /* base64: the quantum so far; quoted-printable: what is held back */
	uint8_t count;    /* characters in it */
	bool over;        /* base64: behind its padding */
	bool torn;        /* base64: behind a gap, up to the line's end */
};

/* Of Content-Transfer-Encoding. */
enum mime_encoding mime_encoding_of(const uint8_t *value, size_t len);
/* "base64"; NULL: none. */
const char *mime_encoding_name(enum mime_encoding e);

void mime_decode(struct mime_decoder *d, const uint8_t *bytes, size_t len, const struct mime_decode_ops *ops, void *ctx);
/* The content is over: what was held back is given. */
void mime_decode_finish(struct mime_decoder *d, const struct mime_decode_ops *ops, void *ctx);
/* len encoded bytes were not seen. How many they stand for is an estimate where there is an encoding. */
void mime_decode_gap(struct mime_decoder *d, uint64_t len, const struct mime_decode_ops *ops, void *ctx);

#endif
