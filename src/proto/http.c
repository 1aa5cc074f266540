/*
 * HTTP/1.0 and 1.1 (RFC 9110, RFC 9112), and what little there is of 0.9: finds the messages
 * of each side, pairs answers with requests in their order, and hands bodies to
 * http_payload. Where the beginning or a part was not seen it goes on at the next message.
 *
 * Not here: HTTP/2, which an upgrade or a CONNECT hands back to the classifier.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http_body.h"
#include "proto/http_exchange.h"
#include "proto/http_head.h"
#include "proto/http_payload.h"
#include "proto/mime_header.h"

enum {
	STRANGE_MAX = 65536, /* bytes before the first message that are no message */
};

enum state {
	STATE_HEAD,   /* before or in a message's head */
	STATE_BODY,   /* in a body */
	STATE_LOST,   /* somewhere: waiting for the next message */
	STATE_TUNNEL, /* behind a CONNECT that was not answered yet */
};

struct http_side {
	enum state state;
	bool answers;                 /* it sends responses; known once a message was seen */
	bool any;                     /* a message was seen */
	bool gapped;                  /* messages may have been lost since the last one */
	struct mime_gather gather;    /* the head so far */
	struct http_body body;
	bool body_begun;
	struct http_exchange *x;      /* that the body belongs to; a reference */
	struct http_payload *payload; /* NULL: the body is no file */
};

struct http {
	struct session *session;
	struct http_side side[2];
	struct http_queue requests;   /* unanswered */
	bool any;                     /* a message was seen */
	size_t strange;               /* bytes that were none, before */
};

static enum verdict http_probe(const struct probe *p);
static void *http_open(struct session *s);
static enum verdict http_data(void *state, enum side from, const uint8_t *bytes, size_t len);
static enum verdict http_gap(void *state, enum side from, uint64_t len);
static void http_end(void *state, enum side from);
static void http_close(void *state, bool reset);
static size_t line_ends(const uint8_t *bytes, size_t len);
static bool begins_within(const uint8_t *bytes, size_t len);
static void lose(struct http *h, enum side from);
static enum verdict take_head(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static enum verdict gathered(struct http *h, enum side from);
static enum verdict no_head(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static bool simple_answer(const struct http *h, enum side from);
static enum verdict take_message(struct http *h, enum side from, const uint8_t *block, size_t len);
static enum verdict take_request(struct http *h, enum side from, const struct http_head *head);
static enum verdict take_response(struct http *h, enum side from, const struct http_head *head);
static void begin_body(struct http *h, enum side from, const struct http_head *head,
        struct http_exchange *x, bool silent);
static enum verdict take_body(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static void end_body(struct http_side *side, enum transfer_state state, enum state next);
static enum verdict take_lost(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static enum verdict take_tunnel(struct http *h, enum side from, const uint8_t *bytes, size_t len);
static void tell_client(struct http *h, const struct http_head *head, const struct http_exchange *x);

const struct proto proto_http = {
        .name = "http",
        .transport = IPPROTO_TCP,
        .ports = {80, 8080, 3128, 8000},
        .reads = "bodies of requests and responses, parts of multipart uploads, ranges joined, "
                 "gzip, deflate and zstd undone, names, accounts, open directory listings",
        .infers = "",
        .misses = "br, compress and lzma are hashed as sent; what stands inside a WebDAV request",
        .probe = http_probe,
        .open = http_open,
        .data = http_data,
        .gap = http_gap,
        .end = http_end,
        .close = http_close,
};

static enum verdict
http_probe(const struct probe *p)
{
	enum verdict all = VERDICT_NOT_MINE;
	for (int i = 0; i < 2; i++) {
		if (p->len[i] == 0)
			continue;
		enum http_start start = http_start(p->bytes[i], p->len[i]);
		if (start >= HTTP_START_REQUEST || (p->midstream && begins_within(p->bytes[i], p->len[i])))
			return VERDICT_DONE;
		if (start == HTTP_START_MORE)
			all = VERDICT_MORE;
	}
	return all;
}

/* Seen from the middle on, a message may begin anywhere behind a line's end. */
static bool
begins_within(const uint8_t *bytes, size_t len)
{
	size_t at = http_start_find(bytes, len, true, true);
	return at < len && http_start(bytes + at, len - at) >= HTTP_START_REQUEST;
}

static void *
http_open(struct session *s)
{
	struct http *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
http_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct http *h = state;
	enum verdict v = VERDICT_MORE;
	while (len > 0 && v == VERDICT_MORE) {
		size_t used = len;
		switch (h->side[from].state) {
		case STATE_HEAD:
			v = take_head(h, from, bytes, len, &used);
			break;
		case STATE_BODY:
			v = take_body(h, from, bytes, len, &used);
			break;
		case STATE_LOST:
			v = take_lost(h, from, bytes, len, &used);
			break;
		case STATE_TUNNEL:
			used = line_ends(bytes, len);
			if (used == 0)
				v = take_tunnel(h, from, bytes, len);
			break;
		}
		bytes += used;
		len -= used;
	}
	if (v == VERDICT_SWITCH)
		session_switch(h->session, len - line_ends(bytes, len));
	return v;
}

/* One too many behind a head belongs to it, not to what is tunnelled. */
static size_t
line_ends(const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	while (n < len && (bytes[n] == '\r' || bytes[n] == '\n'))
		n++;
	return n;
}

static enum verdict
http_gap(void *state, enum side from, uint64_t len)
{
	struct http *h = state;
	struct http_side *side = &h->side[from];
	uint64_t skipped = len, left = 0;
	enum verdict v;

	switch (side->state) {
	case STATE_HEAD:
		mime_gather_reset(&side->gather);
		lose(h, from);
		break;
	case STATE_BODY:
		side->body_begun = true;
		v = http_body_gap(&side->body, len, &skipped, &left);
		if (side->payload != NULL && skipped > 0)
			http_payload_skip(side->payload, skipped);
		if (v == VERDICT_DONE || side->body.whole)
			end_body(side, TRANSFER_COMPLETE, STATE_HEAD);
		if (v == VERDICT_DONE && left > 0)
			lose(h, from);
		if (v == VERDICT_MALFORMED) {
			side->state = STATE_LOST;
			side->gapped = true;
		}
		break;
	case STATE_LOST:
		if (side->payload != NULL)
			http_payload_skip(side->payload, len);
		break;
	case STATE_TUNNEL:
		break;
	}
	return VERDICT_MORE;
}

/* A message, or the beginning of one, was not seen. */
static void
lose(struct http *h, enum side from)
{
	struct http_side *side = &h->side[from], *other = &h->side[side_other(from)];
	side->state = STATE_LOST;
	side->gapped = true;
	if (side->any ? side->answers : other->any && !other->answers)
		http_queue_lost(&h->requests);
}

static void
http_end(void *state, enum side from)
{
	struct http *h = state;
	struct http_side *side = &h->side[from];
	size_t used;
	if (side->state == STATE_HEAD && side->gather.len > 0 && side->gather.lines == 0)
		(void)no_head(h, from, side->gather.bytes, side->gather.len, &used);
	bool whole = side->body.whole || side->body.framing == HTTP_BODY_CLOSE;
	enum transfer_state ended = side->state != STATE_BODY ? TRANSFER_TRUNCATED
	                            : whole                   ? TRANSFER_COMPLETE
	                                                      : TRANSFER_ABORTED;
	end_body(side, ended, STATE_LOST);
}

static void
http_close(void *state, bool reset)
{
	struct http *h = state;
	for (int i = 0; i < 2; i++) {
		struct http_side *side = &h->side[i];
		enum transfer_state ended = side->body.whole ? TRANSFER_COMPLETE
		                            : reset          ? TRANSFER_ABORTED
		                                             : TRANSFER_TRUNCATED;
		end_body(side, ended, STATE_LOST);
		mime_gather_clear(&side->gather);
	}
	http_queue_clear(&h->requests);
	free(h);
}

/*
 * A head comes in one piece, or is gathered; until its first line is whole nothing beyond
 * that line is taken, so that what is no head can be given up without losing the next one.
 */
static enum verdict
take_head(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct http_side *side = &h->side[from];
	struct mime_gather *g = &side->gather;
	const uint8_t *block;
	size_t block_len;

	/* What looked like a beginning was not one if an answer begins behind it. */
	if (g->lines == 0 && g->len > 0 && http_start(bytes, len) == HTTP_START_RESPONSE)
		mime_gather_reset(g);
	if (g->len == 0) {
		*used = http_start_stray(bytes, len);
		if (*used > 0)
			return VERDICT_MORE;
		if (http_start(bytes, len) == HTTP_START_NO)
			return no_head(h, from, bytes, len, used);
	} else if (g->lines == 0) {
		const uint8_t *lf = memchr(bytes, '\n', len);
		len = lf != NULL ? (size_t)(lf - bytes) + 1 : len;
	}
	*used = len;
	switch (mime_gather_take(g, bytes, len, HTTP_HEAD_MAX, true, used, &block, &block_len)) {
	case VERDICT_DONE:
		return take_message(h, from, block, block_len);
	case VERDICT_MORE:
		return gathered(h, from);
	default:
		side->state = STATE_LOST;
		side->gapped = true;
		return VERDICT_MORE;
	}
}

/* What was gathered so far: still a head? */
static enum verdict
gathered(struct http *h, enum side from)
{
	struct mime_gather *g = &h->side[from].gather;
	const uint8_t *block = g->bytes;
	size_t len = g->len, used;
	bool one_line = g->lines == 1 && g->line == g->len;

	if (g->lines > 0 && !one_line)
		return VERDICT_MORE;
	enum http_start start = http_start(block, len);
	if (start == HTTP_START_NO || (start == HTTP_START_SIMPLE && one_line))
		mime_gather_reset(g);
	if (start == HTTP_START_NO)
		return no_head(h, from, block, len, &used);
	return start == HTTP_START_SIMPLE ? take_message(h, from, block, len) : VERDICT_MORE;
}

/* Not the beginning of a message: an answer without a head, or strange bytes. */
static enum verdict
no_head(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	static const struct http_head simple = {.response = true, .version = 9};
	struct http_side *side = &h->side[from];

	*used = 0;
	if (!simple_answer(h, from)) {
		side->state = STATE_LOST;
		side->gapped = true;
		return VERDICT_MORE;
	}
	side->answers = side->any = true;
	begin_body(h, from, &simple, http_queue_take(&h->requests, false), false);
	return take_body(h, from, bytes, len, used);
}

/* HTTP/0.9 answers without a head, and browsers accept such an answer to any first request. */
static bool
simple_answer(const struct http *h, enum side from)
{
	const struct http_side *side = &h->side[from], *other = &h->side[side_other(from)];
	return h->requests.count == 1 && !side->any && !side->gapped && other->any && !other->answers &&
	       !h->requests.oldest->connect;
}

static enum verdict
take_message(struct http *h, enum side from, const uint8_t *block, size_t len)
{
	struct http_side *side = &h->side[from];
	struct http_head head = {.response = false};

	if (!http_head_parse(&head, block, len) || (side->any && side->answers != head.response)) {
		side->state = STATE_LOST;
		return VERDICT_MORE;
	}
	end_body(side, TRANSFER_TRUNCATED, STATE_HEAD);
	h->any = side->any = true;
	side->answers = head.response;
	return head.response ? take_response(h, from, &head) : take_request(h, from, &head);
}

static enum verdict
take_request(struct http *h, enum side from, const struct http_head *head)
{
	struct http_side *side = &h->side[from];
	struct http_exchange *x = http_exchange_create(head, session_ends(h->session), side_other(from));
	if (x == NULL)
		return VERDICT_DONE;
	http_queue_add(&h->requests, x);
	side->gapped = false;
	tell_client(h, head, x);
	if (x->connect)
		side->state = STATE_TUNNEL;
	else
		begin_body(h, from, head, http_exchange_ref(x), false);
	return VERDICT_MORE;
}

/* RFC 9110 section 15.2: interim answers come before the one that counts. */
static enum verdict
take_response(struct http *h, enum side from, const struct http_head *head)
{
	struct http_side *side = &h->side[from], *other = &h->side[side_other(from)];
	const struct mime_field *server = http_head_field(head, "server");
	bool silent = head->status == 204 || head->status == 304;

	if (server != NULL)
		session_server(h->session, server->value, server->value_len);
	if (head->status < 200 && head->status != 101)
		return VERDICT_MORE;
	struct http_exchange *x = http_queue_take(&h->requests, side->gapped);
	if (x == NULL)
		x = http_exchange_create(NULL, session_ends(h->session), from);
	if (x == NULL)
		return VERDICT_DONE;
	side->gapped = false;
	http_exchange_answered(x, head->status);
	if (head->status == 101 || (x->connect && head->status / 100 == 2) ||
	        (x->unknown && http_head_says(head, "connection established"))) {
		http_exchange_unref(x);
		return VERDICT_SWITCH;
	}
	if (x->connect && other->state == STATE_TUNNEL)
		other->state = STATE_HEAD;
	begin_body(h, from, head, x, silent || x->head);
	return VERDICT_MORE;
}

/* Takes over a reference of x. */
static void
begin_body(struct http *h, enum side from, const struct http_head *head, struct http_exchange *x, bool silent)
{
	struct http_side *side = &h->side[from];
	http_body_init(&side->body, head, silent);
	side->x = x;
	side->state = STATE_BODY;
	side->body_begun = false;
	if (side->body.framing == HTTP_BODY_NONE)
		end_body(side, TRANSFER_COMPLETE, STATE_HEAD);
	else
		side->payload = http_payload_open(h->session, from, head, &side->body, x);
}

static enum verdict
take_body(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct http_side *side = &h->side[from];
	const uint8_t *content;
	size_t content_len;

	*used = 0;
	if (!side->body_begun && side->x->unknown && http_start(bytes, len) == HTTP_START_RESPONSE) {
		end_body(side, TRANSFER_COMPLETE, STATE_HEAD); /* it was the answer to an unseen HEAD */
		return VERDICT_MORE;
	}
	side->body_begun = true;
	enum verdict v = http_body_take(&side->body, bytes, len, used, &content, &content_len);
	if (side->payload != NULL && content_len > 0)
		http_payload_data(side->payload, content, content_len);
	if (v == VERDICT_DONE)
		end_body(side, TRANSFER_COMPLETE, STATE_HEAD);
	if (v == VERDICT_MALFORMED)
		side->state = STATE_LOST;
	return VERDICT_MORE;
}

/* Also where there is no body. */
static void
end_body(struct http_side *side, enum transfer_state state, enum state next)
{
	http_payload_close(side->payload, state);
	http_exchange_unref(side->x);
	side->payload = NULL;
	side->x = NULL;
	side->state = next;
}

static enum verdict
take_lost(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct http_side *side = &h->side[from];
	*used = http_start_find(bytes, len, !side->any || !side->answers, !side->any || side->answers);
	if (side->payload != NULL && *used > 0)
		http_payload_skip(side->payload, *used);
	if (*used < len)
		side->state = STATE_HEAD;
	if (!h->any && (h->strange += *used) > STRANGE_MAX)
		return VERDICT_MALFORMED;
	return VERDICT_MORE;
}

/*
 * The client goes on before an answer was seen: another request, because the answer refused it, or what the
 * tunnel is for.
 */
static enum verdict
take_tunnel(struct http *h, enum side from, const uint8_t *bytes, size_t len)
{
	if (http_start(bytes, len) < HTTP_START_REQUEST)
		return VERDICT_SWITCH;
	h->side[from].state = STATE_HEAD;
	return VERDICT_MORE;
}

static void
tell_client(struct http *h, const struct http_head *head, const struct http_exchange *x)
{
	const struct mime_field *agent = http_head_field(head, "user-agent");
	const struct mime_field *language = http_head_field(head, "accept-language");
	const struct mime_field *host = http_head_field(head, "host");
	if (agent != NULL)
		session_client(h->session, agent->value, agent->value_len);
	if (language != NULL)
		session_language(h->session, language->value, language->value_len);
	if (host != NULL)
		session_service(h->session, host->value, host->value_len);
	if (x->user_len > 0)
		session_account(h->session, x->user, x->user_len);
}
