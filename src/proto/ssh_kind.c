/*
 * Rules in order, the ones that a protocol's own messages prove first. They were made by looking at real sessions and
 * measured on others: doc/ssh-estimator.md.
 */
#include "config.h"

#include "proto/ssh_kind.h"

#include <stddef.h>

enum { /* payloads, see ssh_shape.c and ssh_auth.c */
	CHANNEL_OPEN = 24,
	NO_MORE_SESSIONS = 34,
	CONFIRMATION = 17,
	FORWARD_MIN = 50,
	FORWARD_MAX = 320,
	FORWARD_COMPRESSED = 30, /* at the least */
	REPLY = 5,              /* RFC 4254 section 5.4 */
	ADJUST = 9,
	SHELL_REQUEST = 15,     /* section 6.5 */
	PTY_MIN = 100,          /* pty-req with modes (section 6.2) */
	PTY_SHELL_MIN = 150,    /* with the shell's request behind it, in one piece */
	CLOSE = 5,              /* section 5.3 */
	DISCONNECT = 33,        /* "disconnected by user", RFC 4253 section 11.1 */
	INIT = 18,              /* filexfer section 4 */
	VERSION_MIN = 60,       /* of a server with extensions */
	RSYNC_VERSION = 13,     /* four bytes: what both ends begin with */
	RSYNC_SECOND_MAX = 60,  /* what the client says then; compressed, four bytes look like EOF */
};

enum {
	TYPED_SURE = 4,         /* keys with their echo */
	SCP_ODD_SERVER = 3,     /* what scp's receiving end says around the transfer, */
	SCP_ODD_CLIENT = 2,
	SCP_ODD_LINES = 64,     /* and now and then within (key exchange) */
	SCP_LINES_SURE = 3,     /* acknowledged lines that are no coincidence */
	SCP_LINES_MIN = 3,      /* where all files are as short as lines */
	REQUESTS_PER_FILE = 4,  /* of an SFTP client, where handles can't be told from other answers */
	REQUESTS_MIN = 3,       /* of an SFTP client that compresses, to be taken for one */
	RSYNC_FIXED = 90,       /* bytes that the receiving end of rsync says in all, */
	RSYNC_PER_FILE = 19,    /* and of a new file */
	WAY_PARTS = 4,          /* one side's content is the way where the other's is less than one part in so many */
	CONTENT_LEAST = 1024,
	TUNNEL_LEAST = 512,     /* that a forwarded connection carries */
};

struct opening { /* what the first units after login say */
	bool session;      /* a session channel is opened */
	bool forward;      /* a channel to somewhere is, in its place */
	bool pty;          /* it gets a terminal */
	bool sftp;         /* INIT and VERSION are exchanged first */
	bool rsync;        /* four bytes are what the client says first */
	bool asked_back;   /* the server opens a channel, and the client confirms it */
	uint32_t spoke[2]; /* units with data that each end sent behind the request */
	uint32_t first[2]; /* size of the first of them */
};

enum { TURNS = 5 }; /* of the client, that are looked at */

struct reading { /* of the first units, one after the other */
	uint32_t turn[2];  /* of the client, the server; the server's count from the client's first on */
	uint32_t open;     /* the turn of the client that opens a session, from 0 on */
	uint32_t news;     /* the server's last unit */
	struct {
		uint32_t units, bytes, largest; /* of the client's turn */
		uint32_t reply;    /* the first unit of the server's answer */
		uint32_t replies;  /* and how many of its units can be replies */
	} at[TURNS];
};

static struct opening opening_of(const struct ssh_shape *h);
static void read_unit(struct reading *r, struct opening *o, const struct ssh_shape *h, enum side from, uint32_t size);
static bool opens_forward(const struct ssh_shape *h, const struct reading *r, size_t turn);
static bool is_forward(const struct ssh_shape *h, enum side from, uint32_t size);
static bool opens_session(const struct ssh_shape *h, uint32_t size);
static bool asks_terminal(const struct ssh_shape *h, const struct reading *r);
static bool speaks(const struct ssh_shape *h, enum side from, uint32_t size);
static void use_shell(struct ssh_kind *k, const struct ssh_shape *h, const struct opening *o);
static void take_files(struct ssh_kind *k, const struct ssh_files *f);
static void use_sftp(struct ssh_kind *k, const struct ssh_shape *h);
static bool use_scp(struct ssh_kind *k, const struct ssh_shape *h);
static bool use_rsync(struct ssh_kind *k, const struct ssh_shape *h, const struct opening *o);
static void use_tunnel(struct ssh_kind *k, const struct ssh_shape *h);
static void use_exec(struct ssh_kind *k, const struct ssh_shape *h, const struct opening *o);
static uint32_t scp_files(const struct ssh_shape *h, enum side sender);
static enum ssh_way way_of(const uint64_t content[2]);

static const char *const methods[][SSH_WAY_BOTH + 1] = { /* [use][way] */
        [SSH_USE_UNKNOWN] = {NULL, NULL, NULL, NULL},
        [SSH_USE_SHELL] = {"SSH shell", "SSH shell", "SSH shell", "SSH shell"},
        [SSH_USE_SFTP] = {"SFTP", "SFTP upload", "SFTP download", "SFTP both ways"},
        [SSH_USE_SCP] = {"scp", "scp upload", "scp download", "scp both ways"},
        [SSH_USE_RSYNC] = {"rsync over SSH", "rsync upload over SSH", "rsync download over SSH", "rsync over SSH"},
        [SSH_USE_TUNNEL] = {"SSH tunnel", "SSH tunnel", "SSH tunnel", "SSH tunnel"},
        [SSH_USE_EXEC] = {"SSH command", "input of an SSH command", "output of an SSH command", "SSH command"},
};

struct ssh_kind
ssh_kind_of(const struct ssh_shape *h)
{
	struct ssh_kind k = {.use = SSH_USE_UNKNOWN};
	const struct opening o = opening_of(h);

	if (o.forward || o.asked_back || (o.pty && h->forwards > 0 && h->typed < TYPED_SURE &&
	        h->content[0] + h->content[1] > TUNNEL_LEAST))
		use_tunnel(&k, h);
	else if (o.pty)
		use_shell(&k, h, &o);
	else if (use_scp(&k, h))
		; /* its shape is the strictest */
	else if (o.sftp)
		use_sftp(&k, h);
	else if (h->typed >= TYPED_SURE)
		use_shell(&k, h, &o);
	else if (o.spoke[SIDE_SOURCE] + o.spoke[SIDE_DESTINATION] == 0)
		return k;
	else if (!use_rsync(&k, h, &o))
		use_exec(&k, h, &o);
	k.way = way_of(k.content);
	k.method = methods[k.use][k.way];
	return k;
}

/* Behind the login: [server's news] client opens, server confirms, client requests, server replies, data. */
static struct opening
opening_of(const struct ssh_shape *h)
{
	const size_t count = h->units < SSH_FIRST_MAX ? h->units : SSH_FIRST_MAX;
	const struct ssh_cipher *c = &h->cipher[SIDE_SOURCE], *s = &h->cipher[SIDE_DESTINATION];
	struct reading r = {0};
	struct opening o = {0};

	for (size_t i = 0; i < count; i++) {
		const enum side from = h->first[i].from;
		if (i == 0 || h->first[i - 1].from != from)
			r.turn[from] += from == SIDE_SOURCE || r.turn[SIDE_SOURCE] > 0;
		read_unit(&r, &o, h, from, h->first[i].size);
	}
	o.forward = opens_forward(h, &r, 0) || opens_forward(h, &r, 1);
	o.pty = !o.forward && asks_terminal(h, &r);
	/* Compressed, INIT is shorter by a little. */
	const uint32_t begins = r.at[r.open + 2].units == 1 ? r.at[r.open + 2].bytes : 0, init = ssh_cipher_wire(c, INIT);
	o.sftp = (begins == init || (c->compressed && begins > 0 && begins < init && h->requests >= REQUESTS_MIN)) &&
	         o.first[SIDE_DESTINATION] >= ssh_cipher_wire(s, VERSION_MIN);
	o.rsync = begins == ssh_cipher_wire(c, RSYNC_VERSION) ||
	          (c->compressed && o.first[SIDE_SOURCE] <= ssh_cipher_wire(c, RSYNC_SECOND_MAX));
	return o;
}

static void
read_unit(struct reading *r, struct opening *o, const struct ssh_shape *h, enum side from, uint32_t size)
{
	const uint32_t client = r->turn[SIDE_SOURCE], request = r->open + 2;

	if (from == SIDE_SOURCE && client <= TURNS) {
		const uint32_t at = client - 1;
		if (r->at[at].units++ == 0 && at == 1)
			o->asked_back |= is_forward(h, SIDE_DESTINATION, r->news) &&
			                 size == ssh_cipher_wire(&h->cipher[from], CONFIRMATION);
		r->at[at].bytes += size;
		if (size > r->at[at].largest)
			r->at[at].largest = size;
		if (at < 2 && !o->session && opens_session(h, size)) {
			o->session = true;
			r->open = at;
		}
	}
	if (from == SIDE_DESTINATION) {
		r->news = size;
		if (client >= 1 && client <= TURNS && r->turn[SIDE_DESTINATION] == client) {
			if (r->at[client - 1].reply == 0)
				r->at[client - 1].reply = size;
			r->at[client - 1].replies += ssh_shape_reply(h, from, size);
			if (client == request && ssh_shape_replies(h, from, size))
				return;
		}
	}
	if ((client > request || (client == request && from == SIDE_DESTINATION)) && speaks(h, from, size) &&
	        o->spoke[from]++ == 0)
		o->first[from] = size;
}

/* Is the client's turn (0: the first) nothing but the wish for a channel to somewhere, or the answer to one? */
static bool
opens_forward(const struct ssh_shape *h, const struct reading *r, size_t turn)
{
	const struct ssh_cipher *s = &h->cipher[SIDE_DESTINATION];
	const uint32_t confirmation = ssh_cipher_wire(s, CONFIRMATION);
	if (r->at[turn].units != 1 || !is_forward(h, SIDE_SOURCE, r->at[turn].bytes) || opens_session(h, r->at[turn].bytes))
		return false;
	if (s->compressed) /* a request mostly has two replies, and a command says something before the client does */
		return r->at[turn].reply > 0 && r->at[turn].reply <= confirmation && r->at[turn].replies <= 1 &&
		       r->at[turn + 1].bytes > ssh_cipher_wire(&h->cipher[SIDE_SOURCE], ADJUST);
	return r->at[turn].reply == confirmation;
}

static bool
is_forward(const struct ssh_shape *h, enum side from, uint32_t size)
{
	const struct ssh_cipher *c = &h->cipher[from];
	return size >= ssh_cipher_wire(c, c->compressed ? FORWARD_COMPRESSED : FORWARD_MIN) &&
	       size <= ssh_cipher_wire(c, FORWARD_MAX);
}

static bool
opens_session(const struct ssh_shape *h, uint32_t size)
{
	const struct ssh_cipher *c = &h->cipher[SIDE_SOURCE];
	const uint32_t open = ssh_cipher_wire(c, CHANNEL_OPEN);
	return size == open || size == open + ssh_cipher_wire(c, NO_MORE_SESSIONS);
}

/* pty-req and shell: the one is long, the other short; both are replied to. */
static bool
asks_terminal(const struct ssh_shape *h, const struct reading *r)
{
	const struct ssh_cipher *c = &h->cipher[SIDE_SOURCE], *s = &h->cipher[SIDE_DESTINATION];
	const size_t at = r->open + 1;
	if (h->exact[SIDE_SOURCE])
		return r->at[at].units > 1 && r->at[at].largest >= ssh_cipher_wire(c, PTY_MIN) && r->at[at].replies > 2;
	return r->at[at].bytes >= ssh_cipher_wire(c, PTY_SHELL_MIN) &&
	       (r->at[at].reply == 2 * ssh_cipher_wire(s, REPLY) + ssh_cipher_wire(s, ADJUST) || r->at[at].replies > 2);
}

/* Is it data, and not replies, or how the client takes its leave? */
static bool
speaks(const struct ssh_shape *h, enum side from, uint32_t size)
{
	const struct ssh_cipher *c = &h->cipher[from];
	const uint32_t leave = ssh_cipher_wire(c, DISCONNECT);
	if (from == SIDE_SOURCE && (size == leave || size == leave + ssh_cipher_wire(c, CLOSE)))
		return false;
	return !ssh_shape_reply(h, from, size);
}

static void
use_shell(struct ssh_kind *k, const struct ssh_shape *h, const struct opening *o)
{
	k->use = SSH_USE_SHELL;
	k->name = "shell";
	/* With blocks of 16 some echoes are as long as a confirmation. */
	k->tunnel = h->forwards >= (h->cipher[SIDE_SOURCE].block > 8 ? 3 : 1);
	k->confidence = o->pty && h->typed >= TYPED_SURE ? "high" : "medium";
	k->why = h->typed >= TYPED_SURE ? "keys and their echoes" : "a terminal is asked for, and little typed";
}

static void
use_sftp(struct ssh_kind *k, const struct ssh_shape *h)
{
	const struct ssh_files *f = &h->files[0];
	k->use = SSH_USE_SFTP;
	k->name = "sftp";
	k->confidence = h->sftp.statuses > 0 && !h->cipher[SIDE_SOURCE].compressed ? "high" : "medium";
	k->why = "requests and answers of SFTP by their sizes";
	take_files(k, f);
	if (f->count > 0)
		return;
	/* Handles were not found: compressed, or another server's. Then every few requests are a file. */
	k->files = h->requests / REQUESTS_PER_FILE;
	k->content[SIDE_SOURCE] = h->content[SIDE_SOURCE];
	k->content[SIDE_DESTINATION] = h->content[SIDE_DESTINATION];
}

static void
take_files(struct ssh_kind *k, const struct ssh_files *f)
{
	k->files = f->count;
	k->largest = f->largest;
	for (enum side side = SIDE_SOURCE; side <= SIDE_DESTINATION; side++) {
		k->content[side] = f->bytes[side];
		if (f->current[side] > f->current[side_other(side)])
			k->content[side] += f->current[side];
		if (f->current[side] > k->largest)
			k->largest = f->current[side];
	}
}

static bool
use_scp(struct ssh_kind *k, const struct ssh_shape *h)
{
	for (enum side sender = SIDE_SOURCE; sender <= SIDE_DESTINATION; sender++) {
		const struct ssh_files *f = &h->files[1 + sender];
		const uint32_t around = sender == SIDE_SOURCE ? SCP_ODD_SERVER : SCP_ODD_CLIENT;
		/* Compressed, or in blocks of 16 whose ends don't show, many short messages look alike. */
		const bool alike = h->cipher[sender].compressed || (h->cipher[sender].block > 8 && !h->exact[sender]);
		/* There, less than a kilobyte behind a line or two is how any command answers. */
		const bool little = f->bytes[sender] + f->current[sender] < CONTENT_LEAST;
		const uint32_t least = h->scp[sender].contents == 0 || (alike && little) ? SCP_LINES_MIN : 1;
		if (h->scp[sender].lines < least || h->scp[sender].odd > around + h->scp[sender].lines / SCP_ODD_LINES)
			continue;
		k->use = SSH_USE_SCP;
		k->name = "scp";
		k->confidence = alike && h->scp[sender].lines < SCP_LINES_SURE ? "medium" : "high";
		k->why = "lines, their acknowledgements and content of scp by their sizes";
		take_files(k, f);
		k->files = scp_files(h, sender);
		return true;
	}
	return false;
}

/* Files no longer than a line are among the lines; and with times kept, each file has two of those. */
static uint32_t
scp_files(const struct ssh_shape *h, enum side sender)
{
	const uint32_t contents = h->scp[sender].contents, lines = h->scp[sender].lines;
	const uint32_t each = 2 * h->scp[sender].doubles > contents ? 2 : 1;
	const uint32_t rest = lines > contents * each ? lines - contents * each : 0;
	return contents + rest / (each + 1);
}

static bool
use_rsync(struct ssh_kind *k, const struct ssh_shape *h, const struct opening *o)
{
	if (!o->rsync || o->spoke[SIDE_SOURCE] == 0 || o->spoke[SIDE_DESTINATION] == 0)
		return false;
	const enum side sender = h->content[SIDE_SOURCE] > h->content[SIDE_DESTINATION] ? SIDE_SOURCE : SIDE_DESTINATION;
	const uint64_t said = h->content[side_other(sender)];
	k->use = SSH_USE_RSYNC;
	k->name = "rsync";
	k->confidence = "medium";
	k->why = "both ends begin with a few bytes, as rsync does";
	k->content[sender] = h->content[sender];
	if (!h->cipher[0].compressed)
		k->files = said > RSYNC_FIXED ? (uint32_t)((said - RSYNC_FIXED) / RSYNC_PER_FILE) : 0;
	return true;
}

static void
use_tunnel(struct ssh_kind *k, const struct ssh_shape *h)
{
	k->use = SSH_USE_TUNNEL;
	k->tunnel = true;
	k->name = "tunnel";
	k->confidence = h->forwards > 1 ? "high" : "medium";
	k->why = "channels to other ports; what they carry can't be known";
	k->content[0] = h->content[0];
	k->content[1] = h->content[1];
}

static void
use_exec(struct ssh_kind *k, const struct ssh_shape *h, const struct opening *o)
{
	k->use = SSH_USE_EXEC;
	k->name = "exec";
	k->confidence = o->session ? "medium" : "low";
	k->why = "a command's input or output, without a file protocol's shape";
	k->content[0] = h->content[0];
	k->content[1] = h->content[1];
}

static enum ssh_way
way_of(const uint64_t content[2])
{
	if (content[0] + content[1] < CONTENT_LEAST)
		return SSH_WAY_NONE;
	if (content[1] < content[0] / WAY_PARTS)
		return SSH_WAY_UP;
	return content[0] < content[1] / WAY_PARTS ? SSH_WAY_DOWN : SSH_WAY_BOTH;
}
