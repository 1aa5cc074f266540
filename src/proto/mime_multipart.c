/*
 * A delimiter is a line end, two hyphens and the boundary. Only its first byte
 * can be a line feed, so that after a mismatch nothing needs to be searched again, and what was held back
 * is known without having been kept.
 */
#include "config.h"

#include "proto/mime_multipart.h"

#include <stdlib.h>
#include <string.h>

enum {
	BOUNDARY_MAX = 256,        /* RFC 2046 allows 70 */
	PART_HEADER_MAX = 16384,
	PARTS_MAX = 65536,         /* of one body; what follows is not split */
};

enum state {
	STATE_PREAMBLE, /* before the first delimiter */
	STATE_TAIL,     /* behind a delimiter, up to its line's end */
	STATE_HEADER,   /* in a part's header */
	STATE_CONTENT,  /* in a part's content */
	STATE_EPILOGUE, /* behind the closing delimiter, or past a limit */
};

struct mime_multipart {
	const struct mime_multipart_ops *ops;
	void *ctx;
	enum state state;
	char delimiter[BOUNDARY_MAX + 4]; /* LF, two hyphens, boundary */
	size_t delimiter_len;
	size_t matched;   /* bytes of the delimiter matched and held back */
	bool cr;          /* a CR before them is held back too */
	bool silent_lf;   /* the matched LF is not content: it ended the header */
	unsigned hyphens; /* STATE_TAIL: right behind the delimiter; 2 close the body */
	bool tail_begun;  /* STATE_TAIL: something else came */
	unsigned parts;
	struct mime_gather header;
};

static size_t take_content(struct mime_multipart *m, const uint8_t *bytes, size_t len);
static size_t plain_run(struct mime_multipart *m, const uint8_t *bytes, size_t len);
static size_t match(struct mime_multipart *m, const uint8_t *bytes, size_t len);
static void release(struct mime_multipart *m);
static size_t take_tail(struct mime_multipart *m, const uint8_t *bytes, size_t len);
static size_t take_header(struct mime_multipart *m, const uint8_t *bytes, size_t len);
static void emit(struct mime_multipart *m, const void *bytes, size_t len);
static void end_part(struct mime_multipart *m, bool whole);
static void expect_delimiter(struct mime_multipart *m);

struct mime_multipart *
mime_multipart_create(const uint8_t *content_type, size_t len, const struct mime_multipart_ops *ops,
        void *ctx)
{
	struct mime_text boundary;
	if (!mime_param(content_type, len, "boundary", &boundary) || boundary.len == 0 ||
	        boundary.len > BOUNDARY_MAX)
		return NULL;
	struct mime_multipart *m = calloc(1, sizeof *m);
	if (m == NULL)
		return NULL;
	m->ops = ops;
	m->ctx = ctx;
	memcpy(m->delimiter, "\n--", 3);
	memcpy(m->delimiter + 3, boundary.bytes, boundary.len);
	m->delimiter_len = boundary.len + 3;
	expect_delimiter(m);
	return m;
}

void
mime_multipart_destroy(struct mime_multipart *m)
{
	if (m == NULL)
		return;
	release(m);
	end_part(m, false);
	mime_gather_clear(&m->header);
	free(m);
}

void
mime_multipart_feed(struct mime_multipart *m, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t used = len;
		switch (m->state) {
		case STATE_PREAMBLE:
		case STATE_CONTENT:
			used = take_content(m, bytes, len);
			break;
		case STATE_TAIL:
			used = take_tail(m, bytes, len);
			break;
		case STATE_HEADER:
			used = take_header(m, bytes, len);
			break;
		case STATE_EPILOGUE:
			break;
		}
		bytes += used;
		len -= used;
	}
}

void
mime_multipart_skip(struct mime_multipart *m, uint64_t len)
{
	release(m);
	if (m->state == STATE_CONTENT)
		m->ops->skip(m->ctx, len);
	else if (m->state != STATE_EPILOGUE)
		m->state = STATE_PREAMBLE;
	mime_gather_reset(&m->header);
}

static size_t
take_content(struct mime_multipart *m, const uint8_t *bytes, size_t len)
{
	size_t used = 0;
	while (used < len && m->matched < m->delimiter_len) {
		if (m->matched > 0)
			used += match(m, bytes + used, len - used);
		else
			used += plain_run(m, bytes + used, len - used);
	}
	if (m->matched < m->delimiter_len)
		return used;

	m->matched = 0;
	m->cr = m->silent_lf = false;
	end_part(m, true);
	m->state = STATE_TAIL;
	m->hyphens = 0;
	m->tail_begun = false;
	return used;
}

/* Hands on content up to what may be a delimiter, whose LF (and the CR before it) is held back. */
static size_t
plain_run(struct mime_multipart *m, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	const uint8_t *lf;
	while ((lf = memchr(bytes + at, '\n', len - at)) != NULL) {
		at = (size_t)(lf - bytes);
		size_t ahead = len - at < m->delimiter_len ? len - at : m->delimiter_len;
		if (memcmp(lf, m->delimiter, ahead) == 0)
			break;
		at++;
	}
	size_t run = lf != NULL ? at : len;
	bool cr = run > 0 && bytes[run - 1] == '\r';
	if (m->cr && !(run == 0 && lf != NULL))
		emit(m, "\r", 1);
	m->cr = cr || (m->cr && run == 0);
	emit(m, bytes, cr ? run - 1 : run);
	if (lf == NULL)
		return len;
	m->matched = 1;
	return run + 1;
}

static size_t
match(struct mime_multipart *m, const uint8_t *bytes, size_t len)
{
	size_t want = m->delimiter_len - m->matched, n = 0;
	while (n < len && n < want && bytes[n] == (uint8_t)m->delimiter[m->matched + n])
		n++;
	m->matched += n;
	if (n < want && n < len)
		release(m);
	return n;
}

/* What was held back is content after all. */
static void
release(struct mime_multipart *m)
{
	size_t lf = m->silent_lf ? 1 : 0;
	if (m->cr)
		emit(m, "\r", 1);
	if (m->matched > lf)
		emit(m, m->delimiter + lf, m->matched - lf);
	m->matched = 0;
	m->cr = m->silent_lf = false;
}

/* Two hyphens close the body; padding may stand before the line's end. */
static size_t
take_tail(struct mime_multipart *m, const uint8_t *bytes, size_t len)
{
	size_t used = 0;
	while (used < len && !m->tail_begun && m->hyphens < 2 && bytes[used] == '-') {
		m->hyphens++;
		used++;
	}
	if (m->hyphens == 2) {
		m->state = STATE_EPILOGUE;
		return used;
	}
	if (used < len)
		m->tail_begun = true;
	const uint8_t *lf = memchr(bytes + used, '\n', len - used);
	if (lf == NULL)
		return len;
	m->state = STATE_HEADER;
	mime_gather_reset(&m->header);
	return (size_t)(lf - bytes) + 1;
}

static size_t
take_header(struct mime_multipart *m, const uint8_t *bytes, size_t len)
{
	struct mime_fields fields;
	const uint8_t *block;
	size_t block_len, used = len;

	switch (mime_gather_take(&m->header, bytes, len, PART_HEADER_MAX, false, &used, &block, &block_len)) {
	case VERDICT_MORE:
		return used;
	case VERDICT_DONE:
		mime_fields_parse(&fields, block, block_len);
		break;
	default:
		m->state = STATE_PREAMBLE; /* no header: wait for the next delimiter */
		return len;
	}
	if (++m->parts > PARTS_MAX) {
		m->state = STATE_EPILOGUE;
		return used;
	}
	m->ops->begin(m->ctx, &fields);
	m->state = STATE_CONTENT;
	expect_delimiter(m);
	return used;
}

static void
emit(struct mime_multipart *m, const void *bytes, size_t len)
{
	if (m->state == STATE_CONTENT && len > 0)
		m->ops->data(m->ctx, bytes, len);
}

static void
end_part(struct mime_multipart *m, bool whole)
{
	if (m->state == STATE_CONTENT)
		m->ops->end(m->ctx, whole);
	m->state = STATE_EPILOGUE;
}

/* Here a line begins: a delimiter may follow without another line end. */
static void
expect_delimiter(struct mime_multipart *m)
{
	m->matched = 1;
	m->cr = false;
	m->silent_lf = true;
}
