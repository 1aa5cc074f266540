/*
 * Aspera's FASP has no public specification, and this reads none of it. What is public is how it is used: an SSH session
 * (to port 22 or 33001) starts ascp at the other end, then one UDP flow between the same two hosts, on port 33001 or a
 * few above, carries everything, at a steady rate in datagrams of one size. So a flow there is told as FASP, with low
 * confidence, where all of that holds: SSH between the two was seen before (a note of ours), nearly all bytes go one way
 * in datagrams of one length, and four bytes at one place of their heads count them. Otherwise it stays what it
 * was, an unknown one. An Aspera server on quite other ports is missed.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

enum {
	PORT_FIRST = 33001,   /* as documented for firewalls: 33001, and above it one for each transfer at a time */
	PORT_LAST = 33100,
	HEAD_LOOK = 32,       /* bytes of a datagram in which a counter may stand, */
	PLACES = HEAD_LOOK / 4, /* at a multiple of four */
	LARGE_MIN = 512,
	LARGE_SURE = 24,      /* datagrams of one size in which the same place counted */
	LOOK_MAX = 256,       /* datagrams after which it is none */
	STEP_MAX = 64,        /* that a counter may go on by, for lost ones */
};

struct fasp {
	struct session *session;
	enum side sender;
	size_t size;             /* of its large datagrams; 0: none yet */
	uint32_t last[PLACES];   /* what stood at each place */
	uint16_t counted[PLACES];
	uint16_t large, looked;
	bool known;
};

static bool in_range(uint16_t port);
static enum verdict look(struct fasp *f, enum side from, const uint8_t *bytes, size_t len);

static enum verdict
fasp_probe(const struct probe *p)
{
	/* Where to look at all; what is seen there decides. */
	return in_range(p->port[SIDE_SOURCE]) || in_range(p->port[SIDE_DESTINATION]) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static void *
fasp_open(struct session *s)
{
	static const char key[] = "ssh:session";
	struct fasp *f = calloc(1, sizeof *f);
	size_t len;
	if (f == NULL)
		return NULL;
	session_protocol_none(s);
	if (session_noted(s, NOTE_PAIR, key, sizeof key - 1, &len) != NULL)
		f->session = s;
	return f;
}

static enum verdict
fasp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct fasp *f = state;
	if (f->session == NULL || ++f->looked > LOOK_MAX)
		return VERDICT_NOT_MINE;
	return look(f, from, bytes, len);
}

static enum verdict
fasp_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_NOT_MINE; /* cut datagrams have no size to go by */
}

static void
fasp_close(void *state, bool reset)
{
	(void)reset;
	free(state);
}

const struct proto proto_fasp = {
        .name = "fasp",
        .transport = IPPROTO_UDP,
        .ports = {PORT_FIRST},
        .reads = "nothing: Aspera FASP has no public specification",
        .infers = "that a flow is one, with low confidence: SSH between the same hosts before, datagrams of one size that "
                  "are counted, its usual ports; transfers, from volume",
        .misses = "files, names; servers on other ports; flows whose SSH session was not seen",
        .probe = fasp_probe,
        .open = fasp_open,
        .data = fasp_data,
        .gap = fasp_gap,
        .end = NULL,
        .close = fasp_close,
};

static bool
in_range(uint16_t port)
{
	return port >= PORT_FIRST && port <= PORT_LAST;
}

/* Large datagrams of one size from one side, in whose heads the same place counts. */
static enum verdict
look(struct fasp *f, enum side from, const uint8_t *bytes, size_t len)
{
	static const char confidence[] = "low", method[] = "shape";
	if (len < LARGE_MIN)
		return VERDICT_MORE;
	if (f->size == 0 || len > f->size) {
		*f = (struct fasp){.session = f->session, .looked = f->looked, .sender = from, .size = len};
	} else if (from != f->sender) {
		return VERDICT_NOT_MINE;
	} else if (len < f->size) {
		return VERDICT_MORE; /* the end of a file */
	}
	struct reader r = reader_init(bytes, HEAD_LOOK);
	f->large++;
	for (size_t i = 0; i < PLACES; i++) {
		const uint32_t value = reader_be32(&r), step = value - f->last[i];
		f->counted[i] = (uint16_t)(step > 0 && step <= STEP_MAX ? f->counted[i] + 1 : 0);
		f->last[i] = value;
		if (f->counted[i] < LARGE_SURE)
			continue;
		session_protocol(f->session, "fasp", method);
		session_detail(f->session, "fasp.confidence", confidence, sizeof confidence - 1);
		session_unreadable(f->session, "encrypted");
		session_inferred_as(f->session, &(struct session_guess){.method = "FASP",
		                    .why = "SSH between these hosts before, then datagrams of one size that are counted, on a port of Aspera's; low confidence"});
		return VERDICT_DONE;
	}
	return VERDICT_MORE;
}
