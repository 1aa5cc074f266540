#include "config.h"

#include "proto/rpc.h"

#include <stdlib.h>
#include <string.h>

enum {
	FRAGMENT_MAX = 64 << 20, /* longer ones are no records: servers take a few megabytes at most */
	FRAGMENT_MIN = 8,
	HELD_MAX = 128 * 1024,   /* of one message's head */
	HELD_FIRST = 512,
};

static size_t take_mark(struct rpc_stream *st, const uint8_t *bytes, size_t len);
static size_t look_for_record(struct rpc_stream *st, const uint8_t *bytes, size_t len);
static void message_bytes(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole);
static size_t message_held(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole);
static size_t message_take(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole);
static size_t message_head(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole);
static size_t message_bulk(struct rpc_stream *st, const uint8_t *bytes, size_t len);
static void message_gap(struct rpc_stream *st, uint32_t len);
static void message_end(struct rpc_stream *st);
static void hold(struct rpc_stream *st, const uint8_t *bytes, size_t len);
static void lose(struct rpc_stream *st);
static void read_auth_sys(struct reader r, struct rpc_call *call);

void
rpc_stream_init(struct rpc_stream *st, const struct rpc_reader *reader, void *ctx, enum side from)
{
	*st = (struct rpc_stream){.reader = reader, .ctx = ctx, .from = from};
}

void
rpc_stream_clear(struct rpc_stream *st)
{
	message_end(st);
	free(st->held);
	st->held = NULL;
	st->held_size = 0;
}

void
rpc_stream_data(struct rpc_stream *st, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t n;
		if (st->lost) {
			n = look_for_record(st, bytes, len);
		} else if (st->fragment == 0) {
			n = take_mark(st, bytes, len);
		} else {
			n = len < st->fragment ? len : st->fragment;
			st->fragment -= (uint32_t)n;
			bool whole = st->last && st->fragment == 0;
			message_bytes(st, bytes, n, whole);
			if (whole)
				message_end(st);
		}
		bytes += n;
		len -= n;
	}
}

void
rpc_stream_gap(struct rpc_stream *st, uint64_t len)
{
	if (st->lost)
		return;
	if (st->fragment == 0 || st->mark_len > 0 || len > st->fragment) {
		lose(st);
		return;
	}
	message_gap(st, (uint32_t)len);
	st->fragment -= (uint32_t)len;
	if (st->fragment == 0 && st->last)
		message_end(st);
}

void
rpc_stream_datagram(struct rpc_stream *st, const uint8_t *bytes, size_t len)
{
	message_bytes(st, bytes, len, true);
	message_end(st);
}

enum verdict
rpc_mark_probe(struct reader *r, uint32_t *len)
{
	if (r->left < RPC_MARK_SIZE)
		return r->left == 0 || (r->next[0] & 0x7f) <= FRAGMENT_MAX >> 24 ? VERDICT_MORE : VERDICT_NOT_MINE;
	*len = reader_be32(r) & 0x7fffffff;
	return *len >= FRAGMENT_MIN && *len <= FRAGMENT_MAX ? VERDICT_DONE : VERDICT_NOT_MINE;
}

enum verdict
rpc_call_read(struct reader *r, struct rpc_call *call)
{
	*call = (struct rpc_call){.xid = reader_be32(r)};
	uint32_t type = reader_be32(r), version = reader_be32(r);
	if (reader_ok(r) && (type != RPC_CALL || version != 2))
		return VERDICT_NOT_MINE;
	call->program = reader_be32(r);
	call->version = reader_be32(r);
	call->procedure = reader_be32(r);
	call->flavor = reader_be32(r);
	uint32_t credential_len = reader_be32(r);
	if (reader_ok(r) && credential_len > RPC_AUTH_MAX)
		return VERDICT_NOT_MINE;
	struct reader credential = reader_sub(r, (credential_len + 3) & ~UINT32_C(3));
	(void)reader_be32(r);
	uint32_t verifier_len = reader_be32(r);
	if (reader_ok(r) && verifier_len > RPC_AUTH_MAX)
		return VERDICT_NOT_MINE;
	reader_skip(r, (verifier_len + 3) & ~UINT32_C(3));
	if (!reader_ok(r))
		return VERDICT_MORE;
	if (call->flavor == RPC_AUTH_SYS) {
		read_auth_sys(credential, call);
	} else if (call->flavor == RPC_AUTH_GSS) { /* RFC 2203 section 5 */
		reader_skip(&credential, 4);
		call->gss_procedure = reader_be32(&credential);
		reader_skip(&credential, 4);
		call->gss_service = reader_be32(&credential);
	}
	return VERDICT_DONE;
}

enum verdict
rpc_reply_read(struct reader *r, struct rpc_reply *reply)
{
	*reply = (struct rpc_reply){.xid = reader_be32(r)};
	uint32_t type = reader_be32(r), denied = reader_be32(r);
	if (reader_ok(r) && (type != RPC_REPLY || denied > 1))
		return VERDICT_NOT_MINE;
	if (reader_ok(r) && denied == 1)
		return VERDICT_DONE;
	(void)reader_be32(r);
	struct reader verifier = rpc_opaque(r, RPC_AUTH_MAX);
	reply->success = reader_be32(r) == 0;
	if (!reader_ok(r))
		return VERDICT_MORE;
	reply->starts_tls = verifier.left == 8 && memcmp(verifier.next, "STARTTLS", 8) == 0;
	return VERDICT_DONE;
}

struct reader
rpc_opaque(struct reader *r, size_t max)
{
	uint32_t len = reader_be32(r);
	if (len > max) {
		r->bad = true;
		r->left = 0;
	}
	struct reader sub = reader_sub(r, len);
	reader_skip(r, -len & 3);
	return sub;
}

/* ---- records ---- */

static size_t
take_mark(struct rpc_stream *st, const uint8_t *bytes, size_t len)
{
	size_t n = RPC_MARK_SIZE - st->mark_len;
	n = len < n ? len : n;
	memcpy(st->mark + st->mark_len, bytes, n);
	st->mark_len += n;
	if (st->mark_len < RPC_MARK_SIZE)
		return n;
	struct reader r = reader_init(st->mark, RPC_MARK_SIZE);
	uint32_t mark = reader_be32(&r);
	st->mark_len = 0;
	st->last = (mark & 0x80000000) != 0;
	st->fragment = mark & 0x7fffffff;
	if (st->fragment > FRAGMENT_MAX)
		lose(st);
	else if (st->fragment == 0 && st->last)
		message_end(st);
	return n;
}

/* Bytes before the next that look like a record's beginning; all of them where there is none. */
static size_t
look_for_record(struct rpc_stream *st, const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at + RPC_MARK_SIZE <= len; at++) {
		struct reader r = reader_init(bytes + at, len - at);
		uint32_t record;
		if (rpc_mark_probe(&r, &record) != VERDICT_DONE)
			continue;
		if (st->reader->begins(st->ctx, st->from, r)) {
			st->lost = false;
			return at;
		}
	}
	return len;
}

static void
lose(struct rpc_stream *st)
{
	message_end(st);
	st->lost = true;
	st->fragment = 0;
	st->mark_len = 0;
}

/* ---- messages ---- */

static void
message_bytes(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole)
{
	if (st->part == RPC_PART_NONE) {
		st->part = RPC_PART_HEAD;
		st->reader->begin(st->ctx, st->from);
	}
	while (len > 0 && st->held_len > 0) {
		size_t n = message_held(st, bytes, len, whole);
		bytes += n;
		len -= n;
	}
	size_t used = message_take(st, bytes, len, whole);
	hold(st, bytes + used, len - used);
}

/* What is held grows until it is worth another look; how many bytes it took for that. */
static size_t
message_held(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole)
{
	size_t n = st->wanted - st->held_len;
	n = len < n ? len : n;
	hold(st, bytes, n);
	if (st->part != RPC_PART_HEAD || (st->held_len < st->wanted && !(whole && n == len)))
		return n;
	size_t used = message_take(st, st->held, st->held_len, whole && n == len);
	st->held_len -= used;
	memmove(st->held, st->held + used, st->held_len);
	st->wanted = 2 * st->held_len;
	return n;
}

/* Takes bytes of the message; how many. What is left is the head of something that is not all there. */
static size_t
message_take(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole)
{
	size_t used = 0;
	while (used < len) {
		size_t n = len - used;
		if (st->part == RPC_PART_HEAD) {
			n = message_head(st, bytes + used, len - used, whole);
			if (n == 0 && st->part == RPC_PART_HEAD)
				return used;
		} else if (st->part != RPC_PART_REST) {
			n = message_bulk(st, bytes + used, len - used);
		}
		used += n;
	}
	return used;
}

/* One step of the reader; bytes taken. */
static size_t
message_head(struct rpc_stream *st, const uint8_t *bytes, size_t len, bool whole)
{
	struct reader r = reader_init(bytes, len);
	uint32_t bulk = 0;
	enum rpc_step step = st->reader->take(st->ctx, st->from, &r, whole, &bulk);
	size_t taken = len - r.left;

	if (step == RPC_STEP_MORE && !whole)
		return 0;
	if (step == RPC_STEP_BULK) {
		st->bulk = bulk;
		st->pad = (uint8_t)(-bulk & 3);
		st->part = RPC_PART_BULK;
		if (bulk == 0) {
			st->reader->bulk(st->ctx, st->from, NULL, 0, 0);
			st->part = RPC_PART_HEAD;
		}
		return taken;
	}
	if (step != RPC_STEP_TAKEN || taken == 0) {
		st->part = RPC_PART_REST;
		return len;
	}
	return taken;
}

static size_t
message_bulk(struct rpc_stream *st, const uint8_t *bytes, size_t len)
{
	size_t n = len < st->bulk ? len : st->bulk;
	st->bulk -= (uint32_t)n;
	if (st->part == RPC_PART_BULK)
		st->reader->bulk(st->ctx, st->from, bytes, n, st->bulk);
	if (st->bulk > 0)
		return n;
	bool padded = st->part == RPC_PART_BULK && st->pad > 0;
	st->bulk = st->pad;
	st->part = padded ? RPC_PART_PAD : RPC_PART_HEAD;
	return n;
}

/* Bytes within the message were lost: bulk can be told so; behind anything else nothing is sure. */
static void
message_gap(struct rpc_stream *st, uint32_t len)
{
	if (st->part == RPC_PART_NONE) {
		st->part = RPC_PART_REST;
		st->reader->begin(st->ctx, st->from);
	}
	st->held_len = 0;
	while (len > 0 && (st->part == RPC_PART_BULK || st->part == RPC_PART_PAD)) {
		uint32_t n = len < st->bulk ? len : st->bulk;
		len -= (uint32_t)message_bulk(st, NULL, n);
	}
	if (len > 0)
		st->part = RPC_PART_REST;
}

static void
message_end(struct rpc_stream *st)
{
	if (st->part == RPC_PART_NONE)
		return;
	bool cut = st->part == RPC_PART_BULK;
	st->part = RPC_PART_NONE;
	st->held_len = 0;
	st->bulk = 0;
	st->reader->end(st->ctx, st->from, cut);
}

/* Keeps bytes of a head; what is too long for one is not wanted. */
static void
hold(struct rpc_stream *st, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return;
	size_t need = st->held_len + len, size = st->held_size > 0 ? st->held_size : HELD_FIRST;
	while (size < need)
		size *= 2;
	uint8_t *held = st->held;
	if (need <= HELD_MAX && size > st->held_size)
		held = realloc(st->held, size);
	if (need > HELD_MAX || held == NULL) {
		st->part = RPC_PART_REST;
		st->held_len = 0;
		return;
	}
	if (size > st->held_size)
		st->held_size = size;
	st->held = held;
	memcpy(held + st->held_len, bytes, len);
	if (st->held_len == 0)
		st->wanted = 2 * len;
	st->held_len = need;
}

/* ---- heads ---- */

/* AUTH_SYS (RFC 5531 appendix A): who says to ask, by numbers and the machine's name. */
static void
read_auth_sys(struct reader r, struct rpc_call *call)
{
	reader_skip(&r, 4);
	call->machine = rpc_opaque(&r, 255);
	call->uid = reader_be32(&r);
	call->gid = reader_be32(&r);
	if (!reader_ok(&r)) {
		call->flavor = RPC_AUTH_NONE;
		call->machine.left = 0;
	}
}
