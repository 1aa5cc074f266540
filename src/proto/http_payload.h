/*
 * What a message's body is worth: the transfer (or the several, for parts and ranges) that it
 * makes, fed with its content.
 */
#ifndef WAYBILL_PROTO_HTTP_PAYLOAD_H
#define WAYBILL_PROTO_HTTP_PAYLOAD_H

#include "proto/http_body.h"
#include "proto/http_exchange.h"
#include "proto/http_head.h"
#include "transfer/transfer.h"

struct http_payload;

/* head: of the message that the body belongs to, sent by from. NULL: it is no file, or no memory. Also for bodies of length 0. */
struct http_payload *http_payload_open(struct session *s, enum side from, const struct http_head *head,
        const struct http_body *body, struct http_exchange *x);

/* Body bytes without their framing, borrowed for the call. */
void http_payload_data(struct http_payload *p, const uint8_t *bytes, size_t len);
/* len body bytes were not seen. */
void http_payload_skip(struct http_payload *p, uint64_t len);
/* The body is over. One without a byte is a file only where http_empty says so. Takes NULL; frees p. */
void http_payload_close(struct http_payload *p, enum transfer_state state);

#endif
