/*
 * Logons and shares of one connection, and what its other connections know of them: a logon may use
 * several channels (MS-SMB2 3.3.5.5.2), and all numbers that the server gives out hold on each.
 */
#include "config.h"

#include "proto/smb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/smb_token.h"

enum {
	LOGONS_MAX = 64,
	TREES_MAX = 256,
	NOTE_KEY_MAX = 128,
};

/* As noted for other channels; what is text follows. */
struct logon_note {
	struct addr addr[2];
};

struct tree_note {
	uint8_t kind;
};

static struct smb_logon *logon_insert(struct smb *h, uint64_t id, const struct addr addr[2], const void *user,
        size_t len);
static struct smb_logon *logon_noted(struct smb *h, uint64_t id);
static struct smb_tree *tree_insert(struct smb *h, uint64_t logon, uint32_t id, enum smb_share kind, const void *path,
        size_t len, bool wide);
static struct smb_tree *tree_noted(struct smb *h, uint64_t logon, uint32_t id);
static size_t tree_key(uint8_t key[12], uint64_t logon, uint32_t id);
static size_t note_key(const struct smb *h, uint8_t out[NOTE_KEY_MAX], const char *word, const void *key, size_t len);
static enum note_scope note_scope(const struct smb *h);
static void tell_version(struct session *s, const struct smb_token *t);

struct smb_logon *
smb_logon_find(struct smb *h, uint64_t id)
{
	struct smb_logon *l;
	TAILQ_FOREACH(l, &h->logons, next)
		if (l->id == id)
			return l;
	return h->two ? logon_noted(h, id) : NULL;
}

struct smb_logon *
smb_logon_add(struct smb *h, uint64_t id, const void *user, size_t len)
{
	struct session_ends ends = session_ends(h->session);
	smb_logon_drop(h, id);
	struct smb_logon *l = logon_insert(h, id, ends.addr, user, len);
	if (l == NULL || !h->channels)
		return l;
	uint8_t value[sizeof(struct logon_note) + SMB_TEXT_MAX];
	struct logon_note note = {.addr = {ends.addr[SIDE_SOURCE], ends.addr[SIDE_DESTINATION]}};
	size_t n = len < SMB_TEXT_MAX ? len : SMB_TEXT_MAX;
	memcpy(value, &note, sizeof note);
	if (n > 0)
		memcpy(value + sizeof note, user, n);
	smb_note(h, "logon", &id, sizeof id, value, sizeof note + n);
	return l;
}

void
smb_logon_drop(struct smb *h, uint64_t id)
{
	struct smb_logon *l;
	TAILQ_FOREACH(l, &h->logons, next)
		if (l->id == id)
			break;
	if (l == NULL)
		return;
	TAILQ_REMOVE(&h->logons, l, next);
	h->logon_count--;
	free(l);
}

struct smb_tree *
smb_tree_find(struct smb *h, uint64_t logon, uint32_t id)
{
	struct smb_tree *t;
	TAILQ_FOREACH(t, &h->trees, next)
		if (t->id == id && t->logon == logon)
			return t;
	return h->two ? tree_noted(h, logon, id) : NULL;
}

void
smb_tree_add(struct smb *h, uint64_t logon, uint32_t id, enum smb_share kind, const struct smb_text *path)
{
	uint8_t key[12], value[sizeof(struct tree_note) + SMB_TEXT_MAX];
	smb_tree_drop(h, logon, id);
	(void)tree_insert(h, logon, id, kind, path->bytes, path->len, path->wide);
	if (kind != SMB_SHARE_PIPE) {
		session_service(h->session, path->bytes, path->len);
		session_detail(h->session, "smb.share", path->bytes, path->len);
	}
	if (!h->channels)
		return;
	struct tree_note note = {.kind = (uint8_t)kind};
	memcpy(value, &note, sizeof note);
	memcpy(value + sizeof note, path->bytes, path->len);
	smb_note(h, "tree", key, tree_key(key, logon, id), value, sizeof note + path->len);
}

void
smb_tree_drop(struct smb *h, uint64_t logon, uint32_t id)
{
	struct smb_tree *t;
	TAILQ_FOREACH(t, &h->trees, next)
		if (t->id == id && t->logon == logon)
			break;
	if (t == NULL)
		return;
	TAILQ_REMOVE(&h->trees, t, next);
	h->tree_count--;
	free(t);
}

void
smb_context_clear(struct smb *h)
{
	struct smb_logon *l;
	struct smb_tree *t;
	while ((l = TAILQ_FIRST(&h->logons)) != NULL)
		smb_logon_drop(h, l->id);
	while ((t = TAILQ_FIRST(&h->trees)) != NULL)
		smb_tree_drop(h, t->logon, t->id);
}

void
smb_note(struct smb *h, const char *word, const void *key, size_t key_len, const void *value, size_t len)
{
	uint8_t whole[NOTE_KEY_MAX];
	size_t n = note_key(h, whole, word, key, key_len);
	(void)session_note(h->session, note_scope(h), whole, n, value, len);
}

const void *
smb_noted(struct smb *h, const char *word, const void *key, size_t key_len, size_t *len)
{
	uint8_t whole[NOTE_KEY_MAX];
	size_t n = note_key(h, whole, word, key, key_len);
	return session_noted(h->session, note_scope(h), whole, n, len);
}

void
smb_tell_token(struct smb *h, const struct smb_token *t)
{
	struct session *s = h->session;
	switch (t->kind) {
	case SMB_TOKEN_AUTHENTICATE:
		session_detail(s, "smb.domain", t->domain.bytes, t->domain.len);
		session_detail(s, "smb.workstation", t->workstation.bytes, t->workstation.len);
		break;
	case SMB_TOKEN_CHALLENGE:
		session_detail(s, "smb.server_name", t->workstation.bytes, t->workstation.len);
		session_detail(s, "smb.server_domain", t->domain.bytes, t->domain.len);
		break;
	case SMB_TOKEN_KERBEROS:
		session_detail(s, "smb.kerberos_realm", t->domain.bytes, t->domain.len);
		session_detail(s, "smb.kerberos_service", t->user.bytes, t->user.len);
		break;
	case SMB_TOKEN_NEGOTIATE:
	case SMB_TOKEN_NONE:
		break;
	}
	if (t->has_version)
		tell_version(s, t);
}

/* The oldest goes where there are too many. */
static struct smb_logon *
logon_insert(struct smb *h, uint64_t id, const struct addr addr[2], const void *user, size_t len)
{
	struct smb_logon *l = malloc(sizeof *l + len);
	if (l == NULL)
		return NULL;
	if (h->logon_count == LOGONS_MAX)
		smb_logon_drop(h, TAILQ_FIRST(&h->logons)->id);
	*l = (struct smb_logon){.id = id, .addr = {addr[0], addr[1]}, .user_len = len};
	if (len > 0)
		memcpy(l->user, user, len);
	TAILQ_INSERT_TAIL(&h->logons, l, next);
	h->logon_count++;
	if (len > 0)
		session_account(h->session, user, len);
	return l;
}

static struct smb_logon *
logon_noted(struct smb *h, uint64_t id)
{
	struct logon_note note;
	size_t len;
	const uint8_t *value = smb_noted(h, "logon", &id, sizeof id, &len);
	if (value == NULL || len < sizeof note)
		return NULL;
	memcpy(&note, value, sizeof note);
	return logon_insert(h, id, note.addr, value + sizeof note, len - sizeof note);
}

static struct smb_tree *
tree_insert(struct smb *h, uint64_t logon, uint32_t id, enum smb_share kind, const void *path, size_t len, bool wide)
{
	struct smb_tree *t = malloc(sizeof *t + len);
	if (t == NULL)
		return NULL;
	if (h->tree_count == TREES_MAX) {
		struct smb_tree *oldest = TAILQ_FIRST(&h->trees);
		smb_tree_drop(h, oldest->logon, oldest->id);
	}
	*t = (struct smb_tree){.logon = logon, .id = id, .kind = kind, .wide = wide, .path_len = len};
	memcpy(t->path, path, len);
	TAILQ_INSERT_TAIL(&h->trees, t, next);
	h->tree_count++;
	return t;
}

static struct smb_tree *
tree_noted(struct smb *h, uint64_t logon, uint32_t id)
{
	uint8_t key[12];
	struct tree_note note;
	size_t len;
	const uint8_t *value = smb_noted(h, "tree", key, tree_key(key, logon, id), &len);
	if (value == NULL || len < sizeof note)
		return NULL;
	memcpy(&note, value, sizeof note);
	if (note.kind != SMB_SHARE_PIPE)
		session_service(h->session, value + sizeof note, len - sizeof note);
	return tree_insert(h, logon, id, (enum smb_share)note.kind, value + sizeof note, len - sizeof note, true);
}

static size_t
tree_key(uint8_t key[12], uint64_t logon, uint32_t id)
{
	memcpy(key, &logon, sizeof logon);
	memcpy(key + sizeof logon, &id, sizeof id);
	return 12;
}

static size_t
note_key(const struct smb *h, uint8_t out[NOTE_KEY_MAX], const char *word, const void *key, size_t len)
{
	static const char prefix[] = "smb.";
	const size_t guids = sizeof h->guid;
	size_t n = sizeof prefix - 1, word_len = strlen(word) + 1;
	memcpy(out, prefix, n);
	memcpy(out + n, word, word_len);
	n += word_len;
	memcpy(out + n, h->guid, guids);
	n += guids;
	if (len > NOTE_KEY_MAX - n)
		len = NOTE_KEY_MAX - n;
	memcpy(out + n, key, len);
	return n + len;
}

static enum note_scope
note_scope(const struct smb *h)
{
	return h->guid_known[0] && h->guid_known[1] ? NOTE_ALL : NOTE_PAIR;
}

/* As Windows counts: 10.0.19041. Others claim to be one of its versions. */
static void
tell_version(struct session *s, const struct smb_token *t)
{
	char text[16];
	int len = snprintf(text, sizeof text, "%u.%u.%u", t->major, t->minor, t->build);
	if (len > 0)
		session_detail(s, t->kind == SMB_TOKEN_CHALLENGE ? "smb.server_version" : "smb.client_version", text,
		        (size_t)len);
}
