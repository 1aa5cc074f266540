/*
 * Compressions that a capture file may come in. Each is told by its first
 * bytes and undone as a stream; another one is a file with a const struct
 * codec and a row in codecs[].
 */
#ifndef WAYBILL_CAPTURE_CODEC_H
#define WAYBILL_CAPTURE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CODEC_MAGIC_MAX = 4 }; /* bytes that probe wants to see */

/* Where one step of decompression reads and writes; run() moves both on. */
struct codec_io {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

struct codec {
	const char *name;
	bool (*probe)(const uint8_t *bytes, size_t len);
	void *(*open)(void); /* NULL: out of memory */
	/*
	 * Decompresses as much as fits. 0, or -1 when the data are damaged. It consumes or makes
	 * at least one byte when both sides have room, or else nothing more can come of it.
	 */
	int (*run)(void *state, struct codec_io *io);
	bool (*whole)(const void *state); /* does the stream end well where it stands? */
	void (*close)(void *state);
};

extern const struct codec codec_gzip; /* RFC 1952, several members */
extern const struct codec codec_zstd; /* RFC 8878, several frames */

#endif
