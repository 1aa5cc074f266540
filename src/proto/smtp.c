/*
 * SMTP (RFC 5321) and LMTP (RFC 2033), with PIPELINING (RFC 2920), CHUNKING (RFC 3030), STARTTLS (RFC 3207) and AUTH (RFC
 * 4954). Each mail of a session goes to mail.c as it streams by. Not read: BURL.
 */
#include "config.h"

#include "proto/smtp.h"

#include <netinet/in.h>
#include <stdlib.h>

static enum verdict take_client(struct smtp *s, const uint8_t *bytes, size_t len, size_t *used);
static enum verdict take_line(struct smtp *s, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static enum verdict take_server(struct smtp *s, const uint8_t *bytes, size_t len, size_t *used);
static size_t take_text(struct smtp *s, const uint8_t *bytes, size_t len);
static size_t take_chunk(struct smtp *s, const uint8_t *bytes, size_t len);
static void chunk_over(struct smtp *s);
static bool begins_tls(const struct smtp *s, enum side from, const uint8_t *bytes, size_t len);
static void find_client(struct smtp *s, enum side from, const uint8_t *bytes, size_t len);

static void *
smtp_open(struct session *session)
{
	struct smtp *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->session = session;
	s->client = SIDE_SOURCE;
	return s;
}

static enum verdict
smtp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct smtp *s = state;
	enum verdict v = VERDICT_MORE;

	if (!s->sides_known)
		find_client(s, from, bytes, len);
	if (begins_tls(s, from, bytes, len)) {
		session_switch(s->session, len);
		return VERDICT_SWITCH;
	}
	while (len > 0 && v == VERDICT_MORE) {
		size_t used = len;
		v = from == s->client ? take_client(s, bytes, len, &used) : take_server(s, bytes, len, &used);
		bytes += used;
		len -= used;
	}
	if (v == VERDICT_SWITCH)
		session_switch(s->session, len);
	return v;
}

static enum verdict
smtp_gap(void *state, enum side from, uint64_t len)
{
	struct smtp *s = state;

	lines_gap(&s->lines[from]);
	if (from != s->client) {
		s->owed.count = 0;
		return VERDICT_MORE;
	}
	if (s->state == SMTP_ASKED)
		smtp_text_begin(s);
	if (s->state == SMTP_TEXT) {
		s->torn = true;
		dots_gap(&s->dots);
		mail_skip(s->mail, len);
	} else if (s->state == SMTP_CHUNK) {
		const uint64_t n = len < s->chunk_left ? len : s->chunk_left;
		mail_skip(s->mail, n);
		s->chunk_left -= n;
		if (s->chunk_left == 0)
			chunk_over(s);
	}
	return VERDICT_MORE;
}

static void
smtp_end(void *state, enum side from)
{
	struct smtp *s = state;
	if (from == s->client && s->mail != NULL)
		s->broken_off = true;
}

static void
smtp_close(void *state, bool reset)
{
	struct smtp *s = state;
	smtp_clear(s, reset || s->broken_off ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	mail_log_tell(&s->log, s->session);
	mail_log_clear(&s->log);
	lines_clear(&s->lines[SIDE_SOURCE]);
	lines_clear(&s->lines[SIDE_DESTINATION]);
	free(s);
}

static bool
smtp_finished(const void *state)
{
	const struct smtp *s = state;
	return !mail_holds(s->mail) && !mail_holds(s->sent);
}

const struct proto proto_smtp = {
        .name = "smtp",
        .transport = IPPROTO_TCP,
        .ports = {25, 587, 24, 2525},
        .reads = "attachments of mails sent by DATA and BDAT, each with name, size and content, also nested, forwarded, "
                 "uuencoded and yEncoded ones; sender, recipients (of header and envelope), subject, message identifier, "
                 "the account of AUTH, the server's answer; LMTP as well",
        .infers = "transfers behind STARTTLS, from volume",
        .misses = "files inside of winmail.dat (told as such), of S/MIME and of PGP; BURL; Kerberos accounts",
        .probe = smtp_probe,
        .open = smtp_open,
        .data = smtp_data,
        .gap = smtp_gap,
        .end = smtp_end,
        .close = smtp_close,
        .finished = smtp_finished,
};

static enum verdict
take_client(struct smtp *s, const uint8_t *bytes, size_t len, size_t *used)
{
	switch (s->state) {
	case SMTP_ASKED: /* it does not wait for the answer, or that was not seen */
		smtp_text_begin(s);
		*used = 0;
		return VERDICT_MORE;
	case SMTP_TEXT:
		*used = take_text(s, bytes, len);
		return VERDICT_MORE;
	case SMTP_CHUNK:
		*used = take_chunk(s, bytes, len);
		return VERDICT_MORE;
	case SMTP_COMMANDS:
		break;
	}
	return take_line(s, s->client, bytes, len, used);
}

static enum verdict
take_server(struct smtp *s, const uint8_t *bytes, size_t len, size_t *used)
{
	return take_line(s, side_other(s->client), bytes, len, used);
}

static enum verdict
take_line(struct smtp *s, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct line line;
	bool whole, more;

	*used = lines_take(&s->lines[from], bytes, len, &line, &whole);
	if (!whole)
		return VERDICT_MORE;
	if (from == s->client)
		return line.len > 0 ? smtp_take_command(s, &line) : VERDICT_MORE;
	const unsigned code = smtp_reply_code(line.bytes, line.len, &more);
	if (code == 0 || more)
		return VERDICT_MORE;
	const size_t skip = line.len > 4 ? 4 : line.len;
	return smtp_take_reply(s, code, line.bytes + skip, line.len - skip);
}

static size_t
take_text(struct smtp *s, const uint8_t *bytes, size_t len)
{
	const uint8_t *content;
	size_t used, n;
	const enum verdict v = dots_take(&s->dots, bytes, len, &used, &content, &n);
	if (n > 0)
		mail_data(s->mail, content, n);
	if (v == VERDICT_DONE)
		smtp_text_over(s);
	return used;
}

static size_t
take_chunk(struct smtp *s, const uint8_t *bytes, size_t len)
{
	const size_t n = s->chunk_left < len ? (size_t)s->chunk_left : len;
	mail_data(s->mail, bytes, n);
	s->chunk_left -= n;
	if (s->chunk_left == 0)
		chunk_over(s);
	return n;
}

static void
chunk_over(struct smtp *s)
{
	s->state = SMTP_COMMANDS;
	if (s->chunk_last)
		smtp_mail_over(s, TRANSFER_COMPLETE);
}

/* A client that does not wait for the answer to STARTTLS, or whose answer was not seen. */
static bool
begins_tls(const struct smtp *s, enum side from, const uint8_t *bytes, size_t len)
{
	return s->wants_tls && from == s->client && s->state == SMTP_COMMANDS && lines_at_start(&s->lines[from]) &&
	       len >= 2 && bytes[0] == 22 && bytes[1] == 3;
}

/* Seen from the middle, the initiator is a guess: who answers with numbers is the server. */
static void
find_client(struct smtp *s, enum side from, const uint8_t *bytes, size_t len)
{
	s->sides_known = true;
	s->client = len > 0 && bytes[0] >= '0' && bytes[0] <= '9' ? side_other(from) : from;
	session_client_end(s->session, s->client);
}
