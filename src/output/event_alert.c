/* waybill.alert: opened at the packet that proves it, closed with the totals, under one id. */
#include "config.h"

#include "output/event.h"

#define ALERT_KIND "\"kind\":\"alert\",\"category\":[\"intrusion_detection\",\"network\"],\"type\":[\"info\"],"
#define ALERT_DATASET ",\"dataset\":\"waybill.alert\""

static void put_alert(struct json *j, const struct alert *a);

void
event_write_alert(struct json *j, const struct alert *a, const struct event_stamp *stamp)
{
	static const char *const constants[] = {
		[ALERT_OPEN] = ALERT_KIND "\"action\":\"alert-opened\"" ALERT_DATASET,
		[ALERT_UPDATE] = ALERT_KIND "\"action\":\"alert-updated\"" ALERT_DATASET,
		[ALERT_CLOSE] = ALERT_KIND "\"action\":\"alert-closed\"" ALERT_DATASET,
	};
	static const unsigned severities[] = {
		[SEVERITY_INFO] = 0, [SEVERITY_LOW] = 21, [SEVERITY_MEDIUM] = 47, [SEVERITY_HIGH] = 73,
		[SEVERITY_CRITICAL] = 99,
	};
	const struct transfer_record *t = a->transfer;
	/* Direction and sender of a transfer are told as seen from its session, so that is the flow shown. */
	const struct flow_record *flow = t != NULL ? t->flow : a->flow;
	const struct event_head head = {
		.time = a->packet_time,
		.constants = constants[a->action],
		.id = a->id,
		.start = t != NULL ? t->start : flow->start,
		.end = a->packet_time,
	};

	struct event_details details;

	event_details_gather(&details, flow, t);
	event_begin(j, &head, stamp);
	json_u64(j, "severity", severities[a->severity]);
	json_object_end(j);
	event_string(j, "message", a->summary);
	json_object(j, "rule");
	json_string(j, "id", a->rule);
	json_string(j, "name", event_rule_name(a->rule));
	json_object_end(j);
	event_flow_members(j, flow, t != NULL ? t->protocol : NULL);
	if (t != NULL)
		event_file_members(j, t);
	event_session_members(j, flow, t, &details);

	json_object(j, "waybill");
	put_alert(j, a);
	if (t != NULL)
		event_waybill_transfer(j, t);
	event_waybill_flow(j, flow, &details);
	event_waybill_service(j, flow);
	if (a->listing != NULL)
		event_waybill_listing(j, a->listing, event_side(a->listed), a->flow != flow);
	json_object_end(j);
	json_object_end(j);
}

static void
put_alert(struct json *j, const struct alert *a)
{
	static const char *const actions[] = {
		[ALERT_OPEN] = "open", [ALERT_UPDATE] = "update", [ALERT_CLOSE] = "close",
	};

	json_object(j, "alert");
	json_plain(j, "action", actions[a->action]);
	event_string(j, "summary", a->summary);
	json_plain(j, "severity", severity_name(a->severity));
	if (a->confidence != CONFIDENCE_NONE)
		json_plain(j, "confidence", event_confidence(a->confidence));
	json_u64(j, "count", a->count);
	json_u64(j, "files", a->files);
	json_u64(j, "bytes", a->bytes);
	json_object_end(j);
}

const char *
event_rule_name(const char *rule)
{
	static const struct {
		const char *id, *name;
	} rules[] = {
		{"sanctioned-transfer", "File transfer with a sanctioned network"},
		{"sanctioned-contact", "Contact with a sanctioned network"},
		{"bulk-outbound", "Large upload to a place that is not on the allow list"},
	};

	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (strcmp(rules[i].id, rule) == 0)
			return rules[i].name;
	return NULL;
}
