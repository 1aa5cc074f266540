/* Files of lines: rotation, reopening, and disks that are full, by a writer that fails where the test says. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "log.h"
#include "output/lines.h"

enum { TEXT_MAX = 8192 };

/* A disk with so much space, and the clocks. */
struct disk {
	char folder[64], path[96];
	size_t space;    /* bytes that it still takes; SIZE_MAX: any number */
	int error;       /* of write where there is none */
	unsigned syncs;
	int sync_error;
	int64_t now, monotonic;
};

static ssize_t
disk_write(void *ctx, int fd, const void *bytes, size_t len)
{
	struct disk *d = ctx;
	const size_t n = len < d->space ? len : d->space;
	if (n == 0) {
		errno = d->error;
		return -1;
	}
	if (d->space != SIZE_MAX)
		d->space -= n;
	return write(fd, bytes, n);
}

static int
disk_sync(void *ctx, int fd)
{
	struct disk *d = ctx;
	(void)fd;
	d->syncs++;
	errno = d->sync_error;
	return d->sync_error == 0 ? 0 : -1;
}

static int64_t
disk_now(void *ctx)
{
	return ((struct disk *)ctx)->now;
}

static int64_t
disk_monotonic(void *ctx)
{
	return ((struct disk *)ctx)->monotonic;
}

static const struct lines_io disk_io = {disk_write, disk_sync, disk_now, disk_monotonic};

static int
setup(void **state)
{
	struct disk *d = calloc(1, sizeof *d);
	strcpy(d->folder, "/tmp/test_lines.XXXXXX");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->path, sizeof d->path, "%s/events.json", d->folder);
	d->space = SIZE_MAX;
	d->error = ENOSPC;
	assert_int_equal(clock_parse("2026-11-26T13:00:00Z", &d->now), 0);
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct disk *d = *state;
	char pattern[128];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s/*", d->folder);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
		globfree(&found);
	}
	rmdir(d->folder);
	free(d);
	return 0;
}

static struct lines *
open_disk(struct disk *d, struct lines_conf conf)
{
	char error[512] = "";
	conf.path = d->path;
	conf.append = true;
	conf.io = &disk_io;
	conf.io_ctx = d;
	struct lines *l = lines_open(&conf, error, sizeof error);
	if (l == NULL)
		fail_msg("%s", error);
	return l;
}

static void
put(struct lines *l, const char *text, enum lines_worth worth)
{
	size_t count = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	lines_write(l, text, strlen(text), count, worth);
}

static void
pass(struct disk *d, struct lines *l, int64_t ns)
{
	d->now += ns;
	d->monotonic += ns;
	lines_tick(l);
}

static const char *
content(const char *path)
{
	static char text[TEXT_MAX];
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return "(no file)";
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

static const char *
content_of(const struct disk *d, const char *name)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", d->folder, name);
	return content(path);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static size_t
count_files(const struct disk *d)
{
	char pattern[128];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s/*", d->folder);
	const size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
	globfree(&found);
	return count;
}

static void
test_full_disk_completes_the_line(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){0});
	struct lines_state s;
	char error[256];
	d->space = 8; /* one line, and a part of the next */
	put(l, "first\nsecond\nthird\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "first\nse");
	assert_true(lines_failing(l));
	put(l, "fourth\n", LINES_MOST);
	pass(d, l, CLOCK_SECOND); /* tried again: no space */
	assert_string_equal(content(d->path), "first\nse");
	d->space = 3;
	pass(d, l, CLOCK_SECOND);
	assert_string_equal(content(d->path), "first\nsecon");
	d->space = SIZE_MAX;
	pass(d, l, CLOCK_SECOND / 2); /* not yet */
	assert_true(lines_failing(l));
	pass(d, l, CLOCK_SECOND / 2);
	assert_false(lines_failing(l));
	put(l, "fifth\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "first\nsecond\nthird\nfourth\nfifth\n");
	lines_state(l, &s);
	assert_int_equal(s.lost, 0);
	assert_int_equal(s.waiting, 0);
	assert_int_equal(s.failing, 3 * CLOCK_SECOND);
	assert_int_equal(lines_finish(l, error, sizeof error), 0);
	lines_close(l);
}

static void
test_writing_tries_again_itself(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){0});
	d->space = 0;
	put(l, "a\n", LINES_LITTLE);
	d->space = SIZE_MAX;
	put(l, "b\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "");
	d->monotonic += CLOCK_SECOND;
	put(l, "c\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "a\nb\nc\n");
	lines_close(l);
}

static void
test_the_least_goes_first(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){.backlog = 40});
	struct lines_state s;
	d->space = 0;
	put(l, "12345678\n", LINES_LITTLE); /* under way when it failed: kept */
	put(l, "flow\n", LINES_LITTLE);     /* 14 are more than a quarter */
	put(l, "transfer\n", LINES_MORE);   /* 18 are not more than half */
	put(l, "transfer\n", LINES_MORE);
	put(l, "alert one\n", LINES_MOST);
	put(l, "alert two\n", LINES_MOST);
	put(l, "alert three\n", LINES_MOST); /* 50 are more than all */
	lines_state(l, &s);
	assert_int_equal(s.lost, 3);
	assert_int_equal(s.lost_most, 1);
	assert_int_equal(s.waiting, 38);
	d->space = SIZE_MAX;
	pass(d, l, CLOCK_SECOND);
	assert_string_equal(content(d->path), "12345678\ntransfer\nalert one\nalert two\n");
	lines_close(l);
}

static void
test_half_a_line_is_cut_at_the_end(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){0});
	char error[256];
	d->space = 8;
	put(l, "first\nsecond\nthird\n", LINES_LITTLE);
	assert_int_equal(lines_finish(l, error, sizeof error), -1);
	assert_non_null(strstr(error, "No space left"));
	assert_non_null(strstr(error, "up to 2 events"));
	assert_string_equal(content(d->path), "first\n");
	lines_close(l);
}

static void
test_half_a_line_is_cut_at_the_start(void **state)
{
	struct disk *d = *state;
	write_file(d->path, "whole\nhal");
	struct lines *l = open_disk(d, (struct lines_conf){0});
	put(l, "next\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "whole\nnext\n");
	lines_close(l);
	write_file(d->path, "hal");
	l = open_disk(d, (struct lines_conf){0});
	assert_string_equal(content(d->path), "");
	lines_close(l);
}

static void
test_a_foreign_file_is_left_alone(void **state)
{
	struct disk *d = *state;
	char error[256];
	const size_t size = 3 << 20;
	char *text = calloc(1, size + 1);
	memset(text, 'x', size);
	write_file(d->path, text);
	assert_null(lines_open(&(struct lines_conf){.path = d->path, .append = true}, error, sizeof error));
	assert_non_null(strstr(error, "left alone"));
	struct stat st;
	assert_int_equal(stat(d->path, &st), 0);
	assert_int_equal(st.st_size, size);
	free(text);
}

static void
test_emptied_by_somebody_while_full(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){0});
	d->space = 8;
	put(l, "first\nsecond\n", LINES_LITTLE);
	assert_int_equal(truncate(d->path, 0), 0);
	d->space = SIZE_MAX;
	pass(d, l, CLOCK_SECOND);
	assert_string_equal(content(d->path), "second\n");
	lines_close(l);
}

static void
test_rotated_by_size(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){.rotate_size = 10, .keep = 2, .durable = true});
	put(l, "12345\n", LINES_LITTLE);
	put(l, "678\n", LINES_LITTLE); /* ten: it just fits */
	put(l, "a\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "a\n");
	assert_string_equal(content_of(d, "events-20261126T130000Z.json"), "12345\n678\n");
	assert_int_equal(d->syncs, 1);
	put(l, "longer than ten\n", LINES_LITTLE); /* the same second */
	put(l, "b\n", LINES_LITTLE);
	assert_string_equal(content_of(d, "events-20261126T130000Z-2.json"), "a\n");
	assert_string_equal(content_of(d, "events-20261126T130000Z-3.json"), "longer than ten\n");
	assert_string_equal(content_of(d, "events-20261126T130000Z.json"), "(no file)");
	assert_int_equal(count_files(d), 3);
	lines_close(l);
}

static void
test_only_its_own_are_removed(void **state)
{
	static const char *const others[] = {"events-20251126T130000Z.json.gz", "events-.json", "events-old.json",
	        "xevents-20251126T130000Z.json", "events-20251126T130000Z.txt", "events-20251126T1300000.json"};
	struct disk *d = *state;
	char path[160];
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", d->folder, others[i]);
		write_file(path, "x\n");
	}
	snprintf(path, sizeof path, "%s/events-20251126T130000Z.json", d->folder);
	write_file(path, "old\n");
	struct lines *l = open_disk(d, (struct lines_conf){.rotate_size = 10, .keep = 1});
	put(l, "12345678\n", LINES_LITTLE);
	put(l, "12345678\n", LINES_LITTLE);
	assert_string_equal(content(path), "(no file)");
	assert_int_equal(count_files(d), sizeof others / sizeof others[0] + 2);
	lines_close(l);
}

static void
test_rotated_by_time(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){.rotate_time = 86400 * CLOCK_SECOND, .keep = SIZE_MAX});
	pass(d, l, 12 * 3600 * CLOCK_SECOND); /* midnight has passed, and nothing was written */
	assert_int_equal(count_files(d), 1);
	put(l, "one\n", LINES_LITTLE);
	pass(d, l, 10 * 3600 * CLOCK_SECOND);
	assert_int_equal(count_files(d), 1);
	pass(d, l, 14 * 3600 * CLOCK_SECOND + CLOCK_SECOND);
	assert_string_equal(content_of(d, "events-20261128T010001Z.json"), "one\n");
	put(l, "two\n", LINES_LITTLE);
	d->now -= 300 * 86400 * CLOCK_SECOND; /* the clock was set back: not a year without a rotation */
	lines_tick(l);
	lines_tick(l);
	assert_int_equal(count_files(d), 3);
	assert_string_equal(content(d->path), "");
	lines_close(l);
}

/* What an earlier run left belongs to the day of its last line. */
static void
test_an_older_day_at_the_start(void **state)
{
	struct disk *d = *state;
	const struct timespec old[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
	write_file(d->path, "old\n");
	assert_int_equal(utimensat(AT_FDCWD, d->path, old, 0), 0);
	struct lines *l = open_disk(d, (struct lines_conf){.rotate_time = 86400 * CLOCK_SECOND, .keep = 5});
	put(l, "new\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "new\n");
	assert_string_equal(content_of(d, "events-20261126T130000Z.json"), "old\n");
	lines_close(l);
}

static void
test_reopened(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){0});
	char moved[160];
	snprintf(moved, sizeof moved, "%s.1", d->path);
	put(l, "one\n", LINES_LITTLE);
	assert_int_equal(lines_reopen(l), 0); /* nothing was moved */
	assert_int_equal(rename(d->path, moved), 0);
	put(l, "two\n", LINES_LITTLE);
	assert_int_equal(lines_reopen(l), 0);
	put(l, "three\n", LINES_LITTLE);
	assert_string_equal(content(moved), "one\ntwo\n");
	assert_string_equal(content(d->path), "three\n");
	lines_close(l);
}

static void
test_reopened_while_full(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){0});
	char moved[160];
	snprintf(moved, sizeof moved, "%s.1", d->path);
	d->space = 6;
	put(l, "one\ntwo\n", LINES_LITTLE);
	assert_int_equal(rename(d->path, moved), 0);
	d->space = SIZE_MAX;
	assert_int_equal(lines_reopen(l), 0); /* another file, perhaps on another disk: tried at once */
	assert_string_equal(content(moved), "one\n");
	assert_string_equal(content(d->path), "two\n");
	assert_false(lines_failing(l));
	lines_close(l);
}

/* Whoever moved the file without a word: it is not another's file that gets the name. */
static void
test_moved_before_a_rotation(void **state)
{
	struct disk *d = *state;
	struct lines *l = open_disk(d, (struct lines_conf){.rotate_size = 5, .keep = 5});
	char moved[160];
	snprintf(moved, sizeof moved, "%s.1", d->path);
	put(l, "1234\n", LINES_LITTLE);
	assert_int_equal(rename(d->path, moved), 0);
	put(l, "5678\n", LINES_LITTLE);
	assert_string_equal(content(moved), "1234\n");
	assert_string_equal(content(d->path), "5678\n");
	assert_int_equal(count_files(d), 2);
	lines_close(l);
}

static void
test_synced_once_a_second(void **state)
{
	struct disk *d = *state;
	d->monotonic = 100 * CLOCK_SECOND;
	struct lines *l = open_disk(d, (struct lines_conf){.durable = true});
	for (int i = 0; i < 100; i++) {
		put(l, "alert\n", LINES_MOST);
		lines_sync_soon(l);
	}
	assert_int_equal(d->syncs, 1);
	pass(d, l, CLOCK_SECOND);
	assert_int_equal(d->syncs, 2);
	pass(d, l, CLOCK_SECOND);
	assert_int_equal(d->syncs, 2);
	lines_close(l);
}

static void
test_a_sync_that_fails_is_told(void **state)
{
	struct disk *d = *state;
	char error[256];
	d->monotonic = 100 * CLOCK_SECOND;
	struct lines *l = open_disk(d, (struct lines_conf){.durable = true});
	put(l, "alert\n", LINES_MOST);
	d->sync_error = EIO;
	lines_sync_soon(l);
	d->sync_error = 0;
	assert_int_equal(lines_finish(l, error, sizeof error), -1);
	lines_close(l);
}

/* No new file can be made: the old one goes on under its name. */
static void
test_rotation_that_fails(void **state)
{
	struct disk *d = *state;
	if (geteuid() == 0)
		skip(); /* root may write anywhere */
	struct lines *l = open_disk(d, (struct lines_conf){.rotate_size = 5, .keep = 5});
	put(l, "1234\n", LINES_LITTLE);
	chmod(d->folder, 0500);
	put(l, "5678\n", LINES_LITTLE);
	chmod(d->folder, 0700);
	assert_string_equal(content(d->path), "1234\n5678\n");
	put(l, "9\n", LINES_LITTLE); /* not tried again so soon */
	assert_string_equal(content(d->path), "1234\n5678\n9\n");
	pass(d, l, 60 * CLOCK_SECOND);
	put(l, "10\n", LINES_LITTLE);
	assert_string_equal(content(d->path), "10\n");
	lines_close(l);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_DISK(test_full_disk_completes_the_line),
		ON_DISK(test_writing_tries_again_itself),
		ON_DISK(test_the_least_goes_first),
		ON_DISK(test_half_a_line_is_cut_at_the_end),
		ON_DISK(test_half_a_line_is_cut_at_the_start),
		ON_DISK(test_a_foreign_file_is_left_alone),
		ON_DISK(test_emptied_by_somebody_while_full),
		ON_DISK(test_rotated_by_size),
		ON_DISK(test_only_its_own_are_removed),
		ON_DISK(test_rotated_by_time),
		ON_DISK(test_an_older_day_at_the_start),
		ON_DISK(test_reopened),
		ON_DISK(test_reopened_while_full),
		ON_DISK(test_moved_before_a_rotation),
		ON_DISK(test_synced_once_a_second),
		ON_DISK(test_a_sync_that_fails_is_told),
		ON_DISK(test_rotation_that_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
