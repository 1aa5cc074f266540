/*
 * spool [FOLDER [COUNT]]: what it costs the packet path to store an alert for the webhook. COUNT letters (10000) are
 * committed one by one to a spool in a folder of its own inside FOLDER (here), which must be on a real disk. First
 * as the webhook does it, with a sync every 50 ms for all that came meanwhile; then each with a sync of its own.
 */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/spool.h"

enum {
	COUNT = 10000,
	BODY = 1800, /* bytes of an alert about a file, as JSON */
};

static const int64_t interval = 50 * CLOCK_MILLISECOND;

static int measure(const char *folder, size_t count, bool each, int64_t *took);
static int append(struct spool *s, const char *id, const char *body);
static void show(const char *what, int64_t *took, size_t count, int64_t whole, size_t syncs);
static int compare(const void *a, const void *b);

int
main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : ".";
	size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : COUNT;
	int64_t *took = calloc(count > 0 ? count : 1, sizeof *took);
	int result = 1;

	if (took == NULL || count == 0) {
		fprintf(stderr, "usage: spool [FOLDER [COUNT]]\n");
		goto done;
	}
	printf("%-20s %10s %10s %10s %10s %8s\n", "one letter, in us", "p50", "p99", "max", "a second", "syncs");
	if (measure(folder, count, false, took) != 0 || measure(folder, count, true, took) != 0)
		goto done;
	result = 0;
done:
	free(took);
	return result;
}

static int
measure(const char *folder, size_t count, bool each, int64_t *took)
{
	char own[PATH_MAX], path[PATH_MAX + 16], command[PATH_MAX + 16], id[32], error[512] = "", body[BODY];
	size_t syncs = 0, done = 0;
	int result = -1;

	snprintf(own, sizeof own, "%s/waybill-spool-XXXXXX", folder);
	if (mkdtemp(own) == NULL) {
		perror(own);
		return -1;
	}
	snprintf(path, sizeof path, "%s/spool.db", own);
	memset(body, 'x', sizeof body);
	struct spool *s = spool_open(path, error, sizeof error);
	int64_t start = clock_monotonic(), synced = start;
	for (; s != NULL && done < count; done++) {
		int64_t begin = clock_monotonic();
		if (!each && begin - synced >= interval) {
			if (spool_sync(s) != 0)
				break;
			syncs++;
			synced = begin = clock_monotonic();
		}
		snprintf(id, sizeof id, "a%015zx-open", done * 2654435761);
		if (append(s, id, body) != 0 || (each && spool_sync(s) != 0))
			break;
		took[done] = clock_monotonic() - begin;
	}
	if (s != NULL && done == count && spool_sync(s) == 0) {
		show(each ? "a sync for each" : "a sync every 50 ms", took, count, clock_monotonic() - start,
		        each ? count : syncs + 1);
		result = 0;
	} else {
		fprintf(stderr, "%s\n", s != NULL ? spool_error(s) : error);
	}
	spool_close(s);
	snprintf(command, sizeof command, "rm -r '%s'", own);
	return system(command) == 0 ? result : -1;
}

static int
append(struct spool *s, const char *id, const char *body)
{
	if (spool_begin(s) != 0 || spool_add(s, "desk", id, body, BODY, clock_now()) != 1)
		return -1;
	return spool_commit(s);
}

static void
show(const char *what, int64_t *took, size_t count, int64_t whole, size_t syncs)
{
	qsort(took, count, sizeof *took, compare);
	printf("%-20s %10.1f %10.1f %10.1f %10.0f %8zu\n", what, (double)took[count / 2] / 1000,
	        (double)took[count * 99 / 100] / 1000, (double)took[count - 1] / 1000,
	        (double)count * CLOCK_SECOND / (double)whole, syncs);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}
