/*
 * SIP, over UDP and TCP (RFC 3261): who calls with which program, and the files that are offered in it (RFC 5547:
 * file-selector in SDP), which move by MSRP over another connection. Not read: calls, their media, SIP over TLS.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/feed.h"

enum { HEAD_MAX = 8192, PATH_MAX_LEN = 256 };

struct sip {
	struct session *session;
	struct feed feed[2];
	bool lost[2];
};

struct offer { /* of a file, in one section of SDP */
	const uint8_t *selector, *path;
	size_t selector_len, path_len;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t message(struct sip *h, enum side from, const uint8_t *bytes, size_t len, bool datagram);
static void take_head(struct sip *h, enum side from, const uint8_t *head, size_t len);
static void take_sdp(struct sip *h, const uint8_t *sdp, size_t len);
static void take_offer(struct sip *h, const struct offer *o);
static bool header(const uint8_t *head, size_t len, const char *name, const char *compact, const uint8_t **value, size_t *value_len);
static enum verdict probe_half(const uint8_t *bytes, size_t len);

static enum verdict
sip_probe(const struct probe *p)
{
	enum verdict a = probe_half(p->bytes[0], p->len[0]), b = probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_DONE || b == VERDICT_DONE)
		return VERDICT_DONE;
	return a == VERDICT_NOT_MINE || b == VERDICT_NOT_MINE ? VERDICT_NOT_MINE : VERDICT_MORE;
}

/* "SIP/2.0 200 ...", or "INVITE sip:... SIP/2.0" */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	static const char *const verbs[] = {"INVITE ", "REGISTER ", "OPTIONS ", "MESSAGE ", "ACK ", "BYE ", "CANCEL ", "SUBSCRIBE ", "NOTIFY ",
	        "PUBLISH ", "INFO ", "REFER ", "UPDATE ", "PRACK "};

	if (len == 0)
		return VERDICT_MORE;
	if (memcmp(bytes, "SIP/2.0 ", len < 8 ? len : 8) == 0)
		return len < 8 ? VERDICT_MORE : VERDICT_DONE;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		size_t n = strlen(verbs[i]);
		if (memcmp(bytes, verbs[i], len < n ? len : n) != 0)
			continue;
		if (len < n + 4)
			return VERDICT_MORE;
		if (memcmp(bytes + n, "sip:", 4) != 0 && memcmp(bytes + n, "sips", 4) != 0 && memcmp(bytes + n, "tel:", 4) != 0)
			return VERDICT_NOT_MINE;
		const uint8_t *newline = memchr(bytes, '\n', len);
		if (newline == NULL)
			return len > 1024 ? VERDICT_NOT_MINE : VERDICT_MORE;
		return newline - bytes > 9 && memmem(bytes, (size_t)(newline - bytes), " SIP/2.0", 8) != NULL ? VERDICT_DONE : VERDICT_NOT_MINE;
	}
	return VERDICT_NOT_MINE;
}

static void *
sip_open(struct session *s)
{
	struct sip *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
sip_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct sip *h = state;
	if (!h->lost[from] && feed_bytes(&h->feed[from], step, h, from, bytes, len, NULL) != FEED_MORE)
		h->lost[from] = true;
	return VERDICT_MORE;
}

static enum verdict
sip_datagram(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	if (probe_half(bytes, len) == VERDICT_DONE)
		(void)message(state, from, bytes, len, true);
	return VERDICT_MORE;
}

static enum verdict
sip_gap(void *state, enum side from, uint64_t len)
{
	struct sip *h = state;
	(void)len;
	feed_gap(&h->feed[from]);
	return VERDICT_MORE;
}

static void
sip_close(void *state, bool reset)
{
	struct sip *h = state;
	(void)reset;
	feed_clear(&h->feed[0]);
	feed_clear(&h->feed[1]);
	free(h);
}

static bool
sip_finished(const void *state)
{
	(void)state;
	return true;
}

#define SIP_WORDS \
	.reads = "accounts and programs; files that are offered with name and size, which MSRP then carries", \
	.infers = "", .misses = "calls and their media; SIP over TLS"

const struct proto proto_sip = {
        .name = "sip",
        .transport = IPPROTO_TCP,
        .ports = {5060},
        SIP_WORDS,
        .probe = sip_probe,
        .open = sip_open,
        .data = sip_data,
        .gap = sip_gap,
        .end = NULL,
        .close = sip_close,
        .finished = sip_finished,
};

const struct proto proto_sip_udp = {
        .name = "sip",
        .transport = IPPROTO_UDP,
        .ports = {5060},
        SIP_WORDS,
        .probe = sip_probe,
        .open = sip_open,
        .data = sip_datagram,
        .gap = sip_gap,
        .end = NULL,
        .close = sip_close,
        .finished = sip_finished,
};

/* A message, or what is between them: line ends that keep a connection open. */
static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct sip *h = ctx;
	size_t text;

	if (bytes[0] == '\r' || bytes[0] == '\n')
		return 1;
	switch (probe_half(bytes, len)) {
	case VERDICT_DONE:
		return message(h, from, bytes, len, false);
	case VERDICT_MORE:
		return STEP_MORE;
	default: /* behind a gap: line by line, until one begins a message */
		return feed_line(bytes, len, &text);
	}
}

static size_t
message(struct sip *h, enum side from, const uint8_t *bytes, size_t len, bool datagram)
{
	const uint8_t *end = memmem(bytes, len, "\r\n\r\n", 4), *value;
	size_t value_len;
	uint64_t body = 0;

	if (end == NULL)
		return STEP_MORE;
	size_t head = (size_t)(end - bytes) + 2;
	bool sized = header(bytes, head, "Content-Length", "l", &value, &value_len) && text_to_u64(value, value_len, &body) == 0;
	size_t room = len - head - 2;
	if (datagram && (!sized || body > room))
		body = room;
	if (body > FEED_MAX - HEAD_MAX)
		return STEP_LOST;
	if (body > room)
		return STEP_MORE;
	take_head(h, from, bytes, head);
	if (header(bytes, head, "Content-Type", "c", &value, &value_len) && text_prefix_nocase(value, value_len, "application/sdp"))
		take_sdp(h, bytes + head + 2, (size_t)body);
	return head + 2 + (size_t)body;
}

static void
take_head(struct sip *h, enum side from, const uint8_t *head, size_t len)
{
	const uint8_t *value;
	size_t n;
	bool request = memcmp(head, "SIP/2.0 ", len < 8 ? len : 8) != 0;

	if (request && header(head, len, "From", "f", &value, &n)) {
		const uint8_t *open = memchr(value, '<', n), *stop = open != NULL ? memchr(open, '>', n - (size_t)(open - value)) : NULL;
		if (stop != NULL && !session_has_fact(h->session, SESSION_USER))
			session_account(h->session, open + 1, (size_t)(stop - open) - 1);
	}
	if (header(head, len, "User-Agent", NULL, &value, &n) || header(head, len, "Server", NULL, &value, &n))
		(from == SIDE_SOURCE ? session_client : session_server)(h->session, value, n);
}

/* Sections that begin with m=; of those for messages the path and the file. */
static void
take_sdp(struct sip *h, const uint8_t *sdp, size_t len)
{
	struct offer o = {0};
	size_t text;

	for (size_t n; len > 0; sdp += n, len -= n) {
		n = feed_line(sdp, len, &text);
		if (n == 0)
			n = text = len;
		if (text_prefix_nocase(sdp, text, "m=")) {
			take_offer(h, &o);
			o = (struct offer){0};
		} else if (text_prefix_nocase(sdp, text, "a=file-selector:")) {
			o.selector = sdp + 16;
			o.selector_len = text - 16;
		} else if (text_prefix_nocase(sdp, text, "a=path:")) {
			o.path = sdp + 7;
			o.path_len = text - 7;
		}
	}
	take_offer(h, &o);
}

/* name:"a b.txt" type:text/plain size:123 hash:... for the MSRP session that its path names. */
static void
take_offer(struct sip *h, const struct offer *o)
{
	static const char prefix[] = "msrp.path:";
	const uint8_t *name = o->selector != NULL ? memmem(o->selector, o->selector_len, "name:\"", 6) : NULL;
	const uint8_t *size = o->selector != NULL ? memmem(o->selector, o->selector_len, "size:", 5) : NULL;
	uint8_t key[sizeof prefix - 1 + PATH_MAX_LEN], plain[PATH_MAX_LEN];

	if (name == NULL || o->path == NULL)
		return;
	name += 6;
	size_t left = o->selector_len - (size_t)(name - o->selector), name_len = 0, path_len = 0;
	while (name_len < left && name[name_len] != '"')
		name_len++;
	/* The last path is the one that ends here; its session is before the parameters. */
	while (path_len < o->path_len && o->path[path_len] != ';' && o->path[path_len] != ' ')
		path_len++;
	if (name_len == 0 || name_len > sizeof plain || path_len > PATH_MAX_LEN)
		return;
	size_t n = text_percent_decode(plain, name, name_len);
	session_detail(h->session, "sip.file", plain, n);
	memcpy(key, prefix, sizeof prefix - 1);
	memcpy(key + sizeof prefix - 1, o->path, path_len);
	(void)session_note(h->session, NOTE_ALL, key, sizeof prefix - 1 + path_len, plain, n);
	if (size != NULL) {
		size_t digits = 0;
		size += 5;
		while (digits < o->selector_len - (size_t)(size - o->selector) && size[digits] >= '0' && size[digits] <= '9')
			digits++;
		uint64_t bytes;
		if (text_to_u64(size, digits, &bytes) == 0)
			session_detail_number(h->session, "sip.file_size", bytes);
	}
}

/* The first header with this name, or its compact form; the start line is none. */
static bool
header(const uint8_t *head, size_t len, const char *name, const char *compact, const uint8_t **value, size_t *value_len)
{
	size_t text, n;
	bool first = true;

	for (; len > 0 && (n = feed_line(head, len, &text)) > 0; head += n, len -= n, first = false) {
		const uint8_t *colon = memchr(head, ':', text);
		if (first || colon == NULL)
			continue;
		const uint8_t *word = head;
		size_t word_len = (size_t)(colon - head);
		text_trim(&word, &word_len);
		if (!text_equal_nocase(word, word_len, name) && (compact == NULL || !text_equal_nocase(word, word_len, compact)))
			continue;
		*value = colon + 1;
		*value_len = text - (size_t)(colon + 1 - head);
		text_trim(value, value_len);
		return true;
	}
	return false;
}
