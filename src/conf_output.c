#include "config.h"

#include "conf_output.h"

#include <string.h>

#include "base/clock.h"

enum { ROTATE_SIZE_LEAST = 1000 * 1000 };

void
conf_output_files(struct conf_reading *r, const struct file_output *f, struct output_conf *out)
{
	if (f->rotate_size != NULL && strcmp(f->rotate_size, "never") != 0) {
		conf_bytes(r, "rotate_size", f->rotate_size, &out->rotate_size);
		if (out->rotate_size < ROTATE_SIZE_LEAST)
			conf_refuse(r, "rotate_size", "must be at least 1MB, or never");
	}
	if (f->rotate_time != NULL && strcmp(f->rotate_time, "never") != 0)
		conf_time(r, "rotate_time", f->rotate_time, CLOCK_SECOND, &out->rotate_time);
	if (f->keep != NULL && strcmp(f->keep, "all") == 0)
		out->rotate_keep = SIZE_MAX;
	else
		conf_limit_count(r, "keep", f->keep, &out->rotate_keep);
	if (out->rotate_keep == 0)
		out->rotate_keep = CONF_ROTATE_KEEP;
	conf_limit_bytes(r, "backlog", f->backlog, &out->backlog);
}
