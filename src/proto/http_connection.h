/*
 * One connection: the messages of both sides as they come, and what each side is in the middle of. http.c
 * drives it; what is lost and what is tunnelled is that file's.
 */
#ifndef WAYBILL_PROTO_HTTP_CONNECTION_H
#define WAYBILL_PROTO_HTTP_CONNECTION_H

#include "proto/http_body.h"
#include "proto/http_exchange.h"
#include "proto/http_payload.h"
#include "proto/mime_header.h"
#include "proto/proto.h"
#include "transfer/transfer.h"

enum http_state {
	HTTP_STATE_HEAD,   /* before or in a message's head */
	HTTP_STATE_BODY,   /* in a body */
	HTTP_STATE_LOST,   /* somewhere: waiting for the next message */
	HTTP_STATE_TUNNEL, /* behind a CONNECT that was not answered yet */
	HTTP_STATE_UPGRADED, /* both sides speak another protocol */
};

struct http_side {
	enum http_state state;
	bool answers;                 /* it sends responses; known once a message was seen */
	bool any;                     /* a message was seen */
	bool gapped;                  /* messages may have been lost since the last one */
	bool body_begun;
	struct mime_gather gather;    /* the head so far */
	struct http_body body;
	struct http_exchange *x;      /* that the body belongs to; a reference */
	struct http_payload *payload; /* NULL: the body is no file */
};

struct http {
	struct session *session;
	struct http_side side[2];
	struct http_queue requests;   /* unanswered */
	bool any;                     /* a message was seen */
	size_t strange;               /* bytes that were none, before */
	const struct proto *next;     /* the protocol that an upgrade led to; NULL: none */
	void *next_state;
};

/*
 * Takes the beginning of a message, or a piece of it; *used bytes of it. The state of the side tells what
 * comes next. SWITCH: another protocol follows.
 */
enum verdict http_connection_head(struct http *h, enum side from, const uint8_t *bytes, size_t len,
        size_t *used);

/* These bytes begin no message: an answer without a head, or strange bytes (then none is used). */
enum verdict http_connection_no_head(struct http *h, enum side from, const uint8_t *bytes, size_t len,
        size_t *used);

/* Takes bytes of a body up to the end of one run of its content. */
enum verdict http_connection_body(struct http *h, enum side from, const uint8_t *bytes, size_t len,
        size_t *used);

/* The body is over, or there is none. */
void http_connection_end_body(struct http_side *side, enum transfer_state state, enum http_state next);

#endif
