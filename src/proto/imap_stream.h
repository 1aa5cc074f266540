/*
 * One side of an IMAP conversation (RFC 9051 section 4): lines with literals in them, "{12}" CR LF and so many bytes. Of a
 * line a bounded part is kept, with its literals, unless somebody takes these as they come.
 */
#ifndef WAYBILL_PROTO_IMAP_STREAM_H
#define WAYBILL_PROTO_IMAP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	IMAP_LINE_MAX = 65536,
	IMAP_LITERAL_KEPT_MAX = 16384, /* longer ones are not kept */
};

struct imap_stream { /* embedded; all zero is the initial state */
	uint8_t *text;        /* the line so far */
	uint32_t len, size;
	uint64_t literal;     /* bytes of it that are still to come */
	bool in_literal;
	bool taken, kept;     /* what becomes of it; neither: passed over */
	bool torn;            /* behind a gap: its beginning may be lost */
	bool cut;             /* it was longer than what is kept; the end is */
};

struct imap_stream_ops {
	/* A literal of len bytes begins behind text. True: it is taken by data; false: it is kept in the line, or passed over. */
	bool (*literal)(void *ctx, const struct imap_stream *s, uint64_t len);
	void (*data)(void *ctx, const uint8_t *bytes, size_t len);
	void (*skip)(void *ctx, uint64_t len);
	void (*literal_end)(void *ctx);
	/* The whole line; false: give no more bytes. */
	bool (*line)(void *ctx, const struct imap_stream *s);
};

/* How many bytes were taken; all of them, unless line said no. */
size_t imap_stream_take(struct imap_stream *s, const uint8_t *bytes, size_t len, const struct imap_stream_ops *ops, void *ctx);
void imap_stream_gap(struct imap_stream *s, uint64_t len, const struct imap_stream_ops *ops, void *ctx);
/* The line is given up: its literal will not come. */
void imap_stream_drop(struct imap_stream *s);
bool imap_stream_at_start(const struct imap_stream *s);
void imap_stream_clear(struct imap_stream *s);

#endif
