/* waybill lookup: what is known of an address or of a host's name, for a person or as JSON. */
#ifndef WAYBILL_LOOKUP_H
#define WAYBILL_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "attribution/attribution.h"

/*
 * Answers for each address as of a time (ns): all that compliance would ask about it, or, with json, one
 * object a line with the members that an event has. Of a name only its service is known. Words that are neither are
 * named on errors and the others still answered. The exit status: 0; 1 when the output cannot be written; 2 when a
 * word was neither.
 */
int lookup_run(struct attribution *a, const char *const *words, size_t count, int64_t at, bool json, FILE *out,
        FILE *errors);

#endif
