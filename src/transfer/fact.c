#include "config.h"

#include "transfer/fact.h"

#include <string.h>

enum {
	WHICH_SHIFT = 28,
	ENTRY_GUESSED = 1u << 27,
	ENTRY_ENCODED = 1u << 26, /* it was not UTF-8: the words of struct origin follow */
	ENTRY_NUMBER = PHRASE_MAX,
	ORIGIN_WORDS = 3,
};

struct origin {
	const char *encoding; /* static */
	uint32_t raw;         /* the bytes as they came; 0: none */
};

static uint32_t find(const struct fact_block *b, enum session_fact which);
static uint32_t words_of(uint32_t entry);
static void take_out(struct fact_block *b, struct fact_store *store, uint32_t at);
static void drop(const struct fact_block *b, struct fact_store *store, uint32_t at);
static struct text read_entry(const struct fact_block *b, const struct fact_store *store, uint32_t at);
static struct origin origin_at(const struct fact_block *b, uint32_t at);
static bool add_origin(struct fact_block *b, struct fact_store *store, const struct text *t);
static bool grow(struct fact_block *b, struct pool *pool, uint32_t more);

void
fact_store_init(struct fact_store *store)
{
	phrases_init(&store->phrases);
	pool_init(&store->pool);
}

void
fact_store_clear(struct fact_store *store)
{
	phrases_clear(&store->phrases);
	pool_clear(&store->pool);
}

void
fact_clear(struct fact_block *b, struct fact_store *store)
{
	for (uint32_t at = 0; at < b->len; at += words_of(b->word[at]))
		drop(b, store, at);
	pool_give(&store->pool, b->word, b->room * sizeof *b->word);
	*b = (struct fact_block){0};
}

bool
fact_has(const struct fact_block *b, enum session_fact which)
{
	return find(b, which) < b->len;
}

struct text
fact_get(const struct fact_block *b, const struct fact_store *store, enum session_fact which)
{
	const uint32_t at = find(b, which);
	return at < b->len ? read_entry(b, store, at) : (struct text){0};
}

int
fact_put(struct fact_block *b, struct fact_store *store, enum session_fact which, const struct text *t)
{
	const uint32_t at = find(b, which);
	if (at < b->len)
		take_out(b, store, at);
	if (t->utf8 == NULL)
		return 0;
	const bool encoded = strcmp(t->encoding, "utf-8") != 0;
	if (!grow(b, &store->pool, 1 + (encoded ? ORIGIN_WORDS : 0)))
		return -1;
	const uint32_t number = phrases_take(&store->phrases, t->utf8, strlen(t->utf8));
	if (number == 0)
		return -1;
	b->word[b->len] = (uint32_t)which << WHICH_SHIFT | (t->guessed ? ENTRY_GUESSED : 0) | number;
	if (encoded && !add_origin(b, store, t)) {
		phrases_drop(&store->phrases, number);
		return -1;
	}
	b->len += words_of(b->word[b->len]);
	return 0;
}

void
fact_read(const struct fact_block *b, const struct fact_store *store, struct facts *out)
{
	for (uint32_t at = 0; at < b->len; at += words_of(b->word[at])) {
		const struct text t = read_entry(b, store, at);
		switch ((enum session_fact)(b->word[at] >> WHICH_SHIFT)) {
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

static uint32_t
find(const struct fact_block *b, enum session_fact which)
{
	uint32_t at = 0;
	while (at < b->len && b->word[at] >> WHICH_SHIFT != (uint32_t)which)
		at += words_of(b->word[at]);
	return at;
}

static uint32_t
words_of(uint32_t entry)
{
	return 1 + ((entry & ENTRY_ENCODED) != 0 ? ORIGIN_WORDS : 0);
}

static void
take_out(struct fact_block *b, struct fact_store *store, uint32_t at)
{
	const uint32_t words = words_of(b->word[at]);
	drop(b, store, at);
	memmove(b->word + at, b->word + at + words, (b->len - at - words) * sizeof *b->word);
	b->len -= words;
}

static void
drop(const struct fact_block *b, struct fact_store *store, uint32_t at)
{
	phrases_drop(&store->phrases, b->word[at] & ENTRY_NUMBER);
	if ((b->word[at] & ENTRY_ENCODED) != 0)
		phrases_drop(&store->phrases, origin_at(b, at).raw);
}

static struct text
read_entry(const struct fact_block *b, const struct fact_store *store, uint32_t at)
{
	struct text t = {.utf8 = phrases_read(&store->phrases, b->word[at] & ENTRY_NUMBER, NULL),
	        .encoding = "utf-8",
	        .guessed = b->word[at] & ENTRY_GUESSED};
	if ((b->word[at] & ENTRY_ENCODED) == 0)
		return t;
	const struct origin o = origin_at(b, at);
	t.encoding = o.encoding;
	if (o.raw != 0)
		t.raw = phrases_read(&store->phrases, o.raw, &t.raw_len);
	return t;
}

static struct origin
origin_at(const struct fact_block *b, uint32_t at)
{
	struct origin o;
	memcpy(&o.encoding, b->word + at + 1, sizeof o.encoding);
	o.raw = b->word[at + ORIGIN_WORDS];
	return o;
}

/* Of the entry behind the last one, which is there already. */
static bool
add_origin(struct fact_block *b, struct fact_store *store, const struct text *t)
{
	const uint32_t raw = t->raw != NULL ? phrases_take(&store->phrases, t->raw, t->raw_len) : 0;
	_Static_assert(sizeof t->encoding <= (ORIGIN_WORDS - 1) * sizeof *b->word, "a pointer fits");
	if (t->raw != NULL && raw == 0)
		return false;
	b->word[b->len] |= ENTRY_ENCODED;
	memcpy(b->word + b->len + 1, &t->encoding, sizeof t->encoding);
	b->word[b->len + ORIGIN_WORDS] = raw;
	return true;
}

static bool
grow(struct fact_block *b, struct pool *pool, uint32_t more)
{
	if (b->len + more <= b->room)
		return true;
	const size_t size = (b->len + more) * sizeof *b->word;
	uint32_t *word = pool_grow(pool, b->word, b->room * sizeof *b->word, size);
	if (word == NULL)
		return false;
	b->word = word;
	b->room = (uint32_t)(pool_room(size) / sizeof *b->word);
	return true;
}
