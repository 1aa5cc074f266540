/* What follows an answer of 101 (RFC 9110 section 7.8) where waybill reads it: HTTP/2 and WebSocket. */
#ifndef WAYBILL_PROTO_HTTP_UPGRADE_H
#define WAYBILL_PROTO_HTTP_UPGRADE_H

#include "proto/http_connection.h"
#include "proto/http_head.h"

/*
 * The server, answering x with 101, changes to a protocol that needs to know of the request: both sides go on with it,
 * and the reference of x is taken over. False: another protocol, and nothing was done.
 */
bool http_upgrade(struct http *h, enum side server, const struct http_head *head, struct http_exchange *x);

#endif
