/*
 * The stream stage: TCP segments become bytes in order, each way (RFC 9293 section 3.4, 3.10).
 * The in-order path copies nothing. The first copy of a byte wins;
 * a later, different one is counted. A hole is waited for until the receiver's ACK shows
 * that it was delivered unseen, or a limit is reached, and then told as a gap.
 */
#ifndef WAYBILL_STREAM_STREAM_H
#define WAYBILL_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"
#include "base/record.h"

struct stream;
struct stream_pool; /* shared memory accounting and counters */

enum { STREAM_COST = 112 }; /* bytes that a stream in order holds, about */

#define STREAM_MEMORY_DEFAULT ((size_t)256 << 20)

struct stream_limits {
	size_t memory;      /* bytes held out of order in all streams; 0: STREAM_MEMORY_DEFAULT */
	size_t per_stream;  /* in one direction of one stream; 0: default */
};

struct stream_ops {
	/* Bytes in order, borrowed for the call. */
	void (*data)(void *ctx, enum side from, const uint8_t *bytes, size_t len, int64_t time);
	/* len bytes of the stream were not seen and will not be. */
	void (*gap)(void *ctx, enum side from, uint64_t len, int64_t time);
	/*
	 * No more bytes from this side: FIN (all before it was given), or RST when reset is
	 * true.
	 */
	void (*end)(void *ctx, enum side from, bool reset, int64_t time);
};

struct stream_pool *stream_pool_create(const struct stream_limits *limits,
        const struct stream_ops *ops);
void stream_pool_destroy(struct stream_pool *p); /* takes NULL; after all its streams */

/* ctx is handed to the ops. NULL: out of memory or at the limit (counted). */
struct stream *stream_open(struct stream_pool *p, void *ctx);

/*
 * Takes a TCP segment sent by from. Callbacks run before it returns; they may ignore s, not
 * close it. Of one with PACKET_BAD_CHECKSUM only the data is kept, apart, and used where the
 * receiver acknowledged it and no good copy came; so those may be handed in as well.
 *
 * A reset is told when the stream is closed, unless data after it shows that it was forged.
 */
void stream_segment(struct stream *s, enum side from, const struct packet *p);

/*
 * For a stream opened after its plain handshake: leaves s, fresh from stream_open, as
 * stream_segment would after SIDE_SOURCE's SYN (seen 1), the SYN-ACK (2) and the ACK of that (3),
 * none of them with data. isn: the sequence numbers of the SYN and, from 2 on, the SYN-ACK. Any of the
 * three sent again, the same, would have changed nothing. No callback runs and nothing is counted.
 */
void stream_handshake(struct stream *s, const uint32_t isn[2], unsigned seen);

/* Nothing more of this side (or of both) is wanted: held bytes go, segments are only tracked. */
void stream_ignore(struct stream *s, enum side from);

/*
 * The flow ended: what is held is delivered around its holes (data, gap, data ...), then freed.
 * Takes NULL.
 */
void stream_close(struct stream *s, int64_t time);

const struct coverage_counter *stream_pool_counters(struct stream_pool *p, size_t *count);

#endif
