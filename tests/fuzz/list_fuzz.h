/* What the fuzz targets of the list formats share: one list's bytes into rows, and into the table. */
#ifndef TESTS_LIST_FUZZ_H
#define TESTS_LIST_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "attribution/list.h"

static inline void
fuzz_list(enum list_format format, const uint8_t *bytes, size_t len)
{
	static const char *const wanted[] = {"KP", "IR"};
	struct arena arena;
	arena_init(&arena, 64 * 1024 * 1024);
	struct rows rows = {.arena = &arena};
	struct origins origins = {0};
	struct list list = {.path = "fuzz", .name = "fuzz", .digest = "", .format = format, .wanted = wanted,
	        .wanted_count = 2, .rows = &rows, .origins = &origins};
	char *text = malloc(len + 1);
	if (text != NULL) {
		memcpy(text, bytes, len);
		text[len] = '\0';
		(void)list_read(&list, text, len);
		free(text);
	}
	/* What was read must be a network: its bits fit, and none is set behind them. */
	for (size_t i = 0; i < rows.count; i++) {
		const struct listing_row *r = &rows.row[i]->listed;
		struct addr again;
		unsigned bits;
		if (rows_parse_network(r->network_text, &again, &bits) != NULL || bits != r->bits ||
		        !addr_equal(&again, &r->network) || r->jurisdiction == NULL || r->valid_from >= r->valid_until)
			abort();
	}
	origins_sort(&origins);
	origins_clear(&origins);
	rows_clear(&rows);
	arena_clear(&arena);
}

#endif
