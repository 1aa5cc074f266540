#include "config.h"

#include "proto/tls_pieces.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 2048 };

struct extent {
	uint32_t from, to;
};

struct tls_pieces {
	uint8_t *bytes;
	size_t size;
	size_t count;
	struct extent have[TLS_PIECES_MAX]; /* in order, none touching the next */
};

static int reserve(struct tls_pieces *p, size_t size);
static void fill(struct tls_pieces *p, struct extent e, const uint8_t *bytes, size_t at, size_t end);
static void replace(struct tls_pieces *p, struct extent e, size_t at, size_t end);

int
tls_pieces_add(struct tls_pieces **pieces, uint64_t offset, const uint8_t *bytes, size_t len)
{
	if (offset > TLS_PIECES_BYTES_MAX || len > TLS_PIECES_BYTES_MAX - offset)
		return -1;
	if (len == 0)
		return 0;
	if (*pieces == NULL && (*pieces = calloc(1, sizeof **pieces)) == NULL)
		return -1;
	struct tls_pieces *p = *pieces;
	const struct extent e = {(uint32_t)offset, (uint32_t)(offset + len)};
	size_t at = 0;
	while (at < p->count && p->have[at].to < e.from)
		at++;
	size_t end = at; /* behind the last that it touches */
	while (end < p->count && p->have[end].from <= e.to)
		end++;
	if ((at == end && p->count == TLS_PIECES_MAX) || reserve(p, e.to) != 0)
		return -1;
	fill(p, e, bytes, at, end);
	replace(p, e, at, end);
	return 0;
}

size_t
tls_pieces_front(const struct tls_pieces *p, const uint8_t **bytes)
{
	if (p == NULL || p->count == 0 || p->have[0].from > 0)
		return 0;
	*bytes = p->bytes;
	return p->have[0].to;
}

void
tls_pieces_destroy(struct tls_pieces *p)
{
	if (p == NULL)
		return;
	free(p->bytes);
	free(p);
}

static int
reserve(struct tls_pieces *p, size_t len)
{
	size_t size = p->size > 0 ? p->size : FIRST_SIZE;
	while (size < len)
		size *= 2;
	if (size == p->size)
		return 0;
	uint8_t *bytes = realloc(p->bytes, size);
	if (bytes == NULL)
		return -1;
	p->bytes = bytes;
	p->size = size;
	return 0;
}

/* Copies what is in none of the extents from at to end. */
static void
fill(struct tls_pieces *p, struct extent e, const uint8_t *bytes, size_t at, size_t end)
{
	uint32_t next = e.from;
	for (; at < end; at++) {
		if (p->have[at].from > next)
			memcpy(p->bytes + next, bytes + (next - e.from), p->have[at].from - next);
		if (p->have[at].to > next)
			next = p->have[at].to;
	}
	if (e.to > next)
		memcpy(p->bytes + next, bytes + (next - e.from), e.to - next);
}

/* Puts one extent where those from at to end were, which it touches. */
static void
replace(struct tls_pieces *p, struct extent e, size_t at, size_t end)
{
	if (at < end) {
		if (p->have[at].from < e.from)
			e.from = p->have[at].from;
		if (p->have[end - 1].to > e.to)
			e.to = p->have[end - 1].to;
	}
	memmove(p->have + at + 1, p->have + end, (p->count - end) * sizeof p->have[0]);
	p->have[at] = e;
	p->count = p->count + 1 - (end - at);
}
