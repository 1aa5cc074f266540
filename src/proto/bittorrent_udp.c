/*
 * BitTorrent's datagrams: uTP (bittorrent_utp), the DHT (BEP 5), trackers (BEP 15) and local discovery (BEP 14). One
 * port speaks several of them with the same peer.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/bencode.h"
#include "proto/bittorrent.h"

enum { ANNOUNCEMENT_HASH = 16, ANNOUNCEMENT_PORT = 96, ANSWER_PEERS = 20 }; /* BEP 15: where in the datagram */

struct bt {
	struct session *session;
	struct utp *utp; /* NULL: none was seen */
	bool told_utp, told_dht, told_tracker;
};

static enum verdict probe_one(const struct probe *p, enum side side);
static bool is_dht(const uint8_t *bytes, size_t len);
static bool is_tracker(const uint8_t *bytes, size_t len);
static void take_dht(struct bt *h, const uint8_t *bytes, size_t len);
static bool take_tracker(struct bt *h, enum side from, struct reader r);
static void take_discovery(struct bt *h, const uint8_t *bytes, size_t len);
static void take_utp(struct bt *h, enum side from, const struct utp_datagram *d);
static void tell(struct bt *h, bool *told, const char *what);

static enum verdict
bt_probe(const struct probe *p)
{
	struct utp_datagram a, b;

	enum verdict x = probe_one(p, SIDE_SOURCE), y = probe_one(p, SIDE_DESTINATION);
	if (x == VERDICT_DONE || y == VERDICT_DONE)
		return VERDICT_DONE;
	/* A beginning and its answer. */
	for (size_t side = 0; side < 2; side++)
		if (p->len[side] >= 20 && p->len[!side] >= 20 && utp_parse(p->bytes[side], 20, &a) && utp_parse(p->bytes[!side], 20, &b) &&
		        a.type == UTP_SYN && b.type == UTP_STATE && a.id == b.id && b.ack == a.seq)
			return VERDICT_DONE;
	return x == VERDICT_MORE || y == VERDICT_MORE ? VERDICT_MORE : VERDICT_NOT_MINE;
}

static void *
bt_open(struct session *s)
{
	struct bt *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
bt_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct bt *h = state;
	struct utp_datagram u;

	if (is_dht(bytes, len))
		take_dht(h, bytes, len);
	else if (len > 10 && memcmp(bytes, "BT-SEARCH ", 10) == 0)
		take_discovery(h, bytes, len);
	else if (is_tracker(bytes, len))
		tell(h, &h->told_tracker, "tracker");
	else if (h->told_tracker && take_tracker(h, from, reader_init(bytes, len)))
		;
	else if (utp_parse(bytes, len, &u))
		take_utp(h, from, &u);
	return VERDICT_MORE;
}

static enum verdict
bt_gap(void *state, enum side from, uint64_t len)
{
	struct bt *h = state;
	(void)len;
	if (h->utp != NULL)
		utp_cut(h->utp, from); /* a datagram that was cut */
	return VERDICT_MORE;
}

static void
bt_close(void *state, bool reset)
{
	struct bt *h = state;
	(void)reset;
	utp_destroy(h->utp);
	free(h);
}

static bool
bt_finished(const void *state)
{
	const struct bt *h = state;
	return !utp_busy(h->utp);
}

const struct proto proto_bittorrent_udp = {
        .name = "bittorrent",
        .transport = IPPROTO_UDP,
        .ports = {6881, 51413},
        .reads = "uTP as BitTorrent over TCP; DHT queries, announcements to trackers and local discovery with their info hashes",
        .infers = "transfers of encrypted connections, from volume",
        .misses = "content of encrypted connections; uTP where datagrams were lost in the capture",
        .probe = bt_probe,
        .open = bt_open,
        .data = bt_data,
        .gap = bt_gap,
        .end = NULL,
        .close = bt_close,
        .finished = bt_finished,
};

static enum verdict
probe_one(const struct probe *p, enum side side)
{
	const uint8_t *bytes = p->bytes[side];
	size_t len = p->len[side];
	struct utp_datagram u;

	if (len < 16)
		return VERDICT_NOT_MINE;
	if (bytes[0] == 'd')
		return is_dht(bytes, len) ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (bytes[0] == 'B')
		return len > 21 && memcmp(bytes, "BT-SEARCH * HTTP/1.1\r\n", 22) == 0 ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (bytes[0] == 0)
		return is_tracker(bytes, len) ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (!utp_parse(bytes, len, &u))
		return VERDICT_NOT_MINE;
	if (u.type == UTP_DATA && u.data.left >= 20 && bittorrent_probe_half(u.data.next, u.data.left) == VERDICT_DONE)
		return VERDICT_DONE;
	return u.type == UTP_SYN || u.type == UTP_STATE ? VERDICT_MORE : VERDICT_NOT_MINE;
}

/* A dictionary with "y" of q, r or e and the sender's id; one datagram may be followed by more of them. */
static bool
is_dht(const uint8_t *bytes, size_t len)
{
	return len >= 20 && bytes[0] == 'd' && bytes[1] >= '1' && bytes[1] <= '9' &&
	       (memmem(bytes, len, "1:y1:q", 6) != NULL || memmem(bytes, len, "1:y1:r", 6) != NULL || memmem(bytes, len, "1:y1:e", 6) != NULL) &&
	       (memmem(bytes, len, "2:id20:", 7) != NULL || memmem(bytes, len, "1:eli20", 7) != NULL);
}

/* A request to connect: a number of its own, and no action yet. */
static bool
is_tracker(const uint8_t *bytes, size_t len)
{
	return len >= 16 && memcmp(bytes, "\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0", 12) == 0;
}

static void
take_dht(struct bt *h, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	struct bencode d = bencode_take(&r), a = bencode_get(&d, "a"), hash = bencode_get(&a, "info_hash");

	tell(h, &h->told_dht, "dht");
	if (hash.kind == 's' && hash.len == 20)
		bittorrent_tell_hash(h->session, hash.bytes);
}

/* An announcement, and its answer: who else is there. */
static bool
take_tracker(struct bt *h, enum side from, struct reader r)
{
	const uint8_t *start = r.next;
	const size_t len = r.left;

	if (from == SIDE_SOURCE && len >= ANNOUNCEMENT_HASH + 20 && start[11] == 1) {
		bittorrent_tell_hash(h->session, start + ANNOUNCEMENT_HASH);
		reader_skip(&r, ANNOUNCEMENT_PORT);
		const uint16_t port = reader_be16(&r);
		if (reader_ok(&r))
			bittorrent_know_port(h->session, from, port);
		return true;
	}
	if (from == SIDE_DESTINATION && reader_be32(&r) == 1 && len >= ANSWER_PEERS) {
		const struct session_ends ends = session_ends(h->session);
		bittorrent_know_peers(h->session, start + ANSWER_PEERS, len - ANSWER_PEERS, !addr_is_v4(&ends.addr[from]));
		return true;
	}
	return false;
}

static void
take_discovery(struct bt *h, const uint8_t *bytes, size_t len)
{
	static const char word[] = "\nInfohash: ";
	const uint8_t *at = memmem(bytes, len, word, sizeof word - 1), *end = bytes + len;

	session_detail(h->session, "bittorrent.transport", "discovery", 9);
	for (; at != NULL && end - at >= 11 + 40; at = memmem(at + 11, (size_t)(end - at) - 11, word, sizeof word - 1))
		session_detail(h->session, "bittorrent.info_hash", at + 11, 40);
}

static void
take_utp(struct bt *h, enum side from, const struct utp_datagram *d)
{
	tell(h, &h->told_utp, "utp");
	if (h->utp == NULL)
		h->utp = utp_create(h->session);
	if (h->utp != NULL)
		utp_take(h->utp, from, d);
}

static void
tell(struct bt *h, bool *told, const char *what)
{
	if (!*told)
		session_detail(h->session, "bittorrent.transport", what, strlen(what));
	*told = true;
}
