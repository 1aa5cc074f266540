/*
 * How a sensor is, for machines that ask: GET /metrics for Prometheus (its text format, version 0.0.4) and GET /healthz,
 * which answers 200, or 503 with a reason a line. On a loopback address or a Unix socket only, in plain HTTP, to whoever can
 * reach that; it changes nothing, and names no file and nobody.
 */
#ifndef WAYBILL_WEB_WEB_H
#define WAYBILL_WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/record.h"
#include "output/output.h"

struct loop;
struct web;

struct web_conf {
	const char *path;       /* of a Unix socket; or NULL: */
	struct addr addr;       /* a loopback address */
	uint16_t port;          /* 0 and no path: nobody may ask */
	int64_t silence;        /* ns without a packet, while interfaces are up, that are no good sign; 0: any time is fine */
	int64_t database_age;   /* ns after which a database is too old; 0: never */
};

struct web_interface {
	const char *name;
	bool known;             /* whether it is up: not of those that are no network device of this system */
	bool exists, up;
};

struct web_database {
	const char *type;
	int64_t built;          /* 0: not known */
};

struct web_count {              /* of a kind */
	const char *kind;
	uint64_t count;
};

/* What is told. Counters are of the whole run and never go down. */
struct web_state {
	struct stats_record stats;
	struct coverage coverage;  /* its start, end and notes are not looked at */
	const struct web_count *transfers; /* by protocol */
	size_t transfer_count;
	const struct web_count *alerts;    /* by severity */
	size_t alert_count;
	struct output_condition output;
	const struct web_interface *interfaces;
	size_t interface_count;
	const struct web_database *databases;
	size_t database_count;
	uint64_t reloads_taken, reloads_refused;
	const char *const *refused;     /* why the last reload was, sentences; none: it was not */
	size_t refused_count;
	int64_t unheard;        /* ns since those who follow packets were heard of */
	int64_t quiet;          /* ns since packets came; since the start, if none did */
};

/* Asked with each request; what it points to is borrowed until the next one. */
typedef void web_state_fn(void *ctx, struct web_state *out);

/*
 * Opens the socket and hears it on loop: before privileges are given up. A Unix socket is made anew (mode 0660) where none
 * listens on the one that is there, and removed by web_close. NULL and error.
 */
struct web *web_open(const struct web_conf *conf, struct loop *loop, web_state_fn *state, void *ctx, char *error, size_t size);
void web_close(struct web *w); /* takes NULL */

/* The answers. */
void web_write_metrics(FILE *out, const struct web_state *s, bool healthy);

/* Writes a line for each thing that is amiss; true: there is none. */
bool web_write_health(FILE *out, const struct web_state *s, const struct web_conf *conf);

/* The listening socket: non-blocking. -1 and error. */
int web_listen(const struct web_conf *conf, char *error, size_t size);

#endif
