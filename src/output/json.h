/*
 * A streaming JSON writer (RFC 8259) into one growing buffer, reused from line to line.
 * Members and elements are separated by themselves. Text is made valid UTF-8.
 */
#ifndef WAYBILL_OUTPUT_JSON_H
#define WAYBILL_OUTPUT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	char *bytes;
	size_t len, size;
	bool failed;   /* memory ran out: the text is not to be used */
	bool separate; /* a comma goes before the next member or element */
};

void json_init(struct json *j);
void json_clear(struct json *j);  /* frees */
void json_reset(struct json *j);  /* empties, keeps the buffer */

/* name: the member's name, NULL inside an array or at the top. */
void json_object(struct json *j, const char *name);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *name);
void json_array_end(struct json *j);

void json_string(struct json *j, const char *name, const char *value); /* NULL value: the member is left out */
void json_bytes(struct json *j, const char *name, const void *bytes, size_t len);
void json_u64(struct json *j, const char *name, uint64_t value);
void json_i64(struct json *j, const char *name, int64_t value);
void json_bool(struct json *j, const char *name, bool value);
void json_time(struct json *j, const char *name, int64_t time); /* clock_format */

#endif
