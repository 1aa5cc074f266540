/* Subversion's own protocol: what its parts in svn*.c share. Not for others. */
#ifndef WAYBILL_PROTO_SVN_H
#define WAYBILL_PROTO_SVN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/feed.h"
#include "proto/proto.h"

enum {
	SVN_ITEMS_MAX = 24,   /* of one list that are looked at */
	SVN_KEPT_MAX = 4096,  /* bytes of them */
	SVN_WINDOW_MAX = 1 << 18, /* bytes of a delta window; Subversion's have 100 KB */
};

enum svn_kind { SVN_OPEN, SVN_CLOSE, SVN_WORD, SVN_NUMBER, SVN_STRING };

struct svn_item {
	enum svn_kind kind;
	unsigned depth;
	uint64_t number;
	const uint8_t *bytes; /* borrowed from the list */
	size_t len;
	bool cut;             /* not all of it was kept */
};

struct svn_list; /* a list and what follows it, of one side */

struct svn_ops {
	/* A list on the outermost level is whole. */
	void (*list)(void *ctx, enum side from, const struct svn_item *items, size_t count);
	/*
	 * A string begins: shall its bytes be given as they come, instead of being kept? items are those of its
	 * list before it; count 0: it stands on the outermost level.
	 */
	bool (*stream)(void *ctx, enum side from, const struct svn_item *items, size_t count, uint64_t len);
	void (*bytes)(void *ctx, enum side from, const uint8_t *bytes, size_t len);
	void (*skipped)(void *ctx, enum side from, uint64_t len);
	void (*string)(void *ctx, enum side from, const struct svn_item *item); /* on the outermost level, kept */
};

struct svn_list *svn_list_create(const struct svn_ops *ops, void *ctx, enum side from);
void svn_list_destroy(struct svn_list *l);
/* False: it can't be followed any more. */
bool svn_list_bytes(struct svn_list *l, const uint8_t *bytes, size_t len);
bool svn_list_gap(struct svn_list *l, uint64_t len);

struct svn_delta; /* svndiff, version 0 to 2 */
struct svn_delta *svn_delta_create(struct transfer *t);
void svn_delta_destroy(struct svn_delta *d);
void svn_delta_bytes(struct svn_delta *d, const uint8_t *bytes, size_t len);
void svn_delta_gap(struct svn_delta *d);
/* Was every window read, so that the file's size is known? */
bool svn_delta_whole(const struct svn_delta *d);
uint64_t svn_delta_size(const struct svn_delta *d);
uint64_t svn_delta_sent(const struct svn_delta *d);

#endif
