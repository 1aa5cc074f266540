/*
 * 9P2000 and its dialects .u and .L (the Plan 9 manual, section 5; 9P2000.L as diod's protocol.md has it): files by
 * the path walked to, read and written at any offset; each opened fid is one file. Known by the version message
 * that begins every conversation. Not read: what stands in directories, locks, links, extended attributes.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/table.h"
#include "proto/bulk.h"

enum message { /* the answer to each has the next number */
	T_LOPEN = 12,
	T_LCREATE = 14,
	T_GETATTR = 24,
	T_VERSION = 100,
	T_ATTACH = 104,
	T_WALK = 110,
	T_OPEN = 112,
	T_CREATE = 114,
	T_READ = 116,
	T_WRITE = 118,
	T_CLUNK = 120,
	T_REMOVE = 122,
};

enum {
	HEAD_SIZE = 7,          /* size, type, tag */
	READ_HEAD = HEAD_SIZE + 4,
	WRITE_HEAD = HEAD_SIZE + 4 + 8 + 4,
	MESSAGE_MAX = 64 << 20, /* sizes beyond that are none */
	HELD_MAX = 8192,        /* longer ones, but for their bulk, are not of interest */
	PATH_BYTES_MAX = 4096,
	QID_SIZE = 13,
	QID_DIRECTORY = 0x80,
	NAMES_MAX = 16,         /* of a walk */
	FIDS_MAX = 4096,
	TAGS_MAX = 1024,
	NO_TAG = 0xffff,
};

/* What a fid stands for. */
struct fid {
	uint8_t *path;
	size_t path_len;
	bool directory, created;
	struct transfer *read, *write;
	uint64_t top;       /* written up to here */
	uint64_t size;
	bool size_known;
};

/* A request that waits for its answer. */
struct request {
	uint8_t type;
	uint32_t fid, new_fid;
	uint64_t offset;
	struct fid *walked; /* what new_fid will be; owned */
};

struct half {
	uint8_t held[HELD_MAX];
	size_t held_len;
	uint32_t size;             /* of the message at hand; 0: not known yet */
	struct bulk bulk;          /* what is left of it */
	bool lost;
};

struct ninep {
	struct session *session;
	struct table *fids, *tags;
	enum side client;
	struct half half[2];
};

static void take_message(struct ninep *n, enum side from);
static size_t head_wanted(const struct ninep *n, enum side from);
static bool begin_bulk(struct ninep *n, enum side from);
static void take_request(struct ninep *n, uint8_t type, uint16_t tag, struct reader r);
static void take_answer(struct ninep *n, uint8_t type, uint16_t tag, struct reader r);
static void answered(struct ninep *n, struct request *q, struct reader r);
static void take_attach(struct ninep *n, struct reader r);
static void take_walk(struct ninep *n, struct request *q, struct reader r);
static void take_create(struct ninep *n, struct request *q, struct reader *r);
static struct reader take_string(struct reader *r);
static struct fid *fid_find(const struct ninep *n, uint32_t number);
static void fid_put(struct ninep *n, uint32_t number, struct fid *f);
static struct fid *fid_below(const struct fid *f, const struct reader *names, size_t count);
static void fid_end(struct ninep *n, struct fid *f, bool closed);
static void fid_free(struct ninep *n, struct fid *f, bool closed);
static void request_free(struct ninep *n, struct request *q);
static struct transfer *fid_begin(struct ninep *n, const struct fid *f, bool write);

static enum verdict
ninep_probe(const struct probe *p)
{
	static const uint8_t word[] = {'9', 'P', '2', '0', '0', '0'};
	const uint8_t *b = p->bytes[SIDE_SOURCE];
	size_t len = p->len[SIDE_SOURCE];
	if (len == 0) /* the server only answers */
		return p->len[SIDE_DESTINATION] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	struct reader r = reader_init(b, len);
	uint32_t size = reader_le32(&r);
	if (reader_ok(&r) && (size < HEAD_SIZE + 4 + 2 + sizeof word || size > HEAD_SIZE + 4 + 2 + 32))
		return VERDICT_NOT_MINE;
	uint8_t type = reader_u8(&r);
	if (reader_ok(&r) && type != T_VERSION)
		return VERDICT_NOT_MINE;
	uint16_t tag = reader_le16(&r);
	reader_skip(&r, 4 + 2);
	const uint8_t *version = reader_take(&r, sizeof word);
	if (version == NULL)
		return b[0] >= HEAD_SIZE + 4 + 2 + sizeof word && b[0] < 64 ? VERDICT_MORE : VERDICT_NOT_MINE;
	return tag == NO_TAG && memcmp(version, word, sizeof word) == 0 ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static void *
ninep_open(struct session *s)
{
	struct ninep *n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->session = s;
	n->client = SIDE_SOURCE;
	n->fids = table_create(FIDS_MAX);
	n->tags = table_create(TAGS_MAX);
	if (n->fids != NULL && n->tags != NULL)
		return n;
	table_destroy(n->fids);
	table_destroy(n->tags);
	free(n);
	return NULL;
}

static enum verdict
ninep_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct ninep *n = state;
	struct half *h = &n->half[from];
	while (len > 0 && !h->lost) {
		size_t used;
		if (bulk_any(&h->bulk)) {
			used = bulk_take(&h->bulk, bytes, len);
		} else {
			size_t wanted = head_wanted(n, from) - h->held_len;
			used = len < wanted ? len : wanted;
			memcpy(h->held + h->held_len, bytes, used);
			h->held_len += used;
			if (used == wanted)
				take_message(n, from);
		}
		bytes += used;
		len -= used;
	}
	return n->half[0].lost && n->half[1].lost ? VERDICT_DONE : VERDICT_MORE;
}

/* Only within a bulk is it known how the stream goes on. */
static enum verdict
ninep_gap(void *state, enum side from, uint64_t len)
{
	struct ninep *n = state;
	struct half *h = &n->half[from];
	h->lost = h->lost || !bulk_gap(&h->bulk, len);
	return VERDICT_MORE;
}

static void
ninep_close(void *state, bool reset)
{
	struct ninep *n = state;
	void *value;
	size_t cursor = 0;
	(void)reset;
	while ((value = table_next(n->fids, &cursor, NULL, NULL)) != NULL)
		fid_free(n, value, false);
	cursor = 0;
	while ((value = table_next(n->tags, &cursor, NULL, NULL)) != NULL)
		request_free(n, value);
	table_destroy(n->fids);
	table_destroy(n->tags);
	free(n);
}

static bool
ninep_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_ninep = {
        .name = "9p",
        .transport = IPPROTO_TCP,
        .ports = {564},
        .reads = "9P2000, .u and .L: files read and written, at any offset, with path, account, tree and content",
        .infers = "-",
        .misses = "conversations that were not seen from their beginning; the old path of a file that is renamed stays",
        .probe = ninep_probe,
        .open = ninep_open,
        .data = ninep_data,
        .gap = ninep_gap,
        .end = NULL,
        .close = ninep_close,
        .finished = ninep_finished,
};

/* ---- messages ---- */

/* Bytes of the message at hand that are kept: all of it, or what stands before its bulk, or what is worth keeping. */
static size_t
head_wanted(const struct ninep *n, enum side from)
{
	const struct half *h = &n->half[from];
	if (h->held_len < HEAD_SIZE)
		return HEAD_SIZE;
	struct reader r = reader_init(h->held, h->held_len);
	uint32_t size = reader_le32(&r);
	uint8_t type = reader_u8(&r);
	size_t head = from == n->client && type == T_WRITE ? WRITE_HEAD : from != n->client && type == T_READ + 1 ? READ_HEAD : HELD_MAX;
	return size < head ? size : head;
}

/* What was wanted of the head is there. */
static void
take_message(struct ninep *n, enum side from)
{
	struct half *h = &n->half[from];
	struct reader r = reader_init(h->held, h->held_len);
	uint32_t size = reader_le32(&r);
	uint8_t type = reader_u8(&r);
	uint16_t tag = reader_le16(&r);
	if (size < HEAD_SIZE || size > MESSAGE_MAX) {
		h->lost = true;
		return;
	}
	if (head_wanted(n, from) > h->held_len)
		return;
	h->size = size;
	h->bulk.rest = size - (uint32_t)h->held_len;
	if (begin_bulk(n, from))
		;
	else if (from == n->client)
		take_request(n, type, tag, r);
	else
		take_answer(n, type, tag, r);
	h->held_len = 0;
}

/* Twrite and Rread: bytes of a file follow. */
static bool
begin_bulk(struct ninep *n, enum side from)
{
	struct half *h = &n->half[from];
	struct reader r = reader_init(h->held, h->held_len);
	reader_skip(&r, 4);
	uint8_t type = reader_u8(&r);
	uint16_t tag = reader_le16(&r);
	bool write = from == n->client && type == T_WRITE;
	if (!write && (from == n->client || type != T_READ + 1))
		return false;
	struct request *q = write ? NULL : table_remove(n->tags, &tag, sizeof tag);
	struct fid *f = fid_find(n, write ? reader_le32(&r) : q != NULL ? q->fid : UINT32_MAX);
	h->bulk.at = write ? reader_le64(&r) : q != NULL ? q->offset : 0;
	uint32_t count = reader_le32(&r);
	request_free(n, q);
	h->bulk.left = count < h->bulk.rest ? count : h->bulk.rest;
	h->bulk.rest -= h->bulk.left;
	h->bulk.transfer = NULL;
	if (!reader_ok(&r) || f == NULL || f->directory)
		return true;
	struct transfer **t = write ? &f->write : &f->read;
	if (!write && count == 0 && (h->bulk.at == 0 || *t != NULL)) { /* the end of the file */
		f->size = h->bulk.at;
		f->size_known = true;
	}
	if (*t == NULL && (count > 0 || (f->size_known && f->size == 0 && h->bulk.at == 0)))
		*t = fid_begin(n, f, write);
	if (f->size_known && !write)
		transfer_size(*t, f->size);
	if (!write && count == 0 && f->size == 0 && f->size_known)
		transfer_accepted(*t);
	if (write && h->bulk.at <= UINT64_MAX - count && h->bulk.at + count > f->top)
		f->top = h->bulk.at + count;
	h->bulk.transfer = *t;
	return true;
}

static void
take_request(struct ninep *n, uint8_t type, uint16_t tag, struct reader r)
{
	struct request *q, *old = NULL;
	if (type == T_VERSION) {
		reader_skip(&r, 4);
		struct reader version = take_string(&r);
		session_detail(n->session, "9p.version", version.next, version.left);
		return;
	}
	q = calloc(1, sizeof *q);
	if (q == NULL)
		return;
	q->type = type;
	q->fid = reader_le32(&r);
	switch (type) {
	case T_ATTACH:
		take_attach(n, r);
		q->walked = calloc(1, sizeof *q->walked);
		break;
	case T_WALK:
		take_walk(n, q, r);
		break;
	case T_CREATE:
	case T_LCREATE:
		take_create(n, q, &r);
		break;
	case T_READ:
		q->offset = reader_le64(&r);
		break;
	default:
		break;
	}
	if (table_put(n->tags, &tag, sizeof tag, q, (void **)&old) != 0)
		old = q;
	request_free(n, old);
}

/* Who comes, by name or, in the dialects, by number; and which tree it is. */
static void
take_attach(struct ninep *n, struct reader r)
{
	char number[16];
	reader_skip(&r, 4);
	struct reader user = take_string(&r), tree = take_string(&r);
	if (!reader_ok(&r))
		return;
	uint32_t uid = reader_le32(&r);
	session_service(n->session, tree.next, tree.left);
	if (user.left > 0)
		session_account(n->session, user.next, user.left);
	else if (reader_ok(&r) && uid != UINT32_MAX)
		session_account(n->session, number, (size_t)snprintf(number, sizeof number, "uid:%u", (unsigned)uid));
}

static void
take_walk(struct ninep *n, struct request *q, struct reader r)
{
	struct reader names[NAMES_MAX];
	q->new_fid = reader_le32(&r);
	size_t count = reader_le16(&r);
	const struct fid *f = fid_find(n, q->fid);
	if (count > NAMES_MAX || f == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		names[i] = take_string(&r);
	q->offset = count; /* how many the answer must have walked */
	if (reader_ok(&r))
		q->walked = fid_below(f, names, count);
}

static void
take_create(struct ninep *n, struct request *q, struct reader *r)
{
	struct reader name = take_string(r);
	const struct fid *f = fid_find(n, q->fid);
	if (reader_ok(r) && f != NULL)
		q->walked = fid_below(f, &name, 1);
}

static void
take_answer(struct ninep *n, uint8_t type, uint16_t tag, struct reader r)
{
	struct request *q = table_remove(n->tags, &tag, sizeof tag);
	if (q != NULL && type == q->type + 1)
		answered(n, q, r);
	else if (q != NULL && (q->type == T_CLUNK || q->type == T_REMOVE)) /* the fid is gone all the same */
		fid_put(n, q->fid, NULL);
	request_free(n, q);
}

static void
answered(struct ninep *n, struct request *q, struct reader r)
{
	struct fid *f = fid_find(n, q->fid);
	switch (q->type) {
	case T_ATTACH:
		fid_put(n, q->fid, q->walked);
		q->walked = NULL;
		break;
	case T_WALK:
		if (reader_le16(&r) != q->offset)
			break;
		fid_put(n, q->new_fid, q->walked);
		q->walked = NULL;
		break;
	case T_CREATE:
	case T_LCREATE:
	case T_OPEN:
	case T_LOPEN: {
		bool directory = (reader_u8(&r) & QID_DIRECTORY) != 0;
		if (q->walked != NULL) {
			q->walked->created = !directory;
			fid_put(n, q->fid, q->walked);
			f = q->walked;
			q->walked = NULL;
		}
		if (f != NULL)
			f->directory = directory;
		break;
	}
	case T_GETATTR:
		reader_skip(&r, 8 + QID_SIZE + 3 * 4 + 8 + 8); /* valid, qid, mode, uid, gid, links, device */
		if (f != NULL && f->write == NULL) {
			f->size = reader_le64(&r);
			f->size_known = reader_ok(&r);
		}
		break;
	case T_CLUNK:
	case T_REMOVE:
		if (f != NULL)
			fid_end(n, f, q->type == T_CLUNK);
		fid_put(n, q->fid, NULL);
		break;
	default:
		break;
	}
}

static struct reader
take_string(struct reader *r)
{
	return reader_sub(r, reader_le16(r));
}

/* ---- fids ---- */

static struct fid *
fid_find(const struct ninep *n, uint32_t number)
{
	return table_get(n->fids, &number, sizeof number);
}

/* The fid is that from now on, or gone. */
static void
fid_put(struct ninep *n, uint32_t number, struct fid *f)
{
	struct fid *old = table_remove(n->fids, &number, sizeof number);
	if (old != NULL)
		fid_free(n, old, false);
	if (f != NULL && table_put(n->fids, &number, sizeof number, f, NULL) != 0)
		fid_free(n, f, false);
}

/* NULL: out of memory, or the path is too long. */
static struct fid *
fid_below(const struct fid *f, const struct reader *names, size_t count)
{
	struct fid *below = calloc(1, sizeof *below);
	size_t len = f->path_len;
	for (size_t i = 0; i < count; i++)
		len += 1 + names[i].left;
	if (below == NULL || len > PATH_BYTES_MAX || (below->path = malloc(len + 1)) == NULL) {
		free(below);
		return NULL;
	}
	if (f->path_len > 0)
		memcpy(below->path, f->path, f->path_len);
	below->path_len = f->path_len;
	for (size_t i = 0; i < count; i++) {
		below->path[below->path_len++] = '/';
		if (names[i].left > 0)
			memcpy(below->path + below->path_len, names[i].next, names[i].left);
		below->path_len += names[i].left;
	}
	if (count == 0) { /* a copy of the same */
		below->size = f->size;
		below->size_known = f->size_known;
	}
	return below;
}

static struct transfer *
fid_begin(struct ninep *n, const struct fid *f, bool write)
{
	return transfer_begin(n->session, &(struct transfer_start){.sender = write ? n->client : side_other(n->client),
	                                          .method = write ? "Twrite" : "Tread",
	                                          .path = f->path,
	                                          .path_len = f->path_len});
}

/* closed: the client gave it back in order. */
static void
fid_end(struct ninep *n, struct fid *f, bool closed)
{
	for (size_t side = 0; side < 2; side++)
		if (n->half[side].bulk.transfer != NULL &&
		        (n->half[side].bulk.transfer == f->read || n->half[side].bulk.transfer == f->write))
			n->half[side].bulk.transfer = NULL;
	if (closed && f->created && f->write == NULL) { /* an empty file */
		f->write = fid_begin(n, f, true);
		transfer_accepted(f->write);
	}
	if (closed && f->write != NULL)
		transfer_size(f->write, f->top);
	transfer_end(f->read, TRANSFER_TRUNCATED);
	transfer_end(f->write, closed ? TRANSFER_COMPLETE : TRANSFER_TRUNCATED);
	f->read = f->write = NULL;
	f->created = false;
}

static void
fid_free(struct ninep *n, struct fid *f, bool closed)
{
	fid_end(n, f, closed);
	free(f->path);
	free(f);
}

static void
request_free(struct ninep *n, struct request *q)
{
	if (q == NULL)
		return;
	if (q->walked != NULL)
		fid_free(n, q->walked, false);
	free(q);
}
