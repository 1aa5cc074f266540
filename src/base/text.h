/*
 * Names from the wire are bytes. They are shown as valid UTF-8, with the guess
 * that was made and the raw form beside it; they are escaped in logs and never
 * used as a path.
 */
#ifndef WAYBILL_BASE_TEXT_H
#define WAYBILL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct text {
	const char *utf8;     /* valid UTF-8, zero-terminated; NULL: no text at all */
	const char *encoding; /* static: "utf-8", "gb18030", "cp949", "shift_jis", "latin-1" ... */
	bool guessed;         /* the encoding is a guess (never for plain ASCII or valid UTF-8) */
	const uint8_t *raw;   /* the bytes as they came, when they were not UTF-8; else NULL */
	size_t raw_len;
};

/*
 * Decodes bytes into arena memory. declared: a charset that the protocol named
 * (RFC 5987, RFC 2047), or NULL to guess. Control characters stay; a zero byte
 * becomes U+FFFD. Never fails: the last resort is latin-1. At an arena limit utf8 is NULL.
 */
struct text text_decode(struct arena *a, const void *bytes, size_t len, const char *declared);

bool text_is_utf8(const void *bytes, size_t len);
bool text_is_ascii(const void *bytes, size_t len);

/*
 * For logs and terminals: bytes as printable UTF-8 with controls (C0, C1, bidi
 * overrides) and broken bytes as \xNN. Always terminated within size; returns out.
 */
const char *text_escape(char *out, size_t size, const void *bytes, size_t len);

/* Percent-decoding (RFC 3986 section 2.1) into out (len bytes at most); the new length. */
size_t text_percent_decode(uint8_t *out, const void *bytes, size_t len);

/* Base64 (RFC 4648 section 4, line breaks skipped) into out (len * 3 / 4 + 3 bytes); length or -1. */
long text_base64_decode(uint8_t *out, const void *bytes, size_t len);

/* Lower-case hexadecimal, zero-terminated: out has 2 * len + 1 bytes. */
const char *text_hex(char *out, const void *bytes, size_t len);

/* ASCII-only comparisons: field names and keywords, whatever the locale. */
bool text_equal_nocase(const void *bytes, size_t len, const char *word);
bool text_prefix_nocase(const void *bytes, size_t len, const char *word);

/* Skips spaces and tabs at both ends. */
void text_trim(const uint8_t **bytes, size_t *len);

/* An unsigned decimal filling all of bytes: 0, or -1 (empty, other characters, overflow). */
int text_to_u64(const void *bytes, size_t len, uint64_t *out);

#endif
