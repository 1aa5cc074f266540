/* The start line and the fields of an HTTP/1 message (RFC 9112 sections 2 to 5). */
#ifndef WAYBILL_PROTO_HTTP_HEAD_H
#define WAYBILL_PROTO_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mime_header.h"

enum { HTTP_HEAD_MAX = 65536 };

enum http_start {
	HTTP_START_NO,      /* not the beginning of a message */
	HTTP_START_MORE,    /* may be one: the first line is not whole */
	HTTP_START_REQUEST,
	HTTP_START_SIMPLE,  /* a request of HTTP/0.9: one line, no fields, no version */
	HTTP_START_RESPONSE,
};

/* All borrowed from the block that was parsed. */
enum { HTTP_VERSION_2 = 20 };

struct http_head {
	bool response;
	unsigned version; /* 9, 10, 11, HTTP_VERSION_2 */
	unsigned status;  /* of a response */
	const uint8_t *method, *target; /* of a request */
	size_t method_len, target_len;
	const uint8_t *reason;          /* of a response */
	size_t reason_len;
	struct mime_fields fields;      /* last, for its size */
};

/* Which message do these bytes begin? Stray line ends and zero bytes before it are passed over. */
enum http_start http_start(const uint8_t *bytes, size_t len);

/*
 * Where in these bytes a message may begin: at their start, behind a line's end, or, for an answer,
 * anywhere. len: nowhere.
 */
size_t http_start_find(const uint8_t *bytes, size_t len, bool requests, bool responses);

/* How many stray bytes stand before a start line. */
size_t http_start_stray(const uint8_t *bytes, size_t len);

/* A whole head, its blank line included. False: its first line is none of HTTP/1. */
bool http_head_parse(struct http_head *h, const uint8_t *block, size_t len);

/* The first field of that name, or NULL. */
const struct mime_field *http_head_field(const struct http_head *h, const char *name);

/* Walks a comma-separated list value (RFC 9110 section 5.6.1): false at the end. */
bool http_list_next(const uint8_t **value, size_t *left, const uint8_t **item, size_t *item_len);

/* Is word an element of any field of that name? */
bool http_head_lists(const struct http_head *h, const char *name, const char *word);

/* Is that the reason phrase? Proxies greet a tunnel with one that no other answer has. */
bool http_head_says(const struct http_head *h, const char *reason);

bool http_method_is(const struct http_head *h, const char *method);

#endif
