#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/text.h"
#include "output/signature.h"

enum { SHA256_LEN = 32 };

static int hmac_sha256(const struct signature_key *key, const char *head, const void *body, size_t len,
    uint8_t out[SHA256_LEN]);

int
signature_key_init(struct signature_key *key, const char *secret)
{
	static const char prefix[] = "whsec_";
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(secret);

	key->len = 0;
	if (strncmp(secret, prefix, strlen(prefix)) != 0) {
		if (len == 0 || len > sizeof key->bytes)
			return -1;
		memcpy(key->bytes, secret, len);
		key->len = len;
		return 0;
	}
	const char *encoded = secret + strlen(prefix);
	len -= strlen(prefix);
	size_t digits = strspn(encoded, alphabet);
	if (len * 3 / 4 + 3 > sizeof key->bytes || len % 4 == 1 || len - digits > 2 ||
	    strspn(encoded + digits, "=") != len - digits)
		return -1;
	long decoded = text_base64_decode(key->bytes, encoded, len);
	if (decoded <= 0)
		return -1;
	key->len = (size_t)decoded;
	return 0;
}

int
signature_make(const struct signature_key *key, const char *id, int64_t timestamp, const void *body, size_t len,
    char out[SIGNATURE_TEXT_MAX])
{
	char head[256];
	uint8_t mac[SHA256_LEN];
	int head_len = snprintf(head, sizeof head, "%s.%" PRId64 ".", id, timestamp);

	if (head_len < 0 || (size_t)head_len >= sizeof head || hmac_sha256(key, head, body, len, mac) != 0)
		return -1;
	memcpy(out, "v1,", 3);
	EVP_EncodeBlock((unsigned char *)out + 3, mac, sizeof mac);
	return 0;
}

static int
hmac_sha256(const struct signature_key *key, const char *head, const void *body, size_t len, uint8_t out[SHA256_LEN])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
	size_t out_len = 0;
	int result = -1;

	if (ctx != NULL && EVP_MAC_init(ctx, key->bytes, key->len, params) == 1 &&
	    EVP_MAC_update(ctx, (const unsigned char *)head, strlen(head)) == 1 &&
	    EVP_MAC_update(ctx, body, len) == 1 && EVP_MAC_final(ctx, out, &out_len, SHA256_LEN) == 1 &&
	    out_len == SHA256_LEN)
		result = 0;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return result;
}
