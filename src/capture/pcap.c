/*
 * Classic pcap (draft-ietf-opsawg-pcap): a header, then frames with a header
 * each. Read as well: the "modified" format of Alexey Kuznetsov's patches, whose frame headers are
 * 8 bytes longer, and files from before version 2.4, whose two lengths may have changed places.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "capture/format.h"

enum {
	PCAP_HEADER = 24,
	PCAP_FRAME_HEADER = 16,
	PCAP_FRAME_HEADER_MODIFIED = 24, /* + interface index, protocol, packet type, padding */
};

/* Which of a frame header's two lengths comes first. */
enum pcap_lengths {
	PCAP_CAPTURED_FIRST, /* since 2.4 */
	PCAP_WIRE_FIRST,     /* before 2.3 */
	PCAP_EITHER,         /* 2.3: both were written; the smaller is the captured one */
};

struct pcap_kind {
	uint32_t magic;
	int64_t unit; /* ns of the fraction */
	size_t frame_header;
};

struct pcap {
	bool opened; /* the header was read */
	bool big;
	struct pcap_kind kind;
	enum pcap_lengths lengths;
	uint16_t link;
};

static const struct pcap_kind pcap_kinds[] = {
	{0xa1b2c3d4, 1000, PCAP_FRAME_HEADER},
	{0xa1b23c4d, 1, PCAP_FRAME_HEADER},
	{0xa1b2cd34, 1000, PCAP_FRAME_HEADER_MODIFIED},
};

static bool pcap_probe(const uint8_t magic[FORMAT_MAGIC]);
static void *pcap_open(void);
static size_t pcap_read(void *state, struct input *in, struct frame *frames, size_t max,
	struct format_notes *notes);
static const struct pcap_kind *pcap_kind_of(const uint8_t magic[FORMAT_MAGIC], bool *big);
static bool pcap_header(struct pcap *p, struct input *in, struct format_notes *notes);
static size_t pcap_frame(const struct pcap *p, struct reader *held, struct frame *f);
static enum pcap_lengths
pcap_lengths_of(const struct pcap_kind *kind, uint16_t major, uint16_t minor);
static void pcap_frame_header(const struct pcap *p, struct reader r, struct frame *f);

const struct format format_pcap = {
	.name = "pcap",
	.probe = pcap_probe,
	.open = pcap_open,
	.read = pcap_read,
	.close = free,
};

static bool
pcap_probe(const uint8_t magic[FORMAT_MAGIC])
{
	bool big;
	return pcap_kind_of(magic, &big) != NULL;
}

static const struct pcap_kind *
pcap_kind_of(const uint8_t magic[FORMAT_MAGIC], bool *big)
{
	for (int order = 0; order < 2; order++) {
		struct reader r = reader_init(magic, FORMAT_MAGIC);
		*big = order == 1;
		uint32_t value = format_u32(&r, *big);
		for (size_t i = 0; i < sizeof pcap_kinds / sizeof pcap_kinds[0]; i++)
			if (pcap_kinds[i].magic == value)
				return &pcap_kinds[i];
	}
	return NULL;
}

static void *
pcap_open(void)
{
	return calloc(1, sizeof(struct pcap));
}

static size_t
pcap_read(
	void *state, struct input *in, struct frame *frames, size_t max, struct format_notes *notes)
{
	struct pcap *p = state;
	size_t need;

	if (!p->opened && !pcap_header(p, in, notes))
		return 0;
	const size_t most = p->kind.frame_header + FORMAT_FRAME_MAX;
	do {
		struct reader held = input_held(in);
		size_t before = held.left;
		notes->offset = input_offset(in);
		do
			need = pcap_frame(p, &held, &frames[notes->frames]);
		while (need == 0 && ++notes->frames < max);
		input_consume(in, before - held.left);
	} while (notes->frames == 0 && need <= most && input_need(in, need) != NULL);
	if (notes->frames > 0)
		return notes->frames;
	if (need > most)
		notes->broken = "a packet claims to be longer than any can be";
	else if (need > p->kind.frame_header)
		format_ended(in, notes, true, "file is cut off in the middle of a packet");
	else
		format_ended(
			in, notes, false, "file is cut off in the middle of a packet's header");
	return 0;
}

/* The next frame of those held: 0, or how many bytes it takes when not all of them are there. */
static size_t
pcap_frame(const struct pcap *p, struct reader *held, struct frame *f)
{
	struct reader r = *held;
	struct reader header = reader_sub(&r, PCAP_FRAME_HEADER);

	reader_skip(&r, p->kind.frame_header - PCAP_FRAME_HEADER);
	if (!reader_ok(&r))
		return p->kind.frame_header;
	pcap_frame_header(p, header, f);
	f->data = reader_take(&r, f->caplen);
	if (!reader_ok(&r) || f->caplen > FORMAT_FRAME_MAX)
		return p->kind.frame_header + (size_t)f->caplen;
	*held = r;
	return 0;
}

/* The file's header (draft-ietf-opsawg-pcap section 4). False: there is none, notes tell why. */
static bool
pcap_header(struct pcap *p, struct input *in, struct format_notes *notes)
{
	const uint8_t *bytes = input_need(in, PCAP_HEADER);
	if (bytes == NULL) {
		format_ended(in, notes, true, "file is cut off in its header");
		return false;
	}
	p->kind = *pcap_kind_of(bytes, &p->big);

	struct reader r = reader_init(bytes + FORMAT_MAGIC, PCAP_HEADER - FORMAT_MAGIC);
	uint16_t major = format_u16(&r, p->big);
	uint16_t minor = format_u16(&r, p->big);
	reader_skip(&r, 12); /* two reserved fields and the snap length, which binds nobody */
	/* The upper half holds the length of the FCS, not the link type. */
	p->link = (uint16_t)(format_u32(&r, p->big) & 0xffff);
	p->lengths = pcap_lengths_of(&p->kind, major, minor);
	p->opened = true;
	input_consume(in, PCAP_HEADER);
	return true;
}

/*
 * The order of the two lengths was settled with version 2.4. Formats that are younger than that
 * (nanoseconds, modified) never had another, whatever version they write.
 */
static enum pcap_lengths
pcap_lengths_of(const struct pcap_kind *kind, uint16_t major, uint16_t minor)
{
	if (kind->magic != pcap_kinds[0].magic || major > 2 || minor >= 4)
		return PCAP_CAPTURED_FIRST;
	return minor == 3 ? PCAP_EITHER : PCAP_WIRE_FIRST;
}

static void
pcap_frame_header(const struct pcap *p, struct reader r, struct frame *f)
{
	int64_t seconds = format_u32(&r, p->big);
	int64_t fraction = format_u32(&r, p->big);
	uint32_t captured = format_u32(&r, p->big);
	uint32_t wire = format_u32(&r, p->big);

	bool swapped =
		p->lengths == PCAP_WIRE_FIRST || (p->lengths == PCAP_EITHER && captured > wire);
	f->time = seconds * CLOCK_SECOND + fraction * p->kind.unit;
	f->caplen = swapped ? wire : captured;
	f->len = swapped ? captured : wire;
	f->interface = 0;
	f->link = p->link;
}
