/*
 * Commands, and the replies that answer them in order (RFC 959 section 5.4). Where a reply or a
 * command was not seen, codes that belong to one command only bring the two in step again.
 */
#include "config.h"

#include "proto/ftp.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static enum verdict act(struct ftp *f, const struct ftp_command *command);
static void announce(struct ftp *f, int found, const struct ftp_address *to, enum side peer);
static void login(struct ftp *f, const uint8_t *user, size_t len);
static void take_rest(struct ftp *f, const struct ftp_command *command);
static void queue_push(struct ftp *f, const struct ftp_command *command, bool keep);
static void queue_pop(struct ftp *f);
static struct ftp_pending *queue_at(struct ftp *f, size_t index);
static struct ftp_pending *answered(struct ftp *f, unsigned code);
static bool greeting(struct ftp *f, const struct ftp_reply *r);
static void preliminary(struct ftp *f, const struct ftp_reply *r);
static void guess_command(struct ftp *f, const struct ftp_reply *r);
static enum verdict final(struct ftp *f, const struct ftp_reply *r);
static void announced(struct ftp *f, const struct ftp_reply *r);
static void succeeded(struct ftp *f, const struct ftp_pending *p, const struct ftp_reply *r);
static void take_size(struct ftp *f, const struct ftp_pending *p, const struct ftp_reply *r);
static void start_over(struct ftp *f);
static bool is_tls(const struct ftp_pending *p);
static bool is_group(unsigned code, unsigned group);

enum verdict
ftp_dialogue_command(struct ftp *f, const uint8_t *line, size_t len)
{
	struct ftp_command command;

	if (len == 0)
		return VERDICT_MORE;
	ftp_replies_command(&f->replies);
	/* What is no command will be answered all the same. */
	if (!ftp_command_parse(line, len, &command))
		command = (struct ftp_command){.verb = NULL};
	f->heard_client = true;
	return act(f, &command);
}

enum verdict
ftp_dialogue_reply(struct ftp *f, const uint8_t *line, size_t len)
{
	struct ftp_reply reply;

	if (!ftp_replies_line(&f->replies, line, len, &reply) || greeting(f, &reply) || !reply.last)
		return VERDICT_MORE;
	if (reply.code < 200) {
		preliminary(f, &reply);
		return VERDICT_MORE;
	}
	return final(f, &reply);
}

void
ftp_dialogue_clear(struct ftp *f)
{
	while (f->count > 0)
		queue_pop(f);
	free(f->user);
	f->user = NULL;
}

/* What a command does before its reply is known. */
static enum verdict
act(struct ftp *f, const struct ftp_command *command)
{
	unsigned action = command->verb != NULL ? command->verb->action : FTP_OTHER;
	const uint8_t *arg = command->arg;
	size_t len = command->arg_len;
	struct ftp_address to;

	queue_push(f, command, action != FTP_LOGIN && action != FTP_ADAT);
	switch (action) {
	case FTP_USER:
		login(f, arg, len);
		break;
	case FTP_PORT:
		announce(f, ftp_address_classic(arg, len, &to), &to, f->client);
		break;
	case FTP_EPRT:
		announce(f, ftp_address_extended(arg, len, &to), &to, f->client);
		break;
	case FTP_LPRT:
		announce(f, ftp_address_long(arg, len, &to), &to, f->client);
		break;
	case FTP_REST:
		take_rest(f, command);
		break;
	case FTP_AUTH:
		f->wants_tls = true;
		break;
	case FTP_CLIENT:
		session_client(f->session, arg, len);
		break;
	case FTP_HOST:
		session_service(f->session, arg, len);
		break;
	case FTP_SEALED:
		session_unreadable(f->session, "encrypted");
		return VERDICT_DONE;
	default:
		break;
	}
	return VERDICT_MORE;
}

static void
announce(struct ftp *f, int found, const struct ftp_address *to, enum side peer)
{
	if (found == 0)
		ftp_setup_named(f, to, peer);
}

static void
login(struct ftp *f, const uint8_t *user, size_t len)
{
	static const char key[] = "ftp:session", value[] = "seen";
	uint8_t *copy = malloc(len + 1);
	if (copy == NULL)
		return;
	if (len > 0)
		memcpy(copy, user, len);
	free(f->user);
	f->user = copy;
	f->user_len = len;
	session_account(f->session, user, len);
	(void)session_note(f->session, NOTE_PAIR, key, sizeof key, value, sizeof value - 1); /* for what goes beside it */
}

/* The offset is taken at once, since the transfer can be pipelined behind it. */
static void
take_rest(struct ftp *f, const struct ftp_command *command)
{
	if (text_to_u64(command->arg, command->arg_len, &f->rest) != 0)
		f->rest = 0;
}

/* ---- commands that wait for their replies ---- */

static void
queue_push(struct ftp *f, const struct ftp_command *command, bool keep)
{
	if (f->count == FTP_QUEUE_MAX)
		queue_pop(f);
	struct ftp_pending *p = queue_at(f, f->count++);
	*p = (struct ftp_pending){.verb = command->verb};
	if (keep && command->arg_len > 0)
		p->arg = malloc(command->arg_len);
	if (p->arg != NULL) {
		memcpy(p->arg, command->arg, command->arg_len);
		p->arg_len = command->arg_len;
	}
	if (command->verb != NULL && ftp_moves(command->verb))
		p->channel = ftp_setup_claim(f, command);
}

static void
queue_pop(struct ftp *f)
{
	struct ftp_pending *p = queue_at(f, 0);
	ftp_channel_unref(p->channel);
	free(p->arg);
	f->first = (f->first + 1) % FTP_QUEUE_MAX;
	f->count--;
}

static struct ftp_pending *
queue_at(struct ftp *f, size_t index)
{
	return &f->queue[(f->first + index) % FTP_QUEUE_MAX];
}

/* The command that this code answers, which is then the first of the queue; NULL: none is known. */
static struct ftp_pending *
answered(struct ftp *f, unsigned code)
{
	enum ftp_fit first = f->count > 0 ? ftp_command_fits(queue_at(f, 0)->verb, code) : FTP_FIT_NO;
	size_t skip = 0;

	if (f->count > 0 && first != FTP_FIT_NO)
		return queue_at(f, 0);
	while (skip < f->count && ftp_command_fits(queue_at(f, skip)->verb, code) != FTP_FIT_YES)
		skip++;
	/* ABOR alone is passed over for a reply that says nothing of its command. */
	if (skip == f->count && f->count > 1 && queue_at(f, 0)->verb != NULL &&
	        queue_at(f, 0)->verb->action == FTP_ABOR &&
	        ftp_command_fits(queue_at(f, 1)->verb, code) != FTP_FIT_NO)
		skip = 1;
	if (skip == f->count)
		return NULL;
	while (skip-- > 0)
		queue_pop(f);
	return queue_at(f, 0);
}

/* ---- replies ---- */

/* The server's first words answer no command. True when that is what it was. */
static bool
greeting(struct ftp *f, const struct ftp_reply *r)
{
	bool first = !f->greeted && (r->code == 220 || r->code == 120);

	if (!f->greeted && r->last && r->code != 120)
		f->greeted = true;
	/* The first line with a word in it names the server; others are decoration. */
	for (size_t i = 0; first && !f->named && i < r->len; i++) {
		uint8_t lower = r->text[i] | 0x20;
		if (lower < 'a' || lower > 'z')
			continue;
		f->named = true;
		session_server(f->session, r->text, r->len);
	}
	return first;
}

/* 1xx: it was accepted; another reply will follow (RFC 959 section 4.2). */
static void
preliminary(struct ftp *f, const struct ftp_reply *r)
{
	struct ftp_pending *p = answered(f, r->code);
	const uint8_t *name;
	size_t name_len;
	uint64_t size;

	if (p == NULL && !f->heard_client && (r->code == 125 || r->code == 150)) {
		guess_command(f, r);
		p = answered(f, r->code);
	}
	if (p == NULL || p->channel == NULL || !ftp_is_file(p->verb))
		return;
	if (p->verb->action == FTP_RETR && ftp_reply_size(r->text, r->len, &size) == 0)
		ftp_channel_size(p->channel, size);
	if (p->verb->action == FTP_STOU && ftp_reply_unique_name(r->text, r->len, &name, &name_len))
		ftp_channel_name(p->channel, name, name_len);
	ftp_channel_accepted(p->channel);
}

/*
 * Only the server's half is in the capture: the reply's words stand for the command. Servers tell
 * a size for what they send, and mostly none for what they are sent.
 */
static void
guess_command(struct ftp *f, const struct ftp_reply *r)
{
	struct ftp_command command;
	const uint8_t *name = NULL;
	size_t name_len = 0;
	uint64_t size;
	bool sized = ftp_reply_size(r->text, r->len, &size) == 0;
	const char *word = ftp_reply_lists(r->text, r->len) ? "LIST" : sized ? "RETR" : "STOR";

	(void)ftp_command_parse((const uint8_t *)word, strlen(word), &command);
	if (ftp_reply_name(r->text, r->len, &name, &name_len)) {
		command.arg = name;
		command.arg_len = name_len;
	}
	queue_push(f, &command, true);
}

static enum verdict
final(struct ftp *f, const struct ftp_reply *r)
{
	enum verdict v = VERDICT_MORE;

	announced(f, r);
	struct ftp_pending *p = answered(f, r->code);
	if (p == NULL)
		return v;
	if (p->channel != NULL) {
		const uint8_t *name;
		size_t len;
		if (p->verb->action == FTP_STOU && ftp_reply_unique_name(r->text, r->len, &name, &len))
			ftp_channel_name(p->channel, name, len);
		ftp_channel_replied(p->channel, r->code);
	} else if (p->verb != NULL && is_group(r->code, 2)) {
		succeeded(f, p, r);
	} else if (p->verb != NULL && p->verb->action == FTP_REST && r->code >= 400) {
		f->rest = 0;
	}
	if (p->verb != NULL && p->verb->action == FTP_AUTH) {
		bool agreed = r->code == 234 || r->code == 334;
		f->wants_tls = false;
		if (agreed && is_tls(p))
			v = VERDICT_SWITCH;
	}
	queue_pop(f);
	return v;
}

/* Replies that announce a data connection are told by their code, whether the command was seen or not. */
static void
announced(struct ftp *f, const struct ftp_reply *r)
{
	enum side server = side_other(f->client);
	struct ftp_address to;

	if (r->code == 227)
		announce(f, ftp_address_classic(r->text, r->len, &to), &to, server);
	else if (r->code == 228)
		announce(f, ftp_address_long(r->text, r->len, &to), &to, server);
	else if (r->code == 229)
		announce(f, ftp_address_extended(r->text, r->len, &to), &to, server);
}

/* 2xx for a command that moves no bytes. */
static void
succeeded(struct ftp *f, const struct ftp_pending *p, const struct ftp_reply *r)
{
	switch (p->verb->action) {
	case FTP_CWD:
		if (!ftp_path_quoted(&f->cwd, r->text, r->len))
			ftp_path_change(&f->cwd, p->arg, p->arg_len);
		break;
	case FTP_CDUP:
		ftp_path_change(&f->cwd, (const uint8_t *)"..", 2);
		break;
	case FTP_PWD:
		(void)ftp_path_quoted(&f->cwd, r->text, r->len);
		break;
	case FTP_TYPE:
		f->text_type = p->arg_len > 0 && strchr("AaEe", p->arg[0]) != NULL;
		break;
	case FTP_MODE:
		f->deflated = p->arg_len > 0 && (p->arg[0] | 0x20) == 'z';
		break;
	case FTP_SIZE:
		take_size(f, p, r);
		break;
	case FTP_REIN:
		start_over(f);
		break;
	default:
		break;
	}
}

/* RFC 3659 section 4 */
static void
take_size(struct ftp *f, const struct ftp_pending *p, const struct ftp_reply *r)
{
	const uint8_t *text = r->text;
	size_t len = r->len;

	text_trim(&text, &len);
	f->size_known = r->code == 213 && text_to_u64(text, len, &f->size) == 0;
	f->sized = f->cwd;
	ftp_path_change(&f->sized, p->arg, p->arg_len);
}

/* REIN: as if the connection had just been opened (RFC 959 section 4.1.1). */
static void
start_over(struct ftp *f)
{
	free(f->user);
	f->user = NULL;
	f->user_len = 0;
	f->cwd.len = 0;
	f->text_type = true;
	f->deflated = f->size_known = false;
	f->rest = 0;
	f->setup_count = 0;
}

/* AUTH TLS, TLS-C, TLS-P, SSL (RFC 4217 section 2), not GSSAPI or KERBEROS_V4 (RFC 2228). */
static bool
is_tls(const struct ftp_pending *p)
{
	return text_prefix_nocase(p->arg, p->arg_len, "TLS") || text_prefix_nocase(p->arg, p->arg_len, "SSL");
}

static bool
is_group(unsigned code, unsigned group)
{
	return code / 100 == group;
}
