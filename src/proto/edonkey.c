/*
 * eDonkey and eMule between clients: programs, names of files that are asked for, and their parts as they move. The
 * protocol has no specification of its makers; the messages are known from eMule's sources and studies of it. Not
 * read: servers' lists and searches, Kademlia, obfuscated connections, parts that are compressed (only counted).
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/feed.h"

enum {
	MARK_EDONKEY = 0xe3,
	MARK_EMULE = 0xc5,
	OP_HELLO = 0x01,
	OP_PART = 0x46,
	OP_HELLO_ANSWER = 0x4c,
	OP_NAME_ANSWER = 0x59,
	OP_PART_LARGE = 0xa2, /* of eMule, with 64-bit offsets */
	OP_PACKED = 0x40,     /* of eMule */
	MESSAGE_MAX = 1 << 21,
	FILES_MAX = 8,
	HELLO_LOOK = 4096,
};

struct file {
	uint8_t hash[16];
	uint8_t name[256];
	size_t name_len;
	struct transfer *transfer[2]; /* by sender */
};

struct half {
	struct feed feed;
	bool over;
	uint32_t left;   /* of the message */
	uint8_t mark, op;
	bool in_message, content;
	struct transfer *transfer; /* of the part at hand */
	uint64_t at;
	bool packed;
};

struct edonkey {
	struct session *session;
	struct half half[2];
	struct file file[FILES_MAX];
	size_t files;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t head_step(struct half *half, struct reader r);
static size_t message_step(struct edonkey *h, enum side from, const uint8_t *bytes, size_t len);
static void take_hello(struct edonkey *h, enum side from, struct reader r);
static void take_part(struct edonkey *h, enum side from, struct reader *r);
static struct file *file_of(struct edonkey *h, const uint8_t *hash);
static enum verdict probe_half(const uint8_t *bytes, size_t len);

static enum verdict
edonkey_probe(const struct probe *p)
{
	enum verdict a = probe_half(p->bytes[0], p->len[0]), b = probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_NOT_MINE || b == VERDICT_NOT_MINE)
		return VERDICT_NOT_MINE;
	return a == VERDICT_DONE || b == VERDICT_DONE ? VERDICT_DONE : VERDICT_MORE;
}

/* A hello to a client: the length of a hash, the hash with its marks at bytes 5 and 14, tags. */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);

	if (len == 0)
		return VERDICT_MORE;
	if (reader_u8(&r) != MARK_EDONKEY)
		return VERDICT_NOT_MINE;
	uint32_t size = reader_le32(&r);
	uint8_t op = reader_u8(&r);
	if (!reader_ok(&r))
		return VERDICT_MORE;
	if (size < 40 || size > HELLO_LOOK || (op != OP_HELLO && op != OP_HELLO_ANSWER))
		return VERDICT_NOT_MINE;
	bool sized = op == OP_HELLO && r.left > 0 && r.next[0] == 16;
	reader_skip(&r, sized ? 1 : 0);
	reader_skip(&r, 16 + 4 + 2);
	uint32_t tags = reader_le32(&r);
	uint8_t type = reader_u8(&r);
	if (!reader_ok(&r))
		return VERDICT_MORE;
	return tags > 0 && tags < 64 && (type & 0x7f) >= 1 && (type & 0x7f) <= 0x20 ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static void *
edonkey_open(struct session *s)
{
	struct edonkey *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
edonkey_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct edonkey *h = state;
	struct half *half = &h->half[from];
	if (!half->over && feed_bytes(&half->feed, step, h, from, bytes, len, NULL) != FEED_MORE)
		half->over = true;
	return VERDICT_MORE;
}

static enum verdict
edonkey_gap(void *state, enum side from, uint64_t len)
{
	struct edonkey *h = state;
	struct half *half = &h->half[from];

	feed_gap(&half->feed);
	if (!half->content || len > half->left) {
		half->over = true;
		return VERDICT_MORE;
	}
	half->at += len;
	half->left -= (uint32_t)len;
	half->in_message = half->content = half->left > 0;
	return VERDICT_MORE;
}

static void
edonkey_close(void *state, bool reset)
{
	struct edonkey *h = state;
	(void)reset;
	for (size_t i = 0; i < h->files; i++)
		for (size_t side = 0; side < 2; side++)
			transfer_end(h->file[i].transfer[side], TRANSFER_TRUNCATED);
	feed_clear(&h->half[0].feed);
	feed_clear(&h->half[1].feed);
	free(h);
}

static bool
edonkey_finished(const void *state)
{
	const struct edonkey *h = state;
	return h->files == 0;
}

const struct proto proto_edonkey = {
        .name = "edonkey",
        .transport = IPPROTO_TCP,
        .ports = {4662},
        .reads = "between clients: nick, program, names of files and their parts as they move",
        .infers = "",
        .misses = "obfuscated connections, content of compressed parts, whole sizes, servers, Kademlia",
        .probe = edonkey_probe,
        .open = edonkey_open,
        .data = edonkey_data,
        .gap = edonkey_gap,
        .end = NULL,
        .close = edonkey_close,
        .finished = edonkey_finished,
};

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct edonkey *h = ctx;
	struct half *half = &h->half[from];

	if (!half->in_message)
		return head_step(half, reader_init(bytes, len));
	if (!half->content)
		return message_step(h, from, bytes, len);
	size_t n = len < half->left ? len : half->left;
	if (half->transfer != NULL && !half->packed)
		transfer_data(half->transfer, half->at, bytes, n);
	half->at += n;
	half->left -= (uint32_t)n;
	half->in_message = half->content = half->left > 0;
	return n;
}

static size_t
head_step(struct half *half, struct reader r)
{
	half->mark = reader_u8(&r);
	uint32_t size = reader_le32(&r);
	half->op = reader_u8(&r);
	if (!reader_ok(&r))
		return STEP_MORE;
	if ((half->mark != MARK_EDONKEY && half->mark != MARK_EMULE && half->mark != 0xd4) || size == 0 || size > MESSAGE_MAX)
		return STEP_LOST;
	half->left = size - 1;
	half->in_message = half->left > 0;
	half->content = false;
	half->transfer = NULL;
	return 6;
}

/* What is looked at of a message; the rest of it is content, or nothing. */
static size_t
message_step(struct edonkey *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	size_t look = half->left < HELLO_LOOK ? half->left : HELLO_LOOK;
	bool part = (half->mark == MARK_EDONKEY && half->op == OP_PART) ||
	            (half->mark == MARK_EMULE && (half->op == OP_PART_LARGE || half->op == OP_PACKED));

	size_t head = half->op == OP_PART_LARGE ? 16 + 8 + 8 : 16 + 4 + 4;
	if (part && look > head)
		look = head;
	if (len < look)
		return STEP_MORE;
	struct reader r = reader_init(bytes, look);
	if (part) {
		take_part(h, from, &r);
	} else if (half->mark == MARK_EDONKEY && (half->op == OP_HELLO || half->op == OP_HELLO_ANSWER)) {
		take_hello(h, from, r);
		reader_skip(&r, look);
	} else if (half->mark == MARK_EDONKEY && half->op == OP_NAME_ANSWER) {
		const uint8_t *hash = reader_take(&r, 16);
		size_t n = reader_le16(&r);
		const uint8_t *name = reader_take(&r, n);
		struct file *f = name != NULL ? file_of(h, hash) : NULL;
		if (f != NULL && n <= sizeof f->name) {
			memcpy(f->name, name, f->name_len = n);
			session_detail(h->session, "edonkey.file", name, n);
		}
		reader_skip(&r, r.left);
	}
	size_t used = part && reader_ok(&r) ? (size_t)(r.next - bytes) : look;
	half->left -= (uint32_t)used;
	half->in_message = half->content = half->left > 0;
	return used;
}

/* Hash, address, port, tags: 1 is the nick, 0x55 eMule's build. */
static void
take_hello(struct edonkey *h, enum side from, struct reader r)
{
	if (h->half[from].op == OP_HELLO)
		reader_skip(&r, 1);
	reader_skip(&r, 16 + 4 + 2);
	uint32_t tags = reader_le32(&r);
	for (uint32_t i = 0; i < tags && i < 32 && reader_ok(&r); i++) {
		uint8_t type = reader_u8(&r), name = 0;
		if ((type & 0x80) == 0) {
			size_t n = reader_le16(&r);
			const uint8_t *at = reader_take(&r, n);
			name = at != NULL && n == 1 ? at[0] : 0;
		} else {
			name = reader_u8(&r);
		}
		type &= 0x7f;
		size_t len = type == 2 ? reader_le16(&r) : type == 3 ? 4 : type == 8 ? 2 : type == 9 ? 1 : type >= 0x11 && type <= 0x20 ? type - 0x10u : 0;
		const uint8_t *value = reader_take(&r, len);
		if (value == NULL || len == 0)
			return;
		bool text = type == 2 || type >= 0x11;
		if (text && name == 1 && from == SIDE_SOURCE)
			session_account(h->session, value, len);
		if (text && name == 0x55)
			(from == SIDE_SOURCE ? session_client : session_server)(h->session, value, len);
	}
}

/* Hash, where it begins and, but for packed ones, ends. */
static void
take_part(struct edonkey *h, enum side from, struct reader *r)
{
	struct half *half = &h->half[from];
	const uint8_t *hash = reader_take(r, 16);
	bool large = half->op == OP_PART_LARGE;
	uint64_t start = large ? reader_le64(r) : reader_le32(r);

	reader_skip(r, large ? 8 : 4);
	if (!reader_ok(r))
		return;
	struct file *f = file_of(h, hash);
	half->packed = half->op == OP_PACKED;
	half->at = start;
	if (f == NULL)
		return;
	if (f->transfer[from] == NULL)
		f->transfer[from] = transfer_begin(h->session, &(struct transfer_start){.sender = from,
		                                                       .method = "part",
		                                                       .path = f->name_len > 0 ? f->name : NULL,
		                                                       .path_len = f->name_len});
	transfer_accepted(f->transfer[from]);
	half->transfer = f->transfer[from];
}

/* NULL: there are too many. */
static struct file *
file_of(struct edonkey *h, const uint8_t *hash)
{
	for (size_t i = 0; i < h->files; i++)
		if (memcmp(h->file[i].hash, hash, 16) == 0)
			return &h->file[i];
	if (h->files == FILES_MAX)
		return NULL;
	struct file *f = &h->file[h->files++];
	memcpy(f->hash, hash, 16);
	return f;
}
