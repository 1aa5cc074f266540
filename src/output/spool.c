#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <sqlite3.h>

#include "base/text.h"
#include "output/spool.h"
#include "output/spool_file.h"

enum {
	DIGEST_TEXT_MAX = 65,
	LOG_PAGES_MAX = 1000, /* in the write-ahead log before a sync moves them to the database (4 MB) */
};

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_ADD,
	STATEMENT_LAST,
	STATEMENT_NEXT,
	STATEMENT_WAITING,
	STATEMENT_TARGETS,
	STATEMENT_DELIVERED,
	STATEMENT_FAILED,
	STATEMENT_GIVE_UP,
	STATEMENT_DISABLE,
	STATEMENT_IS_DISABLED,
	STATEMENT_COUNT,
};

#define LETTER_COLUMNS "number, target, id, body, queued, died, attempts, error"

static const char *const sql[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_ADD] = "INSERT INTO letter(target, id, body, queued) VALUES(?1, ?2, ?3, ?4)"
	                  " ON CONFLICT(target, id) DO UPDATE SET died = 0, attempts = 0, error = NULL,"
	                  " body = excluded.body, queued = excluded.queued WHERE died != 0",
	[STATEMENT_LAST] = "SELECT seq FROM sqlite_sequence WHERE name = 'letter'",
	[STATEMENT_NEXT] = "SELECT " LETTER_COLUMNS " FROM letter WHERE target = ?1 AND died = 0 ORDER BY number LIMIT 1",
	[STATEMENT_WAITING] = "SELECT count(*) FROM letter WHERE target = ?1 AND died = 0",
	[STATEMENT_TARGETS] = "SELECT target, count(*) FROM letter WHERE died = 0 GROUP BY target",
	[STATEMENT_DELIVERED] = "DELETE FROM letter WHERE number = ?1",
	[STATEMENT_FAILED] = "UPDATE letter SET attempts = attempts + 1, error = ?2 WHERE number = ?1",
	[STATEMENT_GIVE_UP] = "UPDATE letter SET attempts = attempts + 1, error = ?2, died = ?3 WHERE number = ?1",
	[STATEMENT_DISABLE] = "INSERT OR REPLACE INTO disabled(target, url_digest, since) VALUES(?1, ?2, ?3)",
	[STATEMENT_IS_DISABLED] = "SELECT 1 FROM disabled WHERE target = ?1 AND url_digest = ?2",
};

struct spool {
	struct spool_file file;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool unsynced;    /* something was committed since the last sync */
	int64_t synced;   /* letters up to this number are on the disk */
	int log_pages;    /* in the write-ahead log */
};

static int on_commit(void *ctx, sqlite3 *db, const char *name, int log_pages);
static int run(struct spool *s, enum statement which);
static int run_outcome(struct spool *s, enum statement which);
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
	if (spool_file_open(&s->file, path, error, error_size) != 0)
		goto fail;
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(s->file.db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) != SQLITE_OK) {
			snprintf(error, error_size, "spool %s: %s", path, spool_error(s));
			goto fail;
		}
	}
	/* It takes the place of SQLite's own checkpoints, which would come amid a commit. */
	sqlite3_wal_hook(s->file.db, on_commit, s);
	/* A process that was killed may have left what no disk has seen yet. If the disk is full it stays so for now. */
	s->unsynced = true;
	(void)spool_sync(s);
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
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	spool_file_close(&s->file);
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
	return sqlite3_changes(s->file.db) > 0;
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
	if (!sqlite3_get_autocommit(s->file.db))
		run(s, STATEMENT_ROLLBACK);
}

/*
 * Commits are made with synchronous = NORMAL, which in WAL mode syncs nothing but at a checkpoint ("transactions are
 * durable across application crashes regardless of the synchronous setting"; sqlite.org/pragma.html). With FULL,
 * SQLite syncs the log file after the commit. The log is one file that is only appended to, and what is recovered from
 * it is the longest run of whole commits from its beginning (sqlite.org/fileformat2.html, section 4): when the last
 * commit is on the disk, so are all before it. Hence one commit with FULL that changes nothing. A checkpoint would
 * not do, because one that meets a reader may leave out its syncs.
 *
 * A log that is long is first moved into the database: the commit that then begins it anew, with one more sync, is ours.
 */
int
spool_sync(struct spool *s)
{
	static const char commit_full[] = "PRAGMA synchronous = FULL; PRAGMA user_version = " SPOOL_FILE_VERSION;

	if (!s->unsynced)
		return 0;
	if (s->log_pages >= LOG_PAGES_MAX)
		(void)sqlite3_wal_checkpoint_v2(s->file.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	int full = sqlite3_exec(s->file.db, commit_full, NULL, NULL, NULL);
	int normal = sqlite3_exec(s->file.db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	if (full != SQLITE_OK || normal != SQLITE_OK)
		return -1;
	s->unsynced = false;
	if (sqlite3_step(s->statements[STATEMENT_LAST]) == SQLITE_ROW)
		s->synced = sqlite3_column_int64(s->statements[STATEMENT_LAST], 0);
	sqlite3_reset(s->statements[STATEMENT_LAST]);
	return 0;
}

static int
on_commit(void *ctx, sqlite3 *db, const char *name, int log_pages)
{
	struct spool *s = ctx;
	(void)db;
	(void)name;

	s->unsynced = true;
	s->log_pages = log_pages;
	return SQLITE_OK;
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
	if (result == 1 && out->number > s->synced && spool_sync(s) != 0) {
		spool_letter_clear(out);
		result = -1;
	}
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
spool_each_target(struct spool *s, void (*fn)(void *ctx, const char *target, size_t waiting), void *ctx)
{
	sqlite3_stmt *st = s->statements[STATEMENT_TARGETS];
	int step;

	while ((step = sqlite3_step(st)) == SQLITE_ROW)
		fn(ctx, (const char *)sqlite3_column_text(st, 0), (size_t)sqlite3_column_int64(st, 1));
	sqlite3_reset(st);
	return step == SQLITE_DONE ? 0 : -1;
}

int
spool_delivered(struct spool *s, int64_t number)
{
	sqlite3_bind_int64(s->statements[STATEMENT_DELIVERED], 1, number);
	return run_outcome(s, STATEMENT_DELIVERED);
}

int
spool_failed(struct spool *s, int64_t number, const char *error)
{
	sqlite3_bind_int64(s->statements[STATEMENT_FAILED], 1, number);
	sqlite3_bind_text(s->statements[STATEMENT_FAILED], 2, error, -1, SQLITE_STATIC);
	return run_outcome(s, STATEMENT_FAILED);
}

int
spool_give_up(struct spool *s, int64_t number, const char *error, int64_t now)
{
	sqlite3_bind_int64(s->statements[STATEMENT_GIVE_UP], 1, number);
	sqlite3_bind_text(s->statements[STATEMENT_GIVE_UP], 2, error, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->statements[STATEMENT_GIVE_UP], 3, now);
	return run_outcome(s, STATEMENT_GIVE_UP);
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
	return sqlite3_errmsg(s->file.db);
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
	if (opened != SQLITE_OK || sqlite3_table_column_metadata(db, NULL, "letter", NULL, NULL, NULL, NULL, NULL, NULL) !=
	                                   SQLITE_OK) {
		/* Its maker was ended before it made the tables: nothing was ever in it. */
		result = opened == SQLITE_OK && sqlite3_errcode(db) == SQLITE_ERROR ? 0 : -1;
		goto out;
	}
	if (sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK)
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

/* A statement that gives no rows. */
static int
run(struct spool *s, enum statement which)
{
	sqlite3_stmt *st = s->statements[which];
	int step = sqlite3_step(st);
	sqlite3_reset(st);
	return step == SQLITE_DONE ? 0 : -1;
}

/* What became of a letter needs no sync, but where there are no new letters for long, the log must end somewhere too. */
static int
run_outcome(struct spool *s, enum statement which)
{
	int result = run(s, which);
	if (s->log_pages >= LOG_PAGES_MAX)
		(void)spool_sync(s);
	return result;
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
