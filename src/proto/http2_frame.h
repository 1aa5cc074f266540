/* Frames of HTTP/2: their heads (RFC 9113 sections 4.1 and 6). */
#ifndef WAYBILL_PROTO_HTTP2_FRAME_H
#define WAYBILL_PROTO_HTTP2_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP2_FRAME_HEAD = 9 };

enum http2_type {
	HTTP2_DATA = 0,
	HTTP2_HEADERS = 1,
	HTTP2_PRIORITY = 2,
	HTTP2_RST_STREAM = 3,
	HTTP2_SETTINGS = 4,
	HTTP2_PUSH_PROMISE = 5,
	HTTP2_PING = 6,
	HTTP2_GOAWAY = 7,
	HTTP2_WINDOW_UPDATE = 8,
	HTTP2_CONTINUATION = 9,
};

enum { /* flags; ACK is of SETTINGS and PING */
	HTTP2_END_STREAM = 0x01,
	HTTP2_ACK = 0x01,
	HTTP2_END_HEADERS = 0x04,
	HTTP2_PADDED = 0x08,
	HTTP2_HAS_PRIORITY = 0x20,
};

struct http2_frame {
	uint32_t len;
	uint8_t type;
	uint8_t flags;
	uint32_t stream;
};

/* HTTP2_FRAME_HEAD bytes. */
struct http2_frame http2_frame_parse(const uint8_t *bytes);

/* Can a frame be like that? Types that extensions define are not looked into. */
bool http2_frame_allowed(const struct http2_frame *f);

/* Is it what an unextended sender would send, so that bytes are taken for a frame where none is known to begin? */
bool http2_frame_usual(const struct http2_frame *f);

/* Do these bytes begin with a row of usual frames? */
bool http2_frame_row(const uint8_t *bytes, size_t len);

/* The first len bytes of the client's preface (section 3.4), as far as it goes. */
bool http2_preface_is(const uint8_t *bytes, size_t len);

enum { HTTP2_PREFACE = 24 };

#endif
