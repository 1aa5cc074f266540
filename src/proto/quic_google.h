/*
 * Google's QUIC before the IETF's, as far as it is in the clear: the public header up
 * to Q043, and the CHLO with server name and user agent ("QUIC Crypto", 2016; "QUIC
 * Wire Layout Specification", 2018).
 */
#ifndef WAYBILL_PROTO_QUIC_GOOGLE_H
#define WAYBILL_PROTO_QUIC_GOOGLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

struct session;

enum { QUIC_GOOGLE_HASH = 12 }; /* before the frames of a packet in the clear */

/*
 * A public header with a version, as a client sends it until the server has answered (up to Q043): 0, and the
 * version; what is behind the packet number stays in *datagram. -1: it is none.
 */
int quic_google_header(struct reader *datagram, uint32_t *version);

/* The handshake message in the first stream frame of a packet's frames in the clear; an empty one: there is none. */
struct reader quic_google_frame(struct reader frames, uint32_t version);

/* Tells what a CHLO says. True: it was one. */
bool quic_google_hello(struct session *s, struct reader message);

#endif
