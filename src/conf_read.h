/*
 * The values of a configuration file, one function a kind: text NULL leaves *out, its default, alone;
 * a bad value is refused with file, line and key, after which nothing more is read. Only the first
 * refusal is told. What is kept lives in the arena.
 */
#ifndef WAYBILL_CONF_READ_H
#define WAYBILL_CONF_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct arena;
struct yaml_lines;

struct conf_reading {
	const char *file; /* as the user named it */
	const struct yaml_lines *lines;
	struct arena *arena;
	char section[64]; /* "webhooks[0]" */
	bool failed;
	char *error;
	size_t error_size;
};

/* The section that the keys from here on belong to. */
void conf_section(struct conf_reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* key NULL: the section as a whole. The message must not show a secret. */
void conf_refuse(struct conf_reading *r, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Zeroed memory for count things, or NULL (refused; or count is 0). */
void *conf_alloc(struct conf_reading *r, size_t count, size_t size);

void conf_text(struct conf_reading *r, const char *key, const char *text, const char **out);
void conf_path(struct conf_reading *r, const char *key, const char *text, const char **out); /* beside the file */
void conf_switch(struct conf_reading *r, const char *key, const char *text, bool *out);
void conf_bytes(struct conf_reading *r, const char *key, const char *text, uint64_t *out);
void conf_time(struct conf_reading *r, const char *key, const char *text, int64_t least, int64_t *out); /* ns */

void conf_time_or_never(struct conf_reading *r, const char *key, const char *text, int64_t least, int64_t *out); /* never: 0 */

/* "auto" is 0: the stage that has the limit knows a good one. */
void conf_limit_bytes(struct conf_reading *r, const char *key, const char *text, size_t *out);
void conf_limit_count(struct conf_reading *r, const char *key, const char *text, size_t *out);
void conf_limit_time(struct conf_reading *r, const char *key, const char *text, int64_t *out);

/* One of words, by its index. */
void conf_word(struct conf_reading *r, const char *key, const char *text, const char *const *words, size_t count,
    size_t *out);

void conf_network(struct conf_reading *r, const char *key, const char *text, struct network *out);
void conf_country(struct conf_reading *r, const char *key, const char *text, const char **out); /* "KP" */
void conf_asn(struct conf_reading *r, const char *key, const char *text, uint32_t *out);        /* "AS131279" too */
void conf_url(struct conf_reading *r, const char *key, const char *text, const char *const *schemes,
    const char **out);

/* The text in a small file, without the white space around it. */
void conf_text_file(struct conf_reading *r, const char *key, const char *path, const char **out);

#endif
