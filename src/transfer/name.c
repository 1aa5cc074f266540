#include "config.h"

#include "transfer/name.h"

#include <string.h>

static size_t raw_name_at(const struct text *path);

struct text
name_of_path(const struct text *path)
{
	struct text name = *path;
	if (path->utf8 == NULL)
		return name;
	for (const char *p = path->utf8; *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			name.utf8 = p + 1;
	if (*name.utf8 == '\0')
		return (struct text){0};
	if (path->raw != NULL) {
		size_t at = raw_name_at(path);
		name.raw = path->raw + at;
		name.raw_len = path->raw_len - at;
	}
	return name;
}

/*
 * Where the name begins in the raw bytes. In Shift_JIS, GBK, Big5 and CP949 the
 * second byte of a character may look like a backslash: characters whose first byte is
 * above 0x80 are stepped over whole, except in single-byte charsets.
 */
static size_t
raw_name_at(const struct text *path)
{
	bool single = path->encoding != NULL && (strcmp(path->encoding, "latin-1") == 0 ||
	                                         strncmp(path->encoding, "iso-8859", 8) == 0 ||
	                                         strncmp(path->encoding, "windows-", 8) == 0);
	size_t at = 0;
	for (size_t i = 0; i < path->raw_len; i++) {
		uint8_t c = path->raw[i];
		if (c == '/' || c == '\\')
			at = i + 1;
		else if (c > 0x80 && !single && i + 1 < path->raw_len && path->raw[i + 1] >= 0x40)
			i++;
	}
	return at;
}
