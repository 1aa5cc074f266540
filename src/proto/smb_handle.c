#include "config.h"

#include "proto/smb_handle.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/table.h"
#include "base/text.h"

enum {
	NOTE_PATH_MAX = 4096,
};

/* As noted for other channels and for a reconnection; the path follows. */
struct handle_note {
	struct smb_file_id origin;
	uint64_t eof, changed;
	uint64_t share_len;
	uint8_t kind;
	bool wide, may_write, created, eof_known;
};

/* Pipes that are opened by name, where the share was not seen. */
static const char *const pipes[] = {"srvsvc", "wkssvc", "lsarpc", "lsass", "samr", "netlogon", "spoolss", "winreg",
        "svcctl", "atsvc", "epmapper", "browser", "ntsvcs", "eventlog", "protected_storage", "scerpc", "trkwks",
        "MsFteWds", "mdssvc", "InitShutdown", "FssagentRpc", "W32TIME_ALT", "tapsrv", "ROUTER", "dssetup"};

static struct smb_handle *handle_noted(struct smb *h, const struct smb_file_id *id);
static struct smb_handle *handle_adopt(struct smb *h, struct smb_handle *f, const struct smb_file_id *id);
static void note_take(struct smb_handle *f, const uint8_t *value, size_t len);
static size_t note_make(const struct smb_handle *f, uint8_t value[sizeof(struct handle_note) + NOTE_PATH_MAX]);
static void path_set(struct smb_handle *f, const char *share, size_t share_len, const struct smb_text *name,
        size_t in_name);
static size_t share_of(const struct smb_text *name);
static bool is_pipe_name(const struct smb_text *name);
static void evict(struct smb *h);

struct smb_handle *
smb_handle_create(void)
{
	struct smb_handle *f = calloc(1, sizeof *f);
	if (f != NULL)
		f->refs = 1;
	return f;
}

struct smb_handle *
smb_handle_ref(struct smb_handle *f)
{
	f->refs++;
	return f;
}

void
smb_handle_unref(struct smb_handle *f)
{
	if (--f->refs > 0)
		return;
	/* An open that was refused, or never answered: what was written into it is nowhere. */
	smb_handle_drop_transfers(f, TRANSFER_ABORTED);
	free(f->path);
	free(f);
}

void
smb_handle_name(struct smb_handle *f, const struct smb_tree *tree, const struct smb_text *name, bool dfs)
{
	bool known = tree != NULL && tree->kind != SMB_SHARE_UNKNOWN;
	if (dfs)
		path_set(f, "\\", 1, name, share_of(name));
	else if (tree != NULL)
		path_set(f, tree->path, tree->path_len, name, 0);
	else
		path_set(f, NULL, 0, name, 0);
	if (known)
		f->kind = tree->kind == SMB_SHARE_PIPE ? SMB_FILE_OTHER : SMB_FILE_DATA;
	else if (is_pipe_name(name))
		f->kind = SMB_FILE_OTHER;
}

void
smb_handle_move(struct smb_handle *f, const struct smb_text *name)
{
	path_set(f, f->path, f->path != NULL ? f->share_len : 0, name, 0);
}

void
smb_handle_bind(struct smb *h, struct smb_handle *f, const struct smb_file_id *id)
{
	void *old = NULL;
	f->id = *id;
	if (id->logon != 0)
		f->logon = id->logon;
	if (f->origin.persistent == 0 && f->origin.volatile_part == 0)
		f->origin = *id;
	if (f->kind == SMB_FILE_UNKNOWN && f->path != NULL)
		f->kind = SMB_FILE_DATA;
	if (table_put(h->handles, id, sizeof *id, f, &old) != 0) {
		evict(h);
		if (table_put(h->handles, id, sizeof *id, f, &old) != 0)
			return;
	}
	(void)smb_handle_ref(f);
	f->bound = true;
	if (old != NULL) {
		((struct smb_handle *)old)->bound = false;
		smb_handle_drop_transfers(old, TRANSFER_TRUNCATED);
		smb_handle_unref(old);
	}
	if (!h->channels || f->kind == SMB_FILE_OTHER)
		return;
	uint8_t value[sizeof(struct handle_note) + NOTE_PATH_MAX];
	smb_note(h, "open", id, sizeof *id, value, note_make(f, value));
}

struct smb_handle *
smb_handle_known(struct smb *h, const struct smb_file_id *id)
{
	struct smb_handle *f = table_get(h->handles, id, sizeof *id);
	if (f == NULL && (f = handle_noted(h, id)) != NULL)
		f = handle_adopt(h, f, id);
	return f;
}

struct smb_handle *
smb_handle_find(struct smb *h, const struct smb_file_id *id, uint32_t tree)
{
	struct smb_handle *f = smb_handle_known(h, id);
	if (f != NULL || (f = smb_handle_create()) == NULL)
		return f;
	const struct smb_tree *t = smb_tree_find(h, id->logon, tree);
	if (t != NULL && t->kind != SMB_SHARE_UNKNOWN)
		f->kind = t->kind == SMB_SHARE_PIPE ? SMB_FILE_OTHER : SMB_FILE_DATA;
	return handle_adopt(h, f, id);
}

void
smb_handle_durable(struct smb *h, const struct smb_handle *f)
{
	uint8_t value[sizeof(struct handle_note) + NOTE_PATH_MAX];
	size_t len = note_make(f, value);
	smb_note(h, "durable", &f->id.persistent, sizeof f->id.persistent, value, len);
}

void
smb_handle_reconnect(struct smb *h, struct smb_handle *f, uint64_t persistent)
{
	size_t len;
	const uint8_t *value = smb_noted(h, "durable", &persistent, sizeof persistent, &len);
	if (value != NULL && len >= sizeof(struct handle_note))
		note_take(f, value, len);
}

struct smb_handle *
smb_handle_by_resume_key(struct smb *h, const uint8_t key[SMB_RESUME_KEY])
{
	struct smb_handle *f;
	size_t cursor = 0;
	while ((f = table_next(h->handles, &cursor, NULL, NULL)) != NULL)
		if (f->has_resume_key && memcmp(f->resume_key, key, SMB_RESUME_KEY) == 0)
			return f;
	return NULL;
}

void
smb_handle_forget(struct smb *h, struct smb_handle *f)
{
	if (!f->bound)
		return;
	f->bound = false;
	if (table_remove(h->handles, &f->id, sizeof f->id) != NULL)
		smb_handle_unref(f);
}

void
smb_handles_clear(struct smb *h, bool reset)
{
	struct smb_handle *f;
	size_t cursor = 0;
	while ((f = table_next(h->handles, &cursor, NULL, NULL)) != NULL) {
		smb_handle_cut_off(h, f, reset);
		smb_handle_forget(h, f);
	}
}

/* Share and name; share may be a part of the path so far. in_name: so much of the name is the share's. */
static void
path_set(struct smb_handle *f, const char *share, size_t share_len, const struct smb_text *name, size_t in_name)
{
	const char *bytes = name->bytes;
	size_t len = name->len;
	while (len > 0 && *bytes == '\\') {
		bytes++;
		len--;
	}
	char *path = malloc(share_len + 1 + len + 1);
	if (path == NULL)
		return;
	size_t n = share_len;
	if (share_len > 0) {
		memcpy(path, share, share_len);
		path[n++] = '\\';
	}
	if (len > 0)
		memcpy(path + n, bytes, len);
	free(f->path);
	f->path = path;
	f->path_len = n + len;
	f->share_len = in_name > 0 ? n + in_name : share_len;
	f->wide = text_is_utf8(path, f->path_len);
}

/* Of a DFS name, server\share\path (MS-SMB2 2.2.13): the length of its first two parts. */
static size_t
share_of(const struct smb_text *name)
{
	size_t at = 0, parts = 0;
	while (at < name->len && name->bytes[at] == '\\')
		at++;
	size_t first = at;
	for (; at < name->len; at++)
		if (name->bytes[at] == '\\' && ++parts == 2)
			break;
	return at - first;
}

static struct smb_handle *
handle_noted(struct smb *h, const struct smb_file_id *id)
{
	size_t len;
	const uint8_t *value = h->two ? smb_noted(h, "open", id, sizeof *id, &len) : NULL;
	struct smb_handle *f = NULL;
	if (value != NULL && len >= sizeof(struct handle_note) && (f = smb_handle_create()) != NULL)
		note_take(f, value, len);
	if (f != NULL)
		f->elsewhere = true;
	return f;
}

/* Puts one that was not opened here into the table, which has the only reference from then on. NULL: it is gone. */
static struct smb_handle *
handle_adopt(struct smb *h, struct smb_handle *f, const struct smb_file_id *id)
{
	f->id = *id;
	f->logon = id->logon;
	if (f->origin.persistent == 0 && f->origin.volatile_part == 0)
		f->origin = *id;
	if (table_put(h->handles, id, sizeof *id, f, NULL) != 0) {
		evict(h);
		if (table_put(h->handles, id, sizeof *id, f, NULL) != 0) {
			smb_handle_unref(f);
			return NULL;
		}
	}
	f->bound = true;
	return f;
}

static void
note_take(struct smb_handle *f, const uint8_t *value, size_t len)
{
	struct handle_note note;
	memcpy(&note, value, sizeof note);
	f->origin = note.origin;
	f->eof = note.eof;
	f->changed = note.changed;
	f->kind = (enum smb_file_kind)note.kind;
	f->wide = note.wide;
	f->may_write = note.may_write;
	f->created = note.created;
	f->eof_known = note.eof_known;
	free(f->path);
	f->share_len = (size_t)note.share_len;
	f->path_len = len - sizeof note;
	f->path = malloc(f->path_len + 1);
	if (f->path != NULL)
		memcpy(f->path, value + sizeof note, f->path_len);
}

/* A path that is too long for a note is cut. */
static size_t
note_make(const struct smb_handle *f, uint8_t value[sizeof(struct handle_note) + NOTE_PATH_MAX])
{
	struct handle_note note;
	memset(&note, 0, sizeof note);
	note.origin = f->origin;
	note.eof = f->eof;
	note.changed = f->changed;
	note.share_len = f->share_len;
	note.kind = (uint8_t)f->kind;
	note.wide = f->wide;
	note.may_write = f->may_write;
	note.created = f->created;
	note.eof_known = f->eof_known;
	size_t len = f->path_len < NOTE_PATH_MAX ? f->path_len : NOTE_PATH_MAX;
	memcpy(value, &note, sizeof note);
	if (f->path != NULL && len > 0)
		memcpy(value + sizeof note, f->path, len);
	return sizeof note + (f->path != NULL ? len : 0);
}

static bool
is_pipe_name(const struct smb_text *name)
{
	const char *bytes = name->bytes;
	size_t len = name->len;
	while (len > 0 && *bytes == '\\') {
		bytes++;
		len--;
	}
	if (text_prefix_nocase(bytes, len, "PIPE\\"))
		return true;
	for (size_t i = 0; i < sizeof pipes / sizeof pipes[0]; i++)
		if (text_equal_nocase(bytes, len, pipes[i]))
			return true;
	return false;
}

/* The table is full: the file opened longest ago makes room. */
static void
evict(struct smb *h)
{
	size_t cursor = 0;
	struct smb_handle *f = table_next(h->handles, &cursor, NULL, NULL);
	if (f == NULL)
		return;
	smb_handle_cut_off(h, f, false);
	smb_handle_forget(h, f);
}
