/*
 * The flow stage: packets that belong together, by addresses, ports, protocol,
 * VLAN-independent, each with the time it lived in packet time. The table has a limit; when it
 * is reached the least valuable flow goes first, a protected one when nothing else is left: the one that was
 * silent for longest.
 *
 * ICMP messages that answer each other (echo and its reply) are one flow; every other type and code
 * is a flow for each direction. Protocols without ports are told apart by addresses alone.
 *
 * A flow's history has each letter once for each end, in the order of their first packets, upper
 * case for the source and lower case for the destination:
 *   S SYN   H SYN with ACK   A ACK without data   D data   F FIN   R RST   W window of zero
 * Flows of other protocols than TCP have D only.
 */
#ifndef WAYBILL_FLOW_FLOW_H
#define WAYBILL_FLOW_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/packet.h"
#include "base/record.h"

struct flow_table;
struct flow; /* opaque; lives until its end callback returns */

/* An idle time of 0 is the default: 7440, 120, 60, 120 and 60 seconds. */
#define FLOW_MEMORY_DEFAULT ((size_t)512 << 20)

struct flow_limits {
	size_t memory;           /* bytes for flows and what is charged to them; 0: FLOW_MEMORY_DEFAULT (2.8 million flows) */
	int64_t tcp_established; /* idle times in ns of packet time (an eighth more at most) */
	int64_t tcp_opening;     /* SYN without an answer */
	int64_t tcp_closing;     /* after FIN both ways or RST */
	int64_t udp;
	int64_t other;           /* ICMP, SCTP and the rest */
};

struct flow_ops {
	/* A flow began. Before anything else is done with it. */
	void (*begin)(void *ctx, struct flow *f);
	/*
	 * TCP: the packet that comes now, not counted yet, is the first that is no part of a plain
	 * handshake. seen: how many of SYN, SYN-ACK and ACK came before it (0 to 3); isn: their initial
	 * sequence numbers by side, the destination's from 2 on. Called once a flow at most: a lone SYN, a
	 * refused one, a handshake and no more never call it. May be NULL.
	 */
	void (*talk)(void *ctx, struct flow *f, unsigned seen, const uint32_t isn[2]);
	/* A flow ended (flow_describe tells why); its attachment is to be freed here. */
	void (*end)(void *ctx, struct flow *f);
};

struct flow_table *flow_table_create(const struct flow_limits *limits, const struct flow_ops *ops,
        void *ctx);

/* Ends every flow with FLOW_END_CAPTURE, oldest first packet first, and frees all. Takes NULL. */
void flow_table_destroy(struct flow_table *t);

/* Ends every flow with FLOW_END_CAPTURE, oldest first packet first; the table stays, empty. */
void flow_table_flush(struct flow_table *t);

/* Both ends in an order that does not depend on who speaks; hashed and compared as bytes. */
struct flow_key {
	struct addr addr[2]; /* (address, port) of end 0 is not above that of end 1 */
	uint16_t port[2];
	uint8_t transport;
	uint8_t ip_version;
	uint8_t zero[2];
};

/* How a packet's flow is found. */
struct flow_lookup {
	struct flow_key key;
	bool swapped; /* the packet goes from end 1 of the key to end 0 */
	uint64_t hash;
};

/*
 * key: the table's, or a copy of it: a thread that makes look-ups in advance has one, so that it reads no
 * memory that the table's own thread writes.
 */
void flow_lookup_make(const struct hash_fixed_key *key, const struct packet *p, struct flow_lookup *out);
const struct hash_fixed_key *flow_table_key(const struct flow_table *t);

/*
 * These packets come next: fetches the memory that they will touch, so that the misses of all run side by
 * side. Changes nothing else. attachments[i] receives what is attached to the flow that is most likely theirs, or
 * NULL; its first cache line is on its way as well. Valid until the next call that takes a packet.
 */
void flow_table_prefetch(const struct flow_table *t, const struct flow_lookup *lookups, size_t count,
        const void **attachments);

/*
 * Counts p in its flow, beginning one where needed (a SYN on a finished TCP flow begins a new
 * one: FLOW_END_REUSE). Timers run by p->time first. lookup: p's. *from: who sent p. NULL: no flow could
 * be had (counted). The flow is valid until the next call on the table.
 */
struct flow *flow_table_packet(struct flow_table *t, const struct packet *p, const struct flow_lookup *lookup,
        enum side *from);

/* Packet time goes on without a packet: flows that were idle for long enough end. */
void flow_table_time(struct flow_table *t, int64_t now);

/* Held, the clock stands: the time of the packets that come now is not to be believed. They are counted in their flows all the same. */
void flow_table_hold(struct flow_table *t, bool held);

/* What the next stages keep with a flow: opaque here; freed by the end callback's owner. */
void *flow_attachment(const struct flow *f);
void flow_attach(struct flow *f, void *attachment);

/*
 * The next stages hold so many bytes more (or less, below 0) for the flows of the table: they count within
 * its memory, so that flows are shed for them as well, with the next packets.
 */
void flow_table_charge(struct flow_table *t, ptrdiff_t bytes);

/* A protected flow is shed only when all that are left are protected. */
void flow_protect(struct flow *f);
bool flow_protected(const struct flow *f);

/* Payload that it moved so far, both ways; and packets, modulo 2^32. */
uint64_t flow_volume(const struct flow *f);
uint32_t flow_packets(const struct flow *f);

/* What the next stages remember of a flow of datagrams that has nothing attached; 0: nothing. Always 0 for TCP. */
void flow_set_label(struct flow *f, uint32_t label);
uint32_t flow_label(const struct flow *f);

/* Cheap looks at a flow, for the packet path. */
struct flow_view {
	const struct addr *addr[2];
	uint16_t port[2]; /* ICMP: the type asked with, and its answer's */
	uint8_t transport;
	uint64_t payload[2];
	int64_t end;     /* time of the latest packet */
	enum flow_end end_reason;
	bool two_way;    /* packets were seen from both ends */
	bool handshake;
	bool midstream;
};
void flow_look(const struct flow *f, struct flow_view *out);

/*
 * The whole record: places, listings and facts are left empty (the pipeline fills them);
 * strings are static.
 */
void flow_describe(const struct flow *f, struct flow_record *out);

/* As what carries another flow, whose source is on that side of it. */
void flow_outer(const struct flow *f, enum side from, struct flow_outer *out);

/*
 * Shows open flows to fn, which may attach to them and protect them, but ends none: a part of the table from *cursor on (0
 * at first), of max places. False: that was the last part. Flows that begin between two parts may be left out.
 */
bool flow_table_each(struct flow_table *t, uint64_t *cursor, size_t max, void (*fn)(void *ctx, struct flow *f), void *ctx);

size_t flow_table_count(const struct flow_table *t);    /* flows now open */
uint64_t flow_table_total(const struct flow_table *t);  /* flows begun so far */
uint64_t flow_table_shed(const struct flow_table *t);   /* of them, ended early to make room */
const struct coverage_counter *flow_table_counters(struct flow_table *t, size_t *count);

/* Community ID v1 (github.com/corelight/community-id-spec), seed 0, "1:" and base64. */
void flow_community_id(const struct flow_record *r, char out[40]);

#endif
