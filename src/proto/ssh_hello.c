#include "config.h"

#include "proto/ssh_hello.h"

#include <stdlib.h>
#include <string.h>

enum {
	BANNER_MAX = 255,       /* RFC 4253 section 4.2, with CR LF */
	PREAMBLE_MAX = 8192,    /* lines that a server may send before it */
	PACKET_MAX = 35000,     /* RFC 4253 section 6.1 */
	PACKET_FIRST_SIZE = 2048,
	PACKETS_MAX = 16,       /* until NEWKEYS */
};

enum { /* message numbers (RFC 4250 section 4.1.2, RFC 4253, RFC 4419) */
	MSG_KEXINIT = 20,
	MSG_NEWKEYS = 21,
	MSG_KEXDH_INIT = 30,    /* also ECDH, hybrid and old group exchange: the client's */
	MSG_KEXDH_REPLY = 31,
	MSG_GEX_REQUEST = 34,
};

static size_t half_banner(struct ssh_half *half, const uint8_t *bytes, size_t len);
static size_t half_packet(struct ssh_half *half, const struct digests *digests, const uint8_t *bytes, size_t len);
static size_t half_wanted(const struct ssh_half *half);
static bool half_add(struct ssh_half *half, const uint8_t *bytes, size_t len, size_t max);
static void take_packet(struct ssh_half *half, const struct digests *digests);
static void take_kexinit(struct ssh_half *half, const struct digests *digests, struct reader r);
static void hassh(const struct digests *digests, const struct reader lists[4], char out[DIGEST_HEX_MAX]);
static void half_step(struct ssh_half *half, enum ssh_step step);

size_t
ssh_hello_take(struct ssh_half *half, const struct digests *digests, const uint8_t *bytes, size_t len)
{
	return half->step == SSH_BANNER ? half_banner(half, bytes, len) : half_packet(half, digests, bytes, len);
}

void
ssh_hello_clear(struct ssh_half *half)
{
	free(half->bytes);
	free(half->banner);
	free(half->offer);
}

/* Takes bytes of the line at hand; how many. A whole line is the banner, or one before it. */
static size_t
half_banner(struct ssh_half *half, const uint8_t *bytes, size_t len)
{
	const uint8_t *newline = memchr(bytes, '\n', len);
	size_t n = newline != NULL ? (size_t)(newline - bytes) + 1 : len;

	half->preamble += n;
	/* Of a line that is too long only the beginning is kept: it is no banner. */
	size_t room = BANNER_MAX - half->len;
	if (half->preamble > PREAMBLE_MAX || !half_add(half, bytes, n < room ? n : room, BANNER_MAX)) {
		half_step(half, SSH_LOST);
		return n;
	}
	if (newline == NULL)
		return n;
	if (half->len < 4 || memcmp(half->bytes, "SSH-", 4) != 0) {
		half->len = 0;
		return n;
	}
	size_t end = half->len;
	while (end > 0 && (half->bytes[end - 1] == '\n' || half->bytes[end - 1] == '\r'))
		end--;
	half->banner = strndup((const char *)half->bytes, end);
	/* SSH 1.x has no KEXINIT; 1.99 is a server that speaks 2.0 as well (RFC 4253 section 5.1). */
	bool first = memcmp(half->bytes, "SSH-1", 5) == 0 &&
	             (half->len < 8 || memcmp(half->bytes, "SSH-1.99", 8) != 0);
	half_step(half, first ? SSH_LOST : SSH_PACKETS);
	return n;
}

/* Takes bytes of the packet at hand; how many. */
static size_t
half_packet(struct ssh_half *half, const struct digests *digests, const uint8_t *bytes, size_t len)
{
	size_t wanted = half_wanted(half) - half->len;
	size_t n = len < wanted ? len : wanted;

	if (!half_add(half, bytes, n, PACKET_MAX)) {
		half_step(half, SSH_LOST);
		return n;
	}
	if (half->len >= 4 && (half_wanted(half) < 4 + 2 || half_wanted(half) > PACKET_MAX))
		half_step(half, SSH_LOST);
	else if (half->len > 4 && half->len == half_wanted(half))
		take_packet(half, digests);
	return n;
}

/* Bytes of the packet as far as its length is known (RFC 4253 section 6). */
static size_t
half_wanted(const struct ssh_half *half)
{
	if (half->len < 4)
		return 4;
	struct reader r = reader_init(half->bytes, 4);
	return 4 + (size_t)reader_be32(&r);
}

static bool
half_add(struct ssh_half *half, const uint8_t *bytes, size_t len, size_t max)
{
	if (len > max - half->len)
		return false;
	if (half->len + len > half->size) {
		size_t size = half->len + len > PACKET_FIRST_SIZE ? PACKET_MAX : PACKET_FIRST_SIZE;
		uint8_t *larger = realloc(half->bytes, size);
		if (larger == NULL)
			return false;
		half->bytes = larger;
		half->size = size;
	}
	memcpy(half->bytes + half->len, bytes, len);
	half->len += len;
	return true;
}

/* A whole packet, not yet encrypted: KEXINIT is the first, those behind it tell the role, NEWKEYS is the last. */
static void
take_packet(struct ssh_half *half, const struct digests *digests)
{
	struct reader r = reader_init(half->bytes, half->len);

	reader_skip(&r, 4 + 1); /* length, padding length */
	uint8_t message = reader_u8(&r);
	half->len = 0;
	if (message == MSG_KEXINIT)
		take_kexinit(half, digests, r);
	if (message == MSG_KEXDH_INIT || message == MSG_GEX_REQUEST)
		half->role = SSH_ROLE_CLIENT;
	if (message == MSG_KEXDH_REPLY && half->role == SSH_ROLE_UNKNOWN)
		half->role = SSH_ROLE_SERVER;
	if (message == MSG_NEWKEYS)
		half_step(half, SSH_ENCRYPTED);
	else if (++half->packets == PACKETS_MAX)
		half_step(half, SSH_LOST);
}

static void
take_kexinit(struct ssh_half *half, const struct digests *digests, struct reader r)
{
	struct ssh_offer *o;

	reader_skip(&r, 16); /* cookie */
	if (!reader_ok(&r) || half->offer != NULL || (o = malloc(sizeof *o + r.left)) == NULL)
		return;
	memcpy(o->bytes, r.next, r.left);
	r = reader_init(o->bytes, r.left);
	for (size_t i = 0; i < SSH_LISTS; i++) /* RFC 4253 section 7.1, in order */
		o->list[i] = reader_sub(&r, reader_be32(&r));
	if (!reader_ok(&r)) {
		free(o);
		return;
	}
	half->offer = o;
	/* Key exchange, then encryption, MAC and compression of the end's own direction. */
	hassh(digests, (const struct reader[4]){o->list[0], o->list[2], o->list[4], o->list[6]}, o->as_client);
	hassh(digests, (const struct reader[4]){o->list[0], o->list[3], o->list[5], o->list[7]}, o->as_server);
}

static void
hassh(const struct digests *digests, const struct reader lists[4], char out[DIGEST_HEX_MAX])
{
	struct digest *d = digest_open(digests, DIGEST_MD5);

	for (size_t i = 0; i < 4; i++) {
		digest_add(d, ";", i > 0 ? 1 : 0);
		digest_add(d, lists[i].next, lists[i].left);
	}
	if (digest_close(d, out) == NULL)
		out[0] = '\0';
}

/* Only banner and clear packets are kept. */
static void
half_step(struct ssh_half *half, enum ssh_step step)
{
	half->step = step;
	half->len = 0;
	if (step == SSH_ENCRYPTED || step == SSH_LOST) {
		free(half->bytes);
		half->bytes = NULL;
		half->size = 0;
	}
}
