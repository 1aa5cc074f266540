/* SMTP and LMTP are known on any port by the client's hello or envelope, or by a greeting that says so. */
#include "config.h"

#include "proto/smtp.h"

#include <string.h>

#include "base/text.h"

enum opinion {
	OPINION_NONE,  /* nothing was said */
	OPINION_NO,
	OPINION_MAYBE, /* others speak so too */
	OPINION_YES,
};

struct verb {
	const char *word;
	enum smtp_verb verb;
	bool tells; /* nobody else says that */
};

static enum verdict probe_sides(const struct probe *p, enum side client);
static enum opinion of_client(const uint8_t *bytes, size_t len, bool midstream);
static enum opinion of_server(const uint8_t *bytes, size_t len, bool midstream);
static bool is_text(const uint8_t *line, size_t len);
static const struct verb *find(const uint8_t *line, size_t len);
static bool begins_verb(const uint8_t *bytes, size_t len);
static bool says(const uint8_t *bytes, size_t len, const char *word);

static const struct verb verbs[] = {
        {"EHLO ", SMTP_HELLO, true},
        {"HELO ", SMTP_HELLO, false},
        {"LHLO ", SMTP_HELLO, true},
        {"MAIL FROM:", SMTP_MAIL, true},
        {"RCPT TO:", SMTP_RCPT, true},
        {"DATA", SMTP_DATA, false},
        {"BDAT ", SMTP_BDAT, false},
        {"RSET", SMTP_RSET, false},
        {"STARTTLS", SMTP_STARTTLS, false},
        {"AUTH ", SMTP_AUTH, false},
        {"QUIT", SMTP_QUIT, false},
        {"NOOP", SMTP_NOOP, false},
        {"VRFY ", SMTP_NOOP, false},
        {"EXPN ", SMTP_NOOP, false},
        {"HELP", SMTP_NOOP, false},
        {"XCLIENT ", SMTP_NOOP, true},
        {"XFORWARD ", SMTP_NOOP, true},
        {"ETRN ", SMTP_NOOP, false},
};

enum verdict
smtp_probe(const struct probe *p)
{
	enum verdict v = probe_sides(p, SIDE_SOURCE);
	if (v == VERDICT_NOT_MINE && p->midstream)
		v = probe_sides(p, SIDE_DESTINATION);
	return v;
}

static enum verdict
probe_sides(const struct probe *p, enum side client)
{
	enum side server = side_other(client);
	enum opinion s = of_server(p->bytes[server], p->len[server], p->midstream);
	enum opinion c = s != OPINION_NO ? of_client(p->bytes[client], p->len[client], p->midstream) : OPINION_NO;

	if (s == OPINION_NO || c == OPINION_NO)
		return VERDICT_NOT_MINE;
	return s == OPINION_YES || c == OPINION_YES ? VERDICT_DONE : VERDICT_MORE;
}

/* The first line decides; HELO, which others know too, does so with the next ones. */
static enum opinion
of_client(const uint8_t *bytes, size_t len, bool midstream)
{
	enum opinion best = OPINION_NONE;
	if (len > 0 && (bytes[0] == 0 || strchr("ehlmrdbsaqnvxEHLMRDBSAQNVX", bytes[0]) == NULL) && !midstream)
		return OPINION_NO;
	while (len > 0) {
		const uint8_t *lf = memchr(bytes, '\n', len);
		const size_t n = lf != NULL ? (size_t)(lf - bytes) : len;
		const struct verb *v = find(bytes, n);
		if (v == NULL && lf == NULL)
			return begins_verb(bytes, n) ? OPINION_MAYBE : OPINION_NO;
		if (v == NULL)
			return best == OPINION_NONE && !(midstream && is_text(bytes, n)) ? OPINION_NO : best;
		best = OPINION_MAYBE;
		if (v->tells && lf != NULL && is_text(bytes, n))
			return OPINION_YES;
		bytes += lf != NULL ? n + 1 : n;
		len -= lf != NULL ? n + 1 : n;
	}
	return best;
}

static bool
is_text(const uint8_t *line, size_t len)
{
	return text_is_utf8(line, len) && memchr(line, 0, len) == NULL;
}

/* "220 mail.example.org ESMTP" */
static enum opinion
of_server(const uint8_t *bytes, size_t len, bool midstream)
{
	static const char *const greetings[] = {"220", "421", "554"};
	if (len == 0)
		return OPINION_NONE;
	if (bytes[0] < '2' || bytes[0] > '5')
		return OPINION_NO;
	const uint8_t *lf = memchr(bytes, '\n', len);
	const size_t n = lf != NULL ? (size_t)(lf - bytes) : len;
	if (n < 3)
		return lf == NULL ? OPINION_MAYBE : OPINION_NO;
	bool more, greets = false;
	const unsigned code = smtp_reply_code(bytes, n, &more);
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++)
		greets = greets || memcmp(bytes, greetings[i], 3) == 0;
	if (code == 0 || (!greets && !midstream))
		return OPINION_NO;
	return greets && lf != NULL && text_is_utf8(bytes, n) && (says(bytes, n, "SMTP") || says(bytes, n, "LMTP"))
	               ? OPINION_YES
	               : OPINION_MAYBE;
}

bool
smtp_command(const uint8_t *line, size_t len, enum smtp_verb *verb, const uint8_t **arg, size_t *arg_len)
{
	const struct verb *v = find(line, len);
	if (v == NULL)
		return false;
	const size_t word = strlen(v->word);
	*verb = v->verb;
	*arg = line + word;
	*arg_len = len - word;
	text_trim(arg, arg_len);
	return true;
}

static const struct verb *
find(const uint8_t *line, size_t len)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const struct verb *v = &verbs[i];
		const size_t word = strlen(v->word);
		if (!text_prefix_nocase(line, len, v->word))
			continue;
		/* A word alone is the whole line, but for what nobody reads. */
		if (v->word[word - 1] == ' ' || v->word[word - 1] == ':' || len == word || line[word] == ' ' || line[word] == '\r')
			return v;
	}
	return NULL;
}

static bool
begins_verb(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const size_t word = strlen(verbs[i].word);
		char start[16];
		if (len >= word || len >= sizeof start)
			continue;
		memcpy(start, verbs[i].word, len);
		start[len] = '\0';
		if (text_prefix_nocase(bytes, len, start))
			return true;
	}
	return false;
}

unsigned
smtp_reply_code(const uint8_t *line, size_t len, bool *more)
{
	*more = len > 3 && line[3] == '-';
	if (len < 3 || line[0] < '2' || line[0] > '5' || line[1] < '0' || line[1] > '9' || line[2] < '0' || line[2] > '9' ||
	        (len > 3 && line[3] != ' ' && line[3] != '-' && line[3] != '\r'))
		return 0;
	return (unsigned)(line[0] - '0') * 100 + (unsigned)(line[1] - '0') * 10 + (unsigned)(line[2] - '0');
}

static bool
says(const uint8_t *bytes, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++)
		if (text_prefix_nocase(bytes + i, len - i, word))
			return true;
	return false;
}
