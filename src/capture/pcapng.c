/*
 * pcapng (draft-ietf-opsawg-pcapng): blocks in sections, each section in its own
 * byte order with its own interfaces. Section headers, interfaces and the three kinds of packet
 * blocks are read; all other blocks (names, statistics, secrets, custom ones) are stepped over.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "capture/format.h"
#include "capture/tsresol.h"

enum { /* block types (section 11.1) */
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET_OBSOLETE = 2,
	BLOCK_PACKET_SIMPLE = 3,
	BLOCK_PACKET_ENHANCED = 6,
	BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in either byte order */
};

enum { /* options of an interface (section 4.2) */
	OPTION_END = 0,
	OPTION_IF_TSRESOL = 9,
	OPTION_IF_TSOFFSET = 14,
};

enum {
	BLOCK_HEAD = 8, /* type and length */
	BLOCK_TAIL = 4, /* length again */
	BLOCK_LEAST = BLOCK_HEAD + BLOCK_TAIL,
	BLOCK_SECTION_LEAST = 28,
	BLOCK_HELD_MAX = FORMAT_FRAME_MAX + (1 << 20), /* a frame and its options */
	INTERFACES_MAX = 1 << 16,                      /* of one section */
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4d

struct interface {
	uint16_t link;
	uint32_t snaplen; /* 0: unlimited */
	struct tsresol resolution;
	int64_t offset; /* seconds to add to each time */
};

struct pcapng {
	bool big;
	struct interface *interfaces; /* of this section */
	size_t interface_count, interface_room;
	uint32_t interface_base; /* those of the sections before */
	int64_t time;            /* of the frame before, for those that have none */
};

struct block {
	uint32_t type;
	uint32_t length;
	struct reader body;
};

/* What became of a block. */
enum block_result {
	BLOCK_FRAME,   /* it held a frame */
	BLOCK_TAKEN,   /* it held something else */
	BLOCK_DAMAGED, /* it does not hold what it should; notes tell */
	BLOCK_FATAL,   /* reading cannot go on; notes tell */
	BLOCK_SHORT,   /* not all of it is held */
	BLOCK_STRANGE, /* neither is all of this one, but nobody wants to read it */
};

typedef enum block_result
block_fn(struct pcapng *p, struct block *b, struct frame *f, struct format_notes *notes);

static bool pcapng_probe(const uint8_t magic[FORMAT_MAGIC]);
static void *pcapng_open(void);
static size_t pcapng_read(void *state, struct input *in, struct frame *frames, size_t max,
	struct format_notes *notes);
static void pcapng_close(void *state);
static enum block_result pcapng_held(struct pcapng *p, struct reader *held, struct frame *frames,
	size_t max, struct format_notes *notes, size_t *need);
static enum block_result pcapng_block(struct pcapng *p, struct reader *held, struct frame *f,
	struct format_notes *notes, size_t *need);
static bool
block_head(struct pcapng *p, struct reader r, struct block *b, struct format_notes *notes);
static const char *block_length_wrong(const struct block *b);
static block_fn *block_reader(uint32_t type);
static block_fn block_section, block_interface, block_enhanced, block_simple, block_obsolete;
static void interface_options(struct pcapng *p, struct interface *i, struct reader *r);
static int pcapng_add_interface(struct pcapng *p, const struct interface *i);
static enum block_result block_bytes(struct pcapng *p, struct block *b, uint32_t id,
	struct frame *f, struct format_notes *notes);
static void pcapng_stamp(struct pcapng *p, const struct interface *i, uint64_t stamp,
	struct frame *f, struct format_notes *notes);

const struct format format_pcapng = {
	.name = "pcapng",
	.probe = pcapng_probe,
	.open = pcapng_open,
	.read = pcapng_read,
	.close = pcapng_close,
};

static bool
pcapng_probe(const uint8_t magic[FORMAT_MAGIC])
{
	struct reader r = reader_init(magic, FORMAT_MAGIC);
	return reader_be32(&r) == BLOCK_SECTION;
}

static void *
pcapng_open(void)
{
	return calloc(1, sizeof(struct pcapng));
}

static void
pcapng_close(void *state)
{
	struct pcapng *p = state;
	free(p->interfaces);
	free(p);
}

static size_t
pcapng_read(
	void *state, struct input *in, struct frame *frames, size_t max, struct format_notes *notes)
{
	struct pcapng *p = state;
	enum block_result result;
	bool more;

	do {
		size_t need = 0;
		struct reader held = input_held(in);
		size_t before = held.left;
		notes->offset = input_offset(in);
		result = pcapng_held(p, &held, frames, max, notes, &need);
		input_consume(in, before - held.left);
		if (notes->frames > 0)
			return notes->frames;
		more = result == BLOCK_STRANGE
			       ? input_skip(in, need)
			       : result == BLOCK_SHORT && input_need(in, need) != NULL;
		if (!more && result != BLOCK_FATAL)
			format_ended(in, notes, need > BLOCK_LEAST,
				"file is cut off in the middle of a block");
	} while (more);
	return 0;
}

/* Reads the blocks that are held, up to max frames; the last result, which says why no further. */
static enum block_result
pcapng_held(struct pcapng *p, struct reader *held, struct frame *frames, size_t max,
	struct format_notes *notes, size_t *need)
{
	enum block_result result = BLOCK_TAKEN;

	while (notes->frames < max && result <= BLOCK_DAMAGED) {
		size_t before = held->left;
		result = pcapng_block(p, held, &frames[notes->frames], notes, need);
		if (result == BLOCK_FRAME)
			notes->frames++;
		notes->offset += before - held->left;
	}
	return result;
}

/*
 * The next block of those held. It stays where it is when it is not all there (then *need says how
 * many bytes it takes) or fatal, so that it is met again by whoever comes next.
 */
static enum block_result
pcapng_block(struct pcapng *p, struct reader *held, struct frame *f, struct format_notes *notes,
	size_t *need)
{
	struct block b;
	struct reader rest = *held;
	struct reader head = reader_sub(&rest, BLOCK_LEAST);

	*need = BLOCK_LEAST;
	if (!reader_ok(&head))
		return BLOCK_SHORT;
	if (!block_head(p, head, &b, notes))
		return BLOCK_FATAL;
	block_fn *read = block_reader(b.type);
	*need = b.length;
	rest = *held;
	struct reader whole = reader_sub(&rest, b.length);
	if (!reader_ok(&whole))
		return read != NULL ? BLOCK_SHORT : BLOCK_STRANGE;
	enum block_result result = BLOCK_TAKEN;
	if (read != NULL) {
		reader_skip(&whole, BLOCK_HEAD);
		b.body = reader_sub(&whole, b.length - BLOCK_LEAST);
		if (format_u32(&whole, p->big) != b.length)
			format_damaged(notes, "the two lengths of a block differ");
		result = read(p, &b, f, notes);
	}
	if (result != BLOCK_FATAL)
		*held = rest;
	return result;
}

/* Type and length of the next block (section 3.1). False: they make no sense, notes tell. */
static bool
block_head(struct pcapng *p, struct reader r, struct block *b, struct format_notes *notes)
{
	struct reader third = r;

	b->type = format_u32(&r, p->big);
	if (b->type == BLOCK_SECTION) {
		/* Its third field says in which byte order its length, and all that follows, is. */
		reader_skip(&third, BLOCK_HEAD);
		struct reader again = third;
		uint32_t magic = reader_be32(&third);
		if (magic != BYTE_ORDER_MAGIC && reader_le32(&again) != BYTE_ORDER_MAGIC) {
			notes->broken = "a section's byte order cannot be told";
			return false;
		}
		p->big = magic == BYTE_ORDER_MAGIC;
	}
	b->length = format_u32(&r, p->big);
	notes->broken = block_length_wrong(b);
	return notes->broken == NULL;
}

static const char *
block_length_wrong(const struct block *b)
{
	if (b->length < BLOCK_LEAST ||
		(b->type == BLOCK_SECTION && b->length < BLOCK_SECTION_LEAST))
		return "a block claims to be shorter than it can be";
	if (b->length % 4 != 0)
		return "a block's length is not a multiple of four";
	if (block_reader(b->type) != NULL && b->length > BLOCK_HELD_MAX)
		return "a block claims to be longer than it can be";
	return NULL;
}

static block_fn *
block_reader(uint32_t type)
{
	switch (type) {
	case BLOCK_SECTION: return block_section;
	case BLOCK_INTERFACE: return block_interface;
	case BLOCK_PACKET_ENHANCED: return block_enhanced;
	case BLOCK_PACKET_SIMPLE: return block_simple;
	case BLOCK_PACKET_OBSOLETE: return block_obsolete;
	default: return NULL;
	}
}

/* Section Header Block (section 4.1): forgets the interfaces of the section before. */
static enum block_result
block_section(struct pcapng *p, struct block *b, struct frame *f, struct format_notes *notes)
{
	(void)f;
	reader_skip(&b->body, 4); /* byte order magic */
	if (format_u16(&b->body, p->big) != 1) {
		notes->broken = "a section has a format version that is not known";
		return BLOCK_FATAL;
	}
	p->interface_base += (uint32_t)p->interface_count;
	p->interface_count = 0;
	return BLOCK_TAKEN;
}

/* Interface Description Block (section 4.2). */
static enum block_result
block_interface(struct pcapng *p, struct block *b, struct frame *f, struct format_notes *notes)
{
	(void)f;
	struct interface i = {.resolution = tsresol_default()};
	i.link = format_u16(&b->body, p->big);
	reader_skip(&b->body, 2);
	i.snaplen = format_u32(&b->body, p->big);
	if (!reader_ok(&b->body)) {
		/* Those that follow must keep their numbers. */
		i.link = FORMAT_LINK_UNKNOWN;
		format_damaged(notes, "the description of an interface is too short");
	}
	interface_options(p, &i, &b->body);
	if (pcapng_add_interface(p, &i) < 0) {
		notes->broken = "there are too many interfaces";
		return BLOCK_FATAL;
	}
	return BLOCK_TAKEN;
}

/* Options are type, length, value, padding to four bytes (section 3.5). */
static void
interface_options(struct pcapng *p, struct interface *i, struct reader *r)
{
	while (r->left >= 4) {
		uint16_t type = format_u16(r, p->big);
		uint16_t length = format_u16(r, p->big);
		struct reader value = reader_sub(r, length);
		reader_skip(r, (4 - length % 4u) % 4u);
		if (type == OPTION_END)
			return;
		if (type == OPTION_IF_TSRESOL) {
			uint8_t code = reader_u8(&value);
			if (reader_ok(&value))
				i->resolution = tsresol_of(code);
		} else if (type == OPTION_IF_TSOFFSET) {
			uint64_t first = format_u32(&value, p->big);
			uint64_t second = format_u32(&value, p->big);
			if (reader_ok(&value))
				i->offset = (int64_t)(p->big ? first << 32 | second
							     : second << 32 | first);
		}
	}
}

static int
pcapng_add_interface(struct pcapng *p, const struct interface *i)
{
	if (p->interface_count >= INTERFACES_MAX)
		return -1;
	if (p->interface_count == p->interface_room) {
		size_t room = p->interface_room == 0 ? 8 : p->interface_room * 2;
		struct interface *more = realloc(p->interfaces, room * sizeof *more);
		if (more == NULL)
			return -1;
		p->interfaces = more;
		p->interface_room = room;
	}
	p->interfaces[p->interface_count++] = *i;
	return 0;
}

/* Enhanced Packet Block (section 4.3). */
static enum block_result
block_enhanced(struct pcapng *p, struct block *b, struct frame *f, struct format_notes *notes)
{
	uint32_t id = format_u32(&b->body, p->big);
	uint64_t high = format_u32(&b->body, p->big);
	uint64_t stamp = high << 32 | format_u32(&b->body, p->big);

	f->caplen = format_u32(&b->body, p->big);
	f->len = format_u32(&b->body, p->big);
	enum block_result result = block_bytes(p, b, id, f, notes);
	if (result == BLOCK_FRAME && id < p->interface_count)
		pcapng_stamp(p, &p->interfaces[id], stamp, f, notes);
	return result;
}

/* Packet Block, the obsolete one (appendix A). */
static enum block_result
block_obsolete(struct pcapng *p, struct block *b, struct frame *f, struct format_notes *notes)
{
	uint16_t id = format_u16(&b->body, p->big);
	reader_skip(&b->body, 2); /* drops */
	uint64_t high = format_u32(&b->body, p->big);
	uint64_t stamp = high << 32 | format_u32(&b->body, p->big);

	f->caplen = format_u32(&b->body, p->big);
	f->len = format_u32(&b->body, p->big);
	enum block_result result = block_bytes(p, b, id, f, notes);
	if (result == BLOCK_FRAME && id < p->interface_count)
		pcapng_stamp(p, &p->interfaces[id], stamp, f, notes);
	return result;
}

/* Simple Packet Block (section 4.4): of the first interface, without a time. */
static enum block_result
block_simple(struct pcapng *p, struct block *b, struct frame *f, struct format_notes *notes)
{
	f->len = format_u32(&b->body, p->big);
	f->caplen = f->len;
	if (p->interface_count > 0 && p->interfaces[0].snaplen != 0 &&
		f->caplen > p->interfaces[0].snaplen)
		f->caplen = p->interfaces[0].snaplen;
	if (f->caplen > b->body.left)
		f->caplen = (uint32_t)b->body.left;
	return block_bytes(p, b, 0, f, notes);
}

/* The bytes of a frame whose caplen is known; its time is that of the frame before until told. */
static enum block_result
block_bytes(
	struct pcapng *p, struct block *b, uint32_t id, struct frame *f, struct format_notes *notes)
{
	if (f->caplen > b->body.left) {
		format_damaged(notes, "a packet claims more bytes than its block has");
		f->caplen = (uint32_t)b->body.left;
	}
	f->data = reader_take(&b->body, f->caplen);
	if (!reader_ok(&b->body)) {
		format_damaged(notes, "a block is too short for a packet");
		return BLOCK_DAMAGED;
	}
	f->time = p->time;
	f->interface = p->interface_base + id;
	if (id < p->interface_count) {
		f->link = p->interfaces[id].link;
	} else {
		f->link = FORMAT_LINK_UNKNOWN;
		format_damaged(notes, "a packet is of an interface that was not described");
	}
	return BLOCK_FRAME;
}

static void
pcapng_stamp(struct pcapng *p, const struct interface *i, uint64_t stamp, struct frame *f,
	struct format_notes *notes)
{
	int64_t time;
	if (tsresol_time(&i->resolution, stamp, i->offset, &time) < 0 || time > FORMAT_TIME_MAX) {
		format_damaged(notes,
			"a packet's time is out of range, that of the packet before is used");
		return;
	}
	f->time = p->time = time;
}
