/*
 * What comes out of following packets: flows, transfers, and packet time. Whoever takes it tells it at once
 * (tell.h), or hands it to another thread that does (relay.h).
 */
#ifndef WAYBILL_NEWS_H
#define WAYBILL_NEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"

struct attribution;

/* Records are borrowed for the call, in the order of the packets that they come from. Places are not filled in. */
struct news_ops {
	void (*flow)(void *ctx, const struct flow_record *r); /* it ended */
	/* A flow with a listed end went on; or ended. */
	void (*watched)(void *ctx, const struct flow_record *r, bool ended);
	/* A transfer began or grew; or ended. */
	void (*transfer)(void *ctx, const struct transfer_record *r, bool ended);
	void (*time)(void *ctx, int64_t now); /* once a second of packet time */
	/* Who is listed was asked of this one from here on (pipeline_attribution). */
	void (*attribution)(void *ctx, struct attribution *a);
};

#endif
