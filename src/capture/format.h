/*
 * A container of frames. A further one is a file with a const struct format and
 * a row in formats[] (source.c).
 */
#ifndef WAYBILL_CAPTURE_FORMAT_H
#define WAYBILL_CAPTURE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/reader.h"
#include "capture/input.h"

enum {
	FORMAT_MAGIC = 4,             /* bytes that probe is shown */
	FORMAT_FRAME_MAX = 16 << 20,  /* a longer frame is a damaged file */
	FORMAT_LINK_UNKNOWN = 0xffff, /* no LINKTYPE_ has this value */
};

/*
 * Times outside of 0 .. FORMAT_TIME_MAX (the year 2116) are nonsense and would not bear arithmetic.
 */
#define FORMAT_TIME_MAX (INT64_MAX / 2)

/* What a format has to say of its input. Sentences are static. */
struct format_notes {
	const char *broken;    /* why no more can be read; NULL: the stream ended where it may */
	const char *damaged;   /* something was wrong, reading goes on */
	size_t frames;         /* read so far by this call */
	uint64_t offset;       /* where the record that was read last begins */
	uint64_t damaged_at;   /* where the one that is damaged does */
	size_t damaged_behind; /* frames of this call before that one */
};

struct format {
	const char *name;
	bool (*probe)(const uint8_t magic[FORMAT_MAGIC]);
	void *(*open)(void); /* NULL: out of memory */
	/*
	 * Fills all of up to max frames but number and file; the number of them, 0 at the end of
	 * what can be read. More bytes are asked of the input for the first one alone: the others
	 * are those that are held whole with it, and all stay where they are until the next call.
	 */
	size_t (*read)(void *state, struct input *in, struct frame *frames, size_t max,
		struct format_notes *notes);
	void (*close)(void *state);
};

extern const struct format format_pcap;
extern const struct format format_pcapng;

/* The first thing that is wrong is the one to tell. */
static inline void
format_damaged(struct format_notes *notes, const char *what)
{
	if (notes->damaged != NULL)
		return;
	notes->damaged = what;
	notes->damaged_at = notes->offset;
	notes->damaged_behind = notes->frames;
}

/* Numbers in the byte order of whoever wrote the file. */
static inline uint16_t
format_u16(struct reader *r, bool big)
{
	return big ? reader_be16(r) : reader_le16(r);
}

static inline uint32_t
format_u32(struct reader *r, bool big)
{
	return big ? reader_be32(r) : reader_le32(r);
}

/* What to say when input_need() gave NULL: a plain end only where nothing had begun. */
static inline void
format_ended(const struct input *in, struct format_notes *notes, bool begun, const char *cut)
{
	if (input_error(in) != NULL)
		notes->broken = input_error(in);
	else if (begun || input_left(in) > 0)
		notes->broken = cut;
}

#endif
