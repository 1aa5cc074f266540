/*
 * What the stages behind the flow table keep with one flow: its stream, its session and its conversation, and
 * how bytes go from one to the next. Made when a flow needs one: a connection that says something, a flow that
 * moved much, one with a listed end.
 */
#ifndef WAYBILL_TRACK_H
#define WAYBILL_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "attribution/attribution.h"
#include "base/slab.h"
#include "flow/flow.h"
#include "news.h"
#include "proto/proto.h"
#include "stream/stream.h"
#include "transfer/transfer.h"

struct track;

/* What passes through but is not looked into. */
enum { UNREAD_FLOWS, UNREAD_BYTES, UNREAD_COUNT };

/* What all tracks share: the stages that they go through, the pipeline's. */
struct tracks {
	const struct attribution *attribution;
	struct flow_table *flows;
	struct stream_pool *streams;
	struct transfer_tracker *transfers;
	struct conversations *conversations;
	struct names *names;  /* NULL until a DNS answer was seen */
	const struct news_ops *news;
	void *news_ctx;
	bool tells_flows;     /* somebody wants each flow's record */
	uint64_t infer_bytes; /* payload that makes an unread flow a transfer */
	struct slab slab;
	struct facts plain;   /* of the flow that is told, where its label is all there is */
	struct coverage_counter unread[UNREAD_COUNT];
};

void tracks_init(struct tracks *all);
void tracks_clear(struct tracks *all); /* after the flow table's end */

/* The flow's track, made where it has none yet; NULL: out of memory. */
struct track *track_of(struct tracks *all, struct flow *f);

/* The same for a packet that was counted in f; NULL as well where counting is all that the flow needs. */
struct track *track_wanted(struct tracks *all, struct flow *f, enum side from, const struct packet *packet);

/* Asks for the memory that the track's next packet will touch. t: a flow's attachment, not NULL. */
void track_prefetch(const struct track *t);

/* The flow table's news: a flow began, says more than a handshake (flow_ops.talk), ended. */
void track_begin(struct tracks *all, struct flow *f);
void track_talk(struct tracks *all, struct flow *f, unsigned seen, const uint32_t isn[2]);
void track_end(struct tracks *all, struct flow *f);

/*
 * Other lists than when it began: a flow with a listed end is watched from here on, and shown to the rules at once. One that is
 * no longer listed stays watched.
 */
void track_relist(struct tracks *all, struct flow *f);

/* One packet of its flow, in order of capture. */
void track_packet(struct track *t, enum side from, const struct packet *packet);

/* f, which begins, is carried by packets of outer, which come from that side of it. */
void track_carried(struct tracks *all, struct flow *f, const struct flow *outer, enum side from);

/* So many bytes of payload came out of it as packets of other flows. */
void track_tunnelled(struct track *t, enum side from, uint32_t bytes);

/* The flow's record, without places; facts are the caller's. */
void track_describe(struct track *t, struct flow_record *out);

void track_ends(const struct track *t, struct session_ends *out);

bool track_listed(const struct track *t); /* an end of its flow is on a list (at some time) */

extern const struct stream_ops track_stream_ops; /* their ctx is a track */

#endif
