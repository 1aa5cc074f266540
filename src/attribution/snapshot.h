/* What attribution_load makes, for the files of this stage. Read-only after loading but for what says otherwise. */
#ifndef WAYBILL_ATTRIBUTION_SNAPSHOT_H
#define WAYBILL_ATTRIBUTION_SNAPSHOT_H

#include "attribution/attribution.h"
#include "attribution/geo.h"
#include "attribution/prefix.h"
#include "attribution/rows.h"
#include "attribution/services.h"
#include "base/arena.h"
#include "base/hash.h"

/* A network of the table: its rows, those of one list together. */
struct node {
	struct row **row;
	size_t count;
	bool listed; /* it or a network around it has a row that can count */
};

struct database {
	struct geo *geo;
	bool embedded;
};

struct home {
	struct addr network;
	unsigned bits;
};

enum { COUNTRY_CODES = 26 * 26 };

struct attribution {
	struct arena arena;
	struct rows rows;
	struct origins origins;
	const char **jurisdictions;
	size_t jurisdiction_count;

	struct prefix_table *table;
	struct node *nodes;       /* by number in the table */
	struct row **node_rows;   /* what nodes point into */

	struct database *databases; /* the one that wins first */
	struct attribution_database *database_facts;
	size_t database_count;
	struct attribution_list *lists;
	size_t list_count;
	struct services services;

	const char **troubles;    /* errors told while loading */
	size_t trouble_count;

	struct home *homes;       /* none: private ranges */
	size_t home_count;

	/* Grow with use, bounded. */
	struct place_cache *cache;
	struct table *orgs;       /* owners' names, once each */
	const char *says[COUNTRY_CODES]; /* reasons that name a country */
};

/* Text that lives as long as the snapshot; NULL when memory is out. */
char *snapshot_keep(struct attribution *a, const char *text);

/* The two halves of loading. 0, or -1 when memory is out; anything else is noted and left out. */
int lists_load(struct attribution *a, const struct attribution_conf *conf, const struct notes *notes);
int databases_load(struct attribution *a, const struct attribution_conf *conf, const struct notes *notes);

/* place.c */
struct place_cache *place_cache_create(void);
void place_cache_destroy(struct place_cache *c); /* takes NULL */

/* The IPv4 address that an IPv6 one stands for (NAT64, RFC 6052; 6to4, RFC 3056), or a itself. */
struct addr place_embedded(const struct addr *a);

#endif
