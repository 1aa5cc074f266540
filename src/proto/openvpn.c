/*
 * OpenVPN over UDP and TCP (the protocol as its source's ssl_pkt.h and the draft "OpenVPN wire protocol" have it),
 * told by the packets that reset a session: they are bare, or with tls-auth's HMAC or in tls-crypt's wrapping, and
 * each of these has a packet number 1 and a clock time in its place. Over TCP each packet has its length before it.
 * What goes through it can't be read; its volume is told. A session that began before the capture is not recognised.
 */
#include "config.h"

#include <netinet/in.h>

#include "base/reader.h"
#include "proto/plain.h"

enum { /* opcodes, in the upper five bits of the first byte */
	RESET_CLIENT_V2 = 7,
	RESET_SERVER_V2 = 8,
	RESET_CLIENT_V3 = 10, /* tls-crypt-v2: the client's key, wrapped, behind it */
};

enum { ACKS_MAX = 8, SESSION = 8, TIME_FIRST = 0x3c000000 /* 2001 */ };

/* Bytes of HMAC before packet number and time: MD5 and SHA-1 to SHA-512 (tls-auth). */
static const uint8_t hmacs[] = {16, 20, 28, 32, 48, 64};

static const char *wrapping(struct reader r, unsigned *opcode);
static bool is_reset(struct reader r, unsigned opcode);
static bool is_numbered(struct reader *r);
static void tell(struct session *s, enum side from, struct reader r);

static enum verdict
udp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	unsigned opcode;
	return plain_verdict(wrapping(reader_init(p->bytes[side], p->len[side]), &opcode) != NULL);
}

/* The first packet of either side; the length before it is that of the packet. */
static enum verdict
tcp_probe(const struct probe *p)
{
	unsigned opcode;
	for (size_t side = 0; side < 2; side++) {
		struct reader r = reader_init(p->bytes[side], p->len[side]);
		const uint16_t len = reader_be16(&r);
		if (!reader_ok(&r))
			continue;
		if (len < 1 + SESSION + 5 || len > PROBE_BYTES_MAX - 2)
			return VERDICT_NOT_MINE;
		if (r.left > 0 && (*r.next & 7) != 0)
			return VERDICT_NOT_MINE;
		if (r.left > 0 && *r.next >> 3 != RESET_CLIENT_V2 && *r.next >> 3 != RESET_SERVER_V2 &&
		        *r.next >> 3 != RESET_CLIENT_V3)
			return VERDICT_NOT_MINE;
		if (r.left >= len)
			return plain_verdict(wrapping(reader_sub(&r, len), &opcode) != NULL);
	}
	/* The first byte of one that goes on may be a system's that asks whether the other end is still there. */
	return p->midstream && p->len[0] + p->len[1] > 0 ? VERDICT_NOT_MINE : VERDICT_MORE;
}

static enum verdict
udp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	tell(state, from, reader_init(bytes, len));
	return VERDICT_DONE;
}

static enum verdict
tcp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	const uint16_t packet = reader_be16(&r);
	if (packet <= r.left)
		tell(state, from, reader_sub(&r, packet));
	return VERDICT_DONE;
}

const struct proto proto_openvpn = {
        .name = "openvpn",
        .transport = IPPROTO_UDP,
        .ports = {1194},
        .reads = "who began it, how its control channel is wrapped",
        .infers = "transfers, from volume",
        .misses = "all that goes through it; a tunnel that began before the capture",
        .probe = udp_probe,
        .open = plain_open_encrypted,
        .data = udp_data,
        .gap = plain_gap,
        .close = plain_close,
};

const struct proto proto_openvpn_tcp = {
        .name = "openvpn",
        .transport = IPPROTO_TCP,
        .ports = {1194, 443},
        .reads = "as over UDP",
        .infers = "transfers, from volume",
        .misses = "as over UDP",
        .probe = tcp_probe,
        .open = plain_open_encrypted,
        .data = tcp_data,
        .gap = plain_gap,
        .close = plain_close,
};

/* "none", "tls-auth", "tls-crypt"; NULL: this is no reset. */
static const char *
wrapping(struct reader r, unsigned *opcode)
{
	const uint8_t first = reader_u8(&r);
	*opcode = first >> 3;
	if ((first & 7) != 0 ||
	        (*opcode != RESET_CLIENT_V2 && *opcode != RESET_SERVER_V2 && *opcode != RESET_CLIENT_V3))
		return NULL;
	reader_skip(&r, SESSION);
	if (*opcode != RESET_CLIENT_V3 && is_reset(r, *opcode))
		return "none";
	for (size_t i = 0; *opcode != RESET_CLIENT_V3 && i < sizeof hmacs; i++) {
		struct reader at = r;
		reader_skip(&at, hmacs[i]);
		if (is_numbered(&at) && is_reset(at, *opcode))
			return "tls-auth";
	}
	/* An HMAC of 32 bytes, and what is_reset looks for, encrypted. */
	struct reader at = r;
	if (!is_numbered(&at))
		return NULL;
	const size_t inside = at.left >= 32 ? at.left - 32 : 0;
	if (*opcode == RESET_CLIENT_V3)
		return inside > 5 + 32 ? "tls-crypt-v2" : NULL;
	return inside >= 5 && inside <= 5 + SESSION + 4 * ACKS_MAX + 16 ? "tls-crypt" : NULL;
}

/* Acknowledgements, a client's reset has none; then the packet's own number, which is the first. */
static bool
is_reset(struct reader r, unsigned opcode)
{
	const uint8_t acks = reader_u8(&r);
	if (acks > ACKS_MAX || (opcode == RESET_CLIENT_V2 && acks > 0))
		return false;
	if (acks > 0)
		reader_skip(&r, 4u * acks + SESSION);
	return reader_be32(&r) == 0 && reader_ok(&r) && r.left == 0;
}

/* Number 1 of now; tls-crypt with a server that can do without state begins at another one. */
static bool
is_numbered(struct reader *r)
{
	const uint32_t number = reader_be32(r), time = reader_be32(r);
	return reader_ok(r) && (number == 1 || number == 0x0f000001) && time >= TIME_FIRST;
}

static void
tell(struct session *s, enum side from, struct reader r)
{
	unsigned opcode;
	const char *wrap = wrapping(r, &opcode);
	if (wrap == NULL)
		return;
	session_client_end(s, opcode == RESET_SERVER_V2 ? side_other(from) : from);
	session_detail(s, "tunnel.kind", "openvpn", 7);
	session_detail(s, "openvpn.wrapping", wrap, __builtin_strlen(wrap));
}
