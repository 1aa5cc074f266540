#include "config.h"

/* What the other stages may know and keep of a flow. */
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"
#include "flow/internal.h"

static void write_id(const struct flow *f, char out[RECORD_ID_MAX]);
static void describe_side(const struct flow *f, enum side s, struct endpoint *out);
static uint16_t port_of(const struct flow *f, enum side s);

void *
flow_attachment(const struct flow *f)
{
	return f->attachment;
}

void
flow_attach(struct flow *f, void *attachment)
{
	f->attachment = attachment;
}

void
flow_protect(struct flow *f)
{
	if (f->flags & FLOW_PROTECTED)
		return;
	f->flags |= FLOW_PROTECTED;
	flow_lists_update(flow_table_of(f), f);
}

bool
flow_protected(const struct flow *f)
{
	return f->flags & FLOW_PROTECTED;
}

/* What stands for ports in an ICMP flow's key is no port. */
static uint16_t
port_of(const struct flow *f, enum side s)
{
	if (f->key.transport == IPPROTO_ICMP || f->key.transport == IPPROTO_ICMPV6)
		return 0;
	return f->key.port[flow_end_of(f, s)];
}

uint64_t
flow_volume(const struct flow *f)
{
	return f->payload[0] + f->payload[1];
}

uint32_t
flow_packets(const struct flow *f)
{
	return f->packets[0] + f->packets[1];
}

void
flow_set_label(struct flow *f, uint32_t label)
{
	if (f->key.transport == IPPROTO_TCP)
		return;
	f->flags |= FLOW_LABELLED;
	flow_cold_of(f)->label = label;
}

uint32_t
flow_label(const struct flow *f)
{
	return f->flags & FLOW_LABELLED ? flow_cold_of(f)->label : 0;
}

void
flow_look(const struct flow *f, struct flow_view *out)
{
	for (unsigned s = 0; s < 2; s++) {
		out->addr[s] = &f->key.addr[flow_end_of(f, (enum side)s)];
		out->port[s] = f->key.port[flow_end_of(f, (enum side)s)];
		out->payload[s] = f->payload[s];
	}
	out->transport = f->key.transport;
	out->end = f->end;
	out->end_reason = (enum flow_end)(f->flags >> FLOW_END_SHIFT & 0xf);
	out->two_way = flow_answered(f);
	out->handshake = f->flags & FLOW_HANDSHAKE;
	out->midstream = f->flags & FLOW_MIDSTREAM;
}

/*
 * A packet begins one flow at most, so that its place in its file and its depth tell all flows of a
 * file apart; ends and start make it differ between files. The same whatever is replayed with it.
 */
static void
write_id(const struct flow *f, char out[RECORD_ID_MAX])
{
	const struct flow_cold *cold = flow_cold_of(f);
	struct {
		struct flow_key key;
		int64_t start;
		uint64_t first_frame;
		uint64_t depth;
	} named = {f->key, cold->start, cold->first_frame, flow_depth(f)};
	const uint64_t digest = hash_stable(&named, sizeof named);
	uint8_t bytes[sizeof digest]; /* as a number is written, whatever the machine */
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(digest >> (56 - 8 * i));
	text_hex(out, bytes, sizeof bytes);
}

void
flow_outer(const struct flow *f, enum side from, struct flow_outer *out)
{
	struct flow_view v;
	flow_look(f, &v);
	write_id(f, out->id);
	out->transport = v.transport;
	for (int i = 0; i < 2; i++) {
		const int end = i == 0 ? (int)from : !from;
		out->addr[i] = *v.addr[end];
		out->port[i] = v.port[end];
	}
}

static void
describe_side(const struct flow *f, enum side s, struct endpoint *out)
{
	const struct flow_cold *cold = flow_cold_of(f);
	out->addr = f->key.addr[flow_end_of(f, s)];
	out->port = port_of(f, s);
	out->has_mac = f->flags & FLOW_MAC;
	memcpy(out->mac, cold->mac[s], sizeof out->mac);
	out->packets = (uint64_t)cold->packets_high[s] << 32 | f->packets[s];
	out->bytes = f->bytes[s];
	out->payload = f->payload[s];
}

void
flow_describe(const struct flow *f, struct flow_record *out)
{
	static const struct facts nothing;
	const struct flow_cold *cold = flow_cold_of(f);
	memset(out, 0, sizeof *out);
	write_id(f, out->id);
	out->start = cold->start;
	out->end = f->end;
	out->first_frame = cold->first_frame;
	out->last_frame = f->last_frame;
	describe_side(f, SIDE_SOURCE, &out->side[SIDE_SOURCE]);
	describe_side(f, SIDE_DESTINATION, &out->side[SIDE_DESTINATION]);
	out->ip_version = f->key.ip_version;
	out->transport = f->key.transport;
	out->depth = flow_depth(f);
	if (out->transport == IPPROTO_ICMP || out->transport == IPPROTO_ICMPV6) {
		out->icmp_type = cold->icmp >> 8 & 0xff;
		out->icmp_code = cold->icmp & 0xff;
	}
	memcpy(out->vlan, cold->vlan, sizeof out->vlan);
	out->midstream = f->flags & FLOW_MIDSTREAM;
	out->handshake = f->flags & FLOW_HANDSHAKE;
	flow_history_text(f, out->history);
	out->end_reason = (enum flow_end)(f->flags >> FLOW_END_SHIFT & 0xf);
	out->facts = &nothing;
	community_id_write(flow_table_of(f)->community_id, out, out->community_id);
}
