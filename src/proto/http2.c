/*
 * HTTP/2 in clear (RFC 9113): by prior knowledge or by upgrade from HTTP/1.1 (RFC 7540 section 3.2). Frames are
 * followed where they lie; heads are decoded (RFC 7541), bodies go the way of those of HTTP/1. Where frames
 * were not seen it goes on at the next one that names a stream that is open.
 *
 * Not here: flow control and priorities, which change nothing in what is sent; what an extended CONNECT
 * (RFC 8441) carries.
 */
#include "config.h"

#include "proto/http2.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/http2_frame.h"
#include "proto/http2_header.h"
#include "proto/http2_stream.h"

enum {
	CONTROL_MAX = 64,      /* bytes of RST_STREAM and GOAWAY that are looked at */
	STRANGE_MAX = 65536,   /* bytes without a frame before it is something else */
	STREAMS_AHEAD = 1000,  /* that may have begun while nothing was seen */
	BLOCK_ARENA = 1024 * 1024,
};

enum state {
	STATE_BEGIN,   /* before anything: a preface or a frame */
	STATE_HEAD,    /* in a frame's head */
	STATE_PAD_LEN, /* before the length of its padding */
	STATE_DATA,    /* in the content of a DATA frame */
	STATE_GATHER,  /* in a payload that is read as a whole: part of a header block, or short */
	STATE_SKIP,    /* in padding, or in a payload that says nothing */
	STATE_LOST,    /* somewhere: waiting for a frame of an open stream */
};

struct side_state {
	enum state state;
	uint8_t head[HTTP2_PREFACE]; /* of a frame, or the preface */
	size_t head_len;
	struct http2_frame frame;    /* that it is in */
	uint32_t left;               /* of its content, then of its padding */
	uint32_t padding;
	uint8_t *block;              /* a header block, or a control frame's payload, so far */
	size_t block_len, block_room;
	struct http2_frame first;    /* of the block: HEADERS or PUSH_PROMISE */
	bool in_block;               /* CONTINUATION must follow */
	bool block_broken;           /* not all of it was kept */
	struct http2_header header;
};

struct http2 {
	struct session *session;
	struct http2_streams streams;
	struct arena arena;          /* for one head */
	struct side_state side[2];
	bool begun;                  /* the preface was seen, or the upgrade */
	bool any;                    /* a frame was seen */
	enum side client;
	uint32_t newest;             /* stream whose head was seen */
	size_t strange;
};

static enum verdict http2_probe(const struct probe *p);
static void *http2_open(struct session *s);
static enum verdict http2_data(void *state, enum side from, const uint8_t *bytes, size_t len);
static enum verdict http2_gap(void *state, enum side from, uint64_t len);
static void http2_end(void *state, enum side from);
static void http2_close(void *state, bool reset);
static bool http2_finished(const void *state);
static enum verdict take(struct http2 *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static size_t take_begin(struct http2 *h, enum side from, const uint8_t *bytes, size_t len);
static size_t take_head(struct http2 *h, enum side from, const uint8_t *bytes, size_t len);
static void begin_frame(struct http2 *h, enum side from, const uint8_t head[HTTP2_FRAME_HEAD]);
static void begin_content(struct http2 *h, enum side from);
static void take_pad_len(struct http2 *h, enum side from, uint8_t padding);
static size_t take_data(struct http2 *h, enum side from, const uint8_t *bytes, size_t len);
static size_t take_gather(struct http2 *h, enum side from, const uint8_t *bytes, size_t len);
static size_t take_skip(struct side_state *side, size_t len);
static size_t take_lost(struct http2 *h, enum side from, const uint8_t *bytes, size_t len);
static bool names_open_stream(const struct http2 *h, const uint8_t *bytes);
static bool is_alone(const struct http2 *h, const uint8_t *bytes, size_t len);
static void keep(struct side_state *side, const uint8_t *bytes, size_t len);
static void end_content(struct http2 *h, enum side from);
static void end_control(struct http2 *h, enum side from);
static void end_block(struct http2 *h, enum side from);
static void take_block(struct http2 *h, enum side from);
static void skip_data(struct http2 *h, enum side from, uint32_t len);
static void lose(struct http2 *h, enum side from);

const struct proto proto_http2 = {
        .name = "http2",
        .transport = IPPROTO_TCP,
        .ports = {80, 8080},
        .reads = "in clear, by prior knowledge or upgrade: all that is read of HTTP/1, of every stream and of what the "
                 "server pushes",
        .infers = "",
        .misses = "names that a capture which begins in the middle shows only as references to earlier heads",
        .probe = http2_probe,
        .open = http2_open,
        .data = http2_data,
        .gap = http2_gap,
        .end = http2_end,
        .close = http2_close,
        .finished = http2_finished,
};

static enum verdict
http2_probe(const struct probe *p)
{
	enum verdict all = VERDICT_NOT_MINE;
	for (int i = 0; i < 2; i++) {
		if (p->len[i] == 0)
			continue;
		if (http2_preface_is(p->bytes[i], p->len[i])) {
			if (p->len[i] >= HTTP2_PREFACE)
				return VERDICT_DONE;
			all = VERDICT_MORE;
		}
		if (p->midstream && http2_frame_row(p->bytes[i], p->len[i]))
			return VERDICT_DONE;
	}
	return all;
}

static void *
http2_open(struct session *s)
{
	struct http2 *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	http2_streams_init(&h->streams, s);
	arena_init(&h->arena, BLOCK_ARENA);
	return h;
}

void *
http2_open_upgraded(struct session *s, enum side client, struct http_exchange *x)
{
	struct http2 *h = http2_open(s);
	if (h == NULL)
		return NULL;
	h->begun = true;
	h->client = client;
	h->newest = 1;
	struct http2_stream *first = http2_stream_open(&h->streams, 1, x);
	if (first != NULL)
		first->half[client].headed = first->half[client].ended = true;
	return h;
}

static enum verdict
http2_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct http2 *h = state;
	enum verdict v = VERDICT_MORE;
	while (len > 0 && v == VERDICT_MORE) {
		size_t used = 0;
		v = take(h, from, bytes, len, &used);
		bytes += used;
		len -= used;
	}
	return v;
}

/* Each turn uses bytes or leaves a state that does not come back without. */
static enum verdict
take(struct http2 *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct side_state *side = &h->side[from];
	switch (side->state) {
	case STATE_BEGIN:
		*used = take_begin(h, from, bytes, len);
		break;
	case STATE_HEAD:
		*used = take_head(h, from, bytes, len);
		break;
	case STATE_PAD_LEN:
		*used = 1;
		take_pad_len(h, from, bytes[0]);
		break;
	case STATE_DATA:
		*used = take_data(h, from, bytes, len);
		break;
	case STATE_GATHER:
		*used = take_gather(h, from, bytes, len);
		break;
	case STATE_SKIP:
		*used = take_skip(side, len);
		break;
	case STATE_LOST:
		*used = take_lost(h, from, bytes, len);
		break;
	}
	return !h->any && h->strange > STRANGE_MAX ? VERDICT_MALFORMED : VERDICT_MORE;
}

/* Only a client sends a preface. What stops looking like one was the beginning of a frame. */
static size_t
take_begin(struct http2 *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct side_state *side = &h->side[from];
	size_t n = HTTP2_PREFACE - side->head_len;
	n = len < n ? len : n;
	memcpy(side->head + side->head_len, bytes, n);
	if (!http2_preface_is(side->head, side->head_len + n)) {
		if (side->head_len == 0) {
			side->state = STATE_HEAD;
			return 0;
		}
		lose(h, from);
		return n;
	}
	side->head_len += n;
	if (side->head_len == HTTP2_PREFACE) {
		h->begun = true;
		h->client = from;
		session_client_end(h->session, from);
		side->state = STATE_HEAD;
		side->head_len = 0;
	}
	return n;
}

static size_t
take_head(struct http2 *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct side_state *side = &h->side[from];
	if (side->head_len == 0 && len >= HTTP2_FRAME_HEAD) {
		begin_frame(h, from, bytes);
		return HTTP2_FRAME_HEAD;
	}
	size_t n = HTTP2_FRAME_HEAD - side->head_len;
	n = len < n ? len : n;
	memcpy(side->head + side->head_len, bytes, n);
	side->head_len += n;
	if (side->head_len == HTTP2_FRAME_HEAD)
		begin_frame(h, from, side->head);
	return n;
}

static void
begin_frame(struct http2 *h, enum side from, const uint8_t head[HTTP2_FRAME_HEAD])
{
	struct side_state *side = &h->side[from];
	side->frame = http2_frame_parse(head);
	side->head_len = 0;
	side->left = side->frame.len;
	side->padding = 0;
	bool goes_on = side->frame.type == HTTP2_CONTINUATION && side->frame.stream == side->first.stream;
	if (!http2_frame_allowed(&side->frame) || side->in_block != goes_on) {
		h->strange += HTTP2_FRAME_HEAD;
		lose(h, from);
		return;
	}
	h->any = true;
	bool padded = (side->frame.flags & HTTP2_PADDED) != 0 &&
	              (side->frame.type == HTTP2_DATA || side->frame.type == HTTP2_HEADERS ||
	                      side->frame.type == HTTP2_PUSH_PROMISE);
	if (padded && side->left > 0)
		side->state = STATE_PAD_LEN;
	else
		begin_content(h, from);
}

/* Padding longer than the frame is an error (RFC 9113 section 6.1) and taken as far as it goes. */
static void
take_pad_len(struct http2 *h, enum side from, uint8_t padding)
{
	struct side_state *side = &h->side[from];
	side->left--;
	side->padding = padding < side->left ? padding : side->left;
	side->left -= side->padding;
	begin_content(h, from);
}

static void
begin_content(struct http2 *h, enum side from)
{
	struct side_state *side = &h->side[from];
	switch (side->frame.type) {
	case HTTP2_DATA:
		side->state = STATE_DATA;
		break;
	case HTTP2_HEADERS:
	case HTTP2_PUSH_PROMISE:
		side->first = side->frame;
		side->in_block = true;
		side->block_len = 0;
		side->block_broken = false;
		side->state = STATE_GATHER;
		break;
	case HTTP2_CONTINUATION:
		side->state = STATE_GATHER;
		break;
	case HTTP2_RST_STREAM:
	case HTTP2_GOAWAY:
		side->block_len = 0;
		side->block_broken = false;
		side->state = STATE_GATHER;
		break;
	default:
		side->state = STATE_SKIP;
		break;
	}
	if (side->left == 0)
		end_content(h, from);
}

static size_t
take_data(struct http2 *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct side_state *side = &h->side[from];
	struct http2_stream *s = http2_stream_find(&h->streams, side->frame.stream);
	size_t n = len < side->left ? len : side->left;
	if (s != NULL)
		http2_stream_data(s, from, bytes, n);
	side->left -= (uint32_t)n;
	if (side->left == 0)
		end_content(h, from);
	return n;
}

static size_t
take_gather(struct http2 *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct side_state *side = &h->side[from];
	size_t n = len < side->left ? len : side->left;
	keep(side, bytes, n);
	side->left -= (uint32_t)n;
	if (side->left == 0)
		end_content(h, from);
	return n;
}

static void
keep(struct side_state *side, const uint8_t *bytes, size_t len)
{
	size_t limit = side->in_block ? HTTP2_BLOCK_MAX : CONTROL_MAX;
	if (!side->in_block && len > limit - side->block_len)
		len = limit - side->block_len; /* what is behind it says nothing */
	if (len > limit - side->block_len)
		side->block_broken = true;
	size_t room = side->block_room > 0 ? side->block_room : 1024;
	while (room < side->block_len + len && room < HTTP2_BLOCK_MAX)
		room *= 2;
	if (!side->block_broken && room > side->block_room) {
		uint8_t *more = realloc(side->block, room);
		side->block_broken = more == NULL;
		side->block = more != NULL ? more : side->block;
		side->block_room = more != NULL ? room : side->block_room;
	}
	if (side->block_broken || len == 0)
		return;
	memcpy(side->block + side->block_len, bytes, len);
	side->block_len += len;
}

/* The payload without its padding is over. */
static void
end_content(struct http2 *h, enum side from)
{
	struct side_state *side = &h->side[from];
	struct http2_stream *s;
	side->left = side->padding;
	side->padding = 0;
	side->state = side->left > 0 ? STATE_SKIP : STATE_HEAD;
	switch (side->frame.type) {
	case HTTP2_DATA:
		s = http2_stream_find(&h->streams, side->frame.stream);
		if ((side->frame.flags & HTTP2_END_STREAM) != 0 && s != NULL)
			http2_stream_end(&h->streams, s, from);
		break;
	case HTTP2_HEADERS:
	case HTTP2_PUSH_PROMISE:
	case HTTP2_CONTINUATION:
		if ((side->frame.flags & HTTP2_END_HEADERS) != 0)
			end_block(h, from);
		break;
	case HTTP2_RST_STREAM:
	case HTTP2_GOAWAY:
		end_control(h, from);
		break;
	default:
		break;
	}
}

/* RST_STREAM (section 6.4) ends a stream both ways; GOAWAY (6.8) those that its receiver began after the one it names. */
static void
end_control(struct http2 *h, enum side from)
{
	struct side_state *side = &h->side[from];
	struct http2_stream *s, *next;
	struct reader r = reader_init(side->block, side->block_len);
	if (side->frame.type == HTTP2_RST_STREAM) {
		s = http2_stream_find(&h->streams, side->frame.stream);
		if (s != NULL)
			http2_stream_close(&h->streams, s, TRANSFER_ABORTED);
		return;
	}
	uint32_t last = reader_be32(&r) & 0x7fffffff;
	if (!reader_ok(&r) || side->block_broken)
		return;
	for (s = TAILQ_FIRST(&h->streams.all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, all);
		if (s->id > last && s->id % 2 == (h->client == from ? 0 : 1))
			http2_stream_close(&h->streams, s, TRANSFER_ABORTED);
	}
}

static void
end_block(struct http2 *h, enum side from)
{
	struct side_state *side = &h->side[from];
	side->in_block = false;
	if (side->block_broken)
		http2_header_lose(&side->header);
	else
		take_block(h, from);
	arena_reset(&h->arena);
	if (side->block_room > 4096) {
		free(side->block);
		side->block = NULL;
		side->block_room = 0;
	}
}

/* Sections 6.2 and 6.6: before the block stand a priority, or the promised stream. */
static void
take_block(struct http2 *h, enum side from)
{
	struct side_state *side = &h->side[from];
	struct http_head head;
	struct reader r = reader_init(side->block, side->block_len);
	bool promise = side->first.type == HTTP2_PUSH_PROMISE;
	uint32_t promised = 0;

	if (promise)
		promised = reader_be32(&r) & 0x7fffffff;
	else if ((side->first.flags & HTTP2_HAS_PRIORITY) != 0)
		reader_skip(&r, 5);
	if (!h->begun && side->header.inflater == NULL)
		http2_header_lose(&side->header);
	if (!reader_ok(&r) || !http2_header_read(&side->header, r.next, r.left, &h->arena, &head))
		return;
	if (promise) {
		http2_stream_promise(&h->streams, promised, from, &head);
		return;
	}
	if (head.method_len > 0)
		h->client = from;
	if (side->first.stream > h->newest)
		h->newest = side->first.stream;
	http2_stream_head(&h->streams, side->first.stream, from, &head, (side->first.flags & HTTP2_END_STREAM) != 0);
}

static size_t
take_skip(struct side_state *side, size_t len)
{
	size_t n = len < side->left ? len : side->left;
	side->left -= (uint32_t)n;
	if (side->left == 0)
		side->state = STATE_HEAD;
	return n;
}

/* A frame's head that lies across two segments is passed over; the next one will do. */
static size_t
take_lost(struct http2 *h, enum side from, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + HTTP2_FRAME_HEAD <= len; i++) {
		if (bytes[i] != 0 || bytes[i + 3] > HTTP2_CONTINUATION)
			continue;
		if (names_open_stream(h, bytes + i) || (i == 0 && is_alone(h, bytes, len)) ||
		        (h->streams.count == 0 && http2_frame_row(bytes + i, len - i))) {
			h->side[from].state = STATE_HEAD;
			return i;
		}
	}
	h->strange += len;
	return len;
}

static bool
names_open_stream(const struct http2 *h, const uint8_t *bytes)
{
	struct http2_frame f = http2_frame_parse(bytes);
	return f.len > 0 && f.type != HTTP2_CONTINUATION && http2_frame_usual(&f) &&
	       http2_stream_find(&h->streams, f.stream) != NULL;
}

/* One frame fills these bytes, and begins a stream that may follow the last, or is short and of the connection. */
static bool
is_alone(const struct http2 *h, const uint8_t *bytes, size_t len)
{
	struct http2_frame f = http2_frame_parse(bytes);
	if (f.len != len - HTTP2_FRAME_HEAD || !http2_frame_usual(&f))
		return false;
	return f.type == HTTP2_HEADERS ? f.stream > h->newest && f.stream - h->newest < STREAMS_AHEAD
	                               : f.type >= HTTP2_SETTINGS && f.type != HTTP2_CONTINUATION;
}

static enum verdict
http2_gap(void *state, enum side from, uint64_t len)
{
	struct http2 *h = state;
	struct side_state *side = &h->side[from];
	bool within = side->state == STATE_DATA || side->state == STATE_GATHER || side->state == STATE_SKIP;
	if (!within || len > (uint64_t)side->left + side->padding) {
		skip_data(h, from, side->left);
		lose(h, from);
		return VERDICT_MORE;
	}
	/* What follows is in the same frame, or behind it. */
	uint32_t content = len < side->left ? (uint32_t)len : side->left;
	skip_data(h, from, content);
	if (side->state == STATE_GATHER)
		side->block_broken = true;
	bool skipping = side->state == STATE_SKIP;
	side->left -= content;
	if (side->left == 0 && !skipping)
		end_content(h, from);
	side->left -= (uint32_t)len - content;
	if (side->state == STATE_SKIP && side->left == 0)
		side->state = STATE_HEAD;
	return VERDICT_MORE;
}

/* Of the DATA frame that it is in, if it is in one. */
static void
skip_data(struct http2 *h, enum side from, uint32_t len)
{
	const struct side_state *side = &h->side[from];
	struct http2_stream *s = NULL;
	if (side->state == STATE_DATA)
		s = http2_stream_find(&h->streams, side->frame.stream);
	if (s != NULL)
		http2_stream_skip(s, from, len);
}

/* Frames were not seen, heads among them perhaps. */
static void
lose(struct http2 *h, enum side from)
{
	struct side_state *side = &h->side[from];
	side->state = STATE_LOST;
	side->head_len = 0;
	side->in_block = false;
	http2_header_lose(&side->header);
	http2_streams_adrift(&h->streams, from);
}

static void
http2_end(void *state, enum side from)
{
	struct http2 *h = state;
	http2_streams_half_closed(&h->streams, from);
}

static void
http2_close(void *state, bool reset)
{
	struct http2 *h = state;
	http2_streams_clear(&h->streams, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	for (int i = 0; i < 2; i++) {
		http2_header_clear(&h->side[i].header);
		free(h->side[i].block);
	}
	arena_clear(&h->arena);
	free(h);
}

/* Uploads without an answer are told at the flow's end. */
static bool
http2_finished(const void *state)
{
	const struct http2 *h = state;
	return h->streams.count == 0;
}
