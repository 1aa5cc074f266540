/* Data connections that control channels announced, by where they will go. */
#ifndef WAYBILL_TRANSFER_EXPECT_H
#define WAYBILL_TRANSFER_EXPECT_H

#include <sys/queue.h>

#include "base/table.h"
#include "transfer/transfer.h"

struct expected;
TAILQ_HEAD(expected_list, expected);

struct expectations {
	struct table *by_target;
	struct expected_list order; /* as they were announced */
};

int expectations_init(struct expectations *x); /* 0, or -1: out of memory */
/* Releases all that still stand, and the tables. */
void expectations_clear(struct expectations *x);
/* Releases those whose lifetime is over at now. */
void expectations_expire(struct transfer_tracker *t, int64_t now);
/* Releases all that still stand. */
void expectations_flush(struct transfer_tracker *t);

#endif
