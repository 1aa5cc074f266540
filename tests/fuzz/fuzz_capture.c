/* A file's bytes, through decompression and the formats. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	FRAMES_MAX = 4096, /* so that a compressed nothing does not take forever */
	BATCH = 8,
};

static void
look(const struct frame *f)
{
	uint8_t *copy = malloc(f->caplen + (size_t)1);
	if (copy != NULL)
		memcpy(copy, f->data, f->caplen); /* all of it must be there */
	free(copy);
	if (f->len < f->caplen)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input *in = input_open_memory(bytes, len);
	if (in == NULL)
		return 0;
	struct source *s = source_open(in);
	if (s == NULL)
		return 0;
	struct frame frames[BATCH];
	size_t count;
	for (size_t i = 0; i < FRAMES_MAX; i += count) {
		size_t max = (len + i) % BATCH + 1;
		if (source_read(s, frames, max, &count) != SOURCE_FRAMES)
			break;
		if (count == 0 || count > max)
			abort();
		for (size_t k = 0; k < count; k++)
			look(&frames[k]);
	}
	source_close(s);
	return 0;
}
