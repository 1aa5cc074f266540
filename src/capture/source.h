/* One capture file being read: a byte stream and the format that its first bytes name. */
#ifndef WAYBILL_CAPTURE_SOURCE_H
#define WAYBILL_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "capture/input.h"

struct source;

enum source_step {
	SOURCE_FRAMES, /* some were read */
	SOURCE_END,    /* no more, all was read */
	SOURCE_BROKEN, /* no more, though there should be: source_problem tells why */
};

/* Takes over in, also when it fails. NULL: out of memory. */
struct source *source_open(struct input *in);
void source_close(struct source *s); /* takes NULL; closes the input */

/*
 * The next frames, one at least and max at most: all of them but file is filled in. Their data live
 * until the next call.
 */
enum source_step source_read(struct source *s, struct frame *frames, size_t max, size_t *count);

/* Is it a capture at all? Reads no further than the first bytes. */
bool source_is_capture(struct source *s);

/*
 * What is wrong, as a sentence without full stop, since the last time this was asked; NULL:
 * nothing. Also after SOURCE_FRAMES: of one of those, and reading goes on.
 */
const char *source_problem(struct source *s);
uint64_t source_problem_packet(const struct source *s); /* the packet concerned; 0: none yet */
uint64_t source_problem_offset(const struct source *s); /* where it begins, uncompressed */

uint64_t source_stored(const struct source *s); /* bytes read so far, as stored */

#endif
