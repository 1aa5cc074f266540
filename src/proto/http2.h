/* HTTP/2 as HTTP/1 hands it over (RFC 7540 section 3.2): the first stream's request was sent before. */
#ifndef WAYBILL_PROTO_HTTP2_H
#define WAYBILL_PROTO_HTTP2_H

#include "proto/http_exchange.h"
#include "proto/proto.h"

/*
 * State for proto_http2. Takes over the reference of x, the request that asked for the upgrade. NULL: out of memory, and
 * nothing was taken.
 */
void *http2_open_upgraded(struct session *s, enum side client, struct http_exchange *x);

#endif
