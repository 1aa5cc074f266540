#include "config.h"

#include "proto/quic_keys.h"

#include <openssl/evp.h>
#include <string.h>

enum {
	HASH_LEN = 32,   /* SHA-256 */
	BLOCK_LEN = 64,
	LABEL_MAX = 32,
	SAMPLE_LEN = 16, /* RFC 9001 section 5.4.2 */
	NUMBER_MAX = 4,
};

struct hasher {
	EVP_MD_CTX *ctx;
	const EVP_MD *sha256;
	bool failed;
};

static void hmac(struct hasher *h, const uint8_t *key, size_t key_len, const uint8_t *bytes, size_t len,
        uint8_t out[HASH_LEN]);
static void hmac_half(struct hasher *h, const uint8_t *key, size_t key_len, uint8_t pad, const uint8_t *bytes, size_t len,
        uint8_t out[HASH_LEN]);
static void expand(struct hasher *h, const uint8_t secret[HASH_LEN], const char *label, uint8_t *out, size_t len);
static void keys_of(struct hasher *h, const uint8_t initial[HASH_LEN], const char *who, bool second,
        struct quic_keys *out);
static int mask_of(const struct quic_keys *k, const uint8_t sample[SAMPLE_LEN], uint8_t mask[SAMPLE_LEN]);
static int decrypt(const struct quic_keys *k, const struct quic_packet *p, const uint8_t *head, size_t number_len,
        uint8_t *out, size_t *len);

int
quic_keys_make(const struct digests *known, const uint8_t salt[QUIC_SALT_LEN], bool second_labels,
        struct reader dcid, enum quic_end end, struct quic_keys *out)
{
	struct hasher h = {.ctx = EVP_MD_CTX_new(),
	        .sha256 = known != NULL ? known->algorithm[DIGEST_SHA256] : NULL};
	uint8_t initial[HASH_LEN];

	if (h.sha256 == NULL)
		h.sha256 = EVP_sha256();
	h.failed = h.ctx == NULL;
	hmac(&h, salt, QUIC_SALT_LEN, dcid.next, dcid.left, initial); /* HKDF-Extract (RFC 5869) */
	keys_of(&h, initial, end == QUIC_CLIENT ? "client in" : "server in", second_labels, out);
	EVP_MD_CTX_free(h.ctx);
	return h.failed ? -1 : 0;
}

/* The packet number's length is known only without the mask, and the mask comes from where it would end at most. */
int
quic_keys_open(const struct quic_keys *k, const struct quic_packet *p, uint8_t *out, size_t *len)
{
	uint8_t mask[SAMPLE_LEN], head[1 + NUMBER_MAX];
	struct reader r = reader_init(p->first, p->len);

	reader_skip(&r, p->number_at);
	const uint8_t *number = reader_take(&r, NUMBER_MAX);
	const uint8_t *sample = reader_take(&r, SAMPLE_LEN);
	if (!reader_ok(&r) || mask_of(k, sample, mask) != 0)
		return -1;
	head[0] = p->first[0] ^ (mask[0] & 0x0f);
	for (size_t i = 0; i < NUMBER_MAX; i++)
		head[1 + i] = number[i] ^ mask[1 + i];
	return decrypt(k, p, head, (size_t)(head[0] & 3) + 1, out, len);
}

static void
keys_of(struct hasher *h, const uint8_t initial[HASH_LEN], const char *who, bool second, struct quic_keys *out)
{
	uint8_t secret[HASH_LEN];

	expand(h, initial, who, secret, sizeof secret);
	expand(h, secret, second ? "quicv2 key" : "quic key", out->key, sizeof out->key);
	expand(h, secret, second ? "quicv2 iv" : "quic iv", out->iv, sizeof out->iv);
	expand(h, secret, second ? "quicv2 hp" : "quic hp", out->hp, sizeof out->hp);
}

/* HKDF-Expand-Label without a context (RFC 8446 section 7.1), of one block at most. */
static void
expand(struct hasher *h, const uint8_t secret[HASH_LEN], const char *label, uint8_t *out, size_t len)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[4 + LABEL_MAX] = {0}, block[HASH_LEN];
	const size_t prefix_len = sizeof prefix - 1, label_len = strlen(label);

	info[1] = (uint8_t)len;
	info[2] = (uint8_t)(prefix_len + label_len);
	memcpy(info + 3, prefix, prefix_len);
	memcpy(info + 3 + prefix_len, label, label_len);
	size_t n = 3 + prefix_len + label_len + 1; /* behind the context's length, which is 0 */
	info[n++] = 1;                             /* the first block */
	hmac(h, secret, HASH_LEN, info, n, block);
	memcpy(out, block, len);
}

/* RFC 2104, for keys that fit a block. */
static void
hmac(struct hasher *h, const uint8_t *key, size_t key_len, const uint8_t *bytes, size_t len, uint8_t out[HASH_LEN])
{
	uint8_t inner[HASH_LEN] = {0};
	hmac_half(h, key, key_len, 0x36, bytes, len, inner);
	hmac_half(h, key, key_len, 0x5c, inner, sizeof inner, out);
}

static void
hmac_half(struct hasher *h, const uint8_t *key, size_t key_len, uint8_t pad, const uint8_t *bytes, size_t len,
        uint8_t out[HASH_LEN])
{
	uint8_t block[BLOCK_LEN];

	memset(block, pad, sizeof block);
	for (size_t i = 0; i < key_len; i++)
		block[i] ^= key[i];
	memset(out, 0, HASH_LEN);
	if (h->failed || EVP_DigestInit_ex(h->ctx, h->sha256, NULL) != 1 ||
	        EVP_DigestUpdate(h->ctx, block, sizeof block) != 1 ||
	        (len > 0 && EVP_DigestUpdate(h->ctx, bytes, len) != 1) ||
	        EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		h->failed = true;
}

/* RFC 9001 section 5.4.3 */
static int
mask_of(const struct quic_keys *k, const uint8_t sample[SAMPLE_LEN], uint8_t mask[SAMPLE_LEN])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, k->hp, NULL) == 1 &&
	          EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	          EVP_EncryptUpdate(ctx, mask, &n, sample, SAMPLE_LEN) == 1 && n == SAMPLE_LEN;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -1;
}

/* head: the first byte and the packet number without protection; they and all between them are what is authenticated too. */
static int
decrypt(const struct quic_keys *k, const struct quic_packet *p, const uint8_t *head, size_t number_len,
        uint8_t *out, size_t *len)
{
	struct reader r = reader_init(p->first, p->len);
	uint8_t nonce[QUIC_IV_LEN], tag[QUIC_TAG_LEN];
	int n = 0, none = 0;

	reader_skip(&r, p->number_at + number_len);
	if (!reader_ok(&r) || r.left <= QUIC_TAG_LEN || r.left > INT32_MAX)
		return -1;
	const size_t sealed = r.left - QUIC_TAG_LEN;
	memcpy(tag, r.next + sealed, sizeof tag);
	memcpy(nonce, k->iv, sizeof nonce);
	for (size_t i = 0; i < number_len; i++)
		nonce[QUIC_IV_LEN - number_len + i] ^= head[1 + i];

	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx != NULL && EVP_DecryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, k->key, nonce) == 1 &&
	          EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, QUIC_TAG_LEN, tag) == 1 &&
	          EVP_DecryptUpdate(ctx, NULL, &none, head, 1) == 1 &&
	          EVP_DecryptUpdate(ctx, NULL, &none, p->first + 1, (int)p->number_at - 1) == 1 &&
	          EVP_DecryptUpdate(ctx, NULL, &none, head + 1, (int)number_len) == 1 &&
	          EVP_DecryptUpdate(ctx, out, &n, r.next, (int)sealed) == 1 &&
	          EVP_DecryptFinal_ex(ctx, out + n, &none) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*len = (size_t)n;
	return ok ? 0 : -1;
}
