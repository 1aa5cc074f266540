/*
 * The waybill: what becomes of one file, from its first byte to the record that
 * is told of it. A struct transfer is one movement of it in one session; only a
 * file that comes in joined ranges has several of them.
 */
#ifndef WAYBILL_TRANSFER_WAYBILL_H
#define WAYBILL_TRANSFER_WAYBILL_H

#include <sys/queue.h>

#include "base/arena.h"
#include "transfer/assembly.h"
#include "transfer/parts.h"
#include "transfer/transfer.h"

TAILQ_HEAD(waybill_list, waybill);

struct waybill {
	TAILQ_ENTRY(waybill) all;
	TAILQ_ENTRY(waybill) waiting;
	struct transfer_tracker *tracker;
	struct session *session; /* referenced; of the first part */
	struct session *data;    /* referenced: its data connection, or NULL */
	struct arena arena;
	struct assembly assembly;
	/* Filled as it becomes known; flow, data, the sizes and hashes only when it is told. */
	struct transfer_record record;
	struct text account;     /* the session's at the beginning */
	struct details *details;
	uint32_t ordinal;        /* in its session */
	int64_t last;            /* packet time of the last byte */
	int64_t last_part;       /* packet time when the last part of a joined file ended */
	EVP_MD_CTX *sent;        /* hash of what was sent */
	bool sent_broken;        /* not all of that was seen */
	bool moved;              /* a byte of it */
	bool accepted;
	bool began;              /* told */
	bool ended;              /* told, or never to be */
	bool rewrites;           /* bytes that come again replace those before */
	bool is_waiting;
	size_t parts;            /* struct transfer that refer to it */
	void *key;               /* of a joined file, in arena; else NULL */
	size_t key_len;
	struct parts *numbered;  /* of a joined file whose parts have numbers instead of places; else NULL */
};

struct transfer {
	LIST_ENTRY(transfer) in_session; /* session->transfers */
	LIST_ENTRY(transfer) in_data;    /* data->carried */
	struct session *session;  /* referenced while open */
	struct session *data;     /* referenced by the waybill; NULL: none */
	struct waybill *waybill;  /* NULL: over */
	uint64_t at;              /* where appended bytes go */
	uint32_t part;            /* its number, and at is within it; 0: it has none */
};

/* A waybill that is not yet told. NULL at a limit, counted. */
struct waybill *waybill_open(struct session *s, enum side sender, uint64_t offset, bool refill);

/* Its first byte moved, or it was accepted: told where it was not yet. */
void waybill_begin(struct waybill *w);

/* An inferred one that was told has grown much. */
void waybill_grow(struct waybill *w);

/* Bytes of it moved just now. */
void waybill_move(struct waybill *w);

/* Settles sizes, state, hashes and type, and tells it where it had begun. It stays for its parts. */
void waybill_end(struct waybill *w, enum transfer_state state);

/* Never to be told; only where it had not begun. */
void waybill_forget(struct waybill *w);

/* Frees it where it has ended and no part refers to it. */
void waybill_release(struct waybill *w);

/* Frees it whatever its state, telling nobody. */
void waybill_destroy(struct waybill *w);

/* Was every byte of a file of known size seen? */
bool waybill_whole(const struct waybill *w);

/* ---- transfer.c ---- */

/* The session ended: t is over for everybody, but stays valid while its session lives. */
void transfer_orphan(struct transfer *t, enum transfer_state state);

/* ---- joined.c: files that come in ranges ---- */

/* The file with this key that other parts belong to, or NULL. */
struct waybill *joined_find(struct session *s, const struct transfer_start *start);
/* Makes w findable under the key; where that can't be, it stays a file of its own. */
void joined_add(struct waybill *w, const struct transfer_start *start);
/* A part ended: ends the file if it is whole or no more will come, or sets it aside. */
void joined_part_end(struct waybill *w, enum transfer_state state);
/* Takes it out of table and queue. */
void joined_remove(struct waybill *w);
/* A new part: it waits no longer. */
void joined_resume(struct waybill *w);
/* Ends what waited for too long; all: whatever waits. */
void joined_expire(struct transfer_tracker *t, int64_t now, bool all);

#endif
