/* Details: keys with dots become nested members, several values under one key an array. */
#include "config.h"

#include "output/event.h"

enum { COMPONENT_MAX = 64, DEPTH_MAX = 4 };

/* A record's values whose keys begin with the first len characters of prefix. */
struct level {
	const struct detail *details;
	size_t count;
	const char *prefix;
	size_t len;
	unsigned depth;
};

static bool has_key(const struct detail *details, size_t count, const char *key);
static void put_level(struct json *j, const struct level *l, const char *const skip[]);
static bool on_level(const struct level *l, const char *key);
static bool told(const struct level *l, size_t at, size_t component_len);
static void put_values(struct json *j, const char *name, const struct level *l, size_t at);
static void put_value(struct json *j, const char *name, const struct detail *d);
static bool is_one_of(const char *const names[], const char *name, size_t len);

void
event_details_gather(struct event_details *out, const struct flow_record *flow, const struct transfer_record *transfer)
{
	struct detail own[DETAIL_MAX];
	const size_t own_count = transfer != NULL ? details_list(transfer->details, own) : 0;
	const size_t count = details_list(flow->facts->details, out->detail);

	out->count = 0;
	for (size_t i = 0; i < count; i++)
		if (!has_key(own, own_count, out->detail[i].key))
			out->detail[out->count++] = out->detail[i];
	for (size_t i = 0; i < own_count; i++)
		out->detail[out->count++] = own[i];
}

static bool
has_key(const struct detail *details, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(details[i].key, key) == 0)
			return true;
	return false;
}

bool
event_details_any(const struct event_details *d, const char *prefix)
{
	for (size_t i = 0; i < d->count; i++)
		if (strncmp(d->detail[i].key, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

void
event_details(struct json *j, const struct event_details *d, const char *prefix, const char *const skip[])
{
	put_level(j, &(struct level){.details = d->detail, .count = d->count, .prefix = prefix, .len = strlen(prefix)}, skip);
}

void
event_root_details(struct json *j, const struct event_details *d)
{
	static const struct {
		const char *name, *prefix;
	} roots[] = {{"email", "email."}, {"dns", "dns."}};
	static const char *const none[] = {NULL};
	for (size_t i = 0; d->count > 0 && i < sizeof roots / sizeof roots[0]; i++) {
		if (!event_details_any(d, roots[i].prefix))
			continue;
		json_object(j, roots[i].name);
		event_details(j, d, roots[i].prefix, none);
		json_object_end(j);
	}
}

void
event_waybill_details(struct json *j, const struct event_details *d)
{
	static const char *const elsewhere[] = {"tls", "email", "dns", "ssh", NULL}; /* has its own place */
	if (d->count > 0)
		event_details(j, d, "", elsewhere);
}

static void
put_level(struct json *j, const struct level *l, const char *const skip[])
{
	for (size_t i = 0; i < l->count; i++) {
		const char *key = l->details[i].key;
		if (!on_level(l, key))
			continue;
		char name[COMPONENT_MAX];
		const size_t len = strcspn(key + l->len, ".");
		if (len >= sizeof name || told(l, i, len) || is_one_of(skip, key + l->len, len))
			continue;
		memcpy(name, key + l->len, len);
		name[len] = '\0';
		if (key[l->len + len] == '\0') {
			put_values(j, name, l, i);
		} else if (l->depth < DEPTH_MAX) {
			static const char *const none[] = {NULL};
			struct level below = *l;
			below.prefix = key;
			below.len += len + 1;
			below.depth++;
			json_object(j, name);
			put_level(j, &below, none);
			json_object_end(j);
		}
	}
}

static bool
on_level(const struct level *l, const char *key)
{
	return strncmp(key, l->prefix, l->len) == 0;
}

/* Did one before it have the same name on this level? */
static bool
told(const struct level *l, size_t at, size_t component_len)
{
	const size_t len = l->len + component_len;
	for (size_t i = 0; i < at; i++) {
		const char *key = l->details[i].key;
		if (strncmp(key, l->details[at].key, len) == 0 && (key[len] == '.' || key[len] == '\0'))
			return true;
	}
	return false;
}

static void
put_values(struct json *j, const char *name, const struct level *l, size_t at)
{
	const char *key = l->details[at].key;
	size_t same = 0;
	for (size_t i = at; i < l->count; i++)
		same += strcmp(l->details[i].key, key) == 0;
	if (same == 1) {
		put_value(j, name, &l->details[at]);
		return;
	}
	json_array(j, name);
	for (size_t i = at; i < l->count; i++)
		if (strcmp(l->details[i].key, key) == 0)
			put_value(j, NULL, &l->details[i]);
	json_array_end(j);
}

static void
put_value(struct json *j, const char *name, const struct detail *d)
{
	if (d->text != NULL)
		json_string(j, name, d->text);
	else
		json_u64(j, name, d->number);
}

static bool
is_one_of(const char *const names[], const char *name, size_t len)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (strncmp(names[i], name, len) == 0 && names[i][len] == '\0')
			return true;
	return false;
}
