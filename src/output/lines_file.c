/* The files of lines: opened, healed, rotated, reopened, and the old ones removed. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "log.h"
#include "output/lines_internal.h"

enum {
	HALF_LINE_MAX = 1 << 20, /* more than that without a line feed is no file of ours */
	STAMP_LEN = 16,          /* 20261126T130000Z */
	SAME_SECOND_MAX = 1000,
};
static const int64_t rotate_retry = 60 * CLOCK_SECOND;

/* The path taken apart: names of earlier files are folder/stem-STAMP[-N]extension. */
struct parts {
	char folder[PATH_MAX];
	const char *stem, *extension; /* in the path; extension: "" or from its full stop on */
	size_t stem_len;
};

struct earlier {
	char *name;
	const char *stamp; /* in it */
};

static int open_file(const char *path, int flags);
static int adopt(struct lines *l, int fd, char *error, size_t error_size);
static int64_t find_end(int fd, int64_t size);
static int64_t period_of(const struct lines *l, int64_t time);
static bool rotate(struct lines *l);
static bool is_elsewhere(const struct lines *l);
static int take_apart(const char *path, struct parts *out);
static int earlier_name(const struct lines *l, const struct parts *parts, char *out, size_t size);
static bool is_earlier(const struct parts *parts, const char *name);
static void remove_oldest(const struct lines *l, const struct parts *parts);
static int later_last(const void *a, const void *b);
static void sync_folder(const struct parts *parts);

int
lines_file_open(struct lines *l, char *error, size_t error_size)
{
	if (strcmp(l->conf.path, "-") == 0) {
		l->fd = STDOUT_FILENO;
		return 0;
	}
	const int fd = open_file(l->conf.path, l->conf.append ? 0 : O_TRUNC);
	if (fd < 0) {
		snprintf(error, error_size, "cannot write events to %s: %s", l->conf.path, strerror(errno));
		return -1;
	}
	return adopt(l, fd, error, error_size);
}

/* Written at its end whatever others do to it; read for its last line. A device or a pipe may only be written. */
static int
open_file(const char *path, int flags)
{
	const int always = O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
	struct stat st;
	const bool other = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	return open(path, (other ? O_WRONLY : O_RDWR) | always | flags, 0640);
}

/* It is the file from here on; -1: it is not, and stays the caller's no longer. */
static int
adopt(struct lines *l, int fd, char *error, size_t error_size)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		goto refuse;
	const bool regular = S_ISREG(st.st_mode);
	const int64_t end = regular ? find_end(fd, st.st_size) : 0;
	if (end < 0) {
		snprintf(error, error_size, "%s does not end as a file of events does: it is left alone", l->conf.path);
		close(fd);
		return -1;
	}
	if (regular && end < st.st_size) {
		if (ftruncate(fd, end) != 0)
			goto refuse;
		log_warn("output", "%s: half a line was at its end, %" PRId64 " bytes, and was cut off", l->conf.path,
		    (int64_t)st.st_size - end);
	}
	l->fd = fd;
	l->regular = regular;
	l->size = (uint64_t)end;
	const int64_t now = l->io.now(l->conf.io_ctx);
	l->period = period_of(l, end > 0 ? st.st_mtim.tv_sec * CLOCK_SECOND : now);
	return 0;
refuse:
	snprintf(error, error_size, "cannot write events to %s: %s", l->conf.path, strerror(errno));
	close(fd);
	return -1;
}

/* Where the last whole line ends; -1: this far back there is none, or the file can't be read. */
static int64_t
find_end(int fd, int64_t size)
{
	char bytes[4096];
	int64_t end = size;
	while (end > 0 && size - end < HALF_LINE_MAX) {
		const size_t len = end < (int64_t)sizeof bytes ? (size_t)end : sizeof bytes;
		if (pread(fd, bytes, len, end - (int64_t)len) != (ssize_t)len)
			return -1;
		const char *feed = memrchr(bytes, '\n', len);
		if (feed != NULL)
			return end - (int64_t)len + (feed - bytes) + 1;
		end -= (int64_t)len;
	}
	return end == 0 && size < HALF_LINE_MAX ? 0 : -1;
}

static int64_t
period_of(const struct lines *l, int64_t time)
{
	return l->conf.rotate_time > 0 ? time / l->conf.rotate_time : 0;
}

/* By time it is due when the period is another one, an earlier one too: a clock that was set back must not stop it. */
void
lines_rotate_if_due(struct lines *l, size_t len)
{
	if (!l->regular)
		return;
	const int64_t period = l->conf.rotate_time > 0 ? period_of(l, l->io.now(l->conf.io_ctx)) : l->period;
	if (l->size == 0) {
		l->period = period;
		return;
	}
	const bool full = l->conf.rotate_size > 0 && len > 0 && l->size + len > l->conf.rotate_size;
	if ((full || period != l->period) && l->io.monotonic(l->conf.io_ctx) >= l->rotate_again && !rotate(l))
		l->rotate_again = l->io.monotonic(l->conf.io_ctx) + rotate_retry;
}

/* Nothing waits. False: the file goes on, which is told. */
static bool
rotate(struct lines *l)
{
	struct parts parts;
	char name[PATH_MAX + 64], error[PATH_MAX + 128];
	if (is_elsewhere(l))
		return lines_reopen(l) == 0;
	if (take_apart(l->conf.path, &parts) != 0 || earlier_name(l, &parts, name, sizeof name) != 0 ||
	        rename(l->conf.path, name) != 0) {
		log_warn("output", "%s cannot be rotated: %s", l->conf.path, strerror(errno));
		return false;
	}
	const int fd = open_file(l->conf.path, O_EXCL);
	if (fd < 0) {
		log_warn("output", "%s cannot be rotated: no new file: %s", l->conf.path, strerror(errno));
		if (rename(name, l->conf.path) != 0)
			log_error("output", "events go to %s: it cannot be named %s again: %s", name, l->conf.path, strerror(errno));
		return false;
	}
	lines_sync(l);
	const int old = l->fd;
	if (adopt(l, fd, error, sizeof error) != 0) {
		log_error("output", "%s", error);
		return false;
	}
	if (close(old) != 0)
		log_error("output", "%s: %s", name, strerror(errno));
	l->rotated++;
	if (l->conf.durable)
		sync_folder(&parts);
	log_info("output", "%s is now %s", l->conf.path, name);
	remove_oldest(l, &parts);
	return true;
}

/* Does the path lead to another file by now, or to none? */
static bool
is_elsewhere(const struct lines *l)
{
	struct stat ours, there;
	return fstat(l->fd, &ours) != 0 || stat(l->conf.path, &there) != 0 || ours.st_dev != there.st_dev ||
	       ours.st_ino != there.st_ino;
}

int
lines_reopen(struct lines *l)
{
	char error[PATH_MAX + 128];
	if (!l->regular || !is_elsewhere(l))
		return 0;
	const int fd = open_file(l->conf.path, 0);
	if (fd < 0) {
		log_error("output", "%s cannot be opened again, events go on in the old file: %s", l->conf.path, strerror(errno));
		return -1;
	}
	lines_cut(l, l->done); /* the line that was begun there begins anew here */
	l->done = 0;
	lines_sync(l);
	const int old = l->fd;
	if (adopt(l, fd, error, sizeof error) != 0) {
		log_error("output", "%s; events go on in the old file", error);
		return -1;
	}
	if (close(old) != 0)
		log_error("output", "%s: the old file: %s", l->conf.path, strerror(errno));
	l->retry_at = 0;
	lines_tick(l);
	return 0;
}

void
lines_cut(struct lines *l, size_t bytes)
{
	if (bytes == 0 || !l->regular || !lines_stands(l))
		return;
	if (ftruncate(l->fd, (off_t)(l->size - bytes)) != 0)
		log_error("output", "%s: half a line stays at its end: %s", l->conf.path, strerror(errno));
	else
		l->size -= bytes;
}

bool
lines_stands(struct lines *l)
{
	struct stat st;
	if (!l->regular || fstat(l->fd, &st) != 0 || (uint64_t)st.st_size == l->size)
		return true;
	l->size = (uint64_t)st.st_size;
	return false;
}

/* 0, or -1 and errno. */
static int
take_apart(const char *path, struct parts *out)
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash != NULL ? (size_t)(slash - path) : 0;
	if (len + 1 >= sizeof out->folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	out->stem = slash != NULL ? slash + 1 : path;
	snprintf(out->folder, sizeof out->folder, "%.*s", slash == NULL ? 1 : len == 0 ? 1 : (int)len,
	        slash == NULL ? "." : path);
	const char *dot = strrchr(out->stem, '.');
	out->extension = dot != NULL && dot != out->stem ? dot : out->stem + strlen(out->stem);
	out->stem_len = (size_t)(out->extension - out->stem);
	return 0;
}

/* A name that is free. 0, or -1 and errno. */
static int
earlier_name(const struct lines *l, const struct parts *parts, char *out, size_t size)
{
	char stamp[32], again[16] = "";
	struct stat st;
	struct tm tm;
	const time_t now = (time_t)(l->io.now(l->conf.io_ctx) / CLOCK_SECOND);
	if (gmtime_r(&now, &tm) == NULL || strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm) != STAMP_LEN) {
		errno = ERANGE;
		return -1;
	}
	for (int n = 2; n <= SAME_SECOND_MAX; n++) {
		const int len = snprintf(out, size, "%s/%.*s-%s%s%s", parts->folder, (int)parts->stem_len, parts->stem, stamp,
		        again, parts->extension);
		if (len < 0 || (size_t)len >= size) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (lstat(out, &st) != 0)
			return errno == ENOENT ? 0 : -1;
		snprintf(again, sizeof again, "-%d", n);
	}
	errno = EEXIST;
	return -1;
}

/* A name that earlier_name makes: nothing else is ever removed. */
static bool
is_earlier(const struct parts *parts, const char *name)
{
	static const char form[] = "-00000000T000000Z";
	if (strncmp(name, parts->stem, parts->stem_len) != 0)
		return false;
	name += parts->stem_len;
	for (size_t i = 0; form[i] != '\0'; i++, name++)
		if (form[i] == '0' ? *name < '0' || *name > '9' : *name != form[i])
			return false;
	if (*name == '-') {
		const size_t digits = strspn(name + 1, "0123456789");
		if (digits == 0 || digits > 4)
			return false;
		name += 1 + digits;
	}
	return strcmp(name, parts->extension) == 0;
}

static void
remove_oldest(const struct lines *l, const struct parts *parts)
{
	struct earlier *all = NULL;
	size_t count = 0;
	DIR *folder = l->conf.keep != SIZE_MAX ? opendir(parts->folder) : NULL;
	for (const struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
		if (!is_earlier(parts, e->d_name))
			continue;
		struct earlier *grown = realloc(all, (count + 1) * sizeof *grown);
		char *name = strdup(e->d_name);
		all = grown != NULL ? grown : all;
		if (grown == NULL || name == NULL) {
			free(name);
			break;
		}
		all[count++] = (struct earlier){.name = name, .stamp = name + parts->stem_len + 1};
	}
	if (count > 0)
		qsort(all, count, sizeof *all, later_last);
	for (size_t i = 0; i < count; i++) {
		if (count - i > l->conf.keep && unlinkat(dirfd(folder), all[i].name, 0) != 0)
			log_warn("output", "%s/%s is not to be kept, but cannot be removed: %s", parts->folder, all[i].name,
			    strerror(errno));
		free(all[i].name);
	}
	free(all);
	if (folder != NULL)
		closedir(folder);
}

/* By the stamp; of one second, by the number behind it: the longer one is larger, and none is the least. */
static int
later_last(const void *a, const void *b)
{
	const struct earlier *x = a, *y = b;
	const int order = strncmp(x->stamp, y->stamp, STAMP_LEN);
	const size_t len = strlen(x->stamp), other = strlen(y->stamp);
	if (order != 0)
		return order;
	return len != other ? (len < other ? -1 : 1) : strcmp(x->stamp, y->stamp);
}

static void
sync_folder(const struct parts *parts)
{
	const int fd = open(parts->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}
