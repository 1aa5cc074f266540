#include "config.h"

#include "proto/mail_address.h"

#include "base/text.h"

/* What was seen of one mailbox. */
struct mailbox {
	const uint8_t *angle, *bare; /* between angle brackets; the first word outside, NULL: none */
	size_t angle_len, bare_len;
	bool end; /* a comma or semicolon stands behind it */
};

static size_t take_item(const uint8_t *bytes, size_t len, struct mailbox *m);
static size_t quoted_len(const uint8_t *bytes, size_t len);
static size_t comment_len(const uint8_t *bytes, size_t len);
static size_t word_len(const uint8_t *bytes, size_t len);
static bool has_at(const uint8_t *bytes, size_t len);

bool
mail_address_next(const uint8_t **list, size_t *left, const uint8_t **address, size_t *len)
{
	while (*left > 0) {
		struct mailbox m = {.angle = NULL};
		while (*left > 0 && !m.end) {
			size_t n = take_item(*list, *left, &m);
			*list += n;
			*left -= n;
		}
		*address = m.angle != NULL ? m.angle : m.bare;
		*len = m.angle != NULL ? m.angle_len : m.bare_len;
		if (*address != NULL && *len > 0)
			return true;
	}
	return false;
}

/* One word, quoted string, comment or sign; its length, never 0. */
static size_t
take_item(const uint8_t *bytes, size_t len, struct mailbox *m)
{
	size_t n;
	switch (bytes[0]) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return 1;
	case ',':
	case ';':
		m->end = true;
		return 1;
	case ':': /* a group's name stood before it */
		m->bare = NULL;
		return 1;
	case '(':
		return comment_len(bytes, len);
	case '<':
		for (n = 1; n < len && bytes[n] != '>'; n++)
			;
		m->angle = bytes + 1;
		m->angle_len = n - 1;
		text_trim(&m->angle, &m->angle_len);
		return n < len ? n + 1 : n;
	default:
		n = bytes[0] == '"' ? quoted_len(bytes, len) : 0;
		n += n < len ? word_len(bytes + n, len - n) : 0;
		n = n > 0 ? n : 1;
		/* Of several words the one with the at sign; without one anywhere, the first. */
		if (m->bare == NULL || (!has_at(m->bare, m->bare_len) && has_at(bytes, n))) {
			m->bare = bytes;
			m->bare_len = n;
		}
		return n;
	}
}

static size_t
quoted_len(const uint8_t *bytes, size_t len)
{
	size_t n = 1;
	while (n < len && bytes[n] != '"')
		n += bytes[n] == '\\' && n + 1 < len ? 2 : 1;
	return n < len ? n + 1 : len;
}

/* Comments nest. */
static size_t
comment_len(const uint8_t *bytes, size_t len)
{
	size_t depth = 0, n = 0;
	for (; n < len; n++) {
		if (bytes[n] == '(')
			depth++;
		else if (bytes[n] == ')' && --depth == 0)
			return n + 1;
		else if (bytes[n] == '\\' && n + 1 < len)
			n++;
	}
	return len;
}

static size_t
word_len(const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	while (n < len && bytes[n] > ' ' && bytes[n] != ',' && bytes[n] != ';' && bytes[n] != ':' && bytes[n] != '<' &&
	        bytes[n] != '(' && bytes[n] != '"')
		n++;
	return n;
}

static bool
has_at(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '@')
			return true;
	return false;
}
