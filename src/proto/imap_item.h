/* What stands in an IMAP line: atoms, strings and lists (RFC 9051 section 4), one after the other. */
#ifndef WAYBILL_PROTO_IMAP_ITEM_H
#define WAYBILL_PROTO_IMAP_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum imap_kind {
	IMAP_ATOM,    /* with what stands in brackets in it: BODY[HEADER.FIELDS (TO)]<0> */
	IMAP_NIL,
	IMAP_QUOTED,  /* between its quotes; backslashes stand */
	IMAP_LITERAL,
	IMAP_LIST,    /* between its parentheses */
};

struct imap_item { /* borrowed */
	enum imap_kind kind;
	const uint8_t *bytes;
	size_t len;
};

/* What is left to read of a line or list. */
struct imap_items {
	const uint8_t *next;
	size_t left;
};

/* False: there are no more. A list or string without its end goes to the end. */
bool imap_item_next(struct imap_items *i, struct imap_item *item);

/* Is it a string of some kind? */
bool imap_item_is_text(const struct imap_item *item);
bool imap_item_is(const struct imap_item *item, const char *word);
/* Its bytes without the backslashes of quoting, into out (len at most); the length. */
size_t imap_item_text(const struct imap_item *item, uint8_t *out, size_t len);

#endif
