/*
 * SHA-256 contexts, kept for the next file: making one costs more than
 * hashing a small file.
 */
#ifndef WAYBILL_TRANSFER_SHA256_H
#define WAYBILL_TRANSFER_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

enum { SHA256_BYTES = 32, SHA256_KEPT = 64 };

struct sha256_pool {
	EVP_MD *sha256;
	EVP_MD_CTX *free[SHA256_KEPT];
	size_t free_count;
};

/* 0, or -1 where the library has no SHA-256. */
int sha256_pool_init(struct sha256_pool *d);
void sha256_pool_clear(struct sha256_pool *d);

/* A context that has hashed nothing yet, or NULL. */
EVP_MD_CTX *sha256_take(struct sha256_pool *d);
/* Gives it back; takes NULL. */
void sha256_give(struct sha256_pool *d, EVP_MD_CTX *context);

/* Ends the hash. 0, or -1: out is not set. */
int sha256_finish(EVP_MD_CTX *context, uint8_t out[SHA256_BYTES]);

#endif
