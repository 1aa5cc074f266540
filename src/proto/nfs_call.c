/* Calls that wait for their answer, by transaction number; bounded: the oldest go first, for UDP loses some. */
#include "config.h"

#include "proto/nfs.h"

#include <stdlib.h>
#include <string.h>

enum {
	WAITING_MAX = 512,
	SPARE_MAX = 32,
	STORE_MAX = 8192,
	STORE_FIRST = 256,
	STORE_KEPT = 1024, /* a spare call keeps no more */
};

static uint32_t mix(uint32_t xid);
static struct nfs_call *find(const struct nfs_calls *c, uint32_t xid);
static void take_out(struct nfs_calls *c, struct nfs_call *call);
static void call_free(struct nfs_call *call);

void
nfs_calls_init(struct nfs_calls *c)
{
	for (size_t i = 0; i < NFS_CALL_BUCKETS; i++)
		LIST_INIT(&c->bucket[i]);
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->spare);
	c->answered[mix(0) % NFS_ANSWERED] = 1; /* number 0 was not */
}

void
nfs_calls_clear(struct nfs_calls *c)
{
	struct nfs_call *call;
	while ((call = TAILQ_FIRST(&c->waiting)) != NULL) {
		take_out(c, call);
		nfs_call_unref(c, call);
	}
	while ((call = TAILQ_FIRST(&c->spare)) != NULL) {
		TAILQ_REMOVE(&c->spare, call, order);
		call_free(call);
	}
}

struct nfs_call *
nfs_call_add(struct nfs_calls *c, uint32_t xid)
{
	struct nfs_call *call = find(c, xid);
	if (c->answered[mix(xid) % NFS_ANSWERED] == xid)
		return NULL;
	if (call == NULL && c->count >= WAITING_MAX)
		call = TAILQ_FIRST(&c->waiting);
	if (call != NULL) {
		take_out(c, call);
		nfs_call_unref(c, call);
	}
	call = TAILQ_FIRST(&c->spare);
	if (call != NULL)
		TAILQ_REMOVE(&c->spare, call, order);
	else if ((call = calloc(1, sizeof *call)) == NULL)
		return NULL;
	call->xid = xid;
	call->refs = 2; /* the table's, and the caller's */
	call->waiting = true;
	TAILQ_INSERT_TAIL(&c->waiting, call, order);
	LIST_INSERT_HEAD(&c->bucket[mix(xid) % NFS_CALL_BUCKETS], call, bucket);
	c->count++;
	return call;
}

bool
nfs_call_is_known(const struct nfs_calls *c, uint32_t xid)
{
	return find(c, xid) != NULL;
}

struct nfs_call *
nfs_call_answer(struct nfs_calls *c, uint32_t xid)
{
	struct nfs_call *call = find(c, xid);
	if (call == NULL)
		return NULL;
	c->answered[mix(xid) % NFS_ANSWERED] = xid;
	take_out(c, call);
	return call;
}

void
nfs_call_unref(struct nfs_calls *c, struct nfs_call *call)
{
	size_t spare = 0;
	struct nfs_call *other;
	if (call == NULL || --call->refs > 0)
		return;
	TAILQ_FOREACH(other, &c->spare, order)
		spare++;
	if (spare >= SPARE_MAX || call->store_size > STORE_KEPT) {
		call_free(call);
		return;
	}
	uint8_t *store = call->store;
	size_t size = call->store_size;
	*call = (struct nfs_call){.store = store, .store_size = size};
	TAILQ_INSERT_HEAD(&c->spare, call, order);
}

struct nfs_op *
nfs_call_op(struct nfs_call *call, uint32_t code)
{
	if (call->op_count == NFS_OPS_MAX)
		return NULL;
	struct nfs_op *op = &call->op[call->op_count++];
	*op = (struct nfs_op){.code = code};
	return op;
}

void
nfs_call_text(struct nfs_call *call, struct nfs_op *op, size_t which, struct reader text)
{
	size_t need = call->store_len + text.left;
	size_t size = call->store_size > 0 ? call->store_size : STORE_FIRST;
	op->len[which] = 0;
	if (text.left == 0 || need > STORE_MAX)
		return;
	while (size < need)
		size *= 2;
	if (size > call->store_size) {
		uint8_t *store = realloc(call->store, size);
		if (store == NULL)
			return;
		call->store = store;
		call->store_size = size;
	}
	memcpy(call->store + call->store_len, text.next, text.left);
	op->at[which] = (uint16_t)call->store_len;
	op->len[which] = (uint16_t)text.left;
	call->store_len = need;
}

struct reader
nfs_op_text(const struct nfs_call *call, const struct nfs_op *op, size_t which)
{
	return op->len[which] > 0 ? reader_init(call->store + op->at[which], op->len[which]) : reader_init("", 0);
}

/* Clients count up, in either byte order. */
static uint32_t
mix(uint32_t xid)
{
	return (xid * UINT32_C(2654435761)) >> 16;
}

static struct nfs_call *
find(const struct nfs_calls *c, uint32_t xid)
{
	struct nfs_call *call;
	LIST_FOREACH(call, &c->bucket[mix(xid) % NFS_CALL_BUCKETS], bucket)
		if (call->xid == xid)
			return call;
	return NULL;
}

/* The table's reference becomes the caller's. */
static void
take_out(struct nfs_calls *c, struct nfs_call *call)
{
	TAILQ_REMOVE(&c->waiting, call, order);
	LIST_REMOVE(call, bucket);
	call->waiting = false;
	c->count--;
}

static void
call_free(struct nfs_call *call)
{
	free(call->store);
	free(call);
}
