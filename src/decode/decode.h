/*
 * The decode stage: a frame becomes packets. Link layers, VLAN tags and
 * tunnels are taken off, IP fragments put together, checksums looked at. Each
 * reason for not using a frame has a counter; none is silent.
 */
#ifndef WAYBILL_DECODE_DECODE_H
#define WAYBILL_DECODE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/packet.h"
#include "base/record.h"

struct decoder;

struct decoder_limits {
	size_t fragment_memory;  /* bytes held for datagrams that are not whole; 0: default */
	int64_t fragment_timeout; /* ns of packet time; 0: default (30 s, RFC 791 / 60 s RFC 8200) */
	bool check_checksums;    /* TCP/UDP ones: count and mark; IP header ones always drop */
};

/* Called for every IP packet in a frame, outermost first; p is borrowed. */
typedef void decoder_packet_fn(void *ctx, const struct packet *p);

struct decoder *decoder_create(const struct decoder_limits *limits, decoder_packet_fn *fn, void *ctx);
void decoder_destroy(struct decoder *d); /* takes NULL */

/* Decodes one frame; calls fn as often as there are IP packets in it. */
void decoder_frame(struct decoder *d, const struct frame *f);

/* The counters of frames and packets not used, fixed order. */
const struct coverage_counter *decoder_counters(struct decoder *d, size_t *count);

/* When most TCP/UDP checksums sent by some hosts are wrong: the capture has offload. */
bool decoder_saw_offload(const struct decoder *d);

#endif
