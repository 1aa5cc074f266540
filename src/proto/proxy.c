/*
 * The header of the PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt, sections 2.1 and 2.2): who really
 * asks. What comes behind it is told as if it were alone.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/reader.h"
#include "proto/plain.h"

enum { V1_MAX = 107, V2_HEADER = 16, V2_MAX = 536 };

static const uint8_t v2_signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
static const char v1_word[] = "PROXY ";

static size_t header_length(const uint8_t *bytes, size_t len, bool *more);
static void tell_v1(struct session *s, const uint8_t *bytes, size_t len);
static void tell_v2(struct session *s, struct reader r);

/* The whole header must be there: it comes in one piece. */
static enum verdict
proxy_probe(const struct probe *p)
{
	bool more;
	if (p->len[SIDE_SOURCE] == 0)
		return p->len[SIDE_DESTINATION] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (header_length(p->bytes[SIDE_SOURCE], p->len[SIDE_SOURCE], &more) > 0)
		return VERDICT_DONE;
	return more ? VERDICT_MORE : VERDICT_NOT_MINE;
}

static enum verdict
proxy_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	bool more;
	const size_t header = header_length(bytes, len, &more);
	if (header == 0 || from != SIDE_SOURCE)
		return VERDICT_NOT_MINE;
	if (bytes[0] == 'P')
		tell_v1(s, bytes, header);
	else
		tell_v2(s, reader_init(bytes, header));
	/* It is a preamble: the flow is named by what follows. */
	session_protocol_none(s);
	session_switch(s, len - header);
	return VERDICT_SWITCH;
}

const struct proto proto_proxy = {
        .name = "proxy",
        .transport = IPPROTO_TCP,
        .reads = "the address that the proxy speaks for; and all that follows, by its own protocol",
        .infers = "",
        .misses = "extensions of version 2",
        .probe = proxy_probe,
        .open = plain_open,
        .data = proxy_data,
        .gap = plain_gap,
        .close = plain_close,
};

/* 0: it is none, or (*more) not yet all there. */
static size_t
header_length(const uint8_t *bytes, size_t len, bool *more)
{
	const size_t word = sizeof v1_word - 1, signature = sizeof v2_signature;
	*more = false;
	if (memcmp(bytes, v1_word, len < word ? len : word) == 0) {
		const uint8_t *end = memchr(bytes, '\n', len < V1_MAX ? len : V1_MAX);
		*more = end == NULL && len < V1_MAX;
		const bool known = len > word + 3 && (memcmp(bytes + word, "TCP", 3) == 0 || memcmp(bytes + word, "UNK", 3) == 0);
		return end != NULL && known ? (size_t)(end - bytes) + 1 : 0;
	}
	if (memcmp(bytes, v2_signature, len < signature ? len : signature) != 0)
		return 0;
	struct reader r = reader_init(bytes, len);
	reader_skip(&r, signature);
	const uint8_t command = reader_u8(&r);
	reader_skip(&r, 1);
	const size_t rest = reader_be16(&r);
	if (reader_ok(&r) && (command >> 4 != 2 || rest > V2_MAX))
		return 0;
	*more = !reader_ok(&r) || r.left < rest;
	return *more ? 0 : V2_HEADER + rest;
}

/* "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" */
static void
tell_v1(struct session *s, const uint8_t *bytes, size_t len)
{
	char line[V1_MAX + 1], from[ADDR_TEXT_MAX];
	struct addr addr;
	memcpy(line, bytes, len);
	line[len] = '\0';
	session_detail(s, "tunnel.kind", "proxy-protocol", 14);
	if (sscanf(line, "PROXY TCP%*1[46] %45s", from) == 1 && addr_parse(from, &addr) == 0)
		session_detail(s, "tunnel.client", from, strlen(from));
}

static void
tell_v2(struct session *s, struct reader r)
{
	char text[ADDR_TEXT_MAX];
	reader_skip(&r, sizeof v2_signature);
	const bool local = (reader_u8(&r) & 15) == 0; /* the proxy itself asks */
	const uint8_t family = reader_u8(&r) >> 4;
	reader_skip(&r, 2);
	const uint8_t *bytes = reader_take(&r, family == 1 ? 4 : 16);
	session_detail(s, "tunnel.kind", "proxy-protocol", 14);
	if (local || bytes == NULL || (family != 1 && family != 2))
		return;
	const struct addr addr = family == 1 ? addr_from_v4(bytes) : addr_from_v6(bytes);
	addr_format(&addr, text);
	session_detail(s, "tunnel.client", text, strlen(text));
}
