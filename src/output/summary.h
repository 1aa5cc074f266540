/*
 * What the readable summary keeps while records go by: totals, and of everything that may be many the most
 * telling ones, in tables with limits. summary.c gathers, summary_tally.c keeps, summary_page.c prints.
 */
#ifndef WAYBILL_OUTPUT_SUMMARY_H
#define WAYBILL_OUTPUT_SUMMARY_H

#include "base/record.h"
#include "output/summary_text.h"

enum {
	SUMMARY_FILES_KEPT = 256,    /* of each kind: read, inferred */
	SUMMARY_ALERTS_KEPT = 256,
	SUMMARY_NETWORKS_KEPT = 8192,
	SUMMARY_PROBLEMS_KEPT = 24,
	SUMMARY_SENTENCE_MAX = 512,
	SUMMARY_NAME_MAX = 256,
};

/* An end as it is shown. */
struct summary_end {
	struct addr addr;
	uint16_t port;
	bool home;
	char country[3];
	uint32_t asn;
	char org[64];
};

struct summary_file {
	char id[RECORD_ID_MAX];
	char name[SUMMARY_NAME_MAX]; /* escaped; of an inferred one, the service; may be empty */
	char user[64];
	char protocol[16];
	char network[64];            /* the listed network it met, or empty */
	char hash[12];               /* how it begins, or empty */
	int64_t start, end;
	uint64_t size;               /* or as much as was seen */
	bool size_known;
	uint64_t seen;               /* of it */
	bool copied;                 /* all others the server put there itself */
	enum transfer_state state;
	enum transfer_basis basis;
	unsigned http_status;        /* 0: none was seen */
	bool listing;                /* of a directory */
	enum confidence listed;      /* of the end that is listed, NONE: none */
	struct summary_end from, to; /* sender, receiver */
};

/* The most telling files, best first. */
struct summary_files {
	struct summary_file *rows;
	size_t count;
	uint64_t total, bytes;
};

struct summary_alert {
	char id[RECORD_ID_MAX];
	char rule[32];
	char summary[SUMMARY_SENTENCE_MAX];
	char user[64];
	char protocol[16];
	char what[SUMMARY_NAME_MAX];   /* the file it opened with, or empty */
	char listed_as[SUMMARY_SENTENCE_MAX];
	char network[64];
	char reasons[SUMMARY_SENTENCE_MAX];
	enum severity severity;
	enum confidence confidence;
	int64_t first, last;
	uint64_t count, files, bytes;
	bool transfer;                 /* from sent to to; else from opened the exchange */
	struct summary_end from, to;
};

/* Bytes with one network, or one country. Seen from home; where no end is home, from the initiator. */
struct summary_network {
	uint32_t asn;
	char country[3];
	char org[64];
	uint64_t out, in, flows;
	bool listed;
};

struct summary_networks {
	struct table *table;
	struct summary_network other; /* what came when the table was full */
};

struct summary {
	struct page page;
	char *inputs;             /* names, for a line; or NULL */
	size_t input_count;

	struct summary_files read, inferred;
	uint64_t directories, cut, aborted; /* of the read ones */

	struct summary_alert *alerts;
	size_t alert_count;
	uint64_t alerts_not_kept[SEVERITY_CRITICAL + 1];
	uint64_t alerts_by_severity[SEVERITY_CRITICAL + 1]; /* all of them; by summary_tally_sort */

	struct summary_networks networks, countries;
	uint64_t flows, internal_flows, internal_bytes;

	char *problems[SUMMARY_PROBLEMS_KEPT];
	size_t problem_count;
	uint64_t problems_not_kept;

	bool covered;             /* coverage was told: the copies below are of it */
	struct coverage coverage;
	struct coverage_counter *unread;
	char **notes;
};

/* ---- summary_tally.c ---- */

int summary_tally_init(struct summary *s);
void summary_tally_clear(struct summary *s);

void summary_tally_flow(struct summary *s, const struct flow_record *r);
void summary_tally_transfer(struct summary *s, const struct transfer_record *r);
void summary_tally_alert(struct summary *s, const struct alert *a);

/* In the order of the page: files by listing and size, alerts by severity, which are counted. */
void summary_tally_sort(struct summary *s);

/* The networks with most bytes, most first: how many of max. */
size_t summary_networks_top(const struct summary_networks *n, const struct summary_network **out, size_t max);

/* Is the country of any of them known? */
bool summary_countries_known(const struct summary *s);

/* Is f, by its ends and its time, one of the files that a is about? */
bool summary_alert_covers(const struct summary_alert *a, const struct summary_file *f);

/* ---- summary_page.c ---- */

void summary_print(struct summary *s);

/* ---- country.c ---- */

/* The short English name of an ISO 3166-1 alpha-2 code, or the code; NULL: "?". */
const char *country_name(const char *code);

#endif
