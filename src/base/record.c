#include "config.h"

#include "base/record.h"

#include <ctype.h>
#include <netinet/in.h>

static bool only_resets(const struct flow_record *r, enum side s);

bool
flow_record_refused(const struct flow_record *r)
{
	if (r->transport != IPPROTO_TCP || r->handshake)
		return false;
	for (int s = SIDE_SOURCE; s <= SIDE_DESTINATION; s++) {
		uint64_t packets = r->side[side_other((enum side)s)].packets;
		if (packets > 0 && r->side[s].packets >= packets && only_resets(r, (enum side)s))
			return true;
	}
	return false;
}

void
flow_record_turn(struct flow_record *r)
{
	struct endpoint source = r->side[SIDE_SOURCE];

	r->side[SIDE_SOURCE] = r->side[SIDE_DESTINATION];
	r->side[SIDE_DESTINATION] = source;
	const struct flow_outer outer = r->outer;
	for (int i = 0; i < 2; i++) {
		r->outer.addr[i] = outer.addr[!i];
		r->outer.port[i] = outer.port[!i];
	}
	for (char *at = r->history; *at != '\0'; at++)
		*at = (char)(isupper((unsigned char)*at) ? tolower((unsigned char)*at) : toupper((unsigned char)*at));
}

/* By its letters: upper case is the source's, R a reset. */
static bool
only_resets(const struct flow_record *r, enum side s)
{
	bool resets = false;
	for (const char *at = r->history; *at != '\0'; at++) {
		bool source = isupper((unsigned char)*at);
		if (source != (s == SIDE_SOURCE))
			continue;
		if (toupper((unsigned char)*at) != 'R')
			return false;
		resets = true;
	}
	return resets;
}
