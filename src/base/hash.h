/*
 * Keyed hashes, so that senders cannot choose our collisions: SipHash-1-3 (Aumasson and Bernstein) for bytes of
 * any length, and NH (the inner hash of UMAC, RFC 4418 section 5.2.2, with words of 64 bits) for short keys of
 * fixed size, where a table is asked with every packet: a tenth of the time.
 */
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

enum { HASH_FIXED_WORDS = 6 };

struct hash_fixed_key {
	uint64_t word[HASH_FIXED_WORDS], last;
};

struct hash_fixed_key hash_fixed_key_random(void);

/*
 * Two keys of one length collide with a chance of about 2^-64, whoever chose them, as long as nobody sees hashes.
 * len: a constant multiple of 8, HASH_FIXED_WORDS * 8 at most. All bits are of use.
 */
static inline uint64_t
hash_fixed(const struct hash_fixed_key *key, const void *bytes, size_t len)
{
	__extension__ typedef unsigned __int128 wide;
	uint64_t w[HASH_FIXED_WORDS] = {0};
	wide sum = 0;
	memcpy(w, bytes, len);
	for (size_t i = 0; i < (len + 8) / 16 * 2; i += 2)
		sum += (wide)(w[i] + key->word[i]) * (w[i + 1] + key->word[i + 1]);
	/* The sum's bits are of unequal worth: one more multiplication spreads them. */
	sum = (wide)((uint64_t)sum ^ key->last) * ((uint64_t)(sum >> 64) ^ UINT64_C(0x9e3779b97f4a7c15));
	return (uint64_t)sum ^ (uint64_t)(sum >> 64);
}

/*
 * A stable 64-bit digest without a secret, for identifiers that must be the
 * same in every run; never for tables that senders can fill.
 */
uint64_t hash_stable(const void *bytes, size_t len);

#endif
