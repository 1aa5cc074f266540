#include "config.h"

#include "proto/owed.h"

#include <stdlib.h>

void
owed_add(struct owed *o, uint8_t verb)
{
	if (o->verbs == NULL && (o->verbs = malloc(OWED_MAX)) == NULL)
		return;
	if (o->count == OWED_MAX)
		o->count = 0;
	o->verbs[(o->first + o->count++) % OWED_MAX] = verb;
}

uint8_t
owed_take(struct owed *o)
{
	const uint8_t verb = o->verbs[o->first];
	o->first = (uint16_t)((o->first + 1) % OWED_MAX);
	o->count--;
	return verb;
}

void
owed_clear(struct owed *o)
{
	free(o->verbs);
	*o = (struct owed){.verbs = NULL};
}
