/*
 * The output stage: records leave the house. One file a sink, one const struct sink
 * each, one table sinks[]; a sink opens if its part of the configuration asks for it.
 */
#ifndef WAYBILL_OUTPUT_OUTPUT_H
#define WAYBILL_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/record.h"

struct output;
struct loop;

enum { /* event kinds, as --events names them */
	EVENT_FLOW = 1u << 0,
	EVENT_TRANSFER = 1u << 1,
	EVENT_ALERT = 1u << 2,
	EVENT_COVERAGE = 1u << 3,
	EVENT_STATS = 1u << 4,
};

struct webhook_target {
	const char *name;
	const char *url;
	const char *secret;           /* "whsec_" + base64, or raw; NULL: unsigned */
	const char *ca_file;          /* private CA, or NULL */
	const char *proxy;            /* or NULL */
	enum severity minimum;        /* alerts below it are not sent */
	int64_t timeout;              /* ns for one attempt */
	int64_t retry_first, retry_max; /* back-off, ns */
	int64_t give_up;              /* after so long an alert is a dead letter; 0: never */
};

struct output_conf {
	const char *events_path;      /* "-": stdout; NULL: no events */
	unsigned events;              /* EVENT_* wanted */
	bool events_append;           /* what is in the file stays, and alerts are synced: a sensor that runs for months */
	uint64_t rotate_size;         /* of the file of events, bytes; 0: never */
	int64_t rotate_time;          /* ns of wall clock, counted from 1970 UTC; 0: never */
	size_t rotate_keep;           /* so many earlier files; SIZE_MAX: all */
	size_t backlog;               /* bytes that wait in memory while a disk is full; 0: default 16 MB */
	bool summary;                 /* the readable summary on summary_stream */
	FILE *summary_stream;
	bool colour;                  /* on summary_stream */
	const char *spool_path;       /* SQLite file for the webhook; NULL: none */
	const struct webhook_target *webhooks;
	size_t webhook_count;
	const char *observer_name;    /* host name of this sensor, or NULL */
	const char *const *inputs;    /* what is replayed, as the user named it, for the summary; or NULL */
	size_t input_count;
};

/* Opens every sink that conf asks for. loop carries asynchronous delivery. NULL and error. */
struct output *output_open(const struct output_conf *conf, struct loop *loop, char *error, size_t error_size);

void output_flow(struct output *o, const struct flow_record *r);
void output_transfer(struct output *o, const struct transfer_record *r);
void output_alert(struct output *o, const struct alert *a);
void output_coverage(struct output *o, const struct coverage *c);
void output_reload(struct output *o, const struct reload_record *r);
void output_stats(struct output *o, const struct stats_record *s);

/* A sentence about input that could not be read, or anything the summary must admit. */
void output_problem(struct output *o, const char *sentence);

/* True while flow records are of use to some sink (else they need not be described). */
bool output_wants_flows(const struct output *o);

/* Alerts still to be delivered; the loop runs on until there are none, or the wait is over. */
size_t output_pending(const struct output *o);

/* Files that were moved are made anew (logrotate). */
void output_reopen(struct output *o);

/* How the sinks fare: for coverage, metrics and health. */
struct output_condition {
	const char *events_path;      /* NULL: no events are written */
	int events_failure;           /* errno of what keeps the file from being written just now; 0: nothing */
	int64_t events_since;         /* wall clock of the first time that it could not be written; 0: never */
	int64_t events_failing;       /* ns that it could not be, in all, until now */
	size_t events_waiting;        /* bytes in memory */
	uint64_t events_lost;         /* of every kind */
	uint64_t alerts_lost;         /* alerts and coverage that did not reach a file or a webhook's spool */
	uint64_t rotations;
	const char *spool_path;       /* NULL: no webhooks */
	bool spool_failing;           /* it takes no letters just now */
	size_t spool_held;            /* alerts in memory until it does */
	size_t webhook_waiting;       /* letters in the spool */
	size_t webhook_refused;       /* of them, for targets that are disabled */
	unsigned webhook_failures;    /* attempts that failed in a row, of the target that has the most */
};
void output_condition(const struct output *o, struct output_condition *out);

/* Writes what is buffered and prints the summary. 0, or -1 when something owed was not written (error says what). */
int output_finish(struct output *o, char *error, size_t error_size);
void output_close(struct output *o); /* takes NULL */

enum output_finding {
	OUTPUT_FACT,
	OUTPUT_AMISS,  /* it works, and somebody should look at it */
	OUTPUT_BROKEN, /* alerts would not arrive */
};

/* what: a word such as "webhook". No secret and no token is in a sentence; text from elsewhere may hold any byte. */
typedef void output_say_fn(void *ctx, const char *what, enum output_finding finding, const char *sentence);

/* Says where alerts would go, and what waits or died on its way there. Asks nobody, and changes nothing. */
void output_describe(const struct output_conf *conf, output_say_fn *say, void *ctx);

/*
 * Sends every webhook one message that is no alert (event.dataset "waybill.test"), with the headers and the signature
 * that an alert would have, and says what came back. Nothing is retried, and the spool is not touched. Runs the
 * loop, on which nothing else may wait. 0, or -1: out of memory.
 */
int output_probe(const struct output_conf *conf, struct loop *loop, output_say_fn *say, void *ctx);

const char *severity_name(enum severity s);       /* "critical" ... */
int severity_parse(const char *name, enum severity *out);

/*
 * A sink. Any member but open and close may be NULL: it is not interested. state is what open
 * gave. Records are borrowed for the call.
 */
struct sink {
	const char *name;
	/* 0 and *state (NULL: not wanted by conf), or -1 and error. */
	int (*open)(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size);
	/* Of use to it just now, by its part of conf? NULL: whatever it has a function for. */
	bool (*wants_flows)(const void *state);
	void (*flow)(void *state, const struct flow_record *r);
	void (*transfer)(void *state, const struct transfer_record *r);
	void (*alert)(void *state, const struct alert *a);
	void (*coverage)(void *state, const struct coverage *c);
	void (*reload)(void *state, const struct reload_record *r);
	void (*stats)(void *state, const struct stats_record *s);
	void (*problem)(void *state, const char *sentence);
	size_t (*pending)(const void *state);
	void (*reopen)(void *state);
	void (*condition)(const void *state, struct output_condition *out); /* fills in its part */
	int (*finish)(void *state, char *error, size_t error_size);
	void (*close)(void *state);
};

extern const struct sink sink_events;  /* NDJSON, events.c */
extern const struct sink sink_summary; /* for a person, summary.c */
extern const struct sink sink_webhook; /* POST of alerts out of a durable spool, webhook.c */

/*
 * An event as one ECS JSON object, for every sink that sends JSON (event*.c). Behind what json_keep kept, the
 * writer then holds the object and nothing else (no line feed). doc/events.md is the reference, and
 * doc/waybill-event.schema.json the schema.
 */
struct json;

struct event_stamp {       /* all of an event that may differ between two replays of one input */
	int64_t ingested;      /* processing time, ns */
	const char *observer;  /* host name of this sensor, or NULL */
};

void event_write_flow(struct json *j, const struct flow_record *r, const struct event_stamp *stamp);
void event_write_transfer(struct json *j, const struct transfer_record *r, const struct event_stamp *stamp);
void event_write_alert(struct json *j, const struct alert *a, const struct event_stamp *stamp);
void event_write_coverage(struct json *j, const struct coverage *c, const struct event_stamp *stamp);
void event_write_reload(struct json *j, const struct reload_record *r, const struct event_stamp *stamp);
void event_write_stats(struct json *j, const struct stats_record *s, const struct event_stamp *stamp);

/* The geo, as and waybill.listing members of one address, as in an event (for lookup --json). */
void event_write_lookup(struct json *j, const struct addr *addr, const struct place *p, const struct listing *l,
                        const struct service_row *service);
void event_write_lookup_name(struct json *j, const char *name, const struct service_row *service);

#endif
