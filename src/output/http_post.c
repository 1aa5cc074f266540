#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "loop.h"
#include "output/http_post.h"

enum { ANSWER_MAX = 64 * 1024 }; /* a receiver has nothing to tell us: the rest is cut off */

static const int64_t connect_time_max = 10 * CLOCK_SECOND;

struct http_poster {
	struct loop *loop;
	CURLM *multi;
	struct loop_watch *timer;
};

struct http_post {
	struct http_poster *poster;
	CURL *easy;
	struct curl_slist *headers;
	http_post_done_fn *done;
	void *ctx;
	bool under_way;
	size_t answer_len;
	char error[CURL_ERROR_SIZE];
};

static int set_options(struct http_post *h, const struct http_post_target *target);
static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *watch);
static int timer_wanted(CURLM *multi, long ms, void *ctx);
static void socket_ready(void *ctx, int fd, int events);
static void timer_due(void *ctx);
static void finish_done(struct http_poster *p);
static void finish(struct http_post *h, CURLcode code);
static size_t answer_skip(char *bytes, size_t size, size_t count, void *ctx);

struct http_poster *
http_poster_create(struct loop *loop)
{
	struct http_poster *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->loop = loop;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(p);
		return NULL;
	}
	p->multi = curl_multi_init();
	p->timer = loop_timer(loop, timer_due, p);
	if (p->multi == NULL || p->timer == NULL) {
		http_poster_destroy(p);
		return NULL;
	}
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
	return p;
}

void
http_poster_destroy(struct http_poster *p)
{
	if (p == NULL)
		return;
	if (p->multi != NULL)
		curl_multi_cleanup(p->multi); /* asks socket_wanted to forget what is left */
	loop_watch_destroy(p->timer);
	curl_global_cleanup();
	free(p);
}

struct http_post *
http_post_create(struct http_poster *p, const struct http_post_target *target, http_post_done_fn *done, void *ctx)
{
	struct http_post *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->poster = p;
	h->done = done;
	h->ctx = ctx;
	h->easy = curl_easy_init();
	if (h->easy == NULL || set_options(h, target) != 0) {
		http_post_destroy(h);
		return NULL;
	}
	return h;
}

void
http_post_destroy(struct http_post *h)
{
	if (h == NULL)
		return;
	if (h->under_way)
		curl_multi_remove_handle(h->poster->multi, h->easy);
	curl_easy_cleanup(h->easy);
	curl_slist_free_all(h->headers);
	free(h);
}

int
http_post_send(struct http_post *h, const char *const *headers, size_t count, const void *body, size_t len)
{
	static const char *const usual[] = {"Content-Type: application/json", "Expect:"};
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < 2 + count; i++) {
		struct curl_slist *longer = curl_slist_append(list, i < 2 ? usual[i] : headers[i - 2]);
		if (longer == NULL) {
			curl_slist_free_all(list);
			return -1;
		}
		list = longer;
	}
	curl_slist_free_all(h->headers);
	h->headers = list;
	h->answer_len = 0;
	h->error[0] = '\0';
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body);
	h->under_way = curl_multi_add_handle(h->poster->multi, h->easy) == CURLM_OK;
	return h->under_way ? 0 : -1;
}

static int
set_options(struct http_post *h, const struct http_post_target *target)
{
	int64_t connect_time = target->timeout < connect_time_max ? target->timeout : connect_time_max;
	CURL *e = h->easy;
	int bad = 0;

	bad |= curl_easy_setopt(e, CURLOPT_PRIVATE, h) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_URL, target->url) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_POST, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_USERAGENT, "waybill/" PACKAGE_VERSION) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK;
	if (target->ca_file != NULL) {
		bad |= curl_easy_setopt(e, CURLOPT_CAINFO, target->ca_file) != CURLE_OK;
		bad |= curl_easy_setopt(e, CURLOPT_CAPATH, NULL) != CURLE_OK;
	}
	if (target->proxy != NULL)
		bad |= curl_easy_setopt(e, CURLOPT_PROXY, target->proxy) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(target->timeout / CLOCK_MILLISECOND)) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_time / CLOCK_MILLISECOND)) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, h->error) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, answer_skip) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, h) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) != CURLE_OK; /* do not wait for a name server at the end */
	return bad ? -1 : 0;
}

/* libcurl tells what it waits for at fd; watch is what was there before. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *watch)
{
	struct http_poster *p = ctx;
	(void)easy;

	loop_watch_destroy(watch);
	watch = NULL;
	if (what != CURL_POLL_REMOVE) {
		int events = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
		watch = loop_fd(p->loop, fd, events, socket_ready, p);
		if (watch == NULL)
			return -1;
	}
	curl_multi_assign(p->multi, fd, watch);
	return 0;
}

static int
timer_wanted(CURLM *multi, long ms, void *ctx)
{
	struct http_poster *p = ctx;
	(void)multi;

	if (ms < 0)
		loop_timer_cancel(p->timer);
	else
		loop_timer_set(p->timer, ms * CLOCK_MILLISECOND);
	return 0;
}

static void
socket_ready(void *ctx, int fd, int events)
{
	struct http_poster *p = ctx;
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(p->multi, fd, what, &running);
	finish_done(p);
}

static void
timer_due(void *ctx)
{
	struct http_poster *p = ctx;
	int running;

	curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_done(p);
}

static void
finish_done(struct http_poster *p)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(p->multi, &left)) != NULL) {
		char *h = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &h);
		finish((struct http_post *)(void *)h, code);
	}
}

/* An answer that we cut off ourselves counts: its status was all we wanted. */
static void
finish(struct http_post *h, CURLcode code)
{
	struct http_post_result result = {0};
	curl_off_t retry_after = 0;
	long status = 0;

	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && h->answer_len > ANSWER_MAX)) {
		curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_after);
	} else {
		result.error = h->error[0] != '\0' ? h->error : curl_easy_strerror(code);
	}
	result.status = (int)status;
	if (retry_after > 0)
		result.retry_after = retry_after < INT32_MAX ? (int64_t)retry_after * CLOCK_SECOND : INT64_MAX;
	curl_multi_remove_handle(h->poster->multi, h->easy);
	h->under_way = false;
	h->done(h->ctx, &result);
}

static size_t
answer_skip(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_post *h = ctx;
	(void)bytes;

	h->answer_len += size * count;
	return h->answer_len <= ANSWER_MAX ? size * count : 0;
}

const char *
http_post_describe(const struct http_post_result *result, char *out, size_t size)
{
	if (result->status == 0)
		snprintf(out, size, "%s", result->error);
	else if (result->status >= 300 && result->status < 400)
		snprintf(out, size, "answered %d, a redirect, which is not followed", result->status);
	else
		snprintf(out, size, "answered %d", result->status);
	return out;
}
