#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "conf_read.h"
#include "conf_yaml.h"
#include "value.h"

enum { SHOWN_MAX = 80, SMALL_FILE_MAX = 4096 };

static bool wanted(const struct conf_reading *r, const char *text);
static bool is_auto(const char *text);
static const char *shown(char out[SHOWN_MAX], const char *text);

void
conf_section(struct conf_reading *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(r->section, sizeof r->section, format, args);
	va_end(args);
}

void
conf_refuse(struct conf_reading *r, const char *key, const char *format, ...)
{
	char path[128], what[512];
	va_list args;

	if (r->failed)
		return;
	r->failed = true;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(path, sizeof path, key != NULL && key[0] != '[' && r->section[0] != '\0' ? "%s.%s" : "%s%s", r->section,
	    key != NULL ? key : "");
	unsigned line = conf_yaml_line(r->lines, path);
	snprintf(r->error, r->error_size, "%s:%u: %s: %s", r->file, line, path, what);
}

void *
conf_alloc(struct conf_reading *r, size_t count, size_t size)
{
	if (r->failed || count == 0)
		return NULL;
	void *memory = arena_alloc(r->arena, count * size);
	if (memory == NULL)
		conf_refuse(r, NULL, "out of memory");
	return memory;
}

void
conf_text(struct conf_reading *r, const char *key, const char *text, const char **out)
{
	if (!wanted(r, text))
		return;
	*out = arena_string(r->arena, text, strlen(text));
	if (*out == NULL)
		conf_refuse(r, key, "out of memory");
}

void
conf_path(struct conf_reading *r, const char *key, const char *text, const char **out)
{
	const char *slash = strrchr(r->file, '/');

	if (!wanted(r, text))
		return;
	if (text[0] == '/' || slash == NULL) {
		conf_text(r, key, text, out);
		return;
	}
	*out = arena_printf(r->arena, "%.*s/%s", (int)(slash - r->file), r->file, text);
	if (*out == NULL)
		conf_refuse(r, key, "out of memory");
}

void
conf_switch(struct conf_reading *r, const char *key, const char *text, bool *out)
{
	char s[SHOWN_MAX];
	if (wanted(r, text) && value_bool(text, out) != 0)
		conf_refuse(r, key, "'%s' is neither yes nor no", shown(s, text));
}

void
conf_bytes(struct conf_reading *r, const char *key, const char *text, uint64_t *out)
{
	char s[SHOWN_MAX];
	if (!wanted(r, text))
		return;
	if (value_size(text, out) != 0)
		conf_refuse(r, key, "'%s' is not a size such as 64MB or 1GiB", shown(s, text));
	else if (*out == 0)
		conf_refuse(r, key, "must be more than 0");
}

void
conf_time(struct conf_reading *r, const char *key, const char *text, int64_t least, int64_t *out)
{
	char s[SHOWN_MAX];
	if (!wanted(r, text))
		return;
	if (value_duration(text, out) != 0)
		conf_refuse(r, key, "'%s' is not a time such as 500ms, 30s, 10m, 2h or 7d", shown(s, text));
	else if (*out < least)
		conf_refuse(r, key, "must be more than 0");
}

void
conf_time_or_never(struct conf_reading *r, const char *key, const char *text, int64_t least, int64_t *out)
{
	if (wanted(r, text) && strcmp(text, "never") == 0)
		*out = 0;
	else
		conf_time(r, key, text, least, out);
}

void
conf_limit_bytes(struct conf_reading *r, const char *key, const char *text, size_t *out)
{
	uint64_t bytes = 0;
	if (!wanted(r, text))
		return;
	if (!is_auto(text))
		conf_bytes(r, key, text, &bytes);
	if (bytes > SIZE_MAX / 2)
		conf_refuse(r, key, "is more than this machine can address");
	else
		*out = (size_t)bytes;
}

void
conf_limit_count(struct conf_reading *r, const char *key, const char *text, size_t *out)
{
	char s[SHOWN_MAX];
	uint64_t count = 0;

	if (!wanted(r, text))
		return;
	if (!is_auto(text) && (text_to_u64(text, strlen(text), &count) != 0 || count == 0 || count > UINT32_MAX))
		conf_refuse(r, key, "'%s' is not a number from 1 to 4294967295, or auto", shown(s, text));
	*out = (size_t)count;
}

void
conf_limit_time(struct conf_reading *r, const char *key, const char *text, int64_t *out)
{
	if (!wanted(r, text))
		return;
	if (is_auto(text))
		*out = 0;
	else
		conf_time(r, key, text, 1, out);
}

void
conf_word(struct conf_reading *r, const char *key, const char *text, const char *const *words, size_t count,
    size_t *out)
{
	char s[SHOWN_MAX];
	char all[160] = "";

	if (!wanted(r, text))
		return;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i;
			return;
		}
		size_t len = strlen(all);
		snprintf(all + len, sizeof all - len, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", words[i]);
	}
	conf_refuse(r, key, "'%s' is not one of %s", shown(s, text), all);
}

void
conf_network(struct conf_reading *r, const char *key, const char *text, struct network *out)
{
	char s[SHOWN_MAX], first[ADDR_TEXT_MAX];
	bool host_bits = false;

	if (!wanted(r, text))
		return;
	if (addr_parse_network(text, &out->addr, &out->bits, &host_bits) != 0)
		conf_refuse(r, key, "'%s' is not a network such as 192.0.2.0/24 or 2001:db8::/32", shown(s, text));
	else if (host_bits)
		conf_refuse(r, key, "'%s' has bits set beyond its prefix: %s/%u is the network", shown(s, text),
		    addr_format(&out->addr, first), out->bits);
}

void
conf_country(struct conf_reading *r, const char *key, const char *text, const char **out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char s[SHOWN_MAX];

	if (!wanted(r, text))
		return;
	if (strlen(text) != 2 || strspn(text, letters) != 2)
		conf_refuse(r, key, "'%s' is not a country code of two capitals such as KP (ISO 3166-1)", shown(s, text));
	else
		conf_text(r, key, text, out);
}

void
conf_asn(struct conf_reading *r, const char *key, const char *text, uint32_t *out)
{
	char s[SHOWN_MAX];
	uint64_t number;

	if (!wanted(r, text))
		return;
	const char *digits = strncmp(text, "AS", 2) == 0 ? text + 2 : text;
	if (text_to_u64(digits, strlen(digits), &number) != 0 || number == 0 || number > UINT32_MAX)
		conf_refuse(r, key, "'%s' is not an AS number such as AS131279", shown(s, text));
	else
		*out = (uint32_t)number;
}

/* The URL itself is not shown: many receivers put a token into it. */
void
conf_url(struct conf_reading *r, const char *key, const char *text, const char *const *schemes, const char **out)
{
	if (!wanted(r, text))
		return;
	if (!value_is_url(text, schemes))
		conf_refuse(r, key, "is not a URL that begins with %s:// and names a host", schemes[0]);
	else
		conf_text(r, key, text, out);
}

void
conf_text_file(struct conf_reading *r, const char *key, const char *path, const char **out)
{
	uint8_t bytes[SMALL_FILE_MAX];
	FILE *f;

	if (!wanted(r, path))
		return;
	f = fopen(path, "re");
	if (f == NULL) {
		conf_refuse(r, key, "%s: %s", path, strerror(errno));
		return;
	}
	size_t len = fread(bytes, 1, sizeof bytes, f);
	if (ferror(f)) {
		conf_refuse(r, key, "%s: %s", path, strerror(errno));
	} else if (len == sizeof bytes || memchr(bytes, '\0', len) != NULL) {
		conf_refuse(r, key, "%s is not a small text file", path);
	} else {
		while (len > 0 && strchr(" \t\r\n", bytes[len - 1]) != NULL)
			len--;
		*out = arena_string(r->arena, bytes, len);
		if (*out == NULL)
			conf_refuse(r, key, "out of memory");
	}
	fclose(f);
}

static bool
wanted(const struct conf_reading *r, const char *text)
{
	return text != NULL && !r->failed;
}

static bool
is_auto(const char *text)
{
	return strcmp(text, "auto") == 0;
}

static const char *
shown(char out[SHOWN_MAX], const char *text)
{
	return text_escape(out, SHOWN_MAX, text, strlen(text));
}
