/*
 * Commands and their replies. With PIPELINING (RFC 2920) replies come in the order of the commands, so that those without
 * one are remembered; where a part of the dialogue was not seen, 354 and 334 still tell what they answer.
 */
#include "config.h"

#include "proto/smtp.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void take_hello(struct smtp *s, const uint8_t *line, const uint8_t *arg, size_t len);
static void take_auth(struct smtp *s, const uint8_t *arg, size_t len);
static void take_path(struct smtp *s, bool recipient, const uint8_t *arg, size_t len);
static void take_bdat(struct smtp *s, const uint8_t *arg, size_t len);
static struct smtp_envelope *envelope(struct smtp *s);
static void forget_envelope(struct smtp *s);
static void answered(struct smtp *s, enum smtp_verb verb, unsigned code);
static void go_ahead(struct smtp *s);

enum verdict
smtp_take_command(struct smtp *s, const struct line *line)
{
	enum smtp_verb verb;
	const uint8_t *arg;
	size_t len;
	const bool known = smtp_command(line->bytes, line->len, &verb, &arg, &len);

	if (s->sasl.mechanism[0] != '\0' && (s->challenged || !known)) {
		s->challenged = false;
		sasl_response(&s->sasl, s->session, line->bytes, line->len);
		return VERDICT_MORE;
	}
	if (!known && line->torn)
		return VERDICT_MORE;
	if (!known)
		verb = SMTP_OTHER;
	s->sasl.mechanism[0] = '\0';
	if (verb != SMTP_BDAT)
		owed_add(&s->owed, verb);
	switch (verb) {
	case SMTP_HELLO:
		take_hello(s, line->bytes, arg, len);
		break;
	case SMTP_AUTH:
		take_auth(s, arg, len);
		break;
	case SMTP_MAIL:
		smtp_mail_over(s, TRANSFER_ABORTED); /* of chunks without a last one */
		forget_envelope(s);
		take_path(s, false, arg, len);
		break;
	case SMTP_RCPT:
		take_path(s, true, arg, len);
		break;
	case SMTP_RSET:
		smtp_mail_over(s, TRANSFER_ABORTED);
		forget_envelope(s);
		break;
	case SMTP_DATA:
		smtp_mail_over(s, TRANSFER_ABORTED);
		s->state = SMTP_ASKED;
		break;
	case SMTP_BDAT:
		take_bdat(s, arg, len);
		break;
	case SMTP_STARTTLS:
		s->wants_tls = true;
		break;
	default:
		break;
	}
	return VERDICT_MORE;
}

enum verdict
smtp_take_reply(struct smtp *s, unsigned code, const uint8_t *text, size_t len)
{
	/* A greeting is no answer, also where the client did not wait for it; in the middle only STARTTLS gets a 220. */
	if (!s->greeted && s->state <= SMTP_ASKED && (s->owed.count == 0 || (code == 220 && !s->wants_tls))) {
		s->greeted = true;
		if (code == 220)
			session_server(s->session, text, len);
		return VERDICT_MORE;
	}
	s->greeted = true;
	if (code == 354) {
		go_ahead(s);
		return VERDICT_MORE;
	}
	if (code == 334) {
		s->challenged = true;
		return VERDICT_MORE;
	}
	if (s->owed.count == 0) {
		/* The end of the mail was not seen, but it is answered. */
		if (s->state == SMTP_TEXT && s->torn) {
			smtp_mail_over(s, TRANSFER_TRUNCATED);
			s->state = SMTP_COMMANDS;
			smtp_mail_answered(s, code);
		}
		return VERDICT_MORE;
	}
	const enum smtp_verb verb = (enum smtp_verb)owed_take(&s->owed);
	if (verb == SMTP_STARTTLS && code == 220)
		return VERDICT_SWITCH;
	answered(s, verb, code);
	return VERDICT_MORE;
}

static void
answered(struct smtp *s, enum smtp_verb verb, unsigned code)
{
	struct smtp_envelope *e = s->envelope;
	switch (verb) {
	case SMTP_STARTTLS:
		s->wants_tls = false;
		break;
	case SMTP_AUTH:
		s->sasl.mechanism[0] = '\0';
		s->challenged = false;
		break;
	case SMTP_RCPT:
		if (e != NULL && e->answered < e->count)
			e->to[e->answered++].refused = code >= 400;
		if (e != NULL && code < 400)
			e->accepted++;
		break;
	case SMTP_DATA: /* refused */
		if (s->state == SMTP_ASKED)
			s->state = SMTP_COMMANDS;
		break;
	case SMTP_CONTENT:
	case SMTP_BDAT_LAST:
		smtp_mail_answered(s, code);
		break;
	default:
		break;
	}
}

/* 354: the mail comes now, whatever else was thought to come. */
static void
go_ahead(struct smtp *s)
{
	while (s->owed.count > 0 && owed_take(&s->owed) != SMTP_DATA)
		;
	if (s->state == SMTP_ASKED) {
		smtp_text_begin(s);
	} else if (s->state == SMTP_COMMANDS && s->lines[s->client].torn) {
		/* DATA was not seen, nor perhaps the mail's beginning. */
		dots_gap(&s->dots);
		s->torn = true;
		s->state = SMTP_TEXT;
	}
}

static void
take_hello(struct smtp *s, const uint8_t *line, const uint8_t *arg, size_t len)
{
	session_detail(s->session, "smtp.helo", arg, len);
	if ((line[0] | 0x20) == 'l' && !s->lmtp) {
		s->lmtp = true;
		session_protocol(s->session, "lmtp", "content");
	}
}

/* AUTH mechanism [response] (RFC 4954 section 4) */
static void
take_auth(struct smtp *s, const uint8_t *arg, size_t len)
{
	const uint8_t *space = memchr(arg, ' ', len);
	const size_t word = space != NULL ? (size_t)(space - arg) : len;
	sasl_begin(&s->sasl, arg, word);
	if (space == NULL)
		return;
	const uint8_t *response = space + 1;
	size_t response_len = len - word - 1;
	text_trim(&response, &response_len);
	sasl_response(&s->sasl, s->session, response, response_len);
}

/* "<box@example.org> SIZE=100", or what senders make of it: an address without brackets, a route before it. */
static void
take_path(struct smtp *s, bool recipient, const uint8_t *arg, size_t len)
{
	struct smtp_envelope *e = envelope(s);
	const uint8_t *end;
	size_t n;

	if (len > 0 && arg[0] == '<') {
		end = memchr(arg, '>', len);
		n = end != NULL ? (size_t)(end - arg) - 1 : len - 1;
		arg++;
		const uint8_t *colon = n > 0 && arg[0] == '@' ? memchr(arg, ':', n) : NULL;
		if (colon != NULL) { /* RFC 5321 appendix C */
			n -= (size_t)(colon + 1 - arg);
			arg = colon + 1;
		}
	} else {
		end = memchr(arg, ' ', len);
		n = end != NULL ? (size_t)(end - arg) : len;
	}
	if (e == NULL || (recipient && e->count == SMTP_RECIPIENTS_MAX)) {
		if (e != NULL)
			e->left_out++;
		return;
	}
	const uint8_t *copy = arena_copy(&e->arena, arg, n);
	if (copy == NULL)
		return;
	if (recipient) {
		e->to[e->count++] = (struct smtp_recipient){.address = copy, .len = n};
	} else {
		e->from = copy;
		e->from_len = n;
	}
}

/* BDAT size [LAST] (RFC 3030 section 2) */
static void
take_bdat(struct smtp *s, const uint8_t *arg, size_t len)
{
	size_t digits = 0;
	while (digits < len && arg[digits] >= '0' && arg[digits] <= '9')
		digits++;
	const uint8_t *word = arg + digits;
	size_t word_len = len - digits;
	text_trim(&word, &word_len);
	if (text_to_u64(arg, digits, &s->chunk_left) != 0) {
		owed_add(&s->owed, SMTP_OTHER);
		return;
	}
	s->chunk_last = text_equal_nocase(word, word_len, "LAST");
	owed_add(&s->owed, s->chunk_last ? SMTP_BDAT_LAST : SMTP_BDAT);
	if (s->mail == NULL)
		smtp_mail_begin(s, "BDAT");
	s->state = SMTP_CHUNK;
	if (s->chunk_left > 0)
		return;
	s->state = SMTP_COMMANDS;
	if (s->chunk_last)
		smtp_mail_over(s, TRANSFER_COMPLETE);
}

static struct smtp_envelope *
envelope(struct smtp *s)
{
	if (s->envelope == NULL && (s->envelope = malloc(sizeof *s->envelope)) != NULL) {
		*s->envelope = (struct smtp_envelope){.count = 0};
		arena_init(&s->envelope->arena, SMTP_ENVELOPE_MAX);
	}
	return s->envelope;
}

static void
forget_envelope(struct smtp *s)
{
	if (s->envelope != NULL)
		arena_clear(&s->envelope->arena);
	free(s->envelope);
	s->envelope = NULL;
}

void
smtp_mail_begin(struct smtp *s, const char *method)
{
	const struct smtp_envelope *e = s->envelope;
	const struct mail_start start = {.sender = s->client, .method = method, .log = &s->log, .answered = true};

	mail_close(s->sent, 0); /* its answer did not come */
	s->sent = NULL;
	s->mail = mail_open(s->session, &start);
	if (e == NULL)
		return;
	if (e->from_len > 0)
		mail_detail(s->mail, "smtp.mail_from", e->from, e->from_len, NULL);
	for (size_t i = 0; i < e->count; i++)
		if (!e->to[i].refused)
			mail_detail(s->mail, "smtp.rcpt_to", e->to[i].address, e->to[i].len, NULL);
	mail_left_out(s->mail, e->left_out);
}

void
smtp_mail_over(struct smtp *s, enum transfer_state state)
{
	if (s->mail == NULL)
		return;
	mail_end(s->mail, state);
	mail_close(s->sent, 0);
	s->sent = s->mail;
	s->mail = NULL;
	if (state == TRANSFER_ABORTED) { /* nobody answers that */
		mail_close(s->sent, 0);
		s->sent = NULL;
	}
}

void
smtp_mail_answered(struct smtp *s, unsigned code)
{
	mail_close(s->sent, code);
	s->sent = NULL;
	forget_envelope(s);
}

void
smtp_text_begin(struct smtp *s)
{
	s->dots = (struct dots){.state = DOTS_START};
	s->torn = false;
	s->state = SMTP_TEXT;
	smtp_mail_begin(s, "DATA");
}

void
smtp_text_over(struct smtp *s)
{
	const struct smtp_envelope *e = s->envelope;
	/* LMTP answers for each recipient that it took (RFC 2033 section 4.2). */
	size_t answers = s->lmtp && e != NULL && e->accepted > 0 ? e->accepted : 1;
	smtp_mail_over(s, s->torn ? TRANSFER_TRUNCATED : TRANSFER_COMPLETE);
	s->state = SMTP_COMMANDS;
	for (size_t i = 0; i < answers && i < SMTP_RECIPIENTS_MAX; i++)
		owed_add(&s->owed, SMTP_CONTENT);
}

void
smtp_clear(struct smtp *s, enum transfer_state state)
{
	if (s->mail != NULL)
		mail_end(s->mail, state);
	mail_close(s->sent, 0);
	mail_close(s->mail, 0);
	forget_envelope(s);
	owed_clear(&s->owed);
}
