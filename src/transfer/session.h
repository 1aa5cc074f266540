/*
 * A session from the inside. It outlives its flow while transfers, carriers or expectations refer to it; and its
 * conversation by as long as the flow is in the table, so that it is kept small.
 */
#ifndef WAYBILL_TRANSFER_SESSION_H
#define WAYBILL_TRANSFER_SESSION_H

#include <sys/queue.h>

#include "transfer/fact.h"
#include "transfer/infer.h"
#include "transfer/transfer.h"

LIST_HEAD(transfer_list, transfer);

struct session {
	struct transfer_tracker *tracker;
	union {
		void *flow;               /* the pipeline's */
		struct flow_record *last; /* over: what the flow was, or NULL */
	};
	int64_t now;
	const char *protocol;        /* network.protocol: static, as the next two; NULL: unknown */
	const char *method;          /* how that was known */
	const char *unread;          /* why it can't be read; NULL: it can */
	struct fact_block facts;     /* those that have a member of their own, */
	struct details *details;     /* and those that have none */
	uint32_t refs;               /* one of them is the flow's */
	uint32_t begun;              /* transfers so far: the ordinal of the next */
	struct inference *inference; /* NULL: too little moved so far */
	struct transfer_list transfers; /* its own; those that session_close ended too, while a protocol may hold them */
	struct transfer_list carried;   /* transfers that move over it, of any session */
	bool closed;
	bool over;                   /* closed, and its flow is gone */
	bool midstream;
	bool client_known, turned;   /* see session_client_end */
	bool established;            /* TLS: application data was seen */
	bool called_source;          /* SESSION_RESOLVED is the source's name, and not the destination's */
	bool called_other;           /* see session_called */
};

struct session *session_ref(struct session *s);
void session_unref(struct session *s); /* takes NULL */

/* The record of the session's flow, now or as it was at its end; with the session's facts, which are put into facts. */
void session_describe(struct session *s, struct flow_record *out, struct facts *facts);

#endif
