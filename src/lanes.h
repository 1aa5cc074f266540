/*
 * Lanes: an intake, a pipeline and a relay each, side by side from the frames to the news, which the caller's thread tells, of one
 * lane after the other. A replay has one lane, so that its events come in one order. Interfaces have as many as they were given, each
 * with a share of the frames by pairs of hosts (capture/share.h): whatever is between two hosts is in one lane; what two pairs of hosts
 * have to do with each other is known in one lane only, but for names out of DNS answers (hearsay.h).
 *
 * The limits of the configuration are the whole program's, and divided among the lanes. What is counted is summed up.
 */
#ifndef WAYBILL_LANES_H
#define WAYBILL_LANES_H

#include <stdbool.h>
#include <stddef.h>

#include "attribution/attribution.h"
#include "conf.h"
#include "news.h"
#include "options.h"
#include "relay.h"

struct lanes;

/* How many there would be. */
unsigned lanes_wanted(const struct options *options, const struct conf *conf);

/* Bytes of the kernel's ring that each of them has, of one interface. */
size_t lanes_ring(const struct conf *conf, unsigned lanes);

/* Opens the captures, or interfaces. Both outlive it. NULL and error; interfaces: refusal says whether it may go later. */
struct lanes *lanes_open(const struct options *options, const struct conf *conf, enum live_refusal *refusal, char *error,
        size_t size);
void lanes_close(struct lanes *l); /* takes NULL; stops the threads */

/*
 * Makes what follows packets. attribution outlives the lanes. tells_flows as for pipeline_create. News come to to from lanes_turn, as one
 * pipeline would tell them, but for the order of packets in different lanes: time is that of the lane that is behind, and
 * attribution comes once, with the first lane that has it. 0, or -1: out of memory.
 */
int lanes_prepare(struct lanes *l, struct attribution *attribution, bool tells_flows, const struct news_ops *to, void *to_ctx);

/* Begins to read and follow. 0, or -1: out of memory or threads. */
int lanes_start(struct lanes *l);

/*
 * Tells the news of one lane. False: none came for a while. What comes with them (out, borrowed until the next call) is of all
 * lanes, but for the problems: coverage when it was asked for and each lane has told; last when all have ended.
 */
bool lanes_turn(struct lanes *l, struct relay_turn *out);

/* As pipeline_coverage with nobody that decodes any more, of all lanes: after the last turn. */
size_t lanes_coverage(struct lanes *l, struct coverage *out, struct coverage_counter *counters, size_t room);

/* As their namesakes of relay.h and intake.h, for each lane. */
void lanes_ask(struct lanes *l);
void lanes_attribution(struct lanes *l, struct attribution *a);
void lanes_wind_up(struct lanes *l);
void lanes_finish(struct lanes *l);
bool lanes_incomplete(const struct lanes *l);

/* Do all lanes use the attribution that news told last? While not, the one before is still needed. */
bool lanes_agree(const struct lanes *l);

#endif
