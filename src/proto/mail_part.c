/*
 * The tree of a mail. What a node's content is follows from its header: parts, a mail, a file, or text in which files may
 * stand. A file is what has a name, what is to be saved ("attachment"), and what is no text.
 */
#include "config.h"

#include "proto/mail_part.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/mail_text.h"
#include "proto/mime_decode.h"
#include "proto/mime_multipart.h"

enum {
	DEPTH_MAX = 24,           /* what is nested deeper is a file as it stands */
	HEADER_MAX = 128 * 1024,  /* of a mail */
	SNIFF_MAX = 80,           /* of a mail that ought to be in base64, until it is known whether it is */
};

enum part_kind {
	PART_HEADER,  /* of a message, and still coming */
	PART_LOST,    /* a header that can't be read: nothing is known of what follows */
	PART_CONTENT,
};

struct mail_part {
	struct mail *mail;
	unsigned depth;
	enum part_kind kind;
	struct mime_gather header;
	struct mime_decoder decoder;
	bool named;                     /* the file is one even without a byte */
	bool digest;                    /* its parts are mails unless they say otherwise (RFC 2046 section 5.1.5) */
	bool sniffing;
	size_t sniffed;
	uint8_t sniff[SNIFF_MAX];
	enum transfer_state broken_off; /* how a part ends that has no end of its own */
	uint64_t len;                   /* bytes of content */
	/* What takes the content; a mail that is attached is both a file and a message. */
	struct transfer *file;
	struct mail_part *message;
	struct mime_multipart *parts;
	struct mail_part *part;         /* the one of parts that is open */
	struct mail_text *text;
};

static struct mail_part *create(struct mail *m, unsigned depth, enum part_kind kind);
static size_t take_header(struct mail_part *p, const uint8_t *bytes, size_t len);
static void pick(struct mail_fields *f, const struct mime_field *field);
static void classify(struct mail_part *p, const struct mail_fields *f, bool in_digest);
static bool is_in_lines(const struct mime_field *encoding);
static bool is_message(const struct mail_fields *f, bool in_digest);
static void begin_file(struct mail_part *p, const struct mail_fields *f, const struct mime_text *name);
static bool is_tnef(const struct mail_fields *f, const struct mime_text *name);
static void decode(struct mail_part *p, const uint8_t *bytes, size_t len);
static size_t sniff(struct mail_part *p, const uint8_t *bytes, size_t len);
static void end_sniff(struct mail_part *p);
static void content(void *ctx, const uint8_t *bytes, size_t len);
static void unseen(void *ctx, uint64_t len);
static void part_begin(void *ctx, const struct mime_fields *header);
static void part_data(void *ctx, const uint8_t *bytes, size_t len);
static void part_skip(void *ctx, uint64_t len);
static void part_end(void *ctx, bool whole);

static const struct mime_decode_ops content_ops = {content, unseen};
static const struct mime_multipart_ops part_ops = {part_begin, part_data, part_skip, part_end};

struct mail_part *
mail_part_message(struct mail *m, unsigned depth)
{
	return create(m, depth, PART_HEADER);
}

struct mail_part *
mail_part_content(struct mail *m, unsigned depth, const struct mail_fields *f, bool in_digest)
{
	struct mail_part *p = create(m, depth, PART_CONTENT);
	if (p != NULL)
		classify(p, f, in_digest);
	return p;
}

static struct mail_part *
create(struct mail *m, unsigned depth, enum part_kind kind)
{
	struct mail_part *p = malloc(sizeof *p);
	if (p != NULL)
		*p = (struct mail_part){.mail = m, .depth = depth, .kind = kind, .broken_off = TRANSFER_TRUNCATED};
	return p;
}

void
mail_part_data(struct mail_part *p, const uint8_t *bytes, size_t len)
{
	while (p != NULL && len > 0 && p->kind != PART_LOST) {
		size_t used = len;
		if (p->kind == PART_HEADER)
			used = take_header(p, bytes, len);
		else if (p->sniffing)
			used = sniff(p, bytes, len);
		else
			decode(p, bytes, len);
		bytes += used;
		len -= used;
	}
}

void
mail_part_skip(struct mail_part *p, uint64_t len)
{
	if (p == NULL)
		return;
	if (p->kind == PART_HEADER)
		p->kind = PART_LOST;
	if (p->sniffing)
		end_sniff(p);
	if (p->kind == PART_CONTENT)
		mime_decode_gap(&p->decoder, len, &content_ops, p);
}

void
mail_part_close(struct mail_part *p, enum transfer_state state)
{
	static const uint8_t blank[] = "\r\n\r\n"; /* a mail may be a header alone */
	if (p == NULL)
		return;
	if (p->kind == PART_HEADER && state == TRANSFER_COMPLETE)
		(void)take_header(p, blank, sizeof blank - 1);
	if (p->sniffing)
		end_sniff(p);
	p->broken_off = state;
	mime_decode_finish(&p->decoder, &content_ops, p);
	mime_multipart_destroy(p->parts);
	mail_part_close(p->message, state);
	mail_text_close(p->text, state);
	if (p->len == 0 && !(p->named && state == TRANSFER_COMPLETE)) {
		mail_file_discard(p->mail, p->file);
	} else {
		transfer_accepted(p->file);
		mail_file_end(p->mail, p->file, state);
	}
	mime_gather_clear(&p->header);
	free(p);
}

static size_t
take_header(struct mail_part *p, const uint8_t *bytes, size_t len)
{
	struct mail_fields f = {.type = {.name = NULL}};
	struct mime_field field;
	const uint8_t *block;
	size_t block_len, used = len;

	switch (mime_gather_take(&p->header, bytes, len, HEADER_MAX, true, &used, &block, &block_len)) {
	case VERDICT_MORE:
		return used;
	case VERDICT_DONE:
		break;
	default:
		p->kind = PART_LOST;
		return len;
	}
	if (p->depth == 0)
		mail_header(p->mail, block, block_len);
	while (mime_field_next(&block, &block_len, &field))
		pick(&f, &field);
	p->kind = PART_CONTENT;
	classify(p, &f, false);
	mime_gather_clear(&p->header);
	return used;
}

/* The first of each name counts. */
static void
pick(struct mail_fields *f, const struct mime_field *field)
{
	if (f->type.name == NULL && text_equal_nocase(field->name, field->name_len, "content-type"))
		f->type = *field;
	else if (f->encoding.name == NULL && text_equal_nocase(field->name, field->name_len, "content-transfer-encoding"))
		f->encoding = *field;
	else if (f->disposition.name == NULL && text_equal_nocase(field->name, field->name_len, "content-disposition"))
		f->disposition = *field;
}

static void
classify(struct mail_part *p, const struct mail_fields *f, bool in_digest)
{
	struct mime_text name;
	const struct mime_field *type = f->type.name != NULL ? &f->type : NULL;
	const struct mime_field *disposition = f->disposition.name != NULL ? &f->disposition : NULL;
	const bool multipart = mime_type_is(type, "multipart/") && p->depth < DEPTH_MAX;
	const bool message = is_message(f, in_digest) && p->depth < DEPTH_MAX;

	if (f->encoding.name != NULL)
		p->decoder.encoding = mime_encoding_of(f->encoding.value, f->encoding.value_len);
	if (multipart) { /* may have no encoding, and where it says so it hasn't (RFC 2045 section 6.4) */
		p->decoder.encoding = MIME_ENCODING_NONE;
		p->digest = mime_type_is(type, "multipart/digest");
		p->parts = mime_multipart_create(type->value, type->value_len, &part_ops, p);
		return;
	}
	if (message) {
		p->message = mail_part_message(p->mail, p->depth + 1);
		p->sniffing = p->decoder.encoding != MIME_ENCODING_NONE;
	}
	if (is_in_lines(&f->encoding)) {
		p->text = mail_text_create(p->mail);
		return;
	}
	p->named = mime_file_name(disposition, type, &name);
	if (p->named || mime_type_is(disposition, "attachment") ||
	        (!message && type != NULL && memchr(type->value, '/', type->value_len) != NULL &&
	                !mime_type_is(type, "text/") && !mime_type_is(type, "message/")))
		begin_file(p, f, p->named ? &name : NULL);
	else if (!message && (type == NULL || mime_type_is(type, "text/plain") || !mime_type_is(type, "text/")))
		p->text = mail_text_create(p->mail);
}

/* Encodings that bring the file's name and end themselves, and have no specification here. */
static bool
is_in_lines(const struct mime_field *encoding)
{
	static const char *const words[] = {"x-uuencode", "x-uue", "uuencode", "uue", "x-yenc", "yenc"};
	for (size_t i = 0; encoding->name != NULL && i < sizeof words / sizeof words[0]; i++)
		if (text_prefix_nocase(encoding->value, encoding->value_len, words[i]))
			return true;
	return false;
}

static bool
is_message(const struct mail_fields *f, bool in_digest)
{
	return f->type.name != NULL ? mime_type_is(&f->type, "message/rfc822") || mime_type_is(&f->type, "message/global")
	                            : in_digest;
}

static void
begin_file(struct mail_part *p, const struct mail_fields *f, const struct mime_text *name)
{
	const struct mail_file file = {.name = name,
	        .type = f->type.name != NULL ? &f->type : NULL,
	        .encoding = p->sniffing ? NULL : mime_encoding_name(p->decoder.encoding),
	        .container = is_tnef(f, name) ? "tnef" : NULL};
	p->file = mail_file_begin(p->mail, &file);
}

/* Outlook's winmail.dat (MS-OXTNEF) holds the real attachments. */
static bool
is_tnef(const struct mail_fields *f, const struct mime_text *name)
{
	const struct mime_field *type = f->type.name != NULL ? &f->type : NULL;
	return mime_type_is(type, "application/ms-tnef") || mime_type_is(type, "application/vnd.ms-tnef") ||
	       (name != NULL && text_equal_nocase(name->bytes, name->len, "winmail.dat"));
}

static void
decode(struct mail_part *p, const uint8_t *bytes, size_t len)
{
	if (p->file != NULL && p->decoder.encoding != MIME_ENCODING_NONE)
		transfer_sent(p->file, bytes, len);
	mime_decode(&p->decoder, bytes, len, &content_ops, p);
}

/* A mail in a mail may not be encoded, but senders say that it is, with or without doing so: a header tells. */
static size_t
sniff(struct mail_part *p, const uint8_t *bytes, size_t len)
{
	size_t room = SNIFF_MAX - p->sniffed, n = len < room ? len : room;
	memcpy(p->sniff + p->sniffed, bytes, n);
	p->sniffed += n;
	if (p->sniffed == SNIFF_MAX)
		end_sniff(p);
	return n;
}

static void
end_sniff(struct mail_part *p)
{
	p->sniffing = false;
	if (memchr(p->sniff, ':', p->sniffed) != NULL)
		p->decoder.encoding = MIME_ENCODING_NONE;
	else
		transfer_encoding(p->file, mime_encoding_name(p->decoder.encoding));
	if (p->sniffed > 0)
		decode(p, p->sniff, p->sniffed);
}

/* Content as its receiver has it. */
static void
content(void *ctx, const uint8_t *bytes, size_t len)
{
	struct mail_part *p = ctx;
	p->len += len;
	transfer_append(p->file, bytes, len);
	mail_part_data(p->message, bytes, len);
	if (p->parts != NULL)
		mime_multipart_feed(p->parts, bytes, len);
	mail_text_data(p->text, bytes, len);
}

static void
unseen(void *ctx, uint64_t len)
{
	struct mail_part *p = ctx;
	p->len += len;
	transfer_skip(p->file, len);
	mail_part_skip(p->message, len);
	if (p->parts != NULL)
		mime_multipart_skip(p->parts, len);
	mail_text_gap(p->text, len);
}

static void
part_begin(void *ctx, const struct mime_fields *header)
{
	struct mail_part *p = ctx;
	struct mail_fields f = {.type = {.name = NULL}};
	for (size_t i = 0; i < header->count; i++)
		pick(&f, &header->field[i]);
	p->part = mail_part_content(p->mail, p->depth + 1, &f, p->digest);
}

static void
part_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct mail_part *p = ctx;
	mail_part_data(p->part, bytes, len);
}

static void
part_skip(void *ctx, uint64_t len)
{
	struct mail_part *p = ctx;
	mail_part_skip(p->part, len);
}

static void
part_end(void *ctx, bool whole)
{
	struct mail_part *p = ctx;
	mail_part_close(p->part, whole ? TRANSFER_COMPLETE : p->broken_off);
	p->part = NULL;
}
