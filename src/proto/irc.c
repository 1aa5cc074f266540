/*
 * IRC: nick and server, and the files that DCC offers in it and sends over connections of their own (RFC 2812; DCC has
 * no specification but its clients). Not read: what is said; offers that are encrypted (SSEND) or where nobody listens.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/feed.h"
#include "proto/handoff.h"

enum { OFFERS_MAX = 16, WORDS_MAX = 16, ADDRESS_MAX = 46 };

struct offer {
	uint16_t port;
	uint64_t token;
	struct handoff *handoff;
};

struct word {
	const uint8_t *bytes;
	size_t len;
};

struct irc {
	struct session *session;
	struct feed feed[2];
	bool torn[2];   /* behind a gap, up to the next line */
	struct offer offer[OFFERS_MAX]; /* the oldest is replaced */
	size_t offers;
	uint8_t nick[64];
	size_t nick_len;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static void take_line(struct irc *h, enum side from, const uint8_t *line, size_t len);
static void take_dcc(struct irc *h, struct word sender, const uint8_t *text, size_t len);
static void take_send(struct irc *h, struct word sender, const struct word *word, size_t count);
static void take_accept(struct irc *h, const struct word *word, size_t count);
static struct offer *find_offer(struct irc *h, uint64_t port, uint64_t token);
static size_t split(const uint8_t *text, size_t len, struct word word[WORDS_MAX]);
static bool address(struct word w, struct addr *out);
static enum verdict probe_client(const uint8_t *bytes, size_t len);
static enum verdict probe_server(const uint8_t *bytes, size_t len);
static bool is(struct word w, const char *text);

/* A client names itself, or a line begins with who says it. FTP and POP know USER and PASS as well. */
static enum verdict
irc_probe(const struct probe *p)
{
	enum verdict all = VERDICT_NOT_MINE;
	for (size_t side = 0; side < 2; side++) {
		if (p->len[side] == 0)
			continue;
		enum verdict c = probe_client(p->bytes[side], p->len[side]), s = probe_server(p->bytes[side], p->len[side]);
		if (c == VERDICT_DONE || s == VERDICT_DONE)
			return VERDICT_DONE;
		if (c == VERDICT_MORE || s == VERDICT_MORE)
			all = VERDICT_MORE;
	}
	return all;
}

static void *
irc_open(struct session *s)
{
	struct irc *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	return h;
}

static enum verdict
irc_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct irc *h = state;
	if (feed_bytes(&h->feed[from], step, h, from, bytes, len, NULL) != FEED_MORE)
		h->torn[from] = true;
	return VERDICT_MORE;
}

static enum verdict
irc_gap(void *state, enum side from, uint64_t len)
{
	struct irc *h = state;
	(void)len;
	feed_gap(&h->feed[from]);
	h->torn[from] = true;
	return VERDICT_MORE;
}

static void
irc_close(void *state, bool reset)
{
	struct irc *h = state;
	(void)reset;
	for (size_t i = 0; i < OFFERS_MAX; i++)
		handoff_unref(h->offer[i].handoff);
	feed_clear(&h->feed[SIDE_SOURCE]);
	feed_clear(&h->feed[SIDE_DESTINATION]);
	free(h);
}

static bool
irc_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_irc = {
        .name = "irc",
        .transport = IPPROTO_TCP,
        .ports = {6667, 6666, 6668, 6669},
        .reads = "nick and server; DCC SEND: files with name, size, sender and content, over the connection that is announced, "
                 "also resumed and passive ones",
        .infers = "",
        .misses = "what is said; DCC where neither end of the IRC connection was captured",
        .probe = irc_probe,
        .open = irc_open,
        .data = irc_data,
        .gap = irc_gap,
        .end = NULL,
        .close = irc_close,
        .finished = irc_finished,
};

static bool
begins(const uint8_t *bytes, size_t len, const char *word)
{
	size_t n = strlen(word);
	return len >= n && memcmp(bytes, word, n) == 0;
}

static enum verdict
probe_client(const uint8_t *bytes, size_t len)
{
	static const char *const certain[] = {"NICK ", "CAP LS", "CAP REQ", "CAP END"};
	static const char *const open[] = {"PASS ", "USER ", "JOIN ", "PRIVMSG ", "NOTICE ", "WEBIRC "};
	const uint8_t *at = bytes, *newline;
	size_t left = len;

	while (true) { /* a line each */
		newline = memchr(at, '\n', left);
		size_t n = newline != NULL ? (size_t)(newline - at) : left;
		bool known = false;
		for (size_t i = 0; i < sizeof certain / sizeof certain[0]; i++) {
			if (begins(at, n, certain[i]) && newline != NULL)
				return VERDICT_DONE;
			known |= memcmp(at, certain[i], n < strlen(certain[i]) ? n : strlen(certain[i])) == 0;
		}
		for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
			known |= memcmp(at, open[i], n < strlen(open[i]) ? n : strlen(open[i])) == 0;
		if ((begins(at, n, "PRIVMSG ") || begins(at, n, "NOTICE ")) && memmem(at, n, " :\001DCC ", 7) != NULL)
			return VERDICT_DONE;
		if (!known)
			return VERDICT_NOT_MINE;
		if (newline == NULL)
			return VERDICT_MORE;
		left -= n + 1;
		at = newline + 1;
	}
}

/* [@TAGS] :FROM VERB ... */
static enum verdict
probe_server(const uint8_t *bytes, size_t len)
{
	static const char *const verbs[] = {"NOTICE", "PRIVMSG", "JOIN", "PART", "QUIT", "NICK", "MODE", "TOPIC", "CAP", "KICK", "INVITE"};
	struct word word[WORDS_MAX];
	const uint8_t *newline = memchr(bytes, '\n', len);
	size_t i = 0, n = newline != NULL ? (size_t)(newline - bytes) : len;

	if (bytes[0] != ':' && bytes[0] != '@' && !begins(bytes, len, "NOTICE AUTH :"))
		return memcmp(bytes, "NOTICE AUTH :", len < 13 ? len : 13) == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	for (size_t k = 0; k < n; k++)
		if (bytes[k] < 0x20 && bytes[k] != '\r' && bytes[k] != 1 && bytes[k] != 2 && bytes[k] != 3 && bytes[k] != 0xf)
			return VERDICT_NOT_MINE;
	if (newline == NULL)
		return n > 1024 ? VERDICT_NOT_MINE : VERDICT_MORE;
	if (bytes[0] == 'N')
		return VERDICT_DONE;
	size_t count = split(bytes, n, word);
	if (bytes[0] == '@' && count > 1 && word[0].len > 2 && memchr(word[0].bytes, '=', word[0].len) != NULL)
		i = 1;
	if (count < i + 3 || word[i].bytes[0] != ':' || word[i].len < 2)
		return VERDICT_NOT_MINE;
	const struct word *verb = &word[i + 1];
	if (verb->len == 3 && verb->bytes[0] >= '0' && verb->bytes[0] <= '9' && verb->bytes[1] >= '0' && verb->bytes[1] <= '9' &&
	        verb->bytes[2] >= '0' && verb->bytes[2] <= '9')
		return VERDICT_DONE;
	for (size_t k = 0; k < sizeof verbs / sizeof verbs[0]; k++)
		if (is(*verb, verbs[k]))
			return VERDICT_DONE;
	return VERDICT_NOT_MINE;
}

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct irc *h = ctx;
	size_t text, n = feed_line(bytes, len, &text);

	if (n == 0)
		return STEP_MORE;
	if (!h->torn[from])
		take_line(h, from, bytes, text);
	h->torn[from] = false;
	return n;
}

static void
take_line(struct irc *h, enum side from, const uint8_t *line, size_t len)
{
	struct word word[WORDS_MAX], who = {h->nick, h->nick_len};
	size_t count = split(line, len, word), i = 0;

	if (count > 0 && word[0].len > 0 && word[0].bytes[0] == '@')
		i++;
	bool prefixed = i < count && word[i].len > 1 && word[i].bytes[0] == ':';
	if (prefixed) { /* :nick!user@host, or a server's name */
		const uint8_t *mark = memchr(word[i].bytes, '!', word[i].len);
		who = (struct word){word[i].bytes + 1, mark != NULL ? (size_t)(mark - word[i].bytes) - 1 : word[i].len - 1};
		i++;
	}
	if (i + 1 >= count)
		return;
	if (is(word[i], "NICK") && !prefixed && word[i + 1].len <= sizeof h->nick) {
		memcpy(h->nick, word[i + 1].bytes, h->nick_len = word[i + 1].len);
		session_account(h->session, h->nick, h->nick_len);
		session_client_end(h->session, from);
	} else if (is(word[i], "001") && prefixed) {
		session_service(h->session, who.bytes, who.len);
		session_account(h->session, word[i + 1].bytes, word[i + 1].len);
	} else if (is(word[i], "PRIVMSG") || is(word[i], "NOTICE")) {
		const uint8_t *dcc = memmem(line, len, " :\001DCC ", 7);
		if (dcc != NULL)
			take_dcc(h, who, dcc + 7, len - (size_t)(dcc + 7 - line));
	}
}

/* SEND NAME ADDRESS PORT [SIZE [TOKEN]], RESUME and ACCEPT NAME PORT POSITION [TOKEN] */
static void
take_dcc(struct irc *h, struct word sender, const uint8_t *text, size_t len)
{
	struct word word[WORDS_MAX];

	while (len > 0 && (text[len - 1] == 1 || text[len - 1] == ' '))
		len--;
	size_t count = split(text, len, word);
	if (count < 2)
		return;
	session_detail(h->session, "irc.dcc", text, len);
	if (is(word[0], "SEND") || is(word[0], "TSEND"))
		take_send(h, sender, word, count);
	else if (is(word[0], "ACCEPT"))
		take_accept(h, word, count);
}

static void
take_send(struct irc *h, struct word sender, const struct word *word, size_t count)
{
	struct offer *o = &h->offer[h->offers % OFFERS_MAX];
	struct addr to;
	uint64_t port, size = 0, token = 0;

	if (count < 4 || !address(word[2], &to) || text_to_u64(word[3].bytes, word[3].len, &port) != 0 || port > 65535)
		return;
	bool sized = count > 4 && text_to_u64(word[4].bytes, word[4].len, &size) == 0;
	if (count > 5 && text_to_u64(word[5].bytes, word[5].len, &token) != 0)
		token = 0;
	/* Port 0: the receiver is asked to listen, and answers with the same token. */
	struct offer *asked = token != 0 && port != 0 ? find_offer(h, 0, token) : NULL;
	if (asked != NULL) {
		handoff_expect(asked->handoff, h->session, &to, (uint16_t)port);
		return;
	}
	handoff_unref(o->handoff);
	*o = (struct offer){.port = (uint16_t)port,
	        .token = token,
	        .handoff = handoff_create(&(struct handoff_offer){.protocol = "irc-dcc",
	                .method = "DCC SEND",
	                .name = word[1].bytes,
	                .name_len = word[1].len,
	                .user = sender.bytes,
	                .user_len = sender.len,
	                .size_known = sized,
	                .size = size})};
	h->offers++;
	if (port != 0)
		handoff_expect(o->handoff, h->session, &to, (uint16_t)port);
}

static void
take_accept(struct irc *h, const struct word *word, size_t count)
{
	uint64_t port, position, token = 0;

	if (count < 4 || text_to_u64(word[2].bytes, word[2].len, &port) != 0 ||
	        text_to_u64(word[3].bytes, word[3].len, &position) != 0)
		return;
	if (port == 0 && (count < 5 || text_to_u64(word[4].bytes, word[4].len, &token) != 0))
		return;
	struct offer *o = find_offer(h, port, token);
	if (o != NULL)
		handoff_offset(o->handoff, position);
}

/* The last one with this port or, where that is 0, with this token. */
static struct offer *
find_offer(struct irc *h, uint64_t port, uint64_t token)
{
	for (size_t i = h->offers; i-- > 0 && h->offers - i <= OFFERS_MAX;) {
		struct offer *o = &h->offer[i % OFFERS_MAX];
		if (o->handoff != NULL && o->port == port && (port != 0 || o->token == token))
			return o;
	}
	return NULL;
}

/* Words between spaces; in quotation marks they may hold some. */
static size_t
split(const uint8_t *text, size_t len, struct word word[WORDS_MAX])
{
	size_t count = 0, i = 0;

	while (count < WORDS_MAX) {
		while (i < len && text[i] == ' ')
			i++;
		if (i >= len)
			break;
		const uint8_t *quote = text[i] == '"' ? memchr(text + i + 1, '"', len - i - 1) : NULL;
		if (quote != NULL) {
			word[count++] = (struct word){text + i + 1, (size_t)(quote - text) - i - 1};
			i = (size_t)(quote - text) + 1;
			continue;
		}
		size_t start = i;
		while (i < len && text[i] != ' ')
			i++;
		word[count++] = (struct word){text + start, i - start};
	}
	return count;
}

/* IPv4 as one number, or an address as it is written. */
static bool
address(struct word w, struct addr *out)
{
	char text[ADDRESS_MAX];
	uint64_t number;

	if (text_to_u64(w.bytes, w.len, &number) == 0 && number <= UINT32_MAX) {
		const uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
		*out = addr_from_v4(bytes);
		return true;
	}
	if (w.len == 0 || w.len >= sizeof text)
		return false;
	memcpy(text, w.bytes, w.len);
	text[w.len] = '\0';
	return addr_parse(text, out) == 0;
}

static bool
is(struct word w, const char *text)
{
	return text_equal_nocase(w.bytes, w.len, text);
}
