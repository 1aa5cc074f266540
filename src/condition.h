/* What a run must admit of its own condition, in sentences. */
#ifndef WAYBILL_CONDITION_H
#define WAYBILL_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "output/output.h"

/* For the coverage: events and alerts that could not be written for a while, or at all. False: nothing is to be said. */
bool condition_sentence(const struct output_condition *c, char *out, size_t size);

#endif
