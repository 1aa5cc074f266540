/*
 * A streaming JSON writer (RFC 8259) into one growing buffer, reused from line to line.
 * Members and elements are separated by themselves. Text is made valid UTF-8.
 *
 * Most members have constant names; the functions that write them are always inline, so that the
 * compiler knows their length: a name is then a store or two.
 */
#ifndef WAYBILL_OUTPUT_JSON_H
#define WAYBILL_OUTPUT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	JSON_SECONDS = 8,    /* an event tells of its beginning, its end and the clock on the wall */
	JSON_SECOND_LEN = 20 /* "2024-01-15T09:30:00 */
};

/* A second's text, as most times of an event and of the next one begin. Empty: none yet. */
struct json_second {
	int64_t second; /* since 1970 */
	char text[JSON_SECOND_LEN + 4];
};

struct json {
	char *bytes;
	size_t len, size;
	size_t kept;   /* so many at the front are out of json_reset's reach */
	bool failed;   /* memory ran out: the text is not to be used */
	bool separate; /* a comma goes before the next member or element */
	struct json_second seconds[JSON_SECONDS]; /* by the second, modulo */
};

void json_init(struct json *j);
void json_clear(struct json *j); /* frees */
void json_reset(struct json *j); /* takes back what was written since json_keep, or all; keeps the buffer */
void json_keep(struct json *j);  /* what was written stays: the next text goes behind it */

/* Values alone: behind json_name, or as elements of an array behind json_separate. */
void json_put_text(struct json *j, const void *bytes, size_t len); /* quoted, made valid */
void json_put_u64(struct json *j, uint64_t value);
void json_put_i64(struct json *j, int64_t value);
void json_put_time(struct json *j, int64_t time); /* as clock_format */
void json_put_hex(struct json *j, const uint8_t *bytes, size_t len);
void json_put_v4(struct json *j, const uint8_t bytes[4]); /* "192.0.2.1" */

/* Makes room for n more bytes. False: memory is out, and the writer has failed. */
bool json_grow(struct json *j, size_t n);

static inline bool
json_reserve(struct json *j, size_t n)
{
	return n <= j->size - j->len || json_grow(j, n);
}

/* Bytes as they are. */
static inline __attribute__((always_inline)) void
json_put(struct json *j, const char *bytes, size_t len)
{
	if (!json_reserve(j, len))
		return;
	memcpy(j->bytes + j->len, bytes, len);
	j->len += len;
}

static inline void
json_separate(struct json *j)
{
	if (j->separate)
		json_put(j, ",", 1);
	j->separate = true;
}

/* A member's name, which needs no escaping; NULL inside an array or at the top. */
static inline __attribute__((always_inline)) void
json_name(struct json *j, const char *name)
{
	json_separate(j);
	if (name == NULL)
		return;
	size_t len = strlen(name);
	if (!json_reserve(j, len + 3))
		return;
	char *at = j->bytes + j->len;
	*at++ = '"';
	memcpy(at, name, len);
	memcpy(at + len, "\":", 2);
	j->len += len + 3;
}

/* Constant members, written out: "\"a\":1,\"b\":2". */
static inline void
json_splice(struct json *j, const char *members)
{
	json_separate(j);
	json_put(j, members, strlen(members));
}

static inline __attribute__((always_inline)) void
json_object(struct json *j, const char *name)
{
	json_name(j, name);
	json_put(j, "{", 1);
	j->separate = false;
}

static inline void
json_object_end(struct json *j)
{
	json_put(j, "}", 1);
	j->separate = true;
}

static inline __attribute__((always_inline)) void
json_array(struct json *j, const char *name)
{
	json_name(j, name);
	json_put(j, "[", 1);
	j->separate = false;
}

static inline void
json_array_end(struct json *j)
{
	json_put(j, "]", 1);
	j->separate = true;
}

static inline void
json_bytes(struct json *j, const char *name, const void *bytes, size_t len)
{
	json_name(j, name);
	json_put_text(j, bytes, len);
}

/* NULL value: the member is left out. */
static inline void
json_string(struct json *j, const char *name, const char *value)
{
	if (value != NULL)
		json_bytes(j, name, value, strlen(value));
}

/* A string that is known to need no escaping. */
static inline __attribute__((always_inline)) void
json_plain(struct json *j, const char *name, const char *value)
{
	json_name(j, name);
	json_put(j, "\"", 1);
	json_put(j, value, strlen(value));
	json_put(j, "\"", 1);
}

static inline void
json_u64(struct json *j, const char *name, uint64_t value)
{
	json_name(j, name);
	json_put_u64(j, value);
}

static inline void
json_i64(struct json *j, const char *name, int64_t value)
{
	json_name(j, name);
	json_put_i64(j, value);
}

static inline void
json_bool(struct json *j, const char *name, bool value)
{
	json_name(j, name);
	json_put(j, value ? "true" : "false", value ? 4 : 5);
}

static inline void
json_time(struct json *j, const char *name, int64_t time)
{
	json_name(j, name);
	json_put_time(j, time);
}

/* Lower-case hexadecimal in quotes. */
static inline void
json_hex(struct json *j, const char *name, const uint8_t *bytes, size_t len)
{
	json_name(j, name);
	json_put_hex(j, bytes, len);
}

#endif
