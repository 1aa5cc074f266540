/* How long a message's body is, and its bytes without their framing (RFC 9112 sections 6 to 8). */
#ifndef WAYBILL_PROTO_HTTP_BODY_H
#define WAYBILL_PROTO_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"
#include "proto/http_head.h"

enum http_framing {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,  /* Content-Length */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_CLOSE,   /* until the connection closes */
};

enum http_chunk {
	HTTP_CHUNK_SIZE,     /* in the hexadecimal size */
	HTTP_CHUNK_REST,     /* behind it: extensions, up to the line's end */
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_DATA_END, /* the line end behind the data */
	HTTP_CHUNK_TRAILER,  /* fields behind the last chunk */
};

struct http_body {
	uint64_t left;         /* of the body or of the chunk */
	enum http_framing framing;
	enum http_chunk chunk;
	uint32_t digits;       /* of the size, so far */
	uint32_t line;           /* bytes of the line, or of the trailer, so far */
	bool line_begun;       /* the trailer's line has something in it */
	bool whole;            /* all content was given; a trailer may still come */
	bool empty;            /* there might have been one, and its length is 0 */
};

/*
 * By the head alone. silent: a request or status for which no body comes, whatever the head
 * says (the answer to HEAD; 1xx, 204, 304).
 */
void http_body_init(struct http_body *b, const struct http_head *h, bool silent);

/*
 * Takes bytes up to the end of one run of content. *content (borrowed) may be empty. DONE: the
 * message ends here. MALFORMED: chunks that can't be followed.
 */
enum verdict http_body_take(struct http_body *b, const uint8_t *bytes, size_t len, size_t *used,
        const uint8_t **content, size_t *content_len);

/*
 * len bytes were not seen, of which *skipped were content. DONE: the body ended among them, *left of
 * them lie beyond. MALFORMED: the next chunk can't be found.
 */
enum verdict http_body_gap(struct http_body *b, uint64_t len, uint64_t *skipped, uint64_t *left);

#endif
