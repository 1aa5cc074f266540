/*
 * The protection of Initial packets, whose keys anybody on the path can make out of
 * the client's first destination connection ID (RFC 9001 section 5). By libcrypto.
 */
#ifndef WAYBILL_PROTO_QUIC_KEYS_H
#define WAYBILL_PROTO_QUIC_KEYS_H

#include "base/digest.h"
#include "proto/quic_packet.h"

enum {
	QUIC_KEY_LEN = 16, /* AES-128-GCM, which all Initial packets have */
	QUIC_IV_LEN = 12,
	QUIC_TAG_LEN = 16,
};

struct quic_keys {
	uint8_t key[QUIC_KEY_LEN], iv[QUIC_IV_LEN], hp[QUIC_KEY_LEN];
};

enum quic_end { QUIC_CLIENT, QUIC_SERVER };

/* Those that this end protects its packets with. 0, or -1 where libcrypto would not. */
int quic_keys_make(const struct digests *known, const uint8_t salt[QUIC_SALT_LEN], bool second_labels,
        struct reader dcid, enum quic_end end, struct quic_keys *out);

/*
 * Takes the protection off an Initial packet: its payload into out, which has room for p->len bytes. 0, or -1
 * when the packet is not protected with these keys.
 */
int quic_keys_open(const struct quic_keys *k, const struct quic_packet *p, uint8_t *out, size_t *len);

#endif
