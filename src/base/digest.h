/* Digests for fingerprints of what clients and servers offer, fed piece by piece. */
#ifndef WAYBILL_BASE_DIGEST_H
#define WAYBILL_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum digest_kind {
	DIGEST_MD5,    /* JA3, HASSH: an identifier, no proof of anything */
	DIGEST_SHA1,   /* BitTorrent's name for what it moves */
	DIGEST_SHA256, /* JA4 */
};

enum { DIGESTS_MADE = 256, DIGESTS_MADE_TEXT = 40 };

struct digests_made {
	uint64_t hash; /* of the input */
	char text[DIGESTS_MADE_TEXT];
};

/*
 * The algorithms, looked up once: that takes longer than a digest of a few hundred bytes. And the fingerprints made
 * last: a network has a few dozen programs, each of which offers the same every time. Zeroed: none of either.
 */
struct digests {
	struct evp_md_st *algorithm[DIGEST_SHA256 + 1];
	struct hash_key key;
	struct digests_made *made; /* each in the place that its hash names; NULL: out of memory */
};

/* An algorithm that can't be had is looked up again for each digest. */
void digests_init(struct digests *d);
void digests_clear(struct digests *d);

/*
 * The text that was made of these bytes before. Empty: none was, or another took its place; what is made of them now goes
 * there, DIGESTS_MADE_TEXT bytes at most. Until the next call. NULL: nothing is remembered. known: may be NULL.
 */
char *digests_made(const struct digests *known, const void *bytes, size_t len);

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
