/*
 * BitTorrent over TCP (BEP 3, 9, 10); the peers' words are in bittorrent_peer. Message stream encryption has no plain text: random bytes from
 * both sides are told as it, and their volume, only where an end is known to take BitTorrent's connections at that port (bittorrent_known).
 */
#include "config.h"

#include "proto/bittorrent.h"

#include <netinet/in.h>
#include <stdlib.h>

struct bt {
	struct session *session;
	struct peers *peers;
	bool encrypted;
};

static enum verdict probe_encrypted(const struct probe *p);
static void begin_encrypted(struct bt *b);

static enum verdict
bittorrent_probe(const struct probe *p)
{
	enum verdict a = bittorrent_probe_half(p->bytes[0], p->len[0]), b = bittorrent_probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_DONE || b == VERDICT_DONE)
		return VERDICT_DONE;
	if (a == VERDICT_NOT_MINE && b != VERDICT_DONE)
		return probe_encrypted(p);
	return b == VERDICT_NOT_MINE ? VERDICT_NOT_MINE : VERDICT_MORE;
}

static void *
bittorrent_open(struct session *s)
{
	struct bt *b = calloc(1, sizeof *b);
	if (b == NULL || (b->peers = peers_create(s)) == NULL) {
		free(b);
		return NULL;
	}
	b->session = s;
	return b;
}

static enum verdict
bittorrent_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct bt *b = state;
	if (b->encrypted)
		return VERDICT_MORE;
	if (!peers_bytes(b->peers, from, bytes, len) && !peers_known(b->peers) && bittorrent_known(b->session))
		begin_encrypted(b);
	return VERDICT_MORE;
}

static enum verdict
bittorrent_gap(void *state, enum side from, uint64_t len)
{
	struct bt *b = state;
	if (!b->encrypted)
		peers_gap(b->peers, from, len);
	return VERDICT_MORE;
}

static void
bittorrent_close(void *state, bool reset)
{
	struct bt *b = state;
	(void)reset; /* peers leave each other so */
	if (!b->encrypted && peers_hidden(b->peers) && bittorrent_known(b->session))
		begin_encrypted(b);
	peers_destroy(b->peers, TRANSFER_TRUNCATED);
	free(b);
}

static bool
bittorrent_finished(const void *state)
{
	const struct bt *b = state;
	return !peers_busy(b->peers) && (b->encrypted || !peers_hidden(b->peers));
}

const struct proto proto_bittorrent = {
        .name = "bittorrent",
        .transport = IPPROTO_TCP,
        .ports = {6881, 51413},
        .reads = "info hash and clients; files by name, size and content where the metadata was seen, in this session or another; "
                 "else how much moved each way",
        .infers = "that a connection is an encrypted one: random bytes, at an end and port that spoke BitTorrent in clear or that a tracker named; its transfers, from volume",
        .misses = "content of encrypted connections, and those whose ends are not known; pieces that other peers sent; torrents of version 2 only",
        .probe = bittorrent_probe,
        .open = bittorrent_open,
        .data = bittorrent_data,
        .gap = bittorrent_gap,
        .end = NULL,
        .close = bittorrent_close,
        .finished = bittorrent_finished,
};

/* Random bytes from whoever connects, then from the other end. */
static enum verdict
probe_encrypted(const struct probe *p)
{
	const enum verdict source = bittorrent_probe_encrypted(p->bytes[SIDE_SOURCE], p->len[SIDE_SOURCE]);
	const enum verdict destination = bittorrent_probe_encrypted(p->bytes[SIDE_DESTINATION], p->len[SIDE_DESTINATION]);

	if (p->midstream || p->session == NULL || p->len[SIDE_SOURCE] == 0 || source == VERDICT_NOT_MINE || destination == VERDICT_NOT_MINE ||
	        !bittorrent_known(p->session))
		return VERDICT_NOT_MINE;
	return source == VERDICT_DONE ? destination : VERDICT_MORE;
}

static void
begin_encrypted(struct bt *b)
{
	static const char method[] = "peer";

	b->encrypted = true;
	session_protocol_none(b->session);
	session_protocol(b->session, "bittorrent", method);
	session_detail(b->session, "bittorrent.encrypted", "true", 4);
	session_unreadable(b->session, "encrypted");
	session_inferred_as(b->session, &(struct session_guess){.why = "random bytes, at an end and port that are known to speak BitTorrent"});
}
