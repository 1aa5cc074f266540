/*
 * A file of lines that grows for months: rotated here by size and by time, or by others who then ask for it to be
 * reopened. It outlives a full disk: what can't be written waits in memory, up to a limit, and is tried again each
 * second; the line that was half written is completed first. No file is left with half a line at its end.
 *
 * An earlier file is named after the time of its end, UTC: events-20261126T130000Z.json beside events.json, and
 * events-20261126T130000Z-2.json where there is one of that second. The oldest of those go when there are more than are
 * to be kept.
 */
#ifndef WAYBILL_OUTPUT_LINES_H
#define WAYBILL_OUTPUT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What it asks of the system; a test has its own. */
struct lines_io {
	ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t len); /* as write(2) */
	int (*sync)(void *ctx, int fd);                                     /* as fdatasync(2) */
	int64_t (*now)(void *ctx);                                          /* the wall clock, ns */
	int64_t (*monotonic)(void *ctx);                                    /* ns */
};

struct lines_conf {
	const char *path;      /* "-": standard output. Only a regular file is rotated, cut and synced */
	bool append;           /* what is in the file stays, but for half a line at its end; else it begins empty */
	bool durable;          /* synced to the disk at its end, and where lines_sync_soon asks for it */
	uint64_t rotate_size;  /* bytes that no file exceeds, unless one write does; 0: any size */
	int64_t rotate_time;   /* ns from one rotation to the next, counted from 1970 UTC: 24 h is at midnight; 0: never */
	size_t keep;           /* so many earlier files; SIZE_MAX: all */
	size_t backlog;        /* bytes that may wait in memory; 0: default */
	const struct lines_io *io; /* NULL: the system's */
	void *io_ctx;
};

enum { LINES_BACKLOG = 16 * 1000 * 1000 };

/* How much of the backlog may be taken before a line of it is lost: a quarter, half, all. */
enum lines_worth {
	LINES_LITTLE,
	LINES_MORE,
	LINES_MOST,
};

struct lines_state {
	int failure;           /* errno of what keeps it from writing just now; 0: nothing does */
	int64_t since;         /* wall clock, of the first such failure, also when it is over; 0: never */
	int64_t failing;       /* ns that it could not write, in all, until now */
	size_t waiting;        /* bytes in memory */
	uint64_t lost;         /* lines */
	uint64_t lost_most;    /* of them, those worth most */
	uint64_t rotated;      /* times */
};

struct lines;

/* conf is copied, its path and io are not. NULL and error. */
struct lines *lines_open(const struct lines_conf *conf, char *error, size_t error_size);

/* Whole lines, count of them. They are written, or wait, or are lost and counted. */
void lines_write(struct lines *l, const char *bytes, size_t len, size_t count, enum lines_worth worth);

/* What was written is on the disk within a second (lines_tick). Nothing, unless durable. */
void lines_sync_soon(struct lines *l);

/* Once a second or so: what waits is tried again, and a rotation that is due by time is made. */
void lines_tick(struct lines *l);

/* The file was moved, or is to be: goes on in the one that has the path now, made if need be. 0; -1: goes on in the old. */
int lines_reopen(struct lines *l);

/* Does it just now wait for a disk? Then each line is best written by itself, with what it is worth. */
bool lines_failing(const struct lines *l);
void lines_state(const struct lines *l, struct lines_state *out);

/* A last try, and the end. 0, or -1 and error: lines were lost, or the disk said no. Nothing is written after it. */
int lines_finish(struct lines *l, char *error, size_t error_size);
void lines_close(struct lines *l); /* takes NULL */

#endif
