#include "config.h"

#include "attribution/attribution.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attribution/snapshot.h"
#include "base/table.h"

enum { TROUBLES_MAX = 64 };
enum { ORGS_MAX = 500 * 1000 }; /* there are some 100,000 networks with a name in the world */

struct telling { /* while loading */
	struct attribution *a;
	struct notes to;
};

static void keep_trouble(void *ctx, bool error, const char *note);
static int load_settings(struct attribution *a, const struct attribution_conf *conf, const struct notes *notes);
static int write_headlines(struct attribution *a);
static int compile(struct attribution *a);
static int sort_rows(struct attribution *a, const uint32_t *node);

struct attribution *
attribution_load(const struct attribution_conf *conf, attribution_note_fn *fn, void *ctx)
{
	struct attribution *a = calloc(1, sizeof *a);
	struct telling telling = {.a = a, .to = {fn, ctx}};
	const struct notes notes = {keep_trouble, &telling};
	if (a == NULL)
		return NULL;
	arena_init(&a->arena, 0);
	a->rows.arena = &a->arena;
	a->services.arena = &a->arena;
	a->troubles = arena_alloc(&a->arena, TROUBLES_MAX * sizeof *a->troubles);
	a->cache = place_cache_create();
	a->orgs = table_create(ORGS_MAX);
	if (a->troubles == NULL || a->cache == NULL || a->orgs == NULL || load_settings(a, conf, &notes) < 0 ||
	        lists_load(a, conf, &notes) < 0 || services_load(&a->services, conf->services, &notes) < 0 ||
	        databases_load(a, conf, &notes) < 0 ||
	        write_headlines(a) < 0 || compile(a) < 0) {
		attribution_destroy(a);
		return NULL;
	}
	return a;
}

void
attribution_destroy(struct attribution *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->database_count; i++)
		geo_destroy(a->databases[i].geo);
	prefix_table_destroy(a->table);
	free(a->nodes);
	free(a->node_rows);
	rows_clear(&a->rows);
	origins_clear(&a->origins);
	services_clear(&a->services);
	place_cache_destroy(a->cache);
	table_destroy(a->orgs);
	arena_clear(&a->arena);
	free(a);
}

const char *
attribution_default_database(char *text, size_t size)
{
	char program[4096];
	ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	if (len > 0) {
		program[len] = '\0';
		*strrchr(program, '/') = '\0';
		if (snprintf(text, size, "%s/geoip/waybill.mmdb", program) < (int)size && access(text, R_OK) == 0)
			return text;
	}
	if (snprintf(text, size, "%s/waybill.mmdb", PKGDATADIR) < (int)size && access(text, R_OK) == 0)
		return text;
	return NULL;
}

size_t
attribution_troubles(const struct attribution *a, const char *const **out)
{
	*out = a->troubles;
	return a->trouble_count;
}

static void
keep_trouble(void *ctx, bool error, const char *note)
{
	struct telling *t = ctx;
	if (error && t->a->trouble_count < TROUBLES_MAX) {
		t->a->troubles[t->a->trouble_count] = snapshot_keep(t->a, note);
		t->a->trouble_count += t->a->troubles[t->a->trouble_count] != NULL;
	}
	if (t->to.fn != NULL)
		t->to.fn(t->to.ctx, error, note);
}

size_t
attribution_databases(const struct attribution *a, const struct attribution_database **out)
{
	*out = a->database_facts;
	return a->database_count;
}

size_t
attribution_lists(const struct attribution *a, const struct attribution_list **out)
{
	*out = a->lists;
	return a->list_count;
}

char *
snapshot_keep(struct attribution *a, const char *text)
{
	return arena_string(&a->arena, text, strlen(text));
}

/* What the configuration says, copied: it need not live on. */
static int
load_settings(struct attribution *a, const struct attribution_conf *conf, const struct notes *notes)
{
	static const char *const by_default[] = {"KP"};
	const char *const *codes = conf->jurisdiction_count > 0 ? conf->jurisdictions : by_default;
	size_t count = conf->jurisdiction_count > 0 ? conf->jurisdiction_count : 1;
	a->jurisdictions = arena_alloc(&a->arena, count * sizeof *a->jurisdictions);
	a->homes = arena_alloc(&a->arena, (conf->home_count + 1) * sizeof *a->homes);
	if (a->jurisdictions == NULL || a->homes == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		a->jurisdictions[a->jurisdiction_count] = snapshot_keep(a, codes[i]);
		if (a->jurisdictions[a->jurisdiction_count++] == NULL)
			return -1;
	}
	for (size_t i = 0; i < conf->home_count; i++) {
		struct home *h = &a->homes[a->home_count];
		const char *wrong = rows_parse_network(conf->home[i], &h->network, &h->bits);
		if (wrong == NULL)
			a->home_count++;
		else
			note(notes, true, "home network \"%s\": %s", conf->home[i], wrong);
	}
	return 0;
}

/* The first reason of each row that has none yet. */
static int
write_headlines(struct attribution *a)
{
	struct arena *arena = &a->arena;
	for (size_t i = 0; i < a->rows.count; i++) {
		struct row *r = a->rows.row[i];
		const struct listing_row *s = &r->listed;
		const char *holder = s->holder != NULL ? s->holder : "no holder named";
		if (r->headline != NULL)
			continue;
		if (s->basis == LISTING_ASN)
			r->headline = arena_printf(arena, "%s is announced by AS%u, a network of %s",
			        s->network_text, r->asn, country_name(s->jurisdiction));
		else if (s->false_positive)
			r->headline = arena_printf(arena, "%s is known to be wrongly labelled %s: %s",
			        s->network_text, s->jurisdiction, holder);
		else
			r->headline = arena_printf(arena, "%s is listed for %s: %s", s->network_text,
			        s->jurisdiction, holder);
		if (r->headline == NULL)
			return -1;
	}
	return 0;
}

/* All rows into one longest-prefix structure. */
static int
compile(struct attribution *a)
{
	size_t count = a->rows.count;
	struct prefix_input *input = calloc(count + 1, sizeof *input);
	uint32_t *node = calloc(count + 1, sizeof *node);
	int result = -1;
	if (input == NULL || node == NULL)
		goto done;
	for (size_t i = 0; i < count; i++)
		input[i] = (struct prefix_input){a->rows.row[i]->listed.network, a->rows.row[i]->listed.bits};
	a->table = prefix_table_create(input, count, node);
	if (a->table != NULL)
		result = sort_rows(a, node);
done:
	free(input);
	free(node);
	return result;
}

/* The rows of each node, in the order of loading; node[i] is row i's. */
static int
sort_rows(struct attribution *a, const uint32_t *node)
{
	size_t count = a->rows.count, nodes = prefix_table_nodes(a->table);
	a->nodes = calloc(nodes + 1, sizeof *a->nodes);
	a->node_rows = calloc(count + 1, sizeof *a->node_rows);
	if (a->nodes == NULL || a->node_rows == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		a->nodes[node[i]].count++;
		a->nodes[node[i]].listed |= !a->rows.row[i]->listed.false_positive;
	}
	struct row **at = a->node_rows;
	for (size_t n = 0; n < nodes; n++) {
		/* Nodes around others have the smaller numbers: theirs is final by now. */
		uint32_t around = prefix_table_parent(a->table, (uint32_t)n);
		a->nodes[n].listed |= around != PREFIX_NONE && a->nodes[around].listed;
		a->nodes[n].row = at;
		at += a->nodes[n].count;
		a->nodes[n].count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct node *n = &a->nodes[node[i]];
		n->row[n->count++] = a->rows.row[i];
	}
	return 0;
}
