/* SipHash-1-3 (Aumasson and Bernstein): keyed, so that senders cannot choose our collisions. */
#ifndef WAYBILL_BASE_HASH_H
#define WAYBILL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* A fresh random key (getrandom). */
struct hash_key hash_key_random(void);

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

/*
 * A stable 64-bit digest without a secret, for identifiers that must be the
 * same in every run; never for tables that senders can fill.
 */
uint64_t hash_stable(const void *bytes, size_t len);

#endif
