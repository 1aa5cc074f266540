/*
 * What waybill check finds: a line for a person, or one JSON object a line, and how bad it is.
 */
#ifndef WAYBILL_CHECK_FINDINGS_H
#define WAYBILL_CHECK_FINDINGS_H

#include <stdbool.h>
#include <stdio.h>

enum finding {
	FINDING_OK,      /* a fact */
	FINDING_NOTE,    /* worth knowing */
	FINDING_WARNING, /* it works, and not as well as it could */
	FINDING_PROBLEM, /* it will not work */
};

struct findings {
	FILE *out;
	bool json;
	unsigned warnings, problems; /* so many were told */
};

/* what: a word such as "interface"; fix: the command or the line that mends it, or NULL. Text is escaped. */
void findings_say(struct findings *f, enum finding level, const char *what, const char *fix, const char *format, ...)
        __attribute__((format(printf, 5, 6)));

/* The last line: how many of each. */
void findings_end(struct findings *f);

/* Bytes as people read them, in powers of 1000: "64 MB"; returns text. */
enum { FINDINGS_SIZE_MAX = 24 };
const char *findings_size(double bytes, char text[FINDINGS_SIZE_MAX]);

#endif
