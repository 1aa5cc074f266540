/*
 * NFS version 4, 4.1 and 4.2 (RFC 7530, 8881, 7862): COMPOUND, an operation at a time. Operations act on a current
 * handle that others put or move; so the same walk is done with the call, for what it writes, and with
 * the reply, for all else. An operation that is not known ends the walk.
 */
#include "config.h"

#include "proto/nfs4.h"

#include <string.h>

enum {
	PROCEDURE_COMPOUND = 1,
	TAG_MAX = 1024,
	UNSTABLE = 0,
	LAYOUT_MAX = 8192,
	LAYOUT_FILES = 1,
};

enum { /* where the reader of a message stands */
	STEP_HEAD,
	STEP_OPERATIONS,
	STEP_SEGMENTS, /* of READ_PLUS */
	STEP_ENTRIES,  /* of READDIR */
};

enum { /* data_content4 (RFC 7862 section 15.10) */
	CONTENT_DATA,
	CONTENT_HOLE,
};

static enum rpc_step call_head(struct nfs *n, struct nfs_message *m, struct reader *r);
static void keep_op(struct nfs_call *call, uint32_t code, const struct nfs4_args *args);
static void tell_client(struct nfs *n, struct reader r);
static enum rpc_step reply_head(struct nfs_message *m, struct reader *r);
static enum rpc_step reply_op(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op, uint32_t *bulk);
static enum rpc_step reply_read(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op, uint32_t *bulk);
static enum rpc_step reply_segments(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
static enum rpc_step reply_entries(struct nfs *n, struct nfs_message *m, struct reader *r);
static enum rpc_step reply_open(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op);
static enum rpc_step reply_layout(struct nfs *n, struct nfs_message *m, struct reader *r);
static enum rpc_step reply_copy(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op);
static enum rpc_step reply_simple(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op);
static enum rpc_step reply_server(struct nfs *n, struct reader *r);
static void done(struct nfs *n, struct nfs_message *m, const struct nfs_op *op, struct reader results);
static void take_handle(struct nfs *n, struct nfs_message *m, struct reader handle);
static void walk(struct nfs_message *m, uint32_t code, bool named, struct reader text);
static struct nfs_id below(const struct nfs_id *directory, struct reader name);

enum rpc_step
nfs4_call(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	struct nfs4_args args;
	if (m->step == STEP_HEAD)
		return call_head(n, m, r);
	if (m->left == 0)
		return RPC_STEP_OVER;
	uint32_t code = reader_be32(r);
	if (reader_ok(r) && code == OP_EXCHANGE_ID)
		tell_client(n, *r);
	if (reader_ok(r) && !nfs4_read_args(code, r, &args)) {
		(void)nfs_call_op(m->call, code);
		return RPC_STEP_OVER;
	}
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	m->left--;
	keep_op(m->call, code, &args);
	walk(m, code, args.text[0].left > 0, args.text[0]);
	if (!args.bulk)
		return RPC_STEP_TAKEN;
	*bulk = args.count;
	nfs_file_write(n, m, &m->current, args.offset, args.count);
	return RPC_STEP_BULK;
}

enum rpc_step
nfs4_reply(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	const struct nfs_call *call = m->call;
	if (m->step == STEP_HEAD)
		return call->procedure == PROCEDURE_COMPOUND ? reply_head(m, r) : RPC_STEP_OVER;
	if (m->step == STEP_SEGMENTS)
		return reply_segments(n, m, r, bulk);
	if (m->step == STEP_ENTRIES)
		return reply_entries(n, m, r);
	if (m->left == 0 || m->op >= call->op_count)
		return RPC_STEP_OVER;
	const struct nfs_op *op = &call->op[m->op];
	uint32_t code = reader_be32(r), status = reader_be32(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	if (status != 0 && op->code == code && code == OP_WRITE)
		nfs_file_written(n, &m->current, status, false, &(struct nfs_state){0});
	if (status != 0 || op->code != code)
		return RPC_STEP_OVER;
	enum rpc_step step = reply_op(n, m, r, op, bulk);
	if (step == RPC_STEP_TAKEN || step == RPC_STEP_BULK) {
		m->op++;
		m->left--;
	}
	return step;
}

/* ---- the call ---- */

static enum rpc_step
call_head(struct nfs *n, struct nfs_message *m, struct reader *r)
{
	static const char *const versions[] = {"4.0", "4.1", "4.2"};
	if (m->call->procedure != PROCEDURE_COMPOUND)
		return RPC_STEP_OVER;
	(void)rpc_opaque(r, TAG_MAX);
	uint32_t minor = reader_be32(r);
	m->left = reader_be32(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	m->step = STEP_OPERATIONS;
	if (!n->version_told && minor < sizeof versions / sizeof versions[0]) {
		session_detail(n->session, "nfs.version", versions[minor], 3);
		n->version_told = true;
	}
	return RPC_STEP_TAKEN;
}

static void
keep_op(struct nfs_call *call, uint32_t code, const struct nfs4_args *args)
{
	struct nfs_op *op = nfs_call_op(call, code);
	if (op == NULL)
		return;
	op->offset = args->offset;
	op->count = args->count;
	op->flag = args->flag;
	for (size_t i = 0; i < 2; i++)
		nfs_call_text(call, op, i, args->text[i]);
}

/* EXCHANGE_ID (RFC 8881 section 18.35): what the client says of its software. */
static void
tell_client(struct nfs *n, struct reader r)
{
	reader_skip(&r, 8);
	(void)rpc_opaque(&r, NFS4_NAME_MAX); /* who it is, for the server */
	reader_skip(&r, 4);
	if (reader_be32(&r) != 0) /* its state is protected: more stands between */
		return;
	struct reader name = nfs4_read_implementation(&r);
	if (reader_ok(&r) && name.left > 0)
		session_detail(n->session, "nfs.client", name.next, name.left);
}

/* ---- the reply ---- */

static enum rpc_step
reply_head(struct nfs_message *m, struct reader *r)
{
	reader_skip(r, 4); /* the last operation's status */
	(void)rpc_opaque(r, TAG_MAX);
	m->left = reader_be32(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	m->step = STEP_OPERATIONS;
	return RPC_STEP_TAKEN;
}

static enum rpc_step
reply_op(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op, uint32_t *bulk)
{
	switch (op->code) {
	case OP_OPEN:
		return reply_open(n, m, r, op);
	case OP_READ:
		return reply_read(n, m, r, op, bulk);
	case OP_READ_PLUS: {
		bool eof = reader_be32(r) != 0;
		uint32_t count = reader_be32(r);
		if (!reader_ok(r))
			return RPC_STEP_MORE;
		m->flag = eof;
		m->segments = count;
		m->step = STEP_SEGMENTS;
		return RPC_STEP_TAKEN;
	}
	case OP_READDIR:
		reader_skip(r, 8); /* verifier */
		if (!reader_ok(r))
			return RPC_STEP_MORE;
		m->step = STEP_ENTRIES;
		return RPC_STEP_TAKEN;
	case OP_LAYOUTGET:
		return reply_layout(n, m, r);
	case OP_COPY:
		return reply_copy(n, m, r, op);
	case OP_EXCHANGE_ID:
		return reply_server(n, r);
	default:
		return reply_simple(n, m, r, op);
	}
}

static enum rpc_step
reply_read(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op, uint32_t *bulk)
{
	bool eof = reader_be32(r) != 0;
	*bulk = reader_be32(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	nfs_file_read(n, m, &m->current, op->offset, *bulk, &(struct nfs_state){0}, eof);
	return RPC_STEP_BULK;
}

/* READ_PLUS tells stretches of bytes, and of zeros that don't cross the network. */
static enum rpc_step
reply_segments(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	if (m->segments == 0) {
		m->step = STEP_OPERATIONS;
		return nfs4_reply(n, m, r, bulk);
	}
	uint32_t content = reader_be32(r);
	uint64_t offset = reader_be64(r);
	uint64_t len = content == CONTENT_DATA ? reader_be32(r) : reader_be64(r);
	if (reader_ok(r) && content > CONTENT_HOLE)
		return RPC_STEP_OVER;
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	bool eof = --m->segments == 0 && m->flag;
	if (content == CONTENT_HOLE) {
		nfs_file_hole(n, m, &m->current, offset, len, eof);
		return RPC_STEP_TAKEN;
	}
	*bulk = (uint32_t)len;
	nfs_file_read(n, m, &m->current, offset, *bulk, &(struct nfs_state){0}, eof);
	return RPC_STEP_BULK;
}

/* One entry of READDIR: its name, and its handle where the client asked for that. */
static enum rpc_step
reply_entries(struct nfs *n, struct nfs_message *m, struct reader *r)
{
	bool more = reader_be32(r) != 0;
	if (reader_ok(r) && !more) {
		reader_skip(r, 4); /* eof */
		if (!reader_ok(r))
			return RPC_STEP_MORE;
		m->step = STEP_OPERATIONS;
		return RPC_STEP_TAKEN;
	}
	reader_skip(r, 8); /* cookie */
	struct reader name = rpc_opaque(r, NFS4_NAME_MAX);
	struct nfs4_attributes a = nfs4_read_attributes(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	struct nfs_id place = below(&m->current, name);
	if (a.handle.left > 0)
		nfs_name_learn(n, &place, a.handle);
	return RPC_STEP_TAKEN;
}

static enum rpc_step
reply_open(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op)
{
	struct reader state = reader_sub(r, NFS4_STATE_SIZE);
	nfs4_skip_open_results(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	reader_skip(&state, 4); /* it counts up */
	walk(m, OP_OPEN, op->len[0] > 0, nfs_op_text(m->call, op, 0));
	memcpy(m->opened, state.next, sizeof m->opened);
	m->opens = true;
	m->flag = op->flag;
	if (m->current.len == m->current.handle_len)
		take_handle(n, m, (struct reader){0});
	return RPC_STEP_TAKEN;
}

/*
 * LAYOUTGET (RFC 8881 section 18.43): the file's bytes move by other ways. Where that is a file of an NFS server
 * (section 13.3), its handle there has the same name; other kinds of layout are not read.
 */
static enum rpc_step
reply_layout(struct nfs *n, struct nfs_message *m, struct reader *r)
{
	reader_skip(r, 4 + NFS4_STATE_SIZE);
	uint32_t layouts = reader_be32(r);
	reader_skip(r, 8 + 8 + 4); /* offset, length, mode */
	uint32_t type = reader_be32(r);
	struct reader body = rpc_opaque(r, LAYOUT_MAX);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	nfs_file_elsewhere(n, &m->current);
	reader_skip(&body, 16 + 4 + 4 + 8); /* device, unit, first stripe, pattern's offset */
	uint32_t handles = reader_be32(&body);
	for (uint32_t i = 0; i < handles && type == LAYOUT_FILES && reader_ok(&body); i++)
		nfs_name_alias(n, &m->current, rpc_opaque(&body, NFS_HANDLE_MAX));
	return layouts == 1 ? RPC_STEP_TAKEN : RPC_STEP_OVER;
}

/* COPY (RFC 7862 section 15.2). One that goes on after the answer has copied nothing yet, and is not followed. */
static enum rpc_step
reply_copy(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op)
{
	uint32_t callbacks = reader_be32(r);
	if (callbacks == 1)
		reader_skip(r, NFS4_STATE_SIZE);
	uint64_t count = reader_be64(r);
	uint32_t stable = reader_be32(r);
	reader_skip(r, 8 + 4 + 4); /* verifier; in order, before the answer */
	if (reader_ok(r) && callbacks > 1)
		return RPC_STEP_OVER;
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	if (count > 0)
		nfs_file_copied(n, m, "COPY", op->offset, count, stable != UNSTABLE);
	else
		nfs_file_elsewhere(n, &m->current);
	return RPC_STEP_TAKEN;
}

static enum rpc_step
reply_simple(struct nfs *n, struct nfs_message *m, struct reader *r, const struct nfs_op *op)
{
	struct reader results = *r;
	if (!nfs4_skip_results(op->code, r))
		return RPC_STEP_OVER;
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	done(n, m, op, results);
	return RPC_STEP_TAKEN;
}

static enum rpc_step
reply_server(struct nfs *n, struct reader *r)
{
	reader_skip(r, 8 + 4 + 4); /* client, sequence, flags */
	uint32_t protection = reader_be32(r);
	reader_skip(r, 8);
	(void)rpc_opaque(r, NFS4_NAME_MAX); /* the server's owner */
	(void)rpc_opaque(r, NFS4_NAME_MAX); /* and scope */
	struct reader name = nfs4_read_implementation(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	if (protection == 0)
		session_server(n->session, name.next, name.left);
	return RPC_STEP_OVER;
}

/* An operation succeeded. */
static void
done(struct nfs *n, struct nfs_message *m, const struct nfs_op *op, struct reader results)
{
	const struct reader text = nfs_op_text(m->call, op, 0);
	struct nfs_id place = {0}, to = {0};
	struct nfs_state state = {0};

	switch (op->code) {
	case OP_GETFH:
		take_handle(n, m, rpc_opaque(&results, NFS_HANDLE_MAX));
		break;
	case OP_GETATTR:
		state = nfs4_read_attributes(&results).state;
		nfs_file_state(n, &m->current, &state);
		break;
	case OP_SETATTR:
		if (op->flag)
			nfs_file_emptied(n, &m->current);
		break;
	case OP_WRITE:
		reader_skip(&results, 4);
		nfs_file_written(n, &m->current, 0, reader_be32(&results) != UNSTABLE, &state);
		break;
	case OP_COMMIT:
		nfs_file_committed(n, &m->current, &state);
		break;
	case OP_CLONE: {
		struct reader count = text;
		nfs_file_copied(n, m, "CLONE", op->offset, reader_be64(&count), true);
		break;
	}
	case OP_CLOSE:
		nfs_file_closed(n, &m->current);
		break;
	case OP_REMOVE:
		place = below(&m->current, text);
		nfs_file_removed(n, &place);
		break;
	case OP_RENAME:
		place = below(&m->saved, text);
		to = below(&m->current, nfs_op_text(m->call, op, 1));
		nfs_file_renamed(n, &place, &to);
		break;
	default:
		walk(m, op->code, op->len[0] > 0, text);
		break;
	}
}

/* The current object's handle was told: it has a place now, and OPEN a file. */
static void
take_handle(struct nfs *n, struct nfs_message *m, struct reader handle)
{
	if (handle.left > 0) {
		nfs_name_learn(n, &m->current, handle);
		nfs_id_handle(&m->current, handle);
	}
	if (!m->opens)
		return;
	m->opens = false;
	nfs_file_opened(n, m->call, &m->current, reader_init(m->opened, sizeof m->opened), m->flag);
}

/* How an operation moves the current handle. */
static void
walk(struct nfs_message *m, uint32_t code, bool named, struct reader text)
{
	switch (code) {
	case OP_PUTFH:
		nfs_id_handle(&m->current, text);
		break;
	case OP_PUTROOTFH:
	case OP_PUTPUBFH:
		nfs_id_root(&m->current);
		break;
	case OP_LOOKUP:
	case OP_CREATE:
		nfs_id_enter(&m->current, text);
		break;
	case OP_OPEN:
		if (named)
			nfs_id_enter(&m->current, text);
		break;
	case OP_LOOKUPP:
		m->current.len = m->current.handle_len = 0;
		break;
	case OP_SAVEFH:
		m->saved = m->current;
		break;
	case OP_RESTOREFH:
		m->current = m->saved;
		break;
	default:
		break;
	}
}

static struct nfs_id
below(const struct nfs_id *directory, struct reader name)
{
	struct nfs_id id = *directory;
	nfs_id_enter(&id, name);
	return id;
}
