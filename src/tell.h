/*
 * What becomes of records: place > verdict > record. Fills in where the ends are and whether they are listed, shows
 * flows and transfers to the rules, and hands everything to the sinks. One thread's.
 */
#ifndef WAYBILL_TELL_H
#define WAYBILL_TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* The one that places are filled in of, as news told last; is another one still needed, by an alert that is open? */
struct attribution *tell_attribution(const struct tell *t);
bool tell_needs(const struct tell *t, const struct attribution *a);

/* fn is called, before anything that is told of it, when news change that. */
void tell_on_attribution(struct tell *t, void (*fn)(void *ctx), void *ctx);

/* As policy_change. */
void tell_rules(struct tell *t, const struct policy_conf *conf);

/* The end: alerts that are open are closed. */
void tell_flush(struct tell *t);

/* Completes c by what was told so far; the rules' counters go behind count others, with room for all. How many there are now. */
size_t tell_coverage(const struct tell *t, struct coverage *c, struct coverage_counter *counters, size_t count, size_t room);

/* How many transfers and alerts were told so far. */
void tell_counts(const struct tell *t, uint64_t *transfers, uint64_t *alerts);

enum { TELL_PROTOCOLS = 24 }; /* that are counted apart; the others together, as "other" */

/* The same, counted by kind; names are static. */
struct tell_tally {
	struct {
		const char *protocol;
		uint64_t count;
	} transfers[TELL_PROTOCOLS];
	size_t transfer_count;
	uint64_t alerts[SEVERITY_CRITICAL + 1];
};
const struct tell_tally *tell_tally(const struct tell *t);

/* The most severe alert so far; false while there is none. */
bool tell_worst(const struct tell *t, enum severity *out);

#endif
