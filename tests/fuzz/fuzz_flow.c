#include "config.h"

/*
 * The flow table with packets that the input chooses, eight bytes each, among few ends, so that
 * they meet. A small table sheds; every flow that begins must end, and the count must be right.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/reader.h"
#include "flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { RECORD = 8 };

static void
on_begin(void *ctx, struct flow *f)
{
	size_t *open = ctx;
	flow_attach(f, open);
	++*open;
}

static void
on_end(void *ctx, struct flow *f)
{
	size_t *open = ctx;
	struct flow_record r;
	flow_describe(f, &r);
	if (flow_attachment(f) != open || r.end < r.start || r.end_reason == FLOW_END_NONE ||
	        r.side[0].packets + r.side[1].packets == 0)
		abort();
	--*open;
}

static struct packet
packet(struct reader *r, int64_t *time, uint64_t frame)
{
	static const uint8_t transports[] = {
		IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
		IPPROTO_SCTP, IPPROTO_ESP,
	};
	const uint8_t head = reader_u8(r), ends = reader_u8(r), flags = reader_u8(r);
	const uint8_t seq = reader_u8(r), ack = reader_u8(r), payload = reader_u8(r);
	const int16_t wait = (int16_t)reader_be16(r);
	*time += (int64_t)wait * (wait & 1 ? CLOCK_SECOND : CLOCK_MILLISECOND);
	struct packet p = {
		.time = *time,
		.frame = head & 0x80 ? frame % 7 : frame,
		.ip_version = head & 0x40 ? 6 : 4,
		.transport = transports[head & 7],
		.flags = (uint16_t)(head & 0x38 ? 0 : PACKET_MAC),
		.tcp_flags = flags & 0x3f,
		.tcp_seq = seq,
		.tcp_ack = ack,
		.payload_len = payload,
		.ip_bytes = 40u + payload,
		.src_port = ends & 3,
		.dst_port = ends >> 2 & 3,
	};
	p.src.bytes[15] = ends >> 4 & 3;
	p.dst.bytes[15] = ends >> 6;
	return p;
}

static struct flow *
take(struct flow_table *t, const struct packet *p, enum side *from)
{
	struct flow_lookup lookup;
	flow_lookup_make(flow_table_key(t), p, &lookup);
	return flow_table_packet(t, p, &lookup, from);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct flow_ops ops = {.begin = on_begin, .end = on_end};
	struct reader r = reader_init(bytes, len);
	size_t open = 0;
	const uint8_t limit = reader_u8(&r);
	const struct flow_limits limits = {.memory = 1 + 187u * limit};
	struct flow_table *t = flow_table_create(&limits, &ops, &open);
	if (t == NULL)
		return 0;
	int64_t time = 0;
	for (uint64_t frame = 1; r.left >= RECORD; frame++) {
		const struct packet p = packet(&r, &time, frame);
		enum side from;
		struct flow *f = take(t, &p, &from);
		if (f != NULL && frame % 31 == 0)
			flow_protect(f);
		if (open != flow_table_count(t))
			abort();
	}
	flow_table_destroy(t);
	if (open != 0)
		abort();
	return 0;
}
