/*
 * The parts of the JSON writer that are worth a call: growth, escaping, numbers, times. Numbers and
 * times are formatted here and not by printf, which would cost more than all the rest of an event.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "output/json.h"

enum {
	JSON_FIRST_SIZE = 4096,
	JSON_U64_MAX = 20,  /* digits of UINT64_MAX */
	JSON_TIME_LEN = 27, /* 2024-01-15T09:30:00.123456Z */
};

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static size_t plain_run(const uint8_t *text, size_t len);
static size_t utf8_length(const uint8_t *at, size_t left);
static void put_escape(struct json *j, uint8_t c);
static size_t digits(uint64_t value);
static char *put_two(char *at, unsigned value);
static void second_write(struct json_second *s, int64_t second);
static char *put_date(char *at, int64_t days);

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

/* What text may hold as it is: 0 yes, 1 needs an escape, 2 begins or continues a longer sequence. */
static const uint8_t text_class[256] = {
	[0x00 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1, [0x7f] = 1, [0x80 ... 0xff] = 2,
};

void
json_init(struct json *j)
{
	*j = (struct json){0};
}

void
json_clear(struct json *j)
{
	free(j->bytes);
	*j = (struct json){0};
}

void
json_reset(struct json *j)
{
	j->len = j->kept;
	j->failed = false;
	j->separate = false;
}

void
json_keep(struct json *j)
{
	j->kept = j->len;
}

bool
json_grow(struct json *j, size_t n)
{
	if (j->failed)
		return false;
	size_t size = j->size > 0 ? j->size : JSON_FIRST_SIZE;
	while (size - j->len < n && size <= SIZE_MAX / 2)
		size *= 2;
	char *bytes = size - j->len >= n ? realloc(j->bytes, size) : NULL;
	if (bytes == NULL) {
		j->failed = true;
		return false;
	}
	j->bytes = bytes;
	j->size = size;
	return true;
}

/*
 * Runs of plain characters are copied whole. A byte that begins no well-formed sequence (Unicode
 * 15.0, table 3-7) becomes U+FFFD.
 */
void
json_put_text(struct json *j, const void *bytes, size_t len)
{
	const uint8_t *text = bytes;
	size_t at = plain_run(text, len);
	size_t run = 0; /* where the run not yet copied begins */

	if (!json_reserve(j, len + 2))
		return;
	json_put(j, "\"", 1);
	while (at < len) {
		if (text_class[text[at]] == 0) {
			at++;
			continue;
		}
		size_t width = text_class[text[at]] == 2 ? utf8_length(text + at, len - at) : 0;
		if (width > 0) {
			at += width;
			continue;
		}
		json_put(j, (const char *)text + run, at - run);
		put_escape(j, text[at]);
		run = ++at;
	}
	if (at > run)
		json_put(j, (const char *)text + run, at - run);
	json_put(j, "\"", 1);
}

/*
 * How many characters at the front stand for themselves, as far as whole words show it. In a word of bytes below
 * 0x80, taking 1 from each sets the top bit of those that were 0, and of none below the first of them.
 */
static size_t
plain_run(const uint8_t *text, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), top = ones << 7;
	size_t at = 0;

	for (uint64_t w; len - at >= sizeof w; at += sizeof w) {
		memcpy(&w, text + at, sizeof w);
		uint64_t quote = (w ^ ones * '"') - ones, backslash = (w ^ ones * '\\') - ones;
		uint64_t control = w - ones * 0x20, del = (w ^ ones * 0x7f) - ones;
		if (((w | quote | backslash | control | del) & top) != 0)
			break;
	}
	return at;
}

/* The length of the well-formed sequence of two bytes and more at the front, or 0. */
static size_t
utf8_length(const uint8_t *at, size_t left)
{
	uint8_t first = at[0];
	size_t width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	uint8_t low = 0x80, high = 0xbf; /* of the second byte */

	if (first < 0xc2 || first > 0xf4 || width > left)
		return 0;
	switch (first) {
	case 0xe0: low = 0xa0; break;  /* no overlong forms */
	case 0xed: high = 0x9f; break; /* no surrogates */
	case 0xf0: low = 0x90; break;
	case 0xf4: high = 0x8f; break; /* nothing above U+10FFFF */
	default: break;
	}
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < width; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return width;
}

static void
put_escape(struct json *j, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};

	if (c >= 0x80) {
		json_put(j, REPLACEMENT, 3);
	} else if (c == '"' || c == '\\') {
		json_put(j, (const char[]){'\\', (char)c}, 2);
	} else if (c < sizeof letters && letters[c] != 0) {
		json_put(j, (const char[]){'\\', letters[c]}, 2);
	} else {
		json_put(j, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
	}
}

void
json_put_u64(struct json *j, uint64_t value)
{
	if (!json_reserve(j, JSON_U64_MAX))
		return;
	char *end = j->bytes + j->len + digits(value);
	j->len += digits(value);
	while (value >= 100) {
		end -= 2;
		put_two(end, (unsigned)(value % 100));
		value /= 100;
	}
	if (value >= 10)
		put_two(end - 2, (unsigned)value);
	else
		end[-1] = (char)('0' + value);
}

/* How many digits a number is written with. */
static size_t
digits(uint64_t value)
{
	size_t n = 1;

	for (; value >= 10000; value /= 10000)
		n += 4;
	return n + (value >= 10) + (value >= 100) + (value >= 1000);
}

void
json_put_i64(struct json *j, int64_t value)
{
	if (value < 0) {
		json_put(j, "-", 1);
		json_put_u64(j, 0 - (uint64_t)value);
	} else {
		json_put_u64(j, (uint64_t)value);
	}
}

void
json_put_time(struct json *j, int64_t time)
{
	if (!json_reserve(j, JSON_TIME_LEN + 2))
		return;
	char *at = j->bytes + j->len;
	int64_t second = time / CLOCK_SECOND, ns = time % CLOCK_SECOND;
	if (ns < 0) { /* seconds count towards the past */
		ns += CLOCK_SECOND;
		second--;
	}
	const unsigned micro = (unsigned)ns / 1000;
	struct json_second *s = &j->seconds[(uint64_t)second % JSON_SECONDS];

	if (s->second != second || s->text[0] == '\0')
		second_write(s, second);
	memcpy(at, s->text, JSON_SECOND_LEN);
	at += JSON_SECOND_LEN;
	*at++ = '.';
	at = put_two(at, micro / 10000);
	at = put_two(at, micro / 100 % 100);
	at = put_two(at, micro % 100);
	*at++ = 'Z';
	*at++ = '"';
	j->len += JSON_TIME_LEN + 2;
}

static void
second_write(struct json_second *s, int64_t second)
{
	enum { DAY = 86400 };
	const int64_t day = second / DAY - (second % DAY < 0);
	const unsigned clock = (unsigned)(second - day * DAY);
	char *at = s->text;

	s->second = second;
	*at++ = '"';
	at = put_date(at, day);
	*at++ = 'T';
	at = put_two(at, clock / 3600);
	*at++ = ':';
	at = put_two(at, clock / 60 % 60);
	*at++ = ':';
	put_two(at, clock % 60);
}

/*
 * Days since 1970-01-01 as a date of the Gregorian calendar. Years are counted from March, so that
 * the leap day is the last one, in eras of 400 years. An int64_t of ns ends within 1677-2262.
 */
static char *
put_date(char *at, int64_t days)
{
	enum { ERA = 146097, EPOCH = 719468 /* days from 0000-03-01 */ };
	unsigned since = (unsigned)(days + EPOCH);
	unsigned era_day = since % ERA;
	unsigned era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	unsigned year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	unsigned march_month = (5 * year_day + 2) / 153;
	unsigned day = year_day - (153 * march_month + 2) / 5 + 1;
	unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
	unsigned year = era_year + since / ERA * 400 + (month <= 2);

	at = put_two(at, year / 100 % 100);
	at = put_two(at, year % 100);
	*at++ = '-';
	at = put_two(at, month);
	*at++ = '-';
	return put_two(at, day);
}

void
json_put_v4(struct json *j, const uint8_t bytes[4])
{
	enum { LONGEST = 17 }; /* with its quotes */
	if (!json_reserve(j, LONGEST))
		return;
	char *at = j->bytes + j->len;
	*at++ = '"';
	for (size_t i = 0; i < 4; i++) {
		unsigned octet = bytes[i];
		if (octet >= 100) {
			*at++ = (char)('0' + octet / 100);
			at = put_two(at, octet % 100);
		} else if (octet >= 10) {
			at = put_two(at, octet);
		} else {
			*at++ = (char)('0' + octet);
		}
		*at++ = i < 3 ? '.' : '"';
	}
	j->len = (size_t)(at - j->bytes);
}

void
json_put_hex(struct json *j, const uint8_t *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	json_put(j, "\"", 1);
	if (json_reserve(j, 2 * len)) {
		char *at = j->bytes + j->len;
		for (size_t i = 0; i < len; i++) {
			*at++ = hex[bytes[i] >> 4];
			*at++ = hex[bytes[i] & 15];
		}
		j->len += 2 * len;
	}
	json_put(j, "\"", 1);
}

/* value: 0 to 99. Returns where the next character goes. */
static char *
put_two(char *at, unsigned value)
{
	at[0] = digit_pairs[2 * value];
	at[1] = digit_pairs[2 * value + 1];
	return at + 2;
}
