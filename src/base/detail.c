#include "config.h"

#include "base/detail.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 64 };

struct details {
	uint32_t len, room; /* of bytes */
	uint8_t bytes[];    /* entries, one behind the other */
};

/* Followed, where it is no number, by the text and a zero. Not aligned. */
struct entry {
	const char *key;
	uint64_t number;
	uint16_t len; /* of the text with its zero; 0: a number */
};

static struct details *grow(struct details **d, size_t more);
static size_t find_number(struct details *d, const char *key);
static size_t entry_at(const struct details *d, size_t at, struct detail *out);
static bool may_add(const struct details *d, const char *key, const char *utf8, bool *known);
static int add(struct details **d, const struct entry *e, const char *utf8);

void
details_free(struct details *d)
{
	free(d);
}

int
details_text(struct details **d, const char *key, const char *utf8)
{
	const size_t len = strlen(utf8) + 1;
	bool known = false;
	if (len > UINT16_MAX || !may_add(*d, key, utf8, &known))
		return -1;
	return known ? 0 : add(d, &(struct entry){.key = key, .len = (uint16_t)len}, utf8);
}

int
details_number(struct details **d, const char *key, uint64_t number)
{
	struct entry e = {.key = key, .number = number};
	bool known = false;
	const size_t at = *d != NULL ? find_number(*d, key) : 0;
	if (*d != NULL && at < (*d)->len) {
		memcpy((*d)->bytes + at, &e, sizeof e);
		return 0;
	}
	return may_add(*d, key, NULL, &known) ? add(d, &e, NULL) : -1;
}

size_t
details_list(const struct details *d, struct detail out[DETAIL_MAX])
{
	size_t count = 0;
	for (size_t at = 0; d != NULL && at < d->len && count < DETAIL_MAX;) {
		struct detail next;
		at += entry_at(d, at, &next);
		size_t place = count;
		while (place > 0 && strcmp(out[place - 1].key, next.key) != 0)
			place--;
		if (place == 0)
			place = count;
		memmove(out + place + 1, out + place, (count - place) * sizeof *out);
		out[place] = next;
		count++;
	}
	return count;
}

struct details *
details_keep(struct arena *a, const struct details *d)
{
	return d != NULL ? arena_copy(a, d, sizeof *d + d->len) : NULL;
}

/* Where the key's number stands; the block's length: nowhere. */
static size_t
find_number(struct details *d, const char *key)
{
	struct detail found;
	size_t at = 0, size;
	for (; at < d->len; at += size) {
		size = entry_at(d, at, &found);
		if (found.text == NULL && strcmp(found.key, key) == 0)
			break;
	}
	return at;
}

/* Reads an entry; its size. */
static size_t
entry_at(const struct details *d, size_t at, struct detail *out)
{
	struct entry e;
	memcpy(&e, d->bytes + at, sizeof e);
	*out = (struct detail){.key = e.key, .number = e.number,
	        .text = e.len > 0 ? (const char *)d->bytes + at + sizeof e : NULL};
	return sizeof e + e.len;
}

/* Is there room for one more? known: it stands there already. */
static bool
may_add(const struct details *d, const char *key, const char *utf8, bool *known)
{
	struct detail found;
	size_t all = 0, same = 0;
	for (size_t at = 0; d != NULL && at < d->len; all++) {
		at += entry_at(d, at, &found);
		if (strcmp(found.key, key) != 0)
			continue;
		same++;
		*known = *known || (utf8 != NULL && found.text != NULL && strcmp(found.text, utf8) == 0);
	}
	return *known || (all < DETAIL_MAX && same < DETAIL_VALUES_MAX);
}

static int
add(struct details **d, const struct entry *e, const char *utf8)
{
	struct details *grown = grow(d, sizeof *e + e->len);
	if (grown == NULL)
		return -1;
	memcpy(grown->bytes + grown->len, e, sizeof *e);
	if (e->len > 0)
		memcpy(grown->bytes + grown->len + sizeof *e, utf8, e->len);
	grown->len += (uint32_t)(sizeof *e + e->len);
	return 0;
}

static struct details *
grow(struct details **d, size_t more)
{
	const size_t len = *d != NULL ? (*d)->len : 0;
	if (*d != NULL && len + more <= (*d)->room)
		return *d;
	const size_t room = (len + more + STEP - 1) / STEP * STEP;
	struct details *grown = realloc(*d, sizeof *grown + room);
	if (grown == NULL)
		return NULL;
	grown->len = (uint32_t)len;
	grown->room = (uint32_t)room;
	*d = grown;
	return grown;
}
