/*
 * uTP (BEP 29): connections over the datagrams of one pair of ports, with the words of two peers in each. Both ends use one port for all that they
 * do, so either of them may begin another connection beside one that is open; the number in each datagram tells which it belongs to.
 *
 * Lost datagrams come again; those of one direction are put in order as far as a few are ahead.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/bittorrent.h"

enum { AHEAD_MAX = 16, AHEAD_BYTES = 1500, EXTENSIONS_MAX = 8 };
enum {
	CONNECTIONS_MAX = 4, /* at once; the one that was quiet the longest goes first */
	ENCRYPTED_MIN = 16384, /* bytes after which an encrypted connection is more than an attempt */
};

struct ahead {
	uint16_t len; /* 0: free */
	uint16_t seq;
	uint8_t bytes[AHEAD_BYTES];
};

struct half {
	bool named;    /* id is known */
	uint16_t id;   /* in what this side sends */
	bool known;    /* next is */
	bool lost;
	uint16_t next; /* seq */
	struct ahead *ahead; /* AHEAD_MAX of them, or NULL */
};

struct connection {
	struct half half[2];
	struct peers *peers; /* NULL: none said anything yet */
	bool begun;          /* its SYN was seen */
	bool encrypted;
	uint64_t bytes;      /* while it is */
	uint64_t used;       /* when: a number that grows */
};

struct utp {
	struct session *session;
	struct connection connection[CONNECTIONS_MAX];
	size_t count;
	uint64_t clock;
	bool told_encrypted, unreadable;
};

static struct connection *connection_of(struct utp *u, enum side from, const struct utp_datagram *d);
static struct connection *connection_add(struct utp *u);
static void connection_clear(struct utp *u, struct connection *c);
static void take_data(struct utp *u, struct connection *c, enum side from, const struct utp_datagram *d);
static void take_words(struct utp *u, struct connection *c, enum side from, const uint8_t *bytes, size_t len);
static void tell_encrypted(struct utp *u, struct connection *c, size_t len);
static void in_order(struct utp *u, struct connection *c, enum side from);
static void keep(struct half *half, const struct utp_datagram *d);

bool
utp_parse(const uint8_t *bytes, size_t len, struct utp_datagram *out)
{
	struct reader r = reader_init(bytes, len);
	uint8_t head = reader_u8(&r), extension = reader_u8(&r);

	*out = (struct utp_datagram){.type = head >> 4, .id = reader_be16(&r)};
	reader_skip(&r, 12);
	out->seq = reader_be16(&r);
	out->ack = reader_be16(&r);
	if (!reader_ok(&r) || (head & 15) != 1 || out->type > UTP_SYN || extension > 3)
		return false;
	for (size_t i = 0; extension != 0 && i < EXTENSIONS_MAX && r.left > 0; i++) {
		extension = reader_u8(&r);
		reader_skip(&r, reader_u8(&r));
	}
	out->data = r;
	return reader_ok(&r);
}

struct utp *
utp_create(struct session *s)
{
	struct utp *u = calloc(1, sizeof *u);
	if (u != NULL)
		u->session = s;
	return u;
}

void
utp_destroy(struct utp *u)
{
	for (size_t i = 0; u != NULL && i < u->count; i++)
		connection_clear(u, &u->connection[i]);
	free(u);
}

void
utp_take(struct utp *u, enum side from, const struct utp_datagram *d)
{
	struct connection *c = connection_of(u, from, d);

	c->used = ++u->clock;
	if (d->type == UTP_SYN) {
		if (c->begun)
			return; /* sent again */
		c->begun = true;
		c->half[from].known = true;
		c->half[from].next = (uint16_t)(d->seq + 1);
	} else if ((d->type == UTP_DATA || d->type == UTP_FIN) && d->data.left > 0) {
		take_data(u, c, from, d);
	}
}

void
utp_cut(struct utp *u, enum side from)
{
	for (size_t i = 0; i < u->count; i++)
		u->connection[i].half[from].lost = true;
}

bool
utp_busy(const struct utp *u)
{
	for (size_t i = 0; u != NULL && i < u->count; i++)
		if (peers_busy(u->connection[i].peers))
			return true;
	return false;
}

/* By the number: who begins takes one for what it will receive, and sends with the next one, but for the SYN. */
static struct connection *
connection_of(struct utp *u, enum side from, const struct utp_datagram *d)
{
	const bool syn = d->type == UTP_SYN;
	const uint16_t own = syn ? (uint16_t)(d->id + 1) : d->id;

	for (size_t i = 0; i < u->count; i++) {
		struct half *half = &u->connection[i].half[from];
		if (half->named && half->id == own)
			return &u->connection[i];
	}
	/* One that was begun before the capture: its other side is one up or down. */
	for (size_t i = 0; !syn && i < u->count; i++) {
		struct half *half = &u->connection[i].half[from], *other = &u->connection[i].half[side_other(from)];
		if (!half->named && ((uint16_t)(other->id + 1) == own || (uint16_t)(other->id - 1) == own)) {
			half->named = true;
			half->id = own;
			return &u->connection[i];
		}
	}
	struct connection *c = connection_add(u);
	c->half[from] = (struct half){.named = true, .id = own};
	if (syn)
		c->half[side_other(from)] = (struct half){.named = true, .id = d->id};
	return c;
}

static struct connection *
connection_add(struct utp *u)
{
	struct connection *c = &u->connection[0];

	if (u->count < CONNECTIONS_MAX)
		return &u->connection[u->count++];
	for (size_t i = 1; i < u->count; i++)
		if (u->connection[i].used < c->used)
			c = &u->connection[i];
	connection_clear(u, c);
	return c;
}

static void
connection_clear(struct utp *u, struct connection *c)
{
	if (c->begun && !c->encrypted && c->peers != NULL && peers_hidden(c->peers))
		tell_encrypted(u, c, 0);
	peers_destroy(c->peers, TRANSFER_TRUNCATED);
	free(c->half[0].ahead);
	free(c->half[1].ahead);
	*c = (struct connection){0};
}

static void
take_data(struct utp *u, struct connection *c, enum side from, const struct utp_datagram *d)
{
	struct half *half = &c->half[from];

	if (c->encrypted)
		tell_encrypted(u, c, d->data.left);
	if (half->lost)
		return;
	if (!half->known) {
		half->known = true;
		half->next = d->seq;
	}
	if (d->seq != half->next) {
		if ((uint16_t)(d->seq - half->next) < 0x8000)
			keep(half, d);
		return;
	}
	half->next++;
	take_words(u, c, from, d->data.next, d->data.left);
	in_order(u, c, from);
}

static void
take_words(struct utp *u, struct connection *c, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &c->half[from];

	if (c->peers == NULL && (c->peers = peers_create(u->session)) == NULL)
		return;
	half->lost = !peers_bytes(c->peers, from, bytes, len);
	if (half->lost && c->begun && !c->encrypted && !peers_known(c->peers))
		tell_encrypted(u, c, len);
}

/*
 * Message stream encryption has no plain text at all: what begins a connection, and holds no handshake, is that. The volume is of
 * all connections between these ports, so that it says nothing while files of others are read.
 */
static void
tell_encrypted(struct utp *u, struct connection *c, size_t len)
{
	c->encrypted = true;
	c->bytes += len;
	if (!u->told_encrypted) {
		session_detail(u->session, "bittorrent.encrypted", "true", 4);
		bittorrent_know_end(u->session, SIDE_SOURCE);
		bittorrent_know_end(u->session, SIDE_DESTINATION);
	}
	u->told_encrypted = true;
	if (!u->unreadable && c->bytes >= ENCRYPTED_MIN && !utp_busy(u)) {
		u->unreadable = true;
		session_unreadable(u->session, "encrypted");
		if (u->count > 1)
			session_inferred_as(u->session, &(struct session_guess){.why = "the volume is of several connections, which may not all be encrypted"});
	}
}

/* What was ahead may be next now. */
static void
in_order(struct utp *u, struct connection *c, enum side from)
{
	struct half *half = &c->half[from];
	for (size_t i = 0; half->ahead != NULL && !half->lost && i < AHEAD_MAX; i++) {
		struct ahead *a = &half->ahead[i];
		if (a->len == 0 || a->seq != half->next)
			continue;
		half->next++;
		take_words(u, c, from, a->bytes, a->len);
		a->len = 0;
		i = SIZE_MAX; /* look again */
	}
}

static void
keep(struct half *half, const struct utp_datagram *d)
{
	struct ahead *room = NULL;

	if (half->ahead == NULL)
		half->ahead = calloc(AHEAD_MAX, sizeof *half->ahead);
	for (size_t i = 0; half->ahead != NULL && i < AHEAD_MAX; i++) {
		if (half->ahead[i].len > 0 && half->ahead[i].seq == d->seq)
			return;
		if (half->ahead[i].len == 0)
			room = &half->ahead[i];
	}
	if (room == NULL || d->data.left > AHEAD_BYTES) {
		half->lost = true; /* it was not captured */
		return;
	}
	room->seq = d->seq;
	room->len = (uint16_t)d->data.left;
	memcpy(room->bytes, d->data.next, d->data.left);
}
