/*
 * Dot-stuffed text. Senders whose lines all end with LF alone are followed; where CR LF is used, an LF alone is content,
 * as servers that do not fall for smuggled mails have it.
 */
#include "config.h"

#include "proto/dots.h"

#include <string.h>

static size_t take_text(struct dots *d, const uint8_t *bytes, size_t len);

enum verdict
dots_take(struct dots *d, const uint8_t *bytes, size_t len, size_t *used, const uint8_t **content,
        size_t *content_len)
{
	size_t at = 0;
	*content_len = 0;
	while (at < len) {
		const uint8_t c = bytes[at];
		*content = bytes + at;
		switch (d->state) {
		case DOTS_START:
			d->state = c == '.' ? DOTS_DOT : DOTS_TEXT;
			at += c == '.' ? 1 : 0;
			d->cr = false;
			break;
		case DOTS_DOT:
			d->state = c == '\r' ? DOTS_DOT_CR : DOTS_TEXT;
			*used = at + 1;
			if (c == '\n' && !d->crlf)
				return VERDICT_DONE;
			at += c == '\r' ? 1 : 0;
			break;
		case DOTS_DOT_CR:
			*used = at + (c == '\n' ? 1 : 0);
			if (c == '\n')
				return VERDICT_DONE;
			d->state = DOTS_TEXT;
			*content = (const uint8_t *)"\r";
			*content_len = 1;
			d->cr = true;
			return VERDICT_MORE;
		case DOTS_TEXT:
			*content_len = take_text(d, bytes + at, len - at);
			*used = at + *content_len;
			return VERDICT_MORE;
		}
	}
	*used = at;
	return VERDICT_MORE;
}

void
dots_gap(struct dots *d)
{
	d->state = DOTS_TEXT;
	d->cr = false;
}

/* Up to a line that may begin with a dot: how many bytes. */
static size_t
take_text(struct dots *d, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	const uint8_t *lf;
	while ((lf = memchr(bytes + at, '\n', len - at)) != NULL) {
		const bool cr = lf > bytes ? lf[-1] == '\r' : d->cr;
		at = (size_t)(lf - bytes) + 1;
		d->crlf = d->crlf || cr;
		if ((at == len || bytes[at] == '.') && cr == d->crlf) {
			d->state = DOTS_START;
			return at;
		}
		if (at == len)
			break;
	}
	d->cr = bytes[len - 1] == '\r';
	return len;
}
