/*
 * The parts of a multipart body (RFC 2046 section 5.1), found while the bytes stream by. Bytes of a
 * part are handed on where they lie. Nested multiparts are the caller's: a part's
 * content may be fed to another one.
 */
#ifndef WAYBILL_PROTO_MIME_MULTIPART_H
#define WAYBILL_PROTO_MIME_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mime_header.h"

struct mime_multipart;

struct mime_multipart_ops {
	void (*begin)(void *ctx, const struct mime_fields *header); /* borrowed for the call */
	void (*data)(void *ctx, const uint8_t *bytes, size_t len);
	void (*skip)(void *ctx, uint64_t len);
	void (*end)(void *ctx, bool whole); /* whole: its closing boundary was seen */
};

/* content_type: the field's value with its boundary parameter. NULL: it has none, or no memory. */
struct mime_multipart *mime_multipart_create(const uint8_t *content_type, size_t len,
        const struct mime_multipart_ops *ops, void *ctx);
/* Ends a part that is still open, as not whole. Takes NULL. */
void mime_multipart_destroy(struct mime_multipart *m);

void mime_multipart_feed(struct mime_multipart *m, const uint8_t *bytes, size_t len);
/* len bytes were not seen; boundaries among them are lost. */
void mime_multipart_skip(struct mime_multipart *m, uint64_t len);

#endif
