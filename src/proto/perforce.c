/*
 * Perforce's RPC: user, workspace, command and depot paths, and files as they are synchronised or submitted. The protocol is
 * not published; its messages are known from the open client library (P4API) and logs at level rpc=3. A message is a
 * checked length and named values, the last of which names the function. Not read: connections over SSL, parallel
 * transfers by helpers that this connection only announces; compressed connections.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/text.h"
#include "proto/feed.h"

enum { HEAD_SIZE = 5, MESSAGE_MAX = 1 << 28, VALUE_KEPT = 1024, NAME_KEPT = 64, PATHS_TOLD = 32 };

enum step { STEP_HEAD, STEP_NAME, STEP_VALUE, STEP_OVER };

struct kept {
	uint8_t bytes[VALUE_KEPT];
	size_t len;
};

struct half {
	enum step step;
	struct feed feed;
	uint32_t left;         /* of the message */
	uint32_t value_left;   /* of the value, its closing zero included */
	char name[NAME_KEPT];
	struct kept value;     /* the beginning of it */
	/* of the message at hand */
	struct kept path, handle, func, user, client, prog, version;
	bool data;             /* it had some */
	/* the file that this side sends */
	struct transfer *transfer;
};

struct perforce {
	struct session *session;
	struct half half[2]; /* the initiator is the client */
	bool known;          /* user and workspace were told */
	char command[32];
	unsigned paths;
	struct kept sends;   /* path and handle of the file that the client was asked for */
	struct kept sends_handle;
	bool compressed;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t name_step(struct half *half, const uint8_t *bytes, size_t len);
static size_t value_step(struct perforce *h, enum side from, const uint8_t *bytes, size_t len);
static void take_value(struct perforce *h, struct half *half);
static void take_data(struct perforce *h, enum side from, const uint8_t *bytes, size_t len);
static void take_message(struct perforce *h, enum side from);
static void take_command(struct perforce *h, struct half *half);
static void begin(struct perforce *h, enum side from, const struct kept *path);
static void end(struct half *half, enum transfer_state state);
static bool checked(const uint8_t head[HEAD_SIZE]);
static bool is(const struct kept *k, const char *text);

/* The client's first message tells what it can: its function is "protocol". */
static enum verdict
perforce_probe(const struct probe *p)
{
	const uint8_t *bytes = p->bytes[SIDE_SOURCE];
	size_t len = p->len[SIDE_SOURCE];

	if (len == 0)
		return p->len[SIDE_DESTINATION] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (len < HEAD_SIZE + 1)
		return VERDICT_MORE;
	struct reader r = reader_init(bytes + 1, 4);
	uint32_t size = reader_le32(&r);
	if (!checked(bytes) || size < 16 || size > 4096 || bytes[HEAD_SIZE] < 'a' || bytes[HEAD_SIZE] > 'z')
		return VERDICT_NOT_MINE;
	if (memmem(bytes, len, "func\0\x08\0\0\0protocol", 17) != NULL)
		return VERDICT_DONE;
	return len >= HEAD_SIZE + (size_t)size ? VERDICT_NOT_MINE : VERDICT_MORE;
}

static void *
perforce_open(struct session *s)
{
	struct perforce *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	session_client_end(s, SIDE_SOURCE);
	return h;
}

static enum verdict
perforce_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct perforce *h = state;
	struct half *half = &h->half[from];

	if (half->step != STEP_OVER && feed_bytes(&half->feed, step, h, from, bytes, len, NULL) != FEED_MORE) {
		half->step = STEP_OVER;
		end(half, TRANSFER_TRUNCATED);
	}
	return VERDICT_MORE;
}

static enum verdict
perforce_gap(void *state, enum side from, uint64_t len)
{
	struct perforce *h = state;
	struct half *half = &h->half[from];

	feed_gap(&half->feed);
	if (half->step == STEP_VALUE && len < half->value_left && strcmp(half->name, "data") == 0) {
		transfer_skip(half->transfer, len);
		half->value_left -= (uint32_t)len;
		half->left -= (uint32_t)len;
	} else {
		half->step = STEP_OVER;
		end(half, TRANSFER_TRUNCATED);
	}
	return VERDICT_MORE;
}

static void
perforce_close(void *state, bool reset)
{
	struct perforce *h = state;
	for (size_t side = 0; side < 2; side++) {
		end(&h->half[side], reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
		feed_clear(&h->half[side].feed);
	}
	free(h);
}

static bool
perforce_finished(const void *state)
{
	const struct perforce *h = state;
	return h->half[0].transfer == NULL && h->half[1].transfer == NULL;
}

const struct proto proto_perforce = {
        .name = "perforce",
        .transport = IPPROTO_TCP,
        .ports = {1666},
        .reads = "user, workspace, program, commands and depot paths; files of sync and submit with path, size and content",
        .infers = "",
        .misses = "Perforce over SSL, compressed connections",
        .probe = perforce_probe,
        .open = perforce_open,
        .data = perforce_data,
        .gap = perforce_gap,
        .end = NULL,
        .close = perforce_close,
        .finished = perforce_finished,
};

/* The first byte is the exclusive or of the length's four. */
static bool
checked(const uint8_t head[HEAD_SIZE])
{
	return head[0] == (head[1] ^ head[2] ^ head[3] ^ head[4]);
}

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct perforce *h = ctx;
	struct half *half = &h->half[from];

	switch (half->step) {
	case STEP_HEAD: {
		if (len < HEAD_SIZE)
			return STEP_MORE;
		struct reader r = reader_init(bytes + 1, 4);
		half->left = reader_le32(&r);
		if (!checked(bytes) || half->left == 0 || half->left > MESSAGE_MAX)
			return STEP_LOST;
		half->path.len = half->handle.len = half->func.len = 0;
		half->data = false;
		half->step = STEP_NAME;
		return HEAD_SIZE;
	}
	case STEP_NAME:
		return name_step(half, bytes, len);
	case STEP_VALUE:
		return value_step(h, from, bytes, len);
	case STEP_OVER:
		break;
	}
	return STEP_LOST;
}

/* A name, a zero, the value's length. */
static size_t
name_step(struct half *half, const uint8_t *bytes, size_t len)
{
	size_t room = len < NAME_KEPT ? len : NAME_KEPT;
	const uint8_t *zero = memchr(bytes, '\0', room);

	if (zero == NULL)
		return len < NAME_KEPT ? STEP_MORE : STEP_LOST;
	size_t n = (size_t)(zero - bytes) + 1;
	struct reader r = reader_init(zero + 1, len - n);
	uint32_t size = reader_le32(&r);
	if (!reader_ok(&r))
		return STEP_MORE;
	if (n + 4 > half->left || size >= half->left - (uint32_t)n - 4)
		return STEP_LOST;
	memcpy(half->name, bytes, n);
	half->left -= (uint32_t)n + 4;
	half->value_left = size + 1;
	half->value.len = 0;
	half->step = STEP_VALUE;
	return n + 4;
}

static size_t
value_step(struct perforce *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	size_t n = len < half->value_left ? len : half->value_left;
	size_t content = n == half->value_left ? n - 1 : n, room = VALUE_KEPT - half->value.len;

	if (strcmp(half->name, "data") == 0)
		take_data(h, from, bytes, content);
	memcpy(half->value.bytes + half->value.len, bytes, content < room ? content : room);
	half->value.len += content < room ? content : room;
	half->value_left -= (uint32_t)n;
	half->left -= (uint32_t)n;
	if (half->value_left > 0)
		return n;
	take_value(h, half);
	half->step = STEP_NAME;
	if (half->left == 0) {
		take_message(h, from);
		half->step = h->compressed ? STEP_OVER : STEP_HEAD;
	}
	return n;
}

static void
take_value(struct perforce *h, struct half *half)
{
	static const struct {
		const char *name;
		size_t at;
	} kept[] = {
	        {"path", offsetof(struct half, path)},
	        {"handle", offsetof(struct half, handle)},
	        {"func", offsetof(struct half, func)},
	        {"user", offsetof(struct half, user)},
	        {"client", offsetof(struct half, client)},
	        {"prog", offsetof(struct half, prog)},
	        {"version", offsetof(struct half, version)},
	};
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		if (strcmp(half->name, kept[i].name) == 0)
			memcpy((char *)half + kept[i].at, &half->value, sizeof half->value);
	/* Arguments have no name; depotFile is in what the server answers. */
	bool path = (half->name[0] == '\0' || strcmp(half->name, "depotFile") == 0) && half->value.len > 2 &&
	            half->value.bytes[0] == '/' && half->value.bytes[1] == '/';
	if (path && h->paths < PATHS_TOLD) {
		h->paths++;
		session_detail(h->session, "perforce.depot_path", half->value.bytes, half->value.len);
	}
}

/* Content belongs to the file that is open this way; the client's begins with its first bytes. */
static void
take_data(struct perforce *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	half->data = true;
	if (from == SIDE_SOURCE && half->transfer == NULL && h->sends.len > 0)
		begin(h, from, &h->sends);
	if (len > 0)
		transfer_append(half->transfer, bytes, len);
}

static void
take_message(struct perforce *h, enum side from)
{
	struct half *half = &h->half[from];

	if (is(&half->func, "compress1") || is(&half->func, "compress2"))
		h->compressed = true;
	if (from == SIDE_SOURCE) {
		take_command(h, half);
		/* What follows the last piece says what became of it. */
		if (!half->data && h->sends.len > 0 && half->handle.len == h->sends_handle.len &&
		        memcmp(half->handle.bytes, h->sends_handle.bytes, half->handle.len) == 0) {
			if (half->transfer == NULL)
				begin(h, from, &h->sends);
			end(half, TRANSFER_COMPLETE);
			h->sends.len = 0;
		}
	} else if (is(&half->func, "client-OpenFile")) {
		end(half, TRANSFER_TRUNCATED);
		begin(h, from, &half->path);
	} else if (is(&half->func, "client-CloseFile")) {
		end(half, TRANSFER_COMPLETE);
	} else if (is(&half->func, "client-SendFile")) {
		h->sends = half->path;
		h->sends_handle = half->handle;
	}
}

/* user-sync and its like; with the first come user and workspace. */
static void
take_command(struct perforce *h, struct half *half)
{
	uint8_t program[2 * VALUE_KEPT];

	if (half->func.len <= 5 || memcmp(half->func.bytes, "user-", 5) != 0)
		return;
	size_t n = half->func.len - 5 < sizeof h->command - 1 ? half->func.len - 5 : sizeof h->command - 1;
	memcpy(h->command, half->func.bytes + 5, n);
	h->command[n] = '\0';
	session_detail(h->session, "perforce.command", h->command, n);
	if (h->known)
		return;
	h->known = true;
	if (half->user.len > 0)
		session_account(h->session, half->user.bytes, half->user.len);
	if (half->client.len > 0)
		session_detail(h->session, "perforce.workspace", half->client.bytes, half->client.len);
	if (half->prog.len > 0) {
		memcpy(program, half->prog.bytes, half->prog.len);
		program[half->prog.len] = ' ';
		memcpy(program + half->prog.len + 1, half->version.bytes, half->version.len);
		session_client(h->session, program, half->prog.len + (half->version.len > 0 ? 1 + half->version.len : 0));
	}
}

static void
begin(struct perforce *h, enum side from, const struct kept *path)
{
	struct half *half = &h->half[from];
	half->transfer = transfer_begin(h->session, &(struct transfer_start){.sender = from,
	                                                    .method = h->command[0] != '\0' ? h->command : "rpc",
	                                                    .path = path->len > 0 ? path->bytes : NULL,
	                                                    .path_len = path->len});
	transfer_accepted(half->transfer);
}

static void
end(struct half *half, enum transfer_state state)
{
	transfer_end(half->transfer, state);
	half->transfer = NULL;
}

static bool
is(const struct kept *k, const char *text)
{
	return text_equal_nocase(k->bytes, k->len, text);
}
