/*
 * Frames from network interfaces, by libpcap: on Linux out of a ring that is shared with the kernel (TPACKET_V3), with
 * nanoseconds where the kernel has them. An interface that goes down is waited for, and told.
 */
#ifndef WAYBILL_CAPTURE_LIVE_H
#define WAYBILL_CAPTURE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "capture/capture.h"
#include "capture/share.h"

enum {
	LIVE_INTERFACES_MAX = 16,
	LIVE_SNAPLEN_MIN = 128,
	LIVE_SNAPLEN_MAX = 262144,
	/*
	 * The ring is made of blocks of so many bytes (libpcap's choice), each handed over when it is full, or so many ms after its first frame. So
	 * where little comes a ring lasts for as many of these times as it has blocks, however empty those are.
	 */
	LIVE_BLOCK = 262144,
	LIVE_BLOCK_TIME = 5,
};
#define LIVE_RING_DEFAULT ((size_t)64 << 20)
#define LIVE_RING_MAX (size_t)0x7fffffff

/* Who says when a frame came. */
enum live_clock {
	LIVE_CLOCK_HOST,             /* the kernel, by the system's clock */
	LIVE_CLOCK_ADAPTER,          /* the adapter, by a clock that it keeps together with the system's */
	LIVE_CLOCK_ADAPTER_UNSYNCED, /* the adapter, by its own */
	LIVE_CLOCKS
};
extern const char *const live_clock_words[LIVE_CLOCKS];

struct live_conf {
	enum live_clock clock; /* an adapter's needs CAP_NET_ADMIN, and an interface that is up */
	size_t ring;           /* bytes of each interface's ring; 0: LIVE_RING_DEFAULT */
	uint32_t snaplen;      /* bytes of a frame at most; 0: default 65,600, more than one of Ethernet can have */
	bool no_promiscuous;   /* only frames for this host */
	bool immediate;        /* each frame at once (TPACKET_V2), not up to LIVE_BLOCK_TIME later: dearer */
	struct share share;    /* zeroed: all frames. Only the first share tells of interfaces, and counts what they dropped */
};

struct live_counts {
	uint64_t frames, bytes;     /* handed out; bytes: on the wire */
	uint64_t dropped_ring;      /* the ring was full */
	uint64_t dropped_interface; /* the interface or its driver had no room */
};

struct live;

enum live_refusal {
	LIVE_REFUSED,
	LIVE_NOT_YET,          /* there is no such interface, or it is down and can't be waited for: it may come later */
};

/*
 * Opens all interfaces, with the filter (pcap-filter(7)) or NULL. ops->problem is told of one that is down, which is waited for
 * (Ethernet only; needs a loopback that is up), and of trouble later on, from live_batch; path is the interface. NULL, refusal
 * and error: one of them can't be opened.
 */
struct live *live_open(const struct live_conf *conf, const char *const *interfaces, size_t count, const char *filter,
                       const struct capture_ops *ops, void *ctx, enum live_refusal *refusal, char *error, size_t size);
void live_close(struct live *l); /* takes NULL */

/* Which clocks the interface offers, one word after the other: "host, adapter". Text is filled in any case. */
enum { LIVE_CLOCKS_TEXT = 64 };
void live_clocks(const char *interface, char text[LIVE_CLOCKS_TEXT]);

/* Bytes that live_batch needs for so many frames. */
size_t live_room(const struct live *l, size_t frames);

/*
 * The next frames, max at most, with their data in bytes (live_room(l, max) of them). Waits for the first one up to
 * patience (ns); 0: none came.
 */
size_t live_batch(struct live *l, struct frame *frames, size_t max, uint8_t *bytes, int64_t patience);

/* Frames lost are asked for ten times a second at most, which for libpcap is to read some files; exactly: now. */
void live_counts(struct live *l, bool exactly, struct live_counts *out);

#endif
