/* Where and when machines may ask how the sensor is, as the configuration says it. */
#ifndef WAYBILL_CONF_METRICS_H
#define WAYBILL_CONF_METRICS_H

#include "base/clock.h"
#include "conf_read.h"
#include "conf_schema.h"
#include "web/web.h"

#define CONF_METRICS_SILENCE (600 * CLOCK_SECOND)
#define CONF_METRICS_DATABASE_AGE (365 * 86400 * CLOCK_SECOND)

/* f may be NULL: out is left alone. */
void conf_metrics(struct conf_reading *r, const struct file_metrics *f, struct web_conf *out);

#endif
