/*
 * Country, network owner and flags out of one database, whatever its maker's schema: MaxMind (GeoIP2, GeoLite2),
 * DB-IP, IPinfo, ip-location-db, and the one that waybill builds.
 */
#ifndef WAYBILL_ATTRIBUTION_GEO_H
#define WAYBILL_ATTRIBUTION_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attribution/mmdb.h"

struct geo;

/* What one record says. Empty and 0: nothing. */
struct geo_facts {
	char country[3];
	char registered[3];
	uint32_t asn;
	const uint8_t *org; /* in the database; bytes, not checked */
	size_t org_len;
	unsigned flags;     /* PLACE_ANONYMOUS, PLACE_SATELLITE, PLACE_ANYCAST */
};

/* What a policy wants listed: countries and origin ASNs. */
struct geo_wanted {
	const char *const *countries;
	size_t country_count;
	const uint32_t *asns;
	size_t asn_count;
};

struct geo_coverage {
	bool country, asn, flags; /* what some record of it has */
	size_t networks;
};

/*
 * Takes over an opened database, and goes once through all of it: a broken one, and one from which
 * nothing can be read, is refused. found (may be NULL) is shown every network whose record has a
 * wanted country (index, or -1) or ASN (index, or -1). NULL and *reason on refusal; m is closed then.
 */
typedef void geo_found_fn(void *ctx, const struct addr *network, unsigned bits, int country, int asn);
struct geo *geo_create(struct mmdb *m, const struct geo_wanted *wanted, geo_found_fn *found, void *ctx,
        const char **reason);
void geo_destroy(struct geo *g); /* takes NULL */

void geo_describe(const struct geo *g, struct mmdb_about *about, struct geo_coverage *coverage);

/* The facts about a; false: no record. Either holds for a's network of bits (mmdb_find). */
bool geo_find(const struct geo *g, const struct addr *a, struct geo_facts *out, unsigned *bits);

#endif
