/*
 * The list of services: geoip/services.csv, or the user's in its place. A name is looked up as a whole and then
 * without its first label, until a row has it: the longest domain wins, and never a part of a label.
 */
#include "config.h"

#include "attribution/services.h"

#include <stdlib.h>
#include <string.h>

#include "attribution/list.h"
#include "attribution/sanctioned.h"

enum column { MATCH, SERVICE, KIND, CONFIDENCE, SOURCE, BULK, COLUMNS };

static const char *const column_names[COLUMNS] = {"match", "service", "kind", "confidence", "source", "bulk"};

enum { LABELS_MAX = 16 }; /* of a name, from its end, that are looked at */

static int take_text(struct services *s, const char *path, char *text, size_t len, const struct notes *notes);
static int read_text(struct services *s, struct list *list, char *text);
static bool is_header(char **field, int count);
static int read_row(struct services *s, struct list *list, char **field, int count, size_t line);
static const char *fill_row(struct service_row *r, char *text[COLUMNS]);
static const char *match_kind(struct service_row *r, char *match);
static bool asn_of(const char *match, uint32_t *out);
static const char *domain_wrong(char *match);
static int add_row(struct services *s, struct list *list, const struct service_row *r, size_t line);
static int index_networks(struct services *s);

int
services_load(struct services *s, const char *path, const struct notes *notes)
{
	const char *reason = NULL;
	size_t len = 0;
	char *text = path != NULL ? list_read_file(path, &len, &reason) : NULL;
	const bool read = text != NULL;
	if (read && take_text(s, path, text, len, notes) < 0)
		return -1;
	if (s->count > 0)
		return index_networks(s);
	if (path != NULL)
		note(notes, true, "services %s: %s: the copy in the program is used in its place", path,
		        read ? "no row of it can be used" : reason);
	services_clear(s);
	text = strdup(services_csv);
	if (text == NULL || take_text(s, NULL, text, strlen(text), notes) < 0)
		return -1;
	return index_networks(s);
}

void
services_clear(struct services *s)
{
	table_destroy(s->names);
	table_destroy(s->owners);
	prefix_table_destroy(s->networks);
	free(s->network_rows);
	free(s->row);
	*s = (struct services){.arena = s->arena};
}

const struct service_row *
services_by_name(const struct services *s, const char *name, size_t len)
{
	char lower[NAME_MAX_LEN];
	const char *label[LABELS_MAX];
	size_t labels = 0;
	while (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > sizeof lower)
		return NULL;
	for (size_t i = 0; i < len; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + ('a' - 'A')) : name[i];
	/* From the end, so that of a name with very many labels those count that say whose it is. */
	for (size_t i = len; labels < LABELS_MAX && i > 0; i--)
		if (i == 1 || lower[i - 2] == '.')
			label[labels++] = lower + i - 1;
	while (labels-- > 0) {
		const char *at = label[labels];
		const struct service_row *r = table_get(s->names, at, (size_t)(lower + len - at));
		if (r != NULL)
			return r;
	}
	return NULL;
}

const struct service_row *
services_by_place(const struct services *s, const struct addr *addr, uint32_t asn)
{
	uint32_t node = s->networks != NULL ? prefix_table_find(s->networks, addr) : PREFIX_NONE;
	if (node != PREFIX_NONE)
		return s->network_rows[node];
	return asn != 0 ? table_get(s->owners, &asn, sizeof asn) : NULL;
}

/* text is freed, whatever comes of it. 0, or -1 when memory is out. */
static int
take_text(struct services *s, const char *path, char *text, size_t len, const struct notes *notes)
{
	struct list list = {.path = path != NULL ? path : "(in the program)", .notes = *notes};
	s->path = path != NULL ? arena_string(s->arena, path, strlen(path)) : NULL;
	s->digest = list_digest(s->arena, text, len);
	int result = s->digest != NULL && (path == NULL || s->path != NULL) ? read_text(s, &list, text) : -1;
	free(text);
	return result;
}

static int
read_text(struct services *s, struct list *list, char *text)
{
	size_t number = 0;
	bool has_bulk = false; /* only a header says so */
	s->names = table_create(0);
	s->owners = table_create(0);
	if (s->names == NULL || s->owners == NULL)
		return -1;
	for (char *line; (line = list_line(&text, &number)) != NULL;) {
		char *field[COLUMNS];
		if (line[strspn(line, " \t,")] == '\0' || *line == '#')
			continue;
		int count = csv_split(line, field, COLUMNS);
		if (count > BULK && !has_bulk && !is_header(field, count))
			count = BULK; /* a comma in the source, as it may be */
		if (count < 0)
			list_bad(list, number, "a quote is not closed", line);
		else if (is_header(field, count))
			has_bulk = count > BULK;
		else if (read_row(s, list, field, count, number) < 0)
			return -1;
	}
	return 0;
}

static bool
is_header(char **field, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(field[i], column_names[i]) != 0)
			return false;
	return true;
}

static int
read_row(struct services *s, struct list *list, char **field, int count, size_t line)
{
	char *text[COLUMNS] = {0};
	struct service_row r = {.confidence = CONFIDENCE_MEDIUM};
	for (int i = 0; i < count; i++) {
		const uint8_t *at = (const uint8_t *)field[i];
		size_t len = strlen(field[i]);
		text_trim(&at, &len);
		if (len > 0)
			text[i] = field[i] + (at - (const uint8_t *)field[i]);
		field[i][at - (const uint8_t *)field[i] + (ptrdiff_t)len] = '\0';
	}
	const char *wrong = fill_row(&r, text);
	if (wrong == NULL)
		return add_row(s, list, &r, line);
	list_bad(list, line, wrong, text[MATCH] != NULL ? text[MATCH] : "");
	return 0;
}

/* NULL, or what is wrong with it (static). */
static const char *
fill_row(struct service_row *r, char *text[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++)
		if (text[i] != NULL && !text_is_utf8(text[i], strlen(text[i])))
			return "not UTF-8";
	if (text[MATCH] == NULL || text[SERVICE] == NULL || text[KIND] == NULL)
		return "no match, no service or no kind";
	r->match = text[MATCH];
	r->name = text[SERVICE];
	r->kind = text[KIND];
	r->source = text[SOURCE];
	r->bulk = text[BULK];
	enum confidence c = CONFIDENCE_INFO;
	while (text[CONFIDENCE] != NULL && c <= CONFIDENCE_CONFIRMED && strcmp(text[CONFIDENCE], confidence_name(c)) != 0)
		c++;
	if (c > CONFIDENCE_CONFIRMED)
		return "confidence is not one of confirmed, high, medium, low, info";
	if (text[CONFIDENCE] != NULL)
		r->confidence = c;
	return match_kind(r, text[MATCH]);
}

static const char *
match_kind(struct service_row *r, char *match)
{
	struct addr network;
	uint32_t asn;
	unsigned bits;
	r->by = SERVICE_NAME;
	if (asn_of(match, &asn))
		r->by = SERVICE_ASN;
	else if (strpbrk(match, "/:") != NULL || addr_parse_network(match, &network, &bits, NULL) == 0)
		r->by = SERVICE_NETWORK;
	return r->by == SERVICE_NETWORK ? rows_parse_network(match, &network, &bits)
	       : r->by == SERVICE_NAME  ? domain_wrong(match)
	                                : NULL;
}

static bool
asn_of(const char *match, uint32_t *out)
{
	uint64_t n;
	if (!text_prefix_nocase(match, strlen(match), "AS") || text_to_u64(match + 2, strlen(match + 2), &n) < 0 ||
	        n == 0 || n > UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* Makes it lower case. */
static const char *
domain_wrong(char *match)
{
	size_t label = 0, len = strlen(match);
	if (len > NAME_MAX_LEN)
		return "too long for a name";
	for (size_t i = 0; i <= len; i++) {
		if (match[i] >= 'A' && match[i] <= 'Z')
			match[i] = (char)(match[i] + ('a' - 'A'));
		if (match[i] == '.' || i == len) {
			if (label == 0 || label > 63)
				return "not a domain, a network or an AS number";
			label = 0;
		} else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", match[i]) == NULL) {
			return "not a domain, a network or an AS number";
		} else {
			label++;
		}
	}
	return NULL;
}

static int
add_row(struct services *s, struct list *list, const struct service_row *r, size_t line)
{
	struct service_row *row = arena_copy(s->arena, r, sizeof *r);
	if (row == NULL)
		return -1;
	if (s->count == s->size) {
		size_t size = s->size > 0 ? s->size * 2 : 256;
		void *grown = reallocarray(s->row, size, sizeof(struct service_row *));
		if (grown == NULL)
			return -1;
		s->row = grown;
		s->size = size;
	}
	row->match = arena_string(s->arena, r->match, strlen(r->match));
	row->name = arena_string(s->arena, r->name, strlen(r->name));
	row->kind = arena_string(s->arena, r->kind, strlen(r->kind));
	row->source = r->source != NULL ? arena_string(s->arena, r->source, strlen(r->source)) : NULL;
	row->bulk = r->bulk != NULL ? arena_string(s->arena, r->bulk, strlen(r->bulk)) : NULL;
	if (row->match == NULL || row->name == NULL || row->kind == NULL || (r->source != NULL && row->source == NULL) ||
	        (r->bulk != NULL && row->bulk == NULL))
		return -1;
	void *old = NULL;
	uint32_t asn;
	if (row->by == SERVICE_NAME && table_put(s->names, row->match, strlen(row->match), row, &old) < 0)
		return -1;
	if (row->by == SERVICE_ASN && asn_of(row->match, &asn) && table_put(s->owners, &asn, sizeof asn, row, &old) < 0)
		return -1;
	if (old != NULL)
		list_bad(list, line, "it is there twice; the later row counts", row->match);
	s->row[s->count++] = row;
	return 0;
}

/* 0, or -1 when memory is out. */
static int
index_networks(struct services *s)
{
	size_t count = 0;
	struct prefix_input *input = calloc(s->count + 1, sizeof *input);
	uint32_t *node = calloc(s->count + 1, sizeof *node);
	s->network_rows = calloc(s->count + 1, sizeof(const struct service_row *));
	int result = input != NULL && node != NULL && s->network_rows != NULL ? 0 : -1;
	for (size_t i = 0; result == 0 && i < s->count; i++)
		if (s->row[i]->by == SERVICE_NETWORK &&
		        rows_parse_network(s->row[i]->match, &input[count].network, &input[count].bits) == NULL)
			count++;
	if (result == 0 && count > 0) {
		s->networks = prefix_table_create(input, count, node);
		result = s->networks != NULL ? 0 : -1;
	}
	for (size_t i = 0, at = 0; result == 0 && count > 0 && i < s->count; i++)
		if (s->row[i]->by == SERVICE_NETWORK)
			s->network_rows[node[at++]] = s->row[i];
	free(input);
	free(node);
	return result;
}
