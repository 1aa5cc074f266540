/* A record that outlives its flow: deep copies, for alerts that are still open and for other threads. */
#ifndef WAYBILL_BASE_KEEP_H
#define WAYBILL_BASE_KEEP_H

#include "base/arena.h"
#include "base/record.h"

/* Copies r with all it points to into a (snapshot strings and listing rows excepted); NULL: out of memory. */
const struct flow_record *keep_flow(struct arena *a, const struct flow_record *r);
const struct transfer_record *keep_transfer(struct arena *a, const struct transfer_record *r);

#endif
