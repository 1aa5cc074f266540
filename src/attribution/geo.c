#include "config.h"

#include "attribution/geo.h"

#include <stdlib.h>
#include <string.h>

#include "base/record.h"
#include "base/text.h"

enum fact {
	FACT_COUNTRY,    /* two letters, wherever the maker puts them; a name is not one */
	FACT_REGISTERED,
	FACT_ASN,        /* a number, or text such as "AS15169" */
	FACT_ORG,
	FACT_ANONYMOUS,
	FACT_SATELLITE,
	FACT_ANYCAST,
	FACT_COUNT,
};

/* Where facts stand: a key of the record, or a key of a map under it. Earlier rows win over later ones. */
static const struct field {
	const char *outer, *inner;
	enum fact fact;
} fields[] = {
	{"country", "iso_code", FACT_COUNTRY},                        /* MaxMind, DB-IP */
	{"country_code", NULL, FACT_COUNTRY},                         /* IPinfo Lite, ip-location-db */
	{"country", NULL, FACT_COUNTRY},                              /* IPinfo, older */
	{"registered_country", "iso_code", FACT_REGISTERED},          /* MaxMind */
	{"autonomous_system_number", NULL, FACT_ASN},                 /* MaxMind, ip-location-db */
	{"traits", "autonomous_system_number", FACT_ASN},             /* GeoIP2 Enterprise, DB-IP ISP */
	{"asn", NULL, FACT_ASN},                                      /* IPinfo */
	{"autonomous_system_organization", NULL, FACT_ORG},
	{"traits", "autonomous_system_organization", FACT_ORG},
	{"as_name", NULL, FACT_ORG},                                  /* IPinfo */
	{"name", NULL, FACT_ORG},                                     /* IPinfo ASN */
	{"is_anonymous", NULL, FACT_ANONYMOUS},                       /* GeoIP2 Anonymous IP */
	{"is_anonymous_vpn", NULL, FACT_ANONYMOUS},
	{"is_public_proxy", NULL, FACT_ANONYMOUS},
	{"is_residential_proxy", NULL, FACT_ANONYMOUS},
	{"is_tor_exit_node", NULL, FACT_ANONYMOUS},
	{"vpn", NULL, FACT_ANONYMOUS},                                /* IPinfo privacy */
	{"proxy", NULL, FACT_ANONYMOUS},
	{"tor", NULL, FACT_ANONYMOUS},
	{"relay", NULL, FACT_ANONYMOUS},
	{"traits", "is_anonymous", FACT_ANONYMOUS},
	{"traits", "is_anonymous_vpn", FACT_ANONYMOUS},
	{"traits", "is_anonymous_proxy", FACT_ANONYMOUS},             /* MaxMind, waybill */
	{"traits", "is_public_proxy", FACT_ANONYMOUS},
	{"traits", "is_residential_proxy", FACT_ANONYMOUS},
	{"traits", "is_tor_exit_node", FACT_ANONYMOUS},
	{"is_satellite_provider", NULL, FACT_SATELLITE},
	{"is_satellite", NULL, FACT_SATELLITE},
	{"traits", "is_satellite_provider", FACT_SATELLITE},
	{"is_anycast", NULL, FACT_ANYCAST},
	{"traits", "is_anycast", FACT_ANYCAST},
};

enum {
	FIELDS = sizeof fields / sizeof fields[0],
	FIELDS_MAX = 32,   /* bits for them */
	CLASS_UNKNOWN = 0, /* of a record: not looked at yet */
	CLASS_FIRST = 1,
	CLASS_MAX = 254,
	CLASS_EACH = 255,  /* all classes are taken: decide each time */
};

/*
 * Which rows of fields[] a key is of, a bit each. Records share their keys, which stand once in the data, so
 * that a key is known again by its place; one that is not simply takes another's slot over.
 */
enum { KEY_SLOTS = 64 };
struct keys {
	struct known_key {
		const uint8_t *key, *outer; /* in the data; outer NULL: a key of the record itself */
		size_t key_len, outer_len;
		uint32_t rows;
	} slot[KEY_SLOTS];
};

struct geo {
	struct mmdb *m;
	struct geo_coverage coverage;
	struct keys *keys;
};

struct record_reader {
	struct geo_facts *facts;
	struct keys *keys;
	size_t rank[FACT_COUNT]; /* the row that gave it; FIELDS: none yet */
	const struct mmdb_value *outer; /* while inside a map */
};

/* The survey: every network is walked, every record decided once. */
struct survey {
	struct geo *g;
	const struct geo_wanted *wanted;
	geo_found_fn *found;
	void *ctx;
	uint8_t *class_at; /* by the record's place in the data */
	struct {
		int country, asn;
	} classes[CLASS_MAX + 1];
	unsigned class_count;
	struct mmdb_data data;
};

_Static_assert((int)FIELDS <= (int)FIELDS_MAX, "a bit for each");

static int survey_network(void *ctx, const struct mmdb_network *network, size_t record);
static int survey_record(struct survey *s, size_t record, int *country, int *asn);
static unsigned survey_class(struct survey *s, int country, int asn);
static int read_facts(struct keys *keys, struct mmdb_data *d, size_t record, struct geo_facts *out);
static int read_pair(void *ctx, struct mmdb_data *d, const struct mmdb_value *key, size_t *at);
static uint32_t rows_of(struct keys *keys, const struct mmdb_value *key, const struct mmdb_value *outer);
static uint32_t rows_named(const struct mmdb_value *key, const struct mmdb_value *outer);
static void take(struct record_reader *r, size_t row, const struct mmdb_value *v);
static bool take_country(char out[3], const struct mmdb_value *v);
static bool take_asn(uint32_t *out, const struct mmdb_value *v);
static bool is_true(const struct mmdb_value *v);

struct geo *
geo_create(struct mmdb *m, const struct geo_wanted *wanted, geo_found_fn *found, void *ctx, const char **reason)
{
	struct geo *g = calloc(1, sizeof *g);
	struct survey *s = calloc(1, sizeof *s);
	int walked = -1;
	*reason = "memory is out";
	if (g == NULL || s == NULL || (g->keys = calloc(1, sizeof *g->keys)) == NULL)
		goto done;
	*s = (struct survey){.g = g, .wanted = wanted, .found = found, .ctx = ctx, .data = mmdb_section(m)};
	s->class_count = CLASS_FIRST;
	/* Real records do not overlap; this leaves room for what pointers lead to. */
	s->data.steps = 8 * (uint64_t)s->data.size + 1000;
	s->class_at = calloc(s->data.size + 1, 1);
	g->m = m;
	if (s->class_at == NULL || mmdb_walk(m, survey_network, s, reason) < 0)
		goto done;
	*reason = "neither a country nor an AS number can be read from it";
	if (g->coverage.country || g->coverage.asn || g->coverage.flags)
		walked = 0;
done:
	if (s != NULL)
		free(s->class_at);
	free(s);
	if (walked == 0)
		return g;
	if (g != NULL)
		free(g->keys);
	free(g);
	mmdb_close(m);
	return NULL;
}

void
geo_destroy(struct geo *g)
{
	if (g == NULL)
		return;
	mmdb_close(g->m);
	free(g->keys);
	free(g);
}

void
geo_describe(const struct geo *g, struct mmdb_about *about, struct geo_coverage *coverage)
{
	mmdb_describe(g->m, about);
	*coverage = g->coverage;
}

bool
geo_find(const struct geo *g, const struct addr *a, struct geo_facts *out, unsigned *bits)
{
	size_t record;
	struct mmdb_data d = mmdb_section(g->m);
	return mmdb_find(g->m, a, &record, bits) && read_facts(g->keys, &d, record, out) == 0;
}

static int
survey_network(void *ctx, const struct mmdb_network *network, size_t record)
{
	struct survey *s = ctx;
	int country, asn;
	s->g->coverage.networks++;
	uint8_t class = s->class_at[record];
	if (class == CLASS_UNKNOWN || class == CLASS_EACH) {
		if (survey_record(s, record, &country, &asn) < 0)
			return -1;
		s->class_at[record] = (uint8_t)survey_class(s, country, asn);
	} else {
		country = s->classes[class].country;
		asn = s->classes[class].asn;
	}
	if (s->found != NULL && (country >= 0 || asn >= 0)) {
		unsigned bits;
		struct addr addr = mmdb_network_addr(network, &bits);
		s->found(s->ctx, &addr, bits, country, asn);
	}
	return 0;
}

static int
survey_record(struct survey *s, size_t record, int *country, int *asn)
{
	const struct geo_wanted *w = s->wanted;
	struct geo_coverage *c = &s->g->coverage;
	struct geo_facts facts;
	*country = *asn = -1;
	if (read_facts(s->g->keys, &s->data, record, &facts) < 0)
		return -1;
	c->country = c->country || facts.country[0] != '\0';
	c->asn = c->asn || facts.asn != 0;
	c->flags = c->flags || facts.flags != 0;
	for (size_t i = 0; i < w->country_count && *country < 0 && facts.country[0] != '\0'; i++) {
		if (strcmp(w->countries[i], facts.country) == 0)
			*country = (int)i;
	}
	for (size_t i = 0; i < w->asn_count && *asn < 0 && facts.asn != 0; i++) {
		if (w->asns[i] == facts.asn)
			*asn = (int)i;
	}
	return 0;
}

static unsigned
survey_class(struct survey *s, int country, int asn)
{
	for (unsigned i = CLASS_FIRST; i < s->class_count; i++) {
		if (s->classes[i].country == country && s->classes[i].asn == asn)
			return i;
	}
	if (s->class_count > CLASS_MAX)
		return CLASS_EACH;
	s->classes[s->class_count].country = country;
	s->classes[s->class_count].asn = asn;
	return s->class_count++;
}

/* A record that is not a map (test databases have such) is sound and says nothing. */
static int
read_facts(struct keys *keys, struct mmdb_data *d, size_t record, struct geo_facts *out)
{
	struct record_reader r = {.facts = out, .keys = keys};
	struct mmdb_value v;
	size_t at = record;
	*out = (struct geo_facts){0};
	for (size_t i = 0; i < FACT_COUNT; i++)
		r.rank[i] = FIELDS;
	if (mmdb_read(d, &at, &v) < 0)
		return -1;
	at = record;
	return v.type == MMDB_MAP ? mmdb_each(d, &at, read_pair, &r) : mmdb_skip(d, &at);
}

/* One pair of the record, or, with r->outer set, of a map in it. */
static int
read_pair(void *ctx, struct mmdb_data *d, const struct mmdb_value *key, size_t *at)
{
	struct record_reader *r = ctx;
	const struct mmdb_value *outer = r->outer;
	bool inside = false;
	struct mmdb_value v;
	size_t here;
	uint32_t rows = rows_of(r->keys, key, outer);
	for (size_t i = 0; rows >> i != 0; i++) {
		if ((rows >> i & 1) == 0)
			continue;
		if (outer == NULL && fields[i].inner != NULL) {
			inside = true;
			continue;
		}
		here = *at;
		if (mmdb_read(d, &here, &v) < 0)
			return -1;
		take(r, i, &v);
	}
	here = *at;
	if (!inside || mmdb_read(d, &here, &v) < 0 || v.type != MMDB_MAP)
		return mmdb_skip(d, at);
	r->outer = key;
	int result = mmdb_each(d, at, read_pair, r);
	r->outer = NULL;
	return result;
}

static uint32_t
rows_of(struct keys *keys, const struct mmdb_value *key, const struct mmdb_value *outer)
{
	struct known_key wanted = {.key = key->bytes, .key_len = key->size};
	struct known_key *slot = &keys->slot[(uintptr_t)key->bytes % KEY_SLOTS];
	if (outer != NULL) {
		wanted.outer = outer->bytes;
		wanted.outer_len = outer->size;
	}
	if (slot->key != wanted.key || slot->key_len != wanted.key_len || slot->outer != wanted.outer ||
	        slot->outer_len != wanted.outer_len) {
		wanted.rows = rows_named(key, outer);
		*slot = wanted;
	}
	return slot->rows;
}

/* The rows with this key: in the record itself, or in the map outer. */
static uint32_t
rows_named(const struct mmdb_value *key, const struct mmdb_value *outer)
{
	uint32_t rows = 0;
	for (size_t i = 0; i < FIELDS; i++) {
		const struct field *f = &fields[i];
		const char *name = outer != NULL ? f->inner : f->outer;
		if (name != NULL && mmdb_is(key, name) && (outer == NULL || mmdb_is(outer, f->outer)))
			rows |= UINT32_C(1) << i;
	}
	return rows;
}

static void
take(struct record_reader *r, size_t row, const struct mmdb_value *v)
{
	struct geo_facts *f = r->facts;
	enum fact fact = fields[row].fact;
	bool taken = false;
	if (row > r->rank[fact])
		return;
	switch (fact) {
	case FACT_COUNTRY: taken = take_country(f->country, v); break;
	case FACT_REGISTERED: taken = take_country(f->registered, v); break;
	case FACT_ASN: taken = take_asn(&f->asn, v); break;
	case FACT_ORG:
		taken = v->type == MMDB_STRING && v->size > 0;
		if (taken) {
			f->org = v->bytes;
			f->org_len = v->size;
		}
		break;
	case FACT_ANONYMOUS: f->flags |= is_true(v) ? PLACE_ANONYMOUS : 0; break;
	case FACT_SATELLITE: f->flags |= is_true(v) ? PLACE_SATELLITE : 0; break;
	case FACT_ANYCAST: f->flags |= is_true(v) ? PLACE_ANYCAST : 0; break;
	case FACT_COUNT: break;
	}
	if (taken)
		r->rank[fact] = row;
}

/* Two capital letters; "United States" under the same key is not a code. */
static bool
take_country(char out[3], const struct mmdb_value *v)
{
	if (v->type != MMDB_STRING || v->size != 2)
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (v->bytes[i] < 'A' || v->bytes[i] > 'Z')
			return false;
	}
	memcpy(out, v->bytes, 2);
	out[2] = '\0';
	return true;
}

/* A number, "15169" or "AS15169"; 0 is none. */
static bool
take_asn(uint32_t *out, const struct mmdb_value *v)
{
	uint64_t number = v->number;
	if (v->type == MMDB_STRING) {
		size_t prefix = text_prefix_nocase(v->bytes, v->size, "AS") ? 2 : 0;
		if (text_to_u64(v->bytes + prefix, v->size - prefix, &number) < 0)
			return false;
	} else if (v->type != MMDB_UINT16 && v->type != MMDB_UINT32 && v->type != MMDB_UINT64) {
		return false;
	}
	if (number == 0 || number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool
is_true(const struct mmdb_value *v)
{
	return (v->type == MMDB_BOOLEAN && v->number == 1) || mmdb_is(v, "true") || mmdb_is(v, "1");
}
