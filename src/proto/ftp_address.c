#include "config.h"

#include "proto/ftp_address.h"

#include <string.h>

#include "base/reader.h"
#include "base/text.h"

enum { NUMBERS_MAX = 2 + 16 + 1 + 2 }; /* family, length, IPv6 address, length, port */

static bool is_digit(uint8_t c);
static size_t numbers(const uint8_t *text, size_t len, uint8_t *out, size_t max);
static struct reader field(struct reader *r, uint8_t delimiter);
static bool extended_at(const uint8_t *text, size_t len, struct ftp_address *out);

/* h1,h2,h3,h4,p1,p2 */
int
ftp_address_classic(const uint8_t *text, size_t len, struct ftp_address *out)
{
	uint8_t n[6];

	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]) || (i > 0 && is_digit(text[i - 1])))
			continue;
		if (numbers(text + i, len - i, n, 6) < 6)
			continue;
		*out = (struct ftp_address){.addr = addr_from_v4(n),
		        .has_addr = true,
		        .port = (uint16_t)(n[4] << 8 | n[5])};
		return out->port != 0 ? 0 : -1;
	}
	return -1;
}

/* |1|192.0.2.1|6446|, |2|2001:db8::1|6446| or |||6446|, with any delimiter */
int
ftp_address_extended(const uint8_t *text, size_t len, struct ftp_address *out)
{
	const uint8_t *bracket = len > 0 ? memchr(text, '(', len) : NULL;
	size_t at = bracket != NULL ? (size_t)(bracket - text) + 1 : 0;

	return extended_at(text + at, len - at, out) ? 0 : -1;
}

/* 4,4,h1..h4,2,p1,p2 or 6,16,h1..h16,2,p1,p2 */
int
ftp_address_long(const uint8_t *text, size_t len, struct ftp_address *out)
{
	uint8_t n[NUMBERS_MAX];

	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]) || (i > 0 && is_digit(text[i - 1])))
			continue;
		size_t count = numbers(text + i, len - i, n, NUMBERS_MAX);
		size_t size = count >= 2 ? n[1] : 0;
		bool v4 = count >= 2 && n[0] == 4 && size == 4;
		bool v6 = count >= 2 && n[0] == 6 && size == 16;
		if ((!v4 && !v6) || count < 2 + size + 3 || n[2 + size] != 2)
			continue;
		*out = (struct ftp_address){.addr = v4 ? addr_from_v4(n + 2) : addr_from_v6(n + 2),
		        .has_addr = true,
		        .port = (uint16_t)(n[2 + size + 1] << 8 | n[2 + size + 2])};
		return out->port != 0 ? 0 : -1;
	}
	return -1;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Reads numbers up to 255 with a comma (and blanks) between: how many, max at most. */
static size_t
numbers(const uint8_t *text, size_t len, uint8_t *out, size_t max)
{
	struct reader r = reader_init(text, len);
	size_t count = 0;

	while (count < max) {
		unsigned value = 0, digits = 0;
		while (r.left > 0 && is_digit(*r.next) && digits < 4) {
			value = value * 10 + (unsigned)(reader_u8(&r) - '0');
			digits++;
		}
		if (digits == 0 || value > 255)
			break;
		out[count++] = (uint8_t)value;
		while (r.left > 0 && *r.next == ' ')
			reader_skip(&r, 1);
		if (r.left == 0 || *r.next != ',')
			break;
		reader_skip(&r, 1);
		while (r.left > 0 && *r.next == ' ')
			reader_skip(&r, 1);
	}
	return count;
}

/* RFC 2428 section 2 and 3 */
static bool
extended_at(const uint8_t *text, size_t len, struct ftp_address *out)
{
	struct reader r = reader_init(text, len);
	char address[ADDR_TEXT_MAX];
	uint64_t port;

	uint8_t delimiter = reader_u8(&r);
	if (is_digit(delimiter))
		return false;
	(void)field(&r, delimiter); /* the family; the address tells it as well */
	struct reader host = field(&r, delimiter);
	struct reader number = field(&r, delimiter);
	if (!reader_ok(&r) || text_to_u64(number.next, number.left, &port) != 0 || port == 0 ||
	        port > UINT16_MAX || host.left >= sizeof address)
		return false;
	*out = (struct ftp_address){.port = (uint16_t)port};
	if (host.left > 0) {
		memcpy(address, host.next, host.left);
		address[host.left] = '\0';
		if (addr_parse(address, &out->addr) != 0)
			return false;
		out->has_addr = true;
	}
	return true;
}

/* The bytes before the next delimiter, which is taken too; the reader goes bad without one. */
static struct reader
field(struct reader *r, uint8_t delimiter)
{
	const uint8_t *end = r->left > 0 ? memchr(r->next, delimiter, r->left) : NULL;
	if (end == NULL) {
		r->bad = true;
		return (struct reader){.bad = true};
	}
	struct reader f = reader_sub(r, (size_t)(end - r->next));
	reader_skip(r, 1);
	return f;
}
