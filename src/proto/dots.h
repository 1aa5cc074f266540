/*
 * Text that ends with a line of one dot, and whose other lines have a dot more where they begin
 * with one (RFC 5321 section 4.5.2, RFC 1939 section 3, RFC 3977 section 3.1.1).
 */
#ifndef WAYBILL_PROTO_DOTS_H
#define WAYBILL_PROTO_DOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"

enum dots_state {
	DOTS_START,  /* a line begins here */
	DOTS_DOT,    /* behind a dot at its beginning, */
	DOTS_DOT_CR, /* and a CR behind that */
	DOTS_TEXT,
};

struct dots { /* embedded; all zero is the initial state */
	enum dots_state state;
	bool cr;   /* the last byte was one */
	bool crlf; /* a line ended so: then one that ends with LF alone is none */
};

/*
 * Takes bytes up to the end of one run of content (borrowed, may be empty), which holds all line
 * ends but that of the last dot. DONE: the text is over.
 */
enum verdict dots_take(struct dots *d, const uint8_t *bytes, size_t len, size_t *used, const uint8_t **content,
        size_t *content_len);

/* Bytes were not seen, perhaps its end among them. */
void dots_gap(struct dots *d);

#endif
