#include "config.h"

#include "proto/imap_structure.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/mail_part.h"

enum { SECTION_DEPTH_MAX = 32, ADDRESSES_MAX = 64, ADDRESS_MAX = 320, SUBJECT_MAX = 1024 };

struct imap_message {
	uint64_t number;
	struct {
		uint8_t *bytes;
		size_t len;
	} known[IMAP_KNOWN_COUNT];
};

static struct imap_message *find(const struct imap_messages *m, uint64_t number);
static struct imap_message *add(struct imap_messages *m, uint64_t number);
static void forget(struct imap_messages *m, size_t at);
static bool find_part(struct imap_items *body, const uint8_t *section, size_t len);
static bool step(struct imap_items *body, uint64_t number, bool first);
static bool is_multipart(const struct imap_items *body);
static bool message_body(struct imap_items *body);
static void describe(struct imap_items body, struct imap_part *out);
static void describe_multipart(struct imap_items body, struct imap_part *out);
static void describe_disposition(const struct imap_item *disposition, struct imap_part *out);
static bool skip_items(struct imap_items *i, size_t count);
static void put_item(uint8_t *out, size_t *len, const struct imap_item *item);
static void put_params(uint8_t *out, size_t *len, const struct imap_item *params);
static void put(uint8_t *out, size_t *len, const void *bytes, size_t n);
static void tell_envelope(const uint8_t *bytes, size_t len, struct mail *mail);
static void tell_addresses(const struct imap_item *list, const char *key, struct mail *mail);

void
imap_messages_keep(struct imap_messages *m, uint64_t number, enum imap_known what, const uint8_t *bytes, size_t len)
{
	struct imap_message *message = find(m, number);
	if (len == 0 || len > IMAP_MESSAGES_BYTES_MAX / 4)
		return;
	if (message != NULL) {
		m->bytes -= message->known[what].len;
		free(message->known[what].bytes);
		message->known[what].bytes = NULL;
		message->known[what].len = 0;
	}
	while (m->count > 0 && m->bytes + len > IMAP_MESSAGES_BYTES_MAX)
		forget(m, 0);
	message = find(m, number); /* it may have moved, or be the one that went */
	if (message == NULL && (message = add(m, number)) == NULL)
		return;
	uint8_t *copy = malloc(len);
	if (copy == NULL)
		return;
	memcpy(copy, bytes, len);
	message->known[what].bytes = copy;
	message->known[what].len = len;
	m->bytes += len;
}

void
imap_messages_expunge(struct imap_messages *m, uint64_t number)
{
	for (size_t i = 0; i < m->count;) {
		if (m->message[i].number == number) {
			forget(m, i);
			continue;
		}
		if (m->message[i].number > number)
			m->message[i].number--;
		i++;
	}
}

void
imap_messages_clear(struct imap_messages *m)
{
	while (m->count > 0)
		forget(m, m->count - 1);
	free(m->message);
	*m = (struct imap_messages){.message = NULL};
}

static struct imap_message *
find(const struct imap_messages *m, uint64_t number)
{
	for (size_t i = m->count; i > 0; i--)
		if (m->message[i - 1].number == number)
			return &m->message[i - 1];
	return NULL;
}

static struct imap_message *
add(struct imap_messages *m, uint64_t number)
{
	if (m->message == NULL)
		m->message = calloc(IMAP_MESSAGES_MAX, sizeof *m->message);
	if (m->message == NULL)
		return NULL;
	if (m->count == IMAP_MESSAGES_MAX)
		forget(m, 0);
	m->message[m->count] = (struct imap_message){.number = number};
	return &m->message[m->count++];
}

static void
forget(struct imap_messages *m, size_t at)
{
	for (size_t i = 0; i < IMAP_KNOWN_COUNT; i++) {
		m->bytes -= m->message[at].known[i].len;
		free(m->message[at].known[i].bytes);
	}
	m->count--;
	memmove(&m->message[at], &m->message[at + 1], (m->count - at) * sizeof m->message[0]);
}

bool
imap_messages_part(const struct imap_messages *m, uint64_t number, const uint8_t *section, size_t len,
        struct imap_part *out)
{
	const struct imap_message *message = find(m, number);
	if (message == NULL || message->known[IMAP_KNOWN_STRUCTURE].bytes == NULL)
		return false;
	struct imap_items body = {message->known[IMAP_KNOWN_STRUCTURE].bytes, message->known[IMAP_KNOWN_STRUCTURE].len};
	if (!find_part(&body, section, len))
		return false;
	out->type_len = out->disposition_len = out->encoding_len = 0;
	if (is_multipart(&body))
		describe_multipart(body, out);
	else
		describe(body, out);
	return out->type_len > 0;
}

/* Goes to the part that section names (RFC 9051 section 6.4.5.1). */
static bool
find_part(struct imap_items *body, const uint8_t *section, size_t len)
{
	bool first = true;
	for (unsigned depth = 0; len > 0 && depth < SECTION_DEPTH_MAX; depth++) {
		uint64_t number;
		const uint8_t *dot = memchr(section, '.', len);
		const size_t n = dot != NULL ? (size_t)(dot - section) : len;
		if (text_equal_nocase(section, len, "TEXT")) /* of the message, or of the one in this part */
			return first || message_body(body);
		if (text_to_u64(section, n, &number) != 0 || number == 0 || !step(body, number, first))
			return false;
		first = false;
		len -= dot != NULL ? n + 1 : n;
		section += dot != NULL ? n + 1 : n;
	}
	return len == 0;
}

/* Into a part of a multipart body; that of any other body, or of a mail's, is 1. */
static bool
step(struct imap_items *body, uint64_t number, bool first)
{
	struct imap_item item;
	if (!first && !is_multipart(body) && !message_body(body))
		return false;
	if (!is_multipart(body))
		return number == 1;
	struct imap_items parts = *body;
	for (uint64_t i = 0; i < number; i++)
		if (!imap_item_next(&parts, &item) || item.kind != IMAP_LIST)
			return false;
	*body = (struct imap_items){item.bytes, item.len};
	return true;
}

static bool
is_multipart(const struct imap_items *body)
{
	struct imap_items i = *body;
	struct imap_item item;
	return imap_item_next(&i, &item) && item.kind == IMAP_LIST;
}

/* From a part that is a mail to that mail's body: type, subtype, five more, size, envelope, body. */
static bool
message_body(struct imap_items *body)
{
	struct imap_items i = *body;
	struct imap_item item;
	if (!imap_item_next(&i, &item) || !imap_item_is(&item, "message") || !skip_items(&i, 7) ||
	        !imap_item_next(&i, &item) || item.kind != IMAP_LIST)
		return false;
	*body = (struct imap_items){item.bytes, item.len};
	return true;
}

/* type subtype (params) id description encoding size, then of text: lines; of a mail: envelope, body, lines; then MD5, disposition */
static void
describe(struct imap_items i, struct imap_part *out)
{
	struct imap_item type, item;
	if (!imap_item_next(&i, &type))
		return;
	put_item(out->type, &out->type_len, &type);
	put(out->type, &out->type_len, "/", 1);
	if (!imap_item_next(&i, &item))
		return;
	put_item(out->type, &out->type_len, &item);
	const size_t more = imap_item_is(&type, "text") ? 1 : imap_item_is(&type, "message") && imap_item_is(&item, "rfc822") ? 3 : 0;
	if (!imap_item_next(&i, &item))
		return;
	put_params(out->type, &out->type_len, &item);
	if (!skip_items(&i, 2) || !imap_item_next(&i, &item))
		return;
	out->encoding_len = imap_item_text(&item, out->encoding, sizeof out->encoding);
	if (skip_items(&i, 1 + more + 1) && imap_item_next(&i, &item))
		describe_disposition(&item, out);
}

/* (part)(part) subtype (params) disposition */
static void
describe_multipart(struct imap_items i, struct imap_part *out)
{
	struct imap_item item;
	do {
		if (!imap_item_next(&i, &item))
			return;
	} while (item.kind == IMAP_LIST);
	put(out->type, &out->type_len, "multipart/", 10);
	put_item(out->type, &out->type_len, &item);
	if (!imap_item_next(&i, &item))
		return;
	put_params(out->type, &out->type_len, &item);
	if (imap_item_next(&i, &item))
		describe_disposition(&item, out);
}

static void
describe_disposition(const struct imap_item *disposition, struct imap_part *out)
{
	struct imap_items i = {disposition->bytes, disposition->len};
	struct imap_item item;
	if (disposition->kind != IMAP_LIST || !imap_item_next(&i, &item))
		return;
	put_item(out->disposition, &out->disposition_len, &item);
	if (imap_item_next(&i, &item))
		put_params(out->disposition, &out->disposition_len, &item);
}

static bool
skip_items(struct imap_items *i, size_t count)
{
	struct imap_item item;
	while (count > 0 && imap_item_next(i, &item))
		count--;
	return count == 0;
}

static void
put_item(uint8_t *out, size_t *len, const struct imap_item *item)
{
	*len += imap_item_text(item, out + *len, IMAP_FIELD_MAX - *len);
}

/* ("name" "value" ...) as ; name="value" */
static void
put_params(uint8_t *out, size_t *len, const struct imap_item *params)
{
	struct imap_items i = {params->bytes, params->len};
	struct imap_item name, value;
	while (params->kind == IMAP_LIST && imap_item_next(&i, &name) && imap_item_next(&i, &value)) {
		put(out, len, "; ", 2);
		put_item(out, len, &name);
		put(out, len, "=\"", 2);
		for (size_t at = 0; imap_item_is_text(&value) && at < value.len; at++) {
			if (value.kind == IMAP_LITERAL && (value.bytes[at] == '"' || value.bytes[at] == '\\'))
				put(out, len, "\\", 1);
			put(out, len, &value.bytes[at], 1);
		}
		put(out, len, "\"", 1);
	}
}

static void
put(uint8_t *out, size_t *len, const void *bytes, size_t n)
{
	if (n > IMAP_FIELD_MAX - *len)
		n = IMAP_FIELD_MAX - *len;
	memcpy(out + *len, bytes, n);
	*len += n;
}

void
imap_messages_tell(const struct imap_messages *m, uint64_t number, struct mail *mail)
{
	const struct imap_message *message = find(m, number);
	if (message == NULL || mail == NULL)
		return;
	if (message->known[IMAP_KNOWN_HEADER].bytes != NULL)
		mail_header(mail, message->known[IMAP_KNOWN_HEADER].bytes, message->known[IMAP_KNOWN_HEADER].len);
	else if (message->known[IMAP_KNOWN_ENVELOPE].bytes != NULL)
		tell_envelope(message->known[IMAP_KNOWN_ENVELOPE].bytes, message->known[IMAP_KNOWN_ENVELOPE].len, mail);
}

/* date subject from sender reply-to to cc bcc in-reply-to message-id */
static void
tell_envelope(const uint8_t *bytes, size_t len, struct mail *mail)
{
	static const char *const keys[] = {NULL, NULL, "email.from.address", NULL, NULL, "email.to.address",
	        "email.cc.address", "email.bcc.address"};
	struct imap_items i = {bytes, len};
	struct imap_item item;
	uint8_t text[SUBJECT_MAX];
	struct mime_text words;

	for (size_t at = 0; at < 10 && imap_item_next(&i, &item); at++) {
		if (at < sizeof keys / sizeof keys[0] && keys[at] != NULL && item.kind == IMAP_LIST)
			tell_addresses(&item, keys[at], mail);
		if (at != 1 && at != 9)
			continue;
		size_t n = imap_item_text(&item, text, sizeof text);
		const bool id = at == 9 && n > 2 && text[0] == '<' && text[n - 1] == '>';
		mime_words(text + (id ? 1 : 0), n - (id ? 2 : 0), &words);
		mail_detail(mail, at == 1 ? "email.subject" : "email.message_id", words.bytes, words.len,
		        words.charset[0] != '\0' ? words.charset : NULL);
	}
}

/* ((name route mailbox host) ...) */
static void
tell_addresses(const struct imap_item *list, const char *key, struct mail *mail)
{
	struct imap_items i = {list->bytes, list->len};
	struct imap_item address, item;
	for (size_t count = 0; count < ADDRESSES_MAX && imap_item_next(&i, &address); count++) {
		uint8_t text[ADDRESS_MAX];
		struct imap_items in = {address.bytes, address.len};
		if (address.kind != IMAP_LIST || !skip_items(&in, 2) || !imap_item_next(&in, &item))
			continue;
		size_t n = imap_item_text(&item, text, sizeof text - 1);
		if (!imap_item_next(&in, &item) || !imap_item_is_text(&item))
			continue; /* a group's name */
		text[n++] = '@';
		n += imap_item_text(&item, text + n, sizeof text - n);
		mail_detail(mail, key, text, n, NULL);
	}
}
