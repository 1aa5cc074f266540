/*
 * ONC RPC version 2 (RFC 5531): messages out of records (section 11) or datagrams. A message's
 * head is kept until its reader can take it; bulk bytes (what READ and WRITE carry) are passed on as they come.
 */
#ifndef WAYBILL_PROTO_RPC_H
#define WAYBILL_PROTO_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "base/record.h"
#include "base/verdict.h"

enum { RPC_MARK_SIZE = 4 };

/* What the reader of a message says of the bytes at its front. */
enum rpc_step {
	RPC_STEP_MORE,  /* not enough of them: nothing was taken */
	RPC_STEP_TAKEN, /* some were taken; the next may be asked for */
	RPC_STEP_BULK,  /* some were taken, and *bulk bytes follow, then their padding */
	RPC_STEP_OVER,  /* nothing more is wanted of this message */
};

struct rpc_reader {
	void (*begin)(void *ctx, enum side from);
	/* whole: the message has no more bytes than r has. */
	enum rpc_step (*take)(void *ctx, enum side from, struct reader *r, bool whole, uint32_t *bulk);
	/* bytes NULL: they were not seen. left: of the bulk, behind these. */
	void (*bulk)(void *ctx, enum side from, const uint8_t *bytes, size_t len, uint32_t left);
	/* cut: the bulk did not come to its end. */
	void (*end)(void *ctx, enum side from, bool cut);
	/* After lost bytes: does a message begin with r, which may not hold all of it? */
	bool (*begins)(void *ctx, enum side from, struct reader r);
};

enum rpc_part {
	RPC_PART_NONE, /* between messages */
	RPC_PART_HEAD, /* the reader takes it in steps */
	RPC_PART_BULK,
	RPC_PART_PAD,
	RPC_PART_REST, /* not wanted */
};

/* One side's messages. */
struct rpc_stream {
	const struct rpc_reader *reader;
	void *ctx;
	enum side from;

	/* records */
	uint8_t mark[RPC_MARK_SIZE];
	size_t mark_len;
	uint32_t fragment; /* bytes left of the one at hand */
	bool last;         /* it is the record's last */
	bool lost;         /* somewhere in the middle: a record's beginning is looked for */

	/* the message */
	enum rpc_part part;
	uint32_t bulk;     /* bytes left, or of padding */
	uint8_t pad;
	uint8_t *held;     /* of its head, what could not be taken yet */
	size_t held_len, held_size, wanted;
};

void rpc_stream_init(struct rpc_stream *st, const struct rpc_reader *reader, void *ctx, enum side from);
void rpc_stream_clear(struct rpc_stream *st); /* ends the message at hand */

void rpc_stream_data(struct rpc_stream *st, const uint8_t *bytes, size_t len);
void rpc_stream_gap(struct rpc_stream *st, uint64_t len);
/* A whole message. */
void rpc_stream_datagram(struct rpc_stream *st, const uint8_t *bytes, size_t len);

/* What a record's beginning says, as far as it is there. The record's length goes to *len. */
enum verdict rpc_mark_probe(struct reader *r, uint32_t *len);

enum {
	RPC_CALL = 0,
	RPC_REPLY = 1,
};

enum { /* authentication flavours (RFC 5531 section 8.2, RFC 2203, RFC 9289) */
	RPC_AUTH_NONE = 0,
	RPC_AUTH_SYS = 1,
	RPC_AUTH_SHORT = 2,
	RPC_AUTH_DH = 3,
	RPC_AUTH_GSS = 6,
	RPC_AUTH_TLS = 7,
};

enum { RPC_AUTH_MAX = 400 };

struct rpc_call {
	uint32_t xid, program, version, procedure;
	uint32_t flavor;
	struct reader machine; /* RPC_AUTH_SYS */
	uint32_t uid, gid;
	uint32_t gss_procedure, gss_service; /* RPC_AUTH_GSS */
};

/* The head of a call, or of a reply, up to its arguments or results. DONE; MORE; NOT_MINE. */
enum verdict rpc_call_read(struct reader *r, struct rpc_call *call);

struct rpc_reply {
	uint32_t xid;
	bool success;     /* results follow */
	bool starts_tls;  /* the verifier says STARTTLS (RFC 9289 section 4.1) */
};

enum verdict rpc_reply_read(struct reader *r, struct rpc_reply *reply);

/* A variable-length opaque or string (RFC 4506 section 4.10) of at most max bytes, with its padding. */
struct reader rpc_opaque(struct reader *r, size_t max);

#endif
