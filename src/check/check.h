/* waybill check: what would happen with this configuration on this machine, in words or as JSON lines. */
#ifndef WAYBILL_CHECK_CHECK_H
#define WAYBILL_CHECK_CHECK_H

#include <stdio.h>

#include "attribution/attribution.h"
#include "conf.h"
#include "options.h"

/*
 * Looks, and changes nothing: interfaces that options name are opened for a moment, as a run would. With
 * options->online every webhook gets one signed test message. conf: with what options override.
 * The exit status: 0, also with warnings, or 1 when something that was asked for will not work.
 */
int check_run(const struct options *options, const struct conf *conf, struct attribution *attribution, FILE *out);

#endif
