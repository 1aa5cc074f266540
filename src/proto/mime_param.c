/*
 * What stands inside a header value: parameters in their three spellings, and encoded words. Senders
 * break these rules in known ways; what most receivers make of it is what is done here.
 */
#include "config.h"

#include "proto/mime_header.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum {
	PIECES_MAX = 32,         /* name*0 ... name*31 */
	PARAMS_MAX = 64,         /* of one value */
	WORD_MAX = MIME_TEXT_MAX, /* bytes of one encoded word */
};

struct param {
	const uint8_t *name;
	size_t name_len;
	uint8_t value[MIME_TEXT_MAX]; /* quoting undone */
	size_t value_len;
};

/* Where the next parameter of a value begins. */
struct cursor {
	const uint8_t *next;
	size_t left;
	unsigned count;
};

static void last_component(struct mime_text *name);
static bool windows_path(const struct mime_text *name);
static void text_init(struct mime_text *t);
static bool mentions(const uint8_t *value, size_t len, const char *name);
static struct cursor params(const uint8_t *value, size_t len);
static bool next_param(struct cursor *c, struct param *p);
static void take_quoted(struct cursor *c, struct param *p);
static void take_token(struct cursor *c, struct param *p);
static void skip_to_semicolon(struct cursor *c);
static bool find_param(const uint8_t *value, size_t len, const char *name, struct param *p);
static bool join_pieces(const uint8_t *value, size_t len, const char *name, struct mime_text *out);
static void plain_value(const uint8_t *bytes, size_t len, struct mime_text *out);
static bool hidden_percent(const uint8_t *bytes, size_t len, struct mime_text *out);
static size_t encoded_word(const uint8_t *bytes, size_t len, struct mime_text *word);
static bool word_bytes(uint8_t how, const uint8_t *bytes, size_t len, struct mime_text *word);
static size_t q_decode(uint8_t *out, const uint8_t *bytes, size_t len);
static void append(struct mime_text *t, const uint8_t *bytes, size_t len, const char *charset);
static void to_utf8(struct mime_text *t);
static void add(struct mime_text *t, const void *bytes, size_t len);
static void set_charset(struct mime_text *t, const uint8_t *name, size_t len);

bool
mime_param(const uint8_t *value, size_t len, const char *name, struct mime_text *out)
{
	struct param p;
	char spelled[64];

	text_init(out);
	if (!mentions(value, len, name))
		return false;
	snprintf(spelled, sizeof spelled, "%s*", name);
	if (find_param(value, len, spelled, &p) && mime_extended(p.value, p.value_len, out))
		return true;
	if (find_param(value, len, name, &p)) {
		plain_value(p.value, p.value_len, out);
		return true;
	}
	return join_pieces(value, len, name, out);
}

bool
mime_file_name(const struct mime_field *disposition, const struct mime_field *type, struct mime_text *name)
{
	text_init(name);
	if (disposition == NULL ||
	        !mime_param(disposition->value, disposition->value_len, "filename", name) || name->len == 0)
		if (type == NULL || !mime_param(type->value, type->value_len, "name", name))
			return false;
	last_component(name);
	return name->len > 0;
}

/* Browsers of old sent whole paths; some still do to please a servlet. */
static void
last_component(struct mime_text *name)
{
	bool windows = windows_path(name);
	for (size_t i = name->len; i > 0; i--) {
		if (name->bytes[i - 1] == '/' || (windows && name->bytes[i - 1] == '\\')) {
			name->len -= i;
			memmove(name->bytes, name->bytes + i, name->len);
			return;
		}
	}
}

/* In Shift_JIS and GBK a backslash may be the second half of a character. */
static bool
windows_path(const struct mime_text *name)
{
	return (name->len > 2 && name->bytes[1] == ':' && name->bytes[2] == '\\') ||
	       (name->len > 2 && name->bytes[0] == '\\' && name->bytes[1] == '\\') ||
	       text_is_utf8(name->bytes, name->len);
}

bool
mime_extended(const uint8_t *bytes, size_t len, struct mime_text *out)
{
	const uint8_t *first = memchr(bytes, '\'', len);
	if (first == NULL)
		return false;
	size_t rest = len - (size_t)(first + 1 - bytes);
	const uint8_t *second = memchr(first + 1, '\'', rest);
	if (second == NULL)
		return false;
	text_init(out);
	set_charset(out, bytes, (size_t)(first - bytes));
	rest = len - (size_t)(second + 1 - bytes);
	if (rest > MIME_TEXT_MAX)
		rest = MIME_TEXT_MAX;
	out->len = text_percent_decode(out->bytes, second + 1, rest);
	return true;
}

void
mime_words(const uint8_t *bytes, size_t len, struct mime_text *out)
{
	struct mime_text word;
	bool after_word = false;

	text_init(out);
	for (size_t i = 0; i < len;) {
		size_t gap = 0;
		while (after_word && i + gap < len && (bytes[i + gap] == ' ' || bytes[i + gap] == '\t'))
			gap++; /* between two words it is no text (RFC 2047 section 6.2) */
		size_t n = encoded_word(bytes + i + gap, len - i - gap, &word);
		if (n > 0) {
			append(out, word.bytes, word.len, word.charset);
			i += gap + n;
			after_word = true;
		} else {
			add(out, bytes + i, 1);
			i++;
			after_word = false;
		}
	}
}

/* Its many bytes need no zeros. */
static void
text_init(struct mime_text *t)
{
	t->len = 0;
	t->charset[0] = '\0';
}

/* All spellings of a parameter begin with its name, which most values don't hold. */
static bool
mentions(const uint8_t *value, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (((value[i] ^ name[0]) & 0xdf) == 0 && text_prefix_nocase(value + i, len - i, name))
			return true;
	return false;
}

/* The parameters begin after the first semicolon, unless the value before them was forgotten. */
static struct cursor
params(const uint8_t *value, size_t len)
{
	struct cursor c = {.next = value, .left = len};
	skip_to_semicolon(&c);
	if (memchr(value, '=', len - c.left) != NULL)
		c = (struct cursor){.next = value, .left = len};
	return c;
}

static bool
next_param(struct cursor *c, struct param *p)
{
	if (c->count++ >= PARAMS_MAX)
		return false;
	while (c->left > 0 && (*c->next == ';' || *c->next == ' ' || *c->next == '\t')) {
		c->next++;
		c->left--;
	}
	if (c->left == 0)
		return false;

	size_t n = 0;
	while (n < c->left && c->next[n] != '=' && c->next[n] != ';')
		n++;
	p->name = c->next;
	p->name_len = n;
	text_trim(&p->name, &p->name_len);
	p->value_len = 0;
	c->next += n;
	c->left -= n;
	if (c->left == 0 || *c->next == ';')
		return true;
	c->next++;
	c->left--;
	text_trim(&c->next, &c->left);
	if (c->left > 0 && *c->next == '"')
		take_quoted(c, p);
	else
		take_token(c, p);
	return true;
}

/*
 * A backslash quotes only a quote or a backslash: old browsers sent "C:\dir\name"
 * unquoted, and no sender quotes anything else.
 */
static void
take_quoted(struct cursor *c, struct param *p)
{
	size_t i = 1;
	for (; i < c->left && c->next[i] != '"'; i++) {
		if (c->next[i] == '\\' && i + 1 < c->left &&
		        (c->next[i + 1] == '"' || c->next[i + 1] == '\\'))
			i++;
		if (p->value_len < MIME_TEXT_MAX && c->next[i] != '\r' && c->next[i] != '\n')
			p->value[p->value_len++] = c->next[i];
	}
	if (i < c->left)
		i++;
	c->next += i;
	c->left -= i;
	skip_to_semicolon(c);
}

/* Spaces inside are kept: names are often sent without their quotes. */
static void
take_token(struct cursor *c, struct param *p)
{
	const uint8_t *value = c->next;
	size_t n = 0;
	while (n < c->left && c->next[n] != ';')
		n++;
	c->next += n;
	c->left -= n;
	text_trim(&value, &n);
	p->value_len = n < MIME_TEXT_MAX ? n : MIME_TEXT_MAX;
	memcpy(p->value, value, p->value_len);
}

static void
skip_to_semicolon(struct cursor *c)
{
	while (c->left > 0 && *c->next != ';') {
		c->next++;
		c->left--;
	}
}

static bool
find_param(const uint8_t *value, size_t len, const char *name, struct param *p)
{
	struct cursor c = params(value, len);
	while (next_param(&c, p))
		if (text_equal_nocase(p->name, p->name_len, name))
			return true;
	return false;
}

/* name*0, name*1* ...: only those with the closing star are percent-encoded (RFC 2231 section 4.1). */
static bool
join_pieces(const uint8_t *value, size_t len, const char *name, struct mime_text *out)
{
	struct param p;
	char spelled[64];
	unsigned i = 0;

	for (; i < PIECES_MAX; i++) {
		snprintf(spelled, sizeof spelled, "%s*%u*", name, i);
		if (find_param(value, len, spelled, &p)) {
			if (i == 0 && mime_extended(p.value, p.value_len, out))
				continue;
			p.value_len = text_percent_decode(p.value, p.value, p.value_len);
		} else {
			spelled[strlen(spelled) - 1] = '\0';
			if (!find_param(value, len, spelled, &p))
				break;
		}
		add(out, p.value, p.value_len);
	}
	return i > 0;
}

static void
plain_value(const uint8_t *bytes, size_t len, struct mime_text *out)
{
	if (!hidden_percent(bytes, len, out))
		mime_words(bytes, len, out);
}

/* Servers send percent-encoded UTF-8 in a plain filename, and browsers undo it. */
static bool
hidden_percent(const uint8_t *bytes, size_t len, struct mime_text *out)
{
	if (memchr(bytes, '%', len) == NULL || !text_is_ascii(bytes, len))
		return false;
	out->len = text_percent_decode(out->bytes, bytes, len < MIME_TEXT_MAX ? len : MIME_TEXT_MAX);
	return !text_is_ascii(out->bytes, out->len) && text_is_utf8(out->bytes, out->len);
}

/* =?charset*language?B or Q?text?= at bytes: its length and its bytes, or 0. */
static size_t
encoded_word(const uint8_t *bytes, size_t len, struct mime_text *word)
{
	if (len < 8 || bytes[0] != '=' || bytes[1] != '?')
		return 0;
	const uint8_t *charset_end = memchr(bytes + 2, '?', len - 2);
	if (charset_end == NULL)
		return 0;
	size_t at = (size_t)(charset_end - bytes);
	if (len - at < 5 || bytes[at + 2] != '?')
		return 0;

	size_t text = at + 3, end = text;
	while (end + 1 < len && !(bytes[end] == '?' && bytes[end + 1] == '='))
		end++;
	if (end + 1 >= len || end - text > WORD_MAX)
		return 0;
	const uint8_t *star = memchr(bytes + 2, '*', at - 2);
	set_charset(word, bytes + 2, star != NULL ? (size_t)(star - bytes - 2) : at - 2);
	return word_bytes(bytes[at + 1], bytes + text, end - text, word) ? end + 2 : 0;
}

static bool
word_bytes(uint8_t how, const uint8_t *bytes, size_t len, struct mime_text *word)
{
	uint8_t plain[WORD_MAX * 3 / 4 + 3];
	if (how == 'q' || how == 'Q') {
		word->len = q_decode(word->bytes, bytes, len);
		return true;
	}
	if (how != 'b' && how != 'B')
		return false;
	long n = text_base64_decode(plain, bytes, len);
	if (n < 0)
		return false;
	word->len = (size_t)n;
	memcpy(word->bytes, plain, word->len);
	return true;
}

/* RFC 2047 section 4.2; out has len bytes. */
static size_t
q_decode(uint8_t *out, const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		uint8_t escape[3] = {'%'};
		if (bytes[i] == '=' && len - i > 2) {
			memcpy(escape + 1, bytes + i + 1, 2);
			if (text_percent_decode(out + n, escape, sizeof escape) == 1) {
				n++;
				i += 2;
				continue;
			}
		}
		out[n++] = bytes[i] == '_' ? ' ' : bytes[i];
	}
	return n;
}

/* Where words of several charsets meet, all become UTF-8. */
static void
append(struct mime_text *t, const uint8_t *bytes, size_t len, const char *charset)
{
	if (t->charset[0] == '\0' && text_is_ascii(t->bytes, t->len))
		memcpy(t->charset, charset, MIME_CHARSET_MAX);
	if (text_equal_nocase(charset, strlen(charset), t->charset)) {
		add(t, bytes, len);
		return;
	}
	struct mime_text more = {.len = 0};
	memcpy(more.charset, charset, MIME_CHARSET_MAX);
	add(&more, bytes, len);
	to_utf8(t);
	to_utf8(&more);
	add(t, more.bytes, more.len);
}

static void
to_utf8(struct mime_text *t)
{
	struct arena a;
	arena_init(&a, 16 * (size_t)MIME_TEXT_MAX);
	struct text decoded = text_decode(&a, t->bytes, t->len, t->charset[0] != '\0' ? t->charset : NULL);
	t->len = 0;
	if (decoded.utf8 != NULL)
		add(t, decoded.utf8, strlen(decoded.utf8));
	set_charset(t, (const uint8_t *)"utf-8", 5);
	arena_clear(&a);
}

static void
add(struct mime_text *t, const void *bytes, size_t len)
{
	if (len > MIME_TEXT_MAX - t->len)
		len = MIME_TEXT_MAX - t->len;
	if (len > 0)
		memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

static void
set_charset(struct mime_text *t, const uint8_t *name, size_t len)
{
	memset(t->charset, 0, sizeof t->charset);
	if (len < MIME_CHARSET_MAX)
		memcpy(t->charset, name, len);
}
