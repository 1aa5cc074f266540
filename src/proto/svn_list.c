/*
 * The lists of Subversion's protocol (subversion/libsvn_ra_svn/protocol, section 1): words, numbers, counted strings
 * and lists of them, between white space.
 */
#include "config.h"

#include "proto/svn.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { WORD_MAX = 1024, DEPTH_MAX = 64 };

struct svn_list {
	const struct svn_ops *ops;
	void *ctx;
	enum side from;
	struct feed feed;
	unsigned depth;
	uint64_t left;      /* of the string at hand */
	bool in_string, streams;
	struct svn_item item[SVN_ITEMS_MAX];
	size_t count;
	bool full;          /* there were more */
	uint8_t kept[SVN_KEPT_MAX];
	size_t kept_len;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t string_step(struct svn_list *l, const uint8_t *bytes, size_t len);
static bool word(struct svn_list *l, const uint8_t *bytes, size_t len);
static void begin_string(struct svn_list *l, uint64_t len);
static void end_string(struct svn_list *l);
static struct svn_item *add(struct svn_list *l, enum svn_kind kind);
static void keep(struct svn_list *l, struct svn_item *item, const uint8_t *bytes, size_t len);
static void reset(struct svn_list *l);
static bool is_space(uint8_t c);

struct svn_list *
svn_list_create(const struct svn_ops *ops, void *ctx, enum side from)
{
	struct svn_list *l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->ops = ops;
	l->ctx = ctx;
	l->from = from;
	return l;
}

void
svn_list_destroy(struct svn_list *l)
{
	if (l == NULL)
		return;
	feed_clear(&l->feed);
	free(l);
}

bool
svn_list_bytes(struct svn_list *l, const uint8_t *bytes, size_t len)
{
	return feed_bytes(&l->feed, step, l, l->from, bytes, len, NULL) == FEED_MORE;
}

/* Only inside a string is it known where it goes on. */
bool
svn_list_gap(struct svn_list *l, uint64_t len)
{
	if (!l->in_string || len > l->left)
		return false;
	if (l->streams)
		l->ops->skipped(l->ctx, l->from, len);
	else if (l->count > 0)
		l->item[l->count - 1].cut = true;
	l->left -= len;
	if (l->left == 0)
		end_string(l);
	return true;
}

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct svn_list *l = ctx;
	size_t n = 0;
	(void)from;

	if (l->in_string)
		return string_step(l, bytes, len);
	if (is_space(bytes[0]))
		return 1;
	if (bytes[0] == '(') {
		if (l->depth == DEPTH_MAX)
			return STEP_LOST;
		add(l, SVN_OPEN);
		l->depth++;
		return 1;
	}
	if (bytes[0] == ')') {
		if (l->depth == 0)
			return STEP_LOST;
		l->depth--;
		add(l, SVN_CLOSE);
		if (l->depth == 0) {
			l->ops->list(l->ctx, l->from, l->item, l->count);
			reset(l);
		}
		return 1;
	}
	while (n < len && !is_space(bytes[n]) && bytes[n] != ':' && bytes[n] != '(' && bytes[n] != ')')
		n++;
	if (n > WORD_MAX)
		return STEP_LOST;
	if (n == len)
		return STEP_MORE;
	if (bytes[n] != ':')
		return word(l, bytes, n) ? n : STEP_LOST;
	uint64_t count;
	if (text_to_u64(bytes, n, &count) != 0)
		return STEP_LOST;
	begin_string(l, count);
	return n + 1;
}

static size_t
string_step(struct svn_list *l, const uint8_t *bytes, size_t len)
{
	size_t n = len < l->left ? len : (size_t)l->left;

	if (l->streams)
		l->ops->bytes(l->ctx, l->from, bytes, n);
	else if (l->count > 0 && !l->full)
		keep(l, &l->item[l->count - 1], bytes, n);
	l->left -= n;
	if (l->left == 0)
		end_string(l);
	return n;
}

static bool
word(struct svn_list *l, const uint8_t *bytes, size_t len)
{
	uint64_t number;
	bool is_number = text_to_u64(bytes, len, &number) == 0;

	if (len == 0)
		return false;
	if (l->depth == 0) /* only lists and strings stand alone */
		return false;
	if (!is_number && !((bytes[0] | 0x20) >= 'a' && (bytes[0] | 0x20) <= 'z'))
		return false;
	struct svn_item *item = add(l, is_number ? SVN_NUMBER : SVN_WORD);
	if (item != NULL && is_number)
		item->number = number;
	else if (item != NULL)
		keep(l, item, bytes, len);
	return true;
}

static void
begin_string(struct svn_list *l, uint64_t len)
{
	l->in_string = true;
	l->left = len;
	l->streams = l->ops->stream(l->ctx, l->from, l->item, l->count, len);
	if (!l->streams)
		add(l, SVN_STRING);
	if (len == 0)
		end_string(l);
}

static void
end_string(struct svn_list *l)
{
	l->in_string = false;
	if (l->depth > 0)
		return;
	if (!l->streams && l->count > 0)
		l->ops->string(l->ctx, l->from, &l->item[l->count - 1]);
	reset(l);
}

static struct svn_item *
add(struct svn_list *l, enum svn_kind kind)
{
	if (l->count == SVN_ITEMS_MAX) {
		l->full = true;
		return NULL;
	}
	struct svn_item *item = &l->item[l->count++];
	*item = (struct svn_item){.kind = kind, .depth = l->depth, .bytes = l->kept + l->kept_len};
	return item;
}

static void
keep(struct svn_list *l, struct svn_item *item, const uint8_t *bytes, size_t len)
{
	size_t room = sizeof l->kept - l->kept_len, n = len < room ? len : room;
	item->cut |= n < len;
	memcpy(l->kept + l->kept_len, bytes, n);
	item->len += n;
	l->kept_len += n;
}

static void
reset(struct svn_list *l)
{
	l->count = l->kept_len = 0;
	l->full = false;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
