#include "config.h"

#include "proto/http2_stream.h"

#include <stdlib.h>
#include <string.h>

#include "proto/http_body.h"

static size_t bucket_of(uint32_t id);
static void take_request(struct http2_streams *t, uint32_t id, enum side from, const struct http_head *head,
        bool no_body);
static void take_answer(struct http2_streams *t, uint32_t id, enum side from, const struct http_head *head,
        bool no_body);
static struct http2_stream *open_for(struct http2_streams *t, uint32_t id, const struct http_head *request,
        enum side server);
static void begin_body(struct http2_streams *t, struct http2_stream *s, enum side from,
        const struct http_head *head, bool no_body);
static void close_half(struct http2_half *half, enum transfer_state state);

void
http2_streams_init(struct http2_streams *t, struct session *s)
{
	*t = (struct http2_streams){.session = s};
	TAILQ_INIT(&t->all);
}

void
http2_streams_clear(struct http2_streams *t, enum transfer_state state)
{
	struct http2_stream *s;
	while ((s = TAILQ_FIRST(&t->all)) != NULL)
		http2_stream_close(t, s, state);
}

/* Identifiers of one initiator go up by two. */
static size_t
bucket_of(uint32_t id)
{
	return (id >> 1) % HTTP2_BUCKETS;
}

struct http2_stream *
http2_stream_find(const struct http2_streams *t, uint32_t id)
{
	struct http2_stream *s = t->bucket[bucket_of(id)];
	while (s != NULL && s->id != id)
		s = s->next;
	return s;
}

struct http2_stream *
http2_stream_open(struct http2_streams *t, uint32_t id, struct http_exchange *x)
{
	if (t->count == HTTP2_STREAMS_MAX)
		http2_stream_close(t, TAILQ_FIRST(&t->all), TRANSFER_TRUNCATED);
	struct http2_stream *s = x != NULL ? calloc(1, sizeof *s) : NULL;
	if (s == NULL) {
		http_exchange_unref(x);
		return NULL;
	}
	struct http2_stream **bucket = &t->bucket[bucket_of(id)];
	s->id = id;
	s->x = x;
	s->next = *bucket;
	*bucket = s;
	TAILQ_INSERT_TAIL(&t->all, s, all);
	t->count++;
	return s;
}

void
http2_stream_head(struct http2_streams *t, uint32_t id, enum side from, const struct http_head *head,
        bool no_body)
{
	struct http2_stream *s = http2_stream_find(t, id);
	bool trailer = s != NULL && (s->half[from].headed || !head->response);
	if (!trailer && head->response)
		take_answer(t, id, from, head, no_body);
	else if (!trailer && head->method_len + head->target_len > 0)
		take_request(t, id, from, head, no_body);
	else if (s != NULL && no_body)
		http2_stream_end(t, s, from);
}

static void
take_request(struct http2_streams *t, uint32_t id, enum side from, const struct http_head *head, bool no_body)
{
	struct http2_stream *s = open_for(t, id, head, side_other(from));
	if (s == NULL)
		return;
	session_client_end(t->session, from);
	http_exchange_tell_session(s->x, t->session, head);
	s->half[from].headed = true;
	if (mime_type_is(http_head_field(head, "content-type"), "application/grpc") && s->x->path_len > 0)
		session_detail(t->session, "grpc.method", s->x->path, s->x->path_len);
	begin_body(t, s, from, head, no_body);
	if (no_body)
		http2_stream_end(t, s, from);
}

/* Interim answers come before the one that counts (RFC 9113 section 8.1). */
static void
take_answer(struct http2_streams *t, uint32_t id, enum side from, const struct http_head *head, bool no_body)
{
	const struct mime_field *server = http_head_field(head, "server");
	struct http2_stream *s = http2_stream_find(t, id);
	if (s == NULL)
		s = open_for(t, id, NULL, from);
	if (s == NULL || (head->status < 200 && head->status != 0))
		return;
	session_client_end(t->session, side_other(from));
	if (server != NULL)
		session_server(t->session, server->value, server->value_len);
	s->half[from].headed = true;
	http_exchange_answered(s->x, t->session, side_other(from), head);
	begin_body(t, s, from, head, no_body);
	if (no_body)
		http2_stream_end(t, s, from);
}

void
http2_stream_promise(struct http2_streams *t, uint32_t id, enum side server, const struct http_head *head)
{
	if (http2_stream_find(t, id) != NULL)
		return;
	struct http2_stream *s = open_for(t, id, head, server);
	if (s == NULL)
		return;
	s->half[side_other(server)].headed = s->half[side_other(server)].ended = true;
}

/* request NULL: it was not seen. */
static struct http2_stream *
open_for(struct http2_streams *t, uint32_t id, const struct http_head *request, enum side server)
{
	const struct session_ends ends = session_ends(t->session);
	return http2_stream_open(t, id, http_exchange_create(request, &ends, server));
}

/* Its length may be declared; where it ends END_STREAM tells. What goes through a tunnel is no file. */
static void
begin_body(struct http2_streams *t, struct http2_stream *s, enum side from, const struct http_head *head, bool no_body)
{
	struct http2_half *half = &s->half[from];
	struct http_body body;
	bool tunnel = s->x->connect && (!head->response || head->status / 100 == 2);
	bool silent = tunnel || (head->response && (s->x->head || head->status == 204 || head->status == 304));
	http_body_init(&body, head, silent);
	if (no_body)
		body = (struct http_body){.framing = HTTP_BODY_NONE, .whole = true, .empty = !silent};
	if (!silent && !body.whole && body.framing != HTTP_BODY_LENGTH)
		body.framing = HTTP_BODY_CLOSE;
	if (!silent && !no_body && body.framing == HTTP_BODY_NONE && http_head_field(head, "content-length") == NULL)
		body.framing = HTTP_BODY_CLOSE;
	half->adrift = false;
	half->payload = http_payload_open(t->session, from, head, &body, s->x);
}

void
http2_stream_data(struct http2_stream *s, enum side from, const uint8_t *bytes, size_t len)
{
	struct http2_half *half = &s->half[from];
	if (half->payload == NULL || half->ended)
		return;
	if (half->adrift)
		http_payload_skip(half->payload, len);
	else
		http_payload_data(half->payload, bytes, len);
}

void
http2_stream_skip(struct http2_stream *s, enum side from, uint64_t len)
{
	struct http2_half *half = &s->half[from];
	if (half->payload != NULL && !half->ended && len > 0)
		http_payload_skip(half->payload, len);
}

void
http2_stream_end(struct http2_streams *t, struct http2_stream *s, enum side from)
{
	struct http2_half *half = &s->half[from];
	half->ended = true;
	close_half(half, half->adrift ? TRANSFER_TRUNCATED : TRANSFER_COMPLETE);
	if (s->half[side_other(from)].ended)
		http2_stream_close(t, s, TRANSFER_COMPLETE);
}

void
http2_stream_close(struct http2_streams *t, struct http2_stream *s, enum transfer_state state)
{
	struct http2_stream **at = &t->bucket[bucket_of(s->id)];
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	TAILQ_REMOVE(&t->all, s, all);
	t->count--;
	for (int i = 0; i < 2; i++)
		close_half(&s->half[i], state);
	http_exchange_unref(s->x);
	free(s);
}

static void
close_half(struct http2_half *half, enum transfer_state state)
{
	http_payload_close(half->payload, state);
	half->payload = NULL;
}

void
http2_streams_half_closed(struct http2_streams *t, enum side from)
{
	struct http2_stream *s;
	TAILQ_FOREACH(s, &t->all, all)
		close_half(&s->half[from], TRANSFER_ABORTED);
}

void
http2_streams_adrift(struct http2_streams *t, enum side from)
{
	struct http2_stream *s;
	TAILQ_FOREACH(s, &t->all, all)
		s->half[from].adrift = true;
}
