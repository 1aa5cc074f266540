/* For tests of attribution: a snapshot out of a list's text, and what was noted on the way. */
#ifndef TESTS_ATTRIBUTION_HELP_H
#define TESTS_ATTRIBUTION_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attribution/attribution.h"
#include "base/clock.h"

struct heard {
	char text[8192]; /* every note, a line each */
	unsigned errors;
};

static inline void
hear(void *ctx, bool error, const char *note)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);
	snprintf(h->text + used, sizeof h->text - used, "%s\n", note);
	h->errors += error;
}

/* A file with these bytes; path receives its name, for unlink. */
static inline void
write_temporary(char path[32], const void *bytes, size_t len)
{
	strcpy(path, "/tmp/waybill-test-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* Loads one list, as its configuration l says, beside the product's. */
static inline struct attribution *
load_list_text(const char *text, struct list_conf l, struct heard *h)
{
	char path[32];
	memset(h, 0, sizeof *h);
	write_temporary(path, text, strlen(text));
	l.path = path;
	const struct attribution_conf conf = {.no_auto_detect = true, .lists = &l, .list_count = 1};
	struct attribution *a = attribution_load(&conf, hear, h);
	assert_non_null(a);
	unlink(path);
	return a;
}

static inline struct addr
address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static inline int64_t
when(const char *text)
{
	int64_t time;
	assert_int_equal(clock_parse(text, &time), 0);
	return time;
}

/* What the lists say of an address at a time, with its place looked up. */
static inline struct listing
listing_of(struct attribution *a, const char *text, const char *time, const struct exchange *e)
{
	struct addr addr = address(text);
	struct place place;
	struct listing l;
	attribution_place(a, &addr, &place);
	attribution_listing(a, &addr, &place, when(time), e, &l);
	return l;
}

static inline bool
has_reason(const struct listing *l, const char *part)
{
	for (size_t i = 0; i < l->reason_count; i++) {
		if (strstr(l->reasons[i], part) != NULL)
			return true;
	}
	return false;
}

#endif
