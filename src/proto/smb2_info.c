/*
 * SMB 2: what a file's size is, and what happens to it otherwise: new sizes, names, deletion (MS-SMB2 2.2.37 to
 * 2.2.40, MS-FSCC 2.4), and copies that the server makes by itself (MS-SMB2 2.2.31, 3.3.5.15.6; MS-FSCC 2.3).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "proto/smb2.h"

enum { /* MS-FSCC 2.4 */
	FILE_STANDARD = 5,
	FILE_RENAME = 10,
	FILE_DISPOSITION = 13,
	FILE_ALL = 18,
	FILE_END_OF_FILE = 20,
	FILE_NETWORK_OPEN = 34,
	FILE_DISPOSITION_EX = 64,
	FILE_RENAME_EX = 65,
	INFO_FILE = 1,
};

enum { /* MS-FSCC 2.3 */
	FSCTL_PIPE_TRANSCEIVE = 0x0011c017,
	FSCTL_RESUME_KEY = 0x00140078,
	FSCTL_COPYCHUNK = 0x001440f2,
	FSCTL_COPYCHUNK_WRITE = 0x001480f2,
	FSCTL_DUPLICATE_EXTENTS = 0x00098344,
	FSCTL_OFFLOAD_WRITE = 0x00098268,
};

/* A copy that was asked for; in smb_request.more. */
struct copy {
	bool by_key;
	uint8_t key[SMB_RESUME_KEY]; /* of the file that is copied, */
	struct smb_file_id id;       /* or its number; 0: not told */
	uint64_t offset, len;        /* in the copy; len where the answer doesn't tell */
};

static void ask_copy(const struct smb2_message *m, struct smb_request *r, struct reader input);
static bool read_chunks(struct copy *c, struct reader input);
static bool read_extents(const struct smb2_message *m, struct copy *c, struct reader input);
static bool read_offload(struct copy *c, struct reader input);
static void answer_copy(struct smb *h, const struct smb_request *r, struct reader output);
static void set_done(struct smb *h, const struct smb_request *r);

void
smb2_ioctl_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)sink;
	reader_skip(&body, 2 + 2);
	r->code = reader_le32(&body);
	if (r->code != FSCTL_PIPE_TRANSCEIVE && r->code != FSCTL_RESUME_KEY && r->code != FSCTL_COPYCHUNK &&
	        r->code != FSCTL_COPYCHUNK_WRITE && r->code != FSCTL_DUPLICATE_EXTENTS && r->code != FSCTL_OFFLOAD_WRITE)
		return;
	struct smb_handle *f = smb2_file(h, m, &body, true);
	size_t at = reader_le32(&body), len = reader_le32(&body);
	if (f == NULL || !reader_ok(&body))
		return;
	r->handle = smb_handle_ref(f);
	if (r->code == FSCTL_PIPE_TRANSCEIVE)
		f->kind = SMB_FILE_OTHER;
	else if (r->code != FSCTL_RESUME_KEY)
		ask_copy(m, r, smb2_buffer(m, at, len));
}

void
smb2_ioctl_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)sink;
	if (m->status != STATUS_SUCCESS || r == NULL || r->handle == NULL)
		return;
	reader_skip(&body, 2 + 2 + 4 + 16 + 4 + 4); /* size, reserved, code, file, input */
	size_t at = reader_le32(&body), len = reader_le32(&body);
	if (!reader_ok(&body))
		return;
	struct reader output = smb2_buffer(m, at, len);
	if (r->more != NULL)
		answer_copy(h, r, output);
	const uint8_t *key = r->code == FSCTL_RESUME_KEY ? reader_take(&output, SMB_RESUME_KEY) : NULL;
	if (key == NULL)
		return;
	memcpy(r->handle->resume_key, key, SMB_RESUME_KEY);
	r->handle->has_resume_key = true;
}

void
smb2_query_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)sink;
	reader_skip(&body, 2);
	uint8_t type = reader_u8(&body), class = reader_u8(&body);
	reader_skip(&body, 4 + 2 + 2 + 4 + 4 + 4); /* lengths, offset, reserved, additional, flags */
	struct smb_handle *f = smb2_file(h, m, &body, false);
	r->code = class;
	if (f != NULL && type == INFO_FILE && (class == FILE_STANDARD || class == FILE_ALL || class == FILE_NETWORK_OPEN))
		r->handle = smb_handle_ref(f);
}

void
smb2_query_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)h;
	(void)sink;
	if (r == NULL || r->handle == NULL ||
	        (m->status != STATUS_SUCCESS && m->status != STATUS_BUFFER_OVERFLOW))
		return;
	reader_skip(&body, 2);
	size_t at = reader_le16(&body), len = reader_le32(&body);
	if (!reader_ok(&body))
		return;
	struct reader info = m->all;
	reader_skip(&info, at);
	reader_skip(&info, r->code == FILE_STANDARD ? 8 : r->code == FILE_ALL ? 40 + 8 : 4 * 8 + 8);
	uint64_t eof = reader_le64(&info);
	if (reader_ok(&info) && len >= 16)
		smb_handle_size(r->handle, eof);
}

void
smb2_set_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)sink;
	reader_skip(&body, 2);
	uint8_t type = reader_u8(&body), class = reader_u8(&body);
	size_t len = reader_le32(&body), at = reader_le16(&body);
	reader_skip(&body, 2 + 4); /* reserved, additional */
	bool wanted = class == FILE_RENAME || class == FILE_RENAME_EX || class == FILE_DISPOSITION ||
	              class == FILE_DISPOSITION_EX || class == FILE_END_OF_FILE;
	if (type != INFO_FILE || !wanted)
		return;
	struct smb_handle *f = smb2_file(h, m, &body, true);
	struct reader info = smb2_buffer(m, at, len);
	if (f == NULL)
		return;
	r->handle = smb_handle_ref(f);
	r->code = class;
	if (class == FILE_END_OF_FILE) {
		r->offset = reader_le64(&info);
	} else if (class == FILE_DISPOSITION || class == FILE_DISPOSITION_EX) {
		r->offset = reader_u8(&info) & 1; /* DeletePending; FILE_DISPOSITION_DELETE */
	} else {
		struct smb_text *name = malloc(sizeof *name);
		reader_skip(&info, 8 + 8); /* replace or flags, root */
		size_t name_len = reader_le32(&info);
		if (name != NULL)
			smb_text_wide(name, reader_sub(&info, name_len));
		r->more = name;
	}
	if (!reader_ok(&info)) {
		smb_handle_unref(r->handle);
		r->handle = NULL;
	}
}

void
smb2_set_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	(void)sink;
	if (m->status == STATUS_SUCCESS && r != NULL && r->handle != NULL)
		set_done(h, r);
}

static void
set_done(struct smb *h, const struct smb_request *r)
{
	struct smb_handle *f = r->handle;
	switch (r->code) {
	case FILE_END_OF_FILE:
		smb_handle_resize(f, r->offset);
		break;
	case FILE_DISPOSITION:
	case FILE_DISPOSITION_EX:
		f->doomed = r->offset != 0;
		break;
	default:
		if (r->more != NULL)
			smb_handle_rename(h, f, r->more);
	}
}

static void
ask_copy(const struct smb2_message *m, struct smb_request *r, struct reader input)
{
	struct copy *c = calloc(1, sizeof *c);
	bool understood = false;
	if (c == NULL)
		return;
	if (r->code == FSCTL_DUPLICATE_EXTENTS)
		understood = read_extents(m, c, input);
	else if (r->code == FSCTL_OFFLOAD_WRITE)
		understood = read_offload(c, input);
	else
		understood = read_chunks(c, input);
	if (understood)
		r->more = c;
	else
		free(c);
}

/* SRV_COPYCHUNK_COPY: the chunks follow one another, so the first one's place and the sum say all. */
static bool
read_chunks(struct copy *c, struct reader input)
{
	const uint8_t *key = reader_take(&input, SMB_RESUME_KEY);
	uint32_t count = reader_le32(&input);
	reader_skip(&input, 4 + 8); /* reserved, offset in the source */
	c->offset = reader_le64(&input);
	if (!reader_ok(&input) || count == 0)
		return false;
	c->by_key = true;
	memcpy(c->key, key, SMB_RESUME_KEY);
	return true;
}

/* FSCTL_DUPLICATE_EXTENTS_TO_FILE (MS-FSCC 2.3.7.2): blocks that both files share from now on. */
static bool
read_extents(const struct smb2_message *m, struct copy *c, struct reader input)
{
	c->id = (struct smb_file_id){.logon = m->logon};
	c->id.persistent = reader_le64(&input);
	c->id.volatile_part = reader_le64(&input);
	reader_skip(&input, 8);
	c->offset = reader_le64(&input);
	c->len = reader_le64(&input);
	return reader_ok(&input);
}

/* FSCTL_OFFLOAD_WRITE (MS-FSCC 2.3.41): the token that names the source says nothing to others. */
static bool
read_offload(struct copy *c, struct reader input)
{
	reader_skip(&input, 4 + 4);
	c->offset = reader_le64(&input);
	return reader_ok(&input);
}

static void
answer_copy(struct smb *h, const struct smb_request *r, struct reader output)
{
	const struct copy *c = r->more;
	const char *method = "FSCTL_SRV_COPYCHUNK";
	uint64_t len = c->len;
	if (r->code == FSCTL_DUPLICATE_EXTENTS) {
		method = "FSCTL_DUPLICATE_EXTENTS_TO_FILE";
	} else if (r->code == FSCTL_OFFLOAD_WRITE) {
		method = "FSCTL_OFFLOAD_WRITE";
		reader_skip(&output, 4 + 4);
		len = reader_le64(&output);
	} else {
		reader_skip(&output, 4 + 4); /* chunks, bytes of the one that was not finished */
		len = reader_le32(&output);
	}
	if (!reader_ok(&output))
		return;
	const struct smb_handle *from = c->by_key ? smb_handle_by_resume_key(h, c->key) : smb_handle_known(h, &c->id);
	smb_handle_copied(h, r->handle, method, from, c->offset, len);
}
