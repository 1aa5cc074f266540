/* What a ClientHello's offer, and a server's answer, say of the programs that made them. */
#ifndef WAYBILL_PROTO_TLS_FINGERPRINT_H
#define WAYBILL_PROTO_TLS_FINGERPRINT_H

#include "base/digest.h"
#include "proto/tls_hello.h"

enum { TLS_JA4_MAX = 37 }; /* "t13d1516h2_8daaf6152771_e5627efa2ab1" with the closing zero */

/* JA3: MD5 in hexadecimal; returns out, or NULL when there is no digest. */
const char *tls_ja3(const struct digests *known, const struct tls_hello *h, char out[DIGEST_HEX_MAX]);

/* JA3S, of a ServerHello: the same. */
const char *tls_ja3s(const struct digests *known, const struct tls_hello *h, char out[DIGEST_HEX_MAX]);

/*
 * JA4 of a client. Returns out, or NULL when there is no digest, or the
 * hello offers more values than any client does.
 */
const char *tls_ja4(const struct digests *known, const struct tls_hello *h, char out[TLS_JA4_MAX]);

#endif
