/*
 * HTTP/1.0 and 1.1 (RFC 9110, RFC 9112), and what little there is of 0.9. Where the beginning
 * or a part was not seen it goes on at the next message.
 *
 * What an upgrade or a CONNECT leads to is handed back to the classifier, but for HTTP/2 and WebSocket, which
 * have to know of the request.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "proto/http_connection.h"
#include "proto/http_head.h"

enum {
	STRANGE_MAX = 65536, /* bytes before the first message that are no message */
};

static enum verdict http_probe(const struct probe *p);
static void *http_open(struct session *s);
static enum verdict http_data(void *state, enum side from, const uint8_t *bytes, size_t len);
static enum verdict http_gap(void *state, enum side from, uint64_t len);
static void http_end(void *state, enum side from);
static void http_close(void *state, bool reset);
static bool http_finished(const void *state);
static size_t line_ends(const uint8_t *bytes, size_t len);
static bool begins_within(const uint8_t *bytes, size_t len);
static void lose(struct http *h, enum side from);
static enum verdict take_lost(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static enum verdict take_tunnel(struct http *h, enum side from, const uint8_t *bytes, size_t len);

const struct proto proto_http = {
        .name = "http",
        .transport = IPPROTO_TCP,
        .ports = {80, 8080, 3128, 8000},
        .reads = "bodies of requests and responses, parts of multipart uploads, ranges joined, "
                 "gzip, deflate and zstd undone, names, accounts, open directory listings; uploads in pieces put together: S3 "
                 "(with bucket and key, signed chunks undone), Azure (blocks, pages, appended), Nextcloud and ownCloud, tus, "
                 "Google; what WebDAV moves and copies",
        .infers = "",
        .misses = "br, compress and lzma are hashed as sent; what stands inside a WebDAV request",
        .probe = http_probe,
        .open = http_open,
        .data = http_data,
        .gap = http_gap,
        .end = http_end,
        .close = http_close,
        .finished = http_finished,
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
		case HTTP_STATE_HEAD:
			v = http_connection_head(h, from, bytes, len, &used);
			break;
		case HTTP_STATE_BODY:
			v = http_connection_body(h, from, bytes, len, &used);
			break;
		case HTTP_STATE_LOST:
			v = take_lost(h, from, bytes, len, &used);
			break;
		case HTTP_STATE_UPGRADED:
			return h->next->data(h->next_state, from, bytes, len);
		case HTTP_STATE_TUNNEL:
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
	case HTTP_STATE_HEAD:
		mime_gather_reset(&side->gather);
		lose(h, from);
		break;
	case HTTP_STATE_BODY:
		side->body_begun = true;
		v = http_body_gap(&side->body, len, &skipped, &left);
		if (side->payload != NULL && skipped > 0)
			http_payload_skip(side->payload, skipped);
		if (v == VERDICT_DONE || side->body.whole)
			http_connection_end_body(side, TRANSFER_COMPLETE, HTTP_STATE_HEAD);
		if (v == VERDICT_DONE && left > 0)
			lose(h, from);
		if (v == VERDICT_MALFORMED) {
			side->state = HTTP_STATE_LOST;
			side->gapped = true;
		}
		break;
	case HTTP_STATE_LOST:
		if (side->payload != NULL)
			http_payload_skip(side->payload, len);
		break;
	case HTTP_STATE_TUNNEL:
		break;
	case HTTP_STATE_UPGRADED:
		return h->next->gap(h->next_state, from, len);
	}
	return VERDICT_MORE;
}

/* A message, or the beginning of one, was not seen. */
static void
lose(struct http *h, enum side from)
{
	struct http_side *side = &h->side[from], *other = &h->side[side_other(from)];
	side->state = HTTP_STATE_LOST;
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
	if (h->next != NULL) {
		h->next->end(h->next_state, from);
		return;
	}
	if (side->state == HTTP_STATE_HEAD && side->gather.len > 0 && side->gather.lines == 0)
		(void)http_connection_no_head(h, from, side->gather.bytes, side->gather.len, &used);
	bool whole = side->body.whole || side->body.framing == HTTP_BODY_CLOSE;
	enum transfer_state ended = side->state != HTTP_STATE_BODY ? TRANSFER_TRUNCATED
	                            : whole                   ? TRANSFER_COMPLETE
	                                                      : TRANSFER_ABORTED;
	http_connection_end_body(side, ended, HTTP_STATE_LOST);
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
		http_connection_end_body(side, ended, HTTP_STATE_LOST);
		mime_gather_clear(&side->gather);
	}
	http_queue_clear(&h->requests);
	if (h->next != NULL)
		h->next->close(h->next_state, reset);
	free(h);
}

/* Uploads without an answer are told at the flow's end. */
static bool
http_finished(const void *state)
{
	const struct http *h = state;
	return h->side[SIDE_SOURCE].payload == NULL && h->side[SIDE_DESTINATION].payload == NULL &&
	       !http_queue_uploads(&h->requests) && (h->next == NULL || h->next->finished(h->next_state));
}

static enum verdict
take_lost(struct http *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct http_side *side = &h->side[from];
	*used = http_start_find(bytes, len, !side->any || !side->answers, !side->any || side->answers);
	if (side->payload != NULL && *used > 0)
		http_payload_skip(side->payload, *used);
	if (*used < len)
		side->state = HTTP_STATE_HEAD;
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
	h->side[from].state = HTTP_STATE_HEAD;
	return VERDICT_MORE;
}
