#include "config.h"

#include "transfer/expect.h"

#include <stdlib.h>
#include <string.h>

#include "transfer/session.h"
#include "transfer/tracker.h"

enum { EXPECTATIONS_MAX = 16384 };

/* Where a data connection will go. */
struct target {
	uint8_t bytes[sizeof(struct addr) + 3]; /* address, port, transport */
};

struct expected {
	TAILQ_ENTRY(expected) order;
	struct target target;
	struct expectation what;
	int64_t deadline;
	const struct carrier_ops *ops;
	void *owner;
	struct session *control; /* referenced */
};

struct carrier {
	const struct carrier_ops *ops;
	void *owner;
	struct session *control; /* referenced */
	struct session *data;    /* referenced */
};

static struct target target_make(const struct addr *addr, uint16_t port, uint8_t transport);
static struct expected *find(const struct transfer_tracker *t, const struct session_ends *ends, int64_t now);
static struct expected *find_at(const struct transfer_tracker *t, const struct session_ends *ends, enum side to, int64_t now);
static void take_out(struct transfer_tracker *t, struct expected *x);
static void drop(struct transfer_tracker *t, struct expected *x);

int
expectations_init(struct expectations *x)
{
	TAILQ_INIT(&x->order);
	x->by_target = table_create(EXPECTATIONS_MAX);
	return x->by_target != NULL ? 0 : -1;
}

void
expectations_clear(struct expectations *x)
{
	struct expected *e;
	while ((e = TAILQ_FIRST(&x->order)) != NULL)
		drop(e->control->tracker, e);
	table_destroy(x->by_target);
	x->by_target = NULL;
}

void
expectations_expire(struct transfer_tracker *t, int64_t now)
{
	struct expected *x;
	while ((x = TAILQ_FIRST(&t->expected.order)) != NULL && x->deadline <= now) {
		tracker_count(t, COUNT_EXPECT_UNUSED);
		drop(t, x);
	}
}

void
expectations_flush(struct transfer_tracker *t)
{
	expectations_expire(t, INT64_MAX);
}

int
session_expect(struct session *control, const struct expectation *e, const struct carrier_ops *ops,
        void *owner)
{
	struct transfer_tracker *t = control->tracker;
	struct target target = target_make(&e->to, e->to_port, e->transport);
	struct expected *old = table_get(t->expected.by_target, &target, sizeof target);
	if (old != NULL)
		drop(t, old);

	struct expected *x = calloc(1, sizeof *x);
	if (x == NULL || table_put(t->expected.by_target, &target, sizeof target, x, NULL) != 0) {
		tracker_count(t, COUNT_EXPECT_LIMIT);
		free(x);
		ops->release(owner);
		return -1;
	}
	x->target = target;
	x->what = *e;
	x->deadline = e->lifetime > INT64_MAX - t->now ? INT64_MAX : t->now + e->lifetime;
	x->ops = ops;
	x->owner = owner;
	x->control = session_ref(control);
	TAILQ_INSERT_TAIL(&t->expected.order, x, order);
	return 0;
}

bool
transfer_tracker_awaits(const struct transfer_tracker *t, const struct session_ends *ends, int64_t now)
{
	return transfer_tracker_expects(t) && find(t, ends, now) != NULL;
}

struct carrier *
session_carrier(struct session *s)
{
	if (!transfer_tracker_expects(s->tracker))
		return NULL;
	const struct session_ends ends = session_ends(s);
	struct expected *x = find(s->tracker, &ends, s->now);
	struct carrier *c = x != NULL ? calloc(1, sizeof *c) : NULL;
	if (c == NULL)
		return NULL;
	*c = (struct carrier){.ops = x->ops,
	        .owner = x->owner,
	        .control = session_ref(x->control),
	        .data = session_ref(s)};
	take_out(s->tracker, x);
	c->ops->open(c->owner, s);
	return c;
}

void
carrier_data(struct carrier *c, enum side from, const uint8_t *bytes, size_t len)
{
	c->ops->data(c->owner, c->data, from, bytes, len);
}

void
carrier_gap(struct carrier *c, enum side from, uint64_t len)
{
	c->ops->gap(c->owner, c->data, from, len);
}

void
carrier_end(struct carrier *c, enum side from, bool reset)
{
	c->ops->end(c->owner, c->data, from, reset);
}

void
carrier_close(struct carrier *c)
{
	c->ops->release(c->owner);
	session_unref(c->data);
	session_unref(c->control);
	free(c);
}

static struct target
target_make(const struct addr *addr, uint16_t port, uint8_t transport)
{
	struct target t;
	memcpy(t.bytes, addr->bytes, sizeof addr->bytes);
	t.bytes[sizeof addr->bytes] = (uint8_t)(port >> 8);
	t.bytes[sizeof addr->bytes + 1] = (uint8_t)port;
	t.bytes[sizeof addr->bytes + 2] = transport;
	return t;
}

/* The expectation that a flow between these ends fulfils. */
static struct expected *
find(const struct transfer_tracker *t, const struct session_ends *ends, int64_t now)
{
	struct expected *x = find_at(t, ends, SIDE_DESTINATION, now);
	/* The first packet that was seen may have come from the end that listens. */
	return x != NULL ? x : find_at(t, ends, SIDE_SOURCE, now);
}

/* The same, if `to` is the end that listens. */
static struct expected *
find_at(const struct transfer_tracker *t, const struct session_ends *ends, enum side to, int64_t now)
{
	struct target target = target_make(&ends->addr[to], ends->port[to], ends->transport);
	struct expected *x = table_get(t->expected.by_target, &target, sizeof target);
	if (x == NULL || now >= x->deadline)
		return NULL;
	if (!x->what.any_from && !addr_equal(&x->what.from, &ends->addr[side_other(to)]))
		return NULL;
	return x;
}

static void
take_out(struct transfer_tracker *t, struct expected *x)
{
	table_remove(t->expected.by_target, &x->target, sizeof x->target);
	TAILQ_REMOVE(&t->expected.order, x, order);
	session_unref(x->control);
	free(x);
}

/* Nothing will come of it: its owner is told. */
static void
drop(struct transfer_tracker *t, struct expected *x)
{
	struct session *control = session_ref(x->control);
	const struct carrier_ops *ops = x->ops;
	void *owner = x->owner;
	take_out(t, x);
	ops->release(owner);
	session_unref(control);
}
