/* BitTorrent over TCP (BEP 3, 9, 10); the peers' words are in bittorrent_peer. Not read: encrypted sessions. */
#include "config.h"

#include "proto/bittorrent.h"

#include <netinet/in.h>

static enum verdict
bittorrent_probe(const struct probe *p)
{
	enum verdict a = bittorrent_probe_half(p->bytes[0], p->len[0]), b = bittorrent_probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_DONE || b == VERDICT_DONE)
		return VERDICT_DONE;
	return a == VERDICT_NOT_MINE || b == VERDICT_NOT_MINE ? VERDICT_NOT_MINE : VERDICT_MORE;
}

static void *
bittorrent_open(struct session *s)
{
	return peers_create(s);
}

static enum verdict
bittorrent_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	(void)peers_bytes(state, from, bytes, len);
	return VERDICT_MORE;
}

static enum verdict
bittorrent_gap(void *state, enum side from, uint64_t len)
{
	peers_gap(state, from, len);
	return VERDICT_MORE;
}

static void
bittorrent_close(void *state, bool reset)
{
	(void)reset; /* peers leave each other so */
	peers_destroy(state, TRANSFER_TRUNCATED);
}

static bool
bittorrent_finished(const void *state)
{
	return !peers_busy(state);
}

const struct proto proto_bittorrent = {
        .name = "bittorrent",
        .transport = IPPROTO_TCP,
        .ports = {6881, 51413},
        .reads = "info hash and clients; files by name, size and content where the metadata was seen, in this session or another; "
                 "else how much moved each way",
        .infers = "",
        .misses = "encrypted sessions; pieces that other peers sent; torrents of version 2 only",
        .probe = bittorrent_probe,
        .open = bittorrent_open,
        .data = bittorrent_data,
        .gap = bittorrent_gap,
        .end = NULL,
        .close = bittorrent_close,
        .finished = bittorrent_finished,
};
