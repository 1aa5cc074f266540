/* waybill.reload: by which lists and databases alerts are judged from here on, or why they are not. */
#include "config.h"

#include "output/event.h"

static void write_change(struct json *j, const struct reload_change *c);
static void write_sentences(struct json *j, const char *name, const char *const *s, size_t count);

void
event_write_reload(struct json *j, const struct reload_record *r, const struct event_stamp *stamp)
{
	const struct event_head taken = {
		.time = r->time,
		.constants = "\"kind\":\"event\",\"category\":[\"configuration\"],\"type\":[\"change\"],"
			     "\"action\":\"lists-reloaded\",\"dataset\":\"waybill.reload\",\"outcome\":\"success\"",
		.start = r->time,
		.end = r->time,
	};
	struct event_head refused = taken;
	refused.constants = "\"kind\":\"event\",\"category\":[\"configuration\"],\"type\":[\"info\"],"
			    "\"action\":\"reload-refused\",\"dataset\":\"waybill.reload\",\"outcome\":\"failure\"";

	event_begin(j, r->taken ? &taken : &refused, stamp);
	json_object_end(j);
	json_object(j, "waybill");
	json_object(j, "reload");
	json_array(j, "changes");
	for (size_t i = 0; i < r->change_count; i++)
		write_change(j, &r->changes[i]);
	json_array_end(j);
	write_sentences(j, "reasons", r->reasons, r->reason_count);
	write_sentences(j, "needs_restart", r->restart, r->restart_count);
	json_object_end(j);
	json_object_end(j);
	json_object_end(j);
}

static void
write_change(struct json *j, const struct reload_change *c)
{
	json_object(j, NULL);
	json_string(j, "kind", c->kind);
	json_string(j, "name", c->name);
	if (c->path != NULL)
		json_string(j, "path", c->path);
	if (c->digest != NULL) {
		json_string(j, "digest", c->digest);
		json_u64(j, "rows", c->rows);
	}
	if (c->before != NULL) {
		json_string(j, "previous_digest", c->before);
		json_u64(j, "previous_rows", c->rows_before);
	}
	if (c->built != 0)
		json_time(j, "built", c->built);
	if (c->built_before != 0)
		json_time(j, "previous_built", c->built_before);
	json_object_end(j);
}

static void
write_sentences(struct json *j, const char *name, const char *const *s, size_t count)
{
	if (count == 0)
		return;
	json_array(j, name);
	for (size_t i = 0; i < count; i++)
		json_string(j, NULL, s[i]);
	json_array_end(j);
}
