/*
 * Initial packets of QUIC version 1 around any payload, so that input gets behind their protection (RFC 9001 section 5):
 * no mutation of a sealed one would.
 */
#ifndef TESTS_FUZZ_QUIC_SEAL_H
#define TESTS_FUZZ_QUIC_SEAL_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/quic_keys.h"

enum { SEAL_CID = 8, SEAL_HEAD = 5 + 1 + SEAL_CID + 1 + 1 + 2, SEAL_NUMBER = 4, SEAL_MORE = SEAL_HEAD + SEAL_NUMBER + QUIC_TAG_LEN };

/* out: room for len + SEAL_MORE bytes. How many it became; 0: libcrypto would not. The client's first connection ID is fixed. */
static inline size_t
quic_seal(bool client, uint32_t number, const uint8_t *payload, size_t len, uint8_t *out)
{
	static const uint8_t salt[QUIC_SALT_LEN] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6,
	        0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
	static const uint8_t cid[SEAL_CID] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct quic_keys keys[2];
	uint8_t nonce[QUIC_IV_LEN], mask[16];
	int n = 0;
	const struct reader dcid = reader_init(cid, sizeof cid);
	if (quic_keys_make(NULL, salt, false, dcid, QUIC_CLIENT, &keys[0]) != 0 ||
	        quic_keys_make(NULL, salt, false, dcid, QUIC_SERVER, &keys[1]) != 0)
		return 0;
	const struct quic_keys *k = &keys[client ? 0 : 1];
	const size_t rest = SEAL_NUMBER + len + QUIC_TAG_LEN;
	const uint8_t fixed[6] = {0xc0 | (SEAL_NUMBER - 1), 0, 0, 0, 1, SEAL_CID};
	const uint8_t tail[4] = {0, 0, (uint8_t)(0x40 | (rest >> 8 & 0x3f)), (uint8_t)rest}; /* no source ID, no token */
	memcpy(out, fixed, sizeof fixed);
	memcpy(out + sizeof fixed, cid, sizeof cid);
	memcpy(out + sizeof fixed + sizeof cid, tail, sizeof tail);
	for (size_t i = 0; i < SEAL_NUMBER; i++)
		out[SEAL_HEAD + i] = (uint8_t)(number >> (8 * (SEAL_NUMBER - 1 - i)));
	memcpy(nonce, k->iv, sizeof nonce);
	for (size_t i = 0; i < SEAL_NUMBER; i++)
		nonce[QUIC_IV_LEN - SEAL_NUMBER + i] ^= out[SEAL_HEAD + i];

	uint8_t *sealed = out + SEAL_HEAD + SEAL_NUMBER;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, k->key, nonce) == 1 &&
	          EVP_EncryptUpdate(ctx, NULL, &n, out, SEAL_HEAD + SEAL_NUMBER) == 1 &&
	          EVP_EncryptUpdate(ctx, sealed, &n, payload, (int)len) == 1 &&
	          EVP_EncryptFinal_ex(ctx, sealed + len, &n) == 1 &&
	          EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, QUIC_TAG_LEN, sealed + len) == 1 &&
	          EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, k->hp, NULL) == 1 &&
	          EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	          EVP_EncryptUpdate(ctx, mask, &n, out + SEAL_HEAD + 4, sizeof mask) == 1;
	EVP_CIPHER_CTX_free(ctx);
	out[0] ^= mask[0] & 0x0f;
	for (size_t i = 0; i < SEAL_NUMBER; i++)
		out[SEAL_HEAD + i] ^= mask[1 + i];
	return ok ? SEAL_HEAD + rest : 0;
}

#endif
