/* BitTorrent, over TCP and uTP: what its parts in bittorrent*.c share. Not for others. */
#ifndef WAYBILL_PROTO_BITTORRENT_H
#define WAYBILL_PROTO_BITTORRENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/feed.h"
#include "proto/proto.h"

enum {
	TORRENT_FILES_MAX = 128,   /* of a torrent that are told one by one; more of them are one */
	TORRENT_INFO_MAX = 1 << 20, /* bytes of metadata that are put together */
	TORRENT_PATH_MAX = 1024,
};

struct torrent_file {
	uint64_t offset, size;
	uint32_t path, path_len; /* in the text */
};

struct torrent { /* what the metadata says (BEP 3, 9) */
	uint64_t piece, size;
	struct torrent_file file[TORRENT_FILES_MAX];
	size_t files;
	uint8_t text[7 * 1024];
	size_t text_len;
};

/* Reads an info dictionary. False: it is none, or of a kind that is not read (BEP 52). */
bool torrent_parse(struct torrent *t, const uint8_t *info, size_t len);
/* As one note, and back. */
size_t torrent_write(const struct torrent *t, uint8_t *out, size_t size); /* 0: it does not fit */
bool torrent_read(struct torrent *t, const uint8_t *bytes, size_t len);

/* The words of two peers, in both directions. */
struct peers;
struct peers *peers_create(struct session *s);
void peers_destroy(struct peers *p, enum transfer_state state); /* takes NULL */
/* False: this side can't be followed any more. */
bool peers_bytes(struct peers *p, enum side from, const uint8_t *bytes, size_t len);
void peers_gap(struct peers *p, enum side from, uint64_t len);
/* Is a transfer open? */
bool peers_busy(const struct peers *p);

/* The first bytes of each side. */
enum verdict bittorrent_probe_half(const uint8_t *bytes, size_t len);
void bittorrent_tell_hash(struct session *s, const uint8_t hash[20]);

#endif
