/* Data connections as the dialogue announces them, and which command gets which. */
#include "config.h"

#include "proto/ftp.h"

#include <string.h>

static void job(void *ctx, const struct ftp_verb *verb, const uint8_t *arg, size_t len,
        struct ftp_job *out);
static struct ftp_channel *open_channel(struct ftp *f);
static struct ftp_channel *open_default(struct ftp *f);
static void add_address(struct ftp *f, const struct addr *addr, uint16_t port);
static void overtake(struct ftp *f);
static bool is_sized(const struct ftp *f);

static const struct ftp_channel_ops channel_ops = {.job = job};

/*
 * PORT and its kin name an address of the client, 227 and its kin one of the server: peer is the
 * end that will listen. NAT on the way can rewrite the address or fail to do so, so that both
 * the one named and the one that the control connection has are expected; from anywhere, since
 * two servers can be told to talk to each other (FXP).
 */
void
ftp_setup_named(struct ftp *f, const struct ftp_address *to, enum side peer)
{
	const struct session_ends ends = session_ends(f->session);
	const struct addr *own = &ends.addr[peer];

	overtake(f);
	f->setup_count = 0;
	add_address(f, to->has_addr ? &to->addr : own, to->port);
	if (to->has_addr && !addr_equal(&to->addr, own))
		add_address(f, own, to->port);
	ftp_channel_unref(f->announced);
	f->announced = open_channel(f);
}

/*
 * The channel for a command that moves bytes, with a reference for the caller; NULL: out
 * of memory. Without a fresh announcement the last one holds, and before any the client's own
 * control port is meant (RFC 959 section 3.2).
 */
struct ftp_channel *
ftp_setup_claim(struct ftp *f, const struct ftp_command *command)
{
	struct ftp_channel *c = f->announced;

	overtake(f);
	f->announced = NULL;
	if (c == NULL)
		c = f->setup_count > 0 ? open_channel(f) : open_default(f);
	if (c != NULL)
		ftp_channel_command(c, command->verb, command->arg, command->arg_len, f->rest);
	f->rest = 0;
	return c;
}

void
ftp_setup_clear(struct ftp *f, bool reset)
{
	struct ftp_channel *c;

	/* A channel that is closed leaves the list. */
	while ((c = LIST_FIRST(&f->channels)) != NULL)
		ftp_channel_close(c, reset);
	ftp_channel_unref(f->announced);
	f->announced = NULL;
}

/* What is known now of a file that a channel begins to move. */
static void
job(void *ctx, const struct ftp_verb *verb, const uint8_t *arg, size_t len, struct ftp_job *out)
{
	struct ftp *f = ctx;
	bool append = strcmp(verb->word, "APPE") == 0;

	f->work = f->cwd;
	ftp_path_change(&f->work, arg, len);
	bool whole = len > 0 && f->work.len > 0; /* not too long */
	*out = (struct ftp_job){
	        .sender = verb->action == FTP_RETR ? side_other(f->client) : f->client,
	        .path = whole ? f->work.bytes : arg,
	        .path_len = whole ? f->work.len : len,
	        .user = f->user,
	        .user_len = f->user_len,
	        .offset = append && is_sized(f) ? f->size : 0,
	        .size_known = verb->action == FTP_RETR && is_sized(f),
	        .size = f->size,
	        .binary = !f->text_type,
	        .deflated = f->deflated,
	};
}

/* The file in f->work is the one whose size was told last. */
static bool
is_sized(const struct ftp *f)
{
	return f->size_known && f->sized.len == f->work.len &&
	       memcmp(f->sized.bytes, f->work.bytes, f->work.len) == 0;
}

static struct ftp_channel *
open_channel(struct ftp *f)
{
	struct ftp_channel *c = ftp_channel_create(f->session, &f->channels, &channel_ops, f);
	for (size_t i = 0; c != NULL && i < f->setup_count; i++)
		ftp_channel_expect(c, NULL, &f->setup[i].addr, f->setup[i].port);
	return c;
}

/* The client listens at its control port, for this server only. */
static struct ftp_channel *
open_default(struct ftp *f)
{
	const struct session_ends ends = session_ends(f->session);
	struct ftp_channel *c = ftp_channel_create(f->session, &f->channels, &channel_ops, f);
	if (c != NULL)
		ftp_channel_expect(c, &ends.addr[side_other(f->client)], &ends.addr[f->client],
		        ends.port[f->client]);
	return c;
}

static void
add_address(struct ftp *f, const struct addr *addr, uint16_t port)
{
	f->setup[f->setup_count].addr = *addr;
	f->setup[f->setup_count].port = port;
	f->setup_count++;
}

static void
overtake(struct ftp *f)
{
	for (struct ftp_channel *c = LIST_FIRST(&f->channels); c != NULL; c = ftp_channel_next(c))
		ftp_channel_overtaken(c);
}
