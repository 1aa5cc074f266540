#include "config.h"

/* All lists that the configuration names, and the product's own, into the rows of a snapshot. */

#include <stdlib.h>
#include <string.h>

#include "attribution/list.h"
#include "attribution/sanctioned.h"
#include "attribution/snapshot.h"

static const uint32_t star_joint_venture = 131279; /* AS of 175.45.176.0/22, registered in KP */

static int load_product_list(struct attribution *a, const char *path, const struct notes *notes);
static int load_list(struct attribution *a, const struct list_conf *conf, size_t order, const struct notes *notes);
static int read_list(struct attribution *a, struct list *list, char *text, size_t len, const struct notes *notes);
static int load_origins(struct attribution *a, const struct attribution_conf *conf);
static const char *base_name(const char *path);

int
lists_load(struct attribution *a, const struct attribution_conf *conf, const struct notes *notes)
{
	a->lists = arena_alloc(&a->arena, (conf->list_count + 1) * sizeof *a->lists);
	if (a->lists == NULL || load_product_list(a, conf->sanctioned, notes) < 0)
		return -1;
	for (size_t i = 0; i < conf->list_count; i++) {
		if (load_list(a, &conf->lists[i], i + 1, notes) < 0)
			return -1;
	}
	return load_origins(a, conf);
}

/* The product's own list: the file where there is one, else the copy in the program. */
static int
load_product_list(struct attribution *a, const char *path, const struct notes *notes)
{
	const struct list_conf conf = {.path = path, .format = LIST_CSV};
	struct list list = {.path = "(in the program)", .name = "sanctioned.csv", .format = LIST_CSV};
	size_t before = a->list_count, len = strlen(sanctioned_csv);
	if (path != NULL) {
		if (load_list(a, &conf, 0, notes) < 0)
			return -1;
		if (a->list_count > before)
			return 0;
		note(notes, true, "list %s: the copy in the program is used in its place", path);
	}
	char *text = strdup(sanctioned_csv);
	list.digest = list_digest(&a->arena, sanctioned_csv, len);
	int result = -1;
	if (text != NULL && list.digest != NULL)
		result = read_list(a, &list, text, len, notes);
	free(text);
	return result;
}

/* A list that cannot be read is named, and not there; -1 only when memory is out. */
static int
load_list(struct attribution *a, const struct list_conf *conf, size_t order, const struct notes *notes)
{
	struct list list = {.format = conf->format, .confidence = conf->confidence, .order = order};
	const char *reason = NULL;
	size_t len = 0;
	list.path = snapshot_keep(a, conf->path);
	list.name = snapshot_keep(a, conf->name != NULL ? conf->name : base_name(conf->path));
	list.jurisdiction = conf->jurisdiction != NULL ? snapshot_keep(a, conf->jurisdiction) : NULL;
	if (list.path == NULL || list.name == NULL)
		return -1;
	char *text = list_read_file(conf->path, &len, &reason);
	if (text == NULL) {
		note(notes, true, "list %s: %s", conf->path, reason);
		return 0;
	}
	list.digest = list_digest(&a->arena, text, len);
	int result = list.digest != NULL ? read_list(a, &list, text, len, notes) : -1;
	free(text);
	return result;
}

static int
read_list(struct attribution *a, struct list *list, char *text, size_t len, const struct notes *notes)
{
	list->wanted = a->jurisdictions;
	list->wanted_count = a->jurisdiction_count;
	list->rows = &a->rows;
	list->origins = &a->origins;
	list->notes = *notes;
	if (list_read(list, text, len) < 0)
		return -1;
	if (list->taken == 0)
		note(notes, true, "list %s: no row of it can be used", list->path);
	a->lists[a->list_count++] = (struct attribution_list){
	        .path = list->path, .name = list->name, .digest = list->digest, .rows = list->taken};
	return 0;
}

/* AS numbers that count: the product's own for KP, the configuration's, and what delegated files gave. */
static int
load_origins(struct attribution *a, const struct attribution_conf *conf)
{
	for (size_t i = 0; i < a->jurisdiction_count; i++) {
		if (strcmp(a->jurisdictions[i], "KP") == 0 &&
		        origins_add(&a->origins, star_joint_venture, "KP", "AS of Star Joint Venture Co. Ltd.") < 0)
			return -1;
	}
	for (size_t i = 0; i < conf->asn_count; i++) {
		const char *code = conf->asn_jurisdictions != NULL ? conf->asn_jurisdictions[i] : NULL;
		code = snapshot_keep(a, code != NULL ? code : "unstated");
		if (code == NULL ||
		        origins_add(&a->origins, conf->asns[i], code, "AS number of the configuration") < 0)
			return -1;
	}
	origins_sort(&a->origins);
	return 0;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}
