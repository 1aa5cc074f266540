/*
 * AFP 2.1 to 3.4 over DSI on TCP (Apple Filing Protocol Reference): the session, who logs in and how, volumes, and files
 * by the path that opened their fork, read and written at any offset; each open fork is one file. Folders have
 * numbers: their names are learned as they are asked for. Not read: listings, FPCopyFile, renames, and AppleTalk itself.
 */
#include "config.h"

#include "proto/afp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum dsi { /* commands */
	DSI_COMMAND = 2,
	DSI_GET_STATUS = 3,
	DSI_OPEN_SESSION = 4,
	DSI_WRITE = 6,
	DSI_LAST = 8,
};

enum function {
	CLOSE_FORK = 4,
	CREATE_DIR = 6,
	CREATE_FILE = 7,
	GET_FORK_PARMS = 14,
	LOGIN = 18,
	LOGIN_CONT = 19,
	OPEN_VOL = 24,
	OPEN_DIR = 25,
	OPEN_FORK = 26,
	READ = 27,
	SET_FORK_PARMS = 31,
	WRITE = 33,
	GET_FILE_DIR_PARMS = 34,
	READ_EXT = 60,
	WRITE_EXT = 61,
	LOGIN_EXT = 63,
};

enum {
	HEAD_SIZE = 16,
	REPLY = 1,
	WRITE_HEAD_MAX = 64,     /* what stands before the bytes of a DSIWrite */
	MESSAGE_MAX = 256 << 20, /* sizes beyond that are none */
	REQUESTS_MAX = 1024,
	FLAG_TOP = 0x80,         /* resource fork, from the fork's end, is a folder */
	LEN_EXT = 1 << AFP_BIT_DATA_LEN_EXT | 1 << AFP_BIT_RESOURCE_LEN_EXT,
	ERROR_EOF = -5009,
	ERROR_NOT_USER = -5023,
};

static int probe_pair(const struct probe *p, enum side client);
static void take_message(struct afp *a, enum side from);
static size_t head_wanted(const struct afp *a, enum side from);
static void take_write(struct afp *a, struct afp_half *h, struct reader r);
static void take_request(struct afp *a, uint8_t dsi, uint16_t id, struct reader r);
static void take_read(struct afp *a, struct afp_half *h, const struct afp_request *q, int32_t error);
static void answered(struct afp *a, struct afp_request *q, int32_t error, struct reader r);
static void take_login(struct afp *a, bool extended, struct reader r);
static void take_status(struct afp *a, struct reader all);
static struct reader pascal(struct reader *r);
static void request_free(struct afp_request *q);

/* A request and the answer to it, one from each end: twelve bytes that agree, and four zeros in both. */
static enum verdict
afp_probe(const struct probe *p)
{
	int as_source = probe_pair(p, SIDE_SOURCE);
	int as_destination = p->midstream ? probe_pair(p, SIDE_DESTINATION) : -1;
	if (as_source > 0 || as_destination > 0)
		return VERDICT_DONE;
	return as_source == 0 || as_destination == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
}

/* 1: client asks and the other end answers; 0: may yet be; -1: no. */
static int
probe_pair(const struct probe *p, enum side client)
{
	struct reader q = reader_init(p->bytes[client], p->len[client]);
	struct reader r = reader_init(p->bytes[side_other(client)], p->len[side_other(client)]);
	const size_t asked = q.left, answered = r.left;
	uint8_t flags = reader_u8(&q), dsi = reader_u8(&q);
	uint16_t id = reader_be16(&q);
	uint32_t offset = reader_be32(&q), len = reader_be32(&q), zero = reader_be32(&q);
	const bool begins = dsi == DSI_GET_STATUS || dsi == DSI_OPEN_SESSION;
	if ((asked > 0 && flags != 0) || (asked > 1 && !begins && !(p->midstream && (dsi == DSI_COMMAND || dsi == DSI_WRITE))))
		return -1;
	if (asked >= HEAD_SIZE && (zero != 0 || (begins && len > 64) || (dsi != DSI_WRITE && offset != 0) || (!begins && len < 2) || len > MESSAGE_MAX))
		return -1;
	flags = reader_u8(&r);
	uint8_t dsi_back = reader_u8(&r);
	uint16_t id_back = reader_be16(&r);
	reader_skip(&r, 4);
	uint32_t len_back = reader_be32(&r), zero_back = reader_be32(&r);
	if ((answered > 0 && flags != REPLY) || (answered >= HEAD_SIZE && (zero_back != 0 || len_back > MESSAGE_MAX)))
		return -1;
	if (asked < HEAD_SIZE || answered < HEAD_SIZE)
		return 0;
	return dsi_back == dsi && id_back == id ? 1 : -1;
}

static void *
afp_open(struct session *s)
{
	struct afp *a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	a->session = s;
	a->forks = table_create(AFP_FORKS_MAX);
	a->folders = table_create(AFP_FOLDERS_MAX);
	a->requests = table_create(REQUESTS_MAX);
	if (a->forks != NULL && a->folders != NULL && a->requests != NULL)
		return a;
	table_destroy(a->forks);
	table_destroy(a->folders);
	table_destroy(a->requests);
	free(a);
	return NULL;
}

static enum verdict
afp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct afp *a = state;
	struct afp_half *h = &a->half[from];
	while (len > 0 && !h->lost) {
		size_t used;
		if (bulk_any(&h->bulk)) {
			used = bulk_take(&h->bulk, bytes, len);
		} else {
			size_t wanted = (h->wanted > 0 ? h->wanted : HEAD_SIZE) - h->held_len;
			used = len < wanted ? len : wanted;
			memcpy(h->held + h->held_len, bytes, used);
			h->held_len += used;
			if (used == wanted)
				take_message(a, from);
		}
		bytes += used;
		len -= used;
	}
	return a->half[0].lost && a->half[1].lost ? VERDICT_DONE : VERDICT_MORE;
}

/* Only within a bulk is it known how the stream goes on. */
static enum verdict
afp_gap(void *state, enum side from, uint64_t len)
{
	struct afp *a = state;
	struct afp_half *h = &a->half[from];
	h->lost = h->lost || !bulk_gap(&h->bulk, len);
	return VERDICT_MORE;
}

static void
afp_close(void *state, bool reset)
{
	struct afp *a = state;
	void *value;
	size_t cursor = 0;
	(void)reset;
	afp_forks_clear(a);
	while ((value = table_next(a->requests, &cursor, NULL, NULL)) != NULL)
		request_free(value);
	table_destroy(a->requests);
	free(a->created.text);
	free(a);
}

static bool
afp_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_afp = {
        .name = "afp",
        .transport = IPPROTO_TCP,
        .ports = {548},
        .reads = "AFP over DSI: user, how it logs in, version, volume; files read and written, at any offset, with path and content; "
                 "resource forks as such",
        .infers = "-",
        .misses = "names of folders that were not asked for while it was seen; files that the server copies; renames",
        .probe = afp_probe,
        .open = afp_open,
        .data = afp_data,
        .gap = afp_gap,
        .end = NULL,
        .close = afp_close,
        .finished = afp_finished,
};

/* ---- messages ---- */

/* Bytes of the message at hand that are kept: all of it, or what stands before its bulk, or what is worth keeping. */
static size_t
head_wanted(const struct afp *a, enum side from)
{
	const struct afp_half *h = &a->half[from];
	struct reader r = reader_init(h->held, h->held_len);
	uint8_t flags = reader_u8(&r), dsi = reader_u8(&r);
	uint16_t id = reader_be16(&r);
	uint32_t offset = reader_be32(&r), len = reader_be32(&r);
	size_t most = AFP_HELD_MAX - HEAD_SIZE;
	if (flags == 0 && dsi == DSI_WRITE && offset <= WRITE_HEAD_MAX) {
		most = offset;
	} else if (flags == REPLY) {
		const struct afp_request *q = table_get(a->requests, &id, sizeof id);
		if (q != NULL && (q->function == READ || q->function == READ_EXT))
			most = 0;
	}
	return HEAD_SIZE + (len < most ? len : most);
}

/* What was wanted of the head is there. */
static void
take_message(struct afp *a, enum side from)
{
	struct afp_half *h = &a->half[from];
	struct reader r = reader_init(h->held, h->held_len);
	uint8_t flags = reader_u8(&r), dsi = reader_u8(&r);
	uint16_t id = reader_be16(&r);
	int32_t error = (int32_t)reader_be32(&r);
	uint32_t len = reader_be32(&r);
	reader_skip(&r, 4);
	if (flags > REPLY || dsi == 0 || dsi > DSI_LAST || len > MESSAGE_MAX) {
		h->lost = true;
		return;
	}
	if (h->wanted == 0 && (h->wanted = head_wanted(a, from)) > h->held_len)
		return;
	h->held_len = h->wanted = 0;
	h->bulk.rest = len - r.left;
	h->bulk.transfer = NULL;
	if (dsi != DSI_COMMAND && dsi != DSI_WRITE && dsi != DSI_GET_STATUS && dsi != DSI_OPEN_SESSION)
		return; /* either end may say it */
	if (!a->client_known) {
		a->client_known = true;
		a->client = flags == 0 ? from : side_other(from);
		session_client_end(a->session, a->client);
	}
	if (from == a->client && flags == 0) {
		take_request(a, dsi, id, r);
		if (dsi == DSI_WRITE)
			take_write(a, h, r);
	} else if (from != a->client && flags == REPLY) {
		struct afp_request *q = table_remove(a->requests, &id, sizeof id);
		if (q != NULL && (q->function == READ || q->function == READ_EXT))
			take_read(a, h, q, error);
		else if (q != NULL && q->dsi == dsi)
			answered(a, q, error, r);
		request_free(q);
	}
}

/* FPWrite, FPWriteExt: bytes of a fork follow. */
static void
take_write(struct afp *a, struct afp_half *h, struct reader r)
{
	uint8_t function = reader_u8(&r), flags = reader_u8(&r);
	uint16_t number = reader_be16(&r);
	const bool extended = function == WRITE_EXT;
	uint64_t offset = extended ? reader_be64(&r) : reader_be32(&r);
	if (!reader_ok(&r) || (function != WRITE && !extended) || h->bulk.rest == 0)
		return;
	struct afp_fork *f = afp_fork_get(a, number);
	if (f == NULL)
		return;
	if ((flags & FLAG_TOP) != 0) { /* from the end, a number that is negative or 0 */
		uint64_t end = f->size_known && f->size > f->top ? f->size : f->top;
		offset = end + (extended ? offset : (uint64_t)(int64_t)(int32_t)offset);
	}
	h->bulk.left = h->bulk.rest;
	h->bulk.rest = 0;
	h->bulk.at = offset;
	if (f->write == NULL)
		f->write = afp_fork_begin(a, f, true, extended ? "FPWriteExt" : "FPWrite");
	h->bulk.transfer = f->write;
	uint64_t end = h->bulk.left > UINT64_MAX - offset ? UINT64_MAX : offset + h->bulk.left;
	if (end > f->top)
		f->top = end;
}

/* The answer to FPRead or FPReadExt is all bulk. */
static void
take_read(struct afp *a, struct afp_half *h, const struct afp_request *q, int32_t error)
{
	struct afp_fork *f = error == 0 || error == ERROR_EOF ? afp_fork_get(a, q->fork) : NULL;
	if (f == NULL)
		return;
	h->bulk.left = h->bulk.rest;
	h->bulk.rest = 0;
	h->bulk.at = q->offset;
	if (error == ERROR_EOF && (h->bulk.left > 0 || q->offset == 0 || f->read != NULL) && h->bulk.left <= UINT64_MAX - q->offset) {
		f->size = q->offset + h->bulk.left;
		f->size_known = true;
	}
	if (f->read == NULL && (h->bulk.left > 0 || (f->size_known && f->size == 0)))
		f->read = afp_fork_begin(a, f, false, q->function == READ_EXT ? "FPReadExt" : "FPRead");
	if (f->size_known)
		transfer_size(f->read, f->size);
	if (f->size_known && f->size == 0)
		transfer_accepted(f->read);
	h->bulk.transfer = f->read;
}

static void
take_request(struct afp *a, uint8_t dsi, uint16_t id, struct reader r)
{
	struct afp_request *q = calloc(1, sizeof *q), *old = NULL;
	if (q == NULL)
		return;
	q->dsi = dsi;
	q->function = dsi == DSI_COMMAND || dsi == DSI_WRITE ? reader_u8(&r) : 0;
	struct reader login = r; /* where all others have flags, or a byte of padding, FPLogin has none */
	q->resource = (reader_u8(&r) & FLAG_TOP) != 0;
	switch (q->function) {
	case LOGIN:
	case LOGIN_EXT:
		take_login(a, q->function == LOGIN_EXT, login);
		break;
	case OPEN_VOL: {
		reader_skip(&r, 2);
		struct reader name = pascal(&r);
		session_service(a->session, name.next, name.left);
		session_detail(a->session, "afp.volume", name.next, name.left);
		break;
	}
	case CREATE_DIR:
	case CREATE_FILE:
	case OPEN_DIR:
	case OPEN_FORK:
	case GET_FILE_DIR_PARMS: {
		reader_skip(&r, 2); /* volume */
		uint32_t folder = reader_be32(&r);
		if (q->function == OPEN_FORK || q->function == GET_FILE_DIR_PARMS)
			reader_skip(&r, 4); /* what is asked for, and the access or a second mask */
		q->path = afp_take_path(a, folder, &r);
		break;
	}
	default: /* READ, READ_EXT, SET_FORK_PARMS and others of a fork; the rest is not looked at */
		q->fork = reader_be16(&r);
		if (q->function == SET_FORK_PARMS)
			q->bits = reader_be16(&r);
		q->offset = q->function == READ_EXT || (q->bits & LEN_EXT) != 0 ? reader_be64(&r) : reader_be32(&r);
		break;
	}
	if (table_put(a->requests, &id, sizeof id, q, (void **)&old) != 0)
		old = q;
	request_free(old);
}

/* FPLogin: version, method, and what that wants, which begins with the name; FPLoginExt has the name apart. */
static void
take_login(struct afp *a, bool extended, struct reader r)
{
	if (extended)
		reader_skip(&r, 1 + 2); /* padding, flags */
	struct reader version = pascal(&r), method = pascal(&r), name;
	if (extended) {
		reader_skip(&r, 1); /* the name's type, always UTF-8 */
		name = reader_sub(&r, reader_be16(&r));
	} else {
		name = pascal(&r);
	}
	session_detail(a->session, "afp.version", version.next, version.left);
	session_detail(a->session, "afp.auth", method.next, method.left);
	if (reader_ok(&r))
		session_account(a->session, name.next, name.left);
}

static void
answered(struct afp *a, struct afp_request *q, int32_t error, struct reader r)
{
	struct reader all = r;
	struct afp_fork *f;
	if ((q->function == LOGIN || q->function == LOGIN_CONT || q->function == LOGIN_EXT) && error == ERROR_NOT_USER)
		session_detail(a->session, "afp.logon", "failed", 6);
	if (q->dsi == DSI_GET_STATUS)
		take_status(a, all);
	if (error != 0)
		return;
	uint16_t bits = reader_be16(&r);
	switch (q->function) {
	case CREATE_DIR:
	case OPEN_DIR:
		afp_learn_folder(a, reader_be32(&all), &q->path);
		break;
	case CREATE_FILE:
		free(a->created.text);
		a->created = q->path;
		q->path = (struct afp_path){0};
		break;
	case GET_FILE_DIR_PARMS: /* what was asked of files, of folders, which it is, padding */
		bits = reader_be16(&r);
		if ((reader_be16(&r) >> 8 & FLAG_TOP) != 0 && afp_parameter_at(&r, bits, AFP_BIT_NODE))
			afp_learn_folder(a, reader_be32(&r), &q->path);
		break;
	case OPEN_FORK:
		afp_fork_open(a, q, bits, r);
		break;
	case GET_FORK_PARMS:
	case SET_FORK_PARMS:
	case CLOSE_FORK:
		f = table_get(a->forks, &q->fork, sizeof q->fork);
		if (f != NULL && q->function == GET_FORK_PARMS)
			afp_fork_learn_size(f, bits, r);
		if (f != NULL && q->function == SET_FORK_PARMS)
			afp_fork_set_size(f, q->offset);
		if (f != NULL && q->function == CLOSE_FORK)
			afp_fork_close(a, q->fork, true);
		break;
	default:
		break;
	}
}

/* FPGetSrvrInfo's answer: an offset to what the server runs on; behind ten bytes its name. */
static void
take_status(struct afp *a, struct reader all)
{
	struct reader r = all;
	uint16_t machine = reader_be16(&r);
	reader_skip(&r, 8);
	struct reader name = pascal(&r);
	reader_skip(&all, machine);
	struct reader runs = pascal(&all);
	if (!reader_ok(&r) || !reader_ok(&all))
		return;
	session_server(a->session, runs.next, runs.left);
	session_detail(a->session, "afp.server_name", name.next, name.left);
}

static struct reader
pascal(struct reader *r)
{
	return reader_sub(r, reader_u8(r));
}

static void
request_free(struct afp_request *q)
{
	if (q != NULL)
		free(q->path.text);
	free(q);
}
