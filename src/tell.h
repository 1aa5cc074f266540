/*
 * What becomes of records: place > verdict > record. Fills in where the ends are and whether they are listed, shows
 * flows and transfers to the rules, and hands everything to the sinks. One thread's.
 */
#ifndef WAYBILL_TELL_H
#define WAYBILL_TELL_H

#include <stdbool.h>
#include <stddef.h>

#include "attribution/attribution.h"
#include "base/record.h"
#include "news.h"
#include "output/output.h"
#include "policy/policy.h"

struct tell;

/* attribution and output stay the caller's and must outlive it. NULL: out of memory. */
struct tell *tell_create(const struct policy_conf *conf, struct attribution *attribution, struct output *output);
void tell_destroy(struct tell *t); /* takes NULL */

extern const struct news_ops tell_news; /* their ctx is a struct tell */

/* The end: alerts that are open are closed. */
void tell_flush(struct tell *t);

/* Tells c, completed by what was told so far. more: the rules' counters go behind these, with room for them. */
void tell_coverage(struct tell *t, struct coverage *c, struct coverage_counter *counters, size_t count, size_t room);

/* The most severe alert so far; false while there is none. */
bool tell_worst(const struct tell *t, enum severity *out);

#endif
