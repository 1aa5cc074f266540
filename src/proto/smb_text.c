#include "config.h"

#include "proto/smb_text.h"

#include <string.h>

#include "base/text.h"

enum { REPLACEMENT = 0xfffd };

static uint32_t take_code(struct reader *r);
static void add_code(struct smb_text *t, uint32_t code);

void
smb_text_wide(struct smb_text *t, struct reader r)
{
	t->len = 0;
	t->wide = true;
	while (r.left >= 2) {
		uint32_t code = take_code(&r);
		if (code == 0)
			break;
		add_code(t, code);
	}
}

void
smb_text_narrow(struct smb_text *t, struct reader r)
{
	const uint8_t *zero = r.left > 0 ? memchr(r.next, 0, r.left) : NULL;
	t->len = 0;
	t->wide = false;
	smb_text_add(t, r.next, zero != NULL ? (size_t)(zero - r.next) : r.left);
}

void
smb_text_take(struct smb_text *t, struct reader *r, bool wide)
{
	if (!wide) {
		smb_text_narrow(t, *r);
		const uint8_t *zero = r->left > 0 ? memchr(r->next, 0, r->left) : NULL;
		reader_skip(r, zero != NULL ? (size_t)(zero - r->next) + 1 : r->left);
		return;
	}
	struct reader all = *r;
	size_t n = 0;
	while (all.left >= 2 && reader_le16(&all) != 0)
		n += 2;
	smb_text_wide(t, (struct reader){.next = r->next, .left = n});
	reader_skip(r, r->left - n >= 2 ? n + 2 : r->left);
}

void
smb_text_add(struct smb_text *t, const void *bytes, size_t len)
{
	size_t room = sizeof t->bytes - t->len;
	if (len > room)
		len = room;
	if (len > 0)
		memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

bool
smb_text_equal(const struct smb_text *t, const char *word)
{
	return text_equal_nocase(t->bytes, t->len, word);
}

/* The next character; a surrogate without its other half is none. */
static uint32_t
take_code(struct reader *r)
{
	uint32_t unit = reader_le16(r);
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	struct reader ahead = *r;
	uint32_t low = ahead.left >= 2 ? reader_le16(&ahead) : 0;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	*r = ahead;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* RFC 3629 section 3. Characters are never cut. */
static void
add_code(struct smb_text *t, uint32_t code)
{
	uint8_t out[4];
	size_t n = 0;
	if (code < 0x80) {
		out[n++] = (uint8_t)code;
	} else if (code < 0x800) {
		out[n++] = (uint8_t)(0xc0 | code >> 6);
		out[n++] = (uint8_t)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		out[n++] = (uint8_t)(0xe0 | code >> 12);
		out[n++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		out[n++] = (uint8_t)(0x80 | (code & 0x3f));
	} else {
		out[n++] = (uint8_t)(0xf0 | code >> 18);
		out[n++] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
		out[n++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		out[n++] = (uint8_t)(0x80 | (code & 0x3f));
	}
	if (n <= sizeof t->bytes - t->len)
		smb_text_add(t, out, n);
}
