/*
 * Buffered reading with decompression. One buffer for a plain file, a second one for compressed
 * bytes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/codec.h"
#include "capture/input.h"

enum { INPUT_BUFFER = 1 << 17 }; /* small enough to stay in the cache until it is decoded */

/* Bytes held in memory: those between at and end are not used yet. */
struct buffer {
	uint8_t *bytes;
	size_t size, at, end;
};

struct input {
	int fd; /* -1: from memory */
	const uint8_t *memory;
	size_t memory_left;
	size_t chunk;              /* bytes that a buffer holds at first */
	struct buffer raw;         /* compressed bytes; unused for a plain file */
	struct buffer plain;       /* what readers look at */
	const struct codec *codec; /* NULL: not compressed */
	void *codec_state;
	bool ended; /* the source has no more bytes */
	const char *error;
	uint64_t offset, stored, size;
};

static const struct codec *const codecs[] = {&codec_gzip, &codec_zstd};

static struct input *input_create(int fd);
static int buffer_room(struct buffer *b, size_t n, size_t least);
static size_t buffer_held(const struct buffer *b);
static bool input_read(struct input *in, struct buffer *to);
static ssize_t input_read_fd(int fd, uint8_t *to, size_t room);
static bool input_fill(struct input *in);
static bool input_decompress(struct input *in);
static void input_detect(struct input *in);

struct input *
input_open(const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		errno = EISDIR;
		return NULL;
	}
	struct input *in = input_create(fd);
	if (in == NULL) {
		if (!standard)
			close(fd);
		errno = ENOMEM;
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		in->size = (uint64_t)st.st_size;
	return in;
}

struct input *
input_open_memory(const void *bytes, size_t len)
{
	struct input *in = input_create(-1);
	if (in != NULL) {
		in->memory = bytes;
		in->memory_left = len;
		in->size = len;
		in->chunk = len < INPUT_BUFFER ? len + CODEC_MAGIC_MAX : INPUT_BUFFER;
	}
	return in;
}

static struct input *
input_create(int fd)
{
	struct input *in = calloc(1, sizeof *in);
	if (in == NULL)
		return NULL;
	in->fd = fd;
	in->chunk = INPUT_BUFFER;
	return in;
}

void
input_close(struct input *in)
{
	if (in == NULL)
		return;
	if (in->codec != NULL)
		in->codec->close(in->codec_state);
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	free(in->raw.bytes);
	free(in->plain.bytes);
	free(in);
}

const uint8_t *
input_need(struct input *in, size_t n)
{
	while (buffer_held(&in->plain) < n) {
		if (n > INPUT_NEED_MAX || buffer_room(&in->plain, n, in->chunk) < 0) {
			in->error = "a record is too large to be held";
			return NULL;
		}
		if (!input_fill(in))
			return NULL;
	}
	return in->plain.bytes + in->plain.at;
}

struct reader
input_held(const struct input *in)
{
	return reader_init(in->plain.bytes + in->plain.at, buffer_held(&in->plain));
}

size_t
input_left(const struct input *in)
{
	return buffer_held(&in->plain);
}

void
input_consume(struct input *in, size_t n)
{
	in->plain.at += n;
	in->offset += n;
}

bool
input_skip(struct input *in, uint64_t n)
{
	for (;;) {
		size_t held = buffer_held(&in->plain);
		size_t step = n < held ? (size_t)n : held;
		input_consume(in, step);
		n -= step;
		if (n == 0)
			return true;
		if (input_need(in, 1) == NULL)
			return false;
	}
}

const char *
input_error(const struct input *in)
{
	return in->error;
}

uint64_t
input_offset(const struct input *in)
{
	return in->offset;
}

uint64_t
input_stored(const struct input *in)
{
	return in->stored;
}

uint64_t
input_size(const struct input *in)
{
	return in->size;
}

static size_t
buffer_held(const struct buffer *b)
{
	return b->end - b->at;
}

/* Makes room for n bytes, those held included, in a buffer of least bytes at least. 0, or -1 when
 * memory is out. */
static int
buffer_room(struct buffer *b, size_t n, size_t least)
{
	size_t held = buffer_held(b);

	if (b->at > 0) {
		memmove(b->bytes, b->bytes + b->at, held);
		b->at = 0;
		b->end = held;
	}
	if (b->bytes != NULL && n <= b->size)
		return 0;
	size_t size = n > least ? n : least;
	uint8_t *bytes = realloc(b->bytes, size);
	if (bytes == NULL)
		return -1;
	b->bytes = bytes;
	b->size = size;
	return 0;
}

/* Gets more bytes for readers to look at. False at the end or on an error. */
static bool
input_fill(struct input *in)
{
	if (in->error != NULL)
		return false;
	if (in->codec != NULL)
		return input_decompress(in);
	if (in->ended)
		return false;
	bool first = in->stored == 0;
	bool more = input_read(in, &in->plain);
	if (first && more)
		input_detect(in);
	return in->error == NULL && (more || in->codec != NULL);
}

/* Looks whether the first bytes are those of a compression; then they move into the raw buffer. */
static void
input_detect(struct input *in)
{
	while (buffer_held(&in->plain) < CODEC_MAGIC_MAX && input_read(in, &in->plain))
		;
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
		if (!codecs[i]->probe(in->plain.bytes + in->plain.at, buffer_held(&in->plain)))
			continue;
		in->codec_state = codecs[i]->open();
		if (in->codec_state == NULL) {
			in->error = "out of memory";
			return;
		}
		in->codec = codecs[i];
		in->raw = in->plain;
		in->plain = (struct buffer){.bytes = NULL};
		if (buffer_room(&in->plain, 1, in->chunk) < 0)
			in->error = "out of memory";
		return;
	}
}

/* One step of decompression into the free end of the plain buffer. */
static bool
input_decompress(struct input *in)
{
	struct buffer *raw = &in->raw, *plain = &in->plain;
	size_t before = plain->end;

	while (plain->end == before) {
		if (buffer_held(raw) == 0 && !in->ended) {
			raw->at = raw->end = 0;
			if (!input_read(in, raw) && in->error != NULL)
				return false;
		}
		struct codec_io io = {
			.in = raw->bytes + raw->at,
			.in_left = buffer_held(raw),
			.out = plain->bytes + plain->end,
			.out_left = plain->size - plain->end,
		};
		size_t had = io.in_left;
		if (in->codec->run(in->codec_state, &io) < 0) {
			in->error = "compressed data are damaged";
			return false;
		}
		raw->at = raw->end - io.in_left;
		plain->end = plain->size - io.out_left;
		if (plain->end == before && io.in_left == had && (had > 0 || in->ended)) {
			if (had > 0)
				in->error = "compressed data are damaged";
			else if (!in->codec->whole(in->codec_state))
				in->error = "compressed data are cut off";
			return false;
		}
	}
	return true;
}

/* Reads once from the source into the free end of to. False at its end or on an error. */
static bool
input_read(struct input *in, struct buffer *to)
{
	size_t room = to->size - to->end;

	if (in->ended || room == 0)
		return false;
	size_t got;
	if (in->fd < 0) {
		got = in->memory_left < room ? in->memory_left : room;
		if (got > 0)
			memcpy(to->bytes + to->end, in->memory, got);
		in->memory += got;
		in->memory_left -= got;
	} else {
		ssize_t n = input_read_fd(in->fd, to->bytes + to->end, room);
		if (n < 0)
			in->error = "reading failed";
		got = n > 0 ? (size_t)n : 0;
	}
	to->end += got;
	in->stored += got;
	in->ended = got == 0;
	return got > 0;
}

static ssize_t
input_read_fd(int fd, uint8_t *to, size_t room)
{
	ssize_t n;

	do
		n = read(fd, to, room);
	while (n < 0 && errno == EINTR);
	return n;
}
