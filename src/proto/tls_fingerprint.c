/*
 * JA3 and JA3S as published by Salesforce (github.com/salesforce/ja3) and JA4, the client
 * fingerprint of FoxIO (github.com/FoxIO-LLC/ja4, BSD licence for this one). GREASE
 * values (RFC 8701) are left out of both.
 */
#include "config.h"

#include "proto/tls_fingerprint.h"

#include <string.h>

enum {
	VALUES_MAX = 1024,   /* ciphers or extensions in one hello; real ones stay below 100 */
	JA3_DIGITS = 32,     /* of an MD5 */
	JA4_FIRST_LEN = 11,  /* "t13d1516h2_" */
	JA4_HASH_LEN = 12,   /* of a SHA-256, in hexadecimal digits */
	JA4_COUNT_MAX = 99,
	BETWEEN = 0x0a0a,    /* lists where they stand one behind the other: GREASE is in none */
};

struct values {
	uint16_t value[VALUES_MAX];
	size_t count;
	bool too_many;
};

static char *ja3_made(const struct digests *known, const struct tls_hello *h);
static char *ja3s_made(const struct digests *known, const struct tls_hello *h);
static void ja3_list(struct digest *d, struct reader list);
static void ja3_extensions(struct digest *d, struct reader list);
static void ja3_formats(struct digest *d, struct reader list);
static const char *ja4_rest(const struct digests *known, const struct values *ciphers,
        const struct values *extensions, const struct values *signatures, char out[TLS_JA4_MAX]);
static char *ja4_made(const struct digests *known, const struct values *ciphers,
        const struct values *extensions, const struct values *signatures, const char *first);
static char *made(const struct digests *known, const struct values *v);
static void values_init(struct values *v);
static void values_read(struct values *v, struct reader list);
static void values_extensions(struct values *v, struct reader list);
static void values_offered(struct values *v, uint16_t value);
static void values_add(struct values *v, uint16_t value);
static void values_append(struct values *v, const struct values *more);
static void values_sort(struct values *v);
static void values_digest(struct digest *d, const struct values *v);
static void ja4_first(const struct tls_hello *h, const struct values *ciphers, const struct values *extensions,
        char out[JA4_FIRST_LEN]);
static void ja4_count(size_t count, char out[2]);
static const char *ja4_version(const struct tls_hello *h);
static void ja4_alpn(const struct tls_hello *h, char out[3]);
static bool ja4_ciphers(const struct digests *known, const struct values *v, char out[JA4_HASH_LEN + 1]);
static bool ja4_extensions(const struct digests *known, const struct values *v, const struct values *signatures,
        char out[JA4_HASH_LEN + 1]);
static bool ja4_cut(struct digest *d, bool any, char out[JA4_HASH_LEN + 1]);

const char *
tls_ja3(const struct digests *known, const struct tls_hello *h, char out[DIGEST_HEX_MAX])
{
	char *text = ja3_made(known, h);
	if (text != NULL && text[0] != '\0')
		return memcpy(out, text, JA3_DIGITS + 1);

	struct digest *d = digest_open(known, DIGEST_MD5);
	digest_decimal(d, '\0', h->version);
	digest_text(d, ",");
	ja3_list(d, h->ciphers);
	digest_text(d, ",");
	ja3_extensions(d, h->extensions);
	digest_text(d, ",");
	ja3_list(d, h->groups);
	digest_text(d, ",");
	ja3_formats(d, h->formats);
	if (digest_close(d, out) == NULL)
		return NULL;
	if (text != NULL)
		memcpy(text, out, JA3_DIGITS + 1);
	return out;
}

const char *
tls_ja3s(const struct digests *known, const struct tls_hello *h, char out[DIGEST_HEX_MAX])
{
	char *text = ja3s_made(known, h);
	if (text != NULL && text[0] != '\0')
		return memcpy(out, text, JA3_DIGITS + 1);

	struct digest *d = digest_open(known, DIGEST_MD5);
	digest_decimal(d, '\0', h->legacy_version);
	digest_text(d, ",");
	ja3_list(d, h->ciphers);
	digest_text(d, ",");
	ja3_extensions(d, h->extensions);
	if (digest_close(d, out) == NULL)
		return NULL;
	if (text != NULL)
		memcpy(text, out, JA3_DIGITS + 1);
	return out;
}

const char *
tls_ja4(const struct digests *known, const struct tls_hello *h, char out[TLS_JA4_MAX])
{
	struct values ciphers, extensions, signatures;

	values_init(&ciphers);
	values_init(&extensions);
	values_init(&signatures);
	values_read(&ciphers, h->ciphers);
	values_extensions(&extensions, h->extensions);
	if (ciphers.too_many || extensions.too_many)
		return NULL;
	values_read(&signatures, h->signatures);
	values_sort(&ciphers);
	values_sort(&extensions);
	ja4_first(h, &ciphers, &extensions, out);

	char *text = ja4_made(known, &ciphers, &extensions, &signatures, out);
	if (text != NULL && text[0] != '\0')
		return memcpy(out, text, TLS_JA4_MAX);
	if (ja4_rest(known, &ciphers, &extensions, &signatures, out) == NULL)
		return NULL;
	if (text != NULL)
		memcpy(text, out, TLS_JA4_MAX);
	return out;
}

/* Where the JA3 of such a hello is remembered: by all that it is made of. NULL: nowhere. */
static char *
ja3_made(const struct digests *known, const struct tls_hello *h)
{
	struct values v;
	struct reader formats = h->formats;

	values_init(&v);
	values_add(&v, 3);
	values_add(&v, h->version);
	values_read(&v, h->ciphers);
	values_add(&v, BETWEEN);
	values_extensions(&v, h->extensions);
	values_add(&v, BETWEEN);
	values_read(&v, h->groups);
	values_add(&v, BETWEEN);
	while (formats.left > 0)
		values_add(&v, reader_u8(&formats));
	return made(known, &v);
}

/* The same of a JA3S. */
static char *
ja3s_made(const struct digests *known, const struct tls_hello *h)
{
	struct values v;

	values_init(&v);
	values_add(&v, 5);
	values_add(&v, h->legacy_version);
	values_read(&v, h->ciphers);
	values_add(&v, BETWEEN);
	values_extensions(&v, h->extensions);
	return made(known, &v);
}

/* The same of a JA4, whose first part stands for what is in no list. */
static char *
ja4_made(const struct digests *known, const struct values *ciphers, const struct values *extensions,
        const struct values *signatures, const char *first)
{
	struct values v;
	struct reader r = reader_init((const uint8_t *)first, JA4_FIRST_LEN - 1);

	values_init(&v);
	values_add(&v, 4);
	while (r.left > 0)
		values_add(&v, reader_be16(&r));
	values_append(&v, ciphers);
	values_add(&v, BETWEEN);
	values_append(&v, extensions);
	values_add(&v, BETWEEN);
	values_append(&v, signatures);
	return made(known, &v);
}

static char *
made(const struct digests *known, const struct values *v)
{
	return v->too_many ? NULL : digests_made(known, v->value, v->count * sizeof v->value[0]);
}

static void
ja4_first(const struct tls_hello *h, const struct values *ciphers, const struct values *extensions,
        char out[JA4_FIRST_LEN])
{
	char alpn[3];

	ja4_alpn(h, alpn);
	memcpy(out, "tVVsCCEEaa_", JA4_FIRST_LEN);
	out[0] = (char)h->carrier;
	memcpy(out + 1, ja4_version(h), 2);
	out[3] = h->has_server_name ? 'd' : 'i';
	ja4_count(ciphers->count, out + 4);
	ja4_count(extensions->count, out + 6);
	memcpy(out + 8, alpn, 2);
}

/* The two digests, behind the first part. */
static const char *
ja4_rest(const struct digests *known, const struct values *ciphers, const struct values *extensions,
        const struct values *signatures, char out[TLS_JA4_MAX])
{
	char second[JA4_HASH_LEN + 1], third[JA4_HASH_LEN + 1];

	if (!ja4_ciphers(known, ciphers, second) || !ja4_extensions(known, extensions, signatures, third))
		return NULL;
	memcpy(out + JA4_FIRST_LEN, second, JA4_HASH_LEN);
	out[JA4_FIRST_LEN + JA4_HASH_LEN] = '_';
	memcpy(out + JA4_FIRST_LEN + JA4_HASH_LEN + 1, third, JA4_HASH_LEN + 1);
	return out;
}

/* Two digits. */
static void
ja4_count(size_t count, char out[2])
{
	if (count > JA4_COUNT_MAX)
		count = JA4_COUNT_MAX;
	out[0] = (char)('0' + count / 10);
	out[1] = (char)('0' + count % 10);
}

static void
ja3_list(struct digest *d, struct reader list)
{
	char between = '\0';
	while (list.left >= 2) {
		uint16_t value = reader_be16(&list);
		if (tls_is_grease(value))
			continue;
		digest_decimal(d, between, value);
		between = '-';
	}
}

static void
ja3_extensions(struct digest *d, struct reader list)
{
	char between = '\0';
	while (list.left > 0) {
		uint16_t type = reader_be16(&list);
		reader_skip(&list, reader_be16(&list));
		if (!reader_ok(&list) || tls_is_grease(type))
			continue;
		digest_decimal(d, between, type);
		between = '-';
	}
}

static void
ja3_formats(struct digest *d, struct reader list)
{
	char between = '\0';
	while (list.left > 0) {
		digest_decimal(d, between, reader_u8(&list));
		between = '-';
	}
}

/* Its many values need no zeros. */
static void
values_init(struct values *v)
{
	v->count = 0;
	v->too_many = false;
}

static void
values_read(struct values *v, struct reader list)
{
	while (list.left >= 2)
		values_offered(v, reader_be16(&list));
}

static void
values_extensions(struct values *v, struct reader list)
{
	while (list.left > 0) {
		uint16_t type = reader_be16(&list);
		reader_skip(&list, reader_be16(&list));
		if (reader_ok(&list))
			values_offered(v, type);
	}
}

static void
values_offered(struct values *v, uint16_t value)
{
	if (!tls_is_grease(value))
		values_add(v, value);
}

static void
values_add(struct values *v, uint16_t value)
{
	if (v->count == VALUES_MAX)
		v->too_many = true;
	else
		v->value[v->count++] = value;
}

static void
values_append(struct values *v, const struct values *more)
{
	size_t room = VALUES_MAX - v->count, n = more->count < room ? more->count : room;
	memcpy(v->value + v->count, more->value, n * sizeof v->value[0]);
	v->count += n;
	v->too_many |= n < more->count || more->too_many;
}

/* Shell's sort, for lists of a few dozen that are in order here and there; with these gaps n^1.5 steps at worst. */
static void
values_sort(struct values *v)
{
	size_t gap = 1;
	while (gap < v->count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3) {
		for (size_t i = gap; i < v->count; i++) {
			uint16_t value = v->value[i];
			size_t at = i;
			for (; at >= gap && v->value[at - gap] > value; at -= gap)
				v->value[at] = v->value[at - gap];
			v->value[at] = value;
		}
	}
}

static void
values_digest(struct digest *d, const struct values *v)
{
	for (size_t i = 0; i < v->count; i++)
		digest_hex16(d, i > 0 ? ',' : '\0', v->value[i]);
}

/* The highest version offered. */
static const char *
ja4_version(const struct tls_hello *h)
{
	static const struct {
		uint16_t wire;
		const char *text;
	} names[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"},
	        {0x0300, "s3"}, {0x0002, "s2"}, {0xfeff, "d1"}, {0xfefd, "d2"}, {0xfefc, "d3"}};
	const bool datagrams = h->carrier == TLS_OVER_DATAGRAMS;
	struct reader versions = h->versions;
	uint16_t highest = versions.left >= 2 ? 0 : h->version;

	while (versions.left >= 2) {
		uint16_t version = reader_be16(&versions);
		/* Those of DTLS count downwards. */
		if (!tls_is_grease(version) &&
		        (highest == 0 || (datagrams ? version < highest : version > highest)))
			highest = version;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].wire == highest)
			return names[i].text;
	return "00";
}

static bool
alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* First and last character of the first protocol offered; of its hexadecimal form if it has odd ones. */
static void
ja4_alpn(const struct tls_hello *h, char out[3])
{
	static const char digits[] = "0123456789abcdef";

	memcpy(out, "00", 3);
	if (h->alpn.left == 0)
		return;
	uint8_t first = h->alpn.next[0], last = h->alpn.next[h->alpn.left - 1];
	bool plain = alphanumeric(first) && alphanumeric(last);
	out[0] = plain ? (char)first : digits[first >> 4];
	out[1] = plain ? (char)last : digits[last & 15];
}

static bool
ja4_ciphers(const struct digests *known, const struct values *v, char out[JA4_HASH_LEN + 1])
{
	struct digest *d = digest_open(known, DIGEST_SHA256);
	values_digest(d, v);
	return ja4_cut(d, v->count > 0, out);
}

/* Sorted, without server name and ALPN, which the first part tells; the signatures as offered. */
static bool
ja4_extensions(const struct digests *known, const struct values *v, const struct values *signatures,
        char out[JA4_HASH_LEN + 1])
{
	struct digest *d = digest_open(known, DIGEST_SHA256);
	char between = '\0';

	for (size_t i = 0; i < v->count; i++) {
		if (v->value[i] == TLS_EXT_SERVER_NAME || v->value[i] == TLS_EXT_ALPN)
			continue;
		digest_hex16(d, between, v->value[i]);
		between = ',';
	}
	if (signatures->count > 0)
		digest_text(d, "_");
	values_digest(d, signatures);
	return ja4_cut(d, v->count > 0, out);
}

/* A truncated SHA-256, or zeros where there was nothing to take one of. */
static bool
ja4_cut(struct digest *d, bool any, char out[JA4_HASH_LEN + 1])
{
	char hex[DIGEST_HEX_MAX];

	if (digest_close(d, hex) == NULL)
		return false;
	if (!any)
		memset(hex, '0', JA4_HASH_LEN);
	memcpy(out, hex, JA4_HASH_LEN);
	out[JA4_HASH_LEN] = '\0';
	return true;
}
