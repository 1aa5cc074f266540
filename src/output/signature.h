/*
 * Signatures of the Standard Webhooks convention, version 1.0 (standardwebhooks.com): "v1," and
 * the base64 of HMAC-SHA256 over "id.timestamp.body", so that a receiver knows who sent an alert, that it is
 * whole, and that it is not an old one played again.
 */
#ifndef WAYBILL_OUTPUT_SIGNATURE_H
#define WAYBILL_OUTPUT_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

enum {
	SIGNATURE_KEY_MAX = 256,
	SIGNATURE_TEXT_MAX = 48, /* with the closing zero */
};

struct signature_key {
	uint8_t bytes[SIGNATURE_KEY_MAX];
	size_t len;
};

/*
 * From a secret as people exchange it: "whsec_" and base64 of the key, or any other text, which is the key
 * itself. 0, or -1 when it is empty, too long or not base64.
 */
int signature_key_init(struct signature_key *key, const char *secret);

/* timestamp: seconds since 1970. 0, or -1 when libcrypto fails. */
int signature_make(const struct signature_key *key, const char *id, int64_t timestamp, const void *body, size_t len,
    char out[SIGNATURE_TEXT_MAX]);

#endif
