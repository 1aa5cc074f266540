/*
 * Header blocks as mail, HTTP and multipart parts have them (RFC 5322 section
 * 2.2, RFC 9112 section 5): collecting one to its blank line, its fields, and what stands
 * inside a value: parameters (RFC 2045 section 5.1, RFC 2231) and words of other charsets (RFC 2047).
 */
#ifndef WAYBILL_PROTO_MIME_HEADER_H
#define WAYBILL_PROTO_MIME_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"

enum {
	MIME_FIELDS_MAX = 128, /* more fields of one header are not looked at */
	MIME_TEXT_MAX = 2048,  /* bytes of one decoded value */
	MIME_CHARSET_MAX = 32,
};

/* Collects a header block that may come in pieces. Zeroed: empty. */
struct mime_gather {
	uint8_t *bytes;  /* what came so far; on the heap */
	uint32_t len, size;
	uint32_t line;   /* where the unfinished line begins */
	uint32_t looked; /* how far it was searched for its end */
	uint32_t lines;  /* finished lines with something in them */
	bool folded;     /* a line goes on in the next one (RFC 9112 section 5.2) */
};

/*
 * Takes bytes up to the blank line that ends the block. DONE: *block is the whole block, folded lines
 * joined, borrowed from bytes or from g until the next call; *used tells how many bytes were
 * taken. MORE: all were taken. MALFORMED: longer than limit, or no memory; g is empty again.
 * Line ends may lack their CR. lenient_start: blank lines before the first line are skipped.
 */
enum verdict mime_gather_take(struct mime_gather *g, const uint8_t *bytes, size_t len, size_t limit,
        bool lenient_start, size_t *used, const uint8_t **block, size_t *block_len);
void mime_gather_reset(struct mime_gather *g); /* keeps its memory */
void mime_gather_clear(struct mime_gather *g);

struct mime_field {
	const uint8_t *name, *value; /* trimmed; borrowed from the block */
	size_t name_len, value_len;
};

struct mime_fields {
	struct mime_field field[MIME_FIELDS_MAX];
	size_t count;
};

/* The next field of a block, which goes on behind it; lines without a colon are passed over. False: there is none. */
bool mime_field_next(const uint8_t **block, size_t *len, struct mime_field *f);
/* All of them. */
void mime_fields_parse(struct mime_fields *f, const uint8_t *block, size_t len);
/* The first field of that name after the field after (NULL: from the start), or NULL. */
const struct mime_field *mime_fields_find(const struct mime_fields *f, const char *name,
        const struct mime_field *after);

/* A text out of a header, still as bytes. */
struct mime_text {
	uint8_t bytes[MIME_TEXT_MAX];
	size_t len;
	char charset[MIME_CHARSET_MAX]; /* declared; empty: none, to be guessed */
};

/*
 * The parameter name of a value such as "attachment; filename=a.txt". The extended form (name*,
 * RFC 8187) wins over the plain one, then pieces (name*0, RFC 2231 section 3). A plain value's encoded
 * words and percent escapes are undone where they can be nothing else. False: it has none.
 */
bool mime_param(const uint8_t *value, size_t len, const char *name, struct mime_text *out);

/* The encoded words in bytes decoded (RFC 2047), the rest as it stands. */
void mime_words(const uint8_t *bytes, size_t len, struct mime_text *out);

/* An extended value: charset'language'percent-encoded (RFC 8187 section 3.2). False: not one. */
bool mime_extended(const uint8_t *bytes, size_t len, struct mime_text *out);

/*
 * The file name that a header gives its content: the disposition's, else the type's (either may be NULL), less the
 * folders that only its sender's machine knows. False: there is none.
 */
bool mime_file_name(const struct mime_field *disposition, const struct mime_field *type, struct mime_text *name);

/* Does a media type start so ("multipart/")? Case does not matter. */
bool mime_type_is(const struct mime_field *content_type, const char *prefix);

#endif
