/*
 * The file under the spool: locked against other processes, checked, made where there is none, and
 * moved aside when it is damaged. It belongs to spool.c.
 */
#ifndef WAYBILL_OUTPUT_SPOOL_FILE_H
#define WAYBILL_OUTPUT_SPOOL_FILE_H

#include <stddef.h>

#define SPOOL_FILE_VERSION "1" /* of the tables, PRAGMA user_version */

struct sqlite3;

struct spool_file {
	struct sqlite3 *db;
	int lock; /* descriptor of the lock file, -1: none */
};

/* Its journal is a write-ahead log; commits are not synced (synchronous = NORMAL). 0, or -1 and error; spool_file_close is due either way. */
int spool_file_open(struct spool_file *f, const char *path, char *error, size_t error_size);
void spool_file_close(struct spool_file *f);

#endif
