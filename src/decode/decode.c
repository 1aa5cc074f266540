#include "config.h"

#include <stdlib.h>

#include "decode/decode.h"
#include "decode/decoder.h"

static const struct coverage_counter counters[COUNT_MAX] = {
	[COUNT_LINK_UNKNOWN] = {"link_unknown", "frames of a link type that is not read", 0},
	[COUNT_LINK_MALFORMED] = {"link_malformed", "frames whose link-layer header makes no sense",
		0},
	[COUNT_NOT_IP] = {"not_ip", "frames without IP, such as ARP", 0},
	[COUNT_WLAN_ENCRYPTED] = {"wlan_encrypted", "encrypted 802.11 frames", 0},
	[COUNT_MACSEC_ENCRYPTED] = {"macsec_encrypted", "frames encrypted by MACsec", 0},
	[COUNT_CUT] = {"cut", "packets whose headers were cut off by the snap length", 0},
	[COUNT_IP_MALFORMED] = {"ip_malformed", "packets whose IP header makes no sense", 0},
	[COUNT_IP_LENGTH] = {"ip_length",
		"packets shorter than their IP header says, used as far as they go", 0},
	[COUNT_IP_CHECKSUM] = {"checksum_ip", "packets whose IPv4 header checksum is wrong", 0},
	[COUNT_TRANSPORT_MALFORMED] = {"transport_malformed",
		"packets whose TCP, UDP or other transport header makes no sense", 0},
	[COUNT_TRANSPORT_CHECKSUM] = {"checksum_transport",
		"packets not followed because their checksum is wrong", 0},
	[COUNT_CHECKSUM_OFFLOAD] = {"checksum_offload",
		"packets used although their checksum is wrong: their sender leaves it to the "
		"network card",
		0},
	[COUNT_TUNNEL_MALFORMED] = {"tunnel_malformed", "tunnel headers that make no sense", 0},
	[COUNT_NESTED_TOO_DEEP] = {"nested_too_deep",
		"packets with more headers within each other than are followed", 0},
	[COUNT_FRAGMENT_MALFORMED] = {"fragment_malformed", "IP fragments that make no sense", 0},
	[COUNT_FRAGMENT_CUT] = {"fragment_cut",
		"IP fragments that are not all there and cannot be put together", 0},
	[COUNT_FRAGMENT_OVERLAP] = {"fragment_overlap",
		"IP fragments that overlap others: the first copy was used", 0},
	[COUNT_FRAGMENT_CONFLICT] = {"fragment_conflict",
		"IP fragments that overlap others and differ from them", 0},
	[COUNT_FRAGMENT_INCOMPLETE] = {"fragments_incomplete",
		"IP fragments whose packet never became whole", 0},
	[COUNT_FRAGMENT_SHED] = {"fragments_shed", "IP fragments dropped to stay within memory", 0},
};

struct decoder *
decoder_create(const struct decoder_limits *limits, decoder_packet_fn *fn, void *ctx)
{
	static const struct decoder_limits defaults = {.check_checksums = true};
	if (limits == NULL)
		limits = &defaults;

	struct decoder *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->fn = fn;
	d->ctx = ctx;
	d->check = limits->check_checksums;
	for (size_t i = 0; i < COUNT_MAX; i++)
		d->counters[i] = counters[i];
	d->fragments = fragments_create(limits->fragment_memory, limits->fragment_timeout);
	d->senders = senders_create();
	if (limits->drop_duplicates)
		d->duplicates = duplicates_create(limits->duplicate_window);
	if (d->fragments == NULL || d->senders == NULL ||
		(limits->drop_duplicates && d->duplicates == NULL)) {
		decoder_destroy(d);
		return NULL;
	}
	return d;
}

void
decoder_destroy(struct decoder *d)
{
	if (d == NULL)
		return;
	fragments_destroy(d->fragments);
	senders_destroy(d->senders);
	duplicates_destroy(d->duplicates);
	free(d);
}

void
decoder_frame(struct decoder *d, const struct frame *f)
{
	struct walk w;
	struct part p = {
		.r = reader_init(f->data, f->caplen),
		.cut = f->len > f->caplen ? f->len - f->caplen : 0,
	};

	/* What a link layer may leave unsaid; IP and transport set all that is theirs. */
	w.d = d;
	w.layers = w.depth = 0;
	w.interface = f->interface;
	w.summed = NULL;
	w.packet.time = f->time;
	w.packet.frame = f->number;
	w.packet.flags = 0;
	w.packet.vlan[0] = w.packet.vlan[1] = 0;
	link_frame(&w, f->link, &p);
}

const struct coverage_counter *
decoder_counters(struct decoder *d, size_t *count)
{
	d->counters[COUNT_FRAGMENT_INCOMPLETE].count = fragments_incomplete(d->fragments);
	d->counters[COUNT_FRAGMENT_SHED].count = fragments_shed(d->fragments);
	*count = COUNT_MAX;
	return d->counters;
}

const uint64_t *
decoder_duplicates(const struct decoder *d)
{
	return d->duplicates != NULL ? duplicates_counts(d->duplicates) : NULL;
}

bool
decoder_saw_offload(const struct decoder *d)
{
	return senders_offload(d->senders);
}

void
walk_count(struct walk *w, enum count what)
{
	w->d->counters[what].count++;
}

void
walk_short(struct walk *w, const struct part *p, enum count what)
{
	walk_count(w, p->cut > 0 && !reader_ok(&p->r) ? COUNT_CUT : what);
}

void
walk_emit(struct walk *w, const struct part *p)
{
	struct packet *packet = &w->packet;

	packet->payload = p->r.next;
	packet->captured = (uint32_t)p->r.left;
	packet->payload_len = (uint32_t)part_wire(p);
	if (p->cut > 0)
		packet->flags |= PACKET_CUT;
	w->d->fn(w->d->ctx, packet);
}
