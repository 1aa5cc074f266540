/*
 * gzip by zlib: members one after the other (RFC 1952 section 2.2), zeros behind the last one
 * ignored.
 */
#include "config.h"

#include <stdlib.h>
#define ZLIB_CONST /* its input is const */
#include <zlib.h>

#include "capture/codec.h"

enum gzip_at {
	GZIP_INSIDE,  /* within a member */
	GZIP_BETWEEN, /* a member ended; another may begin */
	GZIP_PADDING, /* zeros behind the last member, as tapes and block devices leave them */
};

struct gzip {
	z_stream z;
	enum gzip_at at;
};

static bool gzip_probe(const uint8_t *bytes, size_t len);
static void *gzip_open(void);
static int gzip_run(void *state, struct codec_io *io);
static bool gzip_whole(const void *state);
static void gzip_close(void *state);
static int gzip_inflate(struct gzip *g, struct codec_io *io);
static void gzip_skip_zeros(struct codec_io *io);

const struct codec codec_gzip = {
	.name = "gzip",
	.probe = gzip_probe,
	.open = gzip_open,
	.run = gzip_run,
	.whole = gzip_whole,
	.close = gzip_close,
};

static bool
gzip_probe(const uint8_t *bytes, size_t len)
{
	return len >= 3 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == 8; /* deflate */
}

static void *
gzip_open(void)
{
	struct gzip *g = calloc(1, sizeof *g);
	if (g == NULL)
		return NULL;
	if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) { /* 16: gzip header */
		free(g);
		return NULL;
	}
	return g;
}

static int
gzip_run(void *state, struct codec_io *io)
{
	struct gzip *g = state;

	if (g->at == GZIP_BETWEEN && io->in_left > 0) {
		g->at = io->in[0] == 0 ? GZIP_PADDING : GZIP_INSIDE;
		if (g->at == GZIP_INSIDE && inflateReset(&g->z) != Z_OK)
			return -1;
	}
	if (g->at == GZIP_PADDING) {
		gzip_skip_zeros(io);
		return io->in_left == 0 ? 0 : -1;
	}
	return gzip_inflate(g, io);
}

static int
gzip_inflate(struct gzip *g, struct codec_io *io)
{
	g->z.next_in = io->in;
	g->z.avail_in = (uInt)io->in_left;
	g->z.next_out = io->out;
	g->z.avail_out = (uInt)io->out_left;
	int result = inflate(&g->z, Z_NO_FLUSH);
	io->in = g->z.next_in;
	io->in_left = g->z.avail_in;
	io->out = g->z.next_out;
	io->out_left = g->z.avail_out;
	if (result == Z_STREAM_END)
		g->at = GZIP_BETWEEN;
	return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? 0 : -1;
}

static void
gzip_skip_zeros(struct codec_io *io)
{
	while (io->in_left > 0 && io->in[0] == 0) {
		io->in++;
		io->in_left--;
	}
}

static bool
gzip_whole(const void *state)
{
	const struct gzip *g = state;
	return g->at != GZIP_INSIDE;
}

static void
gzip_close(void *state)
{
	struct gzip *g = state;
	inflateEnd(&g->z);
	free(g);
}
