#include "config.h"

/* All databases of a snapshot: the user's, then those found in the usual places, then the one that waybill brings. */

#include <stdlib.h>
#include <string.h>

#include "attribution/detect.h"
#include "attribution/snapshot.h"
#include "base/clock.h"

enum {
	AGE_NOTED = 90,         /* days: an older database is noted */
	NETWORKS_MAX = 8000000, /* listed networks in all; each takes some 200 bytes */
};

struct loading {
	struct attribution *a;
	const struct attribution_conf *conf;
	const struct notes *notes;
	/* While one database is surveyed: */
	struct attribution_database *facts;
	const char **country_headlines; /* by jurisdiction */
	bool out_of_memory, too_many;
};

static void load_database(struct loading *l, const char *path, bool embedded);
static struct geo *survey_database(struct loading *l, struct mmdb *m, const char **reason);
static void note_coverage(const struct loading *l);
static void add_network(void *ctx, const struct addr *network, unsigned bits, int country, int asn);
static struct row *add_row(struct loading *l, const struct addr *network, unsigned bits);
static const char *country_headline(struct loading *l, size_t jurisdiction);

int
databases_load(struct attribution *a, const struct attribution_conf *conf, const struct notes *notes)
{
	struct loading l = {.a = a, .conf = conf, .notes = notes};
	const char *found[DETECT_MAX];
	size_t found_count = conf->no_auto_detect ? 0 : detect_databases("", &a->arena, found);
	size_t most = conf->database_count + found_count + 1;
	a->databases = arena_alloc(&a->arena, most * sizeof *a->databases);
	a->database_facts = arena_alloc(&a->arena, most * sizeof *a->database_facts);
	l.country_headlines = arena_alloc(&a->arena, a->jurisdiction_count * sizeof *l.country_headlines);
	if (a->databases == NULL || a->database_facts == NULL || l.country_headlines == NULL)
		return -1;
	for (size_t i = 0; i < conf->database_count; i++)
		load_database(&l, conf->databases[i], false);
	for (size_t i = 0; i < found_count; i++)
		load_database(&l, found[i], false);
	if (conf->embedded_database != NULL)
		load_database(&l, conf->embedded_database, true);
	if (l.too_many)
		note(notes, true, "the databases have more than %d networks of listed countries: "
		                  "the rest is left out", NETWORKS_MAX);
	return l.out_of_memory ? -1 : 0;
}

/* A database that is refused is named, and not there. */
static void
load_database(struct loading *l, const char *path, bool embedded)
{
	struct attribution *a = l->a;
	const char *reason = "memory is out";
	struct geo *geo = NULL;
	size_t rows = a->rows.count;
	l->facts = &a->database_facts[a->database_count];
	*l->facts = (struct attribution_database){.path = snapshot_keep(a, path), .embedded = embedded};
	memset(l->country_headlines, 0, a->jurisdiction_count * sizeof *l->country_headlines);
	struct mmdb *m = l->facts->path != NULL ? mmdb_open(path, &reason) : NULL;
	if (m != NULL)
		geo = survey_database(l, m, &reason);
	if (geo == NULL) {
		a->rows.count = rows; /* what a broken database said of networks does not stay */
		note(l->notes, true, "database %s: refused: %s", path, reason);
		return;
	}
	note_coverage(l);
	a->databases[a->database_count++] = (struct database){geo, embedded};
}

/* Takes m over. NULL and *reason when it is refused. */
static struct geo *
survey_database(struct loading *l, struct mmdb *m, const char **reason)
{
	struct attribution *a = l->a;
	struct mmdb_about about;
	struct geo_coverage coverage;
	struct geo *geo = NULL;
	uint32_t *asns = calloc(a->origins.count + 1, sizeof *asns);
	mmdb_describe(m, &about);
	l->facts->type = snapshot_keep(a, about.type);
	l->facts->digest = snapshot_keep(a, about.digest);
	/* A date that nanoseconds cannot say is none. */
	if (about.built <= INT64_MAX / CLOCK_SECOND)
		l->facts->built = (int64_t)about.built * CLOCK_SECOND;
	if (asns == NULL || l->facts->type == NULL || l->facts->digest == NULL) {
		*reason = "memory is out";
		mmdb_close(m);
		goto done;
	}
	for (size_t i = 0; i < a->origins.count; i++)
		asns[i] = a->origins.origin[i].asn;
	const struct geo_wanted wanted = {
	        a->jurisdictions, a->jurisdiction_count, asns, a->origins.count};
	geo = geo_create(m, &wanted, add_network, l, reason);
	if (geo == NULL)
		goto done;
	geo_describe(geo, &about, &coverage);
	l->facts->country = coverage.country;
	l->facts->asn = coverage.asn;
	l->facts->flags = coverage.flags;
	l->facts->networks = coverage.networks;
done:
	free(asns);
	return geo;
}

/*
 * What the user should know of a database that is used. The build date is all there is to tell its
 * age by; the data may be older still, since some packages build old data anew.
 */
static void
note_coverage(const struct loading *l)
{
	const struct attribution_database *d = l->facts;
	int64_t days = (l->conf->now - d->built) / CLOCK_SECOND / 86400;
	if (!d->country && !d->asn)
		note(l->notes, false, "database %s: it has neither countries nor AS numbers, only marks of anonymisers, "
		                      "satellites or anycast", d->path);
	if (l->conf->now == 0)
		return;
	if (d->built == 0)
		note(l->notes, false, "database %s: it does not say when it was built", d->path);
	else if (days > AGE_NOTED)
		note(l->notes, false, "database %s: built %lld days ago; countries and owners change, %s", d->path,
		        (long long)days, d->embedded ? "a newer one of your own would win over it" : "update it");
}

/* A network of a wanted country or AS, in the database that is being surveyed. */
static void
add_network(void *ctx, const struct addr *network, unsigned bits, int country, int asn)
{
	struct loading *l = ctx;
	struct attribution *a = l->a;
	if (country >= 0) {
		struct row *row = add_row(l, network, bits);
		if (row == NULL)
			return;
		row->listed.basis = LISTING_COUNTRY;
		row->listed.confidence = CONFIDENCE_LOW;
		row->listed.jurisdiction = a->jurisdictions[country];
		row->headline = country_headline(l, (size_t)country);
		row->listed.source = row->headline;
	}
	if (asn >= 0) {
		const struct origin *o = &a->origins.origin[asn];
		struct row *row = add_row(l, network, bits);
		if (row == NULL)
			return;
		row->listed.basis = LISTING_ASN;
		row->listed.confidence = CONFIDENCE_HIGH;
		row->listed.jurisdiction = o->jurisdiction;
		row->listed.source = o->source;
		row->asn = o->asn;
	}
}

static struct row *
add_row(struct loading *l, const struct addr *network, unsigned bits)
{
	struct row *row = NULL;
	if (l->a->rows.count >= NETWORKS_MAX)
		l->too_many = true;
	else if ((row = rows_add(&l->a->rows, network, bits)) == NULL)
		l->out_of_memory = true;
	if (row == NULL)
		return NULL;
	row->order = l->conf->list_count + 1 + l->a->database_count;
	row->listed.list = l->facts->type;
	row->listed.list_digest = l->facts->digest;
	return row;
}

static const char *
country_headline(struct loading *l, size_t jurisdiction)
{
	char built[CLOCK_TEXT_MAX];
	const char **text = &l->country_headlines[jurisdiction];
	if (*text == NULL) {
		const char *code = l->a->jurisdictions[jurisdiction];
		clock_format(l->facts->built, built);
		built[10] = '\0'; /* the day */
		*text = arena_printf(&l->a->arena, "the country database %s of %s says %s (%s)", l->facts->type, built,
		        country_name(code), code);
	}
	return *text;
}
