#include "config.h"

#include <stdlib.h>

#include "capture/format.h"
#include "capture/source.h"

struct source {
	struct input *in;
	const struct format *format; /* NULL: not yet told */
	void *state;
	uint64_t frames; /* read so far */
	const char *problem;
	uint64_t problem_packet, problem_offset;
	bool damage_told; /* one damage a file is worth a message, thousands are not */
};

static const struct format *const formats[] = {&format_pcap, &format_pcapng};

static bool source_detect(struct source *s);
static void source_fail(struct source *s, const char *what, uint64_t packet, uint64_t offset);

struct source *
source_open(struct input *in)
{
	struct source *s = calloc(1, sizeof *s);
	if (s == NULL) {
		input_close(in);
		return NULL;
	}
	s->in = in;
	return s;
}

void
source_close(struct source *s)
{
	if (s == NULL)
		return;
	if (s->format != NULL)
		s->format->close(s->state);
	input_close(s->in);
	free(s);
}

bool
source_is_capture(struct source *s)
{
	return s->format != NULL || source_detect(s);
}

enum source_step
source_read(struct source *s, struct frame *frames, size_t max, size_t *count)
{
	*count = 0;
	if (s->format == NULL && !source_detect(s))
		return SOURCE_BROKEN;

	struct format_notes notes = {.broken = NULL};
	*count = s->format->read(s->state, s->in, frames, max, &notes);
	if (notes.damaged != NULL && !s->damage_told) {
		s->damage_told = true;
		source_fail(
			s, notes.damaged, s->frames + notes.damaged_behind + 1, notes.damaged_at);
	}
	for (size_t i = 0; i < *count; i++) {
		frames[i].number = ++s->frames;
		if (frames[i].len < frames[i].caplen)
			frames[i].len = frames[i].caplen;
	}
	if (*count > 0)
		return SOURCE_FRAMES;
	if (notes.broken == NULL)
		return SOURCE_END;
	source_fail(s, notes.broken, s->frames + 1, notes.offset);
	return SOURCE_BROKEN;
}

/* Finds the format by the stream's first bytes. */
static bool
source_detect(struct source *s)
{
	if (s->problem != NULL)
		return false;
	const uint8_t *magic = input_need(s->in, FORMAT_MAGIC);
	if (magic == NULL) {
		const char *what = input_error(s->in);
		if (what == NULL)
			what = input_left(s->in) == 0 ? "file is empty"
						      : "file is too short for a capture";
		source_fail(s, what, 0, input_offset(s->in));
		return false;
	}
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (!formats[i]->probe(magic))
			continue;
		s->state = formats[i]->open();
		if (s->state == NULL) {
			source_fail(s, "out of memory", 0, 0);
			return false;
		}
		s->format = formats[i];
		return true;
	}
	source_fail(s, "file is neither pcap nor pcapng", 0, 0);
	return false;
}

static void
source_fail(struct source *s, const char *what, uint64_t packet, uint64_t offset)
{
	s->problem = what;
	s->problem_packet = packet;
	s->problem_offset = offset;
}

const char *
source_problem(struct source *s)
{
	const char *what = s->problem;
	s->problem = NULL;
	return what;
}

uint64_t
source_problem_packet(const struct source *s)
{
	return s->problem_packet;
}

uint64_t
source_problem_offset(const struct source *s)
{
	return s->problem_offset;
}

uint64_t
source_stored(const struct source *s)
{
	return input_stored(s->in);
}
