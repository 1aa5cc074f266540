/* The replay: captures through the pipeline as fast as they can be read, with signals, progress and delivery. */
#ifndef WAYBILL_REPLAY_H
#define WAYBILL_REPLAY_H

#include "attribution/attribution.h"
#include "conf.h"
#include "loop.h"
#include "options.h"

/* The exit status of the process. Messages have been printed. */
int replay_run(const struct options *options, const struct conf *conf, struct attribution *attribution,
        struct loop *loop);

#endif
