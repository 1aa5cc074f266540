/* Ranges, and what makes two of them parts of one file. */
#include "config.h"

#include "proto/http_range.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

static bool take_number(const uint8_t **bytes, size_t *len, uint64_t *out);
static bool take_char(const uint8_t **bytes, size_t *len, uint8_t c);
static size_t add(uint8_t *key, size_t used, const void *bytes, size_t len);

bool
http_range_parse(struct http_range *r, const struct mime_field *content_range)
{
	if (content_range == NULL || !text_prefix_nocase(content_range->value, content_range->value_len, "bytes"))
		return false;
	const uint8_t *at = content_range->value + 5;
	size_t left = content_range->value_len - 5;
	*r = (struct http_range){.total_known = false};
	text_trim(&at, &left);
	if (take_char(&at, &left, '='))
		text_trim(&at, &left);
	if (!take_number(&at, &left, &r->first) || !take_char(&at, &left, '-') ||
	        !take_number(&at, &left, &r->last) || !take_char(&at, &left, '/'))
		return false;
	r->total_known = take_number(&at, &left, &r->total);
	if (!r->total_known && !take_char(&at, &left, '*'))
		return false;
	return r->last >= r->first && r->last < UINT64_MAX && (!r->total_known || r->last < r->total);
}

size_t
http_range_validator(const struct http_head *h, uint8_t out[HTTP_VALIDATOR_MAX])
{
	const struct mime_field *f = http_head_field(h, "etag");
	if (f == NULL || text_prefix_nocase(f->value, f->value_len, "w/"))
		f = http_head_field(h, "last-modified");
	size_t len = f == NULL ? 0 : f->value_len < HTTP_VALIDATOR_MAX ? f->value_len : HTTP_VALIDATOR_MAX;
	if (len > 0)
		memcpy(out, f->value, len);
	return len;
}

size_t
http_range_key(uint8_t key[HTTP_RANGE_KEY_MAX], const struct http_range *r, bool request,
        const char *url, const uint8_t *validator, size_t validator_len)
{
	char total[32] = "*";
	if (url == NULL && validator_len == 0)
		return 0;
	if (r->total_known)
		snprintf(total, sizeof total, "%llu", (unsigned long long)r->total);
	size_t n = add(key, 0, request ? ">" : "<", 1);
	n = add(key, n, total, strlen(total) + 1);
	n = add(key, n, validator, validator_len);
	n = add(key, n, "", 1);
	return url != NULL ? add(key, n, url, strlen(url)) : n;
}

static bool
take_number(const uint8_t **bytes, size_t *len, uint64_t *out)
{
	size_t n = 0;
	while (n < *len && (*bytes)[n] >= '0' && (*bytes)[n] <= '9')
		n++;
	if (text_to_u64(*bytes, n, out) < 0)
		return false;
	*bytes += n;
	*len -= n;
	return true;
}

static bool
take_char(const uint8_t **bytes, size_t *len, uint8_t c)
{
	if (*len == 0 || **bytes != c)
		return false;
	++*bytes;
	--*len;
	return true;
}

/* What does not fit stands as its digest. */
static size_t
add(uint8_t *key, size_t used, const void *bytes, size_t len)
{
	uint64_t digest;
	if (len > HTTP_RANGE_KEY_MAX / 2 - 64) {
		digest = hash_stable(bytes, len);
		bytes = &digest;
		len = sizeof digest;
	}
	if (len > HTTP_RANGE_KEY_MAX - used)
		len = HTTP_RANGE_KEY_MAX - used;
	if (len > 0)
		memcpy(key + used, bytes, len);
	return used + len;
}
