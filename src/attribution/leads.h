/*
 * Which service leads a flow to a general object store. Services there are that speak to their own hosts in small flows
 * and have their users' bulk go straight to a store whose name says nothing of them; the list of services tells which
 * (its column bulk). Where a client was in touch with just one such service as it began to move bulk to a store of that
 * kind, the service is a lead to whose bulk that is: never more than a lead, for nothing in the flow itself says so.
 *
 * Records come when flows end, or, sooner, as transfers in them begin and grow. So what is known at a flow's end is of
 * those that ended before it, or that moved enough to be told while they go on. Where the service's own flow ends after
 * the bulk, it is in its record that the two meet.
 */
#ifndef WAYBILL_ATTRIBUTION_LEADS_H
#define WAYBILL_ATTRIBUTION_LEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attribution/attribution.h"
#include "base/record.h"

struct leads;

struct leads *leads_create(void); /* NULL: out of memory */
void leads_destroy(struct leads *l); /* takes NULL */

/*
 * Sets the lead of r's service, where that is a store, and r moved bulk to or from it: none where two services could have
 * led there. r's service must have been set. The same where nobody knows what a flow is, and its port is one that such a service
 * sends its bulk to.
 */
void leads_find(struct leads *l, struct flow_record *r);

/*
 * A flow goes on, or ended: it is kept in mind where it is one of a service that leads, or bulk that nobody is known to
 * have led. Where one that leads has ended, what it led is set in r's service, borrowed until the next call.
 */
void leads_note(struct leads *l, struct flow_record *r, bool ended);

/* Rows are those of another snapshot from here on; the one before is still there. */
void leads_renew(struct leads *l, const struct attribution *a);

/* Contacts and bulk that were forgotten for want of room: what they would have told, or kept from being told, is not known. */
uint64_t leads_forgotten(const struct leads *l);

#endif
