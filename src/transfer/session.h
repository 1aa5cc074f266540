/* A session from the inside. It outlives its flow while transfers, carriers or expectations refer to it. */
#ifndef WAYBILL_TRANSFER_SESSION_H
#define WAYBILL_TRANSFER_SESSION_H

#include <sys/queue.h>

#include "transfer/infer.h"
#include "transfer/transfer.h"

LIST_HEAD(transfer_list, transfer);

struct session {
	struct transfer_tracker *tracker;
	void *flow;               /* the pipeline's; NULL when closed */
	struct flow_record *last; /* what the flow was, once it is over */
	struct session_ends ends;
	int64_t now;
	struct facts facts;
	struct arena arena;       /* of all facts but the account */
	struct arena account;     /* which may be replaced many times */
	size_t refs;              /* one of them is the flow's */
	bool closed;
	bool client_known, turned; /* see session_client_end */
	uint64_t begun;           /* transfers so far: the ordinal of the next */
	size_t switch_unused;
	struct inference inference;
	struct transfer_list open;    /* its transfers */
	struct transfer_list carried; /* transfers that move over it, of any session */
	struct transfer_list gone;    /* ended by session_close; a protocol may still hold them */
};

struct session *session_ref(struct session *s);
void session_unref(struct session *s); /* takes NULL */

/* The record of the session's flow, now or as it was at its end; with the session's facts. */
void session_describe(struct session *s, struct flow_record *out);

#endif
