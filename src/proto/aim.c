/*
 * OFT, version 2: files between AIM and ICQ clients over a connection of their own: name, size, content. It has no
 * specification of its maker; the header is known from open clients. Not read: OSCAR itself, in which it is arranged,
 * folders' structure beyond the names, Macintosh resource forks.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/feed.h"

enum { HEADER_SIZE = 256, HEADER_MAX = 1024, NAME_AT = 192 };

enum {
	OFT_PROMPT = 0x0101,
	OFT_RESUME_OFFER = 0x0106,
	OFT_ACK = 0x0202,
	OFT_DONE = 0x0204,
	OFT_RESUME = 0x0205,
	OFT_RESUME_ACK = 0x0207,
};

struct half {
	struct feed feed;
	bool over;
	uint32_t left;   /* of content; UINT32_MAX and content: not known whether it comes */
	bool content;    /* what comes may be content */
	bool certain;    /* and is */
};

struct aim {
	struct session *session;
	struct half half[2];
	enum side sender;
	struct transfer *transfer;
	uint32_t size, from;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t header_step(struct aim *a, enum side from, const uint8_t *bytes, size_t len);
static void prompt(struct aim *a, enum side from, struct reader r, uint32_t size);
static void end(struct aim *a, enum transfer_state state);
static enum verdict probe_half(const uint8_t *bytes, size_t len);

static enum verdict
aim_probe(const struct probe *p)
{
	enum verdict a = probe_half(p->bytes[0], p->len[0]), b = probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_NOT_MINE || b == VERDICT_NOT_MINE)
		return VERDICT_NOT_MINE;
	return a == VERDICT_DONE || b == VERDICT_DONE ? VERDICT_DONE : VERDICT_MORE;
}

/* "OFT2", a length and a type. */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return VERDICT_MORE;
	if (memcmp(bytes, "OFT2", len < 4 ? len : 4) != 0)
		return VERDICT_NOT_MINE;
	if (len < 8)
		return VERDICT_MORE;
	struct reader r = reader_init(bytes + 4, 4);
	uint16_t size = reader_be16(&r), type = reader_be16(&r);
	return size >= HEADER_SIZE && size <= HEADER_MAX && (type >> 8 == 1 || type >> 8 == 2) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static void *
aim_open(struct session *s)
{
	struct aim *a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	a->session = s;
	return a;
}

static enum verdict
aim_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct aim *a = state;
	struct half *half = &a->half[from];

	if (!half->over && feed_bytes(&half->feed, step, a, from, bytes, len, NULL) != FEED_MORE) {
		half->over = true;
		if (from == a->sender)
			end(a, TRANSFER_TRUNCATED);
	}
	return VERDICT_MORE;
}

static enum verdict
aim_gap(void *state, enum side from, uint64_t len)
{
	struct aim *a = state;
	struct half *half = &a->half[from];

	feed_gap(&half->feed);
	if (half->content && half->certain && len <= half->left) {
		transfer_skip(a->transfer, len);
		half->left -= (uint32_t)len;
		half->content = half->left > 0;
		return VERDICT_MORE;
	}
	half->over = true;
	if (from == a->sender)
		end(a, TRANSFER_TRUNCATED);
	return VERDICT_MORE;
}

static void
aim_close(void *state, bool reset)
{
	struct aim *a = state;
	end(a, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	feed_clear(&a->half[0].feed);
	feed_clear(&a->half[1].feed);
	free(a);
}

static bool
aim_finished(const void *state)
{
	const struct aim *a = state;
	return a->transfer == NULL;
}

const struct proto proto_aim = {
        .name = "aim",
        .transport = IPPROTO_TCP,
        .ports = {5190},
        .reads = "direct file transfers of AIM and ICQ (OFT2) with name, size, content and direction",
        .infers = "",
        .misses = "the conversation (OSCAR) in which they are arranged, and its accounts",
        .probe = aim_probe,
        .open = aim_open,
        .data = aim_data,
        .gap = aim_gap,
        .end = NULL,
        .close = aim_close,
        .finished = aim_finished,
};

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct aim *a = ctx;
	struct half *half = &a->half[from];

	/* Where the receiver's answer was not seen, a next header tells that nothing came. */
	if (half->content && !half->certain) {
		if (memcmp(bytes, "OFT2", len < 4 ? len : 4) == 0 && half->left >= 4 && len < 4)
			return STEP_MORE;
		if (len >= 4 && memcmp(bytes, "OFT2", 4) == 0)
			half->content = false;
		else
			half->certain = true;
	}
	if (!half->content)
		return header_step(a, from, bytes, len);
	size_t n = len < half->left ? len : half->left;
	transfer_append(a->transfer, bytes, n);
	half->left -= (uint32_t)n;
	half->content = half->left > 0;
	if (half->left == 0)
		end(a, TRANSFER_COMPLETE);
	return n;
}

static size_t
header_step(struct aim *a, enum side from, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	const uint8_t *sign = reader_take(&r, 4);
	size_t size = reader_be16(&r);
	uint16_t type = reader_be16(&r);
	struct half *other = &a->half[side_other(from)];

	if (!reader_ok(&r))
		return STEP_MORE;
	if (memcmp(sign, "OFT2", 4) != 0 || size < HEADER_SIZE || size > HEADER_MAX)
		return STEP_LOST;
	if (len < size)
		return STEP_MORE;
	reader_skip(&r, 8 + 2 + 2 + 2 + 2 + 2 + 2 + 4); /* cookie, encryption, compression, counts, size of all */
	uint32_t file_size = reader_be32(&r);
	reader_skip(&r, 24);
	uint32_t received = reader_be32(&r);
	if (type == OFT_PROMPT) {
		prompt(a, from, reader_init(bytes, size), file_size);
	} else if (type == OFT_RESUME || type == OFT_RESUME_OFFER) {
		a->from = received <= a->size ? received : 0;
		transfer_offset(a->transfer, a->from);
		a->half[a->sender].left = a->size - a->from;
	} else if ((type == OFT_ACK || type == OFT_RESUME_ACK) && from != a->sender && a->transfer != NULL) {
		other->certain = other->content = other->left > 0;
		transfer_accepted(a->transfer);
		if (other->left == 0)
			end(a, TRANSFER_COMPLETE);
	} else if (type == OFT_DONE && from != a->sender && a->size == 0) {
		end(a, TRANSFER_COMPLETE);
	}
	return size;
}

/* A file is offered; its bytes follow the answer. */
static void
prompt(struct aim *a, enum side from, struct reader r, uint32_t size)
{
	uint8_t name[HEADER_MAX];
	size_t len = 0, unit;

	reader_skip(&r, NAME_AT - 4);
	uint16_t encoding = reader_be16(&r);
	reader_skip(&r, 2);
	unit = encoding == 2 ? 2 : 1; /* UCS-2, else ASCII or Latin-1 */
	while (r.left >= unit) {
		const uint8_t *at = reader_take(&r, unit);
		if (at[0] == 0 && (unit == 1 || at[1] == 0))
			break;
		/* Folders are told by a byte of their own. */
		memcpy(name + len, unit == 1 && at[0] == 1 ? (const uint8_t *)"/" : at, unit);
		len += unit;
	}
	end(a, TRANSFER_TRUNCATED);
	a->sender = from;
	a->size = size;
	a->from = 0;
	a->half[from].left = size;
	a->half[from].content = size > 0;
	a->half[from].certain = false;
	a->transfer = transfer_begin(a->session, &(struct transfer_start){.sender = from,
	                                                 .method = "OFT2",
	                                                 .path = name,
	                                                 .path_len = len,
	                                                 .charset = encoding == 2 ? "utf-16be" : encoding == 3 ? "iso-8859-1" : NULL,
	                                                 .size_known = true,
	                                                 .size = size});
}

static void
end(struct aim *a, enum transfer_state state)
{
	transfer_end(a->transfer, state);
	a->transfer = NULL;
}
