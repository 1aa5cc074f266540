#include "config.h"

#include "transfer/digest.h"

int
digests_init(struct digests *d)
{
	*d = (struct digests){.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)};
	return d->sha256 != NULL ? 0 : -1;
}

void
digests_clear(struct digests *d)
{
	while (d->free_count > 0)
		EVP_MD_CTX_free(d->free[--d->free_count]);
	EVP_MD_free(d->sha256);
	*d = (struct digests){0};
}

EVP_MD_CTX *
digest_take(struct digests *d)
{
	EVP_MD_CTX *context = d->free_count > 0 ? d->free[--d->free_count] : EVP_MD_CTX_new();
	if (context != NULL && EVP_DigestInit_ex2(context, d->sha256, NULL) != 1) {
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	return context;
}

void
digest_give(struct digests *d, EVP_MD_CTX *context)
{
	if (context != NULL && d->free_count < DIGESTS_KEPT)
		d->free[d->free_count++] = context;
	else
		EVP_MD_CTX_free(context);
}

int
digest_finish(EVP_MD_CTX *context, uint8_t out[DIGEST_BYTES])
{
	unsigned len = DIGEST_BYTES;
	return EVP_DigestFinal_ex(context, out, &len) == 1 && len == DIGEST_BYTES ? 0 : -1;
}
