/*
 * A file that is offered in one conversation and moves over another connection, as bare bytes (IRC's DCC) or behind
 * SOCKS 5 (XMPP's bytestreams): who sends there first is the sender. It is told in that connection's flow;
 * of a proxy's two connections, where both pass by, in both.
 */
#ifndef WAYBILL_PROTO_HANDOFF_H
#define WAYBILL_PROTO_HANDOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "transfer/transfer.h"

struct handoff;

struct handoff_offer {
	const char *protocol; /* static: of the connection */
	const char *method;   /* static */
	const void *name;     /* borrowed for the call; may be NULL */
	size_t name_len;
	const void *user;
	size_t user_len;
	bool size_known, socks;
	uint64_t size;
};

/* With one reference, the caller's. NULL: out of memory. */
struct handoff *handoff_create(const struct handoff_offer *offer);
void handoff_unref(struct handoff *h); /* takes NULL */
/* It comes over a connection to there, from anywhere. */
void handoff_expect(struct handoff *h, struct session *control, const struct addr *to, uint16_t port);
/* The first byte to come lies there in the file; before it came. */
void handoff_offset(struct handoff *h, uint64_t offset);

#endif
