/* Header blocks of HTTP/2 (RFC 9113 section 4.3, RFC 7541), read into the same head that HTTP/1 has. */
#ifndef WAYBILL_PROTO_HTTP2_HEADER_H
#define WAYBILL_PROTO_HTTP2_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "proto/http_head.h"

enum { HTTP2_BLOCK_MAX = 256 * 1024 }; /* a header block, all its frames together */

/* What one side's encoder has said so far. Zeroed: nothing. */
struct http2_header {
	struct nghttp2_hd_inflater *inflater; /* NULL: to be made */
	bool lost;                            /* earlier blocks were not seen */
};

void http2_header_clear(struct http2_header *h);

/* A block was not seen: fields that stand only in what it said are left out of later heads, not guessed. */
void http2_header_lose(struct http2_header *h);

/*
 * A whole block. Texts are copied to a; what was lost is left out: a request may lack its method, an answer its
 * status. :authority stands as "host", and head->version is 20. False: not to be decoded; what follows it is read as
 * after a loss.
 */
bool http2_header_read(struct http2_header *h, const uint8_t *block, size_t len, struct arena *a,
        struct http_head *head);

#endif
