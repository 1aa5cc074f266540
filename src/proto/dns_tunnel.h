/* Names that carry something: what a client asks for under one domain is counted, over all its flows. */
#ifndef WAYBILL_PROTO_DNS_TUNNEL_H
#define WAYBILL_PROTO_DNS_TUNNEL_H

#include <stdbool.h>

#include "proto/dns_message.h"
#include "transfer/transfer.h"

/* May a message's name carry something? Else dns_tunnel_look has nothing to count, and needs no session. */
bool dns_tunnel_possible(const struct dns_message *m);

/*
 * Counts a message between this session's ends. True: it is one of a tunnel's, and the session has
 * been told so.
 */
bool dns_tunnel_look(struct session *s, enum side from, const struct dns_message *m);

#endif
