#include "config.h"

#include "transfer/sha256.h"

int
sha256_pool_init(struct sha256_pool *d)
{
	*d = (struct sha256_pool){.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)};
	return d->sha256 != NULL ? 0 : -1;
}

void
sha256_pool_clear(struct sha256_pool *d)
{
	while (d->free_count > 0)
		EVP_MD_CTX_free(d->free[--d->free_count]);
	EVP_MD_free(d->sha256);
	*d = (struct sha256_pool){0};
}

EVP_MD_CTX *
sha256_take(struct sha256_pool *d)
{
	EVP_MD_CTX *context = d->free_count > 0 ? d->free[--d->free_count] : EVP_MD_CTX_new();
	if (context != NULL && EVP_DigestInit_ex2(context, d->sha256, NULL) != 1) {
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	return context;
}

void
sha256_give(struct sha256_pool *d, EVP_MD_CTX *context)
{
	if (context != NULL && d->free_count < SHA256_KEPT)
		d->free[d->free_count++] = context;
	else
		EVP_MD_CTX_free(context);
}

int
sha256_finish(EVP_MD_CTX *context, uint8_t out[SHA256_BYTES])
{
	unsigned len = SHA256_BYTES;
	return EVP_DigestFinal_ex(context, out, &len) == 1 && len == SHA256_BYTES ? 0 : -1;
}
