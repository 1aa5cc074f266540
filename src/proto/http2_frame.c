#include "config.h"

#include "proto/http2_frame.h"

#include <string.h>

#include "base/reader.h"

enum {
	USUAL_LEN = 16384, /* SETTINGS_MAX_FRAME_SIZE unless told otherwise */
	ROW = 3,           /* frames that follow each other by chance no more */
};

static bool length_fits(const struct http2_frame *f);

struct http2_frame
http2_frame_parse(const uint8_t *bytes)
{
	struct reader r = reader_init(bytes, HTTP2_FRAME_HEAD);
	struct http2_frame f = {.len = reader_be24(&r), .type = reader_u8(&r), .flags = reader_u8(&r)};
	f.stream = reader_be32(&r) & 0x7fffffff;
	return f;
}

bool
http2_frame_allowed(const struct http2_frame *f)
{
	switch (f->type) {
	case HTTP2_SETTINGS:
	case HTTP2_PING:
	case HTTP2_GOAWAY:
		return f->stream == 0 && length_fits(f);
	case HTTP2_WINDOW_UPDATE:
		return length_fits(f);
	case HTTP2_DATA:
	case HTTP2_HEADERS:
	case HTTP2_PRIORITY:
	case HTTP2_RST_STREAM:
	case HTTP2_PUSH_PROMISE:
	case HTTP2_CONTINUATION:
		return f->stream != 0 && length_fits(f);
	default:
		return true;
	}
}

static bool
length_fits(const struct http2_frame *f)
{
	switch (f->type) {
	case HTTP2_PRIORITY:
		return f->len == 5;
	case HTTP2_RST_STREAM:
	case HTTP2_WINDOW_UPDATE:
		return f->len == 4;
	case HTTP2_SETTINGS:
		return f->len % 6 == 0 && ((f->flags & HTTP2_ACK) == 0 || f->len == 0);
	case HTTP2_PING:
		return f->len == 8;
	case HTTP2_GOAWAY:
		return f->len >= 8;
	default:
		return true;
	}
}

bool
http2_frame_usual(const struct http2_frame *f)
{
	static const uint8_t flags[] = {
	        [HTTP2_DATA] = HTTP2_END_STREAM | HTTP2_PADDED,
	        [HTTP2_HEADERS] = HTTP2_END_STREAM | HTTP2_END_HEADERS | HTTP2_PADDED | HTTP2_HAS_PRIORITY,
	        [HTTP2_SETTINGS] = HTTP2_ACK,
	        [HTTP2_PUSH_PROMISE] = HTTP2_END_HEADERS | HTTP2_PADDED,
	        [HTTP2_PING] = HTTP2_ACK,
	        [HTTP2_CONTINUATION] = HTTP2_END_HEADERS,
	};
	uint8_t known = f->type < sizeof flags ? flags[f->type] : 0;
	return f->type <= HTTP2_CONTINUATION && f->len <= USUAL_LEN && (f->flags & ~known) == 0 &&
	       http2_frame_allowed(f);
}

/* Whole ones, up to the last, of which the head must be there; or as many as the bytes hold exactly. */
bool
http2_frame_row(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	bool speaks = false; /* empty frames of zeros alone are no sign */
	for (int i = 0; i < ROW; i++) {
		if (r.left == 0 && i > 1)
			return speaks;
		const uint8_t *head = reader_take(&r, HTTP2_FRAME_HEAD);
		if (head == NULL)
			return false;
		struct http2_frame f = http2_frame_parse(head);
		if (!http2_frame_usual(&f))
			return false;
		speaks = speaks || f.type != HTTP2_DATA;
		if (i < ROW - 1)
			reader_skip(&r, f.len);
	}
	return speaks && reader_ok(&r);
}

bool
http2_preface_is(const uint8_t *bytes, size_t len)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	return memcmp(bytes, preface, len < HTTP2_PREFACE ? len : HTTP2_PREFACE) == 0;
}
