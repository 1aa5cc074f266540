/*
 * waybill.coverage: what a run saw and what it did not see, so that a quiet day is evidence as well.
 * Every counter is told, those that stayed 0 too: they were kept.
 */
#include "config.h"

#include "output/event.h"

void
event_write_coverage(struct json *j, const struct coverage *c, const struct event_stamp *stamp)
{
	const struct event_head head = {
		.time = c->end,
		.constants = "\"kind\":\"metric\",\"category\":[\"network\"],\"type\":[\"info\"],"
			     "\"action\":\"coverage-reported\",\"dataset\":\"waybill.coverage\"",
		.start = c->start,
		.end = c->end,
	};

	event_begin(j, &head, stamp);
	json_object_end(j);
	json_object(j, "waybill");
	json_object(j, "coverage");
	json_u64(j, "packets", c->packets);
	json_u64(j, "bytes", c->bytes);
	json_u64(j, "dropped", c->dropped);
	json_u64(j, "duplicates", c->duplicates);
	json_u64(j, "flows", c->flows);
	json_u64(j, "transfers", c->transfers);
	json_u64(j, "alerts", c->alerts);
	json_object(j, "unread");
	for (size_t i = 0; i < c->unread_count; i++)
		json_u64(j, c->unread[i].name, c->unread[i].count);
	json_object_end(j);
	if (c->note_count > 0) {
		json_array(j, "notes");
		for (size_t i = 0; i < c->note_count; i++)
			json_string(j, NULL, c->notes[i]);
		json_array_end(j);
	}
	json_object_end(j);
	json_object_end(j);
	json_object_end(j);
}
