/* Digests for fingerprints of what clients and servers offer, fed piece by piece. */
#ifndef WAYBILL_PROTO_DIGEST_H
#define WAYBILL_PROTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum digest_kind {
	DIGEST_MD5,    /* JA3, HASSH: an identifier, no proof of anything */
	DIGEST_SHA256, /* JA4 */
};

enum { DIGEST_HEX_MAX = 65 };

struct digest;

/* NULL when memory or the algorithm (a restricted libcrypto) is missing. */
struct digest *digest_open(enum digest_kind kind);

/* These take NULL and do nothing. */
void digest_add(struct digest *d, const void *bytes, size_t len);
void digest_text(struct digest *d, const char *text);
void digest_decimal(struct digest *d, unsigned value);
void digest_hex16(struct digest *d, uint16_t value); /* four digits */

/* Frees d and writes it in lower-case hexadecimal: out, or NULL when there is no digest. */
const char *digest_close(struct digest *d, char out[DIGEST_HEX_MAX]);

#endif
