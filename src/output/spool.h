/*
 * The spool: letters on their way to targets, in one SQLite file. A letter goes when it was delivered; one that
 * nobody took for too long stays as a dead letter until somebody looks. One process has a spool at a time.
 * Times are wall-clock nanoseconds since 1970.
 *
 * What outlives what:
 *   spool_commit returned 0   the end of this process, kill -9 too: the kernel has the bytes. A power cut or a crash of
 *                             the kernel may take letters back to the last spool_sync, newest first, in whole commits.
 *   spool_sync returned 0     a power cut as well: everything committed so far is on the disk.
 *   spool_next gave it out    the same: what is sent is on the disk before it is sent.
 *   what became of a letter   as for a commit. A power cut may bring a delivered letter back, to be delivered again with
 *                             the same id.
 * So commits are cheap and many of them share one sync, which waits for the disk.
 */
#ifndef WAYBILL_OUTPUT_SPOOL_H
#define WAYBILL_OUTPUT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

struct spool_letter {
	int64_t number;       /* its place in the order of all letters */
	char *target;
	char *id;             /* the same however often it is sent */
	char *body;
	size_t len;
	int64_t queued;
	int64_t died;         /* when it was given up; 0: it still waits */
	unsigned attempts;    /* that failed */
	char *error;          /* of the last one, or NULL */
};

/*
 * Makes the file, and the folders to it, where there is none. A damaged one is moved aside, which is
 * logged, and a new one begun. NULL and error: in use by another process, not ours, or no access.
 */
struct spool *spool_open(const char *path, char *error, size_t error_size);
void spool_close(struct spool *s); /* takes NULL */

/*
 * Several letters at once: begin, add each, commit. Nothing of it counts before the commit. An id that
 * already waits for target is not added again; a dead letter is revived.
 * begin, commit: 0, or -1, and all since begin is undone. add: 1, 0 (it waits already), or -1.
 */
int spool_begin(struct spool *s);
int spool_add(struct spool *s, const char *target, const char *id, const void *body, size_t len, int64_t now);
int spool_commit(struct spool *s);
void spool_cancel(struct spool *s);

/* Waits until all that was committed is on the disk; nothing to do is done at once. Not between begin and commit. 0, or -1. */
int spool_sync(struct spool *s);

/* The oldest letter that waits for target, synced if need be: 1, and to be cleared by the caller; 0: none; -1. */
int spool_next(struct spool *s, const char *target, struct spool_letter *out);
void spool_letter_clear(struct spool_letter *l);

/* How many wait for target; SIZE_MAX when the spool cannot be read. */
size_t spool_waiting(struct spool *s, const char *target);

/* Shows every target for which letters wait. fn must not call the spool. 0, or -1. */
int spool_each_target(struct spool *s, void (*fn)(void *ctx, const char *target, size_t waiting), void *ctx);

/* What became of an attempt. 0, or -1: nothing was noted. */
int spool_delivered(struct spool *s, int64_t number);
int spool_failed(struct spool *s, int64_t number, const char *error);
int spool_give_up(struct spool *s, int64_t number, const char *error, int64_t now);

/* A target that wants nothing more, at this URL (of which a digest is kept). Another URL is another chance. */
int spool_disable(struct spool *s, const char *target, const char *url, int64_t now);
bool spool_is_disabled(struct spool *s, const char *target, const char *url);

/* What SQLite said of the last call that failed. */
const char *spool_error(const struct spool *s);

/*
 * Shows every letter in the spool at path, oldest first, dead ones too, while another process may be using it.
 * 0 (a spool that is not there yet is empty), or -1 and error.
 */
int spool_list(const char *path, void (*show)(void *ctx, const struct spool_letter *l), void *ctx, char *error,
    size_t error_size);

#endif
