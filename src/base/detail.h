/*
 * What a session or a file says of itself and records have no member for: keys with values, in the order in which they
 * were told. Nearly all records have none, which costs a NULL.
 */
#ifndef WAYBILL_BASE_DETAIL_H
#define WAYBILL_BASE_DETAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum {
	DETAIL_MAX = 64,        /* values of one record at most */
	DETAIL_VALUES_MAX = 32, /* of them under one key */
};

struct details; /* one block of memory; NULL: none */

struct detail {
	const char *key;  /* static; dotted, lower case: "smb.share" */
	const char *text; /* borrowed from the block until it changes; NULL: a number */
	uint64_t number;
};

void details_free(struct details *d); /* takes NULL */

/*
 * Adds a value; one that stands under the key already is not added again. 0, or -1: there are too many, or memory is
 * out. *d may move.
 */
int details_text(struct details **d, const char *key, const char *utf8);

/* The key's only value from now on. */
int details_number(struct details **d, const char *key, uint64_t number);

/* Puts all values into out, those with the same key one behind the other; how many. d: may be NULL. */
size_t details_list(const struct details *d, struct detail out[DETAIL_MAX]);

/* A copy in a, never changed; NULL: there are none, or memory is out. */
struct details *details_keep(struct arena *a, const struct details *d);

#endif
