/*
 * TFTP (RFC 1350) with its options (RFC 2347, 2348, 2349) and windows (RFC 7440): files by name, in both
 * directions. A request is known by what it says, on any port; the server answers from a port of its own choice,
 * which is expected then, or from the one that was asked. Where the request is not in the capture, a file
 * without a name is told of a block and its acknowledgement. Not read: multicast (RFC 2090).
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/text.h"

enum opcode { /* RFC 1350 section 5, RFC 2347 */
	OPCODE_RRQ = 1,
	OPCODE_WRQ = 2,
	OPCODE_DATA = 3,
	OPCODE_ACK = 4,
	OPCODE_ERROR = 5,
	OPCODE_OACK = 6,
};

enum {
	HEAD_SIZE = 4,
	BLOCK_SIZE = 512,
	BLOCK_SIZE_MIN = 8,      /* RFC 2348 */
	BLOCK_SIZE_MAX = 65464,
	REQUEST_MAX = 2048,      /* RFC 2347 says 512 */
	OPTIONS_MAX = 16,
	NUMBERS = 65536,         /* blocks are counted modulo this */
};

static const int64_t expect_lifetime = 60 * CLOCK_SECOND;

struct option {
	struct reader name, value;
};

struct request {
	bool write;
	struct reader path, mode;
	struct option option[OPTIONS_MAX];
	size_t option_count;
};

struct tftp {
	unsigned refs;             /* the conversation's, and one for each port that the server may answer from */
	struct session *session;   /* of the request */
	struct session_ends ends;  /* of its flow */
	enum side client;          /* an end of it */
	bool closed;               /* that conversation is over */
	uint8_t *asked;            /* the request, to know it again */
	size_t asked_len;

	struct transfer *transfer; /* NULL: none, or over */
	bool write, text;          /* text: netascii */
	bool sized;                /* by the option */
	bool moved;
	uint32_t block_size;
	uint64_t next;             /* the block expected next, counted from 1 on */
	uint64_t skew;             /* numbers that were left out where they begin anew */
	uint64_t acked;
	uint64_t top;              /* bytes up to here came */
	uint64_t last;             /* the file's last block; 0: not seen yet */
};

/* A port that the server may answer from. */
struct door {
	struct tftp *tftp;
	bool used;
};

static enum verdict parse_request(struct reader r, struct request *q);
static struct reader take_string(struct reader *r);
static bool is_mode(const struct reader *mode);
static bool begins_exchange(const struct probe *p, enum side sender);
static void take_datagram(struct tftp *t, bool by_client, struct session *flow, const uint8_t *bytes, size_t len);
static void take_request(struct tftp *t, enum side from, const uint8_t *bytes, size_t len);
static void begin(struct tftp *t, const struct request *q);
static void expect(struct tftp *t);
static void take_options(struct tftp *t, const struct option *option, size_t count, bool agreed);
static bool option_is(const struct option *o, const char *name, uint64_t *value);
static void take_agreement(struct tftp *t, struct reader r);
static void take_data(struct tftp *t, struct session *flow, struct reader r);
static void take_ack(struct tftp *t, uint16_t number);
static uint64_t block_of(struct tftp *t, uint16_t number);
static void begin_nameless(struct tftp *t, enum side sender, uint16_t number, size_t len);
static void end(struct tftp *t, enum transfer_state state);
static void unref(struct tftp *t);
static void door_open(void *owner, struct session *data);
static void door_data(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len);
static void door_gap(void *owner, struct session *data, enum side from, uint64_t len);
static void door_end(void *owner, struct session *data, enum side from, bool reset);
static void door_release(void *owner);

static const struct carrier_ops door_ops = {
        .open = door_open,
        .data = door_data,
        .gap = door_gap,
        .end = door_end,
        .release = door_release,
};

static enum verdict
tftp_probe(const struct probe *p)
{
	struct request q;
	for (size_t side = 0; side < 2; side++)
		if (parse_request(reader_init(p->bytes[side], p->len[side]), &q) == VERDICT_DONE)
			return VERDICT_DONE;
	if (begins_exchange(p, SIDE_SOURCE) || begins_exchange(p, SIDE_DESTINATION))
		return p->len[0] > 0 && p->len[1] > 0 ? VERDICT_DONE : VERDICT_MORE;
	return VERDICT_NOT_MINE;
}

static void *
tftp_open(struct session *s)
{
	struct tftp *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->refs = 1;
	t->session = s;
	t->ends = session_ends(s);
	t->client = SIDE_SOURCE;
	return t;
}

static enum verdict
tftp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct tftp *t = state;
	struct request q;
	if (parse_request(reader_init(bytes, len), &q) == VERDICT_DONE)
		take_request(t, from, bytes, len);
	else
		take_datagram(t, from == t->client, NULL, bytes, len);
	return VERDICT_MORE;
}

static enum verdict
tftp_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_MORE;
}

static void
tftp_close(void *state, bool reset)
{
	struct tftp *t = state;
	(void)reset;
	t->closed = true;
	unref(t);
}

const struct proto proto_tftp = {
        .name = "tftp",
        .transport = IPPROTO_UDP,
        .ports = {69},
        .reads = "RRQ and WRQ with name, size and content, block sizes, windows, block numbers that begin anew",
        .infers = "-",
        .misses = "multicast; what netascii changes: such files are hashed as sent",
        .probe = tftp_probe,
        .open = tftp_open,
        .data = tftp_data,
        .gap = tftp_gap,
        .end = NULL,
        .close = tftp_close,
        .finished = NULL,
};

/* ---- requests ---- */

static enum verdict
parse_request(struct reader r, struct request *q)
{
	if (r.left < HEAD_SIZE || r.left > REQUEST_MAX || r.next[0] != 0 || (r.next[1] != OPCODE_RRQ && r.next[1] != OPCODE_WRQ))
		return VERDICT_NOT_MINE;
	*q = (struct request){.write = r.next[1] == OPCODE_WRQ};
	reader_skip(&r, 2);
	q->path = take_string(&r);
	q->mode = take_string(&r);
	if (!reader_ok(&r) || q->path.left == 0 || !is_mode(&q->mode))
		return VERDICT_NOT_MINE;
	for (size_t i = 0; i < q->path.left; i++)
		if (q->path.next[i] < 0x20)
			return VERDICT_NOT_MINE;
	while (r.left > 0 && q->option_count < OPTIONS_MAX) {
		struct option *o = &q->option[q->option_count];
		o->name = take_string(&r);
		o->value = take_string(&r);
		if (reader_ok(&r))
			q->option_count++;
	}
	return VERDICT_DONE;
}

/* Up to a zero, which is taken as well. */
static struct reader
take_string(struct reader *r)
{
	const uint8_t *zero = r->left > 0 ? memchr(r->next, 0, r->left) : NULL;
	struct reader s = reader_sub(r, zero != NULL ? (size_t)(zero - r->next) : r->left + 1);
	reader_skip(r, 1);
	return s;
}

static bool
is_mode(const struct reader *mode)
{
	static const char *const modes[] = {"octet", "netascii", "mail", "binary"};
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (mode->left == strlen(modes[i]) && text_prefix_nocase(mode->next, mode->left, modes[i]))
			return true;
	return false;
}

/* A block by this side, and nothing from the other one yet, or the acknowledgement of that block. */
static bool
begins_exchange(const struct probe *p, enum side sender)
{
	const uint8_t *data = p->bytes[sender], *ack = p->bytes[side_other(sender)];
	size_t len = p->len[side_other(sender)];
	if (p->len[sender] < HEAD_SIZE || data[0] != 0 || data[1] != OPCODE_DATA)
		return false;
	return len == 0 ||
	       (len == HEAD_SIZE && ack[0] == 0 && ack[1] == OPCODE_ACK && ack[2] == data[2] && ack[3] == data[3]);
}

/* ---- datagrams ---- */

static void
take_request(struct tftp *t, enum side from, const uint8_t *bytes, size_t len)
{
	struct request q;
	bool again = t->asked_len == len && memcmp(t->asked, bytes, len) == 0;
	if (again && t->transfer != NULL && from == t->client) {
		if (!t->moved) /* the server answers each of them, and only one answer is taken */
			expect(t);
		return;
	}
	end(t, TRANSFER_TRUNCATED);
	free(t->asked);
	t->asked = malloc(len);
	t->asked_len = t->asked != NULL ? len : 0;
	if (t->asked == NULL)
		return;
	memcpy(t->asked, bytes, len);
	t->client = from;
	session_client_end(t->session, from);
	if (parse_request(reader_init(t->asked, len), &q) == VERDICT_DONE)
		begin(t, &q);
	expect(t);
}

static void
begin(struct tftp *t, const struct request *q)
{
	enum side server = side_other(t->client);
	t->write = q->write;
	t->text = text_prefix_nocase(q->mode.next, q->mode.left, "netascii");
	t->block_size = BLOCK_SIZE;
	t->next = 1;
	t->moved = t->sized = false;
	t->skew = t->acked = t->top = t->last = 0;
	t->transfer = transfer_begin(t->session, &(struct transfer_start){.sender = q->write ? t->client : server,
	                                                  .method = q->write ? "WRQ" : "RRQ",
	                                                  .path = q->path.next,
	                                                  .path_len = q->path.left});
	transfer_detail(t->transfer, "tftp.mode", q->mode.next, q->mode.left);
	take_options(t, q->option, q->option_count, false);
}

static void
expect(struct tftp *t)
{
	struct expectation e = {.from = t->ends.addr[side_other(t->client)],
	        .to = t->ends.addr[t->client],
	        .to_port = t->ends.port[t->client],
	        .transport = IPPROTO_UDP,
	        .lifetime = expect_lifetime};
	struct door *d = calloc(1, sizeof *d);
	if (d == NULL)
		return;
	d->tftp = t;
	t->refs++;
	(void)session_expect(t->session, &e, &door_ops, d);
}

static void
take_datagram(struct tftp *t, bool by_client, struct session *flow, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	uint16_t opcode = reader_be16(&r);

	if (t->transfer == NULL && t->asked == NULL && opcode == OPCODE_DATA && len >= HEAD_SIZE && !t->moved)
		begin_nameless(t, by_client ? t->client : side_other(t->client), (uint16_t)(bytes[2] << 8 | bytes[3]), len);
	else if (t->transfer == NULL)
		return;
	bool by_sender = by_client == t->write;
	switch (opcode) {
	case OPCODE_DATA:
		if (by_sender)
			take_data(t, flow, r);
		break;
	case OPCODE_ACK: {
		uint16_t number = reader_be16(&r);
		if (!by_sender && reader_ok(&r))
			take_ack(t, number);
		break;
	}
	case OPCODE_OACK:
		if (!by_client && !t->moved)
			take_agreement(t, r);
		break;
	case OPCODE_ERROR:
		end(t, TRANSFER_ABORTED);
		break;
	default:
		break;
	}
}

/* The server agrees to some of the options. Those it leaves out don't count. */
static void
take_agreement(struct tftp *t, struct reader r)
{
	struct option option[OPTIONS_MAX];
	size_t count = 0;
	while (r.left > 0 && count < OPTIONS_MAX) {
		option[count].name = take_string(&r);
		option[count].value = take_string(&r);
		if (reader_ok(&r))
			count++;
	}
	take_options(t, option, count, true);
	if (t->write)
		transfer_accepted(t->transfer);
}

/* The size is the sender's word; the rest counts when the server agreed. */
static void
take_options(struct tftp *t, const struct option *option, size_t count, bool agreed)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value;
		if (option_is(&option[i], "tsize", &value) && (t->write || agreed) && !t->text) {
			t->sized = true;
			transfer_size(t->transfer, value);
		}
		if (!agreed)
			continue;
		if (option_is(&option[i], "blksize", &value) && value >= BLOCK_SIZE_MIN && value <= BLOCK_SIZE_MAX) {
			t->block_size = (uint32_t)value;
			transfer_detail_number(t->transfer, "tftp.block_size", value);
		}
		if (option_is(&option[i], "windowsize", &value))
			transfer_detail_number(t->transfer, "tftp.window_size", value);
	}
}

static bool
option_is(const struct option *o, const char *name, uint64_t *value)
{
	if (o->name.left != strlen(name) || !text_prefix_nocase(o->name.next, o->name.left, name) || o->value.left == 0 ||
	        o->value.left > 18)
		return false;
	*value = 0;
	for (size_t i = 0; i < o->value.left; i++) {
		if (o->value.next[i] < '0' || o->value.next[i] > '9')
			return false;
		*value = *value * 10 + (uint64_t)(o->value.next[i] - '0');
	}
	return true;
}

static void
take_data(struct tftp *t, struct session *flow, struct reader r)
{
	uint16_t number = reader_be16(&r);
	if (!reader_ok(&r))
		return;
	if (!t->moved && r.left > t->block_size) /* the agreement was not seen */
		t->block_size = (uint32_t)r.left;
	uint64_t block = block_of(t, number);
	if (block == 0 || r.left > t->block_size || (t->last > 0 && block > t->last))
		return;
	if (flow != NULL && !t->moved)
		transfer_carrier(t->transfer, flow);
	t->moved = true;
	uint64_t offset = (block - 1) * t->block_size;
	if (r.left > 0)
		transfer_data(t->transfer, offset, r.next, r.left);
	else if (block == 1)
		transfer_accepted(t->transfer); /* an empty file */
	if (offset + r.left > t->top)
		t->top = offset + r.left;
	if (block >= t->next)
		t->next = block + 1;
	if (r.left < t->block_size) {
		t->last = block;
		transfer_size(t->transfer, offset + r.left);
	}
}

static void
take_ack(struct tftp *t, uint16_t number)
{
	if (number == 0 && t->next == 1) { /* a WRQ is accepted, or an OACK acknowledged */
		if (t->write)
			transfer_accepted(t->transfer);
		return;
	}
	uint64_t block = block_of(t, number);
	if (block > t->acked)
		t->acked = block;
	if (t->last > 0 && block == t->last)
		end(t, TRANSFER_COMPLETE);
}

/* The block of this number that is nearest to the one expected. 0: none, it is older than the file. */
static uint64_t
block_of(struct tftp *t, uint16_t number)
{
	uint64_t expected = t->next + t->skew;
	/* Some begin anew with 1, not with 0. */
	if (number == 1 && expected % NUMBERS == 0 && t->acked + 1 == t->next) {
		t->skew++;
		expected++;
	}
	int16_t distance = (int16_t)(number - (uint16_t)expected);
	if (distance < 0 && t->next <= (uint64_t)-distance)
		return 0;
	return distance < 0 ? t->next - (uint64_t)-distance : t->next + (uint64_t)distance;
}

/* Blocks come and no request was seen. Their size tells where the first of them belongs, while numbers did not begin anew. */
static void
begin_nameless(struct tftp *t, enum side sender, uint16_t number, size_t len)
{
	t->block_size = len - HEAD_SIZE > BLOCK_SIZE ? (uint32_t)(len - HEAD_SIZE) : BLOCK_SIZE;
	t->next = number > 0 ? number : 1;
	t->skew = t->acked = t->top = t->last = 0;
	t->write = sender == t->client;
	uint64_t offset = (t->next - 1) * t->block_size;
	t->transfer = transfer_begin(t->session, &(struct transfer_start){.sender = sender, .method = "DATA", .offset = offset});
}

/* Nothing is told of a request that was refused, nor of one that only asked for the size. */
static void
end(struct tftp *t, enum transfer_state state)
{
	if (t->transfer == NULL)
		return;
	if (t->last > 0)
		state = TRANSFER_COMPLETE;
	else if (t->acked * t->block_size > t->top && t->moved) /* acknowledged, and not seen */
		transfer_skip(t->transfer, t->acked * t->block_size - t->top);
	transfer_end(t->transfer, state);
	t->transfer = NULL;
}

static void
unref(struct tftp *t)
{
	if (--t->refs > 0)
		return;
	end(t, TRANSFER_TRUNCATED);
	free(t->asked);
	free(t);
}

/* ---- the server's own port ---- */

static void
door_open(void *owner, struct session *data)
{
	struct door *d = owner;
	session_protocol(data, "tftp", "expected");
	d->used = true;
}

static void
door_data(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len)
{
	struct door *d = owner;
	struct tftp *t = d->tftp;
	const struct session_ends ends = session_ends(data);
	bool by_client = ends.port[from] == t->ends.port[t->client] && addr_equal(&ends.addr[from], &t->ends.addr[t->client]);
	session_time(t->session, session_now(data));
	take_datagram(t, by_client, data, bytes, len);
}

static void
door_gap(void *owner, struct session *data, enum side from, uint64_t len)
{
	(void)owner;
	(void)data;
	(void)from;
	(void)len;
}

static void
door_end(void *owner, struct session *data, enum side from, bool reset)
{
	(void)owner;
	(void)data;
	(void)from;
	(void)reset;
}

static void
door_release(void *owner)
{
	struct door *d = owner;
	struct tftp *t = d->tftp;
	if (d->used && t->closed)
		end(t, TRANSFER_TRUNCATED);
	unref(t);
	free(d);
}
