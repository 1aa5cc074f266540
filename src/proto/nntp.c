/*
 * NNTP (RFC 3977) with AUTHINFO (RFC 4643), STARTTLS (RFC 4642), streaming (RFC 4644) and COMPRESS (RFC 8054). Articles go
 * to mail.c as they stream by; a yEnc file that is spread over articles is joined, over several connections as well.
 */
#include "config.h"

#include "proto/nntp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/dots.h"
#include "proto/lines.h"
#include "proto/mail.h"
#include "proto/owed.h"
#include "proto/sasl.h"

/* Text of several lines that comes from one side. */
struct half {
	struct lines lines;
	struct dots dots;
	struct mail *mail; /* NULL: it is no article */
	bool text, torn;
};

struct nntp {
	struct session *session;
	enum side client;
	bool sides_known, greeted, asked; /* asked: POST, the article may come */
	bool challenged, wants_tls;
	struct half half[2];
	struct sasl sasl;
	struct owed owed;
	struct mail_log log;
};

static enum verdict take_line(struct nntp *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static void take_command(struct nntp *h, const struct line *line);
static enum verdict take_answer(struct nntp *h, const struct line *line);
static bool has_text(unsigned code, enum nntp_verb verb);
static void begin_text(struct nntp *h, enum side from, const char *method, bool header);
static size_t take_text(struct nntp *h, enum side from, const uint8_t *bytes, size_t len);
static void end_text(struct half *half, enum transfer_state state);
static bool begins_tls(const struct nntp *h, enum side from, const uint8_t *bytes, size_t len);

static void *
nntp_open(struct session *s)
{
	struct nntp *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	h->client = SIDE_SOURCE;
	return h;
}

static enum verdict
nntp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct nntp *h = state;
	enum verdict v = VERDICT_MORE;

	if (!h->sides_known) { /* seen from the middle, who answers with numbers is the server */
		h->client = len > 0 && bytes[0] >= '0' && bytes[0] <= '9' ? side_other(from) : from;
		h->sides_known = true;
		session_client_end(h->session, h->client);
	}
	if (begins_tls(h, from, bytes, len)) {
		session_switch(h->session, len);
		return VERDICT_SWITCH;
	}
	while (len > 0 && v == VERDICT_MORE) {
		size_t used = len;
		if (h->half[from].text)
			used = take_text(h, from, bytes, len);
		else
			v = take_line(h, from, bytes, len, &used);
		bytes += used;
		len -= used;
	}
	if (v == VERDICT_SWITCH)
		session_switch(h->session, len);
	return v;
}

static enum verdict
nntp_gap(void *state, enum side from, uint64_t len)
{
	struct nntp *h = state;
	struct half *half = &h->half[from];

	lines_gap(&half->lines);
	if (half->text) {
		half->torn = true;
		dots_gap(&half->dots);
		mail_skip(half->mail, len);
	} else {
		h->owed.count = 0;
	}
	return VERDICT_MORE;
}

static void
nntp_end(void *state, enum side from)
{
	struct nntp *h = state;
	if (h->half[from].text)
		end_text(&h->half[from], TRANSFER_ABORTED);
}

static void
nntp_close(void *state, bool reset)
{
	struct nntp *h = state;
	for (size_t side = 0; side < 2; side++) {
		end_text(&h->half[side], reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
		lines_clear(&h->half[side].lines);
	}
	mail_log_tell(&h->log, h->session);
	mail_log_clear(&h->log);
	owed_clear(&h->owed);
	free(h);
}

static bool
nntp_finished(const void *state)
{
	const struct nntp *h = state;
	return !mail_holds(h->half[SIDE_SOURCE].mail) && !mail_holds(h->half[SIDE_DESTINATION].mail);
}

const struct proto proto_nntp = {
        .name = "nntp",
        .transport = IPPROTO_TCP,
        .ports = {119},
        .reads = "files in articles that ARTICLE, BODY, POST, IHAVE and TAKETHIS move: yEnc, uuencode and MIME, each with name, "
                 "size and content; yEnc files joined out of their articles; the account of AUTHINFO",
        .infers = "transfers behind STARTTLS and COMPRESS, from volume",
        .misses = "uuencoded files are not joined out of several articles; par2 and rar sets stay as they are",
        .probe = nntp_probe,
        .open = nntp_open,
        .data = nntp_data,
        .gap = nntp_gap,
        .end = nntp_end,
        .close = nntp_close,
        .finished = nntp_finished,
};

static enum verdict
take_line(struct nntp *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct line line;
	bool whole;

	if (from == h->client && h->asked) { /* 340 was not seen, or not waited for */
		h->asked = false;
		begin_text(h, from, "POST", true);
		*used = 0;
		return VERDICT_MORE;
	}
	*used = lines_take(&h->half[from].lines, bytes, len, &line, &whole);
	if (!whole)
		return VERDICT_MORE;
	if (from != h->client)
		return take_answer(h, &line);
	take_command(h, &line);
	return VERDICT_MORE;
}

static void
take_command(struct nntp *h, const struct line *line)
{
	enum nntp_verb verb = NNTP_OTHER;
	const uint8_t *arg;
	size_t len;
	const bool known = nntp_command(line->bytes, line->len, &verb, &arg, &len);

	if (h->sasl.mechanism[0] != '\0' && (h->challenged || !known)) {
		h->challenged = false;
		sasl_response(&h->sasl, h->session, line->bytes, line->len);
		return;
	}
	if (!known && (line->torn || line->len == 0))
		return;
	/* What is asked next tells that an article whose end was not seen is over; commands are seldom sent before that. */
	struct half *server = &h->half[side_other(h->client)];
	if (server->text && server->torn && h->owed.count == 0)
		end_text(server, TRANSFER_TRUNCATED);
	h->sasl.mechanism[0] = '\0';
	h->wants_tls = verb == NNTP_STARTTLS;
	owed_add(&h->owed, (uint8_t)verb);
	if (verb == NNTP_USER) {
		session_account(h->session, arg, len);
	} else if (verb == NNTP_SASL) {
		const uint8_t *space = memchr(arg, ' ', len);
		const size_t word = space != NULL ? (size_t)(space - arg) : len;
		sasl_begin(&h->sasl, arg, word);
		if (space != NULL)
			sasl_response(&h->sasl, h->session, space + 1, len - word - 1);
	} else if (verb == NNTP_TAKETHIS) {
		begin_text(h, h->client, "TAKETHIS", true);
	} else if (verb == NNTP_POST) {
		h->asked = true;
	}
}

static enum verdict
take_answer(struct nntp *h, const struct line *line)
{
	const unsigned code = nntp_code(line->bytes, line->len);
	enum nntp_verb verb = NNTP_OTHER;

	if (code == 0)
		return VERDICT_MORE;
	if (!h->greeted && (code == 200 || code == 201) && line->len > 4 && h->owed.count == 0) {
		h->greeted = true;
		session_server(h->session, line->bytes + 4, line->len - 4);
		return VERDICT_MORE;
	}
	h->greeted = true;
	if (code == 383) { /* a challenge; the exchange has one answer at its end */
		h->challenged = h->sasl.mechanism[0] != '\0';
		return VERDICT_MORE;
	}
	if (h->owed.count > 0)
		verb = (enum nntp_verb)owed_take(&h->owed);
	if (verb == NNTP_STARTTLS && code == 382)
		return VERDICT_SWITCH;
	if (verb == NNTP_COMPRESS && code == 206) {
		session_unreadable(h->session, "compressed");
		return VERDICT_DONE;
	}
	if (verb == NNTP_SASL)
		h->sasl.mechanism[0] = '\0';
	if (code == 340 || code == 335) { /* another answer follows the article */
		if (!h->half[h->client].text)
			begin_text(h, h->client, code == 340 ? "POST" : "IHAVE", true);
		h->asked = false;
		owed_add(&h->owed, NNTP_OTHER);
	} else if (verb == NNTP_POST) {
		h->asked = false;
	} else if (has_text(code, verb)) {
		begin_text(h, side_other(h->client), code == 220 || code == 222 ? code == 220 ? "ARTICLE" : "BODY" : NULL, code == 220);
	}
	return VERDICT_MORE;
}

/* Answers of several lines (RFC 3977 appendix C, RFC 2980) */
static bool
has_text(unsigned code, enum nntp_verb verb)
{
	static const uint16_t codes[] = {100, 101, 215, 220, 221, 222, 224, 225, 230, 231, 282};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (code == codes[i])
			return true;
	return code == 211 && verb == NNTP_LISTGROUP;
}

/* method: NULL where it is no article. Without its header a body is text. */
static void
begin_text(struct nntp *h, enum side from, const char *method, bool header)
{
	struct half *half = &h->half[from];
	const struct mail_start start = {.sender = from, .method = method, .log = &h->log};
	half->text = true;
	half->torn = false;
	half->dots = (struct dots){.state = DOTS_START};
	if (method != NULL)
		half->mail = mail_open(h->session, &start);
	if (!header)
		mail_bare(half->mail, NULL, NULL, NULL);
}

static size_t
take_text(struct nntp *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	const uint8_t *content;
	size_t used, n;
	const enum verdict v = dots_take(&half->dots, bytes, len, &used, &content, &n);
	if (n > 0)
		mail_data(half->mail, content, n);
	if (v == VERDICT_DONE)
		end_text(half, half->torn ? TRANSFER_TRUNCATED : TRANSFER_COMPLETE);
	return used;
}

static void
end_text(struct half *half, enum transfer_state state)
{
	half->text = false;
	mail_end(half->mail, state);
	mail_close(half->mail, 0);
	half->mail = NULL;
}

/* A client that does not wait for the answer to STARTTLS, or whose answer was not seen. */
static bool
begins_tls(const struct nntp *h, enum side from, const uint8_t *bytes, size_t len)
{
	return h->wants_tls && from == h->client && !h->half[from].text && lines_at_start(&h->half[from].lines) && len >= 2 &&
	       bytes[0] == 22 && bytes[1] == 3;
}
