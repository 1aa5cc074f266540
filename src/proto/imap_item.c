#include "config.h"

#include "proto/imap_item.h"

#include "base/text.h"

static void take(struct imap_items *i, size_t n);
static size_t quoted_len(const uint8_t *bytes, size_t len);
static bool literal(const uint8_t *bytes, size_t len, size_t *head, size_t *size);
static size_t list_len(const uint8_t *bytes, size_t len);
static size_t atom_len(const uint8_t *bytes, size_t len);

bool
imap_item_next(struct imap_items *i, struct imap_item *item)
{
	while (i->left > 0 && (*i->next == ' ' || *i->next == '\r' || *i->next == '\n' || *i->next == ')'))
		take(i, 1);
	if (i->left == 0)
		return false;
	const uint8_t *at = i->next;
	size_t n, head, size;
	if (*at == '"') {
		n = quoted_len(at, i->left);
		*item = (struct imap_item){IMAP_QUOTED, at + 1, n < 2 || at[n - 1] != '"' ? n - 1 : n - 2};
	} else if (*at == '(') {
		n = list_len(at, i->left);
		*item = (struct imap_item){IMAP_LIST, at + 1, n < 2 || at[n - 1] != ')' ? n - 1 : n - 2};
	} else if (literal(at, i->left, &head, &size)) {
		n = head + size;
		*item = (struct imap_item){IMAP_LITERAL, at + head, size};
	} else {
		n = atom_len(at, i->left);
		*item = (struct imap_item){IMAP_ATOM, at, n};
		if (text_equal_nocase(at, n, "NIL"))
			item->kind = IMAP_NIL;
	}
	take(i, n);
	return true;
}

bool
imap_item_is_text(const struct imap_item *item)
{
	return item->kind == IMAP_ATOM || item->kind == IMAP_QUOTED || item->kind == IMAP_LITERAL;
}

bool
imap_item_is(const struct imap_item *item, const char *word)
{
	return imap_item_is_text(item) && text_equal_nocase(item->bytes, item->len, word);
}

size_t
imap_item_text(const struct imap_item *item, uint8_t *out, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; imap_item_is_text(item) && i < item->len && n < len; i++) {
		if (item->kind == IMAP_QUOTED && item->bytes[i] == '\\' && i + 1 < item->len)
			i++;
		out[n++] = item->bytes[i];
	}
	return n;
}

static void
take(struct imap_items *i, size_t n)
{
	i->next += n;
	i->left -= n;
}

/* With its quotes. */
static size_t
quoted_len(const uint8_t *bytes, size_t len)
{
	size_t n = 1;
	while (n < len && bytes[n] != '"')
		n += bytes[n] == '\\' && n + 1 < len ? 2 : 1;
	return n < len ? n + 1 : len;
}

/* "{12}", a line feed, 12 bytes */
static bool
literal(const uint8_t *bytes, size_t len, size_t *head, size_t *size)
{
	uint64_t n;
	size_t digits = 0;
	if (bytes[0] != '{')
		return false;
	while (1 + digits < len && bytes[1 + digits] >= '0' && bytes[1 + digits] <= '9')
		digits++;
	*head = digits + 3;
	if (*head > len || bytes[digits + 1] != '}' || bytes[digits + 2] != '\n' ||
	        text_to_u64(bytes + 1, digits, &n) != 0)
		return false;
	*size = n < len - *head ? (size_t)n : len - *head;
	return true;
}

/* With its parentheses; what stands in strings counts for nothing. */
static size_t
list_len(const uint8_t *bytes, size_t len)
{
	size_t n = 0, depth = 0;
	while (n < len) {
		size_t head, size, step = 1;
		if (bytes[n] == '"')
			step = quoted_len(bytes + n, len - n);
		else if (bytes[n] == '{' && literal(bytes + n, len - n, &head, &size))
			step = head + size;
		else if (bytes[n] == '(')
			depth++;
		else if (bytes[n] == ')' && --depth == 0)
			return n + 1;
		n += step;
	}
	return len;
}

/* Never 0. */
static size_t
atom_len(const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	bool bracket = false;
	while (n < len && (bracket || (bytes[n] != ' ' && bytes[n] != '(' && bytes[n] != ')' && bytes[n] != '"'))) {
		if (bytes[n] == '[')
			bracket = true;
		if (bytes[n] == ']')
			bracket = false;
		n++;
	}
	return n > 0 ? n : 1;
}
