/* SMB 1: opening, closing, reading and writing (MS-CIFS 2.2.4, MS-SMB 2.2.4.2, 2.2.4.3, 2.2.4.9). */
#include "config.h"

#include <string.h>

#include "proto/smb1.h"

enum {
	ACCESS_WRITE_DATA = 0x00000002,
	ACCESS_APPEND_DATA = 0x00000004,
	ACCESS_MAXIMUM = 0x02000000,
	ACCESS_ALL = 0x10000000,
	ACCESS_WRITE = 0x40000000,
	OPTION_DIRECTORY = 0x00000001,
	OPTION_DELETE_ON_CLOSE = 0x00001000,
	ACTION_OPENED = 1,
	ATTRIBUTE_DIRECTORY = 0x10,
	MODE_ACCESS = 0x0007,     /* of AccessMode (MS-CIFS 2.2.4.3.1): 1 writing, 2 both */
	RESULT_MASK = 0x0003,     /* of OpenResults: 1 it was there */
	RESOURCE_DISK = 0,
	RESOURCE_PRINTER = 3,
	FORMAT_DATA = 3,          /* one format byte, length */
	READ_HIGH_WORDS = 12,     /* with the high half of the offset */
	WRITE_HIGH_WORDS = 14,
};

static const uint32_t at_end = UINT32_MAX;

static struct smb_handle *opening(struct smb *h, const struct smb1_message *m, struct smb_request *r,
        const struct smb_text *name);
static void opened(struct smb *h, const struct smb1_message *m, struct smb_request *r, uint16_t fid,
        const struct smb_handle *facts);
static void close_soon(struct smb *h, const struct smb1_message *m, struct smb_request *r);

void
smb1_nt_create_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words, bytes = b->bytes;
	struct smb_text name;
	(void)sink;
	reader_skip(&words, 1 + 2 + 4 + 4); /* reserved, name length, flags, root */
	uint32_t access = reader_le32(&words);
	reader_skip(&words, 8 + 4 + 4 + 4); /* allocation, attributes, share access, disposition */
	uint32_t options = reader_le32(&words);
	smb1_string(m, &bytes, false, &name);
	struct smb_handle *f = opening(h, m, r, &name);
	if (f == NULL || !reader_ok(&words))
		return;
	f->may_write = (access & (ACCESS_WRITE_DATA | ACCESS_APPEND_DATA | ACCESS_MAXIMUM | ACCESS_ALL | ACCESS_WRITE)) != 0;
	f->doomed = (options & OPTION_DELETE_ON_CLOSE) != 0;
	if ((options & OPTION_DIRECTORY) != 0)
		f->kind = SMB_FILE_OTHER;
}

void
smb1_nt_create_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	struct smb_handle facts = {.kind = SMB_FILE_UNKNOWN};
	(void)sink;
	reader_skip(&words, 1); /* oplock */
	uint16_t fid = reader_le16(&words);
	facts.created = reader_le32(&words) != ACTION_OPENED;
	reader_skip(&words, 8 + 8);
	facts.changed = reader_le64(&words);
	reader_skip(&words, 8);
	uint32_t attributes = reader_le32(&words);
	reader_skip(&words, 8);
	facts.eof = reader_le64(&words);
	facts.eof_known = true;
	uint16_t resource = reader_le16(&words);
	reader_skip(&words, 2);
	bool directory = reader_u8(&words) != 0 || (attributes & ATTRIBUTE_DIRECTORY) != 0;
	if (directory || (resource != RESOURCE_DISK && resource != RESOURCE_PRINTER))
		facts.kind = SMB_FILE_OTHER;
	if (m->status == STATUS_SUCCESS && reader_ok(&words))
		opened(h, m, r, fid, &facts);
}

void
smb1_open_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words, bytes = b->bytes;
	struct smb_text name;
	(void)sink;
	reader_skip(&words, 2); /* flags */
	uint16_t mode = reader_le16(&words);
	smb1_string(m, &bytes, false, &name);
	struct smb_handle *f = opening(h, m, r, &name);
	if (f != NULL)
		f->may_write = (mode & MODE_ACCESS) == 1 || (mode & MODE_ACCESS) == 2;
}

void
smb1_open_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	struct smb_handle facts = {.kind = SMB_FILE_UNKNOWN};
	(void)sink;
	uint16_t fid = reader_le16(&words), attributes = reader_le16(&words);
	facts.changed = reader_le32(&words);
	facts.eof = reader_le32(&words);
	facts.eof_known = true;
	reader_skip(&words, 2);
	uint16_t resource = reader_le16(&words);
	reader_skip(&words, 2);
	facts.created = (reader_le16(&words) & RESULT_MASK) != ACTION_OPENED;
	if ((attributes & ATTRIBUTE_DIRECTORY) != 0 || (resource != RESOURCE_DISK && resource != RESOURCE_PRINTER))
		facts.kind = SMB_FILE_OTHER;
	if (m->status == STATUS_SUCCESS && reader_ok(&words))
		opened(h, m, r, fid, &facts);
}

/* OPEN, CREATE and CREATE_NEW. */
void
smb1_old_open_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words, bytes = b->bytes;
	struct smb_text name;
	(void)sink;
	uint16_t mode = reader_le16(&words);
	smb1_string(m, &bytes, true, &name);
	struct smb_handle *f = opening(h, m, r, &name);
	if (f != NULL)
		f->may_write = b->command != SMB1_OPEN || (mode & MODE_ACCESS) == 1 || (mode & MODE_ACCESS) == 2;
}

void
smb1_old_open_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	struct smb_handle facts = {.created = b->command != SMB1_OPEN, .eof_known = true};
	(void)sink;
	uint16_t fid = reader_le16(&words);
	if (b->command == SMB1_OPEN) {
		reader_skip(&words, 2); /* attributes */
		facts.changed = reader_le32(&words);
		facts.eof = reader_le32(&words);
	}
	if (m->status == STATUS_SUCCESS && reader_ok(&words))
		opened(h, m, r, fid, &facts);
}

void
smb1_close_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	(void)sink;
	uint16_t fid = reader_le16(&words);
	struct smb_handle *f = reader_ok(&words) ? smb1_file(h, m, b, fid, false) : NULL;
	if (f != NULL)
		r->handle = smb_handle_ref(f);
}

void
smb1_close_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	(void)b;
	(void)sink;
	if (r == NULL || r->handle == NULL)
		return;
	if (m->status != STATUS_SUCCESS)
		r->handle->failed = true;
	smb_handle_close(h, r->handle, false, 0);
}

void
smb1_read_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	(void)sink;
	uint16_t fid = reader_le16(&words);
	r->offset = reader_le32(&words);
	reader_skip(&words, 2 + 2 + 4 + 2); /* counts, time, remaining */
	if (b->word_count >= READ_HIGH_WORDS)
		r->offset |= (uint64_t)reader_le32(&words) << 32;
	struct smb_handle *f = reader_ok(&words) ? smb1_file(h, m, b, fid, true) : NULL;
	if (f != NULL)
		r->handle = smb_handle_ref(f);
}

void
smb1_read_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	if (r == NULL || r->handle == NULL)
		return;
	reader_skip(&words, 2 + 2 + 2); /* available, compaction, reserved */
	size_t len = reader_le16(&words), at = reader_le16(&words);
	len |= (size_t)reader_le16(&words) << 16;
	bool data = m->status == STATUS_SUCCESS || m->status == STATUS_BUFFER_OVERFLOW;
	if (m->status == STATUS_END_OF_FILE || (data && reader_ok(&words) && len == 0))
		smb_handle_end_of_file(h, r->handle, r->offset);
	else if (data && reader_ok(&words))
		smb1_bytes(h, m, r->handle, false, r->offset, at, len, sink);
}

void
smb1_old_read_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	(void)sink;
	uint16_t fid = reader_le16(&words);
	reader_skip(&words, 2); /* count */
	r->offset = reader_le32(&words);
	struct smb_handle *f = reader_ok(&words) ? smb1_file(h, m, b, fid, true) : NULL;
	if (f != NULL)
		r->handle = smb_handle_ref(f);
}

void
smb1_old_read_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader bytes = b->bytes;
	if (r == NULL || r->handle == NULL || m->status != STATUS_SUCCESS)
		return;
	reader_skip(&bytes, 1); /* format */
	size_t len = reader_le16(&bytes);
	if (!reader_ok(&bytes))
		return;
	if (len == 0)
		smb_handle_end_of_file(h, r->handle, r->offset);
	smb1_bytes(h, m, r->handle, false, r->offset, (size_t)(bytes.next - m->all.next), len, sink);
}

void
smb1_write_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	uint16_t fid = reader_le16(&words);
	r->offset = reader_le32(&words);
	reader_skip(&words, 4 + 2 + 2); /* time, mode, remaining */
	size_t len = (size_t)reader_le16(&words) << 16;
	len |= reader_le16(&words);
	size_t at = reader_le16(&words);
	if (b->word_count >= WRITE_HIGH_WORDS)
		r->offset |= (uint64_t)reader_le32(&words) << 32;
	struct smb_handle *f = reader_ok(&words) ? smb1_file(h, m, b, fid, true) : NULL;
	if (f == NULL)
		return;
	r->handle = smb_handle_ref(f);
	if (r->offset == at_end || r->offset == UINT64_MAX)
		r->offset = f->eof > f->written_end ? f->eof : f->written_end;
	smb1_bytes(h, m, f, true, r->offset, at, len, sink);
}

void
smb1_write_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	(void)sink;
	if (r == NULL || r->handle == NULL)
		return;
	smb_handle_written(r->handle, r->offset, m->status != STATUS_SUCCESS);
	if (b->command == SMB1_WRITE_AND_CLOSE)
		close_soon(h, m, r);
}

/* WRITE, WRITE_AND_UNLOCK and WRITE_AND_CLOSE. */
void
smb1_old_write_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words, bytes = b->bytes;
	uint16_t fid = reader_le16(&words), len = reader_le16(&words);
	r->offset = reader_le32(&words);
	struct smb_handle *f = reader_ok(&words) ? smb1_file(h, m, b, fid, true) : NULL;
	if (f == NULL)
		return;
	r->handle = smb_handle_ref(f);
	reader_skip(&bytes, b->command == SMB1_WRITE_AND_CLOSE ? 1 : FORMAT_DATA);
	if (len == 0 && b->command == SMB1_WRITE) /* the file is cut there (MS-CIFS 2.2.4.12.1) */
		smb_handle_resize(f, r->offset);
	else if (reader_ok(&bytes))
		smb1_bytes(h, m, f, true, r->offset, (size_t)(bytes.next - m->all.next), len, sink);
}

/* A file whose number only the answer tells. */
static struct smb_handle *
opening(struct smb *h, const struct smb1_message *m, struct smb_request *r, const struct smb_text *name)
{
	struct smb_handle *f = r->handle = smb_handle_create();
	if (f == NULL)
		return NULL;
	f->logon = m->logon;
	smb_handle_name(f, smb_tree_find(h, 0, m->tree), name, false);
	return f;
}

/* facts: what the answer tells of it. */
static void
opened(struct smb *h, const struct smb1_message *m, struct smb_request *r, uint16_t fid, const struct smb_handle *facts)
{
	struct smb_handle *f = r != NULL && r->handle != NULL ? smb_handle_ref(r->handle) : smb_handle_create();
	if (f == NULL)
		return;
	f->logon = m->logon;
	if (facts->kind == SMB_FILE_OTHER)
		f->kind = SMB_FILE_OTHER;
	f->created = facts->created;
	f->changed = facts->changed;
	f->eof = facts->eof;
	f->eof_known = facts->eof_known;
	smb_handle_bind(h, f, &(struct smb_file_id){.volatile_part = fid});
	smb_handle_unref(f);
}

static void
close_soon(struct smb *h, const struct smb1_message *m, struct smb_request *r)
{
	if (m->status == STATUS_SUCCESS)
		smb_handle_close(h, r->handle, false, 0);
}
