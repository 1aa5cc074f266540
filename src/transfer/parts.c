/*
 * Parts are kept in the order of their numbers; those that have a place are the first of them. Parts with names all wait
 * for the list that orders them. Where that would take too much memory, they are taken to be listed in the order in
 * which they came, and the hash is lost if they are not.
 */
#include "config.h"

#include "transfer/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "transfer/assembly.h"
#include "transfer/waybill.h"

enum {
	PARTS_MAX = 50000,  /* as many as Azure allows; S3 10,000 */
	NUMBER_MAX = 100000,
	ASIDE_SHIFT = 44,   /* each part may be so large: 16 TB */
};

#define ASIDE_FIRST (UINT64_C(1) << 63) /* no file reaches here */

struct part {
	uint32_t number;
	bool size_known;
	bool placed;
	bool listed; /* by name */
	uint64_t size;
	uint64_t base; /* placed: where it begins in the file */
};

struct parts {
	struct part *part;
	size_t count, room;
	size_t placed;         /* so many of the first have a place */
	uint32_t expected;     /* how many there are; 0: not known */
	struct table *names;   /* their numbers by their names; NULL: they have none */
	bool taken_in_order;   /* those with names stand as they came, it is hoped */
	bool spoiled;  /* it came again and differed, or was left out: which bytes the file has is not known */
	bool finished;
};

static struct part *find(const struct parts *p, uint32_t number);
static size_t position(const struct parts *p, uint32_t number);
static struct part *insert(struct parts *p, uint32_t number);
static uint64_t aside(uint32_t number);
static struct parts *have(struct waybill *w);
static void place(struct waybill *w, bool all);
static void settle_size(struct waybill *w);
static bool place_listed(struct waybill *w, const struct part_name *names, size_t count);
static void drop_unlisted(struct waybill *w);
static void keep_listed(struct waybill *w, const uint32_t *numbers, size_t count);

void
parts_destroy(struct parts *p)
{
	if (p != NULL) {
		free(p->part);
		table_destroy(p->names);
	}
	free(p);
}

void
parts_add(struct waybill *w, uint32_t number)
{
	if (have(w) == NULL || find(w->numbered, number) != NULL)
		return;
	if (number > NUMBER_MAX || insert(w->numbered, number) == NULL)
		w->numbered->spoiled = true;
	place(w, false);
}

uint32_t
parts_add_named(struct waybill *w, const void *name, size_t len)
{
	struct parts *p = have(w);
	if (p != NULL && p->names == NULL && p->count == 0)
		p->names = table_create(PARTS_MAX);
	if (p == NULL || p->names == NULL || p->finished)
		return 0;
	const uint32_t known = (uint32_t)(uintptr_t)table_get(p->names, name, len);
	if (known != 0)
		return known;
	const uint32_t number = (uint32_t)p->count + 1;
	if (table_put(p->names, name, len, (void *)(uintptr_t)number, NULL) < 0 || insert(p, number) == NULL) {
		(void)table_remove(p->names, name, len);
		p->spoiled = true;
		return 0;
	}
	place(w, false);
	return number;
}

void
parts_expect(struct waybill *w, uint32_t count)
{
	if (w->numbered != NULL && count <= PARTS_MAX)
		w->numbered->expected = count;
}

void
parts_size(struct waybill *w, uint32_t number, uint64_t size)
{
	struct part *part = find(w->numbered, number);
	if (part == NULL || size >> ASIDE_SHIFT != 0)
		return;
	if (part->size_known && part->size != size)
		w->numbered->spoiled = true;
	if (part->size_known)
		return;
	part->size_known = true;
	part->size = size;
	place(w, false);
	settle_size(w);
}

void
parts_data(struct waybill *w, uint32_t number, uint64_t offset, const uint8_t *bytes, size_t len)
{
	const struct part *part = find(w->numbered, number);
	if (part == NULL || offset >> ASIDE_SHIFT != 0)
		return;
	if (part->size_known && len > part->size - (offset < part->size ? offset : part->size))
		len = (size_t)(part->size - (offset < part->size ? offset : part->size));
	if (len == 0)
		return;
	if (w->numbered->names != NULL && !w->numbered->taken_in_order && w->assembly.held > w->assembly.pool->each / 2) {
		w->numbered->taken_in_order = true;
		place(w, false);
	}
	if (part->placed)
		assembly_data(&w->assembly, part->base + offset, bytes, len);
	else
		assembly_aside(&w->assembly, aside(number) + offset, bytes, len);
}

void
parts_skip(struct waybill *w, uint32_t number, uint64_t offset, uint64_t len)
{
	const struct part *part = find(w->numbered, number);
	if (part != NULL && part->placed && offset >> ASIDE_SHIFT == 0)
		assembly_skip(&w->assembly, part->base + offset, len);
}

bool
parts_finish(struct waybill *w, const uint32_t *numbers, size_t count, bool given_up)
{
	struct parts *p = w->numbered;
	uint64_t size = 0;
	bool known = true;

	if (p == NULL || p->finished)
		return true;
	p->finished = true;
	if (given_up)
		return true;
	if (count > 0)
		keep_listed(w, numbers, count);
	place(w, true);
	for (size_t i = 0; i < p->count; i++) {
		known = known && p->part[i].size_known;
		size += p->part[i].size;
	}
	if (known && !w->record.size_known) {
		w->record.size_known = true;
		w->record.size = size;
	}
	if (known && p->spoiled)
		assembly_cut(&w->assembly, size);
	return known;
}

bool
parts_finish_named(struct waybill *w, const struct part_name *names, size_t count)
{
	struct parts *p = w->numbered;
	if (p == NULL || p->finished || p->names == NULL)
		return true;
	p->finished = true;
	const bool known = place_listed(w, names, count);
	drop_unlisted(w);
	if (known && p->spoiled)
		assembly_cut(&w->assembly, w->record.size);
	return known;
}

bool
parts_finished(const struct waybill *w)
{
	return w->numbered != NULL && w->numbered->finished;
}

void
parts_settle(struct waybill *w)
{
	struct parts *p = w->numbered;
	for (size_t i = 0; i < p->count; i++)
		if (!p->part[i].placed)
			assembly_drop(&w->assembly, aside(p->part[i].number), UINT64_C(1) << ASIDE_SHIFT, true);
	if (p->spoiled)
		assembly_spoil(&w->assembly);
}

/* ---- the order of parts ---- */

static struct parts *
have(struct waybill *w)
{
	if (w->numbered == NULL)
		w->numbered = calloc(1, sizeof *w->numbered);
	return w->numbered;
}

static struct part *
find(const struct parts *p, uint32_t number)
{
	size_t at = p != NULL ? position(p, number) : 0;
	return p != NULL && at < p->count && p->part[at].number == number ? &p->part[at] : NULL;
}

/* Of the first part whose number is not lower. */
static size_t
position(const struct parts *p, uint32_t number)
{
	size_t low = 0, high = p->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->part[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct part *
insert(struct parts *p, uint32_t number)
{
	size_t at = position(p, number);
	if (p->count == PARTS_MAX)
		return NULL;
	if (p->count == p->room) {
		size_t room = p->room > 0 ? p->room * 2 : 8;
		struct part *more = realloc(p->part, room * sizeof *more);
		if (more == NULL)
			return NULL;
		p->part = more;
		p->room = room;
	}
	memmove(p->part + at + 1, p->part + at, (p->count - at) * sizeof *p->part);
	p->part[at] = (struct part){.number = number};
	p->count++;
	return &p->part[at];
}

static uint64_t
aside(uint32_t number)
{
	return ASIDE_FIRST + ((uint64_t)number << ASIDE_SHIFT);
}

/* Those that follow a placed one without a hole in the numbers, from 1 on; all: holes mean nothing. */
static void
place(struct waybill *w, bool all)
{
	struct parts *p = w->numbered;
	if (p->names != NULL && !p->taken_in_order)
		return;
	for (size_t i = p->placed; i < p->count; i++) {
		struct part *part = &p->part[i], *before = i > 0 ? part - 1 : NULL;
		if (before != NULL ? !before->size_known || (part->number != before->number + 1 && !all)
		                   : part->number != 1 && !all)
			return;
		part->placed = true;
		p->placed = i + 1;
		part->base = before != NULL ? before->base + before->size : 0;
		assembly_place(&w->assembly, aside(part->number), UINT64_C(1) << ASIDE_SHIFT, part->base);
	}
}

/* All that there should be are there. */
static void
settle_size(struct waybill *w)
{
	const struct parts *p = w->numbered;
	uint64_t size = 0;
	if (p->expected == 0 || p->count != p->expected || p->part[p->count - 1].number != p->expected)
		return;
	for (size_t i = 0; i < p->count; i++) {
		if (!p->part[i].size_known)
			return;
		size += p->part[i].size;
	}
	w->record.size_known = true;
	w->record.size = size;
}

/* Behind a part of unknown size, or one that is listed a second time, nothing has a place. False: there is one. */
static bool
place_listed(struct waybill *w, const struct part_name *names, size_t count)
{
	struct parts *p = w->numbered;
	uint64_t at = 0;
	bool known = true;
	for (size_t i = 0; i < count; i++) {
		const uintptr_t number = (uintptr_t)table_get(p->names, names[i].bytes, names[i].len);
		struct part *part = number != 0 ? find(p, (uint32_t)number) : NULL;
		known = known && part != NULL && !part->listed;
		if (part != NULL)
			part->listed = true;
		if (!known)
			continue;
		if (part->placed && part->base != at)
			p->spoiled = true;
		if (!part->placed)
			assembly_place(&w->assembly, aside(part->number), UINT64_C(1) << ASIDE_SHIFT, at);
		part->placed = true;
		part->base = at;
		at += part->size;
		known = part->size_known;
	}
	if (known) {
		w->record.size_known = true;
		w->record.size = at;
	}
	return known;
}

static void
drop_unlisted(struct waybill *w)
{
	struct parts *p = w->numbered;
	for (size_t i = 0; i < p->count; i++) {
		struct part *part = &p->part[i];
		if (part->listed)
			continue;
		p->spoiled = p->spoiled || part->placed;
		assembly_drop(&w->assembly, aside(part->number), UINT64_C(1) << ASIDE_SHIFT, false);
		part->placed = true; /* it is no longer waiting */
	}
}

/* Parts that were sent and are not listed are not in the file; listed ones that nobody saw have no known size. */
static void
keep_listed(struct waybill *w, const uint32_t *numbers, size_t count)
{
	struct parts *p = w->numbered;
	size_t kept = 0, at = 0;
	p->placed = 0;
	for (size_t i = 0; i < p->count; i++) {
		struct part *part = &p->part[i];
		while (at < count && numbers[at] < part->number)
			at++;
		if (at < count && numbers[at] == part->number) {
			p->placed += part->placed;
			p->part[kept++] = *part;
			continue;
		}
		p->spoiled = p->spoiled || part->placed;
		assembly_drop(&w->assembly, aside(part->number), UINT64_C(1) << ASIDE_SHIFT, false);
	}
	p->count = kept;
	for (size_t i = 0; i < count; i++)
		if (numbers[i] <= NUMBER_MAX && find(p, numbers[i]) == NULL && insert(p, numbers[i]) == NULL)
			p->spoiled = true;
}
