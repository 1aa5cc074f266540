/*
 * The decode stage: a frame becomes packets. Link layers, VLAN tags and
 * tunnels are taken off, IP fragments put together, checksums looked at. Each
 * reason for not using a frame has a counter; none is silent.
 *
 * Checksums and offload: a wrong checksum is either an attempt to show us what the receiver drops,
 * or the receiver's or sender's own network card computes it and the capture was made before that.
 * So checksums right and wrong are counted for each sender and protocol. PACKET_BAD_CHECKSUM is set
 * only on a packet from a sender whose checksums (IPv4 header, TCP, UDP, ICMP) are mostly right so
 * far; with few seen, all of them wrong, it is taken for offload. It is also set where a transport
 * header makes no sense. Such a packet counts for its flow; its payload must not be followed.
 *
 * Fragments: one packet comes of a whole datagram, with PACKET_REASSEMBLED and ip_bytes summed up
 * over its fragments, when its last fragment does. Those that never become whole are counted only.
 * A first fragment that is cut (snap length) is handed out by itself, as its ports are all that can
 * be known.
 *
 * Copies that the tap made of a packet (duplicate.h) are counted and go no further, fragments
 * and tunnels included. The outermost IP packet decides: a copy that came wrapped in a tunnel, as
 * ERSPAN does it, beside one that did not is a packet of its own, as one is with addresses translated.
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

#define FRAGMENT_MEMORY_DEFAULT ((size_t)64 << 20)
#define DUPLICATE_WINDOW_DEFAULT INT64_C(2000000) /* ns */
#define DUPLICATE_WINDOW_MAX INT64_C(1000000000)

struct decoder_limits {
	size_t fragment_memory;   /* bytes held for datagrams that are not whole; 0: FRAGMENT_MEMORY_DEFAULT */
	int64_t fragment_timeout; /* ns of packet time; 0: default (30 s IPv4, 60 s IPv6) */
	bool check_checksums;     /* count and mark as told above; else all are taken for right */
	bool drop_duplicates;     /* copies are left out */
	int64_t duplicate_window; /* ns that they come within; 0: DUPLICATE_WINDOW_DEFAULT */
};

/* Called for every IP packet in a frame, outermost first; p is borrowed. */
typedef void decoder_packet_fn(void *ctx, const struct packet *p);

/* limits NULL: defaults, checksums checked. NULL: out of memory. */
struct decoder *
decoder_create(const struct decoder_limits *limits, decoder_packet_fn *fn, void *ctx);
void decoder_destroy(struct decoder *d); /* takes NULL */

/* Decodes one frame; calls fn as often as there are IP packets in it. */
void decoder_frame(struct decoder *d, const struct frame *f);

/* The counters of frames and packets not used, fixed order. */
const struct coverage_counter *decoder_counters(struct decoder *d, size_t *count);

/* Copies left out so far, by what differs: DUPLICATE_KINDS of them; NULL: they are not looked for. */
const uint64_t *decoder_duplicates(const struct decoder *d);

/* When most TCP/UDP checksums sent by some hosts are wrong: the capture has offload. */
bool decoder_saw_offload(const struct decoder *d);

#endif
