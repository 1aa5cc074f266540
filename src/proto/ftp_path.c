#include "config.h"

#include "proto/ftp_path.h"

#include <string.h>

static void push(struct ftp_path *p, const uint8_t *name, size_t len);
static void pop(struct ftp_path *p);

void
ftp_path_change(struct ftp_path *p, const uint8_t *arg, size_t len)
{
	size_t at = 0;

	if (len > 0 && arg[0] == '/') {
		p->bytes[0] = '/';
		p->len = 1;
	} else if (len > 0 && arg[0] == '~') { /* a home directory, wherever it is */
		p->len = 0;
	}
	while (at < len) {
		const uint8_t *slash = memchr(arg + at, '/', len - at);
		size_t end = slash != NULL ? (size_t)(slash - arg) : len;
		size_t n = end - at;
		if (n == 2 && memcmp(arg + at, "..", 2) == 0)
			pop(p);
		else if (n > 0 && !(n == 1 && arg[at] == '.'))
			push(p, arg + at, n);
		at = end + 1;
	}
}

bool
ftp_path_quoted(struct ftp_path *p, const uint8_t *text, size_t len)
{
	struct ftp_path found = {.len = 0};
	const uint8_t *quote = len > 0 ? memchr(text, '"', len) : NULL;
	size_t at = quote != NULL ? (size_t)(quote - text) + 1 : len;

	for (; at < len && found.len < FTP_PATH_MAX; at++) {
		if (text[at] == '"' && (at + 1 == len || text[++at] != '"'))
			break;
		found.bytes[found.len++] = text[at];
	}
	bool closed = at < len;
	if (!closed || found.len == 0 || found.bytes[0] != '/')
		return false;
	*p = found;
	return true;
}

static void
push(struct ftp_path *p, const uint8_t *name, size_t len)
{
	bool slash = p->len > 0 && p->bytes[p->len - 1] != '/';

	if (len + (slash ? 1 : 0) > FTP_PATH_MAX - p->len) {
		p->len = 0;
		return;
	}
	if (slash)
		p->bytes[p->len++] = '/';
	memcpy(p->bytes + p->len, name, len);
	p->len += len;
}

/* Above an unknown place the ".." itself is kept. */
static void
pop(struct ftp_path *p)
{
	size_t start = p->len;

	while (start > 0 && p->bytes[start - 1] != '/')
		start--;
	if (start == p->len && start > 0) /* the root */
		return;
	if (p->len == 0 || (p->len - start == 2 && memcmp(p->bytes + start, "..", 2) == 0)) {
		push(p, (const uint8_t *)"..", 2);
		return;
	}
	p->len = start > 1 ? start - 1 : start;
}
