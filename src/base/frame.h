/* A captured frame, as the capture stage hands it down: borrowed until the next one is asked for. */
#ifndef WAYBILL_BASE_FRAME_H
#define WAYBILL_BASE_FRAME_H

#include <stdint.h>

struct frame {
	int64_t time;        /* ns since 1970 UTC */
	const uint8_t *data; /* caplen bytes */
	uint32_t caplen;     /* bytes captured */
	uint32_t len;        /* bytes on the wire */
	uint64_t number;     /* in its file, from 1 */
	uint32_t file;       /* index of the input file, from 0 */
	uint32_t interface;  /* in its file (pcapng), else 0 */
	uint16_t link;       /* LINKTYPE_ value (tcpdump.org/linktypes.html) */
};

#endif
