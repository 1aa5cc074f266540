/*
 * IMAP (RFC 9051, RFC 3501) with literals of all kinds (RFC 7888, RFC 3516), STARTTLS and COMPRESS (RFC 4978). Mails and
 * parts of mails that FETCH and APPEND move go to mail.c as they stream by. Not read: CATENATE, what follows COMPRESS.
 */
#include "config.h"

#include "proto/imap.h"

#include <netinet/in.h>
#include <stdlib.h>

static bool begins_tls(const struct imap *h, enum side from, const uint8_t *bytes, size_t len);
static void find_client(struct imap *h, enum side from, const uint8_t *bytes, size_t len);

static void *
imap_open(struct session *s)
{
	struct imap *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	h->client = SIDE_SOURCE;
	return h;
}

static enum verdict
imap_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct imap *h = state;

	if (!h->sides_known)
		find_client(h, from, bytes, len);
	if (begins_tls(h, from, bytes, len)) {
		session_switch(h->session, len);
		return VERDICT_SWITCH;
	}
	const size_t used = imap_stream_take(&h->stream[from], bytes, len,
	        from == h->client ? &imap_client_ops : &imap_server_ops, h);
	if (h->compressed) {
		session_detail(h->session, "imap.compress", "deflate", 7);
		session_unreadable(h->session, "compressed");
		return VERDICT_DONE;
	}
	if (!h->tls)
		return VERDICT_MORE;
	session_switch(h->session, len - used);
	return VERDICT_SWITCH;
}

static enum verdict
imap_gap(void *state, enum side from, uint64_t len)
{
	struct imap *h = state;
	imap_stream_gap(&h->stream[from], len, from == h->client ? &imap_client_ops : &imap_server_ops, h);
	return VERDICT_MORE;
}

static void
imap_end(void *state, enum side from)
{
	struct imap *h = state;
	if (!h->stream[from].in_literal)
		return;
	if (from == h->client)
		imap_append_over(h, TRANSFER_ABORTED);
	else
		imap_fetch_over(h, TRANSFER_ABORTED);
}

static void
imap_close(void *state, bool reset)
{
	struct imap *h = state;
	imap_fetch_over(h, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	imap_append_over(h, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	mail_log_tell(&h->log, h->session);
	mail_log_clear(&h->log);
	imap_messages_clear(&h->messages);
	imap_stream_clear(&h->stream[SIDE_SOURCE]);
	imap_stream_clear(&h->stream[SIDE_DESTINATION]);
	free(h);
}

static bool
imap_finished(const void *state)
{
	const struct imap *h = state;
	return !mail_holds(h->fetch.mail) && !mail_holds(h->append);
}

const struct proto proto_imap = {
        .name = "imap",
        .transport = IPPROTO_TCP,
        .ports = {143},
        .reads = "attachments of mails that FETCH and APPEND move, whole, in pieces or part by part, each with name, size "
                 "and content, also nested, forwarded, uuencoded and yEncoded ones; sender, recipients, subject, message "
                 "identifier, mailbox; the account of LOGIN and AUTHENTICATE",
        .infers = "transfers behind STARTTLS and COMPRESS, from volume",
        .misses = "files inside of winmail.dat (told as such), of S/MIME and of PGP; CATENATE; names of parts fetched "
                  "alone where BODYSTRUCTURE was not seen",
        .probe = imap_probe,
        .open = imap_open,
        .data = imap_data,
        .gap = imap_gap,
        .end = imap_end,
        .close = imap_close,
        .finished = imap_finished,
};

/* A client that does not wait for the answer to STARTTLS, or whose answer was not seen. */
static bool
begins_tls(const struct imap *h, enum side from, const uint8_t *bytes, size_t len)
{
	return h->tls_tag.len > 0 && from == h->client && imap_stream_at_start(&h->stream[from]) && len >= 2 &&
	       bytes[0] == 22 && bytes[1] == 3;
}

/* Seen from the middle, the initiator is a guess: only servers begin a line with a star. */
static void
find_client(struct imap *h, enum side from, const uint8_t *bytes, size_t len)
{
	h->sides_known = true;
	h->client = len > 0 && bytes[0] == '*' ? side_other(from) : from;
	session_client_end(h->session, h->client);
}
