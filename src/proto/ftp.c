/*
 * FTP: files by name, account and direction, whoever opens the data connections. This is the
 * control connection; its parts:
 *   ftp_line      lines and Telnet         ftp_dialogue  commands and their replies
 *   ftp_command   the commands             ftp_setup     which command gets which data connection
 *   ftp_reply     the replies              ftp_channel   a data connection and its file
 *   ftp_address   PORT, 227 and kin        ftp_path      where the client stands
 *
 * RFC 959, 1123 section 4.1, 1639, 2228, 2389, 2428, 3659, 4217.
 */
#include "config.h"

#include "proto/ftp.h"

#include <netinet/in.h>
#include <stdlib.h>

static enum verdict take_line(struct ftp *f, enum side from, const struct ftp_line *line);
static bool makes_sense(const struct ftp *f, enum side from, const struct ftp_line *line);
static enum side client_by(enum side from, const struct ftp_line *line);
static bool begins_tls(const struct ftp *f, enum side from, const uint8_t *bytes, size_t len);

static void *
ftp_open(struct session *s)
{
	struct ftp *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	f->session = s;
	f->client = SIDE_SOURCE;
	f->text_type = true;
	LIST_INIT(&f->channels);
	return f;
}

static enum verdict
ftp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct ftp *f = state;
	struct ftp_lines *lines = &f->lines[from];
	enum verdict v = VERDICT_MORE;

	if (begins_tls(f, from, bytes, len)) {
		session_switch(f->session, len);
		return VERDICT_SWITCH;
	}
	while (len > 0 && v == VERDICT_MORE) {
		struct ftp_line line;
		bool whole;
		size_t n = ftp_lines_take(lines, bytes, len, &line, &whole);
		bytes += n;
		len -= n;
		if (whole)
			v = take_line(f, from, &line);
		else if (lines->total > FTP_LINE_STRAY)
			v = VERDICT_MALFORMED;
	}
	if (v == VERDICT_SWITCH)
		session_switch(f->session, len);
	return v;
}

static enum verdict
ftp_gap(void *state, enum side from, uint64_t len)
{
	struct ftp *f = state;
	(void)len;
	ftp_lines_gap(&f->lines[from]);
	if (f->sides_known && from != f->client)
		ftp_replies_gap(&f->replies);
	return VERDICT_MORE;
}

static void
ftp_close(void *state, bool reset)
{
	struct ftp *f = state;
	ftp_setup_clear(f, reset);
	ftp_dialogue_clear(f);
	ftp_lines_clear(&f->lines[SIDE_SOURCE]);
	ftp_lines_clear(&f->lines[SIDE_DESTINATION]);
	free(f);
}

static bool
ftp_finished(const void *state)
{
	const struct ftp *f = state;
	return LIST_EMPTY(&f->channels) && f->announced == NULL;
}

const struct proto proto_ftp = {
        .name = "ftp",
        .transport = IPPROTO_TCP,
        .ports = {21, 2121},
        .reads = "RETR, STOR, STOU and APPE with name, path, account, size and content, over PORT, "
                 "PASV, EPRT, EPSV, LPRT and LPSV",
        .infers = "transfers behind AUTH TLS or GSSAPI, from volume",
        .misses = "what MODE Z deflates is hashed as sent; MODE B and C, which nobody uses; "
                  "line ends that a receiver converts in TYPE A; commands behind CCC",
        .probe = ftp_probe,
        .open = ftp_open,
        .data = ftp_data,
        .gap = ftp_gap,
        .end = NULL,
        .close = ftp_close,
        .finished = ftp_finished,
};

static enum verdict
take_line(struct ftp *f, enum side from, const struct ftp_line *line)
{
	if (!f->sides_known) {
		f->client = client_by(from, line);
		f->sides_known = true;
		session_client_end(f->session, f->client);
	}
	if (line->torn && !makes_sense(f, from, line))
		return VERDICT_MORE;
	return from == f->client ? ftp_dialogue_command(f, line->bytes, line->len)
	                         : ftp_dialogue_reply(f, line->bytes, line->len);
}

/* A gap loses whole lines more often than parts of them: what looks like one is taken for one. */
static bool
makes_sense(const struct ftp *f, enum side from, const struct ftp_line *line)
{
	struct ftp_command command;

	if (from != f->client)
		return f->replies.open != 0 || ftp_reply_code(line->bytes, line->len) != 0;
	return ftp_command_parse(line->bytes, line->len, &command) && command.verb != NULL;
}

/* Seen from the middle, the initiator is a guess: who answers with numbers is the server. */
static enum side
client_by(enum side from, const struct ftp_line *line)
{
	struct ftp_command command;

	if (ftp_reply_code(line->bytes, line->len) != 0)
		return side_other(from);
	if (ftp_command_parse(line->bytes, line->len, &command) && command.verb != NULL)
		return from;
	return SIDE_SOURCE;
}

/* A client that does not wait for the answer to AUTH TLS, or whose answer was not seen. */
static bool
begins_tls(const struct ftp *f, enum side from, const uint8_t *bytes, size_t len)
{
	return f->wants_tls && from == f->client && ftp_lines_at_start(&f->lines[from]) && len >= 2 &&
	       bytes[0] == 22 && bytes[1] == 3;
}
