/* Bytes of a test written as hexadecimal digits, with blanks wherever they help the eye. */
#ifndef WAYBILL_TESTS_HEX_H
#define WAYBILL_TESTS_HEX_H

#include <stdint.h>
#include <stdlib.h>

static inline int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Heap memory of exactly the length that it tells, so that ASan sees a read beyond it. */
static inline uint8_t *
hex_bytes(const char *hex, size_t *len)
{
	uint8_t *bytes = calloc(1, 1);
	size_t digits = 0;

	for (; *hex != '\0'; hex++) {
		int digit = hex_digit(*hex);
		if (digit < 0)
			continue;
		if (digits % 2 == 0) {
			bytes = realloc(bytes, digits / 2 + 1);
			bytes[digits / 2] = (uint8_t)(digit << 4);
		} else {
			bytes[digits / 2] |= (uint8_t)digit;
		}
		digits++;
	}
	*len = digits / 2;
	return bytes;
}

#endif
