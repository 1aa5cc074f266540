/*
 * Connections whose packets come from another address or port than before (RFC 9000 section 9): a client
 * behind NAT goes on with the server's connection ID that it has. A connection leaves its IDs for the flows
 * between the same two hosts.
 */
#ifndef WAYBILL_PROTO_QUIC_MOVED_H
#define WAYBILL_PROTO_QUIC_MOVED_H

#include <stdbool.h>

#include "base/reader.h"
#include "base/record.h"

struct session;

/* The ID that the server chose for a connection in this session. Too short ones are not kept: any packet would do. */
void quic_moved_note(struct session *s, struct reader cid);

/*
 * Does this packet with a short header belong to a connection that was seen before? Then the host that it was asked
 * for is in name (empty: none), and the packet came from its client.
 */
enum { QUIC_MOVED_NAME_MAX = 43 };
bool quic_moved_find(struct session *s, struct reader packet, char name[QUIC_MOVED_NAME_MAX]);

#endif
