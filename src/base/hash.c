#include "config.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static inline uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

struct hash_key
hash_key_random(void)
{
	struct hash_key key;
	if (getrandom(&key, sizeof key, 0) != (ssize_t)sizeof key)
		abort(); /* only before the first packet; a guessable key is worse */
	return key;
}

struct hash_fixed_key
hash_fixed_key_random(void)
{
	struct hash_fixed_key key;
	if (getrandom(&key, sizeof key, 0) != (ssize_t)sizeof key)
		abort();
	return key;
}

/* "SipHash: a fast short-input PRF" (2012), section 2, with c = 1 and d = 3. */
uint64_t
hash_bytes(const struct hash_key *key, const void *bytes, size_t len)
{
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d,
	        key->k0 ^ 0x6c7967656e657261, key->k1 ^ 0x7465646279746573};
	const uint8_t *p = bytes;
	uint64_t word;
	for (size_t left = len; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < len % 8; i++)
		word |= (uint64_t)p[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
hash_stable(const void *bytes, size_t len)
{
	static const struct hash_key none = {0x77617962696c6c31, 0x7761796269676c32};
	return hash_bytes(&none, bytes, len);
}
