/* The keys of a configuration that say what becomes of output files. */
#ifndef WAYBILL_CONF_OUTPUT_H
#define WAYBILL_CONF_OUTPUT_H

#include "conf_read.h"
#include "conf_schema.h"
#include "output/output.h"

enum { CONF_ROTATE_KEEP = 14 }; /* earlier files, where the file says nothing */

/* rotate_size, rotate_time, keep, backlog. */
void conf_output_files(struct conf_reading *r, const struct file_output *f, struct output_conf *out);

#endif
