/*
 * The peer wire protocol of BitTorrent: handshake, extension handshake and metadata (BEP 3, 9, 10), pieces. Where the
 * metadata is known, from this session or one before, each file of the torrent is a transfer in each direction, and
 * blocks stand in their places; else all that comes is one without a name of its own.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/reader.h"
#include "base/text.h"
#include "proto/bencode.h"
#include "proto/bittorrent.h"

enum {
	HANDSHAKE_SIZE = 68,
	MESSAGE_MAX = 1 << 21,
	EXTENDED_HEAD = 2048, /* bytes of an extension message that are looked at for its dictionary */
	METADATA_BLOCK = 16384,
	NOTE_SIZE = 8192,
	CLIENT_MAX = 64,
	HIDDEN_MAX = 2048, /* bytes in which two peers may agree to encrypt nothing more; that takes 1300 at most */
};

enum { MSG_PIECE = 7, MSG_EXTENDED = 20 };

enum step { STEP_HANDSHAKE, STEP_HIDDEN, STEP_HEAD, STEP_PIECE, STEP_EXTENDED, STEP_BLOCK, STEP_METADATA, STEP_SKIP, STEP_SEARCH, STEP_OVER };

struct half {
	enum step step;
	struct feed feed;
	uint32_t left;       /* of the message; of what is hidden: bytes so far */
	uint64_t at;         /* of the block in the torrent, where that is known; of metadata, in it */
	uint64_t metadata_id; /* what this side wants to be sent metadata as; 0: not said */
	char client[CLIENT_MAX];
	bool client_told;
	uint64_t pieces;     /* blocks sent */
	struct transfer **file; /* by torrent file; NULL: none yet */
	struct transfer *whole; /* where no metadata is known */
};

struct peers {
	struct session *session;
	struct half half[2];
	uint8_t hash[20];
	bool hashed;
	struct torrent *torrent; /* NULL: not known */
	bool looked;             /* for a note */
	uint8_t *metadata;
	size_t metadata_size, metadata_have; /* bytes of it, in order */
};

static const char handshake[] = "\023BitTorrent protocol";

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t search_step(struct half *half, const uint8_t *bytes, size_t len);
static size_t hidden_step(struct peers *p, enum side from, const uint8_t *bytes, size_t len);
static size_t handshake_step(struct peers *p, enum side from, const uint8_t *bytes, size_t len);
static void name_client(struct half *half, const uint8_t id[20]);
static size_t head_step(struct peers *p, enum side from, struct reader r);
static size_t piece_step(struct peers *p, enum side from, struct reader r);
static size_t extended_step(struct peers *p, enum side from, const uint8_t *bytes, size_t len);
static void take_extensions(struct peers *p, enum side from, const struct bencode *d);
static void take_metadata(struct peers *p, struct half *half, const struct bencode *d, uint32_t left);
static void add_metadata(struct peers *p, uint64_t at, const uint8_t *bytes, size_t len);
static void finish_metadata(struct peers *p);
static void tell_torrent(struct peers *p);
static void look_up(struct peers *p);
static void block(struct peers *p, enum side from, const uint8_t *bytes, size_t len);
static void file_block(struct peers *p, enum side from, size_t index, uint64_t at, const uint8_t *bytes, size_t len);

struct peers *
peers_create(struct session *s)
{
	struct peers *p = calloc(1, sizeof *p);
	if (p != NULL)
		p->session = s;
	return p;
}

void
peers_destroy(struct peers *p, enum transfer_state state)
{
	if (p == NULL)
		return;
	for (size_t side = 0; side < 2; side++) {
		struct half *half = &p->half[side];
		if (!half->client_told && half->client[0] != '\0')
			(side == SIDE_SOURCE ? session_client : session_server)(p->session, half->client, strlen(half->client));
		for (size_t i = 0; half->file != NULL && i < p->torrent->files; i++)
			transfer_end(half->file[i], state);
		if (half->whole != NULL)
			transfer_detail_number(half->whole, "bittorrent.blocks", half->pieces);
		transfer_end(half->whole, state);
		free(half->file);
		feed_clear(&half->feed);
	}
	free(p->torrent);
	free(p->metadata);
	free(p);
}

bool
peers_bytes(struct peers *p, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &p->half[from];
	if (half->step == STEP_OVER)
		return false;
	if (feed_bytes(&half->feed, step, p, from, bytes, len, NULL) == FEED_MORE)
		return true;
	half->step = STEP_OVER;
	return false;
}

void
peers_gap(struct peers *p, enum side from, uint64_t len)
{
	struct half *half = &p->half[from];

	feed_gap(&half->feed);
	bool inside = half->step == STEP_BLOCK || half->step == STEP_METADATA || half->step == STEP_SKIP;
	if (!inside || len > half->left) {
		if (half->step == STEP_BLOCK && half->whole != NULL)
			transfer_skip(half->whole, half->left);
		half->step = half->step == STEP_HANDSHAKE || half->step == STEP_HIDDEN || half->step == STEP_OVER ? half->step : STEP_SEARCH;
		return;
	}
	if (half->step == STEP_BLOCK && half->whole != NULL)
		transfer_skip(half->whole, len);
	half->at += len;
	half->left -= (uint32_t)len;
	if (half->left == 0)
		half->step = STEP_HEAD;
}

bool
peers_busy(const struct peers *p)
{
	return p != NULL && (p->half[0].file != NULL || p->half[1].file != NULL || p->half[0].whole != NULL || p->half[1].whole != NULL);
}

bool
peers_known(const struct peers *p)
{
	return p->hashed;
}

bool
peers_hidden(const struct peers *p)
{
	const enum step a = p->half[SIDE_SOURCE].step, b = p->half[SIDE_DESTINATION].step;
	return !p->hashed && (a == STEP_HIDDEN || b == STEP_HIDDEN || a == STEP_OVER || b == STEP_OVER);
}

enum verdict
bittorrent_probe_half(const uint8_t *bytes, size_t len)
{
	size_t n = len < 20 ? len : 20;

	if (len == 0)
		return VERDICT_MORE;
	if (memcmp(bytes, handshake, n) != 0)
		return VERDICT_NOT_MINE;
	return n == 20 ? VERDICT_DONE : VERDICT_MORE;
}

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct peers *p = ctx;
	struct half *half = &p->half[from];
	const size_t n = len < half->left ? len : half->left;

	switch (half->step) {
	case STEP_HANDSHAKE:
		return handshake_step(p, from, bytes, len);
	case STEP_HIDDEN:
		return hidden_step(p, from, bytes, len);
	case STEP_HEAD:
		return head_step(p, from, reader_init(bytes, len));
	case STEP_PIECE:
		return piece_step(p, from, reader_init(bytes, len));
	case STEP_EXTENDED:
		return extended_step(p, from, bytes, len);
	case STEP_BLOCK:
		block(p, from, bytes, n);
		break;
	case STEP_METADATA:
		add_metadata(p, half->at, bytes, n);
		break;
	case STEP_SKIP:
		break;
	case STEP_SEARCH:
		return search_step(half, bytes, len);
	case STEP_OVER:
		return STEP_LOST;
	}
	half->at += n;
	half->left -= (uint32_t)n;
	if (half->left == 0)
		half->step = STEP_HEAD;
	return n;
}

/* Behind a gap: up to a block as all clients send them, 16 KB at a multiple of it. */
static size_t
search_step(struct half *half, const uint8_t *bytes, size_t len)
{
	static const uint8_t word[] = {0, 0, 0x40, 9, MSG_PIECE};
	const uint8_t *at = memmem(bytes, len, word, sizeof word);

	if (at == NULL)
		return len < sizeof word ? STEP_MORE : len - (sizeof word - 1);
	size_t before = (size_t)(at - bytes);
	if (before > 0)
		return before;
	if (len < 13)
		return STEP_MORE;
	struct reader r = reader_init(bytes + 5, 8);
	uint32_t index = reader_be32(&r), begin = reader_be32(&r);
	if (begin % METADATA_BLOCK != 0 || begin > 1 << 26 || index > 1 << 22)
		return 1;
	half->left = METADATA_BLOCK + 8;
	half->step = STEP_PIECE;
	return 5;
}

/* Message stream encryption may end, once a key is agreed on, in a handshake in clear. */
static size_t
hidden_step(struct peers *p, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &p->half[from];
	const uint8_t *at = memmem(bytes, len, handshake, sizeof handshake - 1);

	if (at == bytes) {
		half->step = STEP_HANDSHAKE;
		half->left = 0;
		return handshake_step(p, from, bytes, len);
	}
	const size_t n = at != NULL ? (size_t)(at - bytes) : len >= sizeof handshake - 1 ? len - (sizeof handshake - 2) : 0;
	half->left += (uint32_t)n;
	if (half->left > HIDDEN_MAX)
		return STEP_LOST;
	return n > 0 ? n : STEP_MORE;
}

/* The protocol's name, 8 reserved bytes, what it is about, who is there. */
static size_t
handshake_step(struct peers *p, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &p->half[from];

	if (bittorrent_probe_half(bytes, len) == VERDICT_NOT_MINE) {
		half->step = STEP_HIDDEN;
		return hidden_step(p, from, bytes, len);
	}
	/* The initiator may wait with its name until the other end has answered. */
	if (len >= HANDSHAKE_SIZE - 20 && !p->hashed) {
		p->hashed = true;
		memcpy(p->hash, bytes + 28, 20);
		bittorrent_tell_hash(p->session, p->hash);
	}
	if (len < HANDSHAKE_SIZE)
		return STEP_MORE;
	name_client(half, bytes + 48);
	/* Over TCP who connects does so from any port. */
	if (from == SIDE_DESTINATION || session_ends(p->session).transport == IPPROTO_UDP)
		bittorrent_know_end(p->session, from);
	half->step = STEP_HEAD;
	return HANDSHAKE_SIZE;
}

/* "-TR4050-" and random letters (BEP 20). */
static void
name_client(struct half *half, const uint8_t id[20])
{
	static const struct {
		char code[3];
		const char *name;
	} known[] = {
	        {"UT", "µTorrent"}, {"UM", "µTorrent Mac"}, {"TR", "Transmission"}, {"qB", "qBittorrent"}, {"DE", "Deluge"},
	        {"lt", "libTorrent (Rakshasa)"}, {"LT", "libtorrent (Rasterbar)"}, {"AZ", "Vuze"}, {"BT", "BitTorrent"},
	        {"BC", "BitComet"}, {"KT", "KTorrent"}, {"WW", "WebTorrent"}, {"BI", "BiglyBT"}, {"A2", "aria2"}, {"XL", "Xunlei"},
	        {"SD", "Xunlei"}, {"TT", "TuoTu"}, {"FL", "Flud"}, {"TL", "Tribler"},
	};
	char version[6] = "";

	if (memcmp(id, "A2-", 3) == 0) {
		(void)snprintf(half->client, sizeof half->client, "aria2");
		return;
	}
	if (id[0] != '-' || id[7] != '-' || !text_is_ascii(id, 8) || id[1] < ' ' || id[2] < ' ')
		return;
	for (size_t i = 0; i < 4; i++)
		version[i] = id[3 + i] > ' ' ? (char)id[3 + i] : '?';
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (memcmp(id + 1, known[i].code, 2) == 0) {
			(void)snprintf(half->client, sizeof half->client, "%s %s", known[i].name, version);
			return;
		}
	(void)snprintf(half->client, sizeof half->client, "%c%c %s", id[1], id[2], version);
}

static size_t
head_step(struct peers *p, enum side from, struct reader r)
{
	struct half *half = &p->half[from];
	uint32_t len = reader_be32(&r);
	(void)p;

	if (!reader_ok(&r))
		return STEP_MORE;
	if (len == 0) /* still there */
		return 4;
	if (len > MESSAGE_MAX)
		return STEP_LOST;
	uint8_t id = reader_u8(&r);
	if (!reader_ok(&r))
		return STEP_MORE;
	half->left = len - 1;
	half->step = half->left == 0                            ? STEP_HEAD
	             : id == MSG_PIECE && half->left >= 8        ? STEP_PIECE
	             : id == MSG_EXTENDED                        ? STEP_EXTENDED
	                                                         : STEP_SKIP;
	return 5;
}

static size_t
piece_step(struct peers *p, enum side from, struct reader r)
{
	struct half *half = &p->half[from];
	uint32_t index = reader_be32(&r), begin = reader_be32(&r);

	if (!reader_ok(&r))
		return STEP_MORE;
	if (p->torrent == NULL)
		look_up(p);
	half->left -= 8;
	half->at = p->torrent != NULL ? index * p->torrent->piece + begin : 0;
	half->pieces++;
	half->step = half->left > 0 ? STEP_BLOCK : STEP_HEAD;
	return 8;
}

/* A number and a dictionary, behind which metadata may follow (BEP 9, 10). */
static size_t
extended_step(struct peers *p, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &p->half[from];
	size_t n = half->left < EXTENDED_HEAD ? half->left : EXTENDED_HEAD;

	if (len < n)
		return STEP_MORE;
	struct reader r = reader_init(bytes + 1, n - 1);
	struct bencode d = bencode_take(&r);
	half->step = STEP_SKIP;
	if (d.kind != 'd') {
		half->left -= 1;
		half->step = half->left > 0 ? STEP_SKIP : STEP_HEAD;
		return 1;
	}
	half->left -= (uint32_t)(1 + d.all_len);
	if (bytes[0] == 0)
		take_extensions(p, from, &d);
	else if (bytes[0] == p->half[side_other(from)].metadata_id)
		take_metadata(p, half, &d, half->left);
	if (half->left == 0)
		half->step = STEP_HEAD;
	return 1 + d.all_len;
}

static void
take_extensions(struct peers *p, enum side from, const struct bencode *d)
{
	struct half *half = &p->half[from];
	struct bencode m = bencode_get(d, "m"), id = bencode_get(&m, "ut_metadata"), v = bencode_get(d, "v");

	if (bencode_number(&id, &half->metadata_id) != 0 || half->metadata_id > 255)
		half->metadata_id = 0;
	if (v.kind != 's' || v.len == 0)
		return;
	half->client_told = true;
	if (from == SIDE_SOURCE)
		session_client(p->session, v.bytes, v.len);
	else
		session_server(p->session, v.bytes, v.len);
}

static void
take_metadata(struct peers *p, struct half *half, const struct bencode *d, uint32_t left)
{
	struct bencode type = bencode_get(d, "msg_type"), piece = bencode_get(d, "piece"), all = bencode_get(d, "total_size");
	uint64_t kind, index, size;

	if (left == 0 || p->torrent != NULL || bencode_number(&type, &kind) != 0 || kind != 1 || bencode_number(&piece, &index) != 0 ||
	        bencode_number(&all, &size) != 0 || size == 0 || size > TORRENT_INFO_MAX || index > size / METADATA_BLOCK)
		return;
	if (p->metadata == NULL) {
		p->metadata = malloc((size_t)size);
		p->metadata_size = p->metadata != NULL ? (size_t)size : 0;
	}
	half->at = index * METADATA_BLOCK;
	half->step = STEP_METADATA;
}

/* Blocks come in order, as they are asked for; another order only means that nothing is put together. */
static void
add_metadata(struct peers *p, uint64_t at, const uint8_t *bytes, size_t len)
{
	if (at != p->metadata_have || len > p->metadata_size - p->metadata_have || p->torrent != NULL)
		return;
	memcpy(p->metadata + at, bytes, len);
	p->metadata_have += len;
	if (p->metadata_have == p->metadata_size)
		finish_metadata(p);
}

/* Only what the info hash names is believed. */
static void
finish_metadata(struct peers *p)
{
	char hex[DIGEST_HEX_MAX], own[41], key[16 + 20] = "bittorrent.info:";
	uint8_t note[NOTE_SIZE];
	struct digest *d = digest_open(session_digests(p->session), DIGEST_SHA1);

	digest_add(d, p->metadata, p->metadata_size);
	if (digest_close(d, hex) == NULL || !p->hashed || strcmp(hex, text_hex(own, p->hash, 20)) != 0)
		return;
	p->torrent = malloc(sizeof *p->torrent);
	if (p->torrent == NULL || !torrent_parse(p->torrent, p->metadata, p->metadata_size)) {
		free(p->torrent);
		p->torrent = NULL;
		return;
	}
	size_t n = torrent_write(p->torrent, note, sizeof note);
	memcpy(key + 16, p->hash, 20);
	if (n > 0)
		(void)session_note(p->session, NOTE_ALL, key, sizeof key, note, n);
	tell_torrent(p);
}

static void
tell_torrent(struct peers *p)
{
	const struct torrent *t = p->torrent;
	session_detail_number(p->session, "bittorrent.size", t->size);
	session_detail_number(p->session, "bittorrent.piece_length", t->piece);
	session_detail(p->session, "bittorrent.name", t->text, t->files > 0 ? t->file[0].path_len : 0);
	for (size_t i = 1; i < t->files; i++)
		session_detail(p->session, "bittorrent.name", t->text + t->file[i].path, t->file[i].path_len);
}

/* Another session may have seen the metadata. */
static void
look_up(struct peers *p)
{
	char key[16 + 20] = "bittorrent.info:";
	size_t len;

	if (p->looked || !p->hashed || p->half[0].whole != NULL || p->half[1].whole != NULL)
		return;
	p->looked = true;
	memcpy(key + 16, p->hash, 20);
	const void *note = session_noted(p->session, NOTE_ALL, key, sizeof key, &len);
	if (note == NULL || (p->torrent = malloc(sizeof *p->torrent)) == NULL)
		return;
	if (torrent_read(p->torrent, note, len)) {
		tell_torrent(p);
		return;
	}
	free(p->torrent);
	p->torrent = NULL;
}

/* A part of a block, at its place where that is known. */
static void
block(struct peers *p, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &p->half[from];
	char name[64] = "urn:btih:";

	if (p->torrent == NULL || half->whole != NULL) {
		if (half->whole == NULL)
			half->whole = transfer_begin(p->session, &(struct transfer_start){.sender = from,
			                                                 .method = "piece",
			                                                 .path = name,
			                                                 .path_len = 9 + strlen(text_hex(name + 9, p->hash, 20))});
		transfer_skip(half->whole, len);
		return;
	}
	if (half->file == NULL)
		half->file = calloc(p->torrent->files, sizeof *half->file);
	for (size_t i = 0; half->file != NULL && i < p->torrent->files && len > 0; i++) {
		const struct torrent_file *f = &p->torrent->file[i];
		uint64_t first = half->at > f->offset ? half->at : f->offset;
		uint64_t last = half->at + len < f->offset + f->size ? half->at + len : f->offset + f->size;
		if (first < last)
			file_block(p, from, i, first - f->offset, bytes + (first - half->at), (size_t)(last - first));
	}
}

static void
file_block(struct peers *p, enum side from, size_t index, uint64_t at, const uint8_t *bytes, size_t len)
{
	const struct torrent_file *f = &p->torrent->file[index];
	struct transfer **t = &p->half[from].file[index];

	if (*t == NULL)
		*t = transfer_begin(p->session, &(struct transfer_start){.sender = from,
		                                        .method = "piece",
		                                        .path = p->torrent->text + f->path,
		                                        .path_len = f->path_len,
		                                        .size_known = true,
		                                        .size = f->size});
	transfer_data(*t, at, bytes, len);
}
