/*
 * SMB, as its parts know it:
 *   smb          probe, conversation        smb2         messages, compounds
 *   smb_frame    units out of the stream    smb2_setup   negotiate, logon, shares
 *   smb_context  logons, shares, channels   smb2_file    opens, reads, writes, closes
 *   smb_handle   open files and what moves  smb2_info    sizes, renames, copies by the server
 *   smb_request  what waits for an answer   smb1         messages, AndX, negotiate, logon, shares
 *   smb_token    NTLM and Kerberos          smb1_file, smb1_trans  the same for SMB 1
 */
#ifndef WAYBILL_PROTO_SMB_H
#define WAYBILL_PROTO_SMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proto/proto.h"
#include "proto/smb_request.h"
#include "proto/smb_text.h"

struct table;
struct smb_handle;
struct smb_token;

enum { SMB_GUID = 16 };

enum smb_share {
	SMB_SHARE_UNKNOWN,
	SMB_SHARE_DISK,
	SMB_SHARE_PIPE,
	SMB_SHARE_PRINT,
};

struct smb_logon {
	TAILQ_ENTRY(smb_logon) next;
	uint64_t id;          /* SessionId, or UID of SMB 1 */
	struct addr addr[2];  /* of the connection where it began: the same for all channels */
	size_t user_len;
	char user[];          /* UTF-8 */
};

struct smb_tree {
	TAILQ_ENTRY(smb_tree) next;
	uint64_t logon;
	uint32_t id;
	enum smb_share kind;
	bool wide;            /* path is UTF-8 */
	size_t path_len;
	char path[];          /* \\server\share */
};

TAILQ_HEAD(smb_logons, smb_logon);
TAILQ_HEAD(smb_trees, smb_tree);

enum smb_step {
	SMB_STEP_FRAME, /* kept holds the frame's header so far */
	SMB_STEP_HEAD,  /* kept holds the unit's head so far */
	SMB_STEP_DATA,  /* what comes is a file's */
	SMB_STEP_SKIP,  /* left bytes of a unit are of no interest */
	SMB_STEP_LOST,  /* where a frame begins must be found again */
};

/* What follows a unit's head: bytes of a file. */
struct smb_sink {
	struct smb_handle *handle; /* referenced; NULL: nobody's */
	bool upload;
	uint64_t offset;
	uint64_t len;
};

/* One side's stream: frames (messages), each of one or several units (SMB 2 compounds). */
struct smb_half {
	enum smb_step step;
	uint8_t *kept;
	size_t kept_len, kept_room;
	uint64_t frame_left; /* of the message behind the unit at hand */
	uint64_t unit_left;  /* of the unit behind what is kept */
	bool first;          /* the unit at hand is the message's first */
	struct smb_sink sink;
	uint64_t lost;       /* bytes looked through in vain */
};

/* What related requests of a compound take from the one before (MS-SMB2 3.2.4.1.4). */
struct smb_chain {
	uint64_t logon;
	uint32_t tree;
	struct smb_handle *handle; /* referenced */
};

enum { SMB1_DIALECTS_MAX = 16 };

struct smb {
	struct session *session;
	enum side client;
	bool client_known;
	bool two;                /* SMB 2 or 3 */
	bool channels;           /* one logon may use several connections (SMB 3) */
	uint16_t cipher;         /* of SMB 3.1.1, as the server chose it */
	bool unread;             /* something of it was encrypted */
	bool packed;             /* something of it was compressed */
	uint8_t guid[2][SMB_GUID]; /* ClientGuid, ServerGuid */
	bool guid_known[2];
	const char *offered[SMB1_DIALECTS_MAX]; /* of SMB 1, in the client's order; static */
	struct smb_half half[2];
	struct smb_chain chain;
	struct smb_requests requests;
	struct smb_logons logons;
	struct smb_trees trees;
	size_t logon_count, tree_count;
	struct table *handles;
};

/* Who is client is known from the first message. */
void smb_client(struct smb *h, enum side client);
void smb_dialect(struct smb *h, const char *dialect);
/* From here on something can't be read. */
void smb_encrypted(struct smb *h);
void smb_compressed(struct smb *h);

/* ---- smb_frame.c ---- */

enum verdict smb_frame_probe(const uint8_t *bytes, size_t len);
bool smb_frame_data(struct smb *h, enum side from, const uint8_t *bytes, size_t len);
void smb_frame_gap(struct smb *h, enum side from, uint64_t len);
void smb_frame_clear(struct smb_half *half);

/* ---- a unit: one SMB 1 message, or one of those in an SMB 2 compound ---- */

/*
 * How many of its first bytes must be there before it can be taken; have of them are. len: of the whole unit. More
 * than have: come again with as many.
 */
size_t smb1_head(const uint8_t *unit, size_t have, size_t len);
size_t smb2_head(const uint8_t *unit, size_t have, size_t len);
/* Its length out of the rest of the message; have is 24 at least. */
size_t smb2_unit(const uint8_t *unit, size_t have, size_t left);
/* Takes it: have bytes of len. *sink: what the bytes behind have are, where they are a file's. */
void smb1_take(struct smb *h, enum side from, const uint8_t *unit, size_t have, size_t len, struct smb_sink *sink);
void smb2_take(struct smb *h, enum side from, bool first, const uint8_t *unit, size_t have, size_t len,
        struct smb_sink *sink);

/* ---- smb_context.c ---- */

/* Who is logged on under that number, or NULL. Another channel's is found as well. */
struct smb_logon *smb_logon_find(struct smb *h, uint64_t id);
/* user may be empty. NULL: out of memory. */
struct smb_logon *smb_logon_add(struct smb *h, uint64_t id, const void *user, size_t len);
void smb_logon_drop(struct smb *h, uint64_t id);

struct smb_tree *smb_tree_find(struct smb *h, uint64_t logon, uint32_t id);
void smb_tree_add(struct smb *h, uint64_t logon, uint32_t id, enum smb_share kind, const struct smb_text *path);
void smb_tree_drop(struct smb *h, uint64_t logon, uint32_t id);
/* Tells what a logon's messages say but for the account. */
void smb_tell_token(struct smb *h, const struct smb_token *t);
void smb_context_clear(struct smb *h);

/*
 * What all connections between this client and this server know: key begins with a word, its last parts are
 * numbers of this protocol. They are told apart by the ends' GUIDs, or where those were not seen, by addresses.
 */
void smb_note(struct smb *h, const char *word, const void *key, size_t key_len, const void *value, size_t len);
const void *smb_noted(struct smb *h, const char *word, const void *key, size_t key_len, size_t *len);

#endif
