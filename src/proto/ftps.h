/*
 * FTP over TLS, where all that announces a data connection is encrypted (RFC 4217): a control
 * connection leaves word for the connections that its two hosts open afterwards.
 */
#ifndef WAYBILL_PROTO_FTPS_H
#define WAYBILL_PROTO_FTPS_H

#include "base/record.h"
#include "proto/tls_hello.h"

struct session;

/* The server's hello was seen, in any session over TCP. client: who sent the other one. */
void ftps_server_hello(struct session *s, enum side client, const struct tls_hello *h);
/* The client's, and whom it asks for was told. */
void ftps_client_hello(struct session *s, enum side client, const struct tls_hello *h);

#endif
