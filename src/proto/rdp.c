/*
 * Remote Desktop (MS-RDPBCGR): the connection request with its cookie, which names the user (section 2.2.1.1), what
 * security is agreed on (2.2.1.2), and, with the old security alone, the client's name and the channels that it asks
 * for (2.2.1.3): "cliprdr" is the clipboard, "rdpdr" redirects drives. With TLS all behind that is TLS, and told as
 * such.
 *
 * Also its way over UDP (MS-RDPEUDP section 2.2.1), by the first datagram of it. Screens leave without being files.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/plain.h"

enum {
	TPKT = 3,             /* RFC 1006 section 6 */
	TPKT_HEADER = 4,
	CONNECT = 0xe0,       /* X.224 section 13.3, */
	CONFIRM = 0xd0,       /* 13.4 */
	NEGOTIATE = 1, AGREED = 2, /* RDP_NEG_REQ, RDP_NEG_RSP */
	REQUEST_MAX = 512,
	CONFERENCE_MAX = 4096, /* the client's first message */
	PORT = 3389,
	CHANNELS_MAX = 31,
	CS_CORE = 0xc001, CS_NET = 0xc003,
};

struct rdp {
	struct session *session;
	size_t len, wanted;
	bool requested, agreed;
	enum side client;
	uint8_t *bytes; /* of the client's first message; NULL: none yet */
};

static const char cookie_word[] = "Cookie: mstshash=";

static struct reader request_of(struct reader r, uint8_t type, bool *whole);
static struct reader skip_cookie(struct reader r, struct reader *user);
static enum verdict take_request(struct rdp *d, enum side from, struct reader r);
static enum verdict take_confirm(struct rdp *d, struct reader r);
static enum verdict take_conference(struct rdp *d, const uint8_t *bytes, size_t len);
static void tell_conference(struct rdp *d, struct reader r);
static void tell_core(struct rdp *d, struct reader r);
static void tell_channels(struct rdp *d, struct reader r);

static enum verdict
rdp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	struct reader r = reader_init(p->bytes[side], p->len[side]), user;
	bool whole;
	if (r.left == 0)
		return VERDICT_MORE;
	if (r.next[0] != TPKT)
		return VERDICT_NOT_MINE;
	struct reader request = request_of(r, CONNECT, &whole);
	if (!whole)
		return reader_ok(&request) ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (!reader_ok(&request))
		return VERDICT_NOT_MINE;
	struct reader rest = skip_cookie(request, &user);
	/* Others connect over X.224 too, with parameters of their own. */
	if (rest.left >= 8)
		return plain_verdict(rest.next[0] == NEGOTIATE && rest.next[2] == 8 && rest.next[3] == 0);
	return plain_verdict(rest.left == 0 && (user.next != NULL || plain_port(p, PORT)));
}

static void *
rdp_open(struct session *s)
{
	struct rdp *d = calloc(1, sizeof *d);
	if (d != NULL)
		d->session = s;
	return d;
}

static enum verdict
rdp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct rdp *d = state;
	struct reader r = reader_init(bytes, len);
	bool whole;
	if (!d->requested) {
		struct reader request = request_of(r, CONNECT, &whole);
		return whole && reader_ok(&request) ? take_request(d, from, request) : VERDICT_DONE;
	}
	if (!d->agreed) {
		struct reader confirm = request_of(r, CONFIRM, &whole);
		if (from == d->client || !whole || !reader_ok(&confirm))
			return VERDICT_DONE;
		const size_t used = (size_t)(confirm.next + confirm.left - bytes);
		enum verdict v = take_confirm(d, confirm);
		if (v == VERDICT_SWITCH)
			session_switch(d->session, len - used);
		return v;
	}
	return from == d->client ? take_conference(d, bytes, len) : VERDICT_MORE;
}

static enum verdict
rdp_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_DONE;
}

static void
rdp_close(void *state, bool reset)
{
	struct rdp *d = state;
	(void)reset;
	free(d->bytes);
	free(d);
}

static enum verdict
udp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	struct reader r = reader_init(p->bytes[side], p->len[side]);
	const uint32_t acknowledged = reader_be32(&r);
	const uint16_t window = reader_be16(&r), flags = reader_be16(&r);
	/* A SYN, filled up to what a path must carry (section 3.1.5.1.1). */
	return plain_verdict(reader_ok(&r) && acknowledged == UINT32_MAX && window > 0 && (flags & 1) != 0 &&
	                     (flags & 0x0004) == 0 && p->len[side] >= 1132 && p->len[side] <= 1232);
}

const struct proto proto_rdp = {
        .name = "rdp",
        .transport = IPPROTO_TCP,
        .ports = {PORT},
        .reads = "the user in the cookie, the security agreed on; without TLS the client's name and its channels "
                 "(clipboard, drives)",
        .infers = "volume behind TLS, most of which is pictures",
        .misses = "the screen, keys, what the clipboard and drives carry",
        .probe = rdp_probe,
        .open = rdp_open,
        .data = rdp_data,
        .gap = rdp_gap,
        .close = rdp_close,
};

const struct proto proto_rdp_udp = {
        .name = "rdpudp",
        .transport = IPPROTO_UDP,
        .ports = {PORT},
        .reads = "that it is spoken",
        .infers = "volume, most of which is pictures",
        .misses = "all that it carries",
        .probe = udp_probe,
        .open = plain_open_encrypted,
        .data = plain_done,
        .gap = plain_gap,
        .close = plain_close,
};

/* What follows the fixed part of a connection request or confirmation. Bad: it is none. */
static struct reader
request_of(struct reader r, uint8_t type, bool *whole)
{
	const size_t have = r.left;
	const uint8_t version = reader_u8(&r), reserved = reader_u8(&r);
	const uint16_t length = reader_be16(&r);
	const uint8_t indicator = reader_u8(&r), code = reader_u8(&r);
	*whole = reader_ok(&r) && have >= length;
	struct reader bad = {.bad = true};
	if (!reader_ok(&r))
		return r.left == 0 && have < 6 && (have < 2 || reserved == 0) ? (struct reader){.bad = false} : bad;
	if (version != TPKT || reserved != 0 || length < 11 || length > REQUEST_MAX || indicator != length - 5 ||
	        code != type)
		return bad;
	if (!*whole)
		return (struct reader){.bad = false};
	reader_skip(&r, 2 + 2 + 1); /* references, class */
	return reader_sub(&r, (size_t)length - 11);
}

/* "Cookie: mstshash=NAME\r\n", or a token of a load balancer: what follows it. user.next NULL: there is none. */
static struct reader
skip_cookie(struct reader r, struct reader *user)
{
	static const char word[] = "Cookie: ";
	const uint8_t *end = r.left > 0 ? memchr(r.next, '\n', r.left) : NULL;
	const size_t name = sizeof cookie_word - 1;
	*user = (struct reader){0};
	if (end == NULL || r.left < sizeof word - 1 || memcmp(r.next, word, sizeof word - 1) != 0)
		return r;
	const size_t line = (size_t)(end - r.next) + 1;
	*user = reader_init(r.next, 0);
	if (line > name + 2 && memcmp(r.next, cookie_word, name) == 0)
		*user = reader_init(r.next + name, line - name - 2);
	reader_skip(&r, line);
	return r;
}

static enum verdict
take_request(struct rdp *d, enum side from, struct reader r)
{
	struct reader user;
	d->requested = true;
	d->client = from;
	session_client_end(d->session, from);
	(void)skip_cookie(r, &user);
	if (user.left > 0)
		session_account(d->session, user.next, user.left);
	return VERDICT_MORE;
}

/* What was chosen; nothing: the client was not asked to, and the old security it is. */
static enum verdict
take_confirm(struct rdp *d, struct reader r)
{
	static const char *const names[] = {"rdp", "tls", "credssp", NULL, "rdstls", NULL, NULL, NULL, "credssp-early"};
	uint32_t chosen = 0;
	d->agreed = true;
	if (r.left >= 8) {
		const uint8_t type = reader_u8(&r);
		reader_skip(&r, 3);
		chosen = reader_le32(&r);
		if (type != AGREED) /* refused */
			return VERDICT_DONE;
	}
	if (chosen < sizeof names / sizeof names[0] && names[chosen] != NULL)
		session_detail(d->session, "rdp.security", names[chosen], strlen(names[chosen]));
	return chosen == 0 ? VERDICT_MORE : VERDICT_SWITCH;
}

/* The client's first message, whole; behind it the session is encrypted by its own means, or not at all. */
static enum verdict
take_conference(struct rdp *d, const uint8_t *bytes, size_t len)
{
	if (d->bytes == NULL) {
		d->bytes = malloc(CONFERENCE_MAX);
		d->wanted = TPKT_HEADER;
	}
	while (d->bytes != NULL && len > 0 && d->len < d->wanted) {
		const size_t n = d->wanted - d->len < len ? d->wanted - d->len : len;
		memcpy(d->bytes + d->len, bytes, n);
		d->len += n;
		bytes += n;
		len -= n;
		struct reader r = reader_init(d->bytes, d->len);
		if (d->len == TPKT_HEADER) {
			const uint16_t version = reader_be16(&r);
			d->wanted = reader_be16(&r);
			if (version != TPKT << 8 || d->wanted > CONFERENCE_MAX || d->wanted <= TPKT_HEADER)
				return VERDICT_DONE;
		} else if (d->len == d->wanted) {
			tell_conference(d, r);
		}
	}
	return d->bytes != NULL && d->len < d->wanted ? VERDICT_MORE : VERDICT_DONE;
}

/* Blocks of settings stand behind the word "Duca" and a length of ASN.1's packed encoding (T.124). */
static void
tell_conference(struct rdp *d, struct reader r)
{
	const uint8_t *word = memmem(r.next, r.left, "Duca", 4);
	if (word == NULL)
		return;
	reader_skip(&r, (size_t)(word - r.next) + 4);
	if ((reader_u8(&r) & 0x80) != 0)
		reader_skip(&r, 1);
	while (r.left >= 4) {
		const uint16_t type = reader_le16(&r), length = reader_le16(&r);
		struct reader block = reader_sub(&r, length >= 4 ? (size_t)length - 4 : r.left + 1);
		if (!reader_ok(&block))
			return;
		if (type == CS_CORE)
			tell_core(d, block);
		else if (type == CS_NET)
			tell_channels(d, block);
	}
}

/* TS_UD_CS_CORE: the client's name and its keyboard's layout, a Windows language identifier. */
static void
tell_core(struct rdp *d, struct reader r)
{
	char name[16], layout[16];
	size_t len = 0;
	reader_skip(&r, 4 + 2 + 2 + 2 + 2); /* version, width, height, depth, SAS sequence */
	const uint32_t keyboard = reader_le32(&r), build = reader_le32(&r);
	for (size_t i = 0; i < sizeof name; i++) {
		const uint16_t c = reader_le16(&r);
		if (c == 0)
			break;
		name[len++] = c < 0x80 ? (char)c : '?';
	}
	if (!reader_ok(&r))
		return;
	const int n = snprintf(layout, sizeof layout, "0x%08x", keyboard);
	session_detail(d->session, "rdp.client_name", name, len);
	session_detail_number(d->session, "rdp.client_build", build);
	if (keyboard != 0)
		session_detail(d->session, "rdp.keyboard_layout", layout, (size_t)n);
}

/* TS_UD_CS_NET: names of up to seven letters. */
static void
tell_channels(struct rdp *d, struct reader r)
{
	const uint32_t count = reader_le32(&r);
	for (uint32_t i = 0; i < count && i < CHANNELS_MAX; i++) {
		const char *name = (const char *)reader_take(&r, 8);
		reader_skip(&r, 4); /* options */
		if (!reader_ok(&r))
			return;
		session_detail(d->session, "rdp.channels", name, strnlen(name, 8));
	}
}
