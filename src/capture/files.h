/*
 * The list of files to read: what the user named, with directories replaced by the captures in
 * them.
 */
#ifndef WAYBILL_CAPTURE_FILES_H
#define WAYBILL_CAPTURE_FILES_H

#include <stddef.h>
#include <stdint.h>

struct files_entry {
	char *path;
	int64_t first;   /* time of its first frame, where it is from a directory */
	uint64_t size;   /* as stored, 0: unknown */
	uint64_t frames; /* handed out of it */
};

struct files {
	struct files_entry *entries;
	size_t count, room;
};

/*
 * Adds a path: a directory is replaced by the captures in it and in the folders below it (told by
 * their content), by the time of their first frame, ties by name. What is named as a capture but is
 * none, or cannot be opened, comes last, so that reading it tells why. 0, or -1 when there is
 * nothing to read or memory is out; *what says why.
 */
int files_add(struct files *f, const char *path, const char **what);
void files_clear(struct files *f);

#endif
