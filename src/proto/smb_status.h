/* What answers say of themselves (MS-ERREF 2.3.1). */
#ifndef WAYBILL_PROTO_SMB_STATUS_H
#define WAYBILL_PROTO_SMB_STATUS_H

#include <stdint.h>

static const uint32_t STATUS_SUCCESS = 0;
static const uint32_t STATUS_PENDING = 0x00000103;
static const uint32_t STATUS_BUFFER_OVERFLOW = 0x80000005;
static const uint32_t STATUS_END_OF_FILE = 0xc0000011;
static const uint32_t STATUS_MORE_PROCESSING = 0xc0000016;

#endif
