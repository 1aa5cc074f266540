/*
 * What the sensor knows of its own state, kept for machines that ask (web.h). The main thread's: what others count comes with
 * the turns of the lanes.
 */
#ifndef WAYBILL_VITALS_H
#define WAYBILL_VITALS_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "lanes.h"
#include "loop.h"
#include "options.h"
#include "output/output.h"
#include "tell.h"

struct vitals;

struct vitals_source { /* all of it outlives the vitals */
	const struct options *options;
	const struct conf *conf;
	struct loop *loop;
	struct output *output;
	struct tell *tell;
	struct lanes *lanes;
	int64_t started;      /* wall clock */
};

/* Before privileges are given up. 0 and *out, which is NULL where nobody may ask; -1 and error. */
int vitals_open(const struct vitals_source *from, struct vitals **out, char *error, size_t size);

/* Each takes NULL. */
void vitals_close(struct vitals *v);
void vitals_turn(struct vitals *v, const struct relay_turn *turn);
void vitals_reloaded(struct vitals *v, const struct reload_record *r);
void vitals_second(struct vitals *v); /* called each second: counters are asked for */

#endif
