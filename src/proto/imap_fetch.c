/*
 * What the server says: the mails, and parts of mails, that FETCH brings, and what it tells of them before. A part alone
 * is named by the BODYSTRUCTURE seen before it; where none was, base64 is still a file, without its name.
 */
#include "config.h"

#include "proto/imap.h"

#include <string.h>

#include "base/text.h"
#include "proto/imap_item.h"

enum { BASE64_LINE_MIN = 56 };

enum wanted {
	WANTED_NONE,
	WANTED_HEADER,  /* of a message, or of a part */
	WANTED_MESSAGE,
	WANTED_PART,    /* section tells which; also a message's text without its header */
};

struct content { /* an item of FETCH that holds content */
	enum wanted wanted;
	bool decoded;   /* BINARY (RFC 3516) */
	const uint8_t *section;
	size_t section_len;
	bool partial;
	uint64_t offset;
};

static bool server_literal(void *ctx, const struct imap_stream *s, uint64_t len);
static void server_data(void *ctx, const uint8_t *bytes, size_t len);
static void server_skip(void *ctx, uint64_t len);
static void server_literal_end(void *ctx);
static bool server_line(void *ctx, const struct imap_stream *s);
static bool fetch_items(const struct imap_stream *s, uint64_t *number, struct imap_items *items);
static struct content content_at_end(const uint8_t *text, size_t len);
static struct content content_of(const uint8_t *name, size_t len);
static void begin(struct imap *h, uint64_t number, const struct content *c);
static bool continues(const struct imap_fetch *f, uint64_t number, const struct content *c);
static void begin_part(struct imap *h, const struct content *c);
static void sniff(struct imap_fetch *f, const uint8_t *bytes, size_t len);
static void end_sniff(struct imap_fetch *f);
static void take_fetch(struct imap *h, uint64_t number, struct imap_items items);
static void take_quoted(struct imap *h, uint64_t number, const struct content *c, const struct imap_item *value);
static void take_greeting(struct imap *h, const uint8_t *text, size_t len);
static bool take_tagged(struct imap *h, const struct imap_item *tag, struct imap_items rest);

const struct imap_stream_ops imap_server_ops = {
        server_literal, server_data, server_skip, server_literal_end, server_line};

static bool
server_literal(void *ctx, const struct imap_stream *s, uint64_t len)
{
	struct imap *h = ctx;
	struct imap_items items;
	uint64_t number = 0;
	const struct content c = content_at_end(s->text, s->len);

	(void)len;
	if (!s->torn && !s->cut && !fetch_items(s, &number, &items))
		return false;
	if (c.wanted != WANTED_MESSAGE && c.wanted != WANTED_PART)
		return false;
	begin(h, number, &c);
	return true;
}

static void
server_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct imap *h = ctx;
	h->fetch.next += len;
	if (h->fetch.sniffing)
		sniff(&h->fetch, bytes, len);
	else
		mail_data(h->fetch.mail, bytes, len);
}

static void
server_skip(void *ctx, uint64_t len)
{
	struct imap *h = ctx;
	h->fetch.next += len;
	if (h->fetch.sniffing)
		end_sniff(&h->fetch);
	mail_skip(h->fetch.mail, len);
}

static void
server_literal_end(void *ctx)
{
	struct imap *h = ctx;
	struct imap_fetch *f = &h->fetch;
	const uint64_t len = f->next - f->offset;

	if (f->offset == 0)
		f->first_piece = len;
	if (!f->partial || len < f->first_piece || (h->asked > 0 && len < h->asked))
		imap_fetch_over(h, TRANSFER_COMPLETE);
}

void
imap_fetch_over(struct imap *h, enum transfer_state state)
{
	if (h->fetch.sniffing)
		end_sniff(&h->fetch);
	mail_end(h->fetch.mail, state);
	mail_close(h->fetch.mail, 0);
	h->fetch.mail = NULL;
}

static bool
server_line(void *ctx, const struct imap_stream *s)
{
	struct imap *h = ctx;
	struct imap_items items = {s->text, s->len};
	struct imap_item first, item;
	uint64_t number;

	if (s->torn || s->len == 0 || !imap_item_next(&items, &first))
		return true;
	if (imap_item_is(&first, "+")) {
		h->challenged = h->sasl.mechanism[0] != '\0';
		return true;
	}
	if (!imap_item_is(&first, "*"))
		return take_tagged(h, &first, items);
	if (!h->greeted)
		take_greeting(h, s->text, s->len);
	h->greeted = true;
	struct imap_items fetched;
	if (fetch_items(s, &number, &fetched)) {
		if (!s->cut)
			take_fetch(h, number, fetched);
	} else if (imap_item_next(&items, &item) && text_to_u64(item.bytes, item.len, &number) == 0 &&
	           imap_item_next(&items, &item) && imap_item_is(&item, "EXPUNGE")) {
		imap_messages_expunge(&h->messages, number);
	}
	return true;
}

/* "* OK [CAPABILITY ...] the server's name" */
static void
take_greeting(struct imap *h, const uint8_t *text, size_t len)
{
	if (!text_prefix_nocase(text, len, "* OK "))
		return;
	const uint8_t *bracket = len > 5 && text[5] == '[' ? memchr(text, ']', len) : NULL;
	size_t skip = bracket != NULL ? (size_t)(bracket - text) + 1 : 5;
	skip += skip < len && text[skip] == ' ' ? 1 : 0;
	session_server(h->session, text + skip, len - skip);
}

/* tag OK, NO or BAD: false where the rest of the conversation is something else. */
static bool
take_tagged(struct imap *h, const struct imap_item *tag, struct imap_items rest)
{
	struct imap_item status;
	if (!imap_item_next(&rest, &status))
		return true;
	const bool ok = imap_item_is(&status, "OK");
	if (ok && imap_name_is(&h->tls_tag, tag->bytes, tag->len))
		h->tls = true;
	if (ok && imap_name_is(&h->compress_tag, tag->bytes, tag->len))
		h->compressed = true;
	/* Refused before the first byte of it was sent: the literal does not come. */
	struct imap_stream *client = &h->stream[h->client];
	if (!ok && h->append_len > 0 && client->in_literal && client->literal == h->append_len &&
	        imap_name_is(&h->append_tag, tag->bytes, tag->len)) {
		imap_append_over(h, TRANSFER_ABORTED);
		imap_stream_drop(client);
	}
	h->sasl.mechanism[0] = '\0';
	return !h->tls && !h->compressed;
}

/* "* 12 FETCH (...)" */
static bool
fetch_items(const struct imap_stream *s, uint64_t *number, struct imap_items *items)
{
	struct imap_item item;
	*items = (struct imap_items){s->text, s->len};
	if (s->len == 0 || !imap_item_next(items, &item) || !imap_item_is(&item, "*") || !imap_item_next(items, &item) ||
	        text_to_u64(item.bytes, item.len, number) != 0 || !imap_item_next(items, &item) ||
	        !imap_item_is(&item, "FETCH") || !imap_item_next(items, &item) || item.kind != IMAP_LIST)
		return false;
	*items = (struct imap_items){item.bytes, item.len};
	return true;
}

/* The item whose value comes next. */
static struct content
content_at_end(const uint8_t *text, size_t len)
{
	while (len > 0 && text[len - 1] == ' ')
		len--;
	size_t first = len;
	bool bracket = false;
	while (first > 0 && (bracket || (text[first - 1] != ' ' && text[first - 1] != '('))) {
		bracket = text[first - 1] == ']' || (bracket && text[first - 1] != '[');
		first--;
	}
	return content_of(text + first, len - first);
}

/* BODY[section]<offset>, BINARY[section]<offset>, RFC822, RFC822.TEXT, RFC822.HEADER */
static struct content
content_of(const uint8_t *name, size_t len)
{
	struct content c = {.wanted = WANTED_NONE};
	if (text_equal_nocase(name, len, "RFC822"))
		c.wanted = WANTED_MESSAGE;
	if (text_equal_nocase(name, len, "RFC822.HEADER"))
		c.wanted = WANTED_HEADER;
	if (text_equal_nocase(name, len, "RFC822.TEXT")) {
		c = (struct content){.wanted = WANTED_PART, .section = name + 7, .section_len = 4};
		return c;
	}
	const size_t word = text_prefix_nocase(name, len, "BODY[") ? 5 : text_prefix_nocase(name, len, "BINARY[") ? 7 : 0;
	const uint8_t *end = word > 0 ? memchr(name, ']', len) : NULL;
	if (end == NULL)
		return c;
	c.section = name + word;
	c.section_len = (size_t)(end - c.section);
	c.decoded = word == 7;
	c.wanted = c.section_len == 0 ? WANTED_MESSAGE : WANTED_PART;
	for (size_t i = 0; i < c.section_len; i++)
		if (text_prefix_nocase(c.section + i, c.section_len - i, "HEADER") ||
		        text_prefix_nocase(c.section + i, c.section_len - i, "MIME"))
			c.wanted = WANTED_HEADER;
	const uint8_t *angle = end + 1;
	const size_t left = len - (size_t)(angle - name);
	if (left > 2 && angle[0] == '<' && angle[left - 1] == '>')
		c.partial = text_to_u64(angle + 1, left - 2, &c.offset) == 0;
	return c;
}

static void
begin(struct imap *h, uint64_t number, const struct content *c)
{
	struct imap_fetch *f = &h->fetch;
	const struct mail_start start = {.sender = side_other(h->client), .method = "FETCH", .log = &h->log};

	if (continues(f, number, c)) {
		if (c->offset > f->next)
			mail_skip(f->mail, c->offset - f->next);
		f->offset = f->next = c->offset;
		return;
	}
	imap_fetch_over(h, TRANSFER_TRUNCATED);
	*f = (struct imap_fetch){.number = number, .partial = c->partial, .offset = c->offset, .next = c->offset,
	        .section_len = c->section_len < IMAP_SECTION_MAX ? c->section_len : 0};
	if (c->offset > 0 || c->section_len >= IMAP_SECTION_MAX)
		return; /* from the middle: what it is can't be known */
	if (f->section_len > 0)
		memcpy(f->section, c->section, f->section_len);
	f->mail = mail_open(h->session, &start);
	mail_detail(f->mail, "imap.mailbox", h->mailbox.bytes, h->mailbox.len, NULL);
	if (c->wanted == WANTED_PART)
		begin_part(h, c);
}

/* The next piece, or one behind it, of what is open. */
static bool
continues(const struct imap_fetch *f, uint64_t number, const struct content *c)
{
	return f->mail != NULL && f->partial && c->partial && f->number == number && c->offset >= f->next &&
	       f->section_len == c->section_len &&
	       (c->section_len == 0 || memcmp(f->section, c->section, c->section_len) == 0);
}

static void
begin_part(struct imap *h, const struct content *c)
{
	struct imap_fetch *f = &h->fetch;
	struct imap_part part;

	imap_messages_tell(&h->messages, f->number, f->mail);
	mail_detail(f->mail, "imap.section", c->section, c->section_len, NULL);
	if (!imap_messages_part(&h->messages, f->number, c->section, c->section_len, &part)) {
		f->sniffing = true;
		return;
	}
	const uint8_t name[] = ""; /* the fields are there, whatever their names */
	const struct mime_field type = {.name = name, .value = part.type, .value_len = part.type_len};
	const struct mime_field encoding = {.name = name, .value = part.encoding, .value_len = part.encoding_len};
	const struct mime_field disposition = {.name = name, .value = part.disposition, .value_len = part.disposition_len};
	mail_bare(f->mail, &type, c->decoded ? NULL : &encoding, part.disposition_len > 0 ? &disposition : NULL);
}

static void
sniff(struct imap_fetch *f, const uint8_t *bytes, size_t len)
{
	const size_t room = IMAP_SNIFF_MAX - f->sniffed, n = len < room ? len : room;
	memcpy(f->sniff + f->sniffed, bytes, n);
	f->sniffed += n;
	if (f->sniffed < IMAP_SNIFF_MAX)
		return;
	end_sniff(f);
	mail_data(f->mail, bytes + n, len - n);
}

/* A first line as long as base64 has them, of its characters alone. */
static void
end_sniff(struct imap_fetch *f)
{
	static const uint8_t name[] = "", octets[] = "application/octet-stream", base64[] = "base64";
	const struct mime_field type = {.name = name, .value = octets, .value_len = sizeof octets - 1};
	const struct mime_field encoding = {.name = name, .value = base64, .value_len = sizeof base64 - 1};
	size_t n = 0;

	while (n < f->sniffed && ((f->sniff[n] >= '0' && f->sniff[n] <= '9') || f->sniff[n] == '+' || f->sniff[n] == '/' ||
	                                 ((f->sniff[n] | 0x20) >= 'a' && (f->sniff[n] | 0x20) <= 'z')))
		n++;
	const bool encoded = n >= BASE64_LINE_MIN && n % 4 == 0 && n < f->sniffed && f->sniff[n] == '\r';
	f->sniffing = false;
	mail_bare(f->mail, encoded ? &type : NULL, encoded ? &encoding : NULL, NULL);
	mail_data(f->mail, f->sniff, f->sniffed);
}

/* What an answer tells of its message, once it is whole. */
static void
take_fetch(struct imap *h, uint64_t number, struct imap_items items)
{
	struct imap_item name, value;
	while (imap_item_next(&items, &name) && imap_item_next(&items, &value)) {
		if (value.kind == IMAP_LIST && (imap_item_is(&name, "BODYSTRUCTURE") || imap_item_is(&name, "BODY")))
			imap_messages_keep(&h->messages, number, IMAP_KNOWN_STRUCTURE, value.bytes, value.len);
		else if (value.kind == IMAP_LIST && imap_item_is(&name, "ENVELOPE"))
			imap_messages_keep(&h->messages, number, IMAP_KNOWN_ENVELOPE, value.bytes, value.len);
		if (!imap_item_is_text(&name) || !imap_item_is_text(&value) || value.len == 0)
			continue;
		const struct content c = content_of(name.bytes, name.len);
		const bool own = c.section_len == 0 || text_prefix_nocase(c.section, c.section_len, "HEADER");
		if (c.wanted == WANTED_HEADER && own && value.kind == IMAP_LITERAL)
			imap_messages_keep(&h->messages, number, IMAP_KNOWN_HEADER, value.bytes, value.len);
		else if ((c.wanted == WANTED_MESSAGE || c.wanted == WANTED_PART) && value.kind == IMAP_QUOTED)
			take_quoted(h, number, &c, &value);
	}
}

/* Short content may come as a string. */
static void
take_quoted(struct imap *h, uint64_t number, const struct content *c, const struct imap_item *value)
{
	begin(h, number, c);
	for (size_t i = 0; i < value->len; i++) {
		if (value->bytes[i] == '\\' && i + 1 < value->len)
			i++;
		server_data(h, &value->bytes[i], 1);
	}
	server_literal_end(h);
}
