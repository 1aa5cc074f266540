/*
 * The streams of one HTTP/2 connection (RFC 9113 section 5): each is one exchange, whose two bodies are files as
 * those of HTTP/1 are.
 */
#ifndef WAYBILL_PROTO_HTTP2_STREAM_H
#define WAYBILL_PROTO_HTTP2_STREAM_H

#include <sys/queue.h>

#include "proto/http_exchange.h"
#include "proto/http_head.h"
#include "proto/http_payload.h"
#include "transfer/transfer.h"

enum {
	HTTP2_STREAMS_MAX = 1024, /* of one connection at once; then the oldest is given up */
	HTTP2_BUCKETS = 32,
};

struct http2_half {
	struct http_payload *payload; /* NULL: no body, or no file */
	bool headed;                  /* its head came; another one is a trailer */
	bool ended;                   /* END_STREAM */
	bool adrift;                  /* frames of it may have been lost: what comes has no known place */
};

struct http2_stream {
	TAILQ_ENTRY(http2_stream) all;
	struct http2_stream *next;    /* in its bucket */
	uint32_t id;
	struct http_exchange *x;      /* a reference */
	struct http2_half half[2];    /* by who sends */
};

TAILQ_HEAD(http2_stream_list, http2_stream);

struct http2_streams {
	struct session *session;
	struct http2_stream_list all; /* oldest first */
	struct http2_stream *bucket[HTTP2_BUCKETS];
	size_t count;
};

void http2_streams_init(struct http2_streams *t, struct session *s);
/* Ends what is open; state: that of bodies that did not end. */
void http2_streams_clear(struct http2_streams *t, enum transfer_state state);

/* NULL: none, or it is over. */
struct http2_stream *http2_stream_find(const struct http2_streams *t, uint32_t id);

/* A new stream with this exchange, whose reference it takes over; NULL: out of memory. */
struct http2_stream *http2_stream_open(struct http2_streams *t, uint32_t id, struct http_exchange *x);

/*
 * A head that from sent, or a trailer. no_body: the stream ends with it. s NULL: the stream is not known, and is opened
 * where there is something to follow.
 */
void http2_stream_head(struct http2_streams *t, uint32_t id, enum side from, const struct http_head *head,
        bool no_body);
/* The server promises an answer to this request, which the client did not send (section 8.4). */
void http2_stream_promise(struct http2_streams *t, uint32_t id, enum side server, const struct http_head *head);

void http2_stream_data(struct http2_stream *s, enum side from, const uint8_t *bytes, size_t len);
void http2_stream_skip(struct http2_stream *s, enum side from, uint64_t len);

/* This side sends nothing more on it. After it s may be gone. */
void http2_stream_end(struct http2_streams *t, struct http2_stream *s, enum side from);
/* It is over both ways; bodies that did not end have this state. s is gone. */
void http2_stream_close(struct http2_streams *t, struct http2_stream *s, enum transfer_state state);

/* The connection is over from this side: its bodies that did not end never will. */
void http2_streams_half_closed(struct http2_streams *t, enum side from);
/* Frames that this side sent were lost, nobody knows of which streams. */
void http2_streams_adrift(struct http2_streams *t, enum side from);

#endif
