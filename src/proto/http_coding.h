/*
 * Content and transfer codings undone while they stream by (RFC 9110 section 8.4,
 * RFC 9112 section 7.2): gzip of one or more members, deflate as zlib or raw, zstd, and stacks of them; and the chunks
 * that S3 signs (Amazon S3 API reference, "Signature calculations: transferring payload in multiple chunks").
 * What a coding yields is bounded by what was sent. Not undone: br, compress, lzma.
 */
#ifndef WAYBILL_PROTO_HTTP_CODING_H
#define WAYBILL_PROTO_HTTP_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"
#include "proto/mime_header.h"

struct http_coding;

/* Takes decoded bytes, borrowed for the call. */
typedef void http_coding_sink(void *ctx, const uint8_t *bytes, size_t len);

/*
 * The codings that Content-Encoding and Transfer-Encoding name, as far as they can be undone from the outside in. NULL:
 * nothing to undo, or no memory.
 */
struct http_coding *http_coding_create(const struct mime_fields *fields, http_coding_sink *sink, void *ctx);
/* Does a request to S3 sign its body in chunks (STREAMING-AWS4-HMAC-SHA256-PAYLOAD and its kin)? */
bool http_coding_is_aws(const struct mime_fields *request);
/* Undoes only that. NULL: no memory. */
struct http_coding *http_coding_create_aws(http_coding_sink *sink, void *ctx);
void http_coding_destroy(struct http_coding *c); /* takes NULL */

/*
 * MORE: go on. MALFORMED: what follows can't be decoded, or would be more than is
 * sensible; what was decoded so far is sound.
 */
enum verdict http_coding_feed(struct http_coding *c, const uint8_t *bytes, size_t len);
/* The body ended: what was held back to be recognised is given. */
void http_coding_finish(struct http_coding *c);

/* What was undone so far, "gzip", "deflate, gzip" in the order of application; NULL: it was not encoded after all. */
const char *http_coding_name(struct http_coding *c);

#endif
