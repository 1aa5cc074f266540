/*
 * BitTorrent's datagrams: uTP (BEP 29) with the peers' words inside, the DHT (BEP 5), trackers (BEP 15) and local
 * discovery (BEP 14). One port speaks several of them with the same peer.
 *
 * In uTP lost datagrams come again; those of one direction are put in order as far as a few are ahead.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/text.h"
#include "proto/bencode.h"
#include "proto/bittorrent.h"

enum { UTP_DATA = 0, UTP_FIN = 1, UTP_STATE = 2, UTP_RESET = 3, UTP_SYN = 4 };
enum { AHEAD_MAX = 16, AHEAD_BYTES = 1500, EXTENSIONS_MAX = 8 };

struct utp { /* a datagram */
	uint8_t type;
	uint16_t id, seq, ack;
	struct reader data;
};

struct ahead {
	uint16_t len; /* 0: free */
	uint16_t seq;
	uint8_t bytes[AHEAD_BYTES];
};

struct flow_half {
	bool known;    /* next is */
	bool lost;
	uint16_t next; /* seq */
	struct ahead *ahead; /* AHEAD_MAX of them, or NULL */
};

struct bt {
	struct session *session;
	struct peers *peers;
	struct flow_half half[2];
	bool told_utp, told_dht, told_tracker;
};

static enum verdict probe_one(const struct probe *p, enum side side);
static bool is_dht(const uint8_t *bytes, size_t len);
static bool is_tracker(const uint8_t *bytes, size_t len);
static bool parse_utp(const uint8_t *bytes, size_t len, struct utp *out);
static void take_dht(struct bt *h, const uint8_t *bytes, size_t len);
static void take_discovery(struct bt *h, const uint8_t *bytes, size_t len);
static void take_utp(struct bt *h, enum side from, struct utp *u);
static void in_order(struct bt *h, enum side from);
static void keep(struct flow_half *half, const struct utp *u);
static void tell(struct bt *h, bool *told, const char *what);

static enum verdict
bt_probe(const struct probe *p)
{
	struct utp a, b;

	enum verdict x = probe_one(p, SIDE_SOURCE), y = probe_one(p, SIDE_DESTINATION);
	if (x == VERDICT_DONE || y == VERDICT_DONE)
		return VERDICT_DONE;
	/* A beginning and its answer. */
	for (size_t side = 0; side < 2; side++)
		if (p->len[side] >= 20 && p->len[!side] >= 20 && parse_utp(p->bytes[side], 20, &a) && parse_utp(p->bytes[!side], 20, &b) &&
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
	struct utp u;

	if (is_dht(bytes, len))
		take_dht(h, bytes, len);
	else if (len > 10 && memcmp(bytes, "BT-SEARCH ", 10) == 0)
		take_discovery(h, bytes, len);
	else if (is_tracker(bytes, len))
		tell(h, &h->told_tracker, "tracker");
	else if (h->told_tracker && len >= 36 && bytes[11] == 1 && from == SIDE_SOURCE)
		bittorrent_tell_hash(h->session, bytes + 16); /* an announcement */
	else if (parse_utp(bytes, len, &u))
		take_utp(h, from, &u);
	return VERDICT_MORE;
}

static enum verdict
bt_gap(void *state, enum side from, uint64_t len)
{
	struct bt *h = state;
	(void)len;
	h->half[from].lost = true; /* a datagram that was cut */
	return VERDICT_MORE;
}

static void
bt_close(void *state, bool reset)
{
	struct bt *h = state;
	(void)reset;
	peers_destroy(h->peers, TRANSFER_TRUNCATED);
	free(h->half[0].ahead);
	free(h->half[1].ahead);
	free(h);
}

static bool
bt_finished(const void *state)
{
	const struct bt *h = state;
	return !peers_busy(h->peers);
}

const struct proto proto_bittorrent_udp = {
        .name = "bittorrent",
        .transport = IPPROTO_UDP,
        .ports = {6881, 51413},
        .reads = "uTP as BitTorrent over TCP; DHT queries, announcements to trackers and local discovery with their info hashes",
        .infers = "",
        .misses = "encrypted sessions; uTP where datagrams were lost in the capture",
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
	struct utp u;

	if (len < 16)
		return VERDICT_NOT_MINE;
	if (bytes[0] == 'd')
		return is_dht(bytes, len) ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (bytes[0] == 'B')
		return len > 21 && memcmp(bytes, "BT-SEARCH * HTTP/1.1\r\n", 22) == 0 ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (bytes[0] == 0)
		return is_tracker(bytes, len) ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (!parse_utp(bytes, len, &u))
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

static bool
parse_utp(const uint8_t *bytes, size_t len, struct utp *out)
{
	struct reader r = reader_init(bytes, len);
	uint8_t head = reader_u8(&r), extension = reader_u8(&r);

	*out = (struct utp){.type = head >> 4, .id = reader_be16(&r)};
	reader_skip(&r, 12);
	out->seq = reader_be16(&r);
	out->ack = reader_be16(&r);
	if (!reader_ok(&r) || (head & 15) != 1 || out->type > UTP_SYN || extension > 3)
		return false;
	for (size_t i = 0; extension != 0 && i < EXTENSIONS_MAX && r.left > 0; i++) {
		extension = reader_u8(&r);
		reader_skip(&r, reader_u8(&r));
	}
	out->data = r;
	return reader_ok(&r);
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
take_utp(struct bt *h, enum side from, struct utp *u)
{
	struct flow_half *half = &h->half[from];

	tell(h, &h->told_utp, "utp");
	if (u->type == UTP_SYN) { /* of a new connection */
		peers_destroy(h->peers, TRANSFER_TRUNCATED);
		h->peers = NULL;
		for (size_t i = 0; i < 2; i++)
			h->half[i].known = h->half[i].lost = false;
		half->known = true;
		half->next = (uint16_t)(u->seq + 1);
		return;
	}
	if ((u->type != UTP_DATA && u->type != UTP_FIN) || u->data.left == 0 || half->lost)
		return;
	if (h->peers == NULL && (h->peers = peers_create(h->session)) == NULL)
		return;
	if (!half->known) {
		half->known = true;
		half->next = u->seq;
	}
	if (u->seq != half->next) {
		if ((uint16_t)(u->seq - half->next) < 0x8000)
			keep(half, u);
		return;
	}
	half->next++;
	half->lost = !peers_bytes(h->peers, from, u->data.next, u->data.left);
	in_order(h, from);
}

/* What was ahead may be next now. */
static void
in_order(struct bt *h, enum side from)
{
	struct flow_half *half = &h->half[from];
	for (size_t i = 0; half->ahead != NULL && !half->lost && i < AHEAD_MAX; i++) {
		struct ahead *a = &half->ahead[i];
		if (a->len == 0 || a->seq != half->next)
			continue;
		half->next++;
		half->lost = !peers_bytes(h->peers, from, a->bytes, a->len);
		a->len = 0;
		i = SIZE_MAX; /* look again */
	}
}

static void
keep(struct flow_half *half, const struct utp *u)
{
	struct ahead *room = NULL;

	if (half->ahead == NULL)
		half->ahead = calloc(AHEAD_MAX, sizeof *half->ahead);
	for (size_t i = 0; half->ahead != NULL && i < AHEAD_MAX; i++) {
		if (half->ahead[i].len > 0 && half->ahead[i].seq == u->seq)
			return;
		if (half->ahead[i].len == 0)
			room = &half->ahead[i];
	}
	if (room == NULL || u->data.left > AHEAD_BYTES) {
		half->lost = true; /* it was not captured */
		return;
	}
	room->seq = u->seq;
	room->len = (uint16_t)u->data.left;
	memcpy(room->bytes, u->data.next, u->data.left);
}

static void
tell(struct bt *h, bool *told, const char *what)
{
	if (!*told)
		session_detail(h->session, "bittorrent.transport", what, strlen(what));
	*told = true;
}
