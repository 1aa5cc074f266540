#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/text.h"
#include "log.h"
#include "output/spool.h"

enum {
	APPLICATION_ID = 0x77617962, /* "wayb": tells our files from other SQLite databases */
	FORMAT_VERSION = 1,
	DIGEST_TEXT_MAX = 65,
};

/* What a file turned out to be. */
enum condition {
	CONDITION_GOOD,
	CONDITION_DAMAGED,
	CONDITION_REFUSED, /* not ours to touch, or not accessible; error is written */
};

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_ADD,
	STATEMENT_NEXT,
	STATEMENT_WAITING,
	STATEMENT_DELIVERED,
	STATEMENT_FAILED,
	STATEMENT_GIVE_UP,
	STATEMENT_DISABLE,
	STATEMENT_IS_DISABLED,
	STATEMENT_COUNT,
};

#define LETTER_COLUMNS "number, target, id, body, queued, died, attempts, error"

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

static const char *const sql[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_ADD] = "INSERT INTO letter(target, id, body, queued) VALUES(?1, ?2, ?3, ?4)"
	                  " ON CONFLICT(target, id) DO UPDATE SET died = 0, attempts = 0, error = NULL,"
	                  " body = excluded.body, queued = excluded.queued WHERE died != 0",
	[STATEMENT_NEXT] = "SELECT " LETTER_COLUMNS " FROM letter WHERE target = ?1 AND died = 0 ORDER BY number LIMIT 1",
	[STATEMENT_WAITING] = "SELECT count(*) FROM letter WHERE target = ?1 AND died = 0",
	[STATEMENT_DELIVERED] = "DELETE FROM letter WHERE number = ?1",
	[STATEMENT_FAILED] = "UPDATE letter SET attempts = attempts + 1, error = ?2 WHERE number = ?1",
	[STATEMENT_GIVE_UP] = "UPDATE letter SET attempts = attempts + 1, error = ?2, died = ?3 WHERE number = ?1",
	[STATEMENT_DISABLE] = "INSERT OR REPLACE INTO disabled(target, url_digest, since) VALUES(?1, ?2, ?3)",
	[STATEMENT_IS_DISABLED] = "SELECT 1 FROM disabled WHERE target = ?1 AND url_digest = ?2",
};

struct spool {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int lock; /* descriptor of the lock file, -1: none */
};

static int make_folders(const char *path, char *error, size_t error_size);
static int lock_take(struct spool *s, const char *path, char *error, size_t error_size);
static enum condition database_open(struct spool *s, const char *path, char *error, size_t error_size);
static enum condition database_check(struct spool *s, const char *path, char *error, size_t error_size);
static enum condition database_prepare(struct spool *s, const char *path, char *error, size_t error_size);
static enum condition condition_of(struct spool *s, const char *path, char *error, size_t error_size);
static void database_close(struct spool *s);
static int pragma_number(sqlite3 *db, const char *pragma, int64_t *out);
static int move_aside(const char *path, char *error, size_t error_size);
static int run(struct spool *s, enum statement which);
static int letter_read(sqlite3_stmt *st, struct spool_letter *out);
static char *column_copy(sqlite3_stmt *st, int column);
static void url_digest(const char *url, char out[DIGEST_TEXT_MAX]);

struct spool *
spool_open(const char *path, char *error, size_t error_size)
{
	struct spool *s = calloc(1, sizeof *s);

	if (s == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	s->lock = -1;
	if (make_folders(path, error, error_size) != 0 || lock_take(s, path, error, error_size) != 0)
		goto fail;
	enum condition c = database_open(s, path, error, error_size);
	if (c == CONDITION_DAMAGED) {
		database_close(s);
		if (move_aside(path, error, error_size) != 0)
			goto fail;
		c = database_open(s, path, error, error_size);
		if (c == CONDITION_DAMAGED)
			snprintf(error, error_size, "spool %s: cannot be made: %s", path, spool_error(s));
	}
	if (c == CONDITION_GOOD)
		return s;
fail:
	spool_close(s);
	return NULL;
}

void
spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	database_close(s);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

int
spool_begin(struct spool *s)
{
	return run(s, STATEMENT_BEGIN);
}

int
spool_add(struct spool *s, const char *target, const char *id, const void *body, size_t len, int64_t now)
{
	sqlite3_stmt *st = s->statements[STATEMENT_ADD];

	sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, id, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 3, body, len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, now);
	if (run(s, STATEMENT_ADD) != 0)
		return -1;
	return sqlite3_changes(s->db) > 0;
}

int
spool_commit(struct spool *s)
{
	if (run(s, STATEMENT_COMMIT) == 0)
		return 0;
	spool_cancel(s);
	return -1;
}

/* SQLite itself has rolled back after some errors: then there is nothing to do. */
void
spool_cancel(struct spool *s)
{
	if (!sqlite3_get_autocommit(s->db))
		run(s, STATEMENT_ROLLBACK);
}

int
spool_next(struct spool *s, const char *target, struct spool_letter *out)
{
	sqlite3_stmt *st = s->statements[STATEMENT_NEXT];
	int result = -1;

	sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
	int step = sqlite3_step(st);
	if (step == SQLITE_DONE)
		result = 0;
	else if (step == SQLITE_ROW && letter_read(st, out) == 0)
		result = 1;
	sqlite3_reset(st);
	return result;
}

void
spool_letter_clear(struct spool_letter *l)
{
	free(l->target);
	free(l->id);
	free(l->body);
	free(l->error);
	*l = (struct spool_letter){0};
}

size_t
spool_waiting(struct spool *s, const char *target)
{
	sqlite3_stmt *st = s->statements[STATEMENT_WAITING];
	size_t waiting = SIZE_MAX;

	sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		waiting = (size_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return waiting;
}

int
spool_delivered(struct spool *s, int64_t number)
{
	sqlite3_bind_int64(s->statements[STATEMENT_DELIVERED], 1, number);
	return run(s, STATEMENT_DELIVERED);
}

int
spool_failed(struct spool *s, int64_t number, const char *error)
{
	sqlite3_bind_int64(s->statements[STATEMENT_FAILED], 1, number);
	sqlite3_bind_text(s->statements[STATEMENT_FAILED], 2, error, -1, SQLITE_STATIC);
	return run(s, STATEMENT_FAILED);
}

int
spool_give_up(struct spool *s, int64_t number, const char *error, int64_t now)
{
	sqlite3_bind_int64(s->statements[STATEMENT_GIVE_UP], 1, number);
	sqlite3_bind_text(s->statements[STATEMENT_GIVE_UP], 2, error, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->statements[STATEMENT_GIVE_UP], 3, now);
	return run(s, STATEMENT_GIVE_UP);
}

int
spool_disable(struct spool *s, const char *target, const char *url, int64_t now)
{
	char digest[DIGEST_TEXT_MAX];

	url_digest(url, digest);
	sqlite3_bind_text(s->statements[STATEMENT_DISABLE], 1, target, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->statements[STATEMENT_DISABLE], 2, digest, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->statements[STATEMENT_DISABLE], 3, now);
	return run(s, STATEMENT_DISABLE);
}

bool
spool_is_disabled(struct spool *s, const char *target, const char *url)
{
	sqlite3_stmt *st = s->statements[STATEMENT_IS_DISABLED];
	char digest[DIGEST_TEXT_MAX];

	url_digest(url, digest);
	sqlite3_bind_text(st, 1, target, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, digest, -1, SQLITE_STATIC);
	bool disabled = sqlite3_step(st) == SQLITE_ROW;
	sqlite3_reset(st);
	return disabled;
}

const char *
spool_error(const struct spool *s)
{
	return sqlite3_errmsg(s->db);
}

int
spool_list(const char *path, void (*show)(void *ctx, const struct spool_letter *l), void *ctx, char *error,
    size_t error_size)
{
	static const char query[] = "SELECT " LETTER_COLUMNS " FROM letter ORDER BY number";
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int result = -1;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	int opened = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	sqlite3_busy_timeout(db, 5000);
	if (opened != SQLITE_OK || sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK)
		goto out;
	int step;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct spool_letter l;
		if (letter_read(st, &l) != 0)
			goto out;
		show(ctx, &l);
		spool_letter_clear(&l);
	}
	result = step == SQLITE_DONE ? 0 : -1;
out:
	if (result != 0)
		snprintf(error, error_size, "spool %s: %s", path, sqlite3_errmsg(db));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return result;
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
lock_take(struct spool *s, const char *path, char *error, size_t error_size)
{
	char lock_path[PATH_MAX + 8];
	char holder[32] = "";

	snprintf(lock_path, sizeof lock_path, "%s.lock", path);
	s->lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0) {
		snprintf(error, error_size, "spool %s: %s: %s", path, lock_path, strerror(errno));
		return -1;
	}
	if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
		int why = errno;
		ssize_t len = pread(s->lock, holder, sizeof holder - 1, 0);
		if (why == EWOULDBLOCK)
			snprintf(error, error_size, "spool %s: in use by process %s", path, len > 0 ? holder : "(unknown)");
		else
			snprintf(error, error_size, "spool %s: %s: %s", path, lock_path, strerror(why));
		return -1;
	}
	/* Who holds it is a courtesy to the next one: no harm if the disk is full. */
	int len = snprintf(holder, sizeof holder, "%ld", (long)getpid());
	if (ftruncate(s->lock, 0) != 0 || pwrite(s->lock, holder, (size_t)len, 0) != len)
		log_debug("spool", "%s: %s", lock_path, strerror(errno));
	return 0;
}

static enum condition
database_open(struct spool *s, const char *path, char *error, size_t error_size)
{
	/* Made here first for its mode, which SQLite gives to its journals as well. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(error, error_size, "spool %s: %s", path, strerror(errno));
		return CONDITION_REFUSED;
	}
	close(fd);
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return condition_of(s, path, error, error_size);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, 5000);
	enum condition c = database_check(s, path, error, error_size);
	return c == CONDITION_GOOD ? database_prepare(s, path, error, error_size) : c;
}

/* Ours, of this version and whole; an empty one becomes so. */
static enum condition
database_check(struct spool *s, const char *path, char *error, size_t error_size)
{
	int64_t application = 0, version = 0, pages = 0;
	sqlite3_stmt *st = NULL;
	char setup[sizeof schema + 256];

	if (pragma_number(s->db, "PRAGMA application_id", &application) != 0 ||
	    pragma_number(s->db, "PRAGMA user_version", &version) != 0 ||
	    pragma_number(s->db, "PRAGMA page_count", &pages) != 0)
		return condition_of(s, path, error, error_size);
	if (pages > 0 && application != APPLICATION_ID) {
		snprintf(error, error_size, "spool %s: is a database of another program", path);
		return CONDITION_REFUSED;
	}
	if (pages > 0 && version != FORMAT_VERSION) {
		snprintf(error, error_size, "spool %s: is of version %" PRId64 ", this waybill knows %d", path, version,
		    FORMAT_VERSION);
		return CONDITION_REFUSED;
	}
	if (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL, NULL, NULL) != SQLITE_OK)
		return condition_of(s, path, error, error_size);
	if (pages == 0) {
		snprintf(setup, sizeof setup, "BEGIN; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", schema,
		    APPLICATION_ID, FORMAT_VERSION);
		if (sqlite3_exec(s->db, setup, NULL, NULL, NULL) != SQLITE_OK)
			return condition_of(s, path, error, error_size);
		return CONDITION_GOOD;
	}
	bool whole = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL) == SQLITE_OK &&
	             sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
	sqlite3_finalize(st);
	return whole ? CONDITION_GOOD : CONDITION_DAMAGED;
}

static enum condition
database_prepare(struct spool *s, const char *path, char *error, size_t error_size)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) != SQLITE_OK)
			return condition_of(s, path, error, error_size);
	}
	return CONDITION_GOOD;
}

/* What the last error of SQLite says of the file. */
static enum condition
condition_of(struct spool *s, const char *path, char *error, size_t error_size)
{
	int code = sqlite3_errcode(s->db) & 0xff;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return CONDITION_DAMAGED;
	snprintf(error, error_size, "spool %s: %s", path, spool_error(s));
	return CONDITION_REFUSED;
}

static void
database_close(struct spool *s)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
}

static int
pragma_number(sqlite3 *db, const char *pragma, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int result = -1;

	if (sqlite3_prepare_v2(db, pragma, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
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

/* A statement that gives no rows. */
static int
run(struct spool *s, enum statement which)
{
	sqlite3_stmt *st = s->statements[which];
	int step = sqlite3_step(st);
	sqlite3_reset(st);
	return step == SQLITE_DONE ? 0 : -1;
}

/* Columns as in LETTER_COLUMNS. 0, or -1 when memory is out. */
static int
letter_read(sqlite3_stmt *st, struct spool_letter *out)
{
	*out = (struct spool_letter){
		.number = sqlite3_column_int64(st, 0),
		.target = column_copy(st, 1),
		.id = column_copy(st, 2),
		.body = column_copy(st, 3),
		.len = (size_t)sqlite3_column_bytes(st, 3),
		.queued = sqlite3_column_int64(st, 4),
		.died = sqlite3_column_int64(st, 5),
		.attempts = (unsigned)sqlite3_column_int(st, 6),
		.error = column_copy(st, 7),
	};
	if (out->target != NULL && out->id != NULL && out->body != NULL)
		return 0;
	spool_letter_clear(out);
	return -1;
}

/* Zero-terminated; NULL for a null, or without memory. */
static char *
column_copy(sqlite3_stmt *st, int column)
{
	if (sqlite3_column_type(st, column) == SQLITE_NULL)
		return NULL;
	const void *bytes = sqlite3_column_blob(st, column);
	size_t len = (size_t)sqlite3_column_bytes(st, column);
	char *copy = malloc(len + 1);
	if (copy != NULL) {
		if (len > 0)
			memcpy(copy, bytes, len);
		copy[len] = '\0';
	}
	return copy;
}

/* The URL itself may hold a token: it is not kept. */
static void
url_digest(const char *url, char out[DIGEST_TEXT_MAX])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	unsigned len = 0;

	EVP_Digest(url, strlen(url), digest, &len, EVP_sha256(), NULL);
	text_hex(out, digest, 32);
}
