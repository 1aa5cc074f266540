#include "config.h"

#include "recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 16, CONTENT_MAX = 4096 };

struct session {
	struct session_ends ends;
	char text[TEXT_MAX];
	size_t len;
	size_t unused;
	unsigned open;
	bool service, client, server, language;
	uint8_t note_key[512], note[2048]; /* the last one */
	size_t note_key_len, note_len;
};

struct transfer {
	struct session *session;
	enum side sender;
	char method[32], path[512], url[512], mime[128], encoding[64], user[64], key[16];
	unsigned status;
	bool size_known, listing, form, accepted;
	uint64_t size, offset, sent;
	uint32_t part, parts;
	char part_name[65];
	char content[CONTENT_MAX];
	size_t len;
};

static void say(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void copy(char *out, size_t size, const void *bytes, size_t len);

struct session *
recorder_open(void)
{
	struct session *s = calloc(1, sizeof *s);
	static const uint8_t client[4] = {192, 0, 2, 1}, server[4] = {198, 51, 100, 2};
	s->ends.addr[SIDE_SOURCE] = addr_from_v4(client);
	s->ends.addr[SIDE_DESTINATION] = addr_from_v4(server);
	s->ends.port[SIDE_SOURCE] = 40000;
	s->ends.port[SIDE_DESTINATION] = 8080;
	return s;
}

void
recorder_close(struct session *s)
{
	free(s);
}

const char *
recorder_text(const struct session *s)
{
	return s->text;
}

unsigned
recorder_open_transfers(const struct session *s)
{
	return s->open;
}

static void
say(struct session *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(s->text + s->len, TEXT_MAX - s->len, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < TEXT_MAX - s->len)
		s->len += (size_t)n;
}

static void
copy(char *out, size_t size, const void *bytes, size_t len)
{
	snprintf(out, size, "%.*s", (int)len, bytes != NULL ? (const char *)bytes : "");
}

struct session_ends
session_ends(const struct session *s)
{
	return s->ends;
}

void
session_client_end(struct session *s, enum side client)
{
	(void)s;
	(void)client;
}

void
session_account(struct session *s, const void *bytes, size_t len)
{
	say(s, "account %.*s\n", (int)len, (const char *)bytes);
}

void
session_service(struct session *s, const void *bytes, size_t len)
{
	if (!s->service)
		say(s, "service %.*s\n", (int)len, (const char *)bytes);
	s->service = true;
}

void
session_client(struct session *s, const void *bytes, size_t len)
{
	if (!s->client)
		say(s, "client %.*s\n", (int)len, (const char *)bytes);
	s->client = true;
}

void
session_server(struct session *s, const void *bytes, size_t len)
{
	if (!s->server)
		say(s, "server %.*s\n", (int)len, (const char *)bytes);
	s->server = true;
}

void
session_language(struct session *s, const void *bytes, size_t len)
{
	if (!s->language)
		say(s, "language %.*s\n", (int)len, (const char *)bytes);
	s->language = true;
}

void
session_switch(struct session *s, size_t unused)
{
	s->unused = unused;
	say(s, "switch\n");
}

size_t
session_switch_unused(const struct session *s)
{
	return s->unused;
}

void
session_protocol(struct session *s, const char *name, const char *method)
{
	say(s, "protocol %s by %s\n", name, method);
}

void
session_unreadable(struct session *s, const char *method)
{
	say(s, "unread: %s\n", method);
}

void
session_detail(struct session *s, const char *key, const void *bytes, size_t len)
{
	say(s, "%s %.*s\n", key, (int)len, (const char *)bytes);
}

void
session_detail_number(struct session *s, const char *key, uint64_t number)
{
	say(s, "%s %llu\n", key, (unsigned long long)number);
}

int
session_note(struct session *s, enum note_scope scope, const void *key, size_t key_len, const void *value, size_t len)
{
	(void)scope;
	if (key_len > sizeof s->note_key || len > sizeof s->note)
		return -1;
	memcpy(s->note_key, key, key_len);
	memcpy(s->note, value, len);
	s->note_key_len = key_len;
	s->note_len = len;
	return 0;
}

const void *
session_noted(struct session *s, enum note_scope scope, const void *key, size_t key_len, size_t *len)
{
	(void)scope;
	if (key_len == 0 || key_len != s->note_key_len || memcmp(key, s->note_key, key_len) != 0)
		return NULL;
	*len = s->note_len;
	return s->note;
}

struct transfer *
transfer_begin(struct session *s, const struct transfer_start *start)
{
	struct transfer *t = calloc(1, sizeof *t);
	t->session = s;
	t->sender = start->sender;
	copy(t->method, sizeof t->method, start->method, start->method != NULL ? strlen(start->method) : 0);
	copy(t->path, sizeof t->path, start->path, start->path_len);
	t->size_known = start->size_known;
	t->size = start->size;
	t->offset = start->offset;
	t->part = start->part;
	t->parts = start->parts;
	copy(t->part_name, sizeof t->part_name, start->part_name, start->part_name_len);
	if (start->join_key != NULL)
		copy(t->key, sizeof t->key, "joined", 6);
	s->open++;
	return t;
}

/* Of a file whose parts came: it is only told what becomes of it. */
struct transfer *
transfer_resume(struct session *s, const struct transfer_start *start)
{
	struct transfer *t = transfer_begin(s, start);
	copy(t->key, sizeof t->key, "resumed", 7);
	return t;
}

void
transfer_rename(struct transfer *t, const void *path, size_t len, const char *charset)
{
	(void)charset;
	if (t != NULL)
		copy(t->path, sizeof t->path, path, len);
}

void
transfer_size(struct transfer *t, uint64_t size)
{
	if (t == NULL)
		return;
	t->size_known = true;
	t->size = size;
}

void
transfer_parts_end(struct transfer *t, const uint32_t *numbers, size_t count, enum transfer_state state)
{
	say(t->session, "parts");
	for (size_t i = 0; i < count; i++)
		say(t->session, " %u", numbers[i]);
	say(t->session, "\n");
	transfer_end(t, state);
}

void
transfer_parts_listed(struct transfer *t, const struct part_name *names, size_t count, enum transfer_state state)
{
	say(t->session, "listed");
	for (size_t i = 0; i < count; i++)
		say(t->session, " %.*s", (int)names[i].len, (const char *)names[i].bytes);
	say(t->session, "\n");
	transfer_end(t, state);
}

void
transfer_cut(struct transfer *t, uint64_t size)
{
	say(t->session, "cut at %llu\n", (unsigned long long)size);
}

void
transfer_detail(struct transfer *t, const char *key, const void *bytes, size_t len)
{
	(void)t;
	(void)key;
	(void)bytes;
	(void)len;
}

void
transfer_mime(struct transfer *t, const void *bytes, size_t len)
{
	if (t != NULL)
		copy(t->mime, sizeof t->mime, bytes, len);
}

void
transfer_http(struct transfer *t, const char *method, const char *url, unsigned status, const char *referrer)
{
	(void)method;
	(void)referrer;
	if (t == NULL)
		return;
	copy(t->url, sizeof t->url, url, url != NULL ? strlen(url) : 0);
	t->status = status;
}

void
transfer_encoding(struct transfer *t, const char *encoding)
{
	if (t != NULL)
		copy(t->encoding, sizeof t->encoding, encoding, strlen(encoding));
}

void
transfer_still_encoded(struct transfer *t, const void *bytes, size_t len)
{
	char coding[16];
	copy(coding, sizeof coding, bytes, len);
	if (t != NULL)
		snprintf(t->encoding, sizeof t->encoding, "still %s", coding);
}

void
transfer_listing(struct transfer *t)
{
	if (t != NULL)
		t->listing = true;
}

void
transfer_form(struct transfer *t)
{
	if (t != NULL)
		t->form = true;
}

void
transfer_user(struct transfer *t, const void *bytes, size_t len)
{
	if (t != NULL)
		copy(t->user, sizeof t->user, bytes, len);
}

void
transfer_append(struct transfer *t, const uint8_t *bytes, size_t len)
{
	if (t == NULL)
		return;
	if (len > CONTENT_MAX - 1 - t->len)
		len = CONTENT_MAX - 1 - t->len;
	memcpy(t->content + t->len, bytes, len);
	t->len += len;
}

void
transfer_skip(struct transfer *t, uint64_t len)
{
	if (t != NULL && CONTENT_MAX - t->len > 32)
		t->len += (size_t)sprintf(t->content + t->len, "[%llu]", (unsigned long long)len);
}

void
transfer_copied(struct transfer *t, uint64_t len)
{
	transfer_skip(t, len);
}

void
transfer_sent(struct transfer *t, const uint8_t *bytes, size_t len)
{
	(void)bytes;
	if (t != NULL)
		t->sent += len;
}

void
transfer_end(struct transfer *t, enum transfer_state state)
{
	static const char *const states[] = {"open", "complete", "truncated", "aborted"};
	if (t == NULL)
		return;
	struct session *s = t->session;
	say(s, "%s %s %s", t->sender == SIDE_SOURCE ? "upload" : "download", t->method, t->path);
	if (t->user[0] != '\0')
		say(s, " by %s", t->user);
	if (t->encoding[0] != '\0')
		say(s, " %s", t->encoding);
	if (t->listing)
		say(s, " listing");
	if (t->form)
		say(s, " form");
	if (t->accepted && t->len == 0)
		say(s, " empty");
	if (t->key[0] != '\0')
		say(s, t->part > 0 ? " %s %u at %llu of %lld" : " %s%.0u at %llu of %lld", t->key, t->part, (unsigned long long)t->offset, t->size_known ? (long long)t->size : -1);
	if (t->part_name[0] != '\0')
		say(s, " called %s", t->part_name);
	if (t->parts > 0)
		say(s, " one of %u", t->parts);
	say(s, " %u %s: %.*s\n", t->status, states[state], (int)t->len, t->content);
	s->open--;
	free(t);
}

void
transfer_accepted(struct transfer *t)
{
	if (t != NULL)
		t->accepted = true;
}

void
transfer_discard(struct transfer *t)
{
	if (t == NULL)
		return;
	t->session->open--;
	free(t);
}
