/* Parts of a file that come apart (RFC 9110 section 14). */
#ifndef WAYBILL_PROTO_HTTP_RANGE_H
#define WAYBILL_PROTO_HTTP_RANGE_H

#include "proto/http_head.h"

enum {
	HTTP_RANGE_KEY_MAX = 1024,
	HTTP_VALIDATOR_MAX = 128,
};

struct http_range {
	uint64_t first, last;
	bool total_known;
	uint64_t total;
};

/* Content-Range: "bytes 0-499/1234" or "bytes 0-499/" and a star. False: not one, or it contradicts itself. */
bool http_range_parse(struct http_range *r, const struct mime_field *content_range);

/*
 * What tells one version of a file from another (RFC 9110 section 8.8): a strong ETag, else
 * Last-Modified. Its length; 0: none.
 */
size_t http_range_validator(const struct http_head *h, uint8_t out[HTTP_VALIDATOR_MAX]);

/*
 * The key under which the parts of one file meet: URL (NULL: unknown), size and validator. Its
 * length; 0: nothing names the file.
 */
size_t http_range_key(uint8_t key[HTTP_RANGE_KEY_MAX], const struct http_range *r, bool request,
        const char *url, const uint8_t *validator, size_t validator_len);

#endif
