/* IMAP is known on any port by its greeting, by tagged commands that nobody else has, or by answers to FETCH. */
#include "config.h"

#include "proto/imap.h"

#include <string.h>

#include "base/text.h"

enum { TAG_MAX = 32 };

enum opinion {
	OPINION_NONE,
	OPINION_NO,
	OPINION_MAYBE, /* others speak so too */
	OPINION_COMMAND, /* with a greeting in this protocol's words it is this one */
	OPINION_YES,
};

static enum verdict probe_sides(const struct probe *p, enum side client);
static enum opinion of_client(const uint8_t *bytes, size_t len);
static enum opinion of_command(const uint8_t *line, size_t len, bool whole);
static enum opinion of_server(const uint8_t *bytes, size_t len, bool midstream);
static enum opinion of_greeting(const uint8_t *line, size_t len, bool whole);
static bool is_fetch(const uint8_t *line, size_t len);
static bool says(const uint8_t *bytes, size_t len, const char *word);

enum verdict
imap_probe(const struct probe *p)
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
	return s == OPINION_YES || c == OPINION_YES || (c == OPINION_COMMAND && s == OPINION_MAYBE) ? VERDICT_DONE
	                                                                                           : VERDICT_MORE;
}

/* The first line. */
static enum opinion
of_client(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return OPINION_NONE;
	const uint8_t *lf = memchr(bytes, '\n', len);
	return of_command(bytes, lf != NULL ? (size_t)(lf - bytes) : len, lf != NULL);
}

/* tag, a space, a verb */
static enum opinion
of_command(const uint8_t *line, size_t len, bool whole)
{
	static const struct {
		const char *word;
		enum opinion opinion;
	} verbs[] = {{"CAPABILITY", OPINION_YES}, {"AUTHENTICATE ", OPINION_YES}, {"LOGIN ", OPINION_YES},
	        {"STARTTLS", OPINION_YES}, {"SELECT ", OPINION_YES}, {"EXAMINE ", OPINION_YES}, {"UID FETCH ", OPINION_YES},
	        {"UID SEARCH ", OPINION_YES}, {"UID STORE ", OPINION_YES}, {"APPEND ", OPINION_YES}, {"LSUB ", OPINION_YES},
	        {"NAMESPACE", OPINION_YES}, {"COMPRESS DEFLATE", OPINION_YES}, {"IDLE", OPINION_COMMAND},
	        {"ID ", OPINION_COMMAND}, {"NOOP", OPINION_COMMAND}, {"LOGOUT", OPINION_COMMAND}, {"LIST ", OPINION_COMMAND},
	        {"FETCH ", OPINION_COMMAND}, {"STATUS ", OPINION_COMMAND}, {"ENABLE ", OPINION_COMMAND},
	        {"SEARCH ", OPINION_COMMAND}, {"STORE ", OPINION_COMMAND}, {"CHECK", OPINION_COMMAND},
	        {"CLOSE", OPINION_COMMAND}, {"EXPUNGE", OPINION_COMMAND}, {"COPY ", OPINION_COMMAND}};
	size_t tag = 0;

	while (tag < len && tag < TAG_MAX &&
	        ((line[tag] >= '0' && line[tag] <= '9') || ((line[tag] | 0x20) >= 'a' && (line[tag] | 0x20) <= 'z') ||
	                line[tag] == '.' || line[tag] == '-' || line[tag] == '$'))
		tag++;
	if (tag == len && !whole && tag < TAG_MAX)
		return OPINION_MAYBE;
	if (tag == 0 || tag == len || line[tag] != ' ')
		return OPINION_NO;
	const uint8_t *verb = line + tag + 1;
	const size_t left = len - tag - 1;
	if (left > 0 && ((verb[0] | 0x20) < 'a' || (verb[0] | 0x20) > 'z'))
		return OPINION_NO;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const size_t word = strlen(verbs[i].word);
		if (!whole && left < word && left > 0 && strncasecmp(verbs[i].word, (const char *)verb, left) == 0)
			return OPINION_MAYBE;
		if (text_prefix_nocase(verb, left, verbs[i].word) &&
		        (verbs[i].word[word - 1] == ' ' || left == word || verb[word] == '\r'))
			return whole && text_is_utf8(line, len) ? verbs[i].opinion : OPINION_MAYBE;
	}
	return left == 0 && !whole ? OPINION_MAYBE : OPINION_NO;
}

static enum opinion
of_server(const uint8_t *bytes, size_t len, bool midstream)
{
	if (len == 0)
		return OPINION_NONE;
	const uint8_t *lf = memchr(bytes, '\n', len);
	const size_t n = lf != NULL ? (size_t)(lf - bytes) : len;
	if (len < 2)
		return bytes[0] == '*' ? OPINION_MAYBE : OPINION_NO;
	if (bytes[0] == '*' && bytes[1] == ' ')
		return midstream && is_fetch(bytes, n) ? OPINION_YES : of_greeting(bytes, n, lf != NULL);
	/* A tagged answer to what was not seen. */
	return midstream && lf != NULL && (says(bytes, n, " OK ") || says(bytes, n, " NO ") || says(bytes, n, " BAD ")) &&
	                       text_is_utf8(bytes, n)
	               ? OPINION_MAYBE
	               : OPINION_NO;
}

/* "* OK [CAPABILITY IMAP4rev1 ...] ready" */
static enum opinion
of_greeting(const uint8_t *line, size_t len, bool whole)
{
	static const char *const words[] = {"* OK ", "* PREAUTH ", "* BYE ", "* CAPABILITY IMAP"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const size_t ahead = strlen(words[i]) < len ? strlen(words[i]) : len;
		if (strncasecmp(words[i], (const char *)line, ahead) != 0)
			continue;
		if (!whole || ahead < strlen(words[i]))
			return OPINION_MAYBE;
		return says(line, len, "IMAP") && text_is_utf8(line, len) ? OPINION_YES : OPINION_MAYBE;
	}
	return OPINION_NO;
}

/* "* 12 FETCH (" */
static bool
is_fetch(const uint8_t *line, size_t len)
{
	size_t n = 2;
	while (n < len && line[n] >= '0' && line[n] <= '9')
		n++;
	return n > 2 && text_prefix_nocase(line + n, len - n, " FETCH (");
}

static bool
says(const uint8_t *bytes, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++)
		if (text_prefix_nocase(bytes + i, len - i, word))
			return true;
	return false;
}
