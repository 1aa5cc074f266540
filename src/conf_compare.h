/* What of a configuration takes effect only at the start. */
#ifndef WAYBILL_CONF_COMPARE_H
#define WAYBILL_CONF_COMPARE_H

#include <stddef.h>

#include "conf.h"

enum { CONF_PARTS = 9 };

/* The names of the parts, as in the file, in which b differs from a so that it takes a restart. How many. */
size_t conf_restart(const struct conf *a, const struct conf *b, const char *part[CONF_PARTS]);

#endif
