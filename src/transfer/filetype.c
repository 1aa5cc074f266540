#include "config.h"

#include "transfer/filetype.h"

#include <magic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
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

/* The same pages and pictures cross a network again and again: what libmagic said of bytes it says of them always. */
enum { KNOWN_MAX = 256 };

struct known {
	uint64_t hash; /* of the bytes */
	struct filetype_answer answer; /* without a media type: none is known */
};

struct filetype {
	magic_t magic; /* NULL: it could not be loaded, or is not wanted */
	struct hash_key key;
	struct known known[]; /* KNOWN_MAX where there is libmagic, each in the place that its hash names: a newer one takes it */
};

static magic_t magic_start(void);
static void copy(char *out, size_t size, const char *text);
static void answer(struct filetype_answer *out, const char *mime, const char *kind);
static int by_magic(struct filetype *f, const uint8_t *bytes, size_t len, struct filetype_answer *out);
static bool is_noise(const uint8_t *bytes, size_t len);
static bool may_be_named(const uint8_t *bytes, size_t len);
static bool is_word(const uint8_t bytes[4]);
static size_t printable(const uint8_t *bytes, size_t len);
static bool is_text(const uint8_t *bytes, size_t len);
static bool by_beginning(const uint8_t *bytes, size_t len, struct filetype_answer *out);
static bool is_json(const uint8_t *bytes, size_t len);
static void answer_xml(const uint8_t *bytes, size_t len, struct filetype_answer *out);
static void skip(const uint8_t **bytes, size_t *len, size_t n);
static void skip_space(const uint8_t **bytes, size_t *len);
static bool begins_like(const uint8_t *bytes, size_t len, const char *const *words);

struct filetype *
filetype_open(bool no_magic)
{
	magic_t magic = no_magic ? NULL : magic_start();
	struct filetype *f = calloc(1, sizeof *f + (magic != NULL ? KNOWN_MAX * sizeof f->known[0] : 0));
	if (f == NULL) {
		if (magic != NULL)
			magic_close(magic);
		return NULL;
	}
	f->key = hash_key_random();
	f->magic = magic;
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
	const uint64_t hash = hash_bytes(&f->key, bytes, len);
	struct known *known = &f->known[hash % KNOWN_MAX];
	if (known->hash == hash && known->answer.mime[0] != '\0') {
		*out = known->answer;
		return 0;
	}
	if (by_magic(f, bytes, len, out) != 0)
		return -1;
	*known = (struct known){hash, *out};
	return 0;
}

static int
by_magic(struct filetype *f, const uint8_t *bytes, size_t len, struct filetype_answer *out)
{
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
	copy(out->mime, sizeof out->mime, mime);
	copy(out->kind, sizeof out->kind, kind);
}

static void
copy(char *out, size_t size, const char *text)
{
	size_t len = text != NULL ? strnlen(text, size - 1) : 0;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

/*
 * Encrypted or packed from its first byte on: hardly a value comes twice in so few. Of n random bytes
 * about n - n * n / 512 differ; headers of files hold zeros and words.
 */
static bool
is_noise(const uint8_t *bytes, size_t len)
{
	bool seen[256] = {false};
	size_t values = 0;
	size_t look = len < NOISE_LOOK ? len : NOISE_LOOK;
	if (look < NOISE_MIN || may_be_named(bytes, look))
		return false;
	for (size_t i = 0; i < look; i++) {
		values += !seen[bytes[i]];
		seen[bytes[i]] = true;
	}
	return values >= look - look * look / 256;
}

/*
 * Four letters, at the beginning or behind a length, may name a format where some of the numbers around them
 * are small. So may the bytes that MPEG audio (without a tag) and bare JPEG XL begin with.
 */
static bool
may_be_named(const uint8_t *bytes, size_t len)
{
	size_t zeros = 0;
	if (bytes[0] == 0xff)
		return bytes[1] >= 0xe0 || bytes[1] == 0x0a;
	for (size_t i = 0; i < len; i++)
		zeros += bytes[i] == 0;
	return zeros >= 2 && (is_word(bytes) || is_word(bytes + 4));
}

static bool
is_word(const uint8_t bytes[4])
{
	for (size_t i = 0; i < 4; i++)
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	return true;
}

/* UTF-8 without the control characters that no text has. The last character may be cut. */
static bool
is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = printable(bytes, len); i < len; i += 1 + printable(bytes + i + 1, len - i - 1))
		if (memchr("\t\n\f\r\x1b", bytes[i], 5) == NULL)
			return false;
	for (size_t cut = 0; cut < 4 && cut <= len; cut++)
		if (text_is_utf8(bytes, len - cut))
			return true;
	return false;
}

/* How many bytes stand before a control character, eight at a time where none of them is one. */
static size_t
printable(const uint8_t *bytes, size_t len)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	size_t n = 0;
	for (uint64_t eight; len - n >= sizeof eight; n += sizeof eight) {
		memcpy(&eight, bytes + n, sizeof eight);
		/* What is below a space borrows when that is taken away, and has no top bit of its own. */
		if (((eight - each * ' ') & ~eight & each * 0x80) != 0)
			break;
	}
	while (n < len && bytes[n] >= ' ')
		n++;
	return n;
}

/* Markup, JSON, or plain text; false: it begins as scripts, PostScript, RTF, keys or mails do. */
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
	skip_space(&bytes, &len);
	if (begins_like(bytes, len, html))
		answer(out, "text/html", "HTML document");
	else if (is_json(bytes, len))
		answer(out, "application/json", "JSON text");
	else if (text_prefix_nocase(bytes, len, "<?xml"))
		answer_xml(bytes, len, out);
	else if (begins_like(bytes, len, special))
		return false;
	else
		answer(out, "text/plain", ascii ? "ASCII text" : "UTF-8 text");
	return true;
}

/* An object with a member, or an array of objects or strings (RFC 8259): nothing else begins so. */
static bool
is_json(const uint8_t *bytes, size_t len)
{
	bool array = len > 0 && bytes[0] == '[';
	if (!array && (len == 0 || bytes[0] != '{'))
		return false;
	skip(&bytes, &len, 1);
	skip_space(&bytes, &len);
	if (array && len > 0 && bytes[0] == '{') {
		array = false;
		skip(&bytes, &len, 1);
		skip_space(&bytes, &len);
	}
	if (len == 0 || bytes[0] != '"')
		return false;
	const uint8_t *end = memchr(bytes + 1, '"', len - 1);
	if (end == NULL)
		return false;
	skip(&bytes, &len, (size_t)(end - bytes) + 1);
	skip_space(&bytes, &len);
	return len > 0 && (array ? bytes[0] == ',' || bytes[0] == ']' : bytes[0] == ':');
}

/* By the name of its root element. */
static void
answer_xml(const uint8_t *bytes, size_t len, struct filetype_answer *out)
{
	static const struct {
		const char *root, *mime, *kind;
	} kinds[] = {
		{"<svg", "image/svg+xml", "SVG image"},
		{"<html", "text/html", "XHTML document"},
		{"<kml", "application/vnd.google-earth.kml+xml", "KML places"},
		{"<gpx", "application/gpx+xml", "GPX track"},
		{"", "text/xml", "XML document"},
	};
	const uint8_t *tag = bytes;
	size_t i = 0;
	/* The declaration, comments and the document type come first. */
	while (len > 1 && (bytes[1] == '?' || bytes[1] == '!') && (tag = memchr(bytes + 1, '<', len - 1)) != NULL)
		skip(&bytes, &len, (size_t)(tag - bytes));
	while (!text_prefix_nocase(bytes, len, kinds[i].root))
		i++;
	answer(out, kinds[i].mime, kinds[i].kind);
}

static void
skip(const uint8_t **bytes, size_t *len, size_t n)
{
	*bytes += n;
	*len -= n;
}

static void
skip_space(const uint8_t **bytes, size_t *len)
{
	while (*len > 0 && memchr(" \t\r\n", (*bytes)[0], 4) != NULL)
		skip(bytes, len, 1);
}

static bool
begins_like(const uint8_t *bytes, size_t len, const char *const *words)
{
	for (; *words != NULL; words++)
		if (text_prefix_nocase(bytes, len, *words))
			return true;
	return false;
}
