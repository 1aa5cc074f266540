#include "config.h"

#include "output/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "log.h"
#include "output/lines_internal.h"

static const int64_t retry_after = CLOCK_SECOND;
static const int64_t sync_after = CLOCK_SECOND;

static ssize_t system_write(void *ctx, int fd, const void *bytes, size_t len);
static int system_sync(void *ctx, int fd);
static int64_t system_now(void *ctx);
static int64_t system_monotonic(void *ctx);
static size_t put(struct lines *l, const char *bytes, size_t len);
static bool keep(struct lines *l, const char *bytes, size_t len);
static bool drain(struct lines *l);
static void retry(struct lines *l);
static void fail(struct lines *l, int failure);
static void recover(struct lines *l);
static size_t half_line(const char *bytes, size_t len);
static size_t count_lines(const char *bytes, size_t len);

static const struct lines_io system_io = {system_write, system_sync, system_now, system_monotonic};

struct lines *
lines_open(const struct lines_conf *conf, char *error, size_t error_size)
{
	struct lines *l = calloc(1, sizeof *l);
	if (l == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	l->conf = *conf;
	l->io = conf->io != NULL ? *conf->io : system_io;
	if (l->conf.backlog == 0)
		l->conf.backlog = LINES_BACKLOG;
	l->fd = -1;
	if (lines_file_open(l, error, error_size) != 0) {
		lines_close(l);
		return NULL;
	}
	return l;
}

void
lines_close(struct lines *l)
{
	if (l == NULL)
		return;
	if (l->fd >= 0 && l->fd != STDOUT_FILENO)
		(void)close(l->fd);
	free(l->waiting);
	free(l);
}

void
lines_write(struct lines *l, const char *bytes, size_t len, size_t count, enum lines_worth worth)
{
	if (l->failure != 0 && l->io.monotonic(l->conf.io_ctx) >= l->retry_at)
		retry(l);
	if (l->waiting_len == 0 && l->failure == 0) {
		lines_rotate_if_due(l, len);
		const size_t written = put(l, bytes, len);
		if (written == len)
			return;
		/* What was under way is kept, however much it is: the caller's chunk, mixed lines of one turn. */
		const size_t half = half_line(bytes, written);
		if (keep(l, bytes + written - half, len - written + half)) {
			l->done = half;
			return;
		}
		lines_cut(l, half);
	} else {
		const size_t room = l->conf.backlog >> (LINES_MOST - worth);
		if (l->waiting_len + len <= room && keep(l, bytes, len))
			return;
	}
	l->lost += count;
	l->lost_most += worth == LINES_MOST ? count : 0;
}

void
lines_sync_soon(struct lines *l)
{
	l->sync_due = l->conf.durable && l->regular;
	if (l->sync_due && l->io.monotonic(l->conf.io_ctx) - l->synced >= sync_after)
		lines_sync(l);
}

void
lines_tick(struct lines *l)
{
	const int64_t now = l->io.monotonic(l->conf.io_ctx);
	if (l->failure != 0 && now >= l->retry_at)
		retry(l);
	if (l->failure == 0)
		lines_rotate_if_due(l, 0);
	if (l->sync_due && now - l->synced >= sync_after)
		lines_sync(l);
}

void
lines_sync(struct lines *l)
{
	l->sync_due = false;
	if (l->fd < 0 || !l->regular || !l->conf.durable)
		return;
	if (l->io.sync(l->conf.io_ctx, l->fd) != 0 && !l->sync_failed) {
		log_error("output", "%s: what was written may not have reached the disk: %s", l->conf.path, strerror(errno));
		l->sync_failed = true; /* told once */
	}
	l->synced = l->io.monotonic(l->conf.io_ctx);
}

void
lines_state(const struct lines *l, struct lines_state *out)
{
	*out = (struct lines_state){.failure = l->failure, .since = l->since, .failing = l->failing,
	        .waiting = l->waiting_len, .lost = l->lost, .lost_most = l->lost_most, .rotated = l->rotated};
	if (l->failure != 0)
		out->failing += l->io.monotonic(l->conf.io_ctx) - l->failed_at;
}

bool
lines_failing(const struct lines *l)
{
	return l->failure != 0;
}

int
lines_finish(struct lines *l, char *error, size_t error_size)
{
	int failure;
	if (l->waiting_len > 0)
		retry(l);
	failure = l->failure;
	if (l->waiting_len > 0) {
		l->lost += count_lines(l->waiting, l->waiting_len);
		lines_cut(l, l->done);
		l->waiting_len = l->done = 0;
	}
	if (failure == 0 && l->sync_failed)
		failure = EIO;
	lines_sync(l);
	/* A full disk may be told as late as here. */
	if (l->fd >= 0 && l->fd != STDOUT_FILENO && close(l->fd) != 0 && failure == 0)
		failure = errno;
	l->fd = -1;
	if (failure == 0 && l->lost == 0)
		return 0;
	snprintf(error, error_size, "cannot write events to %s: %s (up to %" PRIu64 " events are lost)", l->conf.path,
	        strerror(failure != 0 ? failure : l->last_failure), l->lost);
	return -1;
}

/* Writes what it can; less than len: it failed. Waits where the reader of a pipe is slower than we are. */
static size_t
put(struct lines *l, const char *bytes, size_t len)
{
	size_t written = 0;
	while (written < len) {
		const ssize_t n = l->io.write(l->conf.io_ctx, l->fd, bytes + written, len - written);
		if (n > 0) {
			written += (size_t)n;
			l->size += (uint64_t)n;
		} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			struct pollfd wait = {.fd = l->fd, .events = POLLOUT};
			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				break;
		} else if (n == 0 || errno != EINTR) {
			if (n == 0)
				errno = ENOSPC;
			break;
		}
	}
	if (written < len)
		fail(l, errno);
	return written;
}

/* Behind what waits already. False: no memory. */
static bool
keep(struct lines *l, const char *bytes, size_t len)
{
	const size_t needed = l->waiting_len + len;
	if (needed > l->waiting_size) {
		const size_t size = needed + needed / 2;
		char *grown = realloc(l->waiting, size);
		if (grown == NULL)
			return false;
		l->waiting = grown;
		l->waiting_size = size;
	}
	memcpy(l->waiting + l->waiting_len, bytes, len);
	l->waiting_len += len;
	return true;
}

/* What waits, as far as it can be written. True: all of it. */
static bool
drain(struct lines *l)
{
	if (l->done > 0 && !lines_stands(l))
		l->done = 0; /* somebody emptied the file, and with it the line's beginning */
	const size_t end = l->done + put(l, l->waiting + l->done, l->waiting_len - l->done);
	const bool all = end == l->waiting_len;
	l->done = half_line(l->waiting, end);
	l->waiting_len -= end - l->done;
	memmove(l->waiting, l->waiting + end - l->done, l->waiting_len);
	if (all && l->waiting_size > 0) {
		free(l->waiting);
		l->waiting = NULL;
		l->waiting_size = 0;
	}
	return all;
}

static void
retry(struct lines *l)
{
	if (drain(l))
		recover(l);
}

static void
fail(struct lines *l, int failure)
{
	const int64_t now = l->io.monotonic(l->conf.io_ctx);
	l->retry_at = now + retry_after;
	if (l->failure == 0) {
		l->failed_at = now;
		l->lost_before = l->lost;
		if (l->since == 0)
			l->since = l->io.now(l->conf.io_ctx);
		log_error("output", "cannot write to %s: %s; events wait in memory, up to %zu kB, alerts longest, and it is tried "
		    "again each second", l->conf.path, strerror(failure), l->conf.backlog / 1000);
	}
	l->failure = l->last_failure = failure;
}

static void
recover(struct lines *l)
{
	if (l->failure == 0)
		return;
	const int64_t took = l->io.monotonic(l->conf.io_ctx) - l->failed_at;
	l->failing += took;
	l->failure = 0;
	log_warn("output", "%s is written again after %" PRId64 " s; events lost meanwhile: %" PRIu64, l->conf.path,
	    took / CLOCK_SECOND, l->lost - l->lost_before);
}

/* So many bytes at the end belong to no whole line. */
static size_t
half_line(const char *bytes, size_t len)
{
	size_t half = 0;
	while (half < len && bytes[len - 1 - half] != '\n')
		half++;
	return half;
}

static size_t
count_lines(const char *bytes, size_t len)
{
	size_t count = 0;
	for (const char *at = bytes, *end = bytes + len; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		count++;
	return count;
}

static ssize_t
system_write(void *ctx, int fd, const void *bytes, size_t len)
{
	(void)ctx;
	return write(fd, bytes, len);
}

static int
system_sync(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd);
}

static int64_t
system_now(void *ctx)
{
	(void)ctx;
	return clock_now();
}

static int64_t
system_monotonic(void *ctx)
{
	(void)ctx;
	return clock_monotonic();
}
