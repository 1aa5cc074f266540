/*
 * Messages: each side's heads are gathered and read, bodies are given to http_payload, answers
 * are paired with requests in their order (RFC 9112 section 9.3).
 */
#include "config.h"

#include "proto/http_connection.h"

#include <string.h>

#include "proto/http_head.h"
#include "proto/http_upgrade.h"

static enum verdict gathered(struct http *h, enum side from);
static bool simple_answer(const struct http *h, enum side from);
static enum verdict take_message(struct http *h, enum side from, const uint8_t *block, size_t len);
static enum verdict take_request(struct http *h, enum side from, const struct http_head *head);
static enum verdict take_response(struct http *h, enum side from, const struct http_head *head);
static void begin_body(struct http *h, enum side from, const struct http_head *head,
        struct http_exchange *x, bool silent);

/*
 * A head comes in one piece, or is gathered; until its first line is whole nothing beyond
 * that line is taken, so that what is no head can be given up without losing the next one.
 */
enum verdict
http_connection_head(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct http_side *side = &h->side[from];
	struct mime_gather *g = &side->gather;
	const uint8_t *block;
	size_t block_len;
	enum verdict v;

	/* What looked like a beginning was not one if an answer begins behind it. */
	if (g->lines == 0 && g->len > 0 && http_start(bytes, len) == HTTP_START_RESPONSE)
		mime_gather_reset(g);
	if (g->len == 0) {
		*used = http_start_stray(bytes, len);
		if (*used > 0)
			return VERDICT_MORE;
		if (http_start(bytes, len) == HTTP_START_NO)
			return http_connection_no_head(h, from, bytes, len, used);
	} else if (g->lines == 0) {
		const uint8_t *lf = memchr(bytes, '\n', len);
		len = lf != NULL ? (size_t)(lf - bytes) + 1 : len;
	}
	*used = len;
	switch (mime_gather_take(g, bytes, len, HTTP_HEAD_MAX, true, used, &block, &block_len)) {
	case VERDICT_DONE:
		v = take_message(h, from, block, block_len);
		mime_gather_clear(g);
		return v;
	case VERDICT_MORE:
		return gathered(h, from);
	default:
		side->state = HTTP_STATE_LOST;
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
		return http_connection_no_head(h, from, block, len, &used);
	return start == HTTP_START_SIMPLE ? take_message(h, from, block, len) : VERDICT_MORE;
}

/* Not the beginning of a message: an answer without a head, or strange bytes. */
enum verdict
http_connection_no_head(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	static const struct http_head simple = {.response = true, .version = 9};
	struct http_side *side = &h->side[from];

	*used = 0;
	if (!simple_answer(h, from)) {
		side->state = HTTP_STATE_LOST;
		side->gapped = true;
		return VERDICT_MORE;
	}
	side->answers = side->any = true;
	begin_body(h, from, &simple, http_queue_take(&h->requests, false), false);
	return http_connection_body(h, from, bytes, len, used);
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
	struct http_head head;

	if (!http_head_parse(&head, block, len) || (side->any && side->answers != head.response)) {
		side->state = HTTP_STATE_LOST;
		return VERDICT_MORE;
	}
	http_connection_end_body(side, TRANSFER_TRUNCATED, HTTP_STATE_HEAD);
	h->any = side->any = true;
	side->answers = head.response;
	session_client_end(h->session, head.response ? side_other(from) : from);
	return head.response ? take_response(h, from, &head) : take_request(h, from, &head);
}

static enum verdict
take_request(struct http *h, enum side from, const struct http_head *head)
{
	struct http_side *side = &h->side[from];
	const struct session_ends ends = session_ends(h->session);
	struct http_exchange *x = http_exchange_create(head, &ends, side_other(from));
	if (x == NULL)
		return VERDICT_DONE;
	http_queue_add(&h->requests, x);
	side->gapped = false;
	http_exchange_tell_session(x, h->session, head);
	if (x->connect)
		side->state = HTTP_STATE_TUNNEL;
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
		x = http_exchange_create(NULL, NULL, from);
	if (x == NULL)
		return VERDICT_DONE;
	side->gapped = false;
	if (head->status == 101 && http_upgrade(h, from, head, x))
		return VERDICT_MORE;
	http_exchange_answered(x, h->session, side_other(from), head);
	if (head->status == 101 || (x->connect && head->status / 100 == 2) ||
	        (x->unknown && http_head_says(head, "connection established"))) {
		http_exchange_unref(x);
		return VERDICT_SWITCH;
	}
	if (x->connect && other->state == HTTP_STATE_TUNNEL)
		other->state = HTTP_STATE_HEAD;
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
	side->state = HTTP_STATE_BODY;
	side->body_begun = false;
	side->payload = http_payload_open(h->session, from, head, &side->body, x);
	if (side->body.framing == HTTP_BODY_NONE)
		http_connection_end_body(side, TRANSFER_COMPLETE, HTTP_STATE_HEAD);
}

enum verdict
http_connection_body(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct http_side *side = &h->side[from];
	const uint8_t *content;
	size_t content_len;

	*used = 0;
	if (!side->body_begun && side->x->unknown && http_start(bytes, len) == HTTP_START_RESPONSE) {
		http_connection_end_body(side, TRANSFER_COMPLETE, HTTP_STATE_HEAD); /* it was the answer to an unseen HEAD */
		return VERDICT_MORE;
	}
	side->body_begun = true;
	enum verdict v = http_body_take(&side->body, bytes, len, used, &content, &content_len);
	if (side->payload != NULL && content_len > 0)
		http_payload_data(side->payload, content, content_len);
	if (v == VERDICT_DONE)
		http_connection_end_body(side, TRANSFER_COMPLETE, HTTP_STATE_HEAD);
	if (v == VERDICT_MALFORMED)
		side->state = HTTP_STATE_LOST;
	return VERDICT_MORE;
}

/* Also where there is no body. */
void
http_connection_end_body(struct http_side *side, enum transfer_state state, enum http_state next)
{
	http_payload_close(side->payload, state);
	http_exchange_unref(side->x);
	side->payload = NULL;
	side->x = NULL;
	side->state = next;
}
