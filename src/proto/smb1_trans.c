/*
 * SMB 1: sizes, new sizes, names and deletion through TRANSACTION2 (MS-CIFS 2.2.6.8, 2.2.6.9; MS-SMB 2.2.2.3.5 for
 * information levels of Windows), RENAME and DELETE. Only what comes in one message is looked at.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "proto/smb1.h"

enum {
	QUERY_FILE = 0x0007,
	SET_FILE = 0x0008,
	QUERY_STANDARD = 0x0102,
	QUERY_ALL = 0x0107,
	SET_DISPOSITION = 0x0102,
	SET_END_OF_FILE = 0x0104,
	/* MS-FSCC 2.4, and 1000 */
	INFO_STANDARD = 1005,
	INFO_RENAME = 1010,
	INFO_DISPOSITION = 1013,
	INFO_ALL = 1018,
	INFO_END_OF_FILE = 1020,
	INFO_NETWORK_OPEN = 1034,
};

static void set_read(struct smb_request *r, struct reader data);
static void set_done(struct smb *h, const struct smb_request *r);
static struct smb_text *full_name(struct smb *h, const struct smb1_message *m, struct reader *bytes);

void
smb1_trans2_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	(void)sink;
	reader_skip(&words, 4 * 2 + 1 + 1 + 2 + 4 + 2); /* totals, limits, reserved, flags, time, reserved */
	size_t params_len = reader_le16(&words), params_at = reader_le16(&words);
	size_t data_len = reader_le16(&words), data_at = reader_le16(&words);
	reader_skip(&words, 1 + 1); /* setup count, reserved */
	uint16_t function = reader_le16(&words);
	if (!reader_ok(&words) || (function != QUERY_FILE && function != SET_FILE))
		return;
	struct reader params = smb1_buffer(m, params_at, params_len);
	uint16_t fid = reader_le16(&params);
	r->code = (uint32_t)function << 16 | reader_le16(&params);
	struct smb_handle *f = reader_ok(&params) ? smb1_file(h, m, b, fid, function == SET_FILE) : NULL;
	if (f == NULL)
		return;
	r->handle = smb_handle_ref(f);
	if (function == SET_FILE)
		set_read(r, smb1_buffer(m, data_at, data_len));
}

void
smb1_trans2_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	(void)sink;
	if (m->status != STATUS_SUCCESS || r == NULL || r->handle == NULL)
		return;
	if (r->code >> 16 == SET_FILE) {
		set_done(h, r);
		return;
	}
	reader_skip(&words, 2 + 2 + 2 + 2 + 2 + 2); /* totals, reserved, parameters */
	size_t len = reader_le16(&words), at = reader_le16(&words);
	if (!reader_ok(&words))
		return;
	struct reader info = smb1_buffer(m, at, len);
	switch (r->code & 0xffff) {
	case QUERY_STANDARD:
	case INFO_STANDARD:
		reader_skip(&info, 8);
		break;
	case QUERY_ALL:
	case INFO_ALL:
		reader_skip(&info, 40 + 8);
		break;
	case INFO_NETWORK_OPEN:
		reader_skip(&info, 4 * 8 + 8);
		break;
	default:
		return;
	}
	uint64_t eof = reader_le64(&info);
	if (reader_ok(&info))
		smb_handle_size(r->handle, eof);
}

void
smb1_rename_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader bytes = b->bytes;
	(void)sink;
	struct smb_text *from = full_name(h, m, &bytes), *to = full_name(h, m, &bytes);
	if (from != NULL && to != NULL) {
		smb_text_add(from, " > ", 3);
		smb_text_add(from, to->bytes, to->len);
	}
	free(to);
	r->more = from;
}

void
smb1_rename_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	(void)b;
	(void)sink;
	const struct smb_text *both = r != NULL ? r->more : NULL;
	if (m->status == STATUS_SUCCESS && both != NULL)
		session_detail(h->session, "smb.renamed", both->bytes, both->len);
}

void
smb1_delete_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader bytes = b->bytes;
	(void)sink;
	r->more = full_name(h, m, &bytes);
}

void
smb1_delete_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	(void)b;
	(void)sink;
	const struct smb_text *name = r != NULL ? r->more : NULL;
	if (m->status == STATUS_SUCCESS && name != NULL)
		session_detail(h->session, "smb.deleted", name->bytes, name->len);
}

/* What is to be set; the answer tells whether it was. Without a handle nothing is. */
static void
set_read(struct smb_request *r, struct reader data)
{
	uint32_t level = r->code & 0xffff;
	if (level == SET_END_OF_FILE || level == INFO_END_OF_FILE) {
		r->offset = reader_le64(&data);
	} else if (level == SET_DISPOSITION || level == INFO_DISPOSITION) {
		r->offset = reader_u8(&data);
	} else if (level == INFO_RENAME) {
		reader_skip(&data, 4 + 4); /* replace, root */
		size_t len = reader_le32(&data);
		struct smb_text *name = malloc(sizeof *name);
		if (name != NULL)
			smb_text_wide(name, reader_sub(&data, len));
		r->more = name;
	} else {
		data.bad = true;
	}
	if (reader_ok(&data))
		return;
	smb_handle_unref(r->handle);
	r->handle = NULL;
}

static void
set_done(struct smb *h, const struct smb_request *r)
{
	uint32_t level = r->code & 0xffff;
	if (level == SET_END_OF_FILE || level == INFO_END_OF_FILE)
		smb_handle_resize(r->handle, r->offset);
	else if (level == SET_DISPOSITION || level == INFO_DISPOSITION)
		r->handle->doomed = r->offset != 0;
	else if (r->more != NULL)
		smb_handle_rename(h, r->handle, r->more);
}

/* Share and name. NULL: out of memory. */
static struct smb_text *
full_name(struct smb *h, const struct smb1_message *m, struct reader *bytes)
{
	const struct smb_tree *t = smb_tree_find(h, 0, m->tree);
	struct smb_text name, *out = malloc(sizeof *out);
	smb1_string(m, bytes, true, &name);
	if (out == NULL)
		return NULL;
	out->len = 0;
	out->wide = name.wide;
	if (t != NULL)
		smb_text_add(out, t->path, t->path_len);
	if (t != NULL && (name.len == 0 || name.bytes[0] != '\\'))
		smb_text_add(out, "\\", 1);
	smb_text_add(out, name.bytes, name.len);
	return out;
}
