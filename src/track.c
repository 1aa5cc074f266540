#include "config.h"

#include "track.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "policy/policy.h"

enum {
	CACHE_LINE = 64,
	CHANCES = 8, /* datagrams of a flow that may begin a conversation */
	UNFIT = PACKET_FRAGMENT | PACKET_BAD_CHECKSUM, /* for a protocol */
};

/* What few flows have to tell, each way. */
struct track_unseen {
	uint64_t missing[2];   /* stream bytes that were never seen */
	uint64_t tunnelled[2]; /* payload that came out of it as packets of other flows */
	struct flow_outer outer; /* what it came out of itself */
};

struct track {
	struct tracks *all;
	struct flow *flow;
	struct stream *stream;             /* NULL: no bytes are wanted any more */
	struct session *session;           /* NULL: nothing has been said yet */
	struct conversation *conversation;
	struct track_unseen *unseen;       /* NULL: nothing */
	uint64_t next_volume;              /* payload at which the session is told again */
	bool listed;
	bool settled;                      /* policy needs no more looks */
	bool called;                       /* the names of its ends were asked for */
	bool done;                         /* the conversation wants nothing more */
	bool reset;
};
_Static_assert(sizeof(struct track) <= CACHE_LINE, "one cache line");

static void on_bytes(void *ctx, enum side from, const uint8_t *bytes, size_t len, int64_t time);
static void on_gap(void *ctx, enum side from, uint64_t len, int64_t time);
static void on_stream_end(void *ctx, enum side from, bool reset, int64_t time);

static bool says_something(const struct tracks *all, const struct flow *f, enum side from, const struct packet *packet,
        struct glance *g, unsigned *known);
static bool track_datagram(struct track *t, enum side from, const struct packet *packet);
static void track_free(struct track *t);
static void flow_ends(const struct flow *f, struct session_ends *out);
static struct track_unseen *track_unseen(struct track *t);
static uint64_t track_inside(const struct track *t);
static void track_volume(struct track *t, int64_t now);
static void track_open_session(struct track *t, int64_t time, bool converses);
static void track_call(struct track *t);
static void track_done(struct track *t);
static void track_label(struct track *t, unsigned protocol);
static void track_close_conversation(struct track *t, bool reset);
static void track_close_stream(struct track *t, int64_t time);
static void track_watch(struct track *t, bool ended);
static void track_tell(struct track *t);
static void describe_turned(struct track *t, struct flow_record *out);
static void count_unread(struct tracks *all, const struct flow *f, const struct track *t); /* t or NULL */

const struct stream_ops track_stream_ops = {on_bytes, on_gap, on_stream_end};

void
tracks_init(struct tracks *all)
{
	slab_init(&all->slab, sizeof(struct track));
	all->unread[UNREAD_FLOWS] = (struct coverage_counter){"flows_unread",
	        "flows whose content was not read: encrypted, or of a protocol that is not read", 0};
	all->unread[UNREAD_BYTES] = (struct coverage_counter){
	        "flows_unread_bytes", "bytes of payload in flows whose content was not read", 0};
}

void
tracks_clear(struct tracks *all)
{
	slab_clear(&all->slab);
}

struct track *
track_of(struct tracks *all, struct flow *f)
{
	struct track *t = flow_attachment(f);
	if (t != NULL)
		return t;
	t = slab_take(&all->slab);
	if (t == NULL)
		return NULL;
	*t = (struct track){.all = all, .flow = f, .next_volume = all->infer_bytes};
	flow_attach(f, t);
	flow_table_charge(all->flows, sizeof *t);
	return t;
}

/*
 * Flows of datagrams are only counted, but for those whose first ones say something to a protocol (and the next ones,
 * where the protocol was done each time), and those that have moved enough to be told as a transfer.
 */
struct track *
track_wanted(struct tracks *all, struct flow *f, enum side from, const struct packet *packet)
{
	struct track *t = flow_attachment(f);
	if (packet->transport == IPPROTO_TCP || (t != NULL && (t->session != NULL || t->done)))
		return t;
	struct glance g;
	unsigned known;
	if (says_something(all, f, from, packet, &g, &known)) {
		if (!transfer_tracker_awaits(all->transfers, &g.ends, packet->time) && conversation_glance(&g, known)) {
			flow_set_label(f, known << 1 | g.turned);
			return t;
		}
		t = track_of(all, f);
		if (t != NULL)
			track_open_session(t, packet->time, true);
		if (t != NULL && t->conversation != NULL)
			conversation_known(t->conversation, known);
	} else if (flow_volume(f) >= all->infer_bytes && flow_label(f) == 0) {
		t = track_of(all, f);
	}
	return t;
}

static bool
says_something(const struct tracks *all, const struct flow *f, enum side from, const struct packet *packet,
        struct glance *g, unsigned *known)
{
	*known = 0;
	if (packet->captured == 0 || (packet->flags & UNFIT) != 0 ||
	        (flow_packets(f) > CHANCES && flow_label(f) == 0))
		return false;
	*g = (struct glance){.tracker = all->transfers, .from = from, .time = packet->time, .bytes = packet->payload,
	        .len = packet->captured};
	flow_ends(f, &g->ends);
	return conversation_wanted(all->conversations, g, known) ||
	       transfer_tracker_awaits(all->transfers, &g->ends, packet->time);
}

void
track_prefetch(const struct track *t)
{
	if (t->stream != NULL) {
		__builtin_prefetch(t->stream, 1);
		__builtin_prefetch((const char *)t->stream + CACHE_LINE, 1);
	}
	__builtin_prefetch(t->session, 1);
	__builtin_prefetch(t->conversation);
}

void
track_begin(struct tracks *all, struct flow *f)
{
	struct flow_view v;
	flow_look(f, &v);
	if (!attribution_listed(all->attribution, v.addr[0]) && !attribution_listed(all->attribution, v.addr[1]))
		return;
	flow_protect(f);
	struct track *t = track_of(all, f);
	if (t != NULL)
		t->listed = true;
}

void
track_relist(struct tracks *all, struct flow *f)
{
	track_begin(all, f);
	struct track *t = flow_attachment(f);
	if (t == NULL || !t->listed)
		return;
	t->settled = false;
	track_watch(t, false);
}

/* A connection that says something is worth a stream; until then the flow alone knows it. */
void
track_talk(struct tracks *all, struct flow *f, unsigned seen, const uint32_t isn[2])
{
	struct track *t = track_of(all, f);
	if (t == NULL)
		return;
	t->stream = stream_open(all->streams, t);
	if (t->stream == NULL)
		return;
	flow_table_charge(all->flows, STREAM_COST);
	if (seen > 0)
		stream_handshake(t->stream, isn, seen);
}

void
track_packet(struct track *t, enum side from, const struct packet *packet)
{
	if (t->stream != NULL) {
		stream_segment(t->stream, from, packet);
		if (t->done)
			track_close_stream(t, packet->time);
	} else if (packet->transport != IPPROTO_TCP && !track_datagram(t, from, packet)) {
		return;
	}
	track_volume(t, packet->time);
	if (t->listed && !t->settled)
		track_watch(t, false);
}

/* False: the flow needs no track any more, and it is gone. */
static bool
track_datagram(struct track *t, enum side from, const struct packet *packet)
{
	if (t->conversation == NULL || packet->captured == 0 || (packet->flags & UNFIT) != 0)
		return true;
	session_time(t->session, packet->time);
	enum verdict v = conversation_data(t->conversation, from, packet->payload, packet->captured);
	if (v != VERDICT_DONE && packet->captured < packet->payload_len)
		v = conversation_gap(t->conversation, from, packet->payload_len - packet->captured);
	if (v != VERDICT_DONE) {
		track_call(t); /* it is one that stays */
		return true;
	}
	track_done(t);
	if (t->session != NULL || t->listed || t->unseen != NULL)
		return true;
	track_free(t);
	return false;
}

void
track_end(struct tracks *all, struct flow *f)
{
	struct track *t = flow_attachment(f);
	if (t == NULL) {
		count_unread(all, f, NULL);
		if (all->tells_flows)
			track_tell(&(struct track){.all = all, .flow = f});
		return;
	}
	struct flow_view v;
	flow_look(f, &v);
	track_close_stream(t, v.end);
	if (t->session != NULL)
		session_time(t->session, v.end);
	t->reset = t->reset || v.end_reason == FLOW_END_RST;
	track_close_conversation(t, t->reset);
	t->next_volume = 0;
	track_volume(t, v.end);
	count_unread(all, f, t);
	if (all->tells_flows)
		track_tell(t);
	if (t->listed)
		track_watch(t, true);
	if (t->session != NULL) {
		session_close(t->session, t->reset, v.end);
		flow_table_charge(all->flows, -SESSION_COST);
	}
	track_free(t);
}

static void
track_free(struct track *t)
{
	struct tracks *all = t->all;
	flow_attach(t->flow, NULL);
	flow_table_charge(all->flows, -(ptrdiff_t)sizeof *t);
	if (t->unseen != NULL)
		flow_table_charge(all->flows, -(ptrdiff_t)sizeof *t->unseen);
	free(t->unseen);
	slab_give(&all->slab, t);
}

void
track_carried(struct tracks *all, struct flow *f, const struct flow *outer, enum side from)
{
	struct track *t = track_of(all, f);
	struct track_unseen *u = t != NULL ? track_unseen(t) : NULL;
	if (u != NULL)
		flow_outer(outer, from, &u->outer);
}

void
track_tunnelled(struct track *t, enum side from, uint32_t bytes)
{
	struct track_unseen *u = track_unseen(t);
	if (u != NULL)
		u->tunnelled[from] += bytes;
}

void
track_ends(const struct track *t, struct session_ends *out)
{
	flow_ends(t->flow, out);
}

static void
flow_ends(const struct flow *f, struct session_ends *out)
{
	struct flow_view v;
	flow_look(f, &v);
	*out = (struct session_ends){.addr = {*v.addr[0], *v.addr[1]}, .port = {v.port[0], v.port[1]},
	        .transport = v.transport};
}

bool
track_listed(const struct track *t)
{
	return t->listed;
}

static void
on_bytes(void *ctx, enum side from, const uint8_t *bytes, size_t len, int64_t time)
{
	struct track *t = ctx;
	if (t->done)
		return;
	track_open_session(t, time, true);
	if (t->conversation == NULL)
		return;
	session_time(t->session, time);
	if (conversation_data(t->conversation, from, bytes, len) == VERDICT_DONE)
		track_done(t);
}

static void
on_gap(void *ctx, enum side from, uint64_t len, int64_t time)
{
	struct track *t = ctx;
	struct track_unseen *u = track_unseen(t);
	if (u != NULL)
		u->missing[from] += len;
	if (t->done)
		return;
	track_open_session(t, time, true);
	if (t->conversation == NULL)
		return;
	session_time(t->session, time);
	if (conversation_gap(t->conversation, from, len) == VERDICT_DONE)
		track_done(t);
}

static void
on_stream_end(void *ctx, enum side from, bool reset, int64_t time)
{
	struct track *t = ctx;
	t->reset = t->reset || reset;
	/* An announced data connection without a byte is an empty file. */
	if (!reset && transfer_tracker_expects(t->all->transfers))
		track_open_session(t, time, true);
	if (t->conversation == NULL)
		return;
	session_time(t->session, time);
	if (conversation_end(t->conversation, from, reset) == VERDICT_DONE)
		track_done(t);
}

/* NULL: out of memory, and not told. */
static struct track_unseen *
track_unseen(struct track *t)
{
	if (t->unseen != NULL)
		return t->unseen;
	t->unseen = calloc(1, sizeof *t->unseen);
	if (t->unseen != NULL)
		flow_table_charge(t->all->flows, sizeof *t->unseen);
	return t->unseen;
}

/* Payload that came out of it as packets of other flows, both ways. */
static uint64_t
track_inside(const struct track *t)
{
	return t->unseen != NULL ? t->unseen->tunnelled[0] + t->unseen->tunnelled[1] : 0;
}

/* Tells the session how much its flow moved: at doubling volumes, or by every packet of a listed flow. */
static void
track_volume(struct track *t, int64_t now)
{
	if (!t->listed && flow_volume(t->flow) < t->next_volume + track_inside(t))
		return;
	struct flow_view v;
	flow_look(t->flow, &v);
	for (int i = 0; i < 2 && t->unseen != NULL; i++)
		v.payload[i] -= v.payload[i] < t->unseen->tunnelled[i] ? v.payload[i] : t->unseen->tunnelled[i];
	const uint64_t volume = v.payload[0] + v.payload[1];
	if (t->session == NULL && volume >= t->all->infer_bytes && v.transport != IPPROTO_TCP && flow_label(t->flow) == 0)
		track_open_session(t, now, false);
	if (t->session == NULL)
		return;
	session_time(t->session, now);
	session_volume(t->session, v.payload);
	while (t->next_volume != 0 && t->next_volume <= volume)
		t->next_volume *= 2;
}

/* A session begins with the first bytes, so that a flood of empty flows costs none. Where nobody converses, it is unreadable. */
static void
track_open_session(struct track *t, int64_t time, bool converses)
{
	if (t->session != NULL)
		return;
	struct flow_view v;
	flow_look(t->flow, &v);
	const bool midstream = v.midstream || v.transport != IPPROTO_TCP;
	t->session = session_open(t->all->transfers, t, midstream, time);
	if (t->session == NULL)
		return;
	flow_table_charge(t->all->flows, SESSION_COST);
	if (v.transport == IPPROTO_TCP || !converses)
		track_call(t);
	if (converses)
		t->conversation = conversation_open(t->all->conversations, t->session, midstream);
	else
		session_unreadable(t->session, "unknown protocol");
	if (t->conversation != NULL)
		flow_table_charge(t->all->flows, CONVERSATION_COST);
}

/*
 * What DNS called the destination before the first bytes, asked once; of a flow seen without its beginning that may be
 * the other end.
 */
static void
track_call(struct track *t)
{
	struct names *names = t->all->names;
	struct flow_view v;
	size_t len;
	bool own;
	if (t->called)
		return;
	t->called = true;
	if (names == NULL)
		return;
	flow_look(t->flow, &v);
	const struct addr *source = v.addr[SIDE_SOURCE], *destination = v.addr[SIDE_DESTINATION];
	const char *name = names_find(names, source, destination, session_now(t->session), &len, &own);
	if (name != NULL) {
		session_called(t->session, SIDE_DESTINATION, name, len, !own);
		return;
	}
	if (!v.midstream && v.transport == IPPROTO_TCP)
		return;
	name = names_find(names, destination, source, session_now(t->session), &len, &own);
	if (name != NULL && own)
		session_called(t->session, SIDE_SOURCE, name, len, false);
}

/* The conversation wants no more bytes: from here on the flow is only counted. */
static void
track_done(struct track *t)
{
	const unsigned protocol = conversation_protocol(t->conversation);
	t->done = true;
	track_close_conversation(t, false);
	if (t->stream == NULL) {
		track_label(t, protocol);
		return;
	}
	stream_ignore(t->stream, SIDE_SOURCE);
	stream_ignore(t->stream, SIDE_DESTINATION);
}

/*
 * A conversation of datagrams is over, and only its protocol is left to tell: the flow remembers that itself, and may hold
 * another one.
 */
static void
track_label(struct track *t, unsigned protocol)
{
	const char *name = session_plain(t->session);
	if (name == NULL || name != proto_name(protocol))
		return;
	flow_set_label(t->flow, protocol << 1 | session_turned(t->session));
	session_close(t->session, false, session_now(t->session));
	flow_table_charge(t->all->flows, -SESSION_COST);
	t->session = NULL;
	t->done = false;
}

static void
track_close_conversation(struct track *t, bool reset)
{
	if (t->conversation == NULL)
		return;
	conversation_close(t->conversation, reset);
	t->conversation = NULL;
	flow_table_charge(t->all->flows, -CONVERSATION_COST);
}

static void
track_close_stream(struct track *t, int64_t time)
{
	if (t->stream == NULL)
		return;
	stream_close(t->stream, time);
	t->stream = NULL;
	flow_table_charge(t->all->flows, -STREAM_COST);
}

/* Shows a flow with a listed end to the rules. */
static void
track_watch(struct track *t, bool ended)
{
	struct flow_record r;
	describe_turned(t, &r);
	t->all->news->watched(t->all->news_ctx, &r, ended);
	t->settled = policy_flow_settled(&r);
}

/* The flow's own event. */
static void
track_tell(struct track *t)
{
	struct flow_record r;
	describe_turned(t, &r);
	t->all->news->flow(t->all->news_ctx, &r);
}

/* As it is told: the source is who asked, where only the protocol knows that. */
static void
describe_turned(struct track *t, struct flow_record *out)
{
	const uint32_t label = flow_label(t->flow);
	track_describe(t, out);
	if (t->session != NULL)
		out->facts = session_facts(t->session);
	/* A later conversation may have come to nothing. */
	if (label != 0 && out->facts->protocol == NULL) {
		t->all->plain = *out->facts;
		t->all->plain.protocol = proto_name(label >> 1);
		t->all->plain.method = SESSION_BY_CONTENT;
		out->facts = &t->all->plain;
	}
	if (t->session != NULL ? session_turned(t->session) : label & 1)
		flow_record_turn(out);
}

void
track_describe(struct track *t, struct flow_record *out)
{
	flow_describe(t->flow, out);
	if (t->unseen == NULL)
		return;
	for (int i = 0; i < 2; i++)
		out->side[i].missing = t->unseen->missing[i];
	out->outer = t->unseen->outer;
}

static void
count_unread(struct tracks *all, const struct flow *f, const struct track *t)
{
	uint64_t payload = flow_volume(f);
	uint64_t tunnelled = t != NULL ? track_inside(t) : 0;
	const bool read = t != NULL && t->session != NULL ? session_is_read(t->session) : flow_label(f) != 0;
	if (payload <= tunnelled || read)
		return;
	all->unread[UNREAD_FLOWS].count++;
	all->unread[UNREAD_BYTES].count += payload - tunnelled;
}
