#include "config.h"

#include "proto/ftp_channel.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/ftp_line.h"

enum { HELD_MAX = 65536 }; /* bytes kept for a command that is not known yet */

static const int64_t expect_lifetime = 300 * CLOCK_SECOND;

enum outcome {
	OUTCOME_NONE,    /* no final reply yet */
	OUTCOME_SUCCESS,
	OUTCOME_FAILURE, /* broken off after it was accepted */
	OUTCOME_REFUSED,
};

struct ftp_channel {
	LIST_ENTRY(ftp_channel) entry; /* in the dialogue's list, until that ends */
	unsigned refs;
	struct session *control;       /* kept alive by the expectation or carrier that leads here */
	const struct ftp_channel_ops *ops; /* NULL once the dialogue ended */
	void *ctx;

	/* the command */
	const struct ftp_verb *verb; /* NULL: not known yet */
	uint8_t *arg;
	size_t arg_len;
	uint64_t offset;
	bool accepted;
	enum outcome outcome;

	/* the data connection */
	struct session *data; /* while it lasts */
	bool opened;
	bool has_sender;
	enum side data_sender; /* an end of the data flow */
	bool finished;         /* the sender closed it */
	bool reset;
	uint64_t moved;        /* bytes, seen or not */
	uint8_t *held;         /* before the command is known */
	size_t held_len;

	/* the file */
	struct transfer *transfer; /* between its beginning and its end; NULL also at a limit */
	bool begun, over;
	bool named;            /* the command's words were told of it */
	bool size_known, binary;
	uint64_t size;
};

/* One address at which the data connection is expected; the owner of one expectation. */
struct door {
	struct ftp_channel *channel;
	struct session *data; /* the flow that came through, or NULL */
};

static void door_open(void *owner, struct session *data);
static void door_data(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len);
static void door_gap(void *owner, struct session *data, enum side from, uint64_t len);
static void door_end(void *owner, struct session *data, enum side from, bool reset);
static void door_release(void *owner);
static bool door_leads(const struct door *d, const struct session *data);
static bool sends(struct ftp_channel *c, enum side from);
static bool hold(struct ftp_channel *c, const uint8_t *bytes, size_t len);
static void begin(struct ftp_channel *c);
static void begin_nameless(struct ftp_channel *c);
static void begun(struct ftp_channel *c, const struct transfer_start *start);
static void give_held(struct ftp_channel *c);
static void settle(struct ftp_channel *c);
static void end(struct ftp_channel *c, bool control_reset);
static enum transfer_state state_of(const struct ftp_channel *c, bool control_reset);
static void drop(struct ftp_channel *c);

static const struct carrier_ops door_ops = {
        .open = door_open,
        .data = door_data,
        .gap = door_gap,
        .end = door_end,
        .release = door_release,
};

struct ftp_channel *
ftp_channel_create(struct session *control, struct ftp_channel_list *list,
        const struct ftp_channel_ops *ops, void *ctx)
{
	struct ftp_channel *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->refs = 1;
	c->control = control;
	c->ops = ops;
	c->ctx = ctx;
	LIST_INSERT_HEAD(list, c, entry);
	return c;
}

struct ftp_channel *
ftp_channel_ref(struct ftp_channel *c)
{
	c->refs++;
	return c;
}

void
ftp_channel_unref(struct ftp_channel *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	end(c, false);
	if (c->ops != NULL)
		LIST_REMOVE(c, entry);
	free(c->arg);
	free(c->held);
	free(c);
}

struct ftp_channel *
ftp_channel_next(const struct ftp_channel *c)
{
	return LIST_NEXT(c, entry);
}

void
ftp_channel_expect(struct ftp_channel *c, const struct addr *from, const struct addr *to, uint16_t port)
{
	struct expectation e = {.to = *to,
	        .any_from = from == NULL,
	        .to_port = port,
	        .transport = IPPROTO_TCP,
	        .lifetime = expect_lifetime};
	struct door *d = calloc(1, sizeof *d);
	if (d == NULL)
		return;
	if (from != NULL)
		e.from = *from;
	d->channel = ftp_channel_ref(c);
	/* At a limit the door is released there and the data connection goes unrecognised. */
	(void)session_expect(c->control, &e, &door_ops, d);
}

void
ftp_channel_command(struct ftp_channel *c, const struct ftp_verb *verb, const uint8_t *arg, size_t len,
        uint64_t offset)
{
	c->verb = verb;
	c->offset = offset;
	free(c->arg);
	c->arg = malloc(len + 1);
	c->arg_len = c->arg != NULL ? len : 0;
	if (c->arg != NULL && len > 0)
		memcpy(c->arg, arg, len);
	if (!ftp_is_file(verb))
		drop(c);
	else if (c->begun || c->moved > 0)
		begin(c);
}

void
ftp_channel_name(struct ftp_channel *c, const uint8_t *name, size_t len)
{
	struct ftp_job job;

	free(c->arg);
	c->arg = malloc(len + 1);
	c->arg_len = c->arg != NULL ? len : 0;
	if (c->arg == NULL)
		return;
	memcpy(c->arg, name, len);
	if (!c->begun || c->verb == NULL || c->over)
		return;
	c->ops->job(c->ctx, c->verb, c->arg, c->arg_len, &job);
	transfer_name(c->transfer, job.path, job.path_len, NULL);
}

void
ftp_channel_size(struct ftp_channel *c, uint64_t size)
{
	if (c->offset > 0) /* some servers tell what is left of the file, others all of it */
		return;
	c->size_known = true;
	c->size = size;
	if (c->begun && c->binary)
		transfer_size(c->transfer, size);
}

void
ftp_channel_accepted(struct ftp_channel *c)
{
	c->accepted = true;
	if (c->verb == NULL || !ftp_is_file(c->verb) || c->over)
		return;
	begin(c);
	transfer_accepted(c->transfer);
}

void
ftp_channel_replied(struct ftp_channel *c, unsigned code)
{
	bool moved = c->accepted || c->moved > 0;

	if (code >= 400)
		c->outcome = moved ? OUTCOME_FAILURE : OUTCOME_REFUSED;
	else if (moved || code == 226 || code == 250)
		c->outcome = OUTCOME_SUCCESS;
	else
		c->outcome = OUTCOME_REFUSED; /* some other success: nothing was moved */
	if (c->outcome == OUTCOME_REFUSED)
		drop(c);
	else if (c->outcome == OUTCOME_SUCCESS)
		ftp_channel_accepted(c);
	settle(c);
}

void
ftp_channel_overtaken(struct ftp_channel *c)
{
	if (c->outcome != OUTCOME_NONE && c->data == NULL)
		end(c, false);
}

void
ftp_channel_close(struct ftp_channel *c, bool reset)
{
	LIST_REMOVE(c, entry);
	c->ops = NULL;
	c->ctx = NULL;
	/* Bytes that no command was seen for are told without a name. */
	if (!c->begun && !c->over && c->moved > 0)
		begin_nameless(c);
	/* A long transfer outlives an idle control connection. */
	if (c->begun && c->data != NULL && !c->finished && !c->reset)
		return;
	end(c, reset);
	if (c->data != NULL && c->verb == NULL)
		session_unreadable(c->data, "control connection ended");
}

/* ---- the data connection ---- */

static void
door_open(void *owner, struct session *data)
{
	struct door *d = owner;
	struct ftp_channel *c = d->channel;

	session_protocol(data, "ftp-data", "expected");
	/* The second of two that came counts only when the first moved nothing. */
	if (c->opened && (c->data != NULL || c->moved > 0))
		return;
	d->data = data;
	c->data = data;
	c->opened = true;
	c->finished = c->reset = c->has_sender = false;
	if (c->over && c->ops == NULL)
		session_unreadable(data, "control connection ended");
	else if (c->begun)
		transfer_carrier(c->transfer, data);
}

static void
door_data(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len)
{
	struct door *d = owner;
	struct ftp_channel *c = d->channel;

	if (!door_leads(d, data) || !sends(c, from) || c->over)
		return;
	session_time(c->control, session_now(data));
	c->moved += len;
	if (!c->begun && c->verb != NULL)
		begin(c);
	if (!c->begun && !hold(c, bytes, len))
		begin_nameless(c);
	else if (!c->begun)
		return;
	transfer_append(c->transfer, bytes, len);
}

static void
door_gap(void *owner, struct session *data, enum side from, uint64_t len)
{
	struct door *d = owner;
	struct ftp_channel *c = d->channel;

	if (!door_leads(d, data) || !sends(c, from) || c->over)
		return;
	session_time(c->control, session_now(data));
	c->moved += len;
	if (!c->begun && c->verb != NULL)
		begin(c);
	if (!c->begun)
		begin_nameless(c);
	transfer_skip(c->transfer, len);
}

static void
door_end(void *owner, struct session *data, enum side from, bool reset)
{
	struct door *d = owner;
	struct ftp_channel *c = d->channel;

	if (!door_leads(d, data))
		return;
	session_time(c->control, session_now(data));
	if (reset && !c->finished)
		c->reset = true;
	else if (!c->has_sender || from == c->data_sender)
		c->finished = true;
	settle(c);
}

static void
door_release(void *owner)
{
	struct door *d = owner;
	struct ftp_channel *c = d->channel;

	if (d->data != NULL && c->data == d->data) {
		c->data = NULL;
		settle(c);
	}
	ftp_channel_unref(c);
	free(d);
}

/* Does this flow carry the channel's bytes? */
static bool
door_leads(const struct door *d, const struct session *data)
{
	return d->data == data && d->channel->data == data;
}

/* Who sends first is the sender: the other end of a data connection has nothing to say. */
static bool
sends(struct ftp_channel *c, enum side from)
{
	if (!c->has_sender) {
		c->has_sender = true;
		c->data_sender = from;
	}
	return c->data_sender == from;
}

/* Keeps bytes until the command is known; false when they are too many. */
static bool
hold(struct ftp_channel *c, const uint8_t *bytes, size_t len)
{
	if (len > HELD_MAX - c->held_len)
		return false;
	uint8_t *held = realloc(c->held, c->held_len + len);
	if (held == NULL)
		return false;
	memcpy(held + c->held_len, bytes, len);
	c->held = held;
	c->held_len += len;
	return true;
}

/* ---- the file ---- */

/* The command is known, and it moves or is about to. */
static void
begin(struct ftp_channel *c)
{
	struct ftp_job job;

	if (c->over || c->named || c->ops == NULL || !ftp_is_file(c->verb))
		return;
	c->named = true;
	c->ops->job(c->ctx, c->verb, c->arg, c->arg_len, &job);
	c->binary = job.binary;
	if (!c->size_known && job.size_known) {
		c->size_known = true;
		c->size = job.size;
	}
	if (job.offset > 0)
		c->offset = job.offset;
	if (!c->begun) {
		begun(c, &(struct transfer_start){.sender = job.sender,
		                 .method = c->verb->word,
		                 .path = job.path,
		                 .path_len = job.path_len,
		                 .size_known = c->size_known && c->binary,
		                 .size = c->size,
		                 .offset = c->offset});
	} else if (c->transfer != NULL) { /* it began without a name */
		transfer_name(c->transfer, job.path, job.path_len, NULL);
		transfer_method(c->transfer, c->verb->word);
		transfer_sender(c->transfer, job.sender);
		if (c->size_known && c->binary)
			transfer_size(c->transfer, c->size);
	}
	if (job.user_len > 0)
		transfer_user(c->transfer, job.user, job.user_len);
	if (job.deflated)
		transfer_mime(c->transfer, "application/zlib", 16);
	give_held(c);
}

/* Bytes move and no command is known. The sender is told by address where that is possible. */
static void
begin_nameless(struct ftp_channel *c)
{
	enum side sender = SIDE_DESTINATION;

	if (c->data != NULL) {
		const struct session_ends control = session_ends(c->control), data = session_ends(c->data);
		if (addr_equal(&data.addr[c->data_sender], &control.addr[SIDE_SOURCE]))
			sender = SIDE_SOURCE;
	}
	begun(c, &(struct transfer_start){.sender = sender, .method = "data"});
	give_held(c);
}

static void
begun(struct ftp_channel *c, const struct transfer_start *start)
{
	if (c->begun)
		return;
	c->begun = true;
	c->transfer = transfer_begin(c->control, start);
	if (c->data != NULL)
		transfer_carrier(c->transfer, c->data);
}

static void
give_held(struct ftp_channel *c)
{
	if (c->held_len > 0)
		transfer_append(c->transfer, c->held, c->held_len);
	free(c->held);
	c->held = NULL;
	c->held_len = 0;
}

/* Ends the transfer once both its reply, as far as one can come, and the end of its data connection are known. */
static void
settle(struct ftp_channel *c)
{
	bool gone = c->finished || c->reset || c->data == NULL;
	bool replied = c->outcome != OUTCOME_NONE || c->ops == NULL;

	if (c->opened ? replied && gone : c->outcome == OUTCOME_FAILURE)
		end(c, false);
}

static void
end(struct ftp_channel *c, bool control_reset)
{
	if (!c->over && c->begun) {
		enum transfer_state state = state_of(c, control_reset);
		uint64_t reached = c->offset + c->moved;
		bool unseen = c->outcome == OUTCOME_SUCCESS && !c->finished && c->size_known;
		if (state == TRANSFER_COMPLETE && c->size_known && c->size != reached)
			transfer_size(c->transfer, reached);
		/* A size in the dialogue is all there is where the data connection was not seen. */
		if (!c->opened && c->size_known)
			transfer_size(c->transfer, c->size);
		if (unseen && (c->binary || !c->opened) && c->size > reached)
			transfer_skip(c->transfer, c->size - reached);
		transfer_end(c->transfer, state);
	}
	c->transfer = NULL;
	c->over = true;
}

/*
 * The end of a data connection is the end of the file (RFC 959 section 3.4.1), unless the reply
 * or a size that was told says otherwise. Sizes don't count where line ends are converted.
 */
static enum transfer_state
state_of(const struct ftp_channel *c, bool control_reset)
{
	uint64_t reached = c->offset + c->moved;
	bool sized = c->size_known && c->binary;

	if (c->outcome == OUTCOME_FAILURE)
		return TRANSFER_ABORTED;
	if (sized && reached == c->size && (c->moved > 0 || c->outcome == OUTCOME_SUCCESS))
		return TRANSFER_COMPLETE;
	if (c->finished)
		return sized && reached < c->size ? TRANSFER_TRUNCATED : TRANSFER_COMPLETE;
	if (c->outcome == OUTCOME_SUCCESS)
		return TRANSFER_TRUNCATED; /* it was not all seen */
	return c->reset || control_reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED;
}

/* It is no file, or was refused: nothing of it is told. */
static void
drop(struct ftp_channel *c)
{
	if (c->begun && !c->over)
		transfer_discard(c->transfer);
	c->transfer = NULL;
	c->over = true;
	free(c->held);
	c->held = NULL;
	c->held_len = 0;
}
