/*
 * A mail and what is known of it. Its files are told with its header and envelope; where the receiver has yet to answer
 * they wait for that, up to a number.
 */
#include "config.h"

#include "proto/mail.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/mail_address.h"
#include "proto/mail_part.h"

enum {
	MAIL_ARENA_MAX = 256 * 1024,
	LOG_ARENA_MAX = 64 * 1024,
	VALUE_MAX = 1024,    /* bytes of one value that are told */
	SAME_KEY_MAX = 16,   /* values of one kind, so that others find room */
	ADDRESSES_MAX = 256, /* of one field; more are not counted either */
	WAITING_MAX = 256,   /* files that wait for the answer; more are told at once */
};

struct waiting {
	struct transfer *transfer;
	enum transfer_state state;
};

struct mail {
	struct session *session;
	struct mail_start start;
	struct arena arena; /* of the details */
	struct mail_detail detail[MAIL_DETAILS_MAX];
	size_t detail_count;
	uint64_t left_out;  /* values for which there was no room */
	struct mail_part *top;
	bool begun, ended;
	size_t open;        /* files */
	struct waiting *waiting;
	size_t waiting_count;
};

struct wanted {
	const char *name, *key;
	void (*take)(struct mail *m, const char *key, const struct mime_field *f);
};

static void take_addresses(struct mail *m, const char *key, const struct mime_field *f);
static void take_words(struct mail *m, const char *key, const struct mime_field *f);
static void take_id(struct mail *m, const char *key, const struct mime_field *f);
static void join(const struct mail_file *file, struct transfer_start *start, uint8_t key[MIME_TEXT_MAX + 32]);
static void log_mail(struct mail *m);
static void log_add(struct mail_log *log, const struct mail_detail *d);
static bool wait_for_answer(struct mail *m, struct transfer *t, enum transfer_state state);

static const struct wanted wanted_fields[] = {
        {"from", "email.from.address", take_addresses},
        {"sender", "email.sender.address", take_addresses},
        {"reply-to", "email.reply_to.address", take_addresses},
        {"to", "email.to.address", take_addresses},
        {"cc", "email.cc.address", take_addresses},
        {"bcc", "email.bcc.address", take_addresses},
        {"subject", "email.subject", take_words},
        {"message-id", "email.message_id", take_id},
        {"x-mailer", "email.x_mailer", take_words},
        {"user-agent", "email.x_mailer", take_words},
};

struct mail *
mail_open(struct session *s, const struct mail_start *start)
{
	struct mail *m = malloc(sizeof *m);
	if (m == NULL)
		return NULL;
	*m = (struct mail){.session = s, .start = *start};
	arena_init(&m->arena, MAIL_ARENA_MAX);
	return m;
}

void
mail_detail(struct mail *m, const char *key, const void *bytes, size_t len, const char *charset)
{
	if (m == NULL || len == 0)
		return;
	size_t same = 0;
	for (size_t i = 0; i < m->detail_count; i++)
		same += m->detail[i].key == key ? 1 : 0;
	if (same == SAME_KEY_MAX || m->detail_count == MAIL_DETAILS_MAX) {
		m->left_out++;
		return;
	}
	if (len > VALUE_MAX)
		len = VALUE_MAX;
	const char *utf8 = text_decode(&m->arena, bytes, len, charset).utf8;
	if (utf8 != NULL)
		m->detail[m->detail_count++] = (struct mail_detail){.key = key, .utf8 = utf8};
}

void
mail_left_out(struct mail *m, uint64_t count)
{
	if (m != NULL)
		m->left_out += count;
}

void
mail_bare(struct mail *m, const struct mime_field *type, const struct mime_field *encoding,
        const struct mime_field *disposition)
{
	static const struct mime_field none;
	if (m == NULL || m->begun)
		return;
	const struct mail_fields f = {.type = type != NULL ? *type : none,
	        .encoding = encoding != NULL ? *encoding : none,
	        .disposition = disposition != NULL ? *disposition : none};
	m->begun = true;
	m->top = mail_part_content(m, 0, &f, false);
}

void
mail_data(struct mail *m, const uint8_t *bytes, size_t len)
{
	if (m == NULL || m->ended || len == 0)
		return;
	if (!m->begun)
		m->top = mail_part_message(m, 0);
	m->begun = true;
	mail_part_data(m->top, bytes, len);
}

void
mail_skip(struct mail *m, uint64_t len)
{
	if (m == NULL || m->ended || len == 0)
		return;
	m->begun = true; /* a header that was not seen is not made up for */
	mail_part_skip(m->top, len);
}

void
mail_end(struct mail *m, enum transfer_state state)
{
	if (m == NULL || m->ended)
		return;
	mail_part_close(m->top, state);
	m->top = NULL;
	m->ended = true;
	if (m->start.log != NULL)
		log_mail(m);
}

void
mail_close(struct mail *m, unsigned status)
{
	if (m == NULL)
		return;
	mail_end(m, TRANSFER_TRUNCATED);
	for (size_t i = 0; i < m->waiting_count; i++) {
		if (status != 0)
			transfer_detail_number(m->waiting[i].transfer, "smtp.status", status);
		transfer_end(m->waiting[i].transfer, m->waiting[i].state);
	}
	free(m->waiting);
	arena_clear(&m->arena);
	free(m);
}

bool
mail_holds(const struct mail *m)
{
	return m != NULL && (m->open > 0 || m->waiting_count > 0);
}

void
mail_header(struct mail *m, const uint8_t *block, size_t len)
{
	struct mime_field f;
	while (mime_field_next(&block, &len, &f))
		for (size_t i = 0; i < sizeof wanted_fields / sizeof wanted_fields[0]; i++)
			if (text_equal_nocase(f.name, f.name_len, wanted_fields[i].name))
				wanted_fields[i].take(m, wanted_fields[i].key, &f);
}

struct transfer *
mail_file_begin(struct mail *m, const struct mail_file *file)
{
	struct transfer_start start = {.sender = m->start.sender, .method = m->start.method};
	uint8_t key[MIME_TEXT_MAX + 32];
	if (file->name != NULL) {
		start.path = file->name->bytes;
		start.path_len = file->name->len;
		start.charset = file->name->charset[0] != '\0' ? file->name->charset : NULL;
	}
	if (file->part)
		join(file, &start, key);
	struct transfer *t = transfer_begin(m->session, &start);
	if (t == NULL)
		return NULL;
	if (file->type != NULL && file->type->name != NULL) {
		const uint8_t *value = file->type->value, *semicolon = memchr(value, ';', file->type->value_len);
		size_t len = semicolon != NULL ? (size_t)(semicolon - value) : file->type->value_len;
		text_trim(&value, &len);
		transfer_mime(t, value, len);
	}
	if (file->encoding != NULL)
		transfer_encoding(t, file->encoding);
	for (size_t i = 0; i < m->detail_count; i++)
		transfer_detail(t, m->detail[i].key, m->detail[i].utf8, strlen(m->detail[i].utf8));
	if (m->left_out > 0)
		transfer_detail_number(t, "mail.left_out", m->left_out);
	if (file->container != NULL)
		transfer_detail(t, "mail.container", file->container, strlen(file->container));
	m->open++;
	if (m->start.log != NULL)
		m->start.log->files++;
	return t;
}

/* A part is told from others of its file by nothing but its place; name and size are the file's. */
static void
join(const struct mail_file *file, struct transfer_start *start, uint8_t key[MIME_TEXT_MAX + 32])
{
	const size_t len = file->name != NULL ? file->name->len : 0;
	memcpy(key, "part", 4);
	memcpy(key + 4, &file->size, sizeof file->size);
	if (len > 0)
		memcpy(key + 4 + sizeof file->size, file->name->bytes, len);
	start->join_key = key;
	start->join_len = 4 + sizeof file->size + len;
	start->offset = file->offset;
	start->size_known = true;
	start->size = file->size;
}

void
mail_file_discard(struct mail *m, struct transfer *t)
{
	if (t == NULL)
		return;
	m->open--;
	if (m->start.log != NULL)
		m->start.log->files--;
	transfer_discard(t);
}

void
mail_file_end(struct mail *m, struct transfer *t, enum transfer_state state)
{
	if (t == NULL)
		return;
	m->open--;
	if (!m->start.answered || !wait_for_answer(m, t, state))
		transfer_end(t, state);
}

static bool
wait_for_answer(struct mail *m, struct transfer *t, enum transfer_state state)
{
	if (m->waiting_count == WAITING_MAX)
		return false;
	struct waiting *more = realloc(m->waiting, (m->waiting_count + 1) * sizeof *more);
	if (more == NULL)
		return false;
	m->waiting = more;
	m->waiting[m->waiting_count++] = (struct waiting){.transfer = t, .state = state};
	return true;
}

static void
take_addresses(struct mail *m, const char *key, const struct mime_field *f)
{
	const uint8_t *list = f->value, *address;
	size_t left = f->value_len, len;
	for (size_t i = 0; i < ADDRESSES_MAX && mail_address_next(&list, &left, &address, &len); i++)
		mail_detail(m, key, address, len, NULL);
}

static void
take_words(struct mail *m, const char *key, const struct mime_field *f)
{
	struct mime_text t;
	mime_words(f->value, f->value_len, &t);
	for (size_t i = 0; i < t.len; i++)
		if (t.bytes[i] == '\t') /* that was a folded line */
			t.bytes[i] = ' ';
	mail_detail(m, key, t.bytes, t.len, t.charset[0] != '\0' ? t.charset : NULL);
}

/* Without its angle brackets, as ECS has it. */
static void
take_id(struct mail *m, const char *key, const struct mime_field *f)
{
	const uint8_t *id = f->value;
	size_t len = f->value_len;
	if (len > 2 && id[0] == '<' && id[len - 1] == '>') {
		id++;
		len -= 2;
	}
	mail_detail(m, key, id, len, NULL);
}

static void
log_mail(struct mail *m)
{
	struct mail_log *log = m->start.log;
	if (!m->begun)
		return;
	log->mails++;
	for (size_t i = 0; i < m->detail_count; i++)
		log_add(log, &m->detail[i]);
}

/* Each value once; what is over the limit is not told. */
static void
log_add(struct mail_log *log, const struct mail_detail *d)
{
	if (log->detail == NULL) {
		arena_init(&log->arena, LOG_ARENA_MAX);
		log->detail = calloc(MAIL_DETAILS_MAX, sizeof *log->detail);
		if (log->detail == NULL)
			return;
	}
	for (size_t i = 0; i < log->count; i++)
		if (log->detail[i].key == d->key && strcmp(log->detail[i].utf8, d->utf8) == 0)
			return;
	if (log->count == MAIL_DETAILS_MAX)
		return;
	const char *copy = arena_string(&log->arena, d->utf8, strlen(d->utf8));
	if (copy != NULL)
		log->detail[log->count++] = (struct mail_detail){.key = d->key, .utf8 = copy};
}

void
mail_log_tell(const struct mail_log *log, struct session *s)
{
	if (log->mails > 0) {
		session_detail_number(s, "mail.messages", log->mails);
		session_detail_number(s, "mail.attachments", log->files);
	}
	for (size_t i = 0; i < log->count; i++)
		session_detail(s, log->detail[i].key, log->detail[i].utf8, strlen(log->detail[i].utf8));
}

void
mail_log_clear(struct mail_log *log)
{
	if (log->detail != NULL)
		arena_clear(&log->arena);
	free(log->detail);
	*log = (struct mail_log){.detail = NULL};
}
