/*
 * The sensor: frames of captures, as fast as they can be read, or of interfaces, until it is told to end, through the
 * pipeline; with signals, progress and delivery.
 */
#ifndef WAYBILL_SENSOR_H
#define WAYBILL_SENSOR_H

#include "attribution/attribution.h"
#include "conf.h"
#include "loop.h"
#include "options.h"

/* The exit status of the process. Messages have been printed. attribution is the sensor's to destroy. */
int sensor_run(const struct options *options, const struct conf *conf, struct attribution *attribution,
        struct loop *loop);

#endif
