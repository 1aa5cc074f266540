/*
 * What kind of file it is, by its first bytes: a table of film and animation
 * formats first, where libmagic has no good answer, then libmagic.
 */
#ifndef WAYBILL_TRANSFER_FILETYPE_H
#define WAYBILL_TRANSFER_FILETYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filetype;

struct filetype_answer { /* empty: unknown */
	char mime[80];
	char kind[160];
};

/*
 * Loads libmagic's database (no_magic: does not, which saves some 50 ms). Where that fails it says so once in the
 * log, and the table and what plain text begins with alone answer. NULL: out of memory.
 */
struct filetype *filetype_open(bool no_magic);
void filetype_close(struct filetype *f); /* takes NULL */

/* 0, or -1 when nothing could be told. */
int filetype_detect(struct filetype *f, const uint8_t *bytes, size_t len,
        struct filetype_answer *out);

/* The table alone. */
int filetype_by_table(const uint8_t *bytes, size_t len, struct filetype_answer *out);

#endif
