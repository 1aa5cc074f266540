/*
 * UFTP 4 (protocol.txt of its distribution, sections 5.1 to 5.3): files by multicast or to one host, by name and
 * block. FILEINFO names a file, FILESEG brings its blocks in any order, again where somebody missed them. A session
 * with encryption is recognised, and its volume inferred. Not read: which clients have which file; UFTP 5 is recognised.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

enum message { /* section 5.3.1 */
	MESSAGE_ANNOUNCE = 1,
	MESSAGE_FILEINFO = 7,
	MESSAGE_FILESEG = 9,
	MESSAGE_DONE = 10,
	MESSAGE_DONE_CONF = 13,
	MESSAGE_ENCRYPTED = 18,
	MESSAGE_ABORT = 19,
	MESSAGE_MAX = 21,
};

enum {
	VERSION_4 = 0x40,
	VERSION_5 = 0x50,
	HEADER_SIZE = 16,      /* section 5.2.1 */
	FILE_REGULAR = 0,      /* section 5.3.8 */
	STATUS_BITS = 8,       /* a STATUS has a block's bytes, and a bit for each block of a section */
};

struct uftp {
	struct session *session;
	struct transfer *transfer; /* NULL: none, or no regular file */
	uint16_t file;             /* its number; 0: none */
	uint64_t size;
	uint32_t block_size;       /* 0: no block seen yet */
	bool encrypted;
};

struct head {
	uint8_t version, message;
	struct reader fields; /* of the message, behind its header length */
	struct reader body;   /* behind its header */
};

static bool read_head(const uint8_t *bytes, size_t len, struct head *out);
static void take_info(struct uftp *u, enum side from, struct head *h);
static void take_segment(struct uftp *u, struct head *h);
static uint64_t offset_of(const struct uftp *u, uint16_t section, uint16_t block);
static void file_end(struct uftp *u, enum transfer_state state);

static enum verdict
uftp_probe(const struct probe *p)
{
	struct head h;
	for (size_t side = 0; side < 2; side++)
		if (p->len[side] >= HEADER_SIZE && read_head(p->bytes[side], p->len[side], &h))
			return VERDICT_DONE;
	return VERDICT_NOT_MINE;
}

static void *
uftp_open(struct session *s)
{
	struct uftp *u = calloc(1, sizeof *u);
	if (u != NULL)
		u->session = s;
	return u;
}

static enum verdict
uftp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct uftp *u = state;
	struct head h;
	if (!read_head(bytes, len, &h))
		return VERDICT_MORE;
	if (h.message == MESSAGE_ENCRYPTED && !u->encrypted) {
		u->encrypted = true;
		session_unreadable(u->session, "encrypted");
	}
	if (h.version != VERSION_4)
		return VERDICT_MORE;
	switch (h.message) {
	case MESSAGE_FILEINFO:
		take_info(u, from, &h);
		break;
	case MESSAGE_FILESEG:
		take_segment(u, &h);
		break;
	case MESSAGE_DONE: /* of file 0: of all */
		if (reader_be16(&h.fields) == 0 && reader_ok(&h.fields))
			file_end(u, TRANSFER_TRUNCATED);
		break;
	case MESSAGE_ABORT:
		file_end(u, TRANSFER_ABORTED);
		break;
	default:
		break;
	}
	return VERDICT_MORE;
}

/* A datagram was cut by the capture: what it held is missing in the file. */
static enum verdict
uftp_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_MORE;
}

static void
uftp_close(void *state, bool reset)
{
	struct uftp *u = state;
	(void)reset;
	file_end(u, TRANSFER_TRUNCATED);
	free(u);
}

const struct proto proto_uftp = {
        .name = "uftp",
        .transport = IPPROTO_UDP,
        .ports = {1044},
        .reads = "UFTP 4: files with name, size, content and hash",
        .infers = "encrypted sessions, from volume",
        .misses = "which of the clients received a file; files of UFTP 5",
        .probe = uftp_probe,
        .open = uftp_open,
        .data = uftp_data,
        .gap = uftp_gap,
        .end = NULL,
        .close = uftp_close,
};

/* The common header and the message's: the same function in both, and lengths that fit. */
static bool
read_head(const uint8_t *bytes, size_t len, struct head *out)
{
	struct reader r = reader_init(bytes, len);

	out->version = reader_u8(&r);
	out->message = reader_u8(&r);
	if ((out->version != VERSION_4 && out->version != VERSION_5) || out->message == 0 || out->message > MESSAGE_MAX)
		return false;
	reader_skip(&r, 2); /* sequence number */
	const uint32_t source = reader_be32(&r), group = reader_be32(&r);
	reader_skip(&r, 3); /* instance, round trip time, size of the group */
	const uint8_t reserved = reader_u8(&r), message = reader_u8(&r);
	const size_t header = 4 * (size_t)reader_u8(&r);
	if (!reader_ok(&r) || reserved != 0 || source == 0 || group == 0 || message != out->message || header < 4)
		return false;
	out->fields = reader_sub(&r, header - 2);
	out->body = r;
	return reader_ok(&r);
}

/* Section 5.2.9; told again for each client that has not answered. */
static void
take_info(struct uftp *u, enum side from, struct head *h)
{
	struct reader *r = &h->fields;
	const uint16_t file = reader_be16(r);
	const uint8_t type = reader_u8(r);
	reader_skip(r, 3);
	const size_t name_len = 4 * (size_t)reader_u8(r);
	reader_skip(r, 1); /* length of a link's target */
	uint64_t size = (uint64_t)reader_be16(r) << 32;
	size |= reader_be32(r);
	reader_skip(r, 4 + 8); /* times */
	const uint8_t *name = reader_take(r, name_len);
	if (!reader_ok(r) || file == 0 || file == u->file)
		return;
	file_end(u, TRANSFER_TRUNCATED);
	u->file = file;
	u->size = size;
	u->block_size = 0;
	if (type != FILE_REGULAR)
		return;
	const size_t len = name_len > 0 ? strnlen((const char *)name, name_len) : 0;
	u->transfer = transfer_begin(u->session, &(struct transfer_start){.sender = from, .method = "FILEINFO", .path = name,
	                             .path_len = len, .size_known = true, .size = size});
	if (size == 0)
		transfer_accepted(u->transfer); /* no block follows */
}

static void
take_segment(struct uftp *u, struct head *h)
{
	const uint16_t file = reader_be16(&h->fields), section = reader_be16(&h->fields), block = reader_be16(&h->fields);
	if (!reader_ok(&h->fields) || file != u->file || u->transfer == NULL || h->body.left == 0)
		return;
	/* All blocks but the last one are as long as each other. */
	if (h->body.left > u->block_size)
		u->block_size = (uint32_t)h->body.left;
	const uint64_t offset = offset_of(u, section, block);
	if (offset < u->size && h->body.left <= u->size - offset)
		transfer_data(u->transfer, offset, h->body.next, h->body.left);
}

/*
 * As many sections as are needed for a STATUS to have a bit for each block of one; the first ones have a block more
 * where they can't all be the same.
 */
static uint64_t
offset_of(const struct uftp *u, uint16_t section, uint16_t block)
{
	const uint64_t blocks = (u->size + u->block_size - 1) / u->block_size;
	const uint64_t most = (uint64_t)u->block_size * STATUS_BITS;
	const uint64_t sections = (blocks + most - 1) / most;
	if (sections <= 1)
		return (uint64_t)block * u->block_size;
	const uint64_t each = blocks / sections, larger = blocks % sections;
	const uint64_t before = section * each + (section < larger ? section : larger);
	return (before + block) * u->block_size;
}

static void
file_end(struct uftp *u, enum transfer_state state)
{
	if (u->transfer != NULL)
		transfer_end(u->transfer, state);
	u->transfer = NULL;
	u->file = 0;
}
