/* The tracker: limits, counters, packet time, and the end of the input. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/table.h"
#include "log.h"
#include "transfer/session.h"
#include "transfer/tracker.h"

enum {
	JOIN_SECONDS_DEFAULT = 60,
	INFER_DEFAULT = 64 * 1024,
	DETAIL_BYTES_MAX = 2048,
};
static const size_t per_transfer_default = (size_t)64 << 20;

static const struct coverage_counter counters[COUNT_MAX] = {
        [COUNT_OPEN_LIMIT] = {"transfer_limit", "transfers not followed: too many open at once", 0},
        [COUNT_MEMORY] = {"transfer_memory",
                "transfers whose hash was lost: too many bytes out of order", 0},
        [COUNT_DROPPED] = {"transfer_dropped",
                "pieces of transfers not counted: memory limit reached", 0},
        [COUNT_CONFLICT] = {"transfer_conflict",
                "pieces of transfers that came again and differed from the first copy", 0},
        [COUNT_CUT] = {"transfer_name_cut", "names and other texts cut for their length", 0},
        [COUNT_SESSION_MEMORY] = {"session_memory", "facts of sessions not kept: memory limit", 0},
        [COUNT_JOIN_LIMIT] = {"transfer_join_limit", "file ranges not joined: too many files", 0},
        [COUNT_EXPECT_LIMIT] = {"expect_limit", "announced data connections not awaited: too many",
                0},
        [COUNT_EXPECT_UNUSED] = {"expect_unused", "announced data connections that never came", 0},
        [COUNT_NOTE_LIMIT] = {"note_limit",
                "names of handles and the like that were forgotten: too many", 0},
        [COUNT_TYPE] = {"file_type", "files whose type could not be looked at", 0},
};

static struct transfer_limits limits_fill(const struct transfer_limits *limits);

struct transfer_tracker *
transfer_tracker_create(const struct transfer_limits *limits, const struct transfer_ops *ops,
        void *ctx)
{
	struct transfer_tracker *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->limits = limits_fill(limits);
	t->ops = *ops;
	t->ctx = ctx;
	for (size_t i = 0; i < COUNT_MAX; i++)
		t->counters[i] = counters[i];
	arena_init(&t->scratch, 0);
	digests_init(&t->digests);
	pool_init(&t->blocks);
	slab_init(&t->sessions, sizeof(struct session));
	slab_init(&t->transfers, sizeof(struct transfer));
	slab_init(&t->files, sizeof(struct waybill));
	TAILQ_INIT(&t->waybills);
	TAILQ_INIT(&t->waiting);
	t->pool = (struct assembly_pool){.limit = t->limits.memory,
	        .each = t->limits.per_transfer,
	        .random = (uint32_t)hash_key_random().k0 | 1};
	if (!t->limits.no_hash) {
		if (sha256_pool_init(&t->hashes) == 0)
			t->pool.hashes = &t->hashes;
		else
			log_warn("transfer", "the crypto library has no SHA-256: files are not hashed");
	}
	t->joined = table_create(t->limits.open);
	t->filetype = filetype_open(t->limits.no_magic);
	if (notes_init(&t->notes) != 0 || expectations_init(&t->expected) != 0 || t->joined == NULL || t->filetype == NULL) {
		transfer_tracker_destroy(t);
		return NULL;
	}
	return t;
}

void
transfer_tracker_destroy(struct transfer_tracker *t)
{
	struct waybill *w;
	if (t == NULL)
		return;
	expectations_clear(&t->expected);
	notes_clear(&t->notes);
	while ((w = TAILQ_FIRST(&t->waybills)) != NULL)
		waybill_destroy(w);
	table_destroy(t->joined);
	filetype_close(t->filetype);
	sha256_pool_clear(&t->hashes);
	digests_clear(&t->digests);
	arena_clear(&t->scratch);
	pool_clear(&t->blocks);
	slab_clear(&t->sessions);
	slab_clear(&t->transfers);
	slab_clear(&t->files);
	free(t);
}

void
transfer_tracker_time(struct transfer_tracker *t, int64_t now)
{
	t->now = now;
	joined_expire(t, now, false);
	expectations_expire(t, now);
}

void
transfer_tracker_resolved(struct transfer_tracker *t, const struct session_ends *ends, enum resolved_for whom,
        int64_t now, const struct resolution *r)
{
	struct resolution told = *r;
	if (t->ops.resolved == NULL)
		return;
	told.time = now;
	told.client = whom != RESOLVED_FOR_ALL ? ends->addr[whom] : (struct addr){0};
	t->ops.resolved(t->ctx, &told);
}

void
transfer_tracker_flush(struct transfer_tracker *t, int64_t now)
{
	struct waybill *w, *next;
	t->now = now;
	expectations_flush(t);
	joined_expire(t, now, true);
	for (w = TAILQ_FIRST(&t->waybills); w != NULL; w = next) {
		next = TAILQ_NEXT(w, all);
		if (!w->ended)
			waybill_end(w, TRANSFER_TRUNCATED);
	}
}

bool
transfer_tracker_expects(const struct transfer_tracker *t)
{
	return table_count(t->expected.by_target) > 0;
}

const struct coverage_counter *
transfer_tracker_counters(struct transfer_tracker *t, size_t *count)
{
	t->counters[COUNT_MEMORY].count = t->pool.blinded;
	t->counters[COUNT_DROPPED].count = t->pool.dropped;
	t->counters[COUNT_CONFLICT].count = t->pool.conflicts;
	*count = COUNT_MAX;
	return t->counters;
}

int
tracker_detail(struct transfer_tracker *t, struct details **d, const char *key, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	const struct text text = text_decode(&t->scratch, bytes, tracker_bound(t, bytes, len, DETAIL_BYTES_MAX), NULL);
	const int status = text.utf8 != NULL ? details_text(d, key, text.utf8) : -1;
	arena_reset(&t->scratch);
	return status;
}

size_t
tracker_bound(struct transfer_tracker *t, const void *bytes, size_t len, size_t max)
{
	const uint8_t *b = bytes;
	if (len <= max)
		return len;
	tracker_count(t, COUNT_CUT);
	size_t cut = max;
	while (cut > 0 && max - cut < 3 && (b[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

static struct transfer_limits
limits_fill(const struct transfer_limits *limits)
{
	struct transfer_limits l = *limits;
	if (l.memory == 0)
		l.memory = TRANSFER_MEMORY_DEFAULT;
	if (l.per_transfer == 0)
		l.per_transfer = per_transfer_default;
	if (l.open == 0)
		l.open = TRANSFER_OPEN_DEFAULT;
	if (l.join_timeout == 0)
		l.join_timeout = JOIN_SECONDS_DEFAULT * CLOCK_SECOND;
	if (l.infer_bytes == 0)
		l.infer_bytes = INFER_DEFAULT;
	return l;
}
