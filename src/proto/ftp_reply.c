#include "config.h"

#include "proto/ftp_reply.h"

#include <string.h>

#include "base/text.h"

enum { REPLY_LINES_MAX = 2000 }; /* a longer greeting is no reply */

static bool ends(const struct ftp_replies *r, unsigned code, bool more);
static const uint8_t *find(const uint8_t *text, size_t len, const char *word);
static bool is_digit(uint8_t c);

bool
ftp_replies_line(struct ftp_replies *r, const uint8_t *line, size_t len, struct ftp_reply *out)
{
	unsigned code = ftp_reply_code(line, len);
	bool more = code != 0 && len > 3 && line[3] == '-';

	if (r->open != 0 && !ends(r, code, more)) {
		size_t skip = code == r->open ? 4 : 0;
		*out = (struct ftp_reply){.code = r->open, .text = line + skip, .len = len - skip};
		if (++r->lines > REPLY_LINES_MAX)
			r->open = 0;
		return true;
	}
	if (code == 0)
		return false;
	size_t skip = len > 3 ? 4 : 3;
	*out = (struct ftp_reply){.code = code, .last = !more, .text = line + skip, .len = len - skip};
	*r = (struct ftp_replies){.open = more ? code : 0};
	return true;
}

void
ftp_replies_command(struct ftp_replies *r)
{
	r->interrupted = r->open != 0;
}

void
ftp_replies_gap(struct ftp_replies *r)
{
	r->interrupted = r->open != 0;
}

unsigned
ftp_reply_code(const uint8_t *line, size_t len)
{
	if (len < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]))
		return 0;
	if (len > 3 && line[3] != ' ' && line[3] != '-')
		return 0;
	unsigned code = (unsigned)(line[0] - '0') * 100 + (unsigned)(line[1] - '0') * 10 +
	                (unsigned)(line[2] - '0');
	return code >= 100 && code < 660 ? code : 0;
}

int
ftp_reply_size(const uint8_t *text, size_t len, uint64_t *out)
{
	int found = -1;

	/* The last one counts: a name may hold such words too. */
	for (size_t i = 0; i + 1 < len; i++) {
		size_t n = 0;
		if (text[i] != '(')
			continue;
		while (i + 1 + n < len && is_digit(text[i + 1 + n]))
			n++;
		size_t behind = i + 1 + n;
		uint64_t size;
		if (n > 0 && text_prefix_nocase(text + behind, len - behind, " byte") &&
		        text_to_u64(text + i + 1, n, &size) == 0) {
			*out = size;
			found = 0;
		}
	}
	return found;
}

bool
ftp_reply_unique_name(const uint8_t *text, size_t len, const uint8_t **name, size_t *name_len)
{
	static const char *const words[] = {"FILE: ", "file name: ", "file name:", "filename: "};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const uint8_t *at = find(text, len, words[i]);
		if (at == NULL)
			continue;
		*name = at + strlen(words[i]);
		*name_len = len - (size_t)(*name - text);
		while (*name_len > 0 && strchr(").\"", (*name)[*name_len - 1]) != NULL)
			(*name_len)--;
		return *name_len > 0;
	}
	return false;
}

bool
ftp_reply_name(const uint8_t *text, size_t len, const uint8_t **name, size_t *name_len)
{
	const uint8_t *at = find(text, len, " for ");
	if (at == NULL)
		return false;
	const uint8_t *start = at + 5;
	size_t left = len - (size_t)(start - text);
	const uint8_t *end = find(start, left, " (");
	size_t n = end != NULL ? (size_t)(end - start) : left;

	while (n > 0 && (start[n - 1] == '.' || start[n - 1] == ' ') && end == NULL)
		n--;
	if (n >= 2 && (start[0] == '\'' || start[0] == '"') && start[n - 1] == start[0]) {
		start++;
		n -= 2;
	}
	*name = start;
	*name_len = n;
	return n > 0;
}

bool
ftp_reply_lists(const uint8_t *text, size_t len)
{
	static const char *const words[] = {"file list", "directory listing", "/bin/ls", "directory list",
	        "MLSD", "NLST"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (find(text, len, words[i]) != NULL)
			return true;
	return false;
}

/* Is this the line that ends the reply of several lines at hand, or the next reply already? */
static bool
ends(const struct ftp_replies *r, unsigned code, bool more)
{
	if (code == r->open)
		return !more;
	return code != 0 && r->interrupted;
}

static const uint8_t *
find(const uint8_t *text, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++)
		if (text_prefix_nocase(text + i, len - i, word))
			return text + i;
	return NULL;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}
