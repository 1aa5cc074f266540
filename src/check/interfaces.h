/* What waybill check tells of interfaces. */
#ifndef WAYBILL_CHECK_INTERFACES_H
#define WAYBILL_CHECK_INTERFACES_H

#include "check/findings.h"
#include "check/interface.h"
#include "conf.h"
#include "options.h"

/* Those that options name are looked at closely and opened; with none named, all are listed. */
void interfaces_check(struct findings *f, const struct options *options, const struct conf *conf);

/* One that is watched. */
void interfaces_tell(struct findings *f, const struct interface_facts *i);

#endif
