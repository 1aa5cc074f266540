/*
 * A request and its answer: what the request said that the answer's transfer
 * needs, and the uploads that wait for the answer's status.
 */
#ifndef WAYBILL_PROTO_HTTP_EXCHANGE_H
#define WAYBILL_PROTO_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "proto/http_api.h"
#include "proto/http_head.h"
#include "transfer/transfer.h"

enum { HTTP_UPLOADS_MAX = 16 }; /* of one request; more don't wait for its status */

struct http_upload {
	struct transfer *transfer;
	enum transfer_state state;
	bool empty; /* it is a file only if it is accepted, */
	bool form;  /* in a form or by itself */
};

struct http_exchange {
	unsigned refs;
	struct arena arena;    /* all strings below */
	bool unknown;          /* the request was not seen */
	bool head, connect;
	char *method;          /* NULL where unknown, as all below */
	char *url, *referrer;
	uint8_t *path;
	size_t path_len;
	uint8_t *user;
	size_t user_len;
	struct http_api *api;  /* what an application means by it; NULL: nothing more is known */
	unsigned status;       /* of the final answer; 0: not yet seen */
	unsigned upload_count;
	struct http_upload *upload; /* ended, waiting for the status; NULL: none */
	struct http_exchange *next; /* in the queue of unanswered requests */
};

/* The requests of a connection that were not answered yet, in order. Zeroed: none. */
struct http_queue {
	struct http_exchange *oldest, *newest;
	size_t count;
	bool pipelines; /* the client was seen not to wait for answers */
};

/* Takes over a reference. When there are too many the oldest goes: its answer was not seen. */
void http_queue_add(struct http_queue *q, struct http_exchange *x);
/*
 * The one that the next answer belongs to, with its reference; NULL: none waits. gapped: answers may
 * have been lost before it; then a client that waits for each answer means its newest request.
 */
struct http_exchange *http_queue_take(struct http_queue *q, bool gapped);
/* The answer to the oldest request was lost. Others that wait show a client that pipelines. */
void http_queue_lost(struct http_queue *q);
void http_queue_clear(struct http_queue *q);
/* Does any of them hold an upload? */
bool http_queue_uploads(const struct http_queue *q);

/* One reference. request NULL: it was not seen, and ends are not looked at. NULL: out of memory. */
struct http_exchange *http_exchange_create(const struct http_head *request,
        const struct session_ends *ends, enum side server);
struct http_exchange *http_exchange_ref(struct http_exchange *x);
/* Takes NULL. With the last reference its uploads end. */
void http_exchange_unref(struct http_exchange *x);

/* The final answer, to who sent the request: uploads are told and ended, and what the application meant by it is done. */
void http_exchange_answered(struct http_exchange *x, struct session *s, enum side client,
        const struct http_head *answer);

/* Ends a transfer of the request's body, now or when the answer is there. */
void http_exchange_end_upload(struct http_exchange *x, struct transfer *t, enum transfer_state state);
/* The same for one without a byte: the answer decides whether it is a file. form: it is one in a form. */
void http_exchange_end_empty(struct http_exchange *x, struct transfer *t, bool form);

/* Tells a transfer what is known of request and answer. */
void http_exchange_tell(const struct http_exchange *x, struct transfer *t);

/* Tells the session what its request says of the client and of the service that it asks. */
void http_exchange_tell_session(const struct http_exchange *x, struct session *s,
        const struct http_head *request);

#endif
