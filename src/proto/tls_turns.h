/*
 * How many requests went through TLS and how large they and their answers were, guessed by the lengths of the records that
 * carry application data: what one end sends until the other one does is one request, or one answer. Requests
 * that overtake each other (HTTP/2) are one; what is padded or compressed is counted as it went by.
 */
#ifndef WAYBILL_PROTO_TLS_TURNS_H
#define WAYBILL_PROTO_TLS_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

struct session;

struct tls_turns { /* embedded; all zero is the initial state */
	bool begun;
	enum side last;
	uint32_t requests;    /* turns of the client */
	uint64_t turn[2];     /* bytes of the turn at hand, of each side */
	uint64_t largest[2];
};

/* A record of application data, len bytes without its header. */
void tls_turns_record(struct tls_turns *t, enum side from, enum side client, size_t len);

/* Details of the session; nothing where nothing was asked. */
void tls_turns_tell(const struct tls_turns *t, struct session *s, enum side client);

#endif
