/*
 * Tunnels that are known by their control messages: L2TP (RFC 2661 section 3.1, RFC 3931 section 3.2.1) and PPTP (RFC
 * 2637 section 1.4). What goes through them in the clear comes as flows of its own.
 */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "base/reader.h"
#include "proto/plain.h"

enum {
	L2TP_CONTROL = 0xc800, /* T, L and S set, */
	L2TP_MASK = 0xfff0,    /* no offset, no priority, nothing reserved */
	PPTP_COOKIE = 0x1a2b3c4d,
	PPTP_START_LEN = 156,  /* of start-control-connection-request and -reply */
	PPTP_NAME_AT = 28, PPTP_NAME = 64,
};

/* A control message fills its datagram; and its first attribute, if it has one, says what it is. */
static enum verdict
l2tp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	struct reader r = reader_init(p->bytes[side], p->len[side]);
	const uint16_t flags = reader_be16(&r), length = reader_be16(&r);
	const unsigned version = flags & 15;
	reader_skip(&r, 4 + 2 + 2); /* tunnel and session or connection, Ns, Nr */
	if (!reader_ok(&r) || (flags & L2TP_MASK) != L2TP_CONTROL || (version != 2 && version != 3) ||
	        length != p->len[side])
		return VERDICT_NOT_MINE;
	if (r.left == 0)
		return VERDICT_DONE; /* an acknowledgement */
	reader_skip(&r, 2);
	const uint16_t vendor = reader_be16(&r), type = reader_be16(&r), message = reader_be16(&r);
	return plain_verdict(reader_ok(&r) && vendor == 0 && type == 0 && message >= 1 && message <= 29);
}

static enum verdict
l2tp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	(void)from;
	(void)bytes;
	(void)len;
	session_detail(state, "tunnel.kind", "l2tp", 4);
	return VERDICT_MORE;
}

static enum verdict
pptp_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++) {
		struct reader r = reader_init(p->bytes[side], p->len[side]);
		const uint16_t length = reader_be16(&r), type = reader_be16(&r);
		const uint32_t cookie = reader_be32(&r);
		const uint16_t message = reader_be16(&r);
		if (reader_ok(&r))
			return plain_verdict(length >= 12 && length <= 256 && (type == 1 || type == 2) &&
			                     cookie == PPTP_COOKIE && message >= 1 && message <= 15);
		if (p->len[side] > 0 && p->bytes[side][0] != 0)
			return VERDICT_NOT_MINE;
	}
	return VERDICT_MORE;
}

/* The first message of each side names its host and its vendor. */
static enum verdict
pptp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	struct reader r = reader_init(bytes, len);
	const uint16_t length = reader_be16(&r);
	reader_skip(&r, 2 + 4);
	const uint16_t message = reader_be16(&r);
	session_detail(s, "tunnel.kind", "pptp", 4);
	if (length != PPTP_START_LEN || len < PPTP_START_LEN || message > 2)
		return VERDICT_MORE;
	const char *vendor = (const char *)bytes + PPTP_NAME_AT + PPTP_NAME;
	session_client_end(s, message == 1 ? from : side_other(from));
	(message == 1 ? session_client : session_server)(s, vendor, strnlen(vendor, PPTP_NAME));
	return VERDICT_MORE;
}

const struct proto proto_l2tp = {
        .name = "l2tp",
        .transport = IPPROTO_UDP,
        .ports = {1701},
        .reads = "that it is a tunnel; what goes through it in the clear",
        .infers = "",
        .misses = "its control messages",
        .probe = l2tp_probe,
        .open = plain_open,
        .data = l2tp_data,
        .gap = plain_gap,
        .close = plain_close,
};

const struct proto proto_pptp = {
        .name = "pptp",
        .transport = IPPROTO_TCP,
        .ports = {1723},
        .reads = "who began it, vendors of both ends; what goes through it in the clear, over GRE",
        .infers = "",
        .misses = "calls",
        .probe = pptp_probe,
        .open = plain_open,
        .data = pptp_data,
        .gap = plain_gap,
        .close = plain_close,
};
