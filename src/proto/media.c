/*
 * Voice and pictures: STUN and TURN (RFC 8489 section 5, RFC 8656 section 12), RTP (RFC 3550 section 5.1) and RTCP
 * (section 6.4). No file is in them. RTP has hardly any form: it is believed once three packets of one source have
 * come, each numbered as the next one, and until then it is nobody's.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/reader.h"
#include "proto/plain.h"

enum {
	STUN_HEADER = 20,
	STUN_COOKIE = 0x2112a442,
	PT_RTCP_FIRST = 192, PT_RTCP_LAST = 223, /* RFC 5761 section 4: no RTP has these, marker included */
	BELIEVED = 3,
	AHEAD_MAX = 4,
	SSRCS = 4,           /* sources that are told apart: voice and picture, both ways */
};

struct source {
	uint32_t ssrc;
	uint16_t number;
	uint8_t count; /* packets in order; 0: not in use */
};

struct rtp {
	struct session *session;
	struct source source[SSRCS];
	bool believed;
};

static bool is_stun(struct reader r);
static bool is_rtcp(struct reader r);
static bool is_rtp(struct reader r, uint32_t *ssrc, uint16_t *number);

static enum verdict
stun_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	return plain_verdict(is_stun(reader_init(p->bytes[side], p->len[side])));
}

static enum verdict
stun_tcp_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++) {
		struct reader r = reader_init(p->bytes[side], p->len[side]);
		const uint16_t type = reader_be16(&r), length = reader_be16(&r);
		const uint32_t cookie = reader_be32(&r);
		if (reader_ok(&r))
			return plain_verdict((type & 0xc000) == 0 && length % 4 == 0 && cookie == STUN_COOKIE);
		if (p->len[side] > 0 && (p->bytes[side][0] & 0xc0) != 0)
			return VERDICT_NOT_MINE;
	}
	return VERDICT_MORE;
}

static enum verdict
rtcp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	return plain_verdict(is_rtcp(reader_init(p->bytes[side], p->len[side])));
}

static enum verdict
rtp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	uint32_t ssrc;
	uint16_t number;
	return plain_verdict(is_rtp(reader_init(p->bytes[side], p->len[side]), &ssrc, &number));
}

static void *
rtp_open(struct session *s)
{
	struct rtp *m = calloc(1, sizeof *m);
	if (m != NULL)
		m->session = s;
	session_protocol_none(s); /* so far */
	return m;
}

static enum verdict
rtp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct rtp *m = state;
	uint32_t ssrc;
	uint16_t number;
	(void)from;
	if (m->believed)
		return VERDICT_MORE;
	const struct reader r = reader_init(bytes, len);
	if (len > 0 && bytes[0] < 64) /* RFC 7983 section 7: STUN, DTLS */
		return VERDICT_MORE;
	if (is_rtcp(r))
		return VERDICT_MORE;
	if (!is_rtp(r, &ssrc, &number))
		return VERDICT_NOT_MINE;
	struct source *s = m->source;
	while (s < m->source + SSRCS && s->count > 0 && s->ssrc != ssrc)
		s++;
	if (s == m->source + SSRCS)
		return VERDICT_NOT_MINE;
	const uint16_t ahead = (uint16_t)(number - s->number);
	if (s->count > 0 && (ahead == 0 || ahead > AHEAD_MAX))
		return VERDICT_NOT_MINE;
	*s = (struct source){.ssrc = ssrc, .number = number, .count = (uint8_t)(s->count + 1)};
	m->believed = s->count >= BELIEVED;
	if (m->believed)
		session_protocol(m->session, proto_rtp.name, SESSION_BY_CONTENT);
	return VERDICT_MORE;
}

static void
rtp_close(void *state, bool reset)
{
	(void)reset;
	free(state);
}

const struct proto proto_stun = {
        .name = "stun",
        .transport = IPPROTO_UDP,
        .ports = {3478},
        .reads = "that it is spoken",
        .infers = "",
        .misses = "addresses in it; what a relay passes on",
        .probe = stun_probe,
        .open = plain_open,
        .data = plain_done,
        .gap = plain_gap,
        .close = plain_close,
};

const struct proto proto_stun_tcp = {
        .name = "stun",
        .transport = IPPROTO_TCP,
        .ports = {3478},
        .reads = "that it is spoken",
        .infers = "",
        .misses = "addresses in it; what a relay passes on",
        .probe = stun_tcp_probe,
        .open = plain_open,
        .data = plain_more,
        .gap = plain_gap,
        .close = plain_close,
};

const struct proto proto_rtcp = {
        .name = "rtcp",
        .transport = IPPROTO_UDP,
        .reads = "that it is spoken",
        .infers = "",
        .misses = "what it says",
        .probe = rtcp_probe,
        .open = plain_open,
        .data = plain_done,
        .gap = plain_gap,
        .close = plain_close,
};

const struct proto proto_rtp = {
        .name = "rtp",
        .transport = IPPROTO_UDP,
        .reads = "that it is spoken, after three packets",
        .infers = "",
        .misses = "voice and pictures",
        .probe = rtp_probe,
        .open = rtp_open,
        .data = rtp_data,
        .gap = plain_gap,
        .close = rtp_close,
};

/* A message fills its datagram. */
static bool
is_stun(struct reader r)
{
	const size_t len = r.left;
	const uint16_t type = reader_be16(&r), length = reader_be16(&r);
	const uint32_t cookie = reader_be32(&r);
	return reader_ok(&r) && (type & 0xc000) == 0 && length % 4 == 0 && cookie == STUN_COOKIE &&
	       len == STUN_HEADER + (size_t)length;
}

/* Reports and the like, one behind the other, that fill the datagram but for SRTCP's tail. */
static bool
is_rtcp(struct reader r)
{
	unsigned packets = 0;
	while (r.left >= 8) {
		const uint8_t first = r.next[0], type = r.next[1];
		const size_t length = 4 * ((size_t)(r.next[2] << 8 | r.next[3]) + 1);
		if (first >> 6 != 2 || type < 200 || type > 207)
			return packets > 0;
		if (packets == 0 && type != 200 && type != 201 && type != 205 && type != 206)
			return false;
		if (length > r.left || length < 8)
			return false;
		reader_skip(&r, length);
		packets++;
	}
	return packets > 0 && r.left < 8;
}

static bool
is_rtp(struct reader r, uint32_t *ssrc, uint16_t *number)
{
	const uint8_t first = reader_u8(&r), second = reader_u8(&r), type = second & 0x7f;
	*number = reader_be16(&r);
	reader_skip(&r, 4); /* time */
	*ssrc = reader_be32(&r);
	if (first >> 6 != 2 || (type > 34 && type < 96) || (second >= PT_RTCP_FIRST && second <= PT_RTCP_LAST) || *ssrc == 0)
		return false;
	reader_skip(&r, 4u * (first & 15));
	if ((first & 0x10) != 0) {
		reader_skip(&r, 2);
		reader_skip(&r, 4u * reader_be16(&r));
	}
	return reader_ok(&r) && r.left > 0;
}
