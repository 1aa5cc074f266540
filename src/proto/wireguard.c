/*
 * WireGuard (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", section 5.4) and Tailscale, which asks for
 * ways through (its DISCO messages) and then speaks WireGuard on the same ports. Told by the first datagram of a form:
 * all four messages have a type, three zero bytes and a length of their own. What is inside can't be read; its volume
 * is told.
 */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "base/reader.h"
#include "proto/plain.h"

enum {
	INITIATION = 1, INITIATION_LEN = 148,
	RESPONSE = 2, RESPONSE_LEN = 92,
	COOKIE = 3, COOKIE_LEN = 64,
	DATA = 4, DATA_HEADER = 16, DATA_TAG = 16,
	PADDING = 16,       /* data is padded to a multiple of it */
	DISCO_LEAST = 6 + 32 + 24 + 16, /* magic, key, nonce, and a box's tag */
};

static const uint8_t disco_magic[6] = {0x54, 0x53, 0xf0, 0x9f, 0x92, 0xac}; /* "TS" and a speech balloon */

static enum verdict
wireguard_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	const size_t len = p->len[side];
	struct reader r = reader_init(p->bytes[side], len);
	switch (reader_le32(&r)) {
	case INITIATION: return plain_verdict(len == INITIATION_LEN);
	case RESPONSE: return plain_verdict(len == RESPONSE_LEN);
	case COOKIE: return plain_verdict(len == COOKIE_LEN);
	case DATA: break;
	default: return VERDICT_NOT_MINE;
	}
	/* A receiver's index, and a counter that nobody has got far with. */
	const uint32_t receiver = reader_le32(&r);
	const uint64_t counter = reader_le64(&r);
	return plain_verdict(len >= DATA_HEADER + DATA_TAG && len % PADDING == 0 && receiver != 0 && counter >> 40 == 0);
}

static enum verdict
wireguard_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	struct reader r = reader_init(bytes, len);
	const uint32_t type = reader_le32(&r);
	if (type == INITIATION || type == RESPONSE)
		session_client_end(s, type == INITIATION ? from : side_other(from));
	session_detail(s, "tunnel.kind", "wireguard", 9);
	return VERDICT_DONE;
}

static enum verdict
tailscale_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	return plain_verdict(p->len[side] >= DISCO_LEAST &&
	                     memcmp(p->bytes[side], disco_magic, sizeof disco_magic) == 0);
}

static enum verdict
tailscale_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	(void)from;
	(void)bytes;
	(void)len;
	session_detail(state, "tunnel.kind", "tailscale", 9);
	return VERDICT_DONE;
}

const struct proto proto_wireguard = {
        .name = "wireguard",
        .transport = IPPROTO_UDP,
        .ports = {51820},
        .reads = "who began it",
        .infers = "transfers, from volume",
        .misses = "all that goes through it",
        .probe = wireguard_probe,
        .open = plain_open_encrypted,
        .data = wireguard_data,
        .gap = plain_gap,
        .close = plain_close,
};

const struct proto proto_tailscale = {
        .name = "tailscale",
        .transport = IPPROTO_UDP,
        .ports = {41641},
        .reads = "that it is used",
        .infers = "transfers, from volume",
        .misses = "all that goes through it; what goes over its relays, which is TLS to a host of its name",
        .probe = tailscale_probe,
        .open = plain_open_encrypted,
        .data = tailscale_data,
        .gap = plain_gap,
        .close = plain_close,
};
