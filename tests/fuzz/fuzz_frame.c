/*
 * Frames, as capture hands them down: link type, then each frame with its
 * length and how many bytes the snap length took away. Several, so that fragments meet.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
static void look(void *ctx, const struct packet *p);
static void one_frame(struct decoder *d, uint16_t link, struct reader *r, uint64_t number);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct decoder_limits limits = {.fragment_memory = 1 << 16, .check_checksums = true};
	struct reader r = reader_init(bytes, len);
	uint16_t link = reader_be16(&r);
	uint64_t number = 0, seen = 0;

	struct decoder *d = decoder_create(&limits, look, &seen);
	if (d == NULL)
		return 0;
	while (reader_ok(&r) && r.left > 0)
		one_frame(d, link, &r, ++number);
	decoder_destroy(d);
	return 0;
}

/* Two bytes of length, one of bytes cut off, one of seconds to add; then the bytes. */
static void
one_frame(struct decoder *d, uint16_t link, struct reader *r, uint64_t number)
{
	size_t caplen = reader_be16(r);
	size_t cut = reader_u8(r);
	int64_t seconds = reader_u8(r);

	if (caplen > r->left)
		caplen = r->left;
	const uint8_t *bytes = reader_take(r, caplen);
	if (!reader_ok(r))
		return;
	uint8_t *copy = malloc(caplen + (caplen == 0)); /* exactly as long, for ASan to see */
	if (copy == NULL)
		return;
	memcpy(copy, bytes, caplen);
	const struct frame f = {
		.time = (int64_t)number * CLOCK_SECOND + seconds * CLOCK_SECOND,
		.data = copy,
		.caplen = (uint32_t)caplen,
		.len = (uint32_t)(caplen + cut),
		.number = number,
		.link = link,
	};
	decoder_frame(d, &f);
	free(copy);
}

/* Reads every byte of a packet, and holds it against the contract. */
static void
look(void *ctx, const struct packet *p)
{
	uint64_t *seen = ctx;

	for (uint32_t i = 0; i < p->captured; i++)
		*seen += p->payload[i];
	if (p->captured > p->payload_len || (p->ip_version != 4 && p->ip_version != 6) ||
		((p->flags & PACKET_CUT) != 0) != (p->captured < p->payload_len))
		abort();
}
