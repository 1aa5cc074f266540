#include "config.h"

#include "condition.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

bool
condition_sentence(const struct output_condition *c, char *out, size_t size)
{
	char since[CLOCK_TEXT_MAX];
	if (c->events_since == 0 && c->alerts_lost == 0 && c->events_lost == 0)
		return false;
	if (c->events_since != 0)
		snprintf(out, size, "events could not be written for %" PRId64 " s in all, first at %.19sZ: %" PRIu64
		    " lost, %" PRIu64 " of them alerts or coverage", c->events_failing / CLOCK_SECOND,
		    clock_format(c->events_since, since), c->events_lost, c->alerts_lost);
	else
		snprintf(out, size, "%" PRIu64 " events and %" PRIu64 " alerts could not be kept and are lost", c->events_lost,
		    c->alerts_lost);
	return true;
}
