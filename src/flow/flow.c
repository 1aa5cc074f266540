#include "config.h"

/* The path of a packet through the flow table, and the ways in which a flow begins and ends. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flow/internal.h"

enum {
	FLOW_COST = sizeof(struct flow) + sizeof(struct flow_cold) + 11, /* 11: in the index */
	VICTIMS = 64, /* of one packet */
	BEHIND_PACKETS = 64, /* in a row: then it was no stray packet, time went back */
};
static const int64_t behind_time = 60 * CLOCK_SECOND;
static const int64_t leap_least = 86400 * CLOCK_SECOND;
static const int64_t leap_most = INT64_C(1) << (FLOW_TICK_SHIFT + 30);

static const struct coverage_counter counters[FLOW_COUNTERS] = {
	[COUNT_FLOW_SHED] = {"flow_shed", "flows ended early to stay within the memory limit", 0},
	[COUNT_FLOW_SHED_LISTED] = {"flow_shed_listed",
	        "flows with a listed end ended early, and told: nothing else was left to stay within the memory limit", 0},
	[COUNT_FLOW_FULL] = {"flow_full", "packets without a flow: the table was full", 0},
	[COUNT_FLOW_FRAGMENT] = {"flow_fragment",
	        "fragments that belong to no flow: the rest of the packet is missing", 0},
	[COUNT_FLOW_TIME_BACK] = {"flow_time_back", "times that packet time went back for good", 0},
};

static void clock_set(struct flow_table *t, int64_t time);
static void clock_leap(struct flow_table *t, int64_t now);
static void expire(struct flow_table *t);
static bool key_make(struct flow_key *key, const struct packet *p);
static void tell_talk(struct flow_table *t, struct flow *f);
static bool is_full(const struct flow_table *t, size_t more);
static bool shed(struct flow_table *t, size_t more);
static enum side side_of(const struct flow *f, bool swapped);
static struct flow *flow_new(struct flow_table *t, const struct flow_key *key, uint64_t hash);
static struct flow *flow_begin(struct flow_table *t, const struct flow_lookup *lookup, const struct packet *p);
static void flow_count(struct flow *f, enum side from, const struct packet *p);
static enum flow_end end_reason(const struct flow *f, enum flow_end otherwise);
static void flow_finish(struct flow_table *t, struct flow *f, enum flow_end reason);
static int compare_begin(const void *a, const void *b);

struct flow_table *
flow_table_create(const struct flow_limits *limits, const struct flow_ops *ops, void *ctx)
{
	struct flow_table *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->ops = *ops;
	t->ctx = ctx;
	t->hash_key = hash_fixed_key_random();
	t->memory = limits->memory > 0 ? limits->memory : FLOW_MEMORY_DEFAULT;
	if (t->memory < FLOW_COST)
		t->memory = FLOW_COST;
	flow_lists_init(t, limits);
	memcpy(t->counters, counters, sizeof t->counters);
	t->slabs = calloc(SLAB_MAX, sizeof(struct flow_slab *));
	t->community_id = community_id_create();
	if (t->slabs == NULL || t->community_id == NULL || flow_index_init(&t->index) != 0) {
		flow_table_destroy(t);
		return NULL;
	}
	return t;
}

void
flow_table_destroy(struct flow_table *t)
{
	if (t == NULL)
		return;
	flow_table_flush(t);
	flow_slab_clear(t);
	flow_index_clear(&t->index);
	community_id_destroy(t->community_id);
	free(t);
}

/*
 * The clock that flows age by never goes back, or the lists would lose their order: packets
 * that come late belong to now. Where time stays back (an earlier file follows a later one), the
 * clock goes on from where it was.
 */
static void
clock_set(struct flow_table *t, int64_t time)
{
	if (t->held)
		return;
	if (!t->started) {
		t->started = true;
		t->clock = time;
		t->deadline = flow_lists_tick(t);
	}
	int64_t now;
	if (__builtin_add_overflow(time, t->offset, &now))
		return;
	if (now >= t->clock) {
		t->behind = 0;
		if ((uint64_t)now - (uint64_t)t->clock < (uint64_t)leap_least)
			t->clock = now;
		else
			clock_leap(t, now);
	} else if (t->clock - now < behind_time) {
		t->behind = 0;
	} else if (++t->behind == BEHIND_PACKETS) {
		t->offset += t->clock - now;
		t->behind = 0;
		t->counters[COUNT_FLOW_TIME_BACK].count++;
	}
}

/* Ticks are compared modulo 2^32: a leap is made so long that everything is due, and the rest of it forgotten. */
static void
clock_leap(struct flow_table *t, int64_t now)
{
	const uint64_t leap = (uint64_t)now - (uint64_t)t->clock;
	const int64_t taken = leap < (uint64_t)leap_most ? (int64_t)leap : leap_most;
	if (leap > INT64_MAX || __builtin_sub_overflow(t->offset, (int64_t)leap - taken, &t->offset))
		return; /* no clock goes so far */
	t->clock += taken;
}

static void
expire(struct flow_table *t)
{
	struct flow *f;
	while ((f = flow_lists_due(t)) != NULL)
		flow_finish(t, f, end_reason(f, FLOW_END_TIMEOUT));
}

/*
 * Fills key in an order that both directions share; true when p goes from its end 1 to its end 0.
 * ICMP messages that answer each other are two ends of one flow; the others are told apart by
 * type and code, and each direction is a flow of its own.
 */
static bool
key_make(struct flow_key *key, const struct packet *p)
{
	enum { ONE_WAY = 0x8000 }; /* no type is as large */
	uint16_t from = 0, to = 0;
	switch (p->transport) {
	case IPPROTO_TCP: case IPPROTO_UDP: case IPPROTO_UDPLITE: case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		from = p->src_port;
		to = p->dst_port;
		break;
	case IPPROTO_ICMP: case IPPROTO_ICMPV6: {
		const int answer = community_id_icmp_answer(p->transport, p->src_port);
		from = p->src_port;
		to = answer >= 0 ? (uint16_t)answer : (uint16_t)(ONE_WAY | p->dst_port);
		break;
	}
	default:
		break;
	}
	int order = addr_compare(&p->src, &p->dst);
	if (order == 0)
		order = (from > to) - (from < to);
	const bool swapped = order > 0;
	*key = (struct flow_key){
		.addr = {swapped ? p->dst : p->src, swapped ? p->src : p->dst},
		.port = {swapped ? to : from, swapped ? from : to},
		.transport = p->transport,
		.ip_version = p->ip_version,
	};
	return swapped;
}

/* Who sent a packet that key_make called swapped. */
static enum side
side_of(const struct flow *f, bool swapped)
{
	const bool source_high = f->flags & FLOW_SOURCE_HIGH;
	return swapped == source_high ? SIDE_SOURCE : SIDE_DESTINATION;
}

/* Is there no room for so many more flows? */
static bool
is_full(const struct flow_table *t, size_t more)
{
	return (t->count + more) * FLOW_COST + t->charged > t->memory;
}

/*
 * Makes room for so many flows. One that comes may be worth many that go, where what hangs on it is charged; but no packet
 * waits for more than some of them, and the table comes back within its limit with the next ones. False: nothing can go.
 */
static bool
shed(struct flow_table *t, size_t more)
{
	for (int i = 0; i < VICTIMS && is_full(t, more); i++) {
		struct flow *victim = flow_lists_victim(t);
		if (victim == NULL)
			return i > 0;
		t->counters[flow_protected(victim) ? COUNT_FLOW_SHED_LISTED : COUNT_FLOW_SHED].count++;
		flow_finish(t, victim, FLOW_END_SHED);
	}
	return true;
}

/* A flow in the index and in no list, after shedding where the table is full; or NULL. */
static struct flow *
flow_new(struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
	if (is_full(t, 1) && !shed(t, 1))
		return NULL;
	const flow_ref ref = flow_slab_take(t);
	if (ref == 0)
		return NULL;
	struct flow *f = flow_at(t, ref);
	if (flow_index_add(t, ref, hash) != 0) {
		flow_slab_give(t, f);
		return NULL;
	}
	f->key = *key;
	t->count++;
	t->total++;
	return f;
}

static struct flow *
flow_begin(struct flow_table *t, const struct flow_lookup *lookup, const struct packet *p)
{
	struct flow *f = flow_new(t, &lookup->key, lookup->hash);
	if (f == NULL) {
		t->counters[COUNT_FLOW_FULL].count++;
		return NULL;
	}
	const unsigned syn_ack = TCP_SYN | TCP_ACK;
	const enum side from = p->transport == IPPROTO_TCP && (p->tcp_flags & syn_ack) == syn_ack
	                               ? SIDE_DESTINATION
	                               : SIDE_SOURCE;
	if (lookup->swapped != (from == SIDE_DESTINATION))
		f->flags |= FLOW_SOURCE_HIGH;
	f->flags |= (uint32_t)p->depth << FLOW_DEPTH_SHIFT;
	f->end = p->time;
	f->last_frame = p->frame;

	struct flow_cold *cold = flow_cold_of(f);
	cold->start = p->time;
	cold->first_frame = p->frame;
	cold->file = t->file;
	memcpy(cold->vlan, p->vlan, sizeof cold->vlan);
	if (p->flags & PACKET_MAC) {
		f->flags |= FLOW_MAC;
		memcpy(cold->mac[from], p->src_mac, sizeof cold->mac[from]);
		memcpy(cold->mac[side_other(from)], p->dst_mac, sizeof cold->mac[from]);
	}
	if (p->transport == IPPROTO_TCP)
		flow_tcp_begin(f, from, p);
	else if (p->transport == IPPROTO_ICMP || p->transport == IPPROTO_ICMPV6)
		cold->icmp = (uint32_t)p->src_port << 8 | (p->dst_port & 0xff);
	flow_lists_enter(t, f);
	if (t->ops.begin != NULL)
		t->ops.begin(t->ctx, f);
	return f;
}

static void
flow_count(struct flow *f, enum side from, const struct packet *p)
{
	if (++f->packets[from] == 0)
		flow_cold_of(f)->packets_high[from]++;
	f->bytes[from] += p->ip_bytes;
	f->payload[from] += p->payload_len;
	if (p->time > f->end)
		f->end = p->time;
	f->last_frame = p->frame;
}

void
flow_lookup_make(const struct hash_fixed_key *key, const struct packet *p, struct flow_lookup *out)
{
	out->swapped = key_make(&out->key, p);
	out->hash = hash_fixed(key, &out->key, sizeof out->key);
}

const struct hash_fixed_key *
flow_table_key(const struct flow_table *t)
{
	return &t->hash_key;
}

void
flow_table_prefetch(const struct flow_table *t, const struct flow_lookup *lookups, size_t count,
        const void **attachments)
{
	for (size_t i = 0; i < count; i++)
		flow_index_prefetch(t, lookups[i].hash);
	for (size_t i = 0; i < count; i++)
		attachments[i] = flow_index_prefetch_flow(t, lookups[i].hash);
	for (size_t i = 0; i < count; i++) {
		const struct flow *likely = attachments[i];
		attachments[i] = likely != NULL ? likely->attachment : NULL;
		__builtin_prefetch(attachments[i]);
	}
}

struct flow *
flow_table_packet(struct flow_table *t, const struct packet *p, const struct flow_lookup *lookup, enum side *from)
{
	clock_set(t, p->time);
	expire(t);
	if (p->frame < t->last_frame)
		t->file++;
	t->last_frame = p->frame;
	if (p->flags & PACKET_FRAGMENT) {
		t->counters[COUNT_FLOW_FRAGMENT].count++;
		return NULL;
	}

	if (is_full(t, 0))
		(void)shed(t, 0); /* what hangs on flows has grown */
	struct flow *f = flow_index_find(t, &lookup->key, lookup->hash);
	if (f != NULL) {
		*from = side_of(f, lookup->swapped);
		if (p->transport == IPPROTO_TCP && (p->tcp_flags & TCP_SYN) &&
		        flow_tcp_reused(f, *from, p)) {
			flow_finish(t, f, FLOW_END_REUSE);
			f = NULL;
		}
	}
	if (f == NULL) {
		f = flow_begin(t, lookup, p);
		if (f == NULL)
			return NULL;
		*from = side_of(f, lookup->swapped);
	}
	if (p->transport == IPPROTO_TCP) {
		if (!(f->flags & FLOW_TALKS) && !flow_tcp_quiet(f, *from, p))
			tell_talk(t, f);
		flow_count(f, *from, p);
		flow_tcp_track(f, *from, p);
	} else {
		flow_count(f, *from, p);
		flow_history_add(f, *from, 'D');
	}
	flow_lists_update(t, f);
	return f;
}

void
flow_table_hold(struct flow_table *t, bool held)
{
	t->held = held;
}

void
flow_table_time(struct flow_table *t, int64_t now)
{
	clock_set(t, now);
	expire(t);
}

static void
tell_talk(struct flow_table *t, struct flow *f)
{
	f->flags |= FLOW_TALKS;
	if (t->ops.talk != NULL)
		t->ops.talk(t->ctx, f, flow_tcp_shaken(f), flow_cold_of(f)->isn);
}

/* A TCP flow that was closed ends so, whatever took it out of the table. */
static enum flow_end
end_reason(const struct flow *f, enum flow_end otherwise)
{
	if (f->key.transport != IPPROTO_TCP || !flow_tcp_closed(f))
		return otherwise;
	return f->flags & (FLOW_RST | FLOW_RST << 1) ? FLOW_END_RST : FLOW_END_FIN;
}

static void
flow_finish(struct flow_table *t, struct flow *f, enum flow_end reason)
{
	f->flags |= (uint32_t)reason << FLOW_END_SHIFT;
	if (t->ops.end != NULL)
		t->ops.end(t->ctx, f);
	flow_lists_leave(t, f);
	flow_index_remove(t, f);
	flow_slab_give(t, f);
	t->count--;
}

/* In the order of their first packets: frame numbers rise, or another file began. */
static int
compare_begin(const void *a, const void *b)
{
	const struct flow *fa = *(struct flow *const *)a, *fb = *(struct flow *const *)b;
	const struct flow_cold *ca = flow_cold_of(fa), *cb = flow_cold_of(fb);
	if (ca->file != cb->file)
		return ca->file < cb->file ? -1 : 1;
	if (ca->first_frame != cb->first_frame)
		return ca->first_frame < cb->first_frame ? -1 : 1;
	return flow_depth(fa) < flow_depth(fb) ? -1 : 1;
}

void
flow_table_flush(struct flow_table *t)
{
	if (t->count == 0)
		return;
	struct flow **all = malloc(t->count * sizeof(struct flow *));
	size_t n = 0;
	for (unsigned i = 0; all != NULL && i < LIST_COUNT; i++)
		for (flow_ref r = t->lists[i].head; r != 0; r = flow_at(t, r)->next)
			all[n++] = flow_at(t, r);
	if (all != NULL)
		qsort(all, n, sizeof(struct flow *), compare_begin);
	for (size_t i = 0; i < n; i++)
		flow_finish(t, all[i], end_reason(all[i], FLOW_END_CAPTURE));
	free(all);
	/* Without memory to sort in: in the order of the lists. */
	for (unsigned i = 0; i < LIST_COUNT; i++)
		while (t->lists[i].head != 0) {
			struct flow *f = flow_at(t, t->lists[i].head);
			flow_finish(t, f, end_reason(f, FLOW_END_CAPTURE));
		}
}

void
flow_table_charge(struct flow_table *t, ptrdiff_t bytes)
{
	t->charged += (size_t)bytes;
}

size_t
flow_table_count(const struct flow_table *t)
{
	return t->count;
}

uint64_t
flow_table_total(const struct flow_table *t)
{
	return t->total;
}

uint64_t
flow_table_shed(const struct flow_table *t)
{
	return t->counters[COUNT_FLOW_SHED].count + t->counters[COUNT_FLOW_SHED_LISTED].count;
}

const struct coverage_counter *
flow_table_counters(struct flow_table *t, size_t *count)
{
	*count = FLOW_COUNTERS;
	return t->counters;
}
