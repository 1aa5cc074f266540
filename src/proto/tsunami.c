/*
 * Tsunami UDP's blocks, by its public sources' description: a block's number from 1 on in four bytes, its kind in two
 * ('O' sent first, 'R' sent again, 'X' the last one), then as many bytes of the file as in every other block. There is no other
 * specification. Known by its first block and given back where the next ones don't follow; the file's name and size are in a TCP
 * connection that is not read, so that the file has no name here, and its hash is told as of what was seen.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/reader.h"

enum {
	HEADER_SIZE = 6,
	BLOCK_MIN = 256,
	BLOCKS_SURE = 8, /* in a row, before a file is told */
	ORIGINAL = 'O',
	AGAIN = 'R',
	LAST = 'X',
};

struct tsunami {
	struct session *session;
	struct transfer *transfer; /* NULL: not sure yet, or over */
	enum side sender;
	uint32_t block_size;
	uint32_t next;             /* block */
	uint32_t seen;
	bool over;
};

static bool read_block(const uint8_t *bytes, size_t len, uint32_t *number, uint16_t *kind);
static void file_begin(struct tsunami *t);

static enum verdict
tsunami_probe(const struct probe *p)
{
	uint32_t number;
	uint16_t kind;
	for (size_t side = 0; side < 2; side++)
		if (read_block(p->bytes[side], p->len[side], &number, &kind) && number == 1 && kind == ORIGINAL &&
		        p->len[side_other((enum side)side)] == 0)
			return VERDICT_DONE;
	return VERDICT_NOT_MINE;
}

static void *
tsunami_open(struct session *s)
{
	struct tsunami *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->session = s;
	t->next = 1;
	session_protocol_none(s); /* until more blocks follow */
	return t;
}

static enum verdict
tsunami_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct tsunami *t = state;
	uint32_t number;
	uint16_t kind;

	if (!read_block(bytes, len, &number, &kind))
		return t->transfer != NULL ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (t->block_size == 0) {
		t->sender = from;
		t->block_size = (uint32_t)len - HEADER_SIZE;
	}
	if (from != t->sender || len - HEADER_SIZE != t->block_size)
		return t->transfer != NULL ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (t->transfer == NULL && !t->over && (number != t->next++ || kind != ORIGINAL))
		return VERDICT_NOT_MINE;
	if (++t->seen == BLOCKS_SURE)
		file_begin(t);
	if (t->transfer != NULL)
		transfer_data(t->transfer, (uint64_t)(number - 1) * t->block_size, bytes + HEADER_SIZE, t->block_size);
	if (kind == LAST && t->transfer != NULL) {
		transfer_end(t->transfer, TRANSFER_TRUNCATED);
		t->transfer = NULL;
		t->over = true;
	}
	return VERDICT_MORE;
}

static enum verdict
tsunami_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_MORE;
}

static void
tsunami_close(void *state, bool reset)
{
	struct tsunami *t = state;
	(void)reset;
	if (t->transfer != NULL)
		transfer_end(t->transfer, TRANSFER_TRUNCATED);
	free(t);
}

const struct proto proto_tsunami = {
        .name = "tsunami",
        .transport = IPPROTO_UDP,
        .ports = {46224},
        .reads = "blocks of a file by their numbers",
        .infers = NULL,
        .misses = "the file's name and true size; blocks before the eighth, which prove what it is",
        .probe = tsunami_probe,
        .open = tsunami_open,
        .data = tsunami_data,
        .gap = tsunami_gap,
        .end = NULL,
        .close = tsunami_close,
};

static bool
read_block(const uint8_t *bytes, size_t len, uint32_t *number, uint16_t *kind)
{
	struct reader r = reader_init(bytes, len);
	*number = reader_be32(&r);
	*kind = reader_be16(&r);
	return reader_ok(&r) && r.left >= BLOCK_MIN && *number > 0 && (*kind == ORIGINAL || *kind == AGAIN || *kind == LAST);
}

static void
file_begin(struct tsunami *t)
{
	session_protocol(t->session, "tsunami", "content");
	t->transfer = transfer_begin(t->session, &(struct transfer_start){.sender = t->sender, .method = "blocks"});
}
