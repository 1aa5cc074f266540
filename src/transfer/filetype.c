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
 * Text that begins like nothing in particular is text and no more, and noise is noise: libmagic would
 * hold them against every rule it has (measured: 1.7 and 0.3 ms) and find one that fits by chance
 * now and then. Text that it looks at is cut short.
 */
enum { TEXT_LOOK = 1024, REGEX_LOOK = 512, NOISE_MIN = 32, NOISE_LOOK = 64 };

/* What can't come here, or costs much and tells little. */
static const int magic_flags = MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF |
                               MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CSV;

struct filetype {
	magic_t magic; /* NULL: it could not be loaded */
};

static magic_t magic_start(void);
static void answer(struct filetype_answer *out, const char *mime, const char *kind);
static bool is_noise(const uint8_t *bytes, size_t len);
static bool is_text(const uint8_t *bytes, size_t len);
static bool by_beginning(const uint8_t *bytes, size_t len, struct filetype_answer *out);
static bool begins_like(const uint8_t *bytes, size_t len, const char *const *words);

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
	if (is_noise(bytes, len)) {
		answer(out, "application/octet-stream", NULL);
		return 0;
	}
	bool text = is_text(bytes, len);
	if (text && by_beginning(bytes, len, out))
		return 0;
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

/*
 * Encrypted or packed from its first byte on: hardly a value comes twice in so few. Of n random bytes
 * about n - n * n / 512 differ; headers of files hold zeros and words. What begins
 * with four letters may have been named by them, and MPEG audio without a tag begins with ones.
 */
static bool
is_noise(const uint8_t *bytes, size_t len)
{
	bool seen[256] = {false};
	size_t values = 0;
	size_t look = len < NOISE_LOOK ? len : NOISE_LOOK;
	if (look < NOISE_MIN || bytes[0] == 0xff || is_text(bytes, 4))
		return false;
	for (size_t i = 0; i < look; i++) {
		values += !seen[bytes[i]];
		seen[bytes[i]] = true;
	}
	return values >= look - look * look / 256;
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

/* HTML, or plain text; false: it begins as markup, scripts, JSON, PostScript, RTF, keys or mails do. */
static bool
by_beginning(const uint8_t *bytes, size_t len, struct filetype_answer *out)
{
	static const char *const html[] = {"<!doctype html", "<html", "<head", "<body", "<script", NULL};
	static const char *const special[] = {"<", "{", "[", "%", "#!", "-----BEGIN", "@echo", "From", "Received:",
	        "Return-Path:", "Subject:", "Date:", "Message-ID:", "MIME-Version:", "BEGIN:", "solid ",
	        "ISO-10303", "ply", NULL};
	const bool ascii = text_is_ascii(bytes, len);
	if (text_prefix_nocase(bytes, len, "\xef\xbb\xbf")) {
		bytes += 3;
		len -= 3;
	}
	while (len > 0 && strchr(" \t\r\n", bytes[0]) != NULL) {
		bytes++;
		len--;
	}
	if (begins_like(bytes, len, html))
		answer(out, "text/html", "HTML document");
	else if (begins_like(bytes, len, special))
		return false;
	else
		answer(out, "text/plain", ascii ? "ASCII text" : "UTF-8 text");
	return true;
}

static bool
begins_like(const uint8_t *bytes, size_t len, const char *const *words)
{
	for (; *words != NULL; words++)
		if (text_prefix_nocase(bytes, len, *words))
			return true;
	return false;
}
