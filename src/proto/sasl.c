/*
 * PLAIN (RFC 4616), LOGIN (no specification), CRAM-MD5 (RFC 2195), DIGEST-MD5 (RFC 2831), SCRAM (RFC 5802), OAUTHBEARER and
 * XOAUTH2 (RFC 7628), NTLM (MS-NLMP section 2.2.1.3), EXTERNAL. What Kerberos (GSSAPI) says is not read.
 */
#include "config.h"

#include "proto/sasl.h"

#include <string.h>

#include "base/arena.h"
#include "base/reader.h"
#include "base/text.h"
#include "transfer/transfer.h"

enum { RESPONSE_MAX = 8192, NTLM_UNICODE = 1, NTLM_TEXT_MAX = 512 };

struct mechanism {
	const char *name;
	bool prefix;
	/* *user: in bytes; false: it does not tell. */
	bool (*user)(const struct sasl *a, struct reader r, struct reader *user);
};

static bool plain_user(const struct sasl *a, struct reader r, struct reader *user);
static bool login_user(const struct sasl *a, struct reader r, struct reader *user);
static bool cram_user(const struct sasl *a, struct reader r, struct reader *user);
static bool digest_user(const struct sasl *a, struct reader r, struct reader *user);
static bool scram_user(const struct sasl *a, struct reader r, struct reader *user);
static bool oauth_user(const struct sasl *a, struct reader r, struct reader *user);
static bool between(struct reader r, const char *before, const char *ends, struct reader *out);
static void ntlm_user(struct session *s, struct reader r);

static const struct mechanism mechanisms[] = {
        {"PLAIN", false, plain_user},
        {"LOGIN", false, login_user},
        {"EXTERNAL", false, login_user},
        {"CRAM-", true, cram_user},
        {"DIGEST-", true, digest_user},
        {"SCRAM-", true, scram_user},
        {"OAUTHBEARER", false, scram_user},
        {"XOAUTH", true, oauth_user},
};

void
sasl_begin(struct sasl *a, const uint8_t *mechanism, size_t len)
{
	*a = (struct sasl){.responses = 0};
	if (len >= sizeof a->mechanism)
		len = sizeof a->mechanism - 1;
	memcpy(a->mechanism, mechanism, len);
}

void
sasl_response(struct sasl *a, struct session *s, const uint8_t *base64, size_t len)
{
	uint8_t bytes[RESPONSE_MAX * 3 / 4 + 3];
	const size_t name_len = strlen(a->mechanism);
	const unsigned before = a->responses++;

	if (name_len == 0 || len == 0 || len > RESPONSE_MAX)
		return;
	const long n = text_base64_decode(bytes, base64, len);
	if (n <= 0)
		return;
	const struct reader r = reader_init(bytes, (size_t)n);
	if (text_equal_nocase(a->mechanism, name_len, "NTLM")) {
		ntlm_user(s, r);
		return;
	}
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
		const struct mechanism *m = &mechanisms[i];
		struct reader user;
		if (!(m->prefix ? text_prefix_nocase(a->mechanism, name_len, m->name)
		                : text_equal_nocase(a->mechanism, name_len, m->name)))
			continue;
		if (before == 0 && m->user(a, r, &user) && user.left > 0)
			session_account(s, user.next, user.left);
		return;
	}
}

/* authorization identity NUL authentication identity NUL password */
static bool
plain_user(const struct sasl *a, struct reader r, struct reader *user)
{
	(void)a;
	const uint8_t *nul = memchr(r.next, 0, r.left);
	if (nul == NULL)
		return false;
	reader_skip(&r, (size_t)(nul + 1 - r.next));
	nul = memchr(r.next, 0, r.left);
	*user = reader_sub(&r, nul != NULL ? (size_t)(nul - r.next) : 0);
	return true;
}

static bool
login_user(const struct sasl *a, struct reader r, struct reader *user)
{
	(void)a;
	*user = r;
	return true;
}

/* user, a space, a digest in hexadecimal */
static bool
cram_user(const struct sasl *a, struct reader r, struct reader *user)
{
	(void)a;
	const uint8_t *space = memrchr(r.next, ' ', r.left);
	if (space == NULL)
		return false;
	*user = reader_sub(&r, (size_t)(space - r.next));
	return true;
}

static bool
digest_user(const struct sasl *a, struct reader r, struct reader *user)
{
	(void)a;
	return between(r, "username=\"", "\"", user);
}

/* n,a=authorization,n=user,r=nonce; OAUTHBEARER has the identity alone */
static bool
scram_user(const struct sasl *a, struct reader r, struct reader *user)
{
	return (a->mechanism[0] | 0x20) == 's' ? between(r, ",n=", ",", user) : between(r, ",a=", ",\x01", user);
}

static bool
oauth_user(const struct sasl *a, struct reader r, struct reader *user)
{
	(void)a;
	return between(r, "user=", "\x01", user);
}

/* What stands behind a word, up to one of some characters. */
static bool
between(struct reader r, const char *before, const char *ends, struct reader *out)
{
	const uint8_t *at = memmem(r.next, r.left, before, strlen(before));
	if (at == NULL)
		return false;
	reader_skip(&r, (size_t)(at - r.next) + strlen(before));
	size_t n = 0;
	while (n < r.left && (r.next[n] == 0 || strchr(ends, r.next[n]) == NULL))
		n++;
	*out = reader_sub(&r, n);
	return true;
}

/* AUTHENTICATE_MESSAGE: where user and flags are stands at fixed offsets. */
static void
ntlm_user(struct session *s, struct reader r)
{
	struct reader whole = r, flags = r;
	const uint8_t *signature = reader_take(&r, 8);
	const uint32_t type = reader_le32(&r);
	reader_skip(&r, 24); /* LM and NTLM answers, domain: 8 bytes each */
	const uint16_t len = reader_le16(&r);
	reader_skip(&r, 2);
	reader_skip(&whole, reader_le32(&r));
	const struct reader user = reader_sub(&whole, len);
	reader_skip(&flags, 60);
	const bool unicode = (reader_le32(&flags) & NTLM_UNICODE) != 0;

	if (!reader_ok(&r) || !reader_ok(&user) || memcmp(signature, "NTLMSSP", 8) != 0 || type != 3 || len == 0 ||
	        len > NTLM_TEXT_MAX)
		return;
	struct arena arena;
	arena_init(&arena, 16 * (size_t)NTLM_TEXT_MAX);
	const char *utf8 = text_decode(&arena, user.next, user.left, unicode && reader_ok(&flags) ? "UTF-16LE" : NULL).utf8;
	if (utf8 != NULL)
		session_account(s, utf8, strlen(utf8));
	arena_clear(&arena);
}
