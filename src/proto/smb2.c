/* SMB 2 and 3: messages, compounds, and which answer belongs to which request (MS-SMB2 2.2.1, 3.2.4.1, 3.2.5.1). */
#include "config.h"

#include "proto/smb2.h"

#include <string.h>

enum {
	FLAG_ANSWER = 0x00000001,
	FLAG_ASYNC = 0x00000002,
	FLAG_RELATED = 0x00000004,
	FLAG_DFS = 0x10000000,
	FLAG_REPLAY = 0x20000000,
};

enum {
	AT_STATUS = 8,
	AT_COMMAND = 12,
	AT_FLAGS = 16,
	AT_NEXT = 20,
	READ_ANSWER = 16,   /* fixed parts of bodies that are followed by a file's bytes */
	WRITE_REQUEST = 48,
	DATA_OFFSET_MAX = 1024,
	LARGE_ANSWER_MAX = 4096, /* what is looked at of those that can be large */
};

static bool header_read(struct smb2_message *m, const uint8_t *unit, size_t have);
static void request(struct smb *h, bool first, struct smb2_message *m, struct smb_sink *sink);
static void answer(struct smb *h, const struct smb2_message *m, struct smb_sink *sink);
static void chain_follow(struct smb *h, bool first, struct smb2_message *m);
static void chain_handle(struct smb *h, struct smb_handle *f);
static uint32_t le32_at(const uint8_t *unit, size_t at);

static const struct {
	smb2_request_fn *request;
	smb2_answer_fn *answer;
} commands[SMB2_COMMANDS] = {
        [SMB2_NEGOTIATE] = {smb2_negotiate_request, smb2_negotiate_answer},
        [SMB2_SESSION_SETUP] = {smb2_setup_request, smb2_setup_answer},
        [SMB2_LOGOFF] = {NULL, smb2_logoff_answer},
        [SMB2_TREE_CONNECT] = {smb2_connect_request, smb2_connect_answer},
        [SMB2_TREE_DISCONNECT] = {NULL, smb2_disconnect_answer},
        [SMB2_CREATE] = {smb2_create_request, smb2_create_answer},
        [SMB2_CLOSE] = {smb2_close_request, smb2_close_answer},
        [SMB2_READ] = {smb2_read_request, smb2_read_answer},
        [SMB2_WRITE] = {smb2_write_request, smb2_write_answer},
        [SMB2_IOCTL] = {smb2_ioctl_request, smb2_ioctl_answer},
        [SMB2_QUERY_INFO] = {smb2_query_request, smb2_query_answer},
        [SMB2_SET_INFO] = {smb2_set_request, smb2_set_answer},
};

size_t
smb2_unit(const uint8_t *unit, size_t have, size_t left)
{
	size_t next = have >= AT_NEXT + 4 ? le32_at(unit, AT_NEXT) : 0;
	return next >= SMB2_HEADER_LEN && next < left ? next : left;
}

/* Of most messages all is needed; in front of a file's bytes only what says whose they are. */
size_t
smb2_head(const uint8_t *unit, size_t have, size_t len)
{
	if (have < SMB2_HEADER_LEN)
		return SMB2_HEADER_LEN;
	uint32_t command = le32_at(unit, AT_COMMAND) & 0xffff, status = le32_at(unit, AT_STATUS);
	bool is_answer = (le32_at(unit, AT_FLAGS) & FLAG_ANSWER) != 0;
	size_t fixed = 0, offset = 0;

	if (command >= SMB2_COMMANDS || commands[command].answer == NULL)
		return SMB2_HEADER_LEN;
	if (command == SMB2_WRITE && !is_answer)
		fixed = SMB2_HEADER_LEN + WRITE_REQUEST;
	else if (command == SMB2_READ && is_answer &&
	         (status == STATUS_SUCCESS || status == STATUS_BUFFER_OVERFLOW))
		fixed = SMB2_HEADER_LEN + READ_ANSWER;
	else if (is_answer && (command == SMB2_IOCTL || command == SMB2_QUERY_INFO))
		return len < LARGE_ANSWER_MAX ? len : LARGE_ANSWER_MAX;
	else
		return len;
	if (have >= fixed)
		offset = command == SMB2_WRITE ? le32_at(unit, SMB2_HEADER_LEN) >> 16 : unit[SMB2_HEADER_LEN + 2];
	return offset > fixed && offset <= DATA_OFFSET_MAX ? offset : fixed;
}

void
smb2_take(struct smb *h, enum side from, bool first, const uint8_t *unit, size_t have, size_t len, struct smb_sink *sink)
{
	struct smb2_message m;
	(void)len;
	if (!header_read(&m, unit, have))
		return;
	smb_client(h, m.answer ? side_other(from) : from);
	if (m.answer == (from == h->client))
		return;
	h->two = true;
	if (m.command >= SMB2_COMMANDS || commands[m.command].answer == NULL)
		return;
	if (m.answer)
		answer(h, &m, sink);
	else
		request(h, first, &m, sink);
}

struct reader
smb2_buffer(const struct smb2_message *m, size_t offset, size_t len)
{
	struct reader r = m->all;
	reader_skip(&r, offset);
	struct reader part = reader_sub(&r, len);
	return reader_ok(&r) ? part : (struct reader){0};
}

struct smb_handle *
smb2_file(struct smb *h, const struct smb2_message *m, struct reader *r, bool create)
{
	struct smb_file_id id = {.logon = m->logon, .persistent = reader_le64(r), .volatile_part = reader_le64(r)};
	struct smb_handle *f;
	if (!reader_ok(r))
		return NULL;
	if (m->related && id.persistent == UINT64_MAX && id.volatile_part == UINT64_MAX)
		return h->chain.handle;
	f = create ? smb_handle_find(h, &id, m->tree) : smb_handle_known(h, &id);
	if (f != NULL && !m->answer)
		chain_handle(h, f);
	return f;
}

static bool
header_read(struct smb2_message *m, const uint8_t *unit, size_t have)
{
	struct reader r = reader_init(unit, have);
	*m = (struct smb2_message){.all = r};
	reader_skip(&r, AT_STATUS);
	m->status = reader_le32(&r);
	m->command = reader_le16(&r);
	reader_skip(&r, 2); /* credits */
	uint32_t flags = reader_le32(&r);
	reader_skip(&r, 4); /* next */
	m->id = reader_le64(&r);
	reader_skip(&r, 4); /* process, or half of AsyncId */
	m->tree = reader_le32(&r);
	m->logon = reader_le64(&r);
	reader_skip(&r, 16); /* signature */
	m->answer = (flags & FLAG_ANSWER) != 0;
	m->async = (flags & FLAG_ASYNC) != 0;
	m->related = (flags & FLAG_RELATED) != 0;
	m->dfs = (flags & FLAG_DFS) != 0;
	m->replay = (flags & FLAG_REPLAY) != 0;
	m->body = r;
	return reader_ok(&r);
}

static void
request(struct smb *h, bool first, struct smb2_message *m, struct smb_sink *sink)
{
	chain_follow(h, first, m);
	struct smb_request *r = smb_requests_add(&h->requests, m->id);
	if (r == NULL)
		return;
	r->command = m->command;
	r->tree = m->tree;
	r->logon = m->logon;
	if (commands[m->command].request != NULL)
		commands[m->command].request(h, m, r, sink);
	if (r->handle != NULL)
		chain_handle(h, r->handle);
}

/* An interim answer only says that the real one will come (MS-SMB2 3.2.5.1.5). */
static void
answer(struct smb *h, const struct smb2_message *m, struct smb_sink *sink)
{
	if (m->status == STATUS_PENDING)
		return;
	struct smb_request *r = smb_requests_find(&h->requests, m->id);
	if (r != NULL && r->command != m->command)
		r = NULL;
	commands[m->command].answer(h, m, r, sink);
	if (r != NULL)
		smb_requests_drop(r);
}

/* A related request uses logon, share and file of the one before. */
static void
chain_follow(struct smb *h, bool first, struct smb2_message *m)
{
	if (first)
		chain_handle(h, NULL);
	if (first || !m->related) {
		h->chain.logon = m->logon;
		h->chain.tree = m->tree;
	} else {
		m->logon = h->chain.logon;
		m->tree = h->chain.tree;
	}
}

static void
chain_handle(struct smb *h, struct smb_handle *f)
{
	if (h->chain.handle == f)
		return;
	if (f != NULL)
		(void)smb_handle_ref(f);
	if (h->chain.handle != NULL)
		smb_handle_unref(h->chain.handle);
	h->chain.handle = f;
}

static uint32_t
le32_at(const uint8_t *unit, size_t at)
{
	struct reader r = reader_init(unit + at, 4);
	return reader_le32(&r);
}
