/*
 * Prometheus' text format (prometheus.io, Exposition formats, "Text-based format" 0.0.4): of each metric its help, its type and
 * its samples. Names end with what they count, in base units, and _total where they only grow.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "web/web.h"

static void head(FILE *out, const char *name, const char *type, const char *help);
static void counter(FILE *out, const char *name, const char *help, uint64_t value);
static void gauge(FILE *out, const char *name, const char *help, uint64_t value);
static void seconds(FILE *out, const char *name, const char *type, const char *help, int64_t ns);
static void labelled(FILE *out, const char *name, const char *label, const char *value, uint64_t count);
static void write_label(FILE *out, const char *value);
static void write_capture(FILE *out, const struct web_state *s);
static void write_found(FILE *out, const struct web_state *s);
static void write_output(FILE *out, const struct output_condition *c, uint64_t undelivered);
static void write_condition(FILE *out, const struct web_state *s, bool healthy);

void
web_write_metrics(FILE *out, const struct web_state *s, bool healthy)
{
	write_condition(out, s, healthy);
	write_capture(out, s);
	write_found(out, s);
	write_output(out, &s->output, s->stats.undelivered);
}

static void
write_condition(FILE *out, const struct web_state *s, bool healthy)
{
	head(out, "waybill_build_info", "gauge", "The version that runs.");
	labelled(out, "waybill_build_info", "version", PACKAGE_VERSION, 1);
	gauge(out, "waybill_healthy", "1: /healthz answers 200.", healthy);
	seconds(out, "waybill_start_time_seconds", "gauge", "When it began, since 1970.", s->stats.started);
	gauge(out, "waybill_resident_memory_bytes", "Memory of the process that is in use.", s->stats.memory);
	head(out, "waybill_interface_up", "gauge", "1: the interface is up and has a link.");
	for (size_t i = 0; i < s->interface_count; i++)
		if (s->interfaces[i].known)
			labelled(out, "waybill_interface_up", "interface", s->interfaces[i].name, s->interfaces[i].up);
	head(out, "waybill_database_built_time_seconds", "gauge", "When a country or network database was built, since 1970.");
	for (size_t i = 0; i < s->database_count; i++) {
		bool before = false; /* of the same type: the first one wins in look-ups as well */
		for (size_t k = 0; k < i; k++)
			before |= strcmp(s->databases[k].type, s->databases[i].type) == 0;
		if (!before)
			labelled(out, "waybill_database_built_time_seconds", "type", s->databases[i].type,
			        (uint64_t)(s->databases[i].built / CLOCK_SECOND));
	}
	head(out, "waybill_reloads_total", "counter", "Reloads of lists, databases and configuration.");
	labelled(out, "waybill_reloads_total", "result", "taken", s->reloads_taken);
	labelled(out, "waybill_reloads_total", "result", "refused", s->reloads_refused);
}

static void
write_capture(FILE *out, const struct web_state *s)
{
	counter(out, "waybill_packets_total", "Frames taken from the interfaces.", s->stats.frames);
	counter(out, "waybill_packet_bytes_total", "Their length on the wire.", s->stats.bytes);
	counter(out, "waybill_filtered_packets_total", "Frames that the filter turned away.", s->stats.filtered);
	head(out, "waybill_dropped_packets_total", "counter", "Frames lost before waybill could take them, by where.");
	labelled(out, "waybill_dropped_packets_total", "at", "ring", s->stats.dropped_ring);
	labelled(out, "waybill_dropped_packets_total", "at", "interface", s->stats.dropped_interface);
	counter(out, "waybill_duplicate_packets_total", "Packets that came twice.", s->coverage.duplicates);
	head(out, "waybill_unread_total", "counter", "What was not read, or not to the end, by reason (packets, bytes, flows: see the docs).");
	for (size_t i = 0; i < s->coverage.unread_count; i++)
		labelled(out, "waybill_unread_total", "reason", s->coverage.unread[i].name, s->coverage.unread[i].count);
}

static void
write_found(FILE *out, const struct web_state *s)
{
	gauge(out, "waybill_open_flows", "Flows in the table.", s->stats.flows_open);
	counter(out, "waybill_flows_total", "Flows that began.", s->stats.flows);
	head(out, "waybill_transfers_total", "counter", "Files that crossed the network, by protocol.");
	for (size_t i = 0; i < s->transfer_count; i++)
		labelled(out, "waybill_transfers_total", "protocol", s->transfers[i].kind, s->transfers[i].count);
	head(out, "waybill_alerts_total", "counter", "Alerts that were raised, by severity.");
	for (size_t i = 0; i < s->alert_count; i++)
		labelled(out, "waybill_alerts_total", "severity", s->alerts[i].kind, s->alerts[i].count);
}

static void
write_output(FILE *out, const struct output_condition *c, uint64_t undelivered)
{
	gauge(out, "waybill_undelivered_alerts", "Alerts that wait to be sent.", undelivered);
	if (c->events_path != NULL) {
		gauge(out, "waybill_events_failing", "1: the file of events can't be written just now.", c->events_failure != 0);
		seconds(out, "waybill_events_failing_seconds_total", "counter", "Time that it could not be.", c->events_failing);
		gauge(out, "waybill_events_waiting_bytes", "Events in memory until it can be.", c->events_waiting);
		counter(out, "waybill_events_rotations_total", "Files of events that were finished.", c->rotations);
	}
	counter(out, "waybill_lost_events_total", "Events that could not be kept until they could be written.", c->events_lost);
	counter(out, "waybill_lost_alerts_total", "Alerts and coverage that reached no file or no spool.", c->alerts_lost);
	if (c->spool_path == NULL)
		return;
	gauge(out, "waybill_spool_failing", "1: the webhooks' spool takes no alerts just now.", c->spool_failing);
	gauge(out, "waybill_spool_held_alerts", "Alerts in memory until it does.", c->spool_held);
	gauge(out, "waybill_webhook_waiting_alerts", "Alerts in the spool.", c->webhook_waiting);
	gauge(out, "waybill_webhook_refused_alerts", "Of them, those for webhooks that are disabled.", c->webhook_refused);
	gauge(out, "waybill_webhook_failed_attempts", "Attempts that failed in a row, of the webhook that has the most.",
	        c->webhook_failures);
}

static void
head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
counter(FILE *out, const char *name, const char *help, uint64_t value)
{
	head(out, name, "counter", help);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void
gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
	head(out, name, "gauge", help);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void
seconds(FILE *out, const char *name, const char *type, const char *help, int64_t ns)
{
	const int64_t ms = ns > 0 ? ns / CLOCK_MILLISECOND : 0;
	head(out, name, type, help);
	fprintf(out, "%s %" PRId64 ".%03d\n", name, ms / 1000, (int)(ms % 1000));
}

static void
labelled(FILE *out, const char *name, const char *label, const char *value, uint64_t count)
{
	fprintf(out, "%s{%s=\"", name, label);
	write_label(out, value);
	fprintf(out, "\"} %" PRIu64 "\n", count);
}

/* Any UTF-8 is allowed; what comes from elsewhere is printable ASCII here. */
static void
write_label(FILE *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			putc('\\', out);
		putc(*value >= ' ' && *value <= '~' ? *value : '_', out);
	}
}
