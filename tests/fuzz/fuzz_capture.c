/* A file's bytes, through decompression and the formats. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { FRAMES_MAX = 4096 }; /* so that a compressed nothing does not take forever */

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input *in = input_open_memory(bytes, len);
	if (in == NULL)
		return 0;
	struct source *s = source_open(in);
	if (s == NULL)
		return 0;
	struct frame f;
	for (int i = 0; i < FRAMES_MAX && source_next(s, &f) == SOURCE_FRAME; i++) {
		uint8_t *copy = malloc(f.caplen + (size_t)1);
		if (copy != NULL)
			memcpy(copy, f.data, f.caplen); /* all of it must be there */
		free(copy);
		if (f.len < f.caplen)
			abort();
	}
	source_close(s);
	return 0;
}
