/*
 * A stream of bytes out of a file, standard input or memory, decompressed when
 * its first bytes say so. Readers look at the bytes where they lie in its buffer; only
 * what straddles a refill is moved.
 */
#ifndef WAYBILL_CAPTURE_INPUT_H
#define WAYBILL_CAPTURE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

struct input;

enum { INPUT_NEED_MAX = 20 << 20 }; /* bytes that can be asked for at once */

/* path "-": standard input. NULL: it cannot be opened (errno tells). */
struct input *input_open(const char *path);

/* Reads from borrowed memory instead. NULL: out of memory. */
struct input *input_open_memory(const void *bytes, size_t len);

void input_close(struct input *in); /* takes NULL */

/*
 * The next n bytes, not yet consumed, valid until the next call that needs, skips or closes.
 * NULL when fewer are left, or when reading failed (input_error tells).
 */
const uint8_t *input_need(struct input *in, size_t n);

/* All bytes that are held and not yet consumed; valid as long as those of input_need() are. */
struct reader input_held(const struct input *in);

/* Bytes that are left at the end, after input_need() gave NULL. */
size_t input_left(const struct input *in);

/* Goes n bytes on; n is at most what is held. */
void input_consume(struct input *in, size_t n);

/* Goes n bytes on, however many. False when the stream ends before. */
bool input_skip(struct input *in, uint64_t n);

/* Why there is no more: a static sentence, or NULL for a plain end. */
const char *input_error(const struct input *in);

uint64_t input_offset(const struct input *in); /* consumed, of the uncompressed stream */
uint64_t input_stored(const struct input *in); /* read so far, as stored */
uint64_t input_size(const struct input *in);   /* as stored; 0: unknown */

#endif
