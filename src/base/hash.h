/* SipHash-1-3 (Aumasson and Bernstein): keyed, so that senders cannot choose our collisions. */
#ifndef WAYBILL_BASE_HASH_H
#define WAYBILL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key {
	uint64_t k0, k1;
};

/* A fresh random key (getrandom). */
struct hash_key hash_key_random(void);

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

/*
 * Sixteen bytes in a few steps, for tables that are asked for every packet: NH, the universal hash
 * of UMAC (RFC 4418 section 5.2), of one block. Whoever does not know the key finds two inputs of
 * one sum by luck alone (1 in 2^32); the upper bits of the result are the best ones.
 */
static inline uint64_t
hash_16(const struct hash_key *key, const uint8_t bytes[16])
{
	uint32_t word[4];
	memcpy(word, bytes, sizeof word);
	word[0] += (uint32_t)key->k0;
	word[1] += (uint32_t)(key->k0 >> 32);
	word[2] += (uint32_t)key->k1;
	word[3] += (uint32_t)(key->k1 >> 32);
	uint64_t sum = (uint64_t)word[0] * word[1] + (uint64_t)word[2] * word[3];
	return (sum ^ sum >> 32) * 0x9e3779b97f4a7c15; /* 2^64 / golden ratio: spreads it upwards */
}

/*
 * A stable 64-bit digest without a secret, for identifiers that must be the
 * same in every run; never for tables that senders can fill.
 */
uint64_t hash_stable(const void *bytes, size_t len);

#endif
