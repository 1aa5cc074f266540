/* A BPF filter (pcap-filter(7)), compiled for each link type that turns up. */
#ifndef WAYBILL_CAPTURE_FILTER_H
#define WAYBILL_CAPTURE_FILTER_H

#include <stddef.h>

#include "base/frame.h"

struct filter;

enum filter_answer {
	FILTER_PASS,
	FILTER_REJECT,
	FILTER_CANNOT, /* as FILTER_REJECT, and the first time: the expression makes no sense for
			  this link type */
};

/* NULL when no common link type can be filtered so: error says why. */
struct filter *filter_create(const char *expression, char *error, size_t error_size);
void filter_destroy(struct filter *f); /* takes NULL */

enum filter_answer filter_frame(struct filter *f, const struct frame *frame);

#endif
