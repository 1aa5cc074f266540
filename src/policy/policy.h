/*
 * The policy stage: flows and transfers with their places are held against the
 * rules. An alert opens at the first packet that proves it and closes with the totals; repeats
 * within a window fold into one.
 */
#ifndef WAYBILL_POLICY_POLICY_H
#define WAYBILL_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/record.h"

struct policy;

struct network {
	struct addr addr;
	unsigned bits;
};

enum {
	POLICY_OPEN_DEFAULT = 10000,
	POLICY_ALERT_COST = 4096, /* bytes that an open alert holds, about: what it shows, and what folds into it */
};

struct policy_conf {
	bool sanctioned_transfer, sanctioned_contact, bulk_outbound; /* rules that are on */
	uint64_t bulk_bytes;         /* an inferred upload above it */
	const struct network *allow; /* places where bulk may go */
	size_t allow_count;
	int64_t fold_window;         /* ns of packet time; 0: no folding */
	/*
	 * At most; the oldest is closed for one more, and another one of its kind opens only a fold_window later, or when it is more
	 * severe: what ends meanwhile is counted as untold. 0: POLICY_OPEN_DEFAULT.
	 */
	size_t open_alerts;
};

struct policy_ops {
	void (*alert)(void *ctx, const struct alert *a);
};

struct policy *policy_create(const struct policy_conf *conf, const struct policy_ops *ops, void *ctx);
void policy_destroy(struct policy *p); /* takes NULL */

/*
 * A flow with a listed endpoint went on. r is complete: places, listings, facts. Called for every
 * packet until it answers true (all that the rules ask of it is known), and, if an alert
 * holds it, once more when it ended.
 */
bool policy_flow(struct policy *p, const struct flow_record *r, bool ended);

/* Does nothing that comes later change what the rules ask of r's flow? Needs no places. Pure. */
bool policy_flow_settled(const struct flow_record *r);

/* A transfer began, went on (an inferred one that grew much) or ended. Every transfer is shown here. */
void policy_transfer(struct policy *p, const struct transfer_record *r, bool ended);

/* Packet time goes on: folding windows that are over are closed with their totals. */
void policy_time(struct policy *p, int64_t now);

/* The rules from here on; alerts that are open go on. What conf points to must stay. */
void policy_change(struct policy *p, const struct policy_conf *conf);

/*
 * Records point to what is not their own (listing rows, names of networks). It belongs to owner from here on, whoever
 * that is; and does an alert that is open still show a record of that owner's?
 */
void policy_owner(struct policy *p, const void *owner);
bool policy_needs(const struct policy *p, const void *owner);

/* The end: every open alert is closed. */
void policy_flush(struct policy *p);

const struct coverage_counter *policy_counters(struct policy *p, size_t *count);

#endif
