#include "config.h"

#include "transfer/fact.h"

#include <string.h>

enum {
	ENTRY_GUESSED = 1u << 0,
	ENTRY_ENCODED = 1u << 1, /* it was not UTF-8: its encoding and the bytes as they came follow */
};

/* Followed by the UTF-8 text, a zero, and then, where ENTRY_ENCODED says so, struct origin and the raw bytes. Not aligned. */
struct entry {
	uint8_t which;
	uint8_t flags;
	uint16_t len;
};

struct origin {
	const char *encoding; /* static */
	uint16_t raw_len;
};

static uint32_t find(const struct fact_block *b, enum session_fact which, uint32_t *size);
static uint32_t entry_at(const struct fact_block *b, uint32_t at, enum session_fact *which, struct text *t);
static bool grow(struct fact_block *b, struct pool *pool, size_t more);
static void add(struct fact_block *b, const void *bytes, size_t len);

void
fact_clear(struct fact_block *b, struct pool *pool)
{
	pool_give(pool, b->bytes, b->room);
	*b = (struct fact_block){0};
}

struct text
fact_get(const struct fact_block *b, enum session_fact which)
{
	struct text t = {0};
	uint32_t size, at = find(b, which, &size);
	if (at < b->len)
		(void)entry_at(b, at, &which, &t);
	return t;
}

int
fact_put(struct fact_block *b, struct pool *pool, enum session_fact which, const struct text *t)
{
	uint32_t size, at = find(b, which, &size);
	if (at < b->len) {
		memmove(b->bytes + at, b->bytes + at + size, b->len - at - size);
		b->len -= size;
	}
	if (t->utf8 == NULL)
		return 0;
	const size_t len = strlen(t->utf8);
	const bool encoded = strcmp(t->encoding, "utf-8") != 0;
	if (len > UINT16_MAX || t->raw_len > UINT16_MAX)
		return -1;
	struct entry e = {.which = (uint8_t)which, .len = (uint16_t)len};
	e.flags = (uint8_t)((t->guessed ? ENTRY_GUESSED : 0) | (encoded ? ENTRY_ENCODED : 0));
	if (!grow(b, pool, sizeof e + len + 1 + (encoded ? sizeof(struct origin) + t->raw_len : 0)))
		return -1;
	add(b, &e, sizeof e);
	add(b, t->utf8, len + 1);
	if (encoded) {
		struct origin o = {.encoding = t->encoding, .raw_len = (uint16_t)t->raw_len};
		add(b, &o, sizeof o);
		add(b, t->raw, t->raw_len);
	}
	return 0;
}

void
fact_read(const struct fact_block *b, struct facts *out)
{
	enum session_fact which;
	struct text t;
	for (uint32_t at = 0; at < b->len;) {
		at += entry_at(b, at, &which, &t);
		switch (which) {
		case SESSION_USER: out->user = t; break;
		case SESSION_SERVICE: out->service = t; break;
		case SESSION_CLIENT: out->client = t; break;
		case SESSION_SERVER: out->server = t; break;
		case SESSION_LANGUAGE: out->client_language = t.utf8; break;
		case SESSION_TLS_NAME: out->tls.server_name = t.utf8; break;
		case SESSION_TLS_JA3: out->tls.ja3 = t.utf8; break;
		case SESSION_TLS_JA4: out->tls.ja4 = t.utf8; break;
		case SESSION_TLS_JA3S: out->tls.ja3s = t.utf8; break;
		case SESSION_TLS_CIPHER: out->tls.cipher = t.utf8; break;
		case SESSION_TLS_ALPN: out->tls.alpn = t.utf8; break;
		case SESSION_TLS_VERSION: out->tls.version = t.utf8; break;
		case SESSION_RESOLVED: out->resolved = t.utf8; break;
		case SESSION_SSH_HASSH: out->ssh.hassh = t.utf8; break;
		case SESSION_SSH_HASSH_SERVER: out->ssh.hassh_server = t.utf8; break;
		}
	}
}

/* Where the entry is, with its size; the block's length: nowhere. */
static uint32_t
find(const struct fact_block *b, enum session_fact which, uint32_t *size)
{
	enum session_fact found;
	struct text t;
	uint32_t at = 0;
	while (at < b->len) {
		*size = entry_at(b, at, &found, &t);
		if (found == which)
			break;
		at += *size;
	}
	return at;
}

/* Reads an entry; its size. */
static uint32_t
entry_at(const struct fact_block *b, uint32_t at, enum session_fact *which, struct text *t)
{
	const uint8_t *bytes = b->bytes + at;
	struct entry e;
	struct origin o;
	memcpy(&e, bytes, sizeof e);
	*which = (enum session_fact)e.which;
	*t = (struct text){.utf8 = (const char *)bytes + sizeof e, .encoding = "utf-8",
	        .guessed = e.flags & ENTRY_GUESSED};
	uint32_t size = (uint32_t)sizeof e + e.len + 1;
	if ((e.flags & ENTRY_ENCODED) == 0)
		return size;
	memcpy(&o, bytes + size, sizeof o);
	size += (uint32_t)sizeof o;
	t->encoding = o.encoding;
	t->raw = o.raw_len > 0 ? bytes + size : NULL;
	t->raw_len = o.raw_len;
	return size + o.raw_len;
}

static bool
grow(struct fact_block *b, struct pool *pool, size_t more)
{
	if (b->len + more <= b->room)
		return true;
	uint8_t *bytes = pool_grow(pool, b->bytes, b->room, b->len + more);
	if (bytes == NULL)
		return false;
	b->bytes = bytes;
	b->room = (uint32_t)pool_room(b->len + more);
	return true;
}

static void
add(struct fact_block *b, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += (uint32_t)len;
}
