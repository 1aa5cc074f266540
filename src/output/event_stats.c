/* waybill.stats: how a sensor is, now and since its start. */
#include "config.h"

#include "output/event.h"

void
event_write_stats(struct json *j, const struct stats_record *s, const struct event_stamp *stamp)
{
	const struct event_head head = {
		.time = s->time,
		.constants = "\"kind\":\"metric\",\"category\":[\"network\"],\"type\":[\"info\"],"
			     "\"action\":\"stats-reported\",\"dataset\":\"waybill.stats\"",
		.start = s->started,
		.end = s->time,
	};

	event_begin(j, &head, stamp);
	json_object_end(j);
	json_object(j, "waybill");
	json_object(j, "stats");
	json_u64(j, "packets", s->frames);
	json_u64(j, "bytes", s->bytes);
	json_object(j, "dropped");
	json_u64(j, "filtered", s->filtered);
	json_u64(j, "capture_ring", s->dropped_ring);
	json_u64(j, "capture_interface", s->dropped_interface);
	json_object_end(j);
	json_u64(j, "flows_open", s->flows_open);
	json_u64(j, "flows", s->flows);
	json_u64(j, "transfers", s->transfers);
	json_u64(j, "alerts", s->alerts);
	json_u64(j, "memory", s->memory);
	json_u64(j, "undelivered", s->undelivered);
	json_object_end(j);
	json_object_end(j);
	json_object_end(j);
}
