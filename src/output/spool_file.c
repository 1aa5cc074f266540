#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "log.h"
#include "output/spool_file.h"

enum {
	APPLICATION_ID = 0x77617962, /* "wayb": tells our files from other SQLite databases */
};

/* What a file turned out to be. */
enum condition {
	CONDITION_GOOD,
	CONDITION_DAMAGED,
	CONDITION_REFUSED, /* not ours to touch, or not accessible; error is written */
};

static const char schema[] =
    "CREATE TABLE letter("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " target TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " body BLOB NOT NULL,"
    " queued INTEGER NOT NULL,"
    " died INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " error TEXT,"
    " UNIQUE(target, id));"
    "CREATE INDEX letter_waiting ON letter(target, number) WHERE died = 0;"
    "CREATE TABLE disabled(target TEXT PRIMARY KEY, url_digest TEXT NOT NULL, since INTEGER NOT NULL);";

static int make_folders(const char *path, char *error, size_t error_size);
static int lock_take(struct spool_file *f, const char *path, char *error, size_t error_size);
static enum condition database_open(struct spool_file *f, const char *path, char *error, size_t error_size);
static enum condition database_check(struct spool_file *f, const char *path, char *error, size_t error_size);
static enum condition condition_of(struct spool_file *f, const char *path, char *error, size_t error_size);
static int query_number(sqlite3 *db, const char *query, int64_t *out);
static int move_aside(const char *path, char *error, size_t error_size);

int
spool_file_open(struct spool_file *f, const char *path, char *error, size_t error_size)
{
	*f = (struct spool_file){.lock = -1};
	if (make_folders(path, error, error_size) != 0 || lock_take(f, path, error, error_size) != 0)
		return -1;
	enum condition c = database_open(f, path, error, error_size);
	if (c == CONDITION_DAMAGED) {
		sqlite3_close(f->db);
		f->db = NULL;
		if (move_aside(path, error, error_size) != 0)
			return -1;
		c = database_open(f, path, error, error_size);
		if (c == CONDITION_DAMAGED)
			snprintf(error, error_size, "spool %s: cannot be made: %s", path, sqlite3_errmsg(f->db));
	}
	return c == CONDITION_GOOD ? 0 : -1;
}

void
spool_file_close(struct spool_file *f)
{
	sqlite3_close(f->db);
	if (f->lock >= 0)
		close(f->lock);
	*f = (struct spool_file){.lock = -1};
}

/* Every folder above path; what alerts say is nobody else's business. */
static int
make_folders(const char *path, char *error, size_t error_size)
{
	char folder[PATH_MAX];

	if (strlen(path) >= sizeof folder) {
		snprintf(error, error_size, "spool: its path is too long");
		return -1;
	}
	strcpy(folder, path);
	for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
			snprintf(error, error_size, "spool %s: cannot make the folder %s: %s", path, folder, strerror(errno));
			return -1;
		}
		*slash = '/';
	}
	return 0;
}

/*
 * A file of its own, because readers of the database (spool_list) must not be shut out. The kernel
 * lets go of the lock when the process ends, however it ends.
 */
static int
lock_take(struct spool_file *f, const char *path, char *error, size_t error_size)
{
	char lock_path[PATH_MAX + 8];
	char holder[32] = "";

	snprintf(lock_path, sizeof lock_path, "%s.lock", path);
	f->lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f->lock < 0) {
		snprintf(error, error_size, "spool %s: %s: %s", path, lock_path, strerror(errno));
		return -1;
	}
	if (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
		int why = errno;
		ssize_t len = pread(f->lock, holder, sizeof holder - 1, 0);
		if (why == EWOULDBLOCK)
			snprintf(error, error_size, "spool %s: in use by process %s", path, len > 0 ? holder : "(unknown)");
		else
			snprintf(error, error_size, "spool %s: %s: %s", path, lock_path, strerror(why));
		return -1;
	}
	/* Who holds it is a courtesy to the next one: no harm if the disk is full. */
	int len = snprintf(holder, sizeof holder, "%ld", (long)getpid());
	if (ftruncate(f->lock, 0) != 0 || pwrite(f->lock, holder, (size_t)len, 0) != len)
		log_debug("spool", "%s: %s", lock_path, strerror(errno));
	return 0;
}

static enum condition
database_open(struct spool_file *f, const char *path, char *error, size_t error_size)
{
	/* Made here first for its mode, which SQLite gives to its journals as well. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(error, error_size, "spool %s: %s", path, strerror(errno));
		return CONDITION_REFUSED;
	}
	close(fd);
	if (sqlite3_open_v2(path, &f->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return condition_of(f, path, error, error_size);
	sqlite3_extended_result_codes(f->db, 1);
	sqlite3_busy_timeout(f->db, 5000);
	return database_check(f, path, error, error_size);
}

/* Ours, of this version and whole; an empty one becomes so. */
static enum condition
database_check(struct spool_file *f, const char *path, char *error, size_t error_size)
{
	int64_t application = 0, version = 0, tables = 0;
	sqlite3_stmt *st = NULL;
	char setup[sizeof schema + 256];

	if (query_number(f->db, "PRAGMA application_id", &application) != 0 ||
	    query_number(f->db, "PRAGMA user_version", &version) != 0 ||
	    query_number(f->db, "SELECT count(*) FROM sqlite_master", &tables) != 0)
		return condition_of(f, path, error, error_size);
	/* Who was killed between turning the journal on and the first commit leaves a header, and nothing else. */
	const bool empty = application == 0 && version == 0 && tables == 0;
	if (!empty && application != APPLICATION_ID) {
		snprintf(error, error_size, "spool %s: is a database of another program", path);
		return CONDITION_REFUSED;
	}
	if (!empty && version != atoi(SPOOL_FILE_VERSION)) {
		snprintf(error, error_size, "spool %s: is of version %" PRId64 ", this waybill knows %s", path, version,
		    SPOOL_FILE_VERSION);
		return CONDITION_REFUSED;
	}
	if (sqlite3_exec(f->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", NULL, NULL, NULL) != SQLITE_OK)
		return condition_of(f, path, error, error_size);
	if (empty) {
		snprintf(setup, sizeof setup, "BEGIN; %s PRAGMA application_id = %d; PRAGMA user_version = %s; COMMIT", schema,
		    APPLICATION_ID, SPOOL_FILE_VERSION);
		if (sqlite3_exec(f->db, setup, NULL, NULL, NULL) != SQLITE_OK)
			return condition_of(f, path, error, error_size);
		return CONDITION_GOOD;
	}
	bool whole = sqlite3_prepare_v2(f->db, "PRAGMA quick_check(1)", -1, &st, NULL) == SQLITE_OK &&
	             sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
	sqlite3_finalize(st);
	return whole ? CONDITION_GOOD : CONDITION_DAMAGED;
}

/* What the last error of SQLite says of the file. */
static enum condition
condition_of(struct spool_file *f, const char *path, char *error, size_t error_size)
{
	int code = sqlite3_errcode(f->db) & 0xff;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return CONDITION_DAMAGED;
	snprintf(error, error_size, "spool %s: %s", path, sqlite3_errmsg(f->db));
	return CONDITION_REFUSED;
}

static int
query_number(sqlite3 *db, const char *query, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int result = -1;

	if (sqlite3_prepare_v2(db, query, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		*out = sqlite3_column_int64(st, 0);
		result = 0;
	}
	sqlite3_finalize(st);
	return result;
}

/* The journal goes with it: together they may still be recovered with SQLite's own tool. */
static int
move_aside(const char *path, char *error, size_t error_size)
{
	char aside[PATH_MAX + 64], from[PATH_MAX + 64], to[PATH_MAX + 128];

	snprintf(aside, sizeof aside, "%s.damaged-%" PRId64, path, clock_now() / CLOCK_SECOND);
	if (rename(path, aside) != 0) {
		snprintf(error, error_size, "spool %s: is damaged and cannot be moved aside: %s", path, strerror(errno));
		return -1;
	}
	snprintf(from, sizeof from, "%s-wal", path);
	snprintf(to, sizeof to, "%s-wal", aside);
	if (rename(from, to) != 0 && errno != ENOENT) {
		snprintf(error, error_size, "spool %s: cannot be moved aside: %s", from, strerror(errno));
		return -1;
	}
	snprintf(from, sizeof from, "%s-shm", path);
	unlink(from);
	log_error("spool", "%s is damaged: moved to %s. What still waited in it will not be sent (sqlite3's .recover "
	    "may read it). A new spool is begun", path, aside);
	return 0;
}

