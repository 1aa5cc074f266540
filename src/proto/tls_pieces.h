/*
 * A run of handshake bytes put together from pieces that come in any order, twice, or
 * overlapping: QUIC's CRYPTO frames (RFC 9000 section 19.6), DTLS fragments. The first
 * copy of a byte counts.
 */
#ifndef WAYBILL_PROTO_TLS_PIECES_H
#define WAYBILL_PROTO_TLS_PIECES_H

#include <stddef.h>
#include <stdint.h>

enum { TLS_PIECES_MAX = 48, TLS_PIECES_BYTES_MAX = 65536 + 16 };

struct tls_pieces;

/*
 * Makes *p where it is NULL. 0, or -1: it ends beyond TLS_PIECES_BYTES_MAX, there are too many holes, or memory is out; then
 * nothing was added.
 */
int tls_pieces_add(struct tls_pieces **p, uint64_t offset, const uint8_t *bytes, size_t len);
/* All bytes from 0 to the first hole: how many. p: may be NULL. */
size_t tls_pieces_front(const struct tls_pieces *p, const uint8_t **bytes);
void tls_pieces_destroy(struct tls_pieces *p); /* takes NULL */

#endif
