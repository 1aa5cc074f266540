#include "config.h"

#include "watch.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Complete files only: written and closed, or put there whole; and those that are gone. One that was just made is empty still. */
static const uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM;

struct wanted {
	int folder;   /* inotify's number of it */
	char *name;   /* of the file; or what names end with */
	bool suffix;
};

struct watch {
	int fd;
	struct loop_watch *readable;
	struct wanted *wanted;
	size_t count;
	void (*fn)(void *ctx);
	void *ctx;
};

static void on_readable(void *ctx, int fd, int what);
static bool is_wanted(const struct watch *w, const struct inotify_event *e);
static int add(struct watch *w, const char *folder, const char *name, bool suffix);
static int add_path(struct watch *w, const char *path);

struct watch *
watch_create(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
	struct watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	*w = (struct watch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .fn = fn, .ctx = ctx};
	if (w->fd >= 0)
		w->readable = loop_fd(loop, w->fd, LOOP_READ, on_readable, w);
	if (w->readable == NULL) {
		watch_destroy(w);
		return NULL;
	}
	return w;
}

void
watch_destroy(struct watch *w)
{
	if (w == NULL)
		return;
	watch_clear(w);
	loop_watch_destroy(w->readable);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

void
watch_clear(struct watch *w)
{
	for (size_t i = 0; i < w->count; i++) {
		inotify_rm_watch(w->fd, w->wanted[i].folder); /* one that is gone already does no harm */
		free(w->wanted[i].name);
	}
	free(w->wanted);
	w->wanted = NULL;
	w->count = 0;
}

int
watch_file(struct watch *w, const char *path)
{
	char target[PATH_MAX];
	if (add_path(w, path) < 0)
		return -1;
	if (realpath(path, target) == NULL || strcmp(target, path) == 0)
		return 0;
	return add_path(w, target);
}

int
watch_folder(struct watch *w, const char *folder, const char *suffix)
{
	return add(w, folder, suffix, true);
}

static int
add_path(struct watch *w, const char *path)
{
	char folder[PATH_MAX];
	if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
		return -1;
	char *slash = strrchr(folder, '/');
	const char *name = slash != NULL ? path + (slash - folder) + 1 : path;
	if (slash == NULL)
		strcpy(folder, ".");
	else
		slash[slash == folder ? 1 : 0] = '\0';
	return add(w, folder, name, false);
}

static int
add(struct watch *w, const char *folder, const char *name, bool suffix)
{
	const int number = inotify_add_watch(w->fd, folder, events);
	if (number < 0)
		return -1;
	struct wanted *grown = reallocarray(w->wanted, w->count + 1, sizeof *grown);
	if (grown == NULL)
		return -1;
	w->wanted = grown;
	grown[w->count] = (struct wanted){.folder = number, .name = strdup(name), .suffix = suffix};
	if (grown[w->count].name == NULL)
		return -1;
	w->count++;
	return 0;
}

static void
on_readable(void *ctx, int fd, int what)
{
	struct watch *w = ctx;
	_Alignas(struct inotify_event) char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	bool changed = false;
	ssize_t len;
	(void)what;
	while ((len = read(fd, buffer, sizeof buffer)) > 0) {
		const struct inotify_event *e;
		for (const char *at = buffer; at < buffer + len; at += sizeof *e + e->len) {
			e = (const void *)at;
			changed |= (e->mask & IN_Q_OVERFLOW) != 0 || is_wanted(w, e);
		}
	}
	if (changed)
		w->fn(w->ctx);
}

static bool
is_wanted(const struct watch *w, const struct inotify_event *e)
{
	if (e->len == 0)
		return false;
	const size_t len = strlen(e->name);
	for (size_t i = 0; i < w->count; i++) {
		const struct wanted *x = &w->wanted[i];
		const size_t own = strlen(x->name);
		if (x->folder != e->wd || (x->suffix ? own > len : own != len))
			continue;
		if (strcmp(e->name + len - own, x->name) == 0)
			return true;
	}
	return false;
}
