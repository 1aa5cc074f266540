/* One conversation with an rsync daemon: what its parts in rsync*.c share. Not for others. */
#ifndef WAYBILL_PROTO_RSYNC_H
#define WAYBILL_PROTO_RSYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "proto/feed.h"
#include "proto/proto.h"

enum {
	RSYNC_ARG_MAX = 1024,     /* bytes of a path in the arguments that are kept */
	RSYNC_FILES_MAX = 32768,  /* entries of all file lists that are kept; then files have no names */
	RSYNC_NAMES_MAX = 2 << 20, /* bytes of their names */
	RSYNC_LISTS_MAX = 4096,
	RSYNC_NAME_MAX = 4096,
};

/* What the client's arguments ask for. */
struct rsync_options {
	bool sender;       /* the server sends */
	bool links, owner, group, devices, specials, checksums, hard_links, compress, relative, dry_run;
	bool numeric_ids, append, deletes, prune, secluded;
	bool unreadable;   /* one that changes the file list in a way that is not followed here: ACLs, xattrs, atimes */
	bool negotiates;   /* the client can: "v" behind -e. */
	bool says_checksum, says_compress;
	uint8_t says_sum_size;
	unsigned paths;    /* arguments behind "." */
	uint8_t path[RSYNC_ARG_MAX]; /* the first of them */
	size_t path_len;
};

/* Takes an argument; false when it can't be followed. seen: how many came before. */
void rsync_option(struct rsync_options *o, const uint8_t *arg, size_t len);
/* The checksum of this name has so many bytes; 0: not known. */
unsigned rsync_sum_size(const uint8_t *name, size_t len);

struct rsync_entry {
	uint32_t name, name_len; /* in the pool */
	bool folder, regular, sized;
	uint64_t size;
};

struct rsync_list { /* entries in the order in which both ends count them */
	int32_t start;
	uint32_t first, count;
};

struct rsync_lists { /* all zero is the initial state */
	struct rsync_entry *entry;
	size_t entries, entries_size;
	uint8_t *pool;
	size_t pool_len, pool_size;
	struct rsync_list list[RSYNC_LISTS_MAX];
	size_t count;
	bool overflow;   /* an entry was not kept: what is in the list at hand, and all later ones, has no names */
	uint64_t files, bytes; /* regular files told of, and their sizes */
	/* of the entry before */
	uint8_t last[RSYNC_NAME_MAX];
	size_t last_len;
	uint32_t mode;
};

/* How entries are written. */
struct rsync_format {
	const struct rsync_options *options;
	unsigned protocol;
	bool varint_flags, recurse, id0_names, safe_end;
	unsigned sum_size;
};

enum rsync_got { RSYNC_MORE, RSYNC_ENTRY, RSYNC_END, RSYNC_BAD };

/* Reads one entry or the end of the list. *r stands behind it unless RSYNC_MORE. */
enum rsync_got rsync_list_read(struct rsync_lists *l, const struct rsync_format *f, struct reader *r);
void rsync_list_begin(struct rsync_lists *l);
void rsync_list_end(struct rsync_lists *l, const struct rsync_format *f); /* sorts as both ends do */
const struct rsync_entry *rsync_list_find(const struct rsync_lists *l, int32_t index);
void rsync_list_clear(struct rsync_lists *l);

/* Numbers (io.c of rsync): 1 to 5 bytes, at least min bytes of up to 9. */
int32_t rsync_varint(struct reader *r);
int64_t rsync_varlong(struct reader *r, unsigned min);

/* The sender's half, when multiplexing is undone. */
enum rsync_step {
	RSYNC_FILTERS, /* before the list, where the sender sends them */
	RSYNC_LIST,
	RSYNC_IDS,
	RSYNC_INDEX,
	RSYNC_TOKEN,
	RSYNC_LITERAL,
	RSYNC_SUM,
	RSYNC_OVER,
};

struct rsync_sender {
	struct session *session;
	enum side side;
	struct rsync_format format;
	enum rsync_step step;
	struct feed feed;
	struct rsync_lists *lists;
	unsigned ids_left;       /* id lists still to come */
	int32_t positive, negative; /* the last indices */
	unsigned live, phase;
	bool moved;              /* a file did */
	bool compressed;
	unsigned sum_size;       /* of a file, 0: not known */
	/* the file at hand */
	struct transfer *transfer;
	int32_t block, block_count, block_size, block_last;
	uint64_t at;             /* in the file */
	uint64_t literal, matched; /* bytes of it */
	uint32_t left;           /* of the literal */
	uint32_t sum_left;
	bool sized;
	uint64_t size;
};

void rsync_sender_open(struct rsync_sender *s);
/* False: it can't be followed any more. */
bool rsync_sender_bytes(struct rsync_sender *s, const uint8_t *bytes, size_t len);
void rsync_sender_gap(struct rsync_sender *s, uint64_t len);
void rsync_sender_close(struct rsync_sender *s, bool reset);

#endif
