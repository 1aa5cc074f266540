/* Guessing the charset of a short name (East Asian studios' first of all) and turning it into UTF-8. */
#ifndef WAYBILL_BASE_CHARSET_H
#define WAYBILL_BASE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/*
 * bytes as valid UTF-8 in arena memory; NULL only at the arena's limit. declared is
 * tried first (NULL: none). *encoding: a static or arena string; *guessed: not declared by anybody.
 */
char *charset_decode(struct arena *a, const void *bytes, size_t len, const char *declared, const char **encoding,
                     bool *guessed);

/* Before a thread ends that decoded: what it keeps open for that is closed. */
void charset_release(void);

#endif
