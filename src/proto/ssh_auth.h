/*
 * How an SSH client proved who it is, guessed from the sizes of what both ends say between NEWKEYS and
 * USERAUTH_SUCCESS (RFC 4252, RFC 4256): that one is the shortest message there is.
 */
#ifndef WAYBILL_PROTO_SSH_AUTH_H
#define WAYBILL_PROTO_SSH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/ssh_cipher.h"

struct ssh_auth {
	uint32_t asked[2];   /* sizes of the client's last request and of the one before it */
	uint32_t answer[2];  /* the server's last answer, and the one before it */
	uint32_t refused;    /* size of the answer to the first request: a failure, which lists the methods */
	uint16_t requests, failures;
	bool asking;         /* the client spoke last */
	bool success;
	const char *method;  /* of the request that succeeded: static; NULL: not known */
};

/* One unit that the client or the server sent. True: the client is in; the unit may belong to what follows. */
bool ssh_auth_unit(struct ssh_auth *a, const struct ssh_cipher cipher[2], bool client, uint32_t size);

/* "success", "failure", or NULL: not known. */
const char *ssh_auth_result(const struct ssh_auth *a);

#endif
