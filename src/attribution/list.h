/* Reads one list of networks into rows: the product's CSV, a user's CSV or CIDR list, an RIR's delegated file. */
#ifndef WAYBILL_ATTRIBUTION_LIST_H
#define WAYBILL_ATTRIBUTION_LIST_H

#include "attribution/rows.h"

struct list {
	/* What is read, and how. Strings live in the rows' arena. */
	const char *path, *name, *digest;
	enum list_format format;
	const char *jurisdiction;   /* of rows that don't say; delegated: the only one wanted. NULL: none */
	enum confidence confidence; /* of rows that don't say */
	size_t order;
	const char *const *wanted;  /* jurisdictions that count */
	size_t wanted_count;
	/* Where it goes. */
	struct rows *rows;
	struct origins *origins;
	struct notes notes;
	/* What came of it. */
	size_t taken;    /* rows used */
	size_t bad;      /* rows named in notes and left out */
	size_t unwanted; /* rows of jurisdictions that don't count */
};

/* The file as text, zero-terminated; the caller frees it. NULL and *reason (static, or by strerror). */
char *list_read_file(const char *path, size_t *len, const char **reason);

/* SHA-256, hexadecimal, in the arena. NULL when memory is out. */
char *list_digest(struct arena *arena, const char *text, size_t len);

/*
 * Reads the text of a list, which is changed on the way and not needed afterwards. Bad rows are named with file and
 * line, the rest is used. 0; -1 when memory is out.
 */
int list_read(struct list *l, char *text, size_t len);

/* One line at a time, without its line end; NULL at the end. *number counts from 1. */
char *list_line(char **text, size_t *number);

/* A row is bad: a note with file and line, up to a limit. */
void list_bad(struct list *l, size_t line, const char *what, const char *shown);

bool list_wants(const struct list *l, const char *jurisdiction);

/* The formats: csv.c, delegated.c. As list_read. */
int csv_read(struct list *l, char *text);
int delegated_read(struct list *l, char *text);

/*
 * Cuts a CSV line (RFC 4180, one line a record) into at most max fields, in place. How many, or -1 when a
 * quote is not closed or something follows a closed one. Fields beyond max are dropped.
 */
int csv_split(char *line, char **field, int max);

/* What became of one IPv4 range that need not be a power of two: its CIDR blocks, widest first possible. */
typedef int delegated_block_fn(void *ctx, const struct addr *network, unsigned bits);
int delegated_blocks(uint32_t first, uint64_t count, delegated_block_fn *fn, void *ctx);

#endif
