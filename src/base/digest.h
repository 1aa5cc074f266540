/* Digests for fingerprints of what clients and servers offer, fed piece by piece. */
#ifndef WAYBILL_BASE_DIGEST_H
#define WAYBILL_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum digest_kind {
	DIGEST_MD5,    /* JA3, HASSH: an identifier, no proof of anything */
	DIGEST_SHA256, /* JA4 */
};

/* The algorithms, looked up once: that takes longer than a digest of a few hundred bytes. Zeroed: none is. */
struct digests {
	struct evp_md_st *algorithm[DIGEST_SHA256 + 1];
};

/* One that can't be had is looked up again for each digest. */
void digests_init(struct digests *d);
void digests_clear(struct digests *d);

enum { DIGEST_HEX_MAX = 65 };

struct digest;

/* known: may be NULL. NULL when memory or the algorithm (a restricted libcrypto) is missing. */
struct digest *digest_open(const struct digests *known, enum digest_kind kind);

/* These take NULL and do nothing. */
void digest_add(struct digest *d, const void *bytes, size_t len);
void digest_text(struct digest *d, const char *text);
/* before: a character that stands before the number; '\0': none. */
void digest_decimal(struct digest *d, char before, uint16_t value);
void digest_hex16(struct digest *d, char before, uint16_t value); /* four digits */

/* Frees d and writes it in lower-case hexadecimal: out, or NULL when there is no digest. */
const char *digest_close(struct digest *d, char out[DIGEST_HEX_MAX]);

#endif
