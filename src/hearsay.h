/*
 * What one pipeline learns that others need: names out of DNS answers. A name is asked for between one pair of hosts, and the
 * flow that it names is of another one, which may be another pipeline's. What is told waits in a bounded box of whom it is for until
 * that one has time; where the box is full, it is lost to it.
 */
#ifndef WAYBILL_HEARSAY_H
#define WAYBILL_HEARSAY_H

#include "base/record.h"

struct hearsay;

struct hearsay *hearsay_create(unsigned members); /* NULL: out of memory */
void hearsay_destroy(struct hearsay *h);          /* takes NULL; no thread uses it any more */

/* By the thread of member from: r, copied, is for all others. For how many of them there was no room. */
unsigned hearsay_tell(struct hearsay *h, unsigned from, const struct resolution *r);

/* By the thread of member who: all that waits for it, of each teller in order; borrowed for the call. Cheap where nothing does. */
void hearsay_hear(struct hearsay *h, unsigned who, void (*fn)(void *ctx, const struct resolution *r), void *ctx);

#endif
