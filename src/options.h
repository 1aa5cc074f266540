/* The command line: what waybill is asked to do. */
#ifndef WAYBILL_OPTIONS_H
#define WAYBILL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

enum command {
	COMMAND_REPLAY,
	COMMAND_WATCH,
	COMMAND_LOOKUP,
	COMMAND_CHECK,
	COMMAND_HELP,
	COMMAND_VERSION,
};

struct options {
	enum command command;
	const char **arguments;  /* inputs of a replay, interfaces (of check too), addresses of a lookup; words are argv's */
	size_t argument_count;
	char *filter;            /* BPF expression, or NULL */
	const char *conf;        /* path, or NULL */
	const char *events_path; /* "-", path or NULL */
	unsigned events;         /* EVENT_*; 0: not named */
	bool fails_on_alert;
	enum severity fail_severity;
	bool json;
	bool online;             /* check: webhooks get a test message */
	bool quiet;
	unsigned workers;        /* threads that may share the packets, 1 at least */
	bool workers_named;
	bool has_at;
	int64_t at;
	unsigned verbose;
};

/* 0, or -1 and a sentence in error. options_free in either case. */
int options_parse(struct options *o, int argc, char **argv, char *error, size_t error_size);
void options_free(struct options *o);

extern const char options_help[];

#endif
