#include "config.h"

#include "transfer/assembly.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that wait are gathered in stretches that grow up to this size. */
enum { STRETCH_MAX = 256 * 1024 };

/* Intervals alone may go beyond the limits by an eighth, so that sizes outlive hashes. */
enum { INTERVAL_SLACK = 8 };

/* Bytes as they were given, cut down to what is new. bytes NULL: not to be kept. */
struct piece {
	uint64_t from, to;
	const uint8_t *bytes;
};

static struct extent *take_between(struct assembly *a, uint64_t from, uint64_t span);
static void pass(struct assembly *a, uint64_t offset, uint64_t len);
static void run_take(struct assembly *a, const uint8_t *bytes, size_t len);
static void run_grow(struct assembly *a, const uint8_t *bytes, uint64_t len);
static void run_absorb(struct assembly *a, struct extent *e);
static bool head_widen(struct assembly *a, size_t n);
static void head_keep(struct assembly *a, const uint8_t *bytes, uint64_t len);
static void wait_add(struct assembly *a, uint64_t from, const uint8_t *bytes, size_t len);
static struct extent *wait_between(struct assembly *a, struct extent *below, struct extent *inside,
        struct extent *above, struct piece *fresh);
static bool wait_append(struct assembly *a, struct extent *last, const struct piece *fresh);
static struct extent *join_seen(struct assembly *a, struct extent *below, struct extent *e,
        struct extent *above);
static void wait_forget(struct assembly *a);
static struct extent *stretch_make(struct assembly *a, const struct piece *fresh);
static bool stretch_widen(struct assembly *a, struct extent *e, size_t n);
static void stretch_overlay(struct extent *e, const struct extent *first);
static void stretch_drop_bytes(struct assembly *a, struct extent *e);
static void stretch_free(struct assembly *a, struct extent *e);
static void compare(struct assembly *a, const struct extent *e, const struct piece *again);
static bool has_room(const struct assembly *a, size_t size, size_t slack);
static void hold(struct assembly *a, size_t size);
static void release(struct assembly *a, size_t size);
static uint32_t next_random(struct assembly_pool *pool);

void
assembly_init(struct assembly *a, struct assembly_pool *pool, uint64_t base, bool refill)
{
	*a = (struct assembly){.pool = pool, .refill = refill};
	assembly_rebase(a, base);
}

void
assembly_clear(struct assembly *a)
{
	struct extent *e;
	while ((e = extent_take_first(&a->waiting)) != NULL)
		stretch_free(a, e);
	release(a, a->head_room);
	free(a->head);
	if (a->digest != NULL)
		sha256_give(a->pool->hashes, a->digest);
	*a = (struct assembly){.pool = a->pool};
}

void
assembly_rebase(struct assembly *a, uint64_t base)
{
	if (a->seen == 0)
		a->base = a->hashed = a->next = a->end = base;
}

void
assembly_data(struct assembly *a, uint64_t offset, const uint8_t *bytes, size_t len)
{
	if (len > UINT64_MAX - offset)
		len = (size_t)(UINT64_MAX - offset);
	if (offset + len > a->end)
		a->end = offset + len;
	if (offset < a->next) {
		uint64_t known = a->next - offset;
		a->again = a->again || len > 0;
		if (known >= len)
			return;
		bytes += known;
		len -= (size_t)known;
		offset = a->next;
	}
	if (len == 0)
		return;
	if (offset == a->next)
		run_take(a, bytes, len);
	else
		wait_add(a, offset, bytes, len);
}

void
assembly_skip(struct assembly *a, uint64_t offset, uint64_t len)
{
	if (len > UINT64_MAX - offset)
		len = UINT64_MAX - offset;
	if (offset + len > a->end)
		a->end = offset + len;
	a->skipped = len > UINT64_MAX - a->skipped ? UINT64_MAX : a->skipped + len;
	if (!a->refill)
		a->blind = true;
}

void
assembly_cut(struct assembly *a, uint64_t end)
{
	if (end >= a->end)
		return;
	a->cut = true;
	a->end = end > a->base ? end : a->base;
}

void
assembly_aside(struct assembly *a, uint64_t position, const uint8_t *bytes, size_t len)
{
	if (len > 0)
		wait_add(a, position, bytes, len);
}

void
assembly_place(struct assembly *a, uint64_t from, uint64_t span, uint64_t offset)
{
	struct extent *moved = take_between(a, from, span), *e;
	while ((e = extent_take_first(&moved)) != NULL) {
		const uint64_t at = offset + (e->from - from), len = e->to - e->from;
		a->seen -= len;
		if (e->bytes != NULL)
			assembly_data(a, at, e->bytes, (size_t)len);
		else
			pass(a, at, len);
		stretch_free(a, e);
	}
}

void
assembly_drop(struct assembly *a, uint64_t from, uint64_t span, bool counts)
{
	struct extent *dropped = take_between(a, from, span), *e;
	while ((e = extent_take_first(&dropped)) != NULL) {
		if (counts)
			a->end += e->to - e->from;
		else
			a->seen -= e->to - e->from;
		stretch_free(a, e);
	}
}

void
assembly_spoil(struct assembly *a)
{
	if (a->digest != NULL)
		sha256_give(a->pool->hashes, a->digest);
	a->digest = NULL;
	if (a->hashed == a->base) /* there must be something that has none */
		a->hashed = a->next;
}

/* What waits there, taken out. */
static struct extent *
take_between(struct assembly *a, uint64_t from, uint64_t span)
{
	struct extent *below, *inside, *above;
	extent_split(a->waiting, from, &below, &above);
	extent_split(above, from + span, &inside, &above);
	a->waiting = extent_join(below, above);
	return inside;
}

/* Bytes that were seen, whose content was not kept. */
static void
pass(struct assembly *a, uint64_t offset, uint64_t len)
{
	struct extent *e;
	if (offset + len > a->end)
		a->end = offset + len;
	if (offset < a->next) {
		uint64_t known = a->next - offset < len ? a->next - offset : len;
		offset += known;
		len -= known;
	}
	a->blind = true;
	if (len > 0)
		wait_add(a, offset, NULL, (size_t)len);
	while ((e = extent_first(a->waiting)) != NULL && e->from == a->next)
		run_absorb(a, extent_take_first(&a->waiting));
}

uint64_t
assembly_missing(const struct assembly *a)
{
	uint64_t reach = a->end - a->base;
	uint64_t holes = reach > a->seen ? reach - a->seen : 0;
	return holes < a->skipped ? holes : a->skipped;
}

int
assembly_finish(struct assembly *a, uint8_t sha256[SHA256_BYTES])
{
	struct extent *e;
	if (a->next == a->base && (e = extent_first(a->waiting)) != NULL) {
		a->base = a->hashed = a->next = e->from;
		while ((e = extent_first(a->waiting)) != NULL && e->from == a->next)
			run_absorb(a, extent_take_first(&a->waiting));
	}
	if (a->digest == NULL && a->hashed == a->base && a->pool->hashes != NULL)
		a->digest = sha256_take(a->pool->hashes);
	if (a->digest == NULL)
		return -1;
	int result = sha256_finish(a->digest, sha256);
	sha256_give(a->pool->hashes, a->digest);
	a->digest = NULL;
	return result;
}

/* ---- the run ---- */

/* Bytes that begin where the run ends. What waited and came first wins over them. */
static void
run_take(struct assembly *a, const uint8_t *bytes, size_t len)
{
	const uint64_t from = a->next, to = from + len;
	struct extent *e;

	for (;;) {
		e = extent_first(a->waiting);
		uint64_t stop = e != NULL && e->from < to ? e->from : to;
		if (a->next < stop) {
			a->seen += stop - a->next;
			run_grow(a, bytes + (a->next - from), stop - a->next);
		}
		if (e == NULL || e->from > a->next)
			break;
		compare(a, e, &(struct piece){from, to, bytes});
		run_absorb(a, extent_take_first(&a->waiting));
	}
}

/* The run goes on by len bytes; bytes NULL: their content is not known, and the hash stops here. */
static void
run_grow(struct assembly *a, const uint8_t *bytes, uint64_t len)
{
	bool whole = a->hashed == a->next;
	a->next += len;
	if (!whole || bytes == NULL)
		return;
	head_keep(a, bytes, len);
	if (a->hashed == a->base && a->pool->hashes != NULL)
		a->digest = sha256_take(a->pool->hashes);
	a->hashed = a->next;
	if (a->digest != NULL && EVP_DigestUpdate(a->digest, bytes, (size_t)len) != 1) {
		sha256_give(a->pool->hashes, a->digest);
		a->digest = NULL;
	}
}

static void
run_absorb(struct assembly *a, struct extent *e)
{
	run_grow(a, e->bytes, e->to - e->from);
	stretch_free(a, e);
}

static void
head_keep(struct assembly *a, const uint8_t *bytes, uint64_t len)
{
	if (a->base != 0 || a->hashed >= ASSEMBLY_HEAD)
		return;
	/* What could not be kept leaves a hole: then nothing more is. */
	size_t room = ASSEMBLY_HEAD - a->head_len;
	size_t take = len < room ? (size_t)len : room;
	if (a->head_len < a->hashed || !head_widen(a, a->head_len + take))
		return;
	memcpy(a->head + a->head_len, bytes, take);
	a->head_len += take;
}

/* Room for n bytes of the head: as much as has come, for most files are small. False: it can't be had. */
static bool
head_widen(struct assembly *a, size_t n)
{
	if (n <= a->head_room)
		return true;
	size_t room = a->head_len == 0 ? n : n <= ASSEMBLY_HEAD / 2 ? 2 * n : ASSEMBLY_HEAD;
	if (!has_room(a, room - a->head_room, 0))
		return false;
	uint8_t *head = realloc(a->head, room);
	if (head == NULL)
		return false;
	hold(a, room - a->head_room);
	a->head = head;
	a->head_room = room;
	return true;
}

/* ---- what waits beyond the run ---- */

static void
wait_add(struct assembly *a, uint64_t from, const uint8_t *bytes, size_t len)
{
	struct piece fresh = {from, from + len, bytes};
	if (!a->blind && !has_room(a, sizeof(struct extent) + len, 0))
		wait_forget(a);

	struct extent *below, *inside, *above, *rest, *e;
	extent_split(a->waiting, fresh.from, &below, &rest);
	extent_split(rest, fresh.to, &inside, &above);

	/* What reaches in from either side came first: only what is new between them is added. */
	e = extent_last(below);
	if (e != NULL && e->to > fresh.from) {
		compare(a, e, &fresh);
		uint64_t known = (e->to < fresh.to ? e->to : fresh.to) - fresh.from;
		fresh.from += known;
		fresh.bytes = a->blind ? NULL : fresh.bytes + known;
	}
	e = extent_last(inside);
	if (e != NULL && e->to > fresh.to) {
		compare(a, e, &fresh);
		fresh.to = e->from;
		extent_split(inside, e->from, &inside, &rest);
		above = extent_join(rest, above);
	}
	if (a->blind)
		fresh.bytes = NULL;
	if (fresh.from < fresh.to)
		a->waiting = wait_between(a, below, inside, above, &fresh);
	else
		a->waiting = extent_join(extent_join(below, inside), above);
}

/*
 * Puts fresh between below and above; it covers all that is inside, which came
 * first and becomes part of it. So each call leaves at most one extent more,
 * and repeated bytes cost no more each time.
 */
static struct extent *
wait_between(struct assembly *a, struct extent *below, struct extent *inside, struct extent *above,
        struct piece *fresh)
{
	uint64_t news = fresh->to - fresh->from;
	struct extent *e, *first;

	if (inside == NULL && wait_append(a, extent_last(below), fresh)) {
		a->seen += news;
		return extent_join(below, above);
	}
	e = stretch_make(a, fresh);
	if (e == NULL) {
		a->pool->dropped++;
		return extent_join(extent_join(below, inside), above);
	}
	while ((first = extent_take_first(&inside)) != NULL) {
		news -= first->to - first->from;
		compare(a, first, fresh);
		stretch_overlay(e, first);
		stretch_free(a, first);
	}
	a->seen += news;
	if (e->bytes == NULL)
		return join_seen(a, below, e, above);
	return extent_join(extent_join(below, e), above);
}

/* Does fresh go at the end of the stretch before it? */
static bool
wait_append(struct assembly *a, struct extent *last, const struct piece *fresh)
{
	if (last == NULL || last->to != fresh->from || (last->bytes == NULL) != (fresh->bytes == NULL))
		return false;
	if (fresh->bytes != NULL) {
		uint64_t have = last->to - last->from, news = fresh->to - fresh->from;
		if (have > STRETCH_MAX || news > STRETCH_MAX - have ||
		        !stretch_widen(a, last, (size_t)(have + news)))
			return false;
		memcpy(last->bytes + have, fresh->bytes, (size_t)news);
	}
	last->to = fresh->to;
	return true;
}

/* Intervals without bytes that touch become one. */
static struct extent *
join_seen(struct assembly *a, struct extent *below, struct extent *e, struct extent *above)
{
	struct extent *near = extent_last(below);
	if (near != NULL && near->bytes == NULL && near->to == e->from) {
		extent_split(below, near->from, &below, &near);
		e->from = near->from;
		stretch_free(a, near);
	}
	near = extent_first(above);
	if (near != NULL && near->bytes == NULL && near->from == e->to) {
		near = extent_take_first(&above);
		e->to = near->to;
		stretch_free(a, near);
	}
	return extent_join(extent_join(below, e), above);
}

/* Memory is out: the hash of this file is lost, so no byte of it needs to wait any longer. */
static void
wait_forget(struct assembly *a)
{
	struct extent *kept = NULL, *e;

	a->blind = true;
	a->pool->blinded++;
	while ((e = extent_take_first(&a->waiting)) != NULL) {
		stretch_drop_bytes(a, e);
		kept = join_seen(a, kept, e, NULL);
	}
	a->waiting = kept;
}

/* ---- one stretch ---- */

/* A copy of fresh; without its bytes where memory is out. NULL: not even that. */
static struct extent *
stretch_make(struct assembly *a, const struct piece *fresh)
{
	if (!has_room(a, sizeof(struct extent), INTERVAL_SLACK))
		return NULL;
	struct extent *e = malloc(sizeof *e);
	if (e == NULL)
		return NULL;
	*e = (struct extent){
	        .from = fresh->from, .to = fresh->to, .priority = next_random(a->pool)};
	hold(a, sizeof *e);

	size_t len = (size_t)(e->to - e->from);
	if (fresh->bytes != NULL && has_room(a, len, 0) && (e->bytes = malloc(len)) != NULL) {
		hold(a, len);
		e->room = len;
		memcpy(e->bytes, fresh->bytes, len);
	}
	return e;
}

/* Makes room for n bytes. False: it can't, or may not. */
static bool
stretch_widen(struct assembly *a, struct extent *e, size_t n)
{
	if (n <= e->room)
		return true;
	size_t room = n > STRETCH_MAX / 2 ? STRETCH_MAX : n * 2;
	if (!has_room(a, room - e->room, 0))
		return false;
	uint8_t *bytes = realloc(e->bytes, room);
	if (bytes == NULL)
		return false;
	hold(a, room - e->room);
	e->bytes = bytes;
	e->room = room;
	return true;
}

/* The bytes of first, which came first and lies within e, replace those of e. */
static void
stretch_overlay(struct extent *e, const struct extent *first)
{
	size_t len = (size_t)(first->to - first->from);
	if (e->bytes != NULL && first->bytes != NULL)
		memcpy(e->bytes + (first->from - e->from), first->bytes, len);
}

static void
stretch_drop_bytes(struct assembly *a, struct extent *e)
{
	free(e->bytes);
	release(a, e->room);
	e->bytes = NULL;
	e->room = 0;
}

static void
stretch_free(struct assembly *a, struct extent *e)
{
	stretch_drop_bytes(a, e);
	release(a, sizeof *e);
	free(e);
}

/* Counts it where what comes again differs from what came first. */
static void
compare(struct assembly *a, const struct extent *e, const struct piece *again)
{
	uint64_t from = e->from > again->from ? e->from : again->from;
	uint64_t to = e->to < again->to ? e->to : again->to;
	if (from >= to)
		return;
	if (e->bytes == NULL || again->bytes == NULL) {
		a->again = true;
		return;
	}
	if (memcmp(e->bytes + (from - e->from), again->bytes + (from - again->from),
	            (size_t)(to - from)) == 0)
		return;
	a->again = true;
	a->pool->conflicts++;
}

/* ---- memory ---- */

/* slack: what may be held beyond the limits, as one part in so many; 0: nothing. */
static bool
has_room(const struct assembly *a, size_t size, size_t slack)
{
	const struct assembly_pool *pool = a->pool;
	size_t each = pool->each + (slack > 0 ? pool->each / slack : 0);
	size_t limit = pool->limit + (slack > 0 ? pool->limit / slack : 0);
	return a->held < each && size <= each - a->held && pool->held < limit &&
	       size <= limit - pool->held;
}

static void
hold(struct assembly *a, size_t size)
{
	a->held += size;
	a->pool->held += size;
}

static void
release(struct assembly *a, size_t size)
{
	a->held -= size;
	a->pool->held -= size;
}

/* Xorshift (Marsaglia 2003, 13-17-5): the shape of a treap needs no more. */
static uint32_t
next_random(struct assembly_pool *pool)
{
	uint32_t x = pool->random;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return pool->random = x;
}
