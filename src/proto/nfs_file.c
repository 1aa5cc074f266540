/*
 * Files out of single reads and writes, over any number of connections: each request is a part of a transfer
 * that is joined by the file's identity. What is read is whole when all of it was seen. What is written has no end
 * in versions 2 and 3: it is over when the file was left alone for a while, or the conversation ends, and
 * whole when the server, in its answers, gives it the size that was seen, or took all that was written for good.
 */
#include "config.h"

#include "proto/nfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"

enum {
	FILES_MAX = 512,
	HOLE_MAX = 16 << 20, /* longer ones are left out, and the file is not whole */
};

enum way {
	WAY_READ,
	WAY_WRITE,
};

/* A written file that was taken for good is over sooner than one that may wait for more, or is read or open. */
static const int64_t settled_idle = 120 * CLOCK_SECOND, idle = 300 * CLOCK_SECOND;

struct nfs_file {
	TAILQ_ENTRY(nfs_file) by_use;
	struct nfs_id id;
	uint8_t *path;            /* NULL: not known */
	size_t path_len;
	struct transfer *keep[2]; /* by way: holds the transfer open between requests */
	struct nfs_state state;   /* as the server told last */
	const char *method;       /* what wrote first, where that is not WRITE; static */
	uint64_t top;             /* bytes were written up to here */
	unsigned unanswered;      /* WRITEs */
	bool loose;               /* some were taken without a promise: COMMIT is missing */
	bool failed;
	bool filled;              /* the server copied all that stands behind top, however much that is */
	bool created;             /* by CREATE or OPEN, and nothing was written yet */
	uint32_t uid;
	bool has_uid;
	unsigned opens;           /* version 4 */
	uint8_t opened[12];       /* the last of their states */
	int64_t last;
};

static struct nfs_file *file_find(struct nfs *n, const struct nfs_id *id);
static struct nfs_file *file_get(struct nfs *n, const struct nfs_id *id);
static void file_free(struct nfs *n, struct nfs_file *f);
static void file_settle(struct nfs *n, struct nfs_file *f, bool closed);
static bool final_size(const struct nfs_file *f, bool closed, uint64_t *size);
static bool stays_empty(const struct nfs *n, const struct nfs_file *f, bool closed);
static void tell_empty(struct nfs *n, struct nfs_file *f);
static struct transfer *part_begin(struct nfs *n, struct nfs_file *f, enum way way);
static void part_to_come(struct nfs *n, struct nfs_message *m, struct nfs_file *f, enum way way);
static void tell_account(struct nfs *n, const struct nfs_file *f);
static void learn_state(struct nfs_file *f, const struct nfs_state *state);

void
nfs_file_read(struct nfs *n, struct nfs_message *m, const struct nfs_id *id, uint64_t offset, uint32_t len,
        const struct nfs_state *state, bool eof)
{
	struct nfs_file *f = file_get(n, id);
	if (f == NULL)
		return;
	f->has_uid = m->call->has_uid;
	f->uid = m->call->uid;
	learn_state(f, state);
	/* What comes with the bytes is newer than what was said before; a file with a size is not empty for all that. */
	if (len == 0 && f->state.size_known && f->state.size > offset)
		eof = false;
	if (eof)
		learn_state(f, &(struct nfs_state){true, offset + len});
	part_to_come(n, m, f, WAY_READ);
	m->at = offset;
	if (f->state.size_known)
		transfer_size(m->part, f->state.size);
	bool over = eof || (f->state.size_known && offset + len >= f->state.size);
	if (over && f->keep[WAY_READ] != NULL) {
		transfer_end(f->keep[WAY_READ], TRANSFER_TRUNCATED);
		f->keep[WAY_READ] = NULL;
	} else if (!over && f->keep[WAY_READ] == NULL) {
		f->keep[WAY_READ] = part_begin(n, f, WAY_READ);
	}
	if (len == 0 && offset == 0 && eof)
		transfer_accepted(m->part);
}

void
nfs_file_write(struct nfs *n, struct nfs_message *m, const struct nfs_id *id, uint64_t offset, uint32_t len)
{
	struct nfs_file *f = file_get(n, id);
	if (f == NULL || len == 0)
		return;
	f->has_uid = m->call->has_uid;
	f->uid = m->call->uid;
	part_to_come(n, m, f, WAY_WRITE);
	m->at = offset;
	if (f->keep[WAY_WRITE] == NULL)
		f->keep[WAY_WRITE] = part_begin(n, f, WAY_WRITE);
	uint64_t end = len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
	if (end > f->top)
		f->top = end;
	f->created = false;
	f->unanswered++;
}

void
nfs_file_copied(struct nfs *n, struct nfs_message *m, const char *method, uint64_t offset, uint64_t len, bool stable)
{
	uint8_t path[NFS_PATH_MAX];
	struct nfs_file *f = file_get(n, &m->current);
	if (f == NULL)
		return;
	f->has_uid = m->call->has_uid;
	f->uid = m->call->uid;
	if (f->top == 0)
		f->method = method;
	f->filled = f->filled || len == 0;
	part_to_come(n, m, f, WAY_WRITE);
	if (f->top == 0)
		transfer_detail(m->part, "nfs.copied_from", path, nfs_name_path(n, &m->saved, path));
	transfer_offset(m->part, offset);
	transfer_copied(m->part, len);
	transfer_accepted(m->part);
	if (f->keep[WAY_WRITE] == NULL)
		f->keep[WAY_WRITE] = part_begin(n, f, WAY_WRITE);
	nfs_file_bytes_end(m);
	uint64_t end = len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
	if (end > f->top)
		f->top = end;
	f->created = false;
	f->loose = f->loose || !stable;
}

void
nfs_file_hole(struct nfs *n, struct nfs_message *m, const struct nfs_id *id, uint64_t offset, uint64_t len, bool eof)
{
	static const uint8_t zeros[4096];
	bool told = len <= HOLE_MAX && len <= UINT64_MAX - offset;
	struct nfs_state state = {eof && told, told ? offset + len : 0};
	nfs_file_read(n, m, id, offset, 0, &state, false);
	for (uint64_t left = told ? len : 0; left > 0 && m->part != NULL;) {
		size_t step = left < sizeof zeros ? (size_t)left : sizeof zeros;
		left -= step;
		nfs_file_bytes(m, zeros, step, 1);
	}
	nfs_file_bytes_end(m);
}

void
nfs_file_bytes(struct nfs_message *m, const uint8_t *bytes, size_t len, uint32_t left)
{
	if (bytes != NULL)
		transfer_data(m->part, m->at, bytes, len);
	m->at = len > UINT64_MAX - m->at ? UINT64_MAX : m->at + len;
	if (left == 0)
		nfs_file_bytes_end(m);
}

void
nfs_file_bytes_end(struct nfs_message *m)
{
	transfer_end(m->part, TRANSFER_TRUNCATED);
	m->part = NULL;
}

void
nfs_file_written(struct nfs *n, const struct nfs_id *id, uint32_t status, bool stable, const struct nfs_state *state)
{
	struct nfs_file *f = file_find(n, id);
	if (f == NULL)
		return;
	if (f->unanswered > 0)
		f->unanswered--;
	learn_state(f, state);
	if (status != 0) {
		f->failed = true;
		transfer_detail_number(f->keep[WAY_WRITE], "nfs.error", status);
	} else if (!stable) {
		f->loose = true;
	}
}

void
nfs_file_committed(struct nfs *n, const struct nfs_id *id, const struct nfs_state *state)
{
	struct nfs_file *f = file_find(n, id);
	if (f == NULL)
		return;
	learn_state(f, state);
	f->loose = false;
}

void
nfs_file_created(struct nfs *n, const struct nfs_call *call, const struct nfs_id *id)
{
	struct nfs_file *f = file_get(n, id);
	if (f == NULL)
		return;
	f->has_uid = call->has_uid;
	f->uid = call->uid;
	f->created = f->top == 0;
}

void
nfs_file_opened(struct nfs *n, const struct nfs_call *call, const struct nfs_id *id, struct reader state, bool created)
{
	struct nfs_file *f = file_get(n, id);
	if (f == NULL || state.left < sizeof f->opened)
		return;
	if (f->opens == 0 || memcmp(f->opened, state.next, sizeof f->opened) != 0)
		f->opens++;
	memcpy(f->opened, state.next, sizeof f->opened);
	if (created)
		nfs_file_created(n, call, id);
}

void
nfs_file_closed(struct nfs *n, const struct nfs_id *id)
{
	struct nfs_file *f = file_find(n, id);
	if (f == NULL || (f->opens > 0 && --f->opens > 0))
		return;
	file_settle(n, f, true);
	file_free(n, f);
}

void
nfs_file_elsewhere(struct nfs *n, const struct nfs_id *id)
{
	struct nfs_file *f = file_find(n, id);
	if (f != NULL)
		f->created = false;
}

void
nfs_file_state(struct nfs *n, const struct nfs_id *id, const struct nfs_state *state)
{
	struct nfs_file *f = file_find(n, id);
	if (f != NULL)
		learn_state(f, state);
}

/* All that was in it is gone: what was written until now is a file of its own. */
void
nfs_file_emptied(struct nfs *n, const struct nfs_id *id)
{
	struct nfs_file *f = file_find(n, id);
	if (f == NULL || f->top == 0)
		return;
	file_settle(n, f, true);
	f->state.size_known = false;
	f->created = true;
}

void
nfs_file_renamed(struct nfs *n, const struct nfs_id *from, const struct nfs_id *to)
{
	uint8_t path[NFS_PATH_MAX];
	struct nfs_id id = nfs_name_at(n, from);
	struct nfs_file *f = file_find(n, &id);
	if (f == NULL)
		f = file_find(n, from);
	nfs_name_move(n, from, to);
	size_t len = f != NULL ? nfs_name_path(n, to, path) : 0;
	if (len == 0)
		return;
	for (size_t i = 0; i < 2; i++)
		transfer_detail(f->keep[i], "nfs.renamed_to", path, len);
	free(f->path);
	f->path = malloc(len);
	f->path_len = f->path != NULL ? len : 0;
	if (f->path != NULL)
		memcpy(f->path, path, len);
}

void
nfs_file_removed(struct nfs *n, const struct nfs_id *place)
{
	struct nfs_id id = nfs_name_at(n, place);
	struct nfs_file *f = file_find(n, &id);
	if (f == NULL)
		return;
	f->created = false; /* an empty file that is gone again is none */
	file_settle(n, f, false);
	file_free(n, f);
}

void
nfs_files_age(struct nfs *n)
{
	const int64_t now = session_now(n->session);
	struct nfs_file *f, *next;
	for (f = TAILQ_FIRST(&n->by_use); f != NULL && now - f->last >= settled_idle; f = next) {
		next = TAILQ_NEXT(f, by_use);
		bool settled = f->opens == 0 && f->keep[WAY_READ] == NULL && !f->loose && f->unanswered == 0;
		if (!settled && now - f->last < idle)
			continue;
		file_settle(n, f, false);
		file_free(n, f);
	}
}

void
nfs_files_clear(struct nfs *n)
{
	struct nfs_file *f;
	while ((f = TAILQ_FIRST(&n->by_use)) != NULL) {
		file_settle(n, f, false);
		file_free(n, f);
	}
	table_destroy(n->files);
	n->files = NULL;
}

/* ---- the table ---- */

static struct nfs_file *
file_find(struct nfs *n, const struct nfs_id *id)
{
	if (n->files == NULL || id->len == 0)
		return NULL;
	struct nfs_file *f = table_get(n->files, id->bytes, id->len);
	if (f == NULL)
		return NULL;
	TAILQ_REMOVE(&n->by_use, f, by_use);
	TAILQ_INSERT_TAIL(&n->by_use, f, by_use);
	f->last = session_now(n->session);
	return f;
}

/* That file; the one unused for longest makes room for it. NULL: not known which, or out of memory. */
static struct nfs_file *
file_get(struct nfs *n, const struct nfs_id *id)
{
	struct nfs_file *f = file_find(n, id);
	if (f != NULL || id->len == 0)
		return f;
	if (n->files == NULL)
		n->files = table_create(FILES_MAX);
	if (n->files == NULL)
		return NULL;
	if (table_count(n->files) == FILES_MAX) {
		f = TAILQ_FIRST(&n->by_use);
		file_settle(n, f, false);
		file_free(n, f);
	}
	f = calloc(1, sizeof *f);
	if (f == NULL || table_put(n->files, id->bytes, id->len, f, NULL) != 0) {
		free(f);
		return NULL;
	}
	f->id = *id;
	f->last = session_now(n->session);
	TAILQ_INSERT_TAIL(&n->by_use, f, by_use);
	return f;
}

static void
file_free(struct nfs *n, struct nfs_file *f)
{
	(void)table_remove(n->files, f->id.bytes, f->id.len);
	TAILQ_REMOVE(&n->by_use, f, by_use);
	free(f->path);
	free(f);
}

/* ---- transfers ---- */

/* What was going on in it is over. closed: the client said so. */
static void
file_settle(struct nfs *n, struct nfs_file *f, bool closed)
{
	uint64_t size;
	transfer_end(f->keep[WAY_READ], TRANSFER_TRUNCATED);
	if (f->filled && f->state.size_known && f->state.size > f->top) {
		struct transfer *part = part_begin(n, f, WAY_WRITE);
		transfer_offset(part, f->top);
		transfer_copied(part, f->state.size - f->top);
		transfer_end(part, TRANSFER_TRUNCATED);
		f->top = f->state.size;
	}
	if (f->keep[WAY_WRITE] != NULL && final_size(f, closed, &size)) {
		struct transfer *part = part_begin(n, f, WAY_WRITE);
		transfer_size(part, size);
		transfer_end(part, TRANSFER_COMPLETE);
	}
	transfer_end(f->keep[WAY_WRITE], TRANSFER_TRUNCATED);
	f->keep[WAY_READ] = f->keep[WAY_WRITE] = NULL;
	if (f->created && f->state.size_known && f->state.size == 0 && stays_empty(n, f, closed))
		tell_empty(n, f);
	f->created = f->failed = f->loose = f->filled = false;
	f->method = NULL;
	f->top = 0;
	f->unanswered = 0;
}

/* The size of the file that was written, if that is sure enough. */
static bool
final_size(const struct nfs_file *f, bool closed, uint64_t *size)
{
	*size = f->top;
	if (f->failed || f->unanswered > 0)
		return false;
	if (f->state.size_known && f->state.size > f->top)
		*size = f->state.size; /* some of it came before, or by another way */
	return closed || !f->loose || (f->state.size_known && f->state.size >= f->top);
}

/* A file that was created is an empty one when nobody can be about to write it. */
static bool
stays_empty(const struct nfs *n, const struct nfs_file *f, bool closed)
{
	return closed || (n->ended[0] && n->ended[1]) || session_now(n->session) - f->last >= settled_idle;
}

static void
tell_empty(struct nfs *n, struct nfs_file *f)
{
	f->created = false;
	tell_account(n, f);
	struct transfer *t = transfer_begin(n->session, &(struct transfer_start){.sender = n->client,
	                                                        .method = "CREATE",
	                                                        .path = f->path,
	                                                        .path_len = f->path_len,
	                                                        .size_known = true});
	if (f->path == NULL) {
		uint8_t path[NFS_PATH_MAX];
		transfer_name(t, path, nfs_name_path(n, &f->id, path), NULL);
	}
	transfer_accepted(t);
	transfer_end(t, TRANSFER_COMPLETE);
}

/* A part of the file's transfer; the first one names it. */
static struct transfer *
part_begin(struct nfs *n, struct nfs_file *f, enum way way)
{
	uint8_t key[4 + NFS_ID_MAX] = "nfs:";
	memcpy(key + 4, f->id.bytes, f->id.len);
	if (f->path == NULL && f->keep[way] == NULL) {
		uint8_t path[NFS_PATH_MAX];
		f->path_len = nfs_name_path(n, &f->id, path);
		f->path = f->path_len > 0 ? malloc(f->path_len) : NULL;
		if (f->path != NULL)
			memcpy(f->path, path, f->path_len);
	}
	tell_account(n, f);
	return transfer_begin(n->session,
	        &(struct transfer_start){.sender = way == WAY_WRITE ? n->client : side_other(n->client),
	                .method = way == WAY_READ ? "READ" : f->method != NULL ? f->method : "WRITE",
	                .path = f->path,
	                .path_len = f->path != NULL ? f->path_len : 0,
	                .join_key = key,
	                .join_len = 4 + (size_t)f->id.len});
}

/* The message at hand carries bytes of this file. */
static void
part_to_come(struct nfs *n, struct nfs_message *m, struct nfs_file *f, enum way way)
{
	nfs_file_bytes_end(m);
	m->part = part_begin(n, f, way);
}

static void
tell_account(struct nfs *n, const struct nfs_file *f)
{
	char text[16];
	if (!f->has_uid || (n->uid_told && n->uid == f->uid))
		return;
	int len = snprintf(text, sizeof text, "uid:%u", (unsigned)f->uid);
	session_account(n->session, text, (size_t)len);
	n->uid = f->uid;
	n->uid_told = true;
}

static void
learn_state(struct nfs_file *f, const struct nfs_state *state)
{
	if (state->size_known)
		f->state = *state;
}
