/*
 * The rsync daemon protocol: module, user, options, file list, and each file that moves. It has no
 * specification; rsync's own sources are one (clientserver.c, compat.c, io.c). The parts:
 *   rsync_option   the client's arguments        rsync_sender   the files, as tokens
 *   rsync_list     the file list
 *
 * Protocol 27 to 32, over TCP. Not read: what a daemon sends of itself (module lists), block sums and what else
 * the receiver sends, files behind an option that changes their list (ACLs, extended attributes, access times).
 * rsync over SSH is SSH's.
 */
#include "config.h"

#include "proto/rsync.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
	MULTIPLEX_BASE = 7, /* the tag of data; other messages have higher ones */
	NAMES_TOLD = 32,    /* in the file list, where no file moves */
	NEGOTIATION_MAX = 256,
};

enum step {
	STEP_GREETING,
	STEP_MODULE,    /* client: its name; server: lines up to OK */
	STEP_ARGS,      /* client */
	STEP_SETUP,     /* server: compatibility flags; client: nothing */
	STEP_CHECKSUMS, /* names that this end knows */
	STEP_COMPRESSORS,
	STEP_SEED,      /* server */
	STEP_HEADER,    /* of multiplexed data */
	STEP_FRAME,
	STEP_PLAIN,     /* data without multiplexing */
	STEP_SKIP,      /* nothing more is read */
};

struct half {
	enum step step;
	struct feed feed;
	unsigned version;
	uint32_t left;   /* of the frame */
	bool data;       /* it is one of data */
	uint8_t sums[NEGOTIATION_MAX];
	size_t sums_len;
};

struct rsync {
	struct session *session;
	enum side client;
	bool client_known;
	bool wants_login;
	struct half half[2];
	struct rsync_options options;
	struct rsync_sender sender;
	bool sends;        /* sender is in use */
	bool args_again;   /* the real ones come next (--secluded-args) */
	bool arg_seen;
	bool recurse, varint, id0_names;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t line_step(struct rsync *h, enum side from, const uint8_t *bytes, size_t len);
static bool server_line(struct rsync *h, const uint8_t *text, size_t len);
static bool client_line(struct rsync *h, const uint8_t *text, size_t len);
static size_t arg_step(struct rsync *h, const uint8_t *bytes, size_t len);
static void args_end(struct rsync *h);
static size_t setup_step(struct rsync *h, struct half *half, struct reader r);
static size_t names_step(struct rsync *h, enum side from, struct reader r);
static void after_names(struct rsync *h, enum side from);
static size_t header_step(struct half *half, struct reader r);
static bool content(struct rsync *h, enum side from, const uint8_t *bytes, size_t len);
static bool sender_open(struct rsync *h, enum side from);
static unsigned protocol_of(const struct rsync *h);
static unsigned sum_size(const struct rsync *h);
static void tell_list(struct rsync *h);
static bool greets(const uint8_t *bytes, size_t len);

/* Both ends begin with the same words. */
static enum verdict
rsync_probe(const struct probe *p)
{
	static const char word[] = "@RSYNCD: ";
	for (size_t side = 0; side < 2; side++) {
		size_t n = p->len[side] < 9 ? p->len[side] : 9;
		if (n == 0)
			continue;
		if (memcmp(p->bytes[side], word, n) != 0)
			return VERDICT_NOT_MINE;
		if (n == 9 && p->len[side] > 9)
			return p->bytes[side][9] >= '0' && p->bytes[side][9] <= '9' ? VERDICT_DONE : VERDICT_NOT_MINE;
	}
	return VERDICT_MORE;
}

static void *
rsync_open(struct session *s)
{
	struct rsync *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	h->sender.session = s;
	return h;
}

static enum verdict
rsync_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct rsync *h = state;
	struct half *half = &h->half[from];

	if (half->step != STEP_SKIP && feed_bytes(&half->feed, step, h, from, bytes, len, NULL) != FEED_MORE)
		half->step = STEP_SKIP;
	return VERDICT_MORE;
}

static enum verdict
rsync_gap(void *state, enum side from, uint64_t len)
{
	struct rsync *h = state;
	struct half *half = &h->half[from];

	feed_gap(&half->feed);
	bool inside = half->step == STEP_PLAIN || (half->step == STEP_FRAME && len <= half->left);
	if (!inside) {
		half->step = STEP_SKIP;
		if (h->sends && h->sender.side == from)
			rsync_sender_gap(&h->sender, UINT64_MAX);
		return VERDICT_MORE;
	}
	bool data = half->step == STEP_PLAIN || half->data;
	if (half->step == STEP_FRAME) {
		half->left -= (uint32_t)len;
		half->step = half->left == 0 ? STEP_HEADER : STEP_FRAME;
	}
	if (data && h->sends && h->sender.side == from)
		rsync_sender_gap(&h->sender, len);
	return VERDICT_MORE;
}

static void
rsync_close(void *state, bool reset)
{
	struct rsync *h = state;

	if (h->sends) {
		tell_list(h);
		rsync_sender_close(&h->sender, reset);
	}
	rsync_list_clear(h->sender.lists);
	for (size_t side = 0; side < 2; side++)
		feed_clear(&h->half[side].feed);
	free(h);
}

static bool
rsync_finished(const void *state)
{
	const struct rsync *h = state;
	return !h->sends || h->sender.transfer == NULL;
}

const struct proto proto_rsync = {
        .name = "rsync",
        .transport = IPPROTO_TCP,
        .ports = {873},
        .reads = "daemon sessions: module, user, options, the file list, and each file sent with path, size and direction; "
                 "content and SHA-256 of files that are sent whole; of others the bytes sent, and how many the receiver had already",
        .infers = "",
        .misses = "content of files sent as differences or compressed; sessions with ACLs, extended attributes or access times "
                  "are told without their files; rsync over SSH",
        .probe = rsync_probe,
        .open = rsync_open,
        .data = rsync_data,
        .gap = rsync_gap,
        .end = NULL,
        .close = rsync_close,
        .finished = rsync_finished,
};

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct rsync *h = ctx;
	struct half *half = &h->half[from];

	switch (half->step) {
	case STEP_GREETING:
	case STEP_MODULE:
		return line_step(h, from, bytes, len);
	case STEP_ARGS:
		return arg_step(h, bytes, len);
	case STEP_SETUP:
		return setup_step(h, half, reader_init(bytes, len));
	case STEP_CHECKSUMS:
	case STEP_COMPRESSORS:
		return names_step(h, from, reader_init(bytes, len));
	case STEP_SEED: /* of the block sums */
		if (len < 4)
			return STEP_MORE;
		half->step = STEP_HEADER;
		return 4;
	case STEP_HEADER:
		return header_step(half, reader_init(bytes, len));
	case STEP_FRAME: {
		size_t n = len < half->left ? len : half->left;
		half->left -= (uint32_t)n;
		if (half->left == 0)
			half->step = STEP_HEADER;
		return !half->data || content(h, from, bytes, n) ? n : STEP_LOST;
	}
	case STEP_PLAIN:
		return content(h, from, bytes, len) ? len : STEP_LOST;
	case STEP_SKIP:
		break;
	}
	return STEP_LOST;
}

static size_t
line_step(struct rsync *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	size_t text, n = feed_line(bytes, len, &text);
	uint64_t version;

	/* Arguments that end in zeros are told from the answer to a challenge by how they begin. */
	if (half->step == STEP_MODULE && h->client_known && from == h->client && h->arg_seen) {
		size_t look = len < 8 ? len : 8;
		if (memcmp(bytes, "--server", look) == 0) {
			half->step = look == 8 ? STEP_ARGS : STEP_MODULE;
			return look == 8 ? arg_step(h, bytes, len) : STEP_MORE;
		}
	}
	if (n == 0)
		return STEP_MORE;
	if (half->step == STEP_GREETING) {
		if (!greets(bytes, text))
			return STEP_LOST;
		size_t end = 9;
		while (end < text && bytes[end] >= '0' && bytes[end] <= '9')
			end++;
		if (text_to_u64(bytes + 9, end - 9, &version) != 0 || version > 99)
			return STEP_LOST;
		half->version = (unsigned)version;
		half->step = STEP_MODULE;
		if (from == SIDE_DESTINATION || h->client_known)
			session_server(h->session, bytes, text);
		return n;
	}
	/* Only the client speaks without the sign again. */
	if (!h->client_known) {
		h->client = text > 0 && bytes[0] == '@' ? side_other(from) : from == SIDE_SOURCE ? from : SIDE_SOURCE;
		h->client_known = true;
		session_client_end(h->session, h->client);
	}
	bool fine = from == h->client ? client_line(h, bytes, text) : server_line(h, bytes, text);
	return fine ? n : STEP_LOST;
}

static bool
greets(const uint8_t *bytes, size_t len)
{
	return len > 9 && memcmp(bytes, "@RSYNCD: ", 9) == 0;
}

/* A message of the day, a challenge, OK, or the end. */
static bool
server_line(struct rsync *h, const uint8_t *text, size_t len)
{
	struct half *half = &h->half[side_other(h->client)];

	if (len > 10 && memcmp(text, "@RSYNCD: AUTHREQD", len < 17 ? len : 17) == 0)
		h->wants_login = true;
	if (len >= 6 && memcmp(text, "@ERROR", 6) == 0) {
		session_detail(h->session, "rsync.error", text, len);
		return false;
	}
	if (len == 11 && memcmp(text, "@RSYNCD: OK", 11) == 0)
		half->step = protocol_of(h) >= 30 ? STEP_SETUP : STEP_SEED;
	return len != 13 || memcmp(text, "@RSYNCD: EXIT", 13) != 0;
}

/* The module's name, then the answer to a challenge: a user and a hash. */
static bool
client_line(struct rsync *h, const uint8_t *text, size_t len)
{
	const uint8_t *space = memchr(text, ' ', len);

	if (h->arg_seen) {
		if (space != NULL)
			session_account(h->session, text, (size_t)(space - text));
		h->half[h->client].step = STEP_ARGS;
		return true;
	}
	h->arg_seen = true;
	if (len == 0 || text[0] == '#') /* a list of modules, or what the server need not know */
		return len == 0 || text_prefix_nocase(text, len, "#early_input");
	session_service(h->session, text, len);
	session_detail(h->session, "rsync.module", text, len);
	return true;
}

/* Arguments, each behind it a zero, or before protocol 30 a line end; an empty one is the last. */
static size_t
arg_step(struct rsync *h, const uint8_t *bytes, size_t len)
{
	const uint8_t *end = memchr(bytes, protocol_of(h) >= 30 ? '\0' : '\n', len);
	if (end == NULL)
		return STEP_MORE;
	size_t n = (size_t)(end - bytes);
	if (n == 0)
		args_end(h);
	else
		rsync_option(&h->options, bytes, n);
	return n + 1;
}

static void
args_end(struct rsync *h)
{
	struct rsync_options *o = &h->options;

	if (o->secluded && !h->args_again) {
		*o = (struct rsync_options){0};
		h->args_again = true;
		return;
	}
	if (o->path_len > 0)
		session_detail(h->session, "rsync.path", o->path, o->path_len);
	const char *direction = o->sender ? "download" : "upload";
	session_detail(h->session, "rsync.direction", direction, strlen(direction));
	if (o->dry_run)
		session_detail(h->session, "rsync.dry_run", "true", 4);
	h->half[h->client].step = protocol_of(h) < 30 ? STEP_PLAIN : STEP_SETUP;
}

/* The server's flags (compat.c: CF_*) say what both ends do next. */
static size_t
setup_step(struct rsync *h, struct half *half, struct reader r)
{
	const uint8_t *start = r.next;
	const struct rsync_options *o = &h->options;
	struct half *client = &h->half[h->client];

	if (half == client)
		return STEP_MORE; /* the server speaks first */
	uint32_t flags = (uint32_t)rsync_varint(&r);
	if (!reader_ok(&r))
		return STEP_MORE;
	if (client->step != STEP_SETUP)
		return STEP_LOST; /* the client's arguments were not seen */
	h->recurse = (flags & 1) != 0;
	h->varint = (flags & 0x80) != 0 && o->negotiates;
	h->id0_names = (flags & 0x100) != 0;
	half->step = STEP_SEED;
	client->step = STEP_HEADER;
	if (h->varint && !o->says_checksum)
		half->step = client->step = STEP_CHECKSUMS;
	else if (h->varint && o->compress && !o->says_compress)
		half->step = client->step = STEP_COMPRESSORS;
	return (size_t)(r.next - start);
}

/* "xxh128 xxh3 md5": what this end can, the best first (compat.c, negotiate_the_strings). */
static size_t
names_step(struct rsync *h, enum side from, struct reader r)
{
	struct half *half = &h->half[from];
	const uint8_t *start = r.next;
	size_t n = reader_u8(&r);

	if ((n & 0x80) != 0)
		n = (n & 0x7f) << 8 | reader_u8(&r);
	const uint8_t *names = reader_take(&r, n);
	if (names == NULL)
		return STEP_MORE;
	if (n > NEGOTIATION_MAX)
		return STEP_LOST;
	if (half->step == STEP_CHECKSUMS) {
		memcpy(half->sums, names, n);
		half->sums_len = n;
	}
	after_names(h, from);
	return (size_t)(r.next - start);
}

static void
after_names(struct rsync *h, enum side from)
{
	struct half *half = &h->half[from];
	const struct rsync_options *o = &h->options;

	if (half->step == STEP_CHECKSUMS && o->compress && !o->says_compress)
		half->step = STEP_COMPRESSORS;
	else
		half->step = from == h->client ? STEP_HEADER : STEP_SEED;
}

/* io.c: a tag and 24 bits of length. */
static size_t
header_step(struct half *half, struct reader r)
{
	uint32_t head = reader_le32(&r);

	if (!reader_ok(&r))
		return STEP_MORE;
	if (head >> 24 < MULTIPLEX_BASE)
		return STEP_LOST;
	half->data = head >> 24 == MULTIPLEX_BASE;
	half->left = head & 0xffffff;
	half->step = half->left > 0 ? STEP_FRAME : STEP_HEADER;
	return 4;
}

/* False: nothing more of this side is wanted. */
static bool
content(struct rsync *h, enum side from, const uint8_t *bytes, size_t len)
{
	enum side sender = h->options.sender ? side_other(h->client) : h->client;

	if (from != sender || (!h->sends && !sender_open(h, from)))
		return false;
	return rsync_sender_bytes(&h->sender, bytes, len);
}

static bool
sender_open(struct rsync *h, enum side from)
{
	struct rsync_sender *s = &h->sender;

	s->lists = calloc(1, sizeof *s->lists);
	if (s->lists == NULL)
		return false;
	h->sends = true;
	s->side = from;
	s->sum_size = sum_size(h);
	s->compressed = h->options.compress;
	s->format = (struct rsync_format){.options = &h->options,
	        .protocol = protocol_of(h),
	        .varint_flags = h->varint,
	        .recurse = h->recurse,
	        .id0_names = h->id0_names,
	        .sum_size = s->sum_size};
	session_detail_number(h->session, "rsync.protocol", s->format.protocol);
	if (s->compressed)
		session_detail(h->session, "rsync.compressed", "true", 4);
	rsync_sender_open(s);
	return true;
}

static unsigned
protocol_of(const struct rsync *h)
{
	unsigned a = h->half[0].version, b = h->half[1].version;
	return a < b ? a : b;
}

/* The first of the client's that the server knows as well. */
static unsigned
sum_size(const struct rsync *h)
{
	const struct half *c = &h->half[h->client], *s = &h->half[side_other(h->client)];
	struct reader r = reader_init(c->sums, c->sums_len);

	if (h->options.says_checksum)
		return h->options.says_sum_size;
	if (!h->varint)
		return 16; /* MD5, before protocol 30 MD4 */
	while (r.left > 0) {
		const uint8_t *name = r.next, *space = memchr(name, ' ', r.left);
		size_t n = space != NULL ? (size_t)(space - name) : r.left;
		for (size_t at = 0; at + n <= s->sums_len; at++)
			if (memcmp(s->sums + at, name, n) == 0 && (at == 0 || s->sums[at - 1] == ' ') &&
			        (at + n == s->sums_len || s->sums[at + n] == ' '))
				return rsync_sum_size(name, n);
		reader_skip(&r, space != NULL ? n + 1 : n);
	}
	return 0;
}

/* How much the lists hold, and where none of it moved (so far), names in them. */
static void
tell_list(struct rsync *h)
{
	const struct rsync_lists *l = h->sender.lists;

	session_detail_number(h->session, "rsync.files", l->files);
	session_detail_number(h->session, "rsync.bytes", l->bytes);
	for (size_t i = 0; !h->sender.moved && i < l->entries && i < NAMES_TOLD; i++)
		if (l->entry[i].regular)
			session_detail(h->session, "rsync.file", l->pool + l->entry[i].name, l->entry[i].name_len);
}
