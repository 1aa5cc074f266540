#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/files.h"
#include "capture/source.h"

static int files_put(struct files *f, const char *path, int64_t first, uint64_t size);
static int files_add_directory(struct files *f, const char *path, const char **what);
static int files_add_member(struct files *f, const char *directory, const char *name);
static bool first_frame(const char *path, int64_t *time);
static int entry_compare(const void *a, const void *b);

int
files_add(struct files *f, const char *path, const char **what)
{
	struct stat st = {.st_size = 0};

	if (strcmp(path, "-") != 0) {
		if (stat(path, &st) < 0) {
			*what = strerror(errno);
			return -1;
		}
		if (S_ISDIR(st.st_mode))
			return files_add_directory(f, path, what);
	}
	if (files_put(f, path, 0, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0) < 0) {
		*what = strerror(ENOMEM);
		return -1;
	}
	return 0;
}

void
files_clear(struct files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->entries[i].path);
	free(f->entries);
	*f = (struct files){.entries = NULL};
}

static int
files_put(struct files *f, const char *path, int64_t first, uint64_t size)
{
	if (f->count == f->room) {
		size_t room = f->room == 0 ? 8 : f->room * 2;
		struct files_entry *more = realloc(f->entries, room * sizeof *more);
		if (more == NULL)
			return -1;
		f->entries = more;
		f->room = room;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return -1;
	f->entries[f->count++] = (struct files_entry){.path = copy, .first = first, .size = size};
	return 0;
}

static int
files_add_directory(struct files *f, const char *path, const char **what)
{
	size_t before = f->count;
	int result = 0;

	DIR *dir = opendir(path);
	if (dir == NULL) {
		*what = strerror(errno);
		return -1;
	}
	for (struct dirent *e; result == 0 && (e = readdir(dir)) != NULL;)
		result = files_add_member(f, path, e->d_name);
	closedir(dir);
	if (result < 0) {
		*what = strerror(ENOMEM);
		return -1;
	}
	if (f->count == before) {
		*what = "there is no capture in this directory";
		return -1;
	}
	qsort(f->entries + before, f->count - before, sizeof *f->entries, entry_compare);
	return 0;
}

/* Adds name when it is a capture. 0, or -1 when memory is out. */
static int
files_add_member(struct files *f, const char *directory, const char *name)
{
	char *path;
	struct stat st;
	int64_t first;
	int result = 0;

	size_t len = strlen(directory);
	const char *slash = len > 0 && directory[len - 1] == '/' ? "" : "/";
	if (asprintf(&path, "%s%s%s", directory, slash, name) < 0)
		return -1;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && first_frame(path, &first))
		result = files_put(f, path, first, (uint64_t)st.st_size);
	free(path);
	return result;
}

/* False when it is no capture; one without frames comes last. */
static bool
first_frame(const char *path, int64_t *time)
{
	struct input *in = input_open(path);
	if (in == NULL)
		return false;
	struct source *s = source_open(in);
	if (s == NULL)
		return false;
	bool capture = source_is_capture(s);
	struct frame f;
	*time = INT64_MAX;
	if (capture && source_next(s, &f) == SOURCE_FRAME)
		*time = f.time;
	source_close(s);
	return capture;
}

static int
entry_compare(const void *a, const void *b)
{
	const struct files_entry *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return strcmp(x->path, y->path);
}
