/* SMB 1: messages, chains of commands (AndX), and which answer belongs to which request (MS-CIFS 2.2.3, 3.2.4.1.5). */
#include "config.h"

#include "proto/smb1.h"

#include <string.h>

enum {
	HEADER = 32,
	AT_COMMAND = 4,
	AT_FLAGS = 9,
	AT_WORDS = 33,
	ANDX_WORDS = 2,
	CHAIN_MAX = 4,
	FLAG_ANSWER = 0x80,
	FLAG_UNICODE = 0x8000, /* of Flags2 */
	PLACE_SHIFT = 48,      /* of a request's number: its place in the chain */
	READ_WORDS = 12,
	WRITE_WORDS = 12,
	AT_READ_OFFSET = AT_WORDS + 12,
	AT_WRITE_OFFSET = AT_WORDS + 22,
	DATA_OFFSET_MAX = 1024,
	OPEN_FID = 0xffff,     /* of a chained command: the one just opened */
};

static bool header_read(struct smb1_message *m, const uint8_t *unit, size_t have, size_t len);
static bool block_read(const struct smb1_message *m, struct smb1_block *b, size_t at, size_t *next, uint8_t *next_command);
static bool is_andx(uint8_t command);
static void request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_sink *sink);
static void answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_sink *sink);
static void chain_handle(struct smb *h, struct smb_handle *f);
static uint16_t le16_at(const uint8_t *unit, size_t at);

static const struct command {
	smb1_request_fn *request;
	smb1_answer_fn *answer;
} commands[256] = {
        [SMB1_OPEN] = {smb1_old_open_request, smb1_old_open_answer},
        [SMB1_CREATE] = {smb1_old_open_request, smb1_old_open_answer},
        [SMB1_CREATE_NEW] = {smb1_old_open_request, smb1_old_open_answer},
        [SMB1_CLOSE] = {smb1_close_request, smb1_close_answer},
        [SMB1_DELETE] = {smb1_delete_request, smb1_delete_answer},
        [SMB1_RENAME] = {smb1_rename_request, smb1_rename_answer},
        [SMB1_READ] = {smb1_old_read_request, smb1_old_read_answer},
        [SMB1_LOCK_AND_READ] = {smb1_old_read_request, smb1_old_read_answer},
        [SMB1_WRITE] = {smb1_old_write_request, smb1_write_answer},
        [SMB1_WRITE_AND_UNLOCK] = {smb1_old_write_request, smb1_write_answer},
        [SMB1_WRITE_AND_CLOSE] = {smb1_old_write_request, smb1_write_answer},
        [SMB1_OPEN_ANDX] = {smb1_open_request, smb1_open_answer},
        [SMB1_READ_ANDX] = {smb1_read_request, smb1_read_answer},
        [SMB1_WRITE_ANDX] = {smb1_write_request, smb1_write_answer},
        [SMB1_TRANSACTION2] = {smb1_trans2_request, smb1_trans2_answer},
        [SMB1_TREE_CONNECT] = {smb1_old_connect_request, smb1_old_connect_answer},
        [SMB1_TREE_DISCONNECT] = {NULL, smb1_disconnect_answer},
        [SMB1_NEGOTIATE] = {smb1_negotiate_request, smb1_negotiate_answer},
        [SMB1_SESSION_SETUP_ANDX] = {smb1_setup_request, smb1_setup_answer},
        [SMB1_LOGOFF_ANDX] = {NULL, smb1_logoff_answer},
        [SMB1_TREE_CONNECT_ANDX] = {smb1_connect_request, smb1_connect_answer},
        [SMB1_NT_CREATE_ANDX] = {smb1_nt_create_request, smb1_nt_create_answer},
};

/* In front of a file's bytes only what says whose they are; all, where another command of the chain follows. */
size_t
smb1_head(const uint8_t *unit, size_t have, size_t len)
{
	if (have < AT_WORDS)
		return AT_WORDS;
	uint8_t command = unit[AT_COMMAND];
	bool is_answer = (unit[AT_FLAGS] & FLAG_ANSWER) != 0;
	size_t count = unit[HEADER], words = AT_WORDS + 2 * count, at;

	if (commands[command].answer == NULL && !is_andx(command))
		return AT_WORDS;
	if (command == SMB1_READ_ANDX && is_answer && count >= READ_WORDS)
		at = AT_READ_OFFSET;
	else if (command == SMB1_WRITE_ANDX && !is_answer && count >= WRITE_WORDS)
		at = AT_WRITE_OFFSET;
	else
		return len;
	if (have < words)
		return words;
	size_t offset = le16_at(unit, at);
	if (unit[AT_WORDS] != SMB1_NONE || offset < words || offset > DATA_OFFSET_MAX)
		return len;
	return offset;
}

void
smb1_take(struct smb *h, enum side from, const uint8_t *unit, size_t have, size_t len, struct smb_sink *sink)
{
	struct smb1_message m;
	struct smb1_block b = {0};
	size_t at = HEADER, next;
	uint8_t next_command;

	if (!header_read(&m, unit, have, len))
		return;
	smb_client(h, m.answer ? side_other(from) : from);
	if (m.answer == (from == h->client))
		return;
	chain_handle(h, NULL);
	b.command = m.command;
	for (b.place = 0; b.place < CHAIN_MAX && block_read(&m, &b, at, &next, &next_command); b.place++) {
		if (commands[b.command].answer != NULL && m.answer)
			answer(h, &m, &b, sink);
		else if (commands[b.command].answer != NULL)
			request(h, &m, &b, sink);
		if (next_command == SMB1_NONE || next <= at)
			break;
		at = next;
		b.command = next_command;
	}
}

struct reader
smb1_buffer(const struct smb1_message *m, size_t offset, size_t len)
{
	struct reader r = m->all;
	reader_skip(&r, offset);
	struct reader part = reader_sub(&r, len);
	return reader_ok(&r) ? part : (struct reader){0};
}

void
smb1_string(const struct smb1_message *m, struct reader *r, bool format, struct smb_text *out)
{
	if (format)
		reader_skip(r, 1);
	if (m->unicode && r->left > 0 && (r->next - (m->all.next)) % 2 != 0)
		reader_skip(r, 1);
	smb_text_take(out, r, m->unicode);
}

struct smb_handle *
smb1_file(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, uint16_t fid, bool create)
{
	const struct smb_file_id id = {.volatile_part = fid};
	if (b->place > 0 && h->chain.handle != NULL && !m->answer)
		return h->chain.handle;
	return create ? smb_handle_find(h, &id, m->tree) : smb_handle_known(h, &id);
}

void
smb1_bytes(struct smb *h, const struct smb1_message *m, struct smb_handle *f, bool upload, uint64_t offset, size_t at,
        size_t len, struct smb_sink *sink)
{
	if (at > m->len)
		return;
	if (len > m->len - at)
		len = m->len - at;
	size_t here = at < m->all.left ? m->all.left - at : 0;
	if (here > len)
		here = len;
	if (here > 0)
		smb_handle_data(h, f, upload, offset, m->all.next + at, here);
	/* The rest follows at once where the head ends within it. */
	if (here < len && at + here == m->all.left && sink->handle == NULL)
		*sink = (struct smb_sink){.handle = smb_handle_ref(f), .upload = upload, .offset = offset + here, .len = len - here};
}

static bool
header_read(struct smb1_message *m, const uint8_t *unit, size_t have, size_t len)
{
	struct reader r = reader_init(unit, have);
	*m = (struct smb1_message){.all = r, .len = len};
	reader_skip(&r, AT_COMMAND);
	m->command = reader_u8(&r);
	m->status = reader_le32(&r);
	m->answer = (reader_u8(&r) & FLAG_ANSWER) != 0;
	m->unicode = (reader_le16(&r) & FLAG_UNICODE) != 0;
	uint64_t process = (uint64_t)reader_le16(&r) << 16;
	reader_skip(&r, 8 + 2); /* signature, reserved */
	m->tree = reader_le16(&r);
	process |= reader_le16(&r);
	m->logon = reader_le16(&r);
	m->id = process << 16 | reader_le16(&r);
	return reader_ok(&r);
}

/* at: from the header on. Without a next one, or where it is not all there, *next_command is none. */
static bool
block_read(const struct smb1_message *m, struct smb1_block *b, size_t at, size_t *next, uint8_t *next_command)
{
	struct reader r = m->all;
	*next_command = SMB1_NONE;
	*next = 0;
	reader_skip(&r, at);
	b->word_count = reader_u8(&r);
	b->words = reader_sub(&r, 2 * b->word_count);
	if (!reader_ok(&r))
		return false;
	if (is_andx(b->command) && b->word_count >= ANDX_WORDS) {
		*next_command = reader_u8(&b->words);
		reader_skip(&b->words, 1);
		*next = reader_le16(&b->words);
	}
	size_t count = r.left >= 2 ? reader_le16(&r) : 0;
	b->bytes = reader_sub(&r, count < r.left ? count : r.left);
	return true;
}

static bool
is_andx(uint8_t command)
{
	return command == SMB1_LOCKING_ANDX || command == SMB1_OPEN_ANDX || command == SMB1_READ_ANDX || command == SMB1_WRITE_ANDX ||
	       (command >= SMB1_SESSION_SETUP_ANDX && command <= SMB1_TREE_CONNECT_ANDX) || command == SMB1_NT_CREATE_ANDX;
}

static void
request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_sink *sink)
{
	struct smb_request *r = smb_requests_add(&h->requests, m->id | (uint64_t)b->place << PLACE_SHIFT);
	if (r == NULL)
		return;
	r->command = b->command;
	r->tree = m->tree;
	r->logon = m->logon;
	if (commands[b->command].request != NULL)
		commands[b->command].request(h, m, b, r, sink);
	if (r->handle != NULL)
		chain_handle(h, r->handle);
}

static void
answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_sink *sink)
{
	struct smb_request *r = smb_requests_find(&h->requests, m->id | (uint64_t)b->place << PLACE_SHIFT);
	if (r != NULL && r->command != b->command)
		r = NULL;
	commands[b->command].answer(h, m, b, r, sink);
	if (r != NULL)
		smb_requests_drop(r);
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

static uint16_t
le16_at(const uint8_t *unit, size_t at)
{
	struct reader r = reader_init(unit + at, 2);
	return reader_le16(&r);
}
