/* The list of inputs, one after the other, through the filter. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/files.h"
#include "capture/filter.h"
#include "capture/source.h"

struct capture {
	struct files files;
	size_t current;        /* file being read */
	struct source *source; /* NULL: the current file is still to be opened */
	struct filter *filter; /* NULL: none */
	const struct capture_ops *ops;
	void *ctx;
	bool incomplete;
	uint64_t stored_before; /* of the files done */
	uint64_t stored_total;
	uint64_t frames, bytes, filtered;
};

static int
capture_list(struct capture *c, const char *const *paths, size_t count, char *error, size_t size);
static void capture_sum_sizes(struct capture *c);
static void capture_begin_file(struct capture *c);
static void capture_end_file(struct capture *c);
static size_t capture_pick(struct capture *c, struct frame *frames, size_t count);
static bool capture_wanted(struct capture *c, const struct frame *f);
static void capture_tell(
	struct capture *c, const char *path, uint64_t packet, uint64_t offset, const char *what);
static void capture_tell_source(struct capture *c);

struct capture *
capture_open(const char *const *paths, size_t count, const struct capture_ops *ops, void *ctx,
	char *error, size_t error_size)
{
	struct capture *c = calloc(1, sizeof *c);
	if (c == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	c->ops = ops;
	c->ctx = ctx;
	if (capture_list(c, paths, count, error, error_size) < 0) {
		capture_close(c);
		return NULL;
	}
	capture_sum_sizes(c);
	return c;
}

void
capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	source_close(c->source);
	filter_destroy(c->filter);
	files_clear(&c->files);
	free(c);
}

/* A path that cannot be used is told of, unless none can: then that is the error. */
static int
capture_list(struct capture *c, const char *const *paths, size_t count, char *error, size_t size)
{
	const char *what = "no file is named";

	snprintf(error, size, "%s", what);
	for (size_t i = 0; i < count; i++) {
		if (files_add(&c->files, paths[i], &what) == 0)
			continue;
		snprintf(error, size, "%s: %s", paths[i], what);
		if (count > 1)
			capture_tell(c, paths[i], 0, 0, what);
		c->incomplete = true;
	}
	return c->files.count > 0 ? 0 : -1;
}

static void
capture_sum_sizes(struct capture *c)
{
	for (size_t i = 0; i < c->files.count; i++) {
		if (c->files.entries[i].size == 0) {
			c->stored_total = 0;
			return;
		}
		c->stored_total += c->files.entries[i].size;
	}
}

int
capture_filter(struct capture *c, const char *expression, char *error, size_t error_size)
{
	struct filter *f = filter_create(expression, error, error_size);
	if (f == NULL)
		return -1;
	filter_destroy(c->filter);
	c->filter = f;
	return 0;
}

size_t
capture_batch(struct capture *c, struct frame *frames, size_t max)
{
	while (c->current < c->files.count) {
		size_t count;
		if (c->source == NULL) {
			capture_begin_file(c);
			continue;
		}
		enum source_step step = source_read(c->source, frames, max, &count);
		capture_tell_source(c);
		if (step != SOURCE_FRAMES) {
			c->incomplete |= step == SOURCE_BROKEN;
			capture_end_file(c);
			continue;
		}
		count = capture_pick(c, frames, count);
		if (count > 0)
			return count;
	}
	return 0;
}

/* Keeps those of the frames that the filter wants; how many. */
static size_t
capture_pick(struct capture *c, struct frame *frames, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		frames[i].file = (uint32_t)c->current;
		if (c->filter != NULL && !capture_wanted(c, &frames[i]))
			continue;
		c->bytes += frames[i].len;
		if (kept < i)
			frames[kept] = frames[i];
		kept++;
	}
	c->filtered += count - kept;
	c->files.entries[c->current].frames += kept;
	c->frames += kept;
	return kept;
}

/* Opens the current file, or goes on to the next one. */
static void
capture_begin_file(struct capture *c)
{
	const char *path = c->files.entries[c->current].path;
	struct input *in = input_open(path);

	if (in != NULL)
		c->source = source_open(in);
	if (c->source != NULL)
		return;
	capture_tell(c, path, 0, 0, strerror(errno));
	c->incomplete = true;
	c->current++;
}

static void
capture_end_file(struct capture *c)
{
	c->stored_before += source_stored(c->source);
	source_close(c->source);
	c->source = NULL;
	c->current++;
}

static bool
capture_wanted(struct capture *c, const struct frame *f)
{
	enum filter_answer answer = filter_frame(c->filter, f);
	if (answer == FILTER_CANNOT)
		capture_tell(c, c->files.entries[c->current].path, f->number, 0,
			"the filter makes no sense for this packet's link type, all such packets "
			"are turned away");
	return answer == FILTER_PASS;
}

static void
capture_tell_source(struct capture *c)
{
	const char *what = source_problem(c->source);
	if (what != NULL)
		capture_tell(c, c->files.entries[c->current].path, source_problem_packet(c->source),
			source_problem_offset(c->source), what);
}

static void
capture_tell(
	struct capture *c, const char *path, uint64_t packet, uint64_t offset, const char *what)
{
	struct capture_problem problem = {
		.path = path, .packet = packet, .offset = offset, .what = what};

	if (c->ops != NULL && c->ops->problem != NULL)
		c->ops->problem(c->ctx, &problem);
}

void
capture_progress(const struct capture *c, struct capture_progress *out)
{
	bool reading = c->current < c->files.count;

	*out = (struct capture_progress){
		.file = c->current,
		.files = c->files.count,
		.path = reading ? c->files.entries[c->current].path : NULL,
		.bytes_read = c->stored_before + (c->source != NULL ? source_stored(c->source) : 0),
		.bytes_total = c->stored_total,
		.frames = c->frames,
		.bytes = c->bytes,
		.filtered = c->filtered,
	};
}

const char *
capture_path(const struct capture *c, size_t file)
{
	return file < c->files.count ? c->files.entries[file].path : NULL;
}

uint64_t
capture_frames(const struct capture *c, size_t file)
{
	return file < c->files.count ? c->files.entries[file].frames : 0;
}

bool
capture_incomplete(const struct capture *c)
{
	return c->incomplete;
}
