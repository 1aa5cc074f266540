/*
 * An HTTP conversation. The input is a row of steps: a letter (c, s: the client or server sends; C, S: so
 * many of its bytes were not seen; f, F: it sends nothing more), two bytes of length, content.
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/proto.h"
#include "../unit/recorder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of its own, so that a read past its end is seen. */
static enum verdict
give(void *http, enum side from, struct reader *r, size_t len)
{
	if (len > r->left)
		len = r->left;
	const uint8_t *bytes = reader_take(r, len);
	if (len == 0)
		return VERDICT_MORE;
	uint8_t *exact = malloc(len);
	memcpy(exact, bytes, len);
	enum verdict v = proto_http.data(http, from, exact, len);
	free(exact);
	return v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct probe p = {.bytes = {data, data}, .len = {size, size / 2}, .midstream = size % 2 != 0};
	struct session *s = recorder_open();
	void *http = proto_http.open(s);
	enum verdict v = VERDICT_MORE;
	uint8_t kind = 0;

	proto_http.probe(&p);
	while (r.left > 2 && v == VERDICT_MORE) {
		kind = reader_u8(&r);
		enum side from = kind == 's' || kind == 'S' || kind == 'F' ? SIDE_DESTINATION : SIDE_SOURCE;
		size_t len = reader_be16(&r);
		if (kind == 'C' || kind == 'S')
			v = proto_http.gap(http, from, len);
		else if (kind == 'f' || kind == 'F')
			proto_http.end(http, from);
		else
			v = give(http, from, &r, len);
	}
	proto_http.close(http, kind == 'x');
	if (recorder_open_transfers(s) != 0)
		abort();
	recorder_close(s);
	return 0;
}
