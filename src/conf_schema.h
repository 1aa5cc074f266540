/*
 * The configuration as it stands in the file: what libcyaml fills. Every value is still the text that
 * somebody wrote; NULL: not there. conf.c turns it into struct conf.
 */
#ifndef WAYBILL_CONF_SCHEMA_H
#define WAYBILL_CONF_SCHEMA_H

struct cyaml_schema_value;

struct file_list {
	char *path, *name, *format, *jurisdiction, *confidence;
};

struct file_asn {
	char *asn, *jurisdiction;
};

struct file_attribution {
	char **databases;
	unsigned databases_count;
	char *auto_detect;
	char *builtin;
	char *sanctioned, *services;
	struct file_list *lists;
	unsigned lists_count;
	char **jurisdictions;
	unsigned jurisdictions_count;
	struct file_asn *asns;
	unsigned asns_count;
	char **home_networks;
	unsigned home_networks_count;
};

struct file_bulk {
	char *enabled, *size;
	char **allow;
	unsigned allow_count;
};

struct file_rules {
	char *sanctioned_transfer, *sanctioned_contact;
	struct file_bulk *bulk_outbound;
	char *fold_window;
};

struct file_capture {
	char *ring, *snaplen, *promiscuous, *immediate, *lanes, *timestamps;
};

struct file_packets {
	char *checksums, *duplicates;
};

struct file_transfers {
	char *hash, *infer_size;
};

struct file_limits {
	char *memory, *fragment_memory, *flow_memory, *stream_memory, *memory_per_stream;
	char *transfer_memory, *memory_per_transfer, *open_transfers, *open_alerts;
};

struct file_timeouts {
	char *fragments, *tcp_opening, *tcp_established, *tcp_closing, *udp, *other, *join;
};

struct file_output {
	char *events;
	char **event_kinds;
	unsigned event_kinds_count;
	char *rotate_size, *rotate_time, *keep, *backlog;
	char *observer, *spool, *coverage_every, *stats_every, *delivery_wait;
};

struct file_metrics {
	char *listen, *silence, *database_age;
};

struct file_webhook {
	char *name, *url, *secret, *secret_file, *ca_file, *proxy, *minimum_severity;
	char *timeout, *retry_first, *retry_max, *give_up;
};

struct file_conf {
	char *user;
	struct file_attribution *attribution;
	struct file_rules *rules;
	struct file_capture *capture;
	struct file_packets *packets;
	struct file_transfers *transfers;
	struct file_limits *limits;
	struct file_timeouts *timeouts;
	struct file_output *output;
	struct file_metrics *metrics;
	struct file_webhook *webhooks;
	unsigned webhooks_count;
};

extern const struct cyaml_schema_value conf_schema;

#endif
