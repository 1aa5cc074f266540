/*
 * Finds out which protocol a conversation speaks, by the first bytes each way
 * and never by the port alone, then only passes on what comes. Where the
 * first segment decides, nothing is copied.
 *
 * A conversation seen without its beginning may start in the middle of a
 * message, and one that is nobody's may turn to a known protocol (STARTTLS, SOCKS,
 * a proxy's preamble). So every segment is a new chance, for a while.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/slab.h"
#include "proto/classifier.h"
#include "proto/prologue.h"

enum {
	SWITCHES_MAX = 8, /* AUTH TLS, CONNECT, upgrades: more is somebody playing */
	CHANCES_MAX = 32, /* segments that may be nobody's before the conversation is */
	CHANCE_BYTES_MAX = 32768, /* and bytes in them */
	REFUSED_MAX = 6,  /* protocols that gave it back; more than that and it is nobody's */
	BOTH_SIDES = 1 << SIDE_SOURCE | 1 << SIDE_DESTINATION,
};

enum phase {
	PHASE_PROBING, /* no protocol yet */
	PHASE_PROTO,   /* proto and state have it */
	PHASE_CARRIER, /* a control channel expected this flow and takes its bytes */
	PHASE_DONE,    /* nothing more is wanted */
};

struct conversations {
	struct classifier *classifier;
	struct slab slab;
};

struct conversation {
	struct conversations *all;
	struct session *session;
	union {                            /* by phase */
		struct prologue *prologue; /* PHASE_PROBING: what came so far, NULL for nothing */
		void *state;               /* PHASE_PROTO */
		struct carrier *carrier;   /* PHASE_CARRIER */
	};
	struct proto_set refused; /* protocols that gave it back */
	uint32_t chance_bytes;
	uint8_t protocol;  /* its number, from PHASE_PROTO on; 0: none */
	uint8_t refusals;  /* how many those are */
	uint8_t phase;
	uint8_t switches;
	uint8_t chances;   /* segments that were nobody's */
	uint8_t ended;     /* sides that send nothing more, by bit */
	bool midstream;
	bool asked;        /* the carrier was asked for at the first payload */
};

static bool finished(const struct conversation *c);
static void ask_carrier(struct conversation *c);
static enum verdict give(struct conversation *c, enum side from, const uint8_t *bytes, size_t len);
static enum verdict give_gap(struct conversation *c, enum side from, uint64_t len);
static enum verdict give_end(struct conversation *c, enum side from);
static enum verdict probe_data(struct conversation *c, enum side from, const uint8_t *bytes,
        size_t len);
static enum verdict probe_gap(struct conversation *c, enum side from, uint64_t len);
static unsigned likely(const struct conversation *c, const struct probe *p);
static bool refuse(struct conversation *c);
static const struct proto *proto_of(const struct conversation *c);
static struct probe probe_of(const struct conversation *c);
static size_t hold(struct conversation *c, enum side from, const uint8_t *bytes, size_t len);
static enum verdict start(struct conversation *c, unsigned protocol, const char *method);
static enum verdict replay(struct conversation *c, struct prologue *prologue);
static enum verdict out_of_room(struct conversation *c);
static enum verdict settle(struct conversation *c, enum verdict v, enum side from,
        const uint8_t *bytes, size_t len);
static enum verdict nobodys(struct conversation *c, enum side from, const uint8_t *bytes,
        size_t len);
static enum verdict give_up(struct conversation *c, const char *why);
static void leave(struct conversation *c, bool reset);

struct conversations *
conversations_create(void)
{
	struct conversations *all = calloc(1, sizeof *all);
	if (all == NULL)
		return NULL;
	slab_init(&all->slab, sizeof(struct conversation));
	all->classifier = classifier_create();
	if (all->classifier != NULL)
		return all;
	free(all);
	return NULL;
}

void
conversations_destroy(struct conversations *all)
{
	if (all == NULL)
		return;
	classifier_destroy(all->classifier);
	slab_clear(&all->slab);
	free(all);
}

bool
conversation_wanted(const struct conversations *all, const struct glance *g, unsigned *known)
{
	static const struct proto_set none;
	struct probe p = {.port = {g->ends.port[SIDE_SOURCE], g->ends.port[SIDE_DESTINATION]}, .midstream = true};
	p.bytes[g->from] = g->bytes;
	p.len[g->from] = g->len;
	return classifier_choose(all->classifier, g->ends.transport, &none, &p, known) != VERDICT_NOT_MINE;
}

bool
conversation_glance(struct glance *g, unsigned known)
{
	return known != 0 && protos[known - 1]->glance != NULL && protos[known - 1]->glance(g) == VERDICT_DONE;
}

struct conversation *
conversation_open(struct conversations *all, struct session *s, bool midstream)
{
	struct conversation *c = slab_take(&all->slab);
	if (c == NULL)
		return NULL;
	*c = (struct conversation){.all = all, .session = s, .midstream = midstream};
	ask_carrier(c);
	return c;
}

void
conversation_known(struct conversation *c, unsigned known)
{
	if (known != 0 && c->phase == PHASE_PROBING)
		start(c, known, SESSION_BY_CONTENT);
}

unsigned
conversation_protocol(const struct conversation *c)
{
	return c->protocol;
}

enum verdict
conversation_data(struct conversation *c, enum side from, const uint8_t *bytes, size_t len)
{
	if (!c->asked) {
		c->asked = true;
		ask_carrier(c);
	}
	return len > 0 ? give(c, from, bytes, len) : VERDICT_MORE;
}

enum verdict
conversation_gap(struct conversation *c, enum side from, uint64_t len)
{
	return give_gap(c, from, len);
}

enum verdict
conversation_end(struct conversation *c, enum side from, bool reset)
{
	if (c->phase == PHASE_CARRIER)
		carrier_end(c->carrier, from, reset);
	else if (!reset)
		give_end(c, from);
	if (!reset)
		c->ended |= (uint8_t)(1u << from);
	return c->ended == BOTH_SIDES && finished(c) ? VERDICT_DONE : VERDICT_MORE;
}

void
conversation_close(struct conversation *c, bool reset)
{
	if (c == NULL)
		return;
	if (c->phase == PHASE_PROBING && (c->prologue != NULL || c->chances > 0))
		out_of_room(c);
	leave(c, reset);
	slab_give(&c->all->slab, c);
}

/* Is nothing left to be told when the flow ends? A transfer that waits for that is told with the flow's totals. */
static bool
finished(const struct conversation *c)
{
	switch (c->phase) {
	case PHASE_PROBING: {
		struct probe p = probe_of(c);
		if (c->prologue == NULL)
			return true;
		prologue_probe(c->prologue, &p);
		return likely(c, &p) == 0;
	}
	case PHASE_PROTO:
		return proto_of(c)->finished != NULL && proto_of(c)->finished(c->state);
	case PHASE_CARRIER:
		return false;
	default:
		return true;
	}
}

/* A control channel may announce this flow before its first packet or between that and its first payload. */
static void
ask_carrier(struct conversation *c)
{
	if (c->phase != PHASE_PROBING)
		return;
	struct carrier *carrier = session_carrier(c->session);
	if (carrier == NULL)
		return;
	leave(c, false);
	c->carrier = carrier;
	c->phase = PHASE_CARRIER;
}

static enum verdict
give(struct conversation *c, enum side from, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return c->phase == PHASE_DONE ? VERDICT_DONE : VERDICT_MORE;
	switch (c->phase) {
	case PHASE_PROBING:
		return probe_data(c, from, bytes, len);
	case PHASE_PROTO:
		return settle(c, proto_of(c)->data(c->state, from, bytes, len), from, bytes, len);
	case PHASE_CARRIER:
		carrier_data(c->carrier, from, bytes, len);
		return VERDICT_MORE;
	case PHASE_DONE:
		break;
	}
	return VERDICT_DONE;
}

static enum verdict
give_gap(struct conversation *c, enum side from, uint64_t len)
{
	switch (c->phase) {
	case PHASE_PROBING:
		return probe_gap(c, from, len);
	case PHASE_PROTO:
		return settle(c, proto_of(c)->gap(c->state, from, len), from, NULL, 0);
	case PHASE_CARRIER:
		carrier_gap(c->carrier, from, len);
		return VERDICT_MORE;
	case PHASE_DONE:
		break;
	}
	return VERDICT_DONE;
}

static enum verdict
give_end(struct conversation *c, enum side from)
{
	if (c->phase == PHASE_PROTO && proto_of(c)->end != NULL)
		proto_of(c)->end(c->state, from);
	/* Without room for the run only the end is lost, and close tells it soon after. */
	if (c->phase == PHASE_PROBING && c->prologue != NULL)
		(void)prologue_end(c->prologue, from, session_now(c->session));
	return c->phase == PHASE_DONE ? VERDICT_DONE : VERDICT_MORE;
}

static enum verdict
probe_data(struct conversation *c, enum side from, const uint8_t *bytes, size_t len)
{
	struct probe p = probe_of(c);
	size_t kept = 0;
	if (c->prologue == NULL) {
		p.bytes[from] = bytes;
		p.len[from] = len;
	} else {
		kept = hold(c, from, bytes, len);
		prologue_probe(c->prologue, &p);
	}

	unsigned protocol;
	const uint8_t transport = session_ends(c->session).transport;
	enum verdict v = classifier_choose(c->all->classifier, transport, &c->refused, &p, &protocol);
	if (v == VERDICT_NOT_MINE)
		return nobodys(c, from, bytes, len);
	if (v == VERDICT_MORE && c->prologue == NULL)
		kept = hold(c, from, bytes, len);
	if (v == VERDICT_MORE && kept == len)
		return VERDICT_MORE;

	v = v == VERDICT_DONE ? start(c, protocol, SESSION_BY_CONTENT) : out_of_room(c);
	return v == VERDICT_DONE ? v : give(c, from, bytes + kept, len - kept);
}

/*
 * A hole before anything else only means that the beginning was missed; later
 * ones are kept in their place.
 */
static enum verdict
probe_gap(struct conversation *c, enum side from, uint64_t len)
{
	if (c->prologue == NULL) {
		c->midstream = true;
		return VERDICT_MORE;
	}
	if (prologue_gap(c->prologue, from, len, session_now(c->session)) == 0)
		return VERDICT_MORE;
	enum verdict v = out_of_room(c);
	return v == VERDICT_DONE ? v : give_gap(c, from, len);
}

static unsigned
likely(const struct conversation *c, const struct probe *p)
{
	return classifier_likely(c->all->classifier, session_ends(c->session).transport, &c->refused, p);
}

/* Its protocol is not asked again. False: too many gave it back already. */
static bool
refuse(struct conversation *c)
{
	if (c->refusals == REFUSED_MAX)
		return false;
	proto_set_add(&c->refused, c->protocol);
	c->refusals++;
	return true;
}

static const struct proto *
proto_of(const struct conversation *c)
{
	return protos[c->protocol - 1];
}

static struct probe
probe_of(const struct conversation *c)
{
	const struct session_ends ends = session_ends(c->session);
	return (struct probe){.port = {ends.port[SIDE_SOURCE], ends.port[SIDE_DESTINATION]},
	        .midstream = c->midstream,
	        .session = c->session};
}

/* Keeps bytes until the protocol is known; how many could be kept. */
static size_t
hold(struct conversation *c, enum side from, const uint8_t *bytes, size_t len)
{
	if (c->prologue == NULL)
		c->prologue = prologue_create(session_ends(c->session).transport != IPPROTO_TCP);
	if (c->prologue == NULL)
		return 0;
	return prologue_bytes(c->prologue, from, bytes, len, session_now(c->session));
}

/* The protocol is known: gives it all that was held. DONE: it, or nobody, wants more. */
static enum verdict
start(struct conversation *c, unsigned protocol, const char *method)
{
	const struct proto *proto = protos[protocol - 1];
	/* Told first, so that a transfer begun at once knows its protocol; a switch keeps the name. */
	if (session_protocol_name(c->session) == NULL)
		session_protocol(c->session, proto->name, method);
	struct prologue *prologue = c->prologue;
	void *state = proto->open(c->session);
	if (state == NULL)
		return give_up(c, "out of memory");
	c->protocol = (uint8_t)protocol;
	c->state = state;
	c->phase = PHASE_PROTO;
	return prologue != NULL ? replay(c, prologue) : VERDICT_MORE;
}

/* Gives what was held, and frees it. Who is given it may hold again. */
static enum verdict
replay(struct conversation *c, struct prologue *prologue)
{
	struct prologue_run run;
	enum verdict v = VERDICT_MORE;
	int64_t now = session_now(c->session);

	for (size_t i = 0; v != VERDICT_DONE && prologue_run(prologue, i, &run); i++) {
		session_time(c->session, run.time);
		if (run.kind == PROLOGUE_BYTES)
			v = give(c, run.from, run.bytes, (size_t)run.len);
		else if (run.kind == PROLOGUE_GAP)
			v = give_gap(c, run.from, run.len);
		else
			v = give_end(c, run.from);
	}
	session_time(c->session, now);
	prologue_destroy(prologue);
	return v;
}

/* No more can be held: the port decides between those that are left, or nobody has it. */
static enum verdict
out_of_room(struct conversation *c)
{
	struct probe p = probe_of(c);
	unsigned protocol = 0;
	if (c->prologue != NULL) {
		prologue_probe(c->prologue, &p);
		protocol = likely(c, &p);
	}
	return protocol != 0 ? start(c, protocol, "port") : give_up(c, "unknown protocol");
}

/*
 * What a protocol's verdict on these bytes means for the conversation. One that gives them
 * back is not asked again; what it took in earlier calls is not told to the next.
 */
static enum verdict
settle(struct conversation *c, enum verdict v, enum side from, const uint8_t *bytes, size_t len)
{
	size_t unused = len;
	switch (v) {
	case VERDICT_MORE:
		return VERDICT_MORE;
	case VERDICT_DONE:
		leave(c, false);
		return VERDICT_DONE;
	case VERDICT_MALFORMED:
		return give_up(c, "malformed");
	case VERDICT_SWITCH:
		if (session_switch_unused(c->session) < len)
			unused = session_switch_unused(c->session);
		if (++c->switches > SWITCHES_MAX)
			return give_up(c, "unknown protocol");
		c->refused = (struct proto_set){0};
		c->refusals = 0;
		c->midstream = false;
		break;
	case VERDICT_NOT_MINE:
		if (c->switches == 0)
			session_protocol_none(c->session);
		if (!refuse(c))
			return give_up(c, "unknown protocol");
		break;
	}
	leave(c, false);
	c->phase = PHASE_PROBING;
	c->prologue = NULL;
	return unused > 0 ? give(c, from, bytes + (len - unused), unused) : VERDICT_MORE;
}

/* No protocol knows what came so far. These bytes alone may be the beginning of one. */
static enum verdict
nobodys(struct conversation *c, enum side from, const uint8_t *bytes, size_t len)
{
	bool alone = c->prologue == NULL;

	prologue_destroy(c->prologue);
	c->prologue = NULL;
	c->midstream = true;
	if (!alone)
		return probe_data(c, from, bytes, len);
	c->chance_bytes += (uint32_t)len;
	if (++c->chances > CHANCES_MAX || c->chance_bytes > CHANCE_BYTES_MAX)
		return give_up(c, "unknown protocol");
	return VERDICT_MORE;
}

/* Nothing in it will be read; its volume still counts. */
static enum verdict
give_up(struct conversation *c, const char *why)
{
	leave(c, false);
	session_unreadable(c->session, why);
	return VERDICT_DONE;
}

/* Lets go of whoever had the conversation. */
static void
leave(struct conversation *c, bool reset)
{
	if (c->phase == PHASE_PROTO)
		proto_of(c)->close(c->state, reset);
	else if (c->phase == PHASE_CARRIER)
		carrier_close(c->carrier);
	else if (c->phase == PHASE_PROBING)
		prologue_destroy(c->prologue);
	c->phase = PHASE_DONE;
}
