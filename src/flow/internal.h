/*
 * The flow table from inside. A flow is two parts: struct flow, two cache lines
 * that a packet touches, and struct flow_cold beside it, read when the flow is described.
 * Both live in slabs and are known by a 32-bit reference, so that a flow costs 176 bytes and its
 * place in the index 11 at most.
 */
#ifndef WAYBILL_FLOW_INTERNAL_H
#define WAYBILL_FLOW_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/packet.h"
#include "base/record.h"
#include "flow/flow.h"

/* Names a flow: slab in the upper bits, place in it in the lower. 0: none. */
typedef uint32_t flow_ref;

enum {
	REF_SLOT_BITS = 14,
	REF_SLAB_BITS = 12,
	REF_BITS = REF_SLOT_BITS + REF_SLAB_BITS, /* the index keeps a tag in the rest */
	SLAB_MAX = 1 << REF_SLAB_BITS,
	SLAB_SIZE = 2 * 1024 * 1024, /* and its alignment: a flow finds its slab by masking */
};

enum { /* struct flow: flags */
	FLOW_SOURCE_HIGH = 1u << 0, /* the initiator is end 1 of the key */
	FLOW_PROTECTED = 1u << 1,
	FLOW_MAC = 1u << 2,
	FLOW_MIDSTREAM = 1u << 3,
	FLOW_HANDSHAKE = 1u << 4,
	FLOW_OPENING = 1u << 5,     /* only SYN and SYN-ACK so far */
	FLOW_FIN = 1u << 6,         /* of the source; shifted by one: of the destination */
	FLOW_RST = 1u << 8,         /* likewise */
	FLOW_ISN = 1u << 10,        /* likewise: flow_cold.isn is known, or well guessed */
	FLOW_LIST_SHIFT = 12,       /* 4 bits: the list it stands in */
	FLOW_LIST_MASK = 0xfu << FLOW_LIST_SHIFT,
	FLOW_DEPTH_SHIFT = 16,      /* 8 bits: inside so many tunnels */
	FLOW_END_SHIFT = 24,        /* 4 bits: enum flow_end */
	FLOW_SHAKEN_SHIFT = 28,     /* 2 bits: so many packets of a plain handshake */
	FLOW_SHAKEN_MASK = 3u << FLOW_SHAKEN_SHIFT,
	FLOW_TALKS = 1u << 30,      /* more than that came */
	FLOW_LABELLED = 1u << 31,   /* flow_cold.label is set: nobody else's datagrams touch that line for it */
};

struct flow {
	struct flow_key key;
	flow_ref prev, next;        /* in its list; next: also in its slab's list of free ones */
	uint32_t queued;            /* tick when it was last put at its list's tail */
	uint32_t packets[2];        /* low 32 bits, by enum side like all below */
	uint32_t flags;
	uint64_t bytes[2];
	uint64_t payload[2];
	int64_t end;                /* latest packet time */
	uint64_t last_frame;
	uint64_t history;           /* letters of 4 bits, first one lowest (tcp.c) */
	void *attachment;
};
enum { FLOW_LINE = 64 };
_Static_assert(sizeof(struct flow) == 2 * FLOW_LINE, "two cache lines");

struct flow_cold {
	int64_t start;
	uint64_t first_frame;
	uint32_t file;              /* how often frame numbers had begun again */
	union {
		uint32_t isn[2];    /* TCP */
		struct {
			uint32_t icmp;  /* type << 8 | code of the first packet */
			uint32_t label; /* see flow_label */
		};
	};
	uint16_t packets_high[2];   /* bits 32-47 of the packet counts */
	uint16_t vlan[2];
	uint8_t mac[2][6];
};
_Static_assert(sizeof(struct flow_cold) <= 48, "a flow costs 176 bytes");

/* Idle times differ by class, the worth of a flow by rank; a list has one of each. */
enum flow_class {
	CLASS_TCP_ESTABLISHED,
	CLASS_TCP_OPENING,
	CLASS_TCP_CLOSING,
	CLASS_UDP,
	CLASS_OTHER,
	CLASS_COUNT,
};

enum flow_rank {
	RANK_LONE, /* one packet, no answer: the first to be shed */
	RANK_COMMON,
	RANK_PROTECTED, /* shed when nothing else is left */
	RANK_COUNT,
};

enum { LIST_COUNT = CLASS_COUNT * RANK_COUNT };

/* Flows by the tick when they were last put at the tail. */
enum { FLOW_TICK_SHIFT = 20 }; /* a tick is 2^20 ns, about a millisecond */

struct flow_list {
	flow_ref head, tail;
	uint32_t timeout; /* ticks */
	uint32_t slack;   /* ticks: a flow is moved to the tail when it stood this long */
};

/* Open addressing, linear probing; an entry is a tag of its hash above a reference. */
struct flow_index {
	uint32_t *entries;
	uint32_t mask;    /* entries - 1, a power of two */
	uint32_t used;    /* entries that are not empty, deleted ones included */
};

enum flow_counter {
	COUNT_FLOW_SHED,
	COUNT_FLOW_SHED_LISTED,
	COUNT_FLOW_FULL,
	COUNT_FLOW_FRAGMENT,
	COUNT_FLOW_TIME_BACK,
	FLOW_COUNTERS,
};

struct community_id;

struct flow_table {
	struct flow_ops ops;
	void *ctx;
	struct hash_fixed_key hash_key;
	struct flow_index index;
	struct flow_list lists[LIST_COUNT];
	struct flow_slab **slabs;   /* SLAB_MAX of them; NULL: given back */
	uint32_t slab_count;        /* those and the ones behind them were never there */
	struct flow_slab *roomy;    /* with a place for one more; flows are taken from the first of them */
	size_t count;
	size_t memory;              /* limit */
	size_t charged;             /* by the owners of what is attached */
	uint64_t total;

	bool started;               /* the clock has a time */
	int64_t clock;              /* never goes back; packet time + offset */
	int64_t offset;
	unsigned behind;            /* packets in a row that were far behind the clock */
	bool held;                  /* the clock stands, whatever a packet says */
	uint32_t deadline;          /* tick before which no flow is due */
	uint64_t last_frame;
	uint32_t file;

	struct community_id *community_id;
	struct coverage_counter counters[FLOW_COUNTERS];
};

/* slab.c */
struct flow_slab {
	struct flow_table *table;
	uint32_t number;
	uint32_t used;  /* places given out at least once */
	uint32_t taken; /* places given out now */
	flow_ref free;  /* the first place that was given back */
	struct flow_slab *before, *after; /* in the table's list of those that have room */
};
/* A zeroed flow and its cold part, or 0 when memory is out. */
flow_ref flow_slab_take(struct flow_table *t);
void flow_slab_give(struct flow_table *t, struct flow *f);
void flow_slab_clear(struct flow_table *t);
/* Fetches it whole. */
void flow_slab_prefetch(const struct flow *f);
struct flow *flow_at(const struct flow_table *t, flow_ref ref); /* ref not 0 */
flow_ref flow_ref_of(const struct flow *f);
struct flow_table *flow_table_of(const struct flow *f);
struct flow_cold *flow_cold_of(const struct flow *f);

/* index.c */
int flow_index_init(struct flow_index *x);
void flow_index_clear(struct flow_index *x);
struct flow *flow_index_find(const struct flow_table *t, const struct flow_key *key, uint64_t hash);
uint64_t flow_index_hash(const struct flow_table *t, const struct flow *f);
/* The two halves of fetching a flow in advance: the index's entry, then the flow that it names. */
void flow_index_prefetch(const struct flow_table *t, uint64_t hash);
const struct flow *flow_index_prefetch_flow(const struct flow_table *t, uint64_t hash); /* or NULL */
/* 0, or -1 when memory is out. The key must not be in it. */
int flow_index_add(struct flow_table *t, flow_ref ref, uint64_t hash);
void flow_index_remove(struct flow_table *t, const struct flow *f);

/* lists.c */
enum flow_class flow_class(const struct flow *f);
void flow_lists_init(struct flow_table *t, const struct flow_limits *limits);
uint32_t flow_lists_tick(const struct flow_table *t);
/* Puts f where its state and rank say, at the tail; enter for a flow that stands in none. */
void flow_lists_enter(struct flow_table *t, struct flow *f);
void flow_lists_update(struct flow_table *t, struct flow *f);
void flow_lists_leave(struct flow_table *t, struct flow *f);
/* A flow that has been idle for its time, or NULL: call again after it has left. */
struct flow *flow_lists_due(struct flow_table *t);
/* The flow that is missed least: a protected one where all are; NULL: there is none. */
struct flow *flow_lists_victim(struct flow_table *t);

/* tcp.c */
enum { HISTORY_LETTERS = 7 };
void flow_tcp_begin(struct flow *f, enum side from, const struct packet *p);
void flow_tcp_track(struct flow *f, enum side from, const struct packet *p);
/*
 * Is p, which is not tracked yet, one more packet of a plain handshake, or a reset without data? Else
 * the flow begins to talk.
 */
bool flow_tcp_quiet(struct flow *f, enum side from, const struct packet *p);
unsigned flow_tcp_shaken(const struct flow *f);
/* Does p, which has SYN set, begin another connection on f's ports? */
bool flow_tcp_reused(const struct flow *f, enum side from, const struct packet *p);
bool flow_tcp_closed(const struct flow *f);
void flow_history_add(struct flow *f, enum side from, char letter);
void flow_history_text(const struct flow *f, char out[FLOW_HISTORY_MAX]);

/* community_id.c */
struct community_id *community_id_create(void); /* NULL when memory is out */
void community_id_destroy(struct community_id *c);
void community_id_write(struct community_id *c, const struct flow_record *r, char out[40]);
/* The type that answers an ICMP or ICMPv6 type, -1 where none does. */
int community_id_icmp_answer(unsigned transport, unsigned type);

static inline uint8_t
flow_depth(const struct flow *f)
{
	return f->flags >> FLOW_DEPTH_SHIFT & 0xff;
}

static inline void
flow_unset(struct flow *f, uint32_t flags)
{
	f->flags &= ~flags;
}

/* Which end of the key the side is. */
static inline unsigned
flow_end_of(const struct flow *f, enum side s)
{
	return (unsigned)s ^ (f->flags & FLOW_SOURCE_HIGH ? 1u : 0u);
}

/* Both have spoken: every packet leaves a letter, and the destination's have their top bit set. */
static inline bool
flow_answered(const struct flow *f)
{
	const uint64_t ones = UINT64_C(0x1111111111111111);
	const uint64_t any = (f->history | f->history >> 1 | f->history >> 2) & ones;
	const uint64_t destination = f->history >> 3 & ones;
	return destination != 0 && (any & ~destination) != 0;
}

#endif
