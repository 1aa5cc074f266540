/* The keys of the configuration file, section by section. doc/waybill.yaml explains each. */
#include "config.h"

#include <cyaml/cyaml.h>

#include "conf_schema.h"

enum {
	TEXT_MAX = 4096,
	FEW = 64,    /* databases, lists, webhooks */
	MANY = 4096, /* networks */
};

/* A value that may be left out, one that may not, a list of values, a section. */
#define VALUE(type, key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, key, 0, TEXT_MAX)
#define NEEDED(type, key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER, type, key, 0, TEXT_MAX)
#define LIST(type, key, entry, max) \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL, type, key, entry, 0, max)
#define SECTION(type, key, fields) \
	CYAML_FIELD_MAPPING_PTR(#key, CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL, type, key, fields)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, TEXT_MAX),
};

static const cyaml_schema_field_t list_fields[] = {
	NEEDED(struct file_list, path),
	VALUE(struct file_list, name),
	VALUE(struct file_list, format),
	VALUE(struct file_list, jurisdiction),
	VALUE(struct file_list, confidence),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t list_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_list, list_fields),
};

static const cyaml_schema_field_t asn_fields[] = {
	NEEDED(struct file_asn, asn),
	NEEDED(struct file_asn, jurisdiction),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t asn_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_asn, asn_fields),
};

static const cyaml_schema_field_t attribution_fields[] = {
	LIST(struct file_attribution, databases, &text_entry, FEW),
	VALUE(struct file_attribution, auto_detect),
	VALUE(struct file_attribution, builtin),
	VALUE(struct file_attribution, sanctioned),
	VALUE(struct file_attribution, services),
	LIST(struct file_attribution, lists, &list_entry, FEW),
	LIST(struct file_attribution, jurisdictions, &text_entry, FEW),
	LIST(struct file_attribution, asns, &asn_entry, MANY),
	LIST(struct file_attribution, home_networks, &text_entry, MANY),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t bulk_fields[] = {
	VALUE(struct file_bulk, enabled),
	VALUE(struct file_bulk, size),
	LIST(struct file_bulk, allow, &text_entry, MANY),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t rules_fields[] = {
	VALUE(struct file_rules, sanctioned_transfer),
	VALUE(struct file_rules, sanctioned_contact),
	SECTION(struct file_rules, bulk_outbound, bulk_fields),
	VALUE(struct file_rules, fold_window),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t capture_fields[] = {
	VALUE(struct file_capture, ring),
	VALUE(struct file_capture, snaplen),
	VALUE(struct file_capture, promiscuous),
	VALUE(struct file_capture, immediate),
	VALUE(struct file_capture, lanes),
	VALUE(struct file_capture, timestamps),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t packets_fields[] = {
	VALUE(struct file_packets, checksums),
	VALUE(struct file_packets, duplicates),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t transfers_fields[] = {
	VALUE(struct file_transfers, hash),
	VALUE(struct file_transfers, infer_size),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits_fields[] = {
	VALUE(struct file_limits, memory),
	VALUE(struct file_limits, fragment_memory),
	VALUE(struct file_limits, flow_memory),
	VALUE(struct file_limits, stream_memory),
	VALUE(struct file_limits, memory_per_stream),
	VALUE(struct file_limits, transfer_memory),
	VALUE(struct file_limits, memory_per_transfer),
	VALUE(struct file_limits, open_transfers),
	VALUE(struct file_limits, open_alerts),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t timeouts_fields[] = {
	VALUE(struct file_timeouts, fragments),
	VALUE(struct file_timeouts, tcp_opening),
	VALUE(struct file_timeouts, tcp_established),
	VALUE(struct file_timeouts, tcp_closing),
	VALUE(struct file_timeouts, udp),
	VALUE(struct file_timeouts, other),
	VALUE(struct file_timeouts, join),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t output_fields[] = {
	VALUE(struct file_output, events),
	LIST(struct file_output, event_kinds, &text_entry, FEW),
	VALUE(struct file_output, rotate_size),
	VALUE(struct file_output, rotate_time),
	VALUE(struct file_output, keep),
	VALUE(struct file_output, backlog),
	VALUE(struct file_output, observer),
	VALUE(struct file_output, spool),
	VALUE(struct file_output, coverage_every),
	VALUE(struct file_output, stats_every),
	VALUE(struct file_output, delivery_wait),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	VALUE(struct file_metrics, listen),
	VALUE(struct file_metrics, silence),
	VALUE(struct file_metrics, database_age),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t webhook_fields[] = {
	NEEDED(struct file_webhook, name),
	NEEDED(struct file_webhook, url),
	VALUE(struct file_webhook, secret),
	VALUE(struct file_webhook, secret_file),
	VALUE(struct file_webhook, ca_file),
	VALUE(struct file_webhook, proxy),
	VALUE(struct file_webhook, minimum_severity),
	VALUE(struct file_webhook, timeout),
	VALUE(struct file_webhook, retry_first),
	VALUE(struct file_webhook, retry_max),
	VALUE(struct file_webhook, give_up),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t webhook_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_webhook, webhook_fields),
};

static const cyaml_schema_field_t conf_fields[] = {
	VALUE(struct file_conf, user),
	SECTION(struct file_conf, attribution, attribution_fields),
	SECTION(struct file_conf, rules, rules_fields),
	SECTION(struct file_conf, capture, capture_fields),
	SECTION(struct file_conf, packets, packets_fields),
	SECTION(struct file_conf, transfers, transfers_fields),
	SECTION(struct file_conf, limits, limits_fields),
	SECTION(struct file_conf, timeouts, timeouts_fields),
	SECTION(struct file_conf, output, output_fields),
	SECTION(struct file_conf, metrics, metrics_fields),
	LIST(struct file_conf, webhooks, &webhook_entry, FEW),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t conf_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_conf, conf_fields),
};
