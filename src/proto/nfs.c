/*
 * NFS over TCP and UDP, with MOUNT, and other ONC RPC as far as its name. This is the conversation;
 * its parts:
 *   rpc        records and heads of messages (RFC 5531)     nfs_name   handles and what they stand for
 *   nfs3       versions 2 and 3 (RFC 1094, 1813)            nfs_file   files out of reads and writes
 *   nfs4       COMPOUND (RFC 7530, 8881, 7862)              nfs_call   calls that wait for their reply
 *   nfs_mount  the roots of exports
 *
 * Not read: pNFS layouts but those of files on NFS servers, NLM, what RPCSEC_GSS with privacy hides.
 */
#include "config.h"

#include "proto/nfs.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
	PROGRAM_PORTMAP = 100000,
	PROGRAM_NFS = 100003,
	PROGRAM_MOUNT = 100005,
	PROCEDURE_MAX = 63,
	VERSION_MAX = 16,    /* of programs that are not known here */
	GSS_DATA = 0,        /* RFC 2203 section 5.2.1 */
	GSS_INTEGRITY = 2,
	GSS_PRIVACY = 3,
	GSS_INTEGRITY_HEAD = 8, /* length and sequence number before arguments and results */
	REPLY_SEEN = 12,     /* bytes of a reply that tell it is one */
};

static void message_begin(void *ctx, enum side from);
static enum rpc_step message_take(void *ctx, enum side from, struct reader *r, bool whole, uint32_t *bulk);
static void message_bulk(void *ctx, enum side from, const uint8_t *bytes, size_t len, uint32_t left);
static void message_end(void *ctx, enum side from, bool cut);
static bool message_begins(void *ctx, enum side from, struct reader r);
static enum rpc_step take_head(struct nfs *n, enum side from, struct reader *r);
static enum rpc_step take_call(struct nfs *n, enum side from, struct reader *r);
static enum rpc_step take_reply(struct nfs *n, enum side from, struct reader *r);
static void tell_call(struct nfs *n, enum side from, const struct rpc_call *head, const struct nfs_program *program);
static const struct nfs_program *program_of(uint32_t number, uint32_t version);
static enum verdict probe_message(struct reader r);
static enum verdict probe_datagram(const uint8_t *bytes, size_t len);
static enum verdict probe_call(struct reader *r);
static enum verdict probe_sides(const enum verdict v[2]);
static bool looks_lost(const uint8_t *bytes, size_t len);

static const struct nfs_program programs[] = {
        {PROGRAM_NFS, 2, 3, "nfs", nfs3_call, nfs3_reply},
        {PROGRAM_NFS, 4, 4, "nfs", nfs4_call, nfs4_reply},
        {PROGRAM_MOUNT, 1, 3, "mount", nfs_mount_call, nfs_mount_reply},
        {PROGRAM_PORTMAP, 2, 4, "portmap", NULL, NULL},
        {100011, 1, 2, "rquota", NULL, NULL},
        {100021, 1, 4, "nlm", NULL, NULL},
        {100024, 1, 1, "stat", NULL, NULL},
        {100227, 2, 3, "nfsacl", NULL, NULL},
};

static const struct rpc_reader reader = {
        .begin = message_begin,
        .take = message_take,
        .bulk = message_bulk,
        .end = message_end,
        .begins = message_begins,
};

static enum verdict
nfs_probe_stream(const struct probe *p)
{
	enum verdict v[2];
	for (size_t side = 0; side < 2; side++) {
		struct reader r = reader_init(p->bytes[side], p->len[side]);
		uint32_t len;
		v[side] = rpc_mark_probe(&r, &len);
		if (v[side] == VERDICT_DONE)
			v[side] = probe_message(r);
	}
	return probe_sides(v);
}

static enum verdict
nfs_probe_datagram(const struct probe *p)
{
	enum verdict v[2];
	for (size_t side = 0; side < 2; side++)
		v[side] = probe_datagram(p->bytes[side], p->len[side]);
	return probe_sides(v);
}

static void *
nfs_open(struct session *s)
{
	struct nfs *n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->session = s;
	session_protocol(s, "rpc", SESSION_BY_CONTENT); /* until a program is known */
	n->datagrams = session_ends(s).transport == IPPROTO_UDP;
	nfs_calls_init(&n->calls);
	TAILQ_INIT(&n->by_use);
	for (size_t side = 0; side < 2; side++)
		rpc_stream_init(&n->stream[side], &reader, n, (enum side)side);
	return n;
}

static enum verdict
nfs_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct nfs *n = state;
	struct rpc_stream *st = &n->stream[from];

	if (n->datagrams) {
		rpc_stream_datagram(st, bytes, len);
	} else {
		if (!n->seen[from])
			st->lost = looks_lost(bytes, len);
		rpc_stream_data(st, bytes, len);
	}
	n->seen[from] = true;
	if (n->switches) {
		session_switch(n->session, 0);
		return VERDICT_SWITCH;
	}
	if (n->unreadable)
		session_unreadable(n->session, "encrypted");
	return n->unreadable || n->over ? VERDICT_DONE : VERDICT_MORE;
}

static enum verdict
nfs_gap(void *state, enum side from, uint64_t len)
{
	struct nfs *n = state;
	if (!n->datagrams)
		rpc_stream_gap(&n->stream[from], len);
	n->seen[from] = true;
	return VERDICT_MORE;
}

static void
nfs_end(void *state, enum side from)
{
	struct nfs *n = state;
	n->ended[from] = true;
}

static void
nfs_close(void *state, bool reset)
{
	struct nfs *n = state;
	if (reset)
		n->ended[0] = n->ended[1] = true;
	for (size_t side = 0; side < 2; side++)
		rpc_stream_clear(&n->stream[side]);
	nfs_files_clear(n);
	nfs_calls_clear(&n->calls);
	free(n);
}

static bool
nfs_finished(const void *state)
{
	(void)state;
	return true;
}

#define NFS_ROW                                                                                                        \
	.name = "nfs", .ports = {2049, 111},                                                                           \
	.reads = "NFS 2, 3, 4.0, 4.1 and 4.2: files read and written, at any offset and over several connections, "    \
	         "with path, size, content and the number of the user; the name of the client's machine; RENAME; "     \
	         "MOUNT's exports; portmap and other ONC RPC by name",                                                 \
	.infers = "volume, where RPCSEC_GSS encrypts or TLS begins",                                                   \
	.misses = "paths of handles that were told before the capture began; bytes that pNFS moves by other "          \
	          "protocols than NFS; server-side copies. Versions 2 and 3 have no close: a written file is over when " \
	          "it was left alone for two minutes or the connection ends, and a hash is of what was written first"

const struct proto proto_nfs = {
        .transport = IPPROTO_TCP,
        NFS_ROW,
        .probe = nfs_probe_stream,
        .open = nfs_open,
        .data = nfs_data,
        .gap = nfs_gap,
        .end = nfs_end,
        .close = nfs_close,
        .finished = nfs_finished,
};

const struct proto proto_nfs_udp = {
        .transport = IPPROTO_UDP,
        NFS_ROW,
        .probe = nfs_probe_datagram,
        .open = nfs_open,
        .data = nfs_data,
        .gap = nfs_gap,
        .end = nfs_end,
        .close = nfs_close,
        .finished = nfs_finished,
};

/* ---- recognition ---- */

/* DONE: a call. MORE: nothing, a reply, or what may become either. */
static enum verdict
probe_message(struct reader r)
{
	struct reader head = r;
	uint32_t xid = reader_be32(&head), type = reader_be32(&head);
	(void)xid;
	if (!reader_ok(&head))
		return VERDICT_MORE;
	if (type == RPC_CALL)
		return probe_call(&r);
	struct rpc_reply reply;
	return type == RPC_REPLY && rpc_reply_read(&r, &reply) != VERDICT_NOT_MINE ? VERDICT_MORE : VERDICT_NOT_MINE;
}

/* A datagram is a whole message. Only a reply leaves something open: the call that it answers. */
static enum verdict
probe_datagram(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	struct rpc_reply reply;
	if (len == 0)
		return VERDICT_MORE;
	if (probe_message(r) == VERDICT_DONE)
		return VERDICT_DONE;
	return rpc_reply_read(&r, &reply) == VERDICT_DONE ? VERDICT_MORE : VERDICT_NOT_MINE;
}

static enum verdict
probe_call(struct reader *r)
{
	struct rpc_call call;
	enum verdict v = rpc_call_read(r, &call);
	if (v == VERDICT_MORE && call.procedure > 0 && call.procedure <= PROCEDURE_MAX && program_of(call.program, call.version) != NULL)
		return VERDICT_DONE;
	if (v != VERDICT_DONE)
		return v;
	if (call.flavor > RPC_AUTH_TLS || call.procedure > PROCEDURE_MAX || call.version > VERSION_MAX ||
	        call.program < PROGRAM_PORTMAP)
		return VERDICT_NOT_MINE;
	return VERDICT_DONE;
}

static enum verdict
probe_sides(const enum verdict v[2])
{
	if (v[0] == VERDICT_NOT_MINE || v[1] == VERDICT_NOT_MINE)
		return v[0] == VERDICT_DONE || v[1] == VERDICT_DONE ? VERDICT_DONE : VERDICT_NOT_MINE;
	return v[0] == VERDICT_DONE || v[1] == VERDICT_DONE ? VERDICT_DONE : VERDICT_MORE;
}

/* A side that was not seen from its beginning on may begin within a record. */
static bool
looks_lost(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	uint32_t record;
	enum verdict v = rpc_mark_probe(&r, &record);
	if (v != VERDICT_DONE)
		return v == VERDICT_NOT_MINE;
	reader_skip(&r, 4);
	uint32_t type = reader_be32(&r);
	return reader_ok(&r) && type > RPC_REPLY;
}

/* ---- messages ---- */

static void
message_begin(void *ctx, enum side from)
{
	struct nfs *n = ctx;
	struct nfs_message *m = &n->message[from];
	m->headed = m->reply = m->flag = m->opens = false;
	m->op = 0;
	m->step = m->left = m->segments = 0;
	m->current.len = m->current.handle_len = 0;
	m->saved.len = m->saved.handle_len = 0;
	nfs_files_age(n);
}

static enum rpc_step
message_take(void *ctx, enum side from, struct reader *r, bool whole, uint32_t *bulk)
{
	struct nfs *n = ctx;
	struct nfs_message *m = &n->message[from];
	(void)whole;
	if (!m->headed)
		return take_head(n, from, r);
	const struct nfs_program *program = m->call->program;
	return m->reply ? program->take_reply(n, m, r, bulk) : program->take_call(n, m, r, bulk);
}

static void
message_bulk(void *ctx, enum side from, const uint8_t *bytes, size_t len, uint32_t left)
{
	struct nfs *n = ctx;
	nfs_file_bytes(&n->message[from], bytes, len, left);
}

static void
message_end(void *ctx, enum side from, bool cut)
{
	struct nfs *n = ctx;
	struct nfs_message *m = &n->message[from];
	(void)cut; /* the transfer stage sees that bytes are missing */
	nfs_file_bytes_end(m);
	nfs_call_unref(&n->calls, m->call);
	m->call = NULL;
}

static bool
message_begins(void *ctx, enum side from, struct reader r)
{
	const struct nfs *n = ctx;
	struct reader head = r;
	uint32_t xid = reader_be32(&head), type = reader_be32(&head);
	if (!reader_ok(&head))
		return false;
	if (type == RPC_REPLY)
		return n->client_told && from != n->client && nfs_call_is_known(&n->calls, xid) && r.left >= REPLY_SEEN;
	return type == RPC_CALL && probe_call(&r) == VERDICT_DONE;
}

static enum rpc_step
take_head(struct nfs *n, enum side from, struct reader *r)
{
	struct reader head = *r;
	reader_skip(&head, 4);
	uint32_t type = reader_be32(&head);
	if (!reader_ok(&head))
		return RPC_STEP_MORE;
	enum rpc_step step = type == RPC_CALL ? take_call(n, from, r) : take_reply(n, from, r);
	n->message[from].headed = step == RPC_STEP_TAKEN;
	return step;
}

static enum rpc_step
take_call(struct nfs *n, enum side from, struct reader *r)
{
	struct nfs_message *m = &n->message[from];
	struct rpc_call head;
	enum verdict v = rpc_call_read(r, &head);
	bool gss = head.flavor == RPC_AUTH_GSS;
	bool wrapped = gss && head.gss_procedure == GSS_DATA && head.gss_service == GSS_INTEGRITY;
	if (v == VERDICT_DONE && wrapped)
		reader_skip(r, GSS_INTEGRITY_HEAD);
	if (v == VERDICT_MORE || (v == VERDICT_DONE && !reader_ok(r)))
		return RPC_STEP_MORE;
	const struct nfs_program *program = v == VERDICT_DONE ? program_of(head.program, head.version) : NULL;
	if (program == NULL || (n->client_told && from != n->client))
		return RPC_STEP_OVER;
	tell_call(n, from, &head, program);
	n->over = n->datagrams && program->take_call == NULL; /* one port, one program */
	if (gss && head.gss_procedure == GSS_DATA && head.gss_service == GSS_PRIVACY)
		n->unreadable = true;
	if ((gss && (head.gss_procedure != GSS_DATA || head.gss_service == GSS_PRIVACY)) || program->take_call == NULL)
		return RPC_STEP_OVER;
	struct nfs_call *call = nfs_call_add(&n->calls, head.xid);
	if (call == NULL)
		return RPC_STEP_OVER;
	call->version = head.version;
	call->procedure = head.procedure;
	call->program = program;
	call->wrapped = wrapped;
	call->starts_tls = head.flavor == RPC_AUTH_TLS;
	call->has_uid = head.flavor == RPC_AUTH_SYS;
	call->uid = head.uid;
	call->op_count = call->store_len = 0;
	m->call = call;
	return head.procedure == 0 ? RPC_STEP_OVER : RPC_STEP_TAKEN; /* NULL, in every program */
}

static enum rpc_step
take_reply(struct nfs *n, enum side from, struct reader *r)
{
	struct nfs_message *m = &n->message[from];
	struct reader at = *r;
	uint32_t xid = reader_be32(&at);
	struct rpc_reply reply;
	if (!n->client_told || from == n->client || !nfs_call_is_known(&n->calls, xid))
		return RPC_STEP_OVER;
	enum verdict v = rpc_reply_read(r, &reply);
	if (v != VERDICT_DONE)
		return v == VERDICT_MORE ? RPC_STEP_MORE : RPC_STEP_OVER;
	m->call = nfs_call_answer(&n->calls, xid);
	m->reply = true;
	n->switches = reply.success && reply.starts_tls && m->call->starts_tls;
	if (!reply.success || m->call->procedure == 0)
		return RPC_STEP_OVER;
	if (m->call->wrapped)
		reader_skip(r, GSS_INTEGRITY_HEAD);
	return reader_ok(r) ? RPC_STEP_TAKEN : RPC_STEP_OVER;
}

/* What the first calls tell of the conversation. */
static void
tell_call(struct nfs *n, enum side from, const struct rpc_call *head, const struct nfs_program *program)
{
	if (!n->client_told) {
		n->client_told = true;
		n->client = from;
		session_client_end(n->session, from);
		session_protocol(n->session, program->name, SESSION_BY_CONTENT);
	} else if (program->number == PROGRAM_NFS && !n->version_told) {
		session_protocol(n->session, program->name, SESSION_BY_CONTENT);
	}
	if (program->number == PROGRAM_NFS && !n->version_told && head->version < 4) {
		session_detail(n->session, "nfs.version", head->version == 2 ? "2" : "3", 1);
		n->version_told = true;
	}
	if (!n->machine_told && head->machine.left > 0) {
		session_client(n->session, head->machine.next, head->machine.left);
		n->machine_told = true;
	}
}

static const struct nfs_program *
program_of(uint32_t number, uint32_t version)
{
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (programs[i].number == number && version >= programs[i].first && version <= programs[i].last)
			return &programs[i];
	return NULL;
}
