#include "config.h"

#include "proto/bencode.h"

#include <string.h>

#include "base/text.h"

enum { DEPTH_MAX = 16, DIGITS_MAX = 20 };

static bool take_until(struct reader *r, uint8_t end, const uint8_t **bytes, size_t *len);
static struct bencode take(struct reader *r, unsigned depth);

struct bencode
bencode_take(struct reader *r)
{
	return take(r, 0);
}

struct bencode
bencode_get(const struct bencode *d, const char *key)
{
	struct reader r = reader_init(d->bytes, d->kind == 'd' ? d->len : 0);
	while (r.left > 0) {
		struct bencode k = bencode_take(&r), v = bencode_take(&r);
		if (!reader_ok(&r) || k.kind != 's')
			break;
		if (k.len == strlen(key) && memcmp(k.bytes, key, k.len) == 0)
			return v;
	}
	return (struct bencode){0};
}

int
bencode_number(const struct bencode *v, uint64_t *out)
{
	return v->kind == 'i' ? text_to_u64(v->bytes, v->len, out) : -1;
}

static struct bencode
take(struct reader *r, unsigned depth)
{
	struct bencode v = {.all = r->next};
	uint64_t len;
	const uint8_t first = r->left > 0 ? r->next[0] : 0;

	if (first == 'i') {
		reader_skip(r, 1);
		v.kind = 'i';
		r->bad |= !take_until(r, 'e', &v.bytes, &v.len);
	} else if ((first == 'l' || first == 'd') && depth < DEPTH_MAX) {
		reader_skip(r, 1);
		v.kind = (char)first;
		v.bytes = r->next;
		while (reader_ok(r) && r->left > 0 && r->next[0] != 'e')
			(void)take(r, depth + 1);
		v.len = (size_t)(r->next - v.bytes);
		reader_skip(r, 1);
	} else {
		v.kind = 's';
		if (!take_until(r, ':', &v.bytes, &v.len) || text_to_u64(v.bytes, v.len, &len) != 0 || len > r->left)
			r->bad = true;
		else
			v.bytes = reader_take(r, v.len = (size_t)len);
	}
	if (!reader_ok(r))
		return (struct bencode){0};
	v.all_len = (size_t)(r->next - v.all);
	return v;
}

static bool
take_until(struct reader *r, uint8_t end, const uint8_t **bytes, size_t *len)
{
	size_t room = r->left < DIGITS_MAX + 1 ? r->left : DIGITS_MAX + 1;
	const uint8_t *at = room > 0 ? memchr(r->next, end, room) : NULL;
	if (at == NULL)
		return false;
	*bytes = r->next;
	*len = (size_t)(at - r->next);
	reader_skip(r, *len + 1);
	return true;
}
