#include "config.h"

#include "proto/ssh_auth.h"

#include <stddef.h>

enum { /* payloads: see the message's section for its fields */
	SUCCESS = 1,           /* RFC 4252 section 5.1 */
	CHANNEL_OPEN = 24,     /* "session", RFC 4254 section 6.1 */
	NO_MORE_SESSIONS = 34, /* OpenSSH's PROTOCOL, 2.2 */
	INFO_RESPONSE_NONE = 5, /* to no question, RFC 4256 section 3.4 */
	NONE_MAX = 31 + 32,    /* "none" for an account's name of so many characters, RFC 4252 section 5.2 */
	KEY_QUERY_MIN = 110,   /* "publickey" for the shortest key, Ed25519, RFC 4252 section 7 */
	KEY_SIGNED_MIN = 190,  /* and signed */
	PASSWORD_LONG = 300,   /* with the padding and the IGNORE that some clients hide its length by */
	SIGNATURE_MIN = 60,    /* what a signature adds, at the least */
};

static const char *method_of(const struct ssh_auth *a, const struct ssh_cipher *c);
static const char *unasked(const struct ssh_cipher *c, uint32_t asked);
static void take_answer(struct ssh_auth *a);
static bool opens(const struct ssh_cipher *c, uint32_t size);

bool
ssh_auth_unit(struct ssh_auth *a, const struct ssh_cipher cipher[2], bool client, uint32_t size)
{
	const struct ssh_cipher *c = &cipher[SIDE_SOURCE], *s = &cipher[SIDE_DESTINATION];

	if (client) {
		/* The answer before may have held more than the success. */
		if (a->requests > 1 && !a->asking && opens(c, size)) {
			a->success = true;
			a->method = method_of(a, c);
			return true;
		}
		if (!a->asking && a->requests > 0)
			take_answer(a);
		if (!a->asking) {
			a->asked[1] = a->asked[0];
			a->requests++;
		}
		a->asked[0] = size;
		a->asking = true;
		return false;
	}
	if (a->requests == 0)
		return false; /* EXT_INFO (RFC 8308) */
	if (a->requests > 1 && size == ssh_cipher_wire(s, SUCCESS)) {
		a->success = true;
		a->method = method_of(a, c);
		return true;
	}
	if (a->asking)
		a->answer[1] = a->answer[0];
	a->answer[0] = size;
	a->asking = false;
	return false;
}

const char *
ssh_auth_result(const struct ssh_auth *a)
{
	if (a->success)
		return "success";
	return a->failures > 0 ? "failure" : NULL;
}

/* The first request is for the service, the second one mostly asks for the methods by "none". */
static void
take_answer(struct ssh_auth *a)
{
	if (a->requests == 2)
		a->refused = a->answer[0];
	else if (a->requests > 2 && a->answer[0] == a->refused)
		a->failures++;
}

/* Which request was it that succeeded? */
static const char *
method_of(const struct ssh_auth *a, const struct ssh_cipher *c)
{
	const uint32_t asked = a->asked[0];
	if (a->requests == 2)
		return asked <= ssh_cipher_wire(c, NONE_MAX) ? NULL : unasked(c, asked);
	if (asked <= ssh_cipher_wire(c, INFO_RESPONSE_NONE))
		return "keyboard-interactive";
	if (a->answer[0] == a->refused || a->requests == 3)
		return unasked(c, asked);
	if (a->asked[1] >= ssh_cipher_wire(c, KEY_QUERY_MIN) && asked >= a->asked[1] + SIGNATURE_MIN)
		return "publickey";
	return asked >= ssh_cipher_wire(c, 2 * KEY_SIGNED_MIN) ? "publickey" : "keyboard-interactive";
}

/* A request that stands for itself: a password, or a signature whose key was not asked about before. */
static const char *
unasked(const struct ssh_cipher *c, uint32_t asked)
{
	if (asked < ssh_cipher_wire(c, KEY_SIGNED_MIN))
		return "password";
	return asked > ssh_cipher_wire(c, PASSWORD_LONG) ? "publickey" : NULL;
}

/* Is that what a client says first when it is in? */
static bool
opens(const struct ssh_cipher *c, uint32_t size)
{
	const uint32_t open = ssh_cipher_wire(c, CHANNEL_OPEN), no_more = ssh_cipher_wire(c, NO_MORE_SESSIONS);
	/* With blocks of 16 the two together are as long as a request for a key may be. */
	return size == open || (c->block == 8 && size == open + no_more);
}
