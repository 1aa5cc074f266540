/*
 * What an X.509 certificate (RFC 5280) says of who holds it and who vouches for
 * that: names only. Nothing is verified; the bytes may be anybody's.
 */
#ifndef WAYBILL_PROTO_TLS_CERTIFICATE_H
#define WAYBILL_PROTO_TLS_CERTIFICATE_H

#include <stddef.h>

#include "base/reader.h"

enum {
	TLS_NAME_MAX = 160,      /* of a subject or issuer, as text */
	TLS_ALTERNATIVES_MAX = 8, /* alternative names told; some certificates have hundreds */
};

struct tls_certificate {
	char subject[TLS_NAME_MAX]; /* "CN=example.com, O=Example Ltd"; empty: neither is there */
	char issuer[TLS_NAME_MAX];
	struct reader alternatives; /* GeneralName ..., borrowed */
};

/* 0, or -1 when it is malformed. */
int tls_certificate_read(struct reader der, struct tls_certificate *out);

/*
 * Takes the next host name or address off c->alternatives: its text, borrowed from them or, for an
 * address, put into address. NULL: no more.
 */
enum { TLS_ADDRESS_MAX = 46 };
const char *tls_certificate_alternative(struct tls_certificate *c, char address[TLS_ADDRESS_MAX], size_t *len);

#endif
