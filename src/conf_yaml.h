/*
 * YAML held against a libcyaml schema. libcyaml loads it; but its messages give the line of the value
 * before the culprit, and what it loaded has no lines at all. So the text is first walked here beside
 * the same schema: what does not fit is named with its own line, and the line of every value is kept
 * for those who judge the values later.
 *
 * Not supported on purpose: aliases (a small file could become a huge one) and further documents.
 */
#ifndef WAYBILL_CONF_YAML_H
#define WAYBILL_CONF_YAML_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct cyaml_schema_value;

struct yaml_lines {
	struct yaml_line *first; /* in the arena, in the order of the file */
	struct yaml_line **last;
};

/*
 * Loads the one document in bytes. file: its name in messages. *data: what schema says, to be given back
 * to conf_yaml_free; NULL for an empty document. lines live in a. 0, or -1 and error ("FILE:LINE: ...").
 */
int conf_yaml_load(const char *file, const uint8_t *bytes, size_t len, const struct cyaml_schema_value *schema,
    struct arena *a, struct yaml_lines *lines, void **data, char *error, size_t error_size);
void conf_yaml_free(const struct cyaml_schema_value *schema, void *data); /* takes NULL */

/* The line of the value at path ("webhooks[0].url"), counted from 1; 0: it is not in the file. */
unsigned conf_yaml_line(const struct yaml_lines *lines, const char *path);

#endif
