/*
 * The file lists of rsync, protocol 27 to 32 (flist.c of rsync, send_file_entry): names built from the one before,
 * and their order, by which files are named later. Not followed: ACLs, extended attributes, access and creation
 * times, hard links before protocol 28.
 */
#include "config.h"

#include "proto/rsync.h"

#include <stdlib.h>
#include <string.h>

enum { /* rsync.h: XMIT_* */
	SAME_MODE = 1 << 1,
	EXTENDED = 1 << 2,
	SAME_UID = 1 << 3,
	SAME_GID = 1 << 4,
	SAME_NAME = 1 << 5,
	LONG_NAME = 1 << 6,
	SAME_TIME = 1 << 7,
	SAME_MAJOR = 1 << 8,
	HLINKED = 1 << 9,
	USER_NAME = 1 << 10, /* before protocol 30: the same device */
	GROUP_NAME = 1 << 11, /* before protocol 30: a minor number of 8 bits */
	HLINK_FIRST = 1 << 12, /* without HLINKED: the end, with an error */
	MOD_NSEC = 1 << 13,
};

enum { TYPE = 0170000, REGULAR = 0100000, FOLDER = 0040000, LINK = 0120000, CHARACTER = 0020000, BLOCK = 0060000 };

static uint32_t read_flags(const struct rsync_format *f, struct reader *r, bool *end);
static bool read_name(struct rsync_lists *l, uint32_t flags, const struct rsync_format *f, struct reader *r,
        uint8_t *name, size_t *len);
static void read_owner(const struct rsync_format *f, struct reader *r, bool follows);
static void read_rest(const struct rsync_format *f, struct reader *r, uint32_t flags, uint32_t mode);
static uint64_t read_longint(struct reader *r);
static uint32_t read_count(const struct rsync_format *f, struct reader *r);
static void keep(struct rsync_lists *l, const struct rsync_entry *e, const uint8_t *name);
static int compare(const void *a, const void *b, void *pool);
static bool is_path(const uint8_t *name, size_t len, size_t at, bool folder);
static uint8_t name_byte(const uint8_t *name, size_t len, size_t at, bool folder);
static int compare_bytes(const void *a, const void *b, void *pool);

int32_t
rsync_varint(struct reader *r)
{
	return (int32_t)rsync_varlong(r, 1);
}

/* The first byte's leading ones tell how many bytes more follow; its other bits are the highest of the number. */
int64_t
rsync_varlong(struct reader *r, unsigned min)
{
	uint8_t first = reader_u8(r), byte[9] = {0};
	unsigned extra = 0;

	for (uint8_t bit = 0x80; (first & bit) != 0 && extra < 6; bit = (uint8_t)(bit >> 1))
		extra++;
	const uint8_t *rest = reader_take(r, min - 1 + extra);
	if (rest == NULL || min - 1 + extra > 8)
		return 0;
	memcpy(byte, rest, min - 1 + extra);
	byte[min - 1 + extra] = (uint8_t)(extra > 0 ? first & ((1u << (8 - extra)) - 1) : first);
	uint64_t value = 0;
	for (unsigned i = 8; i-- > 0;)
		value = value << 8 | byte[i];
	return (int64_t)value;
}

void
rsync_list_begin(struct rsync_lists *l)
{
	if (l->count == RSYNC_LISTS_MAX) {
		l->overflow = true;
		return;
	}
	const struct rsync_list *before = l->count > 0 ? &l->list[l->count - 1] : NULL;
	l->list[l->count++] = (struct rsync_list){.first = (uint32_t)l->entries,
	        .start = before != NULL ? before->start + (int32_t)before->count + 1 : 0};
}

enum rsync_got
rsync_list_read(struct rsync_lists *l, const struct rsync_format *f, struct reader *r)
{
	struct rsync_entry e = {0};
	uint8_t name[RSYNC_NAME_MAX];
	size_t len = 0;
	bool end = false;
	uint32_t mode = l->mode;
	uint32_t flags = read_flags(f, r, &end);

	if (!reader_ok(r))
		return RSYNC_MORE;
	if (end)
		return RSYNC_END;
	if (!read_name(l, flags, f, r, name, &len))
		return reader_ok(r) ? RSYNC_BAD : RSYNC_MORE;
	bool linked = (flags & HLINKED) != 0 && (flags & HLINK_FIRST) == 0 && f->protocol >= 30;
	if (linked) {
		/* The index of its first name: in this list all else is the same, in an earlier one it is told again. */
		int32_t to = rsync_varint(r);
		const struct rsync_list *now = &l->list[l->count - 1];
		linked = to >= now->start;
		e.regular = true;
	}
	if (!linked) {
		e.sized = true;
		e.size = f->protocol >= 30 ? (uint64_t)rsync_varlong(r, 3) : read_longint(r);
		if ((flags & SAME_TIME) == 0 && f->protocol >= 30)
			(void)rsync_varlong(r, 4);
		else if ((flags & SAME_TIME) == 0)
			reader_skip(r, 4);
		if ((flags & MOD_NSEC) != 0)
			(void)rsync_varint(r);
		if ((flags & SAME_MODE) == 0)
			mode = reader_le32(r);
		read_rest(f, r, flags, mode);
		e.regular = (mode & TYPE) == REGULAR;
		e.folder = (mode & TYPE) == FOLDER;
	}
	if (!reader_ok(r))
		return RSYNC_MORE;
	if (mode > 0177777)
		return RSYNC_BAD;
	l->mode = mode;
	memcpy(l->last, name, len);
	l->last_len = len;
	e.name_len = (uint32_t)len;
	keep(l, &e, name);
	if (e.regular && !linked) {
		l->files++;
		l->bytes += e.size;
	}
	return RSYNC_ENTRY;
}

void
rsync_list_end(struct rsync_lists *l, const struct rsync_format *f)
{
	if (l->overflow)
		return;
	struct rsync_list *list = &l->list[l->count - 1];
	if (l->count == 1)
		list->start = f->recurse ? 1 : 0;
	list->count = (uint32_t)l->entries - list->first;
	if (list->count > 1)
		qsort_r(l->entry + list->first, list->count, sizeof *l->entry, f->protocol >= 29 ? compare : compare_bytes,
		        l->pool);
}

const struct rsync_entry *
rsync_list_find(const struct rsync_lists *l, int32_t index)
{
	for (size_t low = 0, high = l->overflow && l->count > 0 ? l->count - 1 : l->count; low < high;) {
		size_t middle = low + (high - low) / 2;
		const struct rsync_list *list = &l->list[middle];
		if (index < list->start)
			high = middle;
		else if ((uint32_t)(index - list->start) >= list->count)
			low = middle + 1;
		else
			return &l->entry[list->first + (uint32_t)(index - list->start)];
	}
	return NULL;
}

void
rsync_list_clear(struct rsync_lists *l)
{
	if (l == NULL)
		return;
	free(l->entry);
	free(l->pool);
	free(l);
}

static uint32_t
read_flags(const struct rsync_format *f, struct reader *r, bool *end)
{
	uint32_t flags;

	if (f->varint_flags) {
		flags = (uint32_t)rsync_varint(r);
		if (flags == 0) {
			(void)rsync_varint(r); /* errors while reading */
			*end = true;
		}
		return flags;
	}
	flags = reader_u8(r);
	if (flags == 0)
		*end = true;
	if (f->protocol >= 28 && (flags & EXTENDED) != 0)
		flags |= (uint32_t)reader_u8(r) << 8;
	if (f->protocol >= 30 && flags == (EXTENDED | HLINK_FIRST)) {
		(void)rsync_varint(r);
		*end = true;
	}
	return flags;
}

static bool
read_name(struct rsync_lists *l, uint32_t flags, const struct rsync_format *f, struct reader *r, uint8_t *name, size_t *len)
{
	size_t same = (flags & SAME_NAME) != 0 ? reader_u8(r) : 0;
	size_t rest = (flags & LONG_NAME) != 0 ? read_count(f, r) : reader_u8(r);
	if (same > l->last_len || same + rest == 0 || rest >= RSYNC_NAME_MAX - same)
		return false;
	const uint8_t *at = reader_take(r, rest);
	if (at == NULL)
		return false;
	memcpy(name, l->last, same);
	memcpy(name + same, at, rest);
	*len = same + rest;
	return true;
}

static void
read_owner(const struct rsync_format *f, struct reader *r, bool follows)
{
	if (f->protocol < 30) {
		reader_skip(r, 4);
		return;
	}
	(void)rsync_varint(r);
	if (follows)
		reader_skip(r, reader_u8(r));
}

/* What stands behind the mode. */
static void
read_rest(const struct rsync_format *f, struct reader *r, uint32_t flags, uint32_t mode)
{
	const struct rsync_options *o = f->options;
	uint32_t type = mode & TYPE;
	bool device = type == CHARACTER || type == BLOCK;
	bool special = !device && type != REGULAR && type != FOLDER && type != LINK;

	if (o->owner && (flags & SAME_UID) == 0)
		read_owner(f, r, (flags & USER_NAME) != 0);
	if (o->group && (flags & SAME_GID) == 0)
		read_owner(f, r, (flags & GROUP_NAME) != 0);
	if ((o->devices && device) || (o->specials && special && f->protocol < 31)) {
		if ((flags & SAME_MAJOR) == 0)
			(void)read_count(f, r);
		if (f->protocol >= 30)
			(void)rsync_varint(r);
		else
			reader_skip(r, (flags & GROUP_NAME) != 0 ? 1 : 4);
	}
	if (o->links && type == LINK)
		reader_skip(r, read_count(f, r));
	if (o->hard_links && f->protocol < 30 && (flags & HLINKED) != 0) {
		if ((flags & USER_NAME) == 0)
			(void)read_longint(r);
		(void)read_longint(r);
	}
	if (o->checksums && (type == REGULAR || f->protocol < 28))
		reader_skip(r, f->sum_size);
}

/* Before protocol 30: 4 bytes, or all ones and 8 bytes. */
static uint64_t
read_longint(struct reader *r)
{
	uint32_t n = reader_le32(r);
	return n == UINT32_MAX ? reader_le64(r) : n;
}

static uint32_t
read_count(const struct rsync_format *f, struct reader *r)
{
	return f->protocol >= 30 ? (uint32_t)rsync_varint(r) : reader_le32(r);
}

static void
keep(struct rsync_lists *l, const struct rsync_entry *e, const uint8_t *name)
{
	if (l->overflow || l->entries == RSYNC_FILES_MAX || e->name_len > RSYNC_NAMES_MAX - l->pool_len) {
		l->overflow = true;
		return;
	}
	if (l->entries == l->entries_size) {
		size_t size = l->entries_size > 0 ? l->entries_size * 2 : 64;
		struct rsync_entry *larger = realloc(l->entry, size * sizeof *larger);
		l->overflow = larger == NULL;
		if (larger == NULL)
			return;
		l->entry = larger;
		l->entries_size = size;
	}
	if (l->pool_len + e->name_len > l->pool_size) {
		size_t size = l->pool_size > 0 ? l->pool_size * 2 : RSYNC_NAME_MAX;
		uint8_t *larger = realloc(l->pool, size);
		l->overflow = larger == NULL;
		if (larger == NULL)
			return;
		l->pool = larger;
		l->pool_size = size;
	}
	memcpy(l->pool + l->pool_len, name, e->name_len);
	l->entry[l->entries] = *e;
	l->entry[l->entries++].name = (uint32_t)l->pool_len;
	l->pool_len += e->name_len;
}

/* In every folder the files come first, then the folders, each with a slash behind its name. */
static int
compare(const void *a, const void *b, void *pool)
{
	const struct rsync_entry *x = a, *y = b;
	const uint8_t *p = (uint8_t *)pool + x->name, *q = (uint8_t *)pool + y->name;
	size_t p_len = x->name_len, q_len = y->name_len;

	if (p_len == 1 && p[0] == '.')
		p_len = 0;
	if (q_len == 1 && q[0] == '.')
		q_len = 0;
	if (p_len == 0 || q_len == 0)
		return (p_len > 0) - (q_len > 0);
	for (size_t i = 0;; i++) {
		uint8_t c = name_byte(p, p_len, i, x->folder), d = name_byte(q, q_len, i, y->folder);
		if (i == 0 || name_byte(p, p_len, i - 1, x->folder) == '/') {
			bool c_path = c != 0 && is_path(p, p_len, i, x->folder);
			bool d_path = d != 0 && is_path(q, q_len, i, y->folder);
			if (c_path != d_path)
				return c_path ? 1 : -1;
		}
		if (c != d)
			return c - d;
		if (c == 0)
			return 0;
	}
}

/* Does what begins here hold a slash, its own closing one included? */
static bool
is_path(const uint8_t *name, size_t len, size_t at, bool folder)
{
	return folder || (at < len && memchr(name + at, '/', len - at) != NULL);
}

static uint8_t
name_byte(const uint8_t *name, size_t len, size_t at, bool folder)
{
	if (at < len)
		return name[at];
	return at == len && folder ? '/' : 0;
}

/* Before protocol 29. */
static int
compare_bytes(const void *a, const void *b, void *pool)
{
	const struct rsync_entry *x = a, *y = b;
	size_t shorter = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp((uint8_t *)pool + x->name, (uint8_t *)pool + y->name, shorter);
	return order != 0 ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}
