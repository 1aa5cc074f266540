#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/text.h"
#include "conf_yaml.h"

enum {
	PATH_MAX_LEN = 256,
	SHOWN_MAX = 64, /* of a key in a message */
};

struct yaml_line {
	struct yaml_line *next;
	const char *path;
	unsigned line;
};

/* One walk over the events of a file. */
struct walk {
	yaml_parser_t parser;
	yaml_event_t event; /* the one being looked at */
	const char *file;
	const uint8_t *bytes;
	size_t len;
	struct arena *arena;
	struct yaml_lines *lines;
	char path[PATH_MAX_LEN]; /* of the value being looked at; empty at the top */
	size_t path_len;
	char *error;
	size_t error_size;
};

static int walk_document(struct walk *w, const cyaml_schema_value_t *schema, bool *empty);
static int walk_value(struct walk *w, const cyaml_schema_value_t *schema);
static int walk_mapping(struct walk *w, const cyaml_schema_value_t *schema);
static int walk_field(struct walk *w, const cyaml_schema_field_t *fields, uint64_t *seen);
static int check_required(struct walk *w, const cyaml_schema_field_t *fields, uint64_t seen, unsigned line);
static int walk_sequence(struct walk *w, const cyaml_schema_value_t *schema);
static int check_scalar(struct walk *w, const cyaml_schema_value_t *schema);
static int next_event(struct walk *w);
static unsigned event_line(const struct walk *w);
static bool is_nothing(const yaml_event_t *e);
static int lines_add(struct walk *w);
static void path_push(struct walk *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *path_name(const struct walk *w);
static int refuse(struct walk *w, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int refuse_syntax(struct walk *w);

static const cyaml_config_t cyaml = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
	.flags = CYAML_CFG_NO_ALIAS,
};

int
conf_yaml_load(const char *file, const uint8_t *bytes, size_t len, const struct cyaml_schema_value *schema,
    struct arena *a, struct yaml_lines *lines, void **data, char *error, size_t error_size)
{
	struct walk w = {
		.file = file,
		.bytes = bytes,
		.len = len,
		.arena = a,
		.lines = lines,
		.error = error,
		.error_size = error_size,
	};
	bool empty = false;
	int result = -1;

	*data = NULL;
	lines->first = NULL;
	lines->last = &lines->first;
	if (yaml_parser_initialize(&w.parser) != 1)
		return refuse(&w, 0, "out of memory");
	yaml_parser_set_input_string(&w.parser, bytes, len);
	if (walk_document(&w, schema, &empty) != 0)
		goto out;
	if (!empty) {
		cyaml_err_t loaded = cyaml_load_data(bytes, len, &cyaml, schema, data, NULL);
		if (loaded != CYAML_OK) {
			refuse(&w, 0, "cannot be loaded: %s", cyaml_strerror(loaded));
			goto out;
		}
	}
	result = 0;
out:
	yaml_event_delete(&w.event);
	yaml_parser_delete(&w.parser);
	return result;
}

void
conf_yaml_free(const struct cyaml_schema_value *schema, void *data)
{
	cyaml_free(&cyaml, schema, data, 0);
}

unsigned
conf_yaml_line(const struct yaml_lines *lines, const char *path)
{
	for (const struct yaml_line *l = lines->first; l != NULL; l = l->next) {
		if (strcmp(l->path, path) == 0)
			return l->line;
	}
	return 0;
}

static int
walk_document(struct walk *w, const cyaml_schema_value_t *schema, bool *empty)
{
	if (next_event(w) != 0 || next_event(w) != 0) /* the stream's start, then a document or the end */
		return -1;
	*empty = w->event.type == YAML_STREAM_END_EVENT;
	if (*empty)
		return 0;
	if (next_event(w) != 0)
		return -1;
	*empty = is_nothing(&w->event);
	if (!*empty && walk_value(w, schema) != 0)
		return -1;
	if (next_event(w) != 0 || next_event(w) != 0)
		return -1;
	if (w->event.type != YAML_STREAM_END_EVENT)
		return refuse(w, event_line(w), "a second document begins here: there must be only one");
	return 0;
}

/* The current event begins a value. As deep as the schema is, never as deep as the file. */
static int
walk_value(struct walk *w, const cyaml_schema_value_t *schema)
{
	bool null_allowed = (schema->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL;

	if (w->event.type == YAML_ALIAS_EVENT)
		return refuse(w, event_line(w), "aliases (*name) are not supported");
	if (lines_add(w) != 0)
		return -1;
	if (null_allowed && is_nothing(&w->event))
		return 0; /* a section whose keys are all commented out */
	switch (schema->type) {
	case CYAML_MAPPING: return walk_mapping(w, schema);
	case CYAML_SEQUENCE: return walk_sequence(w, schema);
	default: return check_scalar(w, schema);
	}
}

static int
walk_mapping(struct walk *w, const cyaml_schema_value_t *schema)
{
	unsigned line = event_line(w);
	uint64_t seen = 0;

	if (w->event.type != YAML_MAPPING_START_EVENT)
		return refuse(w, line, "%s must be a mapping (key: value)", path_name(w));
	for (;;) {
		if (next_event(w) != 0)
			return -1;
		if (w->event.type == YAML_MAPPING_END_EVENT)
			return check_required(w, schema->mapping.fields, seen, line);
		if (walk_field(w, schema->mapping.fields, &seen) != 0)
			return -1;
	}
}

/* The current event is a key: one of fields, for the first time. */
static int
walk_field(struct walk *w, const cyaml_schema_field_t *fields, uint64_t *seen)
{
	size_t outer_len = w->path_len;
	unsigned line = event_line(w);
	char shown[SHOWN_MAX];
	size_t i = 0;

	if (w->event.type != YAML_SCALAR_EVENT)
		return refuse(w, line, "a key in %s must be a word", path_name(w));
	const char *key = (const char *)w->event.data.scalar.value;
	text_escape(shown, sizeof shown, key, w->event.data.scalar.length);
	while (fields[i].key != NULL && strcmp(fields[i].key, key) != 0)
		i++;
	if (fields[i].key == NULL || strlen(key) != w->event.data.scalar.length)
		return refuse(w, line, "unknown key '%s' in %s", shown, path_name(w));
	if (*seen & UINT64_C(1) << i)
		return refuse(w, line, "key '%s' appears twice in %s", shown, path_name(w));
	*seen |= UINT64_C(1) << i;

	path_push(w, outer_len > 0 ? ".%s" : "%s", fields[i].key);
	if (next_event(w) != 0 || walk_value(w, &fields[i].value) != 0)
		return -1;
	w->path_len = outer_len;
	w->path[outer_len] = '\0';
	return 0;
}

static int
check_required(struct walk *w, const cyaml_schema_field_t *fields, uint64_t seen, unsigned line)
{
	for (size_t i = 0; fields[i].key != NULL; i++) {
		bool required = (fields[i].value.flags & CYAML_FLAG_OPTIONAL) == 0;
		if (required && (seen & UINT64_C(1) << i) == 0)
			return refuse(w, line, "%s lacks the key '%s'", path_name(w), fields[i].key);
	}
	return 0;
}

static int
walk_sequence(struct walk *w, const cyaml_schema_value_t *schema)
{
	size_t outer_len = w->path_len;

	if (w->event.type != YAML_SEQUENCE_START_EVENT)
		return refuse(w, event_line(w), "%s must be a list", path_name(w));
	for (unsigned i = 0;; i++) {
		if (next_event(w) != 0)
			return -1;
		if (w->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (i >= schema->sequence.max)
			return refuse(w, event_line(w), "%s has more than %u entries", path_name(w), schema->sequence.max);
		path_push(w, "[%u]", i);
		if (walk_value(w, schema->sequence.entry) != 0)
			return -1;
		w->path_len = outer_len;
		w->path[outer_len] = '\0';
	}
}

static int
check_scalar(struct walk *w, const cyaml_schema_value_t *schema)
{
	const yaml_event_t *e = &w->event;

	if (e->type != YAML_SCALAR_EVENT)
		return refuse(w, event_line(w), "%s must be a single value", path_name(w));
	if (e->data.scalar.length == 0)
		return refuse(w, event_line(w), "%s has no value", path_name(w));
	if (strlen((const char *)e->data.scalar.value) != e->data.scalar.length)
		return refuse(w, event_line(w), "%s has a zero byte in it", path_name(w));
	if (e->data.scalar.length > schema->string.max)
		return refuse(w, event_line(w), "%s is longer than %u bytes", path_name(w), schema->string.max);
	return 0;
}

static int
next_event(struct walk *w)
{
	yaml_event_delete(&w->event);
	if (yaml_parser_parse(&w->parser, &w->event) == 1)
		return 0;
	w->event = (yaml_event_t){0};
	return refuse_syntax(w);
}

static unsigned
event_line(const struct walk *w)
{
	return (unsigned)w->event.start_mark.line + 1;
}

/* "key:" and nothing behind it. */
static bool
is_nothing(const yaml_event_t *e)
{
	return e->type == YAML_SCALAR_EVENT && e->data.scalar.length == 0 &&
	       e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int
lines_add(struct walk *w)
{
	struct yaml_line *line = arena_alloc(w->arena, sizeof *line);
	const char *path = arena_string(w->arena, w->path, w->path_len);
	if (line == NULL || path == NULL)
		return refuse(w, 0, "out of memory");
	*line = (struct yaml_line){.path = path, .line = event_line(w)};
	*w->lines->last = line;
	w->lines->last = &line->next;
	return 0;
}

/* The schema's own words, so that it always fits. */
static void
path_push(struct walk *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(w->path + w->path_len, sizeof w->path - w->path_len, format, args);
	va_end(args);
	w->path_len = strlen(w->path);
}

static const char *
path_name(const struct walk *w)
{
	return w->path_len > 0 ? w->path : "the file";
}

/* line 0: it concerns the whole file. Returns -1. */
static int
refuse(struct walk *w, unsigned line, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (line > 0)
		snprintf(w->error, w->error_size, "%s:%u: %s", w->file, line, what);
	else
		snprintf(w->error, w->error_size, "%s: %s", w->file, what);
	return -1;
}

/* What libyaml could not read. For bytes that are no text it only knows the offset. */
static int
refuse_syntax(struct walk *w)
{
	const yaml_parser_t *p = &w->parser;
	unsigned line = (unsigned)p->problem_mark.line + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return refuse(w, 0, "out of memory");
	if (p->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < p->problem_offset && i < w->len; i++)
			line += w->bytes[i] == '\n';
	}
	return refuse(w, line, "not YAML: %s", p->problem != NULL ? p->problem : "unknown error");
}
