/*
 * POP3 (RFC 1939) with CAPA (RFC 2449), STLS (RFC 2595) and AUTH (RFC 5034). What RETR and TOP bring goes to mail.c as it
 * streams by. Where the client's half was not seen, an answer of several lines that begins like a mail is one.
 */
#include "config.h"

#include "proto/pop3.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/dots.h"
#include "proto/lines.h"
#include "proto/mail.h"
#include "proto/owed.h"
#include "proto/sasl.h"

struct pop3 {
	struct session *session;
	enum side client;
	bool sides_known, greeted;
	bool text;       /* an answer of several lines is coming */
	bool torn;       /* bytes of it were not seen, perhaps its end */
	bool unasked;    /* the last line was an answer to nothing that was seen */
	bool challenged; /* the client's next line answers a challenge of SASL */
	bool wants_tls;
	enum pop3_verb answer; /* what is being answered */
	struct lines lines[2];
	struct sasl sasl;
	struct owed owed;
	struct dots dots;
	struct mail *mail;
	struct mail_log log;
};

static enum verdict take_line(struct pop3 *h, enum side from, const uint8_t *bytes, size_t len, size_t *used);
static void take_command(struct pop3 *h, const struct line *line);
static void take_auth(struct pop3 *h, const uint8_t *arg, size_t len);
static enum verdict take_status(struct pop3 *h, const struct line *line);
static bool is_greeting(const struct pop3 *h, const struct line *line);
static void take_stray(struct pop3 *h, const struct line *line);
static void begin_text(struct pop3 *h, enum pop3_verb verb);
static size_t take_text(struct pop3 *h, const uint8_t *bytes, size_t len);
static void end_text(struct pop3 *h, enum transfer_state state);
static bool begins_tls(const struct pop3 *h, enum side from, const uint8_t *bytes, size_t len);
static void find_client(struct pop3 *h, enum side from, const uint8_t *bytes, size_t len);

static void *
pop3_open(struct session *s)
{
	struct pop3 *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	h->client = SIDE_SOURCE;
	return h;
}

static enum verdict
pop3_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct pop3 *h = state;
	enum verdict v = VERDICT_MORE;

	if (!h->sides_known)
		find_client(h, from, bytes, len);
	if (begins_tls(h, from, bytes, len)) {
		session_switch(h->session, len);
		return VERDICT_SWITCH;
	}
	while (len > 0 && v == VERDICT_MORE) {
		size_t used = len;
		if (from != h->client && h->text)
			used = take_text(h, bytes, len);
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
pop3_gap(void *state, enum side from, uint64_t len)
{
	struct pop3 *h = state;

	lines_gap(&h->lines[from]);
	h->unasked = false;
	if (from == h->client || !h->text) {
		h->owed.count = 0; /* what is answered next is not known any more */
		return VERDICT_MORE;
	}
	h->torn = true;
	dots_gap(&h->dots);
	mail_skip(h->mail, len);
	return VERDICT_MORE;
}

static void
pop3_close(void *state, bool reset)
{
	struct pop3 *h = state;
	end_text(h, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	mail_log_tell(&h->log, h->session);
	mail_log_clear(&h->log);
	lines_clear(&h->lines[SIDE_SOURCE]);
	lines_clear(&h->lines[SIDE_DESTINATION]);
	owed_clear(&h->owed);
	free(h);
}

static void
pop3_end(void *state, enum side from)
{
	struct pop3 *h = state;
	if (from != h->client && h->text)
		end_text(h, TRANSFER_ABORTED);
}

static bool
pop3_finished(const void *state)
{
	const struct pop3 *h = state;
	return !mail_holds(h->mail);
}

const struct proto proto_pop3 = {
        .name = "pop3",
        .transport = IPPROTO_TCP,
        .ports = {110},
        .reads = "attachments of mails that RETR brings, each with name, size and content, also nested, forwarded, "
                 "uuencoded and yEncoded ones; sender, recipients, subject, message identifier; the account of USER, "
                 "APOP and AUTH",
        .infers = "transfers behind STLS, from volume",
        .misses = "files inside of winmail.dat (told as such), of S/MIME and of PGP; what TOP brings ends in the middle",
        .probe = pop3_probe,
        .open = pop3_open,
        .data = pop3_data,
        .gap = pop3_gap,
        .end = pop3_end,
        .close = pop3_close,
        .finished = pop3_finished,
};

static enum verdict
take_line(struct pop3 *h, enum side from, const uint8_t *bytes, size_t len, size_t *used)
{
	struct line line;
	bool whole;

	*used = lines_take(&h->lines[from], bytes, len, &line, &whole);
	if (!whole)
		return VERDICT_MORE;
	if (from != h->client)
		return take_status(h, &line);
	take_command(h, &line);
	return VERDICT_MORE;
}

static void
take_command(struct pop3 *h, const struct line *line)
{
	enum pop3_verb verb = POP3_OTHER;
	const uint8_t *arg;
	size_t len;
	const bool known = pop3_command(line->bytes, line->len, &verb, &arg, &len);

	if (h->sasl.mechanism[0] != '\0' && (h->challenged || !known)) {
		h->challenged = false;
		sasl_response(&h->sasl, h->session, line->bytes, line->len);
		return;
	}
	if (!known && (line->torn || line->len == 0))
		return;
	/* Clients do not go on before they have all of a mail: its end was not seen. */
	if (h->text && h->torn)
		end_text(h, TRANSFER_TRUNCATED);
	h->sasl.mechanism[0] = '\0';
	h->wants_tls = verb == POP3_STLS;
	if (verb == POP3_AUTH && len == 0)
		verb = POP3_LIST_ALL;
	if (verb == POP3_AUTH)
		take_auth(h, arg, len);
	if (verb == POP3_USER)
		session_account(h->session, arg, len);
	if (verb == POP3_APOP) {
		const uint8_t *space = memchr(arg, ' ', len);
		session_account(h->session, arg, space != NULL ? (size_t)(space - arg) : len);
	}
	owed_add(&h->owed, (uint8_t)verb);
}

static void
take_auth(struct pop3 *h, const uint8_t *arg, size_t len)
{
	const uint8_t *space = memchr(arg, ' ', len);
	const size_t word = space != NULL ? (size_t)(space - arg) : len;
	sasl_begin(&h->sasl, arg, word);
	if (space != NULL)
		sasl_response(&h->sasl, h->session, space + 1, len - word - 1);
}

static enum verdict
take_status(struct pop3 *h, const struct line *line)
{
	const enum pop3_status status = pop3_status(line->bytes, line->len);
	const bool unasked = h->unasked;

	h->unasked = false;
	if (status == POP3_NONE) {
		if (unasked)
			take_stray(h, line);
		return VERDICT_MORE;
	}
	if (status == POP3_CHALLENGE) {
		h->challenged = true;
		return VERDICT_MORE;
	}
	const bool first = !h->greeted && status == POP3_OK && !line->torn;
	const bool greeting = first && is_greeting(h, line);
	if (greeting || (first && h->owed.count == 0)) {
		const size_t skip = line->len > 4 ? 4 : line->len;
		session_server(h->session, line->bytes + skip, line->len - skip);
	}
	h->greeted = true;
	if (greeting)
		return VERDICT_MORE;
	if (h->owed.count == 0) {
		h->unasked = status == POP3_OK;
		return VERDICT_MORE;
	}
	const enum pop3_verb verb = (enum pop3_verb)owed_take(&h->owed);
	if (verb == POP3_STLS && status == POP3_OK)
		return VERDICT_SWITCH;
	if (verb == POP3_AUTH)
		h->sasl.mechanism[0] = '\0';
	if (status == POP3_OK && (verb == POP3_RETR || verb == POP3_TOP || verb == POP3_LIST_ALL))
		begin_text(h, verb);
	return VERDICT_MORE;
}

/* Where the client did not wait for it, it answers nothing. */
static bool
is_greeting(const struct pop3 *h, const struct line *line)
{
	static const char word[] = "ready";
	return pop3_greets(line->bytes, line->len) ||
	       (h->owed.count > 0 && line->len > 0 && memmem(line->bytes, line->len, word, sizeof word - 1) != NULL);
}

/* A line that is no answer, behind one to a command that was not seen: of a mail where it is a header's first, else of a list. */
static void
take_stray(struct pop3 *h, const struct line *line)
{
	size_t n = 0;
	while (n < line->len && line->bytes[n] > ' ' && line->bytes[n] < 0x7f && line->bytes[n] != ':')
		n++;
	const bool header = n > 1 && n < line->len && line->bytes[n] == ':' && !line->cut;
	begin_text(h, header ? POP3_RETR : POP3_LIST_ALL);
	if (line->len > 0)
		(void)take_text(h, line->bytes, line->len);
	if (h->text)
		(void)take_text(h, (const uint8_t *)"\r\n", 2);
}

static void
begin_text(struct pop3 *h, enum pop3_verb verb)
{
	const struct mail_start start = {.sender = side_other(h->client),
	        .method = verb == POP3_TOP ? "TOP" : "RETR",
	        .log = &h->log};
	h->text = true;
	h->torn = false;
	h->answer = verb;
	h->dots = (struct dots){.state = DOTS_START};
	if (verb != POP3_LIST_ALL)
		h->mail = mail_open(h->session, &start);
}

static size_t
take_text(struct pop3 *h, const uint8_t *bytes, size_t len)
{
	const uint8_t *content;
	size_t used, n;
	const enum verdict v = dots_take(&h->dots, bytes, len, &used, &content, &n);
	if (n > 0)
		mail_data(h->mail, content, n);
	if (v == VERDICT_DONE)
		end_text(h, h->torn || h->answer == POP3_TOP ? TRANSFER_TRUNCATED : TRANSFER_COMPLETE);
	return used;
}

static void
end_text(struct pop3 *h, enum transfer_state state)
{
	h->text = false;
	mail_end(h->mail, state);
	mail_close(h->mail, 0);
	h->mail = NULL;
}

/* A client that does not wait for the answer to STLS, or whose answer was not seen. */
static bool
begins_tls(const struct pop3 *h, enum side from, const uint8_t *bytes, size_t len)
{
	return h->wants_tls && from == h->client && lines_at_start(&h->lines[from]) && len >= 2 && bytes[0] == 22 &&
	       bytes[1] == 3;
}

/* Seen from the middle, the initiator is a guess: who answers is the server. */
static void
find_client(struct pop3 *h, enum side from, const uint8_t *bytes, size_t len)
{
	h->sides_known = true;
	h->client = len > 0 && (bytes[0] == '+' || bytes[0] == '-') ? side_other(from) : from;
	session_client_end(h->session, h->client);
}
