/* What waybill check tells of the machine: memory, rights, clock, and room for what is written. */
#ifndef WAYBILL_CHECK_MACHINE_H
#define WAYBILL_CHECK_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "check/findings.h"
#include "conf.h"

/* interfaces: how many are watched; 0: none, so that no right to capture is needed. */
void machine_check(struct findings *f, const struct conf *conf, size_t interfaces, unsigned lanes);

/* Bytes that conf lets waybill take at most: all limits and the program itself, without the interfaces' rings. */
size_t machine_need(const struct conf *conf);

/*
 * The tightest memory limit of the control groups (version 2, or 1, or both) that a process is in, by its
 * /proc/PID/cgroup in cgroup_file, under a mounted root such as /sys/fs/cgroup. SIZE_MAX: there is none.
 */
size_t machine_cgroup_limit(const char *cgroup_file, const char *root);

#endif
