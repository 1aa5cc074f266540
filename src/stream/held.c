#include "config.h"

/*
 * The skip list: each segment stands in the lowest list, and by chance in some of those above
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/held.h"

static struct held **find(const struct held_list *l, uint64_t offset,
        struct held **links[HELD_LEVELS]);

/*
 * Fills links with the pointers, from the highest level down, that lead to the first segment which
 * ends behind offset; the lowest one is returned.
 */
static struct held **
find(const struct held_list *l, uint64_t offset, struct held **links[HELD_LEVELS])
{
	struct held *const *from = l->first;
	for (unsigned level = HELD_LEVELS; level-- > 0;) {
		while (from[level] != NULL && held_end(from[level]) <= offset)
			from = from[level]->next;
		links[level] = (struct held **)(uintptr_t)(from + level);
	}
	return links[0];
}

struct held *
held_seek(const struct held_list *l, uint64_t offset)
{
	struct held **links[HELD_LEVELS];
	return *find(l, offset, links);
}

size_t
held_cost(uint32_t len)
{
	enum { MALLOC_HEAD = 16, USUAL_LEVELS = 1 };
	return sizeof(struct held) + USUAL_LEVELS * sizeof(struct held *) + len + MALLOC_HEAD;
}

struct held *
held_insert(struct held_list *l, uint64_t offset, const uint8_t *bytes, uint32_t len, uint32_t cut,
        uint64_t random)
{
	unsigned levels = 1;
	for (; levels < HELD_LEVELS && (random & 3) == 0; random >>= 2)
		levels++;
	struct held *h = malloc(sizeof *h + levels * sizeof(struct held *) + len);
	if (h == NULL)
		return NULL;
	*h = (struct held){.offset = offset, .len = len, .cut = cut, .levels = levels};
	if (len > 0)
		memcpy(h->next + levels, bytes, len);

	struct held **links[HELD_LEVELS];
	(void)find(l, offset, links);
	for (unsigned level = 0; level < levels; level++) {
		h->next[level] = *links[level];
		*links[level] = h;
	}
	return h;
}

struct held *
held_take(struct held_list *l)
{
	struct held *h = l->first[0];
	for (unsigned level = 0; h != NULL && level < h->levels; level++)
		l->first[level] = h->next[level];
	return h;
}
