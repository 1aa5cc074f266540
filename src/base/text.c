#include "config.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/charset.h"

static size_t ascii_run(const uint8_t *p, size_t len);
static size_t utf8_sequence(const uint8_t *p, size_t left, uint32_t *code);
static bool shows_plainly(uint32_t code);
static uint8_t lower(uint8_t c);
static int hex_value(uint8_t c);

struct text
text_decode(struct arena *a, const void *bytes, size_t len, const char *declared)
{
	struct text t = {0};
	if (text_is_utf8(bytes, len) && memchr(bytes, 0, len) == NULL &&
	        (declared == NULL || text_is_ascii(bytes, len) ||
	                text_equal_nocase(declared, strlen(declared), "utf-8"))) {
		t.utf8 = arena_string(a, bytes, len);
		t.encoding = "utf-8";
		return t;
	}
	t.utf8 = charset_decode(a, bytes, len, declared, &t.encoding, &t.guessed);
	t.raw = arena_copy(a, bytes, len);
	t.raw_len = t.raw != NULL ? len : 0;
	return t;
}

bool
text_is_utf8(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t code;
	for (;;) {
		size_t n = ascii_run(p, len);
		p += n;
		len -= n;
		if (len == 0)
			return true;
		n = utf8_sequence(p, len, &code);
		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
}

bool
text_is_ascii(const void *bytes, size_t len)
{
	return ascii_run(bytes, len) == len;
}

const char *
text_escape(char *out, size_t size, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t used = 0;
	while (len > 0) {
		uint32_t code;
		size_t n = utf8_sequence(p, len, &code);
		if (n > 0 && shows_plainly(code)) {
			if (used + n >= size)
				break;
			memcpy(out + used, p, n);
			used += n;
		} else {
			n = n > 0 ? n : 1;
			if (used + 4 * n >= size)
				break;
			for (size_t i = 0; i < n; i++)
				used += (size_t)sprintf(out + used, "\\x%02x", p[i]);
		}
		p += n;
		len -= n;
	}
	if (size > 0)
		out[used] = '\0';
	return out;
}

size_t
text_percent_decode(uint8_t *out, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '%' && len - i > 2 && hex_value(p[i + 1]) >= 0 && hex_value(p[i + 2]) >= 0) {
			out[n++] = (uint8_t)(hex_value(p[i + 1]) << 4 | hex_value(p[i + 2]));
			i += 2;
		} else {
			out[n++] = p[i];
		}
	}
	return n;
}

long
text_base64_decode(uint8_t *out, const void *bytes, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = bytes;
	uint32_t word = 0;
	unsigned bits = 0;
	long n = 0;
	bool padded = false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\r' || p[i] == '\n' || p[i] == ' ' || p[i] == '\t')
			continue;
		if (p[i] == '=') {
			padded = true;
			continue;
		}
		const char *at = p[i] != '\0' ? strchr(alphabet, p[i]) : NULL;
		if (at == NULL || padded)
			return -1;
		word = word << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(word >> bits);
		}
	}
	return bits >= 6 ? -1 : n;
}

const char *
text_hex(char *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

bool
text_equal_nocase(const void *bytes, size_t len, const char *word)
{
	return strlen(word) == len && text_prefix_nocase(bytes, len, word);
}

bool
text_prefix_nocase(const void *bytes, size_t len, const char *word)
{
	const uint8_t *p = bytes;
	size_t i = 0;
	for (; word[i] != '\0'; i++) {
		if (i == len || lower(p[i]) != lower((uint8_t)word[i]))
			return false;
	}
	return true;
}

void
text_trim(const uint8_t **bytes, size_t *len)
{
	while (*len > 0 && ((*bytes)[0] == ' ' || (*bytes)[0] == '\t')) {
		++*bytes;
		--*len;
	}
	while (*len > 0 && ((*bytes)[*len - 1] == ' ' || (*bytes)[*len - 1] == '\t'))
		--*len;
}

int
text_to_u64(const void *bytes, size_t len, uint64_t *out)
{
	const uint8_t *p = bytes;
	uint64_t value = 0;
	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		unsigned digit = p[i] - '0';
		if (value > (UINT64_MAX - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

/* How many bytes at p are ASCII, eight at a time as long as they last. */
static size_t
ascii_run(const uint8_t *p, size_t len)
{
	size_t n = 0;
	for (uint64_t eight; len - n >= sizeof eight; n += sizeof eight) {
		memcpy(&eight, p + n, sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (n < len && p[n] < 0x80)
		n++;
	return n;
}

/* The length of the well-formed sequence at p (RFC 3629 section 4), or 0. */
static size_t
utf8_sequence(const uint8_t *p, size_t left, uint32_t *code)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t c = p[0];
	size_t n = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : (c & 0xf8) == 0xf0 ? 4 : 0;
	if (n == 0 || n > left)
		return 0;
	uint32_t value = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3fu);
	}
	if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return n;
}

/* No control (C0, C1), no line break, nothing that turns the line around (UAX 9) or hides. */
static bool
shows_plainly(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code < 0xa0) && !(code >= 0x200b && code <= 0x200f) &&
	       !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2060 && code <= 0x2069) &&
	       code != 0xfeff;
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static int
hex_value(uint8_t c)
{
	c = lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
