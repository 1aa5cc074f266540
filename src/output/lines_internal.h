/* What lines.c (writing) and lines_file.c (the files themselves) share. */
#ifndef WAYBILL_OUTPUT_LINES_INTERNAL_H
#define WAYBILL_OUTPUT_LINES_INTERNAL_H

#include "output/lines.h"

struct lines {
	struct lines_conf conf;
	struct lines_io io;
	int fd;
	bool regular;            /* a file that can be rotated, cut and synced */
	uint64_t size;           /* of it, as far as it is known */
	int64_t period;          /* number of the rotate_time that it belongs to */
	int64_t rotate_again;    /* monotonic: no earlier, after a rotation that failed */
	uint64_t rotated;

	/* Lines that wait, and whose first done bytes are in the file: half a line. */
	char *waiting;
	size_t waiting_len, waiting_size, done;
	int failure, last_failure; /* errno */
	int64_t since;           /* wall clock */
	int64_t failed_at, retry_at; /* monotonic */
	int64_t failing;         /* ns, of failures that are over */
	uint64_t lost, lost_most, lost_before;

	bool sync_due, sync_failed;
	int64_t synced;          /* monotonic */
};

/* Opens conf.path; 0, or -1 and error. */
int lines_file_open(struct lines *l, char *error, size_t error_size);

/* Before len bytes are written. */
void lines_rotate_if_due(struct lines *l, size_t len);

/* Takes so many bytes off the end of the file. */
void lines_cut(struct lines *l, size_t bytes);

/* Is the file as long as it was left? */
bool lines_stands(struct lines *l);

void lines_sync(struct lines *l);

#endif
