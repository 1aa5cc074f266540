/* Who logs in, out of what a client says in a SASL exchange (RFC 4422); passwords are not looked at. */
#ifndef WAYBILL_PROTO_SASL_H
#define WAYBILL_PROTO_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

enum { SASL_NAME_MAX = 32 };

struct sasl { /* embedded; all zero is the initial state */
	char mechanism[SASL_NAME_MAX]; /* empty: no exchange */
	unsigned responses;
};

/* The client names the mechanism. */
void sasl_begin(struct sasl *a, const uint8_t *mechanism, size_t len);
/* A response of the client, in base64, the initial one included. Tells the account where it says so. */
void sasl_response(struct sasl *a, struct session *s, const uint8_t *base64, size_t len);

#endif
