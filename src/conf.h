/*
 * The configuration: YAML against a schema (libcyaml). Const after loading; each stage gets its own part
 * only. Every key has a default, so that no file at all is a working replay.
 */
#ifndef WAYBILL_CONF_H
#define WAYBILL_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "attribution/attribution.h"
#include "capture/live.h"
#include "decode/decode.h"
#include "flow/flow.h"
#include "output/output.h"
#include "policy/policy.h"
#include "stream/stream.h"
#include "transfer/transfer.h"
#include "web/web.h"

enum { LANES_MAX = 16 };

struct conf {
	struct live_conf live;
	unsigned lanes;        /* interfaces: how many share the packets; 0: one */
	struct decoder_limits decode;
	struct flow_limits flow;
	struct stream_limits stream;
	struct transfer_limits transfer;
	struct attribution_conf attribution;
	struct policy_conf policy;
	struct output_conf output;
	const char *user;      /* to become where root started it; NULL: as priv.h says */
	int64_t coverage_every; /* ns: interfaces, a record of coverage each so often; 0: at the end alone */
	struct web_conf web;   /* interfaces only */
	int64_t stats_every;   /* ns: likewise, where event kinds name them; 0: when asked alone */
	int64_t delivery_wait; /* ns: how long a replay waits at its end for webhooks */
	void *owner;           /* what conf_free frees */
};

/*
 * Reads path; NULL: the defaults alone. 0, or -1 and error, which names file, line and key.
 * Strings in out live until conf_free.
 */
int conf_load(const char *path, struct conf *out, char *error, size_t error_size);

/* The same of text that is already read; name stands for the file in messages and relative paths. */
int conf_load_text(const char *name, const void *text, size_t len, struct conf *out, char *error, size_t error_size);
void conf_free(struct conf *c);

#endif
