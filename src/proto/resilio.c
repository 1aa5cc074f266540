/*
 * Resilio Sync, formerly BitTorrent Sync, as far as it says what it is: the datagrams by which its peers find each other, in
 * the local network (multicast to 239.192.0.0, port 3838) and at trackers: "BSYNC", a zero byte, and a bencoded dictionary. Resilio
 * publishes the ports (help centre, "What ports and protocols are used by Sync"), not the format; that was written down by
 * others (picosync, "Protocol"; Scanlon, Farina and Kechadi, "Network investigation methodology for BitTorrent Sync", 2015).
 *
 * Not here: what peers send each other; it is encrypted from its first byte, over TCP and uTP, and looks like nothing.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/text.h"
#include "proto/bencode.h"
#include "proto/plain.h"

enum { PORT_DISCOVERY = 3838, PEER_BYTES = 20, SHARE_BYTES = 32, PLACE_BYTES = 6 };

static bool parse(const uint8_t *bytes, size_t len, struct bencode *out);
static void tell_hex(struct session *s, const char *key, const struct bencode *v, size_t len);
static void tell_place(struct session *s, const char *key, const struct bencode *v);

static enum verdict
resilio_probe(const struct probe *p)
{
	struct bencode d;
	const enum side side = plain_side(p);
	return plain_verdict(parse(p->bytes[side], p->len[side], &d));
}

static enum verdict
resilio_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	struct bencode d;
	(void)from;
	if (!parse(bytes, len, &d))
		return VERDICT_MORE;
	const struct bencode message = bencode_get(&d, "m"), peer = bencode_get(&d, "peer"), share = bencode_get(&d, "share");
	const struct bencode local = bencode_get(&d, "la"), outer = bencode_get(&d, "ea");
	if (message.kind == 's')
		session_detail(s, "resilio.message", message.bytes, message.len);
	tell_hex(s, "resilio.peer", &peer, PEER_BYTES);
	tell_hex(s, "resilio.share", &share, SHARE_BYTES);
	tell_place(s, "resilio.address", &local);
	tell_place(s, "resilio.address", &outer);
	return VERDICT_MORE;
}

const struct proto proto_resilio = {
        .name = "resilio",
        .transport = IPPROTO_UDP,
        .ports = {PORT_DISCOVERY},
        .reads = "discovery in the local network and at trackers: peer, hash of the folder's key, addresses",
        .infers = "",
        .misses = "what peers send each other: it is encrypted from the first byte, and is told as an unknown protocol with its volume; "
                  "requests in forms that are newer than what is known of it",
        .probe = resilio_probe,
        .open = plain_open,
        .data = resilio_data,
        .gap = plain_gap,
        .end = NULL,
        .close = plain_close,
};

/* Who it is must be in it, or what it is. */
static bool
parse(const uint8_t *bytes, size_t len, struct bencode *out)
{
	static const char magic[] = "BSYNC";
	if (len <= sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
		return false;
	struct reader r = reader_init(bytes + sizeof magic, len - sizeof magic);
	*out = bencode_take(&r);
	return out->kind == 'd' && (bencode_get(out, "m").kind != 0 || bencode_get(out, "peer").kind == 's');
}

static void
tell_hex(struct session *s, const char *key, const struct bencode *v, size_t len)
{
	char hex[2 * SHARE_BYTES + 1];
	if (v->kind != 's' || v->len != len)
		return;
	text_hex(hex, v->bytes, len);
	session_detail(s, key, hex, 2 * len);
}

/* An IPv4 address and a port. */
static void
tell_place(struct session *s, const char *key, const struct bencode *v)
{
	char text[ADDR_TEXT_MAX + 8];
	if (v->kind != 's' || v->len != PLACE_BYTES)
		return;
	const struct addr a = addr_from_v4(v->bytes);
	char name[ADDR_TEXT_MAX];
	addr_format(&a, name);
	const int n = snprintf(text, sizeof text, "%s:%u", name, (unsigned)(v->bytes[4] << 8 | v->bytes[5]));
	session_detail(s, key, text, (size_t)n);
}
