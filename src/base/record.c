#include "config.h"

#include "base/record.h"

#include <ctype.h>

void
flow_record_turn(struct flow_record *r)
{
	struct endpoint source = r->side[SIDE_SOURCE];

	r->side[SIDE_SOURCE] = r->side[SIDE_DESTINATION];
	r->side[SIDE_DESTINATION] = source;
	for (char *at = r->history; *at != '\0'; at++)
		*at = (char)(isupper((unsigned char)*at) ? tolower((unsigned char)*at) : toupper((unsigned char)*at));
}
