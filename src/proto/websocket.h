/* WebSocket as HTTP hands it over. */
#ifndef WAYBILL_PROTO_WEBSOCKET_H
#define WAYBILL_PROTO_WEBSOCKET_H

#include "proto/http_head.h"
#include "proto/proto.h"

/* State for proto_websocket; answer: the one with status 101. NULL: out of memory. */
void *websocket_open_upgraded(struct session *s, enum side client, const struct http_head *answer);

#endif
