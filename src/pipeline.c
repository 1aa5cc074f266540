#include "config.h"

#include "pipeline.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "batch.h"
#include "decode/decode.h"
#include "flow/flow.h"
#include "stream/stream.h"
#include "transfer/transfer.h"
#include "track.h"

enum { APART = 128 }; /* bytes: two cache lines, which are fetched together */
enum { ROW = 32 }; /* packets whose memory is fetched at once: what they touch fits the first cache */

/*
 * Packet time goes on by itself. A packet that is a day ahead of it while the next ones are not is a stray one: it would
 * end every flow and alert. Whether time goes back takes more packets to tell: late ones are common.
 */
#define NO_TICK INT64_MIN /* no packet was seen */
static const int64_t far_ahead = 86400 * CLOCK_SECOND, far_behind = 60 * CLOCK_SECOND;
enum { LOOK_AHEAD = 16, BEHIND_FRAMES = 64 };

/* In the order in which they are. */
enum { SHED_CONTENT, SHED_CLASSES, SHED_PACKETS, SHED_COUNT };
enum { FIRST_BYTES = 8192 }; /* of a flow, both ways, tell what it is: hellos, certificates, a request and its answer's head */

/* The half that may run ahead in a thread of its own: cache lines of its own as well. */
struct decoding {
	struct decoder *decoder;
	struct hash_fixed_key key; /* the flow table's */
	struct batch *batch;       /* being filled */
	const struct frame *frame; /* being decoded */
	atomic_bool asked;         /* for its counters */
};

struct pipeline {
	struct decoding *decoding;
	struct batch *batch;     /* for frames that are decoded and followed in one call */
	struct flow_table *flows;
	struct tracks tracks;
	struct stream_pool *streams;
	struct conversations *conversations;
	struct transfer_tracker *transfers;
	const struct news_ops *news;
	void *news_ctx;
	bool relists;            /* lists have changed: flows from relist_at on are to be asked for again */
	uint64_t relist_at;
	uint64_t shed_seen;      /* flows shed until the last tick */
	int64_t next_tick;       /* packet time of the next look at what waits */
	struct {
		unsigned count;      /* frames in a row that are far behind */
		uint64_t frame;      /* the last of them */
	} behind;
	struct coverage_counter strays;
	bool live;               /* batches come from interfaces */
	struct coverage_counter shed[SHED_COUNT]; /* of those */
	struct hearsay *hearsay; /* NULL: there is no other pipeline */
	unsigned member;
	struct coverage_counter untold; /* names that the others had no room for */
	struct {
		struct flow *flow; /* of the frame's last packet, which carries the one at hand; or NULL */
		uint64_t frame;
		enum side from;
		uint8_t depth;
		uint32_t left;       /* of its payload, not yet known to be a packet */
	} outer;
	struct coverage coverage;
};

/* Every stage hands on to the next through one of these, in this order. */
static int open_decoding(struct pipeline *p, const struct decoder_limits *limits);
static void on_packet(void *ctx, const struct packet *packet);
static void prefetch(const struct pipeline *p, const struct flow_lookup *lookups, size_t count);
static void follow(struct pipeline *p, const struct batch *b, size_t at);
static bool is_shed(struct pipeline *p, unsigned waiting, const struct flow *f, const struct track *t);
static void follow_listed(struct pipeline *p, const struct batch *b);
static void on_flow_begin(void *ctx, struct flow *f);
static void on_flow_talk(void *ctx, struct flow *f, unsigned seen, const uint32_t isn[2]);
static void on_flow_end(void *ctx, struct flow *f);
static bool on_ask_watched(void *ctx, void *flow);
static void on_describe(void *ctx, void *flow, struct flow_record *out);
static void on_resolved(void *ctx, const struct resolution *r);
static void on_heard(void *ctx, const struct resolution *r);
static void on_ask_ends(void *ctx, void *flow, struct session_ends *out);
static void on_held(void *ctx, ptrdiff_t bytes);
static void on_transfer_under_way(void *ctx, const struct transfer_record *r);
static void on_transfer_ended(void *ctx, const struct transfer_record *r);
static void relist_some(struct pipeline *p);
static void on_relist(void *ctx, struct flow *f);
static void look_inside(struct pipeline *p, const struct packet *packet);
static void pass_time(struct pipeline *p, int64_t now);
static void hand_on_counts(struct decoding *d);
static bool is_stray(struct pipeline *p, const struct batch *b, size_t at);
static bool is_behind(struct pipeline *p, const struct packet *packet);
static void tick(struct pipeline *p, int64_t now);
static void give_back(struct pipeline *p);

enum { RELISTED_AT_ONCE = 16384 }; /* places of flows: some milliseconds, which the capture's buffers cover */
enum { INFER_BYTES_DEFAULT = 64 * 1024, TUNNEL_HEADERS = 128 };

struct pipeline *
pipeline_create(const struct conf *conf, const struct attribution *attribution, bool tells_flows,
        const struct news_ops *news, void *news_ctx)
{
	static const struct flow_ops flow_ops = {.begin = on_flow_begin, .talk = on_flow_talk, .end = on_flow_end};
	static const struct transfer_ops transfer_ops = {
	        .began = on_transfer_under_way, .grew = on_transfer_under_way, .ended = on_transfer_ended,
	        .watched = on_ask_watched, .flow = on_describe, .resolved = on_resolved, .ends = on_ask_ends, .held = on_held};

	struct pipeline *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->news = news;
	p->news_ctx = news_ctx;
	p->next_tick = NO_TICK;
	p->strays = (struct coverage_counter){"time_ahead", "packets out of the future: a day ahead of the others", 0};
	p->shed[SHED_CONTENT] = (struct coverage_counter){"shed_content", "packets of flows without a listed end that were not read, in order to catch up", 0};
	p->shed[SHED_CLASSES] = (struct coverage_counter){"shed_classes", "packets that tell what a flow without a listed end is, and were not read, in order to catch up", 0};
	p->shed[SHED_PACKETS] = (struct coverage_counter){"shed_packets", "packets without a listed end that were counted in no flow, in order to catch up", 0};
	p->untold = (struct coverage_counter){"names_untold", "names out of DNS answers that another lane had no room for", 0};
	p->coverage.start = INT64_MAX;
	p->coverage.end = INT64_MIN;
	p->flows = flow_table_create(&conf->flow, &flow_ops, p);
	p->streams = stream_pool_create(&conf->stream, &track_stream_ops);
	p->transfers = transfer_tracker_create(&conf->transfer, &transfer_ops, p);
	p->conversations = conversations_create();
	p->batch = batch_create();
	if (p->batch == NULL || p->conversations == NULL || p->flows == NULL || p->streams == NULL || p->transfers == NULL ||
	        open_decoding(p, &conf->decode) < 0) {
		pipeline_destroy(p);
		return NULL;
	}
	p->tracks = (struct tracks){
	        .attribution = attribution, .flows = p->flows, .streams = p->streams, .transfers = p->transfers,
	        .conversations = p->conversations, .news = news, .news_ctx = news_ctx, .tells_flows = tells_flows,
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
	p->flows = NULL;
	transfer_tracker_destroy(p->transfers);
	stream_pool_destroy(p->streams);
	conversations_destroy(p->conversations);
	if (p->decoding != NULL)
		decoder_destroy(p->decoding->decoder);
	free(p->decoding);
	batch_destroy(p->batch);
	tracks_clear(&p->tracks);
	names_destroy(p->tracks.names);
	free(p);
}

void
pipeline_join(struct pipeline *p, struct hearsay *h, unsigned member)
{
	p->hearsay = h;
	p->member = member;
}

static int
open_decoding(struct pipeline *p, const struct decoder_limits *limits)
{
	p->decoding = aligned_alloc(APART, (sizeof *p->decoding + APART - 1) / APART * APART);
	if (p->decoding == NULL)
		return -1;
	*p->decoding = (struct decoding){.key = *flow_table_key(p->flows)};
	p->decoding->decoder = decoder_create(limits, on_packet, p->decoding);
	return p->decoding->decoder != NULL ? 0 : -1;
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
	struct decoding *d = p->decoding;
	batch_reset(out);
	d->batch = out;
	for (size_t i = 0; i < count; i++) {
		d->frame = &frames[i];
		batch_frame(out, &frames[i]);
		decoder_frame(d->decoder, &frames[i]);
	}
	const uint64_t *duplicates = decoder_duplicates(d->decoder);
	if (duplicates != NULL)
		memcpy(out->duplicates, duplicates, sizeof out->duplicates);
	if (atomic_load_explicit(&d->asked, memory_order_relaxed))
		hand_on_counts(d);
}

static void
hand_on_counts(struct decoding *d)
{
	size_t count;
	const struct coverage_counter *counts = decoder_counters(d->decoder, &count);
	d->asked = false;
	d->batch->counts = arena_copy(&d->batch->arena, counts, count * sizeof *counts);
	d->batch->count_count = d->batch->counts != NULL ? count : 0;
}

void
pipeline_ask(struct pipeline *p)
{
	p->decoding->asked = true;
}

void
pipeline_follow(struct pipeline *p, const struct batch *b)
{
	if (p->relists)
		relist_some(p);
	if (p->hearsay != NULL)
		hearsay_hear(p->hearsay, p->member, on_heard, p);
	p->live = p->live || b->now != 0;
	if (b->frames == 0) {
		if (b->idle >= p->next_tick || (b->idle != 0 && p->next_tick - b->idle > far_behind))
			pass_time(p, b->idle); /* the wall clock says so, also where it was set back */
		return;
	}
	p->coverage.packets += b->frames;
	p->coverage.bytes += b->bytes;
	if (b->start < p->coverage.start)
		p->coverage.start = b->start;
	if (b->end > p->coverage.end) /* no later than now, whatever a frame says */
		p->coverage.end = b->now != 0 && b->end - b->now > far_behind ? b->now : b->end;
	p->coverage.dropped += b->lost;
	p->coverage.duplicates = 0;
	for (size_t i = 0; i < DUPLICATE_KINDS; i++)
		p->coverage.duplicates += p->coverage.duplicate_kinds[i] = b->duplicates[i];
	if (b->waiting >= PIPELINE_SHED_FLOWS) {
		follow_listed(p, b);
		return;
	}
	for (size_t at = 0; at < b->count; at += ROW) {
		const size_t n = b->count - at < ROW ? b->count - at : ROW;
		prefetch(p, b->lookups + at, n);
		for (size_t i = at; i < at + n; i++)
			follow(p, b, i);
	}
}

/* Packets with a listed end, and no others. */
static void
follow_listed(struct pipeline *p, const struct batch *b)
{
	const struct attribution *a = p->tracks.attribution;
	for (size_t i = 0; i < b->count; i++)
		if (attribution_listed(a, &b->packets[i].src) || attribution_listed(a, &b->packets[i].dst))
			follow(p, b, i);
		else
			p->shed[SHED_PACKETS].count++;
}

void
pipeline_attribution(struct pipeline *p, struct attribution *a)
{
	p->tracks.attribution = a;
	p->relists = true;
	p->relist_at = 0;
	p->news->attribution(p->news_ctx, a);
}

/* A newly listed address raises its alert in flows that are open, too. */
static void
relist_some(struct pipeline *p)
{
	p->relists = flow_table_each(p->flows, &p->relist_at, RELISTED_AT_ONCE, on_relist, p);
	if (!p->relists)
		transfer_tracker_watch(p->transfers);
}

static void
on_relist(void *ctx, struct flow *f)
{
	struct pipeline *p = ctx;
	track_relist(&p->tracks, f);
}

void
pipeline_flush(struct pipeline *p)
{
	flow_table_flush(p->flows);
	transfer_tracker_flush(p->transfers, p->coverage.end);
}

void
pipeline_count(const struct pipeline *p, struct pipeline_counts *out)
{
	*out = (struct pipeline_counts){.flows_open = flow_table_count(p->flows), .flows = flow_table_total(p->flows)};
}

size_t
pipeline_coverage(struct pipeline *p, const struct batch *b, struct coverage *out, struct coverage_counter *counters,
        size_t room)
{
	const struct coverage_counter *parts[8];
	size_t counts[8] = {[4] = UNREAD_COUNT, [5] = 1, [6] = p->live ? SHED_COUNT : 0, [7] = p->hearsay != NULL ? 1 : 0}, n = 0;
	*out = p->coverage;
	if (out->start > out->end)
		out->start = out->end = 0;
	p->coverage.start = INT64_MAX;
	p->coverage.end = INT64_MIN;
	out->flows = flow_table_total(p->flows);
	parts[0] = b != NULL ? b->counts : decoder_counters(p->decoding->decoder, &counts[0]);
	if (b != NULL)
		counts[0] = b->count_count;
	parts[1] = flow_table_counters(p->flows, &counts[1]);
	parts[2] = stream_pool_counters(p->streams, &counts[2]);
	parts[3] = transfer_tracker_counters(p->transfers, &counts[3]);
	parts[4] = p->tracks.unread;
	parts[5] = &p->strays;
	parts[6] = p->shed;
	parts[7] = &p->untold;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		for (size_t k = 0; k < counts[i] && n < room; k++)
			counters[n++] = parts[i][k];
	return n;
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
	struct decoding *d = ctx;
	batch_packet(d->batch, &d->key, d->frame, packet);
}

static void
follow(struct pipeline *p, const struct batch *b, size_t at)
{
	const struct packet *packet = &b->packets[at];
	enum side from;
	bool stray = false;
	if (packet->time >= p->next_tick) {
		stray = is_stray(p, b, at);
		if (!stray)
			tick(p, packet->time);
	} else if (p->next_tick - packet->time > far_behind && is_behind(p, packet)) {
		tick(p, packet->time);
	}
	if (packet->depth == 0)
		p->outer.flow = NULL;
	else
		look_inside(p, packet);
	if (stray)
		flow_table_hold(p->flows, true);
	struct flow *f = flow_table_packet(p->flows, packet, &b->lookups[at], &from);
	if (stray)
		flow_table_hold(p->flows, false);
	p->outer.flow = f;
	if (f == NULL)
		return;
	p->outer.frame = packet->frame;
	p->outer.from = from;
	p->outer.depth = packet->depth;
	p->outer.left = packet->payload_len;
	struct track *t = track_wanted(&p->tracks, f, from, packet);
	if (t != NULL && (b->waiting < PIPELINE_SHED_CONTENT || !is_shed(p, b->waiting, f, t)))
		track_packet(t, from, packet);
}

/* More waits than can be followed: what is said in this packet is not read? */
static bool
is_shed(struct pipeline *p, unsigned waiting, const struct flow *f, const struct track *t)
{
	const bool first = flow_volume(f) <= FIRST_BYTES;
	if (track_listed(t) || (first && waiting < PIPELINE_SHED_CLASSES))
		return false;
	p->shed[first ? SHED_CLASSES : SHED_CONTENT].count++;
	return true;
}

static void
on_flow_begin(void *ctx, struct flow *f)
{
	struct pipeline *p = ctx;
	track_begin(&p->tracks, f);
	if (p->outer.flow != NULL)
		track_carried(&p->tracks, f, p->outer.flow, p->outer.from);
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

/* Names are wanted where flows begin, by the time of their first bytes: they stay in this half. */
static void
on_resolved(void *ctx, const struct resolution *r)
{
	struct pipeline *p = ctx;
	if (p->hearsay != NULL)
		p->untold.count += hearsay_tell(p->hearsay, p->member, r);
	on_heard(ctx, r);
}

static void
on_heard(void *ctx, const struct resolution *r)
{
	struct pipeline *p = ctx;
	if (p->tracks.names == NULL)
		p->tracks.names = names_create();
	if (p->tracks.names != NULL)
		names_add(p->tracks.names, r);
}

static void
on_ask_ends(void *ctx, void *flow, struct session_ends *out)
{
	(void)ctx;
	track_ends(flow, out);
}

/* Flows are shed for the files in them as well. */
static void
on_held(void *ctx, ptrdiff_t bytes)
{
	struct pipeline *p = ctx;
	if (p->flows != NULL)
		flow_table_charge(p->flows, bytes);
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
	p->news->transfer(p->news_ctx, r, false);
}

static void
on_transfer_ended(void *ctx, const struct transfer_record *r)
{
	struct pipeline *p = ctx;
	p->news->transfer(p->news_ctx, r, true);
}

/*
 * A packet out of a tunnel: what carried it is no transfer of the tunnel's own, but for what is more than
 * the packet and a tunnel's headers.
 */
static void
look_inside(struct pipeline *p, const struct packet *packet)
{
	if (p->outer.frame != packet->frame || packet->depth <= p->outer.depth)
		p->outer.flow = NULL;
	if (p->outer.flow == NULL)
		return;
	struct track *t = track_of(&p->tracks, p->outer.flow);
	if (t == NULL)
		return;
	uint32_t part = packet->ip_bytes < p->outer.left ? packet->ip_bytes : p->outer.left;
	part = p->outer.left - part <= TUNNEL_HEADERS ? p->outer.left : part + TUNNEL_HEADERS;
	p->outer.left -= part;
	track_tunnelled(t, p->outer.from, part);
}

/* No packet came for a while. */
static void
pass_time(struct pipeline *p, int64_t now)
{
	flow_table_time(p->flows, now);
	tick(p, now);
}

/* A packet that is not before the next tick: is it out of the future? Interfaces have the wall clock to tell. */
static bool
is_stray(struct pipeline *p, const struct batch *b, size_t at)
{
	const int64_t time = b->packets[at].time;
	if (p->next_tick == NO_TICK && b->now == 0)
		return false;
	if (p->next_tick != NO_TICK && (uint64_t)time - (uint64_t)p->next_tick < (uint64_t)far_ahead)
		return false;
	bool stray = b->now != 0 && time > b->now && time - b->now > far_ahead;
	for (size_t i = at + 1; b->now == 0 && !stray && i < b->count && i <= at + LOOK_AHEAD; i++)
		stray = b->packets[i].time < p->next_tick ||
		        (uint64_t)b->packets[i].time - (uint64_t)p->next_tick < (uint64_t)far_ahead;
	p->strays.count += stray;
	return stray;
}

/* Far behind, and for good? */
static bool
is_behind(struct pipeline *p, const struct packet *packet)
{
	if (packet->frame != p->behind.frame && packet->frame != p->behind.frame + 1)
		p->behind.count = 0;
	p->behind.count += packet->frame != p->behind.frame || p->behind.count == 0;
	p->behind.frame = packet->frame;
	if (p->behind.count < BEHIND_FRAMES)
		return false;
	p->behind.count = 0;
	return true;
}

/* Once a second of packet time: what waits for time to pass. */
static void
tick(struct pipeline *p, int64_t now)
{
	give_back(p);
	p->next_tick = now + CLOCK_SECOND;
	transfer_tracker_time(p->transfers, now);
	p->news->time(p->news_ctx, now);
}

/*
 * Flows were shed: what hung on them lies free in the C library's heap, in pieces that fit the next flood's kinds of things
 * badly. Whole pages of it go back to the system.
 */
static void
give_back(struct pipeline *p)
{
	const uint64_t shed = flow_table_shed(p->flows);
	if (shed == p->shed_seen)
		return;
	p->shed_seen = shed;
	(void)malloc_trim(0);
}
