/* SMB 2: opening, closing, reading and writing (MS-SMB2 2.2.13 to 2.2.22). */
#include "config.h"

#include <string.h>

#include "proto/smb2.h"

enum {
	ACCESS_WRITE_DATA = 0x00000002,
	ACCESS_APPEND_DATA = 0x00000004,
	ACCESS_MAXIMUM = 0x02000000,
	ACCESS_ALL = 0x10000000,
	ACCESS_WRITE = 0x40000000,
	OPTION_DIRECTORY = 0x00000001,
	OPTION_DELETE_ON_CLOSE = 0x00001000,
	ACTION_OPENED = 1,
	ATTRIBUTE_DIRECTORY = 0x00000010,
	CLOSE_WITH_ATTRIBUTES = 0x0001,
	CONTEXTS_MAX = 32,
};

/* Instead of an offset: wherever the file ends (MS-FSA 2.1.5.4). */
static const uint64_t at_end = UINT64_MAX;

static struct reader find_context(const struct smb2_message *m, size_t offset, size_t len, const char *first,
        const char *second);
static void created(struct smb *h, const struct smb2_message *m, struct smb_handle *f, struct reader body);

void
smb2_create_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	struct smb_text name;
	(void)sink;
	reader_skip(&body, 2 + 1 + 1 + 4 + 8 + 8); /* size, security, oplock, impersonation, flags, reserved */
	uint32_t access = reader_le32(&body);
	reader_skip(&body, 4 + 4 + 4); /* attributes, share access, disposition */
	uint32_t options = reader_le32(&body);
	size_t name_at = reader_le16(&body), name_len = reader_le16(&body);
	size_t contexts = reader_le32(&body), contexts_len = reader_le32(&body);
	if (!reader_ok(&body))
		return;
	struct smb_handle *f = r->handle = smb_handle_create();
	if (f == NULL)
		return;
	smb_text_wide(&name, smb2_buffer(m, name_at, name_len));
	smb_handle_name(f, smb_tree_find(h, m->logon, m->tree), &name, m->dfs);
	f->id.logon = m->logon;
	f->may_write = (access & (ACCESS_WRITE_DATA | ACCESS_APPEND_DATA | ACCESS_MAXIMUM | ACCESS_ALL | ACCESS_WRITE)) != 0;
	f->doomed = (options & OPTION_DELETE_ON_CLOSE) != 0;
	if ((options & OPTION_DIRECTORY) != 0)
		f->kind = SMB_FILE_OTHER;
	/* MS-SMB2 2.2.13.2.4, 2.2.13.2.12: a durable open is taken up again. */
	struct reader context = find_context(m, contexts, contexts_len, "DHnC", "DH2C");
	uint64_t persistent = reader_le64(&context);
	if (reader_ok(&context))
		smb_handle_reconnect(h, f, persistent);
}

void
smb2_create_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	(void)sink;
	if (m->status != STATUS_SUCCESS)
		return;
	if (r != NULL && r->handle != NULL) {
		created(h, m, r->handle, m->body);
		return;
	}
	struct smb_handle *f = smb_handle_create(); /* its name was not seen */
	if (f == NULL)
		return;
	const struct smb_tree *t = m->async ? NULL : smb_tree_find(h, m->logon, m->tree);
	if (t != NULL && t->kind == SMB_SHARE_PIPE)
		f->kind = SMB_FILE_OTHER;
	created(h, m, f, m->body);
	smb_handle_unref(f);
}

void
smb2_close_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)sink;
	reader_skip(&body, 2 + 2 + 4); /* size, flags, reserved */
	struct smb_handle *f = smb2_file(h, m, &body, false);
	if (f != NULL)
		r->handle = smb_handle_ref(f);
}

void
smb2_close_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)sink;
	if (r == NULL || r->handle == NULL)
		return;
	if (m->status != STATUS_SUCCESS) /* what was written was refused at last; the number is gone in any case */
		r->handle->failed = true;
	reader_skip(&body, 2);
	uint16_t flags = reader_le16(&body);
	reader_skip(&body, 4 + 4 * 8 + 8); /* reserved, times, allocation */
	uint64_t eof = reader_le64(&body);
	bool told = m->status == STATUS_SUCCESS && reader_ok(&body) && (flags & CLOSE_WITH_ATTRIBUTES) != 0;
	smb_handle_close(h, r->handle, told, eof);
}

void
smb2_read_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)sink;
	reader_skip(&body, 2 + 1 + 1); /* size, padding, flags */
	r->len = reader_le32(&body);
	r->offset = reader_le64(&body);
	struct smb_handle *f = smb2_file(h, m, &body, true);
	if (f != NULL)
		r->handle = smb_handle_ref(f);
}

void
smb2_read_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	if (r == NULL || r->handle == NULL)
		return;
	if (m->status == STATUS_END_OF_FILE)
		smb_handle_end_of_file(h, r->handle, r->offset);
	if (m->status != STATUS_SUCCESS && m->status != STATUS_BUFFER_OVERFLOW)
		return;
	reader_skip(&body, 2);
	size_t at = reader_u8(&body);
	reader_skip(&body, 1);
	uint32_t len = reader_le32(&body);
	if (!reader_ok(&body) || at > m->all.left || len > r->len)
		return;
	*sink = (struct smb_sink){.handle = smb_handle_ref(r->handle), .offset = r->offset, .len = len};
}

void
smb2_write_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	reader_skip(&body, 2);
	size_t at = reader_le16(&body);
	r->len = reader_le32(&body);
	r->offset = reader_le64(&body);
	struct smb_handle *f = smb2_file(h, m, &body, true);
	uint32_t channel = reader_le32(&body);
	if (f == NULL)
		return;
	r->handle = smb_handle_ref(f);
	if (r->offset == at_end)
		r->offset = f->eof > f->written_end ? f->eof : f->written_end;
	/* Through RDMA (channel) the bytes go another way. What is replayed was given already. */
	if (!reader_ok(&body) || at > m->all.left || channel != 0 || m->replay)
		return;
	*sink = (struct smb_sink){.handle = smb_handle_ref(f), .upload = true, .offset = r->offset, .len = r->len};
}

void
smb2_write_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	(void)h;
	(void)sink;
	if (r != NULL && r->handle != NULL)
		smb_handle_written(r->handle, r->offset, m->status != STATUS_SUCCESS);
}

/* MS-SMB2 2.2.14. */
static void
created(struct smb *h, const struct smb2_message *m, struct smb_handle *f, struct reader body)
{
	struct smb_file_id id = {.logon = m->logon};
	reader_skip(&body, 2 + 1 + 1); /* size, oplock, flags */
	uint32_t action = reader_le32(&body);
	uint64_t made = reader_le64(&body);
	reader_skip(&body, 8); /* last access */
	uint64_t changed = reader_le64(&body);
	reader_skip(&body, 8 + 8); /* change of anything, allocation */
	uint64_t eof = reader_le64(&body);
	uint32_t attributes = reader_le32(&body);
	reader_skip(&body, 4);
	id.persistent = reader_le64(&body);
	id.volatile_part = reader_le64(&body);
	size_t contexts = reader_le32(&body), contexts_len = reader_le32(&body);
	if (!reader_ok(&body))
		return;
	if (f->id.logon != 0)
		id.logon = f->id.logon;
	if ((attributes & ATTRIBUTE_DIRECTORY) != 0)
		f->kind = SMB_FILE_OTHER;
	if (f->kind == SMB_FILE_UNKNOWN && made == 0 && changed == 0)
		f->kind = SMB_FILE_OTHER; /* its share was not seen, and pipes have no times */
	f->created = f->created || action != ACTION_OPENED;
	f->changed = changed;
	f->eof = eof;
	f->eof_known = true;
	smb_handle_bind(h, f, &id);
	/* MS-SMB2 2.2.14.2.3, 2.2.14.2.12. */
	struct reader durable = find_context(m, contexts, contexts_len, "DHnQ", "DH2Q");
	f->durable = durable.next != NULL;
	if (f->durable && f->kind != SMB_FILE_OTHER)
		smb_handle_durable(h, f);
}

/* The data of the first context with one of two names (MS-SMB2 2.2.13.2); bad, and NULL: there is none. */
static struct reader
find_context(const struct smb2_message *m, size_t offset, size_t len, const char *first, const char *second)
{
	struct reader all = smb2_buffer(m, offset, len);
	for (size_t i = 0; i < CONTEXTS_MAX && all.left > 0; i++) {
		struct reader head = all, name = all, data = all;
		size_t next = reader_le32(&head), name_at = reader_le16(&head), name_len = reader_le16(&head);
		reader_skip(&head, 2);
		size_t data_at = reader_le16(&head), data_len = reader_le32(&head);
		reader_skip(&name, name_at);
		const uint8_t *word = name_len == 4 ? reader_take(&name, 4) : NULL;
		reader_skip(&data, data_at);
		struct reader found = reader_sub(&data, data_len);
		if (!reader_ok(&head))
			break;
		if (word != NULL && reader_ok(&data) && (memcmp(word, first, 4) == 0 || memcmp(word, second, 4) == 0))
			return found;
		if (next == 0)
			break;
		reader_skip(&all, next);
	}
	return (struct reader){.bad = true};
}
