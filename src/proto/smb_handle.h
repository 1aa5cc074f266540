/*
 * Open files of one connection, and the transfers that are made of what is read and written.
 *
 * All that is read of one file (same client, server, account, path, size and time of change) through
 * however many handles and connections is one download; what is written through one handle is one
 * upload. A handle that is read and written has both.
 */
#ifndef WAYBILL_PROTO_SMB_HANDLE_H
#define WAYBILL_PROTO_SMB_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/smb.h"

enum { SMB_RESUME_KEY = 24 };

enum smb_file_kind {
	SMB_FILE_UNKNOWN, /* opened before the capture began */
	SMB_FILE_DATA,
	SMB_FILE_OTHER,   /* a pipe, a directory */
};

struct smb_file_id {
	uint64_t logon;
	uint64_t persistent, volatile_part; /* SMB 1: 0 and FID */
};

struct smb_handle {
	struct smb_file_id id;
	struct smb_file_id origin; /* as it was first opened: another channel's, or before a reconnection */
	uint64_t logon;       /* who opened it */
	unsigned refs;
	enum smb_file_kind kind;
	bool wide;            /* path is UTF-8 */
	bool elsewhere;       /* it was opened on another connection */
	bool bound;           /* its open was answered, and it is in the table */
	bool may_write;       /* it was opened for that */
	bool created;         /* the open made it, or emptied it */
	bool doomed;          /* it is deleted when it is closed */
	bool eof_known;
	bool size_told;       /* the client set eof: that many bytes are to come */
	bool failed;          /* a write was refused, at failed_at */
	bool refused;         /* no transfer could be had */
	uint64_t eof;
	uint64_t changed;     /* LastWriteTime */
	uint64_t written_end;
	uint64_t failed_at;
	struct transfer *transfer[2]; /* [upload] */
	bool copied;          /* the server copied into it */
	bool durable;         /* it outlives the connection (MS-SMB2 3.3.5.9.6) */
	uint64_t read_end;
	bool has_resume_key;
	uint8_t resume_key[SMB_RESUME_KEY];
	size_t share_len;     /* of path: \\server\share */
	size_t path_len;
	char *path;           /* or NULL: not known */
};

/* With one reference, the caller's. NULL: out of memory. */
struct smb_handle *smb_handle_create(void);
struct smb_handle *smb_handle_ref(struct smb_handle *f);
void smb_handle_unref(struct smb_handle *f);

/* name: as in the share, or with server and share before it (dfs). tree may be NULL. */
void smb_handle_name(struct smb_handle *f, const struct smb_tree *tree, const struct smb_text *name, bool dfs);
/* It has another name in the same share. */
void smb_handle_move(struct smb_handle *f, const struct smb_text *name);

/* The open succeeded. Takes no reference of the caller's. */
void smb_handle_bind(struct smb *h, struct smb_handle *f, const struct smb_file_id *id);

/* The one with this number; one that was opened on another channel, or before the capture. NULL: out of memory. */
struct smb_handle *smb_handle_find(struct smb *h, const struct smb_file_id *id, uint32_t tree);

/* The same, but NULL where its opening was not seen. */
struct smb_handle *smb_handle_known(struct smb *h, const struct smb_file_id *id);

/* It can be taken up again after the connection is lost. */
void smb_handle_durable(struct smb *h, const struct smb_handle *f);
/* f takes up what the earlier open with this number was. */
void smb_handle_reconnect(struct smb *h, struct smb_handle *f, uint64_t persistent);

/* The one whose key for copies (FSCTL_SRV_REQUEST_RESUME_KEY) this is, or NULL. */
struct smb_handle *smb_handle_by_resume_key(struct smb *h, const uint8_t key[SMB_RESUME_KEY]);
/* Its number means nothing any more. */
void smb_handle_forget(struct smb *h, struct smb_handle *f);
/* All that are open, at the end. */
void smb_handles_clear(struct smb *h, bool reset);

/* ---- smb_transfer.c: what moves ---- */

void smb_handle_data(struct smb *h, struct smb_handle *f, bool upload, uint64_t offset, const uint8_t *bytes,
        size_t len);
void smb_handle_gap(struct smb *h, struct smb_handle *f, bool upload, uint64_t offset, uint64_t len);
/* There is nothing to be read at offset or beyond. */
void smb_handle_end_of_file(struct smb *h, struct smb_handle *f, uint64_t offset);
/* As an answer tells it. */
void smb_handle_size(struct smb_handle *f, uint64_t eof);
/* The client set it. */
void smb_handle_resize(struct smb_handle *f, uint64_t eof);
/* A write was answered. */
void smb_handle_written(struct smb_handle *f, uint64_t offset, bool refused);
void smb_handle_rename(struct smb *h, struct smb_handle *f, const struct smb_text *name);

/* The server copied len bytes into it; from: where from, or NULL. method: static. */
void smb_handle_copied(struct smb *h, struct smb_handle *f, const char *method, const struct smb_handle *from,
        uint64_t offset, uint64_t len);

/* It was closed. eof: as the server told it, where known. */
void smb_handle_close(struct smb *h, struct smb_handle *f, bool eof_known, uint64_t eof);
/* The connection is over, or f had to make room. */
void smb_handle_cut_off(struct smb *h, struct smb_handle *f, bool reset);
void smb_handle_drop_transfers(struct smb_handle *f, enum transfer_state state);

#endif
