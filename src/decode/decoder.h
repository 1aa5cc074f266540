/* What a decoder holds between frames. */
#ifndef WAYBILL_DECODE_DECODER_H
#define WAYBILL_DECODE_DECODER_H

#include <stdbool.h>

#include "base/record.h"
#include "decode/checksum.h"
#include "decode/decode.h"
#include "decode/duplicate.h"
#include "decode/fragment.h"
#include "decode/walk.h"

struct decoder {
	decoder_packet_fn *fn;
	void *ctx;
	bool check; /* checksums */
	struct fragments *fragments;
	struct senders *senders;
	struct duplicates *duplicates; /* NULL: copies are packets like others */
	struct coverage_counter counters[COUNT_MAX];
};

#endif
