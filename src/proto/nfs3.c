/*
 * NFS version 2 (RFC 1094) and 3 (RFC 1813): what requests ask and replies tell of names and files. Each procedure
 * is read in one step but READ and WRITE, whose data is bulk, and READDIRPLUS, an entry at a time.
 */
#include "config.h"

#include "proto/nfs.h"

enum { /* version 3; those of version 2 below */
	PROC_NONE = 0,
	PROC_GETATTR = 1,
	PROC_SETATTR = 2,
	PROC_LOOKUP = 3,
	PROC_READ = 6,
	PROC_WRITE = 7,
	PROC_CREATE = 8,
	PROC_MKDIR = 9,
	PROC_SYMLINK = 10,
	PROC_MKNOD = 11,
	PROC_REMOVE = 12,
	PROC_RENAME = 14,
	PROC_LINK = 15,
	PROC_READDIRPLUS = 17,
	PROC_COMMIT = 21,
};

enum {
	HANDLE3_MAX = 64,
	HANDLE2_SIZE = 32,
	NAME_MAX_3 = 1024, /* servers take 255 */
	FATTR3_SIZE = 84,
	FATTR2_SIZE = 68,
	VERIFIER_SIZE = 8,
	UNSTABLE = 0,
};

enum { /* where the reader of READDIRPLUS stands */
	STEP_HEAD,
	STEP_ENTRIES,
};

static uint32_t procedure_of(const struct nfs_call *call);
static struct reader take_handle(struct reader *r, uint32_t version);
static void keep_object(struct nfs_call *call, struct nfs_op *op, struct reader *r, bool named);
static bool sets_size_zero(struct reader *r, uint32_t version);
static struct nfs_id object(const struct nfs_call *call, const struct nfs_op *op);
static struct nfs_id target(const struct nfs_call *call);
static struct nfs_state take_attributes(struct reader *r, uint32_t version);
static struct nfs_state take_optional_attributes(struct reader *r, uint32_t version);
static struct nfs_state take_wcc(struct reader *r, uint32_t version);
static enum rpc_step reply_read(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk);
static enum rpc_step reply_write(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t status);
static enum rpc_step reply_create(struct nfs *n, struct nfs_message *m, struct reader *r);
static enum rpc_step reply_commit(struct nfs *n, struct nfs_message *m, struct reader *r);
static enum rpc_step reply_entries(struct nfs *n, struct nfs_message *m, struct reader *r);

enum rpc_step
nfs3_call(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	struct nfs_call *call = m->call;
	const uint32_t version = call->version, procedure = procedure_of(call);
	bool named = procedure == PROC_LOOKUP || procedure == PROC_REMOVE || procedure == PROC_RENAME ||
	             (procedure >= PROC_CREATE && procedure <= PROC_MKNOD);
	call->op_count = 0;
	call->store_len = 0;
	struct nfs_op *op = nfs_call_op(call, procedure);
	keep_object(call, op, r, named);
	if (procedure == PROC_READ || procedure == PROC_WRITE || procedure == PROC_COMMIT) {
		if (version == 2 && procedure == PROC_WRITE)
			reader_skip(r, 4); /* beginoffset: not used */
		op->offset = version == 2 ? reader_be32(r) : reader_be64(r);
		op->count = reader_be32(r);
	} else if (procedure == PROC_SETATTR) {
		op->flag = sets_size_zero(r, version);
	} else if (procedure == PROC_RENAME || procedure == PROC_LINK) {
		keep_object(call, nfs_call_op(call, procedure), r, true);
	}
	if (procedure != PROC_WRITE)
		return reader_ok(r) ? RPC_STEP_OVER : RPC_STEP_MORE;
	if (version == 3)
		reader_skip(r, 4); /* stable: the reply tells what was done */
	*bulk = reader_be32(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	struct nfs_id id = object(call, op);
	nfs_file_write(n, m, &id, op->offset, *bulk);
	return RPC_STEP_BULK;
}

enum rpc_step
nfs3_reply(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	const struct nfs_call *call = m->call;
	if (m->step == STEP_ENTRIES)
		return reply_entries(n, m, r);
	if (call->op_count == 0)
		return RPC_STEP_OVER;
	const struct nfs_op *op = &call->op[0];
	struct nfs_id id = object(call, op), to = {0};
	uint32_t status = reader_be32(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	if (status != 0 && op->code != PROC_WRITE)
		return RPC_STEP_OVER;

	switch (op->code) {
	case PROC_GETATTR: {
		struct nfs_state state = take_attributes(r, call->version);
		nfs_file_state(n, &id, &state);
		return RPC_STEP_OVER;
	}
	case PROC_SETATTR:
		if (op->flag)
			nfs_file_emptied(n, &id);
		return RPC_STEP_OVER;
	case PROC_LOOKUP: {
		struct reader handle = take_handle(r, call->version);
		if (!reader_ok(r))
			return RPC_STEP_MORE;
		nfs_name_learn(n, &id, handle);
		return RPC_STEP_OVER;
	}
	case PROC_READ:
		return reply_read(n, m, r, bulk);
	case PROC_WRITE:
		return reply_write(n, m, r, status);
	case PROC_CREATE:
	case PROC_MKDIR:
		return reply_create(n, m, r);
	case PROC_REMOVE:
		nfs_file_removed(n, &id);
		return RPC_STEP_OVER;
	case PROC_RENAME:
		to = target(call);
		nfs_file_renamed(n, &id, &to);
		return RPC_STEP_OVER;
	case PROC_LINK:
		to = target(call);
		nfs_name_learn(n, &to, nfs_op_text(call, op, 0));
		return RPC_STEP_OVER;
	case PROC_READDIRPLUS:
		(void)take_optional_attributes(r, 3);
		reader_skip(r, VERIFIER_SIZE);
		if (!reader_ok(r))
			return RPC_STEP_MORE;
		m->step = STEP_ENTRIES;
		return RPC_STEP_TAKEN;
	case PROC_COMMIT:
		return reply_commit(n, m, r);
	default:
		return RPC_STEP_OVER;
	}
}

/* The procedure by its number in version 3. */
static uint32_t
procedure_of(const struct nfs_call *call)
{
	static const uint32_t of_version_2[] = {[1] = PROC_GETATTR,
	        [2] = PROC_SETATTR,
	        [4] = PROC_LOOKUP,
	        [6] = PROC_READ,
	        [8] = PROC_WRITE,
	        [9] = PROC_CREATE,
	        [10] = PROC_REMOVE,
	        [11] = PROC_RENAME,
	        [12] = PROC_LINK,
	        [14] = PROC_MKDIR};
	const uint32_t count = sizeof of_version_2 / sizeof of_version_2[0];
	if (call->version != 2)
		return call->procedure;
	return call->procedure < count ? of_version_2[call->procedure] : 0;
}

static struct reader
take_handle(struct reader *r, uint32_t version)
{
	return version == 2 ? reader_sub(r, HANDLE2_SIZE) : rpc_opaque(r, HANDLE3_MAX);
}

/* A handle, and a name below it. Texts are only kept when both are there. */
static void
keep_object(struct nfs_call *call, struct nfs_op *op, struct reader *r, bool named)
{
	struct reader handle = {0}, name = {0};
	if (op->code == PROC_NONE)
		return;
	handle = take_handle(r, call->version);
	if (named)
		name = rpc_opaque(r, NAME_MAX_3);
	if (!reader_ok(r))
		return;
	nfs_call_text(call, op, 0, handle);
	nfs_call_text(call, op, 1, name);
}

/* sattr3 (RFC 1813 section 2.6) or sattr (RFC 1094 section 2.3.6): is the file to be emptied? */
static bool
sets_size_zero(struct reader *r, uint32_t version)
{
	if (version == 2) {
		reader_skip(r, 12);
		return reader_be32(r) == 0;
	}
	for (size_t i = 0; i < 3; i++) /* mode, uid, gid */
		if (reader_be32(r) != 0)
			reader_skip(r, 4);
	return reader_be32(r) == 1 && reader_be64(r) == 0;
}

static struct nfs_id
object(const struct nfs_call *call, const struct nfs_op *op)
{
	struct nfs_id id;
	nfs_id_handle(&id, nfs_op_text(call, op, 0));
	if (op->len[1] > 0)
		nfs_id_enter(&id, nfs_op_text(call, op, 1));
	return id;
}

/* Of a call that names two. */
static struct nfs_id
target(const struct nfs_call *call)
{
	return call->op_count > 1 ? object(call, &call->op[1]) : (struct nfs_id){0};
}

/* ---- what replies have in common ---- */

static struct nfs_state
take_attributes(struct reader *r, uint32_t version)
{
	struct reader a = reader_sub(r, version == 2 ? FATTR2_SIZE : FATTR3_SIZE);
	struct nfs_state state = {0};
	reader_skip(&a, 5 * 4); /* type, mode, links, uid, gid */
	state.size = version == 2 ? reader_be32(&a) : reader_be64(&a);
	state.size_known = reader_ok(&a);
	return state;
}

static struct nfs_state
take_optional_attributes(struct reader *r, uint32_t version)
{
	if (version == 2 || reader_be32(r) != 0)
		return take_attributes(r, version);
	return (struct nfs_state){0};
}

/* wcc_data: some of what was there before, and what is there now. In version 2 only the latter. */
static struct nfs_state
take_wcc(struct reader *r, uint32_t version)
{
	if (version == 3 && reader_be32(r) != 0)
		reader_skip(r, 8 + 8 + 8); /* size, mtime, ctime */
	return take_optional_attributes(r, version);
}

/* ---- replies ---- */

static enum rpc_step
reply_read(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	const struct nfs_call *call = m->call;
	const struct nfs_op *op = &call->op[0];
	struct nfs_state state = take_optional_attributes(r, call->version);
	bool eof = false;
	if (call->version == 3) {
		reader_skip(r, 4); /* count: the data's length once more */
		eof = reader_be32(r) != 0;
	}
	*bulk = reader_be32(r);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	struct nfs_id id = object(call, op);
	nfs_file_read(n, m, &id, op->offset, *bulk, &state, eof);
	return RPC_STEP_BULK;
}

static enum rpc_step
reply_write(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t status)
{
	const struct nfs_call *call = m->call;
	struct nfs_id id = object(call, &call->op[0]);
	bool stable = true;
	struct nfs_state state = {0};
	if (call->version == 3 || status == 0)
		state = take_wcc(r, call->version);
	if (call->version == 3 && status == 0) {
		reader_skip(r, 4); /* count */
		stable = reader_be32(r) != UNSTABLE;
	}
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	nfs_file_written(n, &id, status, stable, &state);
	return RPC_STEP_OVER;
}

static enum rpc_step
reply_create(struct nfs *n, struct nfs_message *m, struct reader *r)
{
	const struct nfs_call *call = m->call;
	const struct nfs_op *op = &call->op[0];
	struct nfs_id place = object(call, op), id = place;
	if (call->version == 2 || reader_be32(r) != 0) {
		struct reader handle = take_handle(r, call->version);
		if (reader_ok(r)) {
			nfs_name_learn(n, &place, handle);
			nfs_id_handle(&id, handle);
		}
	}
	struct nfs_state state = take_optional_attributes(r, call->version);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	if (op->code == PROC_CREATE && id.len == id.handle_len) {
		nfs_file_created(n, call, &id);
		nfs_file_state(n, &id, &state);
	}
	return RPC_STEP_OVER;
}

static enum rpc_step
reply_commit(struct nfs *n, struct nfs_message *m, struct reader *r)
{
	struct nfs_id id = object(m->call, &m->call->op[0]);
	struct nfs_state state = take_wcc(r, 3);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	nfs_file_committed(n, &id, &state);
	return RPC_STEP_OVER;
}

/* One entry of READDIRPLUS: name and handle. */
static enum rpc_step
reply_entries(struct nfs *n, struct nfs_message *m, struct reader *r)
{
	struct nfs_id place = object(m->call, &m->call->op[0]);
	bool more = reader_be32(r) != 0;
	if (reader_ok(r) && !more)
		return RPC_STEP_OVER;
	reader_skip(r, 8); /* fileid */
	struct reader name = rpc_opaque(r, NAME_MAX_3);
	reader_skip(r, 8); /* cookie */
	(void)take_optional_attributes(r, 3);
	struct reader handle = {0};
	if (reader_be32(r) != 0)
		handle = rpc_opaque(r, HANDLE3_MAX);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	nfs_id_enter(&place, name);
	nfs_name_learn(n, &place, handle);
	return RPC_STEP_TAKEN;
}
