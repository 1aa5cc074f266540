#include "config.h"

#include "proto/digest.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *
digest_open(enum digest_kind kind)
{
	struct digest *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx != NULL &&
	        EVP_DigestInit_ex(d->ctx, kind == DIGEST_MD5 ? EVP_md5() : EVP_sha256(), NULL) == 1)
		return d;
	EVP_MD_CTX_free(d->ctx);
	free(d);
	return NULL;
}

void
digest_add(struct digest *d, const void *bytes, size_t len)
{
	if (d != NULL && len > 0)
		(void)EVP_DigestUpdate(d->ctx, bytes, len);
}

void
digest_printf(struct digest *d, const char *format, ...)
{
	char piece[32]; /* one number and its separator */
	va_list args;

	va_start(args, format);
	int n = vsnprintf(piece, sizeof piece, format, args);
	va_end(args);
	if (n > 0)
		digest_add(d, piece, strlen(piece));
}

const char *
digest_close(struct digest *d, char out[DIGEST_HEX_MAX])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (d == NULL)
		return NULL;
	int ok = EVP_DigestFinal_ex(d->ctx, sum, &len);
	EVP_MD_CTX_free(d->ctx);
	free(d);
	return ok == 1 && 2 * (size_t)len < DIGEST_HEX_MAX ? text_hex(out, sum, len) : NULL;
}
