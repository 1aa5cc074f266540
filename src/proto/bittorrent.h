/* BitTorrent, over TCP and uTP: what its parts in bittorrent*.c share. Not for others. */
#ifndef WAYBILL_PROTO_BITTORRENT_H
#define WAYBILL_PROTO_BITTORRENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "proto/feed.h"
#include "proto/proto.h"

enum {
	TORRENT_FILES_MAX = 128,   /* of a torrent that are told one by one; more of them are one */
	TORRENT_INFO_MAX = 1 << 20, /* bytes of metadata that are put together */
	TORRENT_PATH_MAX = 1024,
	BITTORRENT_KEY = 96, /* a public key, with which message stream encryption begins; up to 512 random bytes follow */
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

/* Was a handshake seen? */
bool peers_known(const struct peers *p);
/* Was something else said instead, which may be the beginning of an encrypted connection? */
bool peers_hidden(const struct peers *p);

/* A datagram of uTP. */
enum { UTP_DATA = 0, UTP_FIN = 1, UTP_STATE = 2, UTP_RESET = 3, UTP_SYN = 4 };
struct utp_datagram {
	uint8_t type;
	uint16_t id, seq, ack;
	struct reader data; /* borrows the datagram */
};
bool utp_parse(const uint8_t *bytes, size_t len, struct utp_datagram *out);

/* The connections between two ports. */
struct utp;
struct utp *utp_create(struct session *s); /* NULL: out of memory */
void utp_destroy(struct utp *u);           /* takes NULL; transfers end as truncated */
void utp_take(struct utp *u, enum side from, const struct utp_datagram *d);
/* A datagram from this side was not seen whole. */
void utp_cut(struct utp *u, enum side from);
/* Is a transfer open? Takes NULL. */
bool utp_busy(const struct utp *u);

/* Who takes connections of BitTorrent: this end of the session, at its port or another, and peers as a tracker names them. */
void bittorrent_know_end(struct session *s, enum side side);
void bittorrent_know_port(struct session *s, enum side side, uint16_t port);
void bittorrent_know_peers(struct session *s, const uint8_t *bytes, size_t len, bool v6);
/* Is one of the session's ends known to? */
bool bittorrent_known(struct session *s);
/* A side's first bytes: are they as random as those with which message stream encryption begins, as far as such a thing can be seen? */
enum verdict bittorrent_probe_encrypted(const uint8_t *bytes, size_t len);

/* Trackers over HTTP: is this a request to one? Then what it tells of the client, and of others in the answer's beginning. */
bool bittorrent_is_announcement(const char *url); /* may be NULL */
void bittorrent_announced(struct session *s, enum side client, const char *url);
void bittorrent_answered(struct session *s, const uint8_t *body, size_t len);

/* The first bytes of each side. */
enum verdict bittorrent_probe_half(const uint8_t *bytes, size_t len);
void bittorrent_tell_hash(struct session *s, const uint8_t hash[20]);

#endif
