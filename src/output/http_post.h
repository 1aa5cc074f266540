/*
 * POST requests over HTTP and HTTPS, by libcurl on the event loop. What a webhook needs and no more:
 * TLS is verified, no redirect is followed, nothing of the answer is kept but its status and Retry-After.
 */
#ifndef WAYBILL_OUTPUT_HTTP_POST_H
#define WAYBILL_OUTPUT_HTTP_POST_H

#include <stddef.h>
#include <stdint.h>

struct loop;
struct http_poster; /* what all targets share: connections, timers */
struct http_post;   /* one target: at most one request at a time */

struct http_post_target {
	const char *url;
	const char *ca_file; /* trusted instead of the system's authorities; NULL: those */
	const char *proxy;   /* NULL: as the environment says (https_proxy, no_proxy) */
	int64_t timeout;     /* ns, from connecting to the end of the answer */
};

struct http_post_result {
	int status;          /* HTTP status; 0: there was no answer */
	int64_t retry_after; /* ns from now; 0: the answer did not say */
	const char *error;   /* why there was no answer, for a person; no URL in it */
};

typedef void http_post_done_fn(void *ctx, const struct http_post_result *result);

/* NULL: out of memory. */
struct http_poster *http_poster_create(struct loop *loop);
void http_poster_destroy(struct http_poster *p); /* takes NULL; after all its posts */

/* Strings in target are copied. NULL: out of memory, or libcurl refuses an option. */
struct http_post *http_post_create(struct http_poster *p, const struct http_post_target *target,
    http_post_done_fn *done, void *ctx);
void http_post_destroy(struct http_post *h); /* takes NULL; breaks off what is under way */

/*
 * Sends body (not copied: it lives until done) with the headers ("name: value") beside the usual ones. done is
 * called once, out of the loop, never from here. 0, or -1: out of memory, done will not be called.
 */
int http_post_send(struct http_post *h, const char *const *headers, size_t count, const void *body, size_t len);

/* In words, for a log; returns out. */
const char *http_post_describe(const struct http_post_result *result, char *out, size_t size);

#endif
