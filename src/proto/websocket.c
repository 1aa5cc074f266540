/*
 * WebSocket (RFC 6455 section 5): frames are followed and messages counted, by kind, direction and size; which of them make
 * up a file only the application knows. After a gap that is longer than the frame it came in nothing more is counted.
 *
 * Not here: what messages say, masked or compressed (RFC 7692); WebSocket over HTTP/2 (RFC 8441).
 */
#include "config.h"

#include "proto/websocket.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

enum {
	HEAD_MAX = 14, /* with a length of eight bytes and a mask */
	FIN = 0x80,
	OPCODE = 0x0f,
	MASKED = 0x80,
	LENGTH = 0x7f,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
};

enum opcode {
	OPCODE_MORE = 0, /* of the message before */
	OPCODE_TEXT = 1,
	OPCODE_BINARY = 2,
	OPCODE_CONTROL = 8, /* and above */
};

struct count {
	uint64_t messages, bytes, largest;
};

struct side_state {
	uint8_t head[HEAD_MAX];
	size_t head_len;
	uint64_t left;         /* of the frame's payload */
	bool lost;
	bool fin;
	uint8_t opcode;        /* of the frame */
	uint8_t kind;          /* of the message: OPCODE_TEXT or OPCODE_BINARY; 0: none is open */
	uint64_t message;      /* its bytes so far */
	struct count text, binary;
};

struct websocket {
	struct session *session;
	enum side client;
	struct side_state side[2];
};

/* Names of details have to be static. */
struct keys {
	const char *messages, *bytes, *largest;
};

static enum verdict websocket_probe(const struct probe *p);
static void *websocket_open(struct session *s);
static enum verdict websocket_data(void *state, enum side from, const uint8_t *bytes, size_t len);
static enum verdict websocket_gap(void *state, enum side from, uint64_t len);
static void websocket_end(void *state, enum side from);
static void websocket_close(void *state, bool reset);
static bool websocket_finished(const void *state);
static size_t take_head(struct side_state *side, const uint8_t *bytes, size_t len);
static size_t head_length(const struct side_state *side);
static void begin_frame(struct side_state *side);
static void end_frame(struct side_state *side);
static void tell(struct session *s, const struct count *c, const struct keys *keys);

const struct proto proto_websocket = {
        .name = "websocket",
        .transport = IPPROTO_TCP,
        .reads = "behind an HTTP upgrade: messages of either kind counted each way, with their bytes and the largest; "
                 "subprotocol and extensions",
        .infers = "what moved each way, by its volume",
        .misses = "which messages are a file",
        .probe = websocket_probe,
        .open = websocket_open,
        .data = websocket_data,
        .gap = websocket_gap,
        .end = websocket_end,
        .close = websocket_close,
        .finished = websocket_finished,
};

/* Only an upgrade leads here: frames alone have no mark. */
static enum verdict
websocket_probe(const struct probe *p)
{
	(void)p;
	return VERDICT_NOT_MINE;
}

static void *
websocket_open(struct session *s)
{
	struct websocket *w = calloc(1, sizeof *w);
	if (w != NULL)
		w->session = s;
	return w;
}

void *
websocket_open_upgraded(struct session *s, enum side client, const struct http_head *answer)
{
	const struct mime_field *protocol = http_head_field(answer, "sec-websocket-protocol");
	const struct mime_field *extensions = http_head_field(answer, "sec-websocket-extensions");
	struct websocket *w = websocket_open(s);
	if (w == NULL)
		return NULL;
	w->client = client;
	if (protocol != NULL)
		session_detail(s, "websocket.protocol", protocol->value, protocol->value_len);
	if (extensions != NULL)
		session_detail(s, "websocket.extensions", extensions->value, extensions->value_len);
	session_unreadable(s, "websocket");
	return w;
}

static enum verdict
websocket_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct websocket *w = state;
	struct side_state *side = &w->side[from];
	while (len > 0 && !side->lost) {
		size_t n = side->left < len ? (size_t)side->left : len;
		if (side->left > 0) {
			side->left -= n;
			if (side->left == 0)
				end_frame(side);
		} else {
			n = take_head(side, bytes, len);
		}
		bytes += n;
		len -= n;
	}
	return VERDICT_MORE;
}

static size_t
take_head(struct side_state *side, const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	while (n < len && side->head_len < head_length(side))
		side->head[side->head_len++] = bytes[n++];
	if (side->head_len >= head_length(side))
		begin_frame(side);
	return n;
}

/* As far as its own bytes tell so far. */
static size_t
head_length(const struct side_state *side)
{
	if (side->head_len < 2)
		return 2;
	const uint8_t length = side->head[1] & LENGTH;
	return 2u + (length == LENGTH_16 ? 2u : length == LENGTH_64 ? 8u : 0u) + ((side->head[1] & MASKED) != 0 ? 4u : 0u);
}

static void
begin_frame(struct side_state *side)
{
	struct reader r = reader_init(side->head, side->head_len);
	const uint8_t first = reader_u8(&r), second = reader_u8(&r) & LENGTH;
	side->left = second == LENGTH_16 ? reader_be16(&r) : second == LENGTH_64 ? reader_be64(&r) : second;
	side->head_len = 0;
	side->fin = (first & FIN) != 0;
	side->opcode = first & OPCODE;
	/* A length has 63 bits; control frames are short and whole (section 5.5); messages don't overlap. */
	bool control = side->opcode >= OPCODE_CONTROL;
	if (side->left >> 63 != 0 || (control ? second >= LENGTH_16 || !side->fin : side->opcode > OPCODE_BINARY) ||
	        (!control && (side->opcode == OPCODE_MORE) != (side->kind != 0))) {
		side->lost = true;
		return;
	}
	if (side->opcode == OPCODE_TEXT || side->opcode == OPCODE_BINARY) {
		side->kind = side->opcode;
		side->message = 0;
	}
	if (!control)
		side->message += side->left;
	if (side->left == 0)
		end_frame(side);
}

static void
end_frame(struct side_state *side)
{
	if (side->opcode >= OPCODE_CONTROL || !side->fin)
		return;
	struct count *c = side->kind == OPCODE_BINARY ? &side->binary : &side->text;
	c->messages++;
	c->bytes += side->message;
	if (side->message > c->largest)
		c->largest = side->message;
	side->kind = 0;
}

static enum verdict
websocket_gap(void *state, enum side from, uint64_t len)
{
	struct websocket *w = state;
	struct side_state *side = &w->side[from];
	if (len > side->left)
		side->lost = true;
	if (side->lost)
		return VERDICT_MORE;
	side->left -= len;
	if (side->left == 0)
		end_frame(side);
	return VERDICT_MORE;
}

static void
websocket_end(void *state, enum side from)
{
	(void)state;
	(void)from;
}

static void
websocket_close(void *state, bool reset)
{
	static const struct keys client[] = {
	        {"websocket.client.text.messages", "websocket.client.text.bytes", "websocket.client.text.largest"},
	        {"websocket.client.binary.messages", "websocket.client.binary.bytes", "websocket.client.binary.largest"}};
	static const struct keys server[] = {
	        {"websocket.server.text.messages", "websocket.server.text.bytes", "websocket.server.text.largest"},
	        {"websocket.server.binary.messages", "websocket.server.binary.bytes", "websocket.server.binary.largest"}};
	struct websocket *w = state;
	(void)reset;
	for (int i = 0; i < 2; i++) {
		const struct keys *keys = (enum side)i == w->client ? client : server;
		tell(w->session, &w->side[i].text, &keys[0]);
		tell(w->session, &w->side[i].binary, &keys[1]);
	}
	free(w);
}

static void
tell(struct session *s, const struct count *c, const struct keys *keys)
{
	if (c->messages == 0)
		return;
	session_detail_number(s, keys->messages, c->messages);
	session_detail_number(s, keys->bytes, c->bytes);
	session_detail_number(s, keys->largest, c->largest);
}

static bool
websocket_finished(const void *state)
{
	(void)state;
	return true;
}
