/*
 * SSH: the two identification strings (RFC 4253 section 4.2) and what each end
 * offers in its key exchange (section 7.1), from which HASSH is made
 * (github.com/salesforce/hassh). All behind it is encrypted; its volume is inferred.
 *
 * Who is client is told by the key exchange itself, since the end that connects
 * can be the server (reverse shells); else the initiator is taken for it.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/digest.h"

enum {
	BANNER_MAX = 255,       /* RFC 4253 section 4.2, with CR LF */
	PREAMBLE_MAX = 8192,    /* lines that a server may send before it */
	PACKET_MAX = 35000,     /* RFC 4253 section 6.1 */
	PACKET_FIRST_SIZE = 2048,
	PACKETS_MAX = 4,        /* until who is client must be told */
};

enum { /* message numbers (RFC 4250 section 4.1.2, RFC 4253, RFC 4419) */
	MSG_KEXINIT = 20,
	MSG_KEXDH_INIT = 30,    /* also ECDH, hybrid and old group exchange: the client's */
	MSG_KEXDH_REPLY = 31,
	MSG_GEX_REQUEST = 34,
};

enum step {
	STEP_BANNER,  /* bytes holds the line so far */
	STEP_PACKETS, /* bytes holds the packet so far */
	STEP_OVER,
};

struct offer { /* HASSH, whichever role the end turns out to have; empty where there is no MD5 */
	char as_client[DIGEST_HEX_MAX], as_server[DIGEST_HEX_MAX];
};

struct half {
	enum step step;
	uint8_t *bytes;
	size_t len, size;
	size_t preamble; /* bytes of lines before the banner */
	unsigned packets;
	char *banner;
	struct offer *offer; /* NULL: not seen yet */
};

struct ssh {
	struct session *session;
	struct half half[2];
	enum side client; /* once role_known */
	bool role_known;
	bool told;
};

static enum verdict probe_half(const uint8_t *bytes, size_t len);
static bool has_line(const uint8_t *bytes, size_t len, const char *word, size_t word_len);
static bool is_text(const uint8_t *bytes, size_t len);
static size_t half_banner(struct half *half, const uint8_t *bytes, size_t len);
static size_t half_packet(struct ssh *h, enum side from, const uint8_t *bytes, size_t len);
static size_t half_wanted(const struct half *half);
static bool half_add(struct half *half, const uint8_t *bytes, size_t len, size_t max);
static void take_packet(struct ssh *h, enum side from);
static void take_kexinit(const struct ssh *h, struct half *half, struct reader r);
static void hassh(const struct ssh *h, const struct reader lists[4], char out[DIGEST_HEX_MAX]);
static void take_role(struct ssh *h, enum side client);
static void tell(struct ssh *h);
static enum verdict over(struct ssh *h);

static enum verdict
ssh_probe(const struct probe *p)
{
	enum verdict v[2];
	for (size_t side = 0; side < 2; side++) {
		v[side] = probe_half(p->bytes[side], p->len[side]);
		if (v[side] == VERDICT_DONE)
			return VERDICT_DONE;
	}
	/* A server may greet with lines of its own; then the client's banner decides. */
	const uint8_t *server = p->bytes[SIDE_DESTINATION];
	size_t len = p->len[SIDE_DESTINATION];
	if (v[SIDE_SOURCE] == VERDICT_MORE && len > 0 && is_text(server, len))
		return VERDICT_MORE;
	return v[SIDE_SOURCE] == VERDICT_MORE && v[SIDE_DESTINATION] == VERDICT_MORE
	               ? VERDICT_MORE
	               : VERDICT_NOT_MINE;
}

static void *
ssh_open(struct session *s)
{
	struct ssh *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	session_unreadable(s, "encrypted");
	return h;
}

static enum verdict
ssh_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct ssh *h = state;
	struct half *half = &h->half[from];

	while (len > 0 && half->step != STEP_OVER) {
		size_t n = half->step == STEP_BANNER ? half_banner(half, bytes, len)
		                                     : half_packet(h, from, bytes, len);
		bytes += n;
		len -= n;
	}
	return over(h);
}

static enum verdict
ssh_gap(void *state, enum side from, uint64_t len)
{
	struct ssh *h = state;
	(void)len;
	h->half[from].step = STEP_OVER;
	return over(h);
}

static void
ssh_close(void *state, bool reset)
{
	struct ssh *h = state;
	(void)reset;
	tell(h);
	for (size_t side = 0; side < 2; side++) {
		free(h->half[side].bytes);
		free(h->half[side].banner);
		free(h->half[side].offer);
	}
	free(h);
}

static bool
ssh_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_ssh = {
        .name = "ssh",
        .transport = IPPROTO_TCP,
        .ports = {22, 2222},
        .reads = "banners, HASSH of both ends",
        .infers = "transfers (scp, sftp, rsync), from volume",
        .misses = "content, accounts, file names",
        .probe = ssh_probe,
        .open = ssh_open,
        .data = ssh_data,
        .gap = ssh_gap,
        .end = NULL,
        .close = ssh_close,
        .finished = ssh_finished,
};

/* DONE: a banner begins this side, or a later line of it. MORE: it may yet. */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	static const char word[] = "SSH-";
	size_t n = len < 4 ? len : 4;

	if (n == 0)
		return VERDICT_MORE;
	if (memcmp(bytes, word, n) == 0)
		return n == 4 ? VERDICT_DONE : VERDICT_MORE;
	return has_line(bytes, len, word, 4) && is_text(bytes, len) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

/* Does a line but the first begin with word? */
static bool
has_line(const uint8_t *bytes, size_t len, const char *word, size_t word_len)
{
	const uint8_t *end = bytes + len, *line = bytes;
	while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		line++;
		if ((size_t)(end - line) >= word_len && memcmp(line, word, word_len) == 0)
			return true;
	}
	return false;
}

static bool
is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 0x20 && bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\t')
			return false;
	return true;
}

/* Takes bytes of the line at hand; how many. A whole line is the banner, or one before it. */
static size_t
half_banner(struct half *half, const uint8_t *bytes, size_t len)
{
	const uint8_t *newline = memchr(bytes, '\n', len);
	size_t n = newline != NULL ? (size_t)(newline - bytes) + 1 : len;

	half->preamble += n;
	/* Of a line that is too long only the beginning is kept: it is no banner. */
	size_t room = BANNER_MAX - half->len;
	if (half->preamble > PREAMBLE_MAX || !half_add(half, bytes, n < room ? n : room, BANNER_MAX)) {
		half->step = STEP_OVER;
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
	half->step = first ? STEP_OVER : STEP_PACKETS;
	half->len = 0;
	return n;
}

/* Takes bytes of the packet at hand; how many. */
static size_t
half_packet(struct ssh *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	size_t wanted = half_wanted(half) - half->len;
	size_t n = len < wanted ? len : wanted;

	if (!half_add(half, bytes, n, PACKET_MAX)) {
		half->step = STEP_OVER;
		return n;
	}
	if (half->len >= 4 && (half_wanted(half) < 4 + 2 || half_wanted(half) > PACKET_MAX))
		half->step = STEP_OVER;
	else if (half->len > 4 && half->len == half_wanted(half))
		take_packet(h, from);
	return n;
}

/* Bytes of the packet as far as its length is known (RFC 4253 section 6). */
static size_t
half_wanted(const struct half *half)
{
	if (half->len < 4)
		return 4;
	struct reader r = reader_init(half->bytes, 4);
	return 4 + (size_t)reader_be32(&r);
}

static bool
half_add(struct half *half, const uint8_t *bytes, size_t len, size_t max)
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

/* A whole packet, not yet encrypted: KEXINIT is the first, and the one behind it tells the role. */
static void
take_packet(struct ssh *h, enum side from)
{
	struct half *half = &h->half[from];
	struct reader r = reader_init(half->bytes, half->len);

	reader_skip(&r, 4 + 1); /* length, padding length */
	uint8_t message = reader_u8(&r);
	half->len = 0;
	if (message == MSG_KEXINIT)
		take_kexinit(h, half, r);
	if (message == MSG_KEXDH_INIT || message == MSG_GEX_REQUEST)
		take_role(h, from);
	if (message == MSG_KEXDH_REPLY)
		take_role(h, side_other(from));
	if (h->role_known || ++half->packets == PACKETS_MAX)
		half->step = STEP_OVER;
}

static void
take_role(struct ssh *h, enum side client)
{
	if (h->role_known)
		return;
	h->role_known = true;
	h->client = client;
	session_client_end(h->session, client);
}

static void
take_kexinit(const struct ssh *h, struct half *half, struct reader r)
{
	struct reader list[8]; /* RFC 4253 section 7.1, in order */

	reader_skip(&r, 16); /* cookie */
	for (size_t i = 0; i < 8; i++)
		list[i] = reader_sub(&r, reader_be32(&r));
	if (!reader_ok(&r) || half->offer != NULL || (half->offer = malloc(sizeof *half->offer)) == NULL)
		return;
	/* Key exchange, then encryption, MAC and compression of the end's own direction. */
	hassh(h, (const struct reader[4]){list[0], list[2], list[4], list[6]}, half->offer->as_client);
	hassh(h, (const struct reader[4]){list[0], list[3], list[5], list[7]}, half->offer->as_server);
}

static void
hassh(const struct ssh *h, const struct reader lists[4], char out[DIGEST_HEX_MAX])
{
	struct digest *d = digest_open(session_digests(h->session), DIGEST_MD5);

	for (size_t i = 0; i < 4; i++) {
		digest_add(d, ";", i > 0 ? 1 : 0);
		digest_add(d, lists[i].next, lists[i].left);
	}
	if (digest_close(d, out) == NULL)
		out[0] = '\0';
}

/* Tells what is known of both ends, once. */
static void
tell(struct ssh *h)
{
	enum side client = h->role_known ? h->client : SIDE_SOURCE;
	const struct half *c = &h->half[client], *s = &h->half[side_other(client)];

	if (h->told)
		return;
	h->told = true;
	if (c->banner != NULL)
		session_client(h->session, c->banner, strlen(c->banner));
	if (s->banner != NULL)
		session_server(h->session, s->banner, strlen(s->banner));
	if (c->offer != NULL)
		session_fact(h->session, SESSION_SSH_HASSH, c->offer->as_client, strlen(c->offer->as_client));
	if (s->offer != NULL)
		session_fact(h->session, SESSION_SSH_HASSH_SERVER, s->offer->as_server, strlen(s->offer->as_server));
}

/* Nothing more is wanted once both offers and the roles are known, or both ends are lost. */
static enum verdict
over(struct ssh *h)
{
	const struct half *a = &h->half[SIDE_SOURCE], *b = &h->half[SIDE_DESTINATION];
	bool known = h->role_known && a->offer != NULL && b->offer != NULL;

	if (!known && !(a->step == STEP_OVER && b->step == STEP_OVER))
		return VERDICT_MORE;
	tell(h);
	return VERDICT_DONE;
}
