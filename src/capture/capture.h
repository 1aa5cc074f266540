/*
 * The capture stage: frames out of files, in order. Formats: classic pcap
 * (either byte order, micro- and nanoseconds, and the modified variants that libpcap reads) and
 * pcapng (several sections and interfaces, different link types), each plain,
 * gzip or zstd, from a path or standard input. Formats by their specifications
 * (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
 */
#ifndef WAYBILL_CAPTURE_CAPTURE_H
#define WAYBILL_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"

struct capture;

struct capture_problem {
	const char *path; /* as the user named it; "-" for standard input */
	uint64_t packet;  /* number of the packet it concerns, 0: none yet */
	uint64_t offset;  /* byte offset in the uncompressed stream */
	const char *what; /* a sentence without full stop: "file is cut off in the middle of a
			     packet" */
};

struct capture_ops {
	/*
	 * Something could not be read; what could be read was, and reading goes on with the next
	 * file.
	 */
	void (*problem)(void *ctx, const struct capture_problem *problem);
};

struct capture_progress {
	size_t file, files; /* index of the current file, number of files */
	const char *path;
	uint64_t bytes_read;    /* of all files, as stored (compressed) */
	uint64_t bytes_total;   /* 0 when unknown (standard input) */
	uint64_t frames, bytes; /* handed out so far; wire bytes */
	uint64_t filtered;      /* frames the filter turned away */
	uint64_t dropped_ring, dropped_interface; /* frames of interfaces that were lost: see live.h */
};

/*
 * paths: files, directories (their captures, by time of the first packet) and "-".
 * Nothing is opened yet but directories are listed. NULL: no path can be used (error says why,
 * error_size bytes).
 */
struct capture *capture_open(const char *const *paths, size_t count, const struct capture_ops *ops,
	void *ctx, char *error, size_t error_size);
void capture_close(struct capture *c); /* takes NULL */

/* A BPF filter as pcap-filter(7) has it, compiled for each link type met. 0, or -1 and error. */
int capture_filter(struct capture *c, const char *expression, char *error, size_t error_size);

/*
 * The next frames, max (at least 1) at most; 0 at the end of all input. They are of one file, and
 * their data live until the next call. How many come at once depends on what happens to be in
 * memory, so that no byte is moved to make a batch full: it means nothing.
 */
size_t capture_batch(struct capture *c, struct frame *frames, size_t max);

void capture_progress(const struct capture *c, struct capture_progress *out);

/* The path of input file n, and the link types, interfaces and snap length met in it. */
const char *capture_path(const struct capture *c, size_t file);

/* Frames handed out of input file n so far. */
uint64_t capture_frames(const struct capture *c, size_t file);

/* True when some input could not be read in full. */
bool capture_incomplete(const struct capture *c);

#endif
