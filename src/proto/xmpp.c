/*
 * XMPP: accounts and servers (RFC 6120), and files: offers by stream initiation (XEP-0096) and Jingle (XEP-0234), their
 * content in-band (XEP-0047) or over SOCKS 5 bytestreams (XEP-0065, 0260), which come over other connections. Behind
 * STARTTLS all is TLS's. Not read: what is said; uploads by HTTP, which are told there.
 *
 * Tags and text are looked at as they stream by; no tree is built.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/feed.h"
#include "proto/handoff.h"

enum { OFFERS_MAX = 8, SID_MAX = 128, FILE_NAME_MAX = 512, TEXT_MAX = 512, QUAD = 4, HOST_MAX = 46, ACCOUNT_MAX = 128 };

struct offer {
	uint8_t sid[SID_MAX];
	size_t sid_len;
	uint8_t name[FILE_NAME_MAX];
	size_t name_len;
	bool sized;
	uint64_t size;
	struct handoff *handoff;
	struct transfer *transfer; /* in-band */
	enum side sender;
};

enum wanted { WANT_NOTHING, WANT_NAME, WANT_SIZE, WANT_JID, WANT_AUTH, WANT_DATA };

struct half {
	struct feed feed;
	bool lost;
	enum wanted wanted;     /* what the text at hand is */
	uint8_t text[TEXT_MAX];
	size_t text_len;
	uint8_t quad[QUAD];     /* of Base64 */
	size_t quad_len;
	struct offer *offer;    /* of the stanza at hand */
	struct offer told;      /* name and size in it, before its stream is known */
};

struct xmpp {
	struct session *session;
	struct half half[2];
	struct offer offer[OFFERS_MAX]; /* the oldest is replaced */
	size_t offers;
	uint8_t account[ACCOUNT_MAX];
	size_t account_len;
	bool tls;               /* follows */
};

struct tag {
	const uint8_t *name, *bytes; /* all of it, without < and > */
	size_t name_len, len;
	bool closes, empty;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static void take_tag(struct xmpp *h, enum side from, const struct tag *t);
static void take_end(struct xmpp *h, enum side from, const struct tag *t);
static void take_stream_sid(struct xmpp *h, enum side from, const struct tag *t);
static void take_host(struct xmpp *h, enum side from, const struct tag *t);
static void take_text(struct xmpp *h, enum side from, const uint8_t *bytes, size_t len);
static void take_data(struct xmpp *h, enum side from, const uint8_t *bytes, size_t len);
static void finish_text(struct xmpp *h, enum side from);
static void begin_in_band(struct xmpp *h, struct offer *o, enum side from);
static void take_account(struct xmpp *h, const uint8_t *bytes, size_t len);
static struct offer *find_offer(struct xmpp *h, const uint8_t *sid, size_t len, bool add);
static void clear_offer(struct offer *o, enum transfer_state state);
static bool attribute(const struct tag *t, const char *name, const uint8_t **value, size_t *len);
static bool is(const struct tag *t, const char *name);
static bool in(const struct tag *t, const char *word);
static size_t unescape(uint8_t *out, const uint8_t *bytes, size_t len, size_t max);
static enum verdict probe_half(const uint8_t *bytes, size_t len);

static enum verdict
xmpp_probe(const struct probe *p)
{
	enum verdict a = probe_half(p->bytes[0], p->len[0]), b = probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_DONE || b == VERDICT_DONE)
		return VERDICT_DONE;
	return a == VERDICT_NOT_MINE || b == VERDICT_NOT_MINE ? VERDICT_NOT_MINE : VERDICT_MORE;
}

/* A stream begins, perhaps behind an XML declaration. */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return VERDICT_MORE;
	size_t n = len < 5 ? len : 5, s = len < 14 ? len : 14;
	bool xml = memcmp(bytes, "<?xml", n) == 0;
	if (!xml && memcmp(bytes, "<stream:stream", s) != 0)
		return VERDICT_NOT_MINE;
	const uint8_t *stream = memmem(bytes, len, "<stream:stream", 14);
	if (stream != NULL && memmem(stream, len - (size_t)(stream - bytes), "http://etherx.jabber.org/streams", 32) != NULL)
		return VERDICT_DONE;
	return len > 1024 ? VERDICT_NOT_MINE : VERDICT_MORE;
}

static void *
xmpp_open(struct session *s)
{
	struct xmpp *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
xmpp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct xmpp *h = state;
	size_t unused = 0;

	if (h->half[from].lost)
		return VERDICT_MORE;
	enum feed_result result = feed_bytes(&h->half[from].feed, step, h, from, bytes, len, &unused);
	if (h->tls) {
		session_switch(h->session, result == FEED_STOP ? unused : 0);
		return VERDICT_SWITCH;
	}
	h->half[from].lost = result != FEED_MORE;
	return VERDICT_MORE;
}

/* Behind it the next tag is as good as any; what it cut is not. */
static enum verdict
xmpp_gap(void *state, enum side from, uint64_t len)
{
	struct xmpp *h = state;
	struct half *half = &h->half[from];

	feed_gap(&half->feed);
	if (half->wanted == WANT_DATA && half->offer != NULL) {
		transfer_skip(half->offer->transfer, len / 4 * 3);
		transfer_end(half->offer->transfer, TRANSFER_TRUNCATED);
		half->offer->transfer = NULL;
		half->offer->sid_len = 0;
	}
	half->wanted = WANT_NOTHING;
	half->offer = NULL;
	return VERDICT_MORE;
}

static void
xmpp_close(void *state, bool reset)
{
	struct xmpp *h = state;
	for (size_t i = 0; i < OFFERS_MAX; i++)
		clear_offer(&h->offer[i], reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	feed_clear(&h->half[0].feed);
	feed_clear(&h->half[1].feed);
	free(h);
}

static bool
xmpp_finished(const void *state)
{
	const struct xmpp *h = state;
	for (size_t i = 0; i < OFFERS_MAX; i++)
		if (h->offer[i].transfer != NULL)
			return false;
	return true;
}

const struct proto proto_xmpp = {
        .name = "xmpp",
        .transport = IPPROTO_TCP,
        .ports = {5222, 5269},
        .reads = "account and server; files that are offered, with name and size, and their content in-band or over SOCKS 5 bytestreams",
        .infers = "",
        .misses = "what is said; all behind STARTTLS, which is the rule; uploads by HTTP are told as HTTP or TLS",
        .probe = xmpp_probe,
        .open = xmpp_open,
        .data = xmpp_data,
        .gap = xmpp_gap,
        .end = NULL,
        .close = xmpp_close,
        .finished = xmpp_finished,
};

/* A tag, or text as it comes. */
static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct xmpp *h = ctx;
	uint8_t quote = 0;
	size_t n = 1;

	if (h->tls)
		return STEP_STOP;
	if (bytes[0] != '<') {
		const uint8_t *next = memchr(bytes, '<', len);
		n = next != NULL ? (size_t)(next - bytes) : len;
		take_text(h, from, bytes, n);
		return n;
	}
	for (; n < len && (quote != 0 || bytes[n] != '>'); n++) {
		if (quote != 0)
			quote = bytes[n] == quote ? 0 : quote;
		else if (bytes[n] == '"' || bytes[n] == '\'')
			quote = bytes[n];
	}
	if (n >= len)
		return STEP_MORE;
	struct tag t = {.bytes = bytes + 1, .len = n - 1};
	t.closes = t.len > 0 && t.bytes[0] == '/';
	t.empty = t.len > 0 && t.bytes[t.len - 1] == '/';
	t.name = t.bytes + (t.closes ? 1 : 0);
	while (t.name + t.name_len < bytes + n && t.name[t.name_len] > ' ' && t.name[t.name_len] != '/')
		t.name_len++;
	const uint8_t *colon = t.name_len > 0 ? memchr(t.name, ':', t.name_len) : NULL;
	if (colon != NULL) {
		t.name_len -= (size_t)(colon + 1 - t.name);
		t.name = colon + 1;
	}
	if (t.closes)
		take_end(h, from, &t);
	else
		take_tag(h, from, &t);
	return n + 1;
}

static void
take_tag(struct xmpp *h, enum side from, const struct tag *t)
{
	struct half *half = &h->half[from];
	const uint8_t *value;
	size_t n;

	if (t->empty || half->wanted != WANT_NOTHING)
		half->wanted = WANT_NOTHING;
	half->text_len = 0;
	if (is(t, "stream") && attribute(t, "to", &value, &n) && from == SIDE_SOURCE) {
		session_service(h->session, value, n);
	} else if (is(t, "proceed") && in(t, "urn:ietf:params:xml:ns:xmpp-tls")) {
		h->tls = true;
	} else if (is(t, "iq") || is(t, "message")) {
		half->offer = NULL;
		half->told = (struct offer){0};
	} else if (is(t, "file")) {
		if (attribute(t, "name", &value, &n)) /* stream initiation */
			half->told.name_len = unescape(half->told.name, value, n, FILE_NAME_MAX);
		if (attribute(t, "size", &value, &n))
			half->told.sized = text_to_u64(value, n, &half->told.size) == 0;
		if (half->told.name_len > 0)
			session_detail(h->session, "xmpp.file", half->told.name, half->told.name_len);
		if (half->offer != NULL)
			take_stream_sid(h, from, NULL);
	} else if ((is(t, "si") && in(t, "http://jabber.org/protocol/si")) || is(t, "transport") ||
	           (is(t, "query") && in(t, "http://jabber.org/protocol/bytestreams")) ||
	           (in(t, "http://jabber.org/protocol/ibb") && (is(t, "open") || is(t, "data") || is(t, "close")))) {
		take_stream_sid(h, from, t);
	} else if (is(t, "streamhost") || is(t, "candidate")) {
		take_host(h, from, t);
	} else if (is(t, "name") && !t->empty) {
		half->wanted = WANT_NAME;
	} else if (is(t, "size") && !t->empty) {
		half->wanted = WANT_SIZE;
	} else if (is(t, "jid") && !t->empty && from == SIDE_DESTINATION) {
		half->wanted = WANT_JID;
	} else if (is(t, "auth") && in(t, "PLAIN") && from == SIDE_SOURCE) {
		half->wanted = WANT_AUTH;
	}
}

static void
take_end(struct xmpp *h, enum side from, const struct tag *t)
{
	(void)t;
	finish_text(h, from);
	h->half[from].wanted = WANT_NOTHING;
	h->half[from].text_len = 0;
}

/* Names the stream that the stanza is about; without t: name and size come behind the stream. */
static void
take_stream_sid(struct xmpp *h, enum side from, const struct tag *t)
{
	struct half *half = &h->half[from];
	const uint8_t *sid;
	size_t n;

	if (t != NULL) {
		if (!attribute(t, is(t, "si") ? "id" : "sid", &sid, &n) || n == 0 || n > SID_MAX)
			return;
		half->offer = find_offer(h, sid, n, !is(t, "close"));
	}
	struct offer *o = half->offer;
	if (o == NULL)
		return;
	if (half->told.name_len > 0) {
		memcpy(o->name, half->told.name, o->name_len = half->told.name_len);
		o->sized = half->told.sized;
		o->size = half->told.size;
		o->sender = from;
	}
	if (t == NULL)
		return;
	if (is(t, "data") && !t->empty) {
		half->wanted = WANT_DATA;
		half->quad_len = 0;
		begin_in_band(h, o, from);
	} else if (is(t, "close")) {
		if (o->transfer == NULL && o->handoff == NULL && o->sized && o->size == 0) { /* an empty file is one too */
			begin_in_band(h, o, o->sender);
			transfer_accepted(o->transfer);
		}
		clear_offer(o, TRANSFER_COMPLETE);
	}
}

static void
begin_in_band(struct xmpp *h, struct offer *o, enum side from)
{
	if (o->transfer == NULL)
		o->transfer = transfer_begin(h->session, &(struct transfer_start){.sender = from,
		                                                 .method = "ibb",
		                                                 .path = o->name_len > 0 ? o->name : NULL,
		                                                 .path_len = o->name_len,
		                                                 .size_known = o->sized,
		                                                 .size = o->size});
}

/* One of the addresses at which the stream can be had. */
static void
take_host(struct xmpp *h, enum side from, const struct tag *t)
{
	struct offer *o = h->half[from].offer;
	const uint8_t *host, *port;
	size_t host_len, port_len;
	char text[HOST_MAX];
	struct addr to;
	uint64_t number;

	if (o == NULL || !attribute(t, "host", &host, &host_len) || !attribute(t, "port", &port, &port_len) ||
	        host_len >= HOST_MAX || text_to_u64(port, port_len, &number) != 0 || number > 65535)
		return;
	memcpy(text, host, host_len);
	text[host_len] = '\0';
	if (addr_parse(text, &to) != 0)
		return;
	if (o->handoff == NULL)
		o->handoff = handoff_create(&(struct handoff_offer){.protocol = "xmpp-bytestream",
		        .method = "bytestream",
		        .name = o->name,
		        .name_len = o->name_len,
		        .user = h->account,
		        .user_len = h->account_len,
		        .size_known = o->sized,
		        .size = o->size,
		        .socks = true});
	handoff_expect(o->handoff, h->session, &to, (uint16_t)number);
}

static void
take_text(struct xmpp *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];

	if (half->wanted == WANT_DATA) {
		take_data(h, from, bytes, len);
	} else if (half->wanted != WANT_NOTHING) {
		size_t room = TEXT_MAX - half->text_len, n = len < room ? len : room;
		memcpy(half->text + half->text_len, bytes, n);
		half->text_len += n;
	}
}

/* Base64, four letters at a time. */
static void
take_data(struct xmpp *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];

	for (size_t i = 0; i < len; i++) {
		uint8_t plain[8];
		if (bytes[i] <= ' ')
			continue;
		half->quad[half->quad_len++] = bytes[i];
		if (half->quad_len < QUAD)
			continue;
		half->quad_len = 0;
		long n = text_base64_decode(plain, half->quad, QUAD);
		if (n > 0 && half->offer != NULL)
			transfer_append(half->offer->transfer, plain, (size_t)n);
	}
	(void)h;
}

static void
finish_text(struct xmpp *h, enum side from)
{
	struct half *half = &h->half[from];
	uint8_t plain[TEXT_MAX];

	if (half->text_len == 0)
		return;
	if (half->wanted == WANT_NAME) {
		half->told.name_len = unescape(half->told.name, half->text, half->text_len, FILE_NAME_MAX);
		session_detail(h->session, "xmpp.file", half->told.name, half->told.name_len);
	} else if (half->wanted == WANT_SIZE) {
		half->told.sized = text_to_u64(half->text, half->text_len, &half->told.size) == 0;
	} else if (half->wanted == WANT_JID) {
		take_account(h, half->text, half->text_len);
	} else if (half->wanted == WANT_AUTH) { /* [who] 0 user 0 password */
		long n = text_base64_decode(plain, half->text, half->text_len);
		const uint8_t *user = n > 0 ? memchr(plain, '\0', (size_t)n) : NULL;
		size_t left = user != NULL ? (size_t)n - (size_t)(user + 1 - plain) : 0;
		const uint8_t *stop = left > 0 ? memchr(user + 1, '\0', left) : NULL;
		if (stop != NULL)
			take_account(h, user + 1, (size_t)(stop - user) - 1);
	}
}

static void
take_account(struct xmpp *h, const uint8_t *bytes, size_t len)
{
	session_account(h->session, bytes, len);
	h->account_len = len < ACCOUNT_MAX ? len : 0;
	memcpy(h->account, bytes, h->account_len);
}

static struct offer *
find_offer(struct xmpp *h, const uint8_t *sid, size_t len, bool add)
{
	for (size_t i = 0; i < OFFERS_MAX; i++)
		if (h->offer[i].sid_len == len && memcmp(h->offer[i].sid, sid, len) == 0)
			return &h->offer[i];
	if (!add)
		return NULL;
	struct offer *o = &h->offer[h->offers++ % OFFERS_MAX];
	for (size_t side = 0; side < 2; side++)
		if (h->half[side].offer == o)
			h->half[side].offer = NULL;
	clear_offer(o, TRANSFER_TRUNCATED);
	memcpy(o->sid, sid, o->sid_len = len);
	return o;
}

static void
clear_offer(struct offer *o, enum transfer_state state)
{
	transfer_end(o->transfer, state);
	handoff_unref(o->handoff);
	*o = (struct offer){0};
}

/* name='value', either quotation mark. */
static bool
attribute(const struct tag *t, const char *name, const uint8_t **value, size_t *len)
{
	size_t word = strlen(name);
	const uint8_t *at = t->name + t->name_len, *end = t->bytes + t->len;

	while ((at = at < end ? memmem(at, (size_t)(end - at), name, word) : NULL) != NULL) {
		const uint8_t *after = at + word;
		if (at[-1] <= ' ' && end - after > 2 && after[0] == '=' && (after[1] == '"' || after[1] == '\'')) {
			const uint8_t *quote = memchr(after + 2, after[1], (size_t)(end - after) - 2);
			if (quote == NULL)
				return false;
			*value = after + 2;
			*len = (size_t)(quote - after) - 2;
			return true;
		}
		at = after;
	}
	return false;
}

static bool
is(const struct tag *t, const char *name)
{
	return t->name_len == strlen(name) && memcmp(t->name, name, t->name_len) == 0;
}

static bool
in(const struct tag *t, const char *word)
{
	return memmem(t->bytes, t->len, word, strlen(word)) != NULL;
}

/* The five names that XML has for signs. */
static size_t
unescape(uint8_t *out, const uint8_t *bytes, size_t len, size_t max)
{
	static const struct {
		const char *name;
		char sign;
	} names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
	size_t n = 0;

	for (size_t i = 0; i < len && n < max; i++) {
		out[n] = bytes[i];
		for (size_t k = 0; bytes[i] == '&' && k < sizeof names / sizeof names[0]; k++) {
			size_t word = strlen(names[k].name);
			if (len - i < word || memcmp(bytes + i, names[k].name, word) != 0)
				continue;
			out[n] = (uint8_t)names[k].sign;
			i += word - 1;
			break;
		}
		n++;
	}
	return n;
}
