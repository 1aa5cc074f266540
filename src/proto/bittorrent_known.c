/*
 * Who is known to take connections of BitTorrent, at which port: peers that spoke it in clear, those that a tracker named, and those that
 * announced themselves to one (BEP 3, 7, 15, 23). What encrypts from the first byte is known by nothing else.
 */
#include "config.h"

#include <string.h>

#include "base/addr.h"
#include "base/reader.h"
#include "base/text.h"
#include "proto/bencode.h"
#include "proto/bittorrent.h"

enum {
	PEERS_MAX = 200,    /* of one answer */
	KEY_FIXED = 16,
	KEY_SIZE = KEY_FIXED + 16 + 2,
	DISTINCT_MIN = 62,  /* values among so many random bytes: 80 are expected, with a deviation of 3.3 */
	HIGH_MIN = 24,      /* of them beyond 127: 48, and 4.9 */
	TEXT_SURE = 16,     /* bytes below 128 are no random ones */
	VALUE_MAX = 64,     /* of a parameter in a URL, escaped */
};

static void key_of(uint8_t key[KEY_SIZE], const struct addr *a, uint16_t port);
static void know(struct session *s, const struct addr *a, uint16_t port);
static void know_one(struct session *s, const struct bencode *peer);
static size_t parameter(const char *url, const char *name, uint8_t out[VALUE_MAX]);

void
bittorrent_know_end(struct session *s, enum side side)
{
	const struct session_ends ends = session_ends(s);
	know(s, &ends.addr[side], ends.port[side]);
}

void
bittorrent_know_port(struct session *s, enum side side, uint16_t port)
{
	const struct session_ends ends = session_ends(s);
	if (port != 0)
		know(s, &ends.addr[side], port);
}

void
bittorrent_know_peers(struct session *s, const uint8_t *bytes, size_t len, bool v6)
{
	struct reader r = reader_init(bytes, len);
	for (size_t i = 0; i < PEERS_MAX && r.left >= (v6 ? 18u : 6u); i++) {
		const uint8_t *address = reader_take(&r, v6 ? 16 : 4);
		const struct addr a = v6 ? addr_from_v6(address) : addr_from_v4(address);
		know(s, &a, reader_be16(&r));
	}
}

bool
bittorrent_known(struct session *s)
{
	const struct session_ends ends = session_ends(s);
	uint8_t key[KEY_SIZE];
	size_t len;

	for (size_t side = 0; side < 2; side++) {
		key_of(key, &ends.addr[side], ends.port[side]);
		if (session_noted(s, NOTE_ALL, key, sizeof key, &len) != NULL)
			return true;
	}
	return false;
}

enum verdict
bittorrent_probe_encrypted(const uint8_t *bytes, size_t len)
{
	bool seen[256] = {false};
	size_t distinct = 0, high = 0;

	for (size_t i = 0; i < len && i < BITTORRENT_KEY; i++) {
		distinct += !seen[bytes[i]];
		high += bytes[i] > 127;
		seen[bytes[i]] = true;
	}
	if (len < BITTORRENT_KEY)
		return len >= TEXT_SURE && high == 0 ? VERDICT_NOT_MINE : VERDICT_MORE;
	return distinct >= DISTINCT_MIN && high >= HIGH_MIN ? VERDICT_DONE : VERDICT_NOT_MINE;
}

void
bittorrent_tell_hash(struct session *s, const uint8_t hash[20])
{
	char hex[41];
	session_detail(s, "bittorrent.info_hash", text_hex(hex, hash, 20), 40);
}

bool
bittorrent_is_announcement(const char *url)
{
	uint8_t value[VALUE_MAX];
	return url != NULL && strchr(url, '?') != NULL && parameter(url, "info_hash=", value) == 20;
}

void
bittorrent_announced(struct session *s, enum side client, const char *url)
{
	uint8_t value[VALUE_MAX];
	uint64_t port;

	if (parameter(url, "info_hash=", value) == 20)
		bittorrent_tell_hash(s, value);
	const size_t len = parameter(url, "port=", value);
	if (len > 0 && text_to_u64(value, len, &port) == 0 && port <= UINT16_MAX)
		bittorrent_know_port(s, client, (uint16_t)port);
}

/* Peers one after the other, or a list of dictionaries in which their addresses are written out. */
void
bittorrent_answered(struct session *s, const uint8_t *body, size_t len)
{
	struct reader r = reader_init(body, len);
	const struct bencode d = bencode_take(&r), peers = bencode_get(&d, "peers"), six = bencode_get(&d, "peers6");

	if (peers.kind == 's')
		bittorrent_know_peers(s, peers.bytes, peers.len, false);
	if (six.kind == 's')
		bittorrent_know_peers(s, six.bytes, six.len, true);
	r = reader_init(peers.bytes, peers.kind == 'l' ? peers.len : 0);
	for (size_t i = 0; i < PEERS_MAX && r.left > 0; i++) {
		const struct bencode peer = bencode_take(&r);
		if (!reader_ok(&r))
			break;
		know_one(s, &peer);
	}
}

static void
know_one(struct session *s, const struct bencode *peer)
{
	const struct bencode ip = bencode_get(peer, "ip"), port = bencode_get(peer, "port");
	char text[ADDR_TEXT_MAX];
	struct addr a;
	uint64_t number;

	if (ip.kind != 's' || ip.len >= sizeof text)
		return;
	memcpy(text, ip.bytes, ip.len);
	text[ip.len] = '\0';
	if (addr_parse(text, &a) == 0 && bencode_number(&port, &number) == 0 && number <= UINT16_MAX)
		know(s, &a, (uint16_t)number);
}

static void
know(struct session *s, const struct addr *a, uint16_t port)
{
	static const uint8_t yes = 1;
	uint8_t key[KEY_SIZE];
	key_of(key, a, port);
	(void)session_note(s, NOTE_ALL, key, sizeof key, &yes, 1);
}

static void
key_of(uint8_t key[KEY_SIZE], const struct addr *a, uint16_t port)
{
	memcpy(key, "bittorrent.peer:", KEY_FIXED);
	memcpy(key + KEY_FIXED, a->bytes, sizeof a->bytes);
	key[KEY_SIZE - 2] = (uint8_t)(port >> 8);
	key[KEY_SIZE - 1] = (uint8_t)port;
}

/* What follows name in the query, decoded; 0: it is not there, or too long. */
static size_t
parameter(const char *url, const char *name, uint8_t out[VALUE_MAX])
{
	const char *query = strchr(url, '?');
	for (const char *at = query; at != NULL; at = strchr(at + 1, '&')) {
		if (strncmp(at + 1, name, strlen(name)) != 0)
			continue;
		const char *value = at + 1 + strlen(name);
		const size_t len = strcspn(value, "&");
		return len <= VALUE_MAX ? text_percent_decode(out, value, len) : 0;
	}
	return 0;
}
