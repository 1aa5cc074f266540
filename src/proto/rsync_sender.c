/*
 * What an rsync sender sends, once multiplexing is undone (io.c, sender.c, token.c, match.c of rsync): the file
 * lists, then for each file its index, the receiver's block sums by number, and the file as tokens: literal bytes, or
 * the number of a block that the receiver has. A file of literals only is seen whole; of others the blocks are
 * missing. Literals that are compressed are counted as sent.
 */
#include "config.h"

#include "proto/rsync.h"

#include <string.h>

enum { /* rsync.h: NDX_*, ITEM_* */
	NDX_DONE = -1,
	NDX_FLIST_EOF = -2,
	NDX_DEL_STATS = -3,
	NDX_FLIST = -101, /* and lower: the list of a folder */
	ITEM_BASIS_TYPE = 1 << 11,
	ITEM_XNAME = 1 << 12,
	ITEM_TRANSFER = 1 << 15,
	TOKEN_DEFLATED = 0x40,
	TOKEN_LONG = 0x20,
	LITERAL_MAX = 1 << 17,
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t filters(struct rsync_sender *s, struct reader r);
static size_t list(struct rsync_sender *s, struct reader r);
static size_t ids(struct rsync_sender *s, struct reader r);
static bool read_index(struct rsync_sender *s, struct reader *r, int32_t *index);
static size_t index_step(struct rsync_sender *s, struct reader r);
static void done(struct rsync_sender *s);
static size_t file(struct rsync_sender *s, struct reader *r, const uint8_t *start, int32_t index);
static void begin(struct rsync_sender *s, int32_t index);
static size_t token(struct rsync_sender *s, struct reader r);
static size_t compressed_token(struct rsync_sender *s, struct reader r);
static size_t blocks(struct rsync_sender *s, int64_t first, int64_t count);
static size_t literal(struct rsync_sender *s, const uint8_t *bytes, size_t len);
static void end(struct rsync_sender *s, enum transfer_state state);

void
rsync_sender_open(struct rsync_sender *s)
{
	const struct rsync_options *o = s->format.options;
	bool wants_filters = o->sender || o->prune || o->deletes;

	s->step = wants_filters && !o->sender ? RSYNC_FILTERS : RSYNC_LIST;
	s->ids_left = s->format.recurse || o->numeric_ids ? 0 : (o->owner ? 1u : 0) + (o->group ? 1u : 0);
	s->positive = -1;
	s->negative = 1;
	s->live = 1;
	rsync_list_begin(s->lists);
	if (o->unreadable)
		s->step = RSYNC_OVER;
}

bool
rsync_sender_bytes(struct rsync_sender *s, const uint8_t *bytes, size_t len)
{
	if (s->step != RSYNC_OVER && feed_bytes(&s->feed, step, s, s->side, bytes, len, NULL) == FEED_MORE)
		return true;
	s->step = RSYNC_OVER;
	end(s, TRANSFER_TRUNCATED);
	return false;
}

void
rsync_sender_gap(struct rsync_sender *s, uint64_t len)
{
	feed_gap(&s->feed);
	if (s->step == RSYNC_LITERAL && len <= s->left) {
		s->left -= (uint32_t)len;
		s->literal += len;
		s->at += len;
		if (!s->compressed)
			transfer_skip(s->transfer, len);
		if (s->left == 0)
			s->step = RSYNC_TOKEN;
		return;
	}
	s->step = RSYNC_OVER;
	end(s, TRANSFER_TRUNCATED);
}

void
rsync_sender_close(struct rsync_sender *s, bool reset)
{
	end(s, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	feed_clear(&s->feed);
}

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct rsync_sender *s = ctx;
	struct reader r = reader_init(bytes, len);
	(void)from;

	switch (s->step) {
	case RSYNC_FILTERS:
		return filters(s, r);
	case RSYNC_LIST:
		return list(s, r);
	case RSYNC_IDS:
		return ids(s, r);
	case RSYNC_INDEX:
		return index_step(s, r);
	case RSYNC_TOKEN:
		return s->compressed ? compressed_token(s, r) : token(s, r);
	case RSYNC_LITERAL:
		return literal(s, bytes, len);
	case RSYNC_SUM: {
		size_t n = s->sum_left < len ? s->sum_left : len;
		s->sum_left -= (uint32_t)n;
		if (s->sum_left == 0)
			s->step = RSYNC_INDEX;
		return n;
	}
	case RSYNC_OVER:
		break;
	}
	return STEP_LOST;
}

/* Rules, each behind its length, up to one of length 0 (exclude.c, send_rules). */
static size_t
filters(struct rsync_sender *s, struct reader r)
{
	uint32_t n = reader_le32(&r);
	if (n > FEED_MAX - 4)
		return STEP_LOST;
	reader_skip(&r, n);
	if (!reader_ok(&r))
		return STEP_MORE;
	if (n == 0)
		s->step = RSYNC_LIST;
	return 4 + (size_t)n;
}

static size_t
list(struct rsync_sender *s, struct reader r)
{
	const uint8_t *start = r.next;

	switch (rsync_list_read(s->lists, &s->format, &r)) {
	case RSYNC_MORE:
		return STEP_MORE;
	case RSYNC_BAD:
		return STEP_LOST;
	case RSYNC_ENTRY:
		break;
	case RSYNC_END:
		rsync_list_end(s->lists, &s->format);
		s->step = s->ids_left > 0 || s->format.protocol < 30 ? RSYNC_IDS : RSYNC_INDEX;
		break;
	}
	return (size_t)(r.next - start);
}

/* Numbers and names of users, then of groups (uidlist.c); before protocol 30 an error count closes the list. */
static size_t
ids(struct rsync_sender *s, struct reader r)
{
	const uint8_t *start = r.next;

	if (s->ids_left == 0) {
		reader_skip(&r, 4);
		s->step = reader_ok(&r) ? RSYNC_INDEX : s->step;
		return reader_ok(&r) ? 4 : STEP_MORE;
	}
	uint32_t id = s->format.protocol >= 30 ? (uint32_t)rsync_varint(&r) : reader_le32(&r);
	if (id != 0 || s->format.id0_names)
		reader_skip(&r, reader_u8(&r));
	if (!reader_ok(&r))
		return STEP_MORE;
	if (id == 0 && --s->ids_left == 0 && s->format.protocol >= 30)
		s->step = RSYNC_INDEX;
	return (size_t)(r.next - start);
}

/* Differences to the last of their sign, from protocol 30 on (io.c, read_ndx). */
static bool
read_index(struct rsync_sender *s, struct reader *r, int32_t *index)
{
	if (s->format.protocol < 30) {
		*index = (int32_t)reader_le32(r);
		return reader_ok(r);
	}
	uint8_t first = reader_u8(r);
	bool negative = first == 0xff;
	if (negative)
		first = reader_u8(r);
	*index = NDX_DONE;
	if (first == 0 && !negative)
		return reader_ok(r);
	uint32_t number = (uint32_t)(negative ? s->negative : s->positive) + first;
	if (first == 0xfe) {
		uint16_t low = reader_be16(r);
		number = (low & 0x8000) != 0 ? (uint32_t)(low & 0x7f00) << 16 | (low & 0xffu)
		                             : (uint32_t)(negative ? s->negative : s->positive) + low;
		if ((low & 0x8000) != 0)
			number |= (uint32_t)reader_le16(r) << 8;
	}
	if (!reader_ok(r) || number > INT32_MAX)
		return false;
	if (negative)
		s->negative = (int32_t)number;
	else
		s->positive = (int32_t)number;
	*index = negative ? -(int32_t)number : (int32_t)number;
	return true;
}

static size_t
index_step(struct rsync_sender *s, struct reader r)
{
	const uint8_t *start = r.next;
	int32_t index, positive = s->positive, negative = s->negative;

	if (!read_index(s, &r, &index))
		return reader_ok(&r) ? STEP_LOST : STEP_MORE;
	if (index == NDX_DEL_STATS)
		for (size_t i = 0; i < 5; i++)
			(void)rsync_varint(&r);
	if (index >= 0) {
		size_t n = file(s, &r, start, index);
		if (n == STEP_MORE) {
			s->positive = positive;
			s->negative = negative;
		}
		return n;
	}
	if (!reader_ok(&r)) {
		s->negative = negative;
		return STEP_MORE;
	}
	if (index == NDX_DONE) {
		done(s);
	} else if (index <= NDX_FLIST) {
		rsync_list_begin(s->lists);
		s->live++;
		s->step = RSYNC_LIST;
	} else if (index != NDX_FLIST_EOF && index != NDX_DEL_STATS) {
		return STEP_LOST;
	}
	return (size_t)(r.next - start);
}

/* A list is through or, behind the last of them, a phase (receiver.c, recv_files). */
static void
done(struct rsync_sender *s)
{
	if (s->format.recurse && s->live > 0 && --s->live > 0)
		return;
	if (++s->phase > (s->format.protocol >= 29 ? 2u : 1u))
		s->step = RSYNC_OVER;
}

/* What the receiver asked for, repeated, and the sums of its own copy in numbers (rsync.c, read_ndx_and_attrs). */
static size_t
file(struct rsync_sender *s, struct reader *r, const uint8_t *start, int32_t index)
{
	uint16_t flags = s->format.protocol >= 29 ? reader_le16(r) : ITEM_TRANSFER;

	if ((flags & ITEM_BASIS_TYPE) != 0)
		reader_skip(r, 1);
	if ((flags & ITEM_XNAME) != 0) {
		uint16_t n = reader_u8(r);
		if ((n & 0x80) != 0)
			n = (uint16_t)((n & 0x7f) << 8 | reader_u8(r));
		reader_skip(r, n);
	}
	bool moves = (flags & ITEM_TRANSFER) != 0 && !s->format.options->dry_run;
	uint32_t head[4] = {0}; /* count, size of a block, of its sum, of the last block or 0 */
	for (size_t i = 0; moves && i < 4; i++)
		head[i] = reader_le32(r);
	if (!reader_ok(r))
		return STEP_MORE;
	if (!moves)
		return (size_t)(r->next - start);
	if (head[0] > INT32_MAX || head[1] > 1 << 29 || head[2] > 64 || head[3] > head[1])
		return STEP_LOST;
	s->block_count = (int32_t)head[0];
	s->block_size = (int32_t)head[1];
	s->block_last = (int32_t)(head[3] > 0 ? head[3] : head[1]);
	begin(s, index);
	s->step = RSYNC_TOKEN;
	return (size_t)(r->next - start);
}

static void
begin(struct rsync_sender *s, int32_t index)
{
	const struct rsync_options *o = s->format.options;
	const struct rsync_entry *e = rsync_list_find(s->lists, index);
	uint8_t path[RSYNC_ARG_MAX + 1 + RSYNC_NAME_MAX];
	size_t len = 0;

	s->sized = e != NULL && e->sized;
	s->size = s->sized ? e->size : 0;
	s->at = s->literal = s->matched = 0;
	if (o->append && s->block_count > 0)
		s->at = (uint64_t)s->block_size * (uint64_t)(s->block_count - 1) + (uint64_t)s->block_last;
	if (e != NULL && o->paths == 2 && o->path_len > 0 && !o->relative) {
		/* A source without a slash behind it is the first part of its files' names. */
		len = o->path_len;
		while (len > 0 && o->path[len - 1] != '/')
			len--;
		memcpy(path, o->path, len);
	}
	if (e != NULL) {
		memcpy(path + len, s->lists->pool + e->name, e->name_len);
		len += e->name_len;
	}
	s->transfer = transfer_begin(s->session, &(struct transfer_start){.sender = s->side,
	                                                 .method = o->sender ? "get" : "put",
	                                                 .path = len > 0 ? path : NULL,
	                                                 .path_len = len,
	                                                 .size_known = s->sized,
	                                                 .size = s->size,
	                                                 .offset = s->at});
	transfer_accepted(s->transfer);
	s->moved = true;
}

/* token.c, simple_recv_token. */
static size_t
token(struct rsync_sender *s, struct reader r)
{
	int32_t n = (int32_t)reader_le32(&r);

	if (!reader_ok(&r))
		return STEP_MORE;
	if (n > LITERAL_MAX)
		return STEP_LOST;
	if (n > 0) {
		s->left = (uint32_t)n;
		s->step = RSYNC_LITERAL;
	} else if (blocks(s, n == 0 ? -1 : -((int64_t)n + 1), 1) == STEP_LOST) {
		return STEP_LOST;
	}
	return 4;
}

/* token.c, recv_deflated_token: the same frame whatever compresses. */
static size_t
compressed_token(struct rsync_sender *s, struct reader r)
{
	const uint8_t *start = r.next;
	uint8_t flag = reader_u8(&r);
	int64_t first = s->block, count = 1;

	if ((flag & 0xc0) == TOKEN_DEFLATED) {
		uint32_t n = (uint32_t)(flag & 0x3f) << 8 | reader_u8(&r);
		if (!reader_ok(&r))
			return STEP_MORE;
		s->left = n;
		if (n > 0)
			s->step = RSYNC_LITERAL;
		return 2;
	}
	if (flag == 0) {
		(void)blocks(s, -1, 1);
		return reader_ok(&r) ? 1 : STEP_MORE;
	}
	if ((flag & 0x80) != 0)
		first += flag & 0x3f;
	else
		first = (int32_t)reader_le32(&r);
	if ((flag & 0x80) != 0 ? (flag & 0x40) != 0 : (flag & 1) != 0)
		count += reader_le16(&r);
	if (!reader_ok(&r))
		return STEP_MORE;
	if ((flag & 0x80) == 0 && (flag & 0xfe) != TOKEN_LONG)
		return STEP_LOST;
	return blocks(s, first, count) == STEP_LOST ? STEP_LOST : (size_t)(r.next - start);
}

/* Blocks that the receiver has already; first -1: the file ends. */
static size_t
blocks(struct rsync_sender *s, int64_t first, int64_t count)
{
	if (first < 0) {
		s->block = 0;
		s->sum_left = s->sum_size;
		s->step = s->sum_left > 0 ? RSYNC_SUM : RSYNC_OVER;
		end(s, TRANSFER_COMPLETE);
		return 1;
	}
	if (first >= s->block_count || count > s->block_count - first)
		return STEP_LOST;
	uint64_t bytes = (uint64_t)count * (uint64_t)s->block_size;
	if (first + count == s->block_count)
		bytes -= (uint64_t)(s->block_size - s->block_last);
	s->block = (int32_t)(first + count - 1);
	s->matched += bytes;
	s->at += bytes;
	if (!s->compressed)
		transfer_skip(s->transfer, bytes);
	return 1;
}

static size_t
literal(struct rsync_sender *s, const uint8_t *bytes, size_t len)
{
	size_t n = len < s->left ? len : s->left;

	s->literal += n;
	s->at += n;
	if (!s->compressed)
		transfer_append(s->transfer, bytes, n);
	s->left -= (uint32_t)n;
	if (s->left == 0)
		s->step = RSYNC_TOKEN;
	return n;
}

static void
end(struct rsync_sender *s, enum transfer_state state)
{
	struct transfer *t = s->transfer;

	s->transfer = NULL;
	if (t == NULL)
		return;
	transfer_detail_number(t, s->compressed ? "rsync.compressed_bytes" : "rsync.literal_bytes", s->literal);
	transfer_detail_number(t, "rsync.matched_bytes", s->matched);
	if (state == TRANSFER_COMPLETE && s->compressed && s->sized && s->size > 0)
		transfer_skip(t, s->size);
	else if (state == TRANSFER_COMPLETE && !s->compressed && (!s->sized || s->size != s->at))
		transfer_size(t, s->at);
	transfer_end(t, state);
}
