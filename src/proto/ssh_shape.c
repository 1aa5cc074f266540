#include "config.h"

#include "proto/ssh_shape.h"

#include <string.h>

#include "base/clock.h"

enum { /* payloads of messages; channel data has nine bytes before it (RFC 4254 section 5.2) */
	CONFIRMATION = 17,      /* of a channel (section 5.1) */
	FORWARD_MIN = 50,       /* asks for one to a port somewhere (section 7.2) */
	FORWARD_MAX = 320,
	KEY = 10,               /* one byte of data */
	KEYS_MAX = 16,          /* a function key, or some at once */
	ECHO_MAX = 80,
	ACK = 10,               /* scp's answer, a zero; a WINDOW_ADJUST (section 5.2) is as long */
	LINE_MAX = 1100,        /* scp's line of a file */
	LINE_MIN = 12,
	CONTENT_MIN = 300,      /* more than a line, in one piece */
	REPLY = 5,              /* section 5.4, 5.3 */
	ADJUST = 9,             /* section 5.2 */
	HANDLE = 26,            /* section 7, of four bytes: what OpenSSH gives out */
	OPEN_MIN = 31,          /* section 6.3: a name of a character */
	OPEN_MAX = 4200,
	WITH_HANDLE = 26,       /* CLOSE, READDIR, FSTAT */
	READ = 38,              /* section 6.4 */
	STATUS = 37,            /* section 7, "Success" */
	NAMES_MIN = 110,        /* an answer to READDIR with names in it */
	DATA_MIN = 70,          /* more than any short message: content, likely */
	ACKS_MAX = 4,           /* in one unit */
	OPENING_TURNS = 6,      /* until the server's replies to channel requests are over */
	PACKET_CONTENT = 32768, /* of content in a packet, mostly */
	WRITE_HEADER = 29,      /* section 6.4 */
};

enum { FILES_SFTP, FILES_SCP };
static const int64_t TYPING_GAP = 15 * CLOCK_MILLISECOND; /* nobody types faster */
static const int64_t FASTEST_MAX = 200 * CLOCK_MILLISECOND; /* a round trip, at the most */

static void turn_over(struct ssh_shape *h);
static void look_typed(struct ssh_shape *h, const struct ssh_turn *t);
static void look_forward(struct ssh_shape *h, const struct ssh_turn *t);
static void look_sftp(struct ssh_shape *h, const struct ssh_turn *t);
static void look_handle(struct ssh_shape *h, const struct ssh_turn *t);
static void look_scp(struct ssh_shape *h, const struct ssh_turn *t, enum side sender);
static void file_begin(struct ssh_files *f);
static void file_turn(struct ssh_files *f, const struct ssh_shape *h, const struct ssh_turn *t, uint32_t header);
static void file_end(struct ssh_files *f);
static bool is_single(const struct ssh_shape *h, const struct ssh_turn *t, uint32_t payload);
static bool is_acks(const struct ssh_shape *h, const struct ssh_turn *t);
static bool is_short(const struct ssh_shape *h, const struct ssh_turn *t, uint32_t from, uint32_t to);
static uint32_t wire(const struct ssh_shape *h, enum side from, uint32_t payload);
static uint64_t content_of(const struct ssh_shape *h, const struct ssh_turn *t);

void
ssh_shape_init(struct ssh_shape *h, const struct ssh_cipher cipher[2], const bool exact[2])
{
	*h = (struct ssh_shape){.cipher = {cipher[0], cipher[1]}, .exact = {exact[0], exact[1]}, .fastest = FASTEST_MAX};
}

void
ssh_shape_unit(struct ssh_shape *h, enum side from, uint32_t size, int64_t now)
{
	if (h->turn.units > 0 && h->turn.from != from)
		turn_over(h);
	if (h->units < SSH_FIRST_MAX) {
		h->first[h->units].from = from;
		h->first[h->units].size = size;
	}
	h->units++;
	if (h->turn.units == 0)
		h->turn = (struct ssh_turn){.from = from, .first = size, .start = now};
	h->turn.units++;
	h->turn.last = size;
	h->turn.bytes += size;
	h->bytes[from] += size;
}

void
ssh_shape_end(struct ssh_shape *h)
{
	if (h->turn.units > 0)
		turn_over(h);
	for (size_t i = 0; i < sizeof h->files / sizeof h->files[0]; i++)
		file_end(&h->files[i]);
}

bool
ssh_shape_reply(const struct ssh_shape *h, enum side from, uint32_t size)
{
	const uint32_t reply = wire(h, from, REPLY), adjust = wire(h, from, ADJUST);
	return size == reply || size == adjust;
}

bool
ssh_shape_replies(const struct ssh_shape *h, enum side from, uint32_t size)
{
	const uint32_t reply = wire(h, from, REPLY), adjust = wire(h, from, ADJUST);
	return ssh_shape_reply(h, from, size) || size == reply + adjust || size == 2 * reply + adjust || size == 2 * reply;
}

static void
turn_over(struct ssh_shape *h)
{
	const struct ssh_turn t = h->turn;

	h->turns++;
	h->client_turns += t.from == SIDE_SOURCE;
	if (h->client_turns > 2 || (h->client_turns == 2 && t.from == SIDE_DESTINATION))
		h->content[t.from] += content_of(h, &t);
	if (t.bytes > h->largest_turn[t.from])
		h->largest_turn[t.from] = t.bytes;
	if (h->last.units > 0) {
		if (t.from == SIDE_SOURCE && t.start - h->last.start < h->fastest)
			h->fastest = t.start - h->last.start;
		look_typed(h, &t);
		look_forward(h, &t);
		look_sftp(h, &t);
		look_scp(h, &t, SIDE_SOURCE);
		look_scp(h, &t, SIDE_DESTINATION);
	}
	h->before = h->last;
	h->last = t;
	h->turn.units = 0;
}

/* A key that comes after a while, and its echo. A program that answers takes as long as it took before. */
static void
look_typed(struct ssh_shape *h, const struct ssh_turn *t)
{
	const struct ssh_turn *key = &h->last;
	if (t->from != SIDE_DESTINATION || !is_short(h, key, KEY, KEYS_MAX) ||
	        t->first > wire(h, t->from, ECHO_MAX))
		return;
	if (h->before.units > 0 && key->start - h->before.start >= TYPING_GAP + 2 * h->fastest)
		h->typed++;
}

/* Either end asks for a channel to somewhere, the other one confirms it. */
static void
look_forward(struct ssh_shape *h, const struct ssh_turn *t)
{
	const enum side asker = h->last.from;
	if (h->last.last >= wire(h, asker, FORWARD_MIN) && h->last.last <= wire(h, asker, FORWARD_MAX) &&
	        t->first == wire(h, t->from, CONFIRMATION))
		h->forwards++;
}

static void
look_sftp(struct ssh_shape *h, const struct ssh_turn *t)
{
	const struct ssh_turn *ask = &h->last;
	if (t->from == SIDE_DESTINATION && is_short(h, ask, WITH_HANDLE, OPEN_MAX) &&
	        is_single(h, t, STATUS))
		h->sftp.statuses++;
	if (t->from == SIDE_DESTINATION && is_short(h, ask, LINE_MIN, OPEN_MAX) && t->units == 1)
		h->requests++;
	look_handle(h, t);
}

/* OPEN or OPENDIR and the handle, what is done with it, CLOSE. */
static void
look_handle(struct ssh_shape *h, const struct ssh_turn *t)
{
	struct ssh_files *f = &h->files[FILES_SFTP];
	const struct ssh_turn *ask = &h->last;

	if (t->from == SIDE_SOURCE) {
		if (h->sftp.opened) {
			h->sftp.opened = false;
			h->sftp.closing = is_single(h, t, WITH_HANDLE);
			if (!h->sftp.closing)
				file_begin(f);
		}
		file_turn(f, h, t, WRITE_HEADER);
		return;
	}
	/* With blocks of 16 a handle may be as long as a status, which is what WRITE gets. */
	const bool same = wire(h, t->from, HANDLE) == wire(h, t->from, STATUS);
	if (is_short(h, ask, OPEN_MIN, OPEN_MAX) && is_single(h, t, HANDLE) &&
	        !(same && (f->open || is_single(h, ask, WITH_HANDLE)))) {
		file_end(f);
		h->sftp.opened = true;
		h->sftp.closing = false;
		return;
	}
	if (h->sftp.closing) {
		h->sftp.closing = false;
		/* Names are a folder's, but where READ is as long as READDIR. */
		if (t->bytes < wire(h, t->from, NAMES_MIN) ||
		        wire(h, ask->from, READ) == wire(h, ask->from, WITH_HANDLE)) {
			file_begin(f);
			file_turn(f, h, t, WRITE_HEADER);
		}
	} else if (f->open && is_single(h, ask, WITH_HANDLE) && is_short(h, t, 1, STATUS)) {
		file_end(f);
	} else {
		file_turn(f, h, t, WRITE_HEADER);
	}
}

/*
 * A line, its acknowledgement, content, another acknowledgement. Content that is no longer than a line is counted
 * as one here.
 */
static void
look_scp(struct ssh_shape *h, const struct ssh_turn *t, enum side sender)
{
	struct ssh_files *f = &h->files[FILES_SCP + sender];
	if (t->from != sender) {
		h->scp[sender].odd += !is_acks(h, t);
		/* The client's first lines are requests, and the server's replies to those. */
		const bool opening = sender == SIDE_SOURCE
		        ? h->client_turns <= 2
		        : h->turns <= OPENING_TURNS && ssh_shape_replies(h, sender, h->last.first);
		if (!opening && is_short(h, &h->last, LINE_MIN, LINE_MAX) && t->units == 1 && is_acks(h, t)) {
			file_end(f);
			h->scp[sender].lines++;
			h->scp[sender].in_row++;
			h->scp[sender].ready = true;
		}
		return;
	}
	if (h->scp[sender].ready && (t->units > 1 || t->bytes > wire(h, sender, CONTENT_MIN))) {
		h->scp[sender].contents++;
		h->scp[sender].doubles += h->scp[sender].in_row > 1;
		h->scp[sender].in_row = 0;
		file_begin(f);
	}
	h->scp[sender].ready = false;
	file_turn(f, h, t, 0);
}

static void
file_begin(struct ssh_files *f)
{
	file_end(f);
	f->count++;
	f->open = true;
}

/* Content of the file that is open, unless the turn is as short as those that hold none. */
static void
file_turn(struct ssh_files *f, const struct ssh_shape *h, const struct ssh_turn *t, uint32_t header)
{
	if (!f->open || (t->units == 1 && t->bytes < wire(h, t->from, DATA_MIN)))
		return;
	const uint64_t content = content_of(h, t), headers = (content / PACKET_CONTENT + 1) * header;
	f->current[t->from] += content > headers ? content - headers : 0;
}

static void
file_end(struct ssh_files *f)
{
	const enum side sender = f->current[SIDE_SOURCE] > f->current[SIDE_DESTINATION] ? SIDE_SOURCE : SIDE_DESTINATION;
	f->bytes[sender] += f->current[sender];
	if (f->current[sender] > f->largest)
		f->largest = f->current[sender];
	f->current[SIDE_SOURCE] = f->current[SIDE_DESTINATION] = 0;
	f->open = false;
}

/* A message with this payload, and at most a WINDOW_ADJUST with it. */
static bool
is_single(const struct ssh_shape *h, const struct ssh_turn *t, uint32_t payload)
{
	const uint32_t size = wire(h, t->from, payload);
	return (t->units == 1 && t->first == size) || (t->units <= 2 && t->bytes == size + wire(h, t->from, ADJUST));
}

/* Acknowledgements of scp, and WINDOW_ADJUST between them. */
static bool
is_acks(const struct ssh_shape *h, const struct ssh_turn *t)
{
	const uint32_t ack = wire(h, t->from, ACK);
	if (h->cipher[t->from].compressed && t->first <= ack && t->bytes <= (uint64_t)ack * t->units)
		return true;
	return t->bytes <= (uint64_t)ACKS_MAX * ack * t->units && t->bytes % ack == 0;
}

static bool
is_short(const struct ssh_shape *h, const struct ssh_turn *t, uint32_t from, uint32_t to)
{
	return t->units == 1 && t->first >= wire(h, t->from, from) && t->first <= wire(h, t->from, to);
}

static uint32_t
wire(const struct ssh_shape *h, enum side from, uint32_t payload)
{
	return ssh_cipher_wire(&h->cipher[from], payload);
}

/* Channel data in it, going by the packets that it must have; WINDOW_ADJUSTs have none. */
static uint64_t
content_of(const struct ssh_shape *h, const struct ssh_turn *t)
{
	if (is_acks(h, t))
		return 0;
	const uint32_t overhead = ssh_cipher_overhead(&h->cipher[t->from]);
	const uint64_t packets = h->exact[t->from] ? t->units : (t->bytes + PACKET_CONTENT - 1) / PACKET_CONTENT;
	return t->bytes > packets * overhead ? t->bytes - packets * overhead : 0;
}
