#include "config.h"

#include "pipeline.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/slab.h"
#include "batch.h"
#include "decode/decode.h"
#include "flow/flow.h"
#include "policy/policy.h"
#include "proto/proto.h"
#include "stream/stream.h"
#include "transfer/transfer.h"

/* What the later stages keep with a flow. */
struct track {
	struct pipeline *pipeline;
	struct flow *flow;
	struct stream *stream;             /* NULL: no bytes are wanted any more */
	struct session *session;           /* NULL: nothing has been said yet */
	struct conversation *conversation;
	uint64_t missing[2];               /* stream bytes that were never seen, each way */
	uint64_t tunnelled[2];             /* payload that came out of it as packets of other flows, each way */
	uint64_t next_volume;              /* payload at which the session is told again */
	bool listed;                       /* an end is on a list (at some time) */
	bool settled;                      /* policy needs no more looks */
	bool done;                         /* the conversation wants nothing more */
	bool reset;
};

/* What passes through but is not looked into. */
enum { UNREAD_FLOWS, UNREAD_BYTES, UNREAD_COUNT };

enum { ROW = 32, CACHE_LINE = 64 }; /* packets whose memory is fetched at once: what they touch fits the first cache */

struct pipeline {
	struct attribution *attribution;
	struct output *output;
	struct decoder *decoder;
	struct {
		struct batch *batch;       /* being filled */
		const struct frame *frame; /* being decoded */
	} decoding;
	struct batch *batch;     /* for frames that are decoded and followed in one call */
	struct flow_table *flows;
	struct slab tracks;
	struct stream_pool *streams;
	struct transfer_tracker *transfers;
	struct policy *policy;
	uint64_t infer_bytes;
	int64_t next_tick;       /* packet time of the next look at what waits */
	struct {
		struct flow *flow; /* of the frame's last packet, which may carry the next one; or NULL */
		uint64_t frame;
		enum side from;
		uint8_t depth;
		uint32_t left;       /* of its payload, not yet known to be a packet */
	} outer;
	struct coverage coverage;
	struct coverage_counter unread[UNREAD_COUNT];
	bool any_alert;
	enum severity worst;
};

/* Every stage hands on to the next through one of these, in this order. */
static void on_packet(void *ctx, const struct packet *packet);
static void prefetch(const struct pipeline *p, const struct flow_lookup *lookups, size_t count);
static void follow(struct pipeline *p, const struct packet *packet, const struct flow_lookup *lookup);
static void on_flow_begin(void *ctx, struct flow *f);
static void on_flow_talk(void *ctx, struct flow *f, unsigned seen, const uint32_t isn[2]);
static void on_flow_end(void *ctx, struct flow *f);
static void on_bytes(void *ctx, enum side from, const uint8_t *bytes, size_t len, int64_t time);
static void on_gap(void *ctx, enum side from, uint64_t len, int64_t time);
static void on_stream_end(void *ctx, enum side from, bool reset, int64_t time);
static bool on_ask_watched(void *ctx, void *flow);
static void on_describe(void *ctx, void *flow, struct flow_record *out);
static void on_transfer_under_way(void *ctx, const struct transfer_record *r);
static void on_transfer_ended(void *ctx, const struct transfer_record *r);
static void on_alert(void *ctx, const struct alert *a);

static struct track *track_of(struct pipeline *p, struct flow *f);
static struct track *track_wanted(struct pipeline *p, struct flow *f, const struct packet *packet);
static void track_volume(struct track *t, int64_t now);
static void track_open_session(struct track *t, int64_t time);
static void track_done(struct track *t);
static void track_close_conversation(struct track *t, bool reset);
static void track_close_stream(struct track *t, int64_t time);
static void track_watch(struct track *t, bool ended);
static void track_tell(struct track *t);
static void describe(struct track *t, struct flow_record *out);
static void describe_turned(struct track *t, struct flow_record *out);
static void count_unread(struct pipeline *p, const struct flow *f, const struct track *t); /* t or NULL */
static void look_inside(struct pipeline *p, const struct packet *packet);
static void tick(struct pipeline *p, int64_t now);
static void tell_coverage(struct pipeline *p, const struct coverage_counter *more, size_t more_count);

enum { INFER_BYTES_DEFAULT = 64 * 1024, COUNTERS_MAX = 128, TUNNEL_HEADERS = 128, TRACK_COST = sizeof(struct track) };

struct pipeline *
pipeline_create(const struct conf *conf, struct attribution *attribution, struct output *output)
{
	static const struct flow_ops flow_ops = {.begin = on_flow_begin, .talk = on_flow_talk, .end = on_flow_end};
	static const struct stream_ops stream_ops = {on_bytes, on_gap, on_stream_end};
	static const struct transfer_ops transfer_ops = {
	        .began = on_transfer_under_way, .grew = on_transfer_under_way, .ended = on_transfer_ended,
	        .watched = on_ask_watched, .flow = on_describe};
	static const struct policy_ops policy_ops = {on_alert};

	struct pipeline *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->attribution = attribution;
	p->output = output;
	p->infer_bytes = conf->transfer.infer_bytes != 0 ? conf->transfer.infer_bytes : INFER_BYTES_DEFAULT;
	p->next_tick = INT64_MIN;
	slab_init(&p->tracks, sizeof(struct track));
	p->unread[UNREAD_FLOWS] = (struct coverage_counter){"flows_unread",
	        "flows whose content was not read: encrypted, or of a protocol that is not read", 0};
	p->unread[UNREAD_BYTES] = (struct coverage_counter){"flows_unread_bytes", "bytes of payload in flows whose content was not read", 0};
	p->coverage.start = INT64_MAX;
	p->coverage.end = INT64_MIN;
	p->decoder = decoder_create(&conf->decode, on_packet, p);
	p->flows = flow_table_create(&conf->flow, &flow_ops, p);
	p->streams = stream_pool_create(&conf->stream, &stream_ops);
	p->transfers = transfer_tracker_create(&conf->transfer, &transfer_ops, p);
	p->policy = policy_create(&conf->policy, &policy_ops, p);
	p->batch = batch_create();
	if (p->batch == NULL || p->decoder == NULL || p->flows == NULL || p->streams == NULL || p->transfers == NULL ||
	        p->policy == NULL) {
		pipeline_destroy(p);
		return NULL;
	}
	return p;
}

void
pipeline_destroy(struct pipeline *p)
{
	if (p == NULL)
		return;
	flow_table_destroy(p->flows);
	transfer_tracker_destroy(p->transfers);
	stream_pool_destroy(p->streams);
	policy_destroy(p->policy);
	decoder_destroy(p->decoder);
	batch_destroy(p->batch);
	slab_clear(&p->tracks);
	free(p);
}

void
pipeline_frames(struct pipeline *p, const struct frame *frames, size_t count)
{
	pipeline_decode(p, frames, count, p->batch);
	pipeline_follow(p, p->batch);
}

void
pipeline_decode(struct pipeline *p, const struct frame *frames, size_t count, struct batch *out)
{
	batch_reset(out);
	p->decoding.batch = out;
	for (size_t i = 0; i < count; i++) {
		p->decoding.frame = &frames[i];
		batch_frame(out, &frames[i]);
		decoder_frame(p->decoder, &frames[i]);
	}
}

void
pipeline_follow(struct pipeline *p, const struct batch *b)
{
	if (b->frames == 0)
		return;
	p->coverage.packets += b->frames;
	p->coverage.bytes += b->bytes;
	if (b->start < p->coverage.start)
		p->coverage.start = b->start;
	if (b->end > p->coverage.end)
		p->coverage.end = b->end;
	p->coverage.dropped += b->lost;
	for (size_t at = 0; at < b->count; at += ROW) {
		const size_t n = b->count - at < ROW ? b->count - at : ROW;
		prefetch(p, b->lookups + at, n);
		for (size_t i = at; i < at + n; i++)
			follow(p, &b->packets[i], &b->lookups[i]);
	}
}

void
pipeline_finish(struct pipeline *p, const char *const *notes, size_t note_count,
        const struct coverage_counter *more, size_t more_count)
{
	flow_table_flush(p->flows);
	transfer_tracker_flush(p->transfers, p->coverage.end);
	policy_flush(p->policy);
	p->coverage.flows = flow_table_total(p->flows);
	p->coverage.notes = notes;
	p->coverage.note_count = note_count;
	if (p->coverage.packets == 0)
		p->coverage.start = p->coverage.end = 0;
	tell_coverage(p, more, more_count);
}

bool
pipeline_worst(const struct pipeline *p, enum severity *out)
{
	*out = p->worst;
	return p->any_alert;
}

/*
 * What the packets will touch: their flows, then what hangs on those. Each step asks for the memory of all of
 * them before the next one needs it.
 */
static void
prefetch(const struct pipeline *p, const struct flow_lookup *lookups, size_t count)
{
	const void *tracks[ROW];
	flow_table_prefetch(p->flows, lookups, count, tracks);
	for (size_t i = 0; i < count; i++) {
		const struct track *t = tracks[i];
		if (t == NULL)
			continue;
		__builtin_prefetch(t->stream, 1);
		__builtin_prefetch((const char *)t->stream + CACHE_LINE, 1);
		__builtin_prefetch(t->session, 1);
		__builtin_prefetch(t->conversation);
	}
}

static void
on_packet(void *ctx, const struct packet *packet)
{
	struct pipeline *p = ctx;
	batch_packet(p->decoding.batch, p->flows, p->decoding.frame, packet);
}

static void
follow(struct pipeline *p, const struct packet *packet, const struct flow_lookup *lookup)
{
	enum side from;
	if (packet->time >= p->next_tick)
		tick(p, packet->time);
	if (packet->depth > 0)
		look_inside(p, packet);
	struct flow *f = flow_table_packet(p->flows, packet, lookup, &from);
	p->outer.flow = f;
	if (f == NULL)
		return;
	p->outer.frame = packet->frame;
	p->outer.from = from;
	p->outer.depth = packet->depth;
	p->outer.left = packet->payload_len;
	struct track *t = track_wanted(p, f, packet);
	if (t == NULL)
		return;
	if (t->stream != NULL) {
		stream_segment(t->stream, from, packet);
		if (t->done)
			track_close_stream(t, packet->time);
	}
	track_volume(t, packet->time);
	if (t->listed && !t->settled)
		track_watch(t, false);
}

static void
on_flow_begin(void *ctx, struct flow *f)
{
	struct pipeline *p = ctx;
	struct flow_view v;
	flow_look(f, &v);
	if (!attribution_listed(p->attribution, v.addr[0]) && !attribution_listed(p->attribution, v.addr[1]))
		return;
	flow_protect(f);
	struct track *t = track_of(p, f);
	if (t != NULL)
		t->listed = true;
}

/* A connection that says something is worth a stream; until then the flow alone knows it. */
static void
on_flow_talk(void *ctx, struct flow *f, unsigned seen, const uint32_t isn[2])
{
	struct pipeline *p = ctx;
	struct track *t = track_of(p, f);
	if (t == NULL)
		return;
	t->stream = stream_open(p->streams, t);
	if (t->stream == NULL)
		return;
	flow_table_charge(p->flows, STREAM_COST);
	if (seen > 0)
		stream_handshake(t->stream, isn, seen);
}

static void
on_flow_end(void *ctx, struct flow *f)
{
	struct pipeline *p = ctx;
	struct track *t = flow_attachment(f);
	if (p->outer.flow == f)
		p->outer.flow = NULL;
	if (t == NULL) {
		count_unread(p, f, NULL);
		if (output_wants_flows(p->output))
			track_tell(&(struct track){.pipeline = p, .flow = f});
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
	count_unread(p, f, t);
	if (output_wants_flows(p->output))
		track_tell(t);
	if (t->listed)
		track_watch(t, true);
	if (t->session != NULL) {
		session_close(t->session, t->reset, v.end);
		flow_table_charge(p->flows, -SESSION_COST);
	}
	flow_attach(f, NULL);
	flow_table_charge(p->flows, -TRACK_COST);
	slab_give(&p->tracks, t);
}

static void
on_bytes(void *ctx, enum side from, const uint8_t *bytes, size_t len, int64_t time)
{
	struct track *t = ctx;
	if (t->done)
		return;
	track_open_session(t, time);
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
	t->missing[from] += len;
	if (t->done)
		return;
	track_open_session(t, time);
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
	if (!reset && transfer_tracker_expects(t->pipeline->transfers))
		track_open_session(t, time);
	if (t->conversation == NULL)
		return;
	session_time(t->session, time);
	if (conversation_end(t->conversation, from, reset) == VERDICT_DONE)
		track_done(t);
}

/* The rules look at a transfer under way only where an end is listed. */
static bool
on_ask_watched(void *ctx, void *flow)
{
	const struct track *t = flow;
	(void)ctx;
	return t->listed;
}

static void
on_describe(void *ctx, void *flow, struct flow_record *out)
{
	(void)ctx;
	describe(flow, out);
}

static void
on_transfer_under_way(void *ctx, const struct transfer_record *r)
{
	struct pipeline *p = ctx;
	policy_transfer(p->policy, r, false);
}

static void
on_transfer_ended(void *ctx, const struct transfer_record *r)
{
	struct pipeline *p = ctx;
	p->coverage.transfers++;
	output_transfer(p->output, r);
	policy_transfer(p->policy, r, true);
}

static void
on_alert(void *ctx, const struct alert *a)
{
	struct pipeline *p = ctx;
	if (a->action == ALERT_OPEN)
		p->coverage.alerts++;
	if (!p->any_alert || a->severity > p->worst)
		p->worst = a->severity;
	p->any_alert = true;
	output_alert(p->output, a);
}

/* The flow's track, made where it has none yet; NULL: out of memory. */
static struct track *
track_of(struct pipeline *p, struct flow *f)
{
	struct track *t = flow_attachment(f);
	if (t != NULL)
		return t;
	t = slab_take(&p->tracks);
	if (t == NULL)
		return NULL;
	*t = (struct track){.pipeline = p, .flow = f, .next_volume = p->infer_bytes};
	flow_attach(f, t);
	flow_table_charge(p->flows, TRACK_COST);
	return t;
}

/* Flows without a stream are only counted, until they have moved enough to be told as a transfer. */
static struct track *
track_wanted(struct pipeline *p, struct flow *f, const struct packet *packet)
{
	struct track *t = flow_attachment(f);
	if (t != NULL || packet->transport == IPPROTO_TCP || flow_volume(f) < p->infer_bytes)
		return t;
	return track_of(p, f);
}

/* Tells the session how much its flow moved: at doubling volumes, or by every packet of a listed flow. */
static void
track_volume(struct track *t, int64_t now)
{
	const uint64_t tunnelled = t->tunnelled[0] + t->tunnelled[1];
	if (!t->listed && flow_volume(t->flow) < t->next_volume + tunnelled)
		return;
	struct flow_view v;
	flow_look(t->flow, &v);
	for (int i = 0; i < 2; i++)
		v.payload[i] -= v.payload[i] < t->tunnelled[i] ? v.payload[i] : t->tunnelled[i];
	const uint64_t volume = v.payload[0] + v.payload[1];
	if (t->session == NULL && volume >= t->pipeline->infer_bytes && v.transport != IPPROTO_TCP)
		track_open_session(t, now);
	if (t->session == NULL)
		return;
	session_time(t->session, now);
	session_volume(t->session, v.payload);
	while (t->next_volume != 0 && t->next_volume <= volume)
		t->next_volume *= 2;
}

/* A session begins with the first bytes, so that a flood of empty flows costs none. */
static void
track_open_session(struct track *t, int64_t time)
{
	if (t->session != NULL)
		return;
	struct flow_view v;
	flow_look(t->flow, &v);
	struct session_ends ends = {.addr = {*v.addr[0], *v.addr[1]}, .port = {v.port[0], v.port[1]},
	        .transport = v.transport, .midstream = v.midstream};
	t->session = session_open(t->pipeline->transfers, t, &ends, time);
	if (t->session == NULL)
		return;
	flow_table_charge(t->pipeline->flows, SESSION_COST);
	if (v.transport == IPPROTO_TCP)
		t->conversation = conversation_open(t->session, v.midstream);
	else
		session_unreadable(t->session, "unknown protocol");
	if (t->conversation != NULL)
		flow_table_charge(t->pipeline->flows, CONVERSATION_COST);
}

/* The conversation wants no more bytes: from here on the flow is only counted. */
static void
track_done(struct track *t)
{
	t->done = true;
	track_close_conversation(t, false);
	stream_ignore(t->stream, SIDE_SOURCE);
	stream_ignore(t->stream, SIDE_DESTINATION);
}

static void
track_close_conversation(struct track *t, bool reset)
{
	if (t->conversation == NULL)
		return;
	conversation_close(t->conversation, reset);
	t->conversation = NULL;
	flow_table_charge(t->pipeline->flows, -CONVERSATION_COST);
}

static void
track_close_stream(struct track *t, int64_t time)
{
	if (t->stream == NULL)
		return;
	stream_close(t->stream, time);
	t->stream = NULL;
	flow_table_charge(t->pipeline->flows, -STREAM_COST);
}

/* Shows a flow with a listed end to the rules. */
static void
track_watch(struct track *t, bool ended)
{
	struct flow_record r;
	describe_turned(t, &r);
	t->settled = policy_flow(t->pipeline->policy, &r, ended);
}

/* The flow's own event. */
static void
track_tell(struct track *t)
{
	struct flow_record r;
	describe_turned(t, &r);
	output_flow(t->pipeline->output, &r);
}

/* As it is told: the source is who asked, where only the protocol knows that. */
static void
describe_turned(struct track *t, struct flow_record *out)
{
	describe(t, out);
	if (t->session == NULL)
		return;
	out->facts = session_facts(t->session);
	if (session_turned(t->session))
		flow_record_turn(out);
}

/* The flow's record with places and listings. */
static void
describe(struct track *t, struct flow_record *out)
{
	struct attribution *a = t->pipeline->attribution;
	flow_describe(t->flow, out);
	struct exchange exchange = {
	        .two_way = out->side[0].packets > 0 && out->side[1].packets > 0,
	        .handshake = out->handshake,
	        .payload = out->side[0].payload + out->side[1].payload > 0 && !flow_record_refused(out),
	};
	if (t->listed)
		exchange.private_link = attribution_private_link(a, &out->side[0].addr, &out->side[1].addr,
		        out->vlan[0]);
	for (int i = 0; i < 2; i++) {
		struct endpoint *e = &out->side[i];
		e->missing = t->missing[i];
		attribution_place(a, &e->addr, &e->place);
		if (t->listed)
			attribution_listing(a, &e->addr, &e->place, out->start, &exchange, &e->listing);
		else
			e->listing = (struct listing){0};
	}
}

static void
count_unread(struct pipeline *p, const struct flow *f, const struct track *t)
{
	uint64_t payload = flow_volume(f);
	uint64_t tunnelled = t != NULL ? t->tunnelled[0] + t->tunnelled[1] : 0;
	if (payload <= tunnelled || (t != NULL && t->session != NULL && session_is_read(t->session)))
		return;
	payload -= tunnelled;
	p->unread[UNREAD_FLOWS].count++;
	p->unread[UNREAD_BYTES].count += payload;
}

/*
 * A packet out of a tunnel: what carried it is no transfer of the tunnel's own, but for what is more than
 * the packet and a tunnel's headers.
 */
static void
look_inside(struct pipeline *p, const struct packet *packet)
{
	if (p->outer.flow == NULL || p->outer.frame != packet->frame || packet->depth <= p->outer.depth)
		return;
	struct track *t = track_of(p, p->outer.flow);
	if (t == NULL)
		return;
	uint32_t part = packet->ip_bytes < p->outer.left ? packet->ip_bytes : p->outer.left;
	part = p->outer.left - part <= TUNNEL_HEADERS ? p->outer.left : part + TUNNEL_HEADERS;
	p->outer.left -= part;
	t->tunnelled[p->outer.from] += part;
}

/* Once a second of packet time: what waits for time to pass. */
static void
tick(struct pipeline *p, int64_t now)
{
	p->next_tick = now + CLOCK_SECOND;
	transfer_tracker_time(p->transfers, now);
	policy_time(p->policy, now);
}

static void
tell_coverage(struct pipeline *p, const struct coverage_counter *more, size_t more_count)
{
	struct coverage_counter all[COUNTERS_MAX];
	size_t n = 0;
	const struct coverage_counter *parts[] = {more, NULL, NULL, NULL, NULL, NULL, p->unread};
	size_t counts[] = {more_count, 0, 0, 0, 0, 0, UNREAD_COUNT};
	parts[1] = decoder_counters(p->decoder, &counts[1]);
	parts[2] = flow_table_counters(p->flows, &counts[2]);
	parts[3] = stream_pool_counters(p->streams, &counts[3]);
	parts[4] = transfer_tracker_counters(p->transfers, &counts[4]);
	parts[5] = policy_counters(p->policy, &counts[5]);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		for (size_t k = 0; k < counts[i] && n < COUNTERS_MAX; k++)
			all[n++] = parts[i][k];
	}
	p->coverage.unread = all;
	p->coverage.unread_count = n;
	output_coverage(p->output, &p->coverage);
	p->coverage.unread = NULL;
}
