/*
 * Tells when files change: by inotify(7) on their folders, so that one that is written beside and renamed over another is
 * seen, and one that is not there yet.
 */
#ifndef WAYBILL_WATCH_H
#define WAYBILL_WATCH_H

#include "loop.h"

struct watch;

/* fn: something changed; it may come several times for one change. NULL: the kernel has none to give. */
struct watch *watch_create(struct loop *loop, void (*fn)(void *ctx), void *ctx);
void watch_destroy(struct watch *w); /* takes NULL */

/* The file, and the one that it is a link to. 0; -1: its folder can't be watched. */
int watch_file(struct watch *w, const char *path);
/* Files in a folder whose names end so. */
int watch_folder(struct watch *w, const char *folder, const char *suffix);

void watch_clear(struct watch *w); /* watches nothing any more */

#endif
