/* One SMB 2 message, and what its commands do (MS-SMB2 2.2). */
#ifndef WAYBILL_PROTO_SMB2_H
#define WAYBILL_PROTO_SMB2_H

#include "base/reader.h"
#include "proto/smb_handle.h"
#include "proto/smb_status.h"

enum smb2_command { /* MS-SMB2 2.2.1 */
	SMB2_NEGOTIATE = 0,
	SMB2_SESSION_SETUP = 1,
	SMB2_LOGOFF = 2,
	SMB2_TREE_CONNECT = 3,
	SMB2_TREE_DISCONNECT = 4,
	SMB2_CREATE = 5,
	SMB2_CLOSE = 6,
	SMB2_READ = 8,
	SMB2_WRITE = 9,
	SMB2_CANCEL = 12,
	SMB2_IOCTL = 11,
	SMB2_QUERY_DIRECTORY = 14,
	SMB2_CHANGE_NOTIFY = 15,
	SMB2_QUERY_INFO = 16,
	SMB2_SET_INFO = 17,
	SMB2_COMMANDS = 19,
};

enum { SMB2_HEADER_LEN = 64 };

struct smb2_message {
	uint16_t command;
	uint32_t status;   /* of an answer */
	uint64_t id;
	uint32_t tree;
	uint64_t logon;
	bool answer, related, async, dfs, replay;
	struct reader all; /* from the header on, as far as it was kept */
	struct reader body;
};

/* len bytes at an offset from the header; empty where they aren't all there. */
struct reader smb2_buffer(const struct smb2_message *m, size_t offset, size_t len);

/* The open file that is named next in r. create: also one that isn't known so far. NULL: none. */
struct smb_handle *smb2_file(struct smb *h, const struct smb2_message *m, struct reader *r, bool create);

/* NULL: all that there is to be known is in the header. */
typedef void smb2_request_fn(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink);
/* r: NULL where the request was not seen. */
typedef void smb2_answer_fn(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink);

/* ---- smb2_setup.c ---- */
smb2_request_fn smb2_negotiate_request, smb2_setup_request, smb2_connect_request;
smb2_answer_fn smb2_negotiate_answer, smb2_setup_answer, smb2_logoff_answer, smb2_connect_answer,
        smb2_disconnect_answer;

/* ---- smb2_file.c ---- */
smb2_request_fn smb2_create_request, smb2_close_request, smb2_read_request, smb2_write_request;
smb2_answer_fn smb2_create_answer, smb2_close_answer, smb2_read_answer, smb2_write_answer;

/* ---- smb2_info.c ---- */
smb2_request_fn smb2_ioctl_request, smb2_query_request, smb2_set_request;
smb2_answer_fn smb2_ioctl_answer, smb2_query_answer, smb2_set_answer;

#endif
