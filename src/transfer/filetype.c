#include "config.h"

#include "transfer/filetype.h"

#include <magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "log.h"

/*
 * Text that begins like nothing in particular is text and no more: libmagic would hold it
 * against every rule it has (measured: 1.7 ms for 4 KB). Text that it looks at is cut short.
 */
enum { TEXT_LOOK = 1024, REGEX_LOOK = 512 };

/* What can't come here, or costs much and tells little. */
static const int magic_flags = MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF |
                               MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CSV;

struct filetype {
	magic_t magic; /* NULL: it could not be loaded */
};

static magic_t magic_start(void);
static void answer(struct filetype_answer *out, const char *mime, const char *kind);
static bool is_text(const uint8_t *bytes, size_t len);
static bool begins_plainly(const uint8_t *bytes, size_t len);

struct filetype *
filetype_open(void)
{
	struct filetype *f = calloc(1, sizeof *f);
	if (f != NULL)
		f->magic = magic_start();
	return f;
}

void
filetype_close(struct filetype *f)
{
	if (f == NULL)
		return;
	if (f->magic != NULL)
		magic_close(f->magic);
	free(f);
}

int
filetype_detect(struct filetype *f, const uint8_t *bytes, size_t len, struct filetype_answer *out)
{
	if (filetype_by_table(bytes, len, out) == 0)
		return 0;
	bool text = is_text(bytes, len);
	if (text && begins_plainly(bytes, len)) {
		answer(out, "text/plain", text_is_ascii(bytes, len) ? "ASCII text" : "UTF-8 text");
		return 0;
	}
	answer(out, NULL, NULL);
	if (f->magic == NULL)
		return -1;
	if (text && len > TEXT_LOOK)
		len = TEXT_LOOK;
	magic_setflags(f->magic, magic_flags | MAGIC_MIME_TYPE);
	answer(out, magic_buffer(f->magic, bytes, len), NULL);
	if (out->mime[0] == '\0')
		return -1;
	/* A description tells more only where the type was recognised. */
	if (strcmp(out->mime, "application/octet-stream") == 0)
		return 0;
	magic_setflags(f->magic, magic_flags);
	const char *kind = magic_buffer(f->magic, bytes, len);
	if (kind != NULL)
		text_escape(out->kind, sizeof out->kind, kind, strlen(kind));
	return 0;
}

static magic_t
magic_start(void)
{
	const size_t regex_look = REGEX_LOOK;
	magic_t magic = magic_open(magic_flags);
	if (magic == NULL) {
		log_warn("transfer", "libmagic can't be had: few file types will be known");
		return NULL;
	}
	if (magic_load(magic, NULL) != 0) {
		log_warn("transfer", "libmagic: %s: few file types will be known", magic_error(magic));
		magic_close(magic);
		return NULL;
	}
	magic_setparam(magic, MAGIC_PARAM_REGEX_MAX, &regex_look);
	return magic;
}

static void
answer(struct filetype_answer *out, const char *mime, const char *kind)
{
	snprintf(out->mime, sizeof out->mime, "%s", mime != NULL ? mime : "");
	snprintf(out->kind, sizeof out->kind, "%s", kind != NULL ? kind : "");
}

/* UTF-8 without the control characters that no text has. The last character may be cut. */
static bool
is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < ' ' && strchr("\t\n\f\r\x1b", bytes[i]) == NULL)
			return false;
	for (size_t cut = 0; cut < 4 && cut <= len; cut++)
		if (text_is_utf8(bytes, len - cut))
			return true;
	return false;
}

/* Not as markup, scripts, JSON, PostScript, RTF, keys or mails do. */
static bool
begins_plainly(const uint8_t *bytes, size_t len)
{
	static const char *const headings[] = {"From", "Received:", "Return-Path:", "Subject:", "Date:",
	        "Message-ID:", "MIME-Version:", "BEGIN:", "solid", "ISO-10303", "EHFA", "ply"};
	size_t i = 0;
	while (i < len && (bytes[i] == ' ' || bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t'))
		i++;
	if (i < len && strchr("<{[%#-@\xef", bytes[i]) != NULL)
		return false;
	for (size_t h = 0; h < sizeof headings / sizeof headings[0]; h++)
		if (text_prefix_nocase(bytes + i, len - i, headings[h]))
			return false;
	return true;
}
