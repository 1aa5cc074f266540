#include "config.h"

#include "base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Fingerprints are made of many small pieces, which are given on together. */
enum { GATHERED_MAX = 256 };

struct digest {
	EVP_MD_CTX *ctx;
	size_t len; /* of what is gathered */
	uint8_t gathered[GATHERED_MAX];
};

static void give(struct digest *d);

void
digests_init(struct digests *d)
{
	d->algorithm[DIGEST_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
	d->algorithm[DIGEST_SHA1] = EVP_MD_fetch(NULL, "SHA1", NULL);
	d->algorithm[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->key = hash_key_random();
	d->made = calloc(DIGESTS_MADE, sizeof *d->made);
}

void
digests_clear(struct digests *d)
{
	EVP_MD_free(d->algorithm[DIGEST_MD5]);
	EVP_MD_free(d->algorithm[DIGEST_SHA1]);
	EVP_MD_free(d->algorithm[DIGEST_SHA256]);
	free(d->made);
	*d = (struct digests){0};
}

char *
digests_made(const struct digests *known, const void *bytes, size_t len)
{
	if (known == NULL || known->made == NULL)
		return NULL;
	const uint64_t hash = hash_bytes(&known->key, bytes, len);
	struct digests_made *m = &known->made[hash % DIGESTS_MADE];
	if (m->hash != hash)
		*m = (struct digests_made){.hash = hash};
	return m->text;
}

struct digest *
digest_open(const struct digests *known, enum digest_kind kind)
{
	const EVP_MD *algorithm = known != NULL ? known->algorithm[kind] : NULL;
	if (algorithm == NULL)
		algorithm = kind == DIGEST_MD5 ? EVP_md5() : kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();

	struct digest *d = malloc(sizeof *d);
	if (d == NULL)
		return NULL;
	d->len = 0;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx != NULL &&
	        EVP_DigestInit_ex(d->ctx, algorithm, NULL) == 1)
		return d;
	EVP_MD_CTX_free(d->ctx);
	free(d);
	return NULL;
}

void
digest_add(struct digest *d, const void *bytes, size_t len)
{
	if (d == NULL || len == 0)
		return;
	if (len > GATHERED_MAX - d->len)
		give(d);
	if (len > GATHERED_MAX) {
		(void)EVP_DigestUpdate(d->ctx, bytes, len);
		return;
	}
	memcpy(d->gathered + d->len, bytes, len);
	d->len += len;
}

void
digest_text(struct digest *d, const char *text)
{
	digest_add(d, text, strlen(text));
}

void
digest_decimal(struct digest *d, char before, uint16_t value)
{
	char digits[8];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	if (before != '\0')
		digits[--at] = before;
	digest_add(d, digits + at, sizeof digits - at);
}

void
digest_hex16(struct digest *d, char before, uint16_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
	char digits[6] = {before};
	text_hex(digits + 1, bytes, sizeof bytes);
	digest_add(d, before != '\0' ? digits : digits + 1, before != '\0' ? 5 : 4);
}

const char *
digest_close(struct digest *d, char out[DIGEST_HEX_MAX])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (d == NULL)
		return NULL;
	give(d);
	int ok = EVP_DigestFinal_ex(d->ctx, sum, &len);
	EVP_MD_CTX_free(d->ctx);
	free(d);
	return ok == 1 && 2 * (size_t)len < DIGEST_HEX_MAX ? text_hex(out, sum, len) : NULL;
}

static void
give(struct digest *d)
{
	if (d->len > 0)
		(void)EVP_DigestUpdate(d->ctx, d->gathered, d->len);
	d->len = 0;
}
