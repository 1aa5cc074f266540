/* The server, on libevent's evhttp: two addresses, no state. */
#include "config.h"

#include "web/web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "loop.h"

enum { HEADERS_MAX = 8192, BODY_MAX = 4096, PATIENCE = 10 /* seconds for a request to come, or for the next one */ };

struct web {
	struct web_conf conf;
	struct evhttp *server;
	web_state_fn *state;
	void *ctx;
};

static void on_request(struct evhttp_request *request, void *ctx);
static void answer(struct web *w, struct evhttp_request *request, bool metrics);
static void send_text(struct evhttp_request *request, int code, const char *reason, const char *type, const char *text, size_t len);

struct web *
web_open(const struct web_conf *conf, struct loop *loop, web_state_fn *state, void *ctx, char *error, size_t size)
{
	struct web *w = calloc(1, sizeof *w);
	if (w == NULL) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	*w = (struct web){.conf = *conf, .state = state, .ctx = ctx};
	const int fd = web_listen(conf, error, size);
	if (fd < 0) {
		free(w);
		return NULL;
	}
	w->server = evhttp_new(loop_base(loop));
	if (w->server == NULL || evhttp_accept_socket(w->server, fd) < 0) {
		snprintf(error, size, "out of memory");
		close(fd);
		web_close(w);
		return NULL;
	}
	evhttp_set_max_headers_size(w->server, HEADERS_MAX);
	evhttp_set_max_body_size(w->server, BODY_MAX);
	evhttp_set_timeout(w->server, PATIENCE);
	/* All that it knows: those that are refused get an answer that says so. */
	evhttp_set_allowed_methods(w->server, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
	        EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(w->server, on_request, w);
	return w;
}

void
web_close(struct web *w)
{
	if (w == NULL)
		return;
	if (w->server != NULL)
		evhttp_free(w->server); /* closes the socket, too */
	if (w->conf.path != NULL)
		(void)unlink(w->conf.path);
	free(w);
}

static void
on_request(struct evhttp_request *request, void *ctx)
{
	static const char nothing[] = "not found: there are /metrics and /healthz\n", refused[] = "only GET and HEAD\n";
	static const char plain[] = "text/plain; charset=utf-8";
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	const bool metrics = path != NULL && strcmp(path, "/metrics") == 0;
	if (!metrics && (path == NULL || strcmp(path, "/healthz") != 0)) {
		send_text(request, 404, "Not Found", plain, nothing, strlen(nothing));
	} else if ((evhttp_request_get_command(request) & (EVHTTP_REQ_GET | EVHTTP_REQ_HEAD)) == 0) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
		send_text(request, 405, "Method Not Allowed", plain, refused, strlen(refused));
	} else {
		answer(ctx, request, metrics);
	}
}

static void
answer(struct web *w, struct evhttp_request *request, bool metrics)
{
	struct web_state state = {.quiet = 0};
	char *reasons = NULL, *text = NULL;
	size_t reasons_len, len = 0;
	bool healthy = false;
	w->state(w->ctx, &state);
	FILE *f = open_memstream(&reasons, &reasons_len);
	if (f != NULL) {
		healthy = web_write_health(f, &state, &w->conf);
		fclose(f);
	}
	f = f != NULL && metrics ? open_memstream(&text, &len) : NULL;
	if (f != NULL) {
		web_write_metrics(f, &state, healthy);
		fclose(f);
	}
	if (reasons == NULL || (metrics && text == NULL))
		evhttp_send_error(request, 500, NULL); /* out of memory */
	else if (metrics)
		send_text(request, 200, "OK", "text/plain; version=0.0.4; charset=utf-8", text, len);
	else if (healthy)
		send_text(request, 200, "OK", "text/plain; charset=utf-8", "ok\n", 3);
	else
		send_text(request, 503, "Service Unavailable", "text/plain; charset=utf-8", reasons, reasons_len);
	free(reasons);
	free(text);
}

static void
send_text(struct evhttp_request *request, int code, const char *reason, const char *type, const char *text, size_t len)
{
	struct evbuffer *body = evbuffer_new();
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	if (body == NULL || evbuffer_add(body, text, len) < 0) {
		evhttp_send_error(request, 500, NULL);
	} else {
		evhttp_add_header(headers, "Content-Type", type);
		evhttp_add_header(headers, "Cache-Control", "no-store");
		evhttp_send_reply(request, code, reason, body);
	}
	if (body != NULL)
		evbuffer_free(body);
}
