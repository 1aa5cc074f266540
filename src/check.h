/* waybill check: what would happen with this configuration, in words. */
#ifndef WAYBILL_CHECK_H
#define WAYBILL_CHECK_H

#include <stdio.h>

#include "attribution/attribution.h"
#include "conf.h"
#include "options.h"

/* The exit status: 0, or 2 when something that was configured can't be used. */
int check_run(const struct options *options, const struct conf *conf, struct attribution *attribution, FILE *out);

#endif
