/*
 * A line "begin 644 name" in prose begins no file: the line behind it has to be one of the encoding. Parts of a yEnc file
 * that come in several mails or articles are joined.
 */
#include "config.h"

#include "proto/mail_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/lines.h"
#include "proto/mail_part.h"
#include "proto/mime_decode.h"

enum { UU_LINE_MAX = 45, YENC_LINE_MAX = 4096, BASE64_LINE_MAX = 1024 };

enum text_state {
	TEXT_PROSE,
	TEXT_UU_BEGUN, /* behind its first line */
	TEXT_UU,
	TEXT_UU_LAST,  /* behind the line of no bytes: "end" comes */
	TEXT_BASE64,
	TEXT_YENC_BEGUN, /* behind =ybegin: perhaps =ypart */
	TEXT_YENC,
};

struct mail_text {
	struct mail *mail;
	struct lines lines;
	enum text_state state;
	struct mime_text name;
	struct transfer *file;
	struct mime_decoder base64;
	uint64_t size, offset, expected; /* yEnc: of the whole file, of this part, bytes of it */
	uint64_t decoded;
	bool sized, escaped;
};

static void take_line(struct mail_text *t, const struct line *line);
static void take_prose(struct mail_text *t, const uint8_t *bytes, size_t len);
static void take_uu(struct mail_text *t, const uint8_t *bytes, size_t len);
static size_t uu_decode(const uint8_t *bytes, size_t len, uint8_t out[UU_LINE_MAX + 2], bool *good);
static void take_base64(struct mail_text *t, const uint8_t *bytes, size_t len);
static void take_ybegin(struct mail_text *t, const uint8_t *bytes, size_t len);
static void take_ypart(struct mail_text *t, const uint8_t *bytes, size_t len);
static void take_yenc(struct mail_text *t, const uint8_t *bytes, size_t len);
static void begin(struct mail_text *t, const char *encoding);
static void sent(struct mail_text *t, const uint8_t *bytes, size_t len);
static void decoded(void *ctx, const uint8_t *bytes, size_t len);
static void skipped(void *ctx, uint64_t len);
static void end(struct mail_text *t, enum transfer_state state);
static bool number_after(const uint8_t *bytes, size_t len, const char *word, uint64_t *out);
static bool is_mode(const uint8_t *bytes, size_t len);
static bool is_word(const uint8_t *bytes, size_t len, const char *word);

static const struct mime_decode_ops base64_ops = {decoded, skipped};

struct mail_text *
mail_text_create(struct mail *m)
{
	struct mail_text *t = calloc(1, sizeof *t);
	if (t != NULL)
		t->mail = m;
	return t;
}

void
mail_text_data(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	while (t != NULL && len > 0) {
		struct line line;
		bool whole;
		size_t n = lines_take(&t->lines, bytes, len, &line, &whole);
		bytes += n;
		len -= n;
		if (whole)
			take_line(t, &line);
	}
}

void
mail_text_gap(struct mail_text *t, uint64_t len)
{
	if (t == NULL)
		return;
	lines_gap(&t->lines);
	if (t->file != NULL)
		transfer_skip(t->file, len);
	else
		t->state = TEXT_PROSE;
}

void
mail_text_close(struct mail_text *t, enum transfer_state state)
{
	if (t == NULL)
		return;
	if (state == TRANSFER_COMPLETE && !lines_at_start(&t->lines)) /* the last line's end belongs to a boundary */
		mail_text_data(t, (const uint8_t *)"\n", 1);
	/* Its own last line was not seen. */
	end(t, state == TRANSFER_ABORTED ? state : TRANSFER_TRUNCATED);
	lines_clear(&t->lines);
	free(t);
}

static void
take_line(struct mail_text *t, const struct line *line)
{
	const uint8_t *bytes = line->bytes;
	const size_t len = line->len;

	if (line->torn && t->file != NULL)
		return; /* counted as not seen, but for its rest */
	switch (t->state) {
	case TEXT_PROSE:
		if (len > 8 && (bytes[0] == 'b' || bytes[0] == '='))
			take_prose(t, bytes, len);
		break;
	case TEXT_UU_BEGUN:
	case TEXT_UU:
		take_uu(t, bytes, len);
		break;
	case TEXT_UU_LAST:
		end(t, is_word(bytes, len, "end") ? TRANSFER_COMPLETE : TRANSFER_TRUNCATED);
		break;
	case TEXT_BASE64:
		take_base64(t, bytes, len);
		break;
	case TEXT_YENC_BEGUN:
	case TEXT_YENC:
		take_yenc(t, bytes, len);
		break;
	}
}

/* "begin 644 name", "begin-base64 644 name", "=ybegin ..." */
static void
take_prose(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	if (text_prefix_nocase(bytes, len, "=ybegin ")) {
		take_ybegin(t, bytes, len);
		return;
	}
	bool base64 = len > 13 && memcmp(bytes, "begin-base64 ", 13) == 0;
	if (!base64 && memcmp(bytes, "begin ", 6) != 0)
		return;
	size_t at = base64 ? 13 : 6;
	const uint8_t *mode = bytes + at, *space = memchr(mode, ' ', len - at);
	if (space == NULL || !is_mode(mode, (size_t)(space - mode)))
		return;
	const uint8_t *name = space + 1;
	size_t name_len = len - (size_t)(name - bytes);
	text_trim(&name, &name_len);
	if (name_len == 0 || name_len > MIME_TEXT_MAX)
		return;
	mime_words(name, name_len, &t->name);
	t->state = base64 ? TEXT_BASE64 : TEXT_UU_BEGUN;
	t->base64 = (struct mime_decoder){.encoding = MIME_BASE64};
}

static void
take_uu(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	uint8_t out[UU_LINE_MAX + 2];
	bool good;
	size_t n = uu_decode(bytes, len, out, &good);

	/* Prose in capitals is none. */
	good = good && (t->state == TEXT_UU || len >= 1 + (n * 4 + 2) / 3);
	if (!good) {
		end(t, TRANSFER_TRUNCATED);
		return;
	}
	if (t->state == TEXT_UU_BEGUN)
		begin(t, "uuencode");
	t->state = n > 0 ? TEXT_UU : TEXT_UU_LAST;
	sent(t, bytes, len);
	decoded(t, out, n);
}

/* A character for the number of bytes, then four for three of them; spaces at the end may be lost, a checksum may follow. */
static size_t
uu_decode(const uint8_t *bytes, size_t len, uint8_t out[UU_LINE_MAX + 2], bool *good)
{
	const size_t n = len > 0 ? (size_t)(bytes[0] - 32) & 63 : 0;
	const size_t chars = (n + 2) / 3 * 4;

	*good = n <= UU_LINE_MAX && len <= 1 + chars + 2 && (n > 0 || len <= 1);
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 32 || bytes[i] > 96)
			*good = false;
	if (!*good)
		return 0;
	for (size_t at = 0; at < n; at += 3) {
		uint32_t word = 0;
		for (size_t i = 0; i < 4; i++) {
			size_t from = 1 + at / 3 * 4 + i;
			word = word << 6 | (from < len ? (uint32_t)(bytes[from] - 32) & 63 : 0);
		}
		out[at] = (uint8_t)(word >> 16);
		if (at + 1 < UU_LINE_MAX)
			out[at + 1] = (uint8_t)(word >> 8);
		if (at + 2 < UU_LINE_MAX)
			out[at + 2] = (uint8_t)word;
	}
	return n;
}

static void
take_base64(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	if (is_word(bytes, len, "====")) {
		mime_decode_finish(&t->base64, &base64_ops, t);
		end(t, TRANSFER_COMPLETE);
		return;
	}
	bool good = len > 0 && len <= BASE64_LINE_MAX;
	for (size_t i = 0; i < len && good; i++)
		good = (bytes[i] > ' ' && bytes[i] < 0x7f);
	if (!good) {
		end(t, TRANSFER_TRUNCATED);
		return;
	}
	if (t->file == NULL)
		begin(t, "base64");
	sent(t, bytes, len);
	mime_decode(&t->base64, bytes, len, &base64_ops, t);
}

/* =ybegin part=1 total=2 line=128 size=123456 name=a b.jpg */
static void
take_ybegin(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	uint64_t line;
	size_t at = 0;
	while (at + 6 < len && memcmp(bytes + at, " name=", 6) != 0)
		at++;
	if (at + 6 >= len || !number_after(bytes, at, " line=", &line) || !number_after(bytes, at, " size=", &t->size))
		return;
	const uint8_t *name = bytes + at + 6;
	size_t name_len = len - at - 6;
	text_trim(&name, &name_len);
	if (name_len > MIME_TEXT_MAX)
		name_len = MIME_TEXT_MAX;
	t->name.len = name_len;
	t->name.charset[0] = '\0';
	if (name_len > 0)
		memcpy(t->name.bytes, name, name_len);
	t->offset = t->decoded = 0;
	t->expected = t->size;
	t->escaped = false;
	t->state = TEXT_YENC_BEGUN;
}

/* =ypart begin=1 end=100000, counted from 1 */
static void
take_ypart(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	uint64_t first, last;
	if (!number_after(bytes, len, " begin=", &first) || !number_after(bytes, len, " end=", &last) || first == 0 ||
	        last < first)
		return;
	t->offset = first - 1;
	t->expected = last - t->offset;
}

static void
take_yenc(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	uint8_t out[YENC_LINE_MAX];
	size_t n = 0;

	if (t->state == TEXT_YENC_BEGUN && text_prefix_nocase(bytes, len, "=ypart ")) {
		take_ypart(t, bytes, len);
		return;
	}
	if (text_prefix_nocase(bytes, len, "=yend ")) {
		if (t->state == TEXT_YENC_BEGUN && t->size == 0) { /* an empty file is one too */
			begin(t, "yenc");
			transfer_accepted(t->file);
		}
		end(t, t->decoded == t->expected ? TRANSFER_COMPLETE : TRANSFER_TRUNCATED);
		return;
	}
	if (len > YENC_LINE_MAX || t->decoded > t->expected) {
		end(t, TRANSFER_TRUNCATED);
		return;
	}
	if (t->state == TEXT_YENC_BEGUN)
		begin(t, "yenc");
	t->state = TEXT_YENC;
	sent(t, bytes, len);
	for (size_t i = 0; i < len; i++) {
		if (!t->escaped && bytes[i] == '=') {
			t->escaped = true;
			continue;
		}
		out[n++] = (uint8_t)(bytes[i] - 42 - (t->escaped ? 64 : 0));
		t->escaped = false;
	}
	decoded(t, out, n);
}

static void
begin(struct mail_text *t, const char *encoding)
{
	const bool yenc = t->state == TEXT_YENC_BEGUN;
	const struct mail_file file = {.name = &t->name,
	        .encoding = encoding,
	        .part = yenc && (t->offset > 0 || t->expected < t->size),
	        .offset = t->offset,
	        .size = t->size};
	t->file = mail_file_begin(t->mail, &file);
	if (yenc && !file.part)
		transfer_size(t->file, t->size);
}

/* The lines as they came, with one spelling of their ends. */
static void
sent(struct mail_text *t, const uint8_t *bytes, size_t len)
{
	transfer_sent(t->file, bytes, len);
	transfer_sent(t->file, (const uint8_t *)"\r\n", 2);
}

static void
decoded(void *ctx, const uint8_t *bytes, size_t len)
{
	struct mail_text *t = ctx;
	transfer_append(t->file, bytes, len);
	t->decoded += len;
}

static void
skipped(void *ctx, uint64_t len)
{
	struct mail_text *t = ctx;
	transfer_skip(t->file, len);
}

static void
end(struct mail_text *t, enum transfer_state state)
{
	if (t->file != NULL)
		mail_file_end(t->mail, t->file, state);
	t->file = NULL;
	t->state = TEXT_PROSE;
}

/* The number behind a word somewhere in a line. */
static bool
number_after(const uint8_t *bytes, size_t len, const char *word, uint64_t *out)
{
	const size_t word_len = strlen(word);
	for (size_t at = 0; at + word_len < len; at++) {
		if (memcmp(bytes + at, word, word_len) != 0)
			continue;
		at += word_len;
		size_t digits = 0;
		while (at + digits < len && bytes[at + digits] >= '0' && bytes[at + digits] <= '9')
			digits++;
		return text_to_u64(bytes + at, digits, out) == 0;
	}
	return false;
}

static bool
is_mode(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < '0' || bytes[i] > '7')
			return false;
	return len == 3 || len == 4;
}

/* The whole line, but for spaces behind it. */
static bool
is_word(const uint8_t *bytes, size_t len, const char *word)
{
	text_trim(&bytes, &len);
	return len == strlen(word) && memcmp(bytes, word, len) == 0;
}
