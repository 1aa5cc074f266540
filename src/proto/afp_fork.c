/* AFP's folders by number and open forks: what moved in a fork is one file. */
#include "config.h"

#include "proto/afp.h"

#include <stdlib.h>
#include <string.h>

enum {
	PATH_UTF8 = 3, /* the other forms have a length of one byte */
};

/* How much is told for each bit. */
static const uint8_t sizes[] = {2, 4, 4, 4, 4, 32, 2, 2, 4, 4, 4, 8, 2, 6, 8};

static void fork_end(struct afp *a, struct afp_fork *f, bool closed);
static void fork_put(struct afp *a, uint16_t number, struct afp_fork *f, bool closed);
static void fork_free(struct afp *a, struct afp_fork *f, bool closed);

struct afp_path
afp_take_path(const struct afp *a, uint32_t folder, struct reader *r)
{
	uint8_t type = reader_u8(r);
	if (type == PATH_UTF8)
		reader_skip(r, 4); /* a hint of another encoding */
	struct reader names = reader_sub(r, type == PATH_UTF8 ? reader_be16(r) : reader_u8(r));
	const struct afp_path *above = table_get(a->folders, &folder, sizeof folder);
	size_t len = above != NULL ? above->len : 0;
	if (!reader_ok(r) || names.left > AFP_PATH_MAX || len > AFP_PATH_MAX)
		return (struct afp_path){0};
	struct afp_path path = {.text = malloc(len + 1 + names.left)};
	if (path.text == NULL)
		return path;
	if (len > 0)
		memcpy(path.text, above->text, len);
	path.len = len;
	if (names.left > 0 && (folder == AFP_ROOT || above != NULL)) /* of other folders nobody knows where they are */
		path.text[path.len++] = '/';
	for (size_t i = 0; i < names.left; i++)
		path.text[path.len++] = names.next[i] == '\0' ? '/' : names.next[i];
	return path;
}

bool
afp_parameter_at(struct reader *r, uint16_t bits, unsigned bit)
{
	if ((bits >> bit & 1) == 0)
		return false;
	for (unsigned i = 0; i < bit; i++)
		if ((bits >> i & 1) != 0)
			reader_skip(r, sizes[i]);
	return true;
}

void
afp_learn_folder(struct afp *a, uint32_t number, struct afp_path *path)
{
	struct afp_path *folder = malloc(sizeof *folder), *old = NULL;
	if (folder == NULL || path->text == NULL || number <= AFP_ROOT ||
	        table_put(a->folders, &number, sizeof number, folder, (void **)&old) != 0) {
		free(folder);
		return;
	}
	*folder = *path;
	*path = (struct afp_path){0};
	if (old != NULL)
		free(old->text);
	free(old);
}

void
afp_fork_learn_size(struct afp_fork *f, uint16_t bits, struct reader r)
{
	const unsigned plain = f->resource ? AFP_BIT_RESOURCE_LEN : AFP_BIT_DATA_LEN;
	const unsigned extended = f->resource ? AFP_BIT_RESOURCE_LEN_EXT : AFP_BIT_DATA_LEN_EXT;
	struct reader other = r;
	uint64_t size;
	if (afp_parameter_at(&other, bits, extended))
		size = reader_be64(&other);
	else if (other = r, afp_parameter_at(&other, bits, plain))
		size = reader_be32(&other);
	else
		return;
	if (!reader_ok(&other))
		return;
	f->size = size;
	f->size_known = true;
}

void
afp_fork_set_size(struct afp_fork *f, uint64_t size)
{
	f->size = size;
	f->size_known = true;
	if (f->write != NULL && size < f->top) {
		transfer_cut(f->write, size);
		f->top = size;
	}
}

void
afp_fork_open(struct afp *a, struct afp_request *q, uint16_t bits, struct reader r)
{
	uint16_t number = reader_be16(&r);
	struct afp_fork *f = reader_ok(&r) ? calloc(1, sizeof *f) : NULL;
	if (f == NULL)
		return;
	f->path = q->path;
	q->path = (struct afp_path){0};
	f->resource = q->resource;
	f->created = !f->resource && f->path.text != NULL && f->path.len == a->created.len && a->created.text != NULL &&
	             memcmp(f->path.text, a->created.text, f->path.len) == 0;
	afp_fork_learn_size(f, bits, r);
	fork_put(a, number, f, false);
}

struct afp_fork *
afp_fork_get(struct afp *a, uint16_t number)
{
	struct afp_fork *f = table_get(a->forks, &number, sizeof number);
	if (f != NULL)
		return f;
	f = calloc(1, sizeof *f);
	if (f != NULL && table_put(a->forks, &number, sizeof number, f, NULL) != 0) {
		free(f);
		f = NULL;
	}
	return f;
}

struct transfer *
afp_fork_begin(struct afp *a, const struct afp_fork *f, bool write, const char *method)
{
	struct transfer *t = transfer_begin(a->session, &(struct transfer_start){
	                                                        .sender = write ? a->client : side_other(a->client),
	                                                        .method = method,
	                                                        .path = f->path.text,
	                                                        .path_len = f->path.len,
	                                                        .rewrites = write});
	if (f->resource)
		transfer_detail(t, "afp.fork", "resource", 8);
	return t;
}

/* closed: the client closed it, and the server agreed. */
static void
fork_end(struct afp *a, struct afp_fork *f, bool closed)
{
	for (size_t side = 0; side < 2; side++)
		if (a->half[side].bulk.transfer != NULL &&
		        (a->half[side].bulk.transfer == f->read || a->half[side].bulk.transfer == f->write))
			a->half[side].bulk.transfer = NULL;
	if (closed && f->created && f->write == NULL && f->size_known && f->size == 0) { /* an empty file */
		f->write = afp_fork_begin(a, f, true, "FPCreateFile");
		transfer_accepted(f->write);
	}
	const bool longer = f->size_known && f->size > f->top; /* some of it was there before */
	if (closed && f->write != NULL)
		transfer_size(f->write, longer ? f->size : f->top);
	transfer_end(f->read, TRANSFER_TRUNCATED);
	transfer_end(f->write, closed && !longer ? TRANSFER_COMPLETE : TRANSFER_TRUNCATED);
	f->read = f->write = NULL;
}

/* The number is that fork from now on, or free. */
static void
fork_put(struct afp *a, uint16_t number, struct afp_fork *f, bool closed)
{
	struct afp_fork *old = table_remove(a->forks, &number, sizeof number);
	if (old != NULL)
		fork_free(a, old, closed);
	if (f != NULL && table_put(a->forks, &number, sizeof number, f, NULL) != 0) {
		free(f->path.text);
		free(f);
	}
}

void
afp_fork_close(struct afp *a, uint16_t number, bool closed)
{
	fork_put(a, number, NULL, closed);
}

void
afp_forks_clear(struct afp *a)
{
	void *value;
	size_t cursor = 0;
	while ((value = table_next(a->forks, &cursor, NULL, NULL)) != NULL)
		fork_free(a, value, false);
	for (cursor = 0; (value = table_next(a->folders, &cursor, NULL, NULL)) != NULL;) {
		struct afp_path *folder = value;
		free(folder->text);
		free(folder);
	}
	table_destroy(a->forks);
	table_destroy(a->folders);
}

static void
fork_free(struct afp *a, struct afp_fork *f, bool closed)
{
	fork_end(a, f, closed);
	free(f->path.text);
	free(f);
}
