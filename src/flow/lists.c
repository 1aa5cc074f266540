#include "config.h"

/*
 * Who ends when, and who goes first when the table is full. Each list holds flows of one idle
 * time and one worth, in the order in which they were put at its tail. A busy flow is not moved
 * for every packet but when it stood for an eighth of its idle time, so a flow ends after its
 * idle time and at most an eighth more. Order comes from packets alone, never from the hash.
 */
#include "base/clock.h"
#include "flow/internal.h"

#include <netinet/in.h>

enum {
	SLACK_SHIFT = 3,
	TICKS_MAX = 1 << 30, /* 13 days: differences of ticks stay signed */
};

static struct flow_list *list_of(struct flow_table *t, const struct flow *f);
static unsigned wanted_list(const struct flow *f);
static void set_timeout(struct flow_table *t, enum flow_class c, int64_t ns, int64_t standard);
static uint32_t due_at(const struct flow_table *t, const struct flow_list *l);
static struct flow *oldest(struct flow_table *t, enum flow_rank rank);
static struct flow *look_behind(const struct flow_table *t, struct flow *head);

/*
 * Defaults: RFC 5382 REQ-5 (established TCP: 2 h 4 min; opening 4 min, which a sensor need not
 * wait for), RFC 4787 REQ-5 (UDP: 2 min at least), RFC 5508 REQ-2 (ICMP: 60 s).
 */
void
flow_lists_init(struct flow_table *t, const struct flow_limits *limits)
{
	set_timeout(t, CLASS_TCP_ESTABLISHED, limits->tcp_established, 7440 * CLOCK_SECOND);
	set_timeout(t, CLASS_TCP_OPENING, limits->tcp_opening, 120 * CLOCK_SECOND);
	set_timeout(t, CLASS_TCP_CLOSING, limits->tcp_closing, 60 * CLOCK_SECOND);
	set_timeout(t, CLASS_UDP, limits->udp, 120 * CLOCK_SECOND);
	set_timeout(t, CLASS_OTHER, limits->other, 60 * CLOCK_SECOND);
}

static void
set_timeout(struct flow_table *t, enum flow_class c, int64_t ns, int64_t standard)
{
	int64_t ticks = (ns > 0 ? ns : standard) >> FLOW_TICK_SHIFT;
	if (ticks > TICKS_MAX)
		ticks = TICKS_MAX;
	for (unsigned rank = 0; rank < RANK_COUNT; rank++) {
		struct flow_list *l = &t->lists[rank * CLASS_COUNT + c];
		l->timeout = (uint32_t)ticks + 1; /* rounded up */
		l->slack = l->timeout >> SLACK_SHIFT;
	}
}

uint32_t
flow_lists_tick(const struct flow_table *t)
{
	return (uint32_t)(t->clock >> FLOW_TICK_SHIFT);
}

enum flow_class
flow_class(const struct flow *f)
{
	if (f->key.transport == IPPROTO_UDP)
		return CLASS_UDP;
	if (f->key.transport != IPPROTO_TCP)
		return CLASS_OTHER;
	if (flow_tcp_closed(f))
		return CLASS_TCP_CLOSING;
	return f->flags & FLOW_OPENING ? CLASS_TCP_OPENING : CLASS_TCP_ESTABLISHED;
}

static unsigned
wanted_list(const struct flow *f)
{
	enum flow_rank rank = RANK_COMMON;
	if (f->flags & FLOW_PROTECTED)
		rank = RANK_PROTECTED;
	else if ((uint64_t)f->packets[0] + f->packets[1] <= 1)
		rank = RANK_LONE;
	return (unsigned)rank * CLASS_COUNT + flow_class(f);
}

static struct flow_list *
list_of(struct flow_table *t, const struct flow *f)
{
	return &t->lists[(f->flags & FLOW_LIST_MASK) >> FLOW_LIST_SHIFT];
}

/* The tick when the list's head has been idle for long enough. */
static uint32_t
due_at(const struct flow_table *t, const struct flow_list *l)
{
	return flow_at(t, l->head)->queued + l->timeout + l->slack;
}

void
flow_lists_enter(struct flow_table *t, struct flow *f)
{
	const unsigned number = wanted_list(f);
	struct flow_list *l = &t->lists[number];
	flow_unset(f, FLOW_LIST_MASK);
	f->flags |= number << FLOW_LIST_SHIFT;
	f->queued = flow_lists_tick(t);
	f->prev = l->tail;
	f->next = 0;
	const flow_ref ref = flow_ref_of(f);
	if (l->tail != 0) {
		flow_at(t, l->tail)->next = ref;
		l->tail = ref;
		return;
	}
	l->head = l->tail = ref;
	const uint32_t due = due_at(t, l);
	if ((int32_t)(due - t->deadline) < 0)
		t->deadline = due;
}

void
flow_lists_leave(struct flow_table *t, struct flow *f)
{
	struct flow_list *l = list_of(t, f);
	if (f->prev != 0)
		flow_at(t, f->prev)->next = f->next;
	else
		l->head = f->next;
	if (f->next != 0)
		flow_at(t, f->next)->prev = f->prev;
	else
		l->tail = f->prev;
}

void
flow_lists_update(struct flow_table *t, struct flow *f)
{
	const struct flow_list *l = list_of(t, f);
	if (l == &t->lists[wanted_list(f)] && flow_lists_tick(t) - f->queued <= l->slack)
		return;
	flow_lists_leave(t, f);
	flow_lists_enter(t, f);
}

struct flow *
flow_lists_due(struct flow_table *t)
{
	const uint32_t now = flow_lists_tick(t);
	if ((int32_t)(now - t->deadline) < 0)
		return NULL;
	uint32_t next = now + TICKS_MAX;
	for (unsigned i = 0; i < LIST_COUNT; i++) {
		const struct flow_list *l = &t->lists[i];
		if (l->head == 0)
			continue;
		const uint32_t due = due_at(t, l);
		if ((int32_t)(now - due) >= 0)
			return look_behind(t, flow_at(t, l->head));
		if ((int32_t)(due - next) < 0)
			next = due;
	}
	t->deadline = next;
	return NULL;
}

/* Among the lists of a rank, the head that stood longest. */
static struct flow *
oldest(struct flow_table *t, enum flow_rank rank)
{
	const uint32_t now = flow_lists_tick(t);
	struct flow *found = NULL;
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		const struct flow_list *l = &t->lists[(unsigned)rank * CLASS_COUNT + c];
		if (l->head == 0)
			continue;
		struct flow *f = flow_at(t, l->head);
		if (found == NULL || now - f->queued > now - found->queued)
			found = f;
	}
	return found;
}

struct flow *
flow_lists_victim(struct flow_table *t)
{
	struct flow *f = oldest(t, RANK_LONE);
	const struct flow_list *closed = &t->lists[RANK_COMMON * CLASS_COUNT + CLASS_TCP_CLOSING];
	if (f == NULL && closed->head != 0)
		f = flow_at(t, closed->head);
	if (f == NULL)
		f = oldest(t, RANK_COMMON);
	if (f == NULL)
		f = oldest(t, RANK_PROTECTED);
	return f != NULL ? look_behind(t, f) : NULL;
}

/*
 * Flows end in rows, and those that stood long are in no cache: the one behind the head, whose memory was
 * fetched when the head was the second, has its place in the index and what is attached fetched; the third its
 * memory.
 */
static struct flow *
look_behind(const struct flow_table *t, struct flow *head)
{
	if (head->next == 0)
		return head;
	const struct flow *second = flow_at(t, head->next);
	flow_index_prefetch(t, flow_index_hash(t, second));
	__builtin_prefetch(second->attachment);
	if (second->next != 0)
		flow_slab_prefetch(flow_at(t, second->next));
	return head;
}
