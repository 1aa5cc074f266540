/* Exchanges live as long as the request's body, the queue or the answer's body needs them. */
#include "config.h"

#include "proto/http_empty.h"
#include "proto/http_exchange.h"

#include <stdlib.h>

#include "proto/http_auth.h"
#include "proto/http_name.h"

enum {
	ARENA_MAX = 256 * 1024,
	UNANSWERED_MAX = 1024,
};

static struct http_exchange *oldest(struct http_queue *q);
static bool has_room(struct http_exchange *x);
static void end_or_wait(struct http_exchange *x, const struct http_upload *upload);
static void end_upload(const struct http_exchange *x, const struct http_upload *upload);
static void end_uploads(struct http_exchange *x);

void
http_queue_add(struct http_queue *q, struct http_exchange *x)
{
	if (q->count == UNANSWERED_MAX)
		http_exchange_unref(oldest(q));
	if (q->newest != NULL)
		q->newest->next = x;
	else
		q->oldest = x;
	q->newest = x;
	q->count++;
}

struct http_exchange *
http_queue_take(struct http_queue *q, bool gapped)
{
	if (!gapped && q->count > 1)
		q->pipelines = true;
	while (gapped && !q->pipelines && q->count > 1)
		http_exchange_unref(oldest(q));
	return oldest(q);
}

void
http_queue_lost(struct http_queue *q)
{
	http_exchange_unref(oldest(q));
	if (q->count > 1)
		q->pipelines = true;
}

void
http_queue_clear(struct http_queue *q)
{
	while (q->count > 0)
		http_exchange_unref(oldest(q));
}

bool
http_queue_uploads(const struct http_queue *q)
{
	for (const struct http_exchange *x = q->oldest; x != NULL; x = x->next)
		if (x->upload_count > 0)
			return true;
	return false;
}

static struct http_exchange *
oldest(struct http_queue *q)
{
	struct http_exchange *x = q->oldest;
	if (x == NULL)
		return NULL;
	q->oldest = x->next;
	if (q->oldest == NULL)
		q->newest = NULL;
	x->next = NULL;
	q->count--;
	return x;
}

struct http_exchange *
http_exchange_create(const struct http_head *request, const struct session_ends *ends, enum side server)
{
	struct mime_text user;
	struct http_exchange *x = malloc(sizeof *x);
	if (x == NULL)
		return NULL;
	*x = (struct http_exchange){.refs = 1, .unknown = request == NULL};
	arena_init(&x->arena, ARENA_MAX);
	if (request == NULL)
		return x;

	x->head = http_method_is(request, "HEAD");
	x->connect = http_method_is(request, "CONNECT");
	if (request->method_len > 0)
		x->method = arena_string(&x->arena, request->method, request->method_len);
	x->url = http_url(&x->arena, request, ends, server);
	x->path = http_path(&x->arena, request, &x->path_len);
	const struct mime_field *referrer = http_head_field(request, "referer");
	if (referrer != NULL)
		x->referrer = http_clean_url(&x->arena, referrer->value, referrer->value_len);
	if (http_auth_user(request, &user)) {
		x->user = arena_copy(&x->arena, user.bytes, user.len);
		x->user_len = x->user != NULL ? user.len : 0;
	}
	x->api = http_api_look(&x->arena, request, x->path, x->path_len);
	return x;
}

struct http_exchange *
http_exchange_ref(struct http_exchange *x)
{
	x->refs++;
	return x;
}

void
http_exchange_unref(struct http_exchange *x)
{
	if (x == NULL || --x->refs > 0)
		return;
	end_uploads(x);
	http_api_clear(x->api);
	arena_clear(&x->arena);
	free(x);
}

void
http_exchange_answered(struct http_exchange *x, struct session *s, enum side client, const struct http_head *answer)
{
	x->status = answer->status;
	end_uploads(x);
	if (x->api != NULL)
		http_api_answered(x->api, s, client, answer);
}

void
http_exchange_end_upload(struct http_exchange *x, struct transfer *t, enum transfer_state state)
{
	end_or_wait(x, &(struct http_upload){.transfer = t, .state = state});
}

void
http_exchange_end_empty(struct http_exchange *x, struct transfer *t, bool form)
{
	end_or_wait(x, &(struct http_upload){.transfer = t, .state = TRANSFER_COMPLETE, .empty = true, .form = form});
}

void
http_exchange_tell(const struct http_exchange *x, struct transfer *t)
{
	transfer_http(t, x->method, x->url, x->status, x->referrer);
	if (x->user_len > 0)
		transfer_user(t, x->user, x->user_len);
	if (x->api != NULL)
		http_api_tell(x->api, t);
}

void
http_exchange_tell_session(const struct http_exchange *x, struct session *s, const struct http_head *request)
{
	const struct mime_field *agent = http_head_field(request, "user-agent");
	const struct mime_field *language = http_head_field(request, "accept-language");
	const struct mime_field *host = http_head_field(request, "host");
	if (agent != NULL)
		session_client(s, agent->value, agent->value_len);
	if (language != NULL)
		session_language(s, language->value, language->value_len);
	if (host != NULL)
		session_service(s, host->value, host->value_len);
	if (x->user_len > 0)
		session_account(s, x->user, x->user_len);
}

static void
end_or_wait(struct http_exchange *x, const struct http_upload *upload)
{
	if (x->status == 0 && has_room(x))
		x->upload[x->upload_count++] = *upload;
	else
		end_upload(x, upload);
}

static void
end_upload(const struct http_exchange *x, const struct http_upload *upload)
{
	if (upload->empty && !http_empty_is_taken(x, upload->form)) {
		transfer_discard(upload->transfer);
		return;
	}
	http_exchange_tell(x, upload->transfer);
	if (upload->empty)
		transfer_accepted(upload->transfer);
	transfer_end(upload->transfer, upload->state);
}

static void
end_uploads(struct http_exchange *x)
{
	for (size_t i = 0; i < x->upload_count; i++)
		end_upload(x, &x->upload[i]);
	x->upload_count = 0;
	free(x->upload);
	x->upload = NULL;
}

/* For one more upload; most requests have one. */
static bool
has_room(struct http_exchange *x)
{
	if (x->upload_count == HTTP_UPLOADS_MAX)
		return false;
	struct http_upload *more = realloc(x->upload, (x->upload_count + 1) * sizeof *more);
	if (more != NULL)
		x->upload = more;
	return more != NULL;
}
