/* One line on a terminal: how far a replay is. Nothing where the stream is no terminal. */
#ifndef WAYBILL_PROGRESS_H
#define WAYBILL_PROGRESS_H

#include <stdio.h>

#include "capture/capture.h"

struct progress;

/* NULL when stream is no terminal (every other function takes NULL). */
struct progress *progress_open(FILE *stream);
void progress_close(struct progress *p); /* clears the line */
void progress_show(struct progress *p, const struct capture_progress *at); /* ten times a second at most */
void progress_clear(struct progress *p); /* so that a message can stand there */

#endif
