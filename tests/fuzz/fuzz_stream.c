#include "config.h"

/*
 * TCP reassembly with segments that the input chooses, eight bytes each: side and flags,
 * sequence number, length, what is cut off, acknowledgment, time. Payload is copied to an exact
 * size. What is delivered must come in order and leave no memory counted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "stream/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { RECORD = 8, PAYLOAD_MAX = 255 };

struct sink {
	struct stream *stream;
	bool ended[2];
	unsigned calls;
	unsigned ignore_at; /* the call that ignores its side; 0: none */
};

static void
on_data(void *ctx, enum side from, const uint8_t *data, size_t n, int64_t time)
{
	struct sink *k = ctx;
	static volatile uint8_t sum; /* reads all, for the sanitizer */
	(void)time;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + data[i]);
	if (n == 0 || k->ended[from])
		abort();
	if (++k->calls == k->ignore_at)
		stream_ignore(k->stream, from);
}

static void
on_gap(void *ctx, enum side from, uint64_t n, int64_t time)
{
	struct sink *k = ctx;
	(void)time;
	if (n == 0 || k->ended[from])
		abort();
	if (++k->calls == k->ignore_at)
		stream_ignore(k->stream, side_other(from));
}

static void
on_end(void *ctx, enum side from, bool reset, int64_t time)
{
	struct sink *k = ctx;
	(void)reset;
	(void)time;
	if (k->ended[from])
		abort();
	k->ended[from] = true;
}

/* Near numbers mostly: the interesting things happen around the edges of a window. */
static uint32_t
number(uint8_t exponent, uint8_t mantissa)
{
	return (uint32_t)mantissa << (exponent % 32);
}

static void
segment(struct stream *s, struct reader *r, int64_t *time, const uint8_t *text)
{
	const uint8_t head = reader_u8(r), flags = reader_u8(r), scale = reader_u8(r);
	const uint8_t at = reader_u8(r), n = reader_u8(r), cut = reader_u8(r);
	const uint8_t ack = reader_u8(r), wait = reader_u8(r);
	uint8_t *copy = malloc(n > 0 ? n : 1);
	memcpy(copy, text, n);
	*time += (int64_t)wait * (wait & 1 ? CLOCK_SECOND : CLOCK_MILLISECOND);
	const struct packet p = {
		.time = *time,
		.tcp_flags = flags & 0x3f,
		.flags = head & 2 ? PACKET_BAD_CHECKSUM : 0,
		.tcp_seq = UINT32_MAX - 300 + number(scale & 0xf ? 0 : scale >> 4, at),
		.tcp_ack = UINT32_MAX - 300 + number(scale & 0xf0 ? 0 : scale, ack),
		.payload = copy,
		.captured = n,
		.payload_len = (uint32_t)n + cut,
	};
	stream_segment(s, head & 1 ? SIDE_DESTINATION : SIDE_SOURCE, &p);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t text[PAYLOAD_MAX] = "abcdefghijklmnopqrstuvwxyz";
	static const struct stream_ops ops = {.data = on_data, .gap = on_gap, .end = on_end};
	struct reader r = reader_init(bytes, len);
	const uint8_t limit = reader_u8(&r);
	struct sink k = {.ignore_at = reader_u8(&r)};
	struct stream_pool *pool = stream_pool_create(
	        &(struct stream_limits){.memory = 256u * limit, .per_stream = 128u * limit}, &ops);
	if (pool == NULL)
		return 0;
	int64_t time = 0;
	k.stream = stream_open(pool, &k);
	while (k.stream != NULL && r.left >= RECORD)
		segment(k.stream, &r, &time, text);
	stream_close(k.stream, time);
	if (pool->used != 0)
		abort();
	stream_pool_destroy(pool);
	return 0;
}
