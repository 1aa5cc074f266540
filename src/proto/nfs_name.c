/*
 * What handles stand for. A handle is told by the server for a name in a directory (LOOKUP, CREATE, READDIRPLUS,
 * MOUNT) and then used alone, over other connections too; so notes between sessions of the same server keep its
 * place: the directory's own handle and the name. A path is put together when a file needs one.
 */
#include "config.h"

#include "proto/nfs.h"

#include <string.h>

enum {
	DEPTH_MAX = 64, /* directories in a path */
	KEY_MAX = 8 + 2 + NFS_ID_MAX,
	VALUE_MAX = 2 + NFS_ID_MAX,
};

static enum note_scope scope(const struct nfs *n);
static size_t key_make(uint8_t key[KEY_MAX], const char *kind, const void *bytes, size_t len);
static size_t id_write(uint8_t out[VALUE_MAX], const struct nfs_id *id);
static bool id_read(struct nfs_id *id, const void *value, size_t len);
static bool is_dots(const struct nfs_id *id);
static bool look_up(struct nfs *n, const struct nfs_id *id, struct nfs_id *place);
static bool put_front(uint8_t path[NFS_PATH_MAX], size_t *at, const uint8_t *bytes, size_t len);

void
nfs_id_handle(struct nfs_id *id, struct reader handle)
{
	id->len = id->handle_len = 0;
	if (handle.left == 0 || handle.left > NFS_HANDLE_MAX)
		return;
	memcpy(id->bytes, handle.next, handle.left);
	id->len = id->handle_len = (uint16_t)handle.left;
}

void
nfs_id_root(struct nfs_id *id)
{
	id->len = 1;
	id->handle_len = 0;
	id->bytes[0] = '/';
}

void
nfs_id_enter(struct nfs_id *id, struct reader name)
{
	if (id->len == 0)
		return;
	size_t len = id->len;
	bool slash = len > id->handle_len && id->bytes[len - 1] != '/';
	if (name.left == 0 || name.left > NFS_ID_MAX || len + slash + name.left > NFS_ID_MAX) {
		id->len = id->handle_len = 0;
		return;
	}
	if (slash)
		id->bytes[len++] = '/';
	memcpy(id->bytes + len, name.next, name.left);
	id->len = (uint16_t)(len + name.left);
}

void
nfs_name_learn(struct nfs *n, const struct nfs_id *place, struct reader handle)
{
	uint8_t key[KEY_MAX], value[VALUE_MAX];
	struct nfs_id id;
	nfs_id_handle(&id, handle);
	/* Of a place that is the handle itself nothing is learned, nor of . and .. */
	if (id.len == 0 || place->len == 0 || place->len == place->handle_len || is_dots(place))
		return;
	size_t len = key_make(key, "nfs.fh:", id.bytes, id.len);
	(void)session_note(n->session, scope(n), key, len, value, id_write(value, place));
	len = key_make(key, "nfs.at:", value, id_write(value, place));
	(void)session_note(n->session, scope(n), key, len, value, id_write(value, &id));
}

void
nfs_name_alias(struct nfs *n, const struct nfs_id *of, struct reader handle)
{
	uint8_t key[KEY_MAX], value[VALUE_MAX];
	struct nfs_id id, place;
	nfs_id_handle(&id, handle);
	if (id.len == 0 || of->handle_len == 0 || !look_up(n, of, &place))
		return;
	size_t len = key_make(key, "nfs.fh:", id.bytes, id.len);
	(void)session_note(n->session, scope(n), key, len, value, id_write(value, &place));
}

void
nfs_name_move(struct nfs *n, const struct nfs_id *from, const struct nfs_id *to)
{
	struct nfs_id what = nfs_name_at(n, from);
	if (what.len > 0 && what.len == what.handle_len)
		nfs_name_learn(n, to, reader_init(what.bytes, what.len));
}

struct nfs_id
nfs_name_at(struct nfs *n, const struct nfs_id *place)
{
	uint8_t key[KEY_MAX], value[VALUE_MAX];
	struct nfs_id id;
	size_t len = key_make(key, "nfs.at:", value, id_write(value, place));
	const void *noted = session_noted(n->session, scope(n), key, len, &len);
	return noted != NULL && id_read(&id, noted, len) ? id : *place;
}

size_t
nfs_name_path(struct nfs *n, const struct nfs_id *id, uint8_t path[NFS_PATH_MAX])
{
	struct nfs_id at = *id;
	size_t front = NFS_PATH_MAX;

	for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
		if (!put_front(path, &front, at.bytes + at.handle_len, (size_t)(at.len - at.handle_len)))
			break;
		if (at.handle_len == 0 || !look_up(n, &at, &at))
			break;
	}
	size_t len = NFS_PATH_MAX - front;
	memmove(path, path + front, len);
	return len;
}

/* What is said of a server's handles counts for all who ask it. */
static enum note_scope
scope(const struct nfs *n)
{
	return n->client == SIDE_SOURCE ? NOTE_DESTINATION : NOTE_SOURCE;
}

static size_t
key_make(uint8_t key[KEY_MAX], const char *kind, const void *bytes, size_t len)
{
	size_t n = strlen(kind);
	memcpy(key, kind, n);
	memcpy(key + n, bytes, len);
	return n + len;
}

static size_t
id_write(uint8_t out[VALUE_MAX], const struct nfs_id *id)
{
	out[0] = (uint8_t)id->handle_len;
	memcpy(out + 1, id->bytes, id->len);
	return 1 + (size_t)id->len;
}

static bool
id_read(struct nfs_id *id, const void *value, size_t len)
{
	struct reader r = reader_init(value, len);
	id->handle_len = reader_u8(&r);
	id->len = (uint16_t)r.left;
	if (!reader_ok(&r) || id->handle_len > r.left || r.left > NFS_ID_MAX)
		return false;
	memcpy(id->bytes, r.next, r.left);
	return true;
}

/* Is the last name one of the directory itself, or of the one above? */
static bool
is_dots(const struct nfs_id *id)
{
	const uint8_t *name = id->bytes + id->handle_len;
	size_t len = (size_t)(id->len - id->handle_len), dots = 0;
	while (dots < len && name[len - 1 - dots] == '.')
		dots++;
	return (dots == 1 || dots == 2) && (dots == len || name[len - 1 - dots] == '/');
}

/* Where the handle that id begins with stands. */
static bool
look_up(struct nfs *n, const struct nfs_id *id, struct nfs_id *place)
{
	uint8_t key[KEY_MAX];
	size_t len = key_make(key, "nfs.fh:", id->bytes, id->handle_len);
	const void *noted = session_noted(n->session, scope(n), key, len, &len);
	return noted != NULL && id_read(place, noted, len);
}

/* Puts bytes before what is in path already, with a slash between. False: there is no room. */
static bool
put_front(uint8_t path[NFS_PATH_MAX], size_t *at, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return true;
	bool slash = *at < NFS_PATH_MAX && path[*at] != '/' && bytes[len - 1] != '/';
	if (len + slash > *at)
		return false;
	if (slash)
		path[--*at] = '/';
	*at -= len;
	memcpy(path + *at, bytes, len);
	return true;
}
