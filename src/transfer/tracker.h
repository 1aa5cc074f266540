/* What the files of this stage share: the tracker behind every session and transfer. */
#ifndef WAYBILL_TRANSFER_TRACKER_H
#define WAYBILL_TRANSFER_TRACKER_H

#include <sys/queue.h>

#include "base/slab.h"
#include "transfer/assembly.h"
#include "transfer/sha256.h"
#include "transfer/expect.h"
#include "transfer/filetype.h"
#include "transfer/note.h"
#include "transfer/transfer.h"
#include "transfer/waybill.h"

enum transfer_count { /* indexes of tracker->counters */
	COUNT_OPEN_LIMIT,
	COUNT_MEMORY,
	COUNT_DROPPED,
	COUNT_CONFLICT,
	COUNT_CUT,
	COUNT_SESSION_MEMORY,
	COUNT_JOIN_LIMIT,
	COUNT_EXPECT_LIMIT,
	COUNT_EXPECT_UNUSED,
	COUNT_TYPE,
	COUNT_NOTE_LIMIT,
	COUNT_MAX,
};

struct transfer_tracker {
	struct transfer_limits limits; /* no member is 0 */
	struct transfer_ops ops;
	void *ctx;
	int64_t now;                   /* packet time of what is being parsed */
	size_t switch_unused;          /* see session_switch */
	struct arena scratch;          /* for the call */
	struct facts facts;            /* those asked for last */

	struct digests digests;        /* for fingerprints */
	struct sha256_pool hashes;
	struct assembly_pool pool;
	struct filetype *filetype;     /* NULL: types are not known */

	struct pool blocks;            /* of facts */
	struct slab sessions, transfers, files; /* struct session, transfer, waybill */
	size_t open;                   /* waybills */
	struct waybill_list waybills;  /* oldest first */
	struct table *joined;          /* files that come in parts, by their key */
	struct waybill_list waiting;   /* those with no open part, longest wait first */
	struct expectations expected;
	struct notes notes;

	struct coverage_counter counters[COUNT_MAX];
};

static inline void
tracker_count(struct transfer_tracker *t, enum transfer_count which)
{
	t->counters[which].count++;
}

/* Decodes bytes from the wire and adds them under key. 0 (or nothing to add), or -1: see details_text. */
int tracker_detail(struct transfer_tracker *t, struct details **d, const char *key, const void *bytes, size_t len);

/*
 * At most max of len bytes from the wire, not cut within a UTF-8 character;
 * the new length. Counted where something is lost.
 */
size_t tracker_bound(struct transfer_tracker *t, const void *bytes, size_t len, size_t max);

#endif
