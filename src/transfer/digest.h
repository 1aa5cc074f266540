/*
 * SHA-256 contexts, kept for the next file: making one costs more than
 * hashing a small file.
 */
#ifndef WAYBILL_TRANSFER_DIGEST_H
#define WAYBILL_TRANSFER_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

enum { DIGEST_BYTES = 32, DIGESTS_KEPT = 64 };

struct digests {
	EVP_MD *sha256;
	EVP_MD_CTX *free[DIGESTS_KEPT];
	size_t free_count;
};

/* 0, or -1 where the library has no SHA-256. */
int digests_init(struct digests *d);
void digests_clear(struct digests *d);

/* A context that has hashed nothing yet, or NULL. */
EVP_MD_CTX *digest_take(struct digests *d);
/* Gives it back; takes NULL. */
void digest_give(struct digests *d, EVP_MD_CTX *context);

/* Ends the hash. 0, or -1: out is not set. */
int digest_finish(EVP_MD_CTX *context, uint8_t out[DIGEST_BYTES]);

#endif
