/* User names out of credentials. What is decoded on the way is wiped: it holds the password. */
#include "config.h"

#include "proto/http_auth.h"

#include <string.h>

#include "base/text.h"

enum { CREDENTIALS_MAX = 4096 };

static bool user_of(const struct mime_field *f, struct mime_text *user);
static bool basic_user(const uint8_t *bytes, size_t len, struct mime_text *user);
static bool aws_user(const uint8_t *bytes, size_t len, struct mime_text *user);
static bool presigned_user(const struct http_head *h, struct mime_text *user);
static bool take_key(const uint8_t *bytes, size_t len, struct mime_text *user);
static bool digest_user(const struct mime_field *f, struct mime_text *user);

bool
http_auth_user(const struct http_head *h, struct mime_text *user)
{
	const struct mime_field *f = http_head_field(h, "authorization");
	if (f != NULL && user_of(f, user))
		return true;
	f = http_head_field(h, "proxy-authorization");
	return (f != NULL && user_of(f, user)) || presigned_user(h, user);
}

static bool
user_of(const struct mime_field *f, struct mime_text *user)
{
	const uint8_t *value = f->value;
	size_t len = f->value_len;
	user->len = 0;
	user->charset[0] = '\0';
	if (text_prefix_nocase(value, len, "digest "))
		return digest_user(f, user);
	if (text_prefix_nocase(value, len, "aws"))
		return aws_user(value, len, user);
	if (text_prefix_nocase(value, len, "sharedkey ")) /* Azure: "SharedKey ACCOUNT:SIGNATURE" */
		return take_key(value + 10, len - 10, user);
	if (!text_prefix_nocase(value, len, "basic "))
		return false;
	value += 6;
	len -= 6;
	text_trim(&value, &len);
	return basic_user(value, len, user);
}

/* base64 of user ":" password; the user has no colon */
static bool
basic_user(const uint8_t *bytes, size_t len, struct mime_text *user)
{
	uint8_t plain[CREDENTIALS_MAX * 3 / 4 + 3];
	if (len > CREDENTIALS_MAX)
		return false;
	long n = text_base64_decode(plain, bytes, len);
	const uint8_t *colon = n > 0 ? memchr(plain, ':', (size_t)n) : NULL;
	if (colon != NULL && colon - plain <= MIME_TEXT_MAX) {
		user->len = (size_t)(colon - plain);
		memcpy(user->bytes, plain, user->len);
	}
	explicit_bzero(plain, sizeof plain);
	return user->len > 0;
}

/* Comma-separated parameters; username, username* or, hashed, neither (RFC 7616 section 3.4) */
static bool
digest_user(const struct mime_field *f, struct mime_text *user)
{
	uint8_t params[CREDENTIALS_MAX];
	struct mime_text hashed;
	bool quoted = false;

	size_t len = f->value_len < sizeof params ? f->value_len : sizeof params;
	memcpy(params, f->value, len);
	params[6] = ';'; /* behind "Digest" */
	for (size_t i = 7; i < len; i++) {
		if (params[i] == '"')
			quoted = !quoted;
		else if (params[i] == ',' && !quoted)
			params[i] = ';';
	}
	if (mime_param(params, len, "userhash", &hashed) && text_equal_nocase(hashed.bytes, hashed.len, "true"))
		return false;
	return mime_param(params, len, "username", user) && user->len > 0;
}

/*
 * The access key: "AWS4-HMAC-SHA256 Credential=KEY/DATE/...", in older signatures "AWS KEY:SIGNATURE" (Amazon S3 API
 * reference, "Authenticating requests").
 */
static bool
aws_user(const uint8_t *bytes, size_t len, struct mime_text *user)
{
	static const char credential[] = "Credential=";
	if (text_prefix_nocase(bytes, len, "aws "))
		return take_key(bytes + 4, len - 4, user);
	const uint8_t *at = memmem(bytes, len, credential, sizeof credential - 1);
	if (at == NULL)
		return false;
	at += sizeof credential - 1;
	return take_key(at, len - (size_t)(at - bytes), user);
}

/* A URL that carries its signature: "X-Amz-Credential=KEY%2FDATE..." */
static bool
presigned_user(const struct http_head *h, struct mime_text *user)
{
	static const char credential[] = "X-Amz-Credential=";
	const uint8_t *at = h->target_len > sizeof credential
	                            ? memmem(h->target, h->target_len, credential, sizeof credential - 1)
	                            : NULL;
	if (at == NULL)
		return false;
	at += sizeof credential - 1;
	return take_key(at, h->target_len - (size_t)(at - h->target), user);
}

static bool
take_key(const uint8_t *bytes, size_t len, struct mime_text *user)
{
	size_t n = 0;
	while (n < len && n < MIME_TEXT_MAX && bytes[n] > ' ' && bytes[n] != '/' && bytes[n] != ':' && bytes[n] != '%' &&
	        bytes[n] != '&' && bytes[n] != ',')
		n++;
	user->charset[0] = '\0';
	user->len = n;
	memcpy(user->bytes, bytes, n);
	return n > 0;
}
