/* The spool: order, once only, dead letters, disabled targets, locks, and what is done with a damaged file. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "log.h"
#include "output/spool.h"

static char folder[64], path[128], error[512];

/* How often SQLite waited for the disk. With disk_fails it is told that this did not work. */
static unsigned syncs;
static bool disk_fails;

int fsync(int fd);
int fdatasync(int fd);
static int count_sync(long call, int fd);
static int make_folder(void **state);
static int remove_folder(void **state);
static struct spool *reopen(struct spool *s);
static void add(struct spool *s, const char *target, const char *id, int expected);
static void expect_next(struct spool *s, const char *target, const char *id, int64_t *number);
static void overwrite(long offset, const char *bytes, size_t len);
static size_t damaged_files(void);
static void execute(const char *file, const char *sql);
static void append_target(void *ctx, const char *target, size_t waiting);
static void append_letter(void *ctx, const struct spool_letter *l);

static void
test_in_order_for_each_target(void **state)
{
	struct spool *s = reopen(NULL);
	char list[64] = "";
	int64_t first, second;
	(void)state;

	add(s, "a", "1-open", 1);
	add(s, "b", "1-open", 1);
	add(s, "a", "2-open", 1);
	add(s, "a", "1-open", 0); /* it waits already */
	assert_int_equal(spool_waiting(s, "a"), 2);
	expect_next(s, "a", "1-open", &first);
	expect_next(s, "a", "1-open", &first); /* until it was delivered */
	assert_int_equal(spool_delivered(s, first), 0);
	s = reopen(s);
	expect_next(s, "a", "2-open", &second);
	assert_true(second > first);
	expect_next(s, "b", "1-open", NULL);
	assert_int_equal(spool_waiting(s, "b"), 1);
	expect_next(s, "c", NULL, NULL);
	assert_int_equal(spool_each_target(s, append_target, list), 0);
	assert_string_equal(list, "a=1;b=1;");
	add(s, "a", "1-open", 1); /* delivered once, told again: sent again, in its turn */
	expect_next(s, "a", "2-open", NULL);
	spool_close(s);
	spool_close(NULL);
}

static void
test_all_or_nothing(void **state)
{
	struct spool *s = reopen(NULL);
	(void)state;

	assert_int_equal(spool_begin(s), 0);
	assert_int_equal(spool_add(s, "a", "1", "x", 1, 1), 1);
	assert_int_equal(spool_add(s, "b", "1", "x", 1, 1), 1);
	spool_cancel(s);
	spool_cancel(s);
	assert_int_equal(spool_waiting(s, "a"), 0);
	assert_int_equal(spool_begin(s), 0);
	assert_int_equal(spool_begin(s), -1);
	assert_int_equal(spool_add(s, "a", "2", "x", 1, 1), 1);
	spool_close(s); /* without a commit */
	s = reopen(NULL);
	expect_next(s, "a", NULL, NULL);
	spool_close(s);
}

/* A commit waits for no disk; what is given out to be sent is on it. */
static void
test_syncs_are_shared(void **state)
{
	struct spool *s = reopen(NULL);
	int64_t number;
	(void)state;

	syncs = 0;
	for (int n = 0; n < 2000; n++) {
		char id[16];
		snprintf(id, sizeof id, "%d", n);
		add(s, "a", id, 1);
	}
	assert_int_equal(syncs, 0);
	assert_int_equal(spool_sync(s), 0);
	assert_true(syncs > 0);
	syncs = 0;
	assert_int_equal(spool_sync(s), 0); /* nothing to do */
	expect_next(s, "a", "0", &number);
	assert_int_equal(spool_delivered(s, number), 0);
	add(s, "b", "0", 1); /* the log began anew, with the last sync and not now */
	expect_next(s, "a", "1", NULL); /* which was synced with the others */
	assert_int_equal(syncs, 0);
	expect_next(s, "b", "0", NULL);
	assert_int_equal(syncs, 1);
	assert_int_equal(spool_begin(s), 0);
	assert_int_equal(spool_add(s, "a", "x", "x", 1, 1), 1);
	assert_int_equal(spool_commit(s), 0);
	assert_int_equal(spool_begin(s), 0);
	assert_int_equal(spool_sync(s), -1); /* not amid a transaction */
	spool_cancel(s);
	spool_close(s);
}

static void
test_nothing_is_sent_that_is_not_on_disk(void **state)
{
	struct spool *s = reopen(NULL);
	struct spool_letter l;
	(void)state;

	add(s, "a", "1", 1);
	disk_fails = true;
	assert_int_equal(spool_sync(s), -1);
	assert_int_equal(spool_next(s, "a", &l), -1);
	disk_fails = false;
	expect_next(s, "a", "1", NULL);
	spool_close(s);
	disk_fails = true;
	s = reopen(NULL); /* it opens all the same */
	assert_int_equal(spool_next(s, "a", &l), -1);
	disk_fails = false;
	syncs = 0;
	expect_next(s, "a", "1", NULL);
	assert_true(syncs > 0);
	spool_close(s);
}

static void
test_bytes_survive(void **state)
{
	static const char body[] = "{\"a\":\"\0\xff\"}";
	struct spool *s = reopen(NULL);
	struct spool_letter l;
	(void)state;

	assert_int_equal(spool_begin(s), 0);
	assert_int_equal(spool_add(s, "t\"'%", "id", body, sizeof body, INT64_MAX), 1);
	assert_int_equal(spool_commit(s), 0);
	s = reopen(s);
	assert_int_equal(spool_next(s, "t\"'%", &l), 1);
	assert_int_equal(l.len, sizeof body);
	assert_memory_equal(l.body, body, sizeof body);
	assert_int_equal(l.queued, INT64_MAX);
	assert_int_equal(l.died, 0);
	assert_null(l.error);
	spool_letter_clear(&l);
	spool_close(s);
}

static void
test_failures_and_dead_letters(void **state)
{
	struct spool *s = reopen(NULL);
	char list[512] = "";
	int64_t number;
	(void)state;

	add(s, "a", "1", 1);
	add(s, "a", "2", 1);
	expect_next(s, "a", "1", &number);
	assert_int_equal(spool_failed(s, number, "answered 500"), 0);
	assert_int_equal(spool_failed(s, number, "answered 502"), 0);
	expect_next(s, "a", "1", NULL);
	assert_int_equal(spool_give_up(s, number, "answered 400", 77), 0);
	expect_next(s, "a", "2", NULL);
	assert_int_equal(spool_waiting(s, "a"), 1);
	assert_int_equal(spool_list(path, append_letter, list, error, sizeof error), 0); /* while it is in use */
	assert_string_equal(list, "a/1 3 77 answered 400;a/2 0 0 -;");
	add(s, "a", "1", 1); /* told again: it gets another chance */
	expect_next(s, "a", "1", NULL);
	spool_close(s);
}

static void
test_disabled_until_the_url_changes(void **state)
{
	struct spool *s = reopen(NULL);
	(void)state;

	assert_false(spool_is_disabled(s, "a", "https://a/"));
	assert_int_equal(spool_disable(s, "a", "https://a/", 1), 0);
	s = reopen(s);
	assert_true(spool_is_disabled(s, "a", "https://a/"));
	assert_false(spool_is_disabled(s, "b", "https://a/"));
	assert_false(spool_is_disabled(s, "a", "https://a/2"));
	assert_int_equal(spool_disable(s, "a", "https://a/2", 2), 0);
	assert_true(spool_is_disabled(s, "a", "https://a/2"));
	spool_close(s);
}

static void
test_one_process_only(void **state)
{
	struct spool *s = reopen(NULL);
	char expected[512];
	struct stat st;
	(void)state;

	assert_null(spool_open(path, error, sizeof error));
	snprintf(expected, sizeof expected, "spool %s: in use by process %ld", path, (long)getpid());
	assert_string_equal(error, expected);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	spool_close(s);
	spool_close(reopen(NULL));
}

static void
test_lock_of_the_dead_is_free(void **state)
{
	int status;
	(void)state;

	pid_t child = fork();
	if (child == 0) {
		struct spool *s = spool_open(path, error, sizeof error);
		_exit(s == NULL || spool_begin(s) != 0 || spool_add(s, "a", "1", "x", 1, 1) != 1 || spool_commit(s) != 0 ||
		      spool_begin(s) != 0 || spool_add(s, "a", "2", "x", 1, 1) != 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	struct spool *s = reopen(NULL);
	assert_int_equal(spool_waiting(s, "a"), 1); /* what was committed, and no more */
	spool_close(s);
}

static void
test_damaged_is_moved_aside(void **state)
{
	static const char noise[512] = "\x55\xaa not a database";
	(void)state;

	/* header, the root page of the letters, an empty header */
	static const long offsets[] = {0, 8192, 100};
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		struct spool *s = reopen(NULL);
		for (int n = 0; n < 200; n++) {
			char id[16];
			snprintf(id, sizeof id, "%d", n);
			add(s, "a", id, 1);
		}
		spool_close(s);
		size_t before = damaged_files();
		overwrite(offsets[i], noise, sizeof noise);
		s = reopen(NULL);
		assert_int_equal(damaged_files(), before + 1);
		assert_int_equal(spool_waiting(s, "a"), 0);
		add(s, "a", "1", 1);
		spool_close(s);
		char command[256];
		snprintf(command, sizeof command, "rm -f '%s'*", path);
		assert_int_equal(system(command), 0);
	}
}

/* What a process leaves that was killed while it made the spool. */
static void
test_half_made(void **state)
{
	(void)state;
	execute(path, "PRAGMA journal_mode = WAL");
	struct spool *s = reopen(NULL);
	add(s, "a", "1", 1);
	assert_int_equal(spool_waiting(s, "a"), 1);
	spool_close(s);
}

static void
test_strangers_are_refused(void **state)
{
	char expected[512], other[160];
	(void)state;

	execute(path, "CREATE TABLE mine(a); INSERT INTO mine VALUES(1)");
	assert_null(spool_open(path, error, sizeof error));
	snprintf(expected, sizeof expected, "spool %s: is a database of another program", path);
	assert_string_equal(error, expected);
	unlink(path);

	spool_close(reopen(NULL));
	execute(path, "PRAGMA user_version = 2");
	assert_null(spool_open(path, error, sizeof error));
	snprintf(expected, sizeof expected, "spool %s: is of version 2, this waybill knows 1", path);
	assert_string_equal(error, expected);

	assert_null(spool_open("/proc/none/spool.db", error, sizeof error));
	assert_non_null(strstr(error, "spool /proc/none/spool.db: cannot make the folder /proc/none: "));
	snprintf(other, sizeof other, "%s/deep", folder);
	assert_null(spool_open(other, error, sizeof error));
	snprintf(expected, sizeof expected, "spool %s: Is a directory", other);
	assert_string_equal(error, expected);

	snprintf(other, sizeof other, "%s/none.db", folder);
	assert_int_equal(spool_list(other, append_letter, NULL, error, sizeof error), 0);
	overwrite(0, "garbage garbage garbage", 23);
	assert_int_equal(spool_list(path, append_letter, NULL, error, sizeof error), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order_for_each_target, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_all_or_nothing, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_syncs_are_shared, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_nothing_is_sent_that_is_not_on_disk, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_bytes_survive, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_failures_and_dead_letters, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_disabled_until_the_url_changes, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_one_process_only, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_lock_of_the_dead_is_free, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_damaged_is_moved_aside, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_half_made, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_strangers_are_refused, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* In the place of the C library's own, for all that the program links. */
int
fsync(int fd)
{
	return count_sync(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return count_sync(SYS_fdatasync, fd);
}

static int
count_sync(long call, int fd)
{
	syncs++;
	if (disk_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(call, fd);
}

static int
make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/waybill-spool-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/deep/er/spool.db", folder);
	snprintf(error, sizeof error, "%s/deep", folder);
	if (mkdir(error, 0700) != 0)
		return -1;
	snprintf(error, sizeof error, "%s/deep/er", folder);
	return mkdir(error, 0700);
}

static int
remove_folder(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

/* Closes s, if any, and opens the spool again. */
static struct spool *
reopen(struct spool *s)
{
	spool_close(s);
	error[0] = '\0';
	s = spool_open(path, error, sizeof error);
	assert_string_equal(error, "");
	assert_non_null(s);
	return s;
}

static void
add(struct spool *s, const char *target, const char *id, int expected)
{
	assert_int_equal(spool_begin(s), 0);
	assert_int_equal(spool_add(s, target, id, "{}", 2, 5), expected);
	assert_int_equal(spool_commit(s), 0);
}

/* id NULL: none waits. */
static void
expect_next(struct spool *s, const char *target, const char *id, int64_t *number)
{
	struct spool_letter l;

	assert_int_equal(spool_next(s, target, &l), id != NULL ? 1 : 0);
	if (id == NULL)
		return;
	assert_string_equal(l.target, target);
	assert_string_equal(l.id, id);
	if (number != NULL)
		*number = l.number;
	spool_letter_clear(&l);
}

static void
overwrite(long offset, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static size_t
damaged_files(void)
{
	char pattern[160];
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s.damaged-*", path);
	glob(pattern, 0, NULL, &found);
	size_t count = found.gl_pathc;
	globfree(&found);
	return count;
}

static void
execute(const char *file, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
append_target(void *ctx, const char *target, size_t waiting)
{
	char *list = ctx;
	size_t len = strlen(list);
	snprintf(list + len, 64 - len, "%s=%zu;", target, waiting);
}

static void
append_letter(void *ctx, const struct spool_letter *l)
{
	char *list = ctx;
	size_t len = strlen(list);
	snprintf(list + len, 512 - len, "%s/%s %u %lld %s;", l->target, l->id, l->attempts, (long long)l->died,
	    l->error != NULL ? l->error : "-");
}
