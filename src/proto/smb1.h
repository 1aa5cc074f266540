/* One SMB 1 message, and what its commands do (MS-CIFS 2.2.4, MS-SMB 2.2.4). */
#ifndef WAYBILL_PROTO_SMB1_H
#define WAYBILL_PROTO_SMB1_H

#include "base/reader.h"
#include "proto/smb_handle.h"
#include "proto/smb_status.h"

enum smb1_command { /* MS-CIFS 2.2.2.1 */
	SMB1_OPEN = 0x02,
	SMB1_CREATE = 0x03,
	SMB1_CLOSE = 0x04,
	SMB1_DELETE = 0x06,
	SMB1_RENAME = 0x07,
	SMB1_READ = 0x0a,
	SMB1_WRITE = 0x0b,
	SMB1_CREATE_NEW = 0x0f,
	SMB1_LOCK_AND_READ = 0x13,
	SMB1_WRITE_AND_UNLOCK = 0x14,
	SMB1_LOCKING_ANDX = 0x24,
	SMB1_WRITE_AND_CLOSE = 0x2c,
	SMB1_OPEN_ANDX = 0x2d,
	SMB1_READ_ANDX = 0x2e,
	SMB1_WRITE_ANDX = 0x2f,
	SMB1_TRANSACTION2 = 0x32,
	SMB1_TREE_CONNECT = 0x70,
	SMB1_TREE_DISCONNECT = 0x71,
	SMB1_NEGOTIATE = 0x72,
	SMB1_SESSION_SETUP_ANDX = 0x73,
	SMB1_LOGOFF_ANDX = 0x74,
	SMB1_TREE_CONNECT_ANDX = 0x75,
	SMB1_NT_TRANSACT = 0xa0,
	SMB1_NT_CREATE_ANDX = 0xa2,
	SMB1_NONE = 0xff,
};

struct smb1_message {
	uint8_t command;
	uint32_t status;   /* NT status, or a DOS class and error: 0 is success in both */
	bool answer, unicode;
	uint16_t tree, logon;
	uint64_t id;
	size_t len;        /* of all of it; what was kept may be less */
	struct reader all; /* from the header on, as far as it was kept */
};

/* One command of the chain (MS-CIFS 2.2.3.4): its parameter words, behind AndX, and its bytes. */
struct smb1_block {
	uint8_t command;
	unsigned place;    /* in the chain */
	size_t word_count;
	struct reader words, bytes;
};

typedef void smb1_request_fn(struct smb *h, const struct smb1_message *m, const struct smb1_block *b,
        struct smb_request *r, struct smb_sink *sink);
/* r: NULL where the request was not seen. */
typedef void smb1_answer_fn(struct smb *h, const struct smb1_message *m, const struct smb1_block *b,
        struct smb_request *r, struct smb_sink *sink);

/* len bytes at an offset from the header; empty where they aren't all there. */
struct reader smb1_buffer(const struct smb1_message *m, size_t offset, size_t len);
/* A string at r's beginning, aligned where it is UTF-16; with a format byte before it (format), where commands are old. */
void smb1_string(const struct smb1_message *m, struct reader *r, bool format, struct smb_text *out);
/* The file with this FID, or the one that the chain just opens. create: also one that isn't known so far. */
struct smb_handle *smb1_file(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, uint16_t fid,
        bool create);
/* The bytes of a file that are in the message at offset: given at once as far as they are there; the rest is *sink's. */
void smb1_bytes(struct smb *h, const struct smb1_message *m, struct smb_handle *f, bool upload, uint64_t offset,
        size_t at, size_t len, struct smb_sink *sink);

/* ---- smb1_setup.c ---- */
smb1_request_fn smb1_negotiate_request, smb1_setup_request, smb1_connect_request, smb1_old_connect_request;
smb1_answer_fn smb1_negotiate_answer, smb1_setup_answer, smb1_logoff_answer, smb1_connect_answer,
        smb1_old_connect_answer, smb1_disconnect_answer;

/* ---- smb1_file.c ---- */
smb1_request_fn smb1_nt_create_request, smb1_open_request, smb1_old_open_request, smb1_close_request,
        smb1_read_request, smb1_old_read_request, smb1_write_request, smb1_old_write_request;
smb1_answer_fn smb1_nt_create_answer, smb1_open_answer, smb1_old_open_answer, smb1_close_answer, smb1_read_answer,
        smb1_old_read_answer, smb1_write_answer;

/* ---- smb1_trans.c ---- */
smb1_request_fn smb1_trans2_request, smb1_rename_request, smb1_delete_request;
smb1_answer_fn smb1_trans2_answer, smb1_rename_answer, smb1_delete_answer;

#endif
