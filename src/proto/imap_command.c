/* What the client says: who logs in, which mailbox, and the mails that it brings with APPEND. */
#include "config.h"

#include "proto/imap.h"

#include <string.h>

#include "base/text.h"
#include "proto/imap_item.h"

static bool client_literal(void *ctx, const struct imap_stream *s, uint64_t len);
static void client_data(void *ctx, const uint8_t *bytes, size_t len);
static void client_skip(void *ctx, uint64_t len);
static void client_literal_end(void *ctx);
static bool client_line(void *ctx, const struct imap_stream *s);
static bool is_command(const struct imap_stream *s, struct imap_items *args, struct imap_item *tag, struct imap_item *verb);
static void take_login(struct imap *h, struct imap_items args);
static void take_authenticate(struct imap *h, struct imap_items args);
static void take_select(struct imap *h, struct imap_items args);
static void take_fetch(struct imap *h, const struct imap_stream *s);

const struct imap_stream_ops imap_client_ops = {
        client_literal, client_data, client_skip, client_literal_end, client_line};

void
imap_name_set(struct imap_name *name, const uint8_t *bytes, size_t len)
{
	name->len = len < sizeof name->bytes ? len : 0;
	memcpy(name->bytes, bytes, name->len);
}

bool
imap_name_is(const struct imap_name *name, const uint8_t *bytes, size_t len)
{
	return len > 0 && name->len == len && memcmp(name->bytes, bytes, len) == 0;
}

/* tag APPEND mailbox [(flags)] ["date"] {n}, and again for another mail (RFC 3502) */
static bool
client_literal(void *ctx, const struct imap_stream *s, uint64_t len)
{
	struct imap *h = ctx;
	struct imap_items args;
	struct imap_item tag, verb, mailbox, item;
	struct imap_name name;

	if (s->torn || s->cut || !is_command(s, &args, &tag, &verb) || !imap_item_is(&verb, "APPEND") ||
	        !imap_item_next(&args, &mailbox) || !imap_item_is_text(&mailbox))
		return false;
	imap_append_over(h, TRANSFER_TRUNCATED);
	while (imap_item_next(&args, &item))
		if (imap_item_is(&item, "CATENATE")) /* RFC 4469: a mail out of pieces, some of which are elsewhere */
			return true;
	const struct mail_start start = {.sender = h->client, .method = "APPEND", .log = &h->log};
	h->append = mail_open(h->session, &start);
	h->append_len = len;
	imap_name_set(&h->append_tag, tag.bytes, tag.len);
	name.len = imap_item_text(&mailbox, name.bytes, sizeof name.bytes);
	mail_detail(h->append, "imap.mailbox", name.bytes, name.len, NULL);
	return true;
}

static void
client_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct imap *h = ctx;
	h->append_len = 0;
	mail_data(h->append, bytes, len);
}

static void
client_skip(void *ctx, uint64_t len)
{
	struct imap *h = ctx;
	h->append_len = 0;
	mail_skip(h->append, len);
}

static void
client_literal_end(void *ctx)
{
	imap_append_over(ctx, TRANSFER_COMPLETE);
}

void
imap_append_over(struct imap *h, enum transfer_state state)
{
	mail_end(h->append, state);
	mail_close(h->append, 0);
	h->append = NULL;
	h->append_len = 0;
}

static bool
client_line(void *ctx, const struct imap_stream *s)
{
	struct imap *h = ctx;
	struct imap_items args;
	struct imap_item tag, verb;
	const bool command = is_command(s, &args, &tag, &verb);

	if (h->sasl.mechanism[0] != '\0' && (h->challenged || !command)) {
		h->challenged = false;
		sasl_response(&h->sasl, h->session, s->text, s->len);
		return true;
	}
	if (!command)
		return true;
	h->sasl.mechanism[0] = '\0';
	if (imap_item_is(&verb, "LOGIN"))
		take_login(h, args);
	else if (imap_item_is(&verb, "AUTHENTICATE"))
		take_authenticate(h, args);
	else if (imap_item_is(&verb, "SELECT") || imap_item_is(&verb, "EXAMINE"))
		take_select(h, args);
	else if (imap_item_is(&verb, "FETCH") || imap_item_is(&verb, "UID"))
		take_fetch(h, s);
	else if (imap_item_is(&verb, "STARTTLS"))
		imap_name_set(&h->tls_tag, tag.bytes, tag.len);
	else if (imap_item_is(&verb, "COMPRESS"))
		imap_name_set(&h->compress_tag, tag.bytes, tag.len);
	return true;
}

static bool
is_command(const struct imap_stream *s, struct imap_items *args, struct imap_item *tag, struct imap_item *verb)
{
	*args = (struct imap_items){s->text, s->len};
	return s->len > 0 && imap_item_next(args, tag) && tag->kind == IMAP_ATOM && imap_item_next(args, verb) &&
	       verb->kind == IMAP_ATOM && verb->bytes[0] > ' ' && !imap_item_is(tag, "*") && !imap_item_is(tag, "+");
}

static void
take_login(struct imap *h, struct imap_items args)
{
	struct imap_item user;
	struct imap_name name;
	if (!imap_item_next(&args, &user) || !imap_item_is_text(&user))
		return;
	name.len = imap_item_text(&user, name.bytes, sizeof name.bytes);
	if (name.len > 0)
		session_account(h->session, name.bytes, name.len);
}

static void
take_authenticate(struct imap *h, struct imap_items args)
{
	struct imap_item mechanism, response;
	if (!imap_item_next(&args, &mechanism) || !imap_item_is_text(&mechanism))
		return;
	sasl_begin(&h->sasl, mechanism.bytes, mechanism.len);
	if (imap_item_next(&args, &response) && imap_item_is_text(&response)) /* RFC 4959 */
		sasl_response(&h->sasl, h->session, response.bytes, response.len);
}

static void
take_select(struct imap *h, struct imap_items args)
{
	struct imap_item mailbox;
	imap_fetch_over(h, TRANSFER_TRUNCATED);
	imap_messages_clear(&h->messages);
	h->mailbox.len = 0;
	if (imap_item_next(&args, &mailbox) && imap_item_is_text(&mailbox))
		h->mailbox.len = imap_item_text(&mailbox, h->mailbox.bytes, sizeof h->mailbox.bytes);
}

/* BODY.PEEK[]<0.65536>: an answer with fewer bytes is the last of its message. */
static void
take_fetch(struct imap *h, const struct imap_stream *s)
{
	const uint8_t *angle = memchr(s->text, '<', s->len);
	h->asked = 0;
	if (angle == NULL)
		return;
	const size_t left = s->len - (size_t)(angle - s->text);
	const uint8_t *dot = memchr(angle, '.', left), *end = memchr(angle, '>', left);
	if (dot != NULL && end != NULL && dot < end && text_to_u64(dot + 1, (size_t)(end - dot) - 1, &h->asked) != 0)
		h->asked = 0;
}
