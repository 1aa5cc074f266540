/* POP3 is known on any port by a greeting that says so, or by a greeting and a login. */
#include "config.h"

#include "proto/pop3.h"

#include <string.h>

#include "base/text.h"

enum opinion {
	OPINION_NONE,
	OPINION_NO,
	OPINION_MAYBE, /* others speak so too */
	OPINION_LOGIN, /* with a greeting in this protocol's words it is this one */
	OPINION_YES,
};

struct verb {
	const char *word;
	enum pop3_verb verb;
	enum opinion opinion;
};

static enum verdict probe_sides(const struct probe *p, enum side client);
static enum opinion of_client(const uint8_t *bytes, size_t len);
static enum opinion of_server(const uint8_t *bytes, size_t len, bool midstream);
static const struct verb *find(const uint8_t *line, size_t len);
static bool begins_verb(const uint8_t *bytes, size_t len);

static const struct verb verbs[] = {
        {"USER", POP3_USER, OPINION_LOGIN},
        {"PASS", POP3_OTHER, OPINION_LOGIN},
        {"APOP", POP3_APOP, OPINION_YES},
        {"AUTH", POP3_AUTH, OPINION_MAYBE},
        {"STLS", POP3_STLS, OPINION_YES},
        {"CAPA", POP3_LIST, OPINION_YES},
        {"UIDL", POP3_LIST, OPINION_YES},
        {"LIST", POP3_LIST, OPINION_LOGIN},
        {"RETR", POP3_RETR, OPINION_LOGIN},
        {"TOP", POP3_TOP, OPINION_LOGIN},
        {"STAT", POP3_OTHER, OPINION_LOGIN},
        {"DELE", POP3_OTHER, OPINION_LOGIN},
        {"NOOP", POP3_OTHER, OPINION_MAYBE},
        {"RSET", POP3_OTHER, OPINION_MAYBE},
        {"QUIT", POP3_OTHER, OPINION_MAYBE},
        {"UTF8", POP3_OTHER, OPINION_LOGIN},
        {"LANG", POP3_LIST, OPINION_LOGIN},
};

enum verdict
pop3_probe(const struct probe *p)
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
	enum opinion c = s != OPINION_NO ? of_client(p->bytes[client], p->len[client]) : OPINION_NO;

	if (s == OPINION_NO || c == OPINION_NO)
		return VERDICT_NOT_MINE;
	return s == OPINION_YES || c == OPINION_YES || (c == OPINION_LOGIN && s == OPINION_MAYBE) ? VERDICT_DONE
	                                                                                         : VERDICT_MORE;
}

/* The strongest word of the whole lines so far. */
static enum opinion
of_client(const uint8_t *bytes, size_t len)
{
	enum opinion best = OPINION_NONE;
	if (len > 0 && (bytes[0] == 0 || strchr("upascrltdnqUPASCRLTDNQ", bytes[0]) == NULL))
		return OPINION_NO;
	while (len > 0) {
		const uint8_t *lf = memchr(bytes, '\n', len);
		const size_t n = lf != NULL ? (size_t)(lf - bytes) : len;
		const struct verb *v = find(bytes, n);
		if (v == NULL && (best == OPINION_NONE || lf != NULL) && !(lf == NULL && begins_verb(bytes, n)))
			return best == OPINION_NONE ? OPINION_NO : best;
		const enum opinion o = v != NULL && lf != NULL ? v->opinion : OPINION_MAYBE;
		if (o > best)
			best = o;
		bytes += lf != NULL ? n + 1 : n;
		len -= lf != NULL ? n + 1 : n;
	}
	return best;
}

static enum opinion
of_server(const uint8_t *bytes, size_t len, bool midstream)
{
	if (len == 0)
		return OPINION_NONE;
	if (bytes[0] != '+' && bytes[0] != '-')
		return OPINION_NO;
	const uint8_t *lf = memchr(bytes, '\n', len);
	const size_t n = lf != NULL ? (size_t)(lf - bytes) : len;
	const size_t ahead = n < 3 ? n : 3;
	if (memcmp(bytes, "+OK", ahead) != 0 && !(midstream && memcmp(bytes, "-ERR", n < 4 ? n : 4) == 0))
		return OPINION_NO;
	if (lf == NULL)
		return OPINION_MAYBE;
	if (pop3_status(bytes, n) == POP3_NONE)
		return OPINION_NO;
	return pop3_greets(bytes, n) ? OPINION_YES : OPINION_MAYBE;
}

/* It says so, or has the time stamp of APOP: "<1896.697170952@example.org>" (RFC 1939 section 7). */
bool
pop3_greets(const uint8_t *line, size_t len)
{
	const uint8_t *angle = memchr(line, '<', len);
	if (!text_is_utf8(line, len))
		return false;
	for (size_t i = 0; i + 3 <= len; i++)
		if (text_prefix_nocase(line + i, len - i, "POP3") || memcmp(line + i, "POP", 3) == 0)
			return true;
	if (angle == NULL)
		return false;
	const size_t rest = len - (size_t)(angle - line);
	const uint8_t *at = memchr(angle, '@', rest), *dot = memchr(angle, '.', rest);
	return at != NULL && dot != NULL && dot < at && memchr(at, '>', rest - (size_t)(at - angle)) != NULL;
}

bool
pop3_command(const uint8_t *line, size_t len, enum pop3_verb *verb, const uint8_t **arg, size_t *arg_len)
{
	const struct verb *v = find(line, len);
	if (v == NULL)
		return false;
	const size_t word = strlen(v->word);
	*arg = line + word;
	*arg_len = len - word;
	text_trim(arg, arg_len);
	*verb = v->verb == POP3_LIST && (*arg_len == 0 || v->word[0] == 'C') ? POP3_LIST_ALL : v->verb;
	return true;
}

static const struct verb *
find(const uint8_t *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const size_t word = strlen(verbs[i].word);
		if (text_prefix_nocase(line, len, verbs[i].word) && (len == word || line[word] == ' '))
			return &verbs[i];
	}
	return NULL;
}

static bool
begins_verb(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		char start[8];
		if (len > strlen(verbs[i].word))
			continue;
		memcpy(start, verbs[i].word, len);
		start[len] = '\0';
		if (text_prefix_nocase(bytes, len, start))
			return true;
	}
	return false;
}

enum pop3_status
pop3_status(const uint8_t *line, size_t len)
{
	if (len >= 3 && memcmp(line, "+OK", 3) == 0 && (len == 3 || line[3] == ' ' || line[3] == '\r'))
		return POP3_OK;
	if (len >= 4 && memcmp(line, "-ERR", 4) == 0)
		return POP3_ERR;
	if (len >= 1 && line[0] == '+' && (len == 1 || line[1] == ' ' || line[1] == '\r'))
		return POP3_CHALLENGE;
	return POP3_NONE;
}
