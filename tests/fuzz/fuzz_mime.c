/*
 * Header values and multipart bodies. The first byte chooses; a multipart body must
 * come apart in the same way whether it is given at once or byte by byte.
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/mime_header.h"
#include "proto/mime_multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that is said of a body, in a row. */
struct story {
	uint8_t *bytes;
	size_t len;
};

static void
add(struct story *s, const void *bytes, size_t len)
{
	s->bytes = realloc(s->bytes, s->len + len + 1);
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
}

static void
on_begin(void *ctx, const struct mime_fields *header)
{
	add(ctx, "(", 1);
	for (size_t i = 0; i < header->count; i++) {
		add(ctx, header->field[i].name, header->field[i].name_len);
		add(ctx, header->field[i].value, header->field[i].value_len);
	}
}

static void
on_data(void *ctx, const uint8_t *bytes, size_t len)
{
	add(ctx, bytes, len);
}

static void
on_skip(void *ctx, uint64_t len)
{
	add(ctx, &len, sizeof len);
}

static void
on_end(void *ctx, bool whole)
{
	add(ctx, whole ? ")" : "!", 1);
}

static struct story
split(const uint8_t *body, size_t len, size_t piece)
{
	static const struct mime_multipart_ops ops = {on_begin, on_data, on_skip, on_end};
	static const char type[] = "multipart/mixed; boundary=B";
	struct story s = {.bytes = NULL};
	struct mime_multipart *m = mime_multipart_create((const uint8_t *)type, sizeof type - 1, &ops, &s);
	while (len > 0) {
		size_t n = piece < len ? piece : len;
		uint8_t *exact = malloc(n);
		memcpy(exact, body, n);
		mime_multipart_feed(m, exact, n);
		free(exact);
		body += n;
		len -= n;
	}
	mime_multipart_destroy(m);
	return s;
}

static void
values(const uint8_t *bytes, size_t len)
{
	struct mime_text text;
	struct mime_fields fields;
	mime_param(bytes, len, "filename", &text);
	mime_extended(bytes, len, &text);
	mime_words(bytes, len, &text);
	mime_fields_parse(&fields, bytes, len);
	if (text.len > MIME_TEXT_MAX || fields.count > MIME_FIELDS_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'v') {
		values(data + 1, size - 1);
		return 0;
	}
	struct story whole = split(data + 1, size - 1, size), single = split(data + 1, size - 1, 1);
	if (whole.len != single.len || (whole.len > 0 && memcmp(whole.bytes, single.bytes, whole.len) != 0))
		abort();
	free(whole.bytes);
	free(single.bytes);
	return 0;
}
