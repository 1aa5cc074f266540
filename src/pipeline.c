#include "config.h"

#include "pipeline.h"

#include <stdlib.h>

#include "base/clock.h"
#include "batch.h"
#include "decode/decode.h"
#include "flow/flow.h"
#include "policy/policy.h"
#include "stream/stream.h"
#include "transfer/transfer.h"
#include "track.h"

enum { ROW = 32 }; /* packets whose memory is fetched at once: what they touch fits the first cache */

struct pipeline {
	struct output *output;
	struct decoder *decoder;
	struct {
		struct batch *batch;       /* being filled */
		const struct frame *frame; /* being decoded */
	} decoding;
	struct batch *batch;     /* for frames that are decoded and followed in one call */
	struct flow_table *flows;
	struct tracks tracks;
	struct stream_pool *streams;
	struct transfer_tracker *transfers;
	struct policy *policy;
	int64_t next_tick;       /* packet time of the next look at what waits */
	struct {
		struct flow *flow; /* of the frame's last packet, which may carry the next one; or NULL */
		uint64_t frame;
		enum side from;
		uint8_t depth;
		uint32_t left;       /* of its payload, not yet known to be a packet */
	} outer;
	struct coverage coverage;
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
static bool on_ask_watched(void *ctx, void *flow);
static void on_describe(void *ctx, void *flow, struct flow_record *out);
static void on_transfer_under_way(void *ctx, const struct transfer_record *r);
static void on_transfer_ended(void *ctx, const struct transfer_record *r);
static void on_alert(void *ctx, const struct alert *a);

static void look_inside(struct pipeline *p, const struct packet *packet);
static void tick(struct pipeline *p, int64_t now);
static void tell_coverage(struct pipeline *p, const struct coverage_counter *more, size_t more_count);

enum { INFER_BYTES_DEFAULT = 64 * 1024, COUNTERS_MAX = 128, TUNNEL_HEADERS = 128 };

struct pipeline *
pipeline_create(const struct conf *conf, struct attribution *attribution, struct output *output)
{
	static const struct flow_ops flow_ops = {.begin = on_flow_begin, .talk = on_flow_talk, .end = on_flow_end};
	static const struct transfer_ops transfer_ops = {
	        .began = on_transfer_under_way, .grew = on_transfer_under_way, .ended = on_transfer_ended,
	        .watched = on_ask_watched, .flow = on_describe};
	static const struct policy_ops policy_ops = {on_alert};

	struct pipeline *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->output = output;
	p->next_tick = INT64_MIN;
	p->coverage.start = INT64_MAX;
	p->coverage.end = INT64_MIN;
	p->decoder = decoder_create(&conf->decode, on_packet, p);
	p->flows = flow_table_create(&conf->flow, &flow_ops, p);
	p->streams = stream_pool_create(&conf->stream, &track_stream_ops);
	p->transfers = transfer_tracker_create(&conf->transfer, &transfer_ops, p);
	p->policy = policy_create(&conf->policy, &policy_ops, p);
	p->batch = batch_create();
	if (p->batch == NULL || p->decoder == NULL || p->flows == NULL || p->streams == NULL || p->transfers == NULL ||
	        p->policy == NULL) {
		pipeline_destroy(p);
		return NULL;
	}
	p->tracks = (struct tracks){
	        .attribution = attribution, .flows = p->flows, .streams = p->streams, .transfers = p->transfers,
	        .policy = p->policy, .output = output,
	        .infer_bytes = conf->transfer.infer_bytes != 0 ? conf->transfer.infer_bytes : INFER_BYTES_DEFAULT};
	tracks_init(&p->tracks);
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
	tracks_clear(&p->tracks);
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
	for (size_t i = 0; i < count; i++)
		if (tracks[i] != NULL)
			track_prefetch(tracks[i]);
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
	struct track *t = track_wanted(&p->tracks, f, packet);
	if (t != NULL)
		track_packet(t, from, packet);
}

static void
on_flow_begin(void *ctx, struct flow *f)
{
	struct pipeline *p = ctx;
	track_begin(&p->tracks, f);
}

static void
on_flow_talk(void *ctx, struct flow *f, unsigned seen, const uint32_t isn[2])
{
	struct pipeline *p = ctx;
	track_talk(&p->tracks, f, seen, isn);
}

static void
on_flow_end(void *ctx, struct flow *f)
{
	struct pipeline *p = ctx;
	if (p->outer.flow == f)
		p->outer.flow = NULL;
	track_end(&p->tracks, f);
}

/* The rules look at a transfer under way only where an end is listed. */
static bool
on_ask_watched(void *ctx, void *flow)
{
	(void)ctx;
	return track_listed(flow);
}

static void
on_describe(void *ctx, void *flow, struct flow_record *out)
{
	(void)ctx;
	track_describe(flow, out);
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

/*
 * A packet out of a tunnel: what carried it is no transfer of the tunnel's own, but for what is more than
 * the packet and a tunnel's headers.
 */
static void
look_inside(struct pipeline *p, const struct packet *packet)
{
	if (p->outer.flow == NULL || p->outer.frame != packet->frame || packet->depth <= p->outer.depth)
		return;
	struct track *t = track_of(&p->tracks, p->outer.flow);
	if (t == NULL)
		return;
	uint32_t part = packet->ip_bytes < p->outer.left ? packet->ip_bytes : p->outer.left;
	part = p->outer.left - part <= TUNNEL_HEADERS ? p->outer.left : part + TUNNEL_HEADERS;
	p->outer.left -= part;
	track_tunnelled(t, p->outer.from, part);
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
	const struct coverage_counter *parts[] = {more, NULL, NULL, NULL, NULL, NULL, p->tracks.unread};
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
