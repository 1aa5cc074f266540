#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/files.h"
#include "capture/source.h"

enum { FOLDERS_DEEP = 16 }; /* below the one that was named */

static int files_put(struct files *f, const char *path, int64_t first, uint64_t size);
static int files_add_directory(struct files *f, const char *path, const char **what);
static int files_walk(struct files *f, DIR *dir, const char *path, unsigned depth);
static int files_add_member(struct files *f, const char *directory, const char *name, unsigned depth);
static int files_add_folder(struct files *f, const char *path, unsigned depth);
static int files_add_unread(struct files *f, const char *path);
static bool named_as_capture(const char *name);
static bool first_frame(const char *path, int64_t *time);
static int entry_compare(const void *a, const void *b);

int
files_add(struct files *f, const char *path, const char **what)
{
	struct stat st = {.st_size = 0};

	if (strcmp(path, "-") == 0) {
		if (isatty(STDIN_FILENO)) {
			*what = "standard input is a terminal: pipe a capture into it";
			return -1;
		}
	} else {
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

	DIR *dir = opendir(path);
	if (dir == NULL) {
		*what = strerror(errno);
		return -1;
	}
	if (files_walk(f, dir, path, 0) < 0) {
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

/* Closes dir. 0, or -1 when memory is out. */
static int
files_walk(struct files *f, DIR *dir, const char *path, unsigned depth)
{
	int result = 0;

	for (struct dirent *e; result == 0 && (e = readdir(dir)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			result = files_add_member(f, path, e->d_name, depth);
	closedir(dir);
	return result;
}

/*
 * Adds name when it is a capture, or what is below it when it is a folder. Links to folders are
 * not followed: they may lead round in a circle, or to what is read already.
 */
static int
files_add_member(struct files *f, const char *directory, const char *name, unsigned depth)
{
	char *path;
	struct stat st, target;
	int64_t first;
	int result = 0;

	size_t len = strlen(directory);
	const char *slash = len > 0 && directory[len - 1] == '/' ? "" : "/";
	if (asprintf(&path, "%s%s%s", directory, slash, name) < 0)
		return -1;
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		result = files_add_folder(f, path, depth + 1);
	else if (stat(path, &target) < 0)
		result = named_as_capture(name) ? files_add_unread(f, path) : 0;
	else if (S_ISREG(target.st_mode) && first_frame(path, &first))
		result = files_put(f, path, first, (uint64_t)target.st_size);
	else if (S_ISREG(target.st_mode) && (named_as_capture(name) || access(path, R_OK) < 0))
		result = files_add_unread(f, path);
	free(path);
	return result;
}

static int
files_add_folder(struct files *f, const char *path, unsigned depth)
{
	DIR *dir = depth <= FOLDERS_DEEP ? opendir(path) : NULL;
	return dir != NULL ? files_walk(f, dir, path, depth) : files_add_unread(f, path);
}

/* Keeps what ought to be read and cannot be: the attempt to read it tells the user why. */
static int
files_add_unread(struct files *f, const char *path)
{
	return files_put(f, path, INT64_MAX, 0);
}

/*
 * Ends it in .pcap, .pcapng, .cap, or .pcap1 as tcpdump numbers them, compressed or not? Such a one
 * that is empty or broken from its first byte is told of; any other file is just no capture.
 */
static bool
named_as_capture(const char *name)
{
	size_t len = strlen(name);

	if (len > 3 && strcmp(name + len - 3, ".gz") == 0)
		len -= 3;
	else if (len > 4 && strcmp(name + len - 4, ".zst") == 0)
		len -= 4;
	const char *dot = memrchr(name, '.', len);
	if (dot == NULL)
		return false;
	size_t ending = len - (size_t)(dot - name);
	return strncmp(dot, ".pcap", 5) == 0 || (ending == 4 && strncmp(dot, ".cap", 4) == 0);
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
	size_t count;
	*time = INT64_MAX;
	if (capture && source_read(s, &f, 1, &count) == SOURCE_FRAMES)
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
