/*
 * FTP is known on any port by its greeting and the client's commands. A greeting alone
 * is not enough: SMTP begins with 220 as well.
 */
#include "config.h"

#include "proto/ftp.h"

#include <string.h>

#include "base/text.h"

enum opinion {
	OPINION_NONE,  /* nothing was said */
	OPINION_NO,    /* not FTP */
	OPINION_UNKNOWN, /* a line that FTP does not know, but might take */
	OPINION_MAYBE, /* others speak so too */
	OPINION_LOGIN, /* USER or PASS: FTP, POP3, IRC */
	OPINION_YES,
};

enum { UNKNOWN_VERBS_MAX = 3 };

static enum verdict probe_sides(const struct probe *p, enum side client);
static enum opinion of_client(const uint8_t *bytes, size_t len, bool greeted);
static enum opinion of_command(const uint8_t *line, size_t len);
static enum opinion of_server(const uint8_t *bytes, size_t len, bool midstream);
static enum opinion of_reply(const uint8_t *line, size_t len, bool midstream);
static size_t line_end(const uint8_t *bytes, size_t len);
static bool is_text(const uint8_t *bytes, size_t len);

enum verdict
ftp_probe(const struct probe *p)
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
	bool greeted = p->len[server] >= 3 && memcmp(p->bytes[server], "220", 3) == 0;
	enum opinion s = of_server(p->bytes[server], p->len[server], p->midstream);
	enum opinion c = of_client(p->bytes[client], p->len[client], greeted);

	if (s == OPINION_NO || c == OPINION_NO)
		return VERDICT_NOT_MINE;
	/* POP3 and IRC know USER too, but answer it with no numbers. */
	if (s == OPINION_YES || c == OPINION_YES || (c == OPINION_LOGIN && s == OPINION_MAYBE))
		return VERDICT_DONE;
	return VERDICT_MORE;
}

/* The strongest word of the lines so far. */
static enum opinion
of_client(const uint8_t *bytes, size_t len, bool greeted)
{
	enum opinion best = OPINION_NONE;
	size_t unknown = 0;

	while (len > 0) {
		size_t n = line_end(bytes, len);
		bool whole = n < len;
		size_t line = whole && n > 0 && bytes[n - 1] == '\r' ? n - 1 : n;
		enum opinion o = of_command(bytes, line);
		if (!whole && o > OPINION_MAYBE)
			o = OPINION_MAYBE; /* the line still grows */
		if (o == OPINION_NO)
			return o;
		if (o == OPINION_UNKNOWN && (!greeted || ++unknown > UNKNOWN_VERBS_MAX))
			return OPINION_NO;
		if (o > best)
			best = o;
		size_t step = whole ? n + 1 : n;
		bytes += step;
		len -= step;
	}
	return best;
}

static enum opinion
of_command(const uint8_t *line, size_t len)
{
	static const char *const mail[] = {"EHLO", "HELO", "LHLO", "STARTTLS", "MAIL", "RCPT"};
	struct ftp_command command;

	for (size_t i = 0; i < sizeof mail / sizeof mail[0]; i++)
		if (text_prefix_nocase(line, len, mail[i]))
			return OPINION_NO;
	if (!is_text(line, len))
		return OPINION_NO;
	if (!ftp_command_parse(line, len, &command) || command.verb == NULL)
		return OPINION_UNKNOWN;
	if (command.verb->tells)
		return OPINION_YES;
	switch (command.verb->action) {
	case FTP_USER:
	case FTP_LOGIN:
	case FTP_HOST:
		return OPINION_LOGIN;
	case FTP_AUTH: /* mail names SASL mechanisms here (RFC 4954) */
		return text_prefix_nocase(command.arg, command.arg_len, "TLS") ||
		                       text_prefix_nocase(command.arg, command.arg_len, "SSL")
		               ? OPINION_YES
		               : OPINION_MAYBE;
	default:
		return OPINION_MAYBE;
	}
}

static enum opinion
of_server(const uint8_t *bytes, size_t len, bool midstream)
{
	enum opinion best = OPINION_NONE;

	for (bool first = true; len > 0; first = false) {
		size_t n = line_end(bytes, len);
		enum opinion o = of_reply(bytes, n, midstream || !first);
		/* Behind the first, lines may be text of a reply of several lines. */
		if (o == OPINION_NO && first)
			return OPINION_NO;
		if (o > best)
			best = o;
		size_t step = n < len ? n + 1 : n;
		bytes += step;
		len -= step;
	}
	return best;
}

/* A line's opinion; later tells that it need not be the first word of the conversation. */
static enum opinion
of_reply(const uint8_t *line, size_t len, bool later)
{
	static const uint16_t own[] = {125, 150, 226, 227, 228, 229, 257, 331, 332, 350, 425, 426};
	unsigned code = ftp_reply_code(line, len);

	if (len < 3)
		return is_text(line, len) ? OPINION_MAYBE : OPINION_NO;
	if (code == 0 || !is_text(line, len))
		return OPINION_NO;
	for (size_t i = 0; later && i < sizeof own / sizeof own[0]; i++)
		if (code == own[i])
			return OPINION_YES;
	return later || code == 220 || code == 120 || code >= 400 ? OPINION_MAYBE : OPINION_NO;
}

/* The bytes before the next LF, or all. */
static size_t
line_end(const uint8_t *bytes, size_t len)
{
	const uint8_t *end = memchr(bytes, '\n', len);
	return end != NULL ? (size_t)(end - bytes) : len;
}

/* No control characters but those of a line's end; bytes beyond ASCII are names. */
static bool
is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 0x20 && bytes[i] != '\r' && bytes[i] != '\t' && bytes[i] != '\0')
			return false;
	return true;
}
