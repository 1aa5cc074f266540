/*
 * Zstandard by libzstd, which goes from frame to frame and over skippable ones by itself (RFC 8878
 * section 3.1).
 */
#include "config.h"

#include <stdlib.h>
#include <zstd.h>

#include "capture/codec.h"

struct zstd {
	ZSTD_DStream *stream;
	bool inside; /* within a frame */
};

static bool zstd_probe(const uint8_t *bytes, size_t len);
static void *zstd_open(void);
static int zstd_run(void *state, struct codec_io *io);
static bool zstd_whole(const void *state);
static void zstd_close(void *state);

const struct codec codec_zstd = {
	.name = "zstd",
	.probe = zstd_probe,
	.open = zstd_open,
	.run = zstd_run,
	.whole = zstd_whole,
	.close = zstd_close,
};

static bool
zstd_probe(const uint8_t *bytes, size_t len)
{
	if (len < 4)
		return false;
	if (bytes[0] == 0x28 && bytes[1] == 0xb5 && bytes[2] == 0x2f && bytes[3] == 0xfd)
		return true;
	/* A skippable frame may come first (RFC 8878 section 3.1.2). */
	return (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a && bytes[2] == 0x4d &&
	       bytes[3] == 0x18;
}

static void *
zstd_open(void)
{
	struct zstd *z = calloc(1, sizeof *z);
	if (z == NULL)
		return NULL;
	z->stream = ZSTD_createDStream();
	if (z->stream == NULL) {
		free(z);
		return NULL;
	}
	return z;
}

static int
zstd_run(void *state, struct codec_io *io)
{
	struct zstd *z = state;
	ZSTD_inBuffer in = {.src = io->in, .size = io->in_left, .pos = 0};
	ZSTD_outBuffer out = {.dst = io->out, .size = io->out_left, .pos = 0};
	size_t result = ZSTD_decompressStream(z->stream, &out, &in);

	if (ZSTD_isError(result))
		return -1;
	if (in.pos > 0 || out.pos > 0)
		z->inside = result != 0;
	io->in += in.pos;
	io->in_left -= in.pos;
	io->out += out.pos;
	io->out_left -= out.pos;
	return 0;
}

static bool
zstd_whole(const void *state)
{
	const struct zstd *z = state;
	return !z->inside;
}

static void
zstd_close(void *state)
{
	struct zstd *z = state;
	ZSTD_freeDStream(z->stream);
	free(z);
}
