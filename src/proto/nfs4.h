/* NFS version 4: operations of a COMPOUND, and how their arguments and results look. */
#ifndef WAYBILL_PROTO_NFS4_H
#define WAYBILL_PROTO_NFS4_H

#include "proto/nfs.h"

enum nfs4_code { /* RFC 7530 section 16, RFC 8881 section 18, RFC 7862 section 15; those that mean something here */
	OP_CLOSE = 4,
	OP_COMMIT = 5,
	OP_CREATE = 6,
	OP_GETATTR = 9,
	OP_GETFH = 10,
	OP_LINK = 11,
	OP_LOCK = 12,
	OP_LOOKUP = 15,
	OP_LOOKUPP = 16,
	OP_OPEN = 18,
	OP_PUTFH = 22,
	OP_PUTPUBFH = 23,
	OP_PUTROOTFH = 24,
	OP_READ = 25,
	OP_READDIR = 26,
	OP_REMOVE = 28,
	OP_RENAME = 29,
	OP_RESTOREFH = 31,
	OP_SAVEFH = 32,
	OP_SETATTR = 34,
	OP_WRITE = 38,
	OP_EXCHANGE_ID = 42,
	OP_LAYOUTGET = 50,
	OP_COPY = 60,
	OP_READ_PLUS = 68,
	OP_CLONE = 71,
};

enum { NFS4_STATE_SIZE = 16, NFS4_NAME_MAX = 1024 };

/* An operation's arguments, as far as they mean something. Texts are borrowed. */
struct nfs4_args {
	uint64_t offset;  /* COPY, CLONE: in the file that is written */
	uint32_t count;   /* READ: asked for; WRITE: bulk that follows; OPEN: its claim */
	bool flag;        /* SETATTR: empties the file; OPEN: creates it */
	bool bulk;
	struct reader text[2]; /* handle or name; the second name of RENAME; CLONE: how many bytes, as it stands */
};

struct nfs4_attributes {
	struct nfs_state state;
	struct reader handle; /* left 0: not told */
};

/* Reads the arguments of an operation. False: it is not known how they look. */
bool nfs4_read_args(uint32_t code, struct reader *r, struct nfs4_args *args);
/* Goes past the results of an operation that succeeded. False: it is not known how they look. */
bool nfs4_skip_results(uint32_t code, struct reader *r);
/* fattr4 (RFC 7530 section 5): size and handle, as far as they are told and can be reached. */
struct nfs4_attributes nfs4_read_attributes(struct reader *r);
/* The results of OPEN behind the state, up to the delegation and with it. */
void nfs4_skip_open_results(struct reader *r);
/* nfs_impl_id4, if there is one: the implementation's name. */
struct reader nfs4_read_implementation(struct reader *r);

#endif
