/* What the files of NFS share: the conversation, its calls that wait for an answer, and its files. */
#ifndef WAYBILL_PROTO_NFS_H
#define WAYBILL_PROTO_NFS_H

#include <sys/queue.h>

#include "proto/proto.h"
#include "proto/rpc.h"

enum {
	NFS_HANDLE_MAX = 128, /* RFC 8881 section 3.1; 64 in version 3, always 32 in version 2 */
	NFS_ID_MAX = 480,     /* with names, so that it fits a note's key */
	NFS_PATH_MAX = 4096,
	NFS_OPS_MAX = 24,     /* operations of a COMPOUND that are remembered */
};

/*
 * An object as far as it is known by now: a handle, and names below it where no handle of the object itself was
 * told yet. Without a handle the names begin at the server's root, with "/". len 0: not known.
 */
struct nfs_id {
	uint16_t len, handle_len;
	uint8_t bytes[NFS_ID_MAX];
};

/* ---- calls (nfs_call.c) ---- */

struct nfs_op {
	uint32_t code;
	uint32_t count;
	uint64_t offset;
	uint16_t at[2], len[2]; /* two texts, in the call's store */
	bool flag;
};

struct nfs_program;

struct nfs_call {
	TAILQ_ENTRY(nfs_call) order; /* oldest first; or among the spare ones */
	LIST_ENTRY(nfs_call) bucket;
	unsigned refs;
	bool waiting;                /* in the table */
	uint32_t xid, version, procedure;
	const struct nfs_program *program;
	bool has_uid, wrapped;       /* wrapped: RPCSEC_GSS with integrity */
	bool starts_tls;
	uint32_t uid, gid;
	size_t op_count;
	struct nfs_op op[NFS_OPS_MAX];
	uint8_t *store;
	size_t store_len, store_size;
};

TAILQ_HEAD(nfs_call_list, nfs_call);
LIST_HEAD(nfs_call_bucket, nfs_call);

enum { NFS_CALL_BUCKETS = 64, NFS_ANSWERED = 128 };

struct nfs_calls {
	struct nfs_call_bucket bucket[NFS_CALL_BUCKETS];
	struct nfs_call_list waiting, spare;
	size_t count;
	uint32_t answered[NFS_ANSWERED]; /* transaction numbers answered last, by hash */
};

void nfs_calls_init(struct nfs_calls *c);
void nfs_calls_clear(struct nfs_calls *c);
/* A call that is referenced; NULL where memory is out, or it was answered already (a retransmission). */
struct nfs_call *nfs_call_add(struct nfs_calls *c, uint32_t xid);
bool nfs_call_is_known(const struct nfs_calls *c, uint32_t xid);
/* Takes the call that this answers out of the table, referenced; or NULL. */
struct nfs_call *nfs_call_answer(struct nfs_calls *c, uint32_t xid);
void nfs_call_unref(struct nfs_calls *c, struct nfs_call *call); /* takes NULL */
/* The next operation, or NULL: too many. */
struct nfs_op *nfs_call_op(struct nfs_call *call, uint32_t code);
/* Keeps a text (0 or 1) of op. What is too long is kept empty. */
void nfs_call_text(struct nfs_call *call, struct nfs_op *op, size_t which, struct reader text);
struct reader nfs_op_text(const struct nfs_call *call, const struct nfs_op *op, size_t which);

/* ---- the conversation (nfs.c) ---- */

/* A message that is being read. */
struct nfs_message {
	bool headed;             /* its RPC head was read */
	bool reply;
	struct nfs_call *call;   /* the call itself, or the one that is answered */
	size_t op;               /* of call->op, the next */
	uint32_t step, left;     /* where a reader of several steps stands */
	uint32_t segments;       /* of READ_PLUS, still to come */
	bool flag;
	bool opens;              /* OPEN succeeded, and its handle is to come */
	uint8_t opened[12];
	struct nfs_id current, saved; /* version 4 */
	struct transfer *part;   /* of the file whose bytes come now */
	uint64_t at;
};

struct nfs_file;
TAILQ_HEAD(nfs_file_list, nfs_file);

struct nfs {
	struct session *session;
	struct rpc_stream stream[2];
	struct nfs_message message[2];
	struct nfs_calls calls;
	struct table *files;          /* NULL until there is one */
	struct nfs_file_list by_use;  /* longest unused first */
	bool seen[2];                 /* bytes of this side came */
	bool ended[2];                /* and no more will */
	bool client_told;             /* a call was seen, which tells who is the client */
	enum side client;
	bool version_told, machine_told, datagrams;
	bool over;                    /* nothing more is of interest */
	uint32_t uid;
	bool uid_told;
	bool switches;                /* TLS begins */
	bool unreadable;
};

/* Arguments and results of one program. */
struct nfs_program {
	uint32_t number, first, last; /* versions */
	const char *name;             /* network.protocol */
	enum rpc_step (*take_call)(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
	enum rpc_step (*take_reply)(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
};

enum rpc_step nfs3_call(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
enum rpc_step nfs3_reply(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
enum rpc_step nfs4_call(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
enum rpc_step nfs4_reply(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
enum rpc_step nfs_mount_call(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
enum rpc_step nfs_mount_reply(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);

/* ---- names (nfs_name.c) ---- */

void nfs_id_handle(struct nfs_id *id, struct reader handle);
void nfs_id_root(struct nfs_id *id);
/* Goes down to name; not known if that is too long. */
void nfs_id_enter(struct nfs_id *id, struct reader name);

/* The server told that handle is what stands at this place. */
void nfs_name_learn(struct nfs *n, const struct nfs_id *place, struct reader handle);
/* Another handle for the same object. */
void nfs_name_alias(struct nfs *n, const struct nfs_id *of, struct reader handle);
/* What stood at from is at to now. */
void nfs_name_move(struct nfs *n, const struct nfs_id *from, const struct nfs_id *to);
/* What stands at place, as far as its handle is known; else place itself. */
struct nfs_id nfs_name_at(struct nfs *n, const struct nfs_id *place);
/* The path as far as it is known; its length, 0 for nothing. */
size_t nfs_name_path(struct nfs *n, const struct nfs_id *id, uint8_t path[NFS_PATH_MAX]);

/* ---- files (nfs_file.c) ---- */

struct nfs_state { /* what a reply says of a file */
	bool size_known;
	uint64_t size;
};

/* len bytes of the file come with this message (bulk), at offset. */
void nfs_file_read(struct nfs *n, struct nfs_message *m, const struct nfs_id *id, uint64_t offset, uint32_t len,
        const struct nfs_state *state, bool eof);
void nfs_file_write(struct nfs *n, struct nfs_message *m, const struct nfs_id *id, uint64_t offset, uint32_t len);
/* len zeros of the file that are told and don't come. */
void nfs_file_hole(struct nfs *n, struct nfs_message *m, const struct nfs_id *id, uint64_t offset, uint64_t len, bool eof);
/* Those bytes, or NULL for such as were not seen; left: how many come behind them. */
void nfs_file_bytes(struct nfs_message *m, const uint8_t *bytes, size_t len, uint32_t left);
void nfs_file_bytes_end(struct nfs_message *m);

/* The server copied len bytes of the saved file (0: all there are) into the current one, to offset. method: static. */
void nfs_file_copied(struct nfs *n, struct nfs_message *m, const char *method, uint64_t offset, uint64_t len, bool stable);

/* A WRITE was answered. stable: no COMMIT need follow. */
void nfs_file_written(struct nfs *n, const struct nfs_id *id, uint32_t status, bool stable, const struct nfs_state *state);
void nfs_file_committed(struct nfs *n, const struct nfs_id *id, const struct nfs_state *state);
void nfs_file_created(struct nfs *n, const struct nfs_call *call, const struct nfs_id *id);
void nfs_file_opened(struct nfs *n, const struct nfs_call *call, const struct nfs_id *id, struct reader state, bool created);
/* Its bytes move by other ways too. */
void nfs_file_elsewhere(struct nfs *n, const struct nfs_id *id);
void nfs_file_closed(struct nfs *n, const struct nfs_id *id);
void nfs_file_state(struct nfs *n, const struct nfs_id *id, const struct nfs_state *state);
void nfs_file_emptied(struct nfs *n, const struct nfs_id *id);
void nfs_file_renamed(struct nfs *n, const struct nfs_id *from, const struct nfs_id *to);
void nfs_file_removed(struct nfs *n, const struct nfs_id *place);
/* Files that nothing was done with for a while are over. */
void nfs_files_age(struct nfs *n);
void nfs_files_clear(struct nfs *n);

#endif
