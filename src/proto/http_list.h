/* What certain elements of an XML body hold, in their order: the parts by which an upload is put together. */
#ifndef WAYBILL_PROTO_HTTP_LIST_H
#define WAYBILL_PROTO_HTTP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_LIST_MAX = 50000,   /* as many as Azure allows; S3 10,000 */
	HTTP_LIST_TEXT_MAX = 96, /* of one: 64 bytes in base64 take 88 */
	HTTP_LIST_TAG_MAX = 16,
};

struct http_list {
	const char *const *elements; /* static names, NULL-terminated */
	uint8_t *all;                /* what they hold, one behind the other */
	uint32_t *end;               /* where each of them ends there */
	size_t count, room;
	size_t all_len, all_room;
	bool broken;                 /* too many, too long, or no memory: it is not whole */
	enum { HTTP_LIST_BETWEEN, HTTP_LIST_TAG, HTTP_LIST_TEXT } state;
	char tag[HTTP_LIST_TAG_MAX];
	uint8_t text[HTTP_LIST_TEXT_MAX];
	size_t len;                  /* of tag or text so far; above its room: no longer kept */
};

/* NULL: no memory. */
struct http_list *http_list_create(const char *const *elements);
void http_list_destroy(struct http_list *l); /* takes NULL */
void http_list_feed(struct http_list *l, const uint8_t *bytes, size_t len);

/* The content of one of them: borrowed until more is fed. */
const uint8_t *http_list_item(const struct http_list *l, size_t index, size_t *len);

#endif
