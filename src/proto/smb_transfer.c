/* What is read from and written into open files, as transfers. */
#include "config.h"

#include <string.h>

#include "proto/smb_handle.h"

enum {
	PIPE_VERSION = 5,      /* the first byte of what goes through pipes (DCE 1.1 RPC, C706 section 12.6.3.1) */
	PIPE_MINOR_MAX = 1,
	KEY_TEXT_MAX = 3072,
	RENAME_MAX = 2 * SMB_TEXT_MAX + 8,
};

/* See transfer_start.join_key. All of it is compared, so all of it is set. */
struct join_key {
	struct addr addr[2];
	struct smb_file_id origin; /* of an upload, or where the file isn't known otherwise */
	uint64_t eof, changed;
	uint8_t upload;
	uint8_t text[KEY_TEXT_MAX]; /* account, zero, path */
};

static bool is_file(struct smb_handle *f, uint64_t offset, const uint8_t *bytes, size_t len);
static struct transfer *transfer_of(struct smb *h, struct smb_handle *f, bool upload, uint64_t offset,
        const char *method);
static void start_size(const struct smb_handle *f, bool upload, struct transfer_start *start);
static size_t key_make(struct smb *h, const struct smb_handle *f, bool upload, struct join_key *key);
static bool is_new_and_empty(const struct smb_handle *f, bool eof_known, uint64_t eof);
static enum transfer_state upload_state(const struct smb_handle *f);
static bool is_shared(struct smb *h, const struct smb_handle *f);

void
smb_handle_data(struct smb *h, struct smb_handle *f, bool upload, uint64_t offset, const uint8_t *bytes, size_t len)
{
	if (len == 0 || !is_file(f, offset, bytes, len))
		return;
	struct transfer *t = transfer_of(h, f, upload, offset, upload ? "WRITE" : "READ");
	transfer_data(t, offset, bytes, len);
	uint64_t end = len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
	uint64_t *reach = upload ? &f->written_end : &f->read_end;
	if (end > *reach)
		*reach = end;
}

void
smb_handle_gap(struct smb *h, struct smb_handle *f, bool upload, uint64_t offset, uint64_t len)
{
	if (f == NULL || len == 0 || f->kind == SMB_FILE_OTHER)
		return;
	struct transfer *t = transfer_of(h, f, upload, offset, upload ? "WRITE" : "READ");
	transfer_offset(t, offset);
	transfer_skip(t, len);
	uint64_t end = len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
	uint64_t *reach = upload ? &f->written_end : &f->read_end;
	if (end > *reach)
		*reach = end;
}

void
smb_handle_end_of_file(struct smb *h, struct smb_handle *f, uint64_t offset)
{
	if (f->kind != SMB_FILE_DATA)
		return;
	if (f->transfer[false] != NULL) {
		if (!f->eof_known && offset == f->read_end)
			smb_handle_size(f, offset);
		return;
	}
	bool empty = f->eof_known ? f->eof == 0 : offset == 0;
	if (!empty || f->created || f->transfer[true] != NULL)
		return;
	smb_handle_size(f, 0);
	transfer_accepted(transfer_of(h, f, false, 0, "READ"));
}

void
smb_handle_size(struct smb_handle *f, uint64_t eof)
{
	if (f->eof_known && (f->transfer[false] != NULL || f->transfer[true] != NULL))
		return;
	f->eof = eof;
	f->eof_known = true;
	transfer_size(f->transfer[false], eof);
}

void
smb_handle_resize(struct smb_handle *f, uint64_t eof)
{
	if (f->transfer[true] != NULL && eof < f->written_end) {
		transfer_cut(f->transfer[true], eof);
		f->written_end = eof;
	} else {
		transfer_size(f->transfer[true], eof);
	}
	if (eof == 0)
		f->created = true;
	f->eof = eof;
	f->eof_known = f->size_told = true;
}

void
smb_handle_written(struct smb_handle *f, uint64_t offset, bool refused)
{
	if (refused && !f->failed) {
		f->failed = true;
		f->failed_at = offset;
	} else if (!refused && f->failed && offset == f->failed_at) {
		f->failed = false; /* it was tried again */
	}
}

void
smb_handle_rename(struct smb *h, struct smb_handle *f, const struct smb_text *name)
{
	char both[RENAME_MAX * 2];
	static const char arrow[] = " > ";
	size_t n = 0, arrow_len = sizeof arrow - 1;

	if (f->path != NULL && f->path_len < RENAME_MAX) {
		memcpy(both, f->path, f->path_len);
		n = f->path_len;
	}
	memcpy(both + n, arrow, arrow_len);
	n += arrow_len;
	smb_handle_move(f, name);
	if (f->path == NULL || f->path_len > sizeof both - n)
		return;
	memcpy(both + n, f->path, f->path_len);
	session_detail(h->session, "smb.renamed", both, n + f->path_len);
	transfer_detail(f->transfer[false], "smb.renamed_to", f->path, f->path_len);
	transfer_detail(f->transfer[true], "smb.renamed_to", f->path, f->path_len);
}

void
smb_handle_copied(struct smb *h, struct smb_handle *f, const char *method, const struct smb_handle *from,
        uint64_t offset, uint64_t len)
{
	if (len == 0 || f->kind == SMB_FILE_OTHER)
		return;
	struct transfer *t = transfer_of(h, f, true, offset, method);
	if (from != NULL && from->path != NULL && !f->copied)
		transfer_detail(t, "smb.copied_from", from->path, from->path_len);
	f->copied = true;
	transfer_offset(t, offset);
	transfer_copied(t, len);
	uint64_t end = len > UINT64_MAX - offset ? UINT64_MAX : offset + len;
	if (end > f->written_end)
		f->written_end = end;
}

void
smb_handle_close(struct smb *h, struct smb_handle *f, bool eof_known, uint64_t eof)
{
	if (f->doomed && f->path != NULL && f->kind == SMB_FILE_DATA) {
		session_detail(h->session, "smb.deleted", f->path, f->path_len);
		transfer_detail_number(f->transfer[true], "smb.delete_on_close", 1);
	}
	if (f->elsewhere && f->kind == SMB_FILE_DATA) { /* what moved may have moved there: it is over as well */
		(void)transfer_of(h, f, true, 0, "WRITE");
		(void)transfer_of(h, f, false, 0, "READ");
	}
	if (is_new_and_empty(f, eof_known, eof))
		transfer_accepted(transfer_of(h, f, true, 0, "WRITE"));
	if (eof_known && eof > f->written_end)
		transfer_size(f->transfer[true], eof);
	smb_handle_drop_transfers(f, upload_state(f));
	smb_handle_forget(h, f);
}

void
smb_handle_cut_off(struct smb *h, struct smb_handle *f, bool reset)
{
	if (f->transfer[true] != NULL && is_shared(h, f)) {
		transfer_end(f->transfer[true], TRANSFER_TRUNCATED);
		f->transfer[true] = NULL;
	}
	smb_handle_drop_transfers(f, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
}

void
smb_handle_drop_transfers(struct smb_handle *f, enum transfer_state state)
{
	struct transfer *up = f->transfer[true], *down = f->transfer[false];
	f->transfer[false] = f->transfer[true] = NULL;
	transfer_finish(up, state);
	/* Other handles may still read the rest: what is there when all have, is told. */
	transfer_end(down, state == TRANSFER_ABORTED ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
}

/* Where neither share nor open was seen, it is a pipe if it is used for remote procedure calls. */
static bool
is_file(struct smb_handle *f, uint64_t offset, const uint8_t *bytes, size_t len)
{
	if (f->kind == SMB_FILE_UNKNOWN && !f->bound)
		return true; /* its open waits for an answer, and knows its share */
	if (f->kind == SMB_FILE_UNKNOWN)
		f->kind = offset == 0 && bytes[0] == PIPE_VERSION && (len == 1 || bytes[1] <= PIPE_MINOR_MAX)
		                  ? SMB_FILE_OTHER
		                  : SMB_FILE_DATA;
	return f->kind == SMB_FILE_DATA;
}

static struct transfer *
transfer_of(struct smb *h, struct smb_handle *f, bool upload, uint64_t offset, const char *method)
{
	if (f->transfer[upload] != NULL || f->refused)
		return f->transfer[upload];
	struct join_key key;
	struct transfer_start start = {.sender = upload ? h->client : side_other(h->client),
	        .method = method,
	        .path = f->path,
	        .path_len = f->path_len,
	        .charset = f->wide ? "utf-8" : NULL,
	        .offset = offset,
	        .join_key = f->bound ? &key : NULL, /* else its number is not known yet, nor any other connection's */
	        .join_len = key_make(h, f, upload, &key),
	        .join_anywhere = true,
	        .rewrites = upload};
	start_size(f, upload, &start);
	if (start.join_key == NULL)
		start.offset = start.join_offset; /* where the file begins, not where it is written first */
	struct transfer *t = f->transfer[upload] = transfer_begin(h->session, &start);
	f->refused = t == NULL;
	const struct smb_logon *l = smb_logon_find(h, f->logon);
	if (l != NULL && l->user_len > 0)
		transfer_user(t, l->user, l->user_len);
	return t;
}

static void
start_size(const struct smb_handle *f, bool upload, struct transfer_start *start)
{
	uint64_t eof = f->eof > f->written_end ? f->eof : f->written_end;
	if (!upload) {
		start->size_known = f->eof_known;
		start->size = eof;
	} else if (f->size_told) {
		start->size_known = true;
		start->size = f->eof;
	} else if (f->eof_known && !f->created && start->offset == f->eof) {
		start->join_offset = f->eof; /* something is added to it */
	} else if (f->eof_known && !f->created) {
		start->size_known = true; /* some of it is replaced */
		start->size = f->eof;
	}
}

static size_t
key_make(struct smb *h, const struct smb_handle *f, bool upload, struct join_key *key)
{
	const struct smb_logon *l = smb_logon_find(h, f->logon);
	const struct session_ends ends = session_ends(h->session);
	size_t user = l != NULL ? l->user_len : 0, n = 0;

	memset(key, 0, offsetof(struct join_key, text));
	key->addr[SIDE_SOURCE] = l != NULL ? l->addr[SIDE_SOURCE] : ends.addr[SIDE_SOURCE];
	key->addr[SIDE_DESTINATION] = l != NULL ? l->addr[SIDE_DESTINATION] : ends.addr[SIDE_DESTINATION];
	key->upload = upload;
	if (!upload && f->path != NULL && f->eof_known && user + 1 + f->path_len <= KEY_TEXT_MAX) {
		key->eof = f->eof;
		key->changed = f->changed;
		if (user > 0)
			memcpy(key->text, l->user, user);
		key->text[user] = '\0';
		memcpy(key->text + user + 1, f->path, f->path_len);
		n = user + 1 + f->path_len;
	} else {
		key->origin = f->origin;
	}
	return offsetof(struct join_key, text) + n;
}

/* An upload of nothing: the file was made, opened for writing, and closed as it was. */
static bool
is_new_and_empty(const struct smb_handle *f, bool eof_known, uint64_t eof)
{
	return f->created && f->may_write && !f->doomed && !f->failed && f->kind == SMB_FILE_DATA && f->path != NULL &&
	       f->transfer[true] == NULL && f->transfer[false] == NULL && f->eof == 0 && (!eof_known || eof == 0);
}

/* A copy that its user breaks off leaves a file without all of its bytes, which is then deleted. */
static enum transfer_state
upload_state(const struct smb_handle *f)
{
	bool part = f->size_told && f->eof > f->written_end;
	return f->failed || (f->doomed && part) ? TRANSFER_ABORTED : TRANSFER_COMPLETE;
}

/* May other connections go on with it? */
static bool
is_shared(struct smb *h, const struct smb_handle *f)
{
	size_t len;
	return f->durable || (h->two && smb_noted(h, "bound", &f->logon, sizeof f->logon, &len) != NULL);
}
