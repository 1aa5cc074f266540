/* NNTP is known on any port by commands that nobody else has, with answers in numbers where they were seen. */
#include "config.h"

#include "proto/nntp.h"

#include <string.h>

#include "base/text.h"

enum opinion {
	OPINION_NONE,
	OPINION_NO,
	OPINION_MAYBE, /* others speak so too */
	OPINION_YES,
};

struct verb {
	const char *word;
	enum nntp_verb verb;
	bool tells;
};

static enum verdict probe_sides(const struct probe *p, enum side client);
static enum opinion of_client(const uint8_t *bytes, size_t len);
static enum opinion of_server(const uint8_t *bytes, size_t len, bool midstream);
static const struct verb *find(const uint8_t *line, size_t len);
static bool says(const uint8_t *bytes, size_t len, const char *word);

static const struct verb verbs[] = {
        {"MODE READER", NNTP_OTHER, true},
        {"MODE STREAM", NNTP_OTHER, true},
        {"AUTHINFO USER ", NNTP_USER, true},
        {"AUTHINFO PASS ", NNTP_OTHER, true},
        {"AUTHINFO SASL ", NNTP_SASL, true},
        {"ARTICLE", NNTP_ARTICLE, true},
        {"BODY", NNTP_ARTICLE, false},
        {"GROUP ", NNTP_OTHER, false},
        {"LISTGROUP", NNTP_LISTGROUP, true},
        {"CAPABILITIES", NNTP_OTHER, true},
        {"TAKETHIS ", NNTP_TAKETHIS, true},
        {"IHAVE ", NNTP_POST, true},
        {"CHECK ", NNTP_OTHER, false},
        {"POST", NNTP_POST, false},
        {"XOVER ", NNTP_OTHER, true},
        {"OVER ", NNTP_OTHER, false},
        {"XZVER ", NNTP_OTHER, true},
        {"HEAD", NNTP_OTHER, false},
        {"STAT", NNTP_OTHER, false},
        {"LIST", NNTP_OTHER, false},
        {"STARTTLS", NNTP_STARTTLS, false},
        {"COMPRESS ", NNTP_COMPRESS, false},
        {"XFEATURE COMPRESS ", NNTP_OTHER, true},
        {"DATE", NNTP_OTHER, false},
        {"HELP", NNTP_OTHER, false},
        {"QUIT", NNTP_OTHER, false},
};

enum verdict
nntp_probe(const struct probe *p)
{
	enum verdict v = probe_sides(p, SIDE_SOURCE);
	if (v == VERDICT_NOT_MINE && p->midstream)
		v = probe_sides(p, SIDE_DESTINATION);
	return v;
}

/* Commands alone are not enough: "BODY" and the like are words. */
static enum verdict
probe_sides(const struct probe *p, enum side client)
{
	enum side server = side_other(client);
	enum opinion s = of_server(p->bytes[server], p->len[server], p->midstream);
	enum opinion c = s != OPINION_NO ? of_client(p->bytes[client], p->len[client]) : OPINION_NO;

	if (s == OPINION_NO || c == OPINION_NO)
		return VERDICT_NOT_MINE;
	return s == OPINION_YES || (c == OPINION_YES && s == OPINION_MAYBE) ? VERDICT_DONE : VERDICT_MORE;
}

static enum opinion
of_client(const uint8_t *bytes, size_t len)
{
	enum opinion best = OPINION_NONE;
	if (len > 0 && (bytes[0] == 0 || strchr("abcdghilmopqstxABCDGHILMOPQSTX", bytes[0]) == NULL))
		return OPINION_NO;
	while (len > 0) {
		const uint8_t *lf = memchr(bytes, '\n', len);
		if (lf == NULL)
			return best == OPINION_NONE && len < 32 ? OPINION_MAYBE : best;
		const size_t n = (size_t)(lf - bytes);
		const struct verb *v = find(bytes, n);
		if (v == NULL)
			return best == OPINION_NONE ? OPINION_NO : best;
		best = v->tells || best == OPINION_YES ? OPINION_YES : OPINION_MAYBE;
		bytes += n + 1;
		len -= n + 1;
	}
	return best;
}

/* "200 news.example.org NNTP ready"; from the middle, answers that begin an article: "220 0 <id@host>" (RFC 3977) */
static enum opinion
of_server(const uint8_t *bytes, size_t len, bool midstream)
{
	if (len == 0)
		return OPINION_NONE;
	if (bytes[0] < '1' || bytes[0] > '5')
		return OPINION_NO;
	const uint8_t *lf = memchr(bytes, '\n', len);
	const size_t n = lf != NULL ? (size_t)(lf - bytes) : len;
	if (lf == NULL && n < 4)
		return OPINION_MAYBE;
	const unsigned code = nntp_code(bytes, n);
	if (code == 0 || !text_is_utf8(bytes, n < 256 && lf != NULL ? n : 3) || (!midstream && code != 200 && code != 201 && code != 400 && code != 502))
		return OPINION_NO;
	if (lf != NULL && (code == 200 || code == 201) && (says(bytes, n, "NNTP") || says(bytes, n, "InterNetNews")))
		return OPINION_YES;
	const uint8_t *angle = memchr(bytes, '<', n);
	const bool article = midstream && lf != NULL && (code == 220 || code == 222) && angle != NULL &&
	                     memchr(angle, '@', n - (size_t)(angle - bytes)) != NULL && n > 5 && bytes[4] >= '0' && bytes[4] <= '9';
	return article ? OPINION_YES : OPINION_MAYBE;
}

bool
nntp_command(const uint8_t *line, size_t len, enum nntp_verb *verb, const uint8_t **arg, size_t *arg_len)
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
	if (len > 0 && line[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const size_t word = strlen(verbs[i].word);
		if (text_prefix_nocase(line, len, verbs[i].word) &&
		        (verbs[i].word[word - 1] == ' ' || len == word || line[word] == ' '))
			return &verbs[i];
	}
	return NULL;
}

unsigned
nntp_code(const uint8_t *line, size_t len)
{
	if (len < 3 || line[0] < '1' || line[0] > '5' || line[1] < '0' || line[1] > '9' || line[2] < '0' || line[2] > '9' ||
	        (len > 3 && line[3] != ' ' && line[3] != '\r'))
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
